// SPDX-License-Identifier: Apache-2.0
// What one till of a chain sells: its share of the generated Friday, of a file of tickets, or of a
// stream of single units.
//
// Why: all tills of a chain read the same sequence and each takes what is its own, so that together
//   they play one day without talking to each other, and a busy branch is busy.
// Invariants: the same options give the same ids; drafts have ids of their own even when the
//   Friday begins anew, since its ticket numbers do too.
// Ownership: a draft is borrowed until the next call. Threads: one at a time.
#ifndef WASL_LOAD_SOURCE_H
#define WASL_LOAD_SOURCE_H

#include "base/buf.h"
#include "cli/friday.h"
#include "cli/ticket_reader.h"

enum { LOAD_SKUS = 1000 }; // of single units

enum load_kind { LOAD_FRIDAY, LOAD_TICKETS, LOAD_UNITS };

struct load_options {
    enum load_kind kind;
    uint64_t seed;
    uint32_t branches;
    uint32_t tills;  // per branch
    uint32_t branch; // which one this is, from 0
    uint32_t till;
    const char *location;
    const char *tickets_path;
    const char *map_path;
};

struct load_draft {
    uint64_t place; // in the whole chain's sequence, from 0: says when it is due
    struct uuid id;
    struct str json;  // for POST /api/v1/events
    struct str moves; // "total TAB currency TAB lines[ TAB sku TAB quantity]...", for the log
};

struct load_source {
    struct load_options options;
    struct friday friday;
    bool friday_open;
    uint64_t week; // Fridays that are over
    struct import_map map;
    struct ticket_reader *reader;
    uint64_t count; // of the whole chain's sequence
    struct buf json;
    struct buf moves;
};

enum err_code load_source_open(struct load_source *s, const struct load_options *options,
                               struct err *e) MUST_CHECK;
void load_source_close(struct load_source *s);

// ERR_NOT_FOUND at the end of a file.
enum err_code load_source_next(struct load_source *s, int64_t now_ms, struct load_draft *ret,
                               struct err *e) MUST_CHECK;

#endif
