// SPDX-License-Identifier: Apache-2.0
// Every limit in one place. A request beyond one gets a clear error that names it.
#ifndef WASL_MODEL_LIMITS_H
#define WASL_MODEL_LIMITS_H

#include <stdint.h>

enum {
    LIMIT_EVENT_BYTES = 256 * 1024, // one event's JSON
    // ... when it is written first: its seq may have more digits where it is appended again
    LIMIT_DRAFT_BYTES = LIMIT_EVENT_BYTES - 32,
    LIMIT_EVENT_DEPTH = 16,   // nesting of an event's JSON
    LIMIT_BASE = 16,          // UUIDs in 'base'
    LIMIT_BATCH_EVENTS = 500, // events in one request, and in flight of one push window
    LIMIT_BATCH_BYTES = 2 * 1024 * 1024,
    LIMIT_MESSAGE_BYTES = 64 * 1024, // one sync message, but for a single larger event
    LIMIT_TICKET_LINES = 2000,       // lines of one order or ticket
    LIMIT_NAME = 64,                 // bytes: locations, record types and the like
    LIMIT_CODE = 36,                 // bytes: customers, tiers and the like; a UUID is one
    LIMIT_TEXT = 1024,               // bytes: names and notes for people
    LIMIT_STREAMS_HELLO = 1000,      // unsettled streams that one device may announce
    LIMIT_OUTBOX_EVENTS = 2000000,
    LIMIT_CONNECTIONS = 20000,
    LIMIT_QUARANTINE = 1000, // pieces of damaged evidence kept
    LIMIT_REVOCATION_PARTS = 1000,
    LIMIT_SEEN_ROWS = 20000,     // of a place, looked through for what an author had not seen
    LIMIT_CATALOG_ROWS = 200000, // of one version
    LIMIT_OWN_PRICES = 32,       // of one item at a place: the newest
    LIMIT_RECORD_BYTES = 16 * 1024 * 1024, // events of one folded record, their JSON
};

#define LIMIT_CLOCK_SKEW_MS (INT64_C(5) * 60 * 1000)
// How long goods are kept for a reservation that does not say.
#define LIMIT_RESERVATION_MS (INT64_C(15) * 60 * 1000)
// A price or quantity, in ten-thousandths: 10^11.
#define LIMIT_DECIMAL INT64_C(1000000000000000)
// A reading of any clock, ms since 1970: what an hlc can hold.
#define LIMIT_CLOCK_MS ((INT64_C(1) << 48) - 1)

enum {
    BEAT_EVERY_MS = 10 * 1000,
};

#endif
