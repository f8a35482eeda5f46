// SPDX-License-Identifier: Apache-2.0
// One writing process per folder, and how fast its disk is.
#ifndef WASL_STORE_SQLITE_LOCK_H
#define WASL_STORE_SQLITE_LOCK_H

#include "base/err.h"

#include <stdint.h>

// Holds DIR/wasl.lock until lock_release. ERR_LOCKED names the process that has it.
enum err_code lock_take(const char *dir, int *ret_fd, struct err *e) MUST_CHECK;
void lock_release(int fd); // accepts -1

// Appends a little to a scratch file there and syncs it: the time that takes.
enum err_code lock_fsync_us(const char *dir, int64_t *ret, struct err *e) MUST_CHECK;

#endif
