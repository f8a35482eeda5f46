// SPDX-License-Identifier: Apache-2.0
// Rows of the catalog's editions in SQLite, and what is known of them as a whole.
//
// Invariants:
//   1. Of a row the newest edition within a span is what the span shows; none where that is 'gone'.
//   2. catalog_state says which span is shown. What is newer is being brought in: catalog_state.sum
//      is the set hash of the span that will be shown next, over catalog_state.rows rows.
// Why editions: a version of any size is written in small transactions beside the one that is
//   shown, and shown by one that changes a single row. A sale never waits for a catalog.
#ifndef WASL_STORE_SQLITE_CATALOG_ROWS_H
#define WASL_STORE_SQLITE_CATALOG_ROWS_H

#include "base/arena.h"
#include "model/catalog.h"
#include "store/sqlite/db.h"

struct catalog_rows {
    struct db *db;
    struct catalog_statements {
        sqlite3_stmt *put, *add, *find;
    } items[CATALOG_KIND_COUNT];
    struct buf bytes; // of the row that is hashed
};
void catalog_rows_init(struct catalog_rows *c, struct db *db);
void catalog_rows_fini(struct catalog_rows *c); // before the database is closed

struct catalog_span {
    int64_t floor, edition;
};
struct catalog_place { // of a row
    const struct catalog_kind *kind;
    struct str id;
};
// The row that the span shows; its texts are in the arena. ret->values NULL: there is none.
enum err_code catalog_rows_find(struct catalog_rows *c, const struct catalog_place *place,
                                const struct catalog_span *span, struct arena *a, struct row *ret,
                                struct err *e) MUST_CHECK;
// row NULL: from this edition on there is none.
enum err_code catalog_rows_put(struct catalog_rows *c, const struct catalog_place *place,
                               int64_t edition, const struct row *row, struct err *e) MUST_CHECK;
// Where there is none of this id and edition, and without looking for one first.
enum err_code catalog_rows_add(struct catalog_rows *c, const struct catalog_place *place,
                               int64_t edition, const struct row *row, bool *ret_added,
                               struct err *e) MUST_CHECK;
// Rows that a span shows, in order of id: a statement that the caller steps and finalizes; its
// first column is the kind's first.
struct catalog_page {
    const struct catalog_kind *kind;
    struct catalog_span span;
    struct str after;  // ids behind it
    int64_t limit;     // -1: all
    struct str own_at; // only items of which this place says a price of its own; empty: all
};
enum err_code catalog_rows_page(struct db *db, const struct catalog_page *page, sqlite3_stmt **ret,
                                struct err *e) MUST_CHECK;
// Columns of a statement, from 'first' on, as a row of the kind.
enum err_code catalog_rows_read(sqlite3_stmt *from, int first, const struct catalog_kind *kind,
                                struct arena *a, struct row *ret) MUST_CHECK;

struct catalog_state {
    struct catalog_span shown;
    struct catalog_version version; // shown
    struct catalog_span next;       // being brought in
    struct catalog_version next_version;
    uint64_t rows;
    uint64_t staged;                // rows written since the last time that something was shown
    int64_t swept;                  // nothing that nobody shows is left up to this edition
    struct catalog_version refused; // whose rows did not give its hash; hash: what they gave
    struct set_hash sum;
};
enum err_code catalog_state_read(struct db *db, struct catalog_state *ret,
                                 struct err *e) MUST_CHECK;
enum err_code catalog_state_write(struct db *db, const struct catalog_state *state,
                                  struct err *e) MUST_CHECK;

// Counts a row into (or out of) what is brought in.
enum err_code catalog_state_add(struct catalog_state *state, struct catalog_rows *c,
                                const struct catalog_kind *kind, const struct row *row) MUST_CHECK;
enum err_code catalog_state_remove(struct catalog_state *state, struct catalog_rows *c,
                                   const struct catalog_kind *kind,
                                   const struct row *row) MUST_CHECK;
// What is brought in is shown from now on.
void catalog_state_show(struct catalog_state *state);

#endif
