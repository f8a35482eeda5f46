// SPDX-License-Identifier: Apache-2.0
#include "sim/till_private.h"

#include "sim/net.h"
#include "sim/oracle.h"
#include "sim/people.h"
#include "sim/sale.h"
#include "sim/shop.h"

#include <string.h>

enum { STEPS_BOUND = 256 };

static const int64_t epoch_ms = INT64_C(1767225600000); // 2026-01-01

int64_t till_wall_ms(const struct world *w, const struct till *t)
{
    return epoch_ms + w->now + t->clock_offset + w->now * t->clock_drift / 1000000;
}

struct moment till_moment(const struct world *w, const struct till *t)
{
    return (struct moment){w->now, till_wall_ms(w, t)};
}

struct event_at *till_add(struct world *w, struct till *t, int64_t delay, enum happening kind)
{
    struct event_at *e = world_add(w, delay, kind);
    e->till = t->index;
    e->life = t->life;
    return e;
}

static void write_of_record(struct world *w, struct till *t, struct event *draft, struct item *item)
{
    struct carrier *c = till_stamp(w, t, draft, item);
    people_stamped(w, &t->disk.book, c, draft);
    shop_stamped(w, &t->disk.book, c, draft);
    book_set(w, &t->disk.book, item, HELD_PENDING, c);
}

void till_sell(struct world *w, struct till *t)
{
    if (!w->quiet)
        till_add(w, t, world_pause(w, w->healed ? 300 : w->knobs.sale_ms), HAPPENS_SALE);
    struct event draft;
    struct till *other = t;
    if (!world_chance(w, w->knobs.orders)) {
        struct item *item = sale_draw(w, t, &draft);
        struct carrier *c = till_stamp(w, t, &draft, item);
        people_stamped(w, &t->disk.book, c, &draft);
    } else {
        struct item *item = shop_draw(w, t, &draft);
        write_of_record(w, t, &draft, item);
        if (world_chance(w, w->knobs.retried) && shop_retry(w, t, &draft, item, &other))
            write_of_record(w, other, &draft, item);
    }
    till_need_fsync(w, t, false);
    if (other != t)
        till_need_fsync(w, other, false);
}

// ---- starting and ending ---------------------------------------------------------------------

static struct mark mark_of(const struct till_stream *d, uint64_t seq)
{
    return seq ? (struct mark){seq, d->stream->carriers[seq - 1]->chain} : (struct mark){0};
}

static struct outbox_stream stream_on_disk(const struct till_stream *d)
{
    uint64_t held = d->held < d->count ? d->held : d->count;
    struct outbox_stream s = {.key = d->stream->key,
                              .certificate = d->stream->certificate,
                              .head = mark_of(d, d->count),
                              .held = mark_of(d, held),
                              .settled = d->settled < held ? d->settled : held,
                              .included = d->included};
    s.claimed = d->dead ? 0 : s.settled;
    return s;
}

static void restore_outbox(struct till *t)
{
    const struct till_stream *last = NULL;
    for (size_t i = 0; i < t->disk.count; i++) {
        const struct till_stream *d = &t->disk.streams[i];
        struct outbox_stream s = stream_on_disk(d);
        bool included = t->disk.revoked || d->included >= d->count;
        if (d->rose && !d->dead && (last == NULL || d->rose > last->rose))
            last = d;
        if (d->count == 0 || (d->settled >= d->count && included))
            continue;
        outbox_refill(&t->uplink.outbox, &s, 1, false);
    }
    if (last) {
        struct outbox_stream witness = stream_on_disk(last);
        uplink_set_witness(&t->uplink, &witness);
    }
}

// The next streams of the disk, settled or not.
static void offer(struct world *w, struct till *t, uint64_t after)
{
    struct uplink_kept kept = {.after = after, .next = after};
    size_t page = t->disk.count / 4 + 1; // each takes a session: no more than a few
    if (page < w->knobs.offer_page)
        page = w->knobs.offer_page;
    struct outbox_stream *streams = arena_alloc(&w->scratch, t->disk.count * sizeof(*streams));
    MUST(streams != NULL);
    for (size_t i = 0; i < t->disk.count && !kept.more; i++) {
        const struct till_stream *d = &t->disk.streams[i];
        if (d->number <= after || d->count == 0)
            continue;
        kept.more = kept.count == page;
        if (kept.more)
            break;
        streams[kept.count++] = stream_on_disk(d);
        kept.next = d->number;
    }
    kept.streams = streams;
    uplink_offered(&t->uplink, &kept, till_moment(w, t), &t->steps);
}

