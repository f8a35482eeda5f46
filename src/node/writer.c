// SPDX-License-Identifier: Apache-2.0
#include "node/writer.h"

#include "base/clock.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

enum { NEWS_MAX = 4096, STATS_WINDOW_MS = 60 * 1000 };

// Two locks: 'queue_lock' guards the list of waiting jobs and is held for moments; 'journal_lock'
// is held by whoever works on the journal, the thread or a caller of writer_run. Never both.

struct queue {
    struct job *first;
    struct job **end;
};

struct writer {
    struct journal *journal;
    struct loop *loop;
    struct writer_hooks hooks;
    pthread_t thread;
    bool started;
    pthread_mutex_t queue_lock;
    pthread_cond_t wake;
    struct queue jobs, bulk, idle;
    size_t queued; // atomic for those who only look
    size_t owed;   // atomic: jobs whose 'done' has not been called
    bool closing;
    pthread_mutex_t stats_lock; // for a moment, inside or outside of the others
    uint64_t commits, commits_us;
    struct hist commit_us[2]; // this window and the one before
    int64_t window_ms;
    pthread_mutex_t journal_lock;
    // of the batch under way, under journal_lock
    struct outbox_head moved[NEWS_MAX];
    size_t moved_count;
    char touched[NEWS_MAX + 1][LIMIT_NAME + 1];
    size_t touched_count;
    bool sessions_over;
};

// What goes to the loop at once: news, then finished jobs.
struct delivery {
    struct writer *writer;
    struct writer_news news;
    struct job *jobs;
};

static void deliver(void *context)
{
    struct delivery *d = context;
    bool news = d->news.moved_count || d->news.feed_count || d->news.sessions_over;
    if (d->writer->hooks.committed && news)
        d->writer->hooks.committed(d->writer->hooks.context, &d->news);
    while (d->jobs) {
        struct job *job = d->jobs;
        d->jobs = job->next;
        job->next = NULL;
        __atomic_fetch_sub(&d->writer->owed, 1, __ATOMIC_RELAXED);
        if (job->done)
            job->done(job);
    }
    free(d->news.moved);
    free(d->news.feeds);
    free(d);
}

// ---- how long it takes ------------------------------------------------------------------------

static void turn_window(struct writer *w)
{
    int64_t age = clock_mono_ms() - w->window_ms;
    if (age < STATS_WINDOW_MS)
        return;
    if (age < 2 * STATS_WINDOW_MS)
        w->commit_us[1] = w->commit_us[0];
    else
        hist_reset(&w->commit_us[1]);
    hist_reset(&w->commit_us[0]);
    w->window_ms = clock_mono_ms();
}

static void note_commit(struct writer *w, int64_t took_us)
{
    pthread_mutex_lock(&w->stats_lock);
    turn_window(w);
    hist_add(&w->commit_us[0], (uint64_t)took_us);
    w->commits++;
    w->commits_us += (uint64_t)took_us;
    pthread_mutex_unlock(&w->stats_lock);
}

void writer_read_stats(struct writer *w, struct writer_stats *ret)
{
    pthread_mutex_lock(&w->stats_lock);
    turn_window(w);
    ret->count = w->commits;
    ret->sum_us = w->commits_us;
    ret->recent = w->commit_us[0];
    hist_merge(&ret->recent, &w->commit_us[1]);
    pthread_mutex_unlock(&w->stats_lock);
}

// ---- one batch --------------------------------------------------------------------------------

// After each commit: what it moved, beside what the batch's earlier commits moved.
static void collect_news(struct writer *w)
{
    w->moved_count +=
        journal_take_moved(w->journal, w->moved + w->moved_count, NEWS_MAX - w->moved_count);
    w->touched_count += journal_take_touched(w->journal, w->touched + w->touched_count,
                                             NEWS_MAX - w->touched_count);
    w->sessions_over = journal_take_sessions_over(w->journal) || w->sessions_over;
}

static void read_heads(struct writer *w, struct writer_news *news)
{
    struct store *store = journal_store(w->journal);
    if (w->touched_count == 0 || store_role(store) == ROLE_TERMINAL)
        return;
    news->feeds = calloc(w->touched_count + 1, sizeof(*news->feeds));
    MUST(news->feeds != NULL);
    memcpy(w->touched[w->touched_count], "*", 2);
    for (size_t i = 0; i <= w->touched_count; i++) {
        struct feed_cursor head;
        if (store_feed_head(store, str_of(w->touched[i]), &head, NULL) != ERR_OK)
            continue;
        struct writer_feed *feed = &news->feeds[news->feed_count++];
        memcpy(feed->location, w->touched[i], sizeof(feed->location));
        feed->head = head.position;
    }
}

