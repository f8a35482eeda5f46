// SPDX-License-Identifier: Apache-2.0
// The records of a CSV file, plain or gzip, one at a time (by libcsv and zlib).
//
// Why: files are large and dirty. Memory stays bounded, the verbatim bytes of each record are at
//   hand for a reject file, and a stray quote costs one line, not the rest of the file.
// Invariants: a record's number and the file's hash depend on the decompressed bytes only, so that
//   the same content under gzip or plain is the same file.
// Ownership: records point into the source and live until its next call.
// Threads: one thread at a time. Limits: CSV_FILE_MAX decompressed, CSV_RECORD_MAX a record,
//   CSV_FIELDS_MAX fields.
#ifndef WASL_CLI_CSV_SOURCE_H
#define WASL_CLI_CSV_SOURCE_H

#include "base/hash.h"
#include "base/str.h"

#define CSV_FILE_MAX (INT64_C(2) << 30)
enum {
    CSV_RECORD_MAX = 256 * 1024,
    CSV_FIELDS_MAX = 1000,
};

struct csv_source;

struct csv_record {
    uint64_t line;            // physical line on which it begins, from 1
    struct str raw;           // verbatim, with its line ending where it has one
    const struct str *fields; // unquoted, in the file's encoding
    size_t count;
    const char *problem; // NULL, or why this record cannot be read (count is 0 then)
};

// Opens a regular file; a UTF-8 byte order mark is skipped. ERR_NOT_FOUND, ERR_IO, ERR_UNSUPPORTED
// when it is UTF-16 or not a regular file.
enum err_code csv_source_open(const char *path, char delimiter, struct csv_source **ret,
                              struct err *e) MUST_CHECK;
void csv_source_close(struct csv_source *s); // accepts NULL

// The next record, or NULL at the end; blank lines are skipped. ERR_IO, ERR_PARSE when the gzip
// stream is broken, ERR_LIMIT beyond CSV_FILE_MAX or for a line beyond CSV_RECORD_MAX.
enum err_code csv_source_next(struct csv_source *s, const struct csv_record **ret,
                              struct err *e) MUST_CHECK;

// Gives back all of the last record but its first line, which becomes its raw: for a record over
// several lines that cannot be right. False when it has only one line.
bool csv_source_split(struct csv_source *s, struct str *ret_first_line);

// Lowers the limit on decompressed bytes (CSV_FILE_MAX).
void csv_source_set_max(struct csv_source *s, int64_t max_bytes);

// Back to the beginning, for a second pass.
enum err_code csv_source_rewind(struct csv_source *s, struct err *e) MUST_CHECK;

// BLAKE2b-256 of the decompressed bytes; valid once csv_source_next has reached the end.
struct hash csv_source_hash(const struct csv_source *s);

// Bytes of the file on disk: read so far in this pass, and in all.
void csv_source_progress(const struct csv_source *s, int64_t *ret_done, int64_t *ret_total);

#endif
