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
// The version of a database, 0 when it has none.
enum err_code migrate_version(struct db *db, int *ret, struct err *e) MUST_CHECK;

#endif
