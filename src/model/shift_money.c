// SPDX-License-Identifier: Apache-2.0
#include "model/shift_money.h"

static const struct column columns[] = {
    {"record", COLUMN_TEXT, "the order or shift that holds the event"},
    {"type", COLUMN_TEXT, "which of them"},
    {"event", COLUMN_UUID, "that says so"},
    {"number", COLUMN_INTEGER, "of several by one event"},
    {"shift", COLUMN_TEXT, "in which it happened"},
    {"kind", COLUMN_TEXT, "sale, payment, refund, float, cash_in, cash_out or cash_drop"},
    {"method", COLUMN_TEXT, "cash, card, ...; null for a sale"},
    {"currency", COLUMN_TEXT, "of the amount"},
    {"amount", COLUMN_INTEGER, "minor units, negative when it left the drawer"},
    {"at", COLUMN_INTEGER, "ms since 1970"},
    {"origin", COLUMN_UUID, "of the event's stream"},
    {"lane", COLUMN_INTEGER, "of the event's stream"},
    {"seq", COLUMN_INTEGER, "its place there"},
    {NULL, COLUMN_TEXT, NULL}};
const struct row_table shift_money_table = {"shift_facts", 4, columns, .typed = true};
enum {
    M_RECORD,
    M_TYPE,
    M_EVENT,
    M_NUMBER,
    M_SHIFT,
    M_KIND,
    M_METHOD,
    M_CURRENCY,
    M_AMOUNT,
    M_AT,
    M_ORIGIN,
    M_LANE,
    M_SEQ
};

const char *shift_kind_name(enum shift_kind kind)
{
    static const char *const names[] = {"sale",    "payment",  "refund",   "float",
                                        "cash_in", "cash_out", "cash_drop"};
    return names[kind];
}

enum err_code shift_money_write(struct row_list *to, const struct record_name *record,
                                const struct shift_money *money)
{
    if (money->shift.n == 0)
        return ERR_OK;
    struct row *row = row_list_add(to, &shift_money_table);
    if (row == NULL)
        return ERR_NO_MEMORY;
    row_set_text(row, M_RECORD, record->id);
    row_set_text(row, M_TYPE, record->type);
    row_set_uuid(row, M_EVENT, &money->by->id);
    row_set_number(row, M_NUMBER, money->number);
    row_set_text(row, M_SHIFT, money->shift);
    row_set_text(row, M_KIND, str_of(shift_kind_name(money->kind)));
    row_set_text(row, M_METHOD, money->method);
    row_set_text(row, M_CURRENCY, money->currency);
    row_set_number(row, M_AMOUNT, money->amount);
    row_set_number(row, M_AT, money->by->at);
    row_set_uuid(row, M_ORIGIN, &money->by->order.origin);
    row_set_number(row, M_LANE, money->by->order.lane);
    row_set_number(row, M_SEQ, (int64_t)money->by->order.seq);
    return ERR_OK;
}
