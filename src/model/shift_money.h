// SPDX-License-Identifier: Apache-2.0
// Money of shifts: what was taken, given back, put in and taken out, and in which Z it is counted.
//
// Why: a payment is an event of its order, and names the shift in which it was taken; a Z freezes
//   the set of events that it counted. Which Z a payment is counted in depends on both, so it is a
//   question to all of them and no record's own state.
// Rules (S5: nothing vanishes, nothing is counted twice):
//   own      the shift is open, or its Z froze the event: a stream up to its seq, or the event by
//            itself
//   late     its Z did not know the event: the first later Z of the same till that names the event
//            by itself counts it, in a section of its own, with the date at which it happened. A
//            stream up to a seq is no such name: what stands there may be of a shift that was open
//            when the Z was made, and that another till closed without it.
//   waiting  no later Z froze it so far: it goes into the next one
// Invariants: each fact is in exactly one section; once it is in a Z's own section it stays there,
//   whatever comes. The store's view 'shift_sections' follows these rules.
// Limits: a Z names most events by their place in a stream. One that was written twice (again under
//   a new run, or once more at another till) counts by the first of its carriers; where a Z had
//   named it by another one it waits for the next Z. It is still in one section.
#ifndef WASL_MODEL_SHIFT_MONEY_H
#define WASL_MODEL_SHIFT_MONEY_H

#include "model/record.h"

enum shift_kind {
    SHIFT_SALE, // a completed sale: its total, paid or not
    SHIFT_PAYMENT,
    SHIFT_REFUND, // below zero
    SHIFT_FLOAT,  // in the drawer when it began
    SHIFT_CASH_IN,
    SHIFT_CASH_OUT,  // below zero
    SHIFT_CASH_DROP, // below zero: to the safe
};
const char *shift_kind_name(enum shift_kind kind);

// Money in the drawer, or on its way out of it; a sale's total is not.
struct shift_money {
    struct str shift;
    const struct record_entry *by; // the event that says so
    int number;                    // of several by one event, from 1
    enum shift_kind kind;
    struct str method; // "cash" of all that is put in and taken out
    struct str currency;
    int64_t amount; // minor units
};
// Its row, in the table of all records that have such rows. What names no shift has none.
extern const struct row_table shift_money_table;
enum err_code shift_money_write(struct row_list *to, const struct record_name *record,
                                const struct shift_money *money) MUST_CHECK;

struct shift_mark { // a Z counted a stream's events up to here
    struct uuid origin;
    enum lane lane;
    uint64_t upto;
};

#endif
