// SPDX-License-Identifier: Apache-2.0
// The life of one seed: chaos, healing, quiet, judgement.
#include "sim/authority.h"
#include "sim/centre.h"
#include "sim/chain.h"
#include "sim/faults.h"
#include "sim/net.h"
#include "sim/oracle.h"
#include "sim/shop.h"
#include "sim/till.h"
#include "sim/trim.h"

enum {
    CLONES_MAX = 2,
    PROGRESS_MS = 2000,
    SELLING_ON_MS = 4500,
    DRAIN_MS = 150 * 1000, // what a front lost goes out again after 30 s, perhaps more than once
    LOOK_EVERY_MS = 100,
    ANSWER_MS = 1500,
    WINDOW_MS = 3000,
    STEPS_AFTER_MAX = 400 * 1000,
};

static void add_till(struct world *w)
{
    struct till *t = &w->tills[w->till_count];
    uint8_t seed[SIGN_SEED_SIZE];
    rng_fill(&w->rng, seed, sizeof(seed));
    t->index = w->till_count++;
    t->used = true;
    t->place = t->index % w->knobs.places;
    t->device = world_uuid(w);
    sign_key_from_seed(seed, &t->key);
    t->latency_ms = rng_between(&w->rng, 1, w->knobs.latency_ms);
    if (w->knobs.clock_ms) {
        t->clock_offset = rng_between(&w->rng, -w->knobs.clock_ms, w->knobs.clock_ms);
        t->clock_drift = (int)rng_between(&w->rng, -500, 500);
    }
    struct event_at *e = world_add(w, rng_between(&w->rng, 0, 500), HAPPENS_TILL_START);
    e->till = t->index;
}

static enum err_code build(struct world *w)
{
    enum err_code code = faults_draw(w, w->options->profile);
    if (code)
        return code;
    const struct knobs *k = &w->knobs;
    w->chain = world_uuid(w);
    w->till_max = k->tills + CLONES_MAX;
    w->tills = world_alloc(w, (size_t)w->till_max * sizeof(*w->tills));
    w->centre.readers = world_alloc(w, (size_t)w->till_max * sizeof(*w->centre.readers));
    centre_init(w);
    world_add(w, 0, HAPPENS_CENTRE_START);
    for (int i = 0; i < k->tills; i++)
        add_till(w);
    if (k->fault_ms)
        world_add(w, world_pause(w, k->fault_ms), HAPPENS_FAULT);
    world_add(w, k->setting_ms, HAPPENS_SETTING);
    world_add(w, ANSWER_MS, HAPPENS_ANSWER);
    world_add(w, WINDOW_MS, HAPPENS_WINDOW);
    if (k->trim_ms)
        world_add(w, k->trim_ms, HAPPENS_TRIM);
    world_trace(w, "%d tills in %d places, %s, latency %lld ms, a fault every %lld ms", k->tills,
                k->places, k->front ? "a front before the centre" : "the centre itself",
                (long long)k->latency_ms, (long long)k->fault_ms);
    world_trace(w, "per 1,000: drop %u, doubled %u, reorder %u, flip %u, slow %u", k->drop,
                k->doubled, k->reorder, k->flip, k->slow);
    return ERR_OK;
}

// ---- one step ---------------------------------------------------------------------------------

static struct till *till_of(struct world *w, const struct event_at *e)
{
    return &w->tills[e->till];
}

static void on_sale(struct world *w, const struct event_at *e)
{
    if (!w->quiet)
        till_sell(w, till_of(w, e));
}

static void on_fsync(struct world *w, const struct event_at *e)
{
    till_fsync(w, till_of(w, e));
}

static void on_wake(struct world *w, const struct event_at *e)
{
    till_wake(w, till_of(w, e));
}

static void on_till_start(struct world *w, const struct event_at *e)
{
    till_start(w, till_of(w, e));
}

static void on_restart(struct world *w, const struct event_at *e)
{
    till_restart(w, till_of(w, e));
}

static void on_load(struct world *w, const struct event_at *e)
{
    till_load(w, till_of(w, e), e->data);
}

static void on_dial(struct world *w, const struct event_at *e)
{
    net_ring(w, e->conn);
}

static void on_connected(struct world *w, const struct event_at *e)
{
    if (e->conn == till_of(w, e)->conn)
        till_connected(w, till_of(w, e));
}

static void on_to_till(struct world *w, const struct event_at *e)
{
    if (net_arrives(w, e) && e->conn == till_of(w, e)->conn)
        till_message(w, till_of(w, e), e->text);
}

static void on_to_centre(struct world *w, const struct event_at *e)
{
    if (net_arrives(w, e))
        centre_message(w, e->conn, e->text);
}

static void on_till_told(struct world *w, const struct event_at *e)
{
    if (e->conn == till_of(w, e)->conn && e->conn->till_open)
        till_disconnected(w, till_of(w, e));
}

