// SPDX-License-Identifier: Apache-2.0
// One writing process per folder, and the ballast that is given up when the disk is full.
#ifndef WASL_STORE_SQLITE_LOCK_H
#define WASL_STORE_SQLITE_LOCK_H

#include "base/err.h"

#include <stdint.h>

enum { BALLAST_BYTES = 4 * 1024 * 1024 };

// Holds DIR/wasl.lock until lock_release. ERR_LOCKED names the process that has it.
enum err_code lock_take(const char *dir, int *ret_fd, struct err *e) MUST_CHECK;
void lock_release(int fd); // accepts -1

// Makes DIR/wasl.ballast where there is plenty of room; ret_there: whether it is there.
enum err_code lock_ballast_keep(const char *dir, bool *ret_there, struct err *e) MUST_CHECK;
void lock_ballast_drop(const char *dir);

enum err_code lock_free_bytes(const char *dir, int64_t *ret, struct err *e) MUST_CHECK;
// Appends a little to a scratch file there and syncs it: the time that takes.
enum err_code lock_fsync_us(const char *dir, int64_t *ret, struct err *e) MUST_CHECK;

#endif
