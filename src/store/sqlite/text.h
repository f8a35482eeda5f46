// SPDX-License-Identifier: Apache-2.0
// The text of an event at rest: what other columns of its row and its stream say is not stored
// twice.
//
// Why: an event begins with its version, id, origin, lane, seq and location, about 146 bytes that
//   the row and its stream have already. Without them a row costs less than the event's own text.
// Invariants: what is stored and its place give the event's bytes, to the byte: what does not begin
//   exactly as its place says, and what is no event, is stored whole. A text without its head
//   begins with a quote, which no JSON object does. The view "journal" puts both together as well.
#ifndef WASL_STORE_SQLITE_TEXT_H
#define WASL_STORE_SQLITE_TEXT_H

#include "store/sqlite/db.h"

// Where a row is: what its head is made of.
struct text_place {
    bool known; // it has an id, and its stream is there
    struct uuid id;
    struct uuid origin;
    enum lane lane;
    uint64_t seq;
    struct str location;
};

// What to store: the bytes without their head, or whole.
struct str text_rest(const struct text_place *place, struct str bytes);
// The bytes again; p is NULL when out of memory.
struct str text_whole(const struct text_place *place, struct str stored, struct arena *a);

// The bytes, from the columns TEXT_COLUMNS of a row.
struct str text_get(struct query *q, int first_column, struct arena *a);

#endif
