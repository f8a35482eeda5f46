// SPDX-License-Identifier: Apache-2.0
#include "model/row.h"

#include <stdlib.h>
#include <string.h>

void row_list_init(struct row_list *list, struct arena *arena)
{
    *list = (struct row_list){.arena = arena};
}

int row_column_count(const struct row_table *table)
{
    int count = 0;
    while (table->columns[count].name != NULL)
        count++;
    MUST(count <= ROW_COLUMNS_MAX && table->key_count <= count);
    return count;
}

static bool make_room(struct row_list *list)
{
    if (list->count < list->capacity)
        return true;
    size_t capacity = list->capacity ? list->capacity * 2 : 8;
    struct row *items = arena_alloc(list->arena, capacity * sizeof(struct row));
    if (items == NULL)
        return false;
    if (list->count != 0)
        memcpy(items, list->items, list->count * sizeof(struct row));
    list->items = items;
    list->capacity = capacity;
    return true;
}

struct row *row_list_add(struct row_list *list, const struct row_table *table)
{
    size_t columns = (size_t)row_column_count(table);
    struct value *values = arena_alloc_zero(list->arena, columns * sizeof(struct value));
    if (values == NULL || !make_room(list))
        return NULL;
    for (size_t i = 0; i < columns; i++)
        values[i].null = true;
    struct row *row = &list->items[list->count++];
    *row = (struct row){table, values};
    return row;
}

void row_set_text(struct row *row, int column, struct str text)
{
    MUST(row->table->columns[column].kind == COLUMN_TEXT);
    row->values[column] = (struct value){.null = text.n == 0, .text = text};
}

void row_set_number(struct row *row, int column, int64_t number)
{
    enum column_kind kind = row->table->columns[column].kind;
    MUST(kind == COLUMN_INTEGER || kind == COLUMN_DECIMAL);
    row->values[column] = (struct value){.number = number};
}

void row_set_uuid(struct row *row, int column, const struct uuid *id)
{
    MUST(row->table->columns[column].kind == COLUMN_UUID);
    row->values[column] = (struct value){.null = uuid_is_zero(id), .uuid = *id};
}

// ---- comparing --------------------------------------------------------------------------------

static int compare_values(enum column_kind kind, const struct value *a, const struct value *b)
{
    if (a->null || b->null)
        return (int)b->null - (int)a->null;
    switch (kind) {
    case COLUMN_TEXT:
        return str_compare(a->text, b->text);
    case COLUMN_UUID:
        return uuid_compare(&a->uuid, &b->uuid);
    case COLUMN_INTEGER:
    case COLUMN_DECIMAL:
        break;
    }
    return (a->number > b->number) - (a->number < b->number);
}

static int compare_columns(const struct row *a, const struct row *b, int count)
{
    for (int i = 0; i < count; i++) {
        int order = compare_values(a->table->columns[i].kind, &a->values[i], &b->values[i]);
        if (order != 0)
            return order;
    }
    return 0;
}

int row_compare_keys(const struct row *a, const struct row *b)
{
    if (a->table != b->table)
        return strcmp(a->table->name, b->table->name);
    return compare_columns(a, b, a->table->key_count);
}

bool row_equal(const struct row *a, const struct row *b)
{
    return a->table == b->table && compare_columns(a, b, row_column_count(a->table)) == 0;
}

static int by_key(const void *a, const void *b)
{
    return row_compare_keys(a, b);
}

void row_list_sort(struct row_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof(struct row), by_key);
}

// ---- the canonical encoding --------------------------------------------------------------------
// Table name and a NUL; per value one byte ('-' null, 't' text, 'n' number, 'u' id), then 4 bytes
// of length and the text, 8 bytes of number, or 16 of the id; numbers most significant byte first.

static void put_be(uint8_t *to, uint64_t value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = (uint8_t)(value >> (8 * (n - 1 - i)));
}

static enum err_code encode_value(enum column_kind kind, const struct value *v, struct buf *to)
{
    uint8_t head[9];
    if (v->null)
        return buf_append(to, "-", 1);
    if (kind == COLUMN_UUID) {
        enum err_code code = buf_append(to, "u", 1);
        return code ? code : buf_append(to, v->uuid.b, sizeof v->uuid.b);
    }
    if (kind == COLUMN_TEXT) {
        head[0] = 't';
        put_be(head + 1, v->text.n, 4);
        enum err_code code = buf_append(to, head, 5);
        return code ? code : buf_append_str(to, v->text);
    }
    head[0] = 'n';
    put_be(head + 1, (uint64_t)v->number, 8);
    return buf_append(to, head, 9);
}

enum err_code row_encode(const struct row *row, struct buf *to)
{
    enum err_code code = buf_append(to, row->table->name, strlen(row->table->name) + 1);
    int count = row_column_count(row->table);
    for (int i = 0; i < count && code == ERR_OK; i++)
        code = encode_value(row->table->columns[i].kind, &row->values[i], to);
    return code;
}
