// SPDX-License-Identifier: Apache-2.0
#include "sim/faults.h"

#include "sim/centre.h"
#include "sim/net.h"
#include "sim/till.h"

#include <string.h>

#define HOUR_MS (INT64_C(3600) * 1000)
#define DAY_MS  (24 * HOUR_MS)

enum { HURRY_MS = 50, SETTING_MS = 2000 };
enum {
    NETWORK = 1,
    CRASH = 2,
    CLOCK = 4,
    RESTORE = 8,
    DISK = 16,
    MANY = 32,
    EVERYTHING = NETWORK | CRASH | CLOCK | RESTORE | DISK
};
static const struct profile {
    const char *name;
    int what;
} profiles[] = {{"default", EVERYTHING},   {"calm", 0},      {"network", NETWORK},
                {"crash", CRASH | DISK},   {"clock", CLOCK}, {"restore", RESTORE | CRASH | NETWORK},
                {"big", EVERYTHING | MANY}};

// Each seed has only some of the faults, so that rare combinations are not drowned by common ones.
static unsigned some(struct world *w, unsigned up_to)
{
    return rng_chance(&w->rng, 1, 2) ? (unsigned)rng_between(&w->rng, 1, up_to) : 0;
}

static void draw_size(struct world *w, bool many)
{
    struct knobs *k = &w->knobs;
    k->tills = many ? 40 : (int)rng_between(&w->rng, 1, 6);
    k->places = (int)rng_between(&w->rng, 1, MAX_PLACES);
    k->skus = (int)rng_between(&w->rng, 1, MAX_SKUS);
    k->sale_ms = rng_between(&w->rng, 30, 1500);
    k->front = rng_chance(&w->rng, 1, 3);
    k->latency_ms =
        rng_chance(&w->rng, 1, 8) ? rng_between(&w->rng, 100, 1200) : rng_between(&w->rng, 1, 60);
    k->jitter_ms = rng_between(&w->rng, 0, 30);
    k->fsync_ms =
        rng_chance(&w->rng, 1, 8) ? rng_between(&w->rng, 20, 500) : rng_between(&w->rng, 0, 20);
    k->commit_ms = rng_between(&w->rng, 0, 10);
    k->forward_ms = rng_between(&w->rng, 1, 3000);
    k->window_events =
        rng_chance(&w->rng, 1, 2) ? LIMIT_BATCH_EVENTS : (int)rng_between(&w->rng, 1, 20);
    k->page_bytes =
        rng_chance(&w->rng, 1, 2) ? DOWNLINK_FEED_PAGE : (size_t)rng_between(&w->rng, 1, 400);
    k->feed_memory =
        rng_chance(&w->rng, 1, 4) ? UINT64_MAX / 2 : (uint64_t)rng_between(&w->rng, 1, 100);
    k->trim_keep_ms = rng_chance(&w->rng, 1, 2) ? rng_between(&w->rng, 100, 1500)
                                                : rng_between(&w->rng, 500, 15000);
    if (rng_chance(&w->rng, 3, 4))
        k->trim_ms = rng_between(&w->rng, 50, 3000);
    k->setting_ms = SETTING_MS;
    k->foreign = some(w, 30);
    k->other_lane = some(w, 300);
    k->orders = rng_chance(&w->rng, 4, 5) ? (unsigned)rng_between(&w->rng, 200, 900) : 0;
    k->retried = some(w, 60);
    k->said = rng_chance(&w->rng, 4, 5) ? (unsigned)rng_between(&w->rng, 50, 600) : 0;
    k->tampered = some(w, 40);
    k->hour_ms = rng_chance(&w->rng, 1, 3) ? rng_between(&w->rng, 15, 300) : HOUR_MS;
    k->upgrade = k->foreign ? some(w, 60) : 0;
}

