// SPDX-License-Identifier: Apache-2.0
// Rows that the feed of a place need not repeat: those of records that are over.
//
// As the store does (src/store/sqlite/feed_trim.c), with the same pure parts: a record goes as a
// whole, and is told again as a whole when it is touched.
#ifndef WASL_SIM_TRIM_H
#define WASL_SIM_TRIM_H

#include "sim/world.h"

// At the centre, now and then.
void trim_feeds(struct world *w);
// A till says hello: whether it goes on from where it says. What it may have missed is noted.
bool trim_heard(struct world *w, struct till *t, const struct message_cursor *cursor, bool known);
void trim_gone(struct world *w, const struct till *t); // its session ended
// An event is about to be told: the others of its record are too, where they were dropped.
void trim_tell_again(struct world *w, int place, const struct item *item);

// Whether the record, as it is folded there, is over (src/store/sqlite/prune_records.h).
bool trim_is_over(struct world *w, struct book *at, const struct shop_record *of);
// The record is not in the feed, and the till came from before it was dropped.
bool trim_may_lack(const struct world *w, const struct till *t, const struct shop_record *of);

#endif
