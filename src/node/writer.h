// SPDX-License-Identifier: Apache-2.0
// The writer thread: takes jobs from any thread, runs them on the journal, many to one transaction.
//
// Why: one fsync for all that waits (group commit); nobody is told of success before it. Bulk jobs
//   (a backlog that is pushed) take turns, so that a batch stays short and a sale made now does not
//   wait for them all.
// Invariants: a writing job's 'run' is called with a transaction open; when it, or the commit,
// fails,
//   the whole batch is rolled back and each of its jobs runs again alone, so that one bad job
//   spoils only itself. Reading jobs see what is durable: they run behind the commit. 'done' is
//   called exactly once, on the loop, with the outcome of the commit.
// Ownership: the caller's job must live until 'done'. Limits: WRITER_QUEUE_MAX jobs.
#ifndef WASL_NODE_WRITER_H
#define WASL_NODE_WRITER_H

#include "base/hist.h"
#include "net/loop.h"
#include "node/journal.h"

enum { WRITER_QUEUE_MAX = 65536, WRITER_BATCH_JOBS = 512, WRITER_BATCH_BULK = 128 * 1024 };

struct writer;

struct job {
    struct job *next; // the writer's
    size_t bulk;      // bytes, 0: none: gives way to others, WRITER_BATCH_BULK bytes in one batch
    bool idle;        // runs when nothing else waits, in a transaction of its own
    bool passing;     // may be lost to a power cut: where all of a batch may, it is not synced
    bool reads;       // runs after its batch's commit, outside any transaction
    // May be called again after a rollback: it must begin afresh. An error return fails the job.
    enum err_code (*run)(struct job *job, struct journal *j, struct err *e);
    void (*done)(struct job *job); // on the loop's thread; code and error say how it went
    enum err_code code;
    struct err error;
};

// What a commit changed, told on the loop before its jobs' done.
struct writer_news {
    struct outbox_head *moved; // streams that go up
    size_t moved_count;
    struct writer_feed {
        char location[LIMIT_NAME + 1];
        uint64_t head;
    } * feeds; // feeds that may have moved
    size_t feed_count;
    bool sessions_over; // of a server with its devices: all of them
};
struct writer_hooks {
    void (*committed)(void *context, const struct writer_news *news);
    void *context;
};

enum err_code writer_open(struct journal *j, struct loop *loop, const struct writer_hooks *hooks,
                          struct writer **ret, struct err *e) MUST_CHECK;
// Takes no more, finishes what is queued and ends the thread. 'done' callbacks still come on the
// loop, until writer_owes is 0.
void writer_end(struct writer *w);          // accepts NULL
size_t writer_owes(const struct writer *w); // jobs whose 'done' has not been called
void writer_close(struct writer *w);        // after writer_end and loop_free; accepts NULL
enum err_code writer_post(struct writer *w, struct job *job) MUST_CHECK; // ERR_BUSY when full
size_t writer_queued(const struct writer *w);

// How long group commits took, from begin to commit. Any thread.
struct writer_stats {
    uint64_t count, sum_us; // since the start
    struct hist recent;     // of the last one to two minutes, in us
};
void writer_read_stats(struct writer *w, struct writer_stats *ret);

// Runs one job at once in the calling thread, between two batches (for the C library).
enum err_code writer_run(struct writer *w, struct job *job) MUST_CHECK;

#endif
