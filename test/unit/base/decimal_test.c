// SPDX-License-Identifier: Apache-2.0
#include "base/decimal.h"
#include "base/rng.h"
#include "test/unit/unit.h"

#include <string.h>

static void parses(const char *text, int64_t wanted)
{
    int64_t value = 77;
    enum err_code rc = decimal_parse(str_of(text), &value);
    if (rc != ERR_OK || value != wanted) {
        fail_msg("'%s' gave %s, %lld", text, err_name(rc), (long long)value);
    }
}

static void refuses(const char *text, enum err_code wanted)
{
    int64_t value = 77;
    enum err_code rc = decimal_parse(str_of(text), &value);
    if (rc != wanted || value != 77) {
        fail_msg("'%s' gave %s, %lld", text, err_name(rc), (long long)value);
    }
}

TEST(decimal__parses_whole_numbers_and_up_to_four_places)
{
    parses("0", 0);
    parses("12", 120000);
    parses("-12", -120000);
    parses("0.5", 5000);
    parses("2.55", 25500);
    parses("3.1400", 31400);
    parses("0.0001", 1);
    parses("-0.0001", -1);
    parses("-0", 0);
    parses("007", 70000);
    parses("922337203685477.5807", INT64_MAX);
    parses("-922337203685477.5808", INT64_MIN);
}

TEST(decimal__reads_no_further_than_the_span)
{
    static const struct {
        size_t n;
        int64_t value;
    } cases[] = {{1, 10000}, {2, 120000}, {4, 123000}, {5, 123400}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t value = 0;
        assert_int_equal(decimal_parse(str_make("12.3456", cases[i].n), &value), ERR_OK);
        assert_int_equal(value, cases[i].value);
    }
    int64_t value = 0;
    assert_int_equal(decimal_parse(str_make("12.3", 3), &value), ERR_PARSE);
    assert_int_equal(decimal_parse(str_make("-1", 1), &value), ERR_PARSE);
}

TEST(decimal__accepts_zeros_beyond_the_fourth_place_and_nothing_else_there)
{
    parses("1.50000", 15000);
    parses("1.000000000000000000000000000000", 10000);
    refuses("1.00001", ERR_PARSE);
    refuses("1.000000000000000000000000000001", ERR_PARSE);
}

TEST(decimal__refuses_what_is_not_a_plain_decimal)
{
    static const char *const bad[] = {"",    "-",   "+1",  ".5",   "5.",   "-.5",      " 1",
                                      "1 ",  "1,5", "1e3", "0x10", "--1",  "1.2.3",    "1.-2",
                                      "NaN", "inf", "1_0", "1'0",  "1.5x", "\xD9\xA1", "."};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        refuses(bad[i], ERR_PARSE);
    }
    int64_t value = 0;
    assert_int_equal(decimal_parse(STR("1\0002"), &value), ERR_PARSE);
    assert_int_equal(decimal_parse((struct str){NULL, 0}, &value), ERR_PARSE);
}

TEST(decimal__refuses_what_passes_its_limit)
{
    refuses("922337203685477.5808", ERR_LIMIT);
    refuses("-922337203685477.5809", ERR_LIMIT);
    refuses("922337203685478", ERR_LIMIT);
    refuses("1844674407370955.1616", ERR_LIMIT); // 2^64 / 10^4: must not wrap to 0
    refuses("99999999999999999999999999999999999999999", ERR_LIMIT);
}

TEST(decimal__tells_bad_syntax_before_a_passed_limit)
{
    refuses("99999999999999999999999x", ERR_PARSE);
}

