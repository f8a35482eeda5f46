// SPDX-License-Identifier: Apache-2.0
#include "model/event_body.h"

#define END                                                                                        \
    {                                                                                              \
        NULL, FIELD_TEXT, false, NULL, NULL                                                        \
    }
#define LINE                                                                                       \
    {                                                                                              \
        "line", FIELD_UUID, true, NULL, "the line, by the id that its adding gave"                 \
    }
#define SHIFT                                                                                      \
    {                                                                                              \
        "shift", FIELD_NAME, false, NULL, "in which it happened: the record of a shift"            \
    }
#define BILL(meaning)                                                                              \
    {                                                                                              \
        "bill", FIELD_UUID, false, NULL, meaning                                                   \
    }

const struct field opened_fields[] = {
    {"kind", FIELD_NAME, true, NULL, "dine_in, takeaway or delivery"},
    {"table", FIELD_NAME, false, NULL, "where it sits"},
    {"covers", FIELD_INTEGER, false, NULL, "guests"},
    {"currency", FIELD_CURRENCY, true, NULL, "of all amounts"},
    {"places", FIELD_PLACES, true, NULL, "decimal places of the currency"},
    END};
const struct field line_added_fields[] = {
    {"line", FIELD_UUID, true, NULL, "a fresh id for the line"},
    {"sku", FIELD_NAME, true, NULL, "the stock-keeping unit"},
    {"name", FIELD_TEXT, false, NULL, "as printed"},
    {"quantity", FIELD_DECIMAL, true, NULL, "units, above zero"},
    {"unit_price", FIELD_DECIMAL, true, NULL, "price of one unit in major units, as sold"},
    {"catalog", FIELD_INTEGER, false, NULL, "the catalog's version that its author had before him"},
    {"modifiers", FIELD_TEXT, false, NULL, "as ordered"},
    {"note", FIELD_TEXT, false, NULL, "for the kitchen"},
    BILL("the bill it is on; absent: the order's first"),
    END};
const struct field line_changed_fields[] = {
    LINE,
    {"quantity", FIELD_DECIMAL, false, NULL, "units more, or fewer when negative: a delta"},
    {"modifiers", FIELD_TEXT, false, NULL, "instead of what was said before"},
    {"note", FIELD_TEXT, false, NULL, "instead of what was said before"},
    END};
const struct field line_removed_fields[] = {LINE, {"reason", FIELD_TEXT, false, NULL, "why"}, END};
const struct field order_set_fields[] = {
    {"field", FIELD_NAME, true, NULL,
     "table, covers, waiter, customer, discount (percent) or note"},
    {"value", FIELD_TEXT, false, NULL, "absent: none any more"},
    END};
const struct field order_moved_fields[] = {{"table", FIELD_NAME, true, NULL, "where it sits now"},
                                           END};
static const struct field share_fields[] = {
    LINE, {"quantity", FIELD_DECIMAL, true, NULL, "units that move, above zero"}, END};
const struct field order_split_fields[] = {
    {"from", FIELD_UUID, false, NULL, "the bill that gives; absent: the order's first"},
    BILL("the bill that takes, a fresh id or one of the order; absent: the order's first"),
    {"lines", FIELD_LIST, true, share_fields, "what moves"},
    END};
const struct field order_merged_fields[] = {
    {"into", FIELD_NAME, true, NULL, "the order that takes this one in"}, END};
const struct field order_voided_fields[] = {
    BILL("absent: the whole order"), {"reason", FIELD_TEXT, true, NULL, "why"}, END};
const struct field ticket_fired_fields[] = {
    {"station", FIELD_NAME, false, NULL, "where it is cooked"}, END};
static const struct field use_fields[] = {
    {"sku", FIELD_NAME, true, NULL, "the stock-keeping unit"},
    {"quantity", FIELD_DECIMAL, true, NULL, "units that left stock, as the recipe said"},
    END};
const struct field completed_fields[] = {
    BILL("the bill that is closed; absent: the order's first"),
    {"total", FIELD_AMOUNT, true, NULL, "what was to be paid, minor units, not below zero"},
    {"receipt", FIELD_NAME, false, NULL, "number as printed"},
    {"uses", FIELD_LIST, true, use_fields, "what it took from stock"},
    SHIFT,
    END};
