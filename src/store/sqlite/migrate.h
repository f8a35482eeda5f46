// SPDX-License-Identifier: Apache-2.0
// Numbered schema files (schema/sqlite), embedded by tools/embed_sql, applied once each.
#ifndef WASL_STORE_SQLITE_MIGRATE_H
#define WASL_STORE_SQLITE_MIGRATE_H

#include "store/sqlite/db.h"

struct migration {
    int version;
    const char *name;
    const char *sql;
};
extern const struct migration migrations[];
extern const int migration_count;

// Applies the first up_to migrations that are missing, each in a transaction of its own, and
// records them in schema_version. ERR_NEWER when the database knows more than this program.
enum err_code migrate_run(struct db *db, int up_to, struct err *e) MUST_CHECK;
// Events of about a kilobyte leave up to that much free at the end of each page: the larger the
// page, the less it matters. A sale writes whole pages to the log, which is why they are no larger.
enum { MIGRATE_PAGE_BYTES = 16384 };
// Gives an empty database (no table yet, and no page size chosen that is not this) the newest
// schema. Only the first one of a process runs all migrations: it keeps what came of them, and the
// others are copies of it, schema_version.applied_at included. Any thread.
enum err_code migrate_fresh(struct db *db, struct err *e) MUST_CHECK;
// The version of a database, 0 when it has none.
enum err_code migrate_version(struct db *db, int *ret, struct err *e) MUST_CHECK;

#endif