static void write_run_started(struct world *w, struct till *t)
{
    struct run_previous previous[LANE_COUNT];
    size_t count = 0;
    for (size_t i = t->disk.count; i > 0 && t->disk.any_run; i--) {
        const struct till_stream *s = &t->disk.streams[i - 1];
        if (s->count == 0 || !uuid_equal(&s->stream->key.origin, &t->disk.run) ||
            count == LANE_COUNT)
            continue;
        previous[count++] = (struct run_previous){
            s->stream->key, {s->count, s->stream->carriers[s->count - 1]->chain}};
    }
    struct run_first first = {world_uuid(w), previous, count, STR("wasl-sim"), till_wall_ms(w, t)};
    struct event draft;
    MUST(run_first_event(&t->run, &first, &w->scratch, &draft) == ERR_OK);
    (void)till_stamp(w, t, &draft, oracle_item_new(w, &first.event_id, t->place));
}

static void begin_run(struct world *w, struct till *t, hlc last)
{
    struct run_identity who = {&t->key, w->chain, t->device, str_of(world_place(t->place))};
    struct uuid id = world_uuid(w), origin = world_uuid(w);
    run_begin(&t->run, &who, &id, &origin, last, till_wall_ms(w, t) + t->disk.clock_offset_ms);
    t->run.clock_offset_ms = t->disk.clock_offset_ms;
    memset(t->streams, 0, sizeof(t->streams));
}

void till_start(struct world *w, struct till *t)
{
    if (t->up)
        return;
    t->up = true;
    t->life++;
    world_trace(w, "till %d starts (clock %+lld ms)", t->index, (long long)t->clock_offset);
    begin_run(w, t, t->disk.last);
    t->run_durable = t->run;
    struct uplink_config config = {.chain = w->chain,
                                   .device = t->device,
                                   .run = t->run.id,
                                   .origin = t->run.origin,
                                   .key = &t->key,
                                   .software = "wasl-sim",
                                   .recovery = t->disk.recovery,
                                   .revoked = t->disk.revoked,
                                   .seed = rng_next(&w->rng)};
    MUST(str_copy(config.location, sizeof(config.location), str_of(world_place(t->place))) ==
         ERR_OK);
    t->first = NULL;
    t->end = &t->first;
    t->pending_count = 0;
    t->fsync_at = INT64_MAX;
    t->conn = NULL;
    t->agreed = false;
    t->wake_at = INT64_MAX;
    steps_init(&t->steps);
    uplink_init(&t->uplink, &config);
    for (int i = 0; i < UPLINK_FEEDS; i++)
        uplink_set_feed(&t->uplink, str_of(world_place(world_feed(t->place, i))),
                        &t->disk.feeds[i].feed, t->disk.feeds[i].position, &t->disk.feeds[i].hash);
    restore_outbox(t);
    till_load_overlay(t);
    write_run_started(w, t);
    till_need_fsync(w, t, false);
    uplink_set_deferred(&t->uplink, t->window, till_moment(w, t), &t->steps);
    uplink_start(&t->uplink, till_moment(w, t), &t->steps);
    t->wake_at = w->now;
    till_add(w, t, 0, HAPPENS_WAKE);
    if (!w->quiet)
        till_add(w, t, world_pause(w, w->knobs.sale_ms), HAPPENS_SALE);
    oracle_check_view(w, t);
}

void till_kill(struct world *w, struct till *t, int64_t restart_in_ms)
{
    if (!t->up)
        return;
    world_trace(w, "till %d dies; %zu writes are not durable", t->index, t->pending_count);
    t->up = false;
    t->life++;
    if (t->conn && t->conn->till_open) {
        if (rng_chance(&w->rng, 1, 2))
            net_close(w, t->conn, UP);
        t->conn->till_open = false;
    }
    uplink_fini(&t->uplink);
    overlay_free(t->overlay);
    t->overlay = NULL;
    steps_fini(&t->steps);
    till_forget_pending(w, t);
    till_add(w, t, restart_in_ms, HAPPENS_TILL_START);
}

void till_restart(struct world *w, struct till *t)
{
    if (t->first)
        till_commit(w, t);
    till_kill(w, t, rng_between(&w->rng, 1, 50));
}

// ---- what the session asks for ---------------------------------------------------------------

static struct str rotten_bytes(struct world *w, struct str bytes)
{
    struct str copy = arena_copy(&w->scratch, bytes);
    MUST(copy.p != NULL);
    char *byte = (char *)(uintptr_t)(copy.p + copy.n / 2);
    *byte = (char)(*byte ^ 1);
    return copy;
}

