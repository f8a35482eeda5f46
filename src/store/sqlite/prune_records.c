// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/prune_records.h"

enum { SWEEP_MAX = 16, SWEEP_SPAN = 256, SWEEP_PAST = 64 };

// What else keeps a record of this type: the statement gives a row for an open one.
static const struct {
    const char *record_type;
    enum db_statement open;
    const char *why;
} over_rules[] = {
    {"order", Q_ORDER_OPEN, "an order that was neither paid nor voided is somebody's money"},
    {"reservation", Q_RESERVATION_OPEN, "goods are kept, or may be"},
    {"shift", Q_SHIFT_OPEN, "a drawer that nobody closed"},
    {"unmet", Q_UNMET_OPEN, "nothing: it is told, and that is all"},
};
enum { OVER_RULES = sizeof over_rules / sizeof over_rules[0] };

static enum err_code exists(struct query *q, bool *ret, struct err *e)
{
    *ret = query_row(q);
    return query_end(q, e);
}

static enum err_code record_of(struct store *s, const struct event *event, int64_t lsn,
                               int64_t *ret, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_RECORD_OF_EVENT);
    query_text(&q, event->location);
    query_text(&q, event->record_type);
    query_text(&q, event->record_id);
    query_int(&q, lsn);
    *ret = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_end(&q, e);
}

// As if the feed had told it; but no copy of the feed takes back what does not repeat it.
static enum err_code tell(struct store *s, const struct event *event, int64_t *ret_number,
                          struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_TOLD_KEEP_OWN);
    query_text(&q, event->location);
    query_uuid(&q, &event->id);
    query_text(&q, event->bytes);
    *ret_number = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_run(&q, e);
}

// What is no longer read of a long record is not kept either.
static enum err_code forget(struct store *s, const struct event *event, int64_t lsn, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_RECORD_PAST_FORGET);
    query_text(&q, event->location);
    query_text(&q, event->record_type);
    query_text(&q, event->record_id);
    query_int(&q, lsn);
    return query_run(&q, e);
}

enum err_code prune_records_keep(struct store *s, const struct event *event, int64_t lsn,
                                 int64_t *ret_record, struct err *e)
{
    struct query q;
    struct record_name name = {event->location, event->record_type, event->record_id};
    int64_t number = 0;
    *ret_record = 0;
    if (event->type == NULL || !record_takes(event->type, event->record_type))
        return ERR_OK;
    enum err_code code = record_of(s, event, lsn, ret_record, e);
    if (code == ERR_OK && *ret_record == 0)
        return forget(s, event, lsn, e);
    if (code)
        return code;
    code = tell(s, event, &number, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_RECORD_EVENT_DROP);
    query_int(&q, *ret_record);
    query_int(&q, lsn);
    code = query_run(&q, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_RECORD_EVENT_ADD);
    query_int(&q, *ret_record);
    query_int(&q, -number);
    records_reread(&s->fold.records, &name);
    return query_run(&q, e);
}

// ---- over --------------------------------------------------------------------------------------

struct ending {
    struct record_name name; // in the arena
    struct arena arena;
    bool there;
};

static enum err_code read_name(struct store *s, int64_t record, struct ending *ret, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_RECORD_NAME);
    query_int(&q, record);
    ret->there = query_row(&q);
    if (ret->there)
        ret->name = (struct record_name){arena_copy(&ret->arena, query_get_text(&q, 0)),
                                         arena_copy(&ret->arena, query_get_text(&q, 1)),
                                         arena_copy(&ret->arena, query_get_text(&q, 2))};
    enum err_code code = query_end(&q, e);
    bool whole = ret->name.location.p && ret->name.type.p && ret->name.id.p;
    return code == ERR_OK && ret->there && !whole ? err_set(e, ERR_NO_MEMORY, "out of memory")
                                                  : code;
}

// An event of it is in the journal, or younger than the limit.
static enum err_code is_young(struct store *s, int64_t record, int64_t before_ms, bool *ret,
                              struct err *e)
{
    struct query q;
    char limit[HLC_TEXT_SIZE];
    hlc_format(before_ms > 0 ? (hlc)before_ms << 16 : 0, limit);
    query_begin(&q, &s->db, Q_RECORD_YOUNG);
    query_int(&q, record);
    query_text(&q, str_of(limit));
    return exists(&q, ret, e);
}

// OVER_RULES: there is none.
static size_t rule_of(struct str record_type)
{
    size_t i = 0;
    while (i < OVER_RULES && !str_is(record_type, over_rules[i].record_type))
        i++;
    return i;
}

bool prune_records_may_end(struct str record_type)
{
    return rule_of(record_type) < OVER_RULES;
}

