// SPDX-License-Identifier: Apache-2.0
// A node's durable state: journal, streams, the records folded from it, the feed.
//
// Why: one interface, so that the embedded SQLite and the chain-sized PostgreSQL run the same
//   services and the same tests. It takes batches: one transaction for many events.
// Invariants:
//   1. An event and what it does to the records are written in one transaction.
//   2. journal is append only; a stream's rows are gapless and each row's chain follows from the
//      one before.
//   3. Each (location, id) counts once: the first carrier in the total order; others are kept in
//      the journal as 'duplicate' (same content) or 'conflict' (other content, with a review).
//   4. A record that one event may hold (ticket, location, device) is held by the event that
//      effect_owner_rule names, whatever the order of arrival.
//   5. After store_commit returned ERR_OK everything in it, and before it, survives a power cut
//      (WAL, synchronous=FULL); but for transactions of store_begin_passing.
// Ownership: results live in the arena given, or are copied into the caller's structs.
// Threads: a struct store is used by one thread at a time. One writing process per folder (a lock
//   file); any number of read-only stores beside it.
#ifndef WASL_STORE_STORE_H
#define WASL_STORE_STORE_H

#include "model/catalog.h"
#include "model/effect.h"
#include "model/quantity.h"
#include "model/price.h"
#include "model/record.h"
#include "model/stream.h"
#include "model/window.h"

struct store;

enum node_role { ROLE_TERMINAL, ROLE_BRANCH, ROLE_CENTRAL };
const char *node_role_name(enum node_role role); // "terminal", "branch", "central"
enum err_code node_role_parse(struct str text, enum node_role *ret) MUST_CHECK;

enum event_status {
    STATUS_PENDING,     // only here
    STATUS_HELD,        // durable on the next hop
    STATUS_SETTLED,     // durable at the centre, under a verified seal
    STATUS_CONFLICT,    // another event holds the id or the record; a review is open
    STATUS_REVIEW,      // a person is asked; of a revoked device, and not counted until then
    STATUS_DEAD_LETTER, // unknown type or bad body: kept, not folded
    STATUS_DUPLICATE,   // another carrier of the same event counts
};
const char *event_status_name(enum event_status status);

// ---- opening ------------------------------------------------------------------------------

struct store_options {
    const char *dir;     // the node's folder; the file is dir/wasl.db
    bool create;         // make a new one; ERR_EXISTS when there is one
    bool read_only;      // no lock, no writes
    enum node_role role; // with create
    int64_t max_bytes;   // quota of the file; 0: none. Beyond it appends are ERR_DISK_FULL
    // Of DIR/wasl.ballast, which is given back when the disk is full, and kept of a quota as well
    // (an eighth of it at most); 0: there is no reserve.
    int64_t ballast_bytes;
};
// ERR_NOT_FOUND, ERR_LOCKED (naming the process), ERR_NEWER (made by a newer version),
// ERR_READ_ONLY, ERR_DISK_FULL, ERR_DAMAGED. Runs pending migrations.
enum err_code store_open(const struct store_options *options, struct store **ret,
                         struct err *e) MUST_CHECK;
void store_close(struct store *s); // accepts NULL
// For who will write for long: makes the log as long as it gets, since overwriting costs a disk
// half of what growing does. Some megabytes and a sync; nothing where a device has little room, and
// at the centre, which commits in batches.
void store_lengthen_log(struct store *s);
enum node_role store_role(const struct store *s);
// What this node signs with, from its folder and not from the file that is checked by it.
void store_set_key(struct store *s, const struct sign_public *key);

// Small facts about the node itself (chain, device, location, keys' file names ...). A missing name
// gives ERR_NOT_FOUND.
enum err_code store_meta_get(struct store *s, const char *name, struct arena *a, struct str *ret,
                             struct err *e) MUST_CHECK;
enum err_code store_meta_set(struct store *s, const char *name, struct str value,
                             struct err *e) MUST_CHECK;

// ---- transactions -------------------------------------------------------------------------

enum err_code store_begin(struct store *s, struct err *e) MUST_CHECK;
// For what may be lost to a power cut, since whoever sent it sends it again, and nobody is shown
// it: pieces of a page of the chain's feed that do not complete it, and sweeping. Its commit does
// not wait for the disk. What is lost is always an end of the store's history, so what a later
// commit of store_begin confirmed is never there without it. Appending in it is a bug (MUST).
enum err_code store_begin_passing(struct store *s, struct err *e) MUST_CHECK;
enum err_code store_commit(struct store *s, struct err *e) MUST_CHECK; // on failure: rolled back
void store_rollback(struct store *s);

// ---- streams ------------------------------------------------------------------------------

struct stream_info {
    struct stream_key key;
    struct uuid device;
    char location[LIMIT_NAME + 1];
    bool own;            // written by this node
    bool carried;        // another device's, which this node brings up
    struct mark head;    // highest gapless event in this journal
    struct mark held;    // of what goes up: what the upstream holds
    struct mark settled; // ... and what the centre settled. At the centre: up to the verified seal
    struct certificate certificate;
};
// True of a stream that goes up from here: its marks are what the upstream says.
static inline bool store_goes_up(const struct stream_info *info)
{
    return info->own || info->carried;
}
enum err_code store_stream_find(struct store *s, const struct stream_key *key,
                                struct stream_info *ret) MUST_CHECK; // ERR_NOT_FOUND