static void make_news(struct writer *w, struct writer_news *news)
{
    read_heads(w, news);
    news->moved = w->moved_count ? malloc(w->moved_count * sizeof(*news->moved)) : NULL;
    MUST(news->moved != NULL || w->moved_count == 0); // else what was sold would not be sent
    if (news->moved) {
        memcpy(news->moved, w->moved, w->moved_count * sizeof(*news->moved));
        news->moved_count = w->moved_count;
    }
    news->sessions_over = w->sessions_over;
    w->moved_count = w->touched_count = 0;
    w->sessions_over = false;
}

static bool all_pass(const struct job *jobs)
{
    while (jobs && (jobs->reads || jobs->passing))
        jobs = jobs->next;
    return jobs == NULL;
}

static enum err_code run_writes(struct writer *w, struct job *jobs)
{
    struct err e = {0};
    int64_t from_us = clock_mono_us();
    enum err_code code =
        all_pass(jobs) ? journal_begin_passing(w->journal, &e) : journal_begin(w->journal, &e);
    for (struct job *job = jobs; code == ERR_OK && job; job = job->next) {
        if (job->reads)
            continue;
        job->code = job->run(job, w->journal, &e);
        code = job->code;
        if (code)
            journal_rollback(w->journal);
    }
    if (code == ERR_OK)
        code = journal_commit(w->journal, &e);
    if (code == ERR_OK) {
        if (!jobs->idle) // nobody waits for that one
            note_commit(w, clock_mono_us() - from_us);
        collect_news(w);
    }
    for (struct job *job = jobs; job; job = job->next) {
        if (job->reads)
            continue;
        job->code = code;
        job->error = e;
    }
    return code;
}

static void run_reads(struct writer *w, struct job *jobs)
{
    for (struct job *job = jobs; job; job = job->next) {
        if (job->reads)
            job->code = job->run(job, w->journal, &job->error);
    }
}

static bool has_writes(const struct job *jobs)
{
    while (jobs && jobs->reads)
        jobs = jobs->next;
    return jobs != NULL;
}

// A full disk may have opened a reserve: then what did not fit does now.
static enum err_code run_in_room(struct writer *w, struct job *jobs)
{
    unsigned before = store_reserve(journal_store(w->journal));
    enum err_code code = run_writes(w, jobs);
    while (code == ERR_DISK_FULL && (store_reserve(journal_store(w->journal)) & ~before)) {
        before |= store_reserve(journal_store(w->journal));
        code = run_writes(w, jobs);
    }
    return code;
}

// All together; when that fails and there are several, each alone, in order.
static void run_batch(struct writer *w, struct job *jobs, struct writer_news *news)
{
    bool several = jobs->next != NULL;
    if (has_writes(jobs) && run_in_room(w, jobs) && several) {
        for (struct job *job = jobs; job; job = job->next) {
            struct job *rest = job->next;
            job->next = NULL;
            if (!job->reads)
                (void)!run_in_room(w, job);
            job->next = rest;
        }
    }
    make_news(w, news);
    run_reads(w, jobs);
}

// ---- the thread -------------------------------------------------------------------------------

// Moves jobs, in order, behind *end, until they are most jobs or bulk bytes; the new end.
static struct job **take_jobs(struct writer *w, struct queue *queue, size_t most, struct job **end)
{
    size_t count = 0, bytes = 0;
    while (queue->first && count < most && bytes < WRITER_BATCH_BULK) {
        struct job *job = queue->first;
        queue->first = job->next;
        job->next = NULL;
        *end = job;
        end = &job->next;
        bytes += job->bulk;
        count++;
    }
    if (queue->first == NULL)
        queue->end = &queue->first;
    __atomic_fetch_sub(&w->queued, count, __ATOMIC_RELAXED);
    return end;
}

