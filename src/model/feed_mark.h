// SPDX-License-Identifier: Apache-2.0
// The hash that a page of a feed ends with: what a device shows to go on behind it.
//
// Why: a page leaves out rows that newer ones have replaced. Who stops amid a feed therefore lacks
//   what stands behind it twice over: the new row is still to come, the old one will never. That is
//   well as long as the feed keeps the new one; a server that was restored to a head in between has
//   the old row again, and would go on without it.
// Invariants: at the feed's head the mark is the hash of the feed there. Before it, it also binds
//   the head that the page was read under, whose position it says in its first 8 bytes. To a device
//   it is opaque.
#ifndef WASL_MODEL_FEED_MARK_H
#define WASL_MODEL_FEED_MARK_H

#include "base/hash.h"

#include <stdint.h>

struct feed_mark {
    uint64_t position;
    struct hash hash; // of the feed, there
};
// Of a page that ends 'at' and was read while the feed ended at 'head', not before it.
struct hash feed_mark_of(const struct feed_mark *at, const struct feed_mark *head);
// Of a mark that is not the hash of the feed: which head it binds.
uint64_t feed_mark_head(const struct hash *mark);

#endif
