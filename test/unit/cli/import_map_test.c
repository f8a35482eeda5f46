// SPDX-License-Identifier: Apache-2.0
#include "cli/import_map.h"
#include "test/unit/cli/cli_fixture.h"

#include <string.h>

static const char *const needed =
    "[columns]\nticket = T\ntime = D\nsku = S\nquantity = Q\nunit_price = P\n";

static enum err_code parse(const char *more, struct import_map *map, struct err *e)
{
    char text[FIXTURE_TEXT_MAX];
    (void)snprintf(text, sizeof(text), "%s%s", needed, more);
    *e = (struct err){0};
    return import_map_parse("till.ini", str_of(text), map, e);
}

TEST(import_map__has_defaults_for_all_but_the_columns)
{
    struct import_map map;
    struct err e;
    assert_int_equal(parse("", &map, &e), ERR_OK);
    assert_string_equal(map.columns[IMPORT_TICKET], "T");
    assert_string_equal(map.columns[IMPORT_UNIT_PRICE], "P");
    assert_string_equal(map.columns[IMPORT_NAME], "");
    assert_string_equal(map.time_format, "%Y-%m-%d %H:%M:%S");
    assert_string_equal(map.timezone, "UTC");
    assert_string_equal(map.encoding, "UTF-8");
    assert_string_equal(map.currency, "XXX");
    assert_int_equal(map.currency_places, 2);
    assert_int_equal(map.delimiter, ',');
    assert_int_equal(map.decimal, '.');
    assert_true(map.header);
    assert_false(map.sign_negative);
}

TEST(import_map__reads_every_key)
{
    struct import_map map;
    struct err e;
    assert_int_equal(parse("name = N\nlocation = L\ntill = X\npayment = Y\ncurrency = C\n"
                           "customer = K\n[format]\ntime = %d/%m/%Y\ntimezone = Asia/Beirut\n"
                           "delimiter = |\ndecimal = ,\nencoding = WINDOWS-1256\nheader = no\n"
                           "[rules]\nkind = tickets\ncancel_prefix = C\nsign = negative\n"
                           "currency = LBP\ncurrency_places = 0\ndefault_quantity = 1\n"
                           "default_unit_price = 2.5\nlocation = hamra\n",
                           &map, &e),
                     ERR_OK);
    assert_string_equal(map.columns[IMPORT_CUSTOMER], "K");
    assert_string_equal(map.columns[IMPORT_LOCATION], "L");
    assert_string_equal(map.time_format, "%d/%m/%Y");
    assert_string_equal(map.timezone, "Asia/Beirut");
    assert_string_equal(map.encoding, "WINDOWS-1256");
    assert_string_equal(map.cancel_prefix, "C");
    assert_string_equal(map.currency, "LBP");
    assert_string_equal(map.location, "hamra");
    assert_int_equal(map.delimiter, '|');
    assert_int_equal(map.decimal, ',');
    assert_int_equal(map.currency_places, 0);
    assert_int_equal(map.default_quantity, 10000);
    assert_int_equal(map.default_unit_price, 25000);
    assert_false(map.header);
    assert_true(map.sign_negative);
}

TEST(import_map__knows_delimiters_by_name)
{
    static const struct {
        const char *text;
        char delimiter;
    } cases[] = {{"tab", '\t'}, {"semicolon", ';'}, {"comma", ','}, {"pipe", '|'}, {"^", '^'}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char more[64];
        struct import_map map;
        struct err e;
        (void)snprintf(more, sizeof(more), "[format]\ndelimiter = %s\n", cases[i].text);
        assert_int_equal(parse(more, &map, &e), ERR_OK);
        assert_int_equal(map.delimiter, cases[i].delimiter);
    }
}

