// SPDX-License-Identifier: Apache-2.0
#include "model/people.h"

#include "model/body.h"
#include "model/cell.h"
#include "model/mutant.h"
#include "model/role.h"

#include <stdlib.h>
#include <string.h>

enum { FIELDS_MAX = 3 };

// ---- tables -----------------------------------------------------------------------------------

#define CHANGED                                                                                    \
    {"since", COLUMN_TEXT, "hybrid clock of the first event"},                                     \
        {"changed_hlc", COLUMN_TEXT, "hybrid clock of the newest one"},                            \
        {"changed_in", COLUMN_UUID, "the newest event: what an author relies on"},                 \
        {"changed_at", COLUMN_INTEGER, "ms since 1970, by its author's clock"},                    \
        {"changed_by", COLUMN_TEXT, "who made it"},                                                \
    {                                                                                              \
        NULL, COLUMN_TEXT, NULL                                                                    \
    }

static const struct column user_columns[] = {
    {"id", COLUMN_TEXT, "the person, by a code"},
    {"code", COLUMN_TEXT, "as shown at tills and on receipts"},
    {"role", COLUMN_TEXT, "one of role_table, or one that role_set made"},
    {"active", COLUMN_INTEGER, "0: works here no more"},
    CHANGED};
static const struct row_table users = {"users", 1, user_columns};
static const struct column place_columns[] = {
    {"id", COLUMN_TEXT, "the person"},
    {"place", COLUMN_TEXT, "where they work; *: everywhere"},
    {NULL, COLUMN_TEXT, NULL}};
static const struct row_table user_places = {"user_places", 2, place_columns};

static const struct column role_columns[] = {
    {"id", COLUMN_TEXT, "the role"},
    {"name", COLUMN_TEXT, "for people"},
    {"given", COLUMN_INTEGER, "1: its rights are those of role_rights, not those it came with"},
    CHANGED};
static const struct row_table roles = {"roles", 1, role_columns};
static const struct column right_columns[] = {{"id", COLUMN_TEXT, "the role"},
                                              {"granted", COLUMN_TEXT, "a right"},
                                              {NULL, COLUMN_TEXT, NULL}};
static const struct row_table role_rights = {"role_rights", 2, right_columns};

static const struct row_table *const user_tables[] = {&users, &user_places, &question_table, NULL};
static const struct row_table *const role_tables[] = {&roles, &role_rights, &question_table, NULL};

// What differs between the two.
static const struct kind {
    const char *record_type;
    const struct row_table *table, *list_table;
    const char *fields[FIELDS_MAX + 1]; // members that are columns, in their order behind the id
    const char *list, *item;            // the member that is a list, and that of each entry
} kinds[] = {
    {"user", &users, &user_places, {"code", "role", "active"}, "places", "location"},
    {"role", &roles, &role_rights, {"name"}, "rights", "right"},
};

struct op {
    const struct kind *kind;
    bool set[FIELDS_MAX], listed;
    struct value fields[FIELDS_MAX];
    struct str list; // each once, in order, a newline behind each
    bool answers;
    struct answer_op answer;
};
struct state {
    const struct kind *kind; // NULL: nothing yet
    const struct record_entry *first;
    struct cell fields[FIELDS_MAX], list, changes;
    struct questions questions;
};

// ---- reading ----------------------------------------------------------------------------------

static enum err_code check_item(const struct kind *kind, struct str item, struct err *e)
{
    enum event_right right;
    if (kind->table == &users)
        return str_is(item, FEED_CHAIN) || event_location_valid(item)
                   ? ERR_OK
                   : err_set(e, ERR_INVALID, "body: places: '%.*s' is no place", STR_ARG(item));
    return rights_parse(item, &right)
               ? err_set(e, ERR_INVALID, "body: rights: no right is called '%.*s'", STR_ARG(item))
               : ERR_OK;
}

static int by_text(const void *a, const void *b)
{
    return str_compare(*(const struct str *)a, *(const struct str *)b);
}

static struct str join(const struct str *items, size_t count, struct arena *kept)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += items[i].n + 1;
    char *to = arena_alloc(kept, size + 1), *at = to;
    for (size_t i = 0; i < count && to != NULL; i++) {
        if (i > 0 && str_equal(items[i], items[i - 1]))
            continue;
        memcpy(at, items[i].p, items[i].n);
        at += items[i].n;
        *at++ = '\n';
    }
    return str_make(to, to ? (size_t)(at - to) : 0);
}