static struct job *take_batch(struct writer *w)
{
    struct job *jobs = NULL;
    pthread_mutex_lock(&w->queue_lock);
    while (w->jobs.first == NULL && w->bulk.first == NULL && w->idle.first == NULL && !w->closing)
        pthread_cond_wait(&w->wake, &w->queue_lock);
    struct job **end = take_jobs(w, &w->jobs, WRITER_BATCH_JOBS, &jobs);
    (void)take_jobs(w, &w->bulk, WRITER_BATCH_JOBS, end);
    if (jobs == NULL)
        (void)take_jobs(w, &w->idle, 1, &jobs);
    pthread_mutex_unlock(&w->queue_lock);
    return jobs;
}

static void send_off(struct delivery *d)
{
    while (loop_post(d->writer->loop, deliver, d) != ERR_OK)
        sched_yield(); // the loop is behind, or out of memory: its queue empties as it runs
}

static void *work(void *context)
{
    struct writer *w = context;
    struct job *jobs;
    while ((jobs = take_batch(w)) != NULL) {
        struct delivery *d = calloc(1, sizeof(*d));
        MUST(d != NULL);
        d->writer = w;
        d->jobs = jobs;
        pthread_mutex_lock(&w->journal_lock);
        run_batch(w, jobs, &d->news);
        pthread_mutex_unlock(&w->journal_lock);
        send_off(d);
    }
    return NULL;
}

enum err_code writer_open(struct journal *j, struct loop *loop, const struct writer_hooks *hooks,
                          struct writer **ret, struct err *e)
{
    struct writer *w = calloc(1, sizeof(*w));
    if (w == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    w->journal = j;
    w->loop = loop;
    if (hooks)
        w->hooks = *hooks;
    w->jobs.end = &w->jobs.first;
    w->bulk.end = &w->bulk.first;
    w->idle.end = &w->idle.first;
    pthread_mutex_init(&w->queue_lock, NULL);
    pthread_mutex_init(&w->journal_lock, NULL);
    pthread_mutex_init(&w->stats_lock, NULL);
    w->window_ms = clock_mono_ms();
    pthread_cond_init(&w->wake, NULL);
    if (loop && pthread_create(&w->thread, NULL, work, w) != 0) {
        free(w);
        return err_set(e, ERR_NO_MEMORY, "the writer thread cannot be started");
    }
    w->started = loop != NULL;
    *ret = w;
    return ERR_OK;
}

void writer_end(struct writer *w)
{
    if (w == NULL || !w->started)
        return;
    pthread_mutex_lock(&w->queue_lock);
    w->closing = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->queue_lock);
    pthread_join(w->thread, NULL);
    w->started = false;
}

size_t writer_owes(const struct writer *w)
{
    return __atomic_load_n(&w->owed, __ATOMIC_RELAXED);
}

void writer_close(struct writer *w)
{
    if (w == NULL)
        return;
    writer_end(w);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->queue_lock);
    pthread_mutex_destroy(&w->journal_lock);
    pthread_mutex_destroy(&w->stats_lock);
    free(w);
}

enum err_code writer_post(struct writer *w, struct job *job)
{
    enum err_code code = ERR_OK;
    job->next = NULL;
    pthread_mutex_lock(&w->queue_lock);
    if (w->closing)
        code = ERR_CLOSED;
    else if (w->queued >= WRITER_QUEUE_MAX)
        code = ERR_BUSY;
    if (code == ERR_OK) {
        struct queue *queue = job->idle ? &w->idle : job->bulk ? &w->bulk : &w->jobs;
        *queue->end = job;
        queue->end = &job->next;
        __atomic_fetch_add(&w->queued, 1, __ATOMIC_RELAXED);
        __atomic_fetch_add(&w->owed, 1, __ATOMIC_RELAXED);
        pthread_cond_signal(&w->wake);
    }
    pthread_mutex_unlock(&w->queue_lock);
    return code;
}

size_t writer_queued(const struct writer *w)
{
    return __atomic_load_n(&w->queued, __ATOMIC_RELAXED);
}

enum err_code writer_run(struct writer *w, struct job *job)
{
    struct writer_news news = {0};
    job->next = NULL;
    pthread_mutex_lock(&w->journal_lock);
    run_batch(w, job, &news);
    pthread_mutex_unlock(&w->journal_lock);
    bool tells = w->loop && (news.moved_count || news.feed_count);
    struct delivery *d = tells ? calloc(1, sizeof(*d)) : NULL;
    MUST(d != NULL || !tells);
    if (d == NULL) {
        free(news.moved);
        free(news.feeds);
        return job->code;
    }
    d->writer = w;
    d->news = news;
    send_off(d);
    return job->code;
}
