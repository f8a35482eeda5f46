// SPDX-License-Identifier: Apache-2.0
// Stock deltas of one transaction, summed by (location, sku) and given back in sorted order.
//
// Why: a batch of 1,000 sales touches the same few SKUs; each is written once, in key order.
// Ownership: keys are copied into the map. Limits: the memory of one transaction (DELTA_MAX_BYTES).
#ifndef WASL_STORE_SQLITE_DELTA_H
#define WASL_STORE_SQLITE_DELTA_H

#include "base/arena.h"
#include "base/uuid.h"

#define DELTA_MAX_BYTES ((size_t)256 * 1024 * 1024)

struct delta {
    struct str location;
    struct str sku;
    int64_t quantity;  // sum modulo 2^64
    int64_t moves;     // deltas added less deltas taken back
    bool taken_back;   // some were
    bool brought;      // goods came, and not by a sale
    struct uuid event; // the last that took something
    uint64_t hash;
};
struct delta_map {
    struct arena arena;
    struct delta **slots;
    size_t capacity; // a power of two, 0 before the first use
    size_t count;
    struct delta *last; // what was added to
};

void delta_map_init(struct delta_map *m);
void delta_map_fini(struct delta_map *m);
void delta_map_clear(struct delta_map *m);
// sign +1 adds the delta, -1 takes it back.
enum err_code delta_map_add(struct delta_map *m, struct str location, struct str sku,
                            int64_t quantity, int sign) MUST_CHECK;
// The sums ordered by (location, sku), in the front of the table; the map is only fit for
// delta_map_clear after that.
struct delta **delta_map_sort(struct delta_map *m);

#endif
