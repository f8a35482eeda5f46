// SPDX-License-Identifier: Apache-2.0
//
// What a device does with its catalog between sales, some rows at a time: it drops editions that
// nobody is shown any more, and looks whether what it shows is still what was published.
#include "store/sqlite/catalog_rows.h"
#include "store/sqlite/state.h"

#include <stdio.h>
#include <string.h>

enum { SOME_ROWS = 200, SQL_MAX = 1024, CHECK_ARENA = 4 * 1024 * 1024 };

// ---- dropping ---------------------------------------------------------------------------------

static int bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    return sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

static enum err_code prepare(struct db *db, const char *sql, sqlite3_stmt **ret, struct err *e)
{
    return db_error(db, sqlite3_prepare_v2(db->handle, sql, -1, ret, NULL), e);
}

// The last id of the next few; empty: there are none.
static enum err_code find_end(struct db *db, const char *table, struct catalog_walk *at,
                              char to[LIMIT_NAME + 1], struct err *e)
{
    char sql[SQL_MAX];
    sqlite3_stmt *find = NULL;
    to[0] = '\0';
    (void)snprintf(sql, sizeof sql,
                   "SELECT max(id) FROM (SELECT DISTINCT id FROM %s WHERE id > ? ORDER BY id"
                   " LIMIT %d)",
                   table, SOME_ROWS);
    enum err_code code = prepare(db, sql, &find, e);
    if (code)
        return code;
    int result = bind_text(find, 1, at->id);
    if (result == SQLITE_OK)
        result = sqlite3_step(find);
    const unsigned char *text = result == SQLITE_ROW ? sqlite3_column_text(find, 0) : NULL;
    if (text != NULL && str_copy(to, LIMIT_NAME + 1, str_of((const char *)text)))
        code = err_set(e, ERR_DAMAGED, "a row of the catalog has an id that is too long");
    enum err_code failed = db_error(db, result, e);
    sqlite3_finalize(find);
    return failed ? failed : code;
}

// Goes: what is below the floor of what is shown; what a newer shown row stands for; what is not
// there any more; and what was being brought in when a copy began afresh.
static enum err_code drop(struct db *db, const char *table, const struct catalog_state *state,
                          const struct catalog_walk *at, const char *end, struct err *e)
{
    char sql[SQL_MAX];
    sqlite3_stmt *statement = NULL;
    (void)snprintf(sql, sizeof sql,
                   "DELETE FROM %s AS r WHERE id > ?1 AND id <= ?2 AND (edition < ?3"
                   " OR (edition > ?4 AND edition < ?5) OR (edition <= ?4 AND (gone = 1"
                   " OR EXISTS (SELECT 1 FROM %s AS n WHERE n.id = r.id AND n.edition > r.edition"
                   " AND n.edition <= ?4))))",
                   table, table);
    enum err_code code = prepare(db, sql, &statement, e);
    if (code)
        return code;
    int result = bind_text(statement, 1, at->id);
    if (result == SQLITE_OK)
        result = bind_text(statement, 2, end);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(statement, 3, state->shown.floor);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(statement, 4, state->shown.edition);
    if (result == SQLITE_OK)
        result = sqlite3_bind_int64(statement, 5, state->next.floor);
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    code = db_error(db, result, e);
    sqlite3_finalize(statement);
    return code;
}

static enum err_code end_sweep(struct store *s, struct catalog_state *state,
                               const struct catalog_walk *at, struct err *e)
{
    state->swept = at->edition;
    return catalog_state_write(&s->db, state, e);
}

static enum err_code sweep(struct store *s, struct catalog_walk *at, struct err *e)
{
    char end[LIMIT_NAME + 1];
    struct catalog_state state;
    enum err_code code = catalog_state_read(&s->db, &state, e);
    at->done = true;
    if (code || state.swept == state.shown.edition)
        return code;
    if (at->edition != state.shown.edition)
        *at = (struct catalog_walk){.edition = state.shown.edition};
    at->done = false;
    const char *table = catalog_kinds[at->kind].table->name;
    code = find_end(&s->db, table, at, end, e);
    if (code == ERR_OK && end[0] != '\0')
        code = drop(&s->db, table, &state, at, end, e);
    if (code)
        return code;
    memcpy(at->id, end, sizeof end);
    at->kind += end[0] == '\0';
    at->done = at->kind == CATALOG_KIND_COUNT;
    return at->done ? end_sweep(s, &state, at, e) : ERR_OK;
}