// All lanes of an origin share device, location and certificate.
enum err_code store_stream_add(struct store *s, const struct stream_info *info,
                               struct err *e) MUST_CHECK;
// Streams that go up and whose settled mark is below their head, oldest first; at most max.
enum err_code store_streams_unsettled(struct store *s, struct stream_info *ret, size_t max,
                                      size_t *ret_count, struct err *e) MUST_CHECK;
// The stream that goes up of which the upstream settled something last, and that was not ended.
enum err_code store_stream_witness(struct store *s, struct stream_info *ret,
                                   struct err *e) MUST_CHECK; // ERR_NOT_FOUND
// Every stream; stops when each returns false.
enum err_code store_streams_each(struct store *s,
                                 bool (*each)(void *context, const struct stream_info *info),
                                 void *context, struct err *e) MUST_CHECK;
// The chain hash at seq of a stream held here; ERR_NOT_FOUND where it is not, or was pruned (the
// last pruned one's is known).
enum err_code store_chain_at(struct store *s, const struct stream_key *key, uint64_t seq,
                             struct hash *ret, struct err *e) MUST_CHECK;
// What the upstream said of a stream that goes up, and when: by this machine's clock, for who looks
// at it here, and by the upstream's, for synced_at, from which the age of what may be pruned is
// counted.
struct store_ack {
    struct stream_key key;
    uint64_t held;
    uint64_t settled;
    int64_t wall_ms;
    int64_t corrected_ms;
};
// Moves a stream's marks up (never down) and the status of its rows with them.
enum err_code store_stream_acked(struct store *s, const struct store_ack *ack,
                                 struct err *e) MUST_CHECK;
// A stream whose upstream lost what it had acknowledged: moves its marks down, but never below
// what was pruned.
enum err_code store_stream_lost(struct store *s, const struct stream_key *key, uint64_t held,
                                uint64_t settled, struct err *e) MUST_CHECK;
// ---- own events that are appended again under another run ----------------------------------

// This carrier of its id counts no more ('duplicate'): another one is appended next. Tells how
// it was.
struct store_withdrawn {
    bool counted; // by this node's own fold
    bool apart;   // a notice said that the upstream had not folded it
};
enum err_code store_withdraw(struct store *s, const struct stream_key *key, uint64_t seq,
                             struct store_withdrawn *ret, struct err *e) MUST_CHECK;
// What the upstream has said of one carrier is said of the other from now on.
enum err_code store_notice_move(struct store *s, const struct stream_key *from, uint64_t from_seq,
                                const struct stream_key *to, uint64_t to_seq,
                                struct err *e) MUST_CHECK;
// Everything of the stream behind seq was appended again, but for what never goes up ('conflict').
// Nothing of the stream waits any more: its marks stand at its head.
enum err_code store_stream_end(struct store *s, const struct stream_key *key, uint64_t seq,
                               int64_t now_ms, struct err *e) MUST_CHECK;
// Where it was ended so; UINT64_MAX when it was not.
enum err_code store_stream_ended(struct store *s, const struct stream_key *key, uint64_t *ret_seq,
                                 struct err *e) MUST_CHECK;

// The newest seal of a stream; at the centre it settles what it covers. Of a stream that is carried
// each seal is kept.
enum err_code store_seal_put(struct store *s, const struct seal *seal, struct err *e) MUST_CHECK;
// Where a carried stream may be cut: the last of its seals behind 'after' up to 'upto', else the
// first one behind that. ERR_NOT_FOUND: there is none.
struct store_carried_seal {
    uint64_t seq;
    struct signature signature;
};
enum err_code store_seal_near(struct store *s, const struct stream_key *key, uint64_t after,
                              uint64_t upto, struct store_carried_seal *ret,
                              struct err *e) MUST_CHECK;

// ---- appending ----------------------------------------------------------------------------

struct store_entry {
    struct stream_key key;
    uint64_t seq;      // head of the stream + 1
    struct hash chain; // at seq
    struct str bytes;
    const struct event *event;    // NULL: the envelope itself could not be read
    enum event_status status;     // PENDING (own), HELD or SETTLED (received)
    const char *dead;             // not NULL: a dead letter from the start, for this reason
    int64_t received_at;          // ms since 1970 on this node's clock
    enum event_status ret_status; // out: what became of it
};
// Appends to the journal, counts ids once, folds what counts; moves the streams' heads. A body that
// its reducer refuses becomes a dead letter, never an error. ERR_DISK_FULL, ERR_IO: the caller
// rolls back.
enum err_code store_append(struct store *s, struct store_entry *entries, size_t count,
                           struct err *e) MUST_CHECK;

// ---- for whoever judges: what is folded, up to the last event appended -------------------------

