// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/carriers.h"

#include "store/sqlite/questions.h"
#include "store/sqlite/state.h"

struct carrier {
    int64_t lsn;
    struct event event;
    struct event_order order;
    enum row_state state;
};
struct carriers {
    struct carrier *items;
    size_t count;
};

static enum err_code load_one(struct fold *f, int64_t lsn, struct carrier *to, bool *ret_in,
                              struct err *e)
{
    bool beyond = false;
    to->lsn = lsn;
    enum err_code code = fold_load(f, lsn, &to->event, e);
    if (code == ERR_OK)
        code = fold_state_of(f, lsn, &to->state, e);
    if (code == ERR_OK)
        code = revoke_is_beyond(f, &to->event, &beyond, e);
    if (code == ERR_OK)
        to->order = event_order_of(&to->event);
    *ret_in = !beyond && to->state != ROW_WITHHELD; // what may rejoin does so in its turn
    return code;
}

// The other rows that carry the event's id at its place and take part.
static enum err_code load(struct fold *f, const struct fold_row *row,
                          const struct ids_carriers *from, struct carriers *ret, struct err *e)
{
    enum err_code code = ERR_OK;
    *ret = (struct carriers){
        .items = arena_alloc(&f->others, (from->count + 1) * sizeof(struct carrier))};
    if (ret->items == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for the carriers of an id");
    for (size_t i = 0; i < from->count && code == ERR_OK; i++) {
        struct carrier *c = &ret->items[ret->count];
        bool in = false;
        if (from->lsns[i] == row->lsn || from->lsns[i] > f->upto)
            continue;
        code = load_one(f, from->lsns[i], c, &in, e);
        ret->count += in && str_equal(c->event.location, row->event->location);
    }
    return code;
}

static bool counts(const struct carrier *c)
{
    return c->state != ROW_DUPLICATE && c->state != ROW_ID_CONFLICT;
}

static enum row_state beside(const struct event *counted, const struct event *other)
{
    return event_same_content(counted, other) ? ROW_DUPLICATE : ROW_ID_CONFLICT;
}

static enum err_code review_id(struct fold *f, const struct fold_row *row, bool conflict,
                               struct err *e)
{
    char text[UUID_TEXT_SIZE];
    if (f->store == NULL)
        return ERR_OK;
    uuid_format(&row->event->id, text);
    struct review review = {
        .kind = STR("id_conflict"),
        .record = str_of(text),
        .location = row->event->location,
        .text = STR("One event id carries different contents; the earlier one counts."),
        .opened_at = row->received_at};
    return conflict ? questions_ask(f->tables, &review, e) : questions_drop(f->tables, &review, e);
}

// ---- a row more -------------------------------------------------------------------------------

// The new row is earlier than the one that counted: that is undone, and all others are judged by
// the new one.
static enum err_code take_over(struct fold *f, struct fold_row *row, struct carriers *others,
                               bool *ret_conflict, struct err *e)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < others->count && code == ERR_OK; i++) {
        struct carrier *c = &others->items[i];
        struct fold_row old = {.lsn = c->lsn, .event = &c->event, .received_at = row->received_at};
        if (counts(c) && c->state != ROW_DEAD)
            code = fold_take_back(f, &old, e);
        enum row_state state = beside(row->event, &c->event);
        *ret_conflict = *ret_conflict || state == ROW_ID_CONFLICT;
        if (code == ERR_OK)
            code = fold_set_state(f, c->lsn, &c->event, state, e);
    }
    return code ? code : fold_apply(f, row, e);
}

// A carrier that was pruned stays the one that counts: it was settled long ago, and what it did is
// not here to be undone. Should the order say otherwise, the centre does.
static enum err_code settle_by_past(struct fold *f, struct fold_row *row,
                                    const struct past_event *past, struct err *e)
{
    struct past_event mine;
    enum err_code code = past_of(row->event, true, &f->others, &mine, e);
    if (code)
        return code;
    row->ret_state = mine.content == past->content ? ROW_DUPLICATE : ROW_ID_CONFLICT;
    return review_id(f, row, row->ret_state == ROW_ID_CONFLICT, e);
}

