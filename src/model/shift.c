// SPDX-License-Identifier: Apache-2.0
#include "model/shift.h"

#include "model/body.h"
#include "model/mutant.h"
#include "model/question.h"
#include "model/shift_money.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// ---- tables -----------------------------------------------------------------------------------

static const struct column head_columns[] = {
    {"id", COLUMN_TEXT, "the shift"},
    {"state", COLUMN_TEXT, "open or closed; unopened: nobody said so yet"},
    {"till", COLUMN_TEXT, "whose drawer"},
    {"z", COLUMN_INTEGER, "number of its report"},
    {"opened_at", COLUMN_INTEGER, "ms since 1970"},
    {"opened_by", COLUMN_TEXT, "who"},
    {"opening_notes", COLUMN_TEXT, "for people"},
    {"closed_at", COLUMN_INTEGER, "ms since 1970"},
    {"closed_by", COLUMN_TEXT, "who"},
    {"closing", COLUMN_UUID, "the event that counts"},
    {"closing_notes", COLUMN_TEXT, "for people"},
    {NULL, COLUMN_TEXT, NULL}};
static const struct row_table heads = {"shift_heads", 1, head_columns};
enum {
    H_ID,
    H_STATE,
    H_TILL,
    H_Z,
    H_OPENED_AT,
    H_OPENED_BY,
    H_OPENING_NOTES,
    H_CLOSED_AT,
    H_CLOSED_BY,
    H_CLOSING,
    H_CLOSING_NOTES
};

static const struct column mark_columns[] = {
    {"id", COLUMN_TEXT, "the shift"},
    {"origin", COLUMN_UUID, "of a stream"},
    {"lane", COLUMN_INTEGER, "of a stream"},
    {"upto", COLUMN_INTEGER, "the Z counted its events up to this seq"},
    {NULL, COLUMN_TEXT, NULL}};
static const struct row_table marks = {"shift_frozen", 3, mark_columns};
enum { F_ID, F_ORIGIN, F_LANE, F_UPTO };

static const struct column event_columns[] = {{"id", COLUMN_TEXT, "the shift"},
                                              {"event", COLUMN_UUID, "the Z counted it by itself"},
                                              {NULL, COLUMN_TEXT, NULL}};
static const struct row_table events = {"shift_frozen_events", 2, event_columns};
enum { E_ID, E_EVENT };

static const struct column count_columns[] = {
    {"id", COLUMN_TEXT, "the shift"},
    {"method", COLUMN_TEXT, "cash, card, ..."},
    {"currency", COLUMN_TEXT, "of the amounts"},
    {"said", COLUMN_INTEGER, "minor units: what the Z says was taken"},
    {"counted", COLUMN_INTEGER, "minor units: what was found"},
    {NULL, COLUMN_TEXT, NULL}};
static const struct row_table counts = {"shift_counts", 3, count_columns};
enum { C_ID, C_METHOD, C_CURRENCY, C_SAID, C_COUNTED };

static const struct column drawer_columns[] = {
    {"id", COLUMN_TEXT, "the shift"},
    {"event", COLUMN_UUID, "the drawer was opened without a sale"},
    {"reason", COLUMN_TEXT, "why"},
    {"at", COLUMN_INTEGER, "ms since 1970"},
    {"by", COLUMN_TEXT, "who"},
    {NULL, COLUMN_TEXT, NULL}};
static const struct row_table drawer = {"shift_drawer", 2, drawer_columns};
enum { D_ID, D_EVENT, D_REASON, D_AT, D_BY };

static const struct row_table *const tables[] = {
    &heads, &marks, &events, &counts, &drawer, &shift_money_table, &question_table, NULL};

// ---- what the events say ----------------------------------------------------------------------

enum verb { OPEN, MOVE, DRAWER, CLOSE, ANSWER };

