// SPDX-License-Identifier: Apache-2.0
#include "sim/centre_private.h"

#include "sim/authority.h"
#include "sim/feed.h"
#include "sim/net.h"
#include "sim/oracle.h"
#include "sim/trim.h"

enum { TICK_MS = 250, EFFECTS_BOUND = 512 };

static const int64_t epoch_ms = INT64_C(1767225600000);

int64_t centre_wall_ms(const struct world *w)
{
    return epoch_ms + w->now + w->centre.clock_offset;
}

struct event_at *centre_add(struct world *w, int64_t delay, enum happening kind)
{
    struct event_at *e = world_add(w, delay, kind);
    e->life = w->centre.life;
    return e;
}

void centre_init(struct world *w)
{
    for (int i = 0; i < MAX_PLACES + 2; i++)
        feed_init(w, &w->centre.feeds[i], world_place(i));
    authority_init(w);
}

void centre_fini(struct world *w)
{
    for (size_t i = 0; i < w->centre.conn_count; i++)
        downlink_fini(&w->centre.conns[i]->downlink);
    if (w->centre.up)
        steps_fini(&w->centre.steps);
    book_forget(&w->centre.book);
}

void centre_start(struct world *w)
{
    struct centre *c = &w->centre;
    if (c->up)
        return;
    world_trace(w, "the centre starts");
    c->up = true;
    c->life++;
    c->end = &c->first;
    steps_init(&c->steps);
    authority_start(w);
    centre_add(w, TICK_MS, HAPPENS_CENTRE_TICK);
    if (w->knobs.front)
        centre_forward(w);
}

void centre_kill(struct world *w, int64_t restart_in_ms)
{
    struct centre *c = &w->centre;
    if (!c->up)
        return;
    world_trace(w, "the centre dies");
    bool silent = rng_chance(&w->rng, 1, 3);
    for (size_t i = 0; i < c->conn_count; i++) {
        struct conn *conn = c->conns[i];
        if (!silent && conn->centre_open)
            net_close(w, conn, DOWN);
        conn->centre_open = false;
        downlink_fini(&conn->downlink);
    }
    c->conn_count = 0;
    centre_drop_jobs(w);
    c->up = c->forward_due = false;
    c->life++;
    steps_fini(&c->steps);
    world_add(w, restart_in_ms, HAPPENS_CENTRE_START);
}

// ---- sessions --------------------------------------------------------------------------------

static void hello_mark(struct world *w, const struct message_stream *theirs, struct message_mark *m)
{
    *m = (struct message_mark){.key = theirs->key};
    const struct centre_stream *s = centre_stream_of(w, &theirs->key);
    if (s == NULL)
        return;
    m->held = centre_mark_at(s, s->held);
    m->settled = s->settled;
    struct mark ours = centre_mark_at(s, theirs->head.seq < s->held ? theirs->head.seq : s->held);
    m->fork =
        ours.seq == theirs->head.seq && ours.seq > 0 && !hash_equal(&ours.hash, &theirs->head.hash);
}

// Says nothing where the hello shows that the centre was restored: all sessions end.
static void identify(struct world *w, struct conn *c, const struct message_hello *hello)
{
    struct till *t = &w->tills[c->till];
    enum feed_standing standing[DOWNLINK_FEEDS];
    struct downlink_identity identity = {.key = t->key.public_key,
                                         .location = str_of(world_place(t->place)),
                                         .count = hello->count,
                                         .revoked = t->revoked,
                                         .recovery = w->centre.recovery,
                                         .recovering = w->centre.recovering,
                                         .wall_ms = centre_wall_ms(w)};
    if (w->knobs.jitter_told_ms && !w->healed)
        identity.jitter_ms = rng_between(&w->rng, 0, w->knobs.jitter_told_ms);
    identity.marks = arena_alloc(&w->scratch, (hello->count + 1) * sizeof(*identity.marks));
    MUST(identity.marks != NULL);
    for (size_t i = 0; i < hello->count; i++)
        hello_mark(w, &hello->streams[i], &identity.marks[i]);
    for (int i = 0; i < DOWNLINK_FEEDS; i++) {
        const struct centre_feed *f = &w->centre.feeds[world_feed(t->place, i)];
        identity.feeds[i] =
            (struct message_cursor){str_of(f->location), f->id, f->head, feed_hash_at(f, f->head)};
        for (size_t k = 0; k < hello->feed_count; k++) {
            if (str_is(hello->feeds[k].location, f->location))
                identity.cursors[i] = hello->feeds[k];
        }
        standing[i] = feed_stands(w, f, &identity.cursors[i]);
        identity.knows[i] = standing[i] == FEED_KNOWN;
        if (i == 0)
            identity.knows[i] = trim_heard(w, t, &identity.cursors[i], identity.knows[i]);
    }
    struct recovery_view view = {&w->centre.recovery, identity.marks, standing, DOWNLINK_FEEDS,
                                 (uint64_t)centre_wall_ms(w)};
    const char *why = t->revoked ? NULL : recovery_found(&view, hello);
    if (why) {
        centre_recover(w, &view, hello, why);
        return;
    }
    downlink_identified(&c->downlink, &identity, &w->centre.steps);
}

