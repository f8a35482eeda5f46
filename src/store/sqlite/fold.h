// SPDX-License-Identifier: Apache-2.0
// Folding events into the records' tables.
//
// Why: the same code serves the live store and the fresh fold that 'wasl verify' compares it with.
// Invariants:
//   1. What the tables hold depends on the set of events folded, never on the order of their
//      coming. Each outcome that depends on a rank (which carrier of an id counts, who holds a
//      ticket) is decided by the total order, and undone and redone when an earlier one arrives.
//   2. Of the carriers of one (location, id) that were not withdrawn exactly one counts: the first
//      in the total order. The others are 'duplicate' or, with other content, 'conflict'.
//   3. An event of a revoked device from after its revocation is 'review' (withheld): nothing of it
//      is folded, and it is no carrier of its id. Which events those are is said in revoke.h.
//   4. An owned record is held by one event; other events that claim it and count are in claims.
//   5. Stock deltas wait in memory until fold_flush; everything else is written at once.
#ifndef WASL_STORE_SQLITE_FOLD_H
#define WASL_STORE_SQLITE_FOLD_H

#include "model/effect.h"
#include "store/sqlite/catalog_rows.h"
#include "store/sqlite/census.h"
#include "store/sqlite/delta.h"
#include "store/sqlite/feed.h"
#include "store/sqlite/ids.h"
#include "store/sqlite/revoke.h"
#include "store/sqlite/records.h"
#include "store/sqlite/turns.h"

// As stored in events.state, and in this order (see schema 0001).
enum row_state {
    ROW_SETTLED,
    ROW_HELD,
    ROW_PENDING,
    ROW_CONFLICT, // another event holds the record
    ROW_REVIEW,
    ROW_DEAD,
    ROW_DUPLICATE,
    ROW_ID_CONFLICT, // another event has the id; shown as conflict
    ROW_WITHHELD,    // of a revoked device; shown as review
};

struct store;

struct fold {
    struct db *tables;     // where the records are
    struct db *journal;    // where the events are
    struct store *store;   // NULL in a check: no reviews, no feeds, no states written
    struct census *census; // in a check: rows that no event asks for again are summed up in it
    uint8_t *states;       // in a fresh fold: of the rows, by lsn - states_from
    int64_t states_from;
    int64_t upto;     // rows behind it are not folded yet
    bool confirms;    // stock has a confirmed part (terminals)
    bool record_full; // the record of the event at hand takes no more
    bool asks;        // stock that turns is told (turns.h; the centre)
    struct ids ids;
    struct delta_map deltas;
    struct turns turns;
    struct feed_queue changes;
    struct revoked revoked;
    struct records records;
    struct catalog_rows catalog;
    struct arena effects; // of the event at hand
    struct arena others;  // events read back
};

void fold_init(struct fold *f, struct db *tables, struct db *journal);
void fold_fini(struct fold *f);

struct fold_row {
    int64_t lsn;
    const struct event *event;
    const char *dead; // a dead letter for the caller's reason
    bool withdrawn;   // its id is known, and nothing more: it was appended again
    int64_t received_at;
    enum row_state base; // what it is when nothing is the matter
    enum row_state ret_state;
    char ret_reason[ERR_TEXT_MAX]; // why it is dead
    bool ret_contended;            // another event claims the same record
};
// Counts the event's id and folds it if it counts. The row itself is the caller's to write.
enum err_code fold_add(struct fold *f, struct fold_row *row, struct err *e) MUST_CHECK;
// To be called once the row itself is written: asks people about what it contends for, and brings
// the events of a device that it revoked in line.
enum err_code fold_settled(struct fold *f, const struct fold_row *row, struct err *e) MUST_CHECK;
// Undoes a row, since its event is about to be appended again under another run; tells how it was.
struct fold_withdrawn {
    bool counted;
    bool folded; // counted, or waiting for a record that another event holds
    bool apart;  // a notice said that the upstream did not fold it
};
enum err_code fold_withdraw(struct fold *f, int64_t lsn, struct fold_withdrawn *ret,
                            struct err *e) MUST_CHECK;
// Folds a dead letter again that counts its id already.
enum err_code fold_retry(struct fold *f, struct fold_row *row, struct err *e) MUST_CHECK;
// Like fold_add, for a row whose event f->others holds already.
enum err_code fold_add_kept(struct fold *f, struct fold_row *row, struct err *e) MUST_CHECK;
// True where the event names the position and the place of its stream, and is not one that only the
// centre may author, brought by another: what is not so is never folded, whenever it can be read.
bool fold_fits(const struct event *event, const struct stream_info *info, uint64_t seq);
// What a row is when nothing is the matter with it: as far as its stream's marks say.
enum err_code fold_base(struct fold *f, int64_t lsn, enum row_state *ret, struct err *e) MUST_CHECK;
// Writes stock sums and feed rows. Before the commit.
enum err_code fold_flush(struct fold *f, struct err *e) MUST_CHECK;
void fold_forget(struct fold *f); // after a rollback
// Queues word to the event's place that it became a dead letter or conflict (or no longer is).
enum err_code fold_notify(struct fold *f, const struct event *event, enum row_state state,
                          struct str reason, struct err *e) MUST_CHECK;
// Queues word to the event's place that this very carrier lost its id to another one (or no
// longer).
enum err_code fold_notify_carrier(struct fold *f, const struct event *event, bool lost,
                                  struct err *e) MUST_CHECK;
// Reads the event of a row into f->others.
enum err_code fold_load(struct fold *f, int64_t lsn, struct event *ret, struct err *e) MUST_CHECK;

// ---- for carriers.c and revoke.c

enum err_code fold_state_of(struct fold *f, int64_t lsn, enum row_state *ret,
                            struct err *e) MUST_CHECK;
// Changes the state of a row that is in the journal already.
enum err_code fold_set_state(struct fold *f, int64_t lsn, const struct event *event,
                             enum row_state state, struct err *e) MUST_CHECK;
// The same with what became of the row, and why it is dead where it is.
enum err_code fold_write_state(struct fold *f, const struct fold_row *row,
                               struct err *e) MUST_CHECK;
// Folds an event that counts, or makes a dead letter of it: row->ret_state.
enum err_code fold_apply(struct fold *f, struct fold_row *row, struct err *e) MUST_CHECK;
// Undoes what an event that counted did.
enum err_code fold_take_back(struct fold *f, struct fold_row *row, struct err *e) MUST_CHECK;
// Asks people about the record that it contends for.
enum err_code fold_contended(struct fold *f, const struct fold_row *row, struct err *e) MUST_CHECK;

#endif
