// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/row_store.h"

#include "model/record.h"

#include <string.h>

enum { SQL_MAX = 4096 };

void row_store_init(struct row_store *rs, struct db *db)
{
    *rs = (struct row_store){.db = db};
}

void row_store_fini(struct row_store *rs)
{
    for (size_t i = 0; i < rs->count; i++) {
        sqlite3_finalize(rs->items[i].put);
        sqlite3_finalize(rs->items[i].drop);
        sqlite3_finalize(rs->items[i].drop_record);
        sqlite3_finalize(rs->items[i].read_record);
    }
    rs->count = 0;
}

// ---- statements --------------------------------------------------------------------------------

// The names of columns [from, to), each in a format with one %s, joined.
static enum err_code list_columns(struct buf *to, const struct row_table *table, int from, int end,
                                  const char *format, const char *between)
{
    enum err_code code = ERR_OK;
    for (int i = from; i < end && code == ERR_OK; i++) {
        const char *name = table->columns[i].name;
        code = buf_append_str(to, i > from ? str_of(between) : STR(""));
        for (const char *p = format; *p != '\0' && code == ERR_OK; p++)
            code = *p == '%' ? buf_append_str(to, str_of(name)) : buf_append(to, p, 1);
    }
    return code;
}

static enum err_code write_put(struct buf *to, const struct row_table *table)
{
    int count = row_column_count(table), keys = table->key_count;
    enum err_code code = buf_append_format(to, "INSERT INTO %s (location, ", table->name);
    if (code == ERR_OK)
        code = list_columns(to, table, 0, count, "%", ", ");
    if (code == ERR_OK)
        code = buf_append_str(to, STR(") VALUES (?, "));
    if (code == ERR_OK)
        code = list_columns(to, table, 0, count, "?", ", ");
    if (code == ERR_OK)
        code = buf_append_str(to, STR(") ON CONFLICT DO UPDATE SET "));
    if (code == ERR_OK)
        code = list_columns(to, table, keys, count, "% = excluded.%", ", ");
    return code ? code
                : buf_append_format(to, "%slocal_version = local_version + 1",
                                    keys < count ? ", " : "");
}

static enum err_code write_where(struct buf *to, const struct row_table *table, int keys)
{
    enum err_code code = buf_append_format(to, " FROM %s WHERE location = ? AND ", table->name);
    return code ? code : list_columns(to, table, 0, keys, "% = ?", " AND ");
}

static enum err_code write_drop(struct buf *to, const struct row_table *table, int keys)
{
    enum err_code code = buf_append_str(to, STR("DELETE"));
    return code ? code : write_where(to, table, keys);
}

static enum err_code write_read(struct buf *to, const struct row_table *table, int keys)
{
    enum err_code code = buf_append_str(to, STR("SELECT "));
    if (code == ERR_OK)
        code = list_columns(to, table, 0, row_column_count(table), "%", ", ");
    return code ? code : write_where(to, table, keys);
}

enum err_code row_store_select(const struct row_table *table, struct buf *to)
{
    enum err_code code = buf_append_str(to, STR("SELECT location, "));
    if (code == ERR_OK)
        code = list_columns(to, table, 0, row_column_count(table), "%", ", ");
    if (code == ERR_OK)
        code = buf_append_format(to, " FROM %s ORDER BY location, ", table->name);
    return code ? code : list_columns(to, table, 0, table->key_count, "%", ", ");
}

static enum err_code prepare(struct db *db, struct buf *sql, enum err_code written,
                             sqlite3_stmt **ret, struct err *e)
{
    if (written)
        return err_set(e, written, "out of memory for a statement");
    return db_error(db,
                    sqlite3_prepare_v3(db->handle, sql->data, (int)sql->len,
                                       SQLITE_PREPARE_PERSISTENT, ret, NULL),
                    e);
}

static enum err_code prepare_all(struct row_store *rs, struct row_statements *to, struct err *e)
{
    struct buf sql;
    buf_init(&sql, SQL_MAX);
    enum err_code code = prepare(rs->db, &sql, write_put(&sql, to->table), &to->put, e);
    buf_reset(&sql);
    if (code == ERR_OK)
        code =
            prepare(rs->db, &sql, write_drop(&sql, to->table, to->table->key_count), &to->drop, e);
    buf_reset(&sql);
    int names = to->table->typed ? 2 : 1;
    if (code == ERR_OK)
        code = prepare(rs->db, &sql, write_drop(&sql, to->table, names), &to->drop_record, e);
    buf_reset(&sql);
    if (code == ERR_OK)
        code = prepare(rs->db, &sql, write_read(&sql, to->table, names), &to->read_record, e);
    buf_fini(&sql);
    return code;
}

static enum err_code statements_of(struct row_store *rs, const struct row_table *table,
                                   struct row_statements **ret, struct err *e)
{
    for (size_t i = 0; i < rs->count; i++) {
        if (rs->items[i].table == table) {
            *ret = &rs->items[i];
            return ERR_OK;
        }
    }
    MUST(rs->count < ROW_TABLES_MAX);
    *ret = &rs->items[rs->count++];
    **ret = (struct row_statements){.table = table};
    return prepare_all(rs, *ret, e);
}

// ---- rows -------------------------------------------------------------------------------------

