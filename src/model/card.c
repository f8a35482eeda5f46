// SPDX-License-Identifier: Apache-2.0
#include "model/card.h"

#include "base/decimal.h"
#include "model/body.h"

// ---- reading ----------------------------------------------------------------------------------

// The columns that are members of a body: behind the key, before the last two.
static int first_field(const struct row_table *table)
{
    return table->key_count;
}

static int end_of_fields(const struct row_table *table)
{
    return row_column_count(table) - 2;
}

static bool read_value(enum column_kind kind, yyjson_val *from, struct value *to)
{
    struct str text = str_make(yyjson_get_str(from), yyjson_get_len(from));
    if (kind == COLUMN_INTEGER && yyjson_is_bool(from)) {
        to->number = yyjson_is_true(from);
        return true;
    }
    if (kind == COLUMN_INTEGER) {
        to->number = yyjson_get_sint(from);
        return yyjson_is_int(from) && !(yyjson_is_uint(from) && yyjson_get_uint(from) > INT64_MAX);
    }
    if (!yyjson_is_str(from))
        return false;
    switch (kind) {
    case COLUMN_TEXT:
        to->text = text;
        return true;
    case COLUMN_DECIMAL:
        return decimal_parse(text, &to->number) == ERR_OK;
    case COLUMN_UUID:
        return uuid_parse(text, &to->uuid) == ERR_OK;
    case COLUMN_INTEGER:
        break;
    }
    return false;
}

static enum err_code keep_value(enum column_kind kind, struct value *value, struct arena *kept)
{
    if (kind != COLUMN_TEXT || value->null)
        return ERR_OK;
    value->text = arena_copy(kept, value->text);
    return value->text.p ? ERR_OK : ERR_NO_MEMORY;
}

static enum err_code read_sets(const struct row_table *table, const struct event *event, bool whole,
                               struct arena *kept, struct card_op *ret, struct err *e)
{
    int end = end_of_fields(table);
    struct card_set *sets = arena_alloc_zero(kept, (size_t)end * sizeof *sets + 1);
    enum err_code code = sets ? ERR_OK : ERR_NO_MEMORY;
    size_t count = 0;
    for (int i = first_field(table); i < end && code == ERR_OK; i++) {
        const struct column *column = &table->columns[i];
        yyjson_val *value = yyjson_obj_get(event->body, column->name);
        if (value == NULL && !whole)
            continue;
        struct card_set *set = &sets[count++];
        bool null = value == NULL || yyjson_is_null(value);
        *set = (struct card_set){.column = i, .value = {.null = null}};
        if (!set->value.null && !read_value(column->kind, value, &set->value))
            return err_set(e, ERR_INVALID, "body: %s: not a valid value", column->name);
        code = keep_value(column->kind, &set->value, kept);
    }
    *ret = (struct card_op){.table = table, .sets = sets, .count = count};
    return code ? err_set(e, code, "out of memory for a record") : ERR_OK;
}

static bool parse_value(enum column_kind kind, struct str text, struct value *to)
{
    to->null = text.n == 0;
    switch (kind) {
    case COLUMN_TEXT:
        to->text = text;
        return true;
    case COLUMN_INTEGER:
        return to->null || str_to_i64(text, &to->number) == ERR_OK;
    case COLUMN_DECIMAL:
        return to->null || decimal_parse(text, &to->number) == ERR_OK;
    case COLUMN_UUID:
        return to->null || uuid_parse(text, &to->uuid) == ERR_OK;
    }
    return false;
}

// A decision of another value: a write of the field that it names.
static enum err_code read_edit(const struct row_table *table, struct arena *kept,
                               struct card_op *op, struct err *e)
{
    struct card_set *set = arena_alloc_zero(kept, sizeof *set);
    if (set == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a record");
    for (int i = first_field(table); i < end_of_fields(table); i++) {
        if (!str_is(op->answer.part, table->columns[i].name))
            continue;
        set->column = i;
        if (!parse_value(table->columns[i].kind, op->answer.value, &set->value))
            return err_set(e, ERR_INVALID, "body: value: not a valid %s", table->columns[i].name);
        op->sets = set;
        op->count = 1;
        return ERR_OK;
    }
    return err_set(e, ERR_INVALID, "body: part: not a field that can be edited");
}

static enum err_code decode(const struct event *event, bool whole, struct arena *kept,
                            const void **ret_op, struct err *e)
{
    const struct row_table *table = reducer_find(event->record_type)->tables[0];
    struct card_op *op = arena_alloc_zero(kept, sizeof *op);
    *ret_op = op;
    if (op == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a record");
    if (!str_is(event->type_name, "review_resolved"))
        return read_sets(table, event, whole, kept, op, e);
    op->table = table;
    op->answers = true;
    enum err_code code = answer_decode(event, kept, &op->answer, e);
    if (code == ERR_OK && op->answer.decision == DECISION_EDIT)
        code = read_edit(table, kept, op, e);
    return code;
}

enum err_code card_decode(const struct event *event, struct arena *kept, const void **ret_op,
                          struct err *e)
{
    return decode(event, false, kept, ret_op, e);
}

enum err_code card_decode_whole(const struct event *event, struct arena *kept, const void **ret_op,
                                struct err *e)
{
    return decode(event, true, kept, ret_op, e);
}

// ---- folding ----------------------------------------------------------------------------------

enum err_code card_apply(void *state, const struct record_entry *entry, struct arena *folded)
{
    struct card *card = state;
    const struct card_op *op = entry->op;
    static const struct value none = {.null = true};
    enum err_code code = ERR_OK;
    if (op->answers)
        code = question_answer(&card->questions, entry, &op->answer, folded);
    if (code || (op->answers && op->count == 0))
        return code;
    card->table = op->table;
    for (size_t i = 0; i < op->count && code == ERR_OK; i++)
        code = cell_put(&card->cells[op->sets[i].column], entry, &op->sets[i].value, folded);
    return code ? code : cell_put(&card->changes, entry, &none, folded);
}

enum err_code card_rows(const void *state, struct str record_id, struct row_list *to)
{
    const struct card *card = state;
    if (card->table == NULL)
        return ERR_OK;
    const struct cell_write *change = cell_read(&card->changes, &card->questions);
    struct row *row = row_list_add(to, card->table);
    int end = end_of_fields(card->table);
    if (row == NULL)
        return ERR_NO_MEMORY;
    row_set_text(row, 0, record_id);
    for (int i = first_field(card->table); i < end; i++) {
        const struct cell_write *write = cell_read(&card->cells[i], &card->questions);
        if (write != NULL)
            row->values[i] = write->value;
    }
    if (change != NULL) {
        row_set_number(row, end, change->by->at);
        row_set_text(row, end + 1, change->by->actor);
    }
    return ERR_OK;
}

// From the newest on, down to one that nobody judged: it stands, whatever becomes of those.
static void cell_stands(const struct cell *cell, const struct questions *q, bool *matters)
{
    bool firm = false;
    for (const struct cell_write *write = cell->newest; write && !firm; write = write->next) {
        matters[write->by->place] = true;
        firm = question_counts(q, write->by) && write->by->verdict.outcome == JUDGED_NOT;
    }
}

void card_stands(const void *state, bool *matters)
{
    const struct card *card = state;
    for (int i = 0; i < ROW_COLUMNS_MAX; i++)
        cell_stands(&card->cells[i], &card->questions, matters);
    cell_stands(&card->changes, &card->questions, matters);
}
