// SPDX-License-Identifier: Apache-2.0
// The event: an immutable record of one thing that happened, as JSON bytes and as parsed fields.
//
// Why: bytes are stored and forwarded exactly as their origin wrote them; what we know of them is
//   read once, here.
// Invariants: a parsed event's fields are within limits; its body is a JSON object, whose content
//   only event_type_check vouches for.
// Ownership: strings and body point into the arena and the bytes given to event_parse.
#ifndef WASL_MODEL_EVENT_H
#define WASL_MODEL_EVENT_H

#include "base/hash.h"
#include "base/hlc.h"
#include "base/json.h"
#include "base/uuid.h"
#include "model/limits.h"

enum lane { LANE_CRITICAL, LANE_NORMAL, LANE_DEFERRED, LANE_COUNT };

const char *lane_name(enum lane lane);
enum err_code lane_parse(struct str text, enum lane *ret) MUST_CHECK;

struct event_type; // model/event_type.h

// Up to where its author had seen the feed of its place.
struct event_seen {
    struct uuid feed; // zero: nothing is said of it
    uint64_t position;
};

struct event {
    struct str bytes; // exactly as its origin wrote it
    int version;      // 'v': schema version of the type
    struct uuid id;
    struct uuid origin;
    enum lane lane;
    uint64_t seq;
    struct str location;
    struct str type_name;
    const struct event_type *type; // NULL: unknown here
    struct str record_type;
    struct str record_id;
    struct uuid base[LIMIT_BASE];
    int base_count;
    struct event_seen seen;
    struct uuid cause; // zero when null
    int64_t at;        // ms since 1970, the device's wall clock; 0 .. LIMIT_CLOCK_MS
    hlc hlc;
    struct str actor;  // empty when absent
    struct uuid grant; // zero when absent
    yyjson_val *body;
};

// Reads an event's envelope, one line of JSON. ERR_PARSE, ERR_INVALID (naming the field),
// ERR_LIMIT. An unknown type is not an error here: type is NULL.
enum err_code event_parse(struct str bytes, struct arena *arena, struct event *ret,
                          struct err *e) MUST_CHECK;

// What a client gives: everything but v, origin, lane, seq and hlc.
// The type must be known and the body valid: ERR_INVALID or ERR_NOT_FOUND (unknown type).
enum err_code event_parse_draft(yyjson_val *object, struct arena *arena, struct event *ret,
                                struct err *e) MUST_CHECK;

// Whether all text in it, which is no deeper than an event, is plain (str_is_plain): new events
// only.
bool event_is_plain(yyjson_val *value);

// Writes the bytes of an event from its fields; appends to 'to'. Key order is fixed:
// v id origin lane seq location type record base? seen? cause? at hlc actor? grant? body.
enum err_code event_write(const struct event *event, struct buf *to) MUST_CHECK;

// True when two carriers of one id say the same: all fields but those that the node which takes
// the event gives it: v, origin, lane, seq, hlc; and base, seen, grant and the stamp where the
// client left them out.
// The stamp is a member of the body of prices and answers: the catalog's version that was shown.
#define EVENT_STAMP "catalog"
bool event_is_stamped(const struct event *event);
bool event_same_content(const struct event *a, const struct event *b);
// A hash that two carriers share exactly when they say the same, for when one of them is gone.
// ERR_NO_MEMORY.
enum err_code event_content(const struct event *event, struct arena *arena,
                            struct hash *ret) MUST_CHECK;

// Total order everywhere: (hlc, origin, lane, seq). <0, 0, >0.
struct event_order {
    hlc hlc;
    struct uuid origin;
    enum lane lane;
    uint64_t seq;
};
struct event_order event_order_of(const struct event *event);
int event_order_compare(const struct event_order *a, const struct event_order *b);

// A record's id or another name: 1..LIMIT_NAME bytes of printable UTF-8 without blanks at its ends.
bool event_name_valid(struct str name);
// A code: 1..LIMIT_CODE letters, digits, '.', '_' and '-' of ASCII, at most 6 of them digits where
// no letter is among them (a telephone number is no code).
bool event_code_valid(struct str code);
// An event's own id: of version 7 (made here), 4 (by others) or 8 (imports); never the nil one.
bool event_id_valid(const struct uuid *id);
// What is of the whole chain happened at FEED_CHAIN. Its feed is called so too, but for what of it
// may wait: that has a feed of its own.
#define FEED_CHAIN    "*"
#define FEED_DEFERRED "*deferred"
// A name that does not begin with '*': what is of the whole chain is called so.
bool event_location_valid(struct str name);

#endif