// Writes what was folded in this transaction, so that queries see it. May be called often.
enum err_code store_flush(struct store *s, struct err *e) MUST_CHECK;
// Whether an event of a place was judged.
enum err_code store_is_judged(struct store *s, struct str location, const struct uuid *target,
                              bool *ret, struct err *e) MUST_CHECK;
// Whether it waits for a person by what counts of that.
enum err_code store_is_held(struct store *s, struct str location, const struct uuid *target,
                            bool *ret, struct err *e) MUST_CHECK;
// Events that wait for what a person says of this batch: at most LIMIT_BASE of them.
enum err_code store_held_of(struct store *s, const struct record_name *batch,
                            struct uuid ret[LIMIT_BASE], size_t *ret_count,
                            struct err *e) MUST_CHECK;
// Completions of an order's bills that another one came before, and that nobody judged: at most
// LIMIT_BASE of them.
enum err_code store_second_completions(struct store *s, const struct record_name *order,
                                       struct uuid ret[LIMIT_BASE], size_t *ret_count,
                                       struct err *e) MUST_CHECK;

// Up to where this node has seen the feed of a place, as its stock shows it: rows that are kept
// aside until the rest of them is here are not shown. At the centre up to the feed's head. A zero
// feed: nothing was shown yet.
enum err_code store_feed_seen(struct store *s, struct str location, struct event_seen *ret,
                              struct err *e) MUST_CHECK;
// The last row of the journal that a feed of this node included at that position. -1: it was
// another feed, or the position is too old to be known.
enum err_code store_seen_lsn(struct store *s, struct str location, const struct event_seen *seen,
                             int64_t *ret, struct err *e) MUST_CHECK;
struct store_move {
    struct str sku;
    struct uuid id; // of the event
    int64_t lsn;    // its row
    struct quantity_move move;
};
struct store_moves {
    struct store_move *items; // in no order
    size_t count;
    bool whole; // false: there is more than LIMIT_SEEN_ROWS, or what came turned earlier events
};
// What moved stock at a place behind a row of the journal.
enum err_code store_moves_after(struct store *s, struct str location, int64_t lsn, struct arena *a,
                                struct store_moves *ret, struct err *e) MUST_CHECK;
// Whether urgent events of the runs before this one, as those that followed name them, are not here
// yet: then nobody can say what the author knew. It looks a few runs back.
enum err_code store_run_is_behind(struct store *s, const struct uuid *origin, bool *ret,
                                  struct err *e) MUST_CHECK;
// What counts, as of the last store_flush; 0 for a SKU without stock.
enum err_code store_stock_of(struct store *s, struct str location, struct str sku, int64_t *ret,
                             struct err *e) MUST_CHECK;

// Of that, what confirmed reservations keep now; as of the last store_flush.
enum err_code store_kept_of(struct store *s, struct str location, struct str sku, int64_t now_ms,
                            int64_t *ret, struct err *e) MUST_CHECK;
// Whether a reservation keeps nothing whatever is said of it: released, or its order is over.
enum err_code store_reservation_is_over(struct store *s, struct str location, struct str id,
                                        bool *ret, struct err *e) MUST_CHECK;
// A request that nobody judged yet. ERR_NOT_FOUND: there is none.
enum err_code store_reservation_unheard(struct store *s, struct arena *a, struct record_name *ret,
                                        struct uuid *ret_request, struct err *e) MUST_CHECK;

// Stock of a SKU at a place that went below zero or came back, or is below although goods came;
// where the chain lets any be oversold, any that was or is below zero and moved.
struct store_turn {
    struct str location, sku;
    struct uuid event; // the last that took from it, as they came
    int64_t before;    // decimal: what there was
    int64_t quantity;  // what there is now
    bool brought;      // goods came
    unsigned flush;    // a later one knows better
};
struct store_turns {
    struct store_turn *items;
    size_t count;
};
// Those of the transaction, at a centre, as of the last store_flush; once each.
enum err_code store_stock_turned(struct store *s, struct arena *a, struct store_turns *ret,
                                 struct err *e) MUST_CHECK;
// That a place keeps stock of a SKU. *ret_begins: it did not until now.
enum err_code store_stock_keep(struct store *s, struct str location, struct str sku,
                               bool *ret_begins, struct err *e) MUST_CHECK;
enum err_code store_stock_kept(struct store *s, struct str location, struct str sku, bool *ret,
                               struct err *e) MUST_CHECK;

// The newest count of a SKU that an authority knows of; kept beside what is folded.
struct store_counted {
    struct str sku;
    struct uuid event;
    struct str record_id;
    struct uuid device;
    struct event_order order;
    int64_t shown; // decimal
};
enum err_code store_counted_newest(struct store *s, struct str location, hlc *ret,
                                   struct err *e) MUST_CHECK; // of all SKUs; 0: none
// Of ret->sku; texts live in the arena. ret->event is zero where there is none.
enum err_code store_counted_find(struct store *s, struct str location, struct arena *a,
                                 struct store_counted *ret, struct err *e) MUST_CHECK;
// Unless a newer one is there.
enum err_code store_counted_put(struct store *s, struct str location,
                                const struct store_counted *counted, struct err *e) MUST_CHECK;