enum err_code carriers_settle(struct fold *f, struct fold_row *row, const struct ids_carriers *from,
                              struct err *e)
{
    struct carriers others = {.count = 0};
    size_t holder = 0;
    bool conflict = false, any = false;
    if (from->gone && from->past.counts)
        return settle_by_past(f, row, &from->past, e);
    enum err_code code = from->count > 0 ? load(f, row, from, &others, e) : ERR_OK;
    if (code)
        return code;
    for (size_t i = 0; i < others.count; i++) {
        any = any || counts(&others.items[i]);
        holder = counts(&others.items[i]) ? i : holder;
        conflict = conflict || others.items[i].state == ROW_ID_CONFLICT;
    }
    if (!any) // carried at other places only, or withdrawn
        return fold_apply(f, row, e);
    struct event_order mine = event_order_of(row->event);
    if (event_order_compare(&mine, &others.items[holder].order) > 0) {
        row->ret_state = beside(&others.items[holder].event, row->event);
        conflict = conflict || row->ret_state == ROW_ID_CONFLICT;
    } else {
        conflict = false;
        code = take_over(f, row, &others, &conflict, e);
    }
    return code ? code : review_id(f, row, conflict, e);
}

// ---- a row less -------------------------------------------------------------------------------

static const struct carrier *first_of(const struct carriers *list)
{
    const struct carrier *first = &list->items[0];
    for (size_t i = 1; i < list->count; i++) {
        if (event_order_compare(&list->items[i].order, &first->order) < 0)
            first = &list->items[i];
    }
    return first;
}

// Folds a row that was none of those that count.
static enum err_code promote(struct fold *f, const struct carrier *c, int64_t now_ms, struct err *e)
{
    struct fold_row row = {.lsn = c->lsn, .event = &c->event, .received_at = now_ms};
    enum err_code code = fold_base(f, c->lsn, &row.base, e);
    if (code == ERR_OK)
        code = fold_apply(f, &row, e);
    if (code == ERR_OK)
        code = fold_write_state(f, &row, e);
    return code ? code : fold_contended(f, &row, e);
}

// What is left of an id's carriers when one of them is gone: the first of them counts.
static enum err_code judge_rest(struct fold *f, const struct fold_row *gone, struct err *e)
{
    struct ids_carriers from;
    struct carriers rest;
    bool conflict = false;
    enum err_code code = ids_find(&f->ids, &gone->event->id, &f->others, &from, e);
    if (code == ERR_OK)
        code = load(f, gone, &from, &rest, e);
    if (code)
        return code;
    if (rest.count == 0)
        return review_id(f, gone, false, e);
    const struct carrier *first = first_of(&rest);
    if (!counts(first))
        code = promote(f, first, gone->received_at, e);
    for (size_t i = 0; i < rest.count && code == ERR_OK; i++) {
        const struct carrier *c = &rest.items[i];
        if (c == first)
            continue;
        enum row_state state = beside(&first->event, &c->event);
        conflict = conflict || state == ROW_ID_CONFLICT;
        code = fold_set_state(f, c->lsn, &c->event, state, e);
    }
    return code ? code : review_id(f, gone, conflict, e);
}

enum err_code carriers_withhold(struct fold *f, struct fold_row *row, enum row_state state,
                                struct err *e)
{
    enum row_state before = ROW_SETTLED;
    enum err_code code = fold_state_of(f, row->lsn, &before, e);
    bool counted = before != ROW_DUPLICATE && before != ROW_ID_CONFLICT && before != ROW_WITHHELD;
    if (code == ERR_OK && counted && before != ROW_DEAD)
        code = fold_take_back(f, row, e);
    if (code == ERR_OK)
        code = fold_set_state(f, row->lsn, row->event, state, e);
    return code ? code : judge_rest(f, row, e);
}

enum err_code carriers_rejoin(struct fold *f, struct fold_row *row, struct err *e)
{
    struct ids_carriers from;
    enum err_code code = ids_find(&f->ids, &row->event->id, &f->others, &from, e);
    if (code == ERR_OK)
        code = fold_base(f, row->lsn, &row->base, e);
    if (code == ERR_OK)
        code = carriers_settle(f, row, &from, e);
    if (code == ERR_OK)
        code = fold_write_state(f, row, e);
    return code ? code : fold_contended(f, row, e);
}