enum err_code prune_records_open(struct store *s, const struct record_name *name, bool *ret,
                                 struct err *e)
{
    struct query q;
    size_t i = rule_of(name->type);
    *ret = true;
    if (i == OVER_RULES)
        return ERR_OK;
    query_begin(&q, &s->db, over_rules[i].open);
    query_text(&q, name->location);
    query_text(&q, name->id);
    enum err_code code = exists(&q, ret, e);
    if (code || *ret)
        return code;
    query_begin(&q, &s->db, Q_RECORD_ASKED);
    query_text(&q, name->location);
    query_text(&q, name->id);
    query_text(&q, name->type);
    return exists(&q, ret, e);
}

static enum err_code drop_by(struct store *s, enum db_statement statement, int64_t record,
                             struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, statement);
    query_int(&q, record);
    return query_run(&q, e);
}

static enum err_code end(struct store *s, int64_t record, const struct record_name *name,
                         struct err *e)
{
    enum err_code code = drop_by(s, Q_TOLD_DROP_RECORD, record, e);
    if (code == ERR_OK)
        code = drop_by(s, Q_RECORD_EVENTS_DROP, record, e);
    if (code == ERR_OK)
        code = drop_by(s, Q_RECORD_PAST_DROP, record, e);
    if (code == ERR_OK)
        code = drop_by(s, Q_RECORD_DROP, record, e);
    return code ? code : records_drop(&s->fold.records, name, e);
}

// ret_young: it, and what was begun after it, cannot be over yet.
static enum err_code end_if_over(struct store *s, int64_t record, int64_t before_ms,
                                 bool *ret_young, struct err *e)
{
    struct ending ending = {.there = false};
    bool open = false;
    enum err_code code = is_young(s, record, before_ms, ret_young, e);
    if (code || *ret_young)
        return code;
    arena_init(&ending.arena, (size_t)64 * 1024);
    code = read_name(s, record, &ending, e);
    if (code == ERR_OK && ending.there)
        code = prune_records_open(s, &ending.name, &open, e);
    if (code == ERR_OK && ending.there && !open)
        code = end(s, record, &ending.name, e);
    arena_fini(&ending.arena);
    return code;
}

enum err_code prune_records_end(struct store *s, int64_t record, int64_t before_ms, struct err *e)
{
    bool young = false;
    return end_if_over(s, record, before_ms, &young, e);
}

static enum err_code read_number(struct query *q, int64_t *ret, struct err *e)
{
    *ret = query_row(q) ? query_get_int(q, 0) : 0;
    return query_end(q, e);
}

struct span { // of records, by number; what is older than the limit may go
    int64_t from, to;
    char limit[HLC_TEXT_SIZE];
};

// The oldest that the feed told of a long record and nobody reads any more; *ret_record 0: none.
static enum err_code find_past(struct store *s, const struct span *span, int64_t *ret_record,
                               int64_t *ret_lsn, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_RECORD_PAST_TOLD);
    query_int(&q, span->from);
    query_int(&q, span->to);
    query_text(&q, str_of(span->limit));
    *ret_record = 0;
    if (query_row(&q)) {
        *ret_record = query_get_int(&q, 0);
        *ret_lsn = query_get_int(&q, 1);
    }
    return query_end(&q, e);
}

// *ret_more: there may be others.
static enum err_code sweep_past(struct store *s, const struct span *span, bool *ret_more,
                                struct err *e)
{
    int64_t record = 1, lsn = 0;
    enum err_code code = ERR_OK;
    for (int i = 0; i < SWEEP_PAST && code == ERR_OK && record != 0; i++) {
        struct query q;
        code = find_past(s, span, &record, &lsn, e);
        *ret_more = code == ERR_OK && record != 0;
        if (!*ret_more)
            return code;
        query_begin(&q, &s->db, Q_RECORD_PAST_DROP_ONE);
        query_int(&q, record);
        query_int(&q, lsn);
        code = query_run(&q, e);
        if (code == ERR_OK)
            code = drop_by(s, Q_TOLD_DROP, -lsn, e);
    }
    return code;
}

enum err_code prune_records_sweep(struct store *s, int64_t *from, int64_t before_ms, struct err *e)
{
    struct query q;
    bool young = false, more = false;
    int64_t last = 0, record = 0;
    struct span span = {.from = *from, .to = *from + SWEEP_SPAN - 1};
    hlc_format(before_ms > 0 ? (hlc)before_ms << 16 : 0, span.limit);
    query_begin(&q, &s->db, Q_RECORD_LAST);
    enum err_code code = read_number(&q, &last, e);
    if (code == ERR_OK)
        code = sweep_past(s, &span, &more, e);
    if (code || more)
        return code;
    for (int i = 0; i < SWEEP_MAX && code == ERR_OK && *from <= span.to && !young; i++) {
        query_begin(&q, &s->db, Q_RECORD_TOLD_ONLY);
        query_int(&q, *from);
        query_int(&q, span.to);
        code = read_number(&q, &record, e);
        if (code == ERR_OK && record != 0)
            code = end_if_over(s, record, before_ms, &young, e);
        *from = record == 0 ? span.to + 1 : record + 1;
    }
    if (young || *from > last)
        *from = 0;
    return code;
}
