// SPDX-License-Identifier: Apache-2.0
// libwasl: a till's store, complete on its own, with sync as background work.
//
// Open a terminal's folder (made by 'wasl init terminal'), append events, read stock and status.
// Appending never waits for a network: when wasl_append returns WASL_OK, the events and what they
// do to the records are on this machine's disk (synchronous=FULL), and sync goes on behind.
//
// Threads: every call may come from any thread; appends take turns. One process per folder: a child
//   made by fork() is another one. What it inherited is refused to it (WASL_INVALID), and closing
//   it there does nothing.
// Errors: every call returns WASL_OK or a code; struct wasl_error, when given, holds one sentence.
// Strings are UTF-8. Ids are UUIDs as text. Money is integer minor units; prices and quantities are
// decimal strings with up to four places, inside the body. docs/EVENTS.md has each type's body.
#ifndef WASL_H
#define WASL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum wasl_code {
    WASL_OK = 0,
    WASL_NOT_FOUND, // no node in this folder, no such thing
    WASL_INVALID,   // an argument or an event is not valid
    WASL_LOCKED,    // another process writes to this folder
    WASL_DISK_FULL, // nothing was written; what was there is safe
    WASL_READ_ONLY,
    WASL_NEWER, // the store was made by a newer version
    WASL_DAMAGED,
    WASL_NO_MEMORY,
    WASL_FAILED // anything else; the text says what
};

struct wasl_error {
    enum wasl_code code;
    char text[256];
};

struct wasl;

// sync: keep a session with the configured upstream on a thread of the library's own.
// WASL_NOT_FOUND, WASL_LOCKED, WASL_NEWER, WASL_READ_ONLY, WASL_DAMAGED.
enum wasl_code wasl_open(const char *dir, bool sync, struct wasl **ret, struct wasl_error *error);
// Stops syncing and closes the store. What was appended stays and syncs next time. Accepts NULL.
void wasl_close(struct wasl *w);

struct wasl_event {
    const char *id;          // UUID of version 7, 4 or 8, the idempotency key; NULL: one is made
    const char *type;        // "ticket_recorded", ...
    const char *location;    // NULL: this till's own
    const char *record_type; // "ticket", "stock", ...
    const char *record_id;
    int64_t at;        // ms since 1970; 0: now
    const char *actor; // NULL: nobody
    const char *cause; // UUID of the event that triggered this one; NULL: none
    const char *body;  // a JSON object
};

enum wasl_verdict {
    WASL_ACCEPTED,
    WASL_DUPLICATE, // the id is here already, with the same content: nothing was done again
    WASL_REJECTED   // not written, for the reason given
};
struct wasl_result {
    enum wasl_verdict verdict;
    char id[37]; // as text, also where it was made here
    char reason[256];
};

// Appends up to 500 events in one transaction: all of them that are accepted are durable when it
// returns WASL_OK; on any other code none is. results holds one entry per event.
enum wasl_code wasl_append(struct wasl *w, const struct wasl_event *events, size_t count,
                           struct wasl_result *results, struct wasl_error *error);

// Stock as this till sees it: what the centre confirmed and what was done here since. sku NULL:
// all. quantity is in ten-thousandths of a unit. Stops when each returns false; each must not call
// back into the library.
enum wasl_code wasl_stock(struct wasl *w, const char *sku,
                          bool (*each)(void *context, const char *sku, int64_t quantity),
                          void *context, struct wasl_error *error);

struct wasl_status {
    bool online;               // a session with the upstream is live
    uint64_t pending;          // events that only this machine has
    uint64_t held;             // durable on the next hop
    uint64_t settled;          // durable at the centre
    int64_t oldest_pending_at; // ms since 1970, 0: none
    int64_t last_sync_at;      // ms since 1970, 0: never
    uint64_t dead_letters;
    uint64_t reviews;
};
enum wasl_code wasl_status(struct wasl *w, struct wasl_status *ret, struct wasl_error *error);

const char *wasl_version(void);

#ifdef __cplusplus
}
#endif

#endif
