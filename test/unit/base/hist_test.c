// SPDX-License-Identifier: Apache-2.0
#include "base/hist.h"
#include "base/rng.h"
#include "test/unit/unit.h"

#include <stdlib.h>

static struct hist h;

TEST(hist__is_zero_when_empty)
{
    hist_reset(&h);
    assert_int_equal(hist_quantile(&h, 0.5), 0);
    assert_int_equal(hist_quantile(&h, 1), 0);
    assert_true(hist_mean(&h) == 0);
}

TEST(hist__counts_small_values_exactly)
{
    hist_reset(&h);
    for (uint64_t i = 1; i <= 100; i++) {
        hist_add(&h, i);
    }
    assert_int_equal(hist_quantile(&h, 0), 1);
    assert_int_equal(hist_quantile(&h, 0.01), 1);
    assert_int_equal(hist_quantile(&h, 0.011), 2);
    assert_int_equal(hist_quantile(&h, 0.5), 50);
    assert_int_equal(hist_quantile(&h, 0.99), 99);
    assert_int_equal(hist_quantile(&h, 1), 100);
    assert_true(hist_mean(&h) == 50.5);
    assert_int_equal(h.max, 100);
}

TEST(hist__takes_quantiles_outside_of_0_to_1_as_the_ends)
{
    hist_reset(&h);
    hist_add(&h, 3);
    hist_add(&h, 9);
    assert_int_equal(hist_quantile(&h, -1), 3);
    assert_int_equal(hist_quantile(&h, 2), 9);
    assert_int_equal(hist_quantile(&h, 0.0 / 0.0), 3);
}

// A single value below the largest one: what is told lies at most 1/64 above the truth.
static void within_error(uint64_t value)
{
    hist_reset(&h);
    hist_add(&h, value);
    hist_add(&h, UINT64_C(1) << 40);
    uint64_t told = hist_quantile(&h, 0.5);
    if (told < value || told - value > value / 64) {
        fail_msg("%llu was told as %llu", (unsigned long long)value, (unsigned long long)told);
    }
}

TEST(hist__errs_by_at_most_one_64th_at_every_power_of_two)
{
    for (int e = 0; e < 40; e++) {
        uint64_t p = UINT64_C(1) << e;
        within_error(p - 1);
        within_error(p);
        within_error(p + 1);
    }
    struct rng r;
    rng_init(&r, 3);
    for (int i = 0; i < 1000; i++) {
        within_error(rng_below(&r, UINT64_C(1) << rng_between(&r, 1, 40)));
    }
}

TEST(hist__keeps_the_order_of_values)
{
    uint64_t before = 0;
    for (uint64_t value = 1; value < UINT64_C(1) << 40; value += value / 70 + 1) {
        hist_reset(&h);
        hist_add(&h, value);
        hist_add(&h, UINT64_MAX);
        uint64_t told = hist_quantile(&h, 0.5);
        assert_true(told >= before);
        before = told;
    }
}

TEST(hist__counts_values_beyond_its_range_at_the_top)
{
    hist_reset(&h);
    hist_add(&h, UINT64_C(1) << 41);
    hist_add(&h, UINT64_C(1) << 50);
    hist_add(&h, UINT64_MAX);
    assert_int_equal(h.slots[HIST_SLOTS - 1], 3);
    assert_int_equal(h.count, 3);
    assert_true(h.max == UINT64_MAX);
    assert_true(hist_quantile(&h, 0.5) >= UINT64_C(1) << 40);
}

TEST(hist__does_not_wrap_its_sum_or_its_slots)
{
    hist_reset(&h);
    hist_add(&h, UINT64_MAX);
    hist_add(&h, UINT64_MAX);
    assert_true(h.sum == UINT64_MAX);
    static struct hist full;
    hist_reset(&full);
    full.slots[5] = UINT32_MAX;
    full.sum = 7;
    full.count = UINT32_MAX;
    hist_add(&full, 5);
    assert_int_equal(full.slots[5], UINT32_MAX);
    hist_merge(&full, &full);
    assert_int_equal(full.slots[5], UINT32_MAX);
    hist_merge(&h, &full);
    assert_true(h.sum == UINT64_MAX);
}

TEST(hist__merged_is_as_if_all_had_been_added_to_one)
{
    static struct hist all;
    static struct hist other;
    hist_reset(&h);
    hist_reset(&all);
    hist_reset(&other);
    struct rng r;
    rng_init(&r, 4);
    for (int i = 0; i < 10000; i++) {
        uint64_t value = rng_below(&r, 1000000);
        hist_add(rng_chance(&r, 1, 3) ? &h : &other, value);
        hist_add(&all, value);
    }
    hist_merge(&h, &other);
    assert_memory_equal(&h, &all, sizeof h);
}
