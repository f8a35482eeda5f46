// SPDX-License-Identifier: Apache-2.0
// Ed25519 signatures (RFC 8032; libsodium). A key is made from a seed that the caller draws.
#ifndef WASL_BASE_SIGN_H
#define WASL_BASE_SIGN_H

#include "base/str.h"

enum { SIGN_SEED_SIZE = 32, SIGN_PUBLIC_SIZE = 32, SIGN_SIZE = 64 };

struct sign_public {
    uint8_t b[SIGN_PUBLIC_SIZE];
};
struct sign_key {
    uint8_t secret[64];
    struct sign_public public_key;
};
struct signature {
    uint8_t b[SIGN_SIZE];
};

void sign_key_from_seed(const uint8_t seed[SIGN_SEED_SIZE], struct sign_key *ret);
struct signature sign_make(const struct sign_key *key, struct str message);
bool sign_verify(const struct sign_public *key, struct str message,
                 const struct signature *s) MUST_CHECK;

#endif
