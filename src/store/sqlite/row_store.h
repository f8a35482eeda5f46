// SPDX-License-Identifier: Apache-2.0
// Rows of declared tables (model/row.h) in SQLite: one table each, "location" before its columns
// and "local_version" behind them.
//
// Why: a new record type needs a table in the schema and none of its own statements.
// Invariants: statements are made from the tables' declarations, once, never from values. Text of a
//   key that is null is stored as ''.
#ifndef WASL_STORE_SQLITE_ROW_STORE_H
#define WASL_STORE_SQLITE_ROW_STORE_H

#include "model/row.h"
#include "store/sqlite/db.h"

enum { ROW_TABLES_MAX = 64 };

struct row_store {
    struct db *db;
    struct row_statements {
        const struct row_table *table;
        sqlite3_stmt *put, *drop, *drop_record, *read_record;
    } items[ROW_TABLES_MAX];
    size_t count;
};

void row_store_init(struct row_store *rs, struct db *db);
void row_store_fini(struct row_store *rs); // before the database is closed

// Writes a row, new or changed (then its local_version goes up).
enum err_code row_store_put(struct row_store *rs, struct str location, const struct row *row,
                            struct err *e) MUST_CHECK;
enum err_code row_store_drop(struct row_store *rs, struct str location, const struct row *row,
                             struct err *e) MUST_CHECK;
// All rows of a record in one of its tables: the id is the first column of the key, and the type is
// the second where the table is 'typed'.
struct record_name;
enum err_code row_store_drop_record(struct row_store *rs, const struct row_table *table,
                                    const struct record_name *record, struct err *e) MUST_CHECK;

// The same rows, added to a list, with their texts in its arena.
enum err_code row_store_read_record(struct row_store *rs, const struct row_table *table,
                                    const struct record_name *record, struct row_list *to,
                                    struct err *e) MUST_CHECK;

// "SELECT location, COLUMNS FROM TABLE ORDER BY KEY", for comparing; size bytes at to.
enum err_code row_store_select(const struct row_table *table, struct buf *to) MUST_CHECK;

#endif
