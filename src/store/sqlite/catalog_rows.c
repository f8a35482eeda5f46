// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/catalog_rows.h"

#include <string.h>

enum { SQL_MAX = 2048 };

void catalog_rows_init(struct catalog_rows *c, struct db *db)
{
    *c = (struct catalog_rows){.db = db};
    buf_init(&c->bytes, LIMIT_EVENT_BYTES);
}

void catalog_rows_fini(struct catalog_rows *c)
{
    for (int i = 0; i < CATALOG_KIND_COUNT; i++) {
        sqlite3_finalize(c->items[i].put);
        sqlite3_finalize(c->items[i].add);
        sqlite3_finalize(c->items[i].find);
        c->items[i] = (struct catalog_statements){NULL, NULL, NULL};
    }
    buf_fini(&c->bytes);
}

// ---- statements -------------------------------------------------------------------------------

static enum err_code list_columns(struct buf *to, const struct row_table *table, bool names)
{
    enum err_code code = ERR_OK;
    for (int i = 0; table->columns[i].name != NULL && code == ERR_OK; i++)
        code = buf_append_format(to, "%s%s", i ? ", " : "", names ? table->columns[i].name : "?");
    return code;
}

// What the row that is there already becomes: REPLACE or IGNORE.
static enum err_code write_put(struct buf *to, const struct row_table *table, const char *other)
{
    enum err_code code =
        buf_append_format(to, "INSERT OR %s INTO %s (edition, gone, ", other, table->name);
    if (code == ERR_OK)
        code = list_columns(to, table, true);
    if (code == ERR_OK)
        code = buf_append_str(to, STR(") VALUES (?, ?, "));
    if (code == ERR_OK)
        code = list_columns(to, table, false);
    return code ? code : buf_append_str(to, STR(")"));
}

static enum err_code write_find(struct buf *to, const struct row_table *table)
{
    enum err_code code = buf_append_str(to, STR("SELECT gone, "));
    if (code == ERR_OK)
        code = list_columns(to, table, true);
    return code ? code
                : buf_append_format(to,
                                    " FROM %s WHERE id = ? AND edition BETWEEN ? AND ?"
                                    " ORDER BY edition DESC LIMIT 1",
                                    table->name);
}

static enum err_code prepare(struct db *db, enum err_code written, const struct buf *sql,
                             sqlite3_stmt **ret, struct err *e)
{
    if (written)
        return err_set(e, written, "out of memory for a statement");
    return db_error(db,
                    sqlite3_prepare_v3(db->handle, sql->data, (int)sql->len,
                                       SQLITE_PREPARE_PERSISTENT, ret, NULL),
                    e);
}

static enum err_code statements_of(struct catalog_rows *c, const struct catalog_kind *kind,
                                   struct catalog_statements **ret, struct err *e)
{
    struct buf sql;
    enum err_code code = ERR_OK;
    *ret = &c->items[kind - catalog_kinds];
    buf_init(&sql, SQL_MAX);
    if ((*ret)->put == NULL)
        code = prepare(c->db, write_put(&sql, kind->table, "REPLACE"), &sql, &(*ret)->put, e);
    buf_reset(&sql);
    if (code == ERR_OK && (*ret)->add == NULL)
        code = prepare(c->db, write_put(&sql, kind->table, "IGNORE"), &sql, &(*ret)->add, e);
    buf_reset(&sql);
    if (code == ERR_OK && (*ret)->find == NULL)
        code = prepare(c->db, write_find(&sql, kind->table), &sql, &(*ret)->find, e);
    buf_fini(&sql);
    return code;
}

// ---- rows -------------------------------------------------------------------------------------

static bool read_value(sqlite3_stmt *from, int at, enum column_kind kind, struct arena *a,
                       struct value *to)
{
    *to = (struct value){.null = sqlite3_column_type(from, at) == SQLITE_NULL};
    if (to->null)
        return true;
    if (kind != COLUMN_TEXT) {
        to->number = sqlite3_column_int64(from, at);
        return true;
    }
    const void *p = sqlite3_column_text(from, at);
    to->text = arena_copy(a, str_make(p, (size_t)sqlite3_column_bytes(from, at)));
    return p != NULL && to->text.p != NULL;
}

