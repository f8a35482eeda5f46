// SPDX-License-Identifier: Apache-2.0
// Text in a file's encoding to UTF-8 (by iconv).
//
// Why: fields are cut before they are decoded, so that one bad byte costs one row; hence only
//   encodings that contain ASCII byte for byte.
// Ownership: what is decoded lives in the caller's arena, or in the input where that is UTF-8.
#ifndef WASL_CLI_TEXT_DECODER_H
#define WASL_CLI_TEXT_DECODER_H

#include "base/arena.h"

struct text_decoder {
    void *iconv; // NULL for UTF-8, which is only checked
};

// encoding: a name that iconv knows. ERR_INVALID when unknown, ERR_UNSUPPORTED without ASCII in it
// (UTF-16 and the like).
enum err_code text_decoder_open(const char *encoding, struct text_decoder *ret,
                                struct err *e) MUST_CHECK;
void text_decoder_close(struct text_decoder *d); // accepts a zeroed struct

// ERR_PARSE where the bytes are not valid in the encoding, or hold a NUL; ERR_NO_MEMORY.
enum err_code text_decoder_read(const struct text_decoder *d, struct arena *a, struct str from,
                                struct str *ret) MUST_CHECK;

#endif