static void load(struct world *w, struct till *t, const struct step *step)
{
    const struct till_stream *d = till_find_stream(t, &step->key);
    MUST(d != NULL);
    struct uplink_loaded loaded = {.key = step->key, .after = step->after};
    struct str *events = arena_alloc(&w->scratch, (step->max_events + 1) * sizeof(*events));
    MUST(events != NULL);
    loaded.events = events;
    size_t bytes = 0;
    uint64_t seq = step->after;
    loaded.pruned = seq < d->pruned;
    if (seq >= d->pruned && seq <= d->count)
        loaded.base = seq ? d->stream->carriers[seq - 1]->chain : (struct hash){0};
    else
        seq = d->count;
    while (seq < d->count && loaded.count < step->max_events) {
        const struct carrier *c = d->stream->carriers[seq++];
        bytes += c->bytes.n + 1;
        if (loaded.count && bytes > step->max_bytes)
            break;
        events[loaded.count++] = seq == d->rotten ? rotten_bytes(w, c->bytes) : c->bytes;
        loaded.head = c->chain;
    }
    uplink_loaded(&t->uplink, &loaded, till_moment(w, t), &t->steps);
}

// What the feed includes the upstream counts by the old carrier, unless it told of another one.
static void write_again(struct world *w, struct till *t, struct event *event,
                        const struct carrier *old)
{
    struct carrier *c = till_stamp(w, t, event, old->item);
    c->knew = old->knew;
    c->grant = old->grant;
    if (c->item->shop == NULL)
        return;
    const struct held *held = book_held(&t->disk.book, c->item);
    if (till_is_included(t, old) && held && held->by[HELD_TOLD] == NULL)
        book_set(w, &t->disk.book, c->item, HELD_TOLD, old);
    shop_stamped_again(w, c, old, event);
    book_set(w, &t->disk.book, c->item, HELD_PENDING, c);
}

// A stream says that its author had seen what stands before in it. So what is written again opens a
// run, and nothing that was written after it comes first.
static void need_fresh_run(struct world *w, struct till *t)
{
    uint64_t written = 0;
    for (int lane = 0; lane < LANE_COUNT; lane++)
        written += t->run.heads[lane].seq;
    if (written == 1)
        return;
    begin_run(w, t, t->run.last);
    write_run_started(w, t);
}

// What is not as it was written is kept as evidence, never sent on: it is lost, and a person knows.
static void rehome_one(struct world *w, struct till *t, const struct till_stream *d,
                       const struct carrier *c)
{
    struct event event;
    MUST(event_parse(c->bytes, &w->scratch, &event, NULL) == ERR_OK);
    if (c->seq == d->rotten || str_is(event.type_name, "run_started"))
        c->item->excused = true;
    else
        write_again(w, t, &event, c);
}

// As the daemon's transaction does, which sees what is in it already: with what was written to the
// stream and is not durable yet.
static void rehome(struct world *w, struct till *t, const struct step *step)
{
    struct till_stream *d = till_find_stream(t, &step->key);
    MUST(d != NULL);
    if (uuid_equal(&step->key.origin, &t->run.origin)) { // the disputed run must not go on
        till_add(w, t, 0, HAPPENS_RESTART);
        return;
    }
    const struct pending *waiting = t->first;
    uint64_t after = step->after > d->pruned ? step->after : d->pruned;
    need_fresh_run(w, t);
    world_trace(w, "till %d appends its events after %llu again", t->index,
                (unsigned long long)after);
    for (uint64_t seq = after + 1; seq <= d->count; seq++)
        rehome_one(w, t, d, d->stream->carriers[seq - 1]);
    for (const struct pending *p = waiting; p; p = p->next) {
        if (p->kind == PENDING_EVENT && p->stream == d->stream)
            rehome_one(w, t, d, p->carrier);
    }
    struct pending *p = till_pend(w, t, PENDING_REHOMED);
    p->key = step->key;
    p->after = after;
    till_need_fsync(w, t, false);
}

static void on_load(struct world *w, struct till *t, const struct step *step)
{
    if (rng_chance(&w->rng, 3, 4)) {
        load(w, t, step);
        return;
    }
    struct step *copy = world_alloc(w, sizeof(*copy));
    *copy = *step;
    till_add(w, t, rng_between(&w->rng, 0, 20), HAPPENS_LOAD)->data = copy;
}

static void on_clock(struct world *w, struct till *t, const struct step *step)
{
    int64_t ahead_ms = step->number;
    t->named = step->id;
    t->agreed = uuid_equal(&step->id, &t->disk.recovery);
    t->run.clock_offset_ms = t->run_durable.clock_offset_ms = ahead_ms;
    t->disk.clock_offset_ms = ahead_ms;
    if (run_clock_was_off(&t->run, till_wall_ms(w, t) + ahead_ms))
        till_add(w, t, 0, HAPPENS_RESTART);
}

