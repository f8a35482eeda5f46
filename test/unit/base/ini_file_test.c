// SPDX-License-Identifier: Apache-2.0
#include "base/ini_file.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct ini_file f;
static struct err e;

static enum err_code read_text(const char *text)
{
    memset(&e, 0, sizeof e);
    return ini_file_parse("till.ini", str_of(text), &f, &e);
}

// Fails, leaves *ret alone, and says a sentence with all of these in it.
static void refused(const char *text, enum err_code wanted, const char *saying)
{
    struct ini_file untouched = {.count = 77};
    memset(&e, 0, sizeof e);
    assert_int_equal(ini_file_parse("till.ini", str_of(text), &untouched, &e), wanted);
    assert_int_equal(untouched.count, 77);
    assert_int_equal(e.code, wanted);
    if (strstr(e.text, "till.ini") == NULL || strstr(e.text, saying) == NULL) {
        fail_msg("'%s' does not say '%s'", e.text, saying);
    }
}

TEST(ini_file__reads_sections_keys_values_and_lines)
{
    assert_int_equal(read_text("top = 1\n"
                               "\n"
                               "[node]\n"
                               "; a remark\n"
                               "# another\n"
                               "listen = 127.0.0.1:7400\n"
                               "[upstream]\n"
                               "url=wss://hub:7401/a?b=c\n"),
                     ERR_OK);
    assert_int_equal(f.count, 3);
    assert_string_equal(f.entries[0].section, "");
    assert_string_equal(f.entries[1].section, "node");
    assert_string_equal(f.entries[1].key, "listen");
    assert_string_equal(f.entries[1].value, "127.0.0.1:7400");
    assert_int_equal(f.entries[1].line, 6);
    assert_string_equal(f.entries[2].value, "wss://hub:7401/a?b=c");
    assert_int_equal(f.entries[2].line, 8);
    ini_file_fini(&f);
}

TEST(ini_file__reads_an_empty_file)
{
    assert_int_equal(read_text(""), ERR_OK);
    assert_int_equal(f.count, 0);
    assert_int_equal(ini_file_refuse_unused(&f, "till.ini", "the book", &e), ERR_OK);
    ini_file_fini(&f);
}

TEST(ini_file__reads_lines_of_other_systems_and_a_byte_order_mark)
{
    assert_int_equal(
        read_text("\xEF\xBB\xBF[node]\r\nlisten = x\r\nname = \xD9\x88\xD8\xB5\xD9\x84"), ERR_OK);
    assert_string_equal(ini_file_find(&f, "node", "listen"), "x");
    assert_string_equal(ini_file_find(&f, "node", "name"), "\xD9\x88\xD8\xB5\xD9\x84");
    ini_file_fini(&f);
}

TEST(ini_file__takes_an_indented_line_as_a_line_of_its_own)
{
    assert_int_equal(read_text("[a]\nx = 1\n  y = 2\n"), ERR_OK);
    assert_string_equal(ini_file_find(&f, "a", "x"), "1");
    assert_string_equal(ini_file_find(&f, "a", "y"), "2");
    ini_file_fini(&f);
}

TEST(ini_file__keeps_an_empty_value)
{
    assert_int_equal(read_text("[a]\nx =\n"), ERR_OK);
    assert_string_equal(ini_file_find(&f, "a", "x"), "");
    ini_file_fini(&f);
}

TEST(ini_file__finds_nothing_where_the_key_or_section_is_absent)
{
    assert_int_equal(read_text("[a]\nx = 1\n"), ERR_OK);
    assert_null(ini_file_find(&f, "a", "y"));
    assert_null(ini_file_find(&f, "b", "x"));
    assert_null(ini_file_find(&f, "", "x"));
    assert_null(ini_file_find(&f, "A", "x"));
    ini_file_fini(&f);
}

TEST(ini_file__refuses_the_first_key_that_nobody_asked_for)
{
    assert_int_equal(read_text("[a]\nx = 1\ntypo = 2\nlater = 3\n"), ERR_OK);
    assert_non_null(ini_file_find(&f, "a", "x"));
    assert_int_equal(ini_file_refuse_unused(&f, "till.ini", "the book", &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "till.ini"));
    assert_non_null(strstr(e.text, "line 3"));
    assert_non_null(strstr(e.text, "typo"));
    assert_non_null(strstr(e.text, "see the book"));
    assert_non_null(ini_file_find(&f, "a", "typo"));
    assert_non_null(ini_file_find(&f, "a", "later"));
    assert_int_equal(ini_file_refuse_unused(&f, "till.ini", "the book", &e), ERR_OK);
    ini_file_fini(&f);
}

