// SPDX-License-Identifier: Apache-2.0
#include "model/mutant.h"
#include "sync/uplink_private.h"

enum { NEVER_LOADED_RETRY_MS = 200 };

// ---- what is in flight -----------------------------------------------------------------------

static struct uplink_push *push_at(struct uplink *u, size_t i)
{
    return &u->pushes[(u->push_first + i) % UPLINK_PUSHES];
}

void uplink_clear_flight(struct uplink *u)
{
    u->push_first = u->push_count = 0;
    u->flight_events = u->flight_bytes = 0;
}

void uplink_measure(struct uplink *u, int64_t took_ms)
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
        uplink_measure(u, now.mono_ms - push->sent_ms);
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

bool uplink_backlog_held(const struct uplink *u, struct moment now)
{
    return now.mono_ms < u->hold_until_ms;
}

// Credit is used up. What used it may have been lost on the way, or the ack that gave more.
bool uplink_is_starved(const struct uplink *u)
{
    return room(u->allowed.events, u->sent.events) == 0 ||
           room(u->allowed.bytes, u->sent.bytes) == 0;
}

// Asks for the next events to push, if there is room for them.
void uplink_pump(struct uplink *u, struct moment now, struct steps *out)
{
    if (!uplink_in(u, LIVE) || u->pulling || u->loading || u->push_count == UPLINK_PUSHES)
        return;
    if (u->probe) // its answer is to tell what was lost: nothing new may be on its way then
        return;
    if (now.mono_ms < u->busy_until_ms)
        return;
    uplink_deferred_look(u);
    struct outbox_stream *s = outbox_next(&u->outbox, uplink_backlog_held(u, now));
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

// ---- marks -----------------------------------------------------------------------------------

static void emit_mark(struct steps *out, enum step_kind kind, const struct outbox_stream *s)
{
    struct step *step = steps_add(out, kind);
    step->key = s->key;
    step->mark = (struct message_mark){.key = s->key, .held = s->held, .settled = s->settled};
}

// Both ends agreed on what was settled: what came after it is appended again under a new run.
// Should even that be disputed, everything is. Of a carried stream its author does so, once it is
// told; here it ends.
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
void uplink_take_mark(struct uplink *u, const struct message_mark *mark, struct moment now,
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
    uint64_t settled = s->settled;
    enum outbox_news news = outbox_told(s, mark, now.mono_ms);
    if (s->settled > settled)
        u->witness = *s;
    if (s->lacks_since_ms == 0 && s->included < s->settled)
        s->lacks_since_ms = now.mono_ms;
    if (news != OUTBOX_SAME)
        emit_mark(out, news == OUTBOX_UP ? STEP_ACKED : STEP_LOST, s);
    if (mark->want && mark->want == s->held.seq + 1)
        outbox_rewind(s);
}

// ---- pushing ---------------------------------------------------------------------------------

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
        .seal = s->carried ? loaded->seal
                           : seal_make(u->config.key, &u->config.chain, &s->key, &last).signature,
        .certificate = s->certificate.signature,
        .device = s->certificate.device,
        .count = loaded->count};
    m.push.events = arena_alloc(&out->arena, loaded->count * sizeof(struct str));
    if (m.push.events == NULL) {
        uplink_drop(u, now, out, "out of memory for a push");
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
    outbox_had_turn(&u->outbox, s);
}

void uplink_loaded(struct uplink *u, const struct uplink_loaded *loaded, struct moment now,
                   struct steps *out)
{
    u->loading = false;
    if (!uplink_in(u, LIVE))
        return;
    struct outbox_stream *s = outbox_find(&u->outbox, &loaded->key);
    bool overtaken = u->probe || s == NULL || s->sent.seq != loaded->after; // by ack or rewind
    if (overtaken || s->forked) {
        uplink_pump(u, now, out);
        return;
    }
    if (loaded->count == 0 && loaded->pruned) { // what is left goes up as another run
        ask_rehome(s, out);
        uplink_pump(u, now, out);
        return;
    }
    if (loaded->count == 0) { // the others do not wait for it
        s->unreadable = true;
        u->reread_ms = now.mono_ms + NEVER_LOADED_RETRY_MS;
        uplink_wake_at(u, u->reread_ms);
        uplink_pump(u, now, out);
        return;
    }
    bool base_agrees = loaded->after != s->held.seq || s->held.seq == 0 ||
                       hash_equal(&loaded->base, &s->held.hash);
    if (!base_agrees || !chain_holds(loaded)) {
        ask_rehome(s, out);
        uplink_pump(u, now, out);
        return;
    }
    send_push(u, s, loaded, now, out);
    uplink_pump(u, now, out);
    uplink_wake_for_waiting(u, now);
}

void uplink_rehome_failed(struct uplink *u, const struct stream_key *key, struct moment now)
{
    struct outbox_stream *s = outbox_find(&u->outbox, key);
    if (s == NULL)
        return;
    s->forked = false; // what was found will be found again
    s->unreadable = true;
    u->reread_ms = now.mono_ms + NEVER_LOADED_RETRY_MS;
    uplink_wake_at(u, u->reread_ms);
}

// Nothing more comes from here, but the feed may not include it all yet, or an upstream that was
// restored may lack it. What is still said in this session was asked before: marks count again from
// the next hello on, which says where the stream ends now.
void uplink_rehomed(struct uplink *u, const struct stream_key *key, const struct mark *end,
                    struct moment now, struct steps *out)
{
    struct outbox_stream *s = outbox_find(&u->outbox, key);
    if (s && s->forked) {
        s->head = s->held = s->sent = *end;
        s->settled = end->seq;
        s->claimed = 0; // of what goes on elsewhere nothing is claimed
        s->held_since_ms = 0;
        s->rehomed = true;
    }
    outbox_compact(&u->outbox, &u->config.origin);
    uplink_pump(u, now, out);
}

// ---- acks and probes -------------------------------------------------------------------------

// The first one, or the same again when no answer came.
void uplink_send_probe(struct uplink *u, struct moment now, struct steps *out)
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
    uplink_clear_flight(u);
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
    uplink_take_mark(u, &risen, now, out);
}

void uplink_on_ack(struct uplink *u, const struct message_ack *m, struct moment now,
                   struct steps *out)
{
    if (!uplink_in(u, LIVE))
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
    uplink_ask_offer(u, now, out);
}
