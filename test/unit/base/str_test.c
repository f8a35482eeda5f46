// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"
#include "base/str.h"
#include "test/unit/unit.h"

#include <string.h>

TEST(str__of_null_is_empty)
{
    assert_int_equal(str_of(NULL).n, 0);
    assert_int_equal(str_of("").n, 0);
    assert_int_equal(str_of("abc").n, 3);
    assert_true(str_equal(str_of(NULL), STR("")));
}

TEST(str__compares_whole_spans_with_all_their_bytes)
{
    assert_true(str_equal(STR("a\0b"), STR("a\0b")));
    assert_false(str_equal(STR("a\0b"), STR("a\0c")));
    assert_false(str_equal(STR("ab"), STR("abc")));
    assert_true(str_is(str_make("abcdef", 3), "abc"));
    assert_false(str_is(STR("abc"), "ab"));
}

TEST(str__starts_with_its_own_beginnings_only)
{
    assert_true(str_starts(STR("abc"), STR("ab")));
    assert_true(str_starts(STR("abc"), STR("abc")));
    assert_true(str_starts(STR("abc"), (struct str){NULL, 0}));
    assert_false(str_starts(STR("abc"), STR("abcd")));
    assert_false(str_starts(STR("abc"), STR("b")));
}

TEST(str__orders_by_unsigned_bytes_shorter_first)
{
    static const struct str sorted[] = {{NULL, 0},   {"\0", 1},      {"a", 1},    {"a\0", 2},
                                        {"ab", 2},   {"b", 1},       {"\x7F", 1}, {"\x80", 1},
                                        {"\xFF", 1}, {"\xFF\xFF", 2}};
    for (size_t i = 0; i < COUNT_OF(sorted); i++) {
        for (size_t k = 0; k < COUNT_OF(sorted); k++) {
            int order = str_compare(sorted[i], sorted[k]);
            assert_int_equal((order > 0) - (order < 0) + 5, (i > k) - (i < k) + 5);
        }
    }
}

TEST(str__trims_ascii_blanks_off_both_ends)
{
    assert_true(str_is(str_trim(STR(" \t\r\n\v\fa b \n")), "a b"));
    assert_true(str_is(str_trim(STR("a")), "a"));
    assert_int_equal(str_trim(STR("  ")).n, 0);
    assert_int_equal(str_trim((struct str){NULL, 0}).n, 0);
    assert_true(str_is(str_trim(STR("\xC2\xA0")), "\xC2\xA0"));
}

static void cuts_into(const char *text, const char *const *pieces, size_t count)
{
    struct str rest = str_of(text);
    struct str piece = {0};
    for (size_t i = 0; i < count; i++) {
        assert_true(str_cut(&rest, ',', &piece));
        assert_true(str_is(piece, pieces[i]));
    }
    assert_false(str_cut(&rest, ',', &piece));
    assert_int_equal(rest.n, 0);
    assert_false(str_cut(&rest, ',', &piece));
}

TEST(str__cuts_at_separators)
{
    cuts_into("a,bc,d", (const char *const[]){"a", "bc", "d"}, 3);
    cuts_into("abc", (const char *const[]){"abc"}, 1);
    cuts_into("a,,b", (const char *const[]){"a", "", "b"}, 3);
    cuts_into(",a", (const char *const[]){"", "a"}, 2);
}

TEST(str__cut_of_nothing_is_exhausted_and_a_last_separator_ends_its_piece)
{
    cuts_into("", NULL, 0);
    cuts_into(NULL, NULL, 0);
    cuts_into("a,", (const char *const[]){"a"}, 1);
    cuts_into(",", (const char *const[]){""}, 1);
}

TEST(str__knows_valid_utf8)
{
    static const char *const good[] = {"",
                                       "abc",
                                       "\x7F",
                                       "\xC2\x80",
                                       "\xDF\xBF",
                                       "\xE0\xA0\x80",
                                       "\xED\x9F\xBF",
                                       "\xEE\x80\x80",
                                       "\xEF\xBF\xBF",
                                       "\xF0\x90\x80\x80",
                                       "\xF4\x8F\xBF\xBF",
                                       "\xD9\x88\xD8\xB5\xD9\x84 \xF0\x9F\x8D\x95"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(str_is_utf8(str_of(good[i])));
    }
}

