// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/include.h"

#include "store/sqlite/rows.h"

enum err_code include_tell(struct db *db, const struct feed_include *include, struct err *e)
{
    struct query q;
    query_begin(&q, db, Q_INCLUDE_TELL);
    query_uuid(&q, &include->key.origin);
    query_int(&q, include->key.lane);
    query_u64(&q, include->seq);
    return query_run(&q, e);
}

enum err_code include_forget(struct db *db, struct err *e)
{
    struct query q;
    query_begin(&q, db, Q_INCLUDES_FORGET);
    return query_run(&q, e);
}

static enum err_code list_told(struct db *db, struct arena *a, struct feed_moved **ret,
                               size_t *ret_count, struct err *e)
{
    struct query q;
    struct feed_moved *list = NULL;
    size_t count = 0, room = 0;
    bool full = false;
    query_begin(&q, db, Q_INCLUDES_TOLD);
    while (!full && query_row(&q)) {
        struct feed_moved *wider = rows_grow(a, list, count, &room, sizeof *list);
        full = wider == NULL;
        if (full)
            break;
        list = wider;
        struct feed_moved *moved = &list[count++];
        *moved = (struct feed_moved){.key.lane = (enum lane)query_get_int(&q, 1),
                                     .before = query_get_u64(&q, 2),
                                     .after = query_get_u64(&q, 3)};
        (void)query_get_uuid(&q, 0, &moved->key.origin);
    }
    enum err_code code = query_end(&q, e);
    *ret = list;
    *ret_count = count;
    return code == ERR_OK && full ? err_set(e, ERR_NO_MEMORY, "out of memory for includes") : code;
}

enum err_code include_show(struct db *db, struct arena *a, struct feed_moved **ret,
                           size_t *ret_count, struct err *e)
{
    enum err_code code = list_told(db, a, ret, ret_count, e);
    for (size_t i = 0; i < *ret_count && code == ERR_OK; i++) {
        struct query q;
        const struct feed_moved *moved = &(*ret)[i];
        query_begin(&q, db, Q_INCLUDE_SHOW);
        query_u64(&q, moved->after);
        query_uuid(&q, &moved->key.origin);
        query_int(&q, moved->key.lane);
        code = query_run(&q, e);
    }
    return code;
}

enum err_code store_include_get(struct store *s, const struct stream_key *key, uint64_t *ret_seq,
                                struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_INCLUDE_GET);
    query_uuid(&q, &key->origin);
    query_int(&q, key->lane);
    *ret_seq = query_row(&q) ? query_get_u64(&q, 0) : 0;
    return query_end(&q, e);
}
