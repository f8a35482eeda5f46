// SPDX-License-Identifier: Apache-2.0
// Draws what happens at a till: a ticket, a delivery, a count.
#ifndef WASL_SIM_SALE_H
#define WASL_SIM_SALE_H

#include "sim/world.h"

// The item of an event that is to be drawn.
struct item *sale_item_new(struct world *w, struct till *t);
// Now and then: the event is of a version that the centre does not know yet.
void sale_make_foreign(struct world *w, struct item *item, struct event *event);
// A draft in scratch memory, and the item that says what it means.
struct item *sale_draw(struct world *w, struct till *t, struct event *ret);

#endif