TEST(decimal__formats_in_the_shortest_form)
{
    static const struct {
        int64_t value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {120000, "12"},
        {5000, "0.5"},
        {-31400, "-3.14"},
        {1, "0.0001"},
        {-1, "-0.0001"},
        {-5000, "-0.5"},
        {1000000, "100"},
        {10100, "1.01"},
        {INT64_MAX, "922337203685477.5807"},
        {INT64_MIN, "-922337203685477.5808"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[DECIMAL_TEXT_MAX];
        decimal_format(cases[i].value, text);
        assert_string_equal(text, cases[i].text);
    }
}

TEST(decimal__reads_back_what_it_formatted)
{
    struct rng r;
    rng_init(&r, 1);
    for (int i = 0; i < 10000; i++) {
        int64_t value = rng_between(&r, INT64_MIN, INT64_MAX) >> rng_below(&r, 60);
        char text[DECIMAL_TEXT_MAX];
        decimal_format(value, text);
        parses(text, value);
    }
}

static void amount_is(const char *price, const char *quantity, int places, int64_t wanted)
{
    int64_t p = 0;
    int64_t q = 0;
    int64_t amount = 77;
    assert_int_equal(decimal_parse(str_of(price), &p), ERR_OK);
    assert_int_equal(decimal_parse(str_of(quantity), &q), ERR_OK);
    assert_int_equal(decimal_amount(p, q, places, &amount), ERR_OK);
    if (amount != wanted) {
        fail_msg("%s x %s at %d places gave %lld", price, quantity, places, (long long)amount);
    }
}

TEST(decimal__multiplies_price_and_quantity_into_minor_units)
{
    amount_is("2.55", "3", 2, 765);
    amount_is("89000", "2", 0, 178000);
    amount_is("1.250", "2", 3, 2500);
    amount_is("0.0001", "1", 4, 1);
    amount_is("2.55", "0", 2, 0);
    amount_is("2.55", "-3", 2, -765);
    amount_is("-2.55", "-3", 2, 765);
}

TEST(decimal__rounds_half_away_from_zero)
{
    amount_is("0.125", "1", 2, 13);
    amount_is("-0.125", "1", 2, -13);
    amount_is("0.1249", "1", 2, 12);
    amount_is("-0.1249", "1", 2, -12);
    amount_is("0.5", "1", 0, 1);
    amount_is("-0.5", "1", 0, -1);
    amount_is("0.4999", "1", 0, 0);
    amount_is("-0.4999", "1", 0, 0);
    amount_is("0.0001", "0.0001", 4, 0);
    amount_is("0.01", "0.0050", 4, 1); // 0.00005: the half itself
    amount_is("1.5", "0.3333", 2, 50);
}

TEST(decimal__amount_stops_at_the_largest_amount_of_money)
{
    amount_is("10000000000", "1000", 2, MONEY_MAX);
    amount_is("-10000000000", "1000", 2, -MONEY_MAX);
    int64_t amount = 77;
    int64_t price = INT64_C(10000000000) * DECIMAL_ONE;
    int64_t quantity = 1000 * DECIMAL_ONE;
    assert_int_equal(decimal_amount(price + 1, quantity, 2, &amount), ERR_LIMIT);
    assert_int_equal(decimal_amount(-price - 1, quantity, 2, &amount), ERR_LIMIT);
    assert_int_equal(decimal_amount(INT64_MAX, INT64_MAX, 4, &amount), ERR_LIMIT);
    assert_int_equal(decimal_amount(INT64_MIN, INT64_MIN, 4, &amount), ERR_LIMIT);
    assert_int_equal(decimal_amount(INT64_MIN, INT64_MAX, 4, &amount), ERR_LIMIT);
    // A product that a 64-bit multiplication would wrap to a small number.
    assert_int_equal(decimal_amount(INT64_C(1) << 40, INT64_C(1) << 40, 0, &amount), ERR_LIMIT);
    assert_int_equal(amount, 77);
}

TEST(decimal__amount_refuses_a_currency_with_too_many_places)
{
    int64_t amount = 77;
    assert_int_equal(decimal_amount(1, 1, 5, &amount), ERR_INVALID);
    assert_int_equal(decimal_amount(1, 1, -1, &amount), ERR_INVALID);
    assert_int_equal(amount, 77);
}

TEST(decimal__adds_up_to_its_limit)
{
    int64_t sum = 77;
    assert_int_equal(decimal_add(25500, -500, &sum), ERR_OK);
    assert_int_equal(sum, 25000);
    assert_int_equal(decimal_add(INT64_MAX - 1, 1, &sum), ERR_OK);
    assert_true(sum == INT64_MAX);
    assert_int_equal(decimal_add(INT64_MIN + 1, -1, &sum), ERR_OK);
    assert_true(sum == INT64_MIN);
    sum = 77;
    assert_int_equal(decimal_add(INT64_MAX, 1, &sum), ERR_LIMIT);
    assert_int_equal(decimal_add(INT64_MIN, -1, &sum), ERR_LIMIT);
    assert_int_equal(decimal_add(INT64_MAX, INT64_MAX, &sum), ERR_LIMIT);
    assert_int_equal(decimal_add(INT64_MIN, INT64_MIN, &sum), ERR_LIMIT);
    assert_int_equal(sum, 77);
}

TEST(decimal__formats_sums_of_more_than_64_bits)
{
    const __int128 large = (__int128)INT64_MAX * INT64_C(1000000000000000);
    char text[DECIMAL_TEXT_MAX];
    decimal_format(large, text);
    assert_string_equal(text, "922337203685477580700000000000");
    decimal_format(-large - 1, text);
    assert_string_equal(text, "-922337203685477580700000000000.0001");
    money_format(large, 2, text);
    assert_string_equal(text, "92233720368547758070000000000000.00");
    money_format((__int128)1000000000000000000 * 7, 0, text);
    assert_string_equal(text, "7000000000000000000");
    money_format((__int128)1000000000000000000 * 70, 4, text);
    assert_string_equal(text, "7000000000000000.0000");
}

TEST(money__formats_with_exactly_the_places_of_the_currency)
{
    static const struct {
        int64_t amount;
        int places;
        const char *text;
    } cases[] = {
        {74895702, 2, "748957.02"},
        {0, 2, "0.00"},
        {5, 2, "0.05"},
        {-5, 2, "-0.05"},
        {178000, 0, "178000"},
        {-1, 0, "-1"},
        {2500, 3, "2.500"},
        {1, 4, "0.0001"},
        {-100, 2, "-1.00"},
        {MONEY_MAX, 2, "10000000000000.00"},
        {INT64_MIN, 2, "-92233720368547758.08"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[DECIMAL_TEXT_MAX];
        money_format(cases[i].amount, cases[i].places, text);
        assert_string_equal(text, cases[i].text);
    }
}
