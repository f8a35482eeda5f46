// SPDX-License-Identifier: Apache-2.0
// Own events that the feed does not yet include, and what they add to the view.
//
// view(sku) = confirmed(sku), as the feed said it, + overlay(sku). Each own event is in exactly one
// of the two: it enters the overlay when it is committed here, and leaves it in the very step that
// takes in the frame that includes it.
// Limits: one entry per stock delta of an event not yet included; grows with the outbox.
// Ownership: owns its entries; SKUs are copied.
#ifndef WASL_SYNC_OVERLAY_H
#define WASL_SYNC_OVERLAY_H

#include "sync/message.h"

struct overlay;

enum err_code overlay_new(struct overlay **ret) MUST_CHECK;
void overlay_free(struct overlay *o);

// A stock delta of an own event, when it is committed (or read again after a restart).
enum err_code overlay_add(struct overlay *o, const struct stream_key *key, uint64_t seq,
                          const struct uuid *event_id, struct str sku, int64_t delta) MUST_CHECK;

// The feed includes a stream up to a seq, but for the ids in 'except', which stay.
// 'changed' is called once per entry that left, with its SKU.
void overlay_include(struct overlay *o, const struct message_include *include,
                     void (*changed)(void *context, struct str sku), void *context);

int64_t overlay_sum(const struct overlay *o, struct str sku);
size_t overlay_count(const struct overlay *o);

#endif