// What a new event on a record gives as its base: the events on it that no other has seen, at most
// LIMIT_BASE. None for a record not known, or of a type that is not folded (model/record.h).
enum err_code store_frontier(struct store *s, const struct record_name *name,
                             struct uuid ret[LIMIT_BASE], size_t *ret_count,
                             struct err *e) MUST_CHECK;

// False: the draft would add a line to an order that has as many as it may (LIMIT_TICKET_LINES).
enum err_code store_takes_line(struct store *s, const struct event *draft, bool *ret,
                               struct err *e) MUST_CHECK;

struct store_event {
    int64_t lsn;
    struct stream_key key;
    uint64_t seq;
    struct hash chain;
    enum event_status status;
    int64_t received_at;
    int64_t synced_at; // 0 when not
    struct str bytes;
};
struct store_event_list {
    struct store_event *items;
    size_t count;
};
// How much to read at once. A first item larger than max_bytes is still read.
struct store_page {
    size_t max_events; // not used by feeds
    size_t max_bytes;
    struct arena *arena; // holds what was read
};
// Events of one stream after 'after' that are still here, in order: at most max_events, and at most
// max_bytes unless the first alone is larger.
enum err_code store_read_stream(struct store *s, const struct stream_key *key, uint64_t after,
                                const struct store_page *page, struct store_event_list *ret,
                                struct err *e) MUST_CHECK;
// Events by position in this journal, lsn > after.
enum err_code store_read_journal(struct store *s, int64_t after_lsn, const struct store_page *page,
                                 struct store_event_list *ret, struct err *e) MUST_CHECK;
// When the newest row came, by this node's clock; 0 where there is none.
enum err_code store_last_received(struct store *s, int64_t *ret, struct err *e) MUST_CHECK;
// Every carrier of an id in this journal.
enum err_code store_find_event(struct store *s, const struct uuid *id, struct arena *a,
                               struct store_event_list *ret, struct err *e) MUST_CHECK;

// ---- what a device need not keep ---------------------------------------------------------------

struct store_prune {
    const struct sign_key *key; // this device's: signs what is left behind
    struct uuid chain;
    int64_t before_ms; // goes: what was acknowledged before this, by the upstream's clock
    size_t max_events; // in one call
};
// Drops own events that are settled, included by the feed and old enough, oldest first, and their
// records with them; in the same transaction a signed base says so. Stays: the last event of each
// stream, and from an event on that a person is asked about, its stream. Goes on at *from (0 at
// first), which becomes 0 when everything was looked through.
enum err_code store_prune(struct store *s, const struct store_prune *how, int64_t *from,
                          size_t *ret_pruned, struct err *e) MUST_CHECK;
// Up to where a stream was pruned; seq 0: it was not.
enum err_code store_base(struct store *s, const struct stream_key *key, struct mark *ret,
                         struct err *e) MUST_CHECK;
// What an event's id says of events that were pruned.
enum store_past { PAST_NONE, PAST_SAME, PAST_OTHER }; // other content under the id
enum err_code store_past_find(struct store *s, const struct event *event, struct arena *a,
                              enum store_past *ret, struct err *e) MUST_CHECK;
enum err_code store_past_has(struct store *s, const struct uuid *id, struct arena *a, bool *ret,
                             struct err *e) MUST_CHECK;

// ---- the feed (upstream side) ----------------------------------------------------------------
// A feed is a compacted log: one live row per record, each change gets the next position. Recently
// superseded positions stay as tombstones, so that a cursor's hash can still be checked.
// The chain-wide feed is the location "*".

struct feed_cursor {
    struct uuid feed;
    uint64_t position;
    struct hash hash; // h(p) = BLAKE2b(h(p-1) || row bytes)
};
struct feed_row {
    uint64_t position;
    struct hash hash;
    struct str bytes; // one JSON object: {"type","id","row":{...}} ; "row" null: deleted
};
struct feed_page {
    struct feed_row *rows;
    size_t count;
    struct feed_cursor head; // of the feed when it was read
    bool reached_head;       // rows end at the head
};
// The feed's head; makes the feed (a fresh id) when there is none.
enum err_code store_feed_head(struct store *s, struct str location, struct feed_cursor *ret,
                              struct err *e) MUST_CHECK;
// True when the cursor is a position this feed really had.
enum err_code store_feed_knows(struct store *s, struct str location,
                               const struct feed_cursor *cursor, bool *ret,
                               struct err *e) MUST_CHECK;
// True when the cursor is of this feed and cannot be of its history here: beyond the head, or with
// another hash. Of a position too old to tell it is false.
enum err_code store_feed_lost(struct store *s, struct str location,
                              const struct feed_cursor *cursor, bool *ret,
                              struct err *e) MUST_CHECK;
// A device of the place says hello at such a cursor, of which 'known' is what store_feed_knows
// says; false where it comes from before rows that were dropped: a fresh copy. Inside a
// transaction.
enum err_code store_feed_heard(struct store *s, struct str location, const struct uuid *device,
                               const struct feed_cursor *cursor, bool *known,
                               struct err *e) MUST_CHECK;
