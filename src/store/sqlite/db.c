// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/db.h"

#include "store/sqlite/log_file.h"

#include <errno.h>
#include <string.h>

static const char *const statement_sql[DB_STATEMENT_COUNT] = {
#define DB_SQL(name, sql) sql,
    DB_STATEMENTS(DB_SQL)
#undef DB_SQL
};

enum { BUSY_TIMEOUT_MS = 200 };

static bool is_full_errno(int number)
{
    return number == ENOSPC || number == EDQUOT;
}

static enum err_code code_of(struct db *db, int result)
{
    switch (result & 0xff) {
    case SQLITE_FULL:
        return ERR_DISK_FULL;
    case SQLITE_IOERR:
        return is_full_errno(sqlite3_system_errno(db->handle)) ? ERR_DISK_FULL : ERR_IO;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return ERR_BUSY;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return ERR_DAMAGED;
    case SQLITE_READONLY:
        return ERR_READ_ONLY;
    case SQLITE_NOMEM:
        return ERR_NO_MEMORY;
    case SQLITE_CANTOPEN:
        return ERR_NOT_FOUND;
    case SQLITE_CONSTRAINT:
        return ERR_CONFLICT;
    default:
        return ERR_IO;
    }
}

enum err_code db_error(struct db *db, int result, struct err *e)
{
    if (result == SQLITE_OK || result == SQLITE_DONE || result == SQLITE_ROW)
        return ERR_OK;
    enum err_code code = code_of(db, result);
    if (code == ERR_DISK_FULL) {
        db->full = (result & 0xff) == SQLITE_FULL ? DB_FULL_SOMEWHERE : DB_FULL_DISK;
        return err_set(e, code, "the disk or the store's quota is full");
    }
    return err_set(e, code, "database: %s",
                   db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(result));
}

static enum err_code open_through(struct db *db, const char *path, int flags, const char *files,
                                  struct err *e)
{
    *db = (struct db){.handle = NULL};
    int result = sqlite3_open_v2(path, &db->handle, flags | SQLITE_OPEN_NOMUTEX, files);
    if (result == SQLITE_OK) {
        sqlite3_extended_result_codes(db->handle, 1);
        result = sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    }
    enum err_code code = db_error(db, result, e);
    if (code)
        db_close(db);
    return code;
}

enum err_code db_open(struct db *db, const char *path, int flags, struct err *e)
{
    const char *files = (flags & SQLITE_OPEN_READWRITE) != 0 ? log_file_system() : NULL;
    return open_through(db, path, flags, files, e);
}

enum err_code db_open_still(struct db *db, const char *path, struct err *e)
{
    enum err_code code = open_through(db, path, SQLITE_OPEN_READONLY, "unix-none", e);
    return code ? code : db_exec(db, "PRAGMA locking_mode = EXCLUSIVE", e);
}

void db_close(struct db *db)
{
    for (size_t i = 0; i < DB_STATEMENT_COUNT; i++) {
        sqlite3_finalize(db->cached[i]);
        db->cached[i] = NULL;
    }
    sqlite3_close(db->handle);
    db->handle = NULL;
}

enum err_code db_exec(struct db *db, const char *sql, struct err *e)
{
    return db_error(db, sqlite3_exec(db->handle, sql, NULL, NULL, NULL), e);
}