TEST(import_map__refuses_bad_values_and_unknown_keys_by_name)
{
    static const struct {
        const char *more;
        const char *told;
    } cases[] = {
        {"colour = red\n", "colour"},
        {"[format]\ncolour = red\n", "colour"},
        {"[rule]\ncurrency = USD\n", "currency"},
        {"[format]\ndelimiter = ab\n", "format.delimiter"},
        {"[format]\ndelimiter = \"\n", "format.delimiter"},
        {"[format]\ndelimiter = .\n", "format.delimiter and format.decimal"},
        {"[format]\ndecimal = .\ndelimiter = .\n", "format.delimiter and format.decimal"},
        {"[format]\ndecimal = ;\n", "format.decimal"},
        {"[format]\ndecimal = x\n", "format.decimal"},
        {"[format]\nheader = maybe\n", "format.header"},
        {"[format]\ntime =\n", "format.time"},
        {"[rules]\nsign = positive\n", "rules.sign"},
        {"[rules]\ncurrency = usd\n", "rules.currency"},
        {"[rules]\ncurrency = DOLLAR\n", "rules.currency"},
        {"[rules]\ncurrency_places = 5\n", "rules.currency_places"},
        {"[rules]\ncurrency_places = -1\n", "rules.currency_places"},
        {"[rules]\ndefault_quantity = one\n", "rules.default_quantity"},
        {"[rules]\ndefault_unit_price = 1e3\n", "rules.default_unit_price"},
        {"[rules]\nkind = sales\n", "rules.kind"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct import_map map;
        struct err e;
        assert_int_equal(parse(cases[i].more, &map, &e), ERR_INVALID);
        if (strstr(e.text, cases[i].told) == NULL || strstr(e.text, "till.ini") == NULL) {
            fail_msg("'%s' does not tell of %s", e.text, cases[i].told);
        }
    }
}

TEST(import_map__says_which_needed_column_is_missing)
{
    static const struct {
        const char *text;
        const char *told;
    } cases[] = {
        {"[columns]\ntime = D\nsku = S\nquantity = Q\nunit_price = P\n", "columns.ticket"},
        {"[columns]\nticket = T\nsku = S\nquantity = Q\nunit_price = P\n", "columns.time"},
        {"[columns]\nticket = T\ntime = D\nquantity = Q\nunit_price = P\n", "columns.sku"},
        {"[columns]\nticket = T\ntime = D\nsku = S\nunit_price = P\n", "default_quantity"},
        {"[columns]\nticket = T\ntime = D\nsku = S\nquantity = Q\n", "default_unit_price"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct import_map map;
        struct err e = {0};
        assert_int_equal(import_map_parse("m", str_of(cases[i].text), &map, &e), ERR_INVALID);
        if (strstr(e.text, cases[i].told) == NULL) {
            fail_msg("'%s' does not tell of %s", e.text, cases[i].told);
        }
    }
}

TEST(import_map__a_default_makes_quantity_and_price_dispensable)
{
    struct import_map map;
    struct err e = {0};
    assert_int_equal(import_map_parse("m",
                                      STR("[columns]\nticket = T\ntime = D\nsku = S\n[rules]\n"
                                          "default_quantity = 1\ndefault_unit_price = 0\n"),
                                      &map, &e),
                     ERR_OK);
    assert_true(map.has_default_quantity);
    assert_true(map.has_default_unit_price);
}

TEST(import_map__says_that_deliveries_and_counts_are_not_built)
{
    struct import_map map;
    struct err e;
    assert_int_equal(parse("[rules]\nkind = deliveries\n", &map, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.text, "deliveries"));
    assert_int_equal(parse("[rules]\nkind = counts\n", &map, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.text, "counts"));
}

TEST(import_map__is_read_from_a_file)
{
    struct import_map map;
    struct err e = {0};
    assert_int_equal(import_map_read(fixture_plain(str_of(needed)), &map, &e), ERR_OK);
    assert_string_equal(map.columns[IMPORT_SKU], "S");
    assert_int_equal(import_map_read("/nonexistent/map.ini", &map, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "/nonexistent/map.ini"));
}

TEST(import_map__survives_every_failed_allocation)
{
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        struct import_map map;
        struct err e;
        unit_alloc_fail(n);
        enum err_code code = parse("", &map, &e);
        failed = unit_alloc_end();
        assert_int_equal(code, failed ? ERR_NO_MEMORY : ERR_OK);
    }
}
