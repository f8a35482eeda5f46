// SPDX-License-Identifier: Apache-2.0
// What is true in the simulated world, and whether the nodes agree with it.
//
// The oracle knows each event as its author meant it, apart from the bytes; it folds on its own.
#ifndef WASL_SIM_ORACLE_H
#define WASL_SIM_ORACLE_H

#include "sim/world.h"

// A stream begins: fails the seed when one of that key was begun before.
// till -1: it is the centre's.
struct stream *oracle_stream_new(struct world *w, int till, const struct stream_key *key,
                                 const struct certificate *certificate);
struct stream *oracle_stream_find(const struct world *w, const struct stream_key *key);
struct item *oracle_item_new(struct world *w, const struct uuid *id, int place);
// The author stamped an event; it counts only once it is durable there.
struct carrier *oracle_stamped(struct world *w, struct stream *s, struct item *item,
                               struct str bytes, const struct mark *mark);
// A restored till forgets everything of 'old' that is not in 'kept'.
void oracle_excuse(struct world *w, const struct till_disk *old, const struct till_disk *kept);

// The centre folded an item for the first time.
void oracle_folded(struct world *w, struct item *item, const struct stream *by);
// What an item took from stock is given back: it was judged a duplicate.
void oracle_given_back(struct world *w, const struct item *item);
// S25: each of the till's own events once in its view of its place.
void oracle_check_view(struct world *w, const struct till *t);
// An ack or welcome on its way: what it says must be durable.
void oracle_check_marks(struct world *w, const struct message_mark *marks, size_t count);
void oracle_check_pruned(struct world *w, const struct till *t, const struct till_stream *s);
// After quiet: everything that was committed is everywhere, once.
bool oracle_is_drained(const struct world *w);
void oracle_explain_wedge(struct world *w);
void oracle_check_end(struct world *w);

#endif
