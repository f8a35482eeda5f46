// SPDX-License-Identifier: Apache-2.0
#include "node/upkeep.h"

#include "base/clock.h"
#include "base/log.h"
#include "node/capacity.h"

#include <stdlib.h>

enum {
    LOOK_EVERY_MS = 5000,
    PRUNE_EVERY_MS = 60 * 1000, // from the end of one look through everything to the next
    PRUNE_PAUSE_MS = 20,        // between two transactions: the disk is for sales
    CALM_PERMILLE = 50, // so far below the warning before it is taken back: it must not flutter
};

struct upkeep {
    struct upkeep_options options;
    struct loop_timer *timer;
    struct loop_timer *prune_timer;
    bool closing;
    bool looking;
    bool hearing;
    struct prune_place {
        int64_t stream;
        struct store_trim feed;
    } prune_from;    // where dropping goes on
    uint64_t pruned; // in this look through everything
    unsigned jobs;   // and one for the owner
    bool warned[CAPACITY_KINDS];
    bool in_reserve;
    uint64_t reserves; // that were told of
};

static void release(struct upkeep *u)
{
    if (--u->jobs == 0)
        free(u);
}

// ---- how full it is ---------------------------------------------------------------------------

struct look_job {
    struct job job;
    struct upkeep *upkeep;
    struct store_room room;
    uint64_t outbox;
};

static enum err_code run_look(struct job *job, struct journal *j, struct err *e)
{
    struct look_job *look = (struct look_job *)job;
    look->outbox = journal_outbox(j);
    return store_room(journal_store(j), &look->room, e);
}

static void say_one(struct upkeep *u, const struct capacity *c, enum capacity_kind kind)
{
    int64_t used = c->used_permille[kind];
    if (c->warns[kind] && !u->warned[kind]) {
        log_line(LOG_WARN, "upkeep",
                 "the %s is %lld %% used: when it is full, only sales are taken",
                 capacity_name(kind), (long long)(used / 10));
        u->warned[kind] = true;
    } else if (u->warned[kind] && used + CALM_PERMILLE < u->options.config->warn_percent * 10) {
        log_line(LOG_INFO, "upkeep", "the %s has room again: %lld %% used", capacity_name(kind),
                 (long long)(used / 10));
        u->warned[kind] = false;
    }
}

static void say(struct upkeep *u, const struct look_job *look)
{
    struct capacity c = capacity_of(u->options.config, &look->room, look->outbox);
    for (int i = 0; i < CAPACITY_KINDS; i++)
        say_one(u, &c, (enum capacity_kind)i);
    bool begun = look->room.entered != u->reserves; // and perhaps over already
    if ((c.reserve || begun) && !u->in_reserve)
        log_line(LOG_ERROR, "upkeep", "the reserve is in use: only what finishes sales is taken");
    if (!c.reserve && (u->in_reserve || begun))
        log_line(LOG_INFO, "upkeep", "there is room again: everything is taken");
    u->in_reserve = c.reserve;
    u->reserves = look->room.entered;
}

static void done_look(struct job *job)
{
    struct look_job *look = (struct look_job *)job;
    struct upkeep *u = look->upkeep;
    u->looking = false;
    if (job->code == ERR_OK && !u->closing)
        say(u, look);
    free(look);
    release(u);
}

static void look(struct upkeep *u)
{
    struct look_job *job = u->looking ? NULL : calloc(1, sizeof(*job));
    if (job == NULL)
        return;
    *job =
        (struct look_job){.job = {.reads = true, .run = run_look, .done = done_look}, .upkeep = u};
    if (writer_post(u->options.writer, &job->job)) {
        free(job);
        return;
    }
    u->looking = true;
    u->jobs++;
}

// ---- what it need not keep --------------------------------------------------------------------

// At a device old events, at a centre what its feeds need not repeat.
struct prune_job {
    struct job job;
    struct upkeep *upkeep;
    struct prune_place from, next;
    size_t pruned;
};

static enum err_code run_prune(struct job *job, struct journal *j, struct err *e)
{
    struct prune_job *prune = (struct prune_job *)job;
    prune->next = prune->from;
    return prune->upkeep->options.config->role == ROLE_CENTRAL
               ? journal_trim(j, &prune->next.feed, &prune->pruned, e)
               : journal_prune(j, &prune->next.stream, &prune->pruned, e);
}