// Drops events of records that are over and whose last event came before that time, some rows at a
// time. Goes on at *at ({0} at first), which is at feed 0 when everything was looked through.
struct store_trim {
    int64_t feed;
    uint64_t position;
};
enum err_code store_feed_trim(struct store *s, int64_t before_ms, struct store_trim *at,
                              size_t *ret_dropped, struct err *e) MUST_CHECK;
// Gives every feed another id, so that no cursor is known any more: readers begin afresh.
enum err_code store_feeds_renew(struct store *s, struct err *e) MUST_CHECK;
enum err_code store_feed_read(struct store *s, struct str location, uint64_t after,
                              const struct store_page *page, struct feed_page *ret,
                              struct err *e) MUST_CHECK;
// ---- the feed (downstream side) --------------------------------------------------------------
// confirmed = what the feed said; the view (stock.quantity) = confirmed + own events that the feed
// does not yet include. The caller (sync/overlay.h) knows the second term.

struct feed_include {
    struct stream_key key;
    uint64_t seq;
};
// What a page that reaches the feed's head changes about own events. An own event counts beside the
// feed while seq > what is included of its stream, or while a notice sets it apart.
struct feed_moved { // a stream's include
    struct stream_key key;
    uint64_t before, after;
};
struct feed_told { // by a notice, or by its being taken back
    struct stream_key key;
    uint64_t seq;
    bool apart_before, apart;
    bool counts; // by this node's own fold
};
struct feed_shown {
    struct feed_moved *moved;
    size_t moved_count;
    struct feed_told *told;
    size_t told_count;
};
// What became of the catalog with a page that reaches the head of the chain's feed.
enum feed_catalog {
    FEED_CATALOG_SAME,
    FEED_CATALOG_SHOWN,   // another version is shown from now on
    FEED_CATALOG_REFUSED, // its rows do not give its hash: the old one stands
    FEED_CATALOG_AFRESH,  // likewise, and the cursor was given up: the next session brings a copy
};
struct feed_apply {
    struct str location;   // or "*"
    struct feed_cursor to; // the cursor after these rows
    bool reset;    // first page of a fresh copy: what it does not repeat goes when it is complete
    bool complete; // the rows reach the feed's head: what was kept aside until now is shown
    bool partial;  // of "*": not the last rows of their page, so that the cursor stays
    const struct str *rows; // as in feed_row.bytes
    size_t count;
    const struct feed_include *includes; // of own streams, no further than their heads
    size_t include_count;
    // Called once, before stock rows are written, where the page is complete; may be NULL.
    enum err_code (*shown)(void *context, const struct feed_shown *what, struct err *e);
    // quantity of own events beside the feed for a SKU, after 'shown'
    int64_t (*overlay)(void *context, struct str sku);
    void *context;
    enum feed_catalog *ret_catalog; // may be NULL
};
enum err_code store_feed_cursor(struct store *s, struct str location,
                                struct feed_cursor *ret) MUST_CHECK; // ERR_NOT_FOUND: never fed
enum err_code store_feed_apply(struct store *s, const struct feed_apply *frame,
                               struct err *e) MUST_CHECK;
// Up to where the feed includes an own stream.
enum err_code store_include_get(struct store *s, const struct stream_key *key, uint64_t *ret_seq,
                                struct err *e) MUST_CHECK; // 0 when none
// What own events add beside the feed, by SKU; where it is nothing, maybe not.
enum err_code store_overlay_each(struct store *s, struct str location,
                                 enum err_code (*each)(void *context, struct str sku, int64_t sum),
                                 void *context, struct err *e) MUST_CHECK;
// SKUs whose overlay changed without a row (an include alone): recomputes their view.
enum err_code store_stock_refresh(struct store *s, struct str location, struct str sku,
                                  int64_t overlay, struct err *e) MUST_CHECK;

// ---- devices, codes, tokens --------------------------------------------------------------------

struct device_record {
    struct uuid id;
    char location[LIMIT_NAME + 1];
    enum node_role role;
    struct sign_public key;
    bool revoked;
};
enum err_code store_device_find(struct store *s, const struct uuid *id,
                                struct device_record *ret) MUST_CHECK;
// Where the streams of a device are settled: what a revocation lets count.
struct stream_head {
    struct stream_key key;
    struct mark mark;
};
struct stream_head_list {
    struct stream_head *items;
    size_t count;
};
enum err_code store_device_heads(struct store *s, const struct uuid *device, struct arena *a,
                                 struct stream_head_list *ret, struct err *e) MUST_CHECK;
// Events that came from a device after it was revoked: kept, and not counted.
enum err_code store_device_withheld(struct store *s, const struct uuid *device, uint64_t *ret,
                                    struct err *e) MUST_CHECK;
// Whether a location_set named the place.
enum err_code store_location_known(struct store *s, struct str location, bool *ret,
                                   struct err *e) MUST_CHECK;
// One-time enrolment codes: only the hash of the secret is kept.
enum err_code store_code_put(struct store *s, const struct hash *secret, struct str location,
                             enum node_role role, int64_t expires_at, struct err *e) MUST_CHECK;