enum err_code catalog_rows_read(sqlite3_stmt *from, int first, const struct catalog_kind *kind,
                                struct arena *a, struct row *ret)
{
    int count = row_column_count(kind->table);
    struct row row = {kind->table, arena_alloc(a, (size_t)count * sizeof(struct value))};
    if (row.values == NULL)
        return ERR_NO_MEMORY;
    for (int i = 0; i < count; i++) {
        if (!read_value(from, first + i, kind->table->columns[i].kind, a, &row.values[i]))
            return ERR_NO_MEMORY;
    }
    *ret = row;
    return ERR_OK;
}

static int bind_text(sqlite3_stmt *statement, int at, struct str text)
{
    return sqlite3_bind_text64(statement, at, text.n ? text.p : "", text.n, SQLITE_STATIC,
                               SQLITE_UTF8);
}

static void reset(sqlite3_stmt *statement)
{
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
}

enum err_code catalog_rows_find(struct catalog_rows *c, const struct catalog_place *place,
                                const struct catalog_span *span, struct arena *a, struct row *ret,
                                struct err *e)
{
    struct catalog_statements *s;
    *ret = (struct row){.values = NULL};
    enum err_code code = statements_of(c, place->kind, &s, e);
    if (code)
        return code;
    int result = bind_text(s->find, 1, place->id);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(s->find, 2, span->floor);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(s->find, 3, span->edition);
    if (result == SQLITE_OK)
        result = sqlite3_step(s->find);
    if (result == SQLITE_ROW && sqlite3_column_int64(s->find, 0) == 0)
        code = catalog_rows_read(s->find, 1, place->kind, a, ret);
    enum err_code failed = db_error(c->db, result, e);
    reset(s->find);
    if (failed)
        return failed;
    return code ? err_set(e, code, "out of memory for the catalog") : ERR_OK;
}

static int bind_row(sqlite3_stmt *statement, const struct row *row)
{
    int result = SQLITE_OK;
    for (int i = 0; row->table->columns[i].name != NULL && result == SQLITE_OK; i++) {
        const struct value *value = &row->values[i];
        if (value->null)
            continue; // unbound is null
        result = row->table->columns[i].kind == COLUMN_TEXT
                     ? bind_text(statement, i + 3, value->text)
                     : sqlite3_bind_int64(statement, i + 3, value->number);
    }
    return result;
}

static enum err_code write_row(struct catalog_rows *c, sqlite3_stmt *put,
                               const struct catalog_place *place, int64_t edition,
                               const struct row *row, struct err *e)
{
    int result = sqlite3_bind_int64(put, 1, edition);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int(put, 2, row == NULL);
    if (result == SQLITE_OK)
        result = row ? bind_row(put, row) : bind_text(put, 3, place->id);
    if (result == SQLITE_OK)
        result = sqlite3_step(put);
    enum err_code code = db_error(c->db, result, e);
    reset(put);
    return code;
}

enum err_code catalog_rows_put(struct catalog_rows *c, const struct catalog_place *place,
                               int64_t edition, const struct row *row, struct err *e)
{
    struct catalog_statements *s;
    enum err_code code = statements_of(c, place->kind, &s, e);
    return code ? code : write_row(c, s->put, place, edition, row, e);
}

enum err_code catalog_rows_add(struct catalog_rows *c, const struct catalog_place *place,
                               int64_t edition, const struct row *row, bool *ret_added,
                               struct err *e)
{
    struct catalog_statements *s;
    enum err_code code = statements_of(c, place->kind, &s, e);
    if (code == ERR_OK)
        code = write_row(c, s->add, place, edition, row, e);
    *ret_added = code == ERR_OK && sqlite3_changes(c->db->handle) > 0;
    return code;
}

static enum err_code write_page(struct buf *to, const char *table, bool own)
{
    static const char only_own[] =
        " AND id IN (SELECT o.id FROM own_prices AS o WHERE o.location = ?5 AND o.nth = 0"
        " AND o.price IS NOT NULL)";
    return buf_append_format(
        to,
        " FROM %s AS r WHERE id > ?1 AND edition BETWEEN ?2 AND ?3 AND gone = 0 AND NOT EXISTS"
        " (SELECT 1 FROM %s AS n WHERE n.id = r.id AND n.edition > r.edition"
        " AND n.edition <= ?3)%s ORDER BY id LIMIT ?4",
        table, table, own ? only_own : "");
}

