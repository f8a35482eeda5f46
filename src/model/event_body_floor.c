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