static bool is_cloned(const struct world *w, const struct uuid *device)
{
    int count = 0;
    for (int i = 0; i < w->till_count; i++)
        count += uuid_equal(&w->tills[i].device, device);
    return count > 1;
}

static bool is_of_session(const struct downlink *d, const struct centre_stream *s)
{
    for (size_t i = 0; i < d->stream_count; i++) {
        if (stream_key_equal(&d->streams[i].key, &s->stream->key))
            return true;
    }
    return false;
}

// As in the daemon, those of the session's streams; but a clone may have brought another one, of
// which the daemon's till shows a sale twice until its own push is answered.
static void add_includes(struct world *w, const struct conn *conn, struct downlink_page *page)
{
    const struct centre *c = &w->centre;
    const struct uuid *device = &w->tills[conn->till].device;
    bool cloned = is_cloned(w, device);
    page->includes = arena_alloc(&w->scratch, (c->stream_count + 1) * sizeof(*page->includes));
    MUST(page->includes != NULL);
    for (size_t i = 0; i < c->stream_count; i++) {
        const struct centre_stream *s = c->streams[i];
        if (s->settled && uuid_equal(&s->device, device) &&
            (cloned || is_of_session(&conn->downlink, s)))
            page->includes[page->include_count++] =
                (struct message_include){s->stream->key, s->settled};
    }
}

static void read_feed(struct world *w, struct conn *c, const struct step *step)
{
    struct downlink_page page = {.location = step->location, .after = step->after};
    const struct centre_feed *f = feed_find(w, step->location);
    MUST(f != NULL);
    size_t max_bytes =
        step->max_bytes < w->knobs.page_bytes ? step->max_bytes : w->knobs.page_bytes;
    feed_read(w, f, step->after, max_bytes, &page);
    add_includes(w, c, &page);
    if (!w->healed && world_chance(w, w->knobs.failed_commit / 4))
        page.failed = true;
    downlink_feed_page(&c->downlink, &page, w->now, &w->centre.steps);
}

static void on_read_feed(struct world *w, struct conn *c, const struct step *step)
{
    if (rng_chance(&w->rng, 3, 4)) {
        read_feed(w, c, step);
        return;
    }
    struct step *copy = world_alloc(w, sizeof(*copy));
    *copy = *step;
    copy->location = world_copy(w, step->location);
    struct event_at *e = centre_add(w, rng_between(&w->rng, 0, 20), HAPPENS_READ_FEED);
    e->conn = c;
    e->data = copy;
}

// A message on its way out: acks are held against what is durable; a revoked device gets no feed.
static void check_sent(struct world *w, const struct conn *c, struct str text)
{
    if (w->tills[c->till].revoked && str_starts(text, STR("{\"m\":\"feed\"")))
        world_fail(w, SIM_DIVERGENT, "till %d was revoked, and is fed", c->till);
    if (w->centre.recovering && str_starts(text, STR("{\"m\":\"feed\",\"location\":\"*")))
        world_fail(w, SIM_DIVERGENT, "the centre publishes, and nobody confirmed its recovery");
    if (!str_starts(text, STR("{\"m\":\"ack\"")) && !str_starts(text, STR("{\"m\":\"welcome\"")))
        return;
    struct message m;
    MUST(message_decode(text, &w->scratch, &m, NULL) == ERR_OK);
    if (m.kind == MESSAGE_ACK)
        oracle_check_marks(w, m.ack.marks, m.ack.count);
    else
        oracle_check_marks(w, m.welcome.marks, m.welcome.count);
}

