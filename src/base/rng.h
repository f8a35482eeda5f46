// SPDX-License-Identifier: Apache-2.0
// A small deterministic generator (xoshiro256**, Blackman and Vigna 2018; seeded by splitmix64).
// For simulation, jitter and generated data; never for keys or tokens (base/clock.h has those).
#ifndef WASL_BASE_RNG_H
#define WASL_BASE_RNG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rng {
    uint64_t s[4];
};

void rng_init(struct rng *r, uint64_t seed);
uint64_t rng_next(struct rng *r);
uint64_t rng_below(struct rng *r, uint64_t bound);             // 0 .. bound-1, unbiased; bound > 0
int64_t rng_between(struct rng *r, int64_t low, int64_t high); // both inclusive
bool rng_chance(struct rng *r, unsigned numerator, unsigned denominator);
double rng_unit(struct rng *r); // [0, 1)
void rng_fill(struct rng *r, void *to, size_t n);

#endif
