// SPDX-License-Identifier: Apache-2.0
// The network between tills and the centre: links that are slow, lossy, cut, half open.
#ifndef WASL_SIM_NET_H
#define WASL_SIM_NET_H

#include "sim/world.h"

void net_dial(struct world *w, struct till *t); // a new conn; what was before is left to itself
void net_ring(struct world *w, struct conn *c); // the call reaches the centre, or does not
void net_send(struct world *w, struct conn *c, enum way way, struct str text);
// One end lets go; the other is told unless the link is cut.
void net_close(struct world *w, struct conn *c, enum way way);
// True when the message may be handed to the end it was sent to; a dead end answers with a reset.
bool net_arrives(struct world *w, const struct event_at *e);
void net_cut(struct world *w, struct conn *c, bool tell_till, bool tell_centre);

#endif