struct store_code {
    char location[LIMIT_NAME + 1];
    enum node_role role;
    int64_t expires_at;
};
enum err_code store_code_find(struct store *s, const struct hash *secret, struct store_code *ret,
                              struct err *e) MUST_CHECK; // ERR_NOT_FOUND: wrong, or used up
enum err_code store_code_drop(struct store *s, const struct hash *secret,
                              struct err *e) MUST_CHECK; // it is used up
enum err_code store_token_put(struct store *s, const struct hash *token, struct str name,
                              struct str role, int64_t now_ms, struct err *e) MUST_CHECK;
enum err_code store_token_find(struct store *s, const struct hash *token, struct arena *a,
                               struct str *ret_name, struct str *ret_role) MUST_CHECK;

// ---- people ------------------------------------------------------------------------------------
// A chain that declares no users checks no actor, nor is one asked of an event that names none.

struct store_rights {
    enum rights_answer answer;
    struct uuid grant; // what an author relies on who knows what is known here; zero: nothing
};
// What an event's actor may do, as it is known here now: for an event that is about to be taken.
enum err_code store_rights_now(struct store *s, const struct event *event, struct store_rights *ret,
                               struct err *e) MUST_CHECK;
// As its author could know it: as it was up to the event's grant; where that is none or not of the
// actor, up to the event's own place in the order. Who was given a right later, had not got it
// then; who lost it later, had it as long as the device was not told.
enum err_code store_rights_then(struct store *s, const struct event *event, enum rights_answer *ret,
                                struct err *e) MUST_CHECK;
// Of a role, with what role_set made of it. A role that nobody knows has none.
enum err_code store_role_rights(struct store *s, struct str role, uint32_t *ret,
                                struct err *e) MUST_CHECK;

// ---- settings ----------------------------------------------------------------------------------
// What a node goes by (model/setting.h): where the table lets places have their own, the place's
// word on the item, then its word; then the chain's on the item, the chain's; else the table's.

struct store_setting_name {
    struct str location;
    const char *key;
    struct str item; // an event type or a SKU; empty: none
};
struct store_setting {
    char value[LIMIT_TEXT + 1]; // empty only where the key has items and none was named
};
enum err_code store_setting_get(struct store *s, const struct store_setting_name *name,
                                struct store_setting *ret, struct err *e) MUST_CHECK;
enum err_code store_setting_number(struct store *s, const struct store_setting_name *name,
                                   int64_t *ret, struct err *e) MUST_CHECK;
enum err_code store_setting_decimal(struct store *s, const struct store_setting_name *name,
                                    int64_t *ret, struct err *e) MUST_CHECK;
enum err_code store_setting_window(struct store *s, const struct store_setting_name *name,
                                   struct window *ret, struct err *e) MUST_CHECK;

// What a connected device says of itself (beats); shown per branch.
struct device_status {
    struct uuid device;
    char location[LIMIT_NAME + 1];
    uint64_t pending;
    int64_t oldest_pending_at; // ms since 1970, 0 when none
    int64_t last_seen_at;
    int64_t last_sync_at; // last moment with nothing pending, or last acknowledged push
    int64_t clock_offset_ms;
    int64_t disk_free_bytes;
    char version[32];
    struct catalog_version catalog; // what it shows; count is not told
    struct catalog_version refused; // number 0: none
    bool online;
};
enum err_code store_device_status_put(struct store *s, const struct device_status *status,
                                      struct err *e) MUST_CHECK;
// What it said of itself is of no interest any more.
enum err_code store_device_status_drop(struct store *s, const struct uuid *device,
                                       struct err *e) MUST_CHECK;
// No device has a session: after a start.
enum err_code store_devices_offline(struct store *s, struct err *e) MUST_CHECK;

// ---- questions for people -------------------------------------------------------------------

struct review {
    int64_t number;
    struct str kind;   // id_conflict, ticket_conflict, fork, clone, clock, revoked, damaged
    struct str record; // what it is about
    struct str location;
    struct str text;   // one sentence
    struct str detail; // JSON
    int64_t opened_at;
    bool open;
};
struct review_list {
    struct review *items;
    size_t count;
};
// Keyed by (kind, record): a second opening of an open one changes nothing.
enum err_code store_review_open(struct store *s, const struct review *review,
                                struct err *e) MUST_CHECK;
enum err_code store_review_find(struct store *s, int64_t number, struct arena *a,
                                struct review *ret, struct err *e) MUST_CHECK; // ERR_NOT_FOUND
enum err_code store_reviews(struct store *s, bool open_only, size_t max, struct arena *a,
                            struct review_list *ret, struct err *e) MUST_CHECK;

struct dead_letter {
    int64_t lsn;
    struct uuid id;
    struct str type; // empty where the bytes give none that is a name: they may hold anything
    struct str location;
    struct str reason;
    int64_t since;
};
struct dead_letter_list {
    struct dead_letter *items;
    size_t count;
};
enum err_code store_dead_letters(struct store *s, size_t max, struct arena *a,
                                 struct dead_letter_list *ret, struct err *e) MUST_CHECK;
// Folds what can be folded now (after an upgrade or a fix).
enum err_code store_dead_letters_retry(struct store *s, uint64_t *ret_folded, uint64_t *ret_left,
                                       struct err *e) MUST_CHECK;
