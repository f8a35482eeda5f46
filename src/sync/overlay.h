// SPDX-License-Identifier: Apache-2.0
// Own events that the feed does not yet include, and what they add to the view.
//
// view(sku) = confirmed(sku), as the feed said it, + overlay(sku). Each own event is in exactly one
// of the two: it enters the overlay when it is committed here, and leaves it in the very step that
// takes in the page that includes it. One that the upstream set apart (a notice: it was not folded
// there) stays, however far its stream is included.
// Why sums only: which events make them up, the journal knows. So an outbox of any length costs
//   nothing at a start.
// Limits: one sum per SKU that such events move. Ownership: owns its sums; SKUs are copied.
#ifndef WASL_SYNC_OVERLAY_H
#define WASL_SYNC_OVERLAY_H

#include "sync/message.h"

struct overlay;

enum err_code overlay_new(struct overlay **ret) MUST_CHECK;
void overlay_free(struct overlay *o); // accepts NULL

// Adds to the sum of a SKU: what an own event did as it was committed, or what was stored.
enum err_code overlay_move(struct overlay *o, struct str sku, int64_t delta) MUST_CHECK;
int64_t overlay_sum(const struct overlay *o, struct str sku);

// What is known of one own event: up to where its stream is included, and whether it was set apart.
struct overlay_mark {
    uint64_t included;
    bool apart;
};
// 1: the event enters the overlay, -1: it leaves, 0: it stays where it is.
int overlay_turn(uint64_t seq, struct overlay_mark before, struct overlay_mark after);

// Adds (turn 1) or takes off (turn -1) what an event does to stock; 'changed' is called with the
// SKU of each delta. An event that moves nothing changes nothing.
struct overlay_change {
    int turn;
    enum err_code (*changed)(void *context, struct str sku);
    void *context;
};
enum err_code overlay_apply(struct overlay *o, const struct event *event,
                            const struct overlay_change *change, struct arena *a) MUST_CHECK;

#endif
