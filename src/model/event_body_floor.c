// SPDX-License-Identifier: Apache-2.0
// Bodies of events of the floor, the kitchen and the till's drawer.
#include "model/event_body.h"

#define END                                                                                        \
    {                                                                                              \
        NULL, FIELD_TEXT, false, NULL, NULL                                                        \
    }

static const struct field table_states[] = {
    {"available", FIELD_NAME, false, NULL, "guests may sit down"},
    {"occupied", FIELD_NAME, false, NULL, "guests sit there"},
    {"reserved", FIELD_NAME, false, NULL, "kept for guests who are to come"},
    {"dirty", FIELD_NAME, false, NULL, "left, and not cleared yet"},
    END};
const struct field table_set_fields[] = {
    {"status", FIELD_CHOICE, true, table_states, "what it is now"}, END};