struct store_evidence {
    struct stream_key key;
    uint64_t seq;
    struct str bytes;
    const char *reason;
    int64_t at; // ms since 1970
};
// Evidence of damage, bounded by LIMIT_QUARANTINE (the oldest goes first).
enum err_code store_quarantine_put(struct store *s, const struct store_evidence *evidence,
                                   struct err *e) MUST_CHECK;

// ---- the catalog ------------------------------------------------------------------------------
// At the centre a version is published from the drafts by its event (model/catalog.h); elsewhere it
// comes down the chain's feed, and is shown as a whole.

struct store_catalog {
    struct catalog_version version; // shown; number 0: none yet
    uint64_t next;                  // the number of the one being brought in; the same: none
    struct catalog_version refused; // whose rows did not give its hash; number 0: none
    uint64_t changed;               // at the centre: drafts edited since it was published, at most
};
enum err_code store_catalog(struct store *s, struct store_catalog *ret, struct err *e) MUST_CHECK;
// ERR_NOT_FOUND: no such version was published here.
enum err_code store_catalog_known(struct store *s, uint64_t number, struct catalog_version *ret,
                                  struct err *e) MUST_CHECK;
// When the last one was; 0: never.
enum err_code store_catalog_published_at(struct store *s, int64_t *ret_ms,
                                         struct err *e) MUST_CHECK;
// The number that the next version may have.
enum err_code store_catalog_next(struct store *s, uint64_t *ret_number, struct err *e) MUST_CHECK;
// What would be published now as version ret->number, and how many rows of it changed. ERR_LIMIT
// beyond LIMIT_CATALOG_ROWS.
enum err_code store_catalog_prepare(struct store *s, struct catalog_version *ret,
                                    uint64_t *ret_changed, struct err *e) MUST_CHECK;
// Rows that are shown, by id; until each returns false.
struct store_catalog_page {
    struct str after;
    int64_t limit;     // -1: all
    struct str own_at; // only items of which this place says a price of its own; empty: all
};
enum err_code store_catalog_each(struct store *s, const struct catalog_kind *kind,
                                 const struct store_catalog_page *page,
                                 bool (*each)(void *context, const struct row *row), void *context,
                                 struct err *e) MUST_CHECK;
// At the centre: what the price was in a version.
struct price_name {
    struct str sku;
    struct str list; // empty: the main one
};
enum err_code store_catalog_price(struct store *s, uint64_t version, const struct price_name *name,
                                  struct arena *a, struct price *ret, struct err *e) MUST_CHECK;
// A price as it was set at a location, published or not; id: sku, or sku/list.
enum err_code store_price_draft(struct store *s, struct str location, struct str id,
                                struct arena *a, struct price *ret, struct err *e) MUST_CHECK;
// What the chain's setting says.
enum err_code store_price_authority(struct store *s, enum price_authority *ret,
                                    struct err *e) MUST_CHECK;
// What a place says of an item, or of one of its lists, and stands there (model/price.h).
struct store_own_price {
    struct price_own own; // its price is not there: it says nothing
    struct uuid event;
    int64_t set_at;
    struct str set_by; // empty: not known
};
enum err_code store_own_price(struct store *s, struct str location, struct str id, struct arena *a,
                              struct store_own_price *ret, struct err *e) MUST_CHECK;
// An own price that came in this transaction and will be held.
struct price_doubt {
    struct uuid event;
    const struct price_doubt *next;
};
// A line as it was sold, and whether its price is explained by the version that its author had
// before him (model/price.h): *ret_price is that version's main price.
struct price_line {
    struct str location, record_type, record; // a ticket or an order
    struct uuid event;                        // the ticket's, or the completion of its bill
    struct str sku;
    uint64_t version; // 0: not said
    struct price_sold sold;
    const struct price_doubt *doubted; // do not explain it
};
enum err_code store_price_check(struct store *s, const struct price_line *line, struct arena *a,
                                enum price_finding *ret, struct price *ret_price,
                                struct err *e) MUST_CHECK;
// Sold lines whose prices nothing explains, until each returns false.
struct price_look {
    const struct record_name *order; // of its completed bills; NULL: all that was sold
    uint64_t from_version;           // of all: lines that say this version or a later one
    uint64_t published;              // with a later one a price cannot be compared yet
    uint64_t ret_unknown;            // the least of those; 0: there was none
};
typedef bool price_found(void *context, const struct price_line *line,
                         const struct price *published);
enum err_code store_prices_differ(struct store *s, struct price_look *look, price_found *each,
                                  void *context, struct err *e) MUST_CHECK;
// Whether this was said of the event.
enum err_code store_judged_for(struct store *s, struct str location, const struct uuid *target,
                               enum verdict_reason reason, bool *ret, struct err *e) MUST_CHECK;
// The triggers, a blank between them, of an open question about a whole record; empty: none is.
enum err_code store_question_open(struct store *s, const struct record_name *record,
                                  const char *kind, struct arena *a, struct str *ret_triggers,
                                  struct err *e) MUST_CHECK;