static int64_t prune_pause(const struct upkeep *u)
{
    int64_t keep = u->options.config->keep_ms / 2;
    return keep < PRUNE_EVERY_MS ? keep : PRUNE_EVERY_MS;
}

static void done_prune(struct job *job)
{
    struct prune_job *prune = (struct prune_job *)job;
    struct upkeep *u = prune->upkeep;
    bool more = job->code == ERR_OK && (prune->next.stream != 0 || prune->next.feed.feed != 0);
    if (job->code)
        log_line(LOG_WARN, "upkeep", "old events could not be dropped: %s",
                 err_message(&job->error));
    u->pruned += prune->pruned;
    if (!more && u->pruned)
        log_line(LOG_INFO, "upkeep",
                 u->options.config->role == ROLE_CENTRAL
                     ? "%llu events of what is over are not told any more"
                     : "%llu settled events are not kept any more",
                 (unsigned long long)u->pruned);
    u->prune_from = more ? prune->next : (struct prune_place){0};
    u->pruned = more ? u->pruned : 0;
    if (!u->closing)
        loop_timer_start(u->prune_timer, more ? PRUNE_PAUSE_MS : prune_pause(u), 0);
    free(prune);
    release(u);
}

static void prune(void *context)
{
    struct upkeep *u = context;
    struct prune_job *job = calloc(1, sizeof(*job));
    if (job) {
        *job = (struct prune_job){.job = {.idle = true, .run = run_prune, .done = done_prune},
                                  .upkeep = u,
                                  .from = u->prune_from};
        if (writer_post(u->options.writer, &job->job) == ERR_OK) {
            u->jobs++;
            return;
        }
    }
    free(job);
    loop_timer_start(u->prune_timer, prune_pause(u), 0);
}

// ---- what nobody judged yet ---------------------------------------------------------------------

struct hear_job {
    struct job job;
    struct upkeep *upkeep;
};

static enum err_code run_hear(struct job *job, struct journal *j, struct err *e)
{
    (void)job;
    enum err_code code = journal_hear_reservations(j, e);
    return code ? code : journal_hear_prices(j, e);
}

static void done_hear(struct job *job)
{
    struct hear_job *hear = (struct hear_job *)job;
    struct upkeep *u = hear->upkeep;
    if (job->code)
        log_line(LOG_WARN, "upkeep", "what waited could not be judged: %s",
                 err_message(&job->error));
    u->hearing = false;
    free(hear);
    release(u);
}

static void hear(struct upkeep *u)
{
    bool decides = u->options.config->role == ROLE_CENTRAL && !u->hearing;
    struct hear_job *job = decides ? calloc(1, sizeof(*job)) : NULL;
    if (job == NULL)
        return;
    *job =
        (struct hear_job){.job = {.idle = true, .run = run_hear, .done = done_hear}, .upkeep = u};
    if (writer_post(u->options.writer, &job->job)) {
        free(job);
        return;
    }
    u->hearing = true;
    u->jobs++;
}

// ---- opening ----------------------------------------------------------------------------------

static void on_timer(void *context)
{
    look(context);
    hear(context);
}

enum err_code upkeep_open(const struct upkeep_options *options, struct upkeep **ret, struct err *e)
{
    struct upkeep *u = calloc(1, sizeof(*u));
    if (u == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    *u = (struct upkeep){.options = *options, .jobs = 1};
    enum err_code code = loop_timer_new(options->loop, on_timer, u, &u->timer);
    if (code == ERR_OK)
        code = loop_timer_new(options->loop, prune, u, &u->prune_timer);
    if (code) {
        upkeep_close(u);
        return err_set(e, code, "the upkeep");
    }
    loop_timer_start(u->timer, 0, LOOK_EVERY_MS);
    if (options->config->role != ROLE_BRANCH)
        loop_timer_start(u->prune_timer, prune_pause(u), 0);
    *ret = u;
    return ERR_OK;
}

void upkeep_close(struct upkeep *u)
{
    if (u == NULL)
        return;
    u->closing = true;
    loop_timer_free(u->timer);
    loop_timer_free(u->prune_timer);
    release(u);
}
