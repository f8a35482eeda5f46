// SPDX-License-Identifier: Apache-2.0
// Who may author what: a right for each event type, and the one check of an actor.
//
// Why: the till that takes an event and the authority that judges it must answer alike, and a chain
//   must be able to say in one place what its cashiers may do.
// Invariants: an event needs exactly one right. Which roles have it by default says role_table
//   (model/role.h); role_set replaces a role's rights for the whole chain. docs/EVENTS.md shows
//   both.
// Ownership: points into what made it.
#ifndef WASL_MODEL_RIGHTS_H
#define WASL_MODEL_RIGHTS_H

#include "model/event.h"

enum event_right {
    MAY_ORDER,
    MAY_SELL,
    MAY_SHIFT,
    MAY_FLOOR,
    MAY_KITCHEN,
    MAY_DISCOUNT,
    MAY_VOID,
    MAY_REFUND,
    MAY_STOCK,
    MAY_ADJUST,
    MAY_PRICE,
    MAY_REVIEW,
    MAY_SETTINGS,
    MAY_CATALOG,
    MAY_PEOPLE,
    MAY_CHAIN,
    MAY_NODE, // nobody's: nodes write it themselves
    RIGHT_COUNT
};

// A set of rights is a uint32_t of such bits; RIGHTS_ALL: what people and tokens can have.
#define RIGHT(right) (UINT32_C(1) << MAY_##right)
#define RIGHTS_ALL   ((UINT32_C(1) << MAY_NODE) - 1)

struct right_row {
    const char *name; // as role_set gives it
    const char *why;
};
extern const struct right_row right_table[RIGHT_COUNT];

// Of a name that people can have; ERR_INVALID for any other.
enum err_code rights_parse(struct str name, enum event_right *ret) MUST_CHECK;
bool rights_have(uint32_t set, enum event_right right);

// The right that this event needs: its type's, but where its body says more.
enum event_right rights_needed(const struct event *event);

// What is known of a person: their row, and the rights of their role.
struct rights_actor {
    bool known;
    bool active;
    bool here; // they work at the event's place, or everywhere
    uint32_t rights;
};
enum rights_answer {
    RIGHTS_ALLOWED,
    RIGHTS_UNKNOWN_ACTOR,
    RIGHTS_NOT_ACTIVE,
    RIGHTS_NOT_HERE,
    RIGHTS_NO_RIGHT,
};
enum rights_answer rights_check(const struct event *event, const struct rights_actor *actor);
// One sentence of why the event is refused, for people. to: ERR_TEXT_MAX bytes.
void rights_explain(const struct event *event, enum rights_answer answer, char *to);

#endif
