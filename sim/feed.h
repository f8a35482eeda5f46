// SPDX-License-Identifier: Apache-2.0
// The centre's feeds: a compacted log of rows for each place, as src/store/store.h declares it.
#ifndef WASL_SIM_FEED_H
#define WASL_SIM_FEED_H

#include "sim/world.h"
#include "sync/recovery.h"

void feed_init(struct world *w, struct centre_feed *f, const char *location);
void feed_put(struct world *w, struct centre_feed *f, int record, struct str row);
struct centre_feed *feed_find(struct world *w, struct str location);
enum feed_standing feed_stands(const struct world *w, const struct centre_feed *f,
                               const struct message_cursor *cursor);
struct hash feed_hash_at(const struct centre_feed *f, uint64_t position);
// Live rows after 'after', at most max_bytes but at least one, in scratch memory.
void feed_read(struct world *w, const struct centre_feed *f, uint64_t after, size_t max_bytes,
               struct downlink_page *ret);

#endif
