// SPDX-License-Identifier: Apache-2.0
// UUIDs (RFC 9562): version 7 for what is made here, 8 for imports (from a hash and a number).
//
// PURE: time and random bytes are given by the caller.
#ifndef WASL_BASE_UUID_H
#define WASL_BASE_UUID_H

#include "base/hash.h"
#include "base/str.h"

enum { UUID_TEXT_SIZE = 37 }; // 36 characters and a NUL

struct uuid {
    uint8_t b[16];
};

// Makes version 7 ids that increase even within one millisecond and when the clock steps back:
// the last 48-bit time and a counter in rand_a (RFC 9562, section 6.2, method 1) are kept.
struct uuid_maker {
    uint64_t last_ms;
    uint16_t counter;
};
struct uuid uuid_make_v7(struct uuid_maker *maker, uint64_t now_ms, const uint8_t random[10]);

// The same hash and number always give the same id.
struct uuid uuid_make_v8(const struct hash *of, uint64_t number);

// Canonical text, lower case on output, either case on input, exactly 36 characters.
void uuid_format(const struct uuid *id, char to[UUID_TEXT_SIZE]);
enum err_code uuid_parse(struct str text, struct uuid *ret) MUST_CHECK;

int uuid_compare(const struct uuid *a, const struct uuid *b);
bool uuid_equal(const struct uuid *a, const struct uuid *b);
bool uuid_is_zero(const struct uuid *id);
// For tables in memory: each bit of it depends on all of the id. Another machine may give another.
uint64_t uuid_hash(const struct uuid *id);
int uuid_version(const struct uuid *id);

#endif
