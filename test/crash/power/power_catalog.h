// SPDX-License-Identifier: Apache-2.0
// Versions of a catalog that a centre publishes, and how they come to its till.
//
// Why: pieces of a version are not synced one by one. Whatever a cut takes of them, a till shows
//   one whole version, never an older one than it was seen to show, and gets the next one.
// How: each version's rows are remembered as the centre shows them; after a cut the till's rows,
//   its number and its hash must be those of one of them.
#ifndef WASL_CRASH_POWER_POWER_CATALOG_H
#define WASL_CRASH_POWER_POWER_CATALOG_H

#include "node/journal.h"

enum { POWER_VERSIONS = 1024 };

struct power_version {
    struct catalog_version version;
    struct hash rows; // of all rows that were shown with it, in order
};
struct power_catalog {
    struct power_version *versions; // [POWER_VERSIONS], by number - 1
    size_t count;
    uint64_t shown; // what the till confirmed to show
    uint64_t drafts;
    // The page at hand, and how much of it was stored.
    bool has_page;
    struct message_feed page;
    struct journal_fed fed;
    struct arena arena; // of the page
    uint64_t page_number;
    struct catalog_walk sweep;
    uint64_t pieces, passed; // stored; of those, without a sync
    uint64_t cut_short;      // of a version that was on its way when the till's power went
};
struct power_world;

void power_catalog_init(struct power_catalog *c);
void power_catalog_fini(struct power_catalog *c);
// Some drafts and, most times, a version of them.
void power_catalog_publish(struct power_world *w);
// The next piece of what the till has not got. False: there is none.
bool power_catalog_piece(struct power_world *w);
void power_catalog_sweep(struct power_world *w);
// The till starts again: what it had in memory is gone.
void power_catalog_restart(struct power_world *w);
void power_catalog_check(struct power_world *w);
// All that was published is at the till.
void power_catalog_drain(struct power_world *w);

#endif