static void on_centre_told(struct world *w, const struct event_at *e)
{
    if (e->conn->centre_open)
        centre_told(w, e->conn);
}

static void on_read_feed(struct world *w, const struct event_at *e)
{
    centre_read_feed(w, e->conn, e->data);
}

static void on_centre_commit(struct world *w, const struct event_at *e)
{
    (void)e;
    centre_commit(w);
}

static void on_forward(struct world *w, const struct event_at *e)
{
    (void)e;
    centre_forward(w);
}

static void on_centre_tick(struct world *w, const struct event_at *e)
{
    (void)e;
    centre_tick(w);
}

static void on_centre_start(struct world *w, const struct event_at *e)
{
    (void)e;
    centre_start(w);
}

static void on_setting(struct world *w, const struct event_at *e)
{
    (void)e;
    if (w->quiet)
        return;
    centre_setting(w);
    world_add(w, w->knobs.setting_ms, HAPPENS_SETTING);
}

static void on_answer(struct world *w, const struct event_at *e)
{
    (void)e;
    if (w->quiet)
        return;
    authority_look(w);
    world_add(w, ANSWER_MS, HAPPENS_ANSWER);
}

static void on_window(struct world *w, const struct event_at *e)
{
    (void)e;
    struct till *t = &w->tills[rng_below(&w->rng, (uint64_t)w->till_count)];
    if (w->healed)
        return;
    if (t->used)
        till_window(w, t, !t->window);
    world_add(w, WINDOW_MS, HAPPENS_WINDOW);
}

static void on_confirm(struct world *w, const struct event_at *e)
{
    (void)e;
    centre_confirm(w);
}

static void on_trim(struct world *w, const struct event_at *e)
{
    (void)e;
    if (w->quiet)
        return;
    trim_feeds(w);
    world_add(w, w->knobs.trim_ms, HAPPENS_TRIM);
}

static void on_fault(struct world *w, const struct event_at *e)
{
    (void)e;
    faults_strike(w);
}

static void on_link_up(struct world *w, const struct event_at *e)
{
    faults_link_up(w, till_of(w, e));
}

// What happens to a node does not happen to the one that was started after it.
enum owner { OF_WORLD, OF_TILL, OF_CENTRE };
static const struct handler {
    enum owner owner;
    void (*handle)(struct world *w, const struct event_at *e);
} handlers[HAPPENS_COUNT] = {
    [HAPPENS_SALE] = {OF_TILL, on_sale},
    [HAPPENS_FSYNC] = {OF_TILL, on_fsync},
    [HAPPENS_WAKE] = {OF_TILL, on_wake},
    [HAPPENS_TILL_START] = {OF_WORLD, on_till_start},
    [HAPPENS_RESTART] = {OF_TILL, on_restart},
    [HAPPENS_LOAD] = {OF_TILL, on_load},
    [HAPPENS_DIAL] = {OF_TILL, on_dial},
    [HAPPENS_CONNECTED] = {OF_TILL, on_connected},
    [HAPPENS_TO_TILL] = {OF_WORLD, on_to_till},
    [HAPPENS_TO_CENTRE] = {OF_WORLD, on_to_centre},
    [HAPPENS_TILL_TOLD] = {OF_TILL, on_till_told},
    [HAPPENS_CENTRE_TOLD] = {OF_WORLD, on_centre_told},
    [HAPPENS_READ_FEED] = {OF_CENTRE, on_read_feed},
    [HAPPENS_CENTRE_COMMIT] = {OF_CENTRE, on_centre_commit},
    [HAPPENS_FORWARD] = {OF_CENTRE, on_forward},
    [HAPPENS_CENTRE_TICK] = {OF_CENTRE, on_centre_tick},
    [HAPPENS_CENTRE_START] = {OF_WORLD, on_centre_start},
    [HAPPENS_SETTING] = {OF_WORLD, on_setting},
    [HAPPENS_ANSWER] = {OF_WORLD, on_answer},
    [HAPPENS_WINDOW] = {OF_WORLD, on_window},
    [HAPPENS_CONFIRM] = {OF_WORLD, on_confirm},
    [HAPPENS_TRIM] = {OF_WORLD, on_trim},
    [HAPPENS_FAULT] = {OF_WORLD, on_fault},
    [HAPPENS_LINK_UP] = {OF_WORLD, on_link_up},
};

// Timers that were set anew are not steps.
static bool is_stale(const struct world *w, const struct event_at *e)
{
    const struct till *t = e->till >= 0 ? &w->tills[e->till] : NULL;
    if (e->kind == HAPPENS_FSYNC && t && t->fsync_at != e->at)
        return true;
    if (e->kind == HAPPENS_WAKE && t && t->wake_at != e->at)
        return true;
    if (handlers[e->kind].owner == OF_TILL)
        return !t || !t->up || t->life != e->life;
    return handlers[e->kind].owner == OF_CENTRE && (!w->centre.up || w->centre.life != e->life);
}

