// SPDX-License-Identifier: Apache-2.0
// The centre: the server's end of every session, group commit, folds and feeds.
//
// With knobs.front, what is committed is held in a front log and settles only later, when it was
// carried on; a front may lose what it has not carried on.
#ifndef WASL_SIM_CENTRE_H
#define WASL_SIM_CENTRE_H

#include "sim/world.h"
#include "sync/recovery.h"

void centre_init(struct world *w);
void centre_fini(struct world *w);
void centre_start(struct world *w);
void centre_kill(struct world *w, int64_t restart_in_ms);
void centre_lose_front(struct world *w); // its disk: all that is held and not settled
void centre_revoke(struct world *w, const struct uuid *device);
void centre_forget_front(struct world *w); // the same, but it still believes that it holds it
void centre_opened(struct world *w, struct conn *c);
void centre_told(struct world *w, struct conn *c);
void centre_message(struct world *w, struct conn *c, struct str text);
void centre_commit(struct world *w);
void centre_forward(struct world *w);
void centre_tick(struct world *w);
void centre_read_feed(struct world *w, struct conn *c, const struct step *step);
void centre_setting(struct world *w); // rows of the chain's feeds change
void centre_upgrade(struct world *w); // its dead letters are read after all
// restore.c: its disk is copied, or becomes that copy again.
void centre_back_up(struct world *w);
uint64_t centre_copied_to(const struct world *w); // the head of the chain's feed, in the copy
bool centre_can_restore(const struct world *w);
void centre_restore(struct world *w, int64_t restart_in_ms);
void centre_recover(struct world *w, const struct recovery_view *view,
                    const struct message_hello *hello, const char *why);
void centre_confirm(struct world *w); // a person does

#endif
