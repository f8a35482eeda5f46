// SPDX-License-Identifier: Apache-2.0
// Draws what happens at a till: a ticket, a delivery, a count.
#ifndef WASL_SIM_SALE_H
#define WASL_SIM_SALE_H

#include "sim/world.h"

// A draft in scratch memory, and the item that says what it means.
struct item *sale_draw(struct world *w, struct till *t, struct event *ret);

#endif
