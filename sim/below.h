// SPDX-License-Identifier: Apache-2.0
// Stock below zero at the centre, as src/node/journal_below.c with the same pure part: one question
// for each SKU that a place keeps stock of, which closes when there is enough again.
#ifndef WASL_SIM_BELOW_H
#define WASL_SIM_BELOW_H

#include "model/effect.h"
#include "sim/world.h"

// Stock is about to move by 'delta', by that event; 'brings': goods come, and not by a sale.
void below_note(struct world *w, int place, int sku, const struct item *by, int64_t delta,
                bool brings);
// That a place keeps stock of it: something else than a sale moves it there.
void below_keep(struct world *w, int place, int sku);
void below_judge(struct world *w); // as a transaction ends
void below_check(struct world *w); // after quiet: asked about where it is so, and nowhere else

#endif
