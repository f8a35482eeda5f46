// SPDX-License-Identifier: Apache-2.0
// What a node does for itself between sales: it looks how full it is, says so once, and drops what
// it need not keep.
//
// Threads: the loop's; the work runs as jobs of the writer. Ownership: jobs under way finish on
// their own after upkeep_close and find it gone.
#ifndef WASL_NODE_UPKEEP_H
#define WASL_NODE_UPKEEP_H

#include "node/writer.h"

struct upkeep;

struct upkeep_options {
    struct loop *loop;
    struct writer *writer;
    const struct config *config;
};
enum err_code upkeep_open(const struct upkeep_options *options, struct upkeep **ret,
                          struct err *e) MUST_CHECK;
void upkeep_close(struct upkeep *u); // accepts NULL

#endif