static enum err_code read_list(const struct event *event, struct arena *kept, struct op *op,
                               struct err *e)
{
    struct body_reader in = {event->body, kept, false};
    size_t count;
    struct str *items = body_room(&in, op->kind->list, sizeof *items, &count);
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(event->body, op->kind->list));
    for (size_t i = 0; i < count; i++) {
        items[i] = body_text(yyjson_arr_iter_next(&iter), op->kind->item);
        enum err_code code = check_item(op->kind, items[i], e);
        if (code)
            return code;
    }
    if (items != NULL)
        qsort(items, count, sizeof *items, by_text);
    op->list = join(items, count, kept);
    return in.full || op->list.p == NULL ? err_set(e, ERR_NO_MEMORY, "out of memory for a record")
                                         : ERR_OK;
}

static enum err_code read_fields(const struct event *event, struct arena *kept, struct op *op,
                                 struct err *e)
{
    for (int i = 0; op->kind->fields[i] != NULL; i++) {
        yyjson_val *value = yyjson_obj_get(event->body, op->kind->fields[i]);
        struct value *to = &op->fields[i];
        op->set[i] = value != NULL;
        to->null = value == NULL || yyjson_is_null(value);
        if (to->null)
            continue;
        if (yyjson_is_bool(value)) {
            to->number = yyjson_get_bool(value);
            continue;
        }
        to->text = arena_copy(kept, body_text(event->body, op->kind->fields[i]));
        if (to->text.p == NULL)
            return err_set(e, ERR_NO_MEMORY, "out of memory for a record");
    }
    op->listed = body_find(event->body, op->kind->list) != NULL;
    return op->listed ? read_list(event, kept, op, e) : ERR_OK;
}

static enum err_code decode(const struct event *event, struct arena *kept, const void **ret_op,
                            struct err *e)
{
    struct op *op = arena_alloc_zero(kept, sizeof *op);
    *ret_op = op;
    if (op == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a record");
    op->kind = &kinds[str_is(event->record_type, "role")];
    op->answers = answer_is(event);
    if (op->answers)
        return answer_decode(event, kept, &op->answer, e);
    enum err_code code = read_fields(event, kept, op, e);
    if (code == ERR_OK && op->listed && op->kind->table == &roles &&
        str_is(event->record_id, "owner"))
        return err_set(e, ERR_INVALID, "body: rights: an owner has all of them");
    return code;
}

// ---- folding ----------------------------------------------------------------------------------

static enum err_code apply(void *state, const struct record_entry *entry, struct arena *folded)
{
    struct state *s = state;
    const struct op *op = entry->op;
    struct value list = {.text = op->list}, none = {.null = true};
    if (op->answers)
        return question_answer(&s->questions, entry, &op->answer, folded);
    enum err_code code = ERR_OK;
    s->kind = op->kind;
    s->first = s->first ? s->first : entry;
    for (int i = 0; op->kind->fields[i] != NULL && code == ERR_OK; i++) {
        if (op->set[i])
            code = cell_put(&s->fields[i], entry, &op->fields[i], folded);
    }
    if (code == ERR_OK && op->listed)
        code = cell_put(&s->list, entry, &list, folded);
    return code ? code : cell_put(&s->changes, entry, &none, folded);
}

static enum err_code set_clock(struct row *row, int column, const struct record_entry *by,
                               struct arena *a)
{
    char text[HLC_TEXT_SIZE];
    hlc_format(by->order.hlc, text);
    struct str copy = arena_copy(a, str_of(text));
    row_set_text(row, column, copy);
    return copy.p ? ERR_OK : ERR_NO_MEMORY;
}

static enum err_code write_changed(const struct state *s, const struct record_entry *by,
                                   struct row *row, struct arena *a)
{
    int at = row_column_count(row->table) - 5;
    enum err_code code = set_clock(row, at, s->first, a);
    if (code == ERR_OK)
        code = set_clock(row, at + 1, by, a);
    row_set_uuid(row, at + 2, &by->id);
    row_set_number(row, at + 3, by->at);
    row_set_text(row, at + 4, by->actor);
    return code;
}

static enum err_code write_list(const struct state *s, struct str record_id, struct row_list *to)
{
    const struct cell_write *write = cell_read(&s->list, &s->questions);
    struct str list = write ? write->value.text : STR(""), item;
    while (list.n > 0 && str_cut(&list, '\n', &item)) {
        struct row *row = row_list_add(to, s->kind->list_table);
        if (row == NULL)
            return ERR_NO_MEMORY;
        row_set_text(row, 0, record_id);
        row_set_text(row, 1, item);
    }
    return ERR_OK;
}

static enum err_code write_head(const struct state *s, const struct record_entry *by,
                                struct str record_id, struct row_list *to)
{
    struct row *row = row_list_add(to, s->kind->table);
    if (row == NULL)
        return ERR_NO_MEMORY;
    row_set_text(row, 0, record_id);
    for (int i = 0; s->kind->fields[i] != NULL; i++) {
        const struct cell_write *write = cell_read(&s->fields[i], &s->questions);
        if (write != NULL)
            row->values[1 + i] = write->value;
    }
    if (s->kind->table == &users && row->values[3].null)
        row_set_number(row, 3, 1); // who was hired works, unless it was said otherwise
    if (s->kind->table == &roles)
        row_set_number(row, 2, cell_read(&s->list, &s->questions) != NULL);
    return write_changed(s, by, row, to->arena);
}

static enum err_code rows(const void *state, struct str record_id, struct row_list *to)
{
    const struct state *s = state;
    const struct cell_write *change = cell_read(&s->changes, &s->questions);
    if (s->kind == NULL)
        return ERR_OK;
    struct record_name name = {.type = str_of(s->kind->record_type), .id = record_id};
    enum err_code code = change ? write_head(s, change->by, record_id, to) : ERR_OK;
    if (code == ERR_OK && change)
        code = write_list(s, record_id, to);
    return code ? code : questions_write(&s->questions, NULL, &name, to);
}

// ---- what the rows say ------------------------------------------------------------------------

void people_user_of(const struct row_list *rows, struct str place, struct people_user *ret)
{
    *ret = (struct people_user){.role = STR("")};
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->items[i];
        const struct value *values = row->values;
        if (row->table == &users) {
            ret->known = true;
            ret->role = values[2].null ? STR("") : values[2].text;
            ret->active = values[3].number != 0;
        } else if (row->table == &user_places) {
            ret->here =
                ret->here || str_is(values[1].text, FEED_CHAIN) || str_equal(values[1].text, place);
        }
    }
}

