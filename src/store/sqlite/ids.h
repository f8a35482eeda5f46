// SPDX-License-Identifier: Apache-2.0
// Which rows of the journal carry an id.
//
// Why: a table from a 56-bit key to a journal position takes 16 bytes a row where the id itself
//   would take 30, and is three times faster to insert into.
// How: the first key of a version 7 id is its time and counter, so that new ids come last; of any
//   other id its first bits. Where the key is taken by another id (told by the id in events), the
//   next keys are hashes of a secret of this store, the id and a number: no peer can aim at them.
// Late: an id whose key is above all others is only remembered, and written with its like once
//   IDS_LATE rows are behind: a page of the log for each sale would be the price of writing it at
//   once. meta 'ids_until' says up to which row the table is whole; those behind it are read from
//   the journal when a store is opened or a transaction was rolled back.
// Invariants: rows are never removed, so a probe ends at the first free key; every carrier of an
//   id lies before that. Keys of late ids rise and are not in the table; an id whose key meets one
//   of them has it written first. Who removes rows of the journal has all late ones written before.
// Threads: as the store.
#ifndef WASL_STORE_SQLITE_IDS_H
#define WASL_STORE_SQLITE_IDS_H

#include "store/sqlite/past.h"

#define IDS_KEY_FIRST ((INT64_C(1) << 55) - 1) // first keys of version 7 ids are above, no others
enum { IDS_PROBES = 100000, IDS_LATE = 128, IDS_LATE_MAX = 4 * IDS_LATE };

struct ids_late {
    int64_t key;
    int64_t lsn;
};
struct census;
struct ids {
    struct db *table;   // where event_ids is
    struct db *journal; // where events is
    struct hash salt;
    bool shared;           // another process writes: nothing read once stays true
    struct census *census; // in a check: the table is the store's own, and nothing is added to it
    bool loaded;           // what follows is known; a fold into an empty table begins like that
    int64_t last;          // the highest key of all
    int64_t until;
    size_t late_count;
    struct ids_late late[IDS_LATE_MAX];
};
void ids_init(struct ids *ids, struct db *table, struct db *journal);
int64_t ids_key(const struct ids *ids, const struct uuid *id, int probe);

struct ids_carriers {
    int64_t *lsns; // in the order of arrival
    size_t count;
    bool gone; // one was pruned, and this is left of it: the one that counted, if any of them did
    struct past_event past;
};
// Notes that the row at lsn carries id; gives the rows that did before. Ends with ERR_LIMIT when
// one id was carried IDS_PROBES times.
enum err_code ids_add(struct ids *ids, const struct uuid *id, int64_t lsn, struct arena *a,
                      struct ids_carriers *ret, struct err *e) MUST_CHECK;
enum err_code ids_find(struct ids *ids, const struct uuid *id, struct arena *a,
                       struct ids_carriers *ret, struct err *e) MUST_CHECK;
// At a commit: writes late ids when enough rows are behind. last_lsn: of the journal.
enum err_code ids_settle(struct ids *ids, int64_t last_lsn, struct err *e) MUST_CHECK;
// Writes all of them, within a transaction: the table is then whole up to last_lsn.
enum err_code ids_flush(struct ids *ids, int64_t last_lsn, struct err *e) MUST_CHECK;
void ids_forget(struct ids *ids); // what is remembered may not be so: a transaction was rolled back
// Up to which row of the journal the table is whole.
enum err_code ids_read_until(struct db *db, int64_t *ret, struct err *e) MUST_CHECK;

#endif
