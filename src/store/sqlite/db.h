// SPDX-License-Identifier: Apache-2.0
// A thin layer over SQLite: cached statements, binding in order, and errors in our words.
//
// Why: each statement is written once (statements.h), prepared once, and never built from values.
// Invariants: a struct query holds its statement from query_begin to query_end; the same statement
//   is not begun again in between (MUST). The first failure stays until query_end returns it.
// Ownership: text and blobs bound must live until query_end; those read live until the next row.
#ifndef WASL_STORE_SQLITE_DB_H
#define WASL_STORE_SQLITE_DB_H

#include "model/event.h"
#include "store/sqlite/statements.h"

#include <sqlite3.h>

enum db_statement {
#define DB_ENUM(name, sql) Q_##name,
    DB_STATEMENTS(DB_ENUM)
#undef DB_ENUM
        DB_STATEMENT_COUNT
};

enum db_full {
    DB_FULL_NOT,
    DB_FULL_SOMEWHERE, // SQLite's own word: its page limit, or a disk without room
    DB_FULL_DISK,      // the system's: a user's quota there
};

struct db {
    sqlite3 *handle;
    sqlite3_stmt *cached[DB_STATEMENT_COUNT];
    bool busy[DB_STATEMENT_COUNT];
    enum db_full full; // what some statement met since this was last cleared
};

// flags as of sqlite3_open_v2.
enum err_code db_open(struct db *db, const char *path, int flags, struct err *e) MUST_CHECK;
// Reads a file that nobody can write, and its log: without locks and without the memory that is
// shared beside it, since either would have to be written.
enum err_code db_open_still(struct db *db, const char *path, struct err *e) MUST_CHECK;
void db_close(struct db *db); // accepts a zeroed struct
enum err_code db_exec(struct db *db, const char *sql, struct err *e) MUST_CHECK;
void db_undo(struct db *db); // rolls back what is open; never fails
// Translates a result code of SQLite.
enum err_code db_error(struct db *db, int result, struct err *e) MUST_CHECK;

struct query {
    struct db *db;
    sqlite3_stmt *statement;
    enum db_statement which;
    int next;   // index of the next parameter
    int result; // SQLITE_OK or the first failure
};
void query_begin(struct query *q, struct db *db, enum db_statement which);
void query_int(struct query *q, int64_t value);
void query_u64(struct query *q, uint64_t value); // a seq or count: must fit int64
void query_text(struct query *q, struct str value);
void query_text_or_null(struct query *q, struct str value); // empty: NULL
void query_blob(struct query *q, const void *p, size_t n);
void query_uuid(struct query *q, const struct uuid *id);
void query_hash(struct query *q, const struct hash *hash);
void query_null(struct query *q);
bool query_row(struct query *q);   // the next row is there; false at the end or on failure
void query_again(struct query *q); // back to the first parameter, for the next execution
enum err_code query_end(struct query *q, struct err *e) MUST_CHECK;
enum err_code query_run(struct query *q, struct err *e) MUST_CHECK; // no rows wanted: to the end

int64_t query_get_int(struct query *q, int column);
uint64_t query_get_u64(struct query *q, int column); // 0 where negative
// What is reckoned with: a position or a time, brought to -2^60 .. 2^60, which none of ours passes.
// Somebody may have edited the file.
int64_t query_get_place(struct query *q, int column);
// The critical one where an edit says another than there is.
enum lane query_get_lane(struct query *q, int column);
struct str query_get_text(struct query *q, int column);             // or blob
bool query_get_uuid(struct query *q, int column, struct uuid *ret); // false: NULL or another size
bool query_get_hash(struct query *q, int column, struct hash *ret);
bool query_is_null(struct query *q, int column);

#endif
