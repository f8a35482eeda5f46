// SPDX-License-Identifier: Apache-2.0
// A node's journal: the one writer of its store. Everything durable goes through here.
//
// Why: own events and received ones, acks and feed pages share one transaction at a time, so that
//   a batch of them shares one fsync. The same calls serve the C library (in the caller's thread)
//   and the daemon (in its writer thread).
// Invariants:
//   1. journal_add and journal_receive tell success only for what the next journal_commit makes
//      durable; after journal_rollback runs and overlay are as before journal_begin.
//   2. Own events carry a fresh origin per process start and place (sync/run.h).
// Ownership: results live in the arena given. Threads: one at a time (node/writer.h sees to it).
#ifndef WASL_NODE_JOURNAL_H
#define WASL_NODE_JOURNAL_H

#include "node/identity.h"
#include "node/restored.h"
#include "sync/downlink.h"
#include "sync/overlay.h"
#include "sync/run.h"
#include "sync/uplink.h"

struct journal;

enum err_code journal_open(const struct config *config, struct journal **ret,
                           struct err *e) MUST_CHECK;
void journal_close(struct journal *j); // accepts NULL
struct store *journal_store(struct journal *j);
const struct identity *journal_identity(const struct journal *j);
const struct uuid *journal_run_id(const struct journal *j); // of this process start

// What the upstream's clock is ahead of ours; own events' hlc follow it.
// Kept over a start of the program, and not of the machine (true_time.h); a change of less than
// CLOCK_CHANGE_MS is none.
enum { CLOCK_CHANGE_MS = 50 };
enum err_code journal_set_clock(struct journal *j, int64_t offset_ms, struct err *e) MUST_CHECK;
int64_t journal_clock_offset(const struct journal *j); // 0 when no upstream was heard
int64_t journal_clock(const struct journal *j);        // this machine's with it

// ---- transactions ---------------------------------------------------------------------------

enum err_code journal_begin(struct journal *j, struct err *e) MUST_CHECK;
// As store_begin_passing: its commit does not wait for the disk. Only for what may be lost.
enum err_code journal_begin_passing(struct journal *j, struct err *e) MUST_CHECK;
enum err_code journal_commit(struct journal *j,
                             struct err *e) MUST_CHECK; // on failure: rolled back
void journal_rollback(struct journal *j);

// ---- after a restore from a backup (docs/adr/0015) --------------------------------------------

// The centre's end. While its recovery is open it takes events in, and what people decide there is
// refused: ERR_CONFLICT, saying how to confirm it.
const struct restored *journal_restored(const struct journal *j);
enum err_code journal_may_decide(const struct journal *j, struct err *e) MUST_CHECK;
// That device may be revoked: while a recovery is open only the one whose word began it, which may
// lie again as soon as a person has confirmed.
bool journal_may_revoke(const struct journal *j, const struct uuid *device);
// A person says that what was lost is back. ERR_NOT_FOUND: no recovery is open.
enum err_code journal_confirm_restored(struct journal *j, struct err *e) MUST_CHECK;
// True once where the last committed transaction began or ended a recovery: all sessions are over.
bool journal_take_sessions_over(struct journal *j);

// The device's end: the recovery of its upstream that was told everything; zero: none.
enum err_code journal_recovery_told(struct journal *j, struct uuid *ret, struct err *e) MUST_CHECK;
enum err_code journal_tell_recovery(struct journal *j, const struct uuid *id,
                                    struct err *e) MUST_CHECK;
// The one that a welcome names.
enum err_code journal_hear_recovery(struct journal *j, const struct uuid *id,
                                    struct err *e) MUST_CHECK;
// Own streams that something is kept of, from that one on, for STEP_OFFER; as many as half a hello
// may name.
enum err_code journal_kept(struct journal *j, uint64_t after, struct arena *a,
                           struct uplink_kept *ret, struct err *e) MUST_CHECK;

// ---- own events -------------------------------------------------------------------------------

enum journal_verdict { VERDICT_ACCEPTED, VERDICT_DUPLICATE, VERDICT_REJECTED };
struct journal_added {
    enum journal_verdict verdict;
    char reason[ERR_TEXT_MAX]; // with VERDICT_REJECTED
};
// Adds one event given as a draft (event_parse_draft): the node assigns v, origin, lane, seq, hlc.
// A used id with the same content is a duplicate, with other content it is rejected. An error
// return means that the store failed: the caller rolls back.
// Refused as well: what cannot be so (model/odd.h), unless it is imported (an id of version 8).
enum err_code journal_add(struct journal *j, struct event *draft, struct journal_added *ret,
                          struct err *e) MUST_CHECK;

uint64_t journal_outbox(const struct journal *j); // own events that the centre has not settled

// Streams that go up and whose head moved in the last committed transaction, for uplink_committed.
// Emptied by it.
size_t journal_take_moved(struct journal *j, struct outbox_head *ret, size_t max);
// Places whose feed may have moved in the last committed transaction.
size_t journal_take_touched(struct journal *j, char (*ret)[LIMIT_NAME + 1], size_t max);

// ---- the device's end ---------------------------------------------------------------------------

