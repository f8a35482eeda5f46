// SPDX-License-Identifier: Apache-2.0
// Events of other devices of this place, as the feed from above told them.
//
// Why: records that are folded from all of their events travel down as these events; what a device
//   shows is the fold of what it wrote and what it was told, each id once.
#ifndef WASL_STORE_SQLITE_TOLD_H
#define WASL_STORE_SQLITE_TOLD_H

#include "store/sqlite/state.h"

struct told_doubts { // records that are told of, and of which an earlier copy told more
    struct arena *arena;
    struct record_name *items;
    size_t count, room;
};
struct told_page {       // what an event came in
    struct str location; // of the feed
    int64_t generation;
    struct told_doubts *doubts;
};
// Takes an event in, unless this journal holds it or it was told before. Of several carriers of one
// id, here and told, the one that is told last counts: the upstream has decided. A type this
// version cannot fold is kept for a later one.
enum err_code told_put(struct store *s, const struct told_page *page, struct str bytes,
                       struct arena *a, struct err *e) MUST_CHECK;
// The upstream counts this own event, which is about to be appended again: unless it told of
// another carrier, it goes on to count as it is.
enum err_code told_keep(struct store *s, const struct event *event, struct arena *a,
                        struct err *e) MUST_CHECK;
// The upstream took it back.
enum err_code told_drop(struct store *s, struct str location, const struct uuid *id,
                        struct arena *a, struct err *e) MUST_CHECK;
// All rows up to the feed's head were put: a record that is told of is told as a whole, so what
// only an earlier copy told of it is no more. The upstream was restored, and judged anew.
enum err_code told_drop_doubted(struct store *s, const struct told_page *page, struct arena *a,
                                struct err *e) MUST_CHECK;
// What a complete fresh copy did not repeat, though its record is open: a copy says nothing of
// records that are over (prune_records.h).
enum err_code told_drop_stale(struct store *s, struct str location, int64_t generation,
                              struct arena *a, struct err *e) MUST_CHECK;
// Folds every told event again, into the records of r.
enum err_code told_refold(struct store *s, struct records *r, struct err *e) MUST_CHECK;

#endif
