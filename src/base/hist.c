// SPDX-License-Identifier: Apache-2.0
//
// Slots: the first 64 hold the values 0 .. 63 exactly; then each power of two 2^e (e = 6 .. 40) is
// cut into 64 equal slots of 2^(e-6) values. So a slot is never wider than 1/64 of its values.
#include "base/hist.h"

#include <string.h>

enum { SUB = 1 << HIST_SUB_BITS, TOP = HIST_SLOTS - 1 };

static unsigned slot_of(uint64_t value)
{
    if (value < SUB) {
        return (unsigned)value;
    }
    unsigned exponent = 63U - (unsigned)__builtin_clzll(value);
    unsigned shift = exponent - HIST_SUB_BITS;
    if (shift >= HIST_EXPONENTS) {
        return TOP;
    }
    return ((shift + 1) << HIST_SUB_BITS) + (unsigned)(value >> shift) - SUB;
}

// The largest value that is counted in the slot.
static uint64_t upper_edge(unsigned slot)
{
    if (slot < SUB) {
        return slot;
    }
    unsigned shift = (slot >> HIST_SUB_BITS) - 1;
    uint64_t within = slot & (SUB - 1U);
    return ((SUB + within + 1) << shift) - 1;
}

void hist_reset(struct hist *h)
{
    memset(h, 0, sizeof *h);
}

static void add_to_slot(uint32_t *slot, uint32_t n)
{
    *slot = n > UINT32_MAX - *slot ? UINT32_MAX : *slot + n;
}

void hist_add(struct hist *h, uint64_t value)
{
    h->count++;
    h->sum = value > UINT64_MAX - h->sum ? UINT64_MAX : h->sum + value;
    if (value > h->max) {
        h->max = value;
    }
    add_to_slot(&h->slots[slot_of(value)], 1);
}

void hist_merge(struct hist *into, const struct hist *from)
{
    into->count += from->count;
    into->sum = from->sum > UINT64_MAX - into->sum ? UINT64_MAX : into->sum + from->sum;
    if (from->max > into->max) {
        into->max = from->max;
    }
    for (unsigned i = 0; i < HIST_SLOTS; i++) {
        add_to_slot(&into->slots[i], from->slots[i]);
    }
}

// The rank of the wanted value, 1 .. count: the smallest one with rank / count >= q.
static uint64_t rank_of(uint64_t count, double q)
{
    if (!(q > 0)) {
        return 1;
    }
    if (q >= 1) {
        return count;
    }
    double exact = q * (double)count;
    uint64_t rank = (uint64_t)exact;
    rank += (double)rank < exact;
    return rank < 1 ? 1 : rank > count ? count : rank;
}

uint64_t hist_quantile(const struct hist *h, double q)
{
    if (h->count == 0) {
        return 0;
    }
    uint64_t rank = rank_of(h->count, q);
    uint64_t seen = 0;
    for (unsigned i = 0; i < TOP; i++) {
        seen += h->slots[i];
        if (seen >= rank) {
            uint64_t edge = upper_edge(i);
            return edge < h->max ? edge : h->max;
        }
    }
    return h->max < upper_edge(TOP) ? h->max : upper_edge(TOP);
}

double hist_mean(const struct hist *h)
{
    return h->count == 0 ? 0 : (double)h->sum / (double)h->count;
}