TEST(str__knows_what_steers_a_terminal_or_turns_text_about)
{
    static const char *const plain[] = {"",
                                        "tea\t2\r\n",
                                        "\xd8\xb4\xd8\xa7\xd9\x8a",
                                        "\xc2\xa0",
                                        "\xe2\x80\x8f",
                                        "\xe2\x81\xa6z\xe2\x81\xa9",
                                        "\xef\xbf\xbd",
                                        "\xf0\x9f\x8d\x95",
                                        "\xe2\x80\xaf"};
    static const char *const bad[] = {
        "\x1b[2J",      "\x07",           "z\x7f",        "\xc2\x9bz",    "\xc2\x85",
        "\xe2\x80\xaa", "z\xe2\x80\xaez", "\xef\xbf\xbf", "\xef\xbf\xbe", "\xff"};
    for (size_t i = 0; i < COUNT_OF(plain); i++)
        assert_true(str_is_plain(str_of(plain[i])));
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_false(str_is_plain(str_of(bad[i])));
}

TEST(str__refuses_invalid_utf8)
{
    static const struct str bad[] = {
        {"\0", 1},
        {"a\0b", 3},
        {"\x80", 1},
        {"\xBF", 1},
        {"\xC0\x80", 2},
        {"\xC1\xBF", 2},
        {"\xC2", 1},
        {"\xC2\x41", 2},
        {"\xC2\xC0", 2},
        {"\xE0\x9F\xBF", 3},
        {"\xE2\x82", 2},
        {"\xE2\x82\x41", 3},
        {"\xE2\x41\x80", 3},
        {"\xED\xA0\x80", 3},
        {"\xED\xBF\xBF", 3},
        {"\xF0\x8F\xBF\xBF", 4},
        {"\xF0\x90\x80", 3},
        {"\xF4\x90\x80\x80", 4},
        {"\xF5\x80\x80\x80", 4},
        {"\xF8\x88\x80\x80\x80", 5},
        {"\xFE", 1},
        {"\xFF", 1},
        {"\xF0\x9F\x8D\x41", 4},
        {"\xF0\x9F\x41\x95", 4},
        {"\xF0\x41\x8D\x95", 4},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (str_is_utf8(bad[i])) {
            fail_msg("case %zu was taken", i);
        }
    }
}

TEST(str__refuses_a_character_that_reaches_beyond_the_span)
{
    static const char *const characters[] = {"\xC2\x80", "\xE2\x82\xAC", "\xF0\x9F\x8D\x95"};
    for (size_t i = 0; i < COUNT_OF(characters); i++) {
        char text[8] = "abc";
        memcpy(text + 3, characters[i], strlen(characters[i]));
        for (size_t n = 4; n < strlen(text); n++) {
            assert_false(str_is_utf8(str_make(text, n)));
            assert_false(str_is_utf8(str_make(text + 3, n - 3)));
        }
        assert_true(str_is_utf8(str_of(text)));
    }
}

TEST(str__copies_what_fits_with_its_nul)
{
    char to[4] = "xxx";
    assert_int_equal(str_copy(to, sizeof to, STR("abcd")), ERR_LIMIT);
    assert_string_equal(to, "xxx");
    assert_int_equal(str_copy(to, sizeof to, STR("abc")), ERR_OK);
    assert_string_equal(to, "abc");
    assert_int_equal(str_copy(to, sizeof to, (struct str){NULL, 0}), ERR_OK);
    assert_string_equal(to, "");
    assert_int_equal(str_copy(to, 0, STR("")), ERR_LIMIT);
}

