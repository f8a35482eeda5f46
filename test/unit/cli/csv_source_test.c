// SPDX-License-Identifier: Apache-2.0
#include "cli/csv_source.h"
#include "test/unit/cli/cli_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

// All records as "line:field|field;", problems as "line!problem!raw;". A line ending in a field or
// a raw is shown as '~'.
static void show(struct csv_source *s, char *to, size_t size)
{
    struct err e = {0};
    const struct csv_record *r = NULL;
    size_t n = 0;
    to[0] = '\0';
    for (;;) {
        if (csv_source_next(s, &r, &e) != ERR_OK) {
            (void)snprintf(to + n, size - n, "error: %s", e.text);
            return;
        }
        if (r == NULL) {
            break;
        }
        n += (size_t)snprintf(to + n, size - n, "%d%c", (int)r->line, r->problem ? '!' : ':');
        for (size_t i = 0; i < r->count; i++) {
            n += (size_t)snprintf(to + n, size - n, "%s%.*s", i > 0 ? "|" : "",
                                  STR_ARG(r->fields[i]));
        }
        if (r->problem != NULL) {
            n += (size_t)snprintf(to + n, size - n, "%s!%.*s", r->problem, STR_ARG(r->raw));
        }
        n += (size_t)snprintf(to + n, size - n, ";");
        assert_true(n < size);
    }
    for (char *p = to; *p != '\0'; p++) {
        *p = *p == '\n' || *p == '\r' ? '~' : *p;
    }
}

static struct csv_source *open_source(const char *path, char delimiter)
{
    struct csv_source *s = NULL;
    struct err e = {0};
    if (csv_source_open(path, delimiter, &s, &e) != ERR_OK) {
        fail_msg("%s", e.text);
    }
    return s;
}

static const char *records(struct str content, char delimiter)
{
    static char text[FIXTURE_TEXT_MAX];
    struct csv_source *s = open_source(fixture_plain(content), delimiter);
    show(s, text, sizeof(text));
    csv_source_close(s);
    return text;
}

TEST(csv_source__cuts_records_at_every_kind_of_line_ending)
{
    assert_string_equal(records(STR("a,b\nc,d\n"), ','), "1:a|b;2:c|d;");
    assert_string_equal(records(STR("a,b\r\nc,d\r\n"), ','), "1:a|b;2:c|d;");
    assert_string_equal(records(STR("a,b\rc,d\r"), ','), "1:a|b;2:c|d;");
    assert_string_equal(records(STR("a,b\nc,d"), ','), "1:a|b;2:c|d;");
    assert_string_equal(records(STR(""), ','), "");
}

TEST(csv_source__sees_one_line_ending_where_two_reads_meet_in_it)
{
    // The carriage return is the last of the first 256 KiB, which are read at once.
    enum { RECORDS = 40000, WIDTH = 8, FIRST_READ = 256 * 1024 };
    static char content[RECORDS * WIDTH + 2];
    (void)snprintf(content, sizeof(content), "1");
    for (size_t i = 0; i < RECORDS; i++) {
        (void)snprintf(content + 1 + i * WIDTH, WIDTH + 1, "abc,de\r\n");
    }
    assert_int_equal(content[FIRST_READ - 1], '\r');
    struct csv_source *s = open_source(fixture_plain(str_of(content)), ',');
    struct err e = {0};
    const struct csv_record *r = NULL;
    for (size_t i = 0; i < RECORDS; i++) {
        assert_int_equal(csv_source_next(s, &r, &e), ERR_OK);
        assert_int_equal(r->line, i + 1);
        assert_int_equal(r->raw.n, i == 0 ? WIDTH + 1 : WIDTH);
    }
    csv_source_close(s);
}

TEST(csv_source__skips_blank_lines_and_counts_them)
{
    assert_string_equal(records(STR("\n\na\n  \n\r\nb\n\n"), ','), "3:a;6:b;");
}

TEST(csv_source__keeps_quoted_delimiters_quotes_and_line_endings)
{
    assert_string_equal(records(STR("\"a,b\",\"say \"\"hi\"\"\"\n\"x\r\ny\",z\nlast,\n"), ','),
                        "1:a,b|say \"hi\";2:x~~y|z;4:last|;");
}

