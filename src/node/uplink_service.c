// SPDX-License-Identifier: Apache-2.0
#include "node/uplink_service.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/zip.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOAD_ARENA = 8 * 1024 * 1024,
    PACK_FROM = 200, // shorter messages are not worth compressing
    PACK_LEVEL = 3,
    ACKS_MAX = 256,
    ACKS_DELAY_MS = 20, // acks become durable together; a crash only sends a little again
    ACKS_RETRY_MS = 1000,
    ATTEMPTS_EACH = 4,      // at one upstream, before the next in order is tried
    HEALTH_EVERY_MS = 5000, // how old what a beat tells may be
};

// The service outlives its jobs: each holds a count.
struct uplink_service {
    struct uplink_service_options options;
    struct uplink uplink;
    struct steps steps;
    struct zip *zip;
    struct buf pack;
    struct loop_timer *timer;
    struct loop_timer *ack_timer;
    struct tls_context *tls;
    struct ws *ws;
    struct url url;
    size_t upstream; // index of the one in use
    unsigned attempts;
    bool acting; // inside perform: inputs that come meanwhile wait for the loop
    bool closing;
    unsigned jobs;
    struct message_mark acks[ACKS_MAX];
    bool ack_lost[ACKS_MAX];
    size_t ack_count;
    char last_error[ERR_TEXT_MAX];
    int64_t clock_offset_ms;
    int64_t health_ms; // when it was asked for
    bool asking;       // for its health
    bool refilling;
};

static struct moment moment_now(void)
{
    return (struct moment){clock_mono_ms(), clock_wall_ms()};
}

static void perform(struct uplink_service *s);
static void ask_health(struct uplink_service *s);

static void rearm(struct uplink_service *s)
{
    int64_t deadline = uplink_deadline(&s->uplink);
    if (deadline == INT64_MAX) {
        loop_timer_stop(s->timer);
        return;
    }
    int64_t wait = deadline - clock_mono_ms();
    loop_timer_start(s->timer, wait > 0 ? wait : 0, 0);
}

static void on_timer(void *context)
{
    struct uplink_service *s = context;
    if (s->closing)
        return;
    ask_health(s);
    uplink_tick(&s->uplink, moment_now(), &s->steps);
    perform(s);
}

// ---- jobs -------------------------------------------------------------------------------------

struct load_job {
    struct job job;
    struct uplink_service *service;
    struct step step;
    struct arena arena;
    struct uplink_loaded loaded;
};

static void release(struct uplink_service *s)
{
    s->jobs--;
    if (!s->closing || s->jobs)
        return;
    uplink_fini(&s->uplink);
    steps_fini(&s->steps);
    zip_free(s->zip);
    buf_fini(&s->pack);
    free(s);
}

static enum err_code run_load(struct job *job, struct journal *j, struct err *e)
{
    (void)e;
    struct load_job *load = (struct load_job *)job;
    arena_reset(&load->arena);
    journal_load(j, &load->step, &load->arena, &load->loaded);
    return ERR_OK;
}

static void done_load(struct job *job)
{
    struct load_job *load = (struct load_job *)job;
    struct uplink_service *s = load->service;
    if (!s->closing) {
        uplink_loaded(&s->uplink, &load->loaded, moment_now(), &s->steps);
        perform(s);
    }
    arena_fini(&load->arena);
    free(load);
    release(s);
}

static void start_load(struct uplink_service *s, const struct step *step)
{
    struct load_job *load = calloc(1, sizeof(*load));
    struct uplink_loaded nothing = {.key = step->key, .after = step->after};
    if (load) {
        *load = (struct load_job){.job = {.reads = true, .run = run_load, .done = done_load},
                                  .service = s,
                                  .step = *step};
        arena_init(&load->arena, LOAD_ARENA);
        if (writer_post(s->options.writer, &load->job) == ERR_OK) {
            s->jobs++;
            return;
        }
        arena_fini(&load->arena);
        free(load);
    }
    uplink_loaded(&s->uplink, &nothing, moment_now(), &s->steps); // tried again later
}

struct refill_job {
    struct job job;
    struct uplink_service *service;
    struct arena arena;
    struct journal_unsettled list;
};

static enum err_code run_refill(struct job *job, struct journal *j, struct err *e)
{
    struct refill_job *refill = (struct refill_job *)job;
    return journal_unsettled(j, &refill->arena, &refill->list, e);
}

