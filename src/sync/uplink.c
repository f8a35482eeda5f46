// SPDX-License-Identifier: Apache-2.0
#include "sync/uplink.h"

#include "sync/mutant.h"

#include <inttypes.h>
#include <string.h>

// The life of a session, device end:
//
//   IDLE --pause over--> CONNECTING --connected--> GREETED? no: GREETING --challenge--> HELLO
//     ^                      |                        |                                  |
//     |                 (timeout, refused)        (timeout)                    welcome   v
//     +----------------------+------------------------+---------------------------------LIVE
//                                  disconnected, stalled, closed
//
//   uplink_tick: IDLE -> CONNECTING, and every timeout.  uplink_connected: -> GREETING.
//   on_challenge: -> HELLO.  on_welcome: -> LIVE.  uplink_disconnected: -> IDLE.
enum state { IDLE, CONNECTING, GREETING, HELLO, LIVE, STATE_COUNT };
enum input { IN_PAUSE_OVER, IN_CONNECTED, IN_CHALLENGE, IN_WELCOME, IN_DISCONNECTED };

static const char *const state_names[] = {"idle", "connecting", "greeting", "hello", "live"};
static const char *const input_names[] = {"pause over", "connected", "challenge", "welcome",
                                          "disconnected"};
static const struct sm_row rows[] = {
    {IDLE, IN_PAUSE_OVER, CONNECTING, "try the upstream"},
    {CONNECTING, IN_CONNECTED, GREETING, "the link is up; the server speaks first"},
    {GREETING, IN_CHALLENGE, HELLO, "prove who we are"},
    {HELLO, IN_WELCOME, LIVE, "we know what the other has"},
    {CONNECTING, IN_DISCONNECTED, IDLE, "nobody there"},
    {GREETING, IN_DISCONNECTED, IDLE, "lost"},
    {HELLO, IN_DISCONNECTED, IDLE, "lost or refused"},
    {LIVE, IN_DISCONNECTED, IDLE, "lost"},
};
static const struct sm_table table = {"uplink", rows, sizeof(rows) / sizeof(rows[0]), state_names,
                                      input_names};

enum {
    NEVER_LOADED_RETRY_MS = 200,
    BACKLOG_MIN = 100,
    BUSY_MAX_MS = 60 * 1000,
    JITTER_MAX_MS = 60 * 1000
};

static void wake_at(struct uplink *u, int64_t mono_ms)
{
    if (mono_ms < u->deadline_ms)
        u->deadline_ms = mono_ms;
}

static void enter(struct uplink *u, enum input input, struct moment now)
{
    sm_move(&u->state, (int)input);
    u->since_ms = now.mono_ms;
}

static bool in(const struct uplink *u, enum state state)
{
    return u->state.state == (int)state;
}

void uplink_init(struct uplink *u, const struct uplink_config *config)
{
    *u = (struct uplink){
        .config = *config, .deadline_ms = INT64_MAX, .window_bytes = WINDOW_MIN_BYTES};
    sm_init(&u->state, &table, IDLE);
    backoff_reset(&u->backoff);
    rng_init(&u->rng, config->seed);
    memcpy(u->feeds[0].location, config->location, sizeof(u->feeds[0].location));
    memcpy(u->feeds[1].location, "*", 2);
}

void uplink_fini(struct uplink *u)
{
    outbox_fini(&u->outbox);
}

static struct uplink_feed *find_feed(struct uplink *u, struct str location)
{
    for (size_t i = 0; i < UPLINK_FEEDS; i++) {
        if (str_is(location, u->feeds[i].location))
            return &u->feeds[i];
    }
    return NULL;
}

void uplink_set_feed(struct uplink *u, struct str location, const struct uuid *feed,
                     uint64_t position, const struct hash *hash)
{
    struct uplink_feed *f = find_feed(u, location);
    MUST(f != NULL);
    f->feed = *feed;
    f->stored = f->received = position;
    f->hash = *hash;
}

bool uplink_is_live(const struct uplink *u)
{
    return in(u, LIVE);
}

const char *uplink_state_name(const struct uplink *u)
{
    return sm_state_name(&u->state);
}

int64_t uplink_deadline(const struct uplink *u)
{
    return u->deadline_ms;
}

// ---- what is in flight -----------------------------------------------------------------------

