// SPDX-License-Identifier: Apache-2.0
// Bodies of events of the whole chain: people, roles, settings, authorities.
#include "model/event_body.h"

#define END                                                                                        \
    {                                                                                              \
        NULL, FIELD_TEXT, false, NULL, NULL                                                        \
    }

static const struct field place_fields[] = {
    {"location", FIELD_NAME, true, NULL, "a place; `*`: every one"}, END};
const struct field user_set_fields[] = {
    {"code", FIELD_NAME, false, NULL, "what tills and receipts show; no name"},
    {"role", FIELD_NAME, false, NULL, "one that came with the program, or that role_set made"},
    {"active", FIELD_BOOL, false, NULL, "false: works here no more"},
    {"places", FIELD_LIST, false, place_fields, "where the person works: all of them"},
    END};
static const struct field right_fields[] = {
    {"right", FIELD_NAME, true, NULL, "its name, as in the table of rights"}, END};
const struct field role_set_fields[] = {
    {"name", FIELD_TEXT, false, NULL, "for people"},
    {"rights", FIELD_LIST, false, right_fields, "what the role may do: all of them"},
    END};