TEST(str__reads_integers_to_the_ends_of_their_range)
{
    int64_t i = 0;
    uint64_t u = 0;
    assert_int_equal(str_to_i64(STR("0"), &i), ERR_OK);
    assert_true(i == 0);
    assert_int_equal(str_to_i64(STR("-0"), &i), ERR_OK);
    assert_true(i == 0);
    assert_int_equal(str_to_i64(STR("-17"), &i), ERR_OK);
    assert_true(i == -17);
    assert_int_equal(str_to_i64(STR("9223372036854775807"), &i), ERR_OK);
    assert_true(i == INT64_MAX);
    assert_int_equal(str_to_i64(STR("-9223372036854775808"), &i), ERR_OK);
    assert_true(i == INT64_MIN);
    assert_int_equal(str_to_u64(STR("18446744073709551615"), &u), ERR_OK);
    assert_true(u == UINT64_MAX);
    assert_int_equal(str_to_u64(STR("00000000000000000000000007"), &u), ERR_OK);
    assert_true(u == 7);
}

TEST(str__refuses_what_is_no_integer_or_out_of_range)
{
    static const char *const bad[] = {"",    "-",    "+1",   " 1",  "1 ",
                                      "1.0", "0x10", "--1",  "1e3", "9223372036854775808",
                                      "a",   "1-",   "-1-1", "1\n", "-9223372036854775809"};
    int64_t i = 77;
    assert_int_equal(str_to_i64((struct str){NULL, 0}, &i), ERR_PARSE);
    for (size_t k = 0; k < COUNT_OF(bad); k++) {
        if (str_to_i64(str_of(bad[k]), &i) != ERR_PARSE) {
            fail_msg("'%s' was taken", bad[k]);
        }
    }
    assert_int_equal(i, 77);
    uint64_t u = 77;
    assert_int_equal(str_to_u64(STR("18446744073709551616"), &u), ERR_PARSE);
    assert_int_equal(str_to_u64(STR("99999999999999999999"), &u), ERR_PARSE);
    assert_int_equal(str_to_u64(STR("-1"), &u), ERR_PARSE);
    assert_int_equal(str_to_u64(STR("1\0002"), &u), ERR_PARSE);
    assert_int_equal(u, 77);
}

TEST(str__writes_and_reads_hexadecimal)
{
    static const unsigned char bytes[] = {0x00, 0x0F, 0xF0, 0xFF, 0xA5};
    char text[11];
    str_to_hex(text, bytes, sizeof bytes);
    assert_string_equal(text, "000ff0ffa5");
    unsigned char back[5];
    assert_int_equal(str_from_hex(str_of(text), back, sizeof back), ERR_OK);
    assert_memory_equal(back, bytes, sizeof bytes);
    str_to_hex(text, NULL, 0);
    assert_string_equal(text, "");
    assert_int_equal(str_from_hex(STR(""), back, 0), ERR_OK);
}

TEST(str__refuses_hexadecimal_of_another_length_or_alphabet)
{
    unsigned char to[2] = {7, 7};
    static const char *const bad[] = {"",     "00",   "000",  "00000", "000000",
                                      "00AA", "00g0", "0x00", " 000",  "00-1"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_int_equal(str_from_hex(str_of(bad[i]), to, 2), ERR_PARSE);
    }
    assert_int_equal(to[0], 7);
    assert_int_equal(to[1], 7);
}

TEST(str__escapes_what_a_terminal_would_act_on)
{
    static const struct {
        const char *text, *escaped;
    } rows[] = {
        {"plain", "plain"},
        {"قهوة 3 €", "قهوة 3 €"},
        {"\x1b[2Jgone", "\\x1b[2Jgone"},
        {"one\ntwo\tthree\r", "one\\x0atwo\\x09three\\x0d"},
        {"del\x7f", "del\\x7f"},
        {"c1 \xc2\x9b"
         "2J",
         "c1 \\xc2\\x9b2J"},
        {"turned \xe2\x80\xae.", "turned \\xe2\\x80\\xae."},
        {"cut \xe2\x80", "cut \\xe2\\x80"},
        {"none \xff.", "none \\xff."},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char to[256];
        struct str text = str_of(rows[i].text);
        size_t n = str_escape(to, text);
        assert_true(n <= text.n * STR_ESCAPE_MAX);
        assert_int_equal(n, strlen(rows[i].escaped));
        assert_memory_equal(to, rows[i].escaped, n);
    }
    char nul[STR_ESCAPE_MAX];
    assert_int_equal(str_escape(nul, str_make("", 1)), 4);
    assert_memory_equal(nul, "\\x00", 4);
}
