// SPDX-License-Identifier: Apache-2.0
#include "base/sign.h"

#include <pthread.h>
#include <sodium.h>

_Static_assert(crypto_sign_SEEDBYTES == SIGN_SEED_SIZE, "seed");
_Static_assert(crypto_sign_PUBLICKEYBYTES == SIGN_PUBLIC_SIZE, "public key");
_Static_assert(crypto_sign_SECRETKEYBYTES == sizeof((struct sign_key *)0)->secret, "secret key");
_Static_assert(crypto_sign_BYTES == SIGN_SIZE, "signature");

static pthread_once_t started = PTHREAD_ONCE_INIT;

static void start(void)
{
    MUST(sodium_init() >= 0);
}

static void need_sodium(void)
{
    MUST(pthread_once(&started, start) == 0);
}

static const unsigned char *bytes_of(struct str s)
{
    return (const unsigned char *)s.p;
}

void sign_key_from_seed(const uint8_t seed[SIGN_SEED_SIZE], struct sign_key *ret)
{
    need_sodium();
    MUST(crypto_sign_seed_keypair(ret->public_key.b, ret->secret, seed) == 0);
}

struct signature sign_make(const struct sign_key *key, struct str message)
{
    need_sodium();
    struct signature s;
    MUST(crypto_sign_detached(s.b, NULL, bytes_of(message), message.n, key->secret) == 0);
    return s;
}

bool sign_verify(const struct sign_public *key, struct str message, const struct signature *s)
{
    need_sodium();
    return crypto_sign_verify_detached(s->b, bytes_of(message), message.n, key->b) == 0;
}
