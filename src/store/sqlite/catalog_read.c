// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/catalog_publish.h"
#include "store/sqlite/catalog_rows.h"
#include "store/sqlite/state.h"

enum { ROW_ARENA = 4 * LIMIT_EVENT_BYTES };

// ---- the version ------------------------------------------------------------------------------

enum err_code store_catalog(struct store *s, struct store_catalog *ret, struct err *e)
{
    struct catalog_state state;
    struct query q;
    enum err_code code = catalog_state_read(&s->db, &state, e);
    if (code)
        return code;
    *ret = (struct store_catalog){
        .version = state.version, .refused = state.refused, .next = state.next_version.number};
    query_begin(&q, &s->db, Q_CATALOG_CHANGED_COUNT);
    if (query_row(&q))
        ret->changed = query_get_u64(&q, 0);
    return query_end(&q, e);
}

enum err_code store_catalog_known(struct store *s, uint64_t number, struct catalog_version *ret,
                                  struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_CATALOG_VERSION_FIND);
    query_u64(&q, number);
    bool there = query_row(&q);
    if (there) {
        ret->number = number;
        (void)query_get_hash(&q, 0, &ret->hash);
        ret->count = query_get_u64(&q, 1);
    }
    enum err_code code = query_end(&q, e);
    return code || there ? code
                         : err_set(e, ERR_NOT_FOUND, "no version %llu of the catalog",
                                   (unsigned long long)number);
}

enum err_code store_catalog_published_at(struct store *s, int64_t *ret_ms, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_CATALOG_PUBLISHED_AT);
    *ret_ms = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_end(&q, e);
}

enum err_code store_catalog_next(struct store *s, uint64_t *ret_number, struct err *e)
{
    return catalog_publish_next(s->fold.tables, ret_number, e);
}

enum err_code store_catalog_prepare(struct store *s, struct catalog_version *ret,
                                    uint64_t *ret_changed, struct err *e)
{
    return catalog_publish_prepare(&s->fold, ret, ret_changed, e);
}

enum err_code store_catalog_each(struct store *s, const struct catalog_kind *kind,
                                 const struct store_catalog_page *page,
                                 bool (*each)(void *context, const struct row *row), void *context,
                                 struct err *e)
{
    struct catalog_state state;
    sqlite3_stmt *rows = NULL;
    struct arena a;
    int result = SQLITE_DONE;
    bool more = true;
    enum err_code code = catalog_state_read(&s->db, &state, e);
    if (code == ERR_OK)
        code = catalog_rows_page(
            &s->db,
            &(struct catalog_page){kind, state.shown, page->after, page->limit, page->own_at},
            &rows, e);
    arena_init(&a, ROW_ARENA);
    while (code == ERR_OK && more && (result = sqlite3_step(rows)) == SQLITE_ROW) {
        struct row row;
        arena_reset(&a);
        if (catalog_rows_read(rows, 0, kind, &a, &row))
            code = err_set(e, ERR_NO_MEMORY, "out of memory for the catalog");
        else
            more = each(context, &row);
    }
    if (code == ERR_OK)
        code = db_error(&s->db, result, e);
    sqlite3_finalize(rows);
    arena_fini(&a);
    return code;
}
