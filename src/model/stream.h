// SPDX-License-Identifier: Apache-2.0
// Streams: the position of an event in its origin's lane, marks with the chain hash there, seals
// and certificates that let a third party trust them.
//
// Words: DESIGN "origin", "lane", "seq", "watermark", "seal". A mark {seq, hash} says "every event
// up to seq, and the chain hash there is this"; seq 0 with a zero hash is the empty stream.
#ifndef WASL_MODEL_STREAM_H
#define WASL_MODEL_STREAM_H

#include "base/sign.h"
#include "model/event.h"

struct stream_key {
    struct uuid origin;
    enum lane lane;
};
struct mark {
    uint64_t seq;
    struct hash hash;
};

bool stream_key_equal(const struct stream_key *a, const struct stream_key *b);
int stream_key_compare(const struct stream_key *a, const struct stream_key *b); // lane first
bool mark_equal(const struct mark *a, const struct mark *b);
struct mark mark_next(const struct mark *m, struct str bytes); // seq + 1, the chain one further

// An origin belongs to one device and one location; the device's key says so.
struct certificate {
    struct uuid origin;
    struct uuid device;
    char location[LIMIT_NAME + 1];
    struct signature signature;
};
struct certificate certificate_make(const struct sign_key *key, const struct uuid *chain,
                                    const struct uuid *origin, const struct uuid *device,
                                    struct str location);
bool certificate_verify(const struct certificate *c, const struct uuid *chain,
                        const struct sign_public *key) MUST_CHECK;

// A device's signature over the head of one of its streams. It vouches for all that came before,
// so the newest seal of a stream replaces the older ones.
struct seal {
    struct stream_key key;
    struct mark mark;
    struct signature signature;
};
struct seal seal_make(const struct sign_key *key, const struct uuid *chain,
                      const struct stream_key *stream, const struct mark *mark);
bool seal_verify(const struct seal *seal, const struct uuid *chain,
                 const struct sign_public *key) MUST_CHECK;

// Proof that a device which asks to join holds the key that it wants to be known by, for one code
// and one place: 'code' is the hash of the code's secret, 'location' what the node was made for.
struct signature stream_join_make(const struct sign_key *key, const struct hash *code,
                                  const struct uuid *device, struct str location);
bool stream_join_verify(const struct signature *proof, const struct hash *code,
                        const struct uuid *device, struct str location,
                        const struct sign_public *key) MUST_CHECK;

// A device's word for what it no longer keeps of one of its streams: all up to the mark. past
// is a hash over what it does keep of each such event.
struct base {
    struct stream_key key;
    struct mark mark;
    struct hash past;
    struct signature signature;
};
void base_sign(struct base *base, const struct sign_key *key, const struct uuid *chain);
bool base_verify(const struct base *base, const struct uuid *chain,
                 const struct sign_public *key) MUST_CHECK;

// Proof that a device holds its key, fresh for one connection: signs chain, device, run and the
// server's challenge.
enum { CHALLENGE_SIZE = 32 };
struct signature stream_proof_make(const struct sign_key *key, const struct uuid *chain,
                                   const struct uuid *device, const struct uuid *run,
                                   const uint8_t challenge[CHALLENGE_SIZE]);
bool stream_proof_verify(const struct signature *proof, const struct uuid *chain,
                         const struct uuid *device, const struct uuid *run,
                         const uint8_t challenge[CHALLENGE_SIZE],
                         const struct sign_public *key) MUST_CHECK;

#endif
