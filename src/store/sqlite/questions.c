// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/questions.h"

#include "model/question.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/state.h"

#include <stdio.h>

static enum err_code open_review(struct db *db, const struct review *review, struct err *e)
{
    struct query q;
    query_begin(&q, db, Q_REVIEW_OPEN);
    query_text(&q, review->kind);
    query_text(&q, review->location);
    query_text(&q, review->record);
    query_text(&q, review->text);
    query_text(&q, review->detail.n == 0 ? STR("{}") : review->detail);
    query_int(&q, review->opened_at);
    return query_run(&q, e);
}

enum err_code questions_ask(struct db *db, const struct review *review, struct err *e)
{
    struct query q;
    enum err_code code = open_review(db, review, e);
    if (code)
        return code;
    query_begin(&q, db, Q_REVIEW_TELL);
    query_text(&q, review->detail.n == 0 ? STR("{}") : review->detail);
    query_text(&q, review->kind);
    query_text(&q, review->location);
    query_text(&q, review->record);
    return query_run(&q, e);
}

enum err_code questions_drop(struct db *db, const struct review *review, struct err *e)
{
    struct query q;
    query_begin(&q, db, Q_REVIEW_DROP);
    query_text(&q, review->kind);
    query_text(&q, review->location);
    query_text(&q, review->record);
    return query_run(&q, e);
}

static enum err_code put_text(struct db *db, const char *type, const char *kind, const char *text,
                              struct err *e)
{
    struct query q;
    char name[2 * LIMIT_NAME];
    (void)snprintf(name, sizeof name, "%s_%s", type, kind);
    query_begin(&q, db, Q_REVIEW_TEXT);
    query_text(&q, str_of(name));
    query_text(&q, str_of(text));
    return query_run(&q, e);
}

// What the record itself asks, and what judgements ask of any record.
static enum err_code put_texts(struct db *db, const struct reducer *reducer, struct err *e)
{
    const char *type = reducer->record_type;
    enum err_code code = ERR_OK;
    for (const struct question_kind *k = reducer->questions; k->kind && code == ERR_OK; k++)
        code = put_text(db, type, k->kind, k->text, e);
    for (int i = REASON_NONE + 1; i < REASON_COUNT && code == ERR_OK; i++) {
        struct verdict verdict = {JUDGED_APPLIED, .reason = (enum verdict_reason)i};
        if (verdict_asks(&verdict))
            code = put_text(db, type, verdict_reason_name(verdict.reason),
                            verdict_reason_text(verdict.reason), e);
    }
    return code;
}

enum err_code questions_texts(struct db *db, struct err *e)
{
    enum err_code code = db_exec(db, "BEGIN IMMEDIATE", e);
    if (code)
        return code;
    for (size_t i = 0; i < reducer_count && code == ERR_OK; i++)
        code = put_texts(db, reducers[i], e);
    if (code == ERR_OK)
        code = db_exec(db, "COMMIT", e);
    if (code)
        db_undo(db);
    return code;
}

enum err_code store_review_open(struct store *s, const struct review *review, struct err *e)
{
    return open_review(&s->db, review, e);
}

static enum err_code copy_text(struct query *q, int column, struct arena *a, struct str *ret)
{
    *ret = arena_copy(a, query_get_text(q, column));
    return ret->p == NULL ? ERR_NO_MEMORY : ERR_OK;
}

static enum err_code read_review(struct query *q, struct arena *a, struct review *ret)
{
    *ret = (struct review){.number = query_get_int(q, 0),
                           .opened_at = query_get_int(q, 6),
                           .open = query_get_int(q, 7) != 0};
    if (copy_text(q, 1, a, &ret->kind) || copy_text(q, 2, a, &ret->record) ||
        copy_text(q, 3, a, &ret->location) || copy_text(q, 4, a, &ret->text) ||
        copy_text(q, 5, a, &ret->detail))
        return ERR_NO_MEMORY;
    return ERR_OK;
}