static void draw_faults(struct world *w, int what)
{
    struct knobs *k = &w->knobs;
    if (what & NETWORK) {
        k->drop = some(w, 100);
        k->doubled = some(w, 200);
        k->reorder = some(w, 200);
        k->flip = some(w, 10);
        k->slow = some(w, 50);
        k->cut = some(w, 100);
        k->partition = some(w, 100);
        k->jitter_told_ms = rng_chance(&w->rng, 1, 4) ? 1000 : 0;
        k->bytes_per_ms = rng_chance(&w->rng, 1, 6) ? 8 : 0;
    }
    if (what & CRASH) {
        k->kill_till = some(w, 100);
        k->kill_centre = some(w, 60);
        k->front_loss = k->front ? some(w, 60) : 0;
        k->front_amnesia = k->front ? some(w, 30) : 0;
    }
    if (what & DISK) {
        k->failed_fsync = some(w, 20);
        k->failed_commit = some(w, 30);
        k->rot = some(w, 10);
        k->doubt = some(w, 30);
    }
    if (what & CLOCK) {
        k->clock_ms = rng_chance(&w->rng, 1, 2) ? DAY_MS : rng_between(&w->rng, 0, 600 * 1000);
        k->jump = some(w, 60);
    }
    if (what & RESTORE) {
        k->restore = some(w, 50);
        k->clone = some(w, 10);
        k->revoke = some(w, 10);
        k->restore_centre = some(w, 60);
    }
    k->keep_ms = k->restore_centre ? 30 * 1000 : 0;
    k->offer_page = rng_chance(&w->rng, 1, 2) ? 500 : (size_t)rng_between(&w->rng, 1, 10);
    if (what)
        k->fault_ms = rng_between(&w->rng, 50, 3000);
}

// Seeds in which what was counted can be told from what was said.
static void make_honest(struct knobs *k)
{
    k->honest = true;
    k->front = false;
    k->foreign = k->other_lane = k->retried = k->upgrade = 0;
    k->restore = k->clone = k->revoke = k->restore_centre = k->rot = k->jump = 0;
    k->front_loss = k->front_amnesia = 0;
    k->clock_ms = k->keep_ms = 0;
}

// Seeds in which one till alone reads a chain that changes as fast as its link carries, and the
// centre is restored to amid what it is reading: nothing but the till's own place can tell.
static void make_lonely(struct world *w)
{
    struct knobs *k = &w->knobs;
    k->tills = k->places = 1;
    k->front = false;
    k->orders = k->said = 0;
    k->page_bytes = 1;
    k->latency_ms = 300;
    k->setting_ms = 400;
    k->bytes_per_ms = 8;
    k->fsync_ms = 5;
    k->sale_ms = 60 * 1000;
    k->kill_till = k->kill_centre = k->cut = k->partition = k->jump = k->upgrade = 0;
    k->drop = k->flip = 0;
    k->failed_fsync = k->failed_commit = k->doubt = 0;
    k->feed_memory = UINT64_MAX / 2;
    k->restore = k->clone = k->revoke = k->rot = 0;
    k->restore_centre = 0;
    k->amid = 1000;
    k->keep_ms = 30 * 1000;
    k->fault_ms = 60;
}

enum err_code faults_draw(struct world *w, const char *profile)
{
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        if (strcmp(profiles[i].name, profile) != 0)
            continue;
        draw_size(w, profiles[i].what & MANY);
        draw_faults(w, profiles[i].what);
        if (rng_chance(&w->rng, 1, 5))
            make_honest(&w->knobs);
        else if (w->knobs.restore_centre && rng_chance(&w->rng, 1, 6))
            make_lonely(w);
        return ERR_OK;
    }
    return ERR_NOT_FOUND;
}

// ---- striking ---------------------------------------------------------------------------------

static struct till *any_till(struct world *w)
{
    return &w->tills[rng_below(&w->rng, (uint64_t)w->till_count)];
}

static int64_t downtime(struct world *w)
{
    return rng_chance(&w->rng, 1, 5) ? rng_between(&w->rng, 1000, 20000)
                                     : rng_between(&w->rng, 1, 1500);
}

static void strike_kill_till(struct world *w)
{
    struct till *t = any_till(w);
    till_kill(w, t, downtime(w));
}

static void strike_kill_centre(struct world *w)
{
    centre_kill(w, downtime(w) / 3);
}

static void strike_cut(struct world *w)
{
    struct till *t = any_till(w);
    if (!t->up || t->conn == NULL)
        return;
    uint64_t who = rng_below(&w->rng, 4);
    world_trace(w, "the link of till %d is cut; %s is told", t->index,
                who == 0   ? "nobody"
                : who == 1 ? "the till"
                : who == 2 ? "the centre"
                           : "everyone");
    net_cut(w, t->conn, who & 1, who & 2);
}

static void strike_partition(struct world *w)
{
    struct till *t = any_till(w);
    uint64_t ways = rng_below(&w->rng, 4);
    t->down[UP] = ways != 1;
    t->down[DOWN] = ways != 2;
    world_trace(w, "the network of till %d is down: %s%s", t->index, t->down[UP] ? "up " : "",
                t->down[DOWN] ? "down" : "");
    struct event_at *e = world_add(w, downtime(w), HAPPENS_LINK_UP);
    e->till = t->index;
}