struct sum { // of one method and currency
    struct str method, currency;
    int64_t amount;
};
struct sums {
    struct sum *items;
    size_t count;
};
struct op {
    enum verb verb;
    struct str till, notes, reason;
    struct sums floats; // open
    enum shift_kind kind;
    struct sum moved; // move: signed
    int64_t z;        // close
    const struct shift_mark *marks;
    size_t mark_count;
    const struct uuid *events;
    size_t event_count;
    struct sums said, counted;
    struct answer_op answer;
};

static int by_name(const void *a, const void *b)
{
    const struct sum *x = a, *y = b;
    int order = str_compare(x->method, y->method);
    return order ? order : str_compare(x->currency, y->currency);
}

// A list of amounts, each method and currency once; "cash" where no method is named.
static enum err_code read_sums(struct body_reader *in, const char *key, struct sums *to,
                               struct err *e)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(in->body, key));
    to->items = body_room(in, key, sizeof *to->items, &to->count);
    for (size_t i = 0; i < to->count; i++) {
        yyjson_val *item = yyjson_arr_iter_next(&iter);
        to->items[i] = (struct sum){body_copy(in, item, "method"), body_copy(in, item, "currency"),
                                    body_integer(item, "amount")};
        if (to->items[i].method.n == 0)
            to->items[i].method = STR("cash");
    }
    if (in->full)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a shift");
    if (to->count > 1)
        qsort(to->items, to->count, sizeof *to->items, by_name);
    for (size_t i = 1; i < to->count; i++) {
        if (by_name(&to->items[i - 1], &to->items[i]) == 0)
            return err_set(e, ERR_INVALID, "body: %s: a method and currency comes twice", key);
    }
    return ERR_OK;
}

static enum err_code read_open(struct body_reader *in, struct op *op, struct err *e)
{
    op->till = body_copy(in, in->body, "till");
    op->notes = body_copy(in, in->body, "notes");
    enum err_code code = read_sums(in, "float", &op->floats, e);
    for (size_t i = 0; i < op->floats.count && code == ERR_OK; i++) {
        if (op->floats.items[i].amount < 0)
            code = err_set(e, ERR_INVALID, "body: float: amount: is below zero");
    }
    return code;
}

static enum err_code read_move(struct body_reader *in, struct op *op, struct err *e)
{
    struct str kind = body_text(in->body, "kind");
    int64_t amount = body_integer(in->body, "amount");
    if (amount <= 0)
        return err_set(e, ERR_INVALID, "body: amount: must be above zero");
    op->kind = str_is(kind, "in")    ? SHIFT_CASH_IN
               : str_is(kind, "out") ? SHIFT_CASH_OUT
                                     : SHIFT_CASH_DROP;
    op->moved = (struct sum){STR("cash"), body_copy(in, in->body, "currency"),
                             op->kind == SHIFT_CASH_IN ? amount : -amount};
    return ERR_OK;
}

static enum err_code read_drawer(struct body_reader *in, struct op *op, struct err *e)
{
    (void)e;
    op->reason = body_copy(in, in->body, "reason");
    return ERR_OK;
}

static int by_stream(const void *a, const void *b)
{
    const struct shift_mark *x = a, *y = b;
    int order = uuid_compare(&x->origin, &y->origin);
    order = order ? order : (int)x->lane - (int)y->lane;
    return order ? order : (x->upto < y->upto) - (x->upto > y->upto); // the highest first
}

// Each stream once, with the highest seq that was named.
static enum err_code read_marks(struct body_reader *in, struct op *op, struct err *e)
{
    size_t count, kept = 0;
    struct shift_mark *items = body_room(in, "streams", sizeof *items, &count);
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(in->body, "streams"));
    for (size_t i = 0; i < count; i++) {
        yyjson_val *item = yyjson_arr_iter_next(&iter);
        items[i] = (struct shift_mark){.origin = body_uuid(item, "origin"),
                                       .upto = (uint64_t)body_integer(item, "upto")};
        if (lane_parse(body_text(item, "lane"), &items[i].lane))
            return err_set(e, ERR_INVALID, "body: streams: lane: unknown");
        if (body_integer(item, "upto") < 1)
            return err_set(e, ERR_INVALID, "body: streams: upto: must be above zero");
    }
    if (count > 1)
        qsort(items, count, sizeof *items, by_stream);
    for (size_t i = 0; i < count; i++) {
        bool again = kept > 0 && items[kept - 1].lane == items[i].lane &&
                     uuid_equal(&items[kept - 1].origin, &items[i].origin);
        if (!again)
            items[kept++] = items[i];
    }
    op->marks = items;
    op->mark_count = kept;
    return ERR_OK;
}

