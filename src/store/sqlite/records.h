// SPDX-License-Identifier: Apache-2.0
// Folded records (model/record.h) in the store: which events each is made of, and its rows.
//
// Why: an order changes a dozen times within minutes. While it does, it stays folded in memory, and
//   each change writes only the rows that differ.
// Invariants:
//   1. After records_flush the tables hold the rows of each record that was touched, as record_rows
//      gives them for the events listed in record_events.
//   2. An event is listed once; below zero stands for one that the feed told (told_events).
// Ownership: owns the records in memory; at most RECORDS_KEPT outside a transaction, and not many
//   more than RECORDS_MOST inside one, however many it touches.
//
//   records_put / records_take_back ──► touched ──records_flush──► rows written, kept for the next
#ifndef WASL_STORE_SQLITE_RECORDS_H
#define WASL_STORE_SQLITE_RECORDS_H

#include "model/record.h"
#include "store/sqlite/census.h"
#include "store/sqlite/row_store.h"

enum {
    RECORDS_KEPT = 256,
    RECORDS_MOST = 4096, // inside a transaction: beyond it what was touched is written early
    RECORDS_BUCKETS = 1024,
};

struct kept_record;

struct records {
    struct db *tables;
    struct db *journal; // where events are read
    struct row_store rows;
    struct kept_record *kept;                     // the one used last comes first
    struct kept_record *buckets[RECORDS_BUCKETS]; // the same, by name
    size_t count;
    // In a check: which events a record is made of is summed up, and its rows are made once that is
    // done (verify_tables.c). Only what the fold asks for again, drafts of the catalog, is folded.
    struct census *census;
    bool chain_touched; // a record of the whole chain was, since the last flush
};

void records_init(struct records *r, struct db *tables, struct db *journal);
void records_fini(struct records *r);

// The event at lsn (its type has a reducer, which can read its body) is part of its record. It is
// not, and *ret_full, where the record would have more than LIMIT_RECORD_BYTES of events: one that
// cannot be folded any more would stop everything else that its place has to say. Judgements, of
// which an event has few, always are.
enum err_code records_put(struct records *r, const struct event *event, int64_t lsn, bool *ret_full,
                          struct err *e) MUST_CHECK;
// Bytes of events that a record may have in memory: one that gets shorter has more for a while,
// when what is past was needed.
size_t records_limit(const struct reducer *reducer);
// It is no more.
enum err_code records_take_back(struct records *r, const struct event *event, int64_t lsn,
                                struct err *e) MUST_CHECK;
enum err_code records_flush(struct records *r, struct err *e) MUST_CHECK;
// The record is not kept any more: nothing lists it. Not one that was touched since the last flush.
enum err_code records_drop(struct records *r, const struct record_name *name,
                           struct err *e) MUST_CHECK;
// What lists its events was changed: it is read anew when it is needed. Not one that was touched.
void records_reread(struct records *r, const struct record_name *name);
void records_forget(struct records *r); // after a rollback: what is in memory may be ahead

// What a new event on the record gives as its base; *ret_count 0 for a record not known.
// Sees what was put and not flushed.
enum err_code records_frontier(struct records *r, const struct record_name *name,
                               struct uuid ret[LIMIT_BASE], size_t *ret_count,
                               struct err *e) MUST_CHECK;
// Adds an event to a record as it is folded here. Of an id that was told and is in the journal
// under another carrier, the told one counts.
enum err_code records_join(struct record *record, const struct event *event, bool told,
                           struct err *e) MUST_CHECK;
// The record, folded, as long as nothing else is done with 'r'; NULL where it is not known.
enum err_code records_look(struct records *r, const struct record_name *name,
                           const struct record **ret, struct err *e) MUST_CHECK;

#endif
