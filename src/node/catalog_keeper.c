// SPDX-License-Identifier: Apache-2.0
//
//   timer ──► sweep some ──not done──► pause, again
//               │ done
//               ▼
//   check due? ──► check some ──not done──► pause, again
//               │ done, and not sound: doubt it, tell the uplink
//               ▼
//             look again later
#include "node/catalog_keeper.h"

#include "base/clock.h"
#include "base/log.h"

#include <stdlib.h>

enum { LOOK_EVERY_MS = 5000, PAUSE_MS = 20 };

struct catalog_keeper {
    struct catalog_keeper_options options;
    struct loop_timer *timer;
    bool closing;
    unsigned jobs; // and one for the owner
    struct catalog_walk sweep;
    struct catalog_check check;
    bool checking;
    int64_t checked_ms; // monotonic; 0: not since the start
};

static void release(struct catalog_keeper *k)
{
    if (--k->jobs == 0)
        free(k);
}

static void wait(struct catalog_keeper *k, int64_t ms)
{
    int64_t every = k->options.config->catalog_check_ms;
    if (!k->closing)
        loop_timer_start(k->timer, ms < every ? ms : every, 0);
}

// ---- one step ---------------------------------------------------------------------------------

struct keep_job {
    struct job job;
    struct catalog_keeper *keeper;
    struct catalog_walk sweep;
    struct catalog_check check;
    bool checks;
    struct message_catalog shown, refused;
};

static enum err_code run_sweep(struct job *job, struct journal *j, struct err *e)
{
    struct keep_job *keep = (struct keep_job *)job;
    keep->sweep = keep->keeper->sweep;
    return store_catalog_sweep(journal_store(j), &keep->sweep, e);
}

static enum err_code run_check(struct job *job, struct journal *j, struct err *e)
{
    struct keep_job *keep = (struct keep_job *)job;
    keep->check = keep->keeper->check;
    return store_catalog_check(journal_store(j), &keep->check, e);
}

static enum err_code run_doubt(struct job *job, struct journal *j, struct err *e)
{
    struct keep_job *keep = (struct keep_job *)job;
    enum err_code code = store_catalog_doubt(journal_store(j), &keep->keeper->check.found, e);
    return code ? code : journal_catalog(j, &keep->shown, &keep->refused, e);
}

static void after_sweep(struct catalog_keeper *k, const struct keep_job *keep)
{
    int64_t now = clock_mono_ms();
    k->sweep = keep->sweep;
    bool due = k->checked_ms == 0 || now - k->checked_ms >= k->options.config->catalog_check_ms;
    if (k->sweep.done && due)
        k->checking = true;
    wait(k, k->sweep.done && !due ? LOOK_EVERY_MS : PAUSE_MS);
}

static void after_check(struct catalog_keeper *k, const struct keep_job *keep);

static void done(struct job *job)
{
    struct keep_job *keep = (struct keep_job *)job;
    struct catalog_keeper *k = keep->keeper;
    if (job->code)
        log_line(LOG_WARN, "catalog", "could not be looked after: %s", err_message(&job->error));
    if (job->code) {
        k->checking = false;
        wait(k, LOOK_EVERY_MS);
    } else if (job->run == run_sweep) {
        after_sweep(k, keep);
    } else if (job->run == run_check) {
        after_check(k, keep);
    } else {
        if (!k->closing)
            uplink_service_doubt(k->options.uplink, &keep->shown, &keep->refused);
        wait(k, LOOK_EVERY_MS);
    }
    free(keep);
    release(k);
}

static void post(struct catalog_keeper *k, struct job how)
{
    struct keep_job *keep = k->closing ? NULL : calloc(1, sizeof(*keep));
    if (keep) {
        keep->job = how;
        keep->keeper = k;
        if (writer_post(k->options.writer, &keep->job) == ERR_OK) {
            k->jobs++;
            return;
        }
    }
    free(keep);
    wait(k, LOOK_EVERY_MS);
}

static void after_check(struct catalog_keeper *k, const struct keep_job *keep)
{
    k->check = keep->check;
    if (!k->check.at.done) {
        wait(k, PAUSE_MS);
        return;
    }
    k->checking = false;
    k->checked_ms = clock_mono_ms();
    if (k->check.sound) {
        wait(k, LOOK_EVERY_MS);
        return;
    }
    log_line(LOG_ERROR, "catalog",
             "version %llu is not what was published: somebody changed it here",
             (unsigned long long)k->check.found.number);
    post(k, (struct job){.run = run_doubt, .done = done});
}

static void on_timer(void *context)
{
    struct catalog_keeper *k = context;
    if (k->checking)
        post(k, (struct job){.reads = true, .run = run_check, .done = done});
    else
        post(k, (struct job){.idle = true, .passing = true, .run = run_sweep, .done = done});
}

// ---- opening ----------------------------------------------------------------------------------

enum err_code catalog_keeper_open(const struct catalog_keeper_options *options,
                                  struct catalog_keeper **ret, struct err *e)
{
    struct catalog_keeper *k = calloc(1, sizeof(*k));
    if (k == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    *k = (struct catalog_keeper){.options = *options, .jobs = 1};
    enum err_code code = loop_timer_new(options->loop, on_timer, k, &k->timer);
    if (code) {
        catalog_keeper_close(k);
        return err_set(e, code, "the catalog's keeper");
    }
    wait(k, PAUSE_MS);
    *ret = k;
    return ERR_OK;
}

void catalog_keeper_close(struct catalog_keeper *k)
{
    if (k == NULL)
        return;
    k->closing = true;
    loop_timer_free(k->timer);
    release(k);
}
