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
const struct field setting_set_fields[] = {
    {"value", FIELD_TEXT, false, NULL,
     "as docs/SETTINGS.md says for the key; null: as if never set"},
    END};
static const struct field voter_fields[] = {
    {"device", FIELD_UUID, true, NULL, "may vote for the next holder"}, END};
const struct field authority_set_fields[] = {
    {"holder", FIELD_UUID, true, NULL, "the device that decides for the place"},
    {"voters", FIELD_LIST, false, voter_fields, "who may name the next one"},
    {"term", FIELD_INTEGER, true, NULL, "the number of the reign, from 1; the highest stands"},
    END};
static const struct field decided_fields[] = {
    {"origin", FIELD_UUID, true, NULL, "a stream"},
    {"lane", FIELD_NAME, true, NULL, "its lane"},
    {"seq", FIELD_INTEGER, true, NULL, "its last event that the holder decided on"},
    {"hash", FIELD_KEY, true, NULL, "the chain hash there"},
    END};
const struct field authority_released_fields[] = {
    {"term", FIELD_INTEGER, true, NULL, "the reign that is over"},
    {"heads", FIELD_LIST, true, decided_fields, "how far its holder had decided"},
    END};
