// SPDX-License-Identifier: Apache-2.0
// The table of event types: what each means, how it travels, and what its body holds.
//
// docs/EVENTS.md is generated from this table.
#ifndef WASL_MODEL_EVENT_TYPE_H
#define WASL_MODEL_EVENT_TYPE_H

#include "model/rights.h"

enum event_nature { NATURE_FACT, NATURE_INTENT };
enum event_flow { FLOW_NONE, FLOW_DEMAND, FLOW_SUPPLY, FLOW_MOVE, FLOW_LOSS, FLOW_CORRECTION };
enum event_audience {
    AUDIENCE_NONE,
    AUDIENCE_LOCATION,
    AUDIENCE_CHAIN
}; // who receives it downwards

enum event_where {
    AT_PLACE,
    AT_CHAIN, // "*": of the whole chain, by the centre
    AT_EITHER
}; // where it may have happened

enum field_kind {
    FIELD_TEXT,     // string, 1..LIMIT_TEXT bytes
    FIELD_NAME,     // string, event_name_valid
    FIELD_LOCATION, // string, event_location_valid
    FIELD_DECIMAL,  // decimal string, up to 4 places, |x| <= 10^11
    FIELD_AMOUNT,   // integer, minor units, |x| <= 10^15
    FIELD_INTEGER,  // integer
    FIELD_CURRENCY, // three capital letters (ISO 4217)
    FIELD_PLACES,   // integer 0..4: decimal places of the currency
    FIELD_DATE,     // "YYYY-MM-DD"
    FIELD_UUID,
    FIELD_KEY,    // 64 hex digits: an Ed25519 public key
    FIELD_LIST,   // an array of objects, each checked by 'items'
    FIELD_CHOICE, // a string, one of the keys of 'items'
    FIELD_CODE,   // a string, event_code_valid: not what people are called by, or called at
    FIELD_BOOL,   // true or false
};

struct field {
    const char *key; // NULL ends the list: if 'required', with no members beside those listed
    enum field_kind kind;
    bool required;
    const struct field *items; // for FIELD_LIST and FIELD_CHOICE
    const char *meaning;
};

struct effect_list;
// What an event of one type does, as effects (model/effect.h).
typedef enum err_code(effect_reducer)(const struct event *event, struct effect_list *list,
                                      struct err *e);

// As the record type of an event: any that is folded from all of its events (model/record.h).
#define RECORD_ANY "*"

struct event_type {
    const char *name;
    int version;
    enum event_nature nature;
    enum event_flow flow;
    enum lane lane;
    const char *record_type;
    enum event_where where;
    enum event_right right; // its author needs it; where the body says more, see rights_needed
    bool from_centre;       // only the centre may author it: what a device says of it is not folded
    bool in_reserve; // taken also when only the reserve of the disk is left: it finishes a sale
    enum event_audience audience;
    int pending_hours; // how long it may stay pending before it counts as late
    const char *late;  // "apply and review", "hold"
    const struct field *fields;
    effect_reducer *effects; // NULL: it is part of its record, which is folded as a whole
    const char *why;
};

extern const struct event_type event_types[];
extern const size_t event_type_count;

const struct event_type *event_type_find(struct str name); // NULL when unknown

// Checks the body against the type's fields: ERR_INVALID naming the field. Further members are
// allowed, since a newer till may say more, but where the list of fields is closed. The version
// must not be above the one known: ERR_NEWER.
enum err_code event_type_check(const struct event_type *type, int version, yyjson_val *body,
                               struct err *e) MUST_CHECK;

// ERR_INVALID when an event of this type may not change a record of that type.
enum err_code event_type_check_record(const struct event_type *type, struct str record_type,
                                      struct err *e) MUST_CHECK;
// ERR_INVALID when an event of this type may not have happened there.
enum err_code event_type_check_place(const struct event_type *type, struct str location,
                                     struct err *e) MUST_CHECK;

// Names for docs and JSON.
const char *event_nature_name(enum event_nature nature);
const char *event_flow_name(enum event_flow flow);
const char *event_where_name(enum event_where where);
const char *event_audience_name(enum event_audience audience);
const char *field_kind_name(enum field_kind kind);

#endif
