// SPDX-License-Identifier: Apache-2.0
// Which rows of the journal carry an id.
//
// Why: a table from a 56-bit key to a journal position takes 16 bytes a row where the id itself
//   would take 30, and is three times faster to insert into.
// How: the first key of a version 7 id is its time and counter, so that new ids come last; of any
//   other id its first bits. Where the key is taken by another id (told by the id in events), the
//   next keys are hashes of a secret of this store, the id and a number: no peer can aim at them.
// Invariants: rows are never removed, so a probe ends at the first free key; every carrier of an
//   id lies before that.
#ifndef WASL_STORE_SQLITE_IDS_H
#define WASL_STORE_SQLITE_IDS_H

#include "base/arena.h"
#include "store/sqlite/db.h"

enum { IDS_PROBES = 100000 };

struct ids {
    struct db *table;   // where event_ids is
    struct db *journal; // where events is
    struct hash salt;
};
int64_t ids_key(const struct ids *ids, const struct uuid *id, int probe);

struct ids_carriers {
    int64_t *lsns; // in the order of arrival
    size_t count;
};
// Notes that the row at lsn carries id; gives the rows that did before. Ends with ERR_LIMIT when
// one id was carried IDS_PROBES times.
enum err_code ids_add(struct ids *ids, const struct uuid *id, int64_t lsn, struct arena *a,
                      struct ids_carriers *ret, struct err *e) MUST_CHECK;
enum err_code ids_find(struct ids *ids, const struct uuid *id, struct arena *a,
                       struct ids_carriers *ret, struct err *e) MUST_CHECK;

#endif