static void done_refill(struct job *job)
{
    struct refill_job *refill = (struct refill_job *)job;
    struct uplink_service *s = refill->service;
    s->refilling = false;
    if (!s->closing && job->code == ERR_OK) {
        uplink_refill(&s->uplink, refill->list.streams, refill->list.count, refill->list.overflowed,
                      moment_now(), &s->steps);
        perform(s);
    }
    arena_fini(&refill->arena);
    free(refill);
    release(s);
}

// More unsettled streams than one hello may name come in turn, as room becomes free.
static void start_refill(struct uplink_service *s)
{
    struct refill_job *refill =
        s->refilling || !outbox_wants_refill(&s->uplink.outbox) ? NULL : calloc(1, sizeof(*refill));
    if (refill == NULL)
        return;
    *refill = (struct refill_job){.job = {.reads = true, .run = run_refill, .done = done_refill},
                                  .service = s};
    arena_init(&refill->arena, LOAD_ARENA);
    if (writer_post(s->options.writer, &refill->job)) {
        free(refill);
        return;
    }
    s->refilling = true;
    s->jobs++;
}

struct ack_job {
    struct job job;
    struct uplink_service *service;
    size_t count;
    struct message_mark marks[ACKS_MAX];
    bool lost[ACKS_MAX];
};

static enum err_code run_acks(struct job *job, struct journal *j, struct err *e)
{
    struct ack_job *acks = (struct ack_job *)job;
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < acks->count; i++)
        code = journal_acked(j, &acks->marks[i], acks->lost[i], clock_wall_ms(), e);
    return code;
}

// What could not be stored is tried again, but for streams that have newer marks waiting.
static void keep_acks(struct uplink_service *s, const struct ack_job *acks)
{
    for (size_t i = 0; i < acks->count && s->ack_count < ACKS_MAX; i++) {
        size_t at = 0;
        while (at < s->ack_count && !stream_key_equal(&s->acks[at].key, &acks->marks[i].key))
            at++;
        s->ack_lost[at] = acks->lost[i] || (at < s->ack_count && s->ack_lost[at]);
        if (at == s->ack_count)
            s->acks[s->ack_count++] = acks->marks[i];
    }
    loop_timer_start(s->ack_timer, ACKS_RETRY_MS, 0);
}

static void done_acks(struct job *job)
{
    struct ack_job *acks = (struct ack_job *)job;
    if (job->code)
        log_line(LOG_WARN, "uplink", "acks could not be stored: %s", err_message(&job->error));
    if (job->code && !acks->service->closing)
        keep_acks(acks->service, acks);
    release(acks->service);
    free(acks);
}

static void store_acks(void *context)
{
    struct uplink_service *s = context;
    struct ack_job *acks = s->ack_count ? calloc(1, sizeof(*acks)) : NULL;
    if (acks == NULL)
        return;
    acks->job = (struct job){.run = run_acks, .done = done_acks};
    acks->service = s;
    acks->count = s->ack_count;
    memcpy(acks->marks, s->acks, sizeof(acks->marks));
    memcpy(acks->lost, s->ack_lost, sizeof(acks->lost));
    if (writer_post(s->options.writer, &acks->job)) {
        free(acks); // the writer is behind: they stay here
        if (!s->closing)
            loop_timer_start(s->ack_timer, ACKS_RETRY_MS, 0);
        return;
    }
    s->ack_count = 0;
    s->jobs++;
}

static void note_ack(struct uplink_service *s, const struct message_mark *mark, bool lost)
{
    for (size_t i = 0; i < s->ack_count; i++) {
        if (stream_key_equal(&s->acks[i].key, &mark->key)) {
            s->acks[i] = *mark;
            s->ack_lost[i] = s->ack_lost[i] || lost;
            return;
        }
    }
    if (s->ack_count == ACKS_MAX)
        store_acks(s);
    if (s->ack_count == ACKS_MAX)
        return;
    s->acks[s->ack_count] = *mark;
    s->ack_lost[s->ack_count++] = lost;
    if (s->ack_count == 1)
        loop_timer_start(s->ack_timer, ACKS_DELAY_MS, 0);
}

// A feed page, copied out of the step's arena as text and read again by the writer.
struct feed_job {
    struct job job;
    struct uplink_service *service;
    struct arena arena;
    struct message_feed feed;
};