enum err_code store_catalog_sweep(struct store *s, struct catalog_walk *at, struct err *e)
{
    struct scope scope;
    at->done = true;
    if (s->role == ROLE_CENTRAL) // it keeps every version's rows
        return ERR_OK;
    enum err_code code = scope_enter(&scope, s, e);
    return code ? code : scope_leave(&scope, sweep(s, at, e), e);
}

// ---- looking ----------------------------------------------------------------------------------

static enum err_code add_some(struct store *s, struct catalog_check *check,
                              const struct catalog_state *state, bool *ret_more, struct err *e)
{
    const struct catalog_kind *kind = &catalog_kinds[check->at.kind];
    sqlite3_stmt *page = NULL;
    struct arena a;
    struct buf text;
    int result = SQLITE_DONE;
    size_t count = 0;
    struct catalog_page some = {kind, state->shown, str_of(check->at.id), SOME_ROWS};
    enum err_code code = catalog_rows_page(&s->db, &some, &page, e);
    arena_init(&a, CHECK_ARENA);
    buf_init(&text, LIMIT_EVENT_BYTES);
    while (code == ERR_OK && (result = sqlite3_step(page)) == SQLITE_ROW) {
        struct row row;
        arena_reset(&a);
        buf_reset(&text);
        code = catalog_rows_read(page, 0, kind, &a, &row);
        if (code == ERR_OK)
            code = catalog_row_encode(kind, &row, &text);
        if (code == ERR_OK)
            code = str_copy(check->at.id, sizeof check->at.id, row.values[0].text);
        if (code)
            code = err_set(e, code, "a row of the catalog cannot be read");
        else
            set_hash_add(&check->sum, buf_str(&text));
        count++;
    }
    if (code == ERR_OK)
        code = db_error(&s->db, result, e);
    sqlite3_finalize(page);
    buf_fini(&text);
    arena_fini(&a);
    check->rows += count;
    *ret_more = count == SOME_ROWS;
    return code;
}

enum err_code store_catalog_check(struct store *s, struct catalog_check *check, struct err *e)
{
    struct catalog_state state;
    bool more = false;
    enum err_code code = catalog_state_read(&s->db, &state, e);
    if (code)
        return code;
    if (check->at.done || check->at.edition != state.shown.edition)
        *check = (struct catalog_check){.at = {.edition = state.shown.edition}};
    code = add_some(s, check, &state, &more, e);
    if (code || more)
        return code;
    check->at.id[0] = '\0';
    if (++check->at.kind < CATALOG_KIND_COUNT)
        return ERR_OK;
    check->at.done = true;
    check->found =
        (struct catalog_version){state.version.number, set_hash_digest(&check->sum), check->rows};
    check->sound =
        state.version.number == 0 || (check->found.count == state.version.count &&
                                      hash_equal(&check->found.hash, &state.version.hash));
    return ERR_OK;
}

enum err_code store_catalog_doubt(struct store *s, const struct catalog_version *found,
                                  struct err *e)
{
    struct scope scope;
    struct query q;
    struct catalog_state state;
    enum err_code code = scope_enter(&scope, s, e);
    if (code)
        return code;
    code = catalog_state_read(&s->db, &state, e);
    if (code == ERR_OK && state.version.number == found->number) {
        state.refused = *found;
        code = catalog_state_write(&s->db, &state, e);
        query_begin(&q, &s->db, Q_CURSOR_DROP);
        query_text(&q, STR("*"));
        enum err_code dropped = query_run(&q, code ? NULL : e);
        code = code ? code : dropped;
    }
    return scope_leave(&scope, code, e);
}
