// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"
#include "test/unit/unit.h"

#include <string.h>

TEST(rng__seeds_with_the_known_answers_of_splitmix64)
{
    static const uint64_t wanted[] = {UINT64_C(6457827717110365317), UINT64_C(3203168211198807973),
                                      UINT64_C(9817491932198370423), UINT64_C(4593380528125082431)};
    struct rng r;
    rng_init(&r, 1234567);
    assert_memory_equal(r.s, wanted, sizeof wanted);
}

TEST(rng__gives_the_known_answers_of_xoshiro256_starstar)
{
    static const uint64_t wanted[] = {11520,
                                      0,
                                      1509978240,
                                      UINT64_C(1215971899390074240),
                                      UINT64_C(1216172134540287360),
                                      UINT64_C(607988272756665600),
                                      UINT64_C(16172922978634559625),
                                      UINT64_C(8476171486693032832)};
    struct rng r = {{1, 2, 3, 4}};
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        assert_true(rng_next(&r) == wanted[i]);
    }
}

TEST(rng__gives_the_same_for_the_same_seed_and_else_for_another)
{
    struct rng a;
    struct rng b;
    struct rng c;
    rng_init(&a, 0);
    rng_init(&b, 0);
    rng_init(&c, 1);
    uint64_t first = rng_next(&a);
    assert_true(first == rng_next(&b));
    assert_true(first != rng_next(&c));
}

TEST(rng__below_reaches_every_value_about_equally_often)
{
    struct rng r;
    rng_init(&r, 5);
    int seen[7] = {0};
    for (int i = 0; i < 70000; i++) {
        uint64_t value = rng_below(&r, 7);
        assert_true(value < 7);
        seen[value]++;
    }
    for (int i = 0; i < 7; i++) {
        assert_in_range(seen[i], 9500, 10500);
    }
}

TEST(rng__below_is_unbiased_for_a_bound_that_does_not_divide_2_to_64)
{
    // With bound 3 * 2^62 every fourth draw must be thrown away: else the multiples of 3 would come
    // (by a multiplication), or the lowest third (by a remainder), twice as often.
    struct rng r;
    rng_init(&r, 6);
    uint64_t bound = UINT64_C(3) << 62;
    int low = 0;
    int multiples = 0;
    for (int i = 0; i < 30000; i++) {
        uint64_t value = rng_below(&r, bound);
        assert_true(value < bound);
        low += value < bound / 3;
        multiples += value % 3 == 0;
    }
    assert_in_range(low, 9600, 10400);
    assert_in_range(multiples, 9600, 10400);
    assert_true(rng_below(&r, 1) == 0);
}

static void draw_below_zero(void *arg)
{
    (void)rng_below(arg, 0);
}

static void draw_between_crossed(void *arg)
{
    (void)rng_between(arg, 1, 0);
}

TEST(rng__aborts_when_there_is_nothing_to_choose_from)
{
    struct rng r;
    rng_init(&r, 1);
    char text[256];
    assert_true(unit_aborts(draw_below_zero, &r, text, sizeof text));
    assert_true(unit_aborts(draw_between_crossed, &r, text, sizeof text));
}

TEST(rng__between_includes_both_ends_and_takes_any_range)
{
    struct rng r;
    rng_init(&r, 7);
    bool low = false;
    bool high = false;
    for (int i = 0; i < 1000; i++) {
        int64_t value = rng_between(&r, -2, 3);
        assert_true(value >= -2 && value <= 3);
        low = low || value == -2;
        high = high || value == 3;
    }
    assert_true(low && high);
    assert_int_equal(rng_between(&r, -4, -4), -4);
    bool negative = false;
    bool positive = false;
    for (int i = 0; i < 100; i++) {
        int64_t value = rng_between(&r, INT64_MIN, INT64_MAX);
        negative = negative || value < 0;
        positive = positive || value > 0;
    }
    assert_true(negative && positive);
}

TEST(rng__chance_is_never_at_zero_and_always_at_one)
{
    struct rng r;
    rng_init(&r, 8);
    int hits = 0;
    for (int i = 0; i < 10000; i++) {
        assert_false(rng_chance(&r, 0, 5));
        assert_true(rng_chance(&r, 5, 5));
        hits += rng_chance(&r, 1, 4);
    }
    assert_in_range(hits, 2300, 2700);
}

TEST(rng__unit_stays_below_one)
{
    struct rng r;
    rng_init(&r, 9);
    double sum = 0;
    for (int i = 0; i < 10000; i++) {
        double value = rng_unit(&r);
        assert_true(value >= 0 && value < 1);
        sum += value;
    }
    assert_true(sum > 4900 && sum < 5100);
    struct rng top = {{0, UINT64_C(0xFFFFFFFFFFFFFFFF), 0, 0}};
    assert_true(rng_unit(&top) < 1);
}

TEST(rng__fills_low_byte_first_and_not_beyond)
{
    struct rng r = {{1, 2, 3, 4}};
    unsigned char bytes[12];
    memset(bytes, 0xEE, sizeof bytes);
    rng_fill(&r, bytes, 11);
    static const unsigned char wanted[12] = {0, 0x2D, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xEE}; // 11520, 0
    assert_memory_equal(bytes, wanted, sizeof wanted);
}
