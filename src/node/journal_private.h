// SPDX-License-Identifier: Apache-2.0
// What the parts of the journal share. Nobody else includes this.
//
// Own events get their place from a run, one per location this process writes for (a till has one).
// Everything in memory that a transaction changes is changed on a copy or kept aside until the
// commit: runs are copied at journal_begin, overlay entries and moved heads wait in lists.
#ifndef WASL_NODE_JOURNAL_PRIVATE_H
#define WASL_NODE_JOURNAL_PRIVATE_H

#include "base/clock.h"
#include "model/judgement.h"
#include "model/reservation.h"
#include "node/journal.h"
#include "node/true_time.h"
#include "sync/recovery.h"

enum {
    RUNS_MAX = 1024, // at once; a centre writes for every place that it judges
    ARENA_MAX = 32 * 1024 * 1024,
    MOVED_MAX = 4096,
    TOUCHED_MAX = 4096,
    PREVIOUS_MAX = 3 * LANE_COUNT,
    LOAD_PAGE_EVENTS = 500,
    LOAD_PAGE_BYTES = 4 * 1024 * 1024,
    PRUNE_EVENTS = 32,               // a sale that comes meanwhile waits for so many to go
    FEED_ROWS = 32,                  // ... or for so many rows of the chain's feed to come
    REHOME_PAGE_BYTES = 1024 * 1024, // read, parsed and written again in one transaction's arena
};

struct touched {
    char location[LIMIT_NAME + 1];
};
struct delta { // waits for the commit to enter the overlay
    struct str sku;
    int64_t delta;
};
// SKUs whose overlay changed in this transaction: their rows are to be written.
struct changed_skus {
    struct journal *j;
    struct str *skus; // freed by the caller
    size_t count, capacity;
};

// An event that this transaction took in, and that may have to be judged.
struct arrival {
    struct event event; // without its bytes and body
    int64_t received_at;
    struct arrival *next;
    struct event_order order;  // its place, with the clock that counts
    struct price_case *prices; // of a ticket: what nothing explains; NULL: nothing
    const char *paid, *due;    // of a ticket: in words, where they differ; NULL: they do not
    const char *odd;           // what it says that cannot be so; NULL: nothing
    bool priced;               // of an order: its prices may have to be looked at
    bool claims;               // it says what quantity its author saw
    struct quantity_claim claim;
    bool own;                          // this node's
    bool without_right;                // its author had none to it
    bool outranked;                    // a branch's price that does not count
    struct str asked, official;        // that price and the head office's, in words
    int64_t pending_ms, skew_limit_ms; // as the chain's settings say
    bool reserves;                     // it asks for goods to be kept
    struct reservation_claim reservation;
};
// What came now and stands before a count that came earlier.
struct overlap {
    struct str location;
    struct store_counted counted;
    int64_t moved; // decimal: sum of their deltas
    struct overlap *next;
};

// A place that keeps stock of a SKU from this transaction on.
struct begun {
    struct str location, sku;
    struct uuid event; // that moved it
    struct begun *next;
};

struct journal {
    struct config config;
    struct store *store;
    struct identity identity;
    struct uuid run_id;
    char boot[CLOCK_BOOT_ID_SIZE]; // id of the machine's start
    struct true_time time;         // what an upstream told
    int64_t clock_offset_ms;       // at journal_begin
    struct run *runs;              // by location
    struct run *runs_saved;        // as at journal_begin
    size_t run_count, run_count_saved;
    struct overlay *overlay; // not at the centre
    struct arena arena;      // of the transaction
    struct buf bytes;        // of one event
    struct uuid_maker ids;
    struct delta *deltas;
    size_t delta_count, delta_capacity;
    struct outbox_head *moved;
    size_t moved_count;
    struct touched *touched;
    size_t touched_count;
    struct arrival *arrivals, **arrivals_end; // in the arena, in the order of their coming
    struct price_doubt *doubts;               // in the arena: own prices that will be held
    struct overlap *overlaps;                 // in the arena
    struct begun *begun;                      // in the arena
    struct counted_newest {
        char location[LIMIT_NAME + 1]; // empty: none was looked up
        hlc hlc;                       // of the newest count there; 0: none
    } counted;
    struct rehomed { // where the last appending again stopped
        struct stream_key key;
        struct uuid origin; // of the run that took it
        uint64_t written;   // by that run
    } rehomed;
    struct uuid answered; // whose adjustment is being written: nobody counted for that
    uint64_t outbox;      // own events that the centre has not settled
    uint64_t outbox_saved;
    struct restored restored, restored_saved; // the centre's
    int64_t received_before;                  // when the last event came before this start
    bool sessions_over;                       // they are to end behind the commit
    struct upstream {                         // the device's
        struct uuid recovery;                 // as a welcome named it since this start
        bool told;                            // it was told everything that is kept here
        int64_t told_ms;                      // when, by its clock; 0: it was never restored
    } upstream;
    bool open;            // a transaction is open
    bool overlay_touched; // in this transaction: a rollback makes it stale
    bool overlay_stale;   // to be read again before the next transaction
};

