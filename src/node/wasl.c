// SPDX-License-Identifier: Apache-2.0
#include "wasl.h"

#include "base/clock.h"
#include "node/catalog_keeper.h"
#include "node/upkeep.h"
#include "node/uplink_service.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { APPEND_ARENA = 64 * 1024 * 1024, LOOK_MS = 200 };

struct wasl {
    pid_t owner; // who opened it
    struct config config;
    struct journal *journal;
    struct writer *writer;
    struct loop *loop; // NULL without sync
    struct uplink_service *uplink;
    struct upkeep *upkeep;
    struct catalog_keeper *catalog;
    pthread_t thread;
    bool syncing;
    pthread_mutex_t view_lock;
    struct uplink_view view;
    struct uuid_maker ids;
    pthread_mutex_t ids_lock;
};

// ---- errors -----------------------------------------------------------------------------------

static enum wasl_code public_code(enum err_code code)
{
    switch ((int)code) {
    case ERR_OK:
        return WASL_OK;
    case ERR_NOT_FOUND:
        return WASL_NOT_FOUND;
    case ERR_PARSE:
    case ERR_INVALID:
    case ERR_LIMIT:
        return WASL_INVALID;
    case ERR_LOCKED:
        return WASL_LOCKED;
    case ERR_DISK_FULL:
        return WASL_DISK_FULL;
    case ERR_READ_ONLY:
        return WASL_READ_ONLY;
    case ERR_NEWER:
        return WASL_NEWER;
    case ERR_DAMAGED:
        return WASL_DAMAGED;
    case ERR_NO_MEMORY:
        return WASL_NO_MEMORY;
    default:
        return WASL_FAILED;
    }
}

static enum wasl_code report(enum err_code code, const struct err *e, struct wasl_error *to)
{
    if (to) {
        to->code = public_code(code);
        snprintf(to->text, sizeof(to->text), "%s", code ? err_message(e) : "");
    }
    return public_code(code);
}

static enum wasl_code missing(const char *text, struct wasl_error *error)
{
    struct err e = {0};
    return report(err_set(&e, ERR_INVALID, "%s", text), &e, error);
}

// A child has neither the threads nor the locks of its parent, but the same open file: what it
// wrote would stop the parent from writing ever again.
static bool is_usable(const struct wasl *w)
{
    return w != NULL && w->owner == getpid();
}

const char *wasl_version(void)
{
    return WASL_VERSION;
}

// ---- the sync thread --------------------------------------------------------------------------

static void look(struct wasl *w)
{
    pthread_mutex_lock(&w->view_lock);
    uplink_service_view(w->uplink, &w->view);
    pthread_mutex_unlock(&w->view_lock);
}

static void on_committed(void *context, const struct writer_news *news)
{
    struct wasl *w = context;
    if (w->uplink == NULL)
        return;
    uplink_service_committed(w->uplink, news->moved, news->moved_count);
    look(w);
}

static void on_look(void *context)
{
    look(context);
}

static void *sync_thread(void *context)
{
    struct wasl *w = context;
    struct loop_timer *timer = NULL;
    if (loop_timer_new(w->loop, on_look, w, &timer) == ERR_OK)
        loop_timer_start(timer, 0, LOOK_MS);
    loop_run(w->loop);
    loop_timer_free(timer);
    upkeep_close(w->upkeep);
    catalog_keeper_close(w->catalog);
    uplink_service_close(w->uplink);
    w->upkeep = NULL;
    w->catalog = NULL;
    w->uplink = NULL;
    writer_end(w->writer);
    for (int i = 0; i < 20; i++)
        loop_run_once(w->loop, 5);
    return NULL;
}

static enum err_code start_sync(struct wasl *w, struct err *e)
{
    struct uplink_service_options options = {w->loop, w->writer, w->journal, &w->config};
    struct upkeep_options upkeep = {w->loop, w->writer, &w->config};
    enum err_code code = uplink_service_open(&options, &w->uplink, e);
    if (code == ERR_OK)
        code = upkeep_open(&upkeep, &w->upkeep, e);
    struct catalog_keeper_options catalog = {w->loop, w->writer, &w->config, w->uplink};
    if (code == ERR_OK)
        code = catalog_keeper_open(&catalog, &w->catalog, e);
    if (code)
        return code;
    if (pthread_create(&w->thread, NULL, sync_thread, w) != 0)
        return err_set(e, ERR_NO_MEMORY, "the sync thread cannot be started");
    w->syncing = true;
    return ERR_OK;
}

// ---- opening ----------------------------------------------------------------------------------

