// SPDX-License-Identifier: Apache-2.0
#include "cli/text_decoder.h"

#include <iconv.h>
#include <string.h>
#include <strings.h>

static enum err_code convert(iconv_t cd, struct str from, char *to, size_t room, size_t *ret_n)
{
    (void)iconv(cd, NULL, NULL, NULL, NULL);
    char *in = (char *)(uintptr_t)from.p; // iconv's prototype; it does not write there
    size_t in_left = from.n;
    char *out = to;
    size_t out_left = room;
    if (iconv(cd, &in, &in_left, &out, &out_left) == (size_t)-1 ||
        iconv(cd, NULL, NULL, &out, &out_left) == (size_t)-1) {
        return ERR_PARSE;
    }
    *ret_n = room - out_left;
    return ERR_OK;
}

// ESC is among them: it is what switches the state of the encodings that have one.
static bool contains_ascii(iconv_t cd)
{
    static const char probes[] = "\t\r\n\x1b";
    for (int c = 0; c < 0x7f; c++) {
        if (c < 0x20 && (c == 0 || strchr(probes, c) == NULL)) {
            continue;
        }
        char byte = (char)c;
        char out[16];
        size_t n = 0;
        if (convert(cd, str_make(&byte, 1), out, sizeof(out), &n) != ERR_OK || n != 1 ||
            out[0] != byte) {
            return false;
        }
    }
    return true;
}

enum err_code text_decoder_open(const char *encoding, struct text_decoder *ret, struct err *e)
{
    *ret = (struct text_decoder){0};
    if (strcasecmp(encoding, "UTF-8") == 0 || strcasecmp(encoding, "UTF8") == 0) {
        return ERR_OK;
    }
    iconv_t cd = iconv_open("UTF-8", encoding);
    if (cd == (iconv_t)-1) { // NOLINT(performance-no-int-to-ptr): iconv's own sentinel
        return err_set(e, ERR_INVALID, "unknown encoding '%s'", encoding);
    }
    if (!contains_ascii(cd)) {
        (void)iconv_close(cd);
        return err_set(e, ERR_UNSUPPORTED,
                       "encoding '%s' does not contain ASCII; export the file as UTF-8", encoding);
    }
    ret->iconv = cd;
    return ERR_OK;
}

void text_decoder_close(struct text_decoder *d)
{
    if (d->iconv != NULL) {
        (void)iconv_close(d->iconv);
        d->iconv = NULL;
    }
}

enum err_code text_decoder_read(const struct text_decoder *d, struct arena *a, struct str from,
                                struct str *ret)
{
    struct str text = from;
    if (d->iconv != NULL && from.n > 0) {
        size_t room = from.n * 4;
        char *to = arena_alloc(a, room);
        if (to == NULL) {
            return ERR_NO_MEMORY;
        }
        enum err_code code = convert(d->iconv, from, to, room, &text.n);
        if (code != ERR_OK) {
            return code;
        }
        text.p = to;
    }
    if (!str_is_utf8(text)) {
        return ERR_PARSE;
    }
    *ret = text;
    return ERR_OK;
}
