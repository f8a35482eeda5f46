// SPDX-License-Identifier: Apache-2.0
// Receiving a push: what of it is new, and whether it may be believed.
//
// Why: this is where "exactly once in effect" is decided, apart from sockets and SQL, so that the
//   daemon and the simulator run the very same lines.
// Invariants:
//   1. A stream's held mark only moves to a position whose whole history here gives the chain hash
//      that the sender claims.
//   2. Nothing is appended beyond a gap, over a wrong hash, or for a stream whose certificate does
//      not verify.
//   3. settled only moves up to a mark under a verified seal, and only at the centre.
//   4. All lanes of an origin belong to one device and one place.
//   5. Whoever carries a stream of another device is of the place that the stream is of, and can
//      withhold and delay, nothing else: certificate, chain and seal are the author's. Where the
//      author is today does not matter: it may have been moved since.
// Ownership: results live in the arena.
//
//                    from > held+1, pruned  -> GAP        (ask again from held+1)
//   push --> chain?  claim != computed      -> DAMAGED    (ask again from held+1)
//                    differs from what is held -> FORKED  (append again under a new run)
//                    all at or below held   -> DUPLICATE  (acknowledge again)
//                    else                   -> APPEND     (skip what is held, append the rest)
#ifndef WASL_SYNC_INTAKE_H
#define WASL_SYNC_INTAKE_H

#include "sync/message.h"

enum intake_outcome {
    INTAKE_APPEND,
    INTAKE_DUPLICATE,
    INTAKE_GAP,
    INTAKE_DAMAGED,
    INTAKE_FORKED,
    INTAKE_DENIED, // unknown origin without a valid certificate, unknown author, another place's
};

// What the receiver has of a stream, and who may write it.
struct intake_stream {
    bool known;   // false: marks are zero, and the push must bring a certificate
    bool claimed; // another lane of its origin is known: device and location are that origin's
    struct mark held;
    uint64_t settled;
    char location[LIMIT_NAME + 1];
    struct uuid device;
    bool ended; // this hub cannot bring it up: above there is another history of it
};

// The receiver's store, for reading only.
struct intake_io {
    void *context;
    enum err_code (*find_stream)(void *context, const struct stream_key *key,
                                 struct intake_stream *ret); // unknown: known = false; see claimed
    enum err_code (*chain_at)(void *context, const struct stream_key *key, uint64_t seq,
                              struct hash *ret);
    enum err_code (*find_key)(void *context, const struct uuid *device,
                              struct sign_public *ret); // ERR_NOT_FOUND
    bool settles; // the centre: what is sealed here is settled. Else its own word is waited for
};

// The authenticated sender.
struct intake_sender {
    struct uuid chain;
    struct uuid device;
    struct str location;
    struct sign_public key;
};

struct intake_event {
    struct str bytes;
    uint64_t seq;
    struct hash chain;
    struct event event; // valid when envelope is true
    bool envelope;      // the envelope could be read and names this very position and place
    const char *dead;   // not NULL: a dead letter, and why. Of an unknown type the store says it
};

struct intake_result {
    enum intake_outcome outcome;
    struct intake_stream stream;    // as it was; filled from the certificate when new
    struct certificate certificate; // to be stored when the stream is new
    struct intake_event *events;    // the new ones, in order
    size_t count;
    struct mark held;          // after the append
    uint64_t settled;          // after the append
    struct seal seal;          // verified; to be stored
    uint64_t want;             // not 0: ask the sender to go on from here
    char reason[ERR_TEXT_MAX]; // for DAMAGED, FORKED, DENIED
};

// ERR_NO_MEMORY, also where the arena is too small (64 bytes for each of the push are enough); and
// whatever the store's functions return but ERR_NOT_FOUND.
enum err_code intake_check(const struct intake_io *io, const struct intake_sender *sender,
                           const struct message_push *push, struct arena *arena,
                           struct intake_result *ret, struct err *e) MUST_CHECK;

// The line of an ack that answers this push, after the append is durable.
struct message_mark intake_mark(const struct message_push *push,
                                const struct intake_result *result);

#endif
