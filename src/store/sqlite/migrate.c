// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/migrate.h"

#include "base/clock.h"

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