#define MONEY                                                                                      \
    {"method", FIELD_NAME, true, NULL, "cash, card, ..."},                                         \
        {"currency", FIELD_CURRENCY, true, NULL, "of the amount"},                                 \
        {"amount", FIELD_AMOUNT, true, NULL, "minor units, above zero"},                           \
    {                                                                                              \
        "value", FIELD_AMOUNT, false, NULL,                                                        \
            "the same in the order's currency, where that is another one: else it pays nothing "   \
            "there"                                                                                \
    }
const struct field payment_taken_fields[] = {
    {"payment", FIELD_UUID, true, NULL, "a fresh id"},
    BILL("the bill that is paid; absent: the order's first"),
    MONEY,
    SHIFT,
    END};
const struct field payment_refunded_fields[] = {
    {"refund", FIELD_UUID, true, NULL, "a fresh id"},
    {"payment", FIELD_UUID, true, NULL, "the payment that is given back"},
    BILL("the bill; absent: the order's first"),
    MONEY,
    SHIFT,
    {"reason", FIELD_TEXT, false, NULL, "why"},
    END};
const struct field judged_fields[] = {
    {"outcome", FIELD_NAME, true, NULL, "applied, held, denied or duplicate"},
    {"reason", FIELD_NAME, true, NULL,
     "late, clock, unauthorised, price, stock, deadline, completed_twice, difference, overlap, "
     "below_zero, explained, outranked, payments, unchecked, odd or answered"},
    {"term", FIELD_INTEGER, true, NULL, "the reign of the authority that decided"},
    {"target", FIELD_UUID, false, NULL, "the event it is about; absent: a part of a batch"},
    {"effective", FIELD_NAME, false, NULL,
     "the hlc that counts instead of the event's own: 16 hex digits"},
    {"answer", FIELD_UUID, false, NULL, "the review_resolved that it follows from"},
    {"batch", FIELD_NAME, false, NULL, "the batch that a person is asked about instead"},
    {"shown", FIELD_DECIMAL, false, NULL,
     "of a quantity: what its author says it saw; with below_zero: what there is by the account"},
    {"expected", FIELD_DECIMAL, false, NULL, "of a quantity: what it must have seen"},
    {"correction", FIELD_DECIMAL, false, NULL,
     "of a quantity: the adjustment that would make up for it"},
    {"sold", FIELD_TEXT, false, NULL,
     "of a price: what was asked for; of payments: what was paid; with odd: what is"},
    {"published", FIELD_TEXT, false, NULL,
     "of a price: what the catalog says; of payments: what it comes to"},
    {"review", FIELD_NAME, false, NULL, "with explained: the kind of the question it closes"},
    {"from", FIELD_INTEGER, false, NULL, "of a part: the first seq of its stream"},
    {"to", FIELD_INTEGER, false, NULL, "of a part: the last"},
    {"held", FIELD_INTEGER, false, NULL, "of a part: how many of them wait for a person"},
    {"oldest_at", FIELD_INTEGER, false, NULL, "of a part: ms since 1970"},
    END};
static const struct field trigger_fields[] = {
    {"event", FIELD_UUID, true, NULL, "an event that was asked about"}, END};
const struct field resolved_fields[] = {
    {"review", FIELD_NAME, true, NULL, "the kind of the question"},
    {"part", FIELD_NAME, false, NULL, "the line, bill or field; absent: the whole record"},
    {"triggers", FIELD_LIST, true, trigger_fields, "what this settles; others stay open"},
    {"decision", FIELD_NAME, true, NULL, "accept, reject or edit"},
    {"value", FIELD_TEXT, false, NULL,
     "with edit: what holds from now on; of a quantity: what is added to the stock"},
    {"outcome", FIELD_NAME, false, NULL,
     "of a quantity: missing_event, data_entry_error, theft, damage or other"},
    {"catalog", FIELD_INTEGER, false, NULL,
     "of a place's price: the catalog's version that was shown; its node says it"},
    {"note", FIELD_TEXT, false, NULL, "why"},
    {"by", FIELD_NAME, false, NULL, "who answered: the name of a token, where it is no actor"},
    {"record", FIELD_TEXT, false, NULL, "what a question that no record asks is about"},
    END};
