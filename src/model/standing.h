// SPDX-License-Identifier: Apache-2.0
// Which events of a long record still matter.
//
// Why: a table is written to two hundred times a day, for years, and its row comes from the newest
//   write of each field. What came before need not be read again.
// How: one of the later events is the cut, whose author had seen all that is placed before it. Of
//   those, what matters is what the reducer says stands (stands in struct reducer), what judges or
//   answers, and what was judged or answered. What is left keeps its order by ranks (struct
//   record_note), since events name others that are gone.
// Invariant: without the others the rows and the frontier are the same, and stay so whatever event
//   is added that does not reach back. One that does finds the record whole again, or what comes of
//   it may differ: it may be placed before the cut, or something else may stand.
#ifndef WASL_MODEL_STANDING_H
#define WASL_MODEL_STANDING_H

#include "model/record.h"

struct standing {
    bool *matters; // by place, as many as the record has events, in the arena; NULL: all matter
    size_t cut;    // its place
};
// After record_fold. 'last': so many events of the order are behind the cut, or more. All matter
// where the type has no rule, where none of the events before those was by one who had seen all
// before it, and where one behind the cut is an answer: what it rejects may have another stand.
// ERR_NO_MEMORY.
enum err_code standing_find(const struct record *r, size_t last, struct arena *a,
                            struct standing *ret) MUST_CHECK;
// After record_fold, of an event that is about to be added.
bool standing_reaches_back(const struct record *r, const struct event *event);

#endif