static enum err_code open_parts(struct wasl *w, const char *dir, bool sync, struct err *e)
{
    enum err_code code = config_read(dir, &w->config, e);
    if (code == ERR_OK && w->config.role != ROLE_TERMINAL)
        code = err_set(e, ERR_UNSUPPORTED, "%s is not a terminal's folder", dir);
    if (code == ERR_OK)
        code = journal_open(&w->config, &w->journal, e);
    if (code == ERR_OK && sync) // it stays open for long
        store_lengthen_log(journal_store(w->journal));
    if (code == ERR_OK && sync)
        code = loop_new(&w->loop, e);
    struct writer_hooks hooks = {on_committed, w};
    if (code == ERR_OK)
        code = writer_open(w->journal, w->loop, &hooks, &w->writer, e);
    return code || !sync ? code : start_sync(w, e);
}

enum wasl_code wasl_open(const char *dir, bool sync, struct wasl **ret, struct wasl_error *error)
{
    struct err e = {0};
    if (dir == NULL || ret == NULL)
        return missing("a folder and a place for the result are needed", error);
    struct wasl *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return report(ERR_NO_MEMORY, &e, error);
    w->owner = getpid();
    pthread_mutex_init(&w->view_lock, NULL);
    pthread_mutex_init(&w->ids_lock, NULL);
    enum err_code code = open_parts(w, dir, sync, &e);
    if (code)
        wasl_close(w);
    else
        *ret = w;
    return report(code, &e, error);
}

void wasl_close(struct wasl *w)
{
    if (!is_usable(w))
        return;
    if (w->syncing) {
        loop_stop(w->loop);
        pthread_join(w->thread, NULL);
    } else {
        upkeep_close(w->upkeep);
        catalog_keeper_close(w->catalog);
        uplink_service_close(w->uplink);
    }
    writer_end(w->writer);
    loop_free(w->loop); // what is still posted to it knows the writer
    writer_close(w->writer);
    journal_close(w->journal);
    pthread_mutex_destroy(&w->view_lock);
    pthread_mutex_destroy(&w->ids_lock);
    free(w);
}

// ---- appending --------------------------------------------------------------------------------

struct append_job {
    struct job job;
    struct event *drafts;
    bool *valid;
    struct wasl_result *results;
    size_t count;
};

static enum err_code run_append(struct job *job, struct journal *j, struct err *e)
{
    struct append_job *append = (struct append_job *)job;
    for (size_t i = 0; i < append->count; i++) {
        struct journal_added added;
        if (!append->valid[i])
            continue;
        struct event draft = append->drafts[i];
        enum err_code code = journal_add(j, &draft, &added, e);
        if (code)
            return code;
        append->results[i].verdict = (enum wasl_verdict)added.verdict;
        snprintf(append->results[i].reason, sizeof(append->results[i].reason), "%s", added.reason);
    }
    return ERR_OK;
}

static struct uuid make_id(struct wasl *w)
{
    uint8_t random[10];
    clock_random(random, sizeof(random));
    pthread_mutex_lock(&w->ids_lock);
    struct uuid id = uuid_make_v7(&w->ids, (uint64_t)clock_wall_ms(), random);
    pthread_mutex_unlock(&w->ids_lock);
    return id;
}

static bool read_name(const char *text, struct str *ret)
{
    *ret = str_of(text);
    return event_name_valid(*ret) && str_is_plain(*ret);
}

static enum err_code read_body(const char *text, struct arena *arena, struct event *draft,
                               struct err *e)
{
    struct json json = {0}; // one level of the event's depth is the event itself
    enum err_code code = json_parse_in(arena, str_of(text), LIMIT_EVENT_DEPTH - 1, &json, e);
    if (code == ERR_OK && !yyjson_is_obj(json.root))
        code = err_set(e, ERR_INVALID, "body: not a JSON object");
    if (code == ERR_OK && !event_is_plain(json.root))
        code = err_set(e, ERR_INVALID, "body: a text with control characters");
    draft->body = json.root;
    return code;
}

// Reads one event; an error is the reason for its rejection.
static enum err_code read_draft(struct wasl *w, const struct wasl_event *from, struct arena *arena,
                                struct event *ret, struct err *e)
{
    *ret = (struct event){.at = from->at ? from->at : clock_wall_ms()};
    if (ret->at < 0 || ret->at > LIMIT_CLOCK_MS) // its readers would refuse the envelope
        return err_set(e, ERR_INVALID, "at: out of range");
    if (from->id == NULL)
        ret->id = make_id(w);
    else if (uuid_parse(str_of(from->id), &ret->id) || !event_id_valid(&ret->id))
        return err_set(e, ERR_INVALID, "id: must be a UUID of version 7, 4 or 8");
    if (from->cause && uuid_parse(str_of(from->cause), &ret->cause))
        return err_set(e, ERR_INVALID, "cause: not a UUID");
    const char *location = from->location ? from->location : w->config.location;
    if (!read_name(location, &ret->location) || !read_name(from->record_id, &ret->record_id) ||
        !read_name(from->record_type, &ret->record_type) || !read_name(from->type, &ret->type_name))
        return err_set(e, ERR_INVALID, "type, record and location are names of 1 to 64 bytes");
    if (!event_location_valid(ret->location))
        return err_set(e, ERR_INVALID, "location: * is the whole chain, not a place");
    if (from->actor && !read_name(from->actor, &ret->actor))
        return err_set(e, ERR_INVALID, "actor: not a name of 1 to 64 bytes");
    ret->type = event_type_find(ret->type_name);
    if (ret->type == NULL)
        return err_set(e, ERR_INVALID, "type: '%.64s' is unknown", from->type);
    if (event_type_check_record(ret->type, ret->record_type, e))
        return ERR_INVALID;
    ret->version = ret->type->version;
    ret->lane = ret->type->lane;
    return from->body ? read_body(from->body, arena, ret, e)
                      : err_set(e, ERR_INVALID, "body: missing");
}

