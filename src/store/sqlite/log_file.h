// SPDX-License-Identifier: Apache-2.0
// SQLite's file system with one difference: what a commit adds to the write-ahead log reaches the
// kernel in one call.
//
// Why: SQLite writes each page of the log by two calls, its header and itself. A sale has seven
//   pages, and the calls cost about as much as the sync that they wait for. And a sync of what made
//   a file longer costs a disk twice what one of overwritten bytes does.
// Invariants:
//   1. Nothing waits beyond a sync. With synchronous=FULL each commit syncs the log before it shows
//      its frames to readers, so no other connection ever looks for a frame that is not written.
//      A commit that does not sync must be one of log_file_pass: then nothing waits at all.
//   2. Nothing waits beyond the lock on writing. What still does when it is given back was rolled
//      back, and another writer may put its own frames there: it is dropped, never written.
//   3. Reading, measuring or cutting the file writes first; the file is as SQLite believes it is.
//   4. What a log is lengthened by are zeros, which are no frames: they end it like its end would.
// Ownership: SQLite closes the files, and with a log its memory goes.
// Threads: as SQLite's own. Limits: LOG_FILE_WAITING_BYTES for each open log; what is more is
//   written as it comes.
#ifndef WASL_STORE_SQLITE_LOG_FILE_H
#define WASL_STORE_SQLITE_LOG_FILE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

enum { LOG_FILE_WAITING_BYTES = 120 * 1024 }; // SQLite's own write takes less than 128 KiB

// The name to open a database by that is written with synchronous=FULL. It stands on what is
// SQLite's default when it is first asked for. NULL, which is the default itself, where there is no
// memory for it.
const char *log_file_system(void);

// Between transactions of a database that was opened by that name: whether those that follow are
// written as they come, since they commit without a sync.
void log_file_pass(sqlite3 *db, bool passing);

// Makes the log of a database that was opened by that name and used as long as 'bytes', unless it
// is, and syncs it. The caller has begun to write (BEGIN IMMEDIATE), so that nobody else does, and
// written nothing. What does not fit on the disk is given back.
void log_file_lengthen(sqlite3 *db, int64_t bytes);

#endif
