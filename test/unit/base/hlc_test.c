// SPDX-License-Identifier: Apache-2.0
#include "base/hlc.h"
#include "test/unit/unit.h"

enum { SKEW_MS = 300000 };
#define NOW             INT64_C(1763712902123)
#define AT(ms, counter) (((hlc)(ms) << 16) | (hlc)(counter))

TEST(hlc__next_follows_the_clock_by_one_tick)
{
    assert_true(hlc_next(0, NOW) == AT(NOW, 1));
    assert_true(hlc_next(AT(NOW - 1, 500), NOW) == AT(NOW, 1));
    assert_int_equal(hlc_ms(hlc_next(0, NOW)), NOW);
}

TEST(hlc__next_counts_on_when_the_clock_stands_or_steps_back)
{
    assert_true(hlc_next(AT(NOW, 1), NOW) == AT(NOW, 2));
    assert_true(hlc_next(AT(NOW, 7), NOW - 100000) == AT(NOW, 8));
}

TEST(hlc__next_borrows_a_millisecond_when_the_counter_is_full)
{
    assert_true(hlc_next(AT(NOW, 0xFFFF), NOW) == AT(NOW + 1, 0));
}

TEST(hlc__next_always_increases)
{
    hlc last = 0;
    for (int i = 0; i < 200000; i++) {
        hlc next = hlc_next(last, NOW - i % 3);
        assert_true(next > last);
        last = next;
    }
}

TEST(hlc__next_clamps_a_clock_out_of_range)
{
    assert_true(hlc_next(0, -5) == 1);
    assert_true(hlc_next(0, INT64_MIN) == 1);
    assert_true(hlc_ms(hlc_next(0, INT64_MAX)) == (INT64_C(1) << 48) - 1);
}

TEST(hlc__next_does_not_wrap_at_the_end_of_time)
{
    assert_true(hlc_next(UINT64_MAX, NOW) == UINT64_MAX);
    assert_true(hlc_next(UINT64_MAX - 1, NOW) == UINT64_MAX);
}

TEST(hlc__formats_as_16_hex_digits_that_sort_as_the_values_do)
{
    char text[HLC_TEXT_SIZE];
    hlc_format(0, text);
    assert_string_equal(text, "0000000000000000");
    hlc_format(UINT64_MAX, text);
    assert_string_equal(text, "ffffffffffffffff");
    hlc_format(UINT64_C(0x019aa5b27c3d0001), text);
    assert_string_equal(text, "019aa5b27c3d0001");
}

TEST(hlc__reads_back_what_it_formatted)
{
    hlc value = 0;
    assert_int_equal(hlc_parse(STR("019aa5b27c3d0001"), &value), ERR_OK);
    assert_true(value == UINT64_C(0x019aa5b27c3d0001));
    assert_int_equal(hlc_parse(STR("ffffffffffffffff"), &value), ERR_OK);
    assert_true(value == UINT64_MAX);
}

TEST(hlc__refuses_anything_but_16_lower_case_hex_digits)
{
    static const char *const bad[] = {"",
                                      "019aa5b27c3d000",
                                      "019aa5b27c3d00011",
                                      "019AA5B27C3D0001",
                                      "0x9aa5b27c3d0001",
                                      " 19aa5b27c3d0001",
                                      "-19aa5b27c3d0001",
                                      "019aa5b27c3d000g"};
    hlc value = 5;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(hlc_parse(str_of(bad[i]), &value), ERR_PARSE);
    }
    assert_true(value == 5);
}
