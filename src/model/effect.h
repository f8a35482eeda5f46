// SPDX-License-Identifier: Apache-2.0
// Reducers: what one event does to the records of its place, as a list of effects.
//
// Why: the same pure function feeds the SQL tables of the daemon, the check of 'wasl verify' and
//   the simulator; taking an event back is the same list with the sign turned.
// Invariants: effects depend on the event alone. Stock is a sum of deltas, so the order of events
//   does not matter to it; a ticket, a location and a device belong to one event each (see
//   effect_owner_rule), chosen by the total order, never by arrival.
// Ownership: everything lives in the arena.
#ifndef WASL_MODEL_EFFECT_H
#define WASL_MODEL_EFFECT_H

#include "base/hash.h"
#include "base/sign.h"
#include "model/event_type.h"

enum effect_kind {
    EFFECT_TICKET,   // one: the ticket's header
    EFFECT_LINE,     // a line of that ticket
    EFFECT_PAYMENT,  // money taken (or given back: negative)
    EFFECT_STOCK,    // quantity delta of a SKU at the event's location
    EFFECT_LOCATION, // a location's fields
    EFFECT_DEVICE,   // a device enrolled
    EFFECT_REVOKE,   // a device revoked
    EFFECT_RUN,      // a run started: names the heads of the runs before it
    EFFECT_PUBLISH,  // a version of the catalog: its rows are the drafts as they stand
    EFFECT_RECORD,   // the event is part of its record, which is folded as a whole (record.h)
};

// Which event holds a record that several claim.
enum effect_owner {
    OWNER_ALL,   // every event counts (stock, payments outside tickets)
    OWNER_FIRST, // the first in the total order; others are a conflict for a person
    OWNER_LAST,  // the last in the total order (last writer wins)
};

enum ticket_kind { TICKET_SALE, TICKET_CANCELLATION, TICKET_RETURN };

struct effect_ticket {
    struct str id; // the record's id
    enum ticket_kind kind;
    struct str number;   // as printed
    struct str till;     // empty when unknown
    struct str customer; // a code, empty when unknown
    struct str shift;    // in which it happened, empty when unknown
    struct str currency;
    int places;
    int64_t total; // minor units
    int64_t at;
    int line_count;
};
struct effect_line {
    struct str ticket;
    int number; // 1..LIMIT_TICKET_LINES
    struct str sku;
    struct str name;
    int64_t quantity;   // decimal
    int64_t unit_price; // decimal
    int64_t amount;     // minor units
    int64_t catalog;    // the version its author had before him; 0: not said
};
struct effect_payment {
    struct str ticket;
    int number; // 1.. within the ticket
    struct str method;
    struct str currency;
    int64_t amount; // minor units
};
struct effect_stock {
    struct str sku;
    int64_t delta; // decimal
    enum event_flow flow;
};
struct effect_location {
    struct str id;
    struct str name;
    struct str region; // empty when none
};
struct effect_device {
    struct uuid id;
    struct str location;
    struct str role; // terminal, branch, central
    struct str name;
    struct sign_public key;
};
struct effect_run {
    struct uuid device;
    yyjson_val *previous; // array of {origin, lane, seq, hash}
};

struct effect_revoke {
    struct uuid device;
    yyjson_val *heads;      // array of {origin, lane, seq, hash}; NULL: it says nothing of events
    struct uuid revocation; // of which this is a part
    int part, parts;        // 1..LIMIT_REVOCATION_PARTS
    bool accepts;           // events up to the heads count, whatever revocations say
};

struct effect_publish {
    uint64_t version; // from 1
    struct hash hash;
    uint64_t count;  // rows
    struct str note; // empty when none
    bool dated;      // its prices say since which version they are so; events of version 2
};

struct effect {
    enum effect_kind kind;
    union {
        struct effect_ticket ticket;
        struct effect_line line;
        struct effect_payment payment;
        struct effect_stock stock;
        struct effect_location location;
        struct effect_device device;
        struct effect_revoke revoked;
        struct effect_run run;
        struct effect_publish publish;
    };
};

struct effect_list {
    struct effect *items;
    size_t count;
};

enum effect_owner effect_owner_rule(enum effect_kind kind);

// The effects of an event of known type. ERR_INVALID with the reason when its body is bad (the
// event is then a dead letter), ERR_LIMIT, ERR_NO_MEMORY.
enum err_code effect_list_of(const struct event *event, struct arena *arena,
                             struct effect_list *ret, struct err *e) MUST_CHECK;

// What the rows of event_types name as theirs (event_type.effects). The body has been checked.
effect_reducer effects_of_ticket, effects_of_stock_in, effects_of_stock_out, effects_of_adjustment,
    effects_of_count, effects_of_location, effects_of_enrolment, effects_of_revocation,
    effects_of_run, effects_of_publication, effects_of_completion;

const char *ticket_kind_name(enum ticket_kind kind);

#endif
