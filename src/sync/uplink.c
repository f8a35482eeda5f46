// SPDX-License-Identifier: Apache-2.0
#include "sync/uplink_private.h"

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
//   uplink_say_hello: -> HELLO.  uplink_on_welcome: -> LIVE.  uplink_disconnected: -> IDLE.

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

enum { BUSY_MAX_MS = 60 * 1000 };

void uplink_wake_at(struct uplink *u, int64_t mono_ms)
{
    if (mono_ms < u->deadline_ms)
        u->deadline_ms = mono_ms;
}

void uplink_enter(struct uplink *u, enum uplink_input input, struct moment now)
{
    sm_move(&u->state, (int)input);
    u->since_ms = now.mono_ms;
}

bool uplink_in(const struct uplink *u, enum uplink_state state)
{
    return u->state.state == (int)state;
}

void uplink_init(struct uplink *u, const struct uplink_config *config)
{
    *u = (struct uplink){
        .config = *config, .deadline_ms = INT64_MAX, .window_bytes = WINDOW_MIN_BYTES};
    u->outbox.unfed = config->revoked;
    sm_init(&u->state, &table, IDLE);
    backoff_reset(&u->backoff);
    rng_init(&u->rng, config->seed);
    memcpy(u->feeds[0].location, config->location, sizeof(u->feeds[0].location));
    memcpy(u->feeds[FEED_OF_CHAIN].location, FEED_CHAIN, sizeof(FEED_CHAIN));
    memcpy(u->feeds[FEED_THAT_WAITS].location, FEED_DEFERRED, sizeof(FEED_DEFERRED));
    u->deferred.ask_ms = INT64_MAX;
}

void uplink_fini(struct uplink *u)
{
    outbox_fini(&u->outbox);
}

bool uplink_is_live(const struct uplink *u)
{
    return uplink_in(u, LIVE);
}

const char *uplink_state_name(const struct uplink *u)
{
    return sm_state_name(&u->state);
}

int64_t uplink_deadline(const struct uplink *u)
{
    return u->deadline_ms;
}

// ---- the link --------------------------------------------------------------------------------

void uplink_wake_for_waiting(struct uplink *u, struct moment now)
{
    uplink_wake_at(u, uplink_includes_due(u));
    uplink_wake_at(u, u->deferred.ask_ms);
    uplink_wake_at(u, u->heard_ms + SILENCE_MS);
    uplink_wake_at(u, u->beat_ms + BEAT_EVERY_MS);
    if (u->pulling)
        uplink_wake_at(u, u->since_ms + PULL_MS);
    if (uplink_backlog_held(u, now))
        uplink_wake_at(u, u->hold_until_ms);
    if (now.mono_ms < u->busy_until_ms)
        uplink_wake_at(u, u->busy_until_ms);
    if (u->reread_ms)
        uplink_wake_at(u, u->reread_ms);
    if (now.mono_ms < u->offer.again_ms)
        uplink_wake_at(u, u->offer.again_ms);
    if (u->probe)
        uplink_wake_at(u, u->probe_again_ms);
    else if (u->push_count || uplink_is_starved(u))
        uplink_wake_at(u, u->progress_ms + PROBE_AFTER_MS + 2 * u->rtt_ms);
}

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
    if (!uplink_in(u, CONNECTING))
        return;
    uplink_enter(u, IN_CONNECTED, now);
    u->challenged = false;
    u->heard_ms = now.mono_ms;
    u->deadline_ms = now.mono_ms + GREETING_TIMEOUT_MS + 4 * u->rtt_ms;
}

void uplink_disconnected(struct uplink *u, struct moment now, struct steps *out)
{
    (void)out;
    if (uplink_in(u, IDLE))
        return;
    if (now.mono_ms < u->busy_until_ms)
        backoff_told(&u->backoff, u->busy_until_ms - now.mono_ms);
    uplink_enter(u, IN_DISCONNECTED, now);
    uplink_clear_flight(u);
    u->loading = false;
    u->probe = 0;
    pause(u, now);
}

void uplink_drop(struct uplink *u, struct moment now, struct steps *out, const char *why)
{
    steps_close(out, "%s", why);
    uplink_disconnected(u, now, out);
}

// ---- the journal -----------------------------------------------------------------------------

void uplink_committed(struct uplink *u, const struct outbox_head *head, struct moment now,
                      struct steps *out)
{
    if (outbox_committed(&u->outbox, head)) {
        outbox_compact(&u->outbox, &u->config.origin);
        if (outbox_committed(&u->outbox, head))
            return; // more unsettled streams than one hello may name: see uplink_refill
    }
    uplink_pump(u, now, out);
}

void uplink_refill(struct uplink *u, const struct outbox_stream *streams, size_t count,
                   bool overflowed, struct moment now, struct steps *out)
{
    outbox_refill(&u->outbox, streams, count, overflowed);
    uplink_pump(u, now, out);
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
    uplink_drop(u, now, out, "the upstream closed with an error");
}

