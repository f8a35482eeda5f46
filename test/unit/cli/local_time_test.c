// SPDX-License-Identifier: Apache-2.0
#include "cli/local_time.h"
#include "test/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const iso = "%Y-%m-%d %H:%M:%S";

static int64_t seconds(const char *zone, const char *text, const char *format)
{
    struct local_time t;
    struct err e = {0};
    int64_t ms = 0;
    if (local_time_open(zone, &t, &e) != ERR_OK) {
        fail_msg("%s", e.text);
    }
    enum err_code code = local_time_parse(&t, text, format, &ms);
    local_time_close(&t);
    assert_int_equal(code, ERR_OK);
    assert_int_equal(ms % 1000, 0);
    return ms / 1000;
}

TEST(local_time__reads_utc)
{
    assert_int_equal(seconds("UTC", "2010-12-01 08:26:00", iso), 1291191960);
    assert_int_equal(seconds("UTC", "1969-12-31 23:59:59", iso), -1);
    assert_int_equal(seconds("UTC", "01/12/2010", "%d/%m/%Y"), 1291161600);
}

TEST(local_time__follows_summer_and_winter_of_a_zone)
{
    assert_int_equal(seconds("Europe/London", "2010-12-01 08:26:00", iso), 1291191960);
    assert_int_equal(seconds("Europe/London", "2010-07-01 08:26:00", iso), 1277969160);
    assert_int_equal(seconds("Asia/Beirut", "2025-10-03 00:00:00", iso), 1759438800);
    assert_int_equal(seconds("Asia/Beirut", "2025-12-03 00:00:00", iso), 1764712800);
}

TEST(local_time__takes_the_first_of_a_repeated_hour_whatever_was_asked_before)
{
    struct local_time t;
    struct err e = {0};
    assert_int_equal(local_time_open("Europe/London", &t, &e), ERR_OK);
    // The clocks went back at 02:00 summer time on 31 October 2010, which is 01:00 UTC.
    static const char *const before[] = {"2010-07-01 12:00:00", "2010-12-01 12:00:00"};
    for (size_t i = 0; i < COUNT_OF(before); i++) {
        int64_t ms = 0;
        assert_int_equal(local_time_parse(&t, before[i], iso, &ms), ERR_OK);
        assert_int_equal(local_time_parse(&t, "2010-10-31 01:30:00", iso, &ms), ERR_OK);
        assert_int_equal(ms / 1000, 1288485000);
        assert_int_equal(local_time_parse(&t, "2010-10-31 00:59:59", iso, &ms), ERR_OK);
        assert_int_equal(ms / 1000, 1288483199);
        assert_int_equal(local_time_parse(&t, "2010-10-31 02:00:00", iso, &ms), ERR_OK);
        assert_int_equal(ms / 1000, 1288490400);
    }
    local_time_close(&t);
}

TEST(local_time__reads_a_skipped_hour_with_the_offset_before_it)
{
    // 01:30 on 28 March 2010 never was in London; with winter's offset it is 01:30 UTC.
    assert_int_equal(seconds("Europe/London", "2010-03-28 01:30:00", iso), 1269739800);
}

TEST(local_time__obeys_an_offset_in_the_text)
{
    assert_int_equal(seconds("Asia/Beirut", "2010-12-01 10:26:00 +0100", "%Y-%m-%d %H:%M:%S %z"),
                     1291195560);
    assert_int_equal(seconds("Asia/Beirut", "1291191960", "%s"), 1291191960);
    // The second 01:30 of the repeated hour.
    assert_int_equal(seconds("Europe/London", "1288488600", "%s"), 1288488600);
}

TEST(local_time__refuses_what_does_not_match_in_full)
{
    struct local_time t;
    struct err e = {0};
    int64_t ms = 7;
    assert_int_equal(local_time_open("UTC", &t, &e), ERR_OK);
    static const char *const bad[] = {
        "",           "2010-12-01",          "2010-12-01 08:26:00 x", "2010-12-01 25:00:00",
        "01/12/2010", "2010-04-31 08:00:00", "2010-02-29 08:00:00",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (local_time_parse(&t, bad[i], iso, &ms) != ERR_PARSE) {
            fail_msg("'%s' was accepted", bad[i]);
        }
    }
    assert_int_equal(ms, 7);
}

TEST(local_time__refuses_unknown_zones)
{
    static const char *const bad[] = {"Asia/Nowhere",    "",     "/etc/passwd",
                                      "../zoneinfo/UTC", "Asia", "EST5EDT,M3.2.0"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        struct local_time t;
        struct err e = {0};
        if (local_time_open(bad[i], &t, &e) != ERR_INVALID) {
            fail_msg("'%s' was accepted", bad[i]);
        }
    }
}

TEST(local_time__leaves_the_process_as_it_was)
{
    struct local_time t;
    struct err e = {0};
    assert_int_equal(setenv("TZ", "Asia/Tokyo", 1), 0);
    tzset();
    assert_int_equal(local_time_open("UTC", &t, &e), ERR_OK);
    assert_string_equal(getenv("TZ"), "Asia/Tokyo");
    local_time_close(&t);
    assert_int_equal(local_time_open("Asia/Beirut", &t, &e), ERR_OK);
    assert_string_equal(getenv("TZ"), "Asia/Beirut");
    local_time_close(&t);
    assert_string_equal(getenv("TZ"), "Asia/Tokyo");
    assert_int_equal(unsetenv("TZ"), 0);
    tzset();
    assert_int_equal(local_time_open("Asia/Beirut", &t, &e), ERR_OK);
    local_time_close(&t);
    assert_null(getenv("TZ"));
}