static void strike_jump(struct world *w)
{
    struct till *t = any_till(w);
    t->clock_offset = rng_between(&w->rng, -w->knobs.clock_ms, w->knobs.clock_ms);
    world_trace(w, "the clock of till %d jumps to %+lld ms", t->index, (long long)t->clock_offset);
}

static void strike_front_loss(struct world *w)
{
    centre_lose_front(w);
}

static void strike_front_amnesia(struct world *w)
{
    centre_forget_front(w);
}

static void strike_restore(struct world *w)
{
    struct till *t = any_till(w);
    till_restore(w, t, downtime(w));
}

static void strike_restore_centre(struct world *w)
{
    if (!centre_can_restore(w) || rng_chance(&w->rng, 1, 3))
        centre_back_up(w);
    else
        centre_restore(w, downtime(w) / 3);
}

static void strike_clone(struct world *w)
{
    struct till *t = any_till(w);
    till_clone(w, t, downtime(w));
}

static void strike_revoke(struct world *w)
{
    const struct till *t = any_till(w);
    if (t->revoked || !w->centre.up)
        return;
    world_trace(w, "till %d is revoked", t->index);
    centre_revoke(w, &t->device);
}

static void strike_rot(struct world *w)
{
    till_rot(w, any_till(w));
}

// The till has read a part of the chain's feed, and the copy of the centre's disk ends within what
// it had still to read.
static bool is_amid(const struct world *w, const struct till *t)
{
    uint64_t at = t->disk.feeds[1].position, copied = centre_copied_to(w);
    return t->up && at > 0 && at <= copied && copied < w->centre.feeds[PLACE_CHAIN].head &&
           !t->disk.chain[0].whole;
}

static void strike_amid(struct world *w)
{
    struct till *t = any_till(w);
    if (centre_can_restore(w) && is_amid(w, t))
        centre_restore(w, downtime(w) / 3);
    else if (rng_chance(&w->rng, 1, 12))
        centre_back_up(w);
    else if (!t->down[UP] && rng_chance(&w->rng, 1, 20))
        strike_partition(w);
}

static void strike_doubt(struct world *w)
{
    till_doubt(w, any_till(w));
}

static void strike_upgrade(struct world *w)
{
    centre_upgrade(w);
}

void faults_strike(struct world *w)
{
    const struct knobs *k = &w->knobs;
    const struct {
        unsigned weight;
        void (*strike)(struct world *w);
    } kinds[] = {{k->kill_till, strike_kill_till},
                 {k->kill_centre, strike_kill_centre},
                 {k->cut, strike_cut},
                 {k->partition, strike_partition},
                 {k->jump, strike_jump},
                 {k->restore, strike_restore},
                 {k->clone, strike_clone},
                 {k->revoke, strike_revoke},
                 {k->front_loss, strike_front_loss},
                 {k->front_amnesia, strike_front_amnesia},
                 {k->rot, strike_rot},
                 {k->doubt, strike_doubt},
                 {k->amid, strike_amid},
                 {k->upgrade, strike_upgrade},
                 {k->restore_centre, strike_restore_centre}};
    enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };
    uint64_t sum = 0;
    for (size_t i = 0; i < KINDS; i++)
        sum += kinds[i].weight;
    if (sum == 0 || w->healed)
        return;
    uint64_t pick = rng_below(&w->rng, sum);
    size_t i = 0;
    for (; pick >= kinds[i].weight; i++)
        pick -= kinds[i].weight;
    kinds[i].strike(w);
    world_add(w, world_pause(w, k->fault_ms), HAPPENS_FAULT);
}

// ---- healing ----------------------------------------------------------------------------------

void faults_link_up(struct world *w, struct till *t)
{
    world_trace(w, "the network of till %d is back", t->index);
    t->down[UP] = t->down[DOWN] = false;
}

// The network carries everything from now on and the dead come back. Links that were cut and those
// that are still being set up are reset, as TCP would; live sessions that lost something are not:
// they have to find out.
void faults_heal(struct world *w)
{
    world_trace(w, "everything heals");
    w->healed = true;
    world_hurry(w, HURRY_MS);
    if (!w->centre.up)
        centre_start(w);
    for (int i = 0; i < w->till_count; i++) {
        struct till *t = &w->tills[i];
        t->down[UP] = t->down[DOWN] = false;
        if (t->used)
            till_window(w, t, true);
        if (t->used && !t->up)
            till_start(w, t);
        for (int way = 0; t->conn && way < 2; way++) {
            if (t->conn->last[way] > w->now + HURRY_MS)
                t->conn->last[way] = w->now + HURRY_MS;
        }
        if (t->conn && (t->conn->cut || !uplink_is_live(&t->uplink)))
            net_cut(w, t->conn, true, true);
    }
}