static void dispatch(struct uplink *u, const struct message *m, size_t bytes, struct moment now,
                     struct steps *out)
{
    switch (m->kind) {
    case MESSAGE_CHALLENGE:
        uplink_on_challenge(u, &m->challenge, now, out);
        break;
    case MESSAGE_WELCOME:
        uplink_on_welcome(u, &m->welcome, now, out);
        break;
    case MESSAGE_ACK:
        uplink_on_ack(u, &m->ack, now, out);
        break;
    case MESSAGE_FEED:
        uplink_on_feed(u, &m->feed, bytes, now, out);
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
        uplink_drop(u, now, out, "the upstream sent what only a device sends");
        break;
    }
}

static void rearm(struct uplink *u, struct moment now)
{
    if (!uplink_in(u, LIVE))
        return;
    u->deadline_ms = INT64_MAX;
    uplink_wake_for_waiting(u, now);
}

void uplink_message(struct uplink *u, struct str text, struct moment now, struct steps *out)
{
    if (uplink_in(u, IDLE) || uplink_in(u, CONNECTING))
        return;
    struct message *m = arena_alloc(&out->arena, sizeof(*m));
    struct err e = {0};
    if (m == NULL || message_decode(text, &out->arena, m, &e)) {
        uplink_drop(u, now, out, m ? err_message(&e) : "out of memory for a message");
        return;
    }
    u->heard_ms = now.mono_ms;
    dispatch(u, m, text.n, now, out);
    uplink_pump(u, now, out);
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
                                   .software = str_of(u->config.software),
                                   .catalog = u->catalog,
                                   .refused = u->refused};
    for (int i = 0; i < LANE_COUNT; i++)
        m.beat.pending[i] = totals.pending[i];
    u->beat_ms = now.mono_ms;
    steps_send(out, &m);
}

static bool same_catalog(const struct message_catalog *a, const struct message_catalog *b)
{
    return a->version == b->version && hash_equal(&a->hash, &b->hash);
}

void uplink_set_catalog(struct uplink *u, const struct message_catalog *catalog,
                        const struct message_catalog *refused, struct moment now, struct steps *out)
{
    bool same = same_catalog(&u->catalog, catalog) && same_catalog(&u->refused, refused);
    u->catalog = *catalog;
    u->refused = *refused;
    if (!same && uplink_in(u, LIVE))
        send_beat(u, now, out);
}

static bool is_stalled(const struct uplink *u, struct moment now)
{
    int64_t patience = STALL_MS + 2 * u->rtt_ms + (int64_t)(u->flight_bytes / 4);
    if (uplink_expects_pages(u))
        patience += PAGE_MS;
    int64_t since = u->probe_ms > u->heard_ms ? u->probe_ms : u->heard_ms;
    bool probe_lost = u->probe && now.mono_ms - since > patience;
    return probe_lost || now.mono_ms - u->heard_ms > SILENCE_MS;
}

static void tick_live(struct uplink *u, struct moment now, struct steps *out)
{
    if (is_stalled(u, now)) {
        uplink_drop(u, now, out, "the upstream does not answer");
        return;
    }
    if (u->pulling)
        uplink_check_pulled(u, now);
    bool waits = (u->push_count || uplink_is_starved(u)) &&
                 now.mono_ms - u->progress_ms >= PROBE_AFTER_MS + 2 * u->rtt_ms;
    if (u->probe ? now.mono_ms >= u->probe_again_ms : waits)
        uplink_send_probe(u, now, out);
    if (now.mono_ms - u->beat_ms >= BEAT_EVERY_MS)
        send_beat(u, now, out);
    outbox_resend_unsettled(&u->outbox, now.mono_ms, UNSETTLED_RESEND_MS);
    uplink_ask_includes(u, now, out);
    uplink_deferred_tick(u, now, out);
    uplink_ask_offer(u, now, out);
    if (u->reread_ms && now.mono_ms >= u->reread_ms) {
        u->reread_ms = 0;
        outbox_reread(&u->outbox);
    }
    uplink_pump(u, now, out);
    u->deadline_ms = INT64_MAX;
    uplink_wake_for_waiting(u, now);
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
    switch ((enum uplink_state)u->state.state) {
    case IDLE:
        uplink_enter(u, IN_PAUSE_OVER, now);
        u->deadline_ms = now.mono_ms + connect_patience(u);
        steps_add(out, STEP_CONNECT);
        break;
    case CONNECTING:
        uplink_drop(u, now, out, "the upstream cannot be reached");
        break;
    case GREETING:
    case HELLO:
        uplink_drop(u, now, out, "the upstream does not greet");
        break;
    case LIVE:
        tick_live(u, now, out);
        break;
    case STATE_COUNT:
        break;
    }
}
