// SPDX-License-Identifier: Apache-2.0
// What the upstream says of own events that it did not fold.
//
// A notice names an id: it is said of every carrier that counts here. One of type 'carrier' names a
// position: that event lost its id to another one with other content. The upstream's rows contain
// it as little as it is ever to be counted beside them: it is in conflict, and not apart. What a
// page changes is gathered, so that the overlay can follow before stock rows are written.
#ifndef WASL_STORE_SQLITE_NOTICE_H
#define WASL_STORE_SQLITE_NOTICE_H

#include "store/sqlite/state.h"

struct notices {
    struct store *s;
    int64_t generation;     // of the copy that speaks
    struct feed_told *told; // from malloc
    size_t count, capacity;
};
void notices_fini(struct notices *n);
// 'row' NULL: the notice is taken back. The arena is for the work at hand.
enum err_code notices_apply(struct notices *n, struct str id, yyjson_val *row, struct arena *a,
                            struct err *e) MUST_CHECK;
enum err_code notices_apply_carrier(struct notices *n, struct str place, bool lost,
                                    struct err *e) MUST_CHECK;
// Takes back what an older copy said and this one did not repeat.
enum err_code notices_drop_stale(struct notices *n, struct arena *a, struct err *e) MUST_CHECK;

#endif
