// SPDX-License-Identifier: Apache-2.0
// What the checks of a record after quiet share: what counts, who had seen what, in which order.
//
// All of it is computed from what the authors meant, never by the model.
#ifndef WASL_SIM_SHOP_END_H
#define WASL_SIM_SHOP_END_H

#include "sim/shop.h"

struct shop_end {
    struct world *w;
    const struct shop_record *of;
    const struct carrier *counted[SHOP_EVENTS];   // at the centre; NULL: it does not count
    struct shop_set seen[SHOP_EVENTS];            // by the author of each that counts, of those
    const struct shop_item *verdict[SHOP_EVENTS]; // the judgement that counts; NULL: none
    const struct shop_item *moved[SHOP_EVENTS];   // the one that gives it another clock
    bool rejected[SHOP_EVENTS];                   // by a person, in the end
    int order[SHOP_EVENTS];                       // those that count, in the declared order
    int ordered;
    struct row_list rows; // as the centre has them
};

// What it meant; NULL: it does not count, or has no effect as it was judged.
const struct shop_item *shop_end_item(const struct shop_end *end, int i);
bool shop_end_is_wish(const struct shop_end *end, int i); // and no fact
bool shop_end_saw(const struct shop_end *end, int later, int earlier);
void shop_end_wrong(const struct shop_end *end, int i, const char *what);
// Of those that wrote a field one stands: none of the others is lost but by a declared policy, and
// the record lists them all.
void shop_end_check_losers(const struct shop_end *end, const struct shop_set *writes, int stands,
                           const char *policy);

// shop_seen.c. Fills in 'seen' to 'ordered' from what counts.
void shop_find_seen(struct shop_end *end);
int shop_find_number(const struct shop_end *end, const struct uuid *id); // -1: it does not count

// shop_rows.c.
const struct value *shop_value(const struct row *row, const char *column);
int64_t shop_number(const struct row *row, const char *column); // 0 for null
bool shop_text_is(const struct row *row, const char *column, const char *text);
// The next row of the table from *at on; NULL: no more.
const struct row *shop_next_row(const struct shop_end *end, const char *table, size_t *at);
// Whether a person is, or was, asked about both.
bool shop_is_asked(const struct shop_end *end, const char *kind, int a, int b);

// That the rows of a record are what their authors meant, by another computation than the model's.
void shop_order_check(const struct shop_end *end); // shop_order_check.c
void shop_card_check(const struct shop_end *end);  // shop_card_check.c
void shop_reservation_check(const struct shop_end *end);
void shop_stock_check(const struct shop_end *end); // shop_judge_check.c
void shop_batch_check(const struct shop_end *end);
// shop_judge_check.c. That the authority said what it had to, and asked.
void shop_judge_check(const struct shop_end *end);
// Of what is no event of a record.
void shop_batches_check(struct world *w);
void shop_unauthorised_check(struct world *w);

#endif