static int bind_text(sqlite3_stmt *statement, int at, struct str text)
{
    return sqlite3_bind_text64(statement, at, text.n ? text.p : "", text.n, SQLITE_STATIC,
                               SQLITE_UTF8);
}

static int bind_value(sqlite3_stmt *statement, int at, enum column_kind kind, const struct value *v,
                      bool key)
{
    if (v->null)
        return key && kind == COLUMN_TEXT ? bind_text(statement, at, STR(""))
                                          : sqlite3_bind_null(statement, at);
    switch (kind) {
    case COLUMN_TEXT:
        return bind_text(statement, at, v->text);
    case COLUMN_UUID:
        return sqlite3_bind_blob(statement, at, v->uuid.b, sizeof v->uuid.b, SQLITE_STATIC);
    case COLUMN_INTEGER:
    case COLUMN_DECIMAL:
        break;
    }
    return sqlite3_bind_int64(statement, at, v->number);
}

static enum err_code run(struct db *db, sqlite3_stmt *statement, int bound, struct err *e)
{
    if (bound == SQLITE_OK)
        bound = sqlite3_step(statement);
    enum err_code code = db_error(db, bound, e);
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return code;
}

static int bind_row(sqlite3_stmt *statement, struct str location, const struct row *row, int count)
{
    int result = bind_text(statement, 1, location);
    for (int i = 0; i < count && result == SQLITE_OK; i++)
        result = bind_value(statement, i + 2, row->table->columns[i].kind, &row->values[i],
                            i < row->table->key_count);
    return result;
}

enum err_code row_store_put(struct row_store *rs, struct str location, const struct row *row,
                            struct err *e)
{
    struct row_statements *s;
    enum err_code code = statements_of(rs, row->table, &s, e);
    if (code)
        return code;
    return run(rs->db, s->put, bind_row(s->put, location, row, row_column_count(row->table)), e);
}

enum err_code row_store_drop(struct row_store *rs, struct str location, const struct row *row,
                             struct err *e)
{
    struct row_statements *s;
    enum err_code code = statements_of(rs, row->table, &s, e);
    return code ? code
                : run(rs->db, s->drop, bind_row(s->drop, location, row, row->table->key_count), e);
}

static int bind_record(sqlite3_stmt *statement, const struct row_table *table,
                       const struct record_name *record)
{
    int bound = bind_text(statement, 1, record->location);
    if (bound == SQLITE_OK)
        bound = bind_text(statement, 2, record->id);
    if (bound == SQLITE_OK && table->typed)
        bound = bind_text(statement, 3, record->type);
    return bound;
}

enum err_code row_store_drop_record(struct row_store *rs, const struct row_table *table,
                                    const struct record_name *record, struct err *e)
{
    struct row_statements *s;
    enum err_code code = statements_of(rs, table, &s, e);
    return code ? code : run(rs->db, s->drop_record, bind_record(s->drop_record, table, record), e);
}

static enum err_code read_value(sqlite3_stmt *statement, int at, struct row *row,
                                struct arena *arena)
{
    const void *p = sqlite3_column_blob(statement, at);
    size_t n = (size_t)sqlite3_column_bytes(statement, at);
    struct uuid id;
    struct str text;
    if (sqlite3_column_type(statement, at) == SQLITE_NULL)
        return ERR_OK;
    switch (row->table->columns[at].kind) {
    case COLUMN_TEXT:
        text = arena_copy(arena, str_make(p ? p : "", n));
        if (text.p == NULL)
            return ERR_NO_MEMORY;
        row_set_text(row, at, text);
        return ERR_OK;
    case COLUMN_UUID:
        if (p == NULL || n != sizeof id.b)
            return ERR_OK; // an edit: it differs, and is written over
        memcpy(id.b, p, sizeof id.b);
        row_set_uuid(row, at, &id);
        return ERR_OK;
    case COLUMN_INTEGER:
    case COLUMN_DECIMAL:
        break;
    }
    row_set_number(row, at, sqlite3_column_int64(statement, at));
    return ERR_OK;
}

static enum err_code read_row(sqlite3_stmt *statement, const struct row_table *table,
                              struct row_list *to)
{
    struct row *row = row_list_add(to, table);
    enum err_code code = row ? ERR_OK : ERR_NO_MEMORY;
    for (int i = 0; i < row_column_count(table) && code == ERR_OK; i++)
        code = read_value(statement, i, row, to->arena);
    return code;
}

enum err_code row_store_read_record(struct row_store *rs, const struct row_table *table,
                                    const struct record_name *record, struct row_list *to,
                                    struct err *e)
{
    struct row_statements *s;
    enum err_code code = statements_of(rs, table, &s, e), full = ERR_OK;
    if (code)
        return code;
    int result = bind_record(s->read_record, table, record);
    if (result == SQLITE_OK)
        result = sqlite3_step(s->read_record);
    while (result == SQLITE_ROW && full == ERR_OK) {
        full = read_row(s->read_record, table, to);
        result = sqlite3_step(s->read_record);
    }
    code = db_error(rs->db, result, e);
    (void)sqlite3_reset(s->read_record);
    (void)sqlite3_clear_bindings(s->read_record);
    return code == ERR_OK && full ? err_set(e, full, "out of memory for rows") : code;
}
