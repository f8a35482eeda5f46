// SPDX-License-Identifier: Apache-2.0
// Records that are folded from all of their events, when some of those are pruned.
//
// Why: an order must not lose its opening because that is 35 days old. So what a record still needs
//   of a pruned event is kept with what the feed told (told_events), and nothing of the record's
//   fold changes; a record that is over goes as a whole, with all of its rows.
// Of a long record what is no longer read (record_past.h) goes by its age alone.
// Over is a record none of whose events is in the journal any more, all of them older than the
// limit by their hybrid time, and that nobody has to look at: its questions are answered, and an
// order is not open. A record of a type without such a rule (over_rules) is never over.
#ifndef WASL_STORE_SQLITE_PRUNE_RECORDS_H
#define WASL_STORE_SQLITE_PRUNE_RECORDS_H

#include "store/sqlite/state.h"

// Whether records of this type are ever over.
bool prune_records_may_end(struct str record_type);
// Whether a record, as its rows say, is not over by the rule of its type, or somebody is asked
// about it.
enum err_code prune_records_open(struct store *s, const struct record_name *name, bool *ret,
                                 struct err *e) MUST_CHECK;
// The row at lsn is about to go. *ret_record: the record that it is part of, 0: none.
enum err_code prune_records_keep(struct store *s, const struct event *event, int64_t lsn,
                                 int64_t *ret_record, struct err *e) MUST_CHECK;
// Drops the record if it is over.
enum err_code prune_records_end(struct store *s, int64_t record, int64_t before_ms,
                                struct err *e) MUST_CHECK;
// Looks at records of which nothing is in the journal, from number *from (1 or more) on, some at a
// time: what only the feed told is over some day too. *from becomes 0 behind the last one, or where
// one is young.
enum err_code prune_records_sweep(struct store *s, int64_t *from, int64_t before_ms,
                                  struct err *e) MUST_CHECK;

#endif
