// SPDX-License-Identifier: Apache-2.0
// A growable byte buffer that must be given its maximum.
//
// Why: every buffer has a limit, so that no peer and no file can make us grow without end.
// Invariants: len <= cap <= max; data is NULL only while cap is 0.
// Ownership: the caller holds the struct; buf_fini frees what it grew.
#ifndef WASL_BASE_BUF_H
#define WASL_BASE_BUF_H

#include "base/err.h"
#include "base/str.h"

struct buf {
    char *data;
    size_t len;
    size_t cap;
    size_t max; // bytes
};

void buf_init(struct buf *b, size_t max_bytes);
void buf_fini(struct buf *b);  // accepts a zeroed struct
void buf_reset(struct buf *b); // empty, keeps its memory

// All of these: ERR_LIMIT beyond max, ERR_NO_MEMORY; nothing is appended on failure.
enum err_code buf_append(struct buf *b, const void *p, size_t n) MUST_CHECK;
enum err_code buf_append_str(struct buf *b, struct str s) MUST_CHECK;
enum err_code buf_append_format(struct buf *b, const char *format, ...) MUST_CHECK
    PRINTF_LIKE(2, 3);
enum err_code buf_reserve(struct buf *b, size_t n, char **ret_room) MUST_CHECK; // then buf_grow_by
void buf_grow_by(struct buf *b, size_t n); // n bytes of the reserved room were written

void buf_consume(struct buf *b, size_t n); // drops n bytes from the front
struct str buf_str(const struct buf *b);

#endif
