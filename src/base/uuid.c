// SPDX-License-Identifier: Apache-2.0
#include "base/uuid.h"

#include <string.h>

#define MS_MAX ((UINT64_C(1) << 48) - 1)
enum { COUNTER_MAX = 0xFFF, COUNTER_SEED_MASK = 0x7FF };

static void set_version(struct uuid *id, int version)
{
    id->b[6] = (uint8_t)((id->b[6] & 0x0F) | (version << 4));
    id->b[8] = (uint8_t)((id->b[8] & 0x3F) | 0x80);
}

static void put_be(uint8_t *to, uint64_t value, int bytes)
{
    for (int i = bytes - 1; i >= 0; i--) {
        to[i] = (uint8_t)(value & 0xFF);
        value >>= 8;
    }
}

// A new millisecond begins with a random counter whose top bit is free, so that at least 2,048 ids
// fit before the time has to be borrowed from the next millisecond.
static void advance(struct uuid_maker *maker, uint64_t now_ms, uint16_t seed)
{
    if (now_ms > maker->last_ms) {
        maker->last_ms = now_ms;
        maker->counter = seed;
    } else if (maker->counter < COUNTER_MAX) {
        maker->counter++;
    } else if (maker->last_ms < MS_MAX) {
        maker->last_ms++;
        maker->counter = seed;
    }
}

struct uuid uuid_make_v7(struct uuid_maker *maker, uint64_t now_ms, const uint8_t random[10])
{
    uint16_t seed = (uint16_t)((random[0] << 8 | random[1]) & COUNTER_SEED_MASK);
    advance(maker, now_ms > MS_MAX ? MS_MAX : now_ms, seed);
    struct uuid id;
    put_be(id.b, maker->last_ms, 6);
    put_be(id.b + 6, maker->counter, 2);
    memcpy(id.b + 8, random + 2, 8);
    set_version(&id, 7);
    return id;
}

struct uuid uuid_make_v8(const struct hash *of, uint64_t number)
{
    uint8_t number_be[8];
    put_be(number_be, number, sizeof number_be);
    struct str parts[] = {str_make(of->b, sizeof of->b), str_make(number_be, sizeof number_be)};
    struct hash h = hash_of_parts(parts, 2);
    struct uuid id;
    memcpy(id.b, h.b, sizeof id.b);
    set_version(&id, 8);
    return id;
}

// How the 32 digits lie in the text.
static const struct {
    uint8_t from, at, n;
} groups[] = {{0, 0, 8}, {8, 9, 4}, {12, 14, 4}, {16, 19, 4}, {20, 24, 12}};
enum { GROUPS = sizeof groups / sizeof groups[0] };

void uuid_format(const struct uuid *id, char to[UUID_TEXT_SIZE])
{
    char hex[33];
    str_to_hex(hex, id->b, sizeof id->b);
    memset(to, '-', UUID_TEXT_SIZE - 1);
    to[UUID_TEXT_SIZE - 1] = '\0';
    for (size_t i = 0; i < GROUPS; i++) {
        memcpy(to + groups[i].at, hex + groups[i].from, groups[i].n);
    }
}

enum err_code uuid_parse(struct str text, struct uuid *ret)
{
    char hex[32];
    if (text.n != UUID_TEXT_SIZE - 1) {
        return ERR_PARSE;
    }
    for (size_t i = 0; i < GROUPS; i++) {
        if (i > 0 && text.p[groups[i].at - 1] != '-') {
            return ERR_PARSE;
        }
        memcpy(hex + groups[i].from, text.p + groups[i].at, groups[i].n);
    }
    for (size_t i = 0; i < sizeof hex; i++) {
        hex[i] = hex[i] >= 'A' && hex[i] <= 'F' ? (char)(hex[i] - 'A' + 'a') : hex[i];
    }
    return str_from_hex(str_make(hex, sizeof hex), ret->b, sizeof ret->b);
}

int uuid_compare(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a->b, b->b, sizeof a->b);
}

// Two words, not memcmp: folding compares ids more than it does anything else.
bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    uint64_t x[2], y[2];
    memcpy(x, a->b, sizeof x);
    memcpy(y, b->b, sizeof y);
    return ((x[0] ^ y[0]) | (x[1] ^ y[1])) == 0;
}

bool uuid_is_zero(const struct uuid *id)
{
    static const struct uuid zero;
    return uuid_equal(id, &zero);
}

// The finalizer of splitmix64 (Steele, Lea and Flood 2014) over both halves.
uint64_t uuid_hash(const struct uuid *id)
{
    uint64_t x[2];
    memcpy(x, id->b, sizeof x);
    uint64_t hash = x[0] * UINT64_C(0x9e3779b97f4a7c15) + x[1];
    hash = (hash ^ (hash >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    hash = (hash ^ (hash >> 27)) * UINT64_C(0x94d049bb133111eb);
    return hash ^ (hash >> 31);
}

int uuid_version(const struct uuid *id)
{
    return id->b[6] >> 4;
}
