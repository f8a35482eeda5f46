// SPDX-License-Identifier: Apache-2.0
// What a device does for its catalog between sales: it drops old editions, and looks now and then
// whether what it shows is still what was published.
//
// Why: a price changed by hand in the file is found, told to the centre, and put right by a copy.
// Threads: the loop's; the work runs as jobs of the writer, some rows each.
#ifndef WASL_NODE_CATALOG_KEEPER_H
#define WASL_NODE_CATALOG_KEEPER_H

#include "node/uplink_service.h"

struct catalog_keeper;

struct catalog_keeper_options {
    struct loop *loop;
    struct writer *writer;
    const struct config *config;
    struct uplink_service *uplink; // told what is found; outlives the keeper
};
enum err_code catalog_keeper_open(const struct catalog_keeper_options *options,
                                  struct catalog_keeper **ret, struct err *e) MUST_CHECK;
void catalog_keeper_close(struct catalog_keeper *k); // accepts NULL

#endif