enum err_code catalog_rows_page(struct db *db, const struct catalog_page *page, sqlite3_stmt **ret,
                                struct err *e)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    enum err_code code = buf_append_str(&sql, STR("SELECT "));
    if (code == ERR_OK)
        code = list_columns(&sql, page->kind->table, true);
    if (code == ERR_OK)
        code = write_page(&sql, page->kind->table->name, page->own_at.n > 0);
    code = prepare(db, code, &sql, ret, e);
    buf_fini(&sql);
    if (code)
        return code;
    int result = sqlite3_bind_text64(*ret, 1, page->after.n ? page->after.p : "", page->after.n,
                                     SQLITE_TRANSIENT, SQLITE_UTF8);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(*ret, 2, page->span.floor);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(*ret, 3, page->span.edition);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(*ret, 4, page->limit);
    if (result == SQLITE_OK && page->own_at.n > 0)
        result = sqlite3_bind_text64(*ret, 5, page->own_at.p, page->own_at.n, SQLITE_TRANSIENT,
                                     SQLITE_UTF8);
    return db_error(db, result, e);
}

// ---- the whole --------------------------------------------------------------------------------

static void read_version(struct query *q, int first, struct catalog_version *to)
{
    to->number = query_get_u64(q, first);
    (void)query_get_hash(q, first + 1, &to->hash);
    to->count = query_get_u64(q, first + 2);
}

enum err_code catalog_state_read(struct db *db, struct catalog_state *ret, struct err *e)
{
    struct query q;
    bool whole = false;
    *ret = (struct catalog_state){.rows = 0};
    query_begin(&q, db, Q_CATALOG_STATE);
    if (query_row(&q)) {
        struct str sum = query_get_text(&q, 15);
        ret->shown = (struct catalog_span){query_get_int(&q, 1), query_get_int(&q, 0)};
        read_version(&q, 2, &ret->version);
        ret->next = (struct catalog_span){query_get_int(&q, 6), query_get_int(&q, 5)};
        read_version(&q, 7, &ret->next_version);
        ret->rows = query_get_u64(&q, 10);
        ret->staged = query_get_u64(&q, 11);
        ret->swept = query_get_int(&q, 12);
        ret->refused.number = query_get_u64(&q, 13);
        (void)query_get_hash(&q, 14, &ret->refused.hash);
        whole = sum.n == SET_HASH_SIZE;
        if (whole)
            set_hash_read(&ret->sum, (const uint8_t *)sum.p);
    }
    enum err_code code = query_end(&q, e);
    return code || whole ? code : err_set(e, ERR_DAMAGED, "the catalog's state is not there");
}

static void bind_version(struct query *q, const struct catalog_version *version)
{
    query_u64(q, version->number);
    query_hash(q, &version->hash);
    query_u64(q, version->count);
}

enum err_code catalog_state_write(struct db *db, const struct catalog_state *state, struct err *e)
{
    struct query q;
    uint8_t sum[SET_HASH_SIZE];
    set_hash_write(&state->sum, sum);
    query_begin(&q, db, Q_CATALOG_STATE_SET);
    query_int(&q, state->shown.edition);
    query_int(&q, state->shown.floor);
    bind_version(&q, &state->version);
    query_int(&q, state->next.edition);
    query_int(&q, state->next.floor);
    bind_version(&q, &state->next_version);
    query_u64(&q, state->rows);
    query_u64(&q, state->staged);
    query_int(&q, state->swept);
    query_u64(&q, state->refused.number);
    query_hash(&q, &state->refused.hash);
    query_blob(&q, sum, sizeof sum);
    return query_run(&q, e);
}

static enum err_code encode(struct catalog_rows *c, const struct catalog_kind *kind,
                            const struct row *row)
{
    buf_reset(&c->bytes);
    return catalog_row_encode(kind, row, &c->bytes);
}

enum err_code catalog_state_add(struct catalog_state *state, struct catalog_rows *c,
                                const struct catalog_kind *kind, const struct row *row)
{
    enum err_code code = encode(c, kind, row);
    if (code)
        return code;
    set_hash_add(&state->sum, buf_str(&c->bytes));
    state->rows++;
    return ERR_OK;
}

enum err_code catalog_state_remove(struct catalog_state *state, struct catalog_rows *c,
                                   const struct catalog_kind *kind, const struct row *row)
{
    enum err_code code = encode(c, kind, row);
    if (code)
        return code;
    set_hash_remove(&state->sum, buf_str(&c->bytes));
    state->rows--;
    return ERR_OK;
}

void catalog_state_show(struct catalog_state *state)
{
    state->shown = state->next;
    state->version = state->next_version;
    state->next.edition++;
    state->staged = 0;
    state->refused = (struct catalog_version){.number = 0};
}
