// SPDX-License-Identifier: Apache-2.0
// Tickets from files into a node, as fast as it takes them or at the pace at which they happened.
//
// Invariants: the same file gives the same events, so a second import adds nothing; a row is in a
//   ticket or in FILE.rejected.csv. After a failure what was told so far is in, and the same import
//   again does the rest.
// Threads: one; a map with a time zone sets the process's TZ meanwhile.
#ifndef WASL_CLI_IMPORT_RUN_H
#define WASL_CLI_IMPORT_RUN_H

#include "base/err.h"
#include "cli/json_out.h"

enum { IMPORT_CURRENCIES_MAX = 16 };

struct import_options {
    const char *dir;
    const char *map_path;
    const char *location; // over the map's; NULL: as the map says
    const char *const *files;
    size_t file_count;
    double speed; // seconds of the files for one of ours; 0: no waiting
    const char *label;
};

struct import_value {
    char currency[4];
    int places;
    int64_t amount;
};

struct import_totals {
    uint64_t tickets; // in the node after this, of these files; of them:
    uint64_t added;
    uint64_t duplicates;
    uint64_t lines;
    uint64_t rejected;               // rows
    uint64_t incomplete;             // tickets taken without rows of theirs that were rejected
    char first_reason[ERR_TEXT_MAX]; // of the first of them
    int64_t quantity;                // decimal
    struct import_value value[IMPORT_CURRENCIES_MAX];
    size_t value_count;
    int64_t took_ms;
};

enum err_code import_run_all(const struct import_options *options, struct import_totals *ret,
                             struct err *e) MUST_CHECK;

// {"tickets","lines","added","duplicates","rejected","value","quantity","seconds"}
void import_run_report(const struct import_totals *totals, struct json_out *to);

#endif
