// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"

#include "base/err.h"

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static uint64_t rotate(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

void rng_init(struct rng *r, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        r->s[i] = splitmix64(&seed);
    }
}

uint64_t rng_next(struct rng *r)
{
    uint64_t *s = r->s;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

// Lemire, "Fast Random Integer Generation in an Interval" (2019).
uint64_t rng_below(struct rng *r, uint64_t bound)
{
    MUST(bound > 0);
    unsigned __int128 m = (unsigned __int128)rng_next(r) * bound;
    if ((uint64_t)m < bound) {
        uint64_t threshold = (0 - bound) % bound;
        while ((uint64_t)m < threshold) {
            m = (unsigned __int128)rng_next(r) * bound;
        }
    }
    return (uint64_t)(m >> 64);
}

int64_t rng_between(struct rng *r, int64_t low, int64_t high)
{
    MUST(low <= high);
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t step = span == UINT64_MAX ? rng_next(r) : rng_below(r, span + 1);
    return (int64_t)((uint64_t)low + step);
}

bool rng_chance(struct rng *r, unsigned numerator, unsigned denominator)
{
    return rng_below(r, denominator) < numerator;
}

double rng_unit(struct rng *r)
{
    return (double)(rng_next(r) >> 11) * 0x1.0p-53;
}

void rng_fill(struct rng *r, void *to, size_t n)
{
    unsigned char *p = to;
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++) {
        word = i % 8 == 0 ? rng_next(r) : word >> 8; // low byte first, whatever the machine
        p[i] = (unsigned char)(word & 0xFF);
    }
}
