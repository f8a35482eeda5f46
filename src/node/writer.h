// SPDX-License-Identifier: Apache-2.0
// The writer thread: takes jobs from any thread, runs them on the journal, many to one transaction.
//
// Why: one fsync for all that waits (group commit); nobody is told of success before it.
// Invariants: a job's 'run' is called with a transaction open; when it, or the commit, fails, the
//   whole batch is rolled back and each of its jobs runs again alone, so that one bad job spoils
//   only itself. 'done' is called exactly once, on the loop, with the outcome of the commit.
// Ownership: the caller's job must live until 'done'. Limits: WRITER_QUEUE_MAX jobs.
#ifndef WASL_NODE_WRITER_H
#define WASL_NODE_WRITER_H

#include "net/loop.h"
#include "node/journal.h"

enum { WRITER_QUEUE_MAX = 65536, WRITER_BATCH_JOBS = 512 };

struct writer;

struct job {
    struct job *next; // the writer's
    // May be called again after a rollback: it must begin afresh. An error return fails the job.
    enum err_code (*run)(struct job *job, struct journal *j, struct err *e);
    void (*done)(struct job *job); // on the loop's thread; code and error say how it went
    enum err_code code;
    struct err error;
};

// What happened to the journal in a transaction, told on the loop before the jobs' done.
struct writer_hooks {
    void (*moved)(void *context, const struct journal_moved *moved, size_t count);
    void (*touched)(void *context, const char (*locations)[LIMIT_NAME + 1], const uint64_t *heads,
                    size_t count);
    void *context;
};

enum err_code writer_open(struct journal *j, struct loop *loop, const struct writer_hooks *hooks,
                          struct writer **ret, struct err *e) MUST_CHECK;
// Finishes what is queued, then ends the thread. Done callbacks still come on the loop.
void writer_close(struct writer *w); // accepts NULL
enum err_code writer_post(struct writer *w, struct job *job) MUST_CHECK; // ERR_BUSY when full
size_t writer_queued(const struct writer *w);

// Runs one job at once in the calling thread, between two batches (for the C library).
enum err_code writer_run(struct writer *w, struct job *job) MUST_CHECK;

#endif
