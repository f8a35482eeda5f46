// SPDX-License-Identifier: Apache-2.0
#include "base/zip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

// Level 19 uses windows of 2^23 bytes; a frame that asks its reader for more is not one of ours.
enum { LEVEL_MIN = 1, LEVEL_MAX = 19, WINDOW_LOG_MAX = 23, CHUNK = 64 * 1024 };

struct zip {
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
};

enum err_code zip_new(int level, struct zip **ret)
{
    if (level < LEVEL_MIN || level > LEVEL_MAX) {
        return ERR_INVALID;
    }
    struct zip *z = calloc(1, sizeof *z);
    if (z == NULL) {
        return ERR_NO_MEMORY;
    }
    z->pack = ZSTD_createCCtx();
    z->unpack = ZSTD_createDCtx();
    if (z->pack == NULL || z->unpack == NULL) {
        zip_free(z);
        return ERR_NO_MEMORY;
    }
    MUST(!ZSTD_isError(ZSTD_CCtx_setParameter(z->pack, ZSTD_c_compressionLevel, level)));
    MUST(!ZSTD_isError(ZSTD_DCtx_setParameter(z->unpack, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)));
    *ret = z;
    return ERR_OK;
}

void zip_free(struct zip *z)
{
    if (z == NULL) {
        return;
    }
    ZSTD_freeCCtx(z->pack);
    ZSTD_freeDCtx(z->unpack);
    free(z);
}

enum err_code zip_pack(struct zip *z, struct str from, struct buf *to)
{
    size_t room = to->max - to->len;
    size_t bound = ZSTD_compressBound(from.n);
    if (ZSTD_isError(bound) || bound > room) {
        bound = room; // it may fit all the same
    }
    char *p = NULL;
    enum err_code rc = buf_reserve(to, bound, &p);
    if (rc != ERR_OK) {
        return rc;
    }
    size_t n = ZSTD_compress2(z->pack, p, bound, from.p, from.n);
    if (ZSTD_isError(n)) {
        return bound == room ? ERR_LIMIT : ERR_NO_MEMORY;
    }
    buf_grow_by(to, n);
    return ERR_OK;
}

static enum err_code unpack_all(struct zip *z, struct str from, size_t max_bytes, struct buf *to)
{
    ZSTD_inBuffer in = {.src = from.p, .size = from.n};
    size_t total = 0;
    size_t want = 1; // bytes that the decoder still expects: 0 at the end of a frame
    while (in.pos < in.size || want != 0) {
        size_t left = max_bytes - total;
        size_t room = to->max - to->len;
        size_t n = left < room ? left : room;
        n = n < CHUNK ? n : CHUNK;
        char byte;
        char *p = &byte; // no room left: the decoder may still have an end of frame to read
        enum err_code rc = n == 0 ? ERR_OK : buf_reserve(to, n, &p);
        if (rc != ERR_OK) {
            return rc;
        }
        size_t in_before = in.pos;
        ZSTD_outBuffer out = {.dst = p, .size = n};
        want = ZSTD_decompressStream(z->unpack, &out, &in);
        if (ZSTD_isError(want)) {
            return ERR_PARSE;
        }
        total += out.pos;
        if (out.pos > 0) {
            buf_grow_by(to, out.pos);
        }
        if (want != 0 && out.pos == 0 && in.pos == in_before) {
            return n == 0 && in.pos < in.size ? ERR_LIMIT : ERR_PARSE;
        }
    }
    return ERR_OK;
}

enum err_code zip_unpack(struct zip *z, struct str from, size_t max_bytes, struct buf *to)
{
    if (from.n == 0) {
        return ERR_PARSE;
    }
    unsigned long long told = ZSTD_getFrameContentSize(from.p, from.n);
    if (told == ZSTD_CONTENTSIZE_ERROR) {
        return ERR_PARSE;
    }
    if (told != ZSTD_CONTENTSIZE_UNKNOWN && told > max_bytes) {
        return ERR_LIMIT;
    }
    size_t before = to->len;
    (void)ZSTD_DCtx_reset(z->unpack, ZSTD_reset_session_only);
    enum err_code rc = unpack_all(z, from, max_bytes, to);
    if (rc != ERR_OK) {
        to->len = before;
    }
    return rc;
}

static enum err_code file_error(const char *path, struct err *e)
{
    switch (errno) {
    case ENOENT:
        return err_set(e, ERR_NOT_FOUND, "%s: no such file", path);
    case EACCES:
        return err_set(e, ERR_DENIED, "%s: may not be read", path);
    case ENOMEM:
    case 0:
        return err_set(e, ERR_NO_MEMORY, "%s: out of memory", path);
    default:
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    }
}

static enum err_code read_all(gzFile f, const char *path, size_t max_bytes, struct buf *to,
                              struct err *e)
{
    size_t total = 0;
    for (;;) {
        // One byte more than allowed is asked for, to see that there is more.
        size_t n = max_bytes - total < CHUNK ? max_bytes - total + 1 : CHUNK;
        char chunk[CHUNK];
        int got = gzread(f, chunk, (unsigned)n);
        if (got < 0) {
            int why = 0;
            (void)gzerror(f, &why);
            return why == Z_ERRNO ? file_error(path, e)
                                  : err_set(e, ERR_PARSE, "%s: damaged gzip file", path);
        }
        if (got == 0) {
            return ERR_OK;
        }
        if ((size_t)got > max_bytes - total) {
            return err_set(e, ERR_LIMIT, "%s: holds more than %zu bytes", path, max_bytes);
        }
        enum err_code rc = buf_append(to, chunk, (size_t)got);
        if (rc != ERR_OK) {
            return err_set(e, rc, "%s: %s", path, err_text(rc));
        }
        total += (size_t)got;
    }
}

enum err_code zip_read_file(const char *path, size_t max_bytes, struct buf *to, struct err *e)
{
    errno = 0;
    gzFile f = gzopen(path, "rbe");
    if (f == NULL) {
        return file_error(path, e);
    }
    (void)gzbuffer(f, CHUNK);
    size_t before = to->len;
    enum err_code rc = read_all(f, path, max_bytes, to, e);
    int closed = gzclose_r(f);
    if (rc == ERR_OK && closed != Z_OK) {
        rc = err_set(e, ERR_PARSE, "%s: the gzip file ends too early", path);
    }
    if (rc != ERR_OK) {
        to->len = before;
    }
    return rc;
}