TEST(csv_source__takes_other_delimiters)
{
    assert_string_equal(records(STR("a;b\n"), ';'), "1:a|b;");
    assert_string_equal(records(STR("a\t\tb\n"), '\t'), "1:a||b;");
}

TEST(csv_source__skips_a_byte_order_mark)
{
    assert_string_equal(records(STR("\xef\xbb\xbf\"a\",b\n"), ','), "1:a|b;");
    assert_string_equal(records(STR("\xef\xbb"), ','), "1:\xef\xbb;");
}

TEST(csv_source__refuses_utf_16)
{
    struct csv_source *s = NULL;
    struct err e = {0};
    const char *path = fixture_plain(str_make("\xff\xfe"
                                              "a\0",
                                              4));
    assert_int_equal(csv_source_open(path, ',', &s, &e), ERR_UNSUPPORTED);
    assert_non_null(strstr(e.text, "UTF-16"));
}

TEST(csv_source__a_quote_that_never_closes_costs_one_line)
{
    assert_string_equal(records(STR("a,b\nc,\"d\ne,f\ng,h\n"), ','),
                        "1:a|b;2!a quote is opened and never closed!c,\"d~;3:e|f;4:g|h;");
    assert_string_equal(records(STR("a,\"b"), ','), "1!a quote is opened and never closed!a,\"b;");
}

TEST(csv_source__a_quote_open_for_too_long_costs_one_line)
{
    enum { LINES = 40000 };
    size_t n = 0;
    char *content = malloc(LINES * 16 + 16);
    assert_non_null(content);
    n += (size_t)sprintf(content, "x,\"y\n");
    for (int i = 0; i < LINES; i++) {
        n += (size_t)sprintf(content + n, "%08d,b\n", i);
    }
    struct csv_source *s = open_source(fixture_plain(str_make(content, n)), ',');
    struct err e = {0};
    const struct csv_record *r = NULL;
    assert_int_equal(csv_source_next(s, &r, &e), ERR_OK);
    assert_non_null(r->problem);
    assert_true(str_is(r->raw, "x,\"y\n"));
    for (int i = 0; i < LINES; i++) {
        assert_int_equal(csv_source_next(s, &r, &e), ERR_OK);
        assert_null(r->problem);
        assert_int_equal(r->line, i + 2);
        char expected[16];
        (void)snprintf(expected, sizeof(expected), "%08d", i);
        assert_true(str_is(r->fields[0], expected));
    }
    assert_int_equal(csv_source_next(s, &r, &e), ERR_OK);
    assert_null(r);
    csv_source_close(s);
    free(content);
}

TEST(csv_source__a_split_record_gives_back_all_but_its_first_line)
{
    struct csv_source *s = open_source(fixture_plain(STR("a,\"b\nc\",d\ne,f\n")), ',');
    struct err e = {0};
    const struct csv_record *r = NULL;
    struct str first_line;
    char rest[256];
    assert_int_equal(csv_source_next(s, &r, &e), ERR_OK);
    assert_int_equal(r->count, 3);
    assert_true(csv_source_split(s, &first_line));
    assert_true(str_is(first_line, "a,\"b\n"));
    assert_true(str_is(r->raw, "a,\"b\n"));
    assert_false(csv_source_split(s, &first_line));
    show(s, rest, sizeof(rest));
    assert_string_equal(rest, "2:c\"|d;3:e|f;");
    csv_source_close(s);
}

TEST(csv_source__too_many_fields_make_a_problem)
{
    static char content[2 * CSV_FIELDS_MAX + 8];
    memset(content, ',', CSV_FIELDS_MAX);
    (void)snprintf(content + CSV_FIELDS_MAX, 8, "\na,b\n");
    struct csv_source *s = open_source(fixture_plain(str_of(content)), ',');
    struct err e = {0};
    const struct csv_record *r = NULL;
    assert_int_equal(csv_source_next(s, &r, &e), ERR_OK);
    assert_string_equal(r->problem, "too many fields");
    assert_int_equal(csv_source_next(s, &r, &e), ERR_OK);
    assert_int_equal(r->count, 2);
    assert_int_equal(r->line, 2);
    csv_source_close(s);
}

