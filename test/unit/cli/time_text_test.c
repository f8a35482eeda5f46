// SPDX-License-Identifier: Apache-2.0
#include "cli/time_text.h"
#include "test/unit/unit.h"

TEST(time_text__reads_what_people_write)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"0", 0},
        {"1795161600000", 1795161600000},
        {"-1", -1},
        {"1970-01-01", 0},
        {"2026-11-20T08:00", 1795161600000},
        {"2026-11-20 08:00:00", 1795161600000},
        {"2026-11-20T08:00:00Z", 1795161600000},
        {"2026-11-20T10:00:00+02:00", 1795161600000},
        {"2026-11-20T02:30:00-0530", 1795161600000},
        {"2026-11-20T08:00:00.1", 1795161600100},
        {"2026-11-20T08:00:00.1239Z", 1795161600123},
        {"2024-02-29", 1709164800000},
        {"1969-12-31T23:59:59.999Z", -1},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        int64_t ms = 77;
        if (time_text_parse(str_of(rows[i].text), &ms) != ERR_OK || ms != rows[i].ms) {
            fail_msg("%s: %lld", rows[i].text, (long long)ms);
        }
    }
}

TEST(time_text__refuses_what_is_no_time)
{
    static const char *const bad[] = {"",
                                      "now",
                                      "2026",
                                      "20261120",
                                      "2026-13-01",
                                      "2026-00-01",
                                      "2026-02-30",
                                      "2026-02-29",
                                      "2026-04-31",
                                      "2026-1-1",
                                      "2026-11-20T",
                                      "2026-11-20T08",
                                      "2026-11-20T24:00",
                                      "2026-11-20T08:60",
                                      "2026-11-20T08:00:61",
                                      "2026-11-20T08:00:00.",
                                      "2026-11-20T08:00:00+2",
                                      "2026-11-20T08:00:00+25:00",
                                      "2026-11-20T08:00:00ZZ",
                                      "2026-11-20T08:00-1:00",
                                      "-026-11-20",
                                      "2026-11-20x",
                                      "99999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        int64_t ms = 0;
        if (time_text_parse(str_of(bad[i]), &ms) != ERR_PARSE) {
            fail_msg("%s was taken for a time", bad[i]);
        }
    }
}

TEST(time_text__writes_what_it_reads)
{
    static const int64_t rows[] = {0,    1,     -1,    999,           -1000,
                                   -999, -1001, 86399, 1795161600123, 4102444800000};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char text[TIME_TEXT_SIZE];
        int64_t ms = 77;
        time_text_format(rows[i], text);
        assert_int_equal(time_text_parse(str_of(text), &ms), ERR_OK);
        assert_int_equal(ms, rows[i]);
    }
    char text[TIME_TEXT_SIZE];
    time_text_format(-1, text);
    assert_string_equal(text, "1969-12-31T23:59:59.999Z");
    time_text_format(INT64_MIN, text); // from an edited file: no overflow under the sanitizers
    assert_string_equal(text, "-9223372036854775808");
}
