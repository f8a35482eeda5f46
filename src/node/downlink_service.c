// SPDX-License-Identifier: Apache-2.0
#include "node/downlink_service.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/zip.h"

#include <stdlib.h>
#include <string.h>

enum {
    JOB_ARENA = 32 * 1024 * 1024, // intake: 64 bytes for each of the largest message
    PACK_FROM = 200,
    PACK_LEVEL = 3,
    TICK_MS = 500,
    REPORT_MS = 2000, // a device's status is written at most so often, and when it comes or goes
    BUSY_RETRY_MS = 500,
    CROWD = 10, // fewer devices than this need not take turns
    JITTER_EACH_MS = 20,
    BULK_FROM = 32 * 1024, // bytes of a push that is a backlog's
};

// A session outlives its socket until its jobs are back: each job holds a count.
struct session {
    struct session *next, **at; // in the service's list
    struct downlink_service *service;
    struct downlink link;
    struct ws *ws;
    struct device_status status;
    int64_t reported_ms;
    bool live; // it said who it is, and was believed
    bool gone;
    bool report_under_way;
    bool report_due; // there is news since the last one
    unsigned holds;
    unsigned bulk; // of its pushes that are with the writer
};

struct downlink_service {
    struct downlink_service_options options;
    struct session *sessions;
    size_t count;
    size_t alive;       // also those that are gone but have jobs or a socket
    struct steps steps; // shared: one session acts at a time
    struct session *acting;
    struct zip *zip;
    struct buf pack;
    struct loop_timer *timer;
    struct rng rng;
    uint64_t acks;
    bool closing;
};

static void perform(struct session *session);

static void session_hold(struct session *session)
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

static void session_drop(struct session *session)
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

// ---- what a device says of itself -------------------------------------------------------------

struct report_job {
    struct job job;
    struct session *session;
    struct device_status status;
};

static enum err_code run_report(struct job *job, struct journal *j, struct err *e)
{
    return store_device_status_put(journal_store(j), &((struct report_job *)job)->status, e);
}

static void report(struct session *session, bool now);

// A newer session of the same device, which was believed, speaks for it.
static bool is_replaced(const struct session *session)
{
    const struct session *other = session->service->sessions;
    while (other && !(other->live && uuid_equal(&other->status.device, &session->status.device)))
        other = other->next;
    return other != NULL;
}

static void done_report(struct job *job)
{
    struct session *session = ((struct report_job *)job)->session;
    session->report_under_way = false;
    if (session->gone && session->report_due && !is_replaced(session))
        report(session, true); // its last word: it is offline
    session_drop(session);
    free(job);
}

static void report(struct session *session, bool now)
{
    int64_t mono = clock_mono_ms();
    session->report_due = true; // the tick sends what cannot go now
    if (session->report_under_way || (!now && mono - session->reported_ms < REPORT_MS))
        return;
    struct report_job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return;
    session->status.last_seen_at = clock_wall_ms();
    session->status.online = !session->gone;
    *job = (struct report_job){{.run = run_report, .done = done_report}, session, session->status};
    if (writer_post(session->service->options.writer, &job->job)) {
        free(job);
        return;
    }
    session->reported_ms = mono;
    session->report_under_way = true;
    session->report_due = false;
    session_hold(session);
}

static void note_beat(struct session *session, const struct message_beat *beat)
{
    struct device_status *status = &session->status;
    status->pending = 0;
    for (int i = 0; i < LANE_COUNT; i++)
        status->pending += beat->pending[i];
    status->oldest_pending_at = beat->oldest_at;
    status->disk_free_bytes = beat->disk_free;
    status->clock_offset_ms = beat->clock - clock_wall_ms();
    if (str_copy(status->version, sizeof(status->version), beat->software))
        status->version[0] = '\0';
    if (status->pending == 0)
        status->last_sync_at = clock_wall_ms();
    report(session, true);
}

static void note_hello(struct session *session, const struct message_hello *hello)
{
    struct device_status *status = &session->status;
    status->device = hello->device;
    status->pending = hello->backlog;
    status->oldest_pending_at = hello->oldest_at;
    status->clock_offset_ms = hello->clock - clock_wall_ms();
    if (str_copy(status->location, sizeof(status->location), hello->location) ||
        str_copy(status->version, sizeof(status->version), hello->software))
        status->version[0] = '\0';
}

// ---- ending -----------------------------------------------------------------------------------

static void session_end(struct session *session)
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
        report(session, true);
    session_drop(session);
}

// ---- jobs -------------------------------------------------------------------------------------

struct identify_job {
    struct job job;
    struct session *session;
    struct arena arena; // hello and answer
    struct str text;    // the hello's text form
    struct downlink_identity identity;
};

static void copy_hello(struct identify_job *job, const struct message_hello *hello)
{
    struct message m = {.kind = MESSAGE_HELLO, .hello = *hello};
    struct buf buf;
    buf_init(&buf, MESSAGE_MAX_BYTES);
    if (message_encode(&m, &buf) == ERR_OK)
        job->text = arena_copy(&job->arena, buf_str(&buf));
    buf_fini(&buf);
}