static struct uplink_push *push_at(struct uplink *u, size_t i)
{
    return &u->pushes[(u->push_first + i) % UPLINK_PUSHES];
}

static void clear_flight(struct uplink *u)
{
    u->push_first = u->push_count = 0;
    u->flight_events = u->flight_bytes = 0;
}

static void measure(struct uplink *u, int64_t took_ms)
{
    u->rtt_ms = u->rtt_ms ? (7 * u->rtt_ms + took_ms) / 8 : took_ms;
    if (took_ms < 1000 && u->window_bytes < LIMIT_BATCH_BYTES)
        u->window_bytes *= 2;
    else if (took_ms > 4000 && u->window_bytes > WINDOW_MIN_BYTES)
        u->window_bytes /= 2;
}

// Takes from the front what the upstream holds. Pushes of several streams may be mixed: the front
// waits for its own.
static void land(struct uplink *u, struct moment now)
{
    while (u->push_count) {
        struct uplink_push *push = push_at(u, 0);
        const struct outbox_stream *s = outbox_find(&u->outbox, &push->key);
        if (s && s->held.seq < push->last.seq && !s->forked)
            return;
        measure(u, now.mono_ms - push->sent_ms);
        u->flight_events -= push->events;
        u->flight_bytes -= push->bytes;
        u->push_first = (u->push_first + 1) % UPLINK_PUSHES;
        u->push_count--;
        u->progress_ms = now.mono_ms;
    }
}

