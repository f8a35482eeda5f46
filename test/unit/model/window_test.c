// SPDX-License-Identifier: Apache-2.0
#include "model/window.h"
#include "test/unit/unit.h"

static int open_minutes(const char *text)
{
    struct window w;
    int count = 0;
    assert_int_equal(window_parse(str_of(text), &w), ERR_OK);
    for (int minute = 0; minute < DAY_MINUTES; minute++)
        count += window_is_open(&w, minute);
    return count;
}

TEST(window__is_open_from_its_first_minute_up_to_its_last)
{
    struct window w;
    assert_int_equal(window_parse(STR("02:00-05:00"), &w), ERR_OK);
    assert_false(window_is_open(&w, 119));
    assert_true(window_is_open(&w, 120));
    assert_true(window_is_open(&w, 299));
    assert_false(window_is_open(&w, 300));
    assert_int_equal(open_minutes("02:00-05:00"), 180);
}

TEST(window__goes_over_midnight)
{
    struct window w;
    assert_int_equal(window_parse(STR("23:30-00:15"), &w), ERR_OK);
    assert_true(window_is_open(&w, DAY_MINUTES - 1));
    assert_true(window_is_open(&w, 14));
    assert_false(window_is_open(&w, 15));
    assert_int_equal(open_minutes("23:30-00:15"), 45);
    assert_int_equal(open_minutes("00:00-00:00"), DAY_MINUTES);
    assert_int_equal(open_minutes("12:34-12:34"), DAY_MINUTES);
}

TEST(window__is_written_in_one_way_only)
{
    static const char *const bad[] = {"",
                                      "02:00",
                                      "2:00-5:00",
                                      "02:00-05:0",
                                      "02-00-05:00",
                                      "24:00-05:00",
                                      "02:60-05:00",
                                      "02:00-05:00 ",
                                      "02:00_05:00",
                                      "0a:00-05:00",
                                      "-1:00-05:00",
                                      "+1:00-05:00"};
    struct window w = {7, 7};
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(window_parse(str_of(bad[i]), &w), ERR_INVALID);
    assert_int_equal(w.from, 7);
}
