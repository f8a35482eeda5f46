// SPDX-License-Identifier: Apache-2.0
// A till and its centre on disks whose power can be cut, and what each of them promised.
//
// The real journals and stores, without sockets: a push is encoded, received and acknowledged, a
// feed page read and applied, as the services do it. What a commit confirmed is remembered here and
// looked for after every cut.
#ifndef WASL_CRASH_POWER_POWER_WORLD_H
#define WASL_CRASH_POWER_POWER_WORLD_H

#include "node/journal.h"
#include "test/crash/power/power_catalog.h"
#include "test/crash/power/power_vfs.h"

enum { POWER_SALES = 4096, POWER_MARKS = 1024 };

struct power_node {
    struct config config;
    struct journal *journal;
};

struct power_sale { // or a delivery at the centre
    struct uuid id;
    bool confirmed;
    bool delivery;
    char json[640];
};
struct power_mark {
    struct stream_key key;
    struct mark held;
    uint64_t settled;
};
struct power_marks {
    struct power_mark items[POWER_MARKS];
    size_t count;
};

struct power_world {
    struct rng rng;
    struct power_node till, centre;
    struct uuid_maker ids;
    struct power_sale *sales;
    size_t sale_count;
    struct power_marks stored;       // what the centre confirmed to have
    struct power_marks acknowledged; // what the till confirmed to know of that
    struct feed_cursor cursor;       // what the till confirmed to have of the feed
    bool has_cursor;
    uint64_t page_number;
    int64_t prune_from; // where dropping old events goes on
    size_t pruned;      // so many were
    struct power_catalog catalog;
    struct arena arena; // of one act
    char problem[512];  // the first one; empty: none
};

void power_problem(struct power_world *w, const char *what, const struct err *e); // e may be NULL
// An error that no power cut explains is one that a shop would meet.
void power_explain(struct power_world *w, const char *what, const struct err *e);

void power_world_make(struct power_world *w, uint64_t seed);
void power_world_remove(struct power_world *w);

// One thing that happens in a shop or between shop and centre, chosen by the seed. It may end in
// the middle when the power goes.
void power_world_act(struct power_world *w);
// The power went at this node: it starts again from what is on its disk.
void power_world_restart(struct power_world *w, struct power_node *node);
// Everything that was confirmed is there, once, and the journals verify.
void power_world_check(struct power_world *w);
// All that is left goes to the centre and back; then both must agree to the last unit.
void power_world_drain(struct power_world *w);

#endif