static enum err_code run_feed(struct job *job, struct journal *j, struct err *e)
{
    struct feed_job *feed = (struct feed_job *)job;
    return journal_apply_feed(j, &feed->feed, e);
}

static void done_feed(struct job *job)
{
    struct feed_job *feed = (struct feed_job *)job;
    struct uplink_service *s = feed->service;
    if (!s->closing && job->code == ERR_OK) {
        uplink_feed_stored(&s->uplink, &feed->feed, moment_now(), &s->steps);
        perform(s);
    } else if (!s->closing) {
        log_line(LOG_WARN, "uplink", "a feed page could not be stored: %s",
                 err_message(&job->error));
        uplink_feed_failed(&s->uplink, &feed->feed, moment_now());
    }
    arena_fini(&feed->arena);
    free(feed);
    release(s);
}

static bool copy_feed(struct feed_job *job, const struct message_feed *from)
{
    struct message_feed *to = &job->feed;
    *to = *from;
    to->location = arena_copy(&job->arena, from->location);
    to->rows = arena_alloc(&job->arena, (from->count + 1) * sizeof(*to->rows));
    bool ok = to->location.p && to->rows;
    for (size_t i = 0; ok && i < from->count; i++) {
        to->rows[i] = arena_copy(&job->arena, from->rows[i]);
        ok = to->rows[i].p != NULL;
    }
    for (size_t i = 0; ok && i < from->include_count; i++) {
        size_t size = from->includes[i].except_count * sizeof(struct uuid);
        to->includes[i].except = arena_alloc(&job->arena, size + 1);
        ok = to->includes[i].except != NULL;
        if (ok && size)
            memcpy(to->includes[i].except, from->includes[i].except, size);
    }
    return ok;
}

static void start_feed(struct uplink_service *s, const struct message_feed *feed)
{
    struct feed_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        uplink_feed_failed(&s->uplink, feed, moment_now());
        return;
    }
    job->job = (struct job){.run = run_feed, .done = done_feed};
    job->service = s;
    arena_init(&job->arena, LOAD_ARENA);
    if (copy_feed(job, feed) && writer_post(s->options.writer, &job->job) == ERR_OK) {
        s->jobs++;
        return;
    }
    uplink_feed_failed(&s->uplink, feed, moment_now());
    arena_fini(&job->arena);
    free(job);
}

struct rehome_job {
    struct job job;
    struct uplink_service *service;
    struct stream_key key;
    uint64_t after;
    uint64_t next; // after this transaction
};

static enum err_code run_rehome(struct job *job, struct journal *j, struct err *e)
{
    struct rehome_job *rehome = (struct rehome_job *)job;
    rehome->next = rehome->after;
    return journal_rehome(j, &rehome->key, &rehome->next, e);
}

static void done_rehome(struct job *job)
{
    struct rehome_job *rehome = (struct rehome_job *)job;
    struct uplink_service *s = rehome->service;
    bool more = job->code == ERR_OK && rehome->next != REHOME_DONE;
    rehome->after = rehome->next;
    if (more && !s->closing && writer_post(s->options.writer, job) == ERR_OK)
        return;
    if (more) {
        uplink_rehome_failed(&s->uplink, &rehome->key, moment_now()); // the writer is behind
    } else if (!s->closing && job->code == ERR_OK) {
        log_line(LOG_WARN, "uplink", "a disputed run's events were appended again");
        uplink_rehomed(&s->uplink, &rehome->key, moment_now(), &s->steps);
        perform(s);
    } else if (job->code) {
        log_line(LOG_ERROR, "uplink", "a disputed run's events could not be appended again: %s",
                 err_message(&job->error));
        uplink_rehome_failed(&s->uplink, &rehome->key, moment_now());
    }
    free(rehome);
    release(s);
}

static void start_rehome(struct uplink_service *s, const struct step *step)
{
    struct rehome_job *rehome = calloc(1, sizeof(*rehome));
    if (rehome == NULL) {
        uplink_rehome_failed(&s->uplink, &step->key, moment_now());
        return;
    }
    *rehome = (struct rehome_job){
        {.run = run_rehome, .done = done_rehome}, s, step->key, step->after, step->after};
    if (writer_post(s->options.writer, &rehome->job) == ERR_OK) {
        s->jobs++;
        return;
    }
    free(rehome);
    uplink_rehome_failed(&s->uplink, &step->key, moment_now());
}

