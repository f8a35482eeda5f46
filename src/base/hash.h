// SPDX-License-Identifier: Apache-2.0
// BLAKE2b-256 (RFC 7693; libsodium), and the chain over an origin's stream.
#ifndef WASL_BASE_HASH_H
#define WASL_BASE_HASH_H

#include "base/str.h"

enum { HASH_SIZE = 32, HASH_TEXT_SIZE = 65 };

struct hash {
    uint8_t b[HASH_SIZE];
};

struct hash hash_of(struct str bytes);
struct hash hash_of_parts(const struct str *parts, size_t count); // of their concatenation

// h(n) = BLAKE2b-256(h(n-1) || bytes); h(0) is 32 zero bytes.
struct hash hash_chain(const struct hash *previous, struct str bytes);

// Incremental, for files. The state is opaque and lives with the caller.
struct hash_state {
    _Alignas(64) unsigned char opaque[384];
};
void hash_begin(struct hash_state *state);
void hash_update(struct hash_state *state, struct str bytes);
struct hash hash_end(struct hash_state *state);

// 128 bits that nobody without the key can foretell (SipHash-2-4, Aumasson and Bernstein 2012;
// libsodium): fast on short texts. For what one process compares, never for what is stored.
enum { HASH_KEY_SIZE = 16 };
struct hash_key {
    uint8_t b[HASH_KEY_SIZE];
};
unsigned __int128 hash_short(const struct hash_key *key, struct str bytes);

bool hash_equal(const struct hash *a, const struct hash *b);
bool hash_is_zero(const struct hash *h);
void hash_format(const struct hash *h, char to[HASH_TEXT_SIZE]);
enum err_code hash_parse(struct str text, struct hash *ret) MUST_CHECK;

#endif