static void read_drafts(struct wasl *w, const struct wasl_event *events, struct arena *arena,
                        struct append_job *job)
{
    for (size_t i = 0; i < job->count; i++) {
        struct err why = {0};
        struct wasl_result *result = &job->results[i];
        *result = (struct wasl_result){.verdict = WASL_REJECTED};
        enum err_code code = read_draft(w, &events[i], arena, &job->drafts[i], &why);
        job->valid[i] = code == ERR_OK;
        uuid_format(&job->drafts[i].id, result->id);
        if (code)
            snprintf(result->reason, sizeof(result->reason), "%s", err_message(&why));
    }
}

enum wasl_code wasl_append(struct wasl *w, const struct wasl_event *events, size_t count,
                           struct wasl_result *results, struct wasl_error *error)
{
    struct err e = {0};
    if (!is_usable(w) || events == NULL || results == NULL)
        return missing("a till of this process, events and room for their results are needed",
                       error);
    if (count == 0 || count > LIMIT_BATCH_EVENTS)
        return report(err_set(&e, ERR_LIMIT, "1 to %d events a call", LIMIT_BATCH_EVENTS), &e,
                      error);
    struct arena arena;
    arena_init(&arena, APPEND_ARENA);
    struct append_job job = {.job = {.run = run_append}, .results = results, .count = count};
    job.drafts = arena_alloc_zero(&arena, count * sizeof(*job.drafts));
    job.valid = arena_alloc_zero(&arena, count * sizeof(*job.valid));
    enum err_code code = ERR_NO_MEMORY;
    if (job.drafts && job.valid) {
        read_drafts(w, events, &arena, &job);
        code = writer_run(w->writer, &job.job);
        e = job.job.error;
    }
    arena_fini(&arena);
    return report(code, &e, error);
}

// ---- reading ----------------------------------------------------------------------------------

struct stock_job {
    struct job job;
    const char *sku;
    bool (*each)(void *context, const char *sku, int64_t quantity);
    void *context;
};

static bool on_stock(void *context, const struct stock_row *row)
{
    struct stock_job *stock = context;
    char sku[LIMIT_NAME + 1];
    if (str_copy(sku, sizeof(sku), row->sku))
        return true;
    return stock->each(stock->context, sku, row->quantity);
}

static enum err_code run_stock(struct job *job, struct journal *j, struct err *e)
{
    struct stock_job *stock = (struct stock_job *)job;
    return store_stock_each(journal_store(j), str_of(journal_identity(j)->location),
                            str_of(stock->sku), on_stock, stock, e);
}

enum wasl_code wasl_stock(struct wasl *w, const char *sku,
                          bool (*each)(void *context, const char *sku, int64_t quantity),
                          void *context, struct wasl_error *error)
{
    if (!is_usable(w) || each == NULL)
        return missing("a till of this process and a function for its rows are needed", error);
    struct stock_job job = {{.reads = true, .run = run_stock}, sku, each, context};
    enum err_code code = writer_run(w->writer, &job.job);
    return report(code, &job.job.error, error);
}

struct count_job {
    struct job job;
    struct store_counts counts;
};

static enum err_code run_counts(struct job *job, struct journal *j, struct err *e)
{
    return store_counts(journal_store(j), &((struct count_job *)job)->counts, e);
}

enum wasl_code wasl_status(struct wasl *w, struct wasl_status *ret, struct wasl_error *error)
{
    if (!is_usable(w) || ret == NULL)
        return missing("a till of this process and a place for the result are needed", error);
    struct count_job job = {.job = {.reads = true, .run = run_counts}};
    enum err_code code = writer_run(w->writer, &job.job);
    if (code)
        return report(code, &job.job.error, error);
    *ret = (struct wasl_status){.oldest_pending_at = job.counts.oldest_pending_at,
                                .last_sync_at = job.counts.last_sync_at,
                                .dead_letters = job.counts.dead_letters,
                                .reviews = job.counts.reviews};
    for (int i = 0; i < LANE_COUNT; i++) {
        ret->pending += job.counts.pending[i];
        ret->held += job.counts.held[i];
        ret->settled += job.counts.settled[i];
    }
    pthread_mutex_lock(&w->view_lock);
    ret->online = w->view.online;
    pthread_mutex_unlock(&w->view_lock);
    return report(ERR_OK, &job.job.error, error);
}