struct clock_job {
    struct job job;
    struct uplink_service *service;
    int64_t offset_ms;
};

static enum err_code run_clock(struct job *job, struct journal *j, struct err *e)
{
    (void)e;
    journal_set_clock(j, ((struct clock_job *)job)->offset_ms);
    return ERR_OK;
}

static void done_clock(struct job *job)
{
    release(((struct clock_job *)job)->service);
    free(job);
}

static void set_clock(struct uplink_service *s, int64_t offset_ms)
{
    struct clock_job *clock = calloc(1, sizeof(*clock));
    s->clock_offset_ms = offset_ms;
    if (clock == NULL)
        return;
    *clock =
        (struct clock_job){{.reads = true, .run = run_clock, .done = done_clock}, s, offset_ms};
    if (writer_post(s->options.writer, &clock->job) == ERR_OK)
        s->jobs++;
    else
        free(clock);
}

// What a hello and a beat say of this till beside its streams.
struct health_job {
    struct job job;
    struct uplink_service *service;
    int64_t oldest_at;
    int64_t disk_free;
};

static enum err_code read_health(struct journal *j, int64_t *ret_oldest_at, int64_t *ret_disk_free,
                                 struct err *e)
{
    struct store_counts counts;
    enum err_code code = store_counts(journal_store(j), &counts, e);
    if (code == ERR_OK)
        code = store_free_bytes(journal_store(j), ret_disk_free, e);
    if (code == ERR_OK)
        *ret_oldest_at = counts.oldest_pending_at;
    return code;
}

static enum err_code run_health(struct job *job, struct journal *j, struct err *e)
{
    struct health_job *health = (struct health_job *)job;
    return read_health(j, &health->oldest_at, &health->disk_free, e);
}

static void done_health(struct job *job)
{
    struct health_job *health = (struct health_job *)job;
    struct uplink_service *s = health->service;
    s->asking = false;
    if (job->code == ERR_OK) {
        s->uplink.oldest_at = health->oldest_at;
        s->uplink.disk_free = health->disk_free;
    }
    free(health);
    release(s);
}

static void ask_health(struct uplink_service *s)
{
    int64_t now = clock_mono_ms();
    bool due = s->health_ms == 0 || now - s->health_ms >= HEALTH_EVERY_MS;
    struct health_job *health = due && !s->asking ? calloc(1, sizeof(*health)) : NULL;
    if (health == NULL)
        return;
    *health = (struct health_job){.job = {.reads = true, .run = run_health, .done = done_health},
                                  .service = s};
    if (writer_post(s->options.writer, &health->job)) {
        free(health);
        return;
    }
    s->health_ms = now;
    s->asking = true;
    s->jobs++;
}

// ---- the link ---------------------------------------------------------------------------------

// What a socket says after it was let go: the service may be gone by then.
static void on_stray_message(struct ws *ws, enum ws_type type, struct str bytes, void *context)
{
    (void)ws;
    (void)type;
    (void)bytes;
    (void)context;
}

static void on_stray_closed(struct ws *ws, int code, const struct err *why, void *context)
{
    (void)ws;
    (void)code;
    (void)why;
    (void)context;
}

static const struct ws_callbacks stray_callbacks = {.message = on_stray_message,
                                                    .closed = on_stray_closed};

static void drop_link(struct uplink_service *s)
{
    struct ws *ws = s->ws;
    s->ws = NULL;
    if (ws == NULL)
        return;
    ws_set_owner(ws, &stray_callbacks, NULL);
    ws_abort(ws);
}

// After a few in vain the next upstream in order is tried.
static void note_attempt(struct uplink_service *s)
{
    if (++s->attempts % ATTEMPTS_EACH == 0 && s->options.config->upstream_count > 1)
        s->upstream = (s->upstream + 1) % s->options.config->upstream_count;
}

static void link_lost(struct uplink_service *s, const char *why)
{
    snprintf(s->last_error, sizeof(s->last_error), "%s", why);
    s->ws = NULL;
    note_attempt(s);
    uplink_disconnected(&s->uplink, moment_now(), &s->steps);
    perform(s);
}

static void on_opened(struct ws *ws, void *context)
{
    struct uplink_service *s = context;
    if (ws != s->ws)
        return;
    uplink_connected(&s->uplink, moment_now(), &s->steps);
    perform(s);
}

