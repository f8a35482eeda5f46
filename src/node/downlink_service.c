// SPDX-License-Identifier: Apache-2.0
#include "node/downlink_service_private.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/zip.h"

#include <stdlib.h>

enum {
    PACK_FROM = 200,
    PACK_LEVEL = 3,
    TICK_MS = 500,
};

// ---- a session --------------------------------------------------------------------------------

void session_hold(struct session *session)
{
    MUST(session->holds > 0);
    session->holds++;
}

// The service outlives its sessions.
static void service_free(struct downlink_service *s)
{
    zip_free(s->zip);
    buf_fini(&s->pack);
    steps_fini(&s->steps);
    free(s);
}

void session_drop(struct session *session)
{
    if (--session->holds)
        return;
    struct downlink_service *s = session->service;
    downlink_fini(&session->link);
#ifndef __clang_analyzer__ // it does not follow the count, and warns of every use behind a drop
    free(session);
#endif
    s->alive--;
    if (s->closing && s->alive == 0)
        service_free(s);
}

void session_end(struct session *session)
{
    if (session->gone)
        return;
    session->gone = true;
    *session->at = session->next;
    if (session->next)
        session->next->at = session->at;
    session->service->count--;
    struct ws *ws = session->ws;
    session->ws = NULL;
    if (ws)
        ws_close(ws, WS_NORMAL, "");
    if (session->live)
        session_report(session, true);
    session_drop(session);
}

// Fault injection for tests: every n-th ack is lost.
static bool is_lost_on_purpose(struct downlink_service *s, struct str text)
{
    int64_t every = s->options.config->drop_acks_every;
    if (every <= 0 || !str_starts(text, STR("{\"m\":\"ack\"")))
        return false;
    return ++s->acks % (uint64_t)every == 0;
}

static void send_text(struct session *session, struct str text)
{
    struct downlink_service *s = session->service;
    if (session->ws == NULL || is_lost_on_purpose(s, text))
        return;
    enum err_code code = ERR_OK;
    if (session->link.peer_zstd && text.n >= PACK_FROM) {
        buf_reset(&s->pack);
        code = zip_pack(s->zip, text, &s->pack);
        if (code == ERR_OK)
            code = ws_send(session->ws, WS_BINARY, buf_str(&s->pack));
    } else {
        code = ws_send(session->ws, WS_TEXT, text);
    }
    if (code == ERR_OK)
        return;
    log_line(LOG_WARN, "sync", "a message to %s could not be sent: %s", session->link.location,
             err_text(code));
    session_end(session); // it does not read: what waits for it grows no further
}

static void perform_one(struct session *session, const struct step *step)
{
    switch (step->kind) {
    case STEP_SEND:
        send_text(session, step->text);
        break;
    case STEP_CLOSE:
        log_line(LOG_INFO, "sync", "session of %s ended: %.*s", session->link.location,
                 STR_ARG(step->text));
        session_end(session);
        break;
    case STEP_IDENTIFY:
        session_start_identify(session, step->hello);
        break;
    case STEP_STORE:
        session_start_push(session, step->text);
        break;
    case STEP_READ_FEED:
        session_start_page(session, step);
        break;
    case STEP_REPORT:
        session_note_beat(session, step->beat);
        break;
    case STEP_EVIDENCE:
        // A stranger's noise is no evidence, and must not fill the disk; nor a thief's.
        if (session->live && !session->link.revoked)
            session_keep_evidence(session, step->text);
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
        MUST(false); // a device's step at the server's end
        break;
    }
}

void session_perform(struct session *session)
{
    struct downlink_service *s = session->service;
    MUST(s->acting == NULL);
    s->acting = session;
    session_hold(session);
    for (size_t i = 0; !session->gone && i < s->steps.count; i++) {
        struct step step = s->steps.items[i];
        perform_one(session, &step);
    }
    if (s->steps.failed)
        session_end(session);
    steps_reset(&s->steps);
    s->acting = NULL;
    session_drop(session);
}

static void on_message(struct ws *ws, enum ws_type type, struct str bytes, void *context)
{
    struct session *session = context;
    struct downlink_service *s = session->service;
    if (session->gone || ws != session->ws)
        return;
    struct buf unpacked;
    buf_init(&unpacked, MESSAGE_MAX_BYTES);
    if (type == WS_BINARY) {
        if (zip_unpack(s->zip, bytes, MESSAGE_MAX_BYTES, &unpacked))
            bytes = str_of(""); // decoded below as damage
        else
            bytes = buf_str(&unpacked);
    }
    downlink_message(&session->link, bytes, clock_mono_ms(), &s->steps);
    session_perform(session);
    buf_fini(&unpacked);
}

