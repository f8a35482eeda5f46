// SPDX-License-Identifier: Apache-2.0
// The upstream's end of a session with one device.
//
// Invariants:
//   1. Nothing but a challenge is said before the device has proved that it holds its key.
//   2. An ack is sent only after the store says that the events are durable.
//   3. Credit granted = what was worked off + a window: a lost push never shrinks it.
//      A device that goes beyond twice of it is cut off.
//   4. A revoked device is told so, may push, and is sent nothing else: no feed and no include.
//   5. Feed pages go out in order; unacknowledged ones are bounded, and sent again after a time.
//   6. The deferred feed is sent when the device asks for it, while nothing of another waits.
//   7. What is of the whole chain is not sent while a restored server waits for a person.
// Ownership: the caller's struct; downlink_fini. Threads: one at a time.
#ifndef WASL_SYNC_DOWNLINK_H
#define WASL_SYNC_DOWNLINK_H

#include "base/sm.h"
#include "sync/intake.h"
#include "sync/step.h"

enum {
    DOWNLINK_FEEDS = 3,            // the place's, the chain's, the chain's deferred one
    DOWNLINK_HELLO_MS = 10 * 1000, // a connection that does not say hello is closed
    DOWNLINK_SILENCE_MS = 35 * 1000,
    DOWNLINK_FEED_WINDOW = 256 * 1024, // bytes of pages not acknowledged
    DOWNLINK_FEED_PAGE = 32 * 1024,
    DOWNLINK_DEFERRED_PAGE = 8 * 1024, // and one at a time: what is urgent stands behind it
    DOWNLINK_FEED_RESEND_MS = 2000,    // without an answer, plus what is under way at 4 bytes a ms
};

struct downlink_config {
    struct uuid chain;
    uint64_t window_events; // credit beyond what was worked off
    uint64_t window_bytes;  // never below one largest event
    bool zstd;
};

struct downlink_stream {
    struct stream_key key;
    uint64_t held;
    uint64_t include_sent;
    bool owed; // an include, of 0 too: the device may believe in more than this feed has
};

struct downlink_feed {
    char location[LIMIT_NAME + 1];
    struct uuid feed;
    uint64_t head;
    uint64_t sent;
    uint64_t acked;
    uint64_t pages;       // sent in this session: their numbers
    uint64_t pages_acked; // the highest number that the device has durable
    size_t unacked_bytes;
    int64_t progress_ms; // when a page was sent or acknowledged last
    bool reset;          // the next page begins a fresh copy
    uint64_t fresh;      // the first page that began one in this session; 0: none
    bool fresh_there;    // the device has it durable, or one after it
    bool partial;        // the device may have pages that no complete one has closed
    bool reading;
    bool waits; // it is sent only when asked for
    bool asked; // and was: up to its head
};

struct downlink {
    struct downlink_config config;
    struct sm state;
    uint8_t nonce[CHALLENGE_SIZE];
    struct intake_sender sender; // who it is, once identified
    char location[LIMIT_NAME + 1];
    struct uuid run;
    struct signature proof;
    struct downlink_stream *streams;
    size_t stream_count, stream_capacity;
    struct downlink_feed feeds[DOWNLINK_FEEDS];
    size_t feed_count;      // of those it is sent: none of a revoked device
    struct credit received; // worked off
    struct credit waiting;  // before the store
    uint64_t probe;         // to be answered when nothing is being stored
    unsigned storing;       // pushes handed to the store
    int64_t opened_ms;
    int64_t heard_ms;
    bool peer_zstd;
    bool revoked; // it delivers what it has, and is fed nothing
};

void downlink_init(struct downlink *d, const struct downlink_config *config);
void downlink_fini(struct downlink *d);

void downlink_opened(struct downlink *d, const uint8_t nonce[CHALLENGE_SIZE], int64_t mono_ms,
                     int64_t wall_ms, struct steps *out);
void downlink_message(struct downlink *d, struct str text, int64_t mono_ms, struct steps *out);
void downlink_tick(struct downlink *d, int64_t mono_ms, struct steps *out);

// The answer to STEP_IDENTIFY.
struct downlink_identity {
    bool refused;
    bool final;           // with refused: trying again will not help
    const char *text;     // with refused
    bool revoked;         // feeds, knows and cursors are not looked at
    struct uuid recovery; // since the server was restored last; zero: it never was
    bool recovering;      // until a person confirms it, the chain's feed is not sent
    struct sign_public key;
    struct str location;        // the device's own place
    struct message_mark *marks; // one per stream of the hello
    size_t count;
    struct message_cursor feeds[DOWNLINK_FEEDS]; // heads: the location's, the chain's
    bool knows[DOWNLINK_FEEDS]; // the device's cursor is a position this feed really had
    struct message_cursor cursors[DOWNLINK_FEEDS]; // the device's, as in the hello
    int64_t jitter_ms;
    int64_t wall_ms;
};
void downlink_identified(struct downlink *d, const struct downlink_identity *identity,
                         struct steps *out);

// A push was checked, and what was new in it is durable.
struct downlink_stored {
    struct message_mark mark;
    size_t events; // of the push, for credit
    size_t bytes;  // of its events, each with its newline
    bool denied;
    const char *reason; // with denied, damage or fork
    bool failed;        // the store could not take it: ask again later
    int64_t retry_ms;   // with failed
};
void downlink_stored(struct downlink *d, const struct downlink_stored *stored, struct steps *out);

// A stream of this device moved without a push: what was held is settled now. Ignored unless live.
void downlink_settled(struct downlink *d, const struct message_mark *mark, struct steps *out);

// The feed of a place has moved.
void downlink_feed_moved(struct downlink *d, struct str location, uint64_t head, int64_t mono_ms,
                         struct steps *out);
// The answer to STEP_READ_FEED: rows after 'after', and what the store had folded of this
// device's streams in the same transaction.
struct downlink_page {
    struct str location;
    uint64_t after;
    uint64_t to; // position of the last row, or the head when reached_head
    struct hash hash;
    struct str *rows;
    size_t count;
    bool reached_head;
    struct message_include *includes;
    size_t include_count;
    bool failed;
};
void downlink_feed_page(struct downlink *d, const struct downlink_page *page, int64_t mono_ms,
                        struct steps *out);

bool downlink_is_live(const struct downlink *d);

#endif