static void on_message(struct ws *ws, enum ws_type type, struct str bytes, void *context)
{
    struct uplink_service *s = context;
    if (ws != s->ws)
        return;
    s->attempts = 0;
    if (type == WS_BINARY) {
        buf_reset(&s->pack);
        if (zip_unpack(s->zip, bytes, MESSAGE_MAX_BYTES, &s->pack)) {
            drop_link(s);
            link_lost(s, "the upstream sent what is not zstd");
            return;
        }
        bytes = buf_str(&s->pack);
    }
    uplink_message(&s->uplink, bytes, moment_now(), &s->steps);
    perform(s);
}

static void on_closed(struct ws *ws, int code, const struct err *why, void *context)
{
    (void)code;
    struct uplink_service *s = context;
    if (ws != s->ws || s->closing)
        return;
    link_lost(s, why && why->code ? err_message(why) : "the upstream closed the session");
}

static const struct ws_callbacks link_callbacks = {
    .opened = on_opened, .message = on_message, .closed = on_closed};

static enum err_code aim(struct uplink_service *s, struct err *e)
{
    enum err_code code = url_parse(str_of(s->options.config->upstreams[s->upstream]), &s->url, e);
    if (code == ERR_OK)
        snprintf(s->url.path, sizeof(s->url.path), "/api/v1/sync");
    return code;
}

static void open_link(struct uplink_service *s)
{
    struct err e = {0};
    drop_link(s);
    enum err_code code = aim(s, &e);
    struct ws_target target = {.url = &s->url,
                               .tls = s->url.tls ? s->tls : NULL,
                               .subprotocol = "wasl.v1",
                               .open_timeout_ms = 15 * 1000};
    struct ws_options options = {.message_max_bytes = MESSAGE_MAX_BYTES};
    if (code == ERR_OK && s->url.tls && s->tls == NULL)
        code = err_set(&e, ERR_TLS, "no CA to trust: enrol this device first");
    if (code == ERR_OK)
        code = ws_connect(s->options.loop, &target, &options, &s->ws, &e);
    if (code) {
        link_lost(s, err_message(&e));
        return;
    }
    ws_set_owner(s->ws, &link_callbacks, s);
}

static void send_text(struct uplink_service *s, struct str text)
{
    if (s->ws == NULL)
        return;
    enum err_code code = ERR_OK;
    if (s->uplink.peer_zstd && text.n >= PACK_FROM) {
        buf_reset(&s->pack);
        code = zip_pack(s->zip, text, &s->pack);
        if (code == ERR_OK)
            code = ws_send(s->ws, WS_BINARY, buf_str(&s->pack));
    } else {
        code = ws_send(s->ws, WS_TEXT, text);
    }
    if (code)
        log_line(LOG_WARN, "uplink", "a message could not be sent: %s", err_text(code));
}

// ---- steps ------------------------------------------------------------------------------------

static void perform_one(struct uplink_service *s, const struct step *step)
{
    switch (step->kind) {
    case STEP_CONNECT:
        open_link(s);
        break;
    case STEP_SEND:
        send_text(s, step->text);
        break;
    case STEP_CLOSE:
        snprintf(s->last_error, sizeof(s->last_error), "%.*s", STR_ARG(step->text));
        log_line(LOG_INFO, "uplink", "session ended: %s", s->last_error);
        drop_link(s);
        note_attempt(s);
        break;
    case STEP_LOAD:
        start_load(s, step);
        break;
    case STEP_ACKED:
    case STEP_LOST:
        note_ack(s, &step->mark, step->kind == STEP_LOST);
        break;
    case STEP_REHOME:
        start_rehome(s, step);
        break;
    case STEP_FEED:
        start_feed(s, step->feed);
        break;
    case STEP_CLOCK:
        set_clock(s, step->number);
        break;
    case STEP_REFUSED:
        log_line(LOG_ERROR, "uplink", "refused: %.*s", STR_ARG(step->text));
        break;
    case STEP_IDENTIFY:
    case STEP_STORE:
    case STEP_READ_FEED:
    case STEP_REPORT:
    case STEP_EVIDENCE:
        MUST(false); // a server's step at the device's end
        break;
    }
}

