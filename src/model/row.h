// SPDX-License-Identifier: Apache-2.0
// Rows of declared tables: what a folded record looks like, in SQL, in JSON and as a hash.
//
// Why: one description of a record's columns serves the SQLite and the PostgreSQL store, the feed,
//   'wasl verify' and the simulator, so that equality means the same everywhere.
// Invariants: a row has a value for each column of its table, of that column's kind; the columns of
//   the key come first and are never null.
// Ownership: text points into whatever made the row.
#ifndef WASL_MODEL_ROW_H
#define WASL_MODEL_ROW_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/uuid.h"

enum column_kind {
    COLUMN_TEXT,    // UTF-8
    COLUMN_INTEGER, // whole numbers, ms since 1970, minor units, 0 or 1
    COLUMN_DECIMAL, // ten-thousandths
    COLUMN_UUID,
};

struct column {
    const char *name; // NULL ends the list
    enum column_kind kind;
    const char *meaning;
};

enum { ROW_COLUMNS_MAX = 20 };

struct row_table {
    const char *name; // in SQL
    int key_count;    // the first columns; the location comes before them and is not a column
    const struct column *columns;
    bool typed; // of several types of records: the second column of the key says which
};

struct value {
    bool null;
    union {
        struct str text;
        int64_t number;
        struct uuid uuid;
    };
};

struct row {
    const struct row_table *table;
    struct value *values; // one per column
};

struct row_list {
    struct row *items;
    size_t count;
    size_t capacity;
    struct arena *arena; // where items and values lie
};

void row_list_init(struct row_list *list, struct arena *arena);
// A row with all values null; NULL when out of memory.
struct row *row_list_add(struct row_list *list, const struct row_table *table) MUST_CHECK;

int row_column_count(const struct row_table *table);

void row_set_text(struct row *row, int column, struct str text); // empty: null
void row_set_number(struct row *row, int column, int64_t number);
void row_set_uuid(struct row *row, int column, const struct uuid *id); // zero: null

// By table name, then by key: the order of the canonical encoding.
int row_compare_keys(const struct row *a, const struct row *b);
bool row_equal(const struct row *a, const struct row *b);
void row_list_sort(struct row_list *list);

// The canonical encoding of one row: table name, then each value with its length, so that no two
// different rows have the same bytes. ERR_NO_MEMORY, ERR_LIMIT.
enum err_code row_encode(const struct row *row, struct buf *to) MUST_CHECK;

#endif