static int by_id(const void *a, const void *b)
{
    return uuid_compare(a, b);
}

static void read_events(struct body_reader *in, struct op *op)
{
    size_t count, kept = 0;
    struct uuid *ids = body_room(in, "events", sizeof *ids, &count);
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(in->body, "events"));
    for (size_t i = 0; i < count; i++)
        ids[i] = body_uuid(yyjson_arr_iter_next(&iter), "event");
    if (count > 1)
        qsort(ids, count, sizeof *ids, by_id);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !uuid_equal(&ids[kept - 1], &ids[i]))
            ids[kept++] = ids[i];
    }
    op->events = ids;
    op->event_count = kept;
}

static enum err_code read_close(struct body_reader *in, struct op *op, struct err *e)
{
    read_events(in, op);
    op->z = body_integer(in->body, "z");
    op->notes = body_copy(in, in->body, "notes");
    if (op->z < 1)
        return err_set(e, ERR_INVALID, "body: z: must be above zero");
    enum err_code code = read_marks(in, op, e);
    if (code == ERR_OK)
        code = read_sums(in, "totals", &op->said, e);
    return code ? code : read_sums(in, "counted", &op->counted, e);
}

static const struct {
    const char *type;
    enum verb verb;
    enum err_code (*read)(struct body_reader *in, struct op *op, struct err *e);
} verbs[] = {{"shift_opened", OPEN, read_open},
             {"cash_moved", MOVE, read_move},
             {"drawer_opened", DRAWER, read_drawer},
             {"shift_closed", CLOSE, read_close}};