// Everything unsettled or not yet included, into a fresh outbox; and the feeds' cursors.
enum err_code journal_fill_uplink(struct journal *j, struct uplink *u, struct err *e) MUST_CHECK;
// The same streams as a list, for uplink_refill: oldest first, at most LIMIT_STREAMS_HELLO.
struct journal_unsettled {
    struct outbox_stream *streams;
    size_t count;
    bool overflowed; // there are more
};
enum err_code journal_unsettled(struct journal *j, struct arena *a, struct journal_unsettled *ret,
                                struct err *e) MUST_CHECK;
// Answers STEP_LOAD. A failure gives count 0.
void journal_load(struct journal *j, const struct step *step, struct arena *a,
                  struct uplink_loaded *ret);
enum err_code journal_acked(struct journal *j, const struct message_mark *mark, bool lost,
                            struct err *e) MUST_CHECK;
// Drops some of what is settled, included and acknowledged longer than [store] keep_ms ago by the
// upstream's clock, as store_prune does. Nothing while that is unknown, or what the upstream of
// today has; nor within keep_ms after a restored one was told everything.
enum err_code journal_prune(struct journal *j, int64_t *from, size_t *ret_pruned,
                            struct err *e) MUST_CHECK;
// Drops of the feeds of places what is over and older than keep_ms, some at a time, as
// store_feed_trim: a centre's.
enum err_code journal_trim(struct journal *j, struct store_trim *at, size_t *ret_dropped,
                           struct err *e) MUST_CHECK;
// At the centre: reservations that nobody judged yet, some at once. In a transaction.
enum err_code journal_hear_reservations(struct journal *j, struct err *e) MUST_CHECK;
// Goes on with sales whose prices waited for the catalog's version that they name, some at a time.
enum err_code journal_hear_prices(struct journal *j, struct err *e) MUST_CHECK;
// This device was revoked, or is not any more, as its upstream says: kept for its status, and since
// no feed says what it includes.
enum err_code journal_set_revoked(struct journal *j, bool revoked, struct err *e) MUST_CHECK;
// Applies a page, or of the chain's feed some rows of one: from *next on, which is then where the
// rest begins; page->count when all is done. A sale waits for a few rows at most.
struct journal_fed {
    size_t next;
    enum feed_catalog catalog;
};
enum err_code journal_apply_feed(struct journal *j, const struct message_feed *page,
                                 struct journal_fed *fed, struct err *e) MUST_CHECK;
// Whether the next call may be made in a passing transaction: it shows nothing, and what it brings
// is asked for again where it is lost.
bool journal_feed_passes(const struct message_feed *page, size_t next);
// At the centre: publishes the drafts as a new version. Where questions are open, or nothing has
// changed, there is none. ERR_CONFLICT: nothing was ever drafted.
struct journal_publish {
    struct str note, actor;         // may be empty
    struct review_list questions;   // out: what a person has to decide first
    struct catalog_version version; // out: the new one, or the one that there is
    uint64_t changed;               // out: its rows that are not as in the one before
};
enum err_code journal_publish(struct journal *j, struct journal_publish *p, struct arena *a,
                              struct err *e) MUST_CHECK;
// What this node shows of the catalog.
enum err_code journal_catalog(struct journal *j, struct message_catalog *ret_shown,
                              struct message_catalog *ret_refused, struct err *e) MUST_CHECK;
// Appends the stream's events behind 'from' again under a new run, same ids: those after *after, as
// many as fit one transaction. *after is then where the next one goes on, REHOME_DONE when all are
// appended and nothing of the old stream waits any more.
#define REHOME_DONE UINT64_MAX
enum err_code journal_rehome(struct journal *j, const struct stream_key *key, uint64_t from,
                             uint64_t *after, struct err *e) MUST_CHECK;
// Where a stream that was appended again ends; {0}: nothing of it is kept.
enum err_code journal_stream_end(struct journal *j, const struct stream_key *key, struct mark *ret,
                                 struct err *e) MUST_CHECK;

// ---- the server's end ---------------------------------------------------------------------------

struct journal_hello {
    const struct message_hello *message;
    const uint8_t *nonce; // of the challenge that it answers
};
// Looks up who says hello, and what is here of its streams and feeds. Of a device whose proof or
// place is wrong only the key and the place are looked up: the session refuses it.
enum err_code journal_identify(struct journal *j, const struct journal_hello *hello,
                               struct arena *a, struct downlink_identity *ret,
                               struct err *e) MUST_CHECK;
// True once the centre knows of a revocation: a session that was live before ends, so that the
// next one tells the device and feeds it nothing.
bool journal_is_revoked(struct journal *j, const struct uuid *device);
// Checks and appends one push (its text form). Of a revoked device it is kept, within bounds; the
// store lets none of it count.
enum err_code journal_receive(struct journal *j, const struct intake_sender *sender,
                              struct str text, struct arena *a, struct downlink_stored *ret,
                              struct err *e) MUST_CHECK;
struct journal_page_query {
    const struct step *step;          // STEP_READ_FEED
    const struct stream_key *streams; // the session's, for the includes
    size_t stream_count;
};
enum err_code journal_feed_page(struct journal *j, const struct journal_page_query *query,
                                struct arena *a, struct downlink_page *ret,
                                struct err *e) MUST_CHECK;

#endif
