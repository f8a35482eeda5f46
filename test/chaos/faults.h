// SPDX-License-Identifier: Apache-2.0
// What a bad network does, as numbers: which fault is on, when a piece may leave, which bit flips.
//
// Why: apart from sockets, so that a test can ask it without any.
// Invariants: pieces of one direction of one connection leave in the order in which they came; a
//   rate holds for all connections of a direction together, as for the line that they share.
// Ownership: a value; nothing to free. Threads: no shared state.
#ifndef WASL_CHAOS_FAULTS_H
#define WASL_CHAOS_FAULTS_H

#include "base/rng.h"
#include "base/str.h"

enum faults_way { FAULTS_UP, FAULTS_DOWN, FAULTS_WAYS }; // up: from the client to the target

enum faults_mode {
    FAULTS_OPEN,
    FAULTS_CUT,     // connections are reset, new ones refused
    FAULTS_STALL,   // connections are taken, nothing is forwarded
    FAULTS_GARBAGE, // every request is answered by a captive portal's page
};

struct faults {
    enum faults_mode mode;
    bool blocked[FAULTS_WAYS]; // asymmetric: this direction stalls alone
    int64_t delay_ms;
    int64_t jitter_ms;               // 0..jitter_ms more for each piece
    int64_t rate;                    // bytes per second and direction; 0: no limit
    int64_t drop_s;                  // all connections are reset this often; 0: never
    int64_t flip;                    // a random bit flips about every so many bytes; 0: never
    int64_t free_us[FAULTS_WAYS];    // when the line has sent what it was given
    int64_t until_flip[FAULTS_WAYS]; // bytes
    uint64_t flipped;
    struct rng rng;
};

void faults_init(struct faults *f, uint64_t seed);

// One command: cut, stall, garbage, asymmetric up|down (what still goes through), delay MS,
// jitter MS, rate BYTES, drop S, flip BYTES, heal. ERR_PARSE naming what is wrong; nothing has
// changed then.
enum err_code faults_command(struct faults *f, struct str line, struct err *e) MUST_CHECK;

bool faults_passes(const struct faults *f, enum faults_way way);

// When a piece of n bytes that came at now_us may leave; never before *last_us, which it replaces.
int64_t faults_due_us(struct faults *f, enum faults_way way, size_t n, int64_t now_us,
                      int64_t *last_us);

// Flips what is to flip in the next n bytes of a direction.
void faults_flip(struct faults *f, enum faults_way way, char *bytes, size_t n);

#endif