static size_t room(uint64_t allowed, uint64_t used)
{
    return allowed > used ? (size_t)(allowed - used) : 0;
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool backlog_held(const struct uplink *u, struct moment now)
{
    return now.mono_ms < u->hold_until_ms;
}

// Credit is used up. What used it may have been lost on the way, or the ack that gave more.
static bool is_starved(const struct uplink *u)
{
    return room(u->allowed.events, u->sent.events) == 0 ||
           room(u->allowed.bytes, u->sent.bytes) == 0;
}

// Asks for the next events to push, if there is room for them.
static void pump(struct uplink *u, struct moment now, struct steps *out)
{
    if (!in(u, LIVE) || u->pulling || u->loading || u->push_count == UPLINK_PUSHES)
        return;
    if (u->probe) // its answer is to tell what was lost: nothing new may be on its way then
        return;
    if (now.mono_ms < u->busy_until_ms)
        return;
    struct outbox_stream *s = outbox_next(&u->outbox, backlog_held(u, now));
    if (s == NULL)
        return;
    size_t events = smaller(room(LIMIT_BATCH_EVENTS, u->flight_events),
                            room(u->allowed.events, u->sent.events));
    size_t bytes =
        smaller(room(u->window_bytes, u->flight_bytes), room(u->allowed.bytes, u->sent.bytes));
    if (events == 0 || bytes == 0)
        return;
    struct step *step = steps_add(out, STEP_LOAD);
    step->key = s->key;
    step->after = s->sent.seq;
    step->max_events = events;
    step->max_bytes = smaller(bytes, LIMIT_MESSAGE_BYTES - 4096);
    u->loading = true;
}

// More of a feed is on its way: what else the upstream says stands behind it.
static bool expects_pages(const struct uplink *u)
{
    for (size_t i = 0; i < UPLINK_FEEDS; i++) {
        const struct uplink_feed *f = &u->feeds[i];
        if (f->more || f->received < f->head)
            return true;
    }
    return false;
}

// When the place's feed is to be asked for includes again; INT64_MAX: none is missing. A page that
// brings includes and no rows leaves no gap when it is lost.
static int64_t includes_due(const struct uplink *u)
{
    int64_t due = INT64_MAX;
    if (expects_pages(u)) // includes come with the last one
        return due;
    for (size_t i = 0; i < u->outbox.count; i++) {
        const struct outbox_stream *s = &u->outbox.streams[i];
        if (s->lacks_since_ms && s->lacks_since_ms + INCLUDE_AFTER_MS < due)
            due = s->lacks_since_ms + INCLUDE_AFTER_MS;
    }
    return due;
}

static void wake_for_waiting(struct uplink *u, struct moment now)
{
    wake_at(u, includes_due(u));
    wake_at(u, u->heard_ms + SILENCE_MS);
    wake_at(u, u->beat_ms + BEAT_EVERY_MS);
    if (u->pulling)
        wake_at(u, u->since_ms + PULL_MS);
    if (backlog_held(u, now))
        wake_at(u, u->hold_until_ms);
    if (now.mono_ms < u->busy_until_ms)
        wake_at(u, u->busy_until_ms);
    if (u->reread_ms)
        wake_at(u, u->reread_ms);
    if (u->probe)
        wake_at(u, u->probe_again_ms);
    else if (u->push_count || is_starved(u))
        wake_at(u, u->progress_ms + PROBE_AFTER_MS + 2 * u->rtt_ms);
}

// ---- inputs from the link --------------------------------------------------------------------

static void pause(struct uplink *u, struct moment now)
{
    u->deadline_ms = now.mono_ms + backoff_next(&u->backoff, &u->rng);
}

void uplink_start(struct uplink *u, struct moment now, struct steps *out)
{
    (void)out;
    u->deadline_ms = now.mono_ms;
}

void uplink_connected(struct uplink *u, struct moment now, struct steps *out)
{
    (void)out;
    if (!in(u, CONNECTING))
        return;
    enter(u, IN_CONNECTED, now);
    u->heard_ms = now.mono_ms;
    u->deadline_ms = now.mono_ms + GREETING_TIMEOUT_MS + 4 * u->rtt_ms;
}

void uplink_disconnected(struct uplink *u, struct moment now, struct steps *out)
{
    (void)out;
    if (in(u, IDLE))
        return;
    if (now.mono_ms < u->busy_until_ms)
        backoff_told(&u->backoff, u->busy_until_ms - now.mono_ms);
    enter(u, IN_DISCONNECTED, now);
    clear_flight(u);
    u->loading = false;
    u->probe = 0;
    pause(u, now);
}

static void drop(struct uplink *u, struct moment now, struct steps *out, const char *why)
{
    steps_close(out, "%s", why);
    uplink_disconnected(u, now, out);
}

// ---- hello -----------------------------------------------------------------------------------

static bool list_streams(struct uplink *u, struct message_hello *hello, struct steps *out)
{
    hello->streams = arena_alloc(&out->arena, (u->outbox.count + 1) * sizeof(*hello->streams));
    if (hello->streams == NULL)
        return false;
    for (size_t i = 0; i < u->outbox.count; i++) {
        const struct outbox_stream *s = &u->outbox.streams[i];
        hello->streams[hello->count++] = (struct message_stream){s->key, s->head, s->certificate};
    }
    return true;
}

static void say_hello(struct uplink *u, const struct message_challenge *challenge,
                      struct moment now, struct steps *out)
{
    const struct uplink_config *c = &u->config;
    struct message m = {.kind = MESSAGE_HELLO};
    struct message_hello *hello = &m.hello;
    *hello = (struct message_hello){.chain = c->chain,
                                    .device = c->device,
                                    .run = c->run,
                                    .location = str_of(c->location),
                                    .clock = now.wall_ms,
                                    .software = str_of(c->software),
                                    .zstd = c->zstd,
                                    .oldest_at = u->oldest_at,
                                    .feed_count = UPLINK_FEEDS};
    hello->proof = stream_proof_make(c->key, &c->chain, &c->device, &c->run, challenge->nonce);
    struct outbox_totals totals = outbox_count(&u->outbox);
    for (int i = 0; i < LANE_COUNT; i++)
        hello->backlog += totals.pending[i];
    for (size_t i = 0; i < UPLINK_FEEDS; i++) {
        struct uplink_feed *f = &u->feeds[i];
        f->received = f->stored; // what was under way will be sent again
        f->reset_seen = false;
        f->more = false;
        f->number = f->taken = 0;
        hello->feeds[i] = (struct message_cursor){str_of(f->location), f->feed, f->stored, f->hash};
    }
    if (!list_streams(u, hello, out)) {
        drop(u, now, out, "out of memory for a hello");
        return;
    }
    u->offered_zstd = challenge->zstd && c->zstd;
    u->peer_zstd = false; // the hello itself is plain
    u->hello_ms = now.mono_ms;
    u->deadline_ms = now.mono_ms + GREETING_TIMEOUT_MS + 4 * u->rtt_ms;
    enter(u, IN_CHALLENGE, now);
    steps_send(out, &m);
}

static void emit_mark(struct steps *out, enum step_kind kind, const struct outbox_stream *s)
{
    struct step *step = steps_add(out, kind);
    step->key = s->key;
    step->mark = (struct message_mark){.key = s->key, .held = s->held, .settled = s->settled};
}

// Both ends agreed on what was settled: what came after it is appended again under a new run.
// Should even that be disputed, everything is.
static uint64_t rehome_after(const struct outbox_stream *s)
{
    return s->settled < s->head.seq ? s->settled : 0;
}

static void ask_rehome(struct outbox_stream *s, struct steps *out)
{
    if (s->forked)
        return;
    s->forked = true;
    struct step *step = steps_add(out, STEP_REHOME);
    step->key = s->key;
    step->after = rehome_after(s);
}

// What the upstream says of one stream: moves marks, and finds a history that is not ours.
static void take_mark(struct uplink *u, const struct message_mark *mark, struct moment now,
                      struct steps *out)
{
    struct outbox_stream *s = outbox_find(&u->outbox, &mark->key);
    if (s == NULL || s->forked)
        return;
    bool at_head = mark->held.seq == s->head.seq;
    if (mark->fork || (at_head && !hash_equal(&mark->held.hash, &s->head.hash))) {
        ask_rehome(s, out);
        return;
    }
    enum outbox_news news = outbox_told(s, mark, now.mono_ms);
    if (s->lacks_since_ms == 0 && s->included < s->settled)
        s->lacks_since_ms = now.mono_ms;
    if (news != OUTBOX_SAME)
        emit_mark(out, news == OUTBOX_UP ? STEP_ACKED : STEP_LOST, s);
    if (mark->want && mark->want == s->held.seq + 1)
        outbox_rewind(s);
}

static void begin_session(struct uplink *u, struct moment now)
{
    outbox_session_begin(&u->outbox);
    clear_flight(u);
    u->sent = (struct credit){0};
    u->probe = 0;
    u->loading = false;
    u->reread_ms = 0;
    u->pulling = true;
    u->pulled_bytes = 0;
    u->window_bytes = WINDOW_MIN_BYTES;
    u->beat_ms = now.mono_ms;
    u->progress_ms = now.mono_ms;
    u->last_sync_wall = now.wall_ms;
}

static void check_pulled(struct uplink *u, struct moment now)
{
    bool reached = true;
    for (size_t i = 0; i < UPLINK_FEEDS; i++) {
        const struct uplink_feed *f = &u->feeds[i];
        reached = reached && uuid_equal(&f->feed, &f->head_feed) && f->received >= f->head;
    }
    if (reached || u->pulled_bytes >= PULL_BYTES || now.mono_ms - u->since_ms >= PULL_MS)
        u->pulling = false;
}

static void on_welcome(struct uplink *u, const struct message_welcome *m, struct moment now,
                       struct steps *out)
{
    if (!in(u, HELLO))
        return;
    enter(u, IN_WELCOME, now);
    u->peer_zstd = u->offered_zstd;
    backoff_reset(&u->backoff);
    u->tries = 0;
    begin_session(u, now);
    measure(u, now.mono_ms - u->hello_ms);
    u->window_bytes = WINDOW_MIN_BYTES;
    u->allowed = m->credit;
    uint64_t backlog = 0;
    struct outbox_totals totals = outbox_count(&u->outbox);
    for (int i = 0; i < LANE_COUNT; i++)
        backlog += totals.pending[i];
    int64_t jitter = m->jitter_ms < JITTER_MAX_MS ? m->jitter_ms : JITTER_MAX_MS;
    u->hold_until_ms = backlog > BACKLOG_MIN ? now.mono_ms + jitter : 0;
    steps_add(out, STEP_CLOCK)->number = m->clock + (now.mono_ms - u->hello_ms) / 2 - now.wall_ms;
    for (size_t i = 0; i < UPLINK_FEEDS; i++) // a feed the server does not name is not waited for
        u->feeds[i].head_feed = u->feeds[i].feed, u->feeds[i].head = 0;
    for (size_t i = 0; i < m->feed_count; i++) {
        struct uplink_feed *f = find_feed(u, m->feeds[i].location);
        if (f == NULL)
            continue;
        f->head = m->feeds[i].position;
        f->head_feed = m->feeds[i].feed;
    }
    for (size_t i = 0; i < m->count; i++)
        take_mark(u, &m->marks[i], now, out);
    for (size_t i = 0; i < u->outbox.count; i++)
        u->outbox.streams[i].sent = u->outbox.streams[i].held;
    check_pulled(u, now);
}

// ---- push ------------------------------------------------------------------------------------

// Reads our own chain again on the way out: a bit that flipped on our disk must not travel.
static bool chain_holds(const struct uplink_loaded *loaded)
{
    struct hash hash = loaded->base;
    for (size_t i = 0; i < loaded->count; i++)
        hash = hash_chain(&hash, loaded->events[i]);
    return hash_equal(&hash, &loaded->head);
}

static void send_push(struct uplink *u, struct outbox_stream *s, const struct uplink_loaded *loaded,
                      struct moment now, struct steps *out)
{
    struct mark last = {loaded->after + loaded->count, loaded->head};
    struct message m = {.kind = MESSAGE_PUSH};
    m.push = (struct message_push){
        .key = s->key,
        .from = loaded->after + 1,
        .head = loaded->head,
        .seal = seal_make(u->config.key, &u->config.chain, &s->key, &last).signature,
        .certificate = s->certificate.signature,
        .device = s->certificate.device,
        .count = loaded->count};
    m.push.events = arena_alloc(&out->arena, loaded->count * sizeof(struct str));
    if (m.push.events == NULL) {
        drop(u, now, out, "out of memory for a push");
        return;
    }
    size_t bytes = 0;
    for (size_t i = 0; i < loaded->count; i++) {
        m.push.events[i] = loaded->events[i];
        bytes += loaded->events[i].n + 1;
    }
    steps_send(out, &m);
    if (u->push_count == 0)
        u->progress_ms = now.mono_ms;
    *push_at(u, u->push_count++) =
        (struct uplink_push){s->key, last, loaded->count, bytes, now.mono_ms};
    u->flight_events += loaded->count;
    u->flight_bytes += bytes;
    u->sent.events += loaded->count;
    u->sent.bytes += bytes;
    s->sent = last;
}

void uplink_loaded(struct uplink *u, const struct uplink_loaded *loaded, struct moment now,
                   struct steps *out)
{
    u->loading = false;
    if (!in(u, LIVE))
        return;
    struct outbox_stream *s = outbox_find(&u->outbox, &loaded->key);
    bool overtaken = u->probe || s == NULL || s->sent.seq != loaded->after; // by ack or rewind
    if (overtaken || s->forked) {
        pump(u, now, out);
        return;
    }
    if (loaded->count == 0) { // the others do not wait for it
        s->unreadable = true;
        u->reread_ms = now.mono_ms + NEVER_LOADED_RETRY_MS;
        wake_at(u, u->reread_ms);
        pump(u, now, out);
        return;
    }
    bool base_agrees = loaded->after != s->held.seq || s->held.seq == 0 ||
                       hash_equal(&loaded->base, &s->held.hash);
    if (!base_agrees || !chain_holds(loaded)) {
        ask_rehome(s, out);
        pump(u, now, out);
        return;
    }
    send_push(u, s, loaded, now, out);
    pump(u, now, out);
    wake_for_waiting(u, now);
}

void uplink_rehome_failed(struct uplink *u, const struct stream_key *key, struct moment now)
{
    struct outbox_stream *s = outbox_find(&u->outbox, key);
    if (s == NULL)
        return;
    s->forked = false; // what was found will be found again
    s->unreadable = true;
    u->reread_ms = now.mono_ms + NEVER_LOADED_RETRY_MS;
    wake_at(u, u->reread_ms);
}

void uplink_rehomed(struct uplink *u, const struct stream_key *key, struct moment now,
                    struct steps *out)
{
    struct outbox_stream *s = outbox_find(&u->outbox, key);
    if (s && s->forked) { // nothing more comes from here, but the feed may not include it all yet
        uint64_t after = rehome_after(s);
        struct hash hash = after == s->held.seq ? s->held.hash : (struct hash){0};
        s->head = s->held = s->sent = (struct mark){after, hash};
        s->settled = after;
        s->held_since_ms = 0;
    }
    outbox_compact(&u->outbox, &u->config.origin);
    pump(u, now, out);
}

void uplink_committed(struct uplink *u, const struct stream_key *key,
                      const struct certificate *certificate, const struct mark *head,
                      struct moment now, struct steps *out)
{
    if (outbox_committed(&u->outbox, key, certificate, head)) {
        outbox_compact(&u->outbox, &u->config.origin);
        if (outbox_committed(&u->outbox, key, certificate, head))
            return; // more unsettled streams than one hello may name: see uplink_refill
    }
    pump(u, now, out);
}

void uplink_refill(struct uplink *u, const struct outbox_stream *streams, size_t count,
                   bool overflowed, struct moment now, struct steps *out)
{
    outbox_refill(&u->outbox, streams, count, overflowed);
    pump(u, now, out);
}

// ---- acks ------------------------------------------------------------------------------------

// The answer to a probe was sent after everything before the probe was worked off: what is not
// held by now was lost on the way, with its credit.
static void settle_probe(struct uplink *u, const struct message_ack *m, struct moment now)
{
    if (m->probe == 0 || m->probe != u->probe)
        return;
    u->probe = 0;
    u->progress_ms = now.mono_ms;
    if (m->received.events < u->probe_sent.events && !MUTANT(credit_leak))
        u->sent.events -= u->probe_sent.events - m->received.events;
    if (m->received.bytes < u->probe_sent.bytes && !MUTANT(credit_leak))
        u->sent.bytes -= u->probe_sent.bytes - m->received.bytes;
    for (size_t i = 0; i < u->outbox.count; i++)
        outbox_rewind(&u->outbox.streams[i]);
    clear_flight(u);
}

// Within a session marks only rise: an ack that says less is a late one. What an upstream has lost
// it says in its welcome.
static void take_ack(struct uplink *u, const struct message_mark *mark, struct moment now,
                     struct steps *out)
{
    const struct outbox_stream *s = outbox_find(&u->outbox, &mark->key);
    struct message_mark risen = *mark;
    if (s && mark->held.seq < s->held.seq && !mark->fork)
        return;
    if (s && risen.settled < s->settled)
        risen.settled = s->settled;
    take_mark(u, &risen, now, out);
}

static void on_ack(struct uplink *u, const struct message_ack *m, struct moment now,
                   struct steps *out)
{
    if (!in(u, LIVE))
        return;
    if (m->credit.events > u->allowed.events)
        u->allowed.events = m->credit.events;
    if (m->credit.bytes > u->allowed.bytes)
        u->allowed.bytes = m->credit.bytes;
    for (size_t i = 0; i < m->count; i++)
        take_ack(u, &m->marks[i], now, out);
    u->last_sync_wall = now.wall_ms;
    land(u, now);
    settle_probe(u, m, now);
    outbox_compact(&u->outbox, &u->config.origin);
}

// ---- feed ------------------------------------------------------------------------------------

static void answer_feed(struct uplink_feed *f, uint64_t position, bool resend, struct steps *out)
{
    struct message m = {.kind = MESSAGE_FEED_ACK};
    m.feed_ack =
        (struct message_feed_ack){str_of(f->location), f->feed, f->number, position, resend};
    steps_send(out, &m);
}

static void on_feed(struct uplink *u, const struct message_feed *m, size_t bytes, struct moment now,
                    struct steps *out)
{
    struct uplink_feed *f = find_feed(u, m->location);
    if (!in(u, LIVE) || f == NULL || now.mono_ms < f->deaf_until_ms)
        return;
    u->pulled_bytes += bytes;
    if (m->reset && !f->reset_seen && m->from == 0) {
        f->reset_seen = true;
        f->feed = m->feed;
        f->received = f->stored = 0;
    }
    if (m->number <= f->taken)
        return; // late or double: its rows are older than those taken since
    if (!uuid_equal(&m->feed, &f->feed) || m->from != f->received) {
        bool old = uuid_equal(&m->feed, &f->feed) && m->to <= f->received;
        answer_feed(f, old ? f->stored : f->received, !old, out);
        return;
    }
    f->received = m->to;
    f->taken = m->number;
    f->more = !m->complete;
    struct message_feed *copy = arena_alloc(&out->arena, sizeof(*copy));
    if (copy == NULL) {
        drop(u, now, out, "out of memory for a feed");
        return;
    }
    *copy = *m;
    steps_add(out, STEP_FEED)->feed = copy;
    check_pulled(u, now);
}

static void take_includes(struct uplink *u, const struct message_feed *m, struct moment now)
{
    for (size_t i = 0; i < m->include_count; i++) {
        struct outbox_stream *s = outbox_find(&u->outbox, &m->includes[i].key);
        if (s == NULL || m->includes[i].seq <= s->included)
            continue;
        s->included = m->includes[i].seq;
        s->lacks_since_ms = s->included < s->settled ? now.mono_ms : 0;
    }
    outbox_compact(&u->outbox, &u->config.origin);
}

void uplink_feed_stored(struct uplink *u, const struct message_feed *page, struct moment now,
                        struct steps *out)
{
    take_includes(u, page, now);
    struct uplink_feed *f = find_feed(u, page->location);
    if (f == NULL || !uuid_equal(&f->feed, &page->feed) || page->to < f->stored)
        return;
    f->stored = page->to;
    f->hash = page->hash;
    if (page->number > f->number && page->number <= f->taken) // not of an earlier session
        f->number = page->number;
    if (in(u, LIVE))
        answer_feed(f, f->stored, false, out);
    pump(u, now, out);
}

void uplink_feed_failed(struct uplink *u, const struct message_feed *page, struct moment now)
{
    struct uplink_feed *f = find_feed(u, page->location);
    if (f == NULL || !uuid_equal(&f->feed, &page->feed))
        return;
    f->received = f->stored;
    f->deaf_until_ms = now.mono_ms + FEED_PAUSE_MS;
}

// ---- everything that comes in ----------------------------------------------------------------

static void on_error(struct uplink *u, const struct message_error *m, struct moment now,
                     struct steps *out)
{
    if (m->final) {
        struct step *step = steps_add(out, STEP_REFUSED);
        step->text = arena_copy(&out->arena, m->text);
        backoff_told(&u->backoff, REFUSED_RETRY_MS);
    }
    drop(u, now, out, "the upstream closed with an error");
}

static void dispatch(struct uplink *u, const struct message *m, size_t bytes, struct moment now,
                     struct steps *out)
{
    switch (m->kind) {
    case MESSAGE_CHALLENGE:
        if (in(u, GREETING))
            say_hello(u, &m->challenge, now, out);
        break;
    case MESSAGE_WELCOME:
        on_welcome(u, &m->welcome, now, out);
        break;
    case MESSAGE_ACK:
        on_ack(u, &m->ack, now, out);
        break;
    case MESSAGE_FEED:
        on_feed(u, &m->feed, bytes, now, out);
        break;
    case MESSAGE_BUSY:
        u->busy_until_ms = now.mono_ms + (m->busy_ms < BUSY_MAX_MS ? m->busy_ms : BUSY_MAX_MS);
        break;
    case MESSAGE_BEAT:
        break;
    case MESSAGE_ERROR:
        on_error(u, &m->error, now, out);
        break;
    case MESSAGE_HELLO:
    case MESSAGE_PUSH:
    case MESSAGE_FEED_ACK:
    case MESSAGE_PROBE:
    case MESSAGE_KIND_COUNT:
        drop(u, now, out, "the upstream sent what only a device sends");
        break;
    }
}

static void rearm(struct uplink *u, struct moment now)
{
    if (!in(u, LIVE))
        return;
    u->deadline_ms = INT64_MAX;
    wake_for_waiting(u, now);
}

void uplink_message(struct uplink *u, struct str text, struct moment now, struct steps *out)
{
    if (in(u, IDLE) || in(u, CONNECTING))
        return;
    struct message *m = arena_alloc(&out->arena, sizeof(*m));
    struct err e = {0};
    if (m == NULL || message_decode(text, &out->arena, m, &e)) {
        drop(u, now, out, m ? err_message(&e) : "out of memory for a message");
        return;
    }
    u->heard_ms = now.mono_ms;
    dispatch(u, m, text.n, now, out);
    pump(u, now, out);
    rearm(u, now);
}

// ---- time ------------------------------------------------------------------------------------

static void send_beat(struct uplink *u, struct moment now, struct steps *out)
{
    struct message m = {.kind = MESSAGE_BEAT};
    struct outbox_totals totals = outbox_count(&u->outbox);
    m.beat = (struct message_beat){.clock = now.wall_ms,
                                   .oldest_at = u->oldest_at,
                                   .disk_free = u->disk_free,
                                   .software = str_of(u->config.software)};
    for (int i = 0; i < LANE_COUNT; i++)
        m.beat.pending[i] = totals.pending[i];
    u->beat_ms = now.mono_ms;
    steps_send(out, &m);
}

// The first one, or the same again when no answer came.
static void send_probe(struct uplink *u, struct moment now, struct steps *out)
{
    if (u->probe == 0) {
        u->probe = ++u->probe_count;
        u->probe_ms = now.mono_ms;
        u->probe_sent = u->sent;
    }
    u->probe_again_ms = now.mono_ms + PROBE_AFTER_MS + 2 * u->rtt_ms;
    struct message m = {.kind = MESSAGE_PROBE, .probe = u->probe};
    steps_send(out, &m);
}

static bool is_stalled(const struct uplink *u, struct moment now)
{
    int64_t patience = STALL_MS + 2 * u->rtt_ms + (int64_t)(u->flight_bytes / 4);
    if (expects_pages(u))
        patience += PAGE_MS;
    int64_t since = u->probe_ms > u->heard_ms ? u->probe_ms : u->heard_ms;
    bool probe_lost = u->probe && now.mono_ms - since > patience;
    return probe_lost || now.mono_ms - u->heard_ms > SILENCE_MS;
}

static void ask_includes(struct uplink *u, struct moment now, struct steps *out)
{
    if (now.mono_ms < includes_due(u))
        return;
    for (size_t i = 0; i < u->outbox.count; i++) {
        struct outbox_stream *s = &u->outbox.streams[i];
        if (s->lacks_since_ms)
            s->lacks_since_ms = now.mono_ms;
    }
    answer_feed(&u->feeds[0], u->feeds[0].received, true, out);
}

static void tick_live(struct uplink *u, struct moment now, struct steps *out)
{
    if (is_stalled(u, now)) {
        drop(u, now, out, "the upstream does not answer");
        return;
    }
    if (u->pulling)
        check_pulled(u, now);
    bool waits = (u->push_count || is_starved(u)) &&
                 now.mono_ms - u->progress_ms >= PROBE_AFTER_MS + 2 * u->rtt_ms;
    if (u->probe ? now.mono_ms >= u->probe_again_ms : waits)
        send_probe(u, now, out);
    if (now.mono_ms - u->beat_ms >= BEAT_EVERY_MS)
        send_beat(u, now, out);
    outbox_resend_unsettled(&u->outbox, now.mono_ms, UNSETTLED_RESEND_MS);
    ask_includes(u, now, out);
    if (u->reread_ms && now.mono_ms >= u->reread_ms) {
        u->reread_ms = 0;
        outbox_reread(&u->outbox);
    }
    pump(u, now, out);
    u->deadline_ms = INT64_MAX;
    wake_for_waiting(u, now);
    if (u->deadline_ms <= now.mono_ms)
        u->deadline_ms = now.mono_ms + 50;
}

// Short attempts find a link that returns within a second; over a link so slow that none of them
// can succeed, the patient ones do.
static int64_t connect_patience(struct uplink *u)
{
    bool was_quick = u->rtt_ms != 0;
    u->tries++;
    bool patient = was_quick
                       ? u->tries >= CONNECT_PATIENT_FROM && u->tries % CONNECT_PATIENT_EVERY == 0
                       : u->tries % 2 == 0;
    return (patient ? CONNECT_PATIENT_MS : CONNECT_TIMEOUT_MS) + 4 * u->rtt_ms;
}

void uplink_tick(struct uplink *u, struct moment now, struct steps *out)
{
    if (now.mono_ms < u->deadline_ms)
        return;
    switch ((enum state)u->state.state) {
    case IDLE:
        enter(u, IN_PAUSE_OVER, now);
        u->deadline_ms = now.mono_ms + connect_patience(u);
        steps_add(out, STEP_CONNECT);
        break;
    case CONNECTING:
        drop(u, now, out, "the upstream cannot be reached");
        break;
    case GREETING:
    case HELLO:
        drop(u, now, out, "the upstream does not greet");
        break;
    case LIVE:
        tick_live(u, now, out);
        break;
    case STATE_COUNT:
        break;
    }
}
