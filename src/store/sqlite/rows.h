// SPDX-License-Identifier: Apache-2.0
// Lists of results that grow in an arena.
#ifndef WASL_STORE_SQLITE_ROWS_H
#define WASL_STORE_SQLITE_ROWS_H

#include "base/arena.h"

// Room for one more item of size bytes behind count: the list, moved if need be; NULL when the
// arena is full.
void *rows_grow(struct arena *a, void *items, size_t count, size_t *room, size_t size) MUST_CHECK;

#endif
