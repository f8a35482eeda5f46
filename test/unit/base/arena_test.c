// SPDX-License-Identifier: Apache-2.0
#include "base/arena.h"
#include "test/unit/unit.h"

#include <string.h>

TEST(arena__gives_pieces_aligned_to_16_bytes_that_do_not_overlap)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    unsigned char *pieces[64];
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        pieces[i] = arena_alloc(&a, i * 7 + 1);
        assert_non_null(pieces[i]);
        assert_int_equal((uintptr_t)pieces[i] % 16, 0);
        memset(pieces[i], (int)i, i * 7 + 1);
    }
    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        for (size_t j = 0; j < i * 7 + 1; j++) {
            assert_int_equal(pieces[i][j], i);
        }
    }
    arena_fini(&a);
}

TEST(arena__keeps_pieces_in_place_while_it_grows_over_many_blocks)
{
    struct arena a;
    arena_init(&a, 8 << 20);
    char *first = arena_alloc(&a, 6);
    assert_non_null(first);
    memcpy(first, "first", 6);
    for (int i = 0; i < 1000; i++) {
        assert_non_null(arena_alloc(&a, 5000));
    }
    assert_string_equal(first, "first");
    arena_fini(&a);
}

TEST(arena__gives_a_piece_larger_than_any_block)
{
    struct arena a;
    arena_init(&a, 4 << 20);
    char *p = arena_alloc(&a, 3 << 20);
    assert_non_null(p);
    memset(p, 'x', 3 << 20);
    arena_fini(&a);
}

TEST(arena__stops_exactly_at_its_limit)
{
    struct arena a;
    arena_init(&a, 64);
    assert_non_null(arena_alloc(&a, 48));
    assert_null(arena_alloc(&a, 17));
    assert_int_equal(a.used, 48);
    assert_non_null(arena_alloc(&a, 16));
    assert_null(arena_alloc(&a, 1));
    assert_null(arena_alloc(&a, 0));
    arena_fini(&a);
}

TEST(arena__refuses_sizes_that_would_overflow)
{
    struct arena a;
    arena_init(&a, SIZE_MAX);
    assert_null(arena_alloc(&a, SIZE_MAX));
    assert_null(arena_alloc(&a, SIZE_MAX - 15));
    assert_null(arena_alloc_zero(&a, SIZE_MAX - 16));
    assert_null(arena_copy(&a, (struct str){"", SIZE_MAX}).p);
    assert_int_equal(a.used, 0);
    arena_fini(&a);
}

TEST(arena__gives_nothing_when_its_limit_is_zero)
{
    struct arena a = {0};
    assert_null(arena_alloc(&a, 1));
    arena_reset(&a);
    arena_fini(&a);
}

TEST(arena__takes_a_piece_of_no_bytes_as_a_distinct_one)
{
    struct arena a;
    arena_init(&a, 1024);
    void *p = arena_alloc(&a, 0);
    void *q = arena_alloc(&a, 0);
    assert_non_null(p);
    assert_non_null(q);
    assert_ptr_not_equal(p, q);
    arena_fini(&a);
}

TEST(arena__clears_what_is_asked_for_cleared_even_in_used_memory)
{
    struct arena a;
    arena_init(&a, 1024);
    char *p = arena_alloc(&a, 256);
    assert_non_null(p);
    memset(p, 'x', 256);
    arena_reset(&a);
    char *q = arena_alloc_zero(&a, 256);
    assert_ptr_equal(p, q);
    for (int i = 0; i < 256; i++) {
        assert_int_equal(q[i], 0);
    }
    arena_fini(&a);
}

TEST(arena__hands_everything_out_again_after_a_reset)
{
    struct arena a;
    arena_init(&a, 100000);
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 100; i++) {
            assert_non_null(arena_alloc(&a, 992));
        }
        assert_int_equal(a.used, 99200);
        arena_reset(&a);
        assert_int_equal(a.used, 0);
    }
    arena_fini(&a);
}

TEST(arena__needs_no_memory_for_the_next_unit_of_work_of_the_same_size)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    assert_non_null(arena_alloc(&a, 3000));
    arena_reset(&a);
    unit_alloc_fail(0);
    void *p = arena_alloc(&a, 3000);
    assert_false(unit_alloc_end());
    assert_non_null(p);
    arena_fini(&a);
}

TEST(arena__copies_text_with_a_nul_behind_it)
{
    struct arena a;
    arena_init(&a, 1024);
    struct str copy = arena_copy(&a, str_make("abcdef", 3));
    assert_int_equal(copy.n, 3);
    assert_string_equal(copy.p, "abc");
    struct str empty = arena_copy(&a, (struct str){NULL, 0});
    assert_int_equal(empty.n, 0);
    assert_string_equal(empty.p, "");
    arena_reset(&a);
    char *used = arena_alloc(&a, 512);
    assert_non_null(used);
    memset(used, 'x', 512);
    arena_reset(&a);
    assert_string_equal(arena_copy(&a, STR("abc")).p, "abc");
    arena_fini(&a);
}

TEST(arena__copy_is_null_when_only_the_nul_does_not_fit)
{
    struct arena a;
    arena_init(&a, 16);
    struct str copy = arena_copy(&a, STR("0123456789abcdef"));
    assert_null(copy.p);
    assert_int_equal(copy.n, 0);
    assert_non_null(arena_copy(&a, STR("0123456789abcde")).p);
    arena_fini(&a);
}

TEST(arena__may_be_used_again_after_its_end)
{
    struct arena a;
    arena_init(&a, 1024);
    assert_non_null(arena_alloc(&a, 1000));
    arena_fini(&a);
    arena_fini(&a);
    assert_non_null(arena_alloc(&a, 1000));
    arena_fini(&a);
}

TEST(arena__survives_a_failed_allocation)
{
    struct arena a;
    arena_init(&a, 1 << 20);
    unit_alloc_fail(0);
    void *p = arena_alloc(&a, 100);
    assert_true(unit_alloc_end());
    assert_null(p);
    assert_int_equal(a.used, 0);
    assert_non_null(arena_alloc(&a, 100));
    unit_alloc_fail(0);
    p = arena_alloc_zero(&a, 100000);
    assert_true(unit_alloc_end());
    assert_null(p);
    assert_non_null(arena_alloc(&a, 100));
    arena_fini(&a);
}