static enum err_code decode(const struct event *event, struct arena *kept, const void **ret_op,
                            struct err *e)
{
    struct body_reader in = {event->body, kept, false};
    struct op *op = arena_alloc_zero(kept, sizeof *op);
    size_t i = 0;
    if (op == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a shift");
    *ret_op = op;
    op->verb = ANSWER;
    if (str_is(event->type_name, "review_resolved"))
        return answer_decode(event, kept, &op->answer, e);
    while (i < sizeof verbs / sizeof verbs[0] && !str_is(event->type_name, verbs[i].type))
        i++;
    if (i == sizeof verbs / sizeof verbs[0])
        return err_set(e, ERR_INVALID, "event: type: does not change a shift");
    op->verb = verbs[i].verb;
    enum err_code code = verbs[i].read(&in, op, e);
    return code == ERR_OK && in.full ? err_set(e, ERR_NO_MEMORY, "out of memory for a shift")
                                     : code;
}

// ---- folding ----------------------------------------------------------------------------------

struct item {
    const struct record_entry *by;
    struct item *next;
};
struct state {
    struct item *openings, *closings, *moves, *drawers; // each in order
    struct questions questions;
};

static enum err_code add(struct item **list, const struct record_entry *entry, struct arena *a)
{
    struct item *item = arena_alloc_zero(a, sizeof *item);
    if (item == NULL)
        return ERR_NO_MEMORY;
    item->by = entry;
    while (*list != NULL)
        list = &(*list)->next;
    *list = item;
    return ERR_OK;
}

static enum err_code apply(void *state, const struct record_entry *entry, struct arena *folded)
{
    struct state *s = state;
    const struct op *op = entry->op;
    switch (op->verb) {
    case OPEN:
        return add(&s->openings, entry, folded);
    case MOVE:
        return add(&s->moves, entry, folded);
    case DRAWER:
        return add(&s->drawers, entry, folded);
    case CLOSE:
        return add(&s->closings, entry, folded);
    case ANSWER:
        return question_answer(&s->questions, entry, &op->answer, folded);
    }
    return ERR_OK;
}

// ---- looking ----------------------------------------------------------------------------------

struct view {
    const struct state *state;
    struct record_name name;
    struct row_list *to;
    const struct record_entry *opened, *closed; // that count; NULL: none
    struct question *found;
};

// The first that nobody rejected; all of them rejected: the first.
static const struct record_entry *first_of(const struct view *v, const struct item *list)
{
    for (const struct item *i = list; i != NULL; i = i->next) {
        bool passed = MUTANT(closed_again) && i->next != NULL;
        if (question_counts(&v->state->questions, i->by) && !passed)
            return i->by;
    }
    return list ? list->by : NULL;
}

static struct str say(const struct op *op, struct arena *a)
{
    char text[LIMIT_NAME + 48];
    if (op->verb == OPEN)
        snprintf(text, sizeof text, "till %.*s", STR_ARG(op->till));
    else
        snprintf(text, sizeof text, "Z %lld", (long long)op->z);
    return arena_copy(a, str_of(text));
}

static enum err_code ask_twice(struct view *v, const struct item *list, const char *kind,
                               const char *why)
{
    enum err_code code = ERR_OK;
    for (const struct item *i = list ? list->next : NULL; i && code == ERR_OK; i = i->next) {
        struct question question = {.kind = kind,
                                    .sides = {{list->by, say(list->by->op, v->to->arena)},
                                              {i->by, say(i->by->op, v->to->arena)}},
                                    .suggested = DECISION_ACCEPT,
                                    .why = why};
        bool full = question.sides[0].value.p == NULL || question.sides[1].value.p == NULL;
        code = full ? ERR_NO_MEMORY : question_ask(&v->found, &question, v->to->arena);
    }
    return code;
}

static enum err_code write_head(struct view *v)
{
    struct row *row = row_list_add(v->to, &heads);
    if (row == NULL)
        return ERR_NO_MEMORY;
    row_set_text(row, H_ID, v->name.id);
    row_set_text(row, H_STATE,
                 v->closed   ? STR("closed")
                 : v->opened ? STR("open")
                             : STR("unopened"));
    if (v->opened != NULL) {
        const struct op *op = v->opened->op;
        row_set_text(row, H_TILL, op->till);
        row_set_number(row, H_OPENED_AT, v->opened->at);
        row_set_text(row, H_OPENED_BY, v->opened->actor);
        row_set_text(row, H_OPENING_NOTES, op->notes);
    }
    if (v->closed != NULL) {
        const struct op *op = v->closed->op;
        row_set_number(row, H_Z, op->z);
        row_set_number(row, H_CLOSED_AT, v->closed->at);
        row_set_text(row, H_CLOSED_BY, v->closed->actor);
        row_set_uuid(row, H_CLOSING, &v->closed->id);
        row_set_text(row, H_CLOSING_NOTES, op->notes);
    }
    return ERR_OK;
}

static enum err_code write_money(struct view *v, const struct record_entry *by,
                                 enum shift_kind kind, const struct sum *sums, size_t count)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < count && code == ERR_OK; i++) {
        struct shift_money money = {.shift = v->name.id,
                                    .by = by,
                                    .number = (int)i + 1,
                                    .kind = kind,
                                    .method = sums[i].method,
                                    .currency = sums[i].currency,
                                    .amount = sums[i].amount};
        code = shift_money_write(v->to, &v->name, &money);
    }
    return code;
}

static enum err_code write_moves(struct view *v)
{
    const struct op *opening = v->opened ? v->opened->op : NULL;
    enum err_code code = ERR_OK;
    if (opening != NULL)
        code = write_money(v, v->opened, SHIFT_FLOAT, opening->floats.items, opening->floats.count);
    for (const struct item *i = v->state->moves; i != NULL && code == ERR_OK; i = i->next) {
        const struct op *op = i->by->op;
        code = write_money(v, i->by, op->kind, &op->moved, 1);
    }
    return code;
}

