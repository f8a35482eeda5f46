// SPDX-License-Identifier: Apache-2.0
// What a session asks of the world around it: a list of effects, returned and never performed.
//
// Why: the same session code runs in the daemon (sockets, SQLite) and in the simulator.
// Ownership: a struct steps belongs to its caller, who performs the effects in order and then
//   calls steps_reset; text and lists of the effects live in its arena until then.
#ifndef WASL_SYNC_STEP_H
#define WASL_SYNC_STEP_H

#include "sync/message.h"

enum step_kind {
    // both ends
    STEP_SEND,  // text: one message
    STEP_CLOSE, // text: why; the link is to be dropped after what was sent
    // device end
    STEP_CONNECT,   // open the link now
    STEP_LOAD,      // read own events: key, after, max_events, max_bytes -> uplink_loaded
    STEP_ACKED,     // mark: make durable, lazily
    STEP_LOST,      // mark: the upstream has less than it had acknowledged; durable, lazily
    STEP_REHOME,    // key, after: append the stream's later events again under a new run
    STEP_FEED,      // feed: apply in one transaction -> uplink_feed_stored
    STEP_CLOCK,     // number: what the upstream's clock is ahead of ours, ms; id: its recovery
    STEP_OFFER,     // after: list own streams from that one on, settled or not -> uplink_offered
    STEP_DOUBTED,   // id: durable, before what any STEP_LOST behind it changes
    STEP_RECOVERED, // id: durable, when what every STEP_LOST before it changes is
    STEP_REVOKED,   // number: 1, this device was revoked; 0, it is not any more; durable
    STEP_REFUSED,   // text: the upstream will not have us; final
    // server end
    STEP_IDENTIFY,  // hello: look the device and its streams up -> downlink_identified
    STEP_STORE,     // text: a whole push message to check and append -> downlink_stored
    STEP_READ_FEED, // location, after, max_bytes -> downlink_feed_page
    STEP_REPORT,    // beat: what the device says of itself
    STEP_EVIDENCE,  // text: a damaged message, to be kept
};

struct step {
    enum step_kind kind;
    struct str text;
    struct stream_key key;
    uint64_t after;
    size_t max_events;
    size_t max_bytes;
    struct message_mark mark;
    const struct message_feed *feed;
    const struct message_hello *hello;
    const struct message_beat *beat;
    struct str location;
    struct uuid id;
    int64_t number;
};

enum { STEPS_MAX = 4096 };

struct steps {
    struct step *items;
    size_t count;
    size_t capacity;
    struct arena arena;
    struct buf buf; // for encoding
    bool failed;    // out of memory: the session must be closed
};

void steps_init(struct steps *s);
void steps_fini(struct steps *s);
void steps_reset(struct steps *s);
struct step *steps_add(struct steps *s, enum step_kind kind); // never NULL; see 'failed'
void steps_send(struct steps *s, const struct message *m);
void steps_close(struct steps *s, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
