// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/migrate.h"

#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>

static const char version_table[] =
    "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
    " applied_at INTEGER NOT NULL) STRICT";

enum err_code migrate_version(struct db *db, int *ret, struct err *e)
{
    struct query q;
    bool known = false;
    query_begin(&q, db, Q_TABLE_EXISTS);
    query_text(&q, STR("schema_version"));
    known = query_row(&q);
    enum err_code code = query_end(&q, e);
    *ret = 0;
    if (code || !known)
        return code;
    query_begin(&q, db, Q_VERSION);
    if (query_row(&q))
        *ret = (int)query_get_int(&q, 0);
    return query_end(&q, e);
}

static enum err_code apply(struct db *db, const struct migration *m, struct err *e)
{
    struct query q;
    enum err_code code = db_exec(db, "BEGIN IMMEDIATE", e);
    if (code)
        return code;
    code = db_exec(db, version_table, e);
    if (code == ERR_OK)
        code = db_exec(db, m->sql, e);
    if (code == ERR_OK) {
        query_begin(&q, db, Q_VERSION_ADD);
        query_int(&q, m->version);
        query_text(&q, str_of(m->name));
        query_int(&q, clock_wall_ms());
        code = query_run(&q, e);
    }
    if (code == ERR_OK)
        code = db_exec(db, "COMMIT", e);
    if (code) {
        db_undo(db);
        return err_wrap(e, code, "migration %04d_%s", m->version, m->name);
    }
    return ERR_OK;
}

enum err_code migrate_run(struct db *db, int up_to, struct err *e)
{
    int version = 0;
    enum err_code code = migrate_version(db, &version, e);
    if (code)
        return code;
    if (version > migration_count)
        return err_set(e, ERR_NEWER, "the store has schema version %d; this program knows up to %d",
                       version, migration_count);
    for (int i = version; i < up_to && code == ERR_OK; i++)
        code = apply(db, &migrations[i], e);
    return code;
}

// ---- a fresh one -------------------------------------------------------------------------------

// Of the newest schema, without any row but its own. Never changes once it is there.
static struct {
    pthread_mutex_t lock;
    unsigned char *bytes; // of SQLite's allocator
    sqlite3_int64 n;
} image = {.lock = PTHREAD_MUTEX_INITIALIZER};

static enum err_code make_image(struct err *e)
{
    struct db db;
    char sql[64];
    (void)snprintf(sql, sizeof sql, "PRAGMA page_size = %d", MIGRATE_PAGE_BYTES);
    enum err_code code = db_open(&db, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e);
    if (code == ERR_OK)
        code = db_exec(&db, sql, e);
    if (code == ERR_OK)
        code = migrate_run(&db, migration_count, e);
    if (code == ERR_OK)
        image.bytes = sqlite3_serialize(db.handle, "main", &image.n, 0);
    db_close(&db);
    return code == ERR_OK && image.bytes == NULL ? err_set(e, ERR_NO_MEMORY, "out of memory")
                                                 : code;
}

static enum err_code find_image(struct err *e)
{
    (void)pthread_mutex_lock(&image.lock);
    enum err_code code = image.bytes ? ERR_OK : make_image(e);
    (void)pthread_mutex_unlock(&image.lock);
    return code;
}

static enum err_code copy(struct db *to, struct db *from, struct err *e)
{
    sqlite3_backup *backup = sqlite3_backup_init(to->handle, "main", from->handle, "main");
    if (backup == NULL)
        return db_error(to, sqlite3_errcode(to->handle), e);
    int stepped = sqlite3_backup_step(backup, -1);
    int finished = sqlite3_backup_finish(backup);
    return db_error(to, stepped == SQLITE_DONE ? finished : stepped, e);
}

enum err_code migrate_fresh(struct db *db, struct err *e)
{
    struct db from;
    enum err_code code = find_image(e);
    if (code)
        return code;
    code = db_open(&from, ":memory:", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e);
    if (code == ERR_OK)
        code = db_error(&from,
                        sqlite3_deserialize(from.handle, "main", image.bytes, image.n, image.n,
                                            SQLITE_DESERIALIZE_READONLY),
                        e);
    if (code == ERR_OK)
        code = copy(db, &from, e);
    db_close(&from);
    return code;
}