static enum err_code write_drawers(struct view *v)
{
    for (const struct item *i = v->state->drawers; i != NULL; i = i->next) {
        const struct op *op = i->by->op;
        struct row *row = row_list_add(v->to, &drawer);
        if (row == NULL)
            return ERR_NO_MEMORY;
        row_set_text(row, D_ID, v->name.id);
        row_set_uuid(row, D_EVENT, &i->by->id);
        row_set_text(row, D_REASON, op->reason);
        row_set_number(row, D_AT, i->by->at);
        row_set_text(row, D_BY, i->by->actor);
    }
    return ERR_OK;
}

static enum err_code write_frozen(struct view *v, const struct op *op)
{
    for (size_t i = 0; i < op->mark_count; i++) {
        struct row *row = row_list_add(v->to, &marks);
        if (row == NULL)
            return ERR_NO_MEMORY;
        row_set_text(row, F_ID, v->name.id);
        row_set_uuid(row, F_ORIGIN, &op->marks[i].origin);
        row_set_number(row, F_LANE, op->marks[i].lane);
        row_set_number(row, F_UPTO, (int64_t)op->marks[i].upto);
    }
    for (size_t i = 0; i < op->event_count; i++) {
        struct row *row = row_list_add(v->to, &events);
        if (row == NULL)
            return ERR_NO_MEMORY;
        row_set_text(row, E_ID, v->name.id);
        row_set_uuid(row, E_EVENT, &op->events[i]);
    }
    return ERR_OK;
}

// What was said and what was counted, side by side; both lists are sorted.
static enum err_code write_counts(struct view *v, const struct op *op)
{
    size_t a = 0, b = 0;
    while (a < op->said.count || b < op->counted.count) {
        const struct sum *said = a < op->said.count ? &op->said.items[a] : NULL;
        const struct sum *counted = b < op->counted.count ? &op->counted.items[b] : NULL;
        int order = said == NULL ? 1 : counted == NULL ? -1 : by_name(said, counted);
        const struct sum *name = order <= 0 ? said : counted;
        MUST(name != NULL);
        struct row *row = row_list_add(v->to, &counts);
        if (row == NULL)
            return ERR_NO_MEMORY;
        row_set_text(row, C_ID, v->name.id);
        row_set_text(row, C_METHOD, name->method);
        row_set_text(row, C_CURRENCY, name->currency);
        if (order <= 0)
            row_set_number(row, C_SAID, said->amount);
        if (order >= 0)
            row_set_number(row, C_COUNTED, counted->amount);
        a += order <= 0;
        b += order >= 0;
    }
    return ERR_OK;
}

static enum err_code rows(const void *state, struct str id, struct row_list *to)
{
    struct view v = {.state = state, .name = {.type = STR("shift"), .id = id}, .to = to};
    const struct state *s = state;
    v.opened = first_of(&v, s->openings);
    v.closed = first_of(&v, s->closings);
    enum err_code code = ERR_OK;
    if (s->openings || s->closings || s->moves || s->drawers)
        code = write_head(&v);
    if (code == ERR_OK)
        code = write_moves(&v);
    if (code == ERR_OK)
        code = write_drawers(&v);
    if (code == ERR_OK && v.closed != NULL)
        code = write_frozen(&v, v.closed->op);
    if (code == ERR_OK && v.closed != NULL)
        code = write_counts(&v, v.closed->op);
    if (code == ERR_OK)
        code = ask_twice(&v, s->openings, "opened_twice", "a drawer is opened once");
    if (code == ERR_OK)
        code = ask_twice(&v, s->closings, "closed_twice",
                         "a Z is never redone; what the second counted is late");
    return code ? code : questions_write(&s->questions, v.found, &v.name, to);
}

static const struct question_kind questions[] = {
    {"opened_twice", "One shift was opened twice; the first opening counts."},
    {"closed_twice", "One shift was closed twice; the first closing counts."},
    {NULL, NULL}};

const struct reducer shift_reducer = {.record_type = "shift",
                                      .tables = tables,
                                      .questions = questions,
                                      .state_bytes = sizeof(struct state),
                                      .decode = decode,
                                      .apply = apply,
                                      .rows = rows};