// journal.c
struct run *journal_find_run(struct journal *j, struct str location);
void journal_forget_run(struct journal *j, struct run *run);
enum err_code journal_run_for(struct journal *j, struct str location, struct run **ret,
                              struct err *e) MUST_CHECK;
enum err_code journal_stamp(struct journal *j, struct run *run, struct event *draft,
                            struct err *e) MUST_CHECK;
void journal_note_touched(struct journal *j, struct str location);
void journal_note_moved(struct journal *j, const struct outbox_head *head);
struct uuid journal_fresh_id(struct journal *j);
enum err_code journal_refuse(struct journal_added *ret, const char *reason) MUST_CHECK;
// What was written of a body, as a value in the transaction's arena; ends the writer.
enum err_code journal_read_back(struct journal *j, struct json_writer *w, yyjson_val **ret,
                                struct err *e) MUST_CHECK;
// Adds what was checked.
enum err_code journal_write(struct journal *j, struct event *draft, struct journal_added *ret,
                            struct err *e) MUST_CHECK;

// journal_enrol.c: NULL where nothing speaks against the enrolments among the effects of a draft.
const char *journal_enrolment_fault(struct journal *j, const struct effect_list *effects);

// journal_revoke.c: revocations, which the centre completes
// A stored event as its author gave it, to be compared with a draft.
enum err_code journal_given_content(struct journal *j, const struct event *stored,
                                    struct event *ret, struct err *e) MUST_CHECK;
enum err_code journal_add_revocation(struct journal *j, const struct event *draft,
                                     struct journal_added *ret, struct err *e) MUST_CHECK;
// Lets in what a revoked device delivered under seals so far; the draft says what and why: its
// location, record id and body.
enum err_code journal_accept_revoked(struct journal *j, struct event *draft,
                                     struct journal_added *ret, struct err *e) MUST_CHECK;

// journal_judge.c: the authority
// An event was taken in and counts; what has to be judged of it waits for journal_judge.
enum err_code journal_note_arrival(struct journal *j, const struct arrival *arrival,
                                   struct err *e) MUST_CHECK;
enum err_code journal_judge(struct journal *j, struct err *e) MUST_CHECK; // before the commit
// Says something of an event of this record.
enum err_code journal_say(struct journal *j, const struct record_name *record,
                          const struct judgement *judgement, struct err *e) MUST_CHECK;
// Says of what was asked about, the triggers of a question with a blank between them, that it has
// explained itself.
enum err_code journal_explain(struct journal *j, const struct record_name *record, const char *kind,
                              struct str triggers, struct err *e) MUST_CHECK;
void journal_forget_arrivals(struct journal *j);

// journal_quantity.c: what authors say they saw of stock
// Where that matters, up to where this node has seen the feed; unless its author says so itself:
// then a count by a position that this node cannot have shown is a fault: nobody could judge it.
enum err_code journal_fill_seen(struct journal *j, struct event *draft, const char **ret_fault,
                                struct err *e) MUST_CHECK;
// An event with its body came in: what it claims, and which counts did not know of it.
enum err_code journal_note_quantity(struct journal *j, struct arrival *arrival,
                                    struct err *e) MUST_CHECK;
struct seen_walk {
    struct str location; // what was walked through last
    int64_t after;       // -1: nothing
    int64_t wanted;      // behind which row what is looked at now lies; not before 'after'
    struct store_moves moves;
    struct overlap *overlaps; // of this transaction
};
enum err_code journal_judge_claim(struct journal *j, const struct arrival *arrival,
                                  struct seen_walk *walk, struct err *e) MUST_CHECK;
enum err_code journal_judge_overlaps(struct journal *j, const struct overlap *overlaps,
                                     struct err *e) MUST_CHECK;

