// SPDX-License-Identifier: Apache-2.0
// What is left of events that a device no longer keeps.
//
// Why: an id must never be taken twice, and a stream whose first rows are gone must still prove
//   that nothing else is missing. So of each such event its id and a hash of its content stay, and
//   of each stream a mark that the device signed.
// Invariants: a stream's rows in 'past' are its events 1 to bases.seq; bases.past is the chain over
//   them, in order.
#ifndef WASL_STORE_SQLITE_PAST_H
#define WASL_STORE_SQLITE_PAST_H

#include "model/stream.h"
#include "store/sqlite/db.h"

struct past_event {
    struct uuid id;
    int64_t content; // of event_content
    bool counts;     // it was the carrier of its id that counted
};
enum err_code past_of(const struct event *event, bool counts, struct arena *a,
                      struct past_event *ret, struct err *e) MUST_CHECK;
struct hash past_chain(const struct hash *before, const struct past_event *event);
// ret_there false: the row at lsn is no pruned one.
enum err_code past_find(struct db *db, int64_t lsn, struct past_event *ret, bool *ret_there,
                        struct err *e) MUST_CHECK;
enum err_code past_add(struct db *db, int64_t lsn, int64_t stream, const struct past_event *event,
                       struct err *e) MUST_CHECK;

// mark.seq 0: nothing of the stream was pruned. The key is left to the caller.
enum err_code past_base_find(struct db *db, int64_t stream, struct base *ret,
                             struct err *e) MUST_CHECK;
enum err_code past_base_put(struct db *db, int64_t stream, const struct base *base,
                            struct err *e) MUST_CHECK;
void past_read_base(struct query *q, struct base *ret); // columns 0 to 3

#endif
