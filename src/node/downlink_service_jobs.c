// SPDX-License-Identifier: Apache-2.0
#include "node/downlink_service_private.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>
#include <string.h>

enum {
    JOB_ARENA = 32 * 1024 * 1024, // intake: 64 bytes for each of the largest message
    BUSY_RETRY_MS = 500,
    CROWD = 10, // fewer devices than this need not take turns
    JITTER_EACH_MS = 20,
    BULK_FROM = 32 * 1024, // bytes of a push that is a backlog's
};

// ---- hello ------------------------------------------------------------------------------------

struct identify_job {
    struct job job;
    struct session *session;
    struct arena arena; // hello and answer
    struct str text;    // the hello's text form
    uint8_t nonce[CHALLENGE_SIZE];
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
    struct journal_hello hello = {&m->hello, identify->nonce};
    return code ? code : journal_identify(j, &hello, &identify->arena, &identify->identity, e);
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
            session_report(session, true);
        }
        session_perform(session);
    }
    arena_fini(&identify->arena);
    free(identify);
    session_drop(session);
}

void session_start_identify(struct session *session, const struct message_hello *hello)
{
    struct identify_job *job = calloc(1, sizeof(*job));
    session_note_hello(session, hello);
    if (job == NULL)
        return; // no answer: the device tries again
    job->job = (struct job){.run = run_identify, .done = done_identify};
    job->session = session;
    arena_init(&job->arena, JOB_ARENA);
    memcpy(job->nonce, session->link.nonce, sizeof(job->nonce));
    copy_hello(job, hello);
    if (writer_post(session->service->options.writer, &job->job)) {
        arena_fini(&job->arena);
        free(job);
        session_end(session);
        return;
    }
    session_hold(session);
}

// ---- push -------------------------------------------------------------------------------------

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
    session_report(session, false);
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
        session_perform(session);
    }
    free_push(push);
    session_drop(session);
}

void session_start_push(struct session *session, struct str text)
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

// ---- feed -------------------------------------------------------------------------------------

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
        session_perform(session);
    }
    arena_fini(&page->arena);
    free(page);
    session_drop(session);
}

void session_start_page(struct session *session, const struct step *step)
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

// ---- evidence ---------------------------------------------------------------------------------

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

void session_keep_evidence(struct session *session, struct str text)
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
