// SPDX-License-Identifier: Apache-2.0
// What a check finds that the journal gives, summed up instead of written into tables.
//
// Why: nearly every event stands alone: no other row carries its id, no other event claims its
//   ticket. Whose rows nobody asks for again while the journal is folded, they need not be
//   anywhere. The store itself says which events do not stand alone: those with a further key in
//   event_ids, those in claims. These are folded as ever.
// Invariants: should the store say so of too few, the sums differ: two rows with one first key, or
//   two holders of one ticket, are not what tables with unique keys can hold (verify_tables.c sees
//   that the keys are unique). Of too many, nothing but time is lost.
// Limits: KEYS_MOST keys of each kind; beyond it every event is taken for one that does not stand
//   alone.
#ifndef WASL_STORE_SQLITE_CENSUS_H
#define WASL_STORE_SQLITE_CENSUS_H

#include "model/effect.h"
#include "model/record.h"
#include "store/sqlite/ids.h"
#include "store/sqlite/tally.h"

struct census {
    struct tally tally;    // rows of tickets, lines, payments, event_ids, record_events
    struct keys shared;    // first keys of ids that more than one row carries
    struct keys contested; // tickets that more than one event claims
    int64_t ids_until;     // event_ids is whole up to this row
    uint64_t looked_up;    // its rows that are not in the sum: each was found by its id
    bool lacking;          // one was not found
};
// journal: the store that is checked; ids: its salt.
enum err_code census_init(struct census *c, struct db *journal, const struct ids *ids,
                          struct err *e) MUST_CHECK;
void census_fini(struct census *c); // accepts a zeroed struct

// Whether a row of event_ids is in the sum; any other is looked up.
bool census_is_alone(const struct census *c, int64_t key, int64_t lsn);
void census_put_id(struct tally *t, int64_t key, int64_t lsn);
// In the stead of ids_add, into ids->census: the rows before lsn that carry the id.
enum err_code census_id(struct ids *ids, const struct uuid *id, int64_t lsn, struct arena *a,
                        struct ids_carriers *ret, struct err *e) MUST_CHECK;

// A ticket that no other event claims.
bool census_ticket_is_alone(const struct census *c, struct str location, struct str id);
// Of the event at lsn; sign -1: it is taken back.
struct census_row {
    int64_t lsn;
    const struct event *event;
    int sign;
};
void census_ticket(struct census *c, const struct census_row *row, const struct effect_ticket *t);
void census_line(struct census *c, const struct census_row *row, const struct effect_line *line);
void census_payment(struct census *c, const struct census_row *row,
                    const struct effect_payment *payment);

// That the event at lsn is part of a record.
void census_listed(struct tally *t, const struct record_name *record, int64_t lsn, int sign);

// A row of the journal that events_apart has.
void census_apart(struct tally *t, int64_t stream, int64_t seq, int64_t lsn);

#endif
