// SPDX-License-Identifier: Apache-2.0
// Messages of the protocol wasl.v1: structs, and their text form (docs/PROTOCOL.md).
//
// A message is NDJSON: a header line {"m":KIND, ...}, as many record lines as its "n" says, and a
// closing line {"sum":"..."}: the first 16 bytes of BLAKE2b-256 over all that stands before it.
// Why the sum: a bit that flips on the way must never look like an acknowledgement.
// Invariants: what message_decode accepts is within every limit; events are verbatim spans.
// Ownership: decoded strings and lists live in the arena and the text.
#ifndef WASL_SYNC_MESSAGE_H
#define WASL_SYNC_MESSAGE_H

#include "model/stream.h"

enum message_kind {
    MESSAGE_CHALLENGE, // server: prove who you are
    MESSAGE_HELLO,     // device: who, since when, which streams and cursors
    MESSAGE_WELCOME,   // server: what it has of them
    MESSAGE_PUSH,      // device: events of one stream, sealed
    MESSAGE_ACK,       // server: watermarks and credit
    MESSAGE_FEED,      // server: rows of one feed
    MESSAGE_FEED_ACK,  // device: durable up to here
    MESSAGE_PROBE,     // device: tell me where we are
    MESSAGE_BUSY,      // server: slow down
    MESSAGE_BEAT,      // both
    MESSAGE_ERROR,     // both, before closing
    MESSAGE_KIND_COUNT
};

enum {
    MESSAGE_MAX_BYTES = LIMIT_EVENT_BYTES + 64 * 1024, // text form
    MESSAGE_MAX_FEEDS = 4,
    MESSAGE_MAX_INCLUDES = 64,
};

struct credit {
    uint64_t events; // totals since the session began, so that a lost message loses no credit
    uint64_t bytes;  // of events, each with its newline
};

struct message_challenge {
    uint8_t nonce[CHALLENGE_SIZE];
    int64_t clock; // ms since 1970
    bool zstd;
};

struct message_stream { // a record line of hello
    struct stream_key key;
    struct mark head;
    uint64_t settled; // what the server said last that it had settled; 0: says nothing
    struct certificate certificate; // origin, device and location are the stream's and the hello's
};
struct message_cursor {
    struct str location; // of a place, or FEED_CHAIN, FEED_DEFERRED
    struct uuid feed;    // zero: none yet
    uint64_t position;
    struct hash hash;
};
struct message_catalog { // version 0: none
    uint64_t version;
    struct hash hash;
};
struct message_hello {
    struct uuid chain;
    struct uuid device;
    struct uuid run;
    struct str location;
    int64_t clock;
    struct str software;
    bool zstd;
    struct signature proof;
    struct uuid recovery; // the last one whose server it told everything; zero: none
    uint64_t backlog;
    int64_t oldest_at;              // 0: none
    struct message_catalog catalog; // what it shows
    struct message_catalog refused; // whose rows did not give its hash, and the hash they gave
    struct message_cursor feeds[MESSAGE_MAX_FEEDS];
    size_t feed_count;
    struct message_stream *streams;
    size_t count;
};

struct message_mark { // a record line of welcome and ack
    struct stream_key key;
    struct mark held;
    uint64_t settled;
    uint64_t want; // 0, or: send again from here
    bool fork;     // its history differs from ours: append those events again under a new run
};
struct message_welcome {
    int64_t clock;
    struct credit credit;
    int64_t jitter_ms;    // delays only the backlog's push
    bool revoked;         // the device may deliver what it has, and gets nothing
    struct uuid recovery; // of the server, since it was restored last; zero: it never was
    struct message_cursor feeds[MESSAGE_MAX_FEEDS]; // heads
    size_t feed_count;
    struct message_mark *marks;
    size_t count;
};

struct message_push {
    struct stream_key key;
    uint64_t from;                // seq of the first event
    struct hash head;             // chain hash at from + count - 1
    struct signature seal;        // over that mark
    struct signature certificate; // of the origin
    struct uuid device;           // whose origin it is
    struct str *events;
    size_t count;
};
struct message_ack {
    uint64_t probe;         // echo of the probe it answers, 0 when none
    struct credit received; // what the server has worked off in this session
    struct credit credit;   // how far the device may go
    struct message_mark *marks;
    size_t count;
};

struct message_include { // but for events that a row of type notice sets apart
    struct stream_key key;
    uint64_t seq;
};
struct message_feed {
    struct str location;
    struct uuid feed;
    uint64_t number; // of the page within the session, from 1
    uint64_t from;   // cursor before these rows
    uint64_t to;     // cursor after them
    struct hash hash;
    bool reset; // a fresh copy begins
    // The rows reach the feed's head, and the includes that belong to them are all out. Pages
    // before it are kept aside until it comes. With a fresh copy, what was not repeated is gone.
    bool complete;
    struct message_include includes[MESSAGE_MAX_INCLUDES];
    size_t include_count;
    struct str *rows;
    size_t count;
};
struct message_feed_ack {
    struct str location;
    struct uuid feed;
    uint64_t number; // of the last page that is stored
    uint64_t position;
    bool resend; // a page is missing: go on from position
};
struct message_beat {
    int64_t clock;
    uint64_t pending[LANE_COUNT];
    int64_t oldest_at;
    int64_t disk_free;
    struct str software;
    struct message_catalog catalog, refused; // as in hello
};
struct message_error {
    struct str code; // a name of err.h
    struct str text;
    bool final; // trying again will not help
};

struct message {
    enum message_kind kind;
    union {
        struct message_challenge challenge;
        struct message_hello hello;
        struct message_welcome welcome;
        struct message_push push;
        struct message_ack ack;
        struct message_feed feed;
        struct message_feed_ack feed_ack;
        uint64_t probe;
        int64_t busy_ms;
        struct message_beat beat;
        struct message_error error;
    };
};

const char *message_kind_name(enum message_kind kind);

// Appends the text form. ERR_LIMIT beyond the buffer's maximum; ERR_INVALID for an event or row
// that is not one line.
enum err_code message_encode(const struct message *m, struct buf *to) MUST_CHECK;

// ERR_DAMAGED: the closing sum is wrong. ERR_PROTOCOL: malformed in itself; ERR_LIMIT.
enum err_code message_decode(struct str text, struct arena *arena, struct message *ret,
                             struct err *e) MUST_CHECK;

#endif
