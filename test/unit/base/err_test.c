// SPDX-License-Identifier: Apache-2.0
#include "base/err.h"
#include "base/str.h"
#include "test/unit/unit.h"

#include <string.h>

TEST(err__codes_keep_the_numbers_that_were_stored_and_sent)
{
    assert_int_equal(ERR_OK, 0);
    assert_int_equal(ERR_LIMIT, 2);
    assert_int_equal(ERR_DAMAGED, 8);
    assert_int_equal(ERR_NEWER, 15);
    assert_int_equal(ERR_USAGE, 23);
}

TEST(err__every_code_has_a_name_and_a_text)
{
    for (int code = 0; code < ERR_COUNT; code++) {
        assert_true(strlen(err_name((enum err_code)code)) > 0);
        assert_true(strlen(err_text((enum err_code)code)) > 0);
    }
    assert_string_equal(err_name(ERR_DISK_FULL), "DISK_FULL");
    assert_string_equal(err_text(ERR_DISK_FULL), "disk full");
}

TEST(err__a_code_from_a_newer_version_is_told_as_unknown_and_not_retried)
{
    static const int unknown[] = {ERR_COUNT, 1000, -1};
    for (size_t i = 0; i < COUNT_OF(unknown); i++) {
        assert_string_equal(err_name((enum err_code)unknown[i]), "UNKNOWN");
        assert_non_null(err_text((enum err_code)unknown[i]));
        assert_false(err_retriable((enum err_code)unknown[i]));
    }
}

TEST(err__says_what_may_be_tried_again)
{
    assert_true(err_retriable(ERR_BUSY));
    assert_true(err_retriable(ERR_DISK_FULL));
    assert_false(err_retriable(ERR_OK));
    assert_false(err_retriable(ERR_DAMAGED));
    assert_false(err_retriable(ERR_USAGE));
}

TEST(err__set_fills_the_message_and_returns_the_code)
{
    struct err e;
    assert_int_equal(err_set(&e, ERR_NOT_FOUND, "no file %s, line %d", "a", 7), ERR_NOT_FOUND);
    assert_int_equal(e.code, ERR_NOT_FOUND);
    assert_string_equal(e.text, "no file a, line 7");
}

TEST(err__takes_no_place_to_write_to)
{
    assert_int_equal(err_set(NULL, ERR_IO, "x"), ERR_IO);
    assert_int_equal(err_wrap(NULL, ERR_IO, "x"), ERR_IO);
    assert_non_null(err_message(NULL));
}

TEST(err__wrap_puts_the_context_in_front)
{
    struct err e;
    (void)err_set(&e, ERR_IO, "disk gone");
    assert_int_equal(err_wrap(&e, ERR_CLOSED, "reading %s", "x.db"), ERR_CLOSED);
    assert_int_equal(e.code, ERR_CLOSED);
    assert_string_equal(e.text, "reading x.db: disk gone");
}

TEST(err__wrap_of_an_empty_message_gives_the_text_of_the_code)
{
    struct err e = {0};
    (void)err_wrap(&e, ERR_TIMEOUT, "waiting for the hub");
    assert_string_equal(e.text, "waiting for the hub: timed out");
}

TEST(err__a_message_may_be_made_of_itself)
{
    struct err e;
    (void)err_set(&e, ERR_IO, "inner");
    (void)err_set(&e, ERR_IO, "outer(%s)", e.text);
    assert_string_equal(e.text, "outer(inner)");
    (void)err_wrap(&e, ERR_IO, "%s again", e.text);
    assert_string_equal(e.text, "outer(inner) again: outer(inner)");
}

TEST(err__cuts_a_long_message)
{
    char text[1000];
    memset(text, 'x', sizeof text);
    text[sizeof text - 1] = '\0';
    struct err e;
    (void)err_set(&e, ERR_IO, "%s", text);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
    (void)err_wrap(&e, ERR_IO, "%s", text);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 1);
}

TEST(err__cuts_between_characters_never_within_one)
{
    // Characters of 1 to 4 bytes, at every distance from the place of the cut.
    static const char *const characters[] = {
        "x", "\xC3\xA9", "\xE0\xA0\x80", "\xE2\x82\xAC", "\xF0\x90\x80\x80", "\xF0\x9F\x8D\x95"};
    for (size_t i = 0; i < COUNT_OF(characters); i++) {
        size_t length = strlen(characters[i]);
        for (size_t shift = 0; shift < 4; shift++) {
            char text[600];
            memset(text, 'a', sizeof text);
            size_t at = shift;
            for (; at < 500; at += length) {
                memcpy(text + at, characters[i], length);
            }
            text[at] = '\0';
            struct err e;
            (void)err_set(&e, ERR_IO, "%s", text);
            size_t n = strlen(e.text);
            assert_true(str_is_utf8(str_of(e.text)));
            assert_true(n > ERR_TEXT_MAX - 1 - length);
        }
    }
}

TEST(err__cuts_a_message_that_is_one_byte_too_long)
{
    char text[ERR_TEXT_MAX + 1];
    memset(text, 'x', sizeof text);
    memcpy(text + ERR_TEXT_MAX - 2, "\xC3\xA9", 3);
    struct err e;
    (void)err_set(&e, ERR_IO, "%s", text);
    assert_int_equal(strlen(e.text), ERR_TEXT_MAX - 2);
    assert_int_equal(e.text[ERR_TEXT_MAX - 3], 'x');
}

TEST(err__keeps_a_message_that_just_fits)
{
    char text[ERR_TEXT_MAX];
    memset(text, 'x', sizeof text);
    memcpy(text + 253, "\xC3\xA9", 3); // ends exactly at the 255th byte
    struct err e;
    (void)err_set(&e, ERR_IO, "%s", text);
    assert_string_equal(e.text, text);
}

TEST(err__message_falls_back_to_the_text_of_the_code)
{
    struct err e = {.code = ERR_READ_ONLY};
    assert_string_equal(err_message(&e), "read-only");
    (void)err_set(&e, ERR_READ_ONLY, "the card is locked");
    assert_string_equal(err_message(&e), "the card is locked");
}

static void break_a_promise(void *arg)
{
    const int *value = arg;
    MUST(*value == 1);
}

TEST(err__must_aborts_naming_the_condition_and_the_place)
{
    char text[256];
    int value = 2;
    assert_true(unit_aborts(break_a_promise, &value, text, sizeof text));
    assert_non_null(strstr(text, "*value == 1"));
    assert_non_null(strstr(text, "err_test.c"));
    value = 1;
    assert_false(unit_aborts(break_a_promise, &value, text, sizeof text));
}