// What a person has to decide before anything is published.
enum err_code store_catalog_questions(struct store *s, size_t max, struct arena *a,
                                      struct review_list *ret, struct err *e) MUST_CHECK;

struct catalog_walk { // zeroed: at the start
    int kind;
    char id[LIMIT_NAME + 1];
    int64_t edition;
    bool done;
};
// On a device: drops some of what nobody is shown any more.
enum err_code store_catalog_sweep(struct store *s, struct catalog_walk *at,
                                  struct err *e) MUST_CHECK;
// Reads some of what is shown; when at.done: whether it still is what was published.
struct catalog_check {
    struct catalog_walk at;
    struct set_hash sum;
    uint64_t rows;
    bool sound;
    struct catalog_version found; // what its rows give
};
enum err_code store_catalog_check(struct store *s, struct catalog_check *check,
                                  struct err *e) MUST_CHECK;
// What a check found is told to the centre, and a full copy is asked for: the cursor of the chain's
// feed is given up.
enum err_code store_catalog_doubt(struct store *s, const struct catalog_version *found,
                                  struct err *e) MUST_CHECK;

// ---- queries ----------------------------------------------------------------------------------

struct store_counts {
    uint64_t pending[LANE_COUNT];
    uint64_t held[LANE_COUNT];
    uint64_t settled[LANE_COUNT]; // run_started is not counted
    uint64_t unsettled;           // pending and held in all lanes, run_started too
    int64_t oldest_pending_at;    // 0 when none
    int64_t last_sync_at;         // 0 when never
    uint64_t conflicts;
    uint64_t reviews;
    uint64_t dead_letters;
};
enum err_code store_counts(struct store *s, struct store_counts *ret, struct err *e) MUST_CHECK;

struct stock_row {
    struct str location;
    struct str sku;
    int64_t quantity;
};
// Ordered by location, sku; empty filters mean all.
enum err_code store_stock_each(struct store *s, struct str location, struct str sku,
                               bool (*each)(void *context, const struct stock_row *row),
                               void *context, struct err *e) MUST_CHECK;

struct branch_row {
    struct str id;
    struct str name;
    struct str region;
    uint64_t pending;
    uint64_t conflicts;
    uint64_t dead_letters;
    int64_t oldest_pending_at;
    int64_t last_synced_at; // 0: never
    int64_t last_seen_at;
    uint64_t devices;
    uint64_t devices_online;
    uint64_t catalog_version; // the oldest that one of its devices shows; 0: none said
};
struct branch_list {
    struct branch_row *items;
    size_t count;
};
enum err_code store_branches(struct store *s, struct arena *a, struct branch_list *ret,
                             struct err *e) MUST_CHECK;

struct currency_total {
    char currency[4];
    int places;      // the most that any of its tickets has
    __int128 amount; // minor units of so many places
};
struct store_verdict {
    uint64_t events; // counted ones (duplicates left out)
    uint64_t tickets;
    uint64_t lines;
    struct currency_total *value; // one for each currency, in order
    size_t value_count;
    __int128 quantity; // decimal, over all ticket lines
    uint64_t pruned;   // events that this device does not keep; none of the above counts them
    uint64_t gaps;
    uint64_t duplicates;      // carriers that do not count
    uint64_t chain_errors;    // rows whose bytes do not give their chain, or broken seals
    bool refold_equal;        // the records equal a fresh fold of the journal
    struct str first_problem; // one sentence, empty when none
};
// Reads the whole journal, recomputes every chain and folds it afresh beside the tables. Where a
// stream was pruned, it begins at its base, whose signature must be this device's (store_set_key).
// device_key finds the key that must have signed a stream's seal.
enum err_code store_verify(struct store *s, struct arena *a,
                           void (*progress)(void *context, uint64_t done, uint64_t total),
                           void *context, struct store_verdict *ret, struct err *e) MUST_CHECK;
// Replaces every folded record by a fresh fold of the journal, in one transaction.
enum err_code store_rebuild(struct store *s,
                            void (*progress)(void *context, uint64_t done, uint64_t total),
                            void *context, struct err *e) MUST_CHECK;

// What is used up, so that only a reserve is left. A failure with ERR_DISK_FULL may open one: then
// the same transaction may fit when it is tried again. Whoever writes keeps the reserve for what
// finishes sales (event_type.in_reserve).
enum store_reserve { RESERVE_QUOTA = 1, RESERVE_DISK = 2 };
unsigned store_reserve(const struct store *s); // bits; 0: there is enough room. Any thread

struct store_room {
    int64_t disk_bytes; // of the file system: what is used and what is free for us
    int64_t free_bytes;
    int64_t used_bytes; // of wasl.db: pages that hold something
    int64_t max_bytes;  // quota, 0: none
    unsigned reserve;
    uint64_t entered; // how often a reserve was begun since the store was opened
};
enum err_code store_room(struct store *s, struct store_room *ret, struct err *e) MUST_CHECK;
// The measured time of one fsync beside the store; 0 where the disk has no room to measure it.
enum err_code store_fsync_us(struct store *s, int64_t *ret, struct err *e) MUST_CHECK;

#endif
