// SPDX-License-Identifier: Apache-2.0
// The simulated centre as an author: it judges what came to it, and people answer questions there.
//
// As in the daemon (src/node/journal_judge.c, journal_reserve.c, reviewing.c) with the same pure
// parts: judgements are written in the transaction that counts the event, each event is judged
// once.
#ifndef WASL_SIM_AUTHORITY_H
#define WASL_SIM_AUTHORITY_H

#include "model/judgement.h"
#include "sim/world.h"

struct shop_item;
struct shop_record;

void authority_init(struct world *w);
void authority_start(struct world *w); // its program starts: a fresh run for each place
// Writes an event of the centre's own.
void authority_put(struct world *w, struct item *item, struct event *draft, struct buf *body);
// Says a judgement: on an event of the record, by its number; or on none of its own.
struct item *authority_say(struct world *w, struct shop_record *of, int target,
                           struct judgement *judgement);
struct item *authority_say_apart(struct world *w, struct shop_record *of, const struct item *about,
                                 const struct judgement *judgement);

// judging.c. An event counts now; and what is to be said of all that do, before the commit.
void authority_note(struct world *w, const struct carrier *c);
void authority_judge(struct world *w);

// Reservations: against what is there now; that it is there; and what a restored centre did not
// decide before a person confirmed it.
void authority_decide(struct world *w, const struct event *event, struct shop_item *s,
                      struct verdict *verdict);
void authority_check_promise(struct world *w, const struct shop_record *of);
void authority_hear(struct world *w);

// answering.c. Somebody answers open questions, or says who may do what and what is settled how.
void authority_look(struct world *w);

#endif
