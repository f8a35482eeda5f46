// SPDX-License-Identifier: Apache-2.0
#include "model/floor.h"

#include "model/body.h"
#include "model/mutant.h"

// ---- tables -----------------------------------------------------------------------------------

static const struct column table_columns[] = {
    {"id", COLUMN_TEXT, "the table"},
    {"status", COLUMN_TEXT, "available, occupied, reserved or dirty"},
    CARD_CHANGED};
static const struct row_table tables = {"table_cards", 1, table_columns};
static const struct row_table *const table_tables[] = {&tables, &question_table, NULL};

const struct reducer table_reducer = CARD_REDUCER("table", table_tables, card_decode_whole);

// ---- sold-out dishes --------------------------------------------------------------------------

static const struct column availability_columns[] = {
    {"sku", COLUMN_TEXT, "the stock-keeping unit"},
    {"state", COLUMN_TEXT, "sold_out or available"},
    {"until_at", COLUMN_INTEGER, "ms since 1970; null: until it is said otherwise"},
    {"reason", COLUMN_TEXT, "why"},
    CARD_CHANGED};
static const struct row_table availabilities = {"availability_cards", 1, availability_columns};
static const struct row_table *const availability_tables[] = {&availabilities, &question_table,
                                                              NULL};

const struct reducer availability_reducer =
    CARD_REDUCER("availability", availability_tables, card_decode_whole);

// ---- what could not be served -----------------------------------------------------------------

static const struct column unmet_columns[] = {
    {"id", COLUMN_TEXT, "of the demand"},
    {"sku", COLUMN_TEXT, "what was wanted"},
    {"quantity", COLUMN_DECIMAL, "units"},
    {"reason", COLUMN_TEXT, "sold_out, reservation_denied, too_slow, ..."},
    {"order_id", COLUMN_TEXT, "the order on which it would have been"},
    CARD_CHANGED};
static const struct row_table unmet = {"unmet_cards", 1, unmet_columns};
static const struct row_table *const unmet_tables[] = {&unmet, &question_table, NULL};

static enum err_code decode_unmet(const struct event *event, struct arena *kept,
                                  const void **ret_op, struct err *e)
{
    bool demand = str_is(event->type_name, "demand_unmet");
    if (demand && body_decimal(event->body, "quantity") <= 0)
        return err_set(e, ERR_INVALID, "body: quantity: must be above zero");
    if (MUTANT(correction_merged))
        return card_decode(event, kept, ret_op, e);
    return card_decode_whole(event, kept, ret_op, e);
}

const struct reducer unmet_reducer = CARD_REDUCER("unmet", unmet_tables, decode_unmet);

// ---- customers --------------------------------------------------------------------------------

static const struct column customer_columns[] = {
    {"code", COLUMN_TEXT, "the customer"},
    {"tier", COLUMN_TEXT, "of the loyalty programme"},
    {"points_rule", COLUMN_TEXT, "how points are earned"},
    {"price_list", COLUMN_TEXT, "which prices are theirs"},
    {"locale", COLUMN_TEXT, "language and country"},
    CARD_CHANGED};
static const struct row_table customers = {"customer_cards", 1, customer_columns};
static const struct row_table *const customer_tables[] = {&customers, &question_table, NULL};

static enum err_code decode_customer(const struct event *event, struct arena *kept,
                                     const void **ret_op, struct err *e)
{
    if (!event_code_valid(event->record_id))
        return err_set(e, ERR_INVALID, "record: a customer is a code, never a name or a number");
    return card_decode(event, kept, ret_op, e);
}

const struct reducer customer_reducer = CARD_REDUCER("customer", customer_tables, decode_customer);
