// SPDX-License-Identifier: Apache-2.0
// Dropping rows that the feed of a place need not repeat: events of records that are over.
//
// Why: an event has a row of its own for good, since nothing supersedes it, so the feed of a place
//   would grow with every order that it ever had, and so would each new till's first copy.
// Invariants:
//   1. A record goes as a whole: all of its rows, or none. One that is touched again is told again
//      as a whole.
//   2. It goes when it is over (prune_records.h), its last event came long ago, and all of its rows
//      are more than FEED_MEMORY behind the head and behind what every device of the place that was
//      not revoked had read when it said hello last, but one that was not heard of for as long as
//      events are kept. So nobody misses its end: who comes back from before it takes a copy.
//   3. Who comes from before dropped rows all the same, a till that was restored from a backup,
//      takes a fresh copy; a copy that is being made may go on unless rows were dropped meanwhile.
#ifndef WASL_STORE_SQLITE_FEED_TRIM_H
#define WASL_STORE_SQLITE_FEED_TRIM_H

#include "store/sqlite/state.h"

// Tells the record of an event that is told just now as a whole, if the feed has not all of it.
enum err_code feed_trim_tell_again(struct fold *f, const struct event *event, int64_t lsn,
                                   struct err *e) MUST_CHECK;

#endif