static enum err_code run_identify(struct job *job, struct journal *j, struct err *e)
{
    struct identify_job *identify = (struct identify_job *)job;
    struct message *m = arena_alloc(&identify->arena, sizeof(*m));
    if (m == NULL || identify->text.p == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a hello");
    enum err_code code = message_decode(identify->text, &identify->arena, m, e);
    return code ? code : journal_identify(j, &m->hello, &identify->arena, &identify->identity, e);
}

// One device, one session: the newer wins.
static void replace_older(struct session *session)
{
    struct session *other = session->service->sessions;
    while (other) {
        struct session *next = other->next;
        if (other != session &&
            uuid_equal(&other->link.sender.device, &session->link.sender.device))
            session_end(other);
        other = next;
    }
}

// What a returning device waits with its backlog: the more there are, the more they spread out.
static int64_t draw_jitter(struct downlink_service *s)
{
    int64_t most = JITTER_EACH_MS * (int64_t)s->count;
    if (most > s->options.config->jitter_ms)
        most = s->options.config->jitter_ms;
    return s->count > CROWD && most > 0 ? rng_between(&s->rng, 0, most) : 0;
}

static void done_identify(struct job *job)
{
    struct identify_job *identify = (struct identify_job *)job;
    struct session *session = identify->session;
    struct downlink_service *s = session->service;
    if (!session->gone) {
        if (job->code) {
            identify->identity = (struct downlink_identity){
                .refused = true, .text = "the server cannot read its store"};
            log_line(LOG_ERROR, "sync", "hello: %s", err_message(&job->error));
        }
        identify->identity.jitter_ms = draw_jitter(s);
        identify->identity.wall_ms = clock_wall_ms();
        downlink_identified(&session->link, &identify->identity, &s->steps);
        session->live = downlink_is_live(&session->link);
        if (session->live) {
            replace_older(session);
            if (session->status.pending == 0)
                session->status.last_sync_at = clock_wall_ms();
            report(session, true);
        }
        perform(session);
    }
    arena_fini(&identify->arena);
    free(identify);
    session_drop(session);
}

static void start_identify(struct session *session, const struct message_hello *hello)
{
    struct identify_job *job = calloc(1, sizeof(*job));
    note_hello(session, hello);
    if (job == NULL)
        return; // no answer: the device tries again
    job->job = (struct job){.run = run_identify, .done = done_identify};
    job->session = session;
    arena_init(&job->arena, JOB_ARENA);
    copy_hello(job, hello);
    if (writer_post(session->service->options.writer, &job->job)) {
        arena_fini(&job->arena);
        free(job);
        session_end(session);
        return;
    }
    session_hold(session);
}

struct push_job {
    struct job job;
    struct session *session;
    struct intake_sender sender;
    char location[LIMIT_NAME + 1];
    struct arena kept; // the text
    struct arena arena;
    struct str text;
    struct downlink_stored stored;
};

static enum err_code run_push(struct job *job, struct journal *j, struct err *e)
{
    struct push_job *push = (struct push_job *)job;
    arena_reset(&push->arena);
    return journal_receive(j, &push->sender, push->text, &push->arena, &push->stored, e);
}

static void note_stored(struct session *session, const struct downlink_stored *stored)
{
    struct device_status *status = &session->status;
    if (stored->denied || stored->mark.fork || stored->mark.want)
        return; // nothing of it was taken
    status->pending -= stored->events < status->pending ? stored->events : status->pending;
    status->last_sync_at = clock_wall_ms();
    if (status->pending == 0)
        status->oldest_pending_at = 0;
    report(session, false);
}

static void free_push(struct push_job *push)
{
    arena_fini(&push->arena);
    arena_fini(&push->kept);
    free(push);
}

static void done_push(struct job *job)
{
    struct push_job *push = (struct push_job *)job;
    struct session *session = push->session;
    session->bulk -= job->bulk > 0;
    if (!session->gone) {
        if (job->code) {
            push->stored = (struct downlink_stored){.failed = true, .retry_ms = BUSY_RETRY_MS};
            log_line(LOG_ERROR, "sync", "a push could not be stored: %s", err_message(&job->error));
        } else {
            note_stored(session, &push->stored);
        }
        downlink_stored(&session->link, &push->stored, &session->service->steps);
        perform(session);
    }
    free_push(push);
    session_drop(session);
}

static void start_push(struct session *session, struct str text)
{
    struct push_job *job = calloc(1, sizeof(*job));
    bool posted = false;
    if (job) {
        job->job = (struct job){.run = run_push, .done = done_push};
        job->session = session;
        job->sender = session->link.sender;
        memcpy(job->location, session->link.location, sizeof(job->location));
        job->sender.location = str_of(job->location);
        arena_init(&job->arena, JOB_ARENA);
        arena_init(&job->kept, JOB_ARENA);
        job->text = arena_copy(&job->kept, text);
        if (text.n >= BULK_FROM || session->bulk > 0) // its pushes stay in order
            job->job.bulk = text.n;
        posted = job->text.p && writer_post(session->service->options.writer, &job->job) == ERR_OK;
    }
    if (posted) {
        session->bulk += job->job.bulk > 0;
        session_hold(session);
        return;
    }
    if (job)
        free_push(job);
    struct downlink_stored failed = {.failed = true, .retry_ms = BUSY_RETRY_MS};
    downlink_stored(&session->link, &failed, &session->service->steps);
}

struct page_job {
    struct job job;
    struct session *session;
    struct arena arena;
    struct step step;
    char location[LIMIT_NAME + 1];
    struct stream_key *streams;
    size_t stream_count;
    struct uuid device;
    bool revoked; // its place's feed tells of it, so an idle session ends too
    struct downlink_page page;
};

static enum err_code run_page(struct job *job, struct journal *j, struct err *e)
{
    struct page_job *page = (struct page_job *)job;
    struct journal_page_query query = {&page->step, page->streams, page->stream_count};
    page->revoked = journal_is_revoked(j, &page->device);
    return journal_feed_page(j, &query, &page->arena, &page->page, e);
}

static void done_page(struct job *job)
{
    struct page_job *page = (struct page_job *)job;
    struct session *session = page->session;
    if (!session->gone && page->revoked) {
        log_line(LOG_WARN, "sync", "session of %s ended: the device was revoked", page->location);
        session_end(session);
    } else if (!session->gone) {
        page->page.location = str_of(page->location);
        page->page.failed = job->code != ERR_OK;
        downlink_feed_page(&session->link, &page->page, clock_mono_ms(), &session->service->steps);
        perform(session);
    }
    arena_fini(&page->arena);
    free(page);
    session_drop(session);
}

static void start_page(struct session *session, const struct step *step)
{
    struct page_job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return;
    job->job = (struct job){.reads = true, .run = run_page, .done = done_page};
    job->session = session;
    job->step = *step;
    job->device = session->link.sender.device;
    arena_init(&job->arena, JOB_ARENA);
    const struct downlink *d = &session->link;
    job->streams = arena_alloc(&job->arena, (d->stream_count + 1) * sizeof(*job->streams));
    if (str_copy(job->location, sizeof(job->location), step->location) == ERR_OK && job->streams) {
        job->step.location = str_of(job->location);
        bool own_place = str_is(step->location, d->location);
        for (size_t i = 0; own_place && i < d->stream_count; i++)
            job->streams[job->stream_count++] = d->streams[i].key;
        if (writer_post(session->service->options.writer, &job->job) == ERR_OK) {
            session_hold(session);
            return;
        }
    }
    arena_fini(&job->arena);
    free(job);
}

struct evidence_job {
    struct job job;
    struct session *session;
    struct arena arena;
    struct str text;
};

static enum err_code run_evidence(struct job *job, struct journal *j, struct err *e)
{
    struct evidence_job *evidence = (struct evidence_job *)job;
    struct stream_key unknown = {.lane = LANE_CRITICAL};
    return store_quarantine_put(journal_store(j),
                                &(struct store_evidence){unknown, 0, evidence->text,
                                                         "a message whose closing sum is wrong",
                                                         clock_wall_ms()},
                                e);
}

static void done_evidence(struct job *job)
{
    struct evidence_job *evidence = (struct evidence_job *)job;
    session_drop(evidence->session);
    arena_fini(&evidence->arena);
    free(evidence);
}

static void keep_evidence(struct session *session, struct str text)
{
    struct evidence_job *job = calloc(1, sizeof(*job));
    if (job == NULL)
        return;
    job->job = (struct job){.run = run_evidence, .done = done_evidence};
    job->session = session;
    arena_init(&job->arena, JOB_ARENA);
    job->text = arena_copy(&job->arena, text);
    if (job->text.p && writer_post(session->service->options.writer, &job->job) == ERR_OK) {
        session_hold(session);
        return;
    }
    arena_fini(&job->arena);
    free(job);
}

// ---- the link ---------------------------------------------------------------------------------

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
        start_identify(session, step->hello);
        break;
    case STEP_STORE:
        start_push(session, step->text);
        break;
    case STEP_READ_FEED:
        start_page(session, step);
        break;
    case STEP_REPORT:
        note_beat(session, step->beat);
        break;
    case STEP_EVIDENCE:
        if (session->live) // a stranger's noise is no evidence, and must not fill the disk
            keep_evidence(session, step->text);
        break;
    case STEP_CONNECT:
    case STEP_LOAD:
    case STEP_ACKED:
    case STEP_LOST:
    case STEP_REHOME:
    case STEP_FEED:
    case STEP_CLOCK:
    case STEP_REFUSED:
        MUST(false); // a device's step at the server's end
        break;
    }
}

static void perform(struct session *session)
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
    perform(session);
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
    perform(session);
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
        perform(session);
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
            report(session, false);
        downlink_tick(&session->link, clock_mono_ms(), &s->steps);
        perform(session);
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
