// SPDX-License-Identifier: Apache-2.0
// What the parts of the simulated centre share: centre.c has the sessions, centre_store.c the
// store.
#ifndef WASL_SIM_CENTRE_PRIVATE_H
#define WASL_SIM_CENTRE_PRIVATE_H

#include "sim/centre.h"

// centre.c
struct event_at *centre_add(struct world *w, int64_t delay, enum happening kind);
void centre_perform(struct world *w, struct conn *c); // what the session asks for
void centre_tell_feeds(struct world *w);
int64_t centre_wall_ms(const struct world *w);

// centre_store.c
struct centre_stream *centre_stream_of(struct world *w, const struct stream_key *key);
struct mark centre_mark_at(const struct centre_stream *s, uint64_t seq);
void centre_store_push(struct world *w, struct conn *c, const struct step *step);
void centre_drop_jobs(struct world *w); // what was not committed
// An event of the centre's own, in the transaction under way.
void centre_put_own(struct world *w, const struct carrier *c, const struct event *event);
// The event gets a row of its own in the feed.
void centre_tell_event(struct world *w, int place, const struct carrier *c);
void centre_give_back(struct world *w, const struct item *item); // what it took from stock

#endif
