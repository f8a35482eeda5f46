// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "test/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

TEST(clock__tells_a_wall_time_of_this_century)
{
    assert_true(clock_wall_ms() > INT64_C(1700000000000));
    assert_true(clock_wall_ms() < INT64_C(4102444800000));
}

TEST(clock__tells_the_time_of_the_system_to_the_millisecond)
{
    struct timespec before;
    struct timespec after;
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &before), 0);
    int64_t ms = clock_wall_ms();
    assert_int_equal(clock_gettime(CLOCK_REALTIME, &after), 0);
    assert_true(ms >= (int64_t)before.tv_sec * 1000 + before.tv_nsec / 1000000);
    assert_true(ms <= (int64_t)after.tv_sec * 1000 + after.tv_nsec / 1000000);
}

TEST(clock__tells_milliseconds_and_microseconds_of_the_same_clock)
{
    int64_t before_ms = clock_mono_ms();
    int64_t us = clock_mono_us();
    int64_t after_ms = clock_mono_ms();
    assert_true(us / 1000 >= before_ms);
    assert_true(us / 1000 <= after_ms);
}

TEST(clock__knows_the_start_of_the_machine)
{
    char id[CLOCK_BOOT_ID_SIZE], again[CLOCK_BOOT_ID_SIZE];
    clock_boot_id(id);
    clock_boot_id(again);
    assert_string_equal(id, again);
    assert_int_equal(strlen(id), 36);
    int64_t before_ms = clock_boot_ms();
    clock_sleep_ms(15);
    assert_true(clock_boot_ms() - before_ms >= 14);
    assert_true(before_ms >= clock_mono_ms() - 1000); // which stands still while the machine sleeps
}

TEST(clock__sleeps_at_least_as_long_as_asked)
{
    int64_t before_us = clock_mono_us();
    clock_sleep_ms(15);
    assert_true(clock_mono_us() - before_us >= 15000);
}

TEST(clock__does_not_sleep_for_a_time_that_has_passed)
{
    int64_t before_ms = clock_mono_ms();
    clock_sleep_ms(0);
    clock_sleep_ms(-1000);
    clock_sleep_ms(INT64_MIN);
    assert_true(clock_mono_ms() - before_ms < 1000);
}

TEST(clock__fills_with_different_random_bytes_and_not_beyond)
{
    unsigned char a[1001] = {0};
    unsigned char b[1001] = {0};
    clock_random(a, 1000);
    clock_random(b, 1000);
    assert_memory_not_equal(a, b, 1000);
    assert_int_equal(a[1000], 0);
    unsigned char zero[16] = {0};
    assert_memory_not_equal(a + 984, zero, sizeof zero);
    clock_random(a, 0);
}

// Beirut by its rule: at midnight of the last Sunday of March it is one o'clock, at midnight of the
// last one of October it is eleven again.
TEST(clock__tells_the_wall_clock_over_both_changes_of_a_year)
{
    static const int64_t spring = 1774735200, autumn = 1792875600;
    static const struct {
        int64_t at;
        int minute;
    } rows[] = {
        {spring - 60, 23 * 60 + 59},   {spring, 60},
        {spring + 3600, 120},          {spring + 4 * 3600, 300},
        {autumn - 60, 23 * 60 + 59},   {autumn, 23 * 60},
        {autumn + 3599, 23 * 60 + 59}, {autumn + 3600, 0},
        {autumn + 3 * 3600, 120},      {autumn + 6 * 3600, 300},
    };
    assert_int_equal(setenv("TZ", "EET-2EEST,M3.5.0/0,M10.5.0/0", 1), 0);
    tzset();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(clock_local_minute(rows[i].at * 1000), rows[i].minute);
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
}