void db_undo(struct db *db)
{
    if (db->handle != NULL && !sqlite3_get_autocommit(db->handle))
        (void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
}

void query_begin(struct query *q, struct db *db, enum db_statement which)
{
    *q = (struct query){.db = db, .which = which, .next = 1, .result = SQLITE_OK};
    MUST(!db->busy[which]);
    if (db->cached[which] == NULL)
        q->result = sqlite3_prepare_v3(db->handle, statement_sql[which], -1,
                                       SQLITE_PREPARE_PERSISTENT, &db->cached[which], NULL);
    q->statement = db->cached[which];
    db->busy[which] = true;
}

static void note(struct query *q, int result)
{
    if (q->result == SQLITE_OK)
        q->result = result;
}

void query_int(struct query *q, int64_t value)
{
    if (q->statement != NULL)
        note(q, sqlite3_bind_int64(q->statement, q->next++, value));
}

void query_u64(struct query *q, uint64_t value)
{
    if (value > INT64_MAX)
        note(q, SQLITE_RANGE);
    query_int(q, (int64_t)value);
}

void query_text(struct query *q, struct str value)
{
    if (q->statement != NULL)
        note(q, sqlite3_bind_text64(q->statement, q->next++, value.p == NULL ? "" : value.p,
                                    value.n, SQLITE_STATIC, SQLITE_UTF8));
}

void query_text_or_null(struct query *q, struct str value)
{
    if (value.n == 0)
        query_null(q);
    else
        query_text(q, value);
}

void query_blob(struct query *q, const void *p, size_t n)
{
    if (q->statement != NULL)
        note(q, sqlite3_bind_blob64(q->statement, q->next++, p == NULL ? "" : p, n, SQLITE_STATIC));
}

void query_uuid(struct query *q, const struct uuid *id)
{
    query_blob(q, id->b, sizeof id->b);
}

void query_hash(struct query *q, const struct hash *hash)
{
    query_blob(q, hash->b, sizeof hash->b);
}

void query_null(struct query *q)
{
    if (q->statement != NULL)
        note(q, sqlite3_bind_null(q->statement, q->next++));
}

bool query_row(struct query *q)
{
    if (q->result != SQLITE_OK || q->statement == NULL)
        return false;
    int result = sqlite3_step(q->statement);
    if (result == SQLITE_ROW)
        return true;
    if (result != SQLITE_DONE)
        q->result = result;
    return false;
}

void query_again(struct query *q)
{
    if (q->statement == NULL)
        return;
    int result = sqlite3_reset(q->statement);
    note(q, result);
    q->next = 1;
}

enum err_code query_end(struct query *q, struct err *e)
{
    enum err_code code = db_error(q->db, q->result, e);
    if (q->statement != NULL)
        (void)sqlite3_reset(q->statement); // says again what step said
    q->db->busy[q->which] = false;
    return code;
}

enum err_code query_run(struct query *q, struct err *e)
{
    while (query_row(q)) {
    }
    return query_end(q, e);
}

int64_t query_get_int(struct query *q, int column)
{
    return sqlite3_column_int64(q->statement, column);
}

uint64_t query_get_u64(struct query *q, int column)
{
    int64_t value = query_get_int(q, column);
    return value < 0 ? 0 : (uint64_t)value;
}

int64_t query_get_place(struct query *q, int column)
{
    static const int64_t most = INT64_C(1) << 60;
    int64_t value = query_get_int(q, column);
    return value > most ? most : value < -most ? -most : value;
}

enum lane query_get_lane(struct query *q, int column)
{
    int64_t value = query_get_int(q, column);
    return value < 0 || value >= LANE_COUNT ? LANE_CRITICAL : (enum lane)value;
}

struct str query_get_text(struct query *q, int column)
{
    const void *p = sqlite3_column_blob(q->statement, column);
    return str_make(p, p == NULL ? 0 : (size_t)sqlite3_column_bytes(q->statement, column));
}

static bool get_fixed(struct query *q, int column, void *to, size_t n)
{
    struct str value = query_get_text(q, column);
    if (value.n != n) {
        memset(to, 0, n);
        return false;
    }
    memcpy(to, value.p, n);
    return true;
}

bool query_get_uuid(struct query *q, int column, struct uuid *ret)
{
    return get_fixed(q, column, ret->b, sizeof ret->b);
}

bool query_get_hash(struct query *q, int column, struct hash *ret)
{
    return get_fixed(q, column, ret->b, sizeof ret->b);
}

bool query_is_null(struct query *q, int column)
{
    return sqlite3_column_type(q->statement, column) == SQLITE_NULL;
}