// journal_reservation.c: reservations
// Says whether they are kept; 'effective' is the clock that counts instead of its own, or 0.
enum err_code journal_judge_reservation(struct journal *j, const struct arrival *arrival,
                                        hlc effective, struct err *e) MUST_CHECK;
// A person lets an event of this record in: where it asks for goods, that alone does not keep them.
enum err_code journal_reservation_verdict(struct journal *j, const struct event *event,
                                          struct verdict *verdict, struct err *e) MUST_CHECK;

// journal_below.c: stock that goes below zero
// An event came in: whether its place keeps stock of its SKU.
enum err_code journal_note_kept(struct journal *j, const struct arrival *arrival,
                                struct err *e) MUST_CHECK;
enum err_code journal_judge_below(struct journal *j, struct err *e) MUST_CHECK;

// journal_price.c: sold prices against the catalog
// An event with its body came in: the prices of its lines.
enum err_code journal_note_price(struct journal *j, struct arrival *arrival,
                                 struct err *e) MUST_CHECK;
// What an author of a place's price, or of an answer about it, had before him: where the client
// does not say, it is what this node shows.
enum err_code journal_fill_catalog(struct journal *j, struct event *draft, const char **ret_fault,
                                   struct err *e) MUST_CHECK;
// An own price of a place came that will be held.
enum err_code journal_doubt_price(struct journal *j, const struct uuid *event,
                                  struct err *e) MUST_CHECK;
enum err_code journal_judge_prices(struct journal *j, const struct arrival *arrivals,
                                   struct err *e) MUST_CHECK;
// journal_paid.c: what was paid with a ticket against what it comes to, and what cannot be so
// An event with its body came in: its payments, and what is odd about it.
enum err_code journal_note_paid(struct journal *j, struct arrival *arrival,
                                struct err *e) MUST_CHECK;
enum err_code journal_judge_paid(struct journal *j, const struct arrival *arrivals,
                                 struct err *e) MUST_CHECK;

// A version was published: what was sold from it before the centre knew it.
enum err_code journal_prices_published(struct journal *j, uint64_t version,
                                       struct err *e) MUST_CHECK;

// journal_overlay.c: own events that the feed does not yet include
bool journal_has_overlay(const struct journal *j);
bool journal_status_counts(enum event_status status);
enum err_code journal_note_deltas(struct journal *j,
                                  const struct event *event) MUST_CHECK; // wait for the commit
enum err_code journal_enter_deltas(struct journal *j) MUST_CHECK;        // after it
enum err_code journal_load_overlay(struct journal *j, struct err *e) MUST_CHECK;
// A stored own event enters (1) or leaves (-1) the overlay at once, in an open transaction.
enum err_code journal_turn_event(struct changed_skus *changed, struct str bytes, int turn,
                                 struct arena *a) MUST_CHECK;
enum err_code journal_note_changed(void *changed_skus, struct str sku) MUST_CHECK;
enum err_code journal_refresh_changed(const struct changed_skus *changed, struct err *e) MUST_CHECK;

// journal_restored.c
enum err_code journal_read_restored(struct journal *j, struct err *e) MUST_CHECK;
// Whether what a hello says shows that this centre was restored; then a recovery begins.
enum err_code journal_note_hello(struct journal *j, const struct message_hello *hello,
                                 const struct downlink_identity *identity,
                                 const enum feed_standing standing[DOWNLINK_FEEDS],
                                 struct err *e) MUST_CHECK;
// What people at a head office decide, as an event.
bool journal_is_decision(const struct event *draft);
// A decision while a recovery is open, but for the revocation that journal_may_revoke allows.
bool journal_must_wait(const struct journal *j, const struct event *draft);
// Whether an event may be brought again: what was written before the recovery was found.
bool journal_came_before(const struct journal *j, const struct event *event);
// When an event arrived, as its lateness is judged: of one that may be brought again, when it could
// have come first.
int64_t journal_arrived_at(const struct journal *j, const struct event *event, int64_t received_at);

// journal_uplink.c
bool journal_carries(const struct journal *j); // what comes from below goes up from here
enum err_code journal_count_outbox(struct journal *j, struct err *e) MUST_CHECK;
uint64_t journal_settled_of(struct journal *j, const struct stream_key *key);
struct stream_list {
    struct stream_info *items; // freed by the caller
    size_t count, capacity;
    enum err_code code;
};
// Own streams, and those that this node carries.
enum err_code journal_streams_up(struct journal *j, struct stream_list *ret,
                                 struct err *e) MUST_CHECK;

#endif