TEST(csv_source__refuses_a_line_without_end)
{
    size_t n = (size_t)CSV_RECORD_MAX * 3;
    char *content = malloc(n);
    assert_non_null(content);
    memset(content, 'x', n);
    content[3] = '\n';
    struct csv_source *s = open_source(fixture_plain(str_make(content, n)), ',');
    struct err e = {0};
    const struct csv_record *r = NULL;
    assert_int_equal(csv_source_next(s, &r, &e), ERR_OK);
    assert_int_equal(csv_source_next(s, &r, &e), ERR_LIMIT);
    assert_non_null(strstr(e.text, "line 2"));
    csv_source_close(s);
    free(content);
}

TEST(csv_source__refuses_more_content_than_its_limit)
{
    const char *path = fixture_gzip(STR("a,b\nc,d\n"));
    struct csv_source *s = open_source(path, ',');
    struct err e = {0};
    csv_source_set_max(s, 8);
    assert_int_equal(csv_source_rewind(s, &e), ERR_OK);
    csv_source_set_max(s, 7);
    assert_int_equal(csv_source_rewind(s, &e), ERR_LIMIT);
    assert_non_null(strstr(e.text, "7 bytes"));
    csv_source_close(s);
}

TEST(csv_source__hashes_the_content_whether_gzip_or_plain)
{
    struct str content = STR("\xef\xbb\xbf"
                             "a,b\r\nc,d\n");
    struct hash expected = hash_of(content);
    char text[256];
    const char *paths[] = {fixture_plain(content), fixture_gzip(content)};
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        struct csv_source *s = open_source(paths[i], ',');
        show(s, text, sizeof(text));
        assert_string_equal(text, "1:a|b;2:c|d;");
        struct hash hash = csv_source_hash(s);
        assert_true(hash_equal(&hash, &expected));
        int64_t done = 0;
        int64_t total = 0;
        csv_source_progress(s, &done, &total);
        assert_true(total > 0);
        assert_int_equal(done, total);
        csv_source_close(s);
    }
}

TEST(csv_source__reads_the_same_again_after_a_rewind)
{
    char first[256];
    char second[256];
    struct csv_source *s = open_source(fixture_gzip(STR("a,\"b\nc\"\nd,\"e\n")), ',');
    struct err e = {0};
    show(s, first, sizeof(first));
    struct hash hash = csv_source_hash(s);
    assert_int_equal(csv_source_rewind(s, &e), ERR_OK);
    show(s, second, sizeof(second));
    struct hash again = csv_source_hash(s);
    assert_string_equal(first, "1:a|b~c;3!a quote is opened and never closed!d,\"e~;");
    assert_string_equal(first, second);
    assert_true(hash_equal(&hash, &again));
    csv_source_close(s);
}

TEST(csv_source__says_when_gzip_is_cut_short)
{
    static char content[200000];
    uint32_t noise = 1;
    for (size_t i = 0; i < sizeof(content); i++) {
        noise = noise * 1664525 + 1013904223;
        content[i] = i % 50 == 49 ? '\n' : (char)('a' + (noise >> 24) % 26);
    }
    const char *path = fixture_gzip(str_make(content, sizeof(content)));
    assert_int_equal(truncate(path, 50000), 0);
    struct csv_source *s = open_source(path, ',');
    struct err e = {0};
    const struct csv_record *r = NULL;
    enum err_code code = ERR_OK;
    while (code == ERR_OK) {
        code = csv_source_next(s, &r, &e);
        assert_true(code != ERR_OK || r != NULL);
    }
    assert_int_equal(code, ERR_PARSE);
    assert_non_null(strstr(e.text, "gzip"));
    csv_source_close(s);
}

TEST(csv_source__opens_regular_files_only)
{
    struct csv_source *s = NULL;
    struct err e = {0};
    assert_int_equal(csv_source_open("/nonexistent/tickets.csv", ',', &s, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "/nonexistent/tickets.csv"));
    assert_int_equal(csv_source_open("/", ',', &s, &e), ERR_UNSUPPORTED);
    assert_null(s);
}
