// SPDX-License-Identifier: Apache-2.0
// Bodies of events of the floor, the kitchen and the till's drawer.
#include "model/event_body.h"

#define END                                                                                        \
    {                                                                                              \
        NULL, FIELD_TEXT, false, NULL, NULL                                                        \
    }

// No members but these.
#define END_CLOSED                                                                                 \
    {                                                                                              \
        NULL, FIELD_TEXT, true, NULL, NULL                                                         \
    }

static const struct field table_states[] = {
    {"available", FIELD_NAME, false, NULL, "guests may sit down"},
    {"occupied", FIELD_NAME, false, NULL, "guests sit there"},
    {"reserved", FIELD_NAME, false, NULL, "kept for guests who are to come"},
    {"dirty", FIELD_NAME, false, NULL, "left, and not cleared yet"},
    END};
const struct field table_set_fields[] = {
    {"status", FIELD_CHOICE, true, table_states, "what it is now"}, END};

static const struct field availability_states[] = {
    {"sold_out", FIELD_NAME, false, NULL, "it cannot be ordered"},
    {"available", FIELD_NAME, false, NULL, "it can be ordered again"},
    END};
const struct field unavailable_fields[] = {
    {"state", FIELD_CHOICE, true, availability_states, "whether it can be ordered"},
    {"until_at", FIELD_INTEGER, false, NULL,
     "ms since 1970: so long, as far as is known; absent: until it is said otherwise"},
    {"reason", FIELD_TEXT, false, NULL, "why"},
    END};
const struct field unmet_fields[] = {
    {"sku", FIELD_NAME, true, NULL, "what was wanted"},
    {"quantity", FIELD_DECIMAL, true, NULL, "units, above zero"},
    {"reason", FIELD_NAME, true, NULL, "sold_out, reservation_denied, too_slow, ..."},
    {"order_id", FIELD_NAME, false, NULL, "the order on which it would have been"},
    END};
const struct field customer_fields[] = {
    {"tier", FIELD_CODE, false, NULL, "of the loyalty programme"},
    {"points_rule", FIELD_CODE, false, NULL, "how points are earned"},
    {"price_list", FIELD_CODE, false, NULL, "which prices are theirs"},
    {"locale", FIELD_CODE, false, NULL, "language and country: ar-LB"},
    END_CLOSED};
const struct field reserve_fields[] = {
    {"sku", FIELD_NAME, true, NULL, "what is to be kept"},
    {"quantity", FIELD_DECIMAL, true, NULL, "units, above zero"},
    {"until_at", FIELD_INTEGER, false, NULL,
     "ms since 1970: kept so long; absent: 15 minutes from 'at' on"},
    {"order_id", FIELD_NAME, false, NULL, "the order that it is for"},
    {"station", FIELD_NAME, false, NULL, "where it is cooked: who must be told there is none"},
    END};
const struct field release_fields[] = {{"reason", FIELD_TEXT, false, NULL, "why"}, END};
const struct field bumped_fields[] = {
    {"station", FIELD_NAME, true, NULL, "where it was cooked"},
    {"line", FIELD_UUID, false, NULL, "which line is done; absent: all that the station had"},
    END};

// ---- shifts -----------------------------------------------------------------------------------

static const struct field float_fields[] = {
    {"currency", FIELD_CURRENCY, true, NULL, "of the amount"},
    {"amount", FIELD_AMOUNT, true, NULL, "minor units, not below zero"},
    END};
const struct field shift_opened_fields[] = {
    {"till", FIELD_NAME, true, NULL, "whose drawer it is; its reports are numbered together"},
    {"float", FIELD_LIST, false, float_fields, "what is in the drawer, each currency once"},
    {"notes", FIELD_TEXT, false, NULL, "for people"},
    END};
static const struct field cash_kinds[] = {
    {"in", FIELD_NAME, false, NULL, "put in"},
    {"out", FIELD_NAME, false, NULL, "taken out, to pay for something"},
    {"drop", FIELD_NAME, false, NULL, "taken out, to the safe"},
    END};
const struct field cash_moved_fields[] = {
    {"kind", FIELD_CHOICE, true, cash_kinds, "which way"},
    {"currency", FIELD_CURRENCY, true, NULL, "of the amount"},
    {"amount", FIELD_AMOUNT, true, NULL, "minor units, above zero"},
    {"reason", FIELD_TEXT, false, NULL, "why"},
    END};
const struct field drawer_opened_fields[] = {
    {"reason", FIELD_TEXT, false, NULL, "why it was opened without a sale"}, END};
static const struct field frozen_fields[] = {
    {"origin", FIELD_UUID, true, NULL, "a run of a device"},
    {"lane", FIELD_NAME, true, NULL, "its lane"},
    {"upto", FIELD_INTEGER, true, NULL, "the last seq that was counted"},
    END};
static const struct field single_fields[] = {{"event", FIELD_UUID, true, NULL, "an event's id"},
                                             END};
static const struct field total_fields[] = {
    {"method", FIELD_NAME, true, NULL, "cash, card, ..."},
    {"currency", FIELD_CURRENCY, true, NULL, "of the amount"},
    {"amount", FIELD_AMOUNT, true, NULL, "minor units"},
    END};
static const struct field found_fields[] = {
    {"method", FIELD_NAME, false, NULL, "absent: cash"},
    {"currency", FIELD_CURRENCY, true, NULL, "of the amount"},
    {"amount", FIELD_AMOUNT, true, NULL, "minor units"},
    END};
const struct field shift_closed_fields[] = {
    {"z", FIELD_INTEGER, true, NULL, "number of the report: without gaps for each till"},
    {"streams", FIELD_LIST, true, frozen_fields,
     "what it counted of the shift: of each stream with an event of it, up to where"},
    {"events", FIELD_LIST, false, single_fields,
     "what it counted beside that, one by one: what is late, too"},
    {"totals", FIELD_LIST, true, total_fields,
     "payments less refunds as printed, each method and currency once: a check"},
    {"counted", FIELD_LIST, true, found_fields, "what was found, each method and currency once"},
    {"notes", FIELD_TEXT, false, NULL, "for people: why it differs"},
    END};