enum err_code store_review_find(struct store *s, int64_t number, struct arena *a,
                                struct review *ret, struct err *e)
{
    struct query q;
    enum err_code memory = ERR_OK;
    query_begin(&q, &s->db, Q_REVIEW_FIND);
    query_int(&q, number);
    bool found = query_row(&q);
    if (found)
        memory = read_review(&q, a, ret);
    enum err_code code = query_end(&q, e);
    if (code == ERR_OK && memory)
        code = err_set(e, memory, "out of memory for a review");
    return code || found ? code : err_set(e, ERR_NOT_FOUND, "there is no such review");
}

static enum err_code add_review(struct arena *a, struct review_list *list, size_t *room,
                                const struct review *one)
{
    struct review *items = rows_grow(a, list->items, list->count, room, sizeof *one);
    if (items == NULL)
        return ERR_NO_MEMORY;
    list->items = items;
    items[list->count++] = *one;
    return ERR_OK;
}

static enum err_code list_reviews(struct query *q, struct arena *a, struct review_list *ret,
                                  struct err *e)
{
    struct review one;
    struct review_list list = {.count = 0};
    size_t room = 0;
    enum err_code memory = ERR_OK;
    while (memory == ERR_OK && query_row(q)) {
        memory = read_review(q, a, &one);
        if (memory == ERR_OK)
            memory = add_review(a, &list, &room, &one);
    }
    enum err_code code = query_end(q, e);
    if (code == ERR_OK && memory)
        code = err_set(e, memory, "out of memory for reviews");
    if (code == ERR_OK)
        *ret = list;
    return code;
}

enum err_code store_reviews(struct store *s, bool open_only, size_t max, struct arena *a,
                            struct review_list *ret, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_REVIEW_LIST);
    query_int(&q, open_only);
    query_u64(&q, max);
    return list_reviews(&q, a, ret, e);
}

enum err_code store_catalog_questions(struct store *s, size_t max, struct arena *a,
                                      struct review_list *ret, struct err *e)
{
    struct query q;
    enum err_code code = fold_flush(&s->fold, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_CATALOG_QUESTIONS);
    query_u64(&q, max);
    return list_reviews(&q, a, ret, e);
}

// ---- dead letters ------------------------------------------------------------------------------

static enum err_code add_dead(struct arena *a, struct dead_letter_list *list, size_t *room,
                              const struct dead_letter *one)
{
    struct dead_letter *items = rows_grow(a, list->items, list->count, room, sizeof *one);
    if (items == NULL)
        return ERR_NO_MEMORY;
    list->items = items;
    items[list->count++] = *one;
    return ERR_OK;
}

enum err_code store_dead_letters(struct store *s, size_t max, struct arena *a,
                                 struct dead_letter_list *ret, struct err *e)
{
    struct query q;
    struct dead_letter_list list = {.count = 0};
    size_t room = 0;
    enum err_code memory = ERR_OK;
    query_begin(&q, &s->db, Q_DEAD_LIST);
    query_u64(&q, max);
    while (memory == ERR_OK && query_row(&q)) {
        struct dead_letter one = {.lsn = query_get_int(&q, 0), .since = query_get_int(&q, 5)};
        (void)query_get_uuid(&q, 1, &one.id);
        if (copy_text(&q, 2, a, &one.type) || copy_text(&q, 3, a, &one.location) ||
            copy_text(&q, 4, a, &one.reason))
            memory = ERR_NO_MEMORY;
        if (!event_name_valid(one.type))
            one.type = STR("");
        if (memory == ERR_OK)
            memory = add_dead(a, &list, &room, &one);
    }
    enum err_code code = query_end(&q, e);
    if (code == ERR_OK && memory)
        code = err_set(e, memory, "out of memory for dead letters");
    if (code == ERR_OK)
        *ret = list;
    return code;
}

enum err_code store_quarantine_put(struct store *s, const struct store_evidence *evidence,
                                   struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_QUARANTINE_PUT);
    query_uuid(&q, &evidence->key.origin);
    query_int(&q, evidence->key.lane);
    query_u64(&q, evidence->seq);
    query_text(&q, str_of(evidence->reason));
    query_int(&q, evidence->at);
    query_blob(&q, evidence->bytes.p, evidence->bytes.n);
    enum err_code code = query_run(&q, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_QUARANTINE_TRIM);
    query_int(&q, LIMIT_QUARANTINE);
    return query_run(&q, e);
}
