// SPDX-License-Identifier: Apache-2.0
// What the whole chain is told as rows: settings, and the catalog in numbered versions.
//
// As in the store (src/store/sqlite/catalog_publish.c, catalog_follow.c): a version is published in
// one transaction, and a till shows rows only when its pages reach the feed's head.
#ifndef WASL_SIM_CHAIN_H
#define WASL_SIM_CHAIN_H

#include "sim/world.h"

void chain_put_setting(struct world *w); // at the centre: one changes
void chain_publish(struct world *w);     // at the centre: the next version of the catalog
// At a till: a frame of one of the chain's feeds. Fails the seed where its rows, or those that are
// shown then, are no version of the catalog.
void chain_take(struct world *w, struct till *t, int feed, const struct message_feed *m);
// One item of what the till shows is lost on its disk. False: it shows none.
bool chain_lose_item(struct world *w, struct till *t);
// The version that the till shows; NULL: none.
const struct catalog *chain_shown(struct world *w, const struct till *t);
// After quiet: every till shows what the centre says last.
void chain_check_end(struct world *w);

#endif
