// SPDX-License-Identifier: Apache-2.0
// A till: the device's end of a session, its run, its overlay, and a disk that a crash rolls back.
//
// Whatever it writes waits in 'pending' until the next fsync; only then does it count: sessions
// are told, customers have their receipt. A crash forgets what is pending.
#ifndef WASL_SIM_TILL_H
#define WASL_SIM_TILL_H

#include "sim/world.h"

void till_start(struct world *w, struct till *t);
void till_kill(struct world *w, struct till *t, int64_t restart_in_ms);
void till_restart(struct world *w, struct till *t); // a planned one: nothing is forgotten
void till_sell(struct world *w, struct till *t);
void till_fsync(struct world *w, struct till *t);
void till_wake(struct world *w, struct till *t);
void till_load(struct world *w, struct till *t, const struct step *step);
void till_connected(struct world *w, struct till *t);
void till_disconnected(struct world *w, struct till *t);
void till_window(struct world *w, struct till *t, bool open); // or by hand, now and then
void till_message(struct world *w, struct till *t, struct str text);
int64_t till_wall_ms(const struct world *w, const struct till *t);
// Its disk becomes what it was when it was last copied (the first time, a copy is made instead).
void till_restore(struct world *w, struct till *t, int64_t restart_in_ms);
// A copy of its disk starts as another till with the same device id and key.
void till_clone(struct world *w, struct till *t, int64_t start_in_ms);
// The bytes of one event that is not settled change on its disk, if there is one.
void till_rot(struct world *w, struct till *t);
// A row of its catalog is lost, and it notices: the chain's feed is read from the start again.
void till_doubt(struct world *w, struct till *t);

#endif
