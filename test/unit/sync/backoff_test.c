// SPDX-License-Identifier: Apache-2.0
#include "sync/backoff.h"
#include "test/unit/unit.h"

static struct backoff b;
static struct rng rng;

static void begin(uint64_t seed)
{
    rng_init(&rng, seed);
    backoff_reset(&b);
}

TEST(backoff__doubles_from_50_to_600_ms)
{
    static const int64_t lengths[] = {50, 100, 200, 400, 600, 600, 600};
    for (uint64_t seed = 0; seed < 200; seed++) {
        begin(seed);
        for (size_t i = 0; i < COUNT_OF(lengths); i++) {
            int64_t pause = backoff_next(&b, &rng);
            assert_in_range(pause, lengths[i] / 2, lengths[i]);
        }
    }
}

TEST(backoff__reaches_both_ends_of_its_jitter)
{
    bool low = false, high = false;
    for (uint64_t seed = 0; seed < 2000; seed++) {
        begin(seed);
        int64_t pause = backoff_next(&b, &rng);
        low = low || pause == 25;
        high = high || pause == 50;
    }
    assert_true(low && high);
}

TEST(backoff__begins_anew_after_a_reset)
{
    begin(1);
    for (int i = 0; i < 10; i++) {
        (void)backoff_next(&b, &rng);
    }
    backoff_reset(&b);
    assert_in_range(backoff_next(&b, &rng), 25, 50);
}

TEST(backoff__works_from_a_zeroed_struct)
{
    rng_init(&rng, 1);
    b = (struct backoff){0};
    assert_in_range(backoff_next(&b, &rng), 25, 50);
}

TEST(backoff__honours_what_the_upstream_asks_for_once)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        begin(seed);
        backoff_told(&b, 10000);
        backoff_told(&b, 2000); // the longer one stands
        assert_in_range(backoff_next(&b, &rng), 5000, 10000);
        assert_in_range(backoff_next(&b, &rng), 50, 100);
    }
}

TEST(backoff__honours_a_minute_at_most)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        begin(seed);
        backoff_told(&b, INT64_MAX);
        assert_in_range(backoff_next(&b, &rng), 30000, 60000);
        backoff_told(&b, INT64_MIN);
        assert_in_range(backoff_next(&b, &rng), 50, 100);
    }
}
