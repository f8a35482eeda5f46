// SPDX-License-Identifier: Apache-2.0
#include "sync/uplink_private.h"

enum { BACKLOG_MIN = 100, JITTER_MAX_MS = 60 * 1000 };

static struct message_stream line_of(const struct outbox_stream *s)
{
    return (struct message_stream){s->key, s->head, s->claimed, s->certificate};
}

static bool list_streams(struct uplink *u, struct message_hello *hello, struct steps *out)
{
    const struct outbox_stream *witness = &u->witness;
    hello->streams = arena_alloc(&out->arena, (u->outbox.count + 1) * sizeof(*hello->streams));
    if (hello->streams == NULL)
        return false;
    for (size_t i = 0; i < u->outbox.count; i++) {
        struct outbox_stream *s = &u->outbox.streams[i];
        if (s->rehomed)
            s->forked = s->rehomed = false;
        hello->streams[hello->count++] = line_of(s);
    }
    if (witness->claimed && hello->count < LIMIT_STREAMS_HELLO &&
        outbox_find(&u->outbox, &witness->key) == NULL)
        hello->streams[hello->count++] = line_of(witness);
    return true;
}

void uplink_on_challenge(struct uplink *u, const struct message_challenge *m, struct moment now,
                         struct steps *out)
{
    if (!uplink_in(u, GREETING) || u->challenged)
        return;
    u->challenge = *m;
    u->challenged = true;
    uplink_say_hello(u, now, out);
}

// A page of an earlier session that is still being stored would move the store on behind what the
// hello says, perhaps to where the upstream, restored meanwhile, has never been.
void uplink_say_hello(struct uplink *u, struct moment now, struct steps *out)
{
    const struct uplink_config *c = &u->config;
    const struct message_challenge *challenge = &u->challenge;
    if (!uplink_in(u, GREETING) || !u->challenged || u->storing)
        return;
    struct message m = {.kind = MESSAGE_HELLO};
    struct message_hello *hello = &m.hello;
    *hello = (struct message_hello){.chain = c->chain,
                                    .device = c->device,
                                    .run = c->run,
                                    .location = str_of(c->location),
                                    .clock = now.wall_ms,
                                    .software = str_of(c->software),
                                    .zstd = c->zstd,
                                    .recovery = c->recovery,
                                    .oldest_at = u->oldest_at,
                                    .catalog = u->catalog,
                                    .refused = u->refused,
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
        uplink_drop(u, now, out, "out of memory for a hello");
        return;
    }
    u->offered_zstd = challenge->zstd && c->zstd;
    u->peer_zstd = false; // the hello itself is plain
    u->hello_ms = now.mono_ms;
    u->deadline_ms = now.mono_ms + GREETING_TIMEOUT_MS + 4 * u->rtt_ms;
    uplink_enter(u, IN_CHALLENGE, now);
    steps_send(out, &m);
}

static void begin_session(struct uplink *u, struct moment now)
{
    outbox_session_begin(&u->outbox);
    uplink_clear_flight(u);
    u->sent = (struct credit){0};
    u->probe = 0;
    u->loading = false;
    u->reread_ms = 0;
    u->pulled_bytes = 0;
    u->window_bytes = WINDOW_MIN_BYTES;
    u->beat_ms = now.mono_ms;
    u->progress_ms = now.mono_ms;
    u->last_sync_wall = now.wall_ms;
}

// What a revoked device has brought up is done with: no feed will say what it includes. Where the
// upstream takes it back (it was restored), the journal knows what the feed still lacks. It is said
// at every welcome: what was said before may never have reached the disk.
static void take_revoked(struct uplink *u, bool revoked, struct steps *out)
{
    if (revoked || u->config.revoked)
        steps_add(out, STEP_REVOKED)->number = revoked;
    if (u->config.revoked && !revoked)
        u->outbox.overflowed = true;
    u->config.revoked = u->outbox.unfed = revoked;
}

static void take_marks(struct uplink *u, const struct message_welcome *m, struct moment now,
                       struct steps *out)
{
    for (size_t i = 0; i < m->count; i++) {
        const struct message_mark *mark = &m->marks[i];
        uplink_take_mark(u, mark, now, out);
        struct outbox_stream *s = outbox_find(&u->outbox, &mark->key);
        if (s && s->included > mark->held.seq) // what it has is the most that its feed includes
            s->included = mark->held.seq;
        if (s)
            s->offered = false;
    }
    for (size_t i = 0; i < u->outbox.count; i++)
        u->outbox.streams[i].sent = u->outbox.streams[i].held;
}

static void take_feeds(struct uplink *u, const struct message_welcome *m)
{
    for (size_t i = 0; i < UPLINK_FEEDS; i++) // a feed the server does not name is not waited for
        u->feeds[i].head_feed = u->feeds[i].feed, u->feeds[i].head = 0;
    for (size_t i = 0; i < m->feed_count; i++) {
        struct uplink_feed *f = uplink_find_feed(u, m->feeds[i].location);
        if (f == NULL)
            continue;
        f->head = m->feeds[i].position;
        f->head_feed = m->feeds[i].feed;
    }
}

static void hold_backlog(struct uplink *u, const struct message_welcome *m, struct moment now)
{
    uint64_t backlog = 0;
    struct outbox_totals totals = outbox_count(&u->outbox);
    for (int i = 0; i < LANE_COUNT; i++)
        backlog += totals.pending[i];
    int64_t jitter = m->jitter_ms < JITTER_MAX_MS ? m->jitter_ms : JITTER_MAX_MS;
    u->hold_until_ms = backlog > BACKLOG_MIN ? now.mono_ms + jitter : 0;
}

void uplink_on_welcome(struct uplink *u, const struct message_welcome *m, struct moment now,
                       struct steps *out)
{
    if (!uplink_in(u, HELLO))
        return;
    uplink_enter(u, IN_WELCOME, now);
    u->peer_zstd = u->offered_zstd;
    backoff_reset(&u->backoff);
    u->tries = 0;
    begin_session(u, now);
    uplink_measure(u, now.mono_ms - u->hello_ms);
    u->window_bytes = WINDOW_MIN_BYTES;
    u->allowed = m->credit;
    struct step *clock = steps_add(out, STEP_CLOCK);
    clock->number = m->clock + (now.mono_ms - u->hello_ms) / 2 - now.wall_ms;
    clock->id = m->recovery;
    take_revoked(u, m->revoked, out);
    take_feeds(u, m);
    uplink_doubt(u, m, out);
    take_marks(u, m, now, out);
    hold_backlog(u, m, now);
    uplink_take_recovery(u, &m->recovery, out);
    u->pulling = !uplink_is_offering(u);
    outbox_compact(&u->outbox, &u->config.origin);
    uplink_deferred_welcome(u, now);
    uplink_check_pulled(u, now);
    uplink_ask_offer(u, now, out);
}
