// SPDX-License-Identifier: Apache-2.0
// Takes drafts of events, many to one transaction, into a journal or a running node.
//
// Why: an import of a million tickets must not wait for a million fsyncs, and must not care
//   whether the node runs.
// Invariants: a verdict is told only for what is durable; drafts are written in order.
// Ownership: what is queued is the sink's; event_sink_close drops what was not flushed.
// Limits: LIMIT_BATCH_EVENTS drafts and LIMIT_BATCH_BYTES a transaction or request.
#ifndef WASL_CLI_EVENT_SINK_H
#define WASL_CLI_EVENT_SINK_H

#include "cli/access.h"

struct event_sink_verdict {
    enum journal_verdict verdict;
    const char *reason; // with VERDICT_REJECTED
};

struct event_sink {
    struct access *access;
    struct buf drafts; // JSON objects, with a ',' between them
    struct arena arena;
    size_t starts[LIMIT_BATCH_EVENTS];
    size_t sizes[LIMIT_BATCH_EVENTS];
    struct journal_added added[LIMIT_BATCH_EVENTS];
    size_t count;
    // The n-th draft since the last flush (from 0) was dealt with.
    void (*told)(void *context, size_t n, const struct event_sink_verdict *verdict);
    void *context;
};

void event_sink_open(struct event_sink *s, struct access *access);
void event_sink_close(struct event_sink *s);

// True when this draft must wait for a flush.
bool event_sink_is_full(const struct event_sink *s, size_t draft_bytes);
// Queues one draft (event_parse_draft's JSON). ERR_LIMIT when it is too large for any batch.
enum err_code event_sink_add(struct event_sink *s, struct str draft, struct err *e) MUST_CHECK;
// Writes what is queued and tells each verdict. On failure none of it is written.
enum err_code event_sink_flush(struct event_sink *s, struct err *e) MUST_CHECK;

#endif