uint32_t people_rights_of(const struct row_list *rows, struct str role)
{
    const struct role *preset = role_find(role);
    bool given = false;
    uint32_t rights = 0;
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->items[i];
        enum event_right right;
        if (row->table == &roles)
            given = row->values[2].number != 0;
        else if (row->table == &role_rights && rights_parse(row->values[1].text, &right) == ERR_OK)
            rights |= UINT32_C(1) << right;
    }
    return given ? rights : preset ? preset->rights : 0;
}

// ---- what they said then ----------------------------------------------------------------------

bool people_relies_on(const struct event *event, const struct event *grant)
{
    if (!str_is(grant->location, FEED_CHAIN) || MUTANT(grant_ignored))
        return false;
    return str_is(grant->type_name, "role_set") ||
           (str_is(grant->type_name, "user_set") && str_equal(grant->record_id, event->actor));
}

static enum err_code rows_until(const struct record *record, const struct event_order *until,
                                struct arena *a, struct row_list *ret)
{
    row_list_init(ret, a);
    return record ? record_rows_until(record, MUTANT(rights_as_now) ? NULL : until, a, ret)
                  : ERR_OK;
}

enum err_code people_user_until(const struct record *user, const struct event_order *until,
                                struct str place, struct arena *a, struct people_user *ret)
{
    struct row_list rows;
    enum err_code code = rows_until(user, until, a, &rows);
    people_user_of(&rows, place, ret);
    return code;
}

enum err_code people_rights_until(const struct record *role, const struct event_order *until,
                                  struct str name, struct arena *a, uint32_t *ret)
{
    struct row_list rows;
    enum err_code code = rows_until(role, until, a, &rows);
    *ret = people_rights_of(&rows, name);
    return code;
}

#define REDUCER(type_, tables_)                                                                    \
    {                                                                                              \
        .record_type = type_, .tables = tables_, .questions = question_none,                       \
        .state_bytes = sizeof(struct state), .decode = decode, .apply = apply, .rows = rows        \
    }
const struct reducer user_reducer = REDUCER("user", user_tables);
const struct reducer role_reducer = REDUCER("role", role_tables);
