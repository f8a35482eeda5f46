// SPDX-License-Identifier: Apache-2.0
// Reads the tickets of any till's CSV file, by a map (import_map.h).
//
// Why: lines of one ticket need not be adjacent, so the file is read twice: the first pass hashes
//   it and counts the rows of each ticket, the second yields each ticket, in order of first
//   appearance, as soon as its last row was seen.
// Invariants: a ticket's identity is made of its own rows as they stand, those that are rejected
//   aside: repeated lines stay, a file read again gives the same ids, and where a row was mended
//   only its ticket has another.
//   A row is either in a ticket or rejected, exactly once.
// Ownership: tickets and rejects are borrowed until the next call. The map is copied.
// Threads: one at a time. A map with a time zone other than UTC sets the process's TZ from open to
//   close (local_time.h): for single-threaded commands.
// Limits: TICKET_LINES_MAX lines a ticket (a larger one is rejected as a whole), CSV_FILE_MAX
// bytes.
//   Memory: about 100 bytes a ticket and the tickets begun but not complete; all of the file only
//   where the lines of every ticket are spread over all of it.
#ifndef WASL_CLI_TICKET_READER_H
#define WASL_CLI_TICKET_READER_H

#include "cli/import_map.h"
#include "cli/ticket.h"

struct ticket_reader;

// A row that is kept aside; the rest goes on.
struct ticket_reject {
    uint64_t line;      // physical line of the file, from 1, the header counted
    uint64_t row;       // record of the file, from 1, the header not counted
    struct str raw;     // verbatim; the file's last line may lack its line ending
    const char *reason; // one sentence
};

struct ticket_reader_watch {
    void (*on_reject)(void *context, const struct ticket_reject *reject); // may be NULL
    // Bytes of the file on disk, both passes together; about once a mebibyte. May be NULL.
    void (*on_progress)(void *context, int64_t done, int64_t total);
    void *context;
};

struct ticket_counts {
    uint64_t rows; // read so far in the second pass; after the end: all
    uint64_t rejected_rows;
    uint64_t tickets; // given out; of them:
    uint64_t cancellations;
    uint64_t returns;
    uint64_t lines; // of the tickets given out
};

// Opens a file and makes the first pass. watch may be NULL. ERR_NOT_FOUND, ERR_IO, ERR_PARSE,
// ERR_LIMIT; ERR_INVALID when a mapped column is not in the file (e names both), the time zone or
// the encoding is unknown; ERR_UNSUPPORTED for an encoding that does not contain ASCII.
enum err_code ticket_reader_open(const char *path, const struct import_map *map,
                                 const struct ticket_reader_watch *watch,
                                 struct ticket_reader **ret, struct err *e) MUST_CHECK;
void ticket_reader_close(struct ticket_reader *r); // accepts NULL

// The next ticket, or NULL at the end. ERR_DAMAGED when the file changed between the passes.
enum err_code ticket_reader_next(struct ticket_reader *r, const struct ticket **ret,
                                 struct err *e) MUST_CHECK;

struct hash ticket_reader_file_hash(const struct ticket_reader *r);
struct ticket_counts ticket_reader_counts(const struct ticket_reader *r);
uint64_t ticket_reader_ticket_total(const struct ticket_reader *r); // distinct numbers in the file
struct str ticket_reader_header(const struct ticket_reader *r);     // verbatim; empty without one

#endif
