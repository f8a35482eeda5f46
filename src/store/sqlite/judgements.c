// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/judgements.h"

#include "model/judgement.h"
#include "model/order.h"
#include "store/sqlite/effects.h"
#include "store/sqlite/state.h"

// ---- the table --------------------------------------------------------------------------------

static enum err_code add(struct fold *f, const struct fold_row *row, const struct judgement *j,
                         struct err *e)
{
    struct query q;
    const struct verdict *v = &j->verdict;
    query_begin(&q, f->tables, Q_JUDGEMENT_ADD);
    query_text(&q, row->event->location);
    query_uuid(&q, &j->target);
    query_int(&q, row->lsn);
    query_text(&q, str_of(verdict_name(v->outcome)));
    query_text(&q, str_of(verdict_reason_name(v->reason)));
    query_u64(&q, v->term);
    if (uuid_is_zero(&v->answer))
        query_null(&q);
    else
        query_uuid(&q, &v->answer);
    query_text_or_null(&q, j->batch);
    query_u64(&q, v->by.hlc);
    query_uuid(&q, &v->by.origin);
    query_int(&q, v->by.lane);
    query_u64(&q, v->by.seq);
    query_uuid(&q, &v->id);
    return query_run(&q, e);
}

static enum err_code drop(struct fold *f, const struct fold_row *row, const struct judgement *j,
                          struct err *e)
{
    struct query q;
    query_begin(&q, f->tables, Q_JUDGEMENT_DROP);
    query_text(&q, row->event->location);
    query_uuid(&q, &j->target);
    query_int(&q, row->lsn);
    return query_run(&q, e);
}

static void read_verdict(struct query *q, struct verdict *ret)
{
    *ret = (struct verdict){.term = query_get_u64(q, 1)};
    if (verdict_parse(query_get_text(q, 0), &ret->outcome))
        ret->outcome = JUDGED_APPLIED;
    (void)query_get_uuid(q, 2, &ret->answer);
    ret->by.hlc = query_get_u64(q, 3);
    (void)query_get_uuid(q, 4, &ret->by.origin);
    ret->by.lane = query_get_lane(q, 5);
    ret->by.seq = query_get_u64(q, 6);
    (void)query_get_uuid(q, 7, &ret->id);
}

// What counts of all that was judged of an event.
static enum err_code verdict_of(struct fold *f, struct str location, const struct uuid *target,
                                struct verdict *ret, struct err *e)
{
    struct query q;
    *ret = (struct verdict){.outcome = JUDGED_NOT};
    query_begin(&q, f->tables, Q_JUDGEMENTS_OF);
    query_text(&q, location);
    query_uuid(&q, target);
    while (query_row(&q)) {
        struct verdict one;
        read_verdict(&q, &one);
        if (verdict_supersedes(&one, ret))
            *ret = one;
    }
    return query_end(&q, e);
}

enum err_code judgements_drop_effects(struct fold *f, const struct event *event, bool *ret,
                                      struct err *e)
{
    struct verdict verdict;
    enum err_code code = verdict_of(f, event->location, &event->id, &verdict, e);
    *ret = code == ERR_OK && verdict.outcome == JUDGED_DUPLICATE;
    return code;
}

// ---- the target -------------------------------------------------------------------------------

// The row of the target that counts; 0 where none does.
static enum err_code find_target(struct fold *f, struct str location, const struct uuid *target,
                                 struct event *ret, int64_t *ret_lsn, struct err *e)
{
    struct ids_carriers carriers;
    *ret_lsn = 0;
    enum err_code code = ids_find(&f->ids, target, &f->others, &carriers, e);
    for (size_t i = 0; i < carriers.count && code == ERR_OK && *ret_lsn == 0; i++) {
        enum row_state state = ROW_SETTLED;
        if (carriers.lsns[i] > f->upto)
            continue;
        code = fold_state_of(f, carriers.lsns[i], &state, e);
        if (code || state > ROW_PENDING)
            continue;
        code = fold_load(f, carriers.lsns[i], ret, e);
        if (code == ERR_OK && str_equal(ret->location, location))
            *ret_lsn = carriers.lsns[i];
    }
    return code;
}

static enum err_code move_target(struct fold *f, const struct fold_row *row,
                                 const struct judgement *j, int sign, struct err *e)
{
    struct event target;
    struct effect_list list;
    int64_t lsn = 0;
    enum err_code code = find_target(f, row->event->location, &j->target, &target, &lsn, e);
    if (code || lsn == 0 || target.type == NULL)
        return code;
    code = effect_list_of(&target, &f->others, &list, e);
    if (code)
        return code;
    struct fold_row other = {.lsn = lsn, .event = &target};
    return effects_move_stock(f, &other, &list, sign, e);
}

enum err_code judgements_turn(struct fold *f, const struct fold_row *row, bool on, struct err *e)
{
    struct judgement j;
    struct verdict before, after;
    enum err_code code = judgement_decode(row->event, &j, e);
    if (code || uuid_is_zero(&j.target))
        return code;
    code = verdict_of(f, row->event->location, &j.target, &before, e);
    if (code == ERR_OK)
        code = on ? add(f, row, &j, e) : drop(f, row, &j, e);
    if (code == ERR_OK)
        code = verdict_of(f, row->event->location, &j.target, &after, e);
    if (code)
        return code;
    bool was_out = before.outcome == JUDGED_DUPLICATE, is_out = after.outcome == JUDGED_DUPLICATE;
    if (was_out == is_out)
        return ERR_OK;
    return move_target(f, row, &j, is_out ? -1 : 1, e);
}

// ---- for whoever judges -----------------------------------------------------------------------

enum err_code store_flush(struct store *s, struct err *e)
{
    struct scope scope;
    enum err_code code = scope_enter(&scope, s, e);
    return code ? code : scope_leave(&scope, fold_flush(&s->fold, e), e);
}

enum err_code store_is_judged(struct store *s, struct str location, const struct uuid *target,
                              bool *ret, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_JUDGED);
    query_text(&q, location);
    query_uuid(&q, target);
    *ret = query_row(&q);
    return query_end(&q, e);
}

enum err_code store_is_held(struct store *s, struct str location, const struct uuid *target,
                            bool *ret, struct err *e)
{
    struct verdict verdict;
    enum err_code code = verdict_of(&s->fold, location, target, &verdict, e);
    *ret = code == ERR_OK && verdict.outcome == JUDGED_HELD;
    return code;
}

enum err_code store_held_of(struct store *s, const struct record_name *batch,
                            struct uuid ret[LIMIT_BASE], size_t *ret_count, struct err *e)
{
    struct query q;
    size_t n = 0;
    query_begin(&q, &s->db, Q_JUDGEMENTS_HELD);
    query_text(&q, batch->location);
    query_text(&q, batch->id);
    query_int(&q, LIMIT_BASE);
    while (n < LIMIT_BASE && query_row(&q))
        n += query_get_uuid(&q, 0, &ret[n]);
    *ret_count = n;
    return query_end(&q, e);
}

enum err_code store_second_completions(struct store *s, const struct record_name *order,
                                       struct uuid ret[LIMIT_BASE], size_t *ret_count,
                                       struct err *e)
{
    const struct record *record = NULL;
    enum err_code code = records_look(&s->fold.records, order, &record, e);
    *ret_count = code == ERR_OK && record ? order_second_completions(record, ret) : 0;
    return code;
}
