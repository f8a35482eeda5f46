// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"

#include <pthread.h>
#include <sodium.h>
#include <string.h>

_Static_assert(sizeof(crypto_generichash_state) <= sizeof(struct hash_state), "state must fit");
_Static_assert(_Alignof(crypto_generichash_state) <= _Alignof(struct hash_state),
               "state must be aligned");

// Lets libsodium choose its fastest code; without it the portable one is used.
static pthread_once_t started = PTHREAD_ONCE_INIT;

static void start(void)
{
    MUST(sodium_init() >= 0);
}

static void begin(crypto_generichash_state *s)
{
    MUST(pthread_once(&started, start) == 0);
    MUST(crypto_generichash_init(s, NULL, 0, HASH_SIZE) == 0);
}

static void update(crypto_generichash_state *s, const void *p, size_t n)
{
    MUST(crypto_generichash_update(s, p, n) == 0);
}

static struct hash end(crypto_generichash_state *s)
{
    struct hash h;
    MUST(crypto_generichash_final(s, h.b, sizeof h.b) == 0);
    return h;
}

static crypto_generichash_state *inside(struct hash_state *state)
{
    return (crypto_generichash_state *)(void *)state->opaque;
}

struct hash hash_of(struct str bytes)
{
    return hash_of_parts(&bytes, 1);
}

struct hash hash_of_parts(const struct str *parts, size_t count)
{
    crypto_generichash_state s;
    begin(&s);
    for (size_t i = 0; i < count; i++) {
        update(&s, parts[i].p, parts[i].n);
    }
    return end(&s);
}

struct hash hash_chain(const struct hash *previous, struct str bytes)
{
    crypto_generichash_state s;
    begin(&s);
    update(&s, previous->b, sizeof previous->b);
    update(&s, bytes.p, bytes.n);
    return end(&s);
}

void hash_begin(struct hash_state *state)
{
    begin(inside(state));
}

void hash_update(struct hash_state *state, struct str bytes)
{
    update(inside(state), bytes.p, bytes.n);
}

struct hash hash_end(struct hash_state *state)
{
    return end(inside(state));
}

unsigned __int128 hash_short(const struct hash_key *key, struct str bytes)
{
    static const unsigned char none = 0;
    const void *from = bytes.p == NULL ? (const void *)&none : bytes.p;
    unsigned __int128 h;
    _Static_assert(sizeof h == crypto_shorthash_siphashx24_BYTES, "128 bits");
    _Static_assert(HASH_KEY_SIZE == crypto_shorthash_siphashx24_KEYBYTES, "the key's size");
    unsigned char out[sizeof h];
    MUST(crypto_shorthash_siphashx24(out, from, bytes.n, key->b) == 0);
    memcpy(&h, out, sizeof h);
    return h;
}

bool hash_equal(const struct hash *a, const struct hash *b)
{
    return memcmp(a->b, b->b, sizeof a->b) == 0;
}

bool hash_is_zero(const struct hash *h)
{
    static const struct hash zero;
    return hash_equal(h, &zero);
}

void hash_format(const struct hash *h, char to[HASH_TEXT_SIZE])
{
    str_to_hex(to, h->b, sizeof h->b);
}

enum err_code hash_parse(struct str text, struct hash *ret)
{
    return str_from_hex(text, ret->b, sizeof ret->b);
}
