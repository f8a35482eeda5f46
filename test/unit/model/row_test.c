// SPDX-License-Identifier: Apache-2.0
#include "model/row.h"

#include "test/unit/unit.h"

#include <string.h>

static const struct column columns[] = {
    {"id", COLUMN_TEXT, "key"},        {"part", COLUMN_TEXT, "key"},
    {"n", COLUMN_INTEGER, "a number"}, {"q", COLUMN_DECIMAL, "a quantity"},
    {"u", COLUMN_UUID, "an id"},       {NULL, COLUMN_TEXT, NULL}};
static const struct row_table table = {"things", 2, columns};
static const struct row_table other = {"thingss", 2, columns};

static struct arena arena;
static struct row_list list;

static void begin(void)
{
    arena_init(&arena, 1 << 20);
    row_list_init(&list, &arena);
}

static struct row *add(const struct row_table *to, const char *id, const char *part)
{
    struct row *row = row_list_add(&list, to);
    assert_non_null(row);
    row_set_text(row, 0, str_of(id));
    row_set_text(row, 1, str_of(part));
    return row;
}

static struct buf encoded(const struct row *row)
{
    struct buf b;
    buf_init(&b, 1 << 16);
    assert_int_equal(row_encode(row, &b), ERR_OK);
    return b;
}

static bool encodes_alike(const struct row *a, const struct row *b)
{
    struct buf x = encoded(a), y = encoded(b);
    bool alike = str_equal(buf_str(&x), buf_str(&y));
    buf_fini(&x);
    buf_fini(&y);
    return alike;
}

TEST(row__is_null_where_nothing_was_set)
{
    begin();
    struct row *row = add(&table, "a", "");
    assert_false(row->values[0].null);
    for (int i = 1; i < 5; i++)
        assert_true(row->values[i].null);
    row_set_number(row, 2, 0);
    assert_false(row->values[2].null);
    row_set_uuid(row, 4, &(struct uuid){.b = {0}});
    assert_true(row->values[4].null);
    arena_fini(&arena);
}

TEST(row__lists_sort_by_table_and_key)
{
    begin();
    (void)add(&other, "a", "1");
    (void)add(&table, "b", "1");
    (void)add(&table, "a", "2");
    (void)add(&table, "a", "");
    row_list_sort(&list);
    const char *ids[] = {"a", "a", "b", "a"}, *parts[] = {"", "2", "1", "1"};
    for (size_t i = 0; i < 4; i++) {
        assert_true(str_is(list.items[i].values[0].text, ids[i]));
        assert_true(str_is(list.items[i].values[1].text, parts[i]));
    }
    assert_ptr_equal(list.items[3].table, &other);
    arena_fini(&arena);
}

TEST(row__differs_in_any_column_and_so_does_its_encoding)
{
    begin();
    for (int i = 0; i < 8; i++) {
        struct row *row = add(&table, i == 1 ? "b" : "a", i == 2 ? "y" : "x");
        row_set_number(row, 2, i == 3 ? -1 : 1);
        row_set_number(row, 3, i == 4 ? 2 : 1);
        row_set_uuid(row, 4, &(struct uuid){.b = {(uint8_t)(i == 5 ? 1 : 2)}});
        if (i == 6)
            row->values[2].null = true;
    }
    struct row *moved = add(&other, "a", "x");
    memcpy(moved->values, list.items[0].values, 5 * sizeof(struct value));
    for (size_t i = 1; i < list.count; i++) {
        bool same = i == 7; // the one that was left as it is
        assert_int_equal(row_equal(&list.items[0], &list.items[i]), same);
        assert_int_equal(encodes_alike(&list.items[0], &list.items[i]), same);
    }
    arena_fini(&arena);
}

TEST(row__texts_that_run_together_encode_apart)
{
    begin();
    struct row *a = add(&table, "ab", "c"), *b = add(&table, "a", "bc");
    assert_false(encodes_alike(a, b));
    struct row *none = add(&table, "a", ""), *minus = add(&table, "a", "-");
    assert_false(encodes_alike(none, minus));
    arena_fini(&arena);
}

TEST(row__lists_grow_and_stop_at_their_arena)
{
    begin();
    for (int i = 0; i < 100; i++)
        (void)add(&table, "a", "b");
    assert_int_equal(list.count, 100);
    arena_fini(&arena);
    arena_init(&arena, 64);
    row_list_init(&list, &arena);
    assert_null(row_list_add(&list, &table));
    arena_fini(&arena);
}
