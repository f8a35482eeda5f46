// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/record_past.h"

#include "model/standing.h"

struct record_note record_past_note(const struct listed *row)
{
    return (struct record_note){row->lsn, (uint32_t)(row->rank / 2), row->rank % 2 != 0};
}

static enum err_code run_for(struct db *db, enum db_statement statement, int64_t record,
                             const int64_t *other, struct err *e)
{
    struct query q;
    query_begin(&q, db, statement);
    query_int(&q, record);
    if (other != NULL)
        query_int(&q, *other);
    return query_run(&q, e);
}

static enum err_code set_rank(struct db *db, int64_t record, int64_t lsn, int64_t rank,
                              struct err *e)
{
    struct query q;
    query_begin(&q, db, Q_RECORD_EVENT_RANK);
    query_int(&q, rank);
    query_int(&q, record);
    query_int(&q, lsn);
    return query_run(&q, e);
}

static enum err_code move(struct db *db, int64_t record, int64_t lsn, struct err *e)
{
    enum err_code code = run_for(db, Q_RECORD_PAST_ADD, record, &lsn, e);
    return code ? code : run_for(db, Q_RECORD_EVENT_DROP, record, &lsn, e);
}

enum err_code record_past_move(struct db *db, int64_t number, const struct record *record,
                               size_t *ret_count, struct err *e)
{
    struct arena a;
    struct standing standing;
    int64_t rank = 0;
    *ret_count = 0;
    arena_init(&a, (size_t)16 * LIMIT_RECORD_BYTES);
    enum err_code code = standing_find(record, RECORD_LAST, &a, &standing);
    if (code)
        code = err_set(e, code, "out of memory for a record");
    for (size_t i = 0; code == ERR_OK && standing.matters && i < record_count(record); i++) {
        const struct record_entry *entry = record_entry_at(record, i);
        rank += standing.matters[i];
        *ret_count += !standing.matters[i];
        code = standing.matters[i]
                   ? set_rank(db, number, entry->note.number, 2 * rank + (i == standing.cut), e)
                   : move(db, number, entry->note.number, e);
    }
    arena_fini(&a);
    return code;
}

enum err_code record_past_back(struct db *db, int64_t number, struct err *e)
{
    int64_t most = RECORD_BACK;
    enum err_code code = run_for(db, Q_RECORD_RANKS_DROP, number, NULL, e);
    if (code == ERR_OK)
        code = run_for(db, Q_RECORD_PAST_BACK, number, &most, e);
    return code ? code : run_for(db, Q_RECORD_PAST_CUT, number, NULL, e);
}
