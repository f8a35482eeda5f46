// SPDX-License-Identifier: Apache-2.0
// A histogram of durations with constant relative error (the method of HdrHistogram: exponent
// buckets with linear sub-buckets), fixed memory, no allocation.
//
// Range 0 .. 2^40 in the caller's unit (microseconds here), error <= 1/64. Beyond: counted at the
// top.
#ifndef WASL_BASE_HIST_H
#define WASL_BASE_HIST_H

#include <stdint.h>

enum { HIST_SUB_BITS = 6, HIST_EXPONENTS = 35, HIST_SLOTS = (HIST_EXPONENTS + 1) << HIST_SUB_BITS };

struct hist {
    uint64_t count;
    uint64_t sum;
    uint64_t max;
    uint32_t slots[HIST_SLOTS];
};

void hist_reset(struct hist *h);
void hist_add(struct hist *h, uint64_t value);
void hist_merge(struct hist *into, const struct hist *from);
uint64_t hist_quantile(const struct hist *h,
                       double q); // q in 0..1; 0 when empty; upper edge of its slot
double hist_mean(const struct hist *h);

#endif
