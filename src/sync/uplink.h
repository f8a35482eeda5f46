// SPDX-License-Identifier: Apache-2.0
// The device's end of a session: it reconnects, says hello, pulls, pushes, and keeps the outbox.
//
// Why: everything a till decides about its upstream is decided here, without sockets, clock or SQL.
// Invariants:
//   1. An event leaves the outbox only when the upstream says it is settled.
//   2. Nothing is pushed before the feed was pulled up to the head that the welcome named, or
//      PULL_BYTES came in, or PULL_MS went by.
//   3. At most one load is under way; what is in flight stays within credit and window.
//   4. Nothing of the deferred lane goes up, and nothing of the deferred feed is asked for, but in
//      its window, or by hand until what is there has gone; a first copy of the feed at once.
//   5. Whatever message is lost, doubled or late, a probe finds out within a second, and what is
//      missing is sent again; no push is sent between a probe and its answer.
//   6. After the upstream was restored from a backup, every stream that is kept here is named in a
//      hello before anything the upstream said of the past is believed again.
//   7. A hello says where the store stands: no page of an earlier session is on its way to it then.
// Ownership: the caller's struct; uplink_fini. Threads: one at a time.
// Time: struct moment is given with each input; mono_ms for intervals, wall_ms to compare clocks.
#ifndef WASL_SYNC_UPLINK_H
#define WASL_SYNC_UPLINK_H

#include "base/rng.h"
#include "base/sm.h"
#include "sync/backoff.h"
#include "sync/outbox.h"
#include "sync/step.h"

enum {
    PULL_BYTES = 256 * 1024,
    PULL_MS = 2000,
    CONNECT_TIMEOUT_MS = 800,   // and four round trips once one is known
    CONNECT_PATIENT_MS = 8000,  // a slow link needs longer: an attempt now and then waits for it
    CONNECT_PATIENT_EVERY = 10, // ... and every second one while no round trip is known
    CONNECT_PATIENT_FROM = 40,  // ... but none at first where one is: the link was quick before
    GREETING_TIMEOUT_MS = 3000, // challenge to welcome, before round trips are added
    PROBE_AFTER_MS = 1000,
    STALL_MS = 2000, // a probe unanswered for so long, plus what is in flight at 4 bytes a ms
    PAGE_MS = 8192,  // a page of 32 KiB at 4 bytes a ms: an answer may stand behind one
    SILENCE_MS = 25 * 1000,
    UNSETTLED_RESEND_MS = 30 * 1000,
    FEED_PAUSE_MS = 5000,
    INCLUDE_AFTER_MS = 3000, // settled, and no feed page includes it: the page was lost
    WINDOW_MIN_BYTES = 64 * 1024,
    UPLINK_PUSHES = 64,            // in flight at most
    UPLINK_FEEDS = 3,              // its location's, the chain's, and the chain's deferred one
    DEFERRED_AGAIN_MS = 5000,      // the deferred feed was asked for, and no page came
    DEFERRED_EVERY_MS = 60 * 1000, // how often it is asked for while its window is open
};

struct moment {
    int64_t mono_ms;
    int64_t wall_ms;
};

struct uplink_config {
    struct uuid chain;
    struct uuid device;
    struct uuid run;
    struct uuid origin; // of the current run; its streams stay in the outbox when all is settled
    char location[LIMIT_NAME + 1];
    const struct sign_key *key;
    const char *software;
    bool zstd;
    struct uuid recovery; // the upstream's last one that was told everything; zero: none
    bool revoked;         // as the upstream said last
    uint64_t seed;        // for jitter
};

struct uplink_push { // in flight
    struct stream_key key;
    struct mark last;
    size_t events;
    size_t bytes;
    int64_t sent_ms;
};

struct uplink_feed {
    char location[LIMIT_NAME + 1];
    struct uuid feed;
    uint64_t stored; // durable here
    uint64_t number; // of the last page that is durable
    uint64_t taken;  // of the last page handed on: only later ones are, whatever order they come in
    struct hash hash;  // at stored
    uint64_t received; // handed on, perhaps not durable yet
    uint64_t head;     // as welcome named it
    struct uuid head_feed;
    bool reset_seen;       // a fresh copy began in this session
    bool more;             // the last page did not reach the head
    int64_t deaf_until_ms; // a page could not be stored: until then none is taken
};

// The upstream was restored: what it settled before may be lost, so it is asked of every stream
// that is kept here, as many as a hello may name at a time.
struct uplink_offer {
    bool active;
    bool more;        // not all of them were named yet
    bool asking;      // for a page
    struct uuid id;   // of the recovery
    uint64_t next;    // where the next page of streams begins
    int64_t again_ms; // when to ask again, after a failure; 0: at once
};

