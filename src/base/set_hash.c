// SPDX-License-Identifier: Apache-2.0
#include "base/set_hash.h"

#include <sodium.h>
#include <string.h>

_Static_assert(HASH_SIZE == crypto_stream_chacha20_ietf_KEYBYTES, "a hash is the stream's key");

// Lanes are 16-bit numbers, the low byte first.
static void load(uint16_t lanes[SET_HASH_LANES], const uint8_t bytes[SET_HASH_SIZE])
{
    memcpy(lanes, bytes, SET_HASH_SIZE);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    for (int i = 0; i < SET_HASH_LANES; i++)
        lanes[i] = __builtin_bswap16(lanes[i]);
#endif
}

static void stretch(struct str element, uint16_t lanes[SET_HASH_LANES])
{
    static const uint8_t nonce[crypto_stream_chacha20_ietf_NONCEBYTES];
    uint8_t bytes[SET_HASH_SIZE];
    struct hash key = hash_of(element);
    MUST(crypto_stream_chacha20_ietf(bytes, sizeof bytes, nonce, key.b) == 0);
    load(lanes, bytes);
}

void set_hash_add(struct set_hash *h, struct str element)
{
    uint16_t lanes[SET_HASH_LANES];
    stretch(element, lanes);
    for (int i = 0; i < SET_HASH_LANES; i++)
        h->lanes[i] = (uint16_t)(h->lanes[i] + lanes[i]);
}

void set_hash_remove(struct set_hash *h, struct str element)
{
    uint16_t lanes[SET_HASH_LANES];
    stretch(element, lanes);
    for (int i = 0; i < SET_HASH_LANES; i++)
        h->lanes[i] = (uint16_t)(h->lanes[i] - lanes[i]);
}

void set_hash_write(const struct set_hash *h, uint8_t to[SET_HASH_SIZE])
{
    for (int i = 0; i < SET_HASH_LANES; i++) {
        to[2 * i] = (uint8_t)(h->lanes[i] & 0xff);
        to[2 * i + 1] = (uint8_t)(h->lanes[i] >> 8);
    }
}

void set_hash_read(struct set_hash *h, const uint8_t from[SET_HASH_SIZE])
{
    load(h->lanes, from);
}

struct hash set_hash_digest(const struct set_hash *h)
{
    uint8_t bytes[SET_HASH_SIZE];
    set_hash_write(h, bytes);
    return hash_of(str_make(bytes, sizeof bytes));
}