static void perform_step(struct world *w, struct till *t, const struct step *step)
{
    switch (step->kind) {
    case STEP_SEND:
        net_send(w, t->conn, UP, step->text);
        break;
    case STEP_CLOSE:
        world_trace(w, "till %d lets go: %.*s", t->index, STR_ARG(step->text));
        net_close(w, t->conn, UP);
        break;
    case STEP_CONNECT:
        net_dial(w, t);
        break;
    case STEP_LOAD:
        on_load(w, t, step);
        break;
    case STEP_ACKED:
    case STEP_LOST: {
        struct pending *p = till_pend(w, t, PENDING_MARK);
        p->key = step->key;
        p->mark = step->mark;
        till_need_fsync(w, t, true);
        break;
    }
    case STEP_REHOME:
        rehome(w, t, step);
        break;
    case STEP_FEED:
        till_pend(w, t, PENDING_FEED)->feed = till_copy_feed(w, step->feed);
        till_need_fsync(w, t, false);
        break;
    case STEP_CLOCK:
        on_clock(w, t, step);
        break;
    case STEP_OFFER:
        offer(w, t, step->after);
        break;
    case STEP_DOUBTED:
    case STEP_RECOVERED:
        till_pend(w, t, PENDING_RECOVERED)->id = step->id;
        till_need_fsync(w, t, true);
        break;
    case STEP_REVOKED:
        till_pend(w, t, PENDING_REVOKED)->after = (uint64_t)step->number;
        till_need_fsync(w, t, true);
        break;
    case STEP_REFUSED:
        world_fail(w, SIM_WEDGED, "till %d is refused: %.*s", t->index, STR_ARG(step->text));
        break;
    case STEP_IDENTIFY:
    case STEP_STORE:
    case STEP_READ_FEED:
    case STEP_REPORT:
    case STEP_EVIDENCE:
        world_fail(w, SIM_WEDGED, "till %d is asked for what only a server does", t->index);
        break;
    }
}

static void check_bounds(struct world *w, const struct till *t)
{
    const struct uplink *u = &t->uplink;
    if (t->steps.failed)
        world_fail(w, SIM_WEDGED, "till %d: its session ran out of memory", t->index);
    if (t->steps.count > STEPS_BOUND)
        world_fail(w, SIM_WEDGED, "till %d: %zu effects of one input", t->index, t->steps.count);
    if (u->flight_events > LIMIT_BATCH_EVENTS || u->push_count > UPLINK_PUSHES)
        world_fail(w, SIM_WEDGED, "till %d: %zu events in flight", t->index, u->flight_events);
    if (uplink_is_live(u) && u->sent.events > u->allowed.events)
        world_fail(w, SIM_WEDGED, "till %d: sends beyond its credit", t->index);
}

// Steps may be added while they are performed: an answer at hand is given at once.
void till_perform(struct world *w, struct till *t)
{
    uint64_t life = t->life;
    for (size_t i = 0; i < t->steps.count && !world_failed(w); i++) {
        struct step step = t->steps.items[i];
        perform_step(w, t, &step);
    }
    check_bounds(w, t);
    MUST(t->life == life);
    steps_reset(&t->steps);
    oracle_check_view(w, t);
    int64_t deadline = uplink_deadline(&t->uplink);
    if (deadline < w->now)
        deadline = w->now;
    if (deadline != t->wake_at && deadline != INT64_MAX) {
        t->wake_at = deadline;
        till_add(w, t, deadline - w->now, HAPPENS_WAKE);
    }
}

void till_window(struct world *w, struct till *t, bool open)
{
    world_trace(w, "till %d: the deferred window %s", t->index, open ? "opens" : "closes");
    t->window = open;
    if (!t->up)
        return;
    uplink_set_deferred(&t->uplink, open, till_moment(w, t), &t->steps);
    if (!open && rng_chance(&w->rng, 1, 4))
        uplink_push_deferred(&t->uplink, till_moment(w, t), &t->steps);
    till_perform(w, t);
}

// ---- inputs ----------------------------------------------------------------------------------

void till_load(struct world *w, struct till *t, const struct step *step)
{
    load(w, t, step);
    till_perform(w, t);
}

void till_wake(struct world *w, struct till *t)
{
    t->wake_at = INT64_MAX;
    uplink_tick(&t->uplink, till_moment(w, t), &t->steps);
    till_perform(w, t);
}

void till_connected(struct world *w, struct till *t)
{
    uplink_connected(&t->uplink, till_moment(w, t), &t->steps);
    till_perform(w, t);
}

void till_disconnected(struct world *w, struct till *t)
{
    t->conn->till_open = false;
    uplink_disconnected(&t->uplink, till_moment(w, t), &t->steps);
    till_perform(w, t);
}

void till_message(struct world *w, struct till *t, struct str text)
{
    uplink_message(&t->uplink, text, till_moment(w, t), &t->steps);
    till_perform(w, t);
}
