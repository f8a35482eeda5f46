// SPDX-License-Identifier: Apache-2.0
// A cell: one field of a folded record that the last writer wins.
//
// Why: most fields of most records merge alike; what 'last' and 'had seen' mean is decided once.
// Invariants:
//   1. Writes are added in the record's order, so that the newest one is the last by that order,
//      never by arrival or clock.
//   2. What a person rejected, or the authority held or denied, is passed over; the write before it
//      stands again.
// Ownership: writes live in the arena given, and point to what the record keeps.
#ifndef WASL_MODEL_CELL_H
#define WASL_MODEL_CELL_H

#include "model/question.h"

struct cell_write {
    const struct record_entry *by;
    struct value value;      // null: none any more
    struct cell_write *next; // the one before
};
struct cell { // zeroed: never written
    struct cell_write *newest;
};

enum err_code cell_put(struct cell *cell, const struct record_entry *by, const struct value *value,
                       struct arena *a) MUST_CHECK;
// The write that stands; NULL: none.
const struct cell_write *cell_read(const struct cell *cell, const struct questions *q);
// The newest that both authors had seen by their base (record_names); NULL: none.
const struct cell_write *cell_base(const struct cell *cell, const struct questions *q,
                                   const struct record_entry *a, const struct record_entry *b);
// A value as text for people; empty for null; without a pointer when out of memory.
struct str cell_say(const struct cell_write *write, enum column_kind kind, struct arena *a);

#endif
