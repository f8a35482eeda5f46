// SPDX-License-Identifier: Apache-2.0
#include "base/buf.h"
#include "test/unit/unit.h"

#include <string.h>

TEST(buf__appends_in_order)
{
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(buf_append(&b, "ab", 2), ERR_OK);
    assert_int_equal(buf_append_str(&b, STR("cd")), ERR_OK);
    assert_int_equal(buf_append_format(&b, "%d-%s", 42, "x"), ERR_OK);
    assert_true(str_is(buf_str(&b), "abcd42-x"));
    buf_fini(&b);
}

TEST(buf__is_empty_at_first_and_takes_nothing_from_nowhere)
{
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(buf_str(&b).n, 0);
    assert_int_equal(buf_append(&b, NULL, 0), ERR_OK);
    assert_int_equal(buf_append_format(&b, "%s", ""), ERR_OK);
    assert_int_equal(b.len, 0);
    buf_consume(&b, 0);
    buf_fini(&b);
}

TEST(buf__fills_to_its_maximum_and_not_one_byte_more)
{
    struct buf b;
    buf_init(&b, 1000);
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(buf_append(&b, "x", 1), ERR_OK);
    }
    assert_int_equal(buf_append(&b, "y", 1), ERR_LIMIT);
    assert_int_equal(buf_append_format(&b, "y"), ERR_LIMIT);
    assert_int_equal(b.len, 1000);
    assert_true(b.cap <= b.max);
    assert_null(memchr(b.data, 'y', b.len));
    buf_fini(&b);
}

TEST(buf__formats_a_text_that_fills_it_exactly)
{
    struct buf b;
    buf_init(&b, 10);
    assert_int_equal(buf_append_format(&b, "%s", "0123456789"), ERR_OK);
    assert_true(str_is(buf_str(&b), "0123456789"));
    buf_reset(&b);
    assert_int_equal(buf_append_format(&b, "%s", "01234"), ERR_OK);
    assert_int_equal(buf_append_format(&b, "%s", "56789"), ERR_OK);
    assert_true(str_is(buf_str(&b), "0123456789"));
    buf_reset(&b);
    assert_int_equal(buf_append_format(&b, "%s", "01234567890"), ERR_LIMIT);
    assert_int_equal(b.len, 0);
    buf_fini(&b);
}

TEST(buf__formats_a_text_larger_than_the_room_it_has)
{
    struct buf b;
    buf_init(&b, 100000);
    assert_int_equal(buf_append(&b, "a", 1), ERR_OK);
    assert_int_equal(buf_append_format(&b, "%05000d", 7), ERR_OK);
    assert_int_equal(b.len, 5001);
    assert_int_equal(b.data[0], 'a');
    assert_int_equal(b.data[5000], '7');
    buf_fini(&b);
}

TEST(buf__refuses_a_size_that_would_overflow)
{
    struct buf b;
    buf_init(&b, 100);
    char *room = NULL;
    assert_int_equal(buf_append(&b, "abc", 3), ERR_OK);
    assert_int_equal(buf_reserve(&b, SIZE_MAX, &room), ERR_LIMIT);
    assert_int_equal(buf_reserve(&b, SIZE_MAX - 2, &room), ERR_LIMIT);
    assert_null(room);
    assert_int_equal(b.len, 3);
    buf_fini(&b);
}

TEST(buf__takes_what_was_written_into_reserved_room)
{
    struct buf b;
    buf_init(&b, 1000);
    char *room = NULL;
    assert_int_equal(buf_reserve(&b, 500, &room), ERR_OK);
    memset(room, 'h', 5);
    assert_int_equal(b.len, 0);
    buf_grow_by(&b, 5);
    assert_true(str_is(buf_str(&b), "hhhhh"));
    assert_int_equal(buf_reserve(&b, 0, &room), ERR_OK);
    assert_ptr_equal(room, b.data + 5);
    buf_fini(&b);
}

TEST(buf__reserves_nothing_of_nothing)
{
    struct buf b;
    buf_init(&b, 0);
    char *room = NULL;
    assert_int_equal(buf_reserve(&b, 0, &room), ERR_OK);
    assert_non_null(room);
    assert_int_equal(buf_append(&b, "x", 1), ERR_LIMIT);
    buf_fini(&b);
}

TEST(buf__consumes_from_the_front)
{
    struct buf b;
    buf_init(&b, 100);
    assert_int_equal(buf_append_str(&b, STR("abcdef")), ERR_OK);
    buf_consume(&b, 2);
    assert_true(str_is(buf_str(&b), "cdef"));
    buf_consume(&b, 4);
    assert_int_equal(b.len, 0);
    assert_int_equal(buf_append_str(&b, STR("g")), ERR_OK);
    assert_true(str_is(buf_str(&b), "g"));
    buf_fini(&b);
}

static void consume_too_much(void *arg)
{
    (void)arg;
    struct buf b;
    buf_init(&b, 100);
    buf_consume(&b, 1);
}

static void grow_past_the_room(void *arg)
{
    (void)arg;
    struct buf b;
    buf_init(&b, 1000);
    char *room = NULL;
    MUST(buf_reserve(&b, 10, &room) == ERR_OK);
    buf_grow_by(&b, b.cap + 1);
}

TEST(buf__aborts_when_more_is_taken_or_written_than_there_is)
{
    char text[256];
    assert_true(unit_aborts(consume_too_much, NULL, text, sizeof text));
    assert_true(unit_aborts(grow_past_the_room, NULL, text, sizeof text));
}

TEST(buf__reset_keeps_the_memory)
{
    struct buf b;
    buf_init(&b, 10000);
    assert_int_equal(buf_append_format(&b, "%04000d", 1), ERR_OK);
    buf_reset(&b);
    unit_alloc_fail(0);
    enum err_code rc = buf_append_format(&b, "%04000d", 2);
    assert_false(unit_alloc_end());
    assert_int_equal(rc, ERR_OK);
    assert_int_equal(b.len, 4000);
    buf_fini(&b);
}

TEST(buf__appends_nothing_when_memory_is_refused)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    unit_alloc_fail(0);
    enum err_code rc = buf_append(&b, "abc", 3);
    assert_true(unit_alloc_end());
    assert_int_equal(rc, ERR_NO_MEMORY);
    assert_int_equal(b.len, 0);
    assert_int_equal(buf_append(&b, "abc", 3), ERR_OK);
    unit_alloc_fail(0);
    rc = buf_append_format(&b, "%01000d", 5);
    assert_true(unit_alloc_end());
    assert_int_equal(rc, ERR_NO_MEMORY);
    assert_true(str_is(buf_str(&b), "abc"));
    buf_fini(&b);
}

TEST(buf__fini_accepts_a_zeroed_struct_and_a_second_call)
{
    struct buf b = {0};
    buf_fini(&b);
    buf_init(&b, 100);
    assert_int_equal(buf_append(&b, "abc", 3), ERR_OK);
    buf_fini(&b);
    buf_fini(&b);
    assert_null(b.data);
}
