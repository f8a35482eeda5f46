// SPDX-License-Identifier: Apache-2.0
// What the parts of a simulated till share: till.c is the program, till_disk.c what it writes.
#ifndef WASL_SIM_TILL_PRIVATE_H
#define WASL_SIM_TILL_PRIVATE_H

#include "sim/till.h"

// till.c
struct moment till_moment(const struct world *w, const struct till *t);
struct event_at *till_add(struct world *w, struct till *t, int64_t delay, enum happening kind);
void till_perform(struct world *w, struct till *t); // what its session asks for

// till_disk.c
struct till_stream *till_find_stream(struct till *t, const struct stream_key *key);
// Whether the upstream says that it folded what the till wrote there.
bool till_is_included(struct till *t, const struct carrier *c);
struct pending *till_pend(struct world *w, struct till *t, enum pending_kind kind);
void till_need_fsync(struct world *w, struct till *t, bool lazily);
void till_commit(struct world *w, struct till *t);
struct carrier *till_stamp(struct world *w, struct till *t, struct event *draft, struct item *item);
void till_forget_pending(struct world *w, struct till *t); // a crash, or a disk that refuses
void till_load_overlay(struct till *t);
const struct message_feed *till_copy_feed(struct world *w, const struct message_feed *from);

#endif
