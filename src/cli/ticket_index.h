// SPDX-License-Identifier: Apache-2.0
// The distinct tickets of a file, in order of first appearance: a hash map from key to entry.
//
// Ownership: the index owns the keys; entries stay valid until the next ticket_index_add.
// Limits: keys of 1 GiB in all, 2^31 tickets.
#ifndef WASL_CLI_TICKET_INDEX_H
#define WASL_CLI_TICKET_INDEX_H

#include "base/buf.h"

struct ticket_builder;

struct ticket_entry {
    uint64_t hash;
    size_t key_at; // in keys
    uint32_t key_n;
    uint32_t rows;                  // in the file
    uint32_t rows_seen;             // by the second pass
    struct ticket_builder *builder; // while some rows were seen and others not
};

struct ticket_index {
    struct buf keys;
    struct ticket_entry *entries;
    size_t count;
    size_t room;
    uint32_t *slots;   // entry number + 1; 0 is free
    size_t slot_count; // a power of two, more than twice count
    size_t last;       // the entry asked for last: lines of a ticket are mostly adjacent
};

void ticket_index_init(struct ticket_index *x);
void ticket_index_fini(struct ticket_index *x); // not the builders

// Counts a row of a ticket. ERR_NO_MEMORY, ERR_LIMIT.
enum err_code ticket_index_add(struct ticket_index *x, struct str key) MUST_CHECK;

// NULL where there is no such key.
struct ticket_entry *ticket_index_find(struct ticket_index *x, struct str key);

#endif