static void on_closed(struct ws *ws, int code, const struct err *why, void *context)
{
    (void)ws;
    (void)code;
    (void)why;
    struct session *session = context;
    session->ws = NULL;
    session_end(session);
    session_drop(session); // the socket's hold
}

static const struct ws_callbacks session_callbacks = {.message = on_message, .closed = on_closed};

// ---- all of them ------------------------------------------------------------------------------

void downlink_service_accept(struct downlink_service *s, struct http_server *http,
                             const struct http_request *request)
{
    struct err e = {0};
    struct ws_options options = {.message_max_bytes = MESSAGE_MAX_BYTES,
                                 .silence_ms = DOWNLINK_SILENCE_MS};
    struct session *session = calloc(1, sizeof(*session));
    if (session == NULL || s->closing || s->count >= LIMIT_CONNECTIONS) {
        free(session);
        (void)!http_problem(http, request->id, 503, "too many devices are connected");
        return;
    }
    if (ws_accept(http, request, "wasl.v1", &options, &session->ws, &e)) {
        free(session); // ws_accept has answered
        return;
    }
    struct downlink_config config = {.chain = journal_identity(s->options.journal)->chain,
                                     .window_events = (uint64_t)s->options.config->window_events,
                                     .window_bytes = (uint64_t)s->options.config->window_bytes,
                                     .zstd = s->options.config->zstd};
    downlink_init(&session->link, &config);
    session->service = s;
    session->holds = 2; // the list's and the socket's
    session->next = s->sessions;
    session->at = &s->sessions;
    if (s->sessions)
        s->sessions->at = &session->next;
    s->sessions = session;
    s->count++;
    s->alive++;
    ws_set_owner(session->ws, &session_callbacks, session);
    uint8_t nonce[CHALLENGE_SIZE];
    clock_random(nonce, sizeof(nonce));
    downlink_opened(&session->link, nonce, clock_mono_ms(), clock_wall_ms(), &s->steps);
    session_perform(session);
}

void downlink_service_moved(struct downlink_service *s, const struct writer_feed *feeds,
                            size_t count)
{
    struct session *next;
    for (struct session *session = s->sessions; session; session = next) {
        next = session->next;
        session_hold(session);
        for (size_t i = 0; !session->gone && i < count; i++) {
            downlink_feed_moved(&session->link, str_of(feeds[i].location), feeds[i].head,
                                clock_mono_ms(), &s->steps);
        }
        session_perform(session);
        session_drop(session);
    }
}

static void on_tick(void *context)
{
    struct downlink_service *s = context;
    struct session *next;
    for (struct session *session = s->sessions; session; session = next) {
        next = session->next;
        if (session->report_due)
            session_report(session, false);
        downlink_tick(&session->link, clock_mono_ms(), &s->steps);
        session_perform(session);
    }
}

static enum err_code run_nobody_online(struct job *job, struct journal *j, struct err *e)
{
    (void)job;
    return store_devices_offline(journal_store(j), e);
}

enum err_code downlink_service_open(const struct downlink_service_options *options,
                                    struct downlink_service **ret, struct err *e)
{
    struct downlink_service *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    s->options = *options;
    uint64_t seed;
    clock_random(&seed, sizeof(seed));
    rng_init(&s->rng, seed);
    steps_init(&s->steps);
    buf_init(&s->pack, MESSAGE_MAX_BYTES);
    enum err_code code = zip_new(PACK_LEVEL, &s->zip);
    if (code == ERR_OK)
        code = loop_timer_new(options->loop, on_tick, s, &s->timer);
    struct job nobody = {.run = run_nobody_online}; // who was, when the power went
    if (code == ERR_OK)
        code = writer_run(options->writer, &nobody);
    if (code) {
        downlink_service_close(s);
        return err_set(e, code, "the sessions with devices");
    }
    loop_timer_start(s->timer, TICK_MS, TICK_MS);
    *ret = s;
    return ERR_OK;
}

void downlink_service_end_sessions(struct downlink_service *s)
{
    log_line(LOG_WARN, "sync", "all sessions end: this centre was restored, or that is over");
    while (s->sessions)
        session_end(s->sessions);
}

size_t downlink_service_sessions(const struct downlink_service *s)
{
    return s->count;
}

// What has jobs or a socket left is freed as they come back on the loop.
void downlink_service_close(struct downlink_service *s)
{
    if (s == NULL)
        return;
    s->closing = true;
    loop_timer_free(s->timer);
    s->alive++; // this call's own
    while (s->sessions)
        session_end(s->sessions);
    if (--s->alive == 0)
        service_free(s);
}
