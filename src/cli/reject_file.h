// SPDX-License-Identifier: Apache-2.0
// FILE.rejected.csv: the rows of an import that were kept aside, with line numbers and reasons.
//
// Why: a bad row must neither stop the others nor vanish. The file is made by the first of them;
//   one that an earlier import left is removed by an import without any. A file of that name that
//   no import wrote is left alone.
// Ownership: the caller's struct; reject_file_close. Limits: none of its own.
#ifndef WASL_CLI_REJECT_FILE_H
#define WASL_CLI_REJECT_FILE_H

#include "base/str.h"

#include <stdio.h>

struct reject_file {
    char path[4096];
    FILE *file;
    bool failed; // it could not be made or written
    uint64_t rows;
};

void reject_file_open(struct reject_file *r, const char *source);
// record: the row verbatim; empty where only its line is known.
void reject_file_add(struct reject_file *r, uint64_t line, const char *reason, struct str record);
// Tells on stderr how many rows there are and where, if any.
void reject_file_close(struct reject_file *r);

#endif
