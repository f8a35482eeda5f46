// SPDX-License-Identifier: Apache-2.0
// A hash of a set that is kept by adding and removing its elements: LtHash.
//
// Why: two nodes hold the same rows exactly when their set hashes are equal, and a change of 500 of
//   50,000 rows costs 500 hashes, not 50,000.
// Invariants: depends on the elements alone, not on the order of adding; removing undoes adding. An
//   element that is added twice counts twice: the caller sees to it that it is there once.
// From: Bellare and Micciancio, "A New Paradigm for Collision-Free Hashing" (1997); Lewi, Kim,
//   Maykov and Weis, "Securing Update Propagation with Homomorphic Hashing" (2019): lthash16 with
//   1024 lanes, at least 200 bits. An element is stretched to 2 KiB by ChaCha20 under its
//   BLAKE2b-256 as the key.
#ifndef WASL_BASE_SET_HASH_H
#define WASL_BASE_SET_HASH_H

#include "base/hash.h"

enum { SET_HASH_LANES = 1024, SET_HASH_SIZE = 2 * SET_HASH_LANES };

struct set_hash { // zeroed: the empty set
    _Alignas(16) uint16_t lanes[SET_HASH_LANES];
};

void set_hash_add(struct set_hash *h, struct str element);
void set_hash_remove(struct set_hash *h, struct str element);
struct hash set_hash_digest(const struct set_hash *h);

// As it is kept: each lane's low byte first.
void set_hash_write(const struct set_hash *h, uint8_t to[SET_HASH_SIZE]);
void set_hash_read(struct set_hash *h, const uint8_t from[SET_HASH_SIZE]);

#endif
