// SPDX-License-Identifier: Apache-2.0
// The simulated centre as an author: it judges what came to it, and people answer questions there.
//
// As in the daemon (src/node/journal_judge.c, reviewing.c) with the same pure parts: judgements are
// written in the transaction that counts the event, each event is judged once. Apart from the
// daemon, what is late or early is asked about by no batch.
#ifndef WASL_SIM_AUTHORITY_H
#define WASL_SIM_AUTHORITY_H

#include "sim/world.h"

void authority_init(struct world *w);
void authority_start(struct world *w); // its program starts: a fresh run for each place
// An event of a record counts now; and what is to be said of all that do, before the commit.
void authority_note(struct world *w, const struct carrier *c);
void authority_judge(struct world *w);
// Somebody answers an open question, or gets or loses the rights of a manager.
void authority_look(struct world *w);

#endif
