// SPDX-License-Identifier: Apache-2.0
// One till of one chain with fixed keys, its first events, and one message of every kind.
//
// Why: what the tests of the protocol send and what docs/PROTOCOL.md shows is the same.
// Ownership: everything is static; sample() makes it at the first call.
#ifndef WASL_UNIT_SYNC_SAMPLE_H
#define WASL_UNIT_SYNC_SAMPLE_H

#include "sync/message.h"
#include "sync/run.h"

enum { SAMPLE_EVENTS = 3 };
#define SAMPLE_NOW INT64_C(1763716500000) // 2025-11-21 09:15 UTC

struct sample {
    struct uuid chain;
    struct uuid device;
    uint8_t seed[SIGN_SEED_SIZE]; // of the device's key
    struct sign_key key;
    struct run run; // after its events
    struct str events[SAMPLE_EVENTS];
    struct mark marks[SAMPLE_EVENTS]; // the stream's head after each
    uint8_t nonce[CHALLENGE_SIZE];
    struct message messages[MESSAGE_KIND_COUNT];
};

const struct sample *sample(void);
// The text of a message; lives until the next call.
struct str sample_text(const struct message *m);

// The n-th id of a family: all its bytes are given by the two numbers.
struct uuid sample_id(uint8_t family, uint32_t n);

#endif