TEST(ini_file__refuses_a_line_that_is_neither_section_nor_key)
{
    refused("[a]\nx = 1\nnonsense\n", ERR_PARSE, "line 3");
    refused("[a\nx = 1\n", ERR_PARSE, "line 1");
    refused("[a]\n = 1\n", ERR_PARSE, "line 2");
}

TEST(ini_file__refuses_a_key_given_twice_and_names_both_lines)
{
    refused("[a]\nx = 1\n[b]\nx = 2\n[a]\nx = 3\n", ERR_EXISTS, "line 6");
    assert_non_null(strstr(e.text, "line 2"));
    assert_non_null(strstr(e.text, "'x'"));
}

TEST(ini_file__refuses_bytes_that_are_not_text)
{
    refused("[a]\nx = \xFF\n", ERR_PARSE, "UTF-8");
    struct ini_file got;
    assert_int_equal(ini_file_parse("till.ini", STR("[a]\nx = 1\0002\n"), &got, &e), ERR_PARSE);
}

TEST(ini_file__refuses_a_line_too_long_rather_than_cutting_it)
{
    char text[400] = "[a]\nx = ";
    size_t before = strlen(text) - strlen("[a]\n"); // of the value, in its line
    memset(text + strlen(text), 'v', 199 - before);
    assert_int_equal(read_text(text), ERR_OK);
    assert_int_equal(strlen(f.entries[0].value), 199 - before);
    ini_file_fini(&f);
    text[strlen(text)] = 'v';
    refused(text, ERR_LIMIT, "line 2");
    assert_non_null(strstr(e.text, "longer than 199 bytes"));
}

TEST(ini_file__reads_a_thousand_keys_and_no_more)
{
    char text[16000] = "";
    size_t n = 0;
    for (int i = 0; i < 1000; i++) {
        n += (size_t)snprintf(text + n, sizeof text - n, "k%d = 1\n", i);
    }
    assert_int_equal(read_text(text), ERR_OK);
    assert_int_equal(f.count, 1000);
    assert_string_equal(f.entries[999].key, "k999");
    ini_file_fini(&f);
    (void)snprintf(text + n, sizeof text - n, "more = 1\n");
    refused(text, ERR_LIMIT, "line 1001");
}

TEST(ini_file__refuses_a_file_larger_than_64_kib)
{
    static char text[65536 + 2];
    memset(text, '\n', sizeof text - 1);
    refused(text, ERR_LIMIT, "64 KiB");
    text[65536] = '\0';
    assert_int_equal(read_text(text), ERR_OK);
    ini_file_fini(&f);
}

static void write_file(char path[32], const void *bytes, size_t n)
{
    (void)snprintf(path, 32, "/tmp/wasl_unit_XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), n);
    close(fd);
}

TEST(ini_file__reads_from_a_file)
{
    char path[32];
    write_file(path, "[a]\nx = 1\n", 10);
    assert_int_equal(ini_file_read(path, &f, &e), ERR_OK);
    assert_string_equal(ini_file_find(&f, "a", "x"), "1");
    ini_file_fini(&f);
    unlink(path);
}

TEST(ini_file__refuses_a_large_file_by_its_first_bytes)
{
    static char text[100000];
    memset(text, '\n', sizeof text);
    char path[32];
    write_file(path, text, sizeof text);
    assert_int_equal(ini_file_read(path, &f, &e), ERR_LIMIT);
    unlink(path);
}

TEST(ini_file__says_which_file_cannot_be_read)
{
    assert_int_equal(ini_file_read("/nonexistent/till.ini", &f, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "/nonexistent/till.ini"));
    assert_int_equal(ini_file_read("/tmp", &f, &e), ERR_IO);
    assert_non_null(strstr(e.text, "/tmp"));
}

TEST(ini_file__fails_cleanly_at_every_allocation)
{
    char path[32];
    write_file(path, "[a]\nx = 1\ny = 2\n", 16);
    unsigned n = 0;
    for (;; n++) {
        struct ini_file got = {.count = 77};
        unit_alloc_fail(n);
        enum err_code rc = ini_file_read(path, &got, &e);
        if (!unit_alloc_end()) {
            assert_int_equal(rc, ERR_OK);
            ini_file_fini(&got);
            break;
        }
        assert_int_equal(got.count, 77);
        assert_int_equal(rc, ERR_NO_MEMORY);
    }
    assert_true(n >= 7); // the text, three strings each of two entries, the list
    unlink(path);
}

TEST(ini_file__fini_accepts_a_zeroed_struct)
{
    struct ini_file empty = {0};
    ini_file_fini(&empty);
}
