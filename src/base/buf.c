// SPDX-License-Identifier: Apache-2.0
//
// One byte more than cap is allocated, so that vsnprintf can put its NUL behind a full buffer.
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CAP_MIN = 256 };

void buf_init(struct buf *b, size_t max_bytes)
{
    MUST(max_bytes < SIZE_MAX);
    *b = (struct buf){.max = max_bytes};
}

void buf_fini(struct buf *b)
{
    free(b->data);
    *b = (struct buf){.max = b->max};
}

void buf_reset(struct buf *b)
{
    b->len = 0;
}

static enum err_code grow(struct buf *b, size_t wanted)
{
    size_t cap = b->cap < CAP_MIN ? CAP_MIN : b->cap;
    cap = cap > b->max / 2 ? b->max : cap * 2;
    if (cap < wanted) {
        cap = wanted;
    }
    char *data = realloc(b->data, cap + 1);
    if (data == NULL) {
        return ERR_NO_MEMORY;
    }
    b->data = data;
    b->cap = cap;
    return ERR_OK;
}

enum err_code buf_reserve(struct buf *b, size_t n, char **ret_room)
{
    if (n > b->max - b->len) {
        return ERR_LIMIT;
    }
    if (n > b->cap - b->len || b->data == NULL) {
        enum err_code rc = grow(b, b->len + n);
        if (rc != ERR_OK) {
            return rc;
        }
    }
    *ret_room = b->data + b->len;
    return ERR_OK;
}

void buf_grow_by(struct buf *b, size_t n)
{
    MUST(n <= b->cap - b->len);
    b->len += n;
}

enum err_code buf_append(struct buf *b, const void *p, size_t n)
{
    if (n == 0) {
        return ERR_OK;
    }
    char *room = NULL;
    enum err_code rc = buf_reserve(b, n, &room);
    if (rc != ERR_OK) {
        return rc;
    }
    memcpy(room, p, n);
    b->len += n;
    return ERR_OK;
}

enum err_code buf_append_str(struct buf *b, struct str s)
{
    return buf_append(b, s.p, s.n);
}

enum err_code buf_append_format(struct buf *b, const char *format, ...)
{
    size_t left = b->cap - b->len;
    va_list args;
    va_start(args, format);
    int written = b->data == NULL ? vsnprintf(NULL, 0, format, args)
                                  : vsnprintf(b->data + b->len, left + 1, format, args);
    va_end(args);
    if (written < 0) {
        return ERR_INVALID;
    }
    size_t n = (size_t)written;
    if (n > left) {
        char *room = NULL;
        enum err_code rc = buf_reserve(b, n, &room);
        if (rc != ERR_OK) {
            return rc;
        }
        va_start(args, format);
        (void)vsnprintf(room, n + 1, format, args);
        va_end(args);
    }
    b->len += n;
    return ERR_OK;
}

void buf_consume(struct buf *b, size_t n)
{
    MUST(n <= b->len);
    if (n == 0) {
        return;
    }
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
}

struct str buf_str(const struct buf *b)
{
    return (struct str){b->data, b->len};
}
