// SPDX-License-Identifier: Apache-2.0
// Events of long records that are no longer read (model/standing.h).
//
// Why: a table's record has hundreds of thousands of events after some years; read from the first
//   on, it would take long when it is not in memory, and end at LIMIT_RECORD_BYTES.
// Invariant: nothing is lost by it. The events stay in the journal, or as told, and one that
// reaches
//   back has them read again.
#ifndef WASL_STORE_SQLITE_RECORD_PAST_H
#define WASL_STORE_SQLITE_RECORD_PAST_H

#include "model/record.h"
#include "store/sqlite/db.h"

enum {
    RECORD_LONG = 512,   // events: a record that has more in memory is made shorter
    RECORD_LAST = 128,   // of them stay in any case, the last ones
    RECORD_BACK = 32768, // and so many are read again at most, the last that arrived
};

struct listed { // a row of record_events
    int64_t lsn;
    int64_t rank; // doubled, and one more for the cut
};
struct record_note record_past_note(const struct listed *row);

// Moves what no longer matters of the record with this number in the store, whose entries have
// their positions in record_events as numbers, to record_past. *ret_count: how many.
enum err_code record_past_move(struct db *db, int64_t number, const struct record *record,
                               size_t *ret_count, struct err *e) MUST_CHECK;
enum err_code record_past_back(struct db *db, int64_t number, struct err *e) MUST_CHECK;

#endif
