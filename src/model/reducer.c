// SPDX-License-Identifier: Apache-2.0
// Which records are folded from all of their events, and how.
#include "model/asked.h"
#include "model/authority.h"
#include "model/batch.h"
#include "model/draft.h"
#include "model/floor.h"
#include "model/order.h"
#include "model/people.h"
#include "model/reservation.h"
#include "model/review.h"
#include "model/setting.h"
#include "model/shift.h"

const struct reducer *const reducers[] = {
    &batch_reducer,        &order_reducer, &review_reducer,    &table_reducer,
    &availability_reducer, &unmet_reducer, &customer_reducer,  &reservation_reducer,
    &shift_reducer,        &stock_reducer, &ticket_reducer,    &item_reducer,
    &price_reducer,        &tax_reducer,   &promotion_reducer, &recipe_reducer,
    &role_reducer,         &user_reducer,  &setting_reducer,   &authority_reducer,
};
const size_t reducer_count = sizeof(reducers) / sizeof(reducers[0]);

const struct reducer *reducer_find(struct str record_type)
{
    for (size_t i = 0; i < reducer_count; i++) {
        if (str_is(record_type, reducers[i]->record_type))
            return reducers[i];
    }
    return NULL;
}

bool record_takes(const struct event_type *type, struct str record_type)
{
    const struct reducer *reducer = reducer_find(record_type);
    return reducer != NULL && (!reducer->only_asked || strcmp(type->record_type, RECORD_ANY) == 0);
}

bool reducer_declared_before(size_t reducer, const struct row_table *table)
{
    for (size_t i = 0; i < reducer; i++) {
        const struct row_table *const *tables = reducers[i]->tables;
        while (*tables != NULL && *tables != table)
            tables++;
        if (*tables != NULL)
            return true;
    }
    return false;
}
