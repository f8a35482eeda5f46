// SPDX-License-Identifier: Apache-2.0
// The chain's settings: the centre says them in the middle of everything, and judges by them.
#ifndef WASL_SIM_SETTINGS_H
#define WASL_SIM_SETTINGS_H

#include "model/price.h"
#include "sim/world.h"

struct settings { // that an event is judged by
    int64_t pending_ms, skew_ms;
    enum price_authority prices;
};

void settings_say(struct world *w);
void settings_allow_prices(struct world *w); // to branches
// As the centre has them, through the model; and as they were meant.
void settings_read(struct world *w, const struct event *event, struct settings *ret);
void settings_meant(struct world *w, const struct event *event, struct settings *ret);
// Decimal: what may be promised beyond what is there.
int64_t settings_oversell(struct world *w, int place, int sku);
bool settings_oversold(const struct world *w); // whether anything was ever said of that
int64_t settings_oversell_meant(struct world *w, int place, int sku);

#endif