// Steps are performed in order. What performing one sets off (a failed connect) appends further
// steps to the same list.
static void perform(struct uplink_service *s)
{
    if (s->acting)
        return;
    s->acting = true;
    for (size_t i = 0; i < s->steps.count; i++) {
        struct step step = s->steps.items[i];
        perform_one(s, &step);
    }
    bool failed = s->steps.failed;
    steps_reset(&s->steps);
    s->acting = false;
    if (failed) {
        drop_link(s);
        link_lost(s, "out of memory for a session's steps");
    }
    start_refill(s);
    rearm(s);
}

// ---- opening ----------------------------------------------------------------------------------

static struct uplink_config uplink_config_of(const struct uplink_service_options *options)
{
    const struct identity *who = journal_identity(options->journal);
    struct uplink_config config = {.chain = who->chain,
                                   .device = who->device,
                                   .run = *journal_run_id(options->journal),
                                   .key = &who->key,
                                   .software = WASL_VERSION,
                                   .zstd = options->config->zstd};
    memcpy(config.location, who->location, sizeof(config.location));
    clock_random(&config.seed, sizeof(config.seed));
    return config;
}

static enum err_code open_parts(struct uplink_service *s, struct err *e)
{
    steps_init(&s->steps);
    buf_init(&s->pack, MESSAGE_MAX_BYTES);
    enum err_code code = zip_new(PACK_LEVEL, &s->zip);
    if (code == ERR_OK)
        code = loop_timer_new(s->options.loop, on_timer, s, &s->timer);
    if (code == ERR_OK)
        code = loop_timer_new(s->options.loop, store_acks, s, &s->ack_timer);
    return code ? err_set(e, code, "the uplink") : ERR_OK;
}

static enum err_code open_tls(struct uplink_service *s, struct err *e)
{
    char path[CONFIG_PATH_MAX];
    identity_path(s->options.config, "ca.pem", path);
    for (size_t i = 0; i < s->options.config->upstream_count; i++) {
        struct url url;
        enum err_code code = url_parse(str_of(s->options.config->upstreams[i]), &url, e);
        if (code)
            return err_wrap(e, code, "upstream");
        if (url.tls && s->tls == NULL)
            return tls_client_new(path, &s->tls, e);
    }
    return ERR_OK;
}

enum err_code uplink_service_open(const struct uplink_service_options *options,
                                  struct uplink_service **ret, struct err *e)
{
    struct uplink_service *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    s->options = *options;
    s->jobs = 1; // the owner's
    struct uplink_config config = uplink_config_of(options);
    uplink_init(&s->uplink, &config);
    enum err_code code = open_parts(s, e);
    if (code == ERR_OK)
        code = journal_fill_uplink(options->journal, &s->uplink, e);
    bool enrolled = !uuid_is_zero(&config.chain);
    if (code == ERR_OK)
        code = read_health(options->journal, &s->uplink.oldest_at, &s->uplink.disk_free, e);
    if (code == ERR_OK && enrolled)
        code = open_tls(s, e);
    if (code) {
        uplink_service_close(s);
        return code;
    }
    if (enrolled && options->config->upstream_count) {
        uplink_start(&s->uplink, moment_now(), &s->steps);
        perform(s);
    }
    *ret = s;
    return ERR_OK;
}

void uplink_service_committed(struct uplink_service *s, const struct journal_moved *moved,
                              size_t count)
{
    if (count)
        s->uplink.config.origin = moved[count - 1].key.origin;
    for (size_t i = 0; i < count; i++)
        uplink_committed(&s->uplink, &moved[i].key, &moved[i].certificate, &moved[i].head,
                         moment_now(), &s->steps);
    perform(s);
}

void uplink_service_view(const struct uplink_service *s, struct uplink_view *ret)
{
    const struct config *config = s->options.config;
    *ret = (struct uplink_view){.online = uplink_is_live(&s->uplink),
                                .upstream =
                                    config->upstream_count ? config->upstreams[s->upstream] : "",
                                .state = uplink_state_name(&s->uplink),
                                .last_error = s->last_error,
                                .clock_offset_ms = s->clock_offset_ms,
                                .last_sync_at = s->uplink.last_sync_wall};
    struct outbox_totals totals = outbox_count(&s->uplink.outbox);
    memcpy(ret->pending, totals.pending, sizeof(ret->pending));
}

void uplink_service_close(struct uplink_service *s)
{
    if (s == NULL)
        return;
    store_acks(s);
    s->closing = true;
    drop_link(s);
    loop_timer_free(s->timer);
    loop_timer_free(s->ack_timer);
    tls_context_drop(s->tls);
    release(s);
}
