// SPDX-License-Identifier: Apache-2.0
// Drawers: tills open shifts, take money in them, and close each with what they know.
//
// What a closing counted is kept as its author saw it, by item. After quiet each Z must hold just
// that wherever it is looked at: by the model's rule (model/shift_section.h) over the rows of the
// node, with the streams and seqs that the closing named.
#ifndef WASL_SIM_SHIFT_H
#define WASL_SIM_SHIFT_H

#include "model/shift_section.h"
#include "sim/shop_end.h"

struct shift_fact { // money that names a shift
    const struct item *item;
    struct shift_event event;
    int64_t amount; // minor units
    bool sale;      // the total of a completed one, and no money
};
struct shift_view { // a place's shifts, and the money that names them, as a node shows them
    struct shift_z *all;
    uint64_t count, capacity;
    struct shift_fact *facts;
    uint64_t fact_count, fact_capacity;
};
// Of a till, or of the centre (t NULL). Lives as long as the seed.
struct shift_view shift_view_of(struct world *w, int place, struct till *t);

// One that the till shows: its own drawer's, or another's. NULL: there is none.
struct shop_record *shift_any(struct world *w, const struct till *t);
// The record that the till writes to next: the drawer's shift of now, one before it, or a new one.
struct shop_record *shift_choose(struct world *w, struct till *t);
int shift_drawer(const struct world *w, const struct till *t);

// sim/shift_check.c. After quiet.
void shift_check(const struct shop_end *end); // of one
void shift_check_all(struct world *w);        // each fact once, in the section where it was counted

#endif