static void perform_step(struct world *w, struct conn *c, const struct step *step)
{
    switch (step->kind) {
    case STEP_SEND:
        check_sent(w, c, step->text);
        net_send(w, c, DOWN, step->text);
        break;
    case STEP_CLOSE:
        world_trace(w, "the centre lets till %d go: %.*s", c->till, STR_ARG(step->text));
        net_close(w, c, DOWN);
        break;
    case STEP_IDENTIFY:
        identify(w, c, step->hello);
        break;
    case STEP_STORE:
        centre_store_push(w, c, step);
        break;
    case STEP_READ_FEED:
        on_read_feed(w, c, step);
        break;
    case STEP_REPORT:
    case STEP_EVIDENCE:
        break;
    case STEP_CONNECT:
    case STEP_LOAD:
    case STEP_ACKED:
    case STEP_LOST:
    case STEP_REHOME:
    case STEP_FEED:
    case STEP_CLOCK:
    case STEP_OFFER:
    case STEP_DOUBTED:
    case STEP_RECOVERED:
    case STEP_REVOKED:
    case STEP_REFUSED:
        world_fail(w, SIM_WEDGED, "the centre is asked for what only a device does");
        break;
    }
}

static void check_bounds(struct world *w, const struct conn *c)
{
    if (w->centre.steps.failed)
        world_fail(w, SIM_WEDGED, "a session of the centre ran out of memory");
    if (w->centre.steps.count > EFFECTS_BOUND)
        world_fail(w, SIM_WEDGED, "the centre: %zu effects of one input", w->centre.steps.count);
    for (int i = 0; i < DOWNLINK_FEEDS; i++) {
        if (c->downlink.feeds[i].unacked_bytes > DOWNLINK_FEED_WINDOW + DOWNLINK_FEED_PAGE)
            world_fail(w, SIM_WEDGED, "the centre: %zu bytes of feed unacknowledged",
                       c->downlink.feeds[i].unacked_bytes);
    }
}

void centre_perform(struct world *w, struct conn *c)
{
    struct steps *s = &w->centre.steps;
    for (size_t i = 0; i < s->count && !world_failed(w); i++) {
        struct step step = s->items[i];
        perform_step(w, c, &step);
    }
    check_bounds(w, c);
    steps_reset(s);
}

void centre_opened(struct world *w, struct conn *c)
{
    struct centre *s = &w->centre;
    struct downlink_config config = {.chain = w->chain,
                                     .window_events = (uint64_t)w->knobs.window_events,
                                     .window_bytes = 1024 * 1024};
    uint8_t nonce[CHALLENGE_SIZE];
    rng_fill(&w->rng, nonce, sizeof(nonce));
    c->centre_open = true;
    c->centre_life = s->life;
    if (s->conn_count == s->conn_capacity)
        s->conns = world_grow(w, s->conns, &s->conn_capacity, sizeof(void *));
    s->conns[s->conn_count++] = c;
    downlink_init(&c->downlink, &config);
    downlink_opened(&c->downlink, nonce, w->now, centre_wall_ms(w), &s->steps);
    centre_perform(w, c);
}

static void forget_closed(struct world *w)
{
    struct centre *s = &w->centre;
    size_t kept = 0;
    for (size_t i = 0; i < s->conn_count; i++) {
        if (s->conns[i]->centre_open)
            s->conns[kept++] = s->conns[i];
        else
            downlink_fini(&s->conns[i]->downlink);
    }
    s->conn_count = kept;
}

void centre_told(struct world *w, struct conn *c)
{
    c->centre_open = false;
    trim_gone(w, &w->tills[c->till]);
    forget_closed(w);
}

void centre_message(struct world *w, struct conn *c, struct str text)
{
    downlink_message(&c->downlink, text, w->now, &w->centre.steps);
    centre_perform(w, c);
}

void centre_read_feed(struct world *w, struct conn *c, const struct step *step)
{
    if (!c->centre_open)
        return;
    read_feed(w, c, step);
    centre_perform(w, c);
}

void centre_tick(struct world *w)
{
    struct centre *s = &w->centre;
    forget_closed(w);
    for (size_t i = 0; i < s->conn_count; i++) {
        struct conn *c = s->conns[i];
        downlink_tick(&c->downlink, w->now, &s->steps);
        centre_perform(w, c);
    }
    centre_add(w, TICK_MS, HAPPENS_CENTRE_TICK);
}

void centre_tell_feeds(struct world *w)
{
    struct centre *s = &w->centre;
    for (size_t i = 0; i < s->conn_count; i++) {
        struct conn *c = s->conns[i];
        if (!c->centre_open)
            continue;
        const struct centre_feed *own = &s->feeds[w->tills[c->till].place];
        const struct centre_feed *all = &s->feeds[MAX_PLACES];
        downlink_feed_moved(&c->downlink, str_of(own->location), own->head, w->now, &s->steps);
        downlink_feed_moved(&c->downlink, str_of(all->location), all->head, w->now, &s->steps);
        centre_perform(w, c);
    }
}
