// SPDX-License-Identifier: Apache-2.0
#include "base/zip.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

// Level 19 uses windows of 2^23 bytes; a frame that asks its reader for more is not one of ours.
enum { LEVEL_MIN = 1, LEVEL_MAX = 19, WINDOW_LOG_MAX = 23, CHUNK = 16 * 1024 };

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

static enum err_code translate(size_t zstd_result)
{
    ZSTD_ErrorCode code = ZSTD_getErrorCode(zstd_result);
    if (code == ZSTD_error_memory_allocation) {
        return ERR_NO_MEMORY;
    }
    bool over =
        code == ZSTD_error_dstSize_tooSmall || code == ZSTD_error_frameParameter_windowTooLarge;
    return over ? ERR_LIMIT : ERR_PARSE;
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
        return translate(n);
    }
    buf_grow_by(to, n);
    return ERR_OK;
}

// Gives the decoder at most 'step' bytes of room at a time, so that the buffer grows with what
// really comes out and never by what a frame merely claims beyond max_bytes.
static enum err_code unpack_all(struct zip *z, struct str from, size_t max_bytes, size_t step,
                                struct buf *to)
{
    ZSTD_inBuffer in = {.src = from.p, .size = from.n};
    size_t left = max_bytes < to->max - to->len ? max_bytes : to->max - to->len;
    size_t expects = 1; // 0 at the end of a frame
    while (in.pos < in.size || expects != 0) {
        size_t n = left < step ? left : step;
        char nothing;
        char *p = &nothing; // without room the decoder may still read the end of its frame
        enum err_code rc = n == 0 ? ERR_OK : buf_reserve(to, n, &p);
        if (rc != ERR_OK) {
            return rc;
        }
        size_t in_before = in.pos;
        ZSTD_outBuffer out = {.dst = p, .size = n};
        expects = ZSTD_decompressStream(z->unpack, &out, &in);
        if (ZSTD_isError(expects)) {
            return translate(expects);
        }
        if (out.pos > 0) {
            buf_grow_by(to, out.pos);
            left -= out.pos;
        } else if (expects != 0 && in.pos == in_before) {
            return n == 0 ? ERR_LIMIT : ERR_PARSE; // more to come out, or more wanted in
        }
    }
    return ERR_OK;
}

enum err_code zip_unpack(struct zip *z, struct str from, size_t max_bytes, struct buf *to)
{
    unsigned long long told =
        from.n == 0 ? ZSTD_CONTENTSIZE_ERROR : ZSTD_getFrameContentSize(from.p, from.n);
    if (told == ZSTD_CONTENTSIZE_ERROR) {
        return ERR_PARSE;
    }
    bool known = told != ZSTD_CONTENTSIZE_UNKNOWN && told != 0;
    if (known && told > max_bytes) {
        return ERR_LIMIT;
    }
    size_t before = to->len;
    (void)ZSTD_DCtx_reset(z->unpack, ZSTD_reset_session_only);
    enum err_code rc = unpack_all(z, from, max_bytes, known ? (size_t)told : CHUNK, to);
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
        char chunk[CHUNK];
        size_t n = max_bytes - total < CHUNK ? max_bytes - total + 1 : CHUNK;
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
