// SPDX-License-Identifier: Apache-2.0
#include "node/true_time.h"
#include "test/unit/unit.h"

#define HOUR_MS INT64_C(3600000)
static const struct machine_time morning = {"a-start", INT64_C(1760000000000), 5 * HOUR_MS};

static struct machine_time later(int64_t ms, int64_t set_ahead_ms)
{
    struct machine_time t = morning;
    t.wall_ms += ms + set_ahead_ms;
    t.boot_ms += ms;
    return t;
}

TEST(true_time__is_the_wall_clock_until_an_upstream_was_heard)
{
    struct true_time t = {.known = false};
    assert_int_equal(true_time_offset(&t, &morning), 0);
}

TEST(true_time__holds_as_long_as_the_clock_runs)
{
    struct true_time t;
    true_time_set(&t, &morning, -2 * HOUR_MS);
    struct machine_time now = later(40 * HOUR_MS, 0);
    assert_int_equal(true_time_offset(&t, &now), -2 * HOUR_MS);
}

// Somebody puts the clock right, or wrong: what is true does not follow.
TEST(true_time__does_not_follow_a_clock_that_is_set)
{
    struct true_time t;
    true_time_set(&t, &morning, -2 * HOUR_MS);
    struct machine_time right = later(HOUR_MS, -2 * HOUR_MS), wrong = later(HOUR_MS, 24 * HOUR_MS);
    assert_int_equal(true_time_offset(&t, &right), 0);
    assert_int_equal(true_time_offset(&t, &wrong), -26 * HOUR_MS);
}

TEST(true_time__is_kept_over_a_start_of_the_program_and_not_of_the_machine)
{
    char text[TRUE_TIME_TEXT_SIZE];
    struct true_time t, again;
    struct machine_time now = later(HOUR_MS, 0);
    true_time_set(&t, &morning, 2 * HOUR_MS);
    true_time_write(&t, text);
    true_time_read(str_of(text), &now, &again);
    assert_true(again.known);
    assert_int_equal(true_time_offset(&again, &now), 2 * HOUR_MS);
    now.boot = "another";
    true_time_read(str_of(text), &now, &again);
    assert_false(again.known);
    assert_int_equal(true_time_offset(&again, &now), 0);
}

TEST(true_time__believes_no_text_that_it_did_not_write)
{
    static const char *const texts[] = {"",
                                        " ",
                                        "12",
                                        "x a-start",
                                        "12 ",
                                        "1 2 3",
                                        "12 a-start ",
                                        "12  a-start",
                                        "99999999999999999999 a-start"};
    struct true_time t;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        true_time_read(str_of(texts[i]), &morning, &t);
        if (t.known)
            fail_msg("'%s'", texts[i]);
    }
    struct machine_time nameless = morning; // a system that does not tell its start
    nameless.boot = "";
    true_time_read(STR("12 "), &nameless, &t);
    assert_false(t.known);
}
