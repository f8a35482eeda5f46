// SPDX-License-Identifier: Apache-2.0
// One CSV record to one line of a ticket, by a map.
//
// Ownership: the spans of a row live until the next row_reader_key. The map must outlive the
// reader.
#ifndef WASL_CLI_ROW_READER_H
#define WASL_CLI_ROW_READER_H

#include "base/arena.h"
#include "cli/csv_source.h"
#include "cli/import_map.h"
#include "cli/local_time.h"
#include "cli/text_decoder.h"

enum { ROW_PARTS_MAX = 8, ROW_TIME_MAX = 128 };

// Which columns (from 0) make a field; none where it is not mapped.
struct row_columns {
    uint16_t at[ROW_PARTS_MAX];
    uint16_t count;
};

struct row_reader {
    const struct import_map *map;
    struct text_decoder decoder;
    struct local_time time;
    struct row_columns columns[IMPORT_FIELD_COUNT];
    size_t expected; // fields of a record
    struct arena arena;
    char time_text[ROW_TIME_MAX]; // the last one parsed: the rows of a ticket share theirs
    int64_t time_ms;
};

struct row {
    uint64_t line;  // physical line on which it begins
    struct str key; // of the ticket: its location and number
    struct str no;
    bool cancelled;
    struct str texts[IMPORT_FIELD_COUNT]; // decoded and trimmed; empty where not mapped
    int64_t at_ms;
    int64_t quantity;   // decimal
    int64_t unit_price; // decimal
};

// ERR_INVALID, ERR_UNSUPPORTED: the map's encoding or time zone.
enum err_code row_reader_open(const struct import_map *map, struct row_reader *ret,
                              struct err *e) MUST_CHECK;
void row_reader_close(struct row_reader *r); // accepts a zeroed struct

// Finds the mapped columns in the file's first record. ERR_INVALID naming column and file.
enum err_code row_reader_bind(struct row_reader *r, const char *file,
                              const struct csv_record *first, struct err *e) MUST_CHECK;

// Reads which ticket a record belongs to: key, no, cancelled and location. ERR_INVALID with the
// reason in e; ERR_NO_MEMORY.
enum err_code row_reader_key(struct row_reader *r, const struct csv_record *record, struct row *ret,
                             struct err *e) MUST_CHECK;

// Reads the rest of it, after row_reader_key. The same errors.
enum err_code row_reader_rest(struct row_reader *r, const struct csv_record *record,
                              struct row *row, struct err *e) MUST_CHECK;

#endif