struct uplink {
    struct uplink_config config;
    struct sm state;
    struct outbox outbox;
    struct uplink_deferred {
        bool open;       // its window is
        bool by_hand;    // until what was there has gone
        bool unfinished; // the last page was not the feed's last
        int64_t ask_ms;  // when the feed is asked for next, mono; INT64_MAX: it is not
    } deferred;
    struct backoff backoff;
    struct rng rng;
    struct uplink_feed feeds[UPLINK_FEEDS];
    struct uplink_offer offer;
    struct outbox_stream witness; // settled last: should the upstream not know, it was restored
    // the session
    int64_t since_ms;    // when the state was entered
    int64_t deadline_ms; // when tick has something to do; INT64_MAX: never
    int64_t heard_ms;    // last message from the upstream
    int64_t progress_ms; // last ack that moved something, or last push after silence
    int64_t hello_ms;
    unsigned tries;        // attempts since the last welcome
    int64_t rtt_ms;        // smoothed; 0: unknown
    int64_t hold_until_ms; // jitter: the backlog waits
    int64_t busy_until_ms; // the upstream asked for a pause: no push, and no new session
    int64_t beat_ms;
    int64_t last_sync_wall; // last welcome or ack, wall clock; 0: never
    struct message_challenge challenge;
    bool challenged; // and not answered yet
    size_t storing;  // pages handed on and not answered by uplink_feed_stored or _failed
    bool pulling;
    size_t pulled_bytes;
    bool loading;
    int64_t reread_ms; // when to try streams again that could not be read; 0: none
    bool offered_zstd; // by both
    bool peer_zstd;    // and the session is live: messages may be compressed
    struct credit allowed;
    struct credit sent;
    uint64_t probe; // number of the probe under way, 0: none
    uint64_t probe_count;
    int64_t probe_ms;       // when it was sent first
    int64_t probe_again_ms; // when it is sent again
    struct credit probe_sent;
    struct uplink_push pushes[UPLINK_PUSHES];
    size_t push_first, push_count;
    size_t flight_events, flight_bytes;
    size_t window_bytes;
    int64_t oldest_at; // wall clock of the oldest pending event, told by the caller
    int64_t disk_free;
    struct message_catalog catalog, refused; // told by the caller
};

void uplink_init(struct uplink *u, const struct uplink_config *config);
void uplink_fini(struct uplink *u);
// Where the feeds stand in the store. Before uplink_start.
void uplink_set_feed(struct uplink *u, struct str location, const struct uuid *feed,
                     uint64_t position, const struct hash *hash);

// The stream that was settled last, where it is not in the outbox any more. Before uplink_start.
void uplink_set_witness(struct uplink *u, const struct outbox_stream *stream);

// Inputs. Each may add effects to 'out'.
void uplink_start(struct uplink *u, struct moment now, struct steps *out);
void uplink_connected(struct uplink *u, struct moment now, struct steps *out);
void uplink_disconnected(struct uplink *u, struct moment now, struct steps *out);
void uplink_message(struct uplink *u, struct str text, struct moment now, struct steps *out);
void uplink_tick(struct uplink *u, struct moment now, struct steps *out);
// Events of a stream became durable here.
void uplink_committed(struct uplink *u, const struct outbox_head *head, struct moment now,
                      struct steps *out);
// The window of what is deferred opened or closed.
void uplink_set_deferred(struct uplink *u, bool open, struct moment now, struct steps *out);
// By hand: what is deferred goes now, up and down.
void uplink_push_deferred(struct uplink *u, struct moment now, struct steps *out);
// When outbox_wants_refill: unsettled streams as the journal has them.
void uplink_refill(struct uplink *u, const struct outbox_stream *streams, size_t count,
                   bool overflowed, struct moment now, struct steps *out);
struct uplink_kept { // answers STEP_OFFER
    uint64_t after;
    const struct outbox_stream
        *streams; // own ones from there on: at most half of what fits a hello
    size_t count;
    uint64_t next; // where the others begin
    bool more;     // there are others
    bool failed;   // they could not be read; tried again later
};
void uplink_offered(struct uplink *u, const struct uplink_kept *kept, struct moment now,
                    struct steps *out);
struct uplink_loaded {
    struct stream_key key;
    uint64_t after;
    struct hash base;         // the chain's hash here at 'after'
    const struct str *events; // after + 1, ...
    size_t count;             // 0: they could not be read; tried again later
    bool pruned;              // with 0: the upstream lost what is not kept here any more
    struct hash head;         // own chain hash, as stored, at after + count
    struct signature seal;    // of a carried stream: its author's, at after + count
};
void uplink_loaded(struct uplink *u, const struct uplink_loaded *loaded, struct moment now,
                   struct steps *out);
void uplink_feed_stored(struct uplink *u, const struct message_feed *page, struct moment now,
                        struct steps *out);
// The store could not take a page (a full disk): the feed waits FEED_PAUSE_MS, then what the
// upstream sends again is taken from where the store stands. Pushing goes on.
void uplink_feed_failed(struct uplink *u, const struct message_feed *page, struct moment now,
                        struct steps *out);
// The store gave up its cursor, since the rows of the chain's feed are not what they should be: the
// session ends, and the next one brings a full copy.
void uplink_feed_afresh(struct uplink *u, struct str location, struct moment now,
                        struct steps *out);
// What is shown of the catalog; told at once where it is another one.
void uplink_set_catalog(struct uplink *u, const struct message_catalog *catalog,
                        const struct message_catalog *refused, struct moment now,
                        struct steps *out);
// A forked or damaged stream's events behind 'end' were appended again under a new run.
void uplink_rehomed(struct uplink *u, const struct stream_key *key, const struct mark *end,
                    struct moment now, struct steps *out);
// They could not be: it is asked for again after a while.
void uplink_rehome_failed(struct uplink *u, const struct stream_key *key, struct moment now);

bool uplink_is_live(const struct uplink *u);
const char *uplink_state_name(const struct uplink *u);
int64_t uplink_deadline(const struct uplink *u); // mono ms; INT64_MAX: none

#endif