// The next thing that happens, unless it happens after 'at'.
static bool step(struct world *w, int64_t at)
{
    struct event_at e;
    while (w->heap_count && is_stale(w, &w->heap[0]))
        (void)world_pop(w, &e);
    if (w->heap_count == 0 || w->heap[0].at > at || !world_pop(w, &e))
        return false;
    w->now = e.at;
    w->result->steps++;
    world_mix(w, (uint64_t)e.at << 8 | (uint64_t)e.kind);
    world_mix(w, (uint64_t)e.till + 1);
    handlers[e.kind].handle(w, &e);
    arena_reset(&w->scratch);
    return !world_failed(w);
}

// ---- the phases -------------------------------------------------------------------------------

static void run_until(struct world *w, int64_t at)
{
    while (step(w, at)) {
        if (w->result->steps > w->options->steps + STEPS_AFTER_MAX)
            world_fail(w, SIM_WEDGED, "it never comes to rest");
    }
    if (!world_failed(w))
        w->now = at;
}

static void count_waiting(const struct till *t, uint64_t *ret_arrived, uint64_t *ret_waiting)
{
    *ret_arrived = *ret_waiting = 0;
    for (size_t i = 0; i < t->disk.count; i++) {
        const struct till_stream *s = &t->disk.streams[i];
        uint64_t held = s->stream->at_centre ? s->stream->at_centre->held : 0;
        *ret_arrived += held;
        *ret_waiting += s->count > held ? s->count - held : 0;
    }
}

// What a front acknowledged and lost, a till with nothing else to say learns with its next beat.
static bool knows_of_waiting(const struct till *t)
{
    struct outbox_totals totals = outbox_count(&t->uplink.outbox);
    uint64_t sum = 0;
    for (int i = 0; t->up && i < LANE_COUNT; i++)
        sum += totals.pending[i];
    return sum > 0;
}

static void check_progress(struct world *w, int64_t waited_ms)
{
    for (int i = 0; i < w->till_count; i++) {
        const struct till *t = &w->tills[i];
        uint64_t arrived, waiting;
        count_waiting(t, &arrived, &waiting);
        if (t->used && t->waiting_at_heal && t->patience_ms <= waited_ms &&
            arrived <= t->arrived_at_heal)
            world_fail(w, SIM_WEDGED,
                       "till %d (%s) brought nothing to the centre in the %d ms since everything "
                       "healed; %llu events wait",
                       i, t->up ? uplink_state_name(&t->uplink) : "down", (int)waited_ms,
                       (unsigned long long)waiting);
    }
}

static void heal(struct world *w)
{
    faults_heal(w);
    for (int i = 0; i < w->till_count; i++) {
        struct till *t = &w->tills[i];
        count_waiting(t, &t->arrived_at_heal, &t->waiting_at_heal);
        if (!knows_of_waiting(t))
            t->waiting_at_heal = 0;
        t->patience_ms = PROGRESS_MS + (t->uplink.pulling ? PULL_MS : 0) + 4 * t->uplink.rtt_ms;
    }
    int64_t healed_at = w->now;
    while (!world_failed(w) && w->now < healed_at + SELLING_ON_MS) {
        run_until(w, w->now + LOOK_EVERY_MS);
        check_progress(w, w->now - healed_at);
    }
}

static void come_to_rest(struct world *w)
{
    w->quiet = true;
    int64_t deadline = w->now + DRAIN_MS;
    while (!world_failed(w) && w->now < deadline && !oracle_is_drained(w))
        run_until(w, w->now + LOOK_EVERY_MS);
    if (!world_failed(w) && !oracle_is_drained(w))
        oracle_explain_wedge(w);
}

static void tear_down(struct world *w)
{
    for (int i = 0; i < w->till_count; i++) {
        struct till *t = &w->tills[i];
        book_forget(&t->disk.book);
        if (!t->up)
            continue;
        uplink_fini(&t->uplink);
        overlay_free(t->overlay);
        steps_fini(&t->steps);
    }
    centre_fini(w);
    world_fini(w);
}

enum err_code sim_run(const struct sim_options *options, uint64_t seed, struct sim_result *ret)
{
    struct world w;
    world_init(&w, options, seed, ret);
    enum err_code code = build(&w);
    if (code == ERR_OK) {
        while (ret->steps < options->steps && step(&w, INT64_MAX))
            ;
        if (!world_failed(&w))
            heal(&w);
        if (!world_failed(&w))
            come_to_rest(&w);
        if (!world_failed(&w))
            oracle_check_end(&w);
        if (!world_failed(&w))
            shop_check_end(&w);
        if (!world_failed(&w))
            chain_check_end(&w);
    }
    tear_down(&w);
    return code;
}
