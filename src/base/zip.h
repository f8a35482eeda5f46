// SPDX-License-Identifier: Apache-2.0
// zstd for messages, gzip (zlib) for input files. Output sizes are bounded before anything grows.
#ifndef WASL_BASE_ZIP_H
#define WASL_BASE_ZIP_H

#include "base/buf.h"

// A reusable zstd context for one thread. level 1..19.
struct zip;
enum err_code zip_new(int level, struct zip **ret) MUST_CHECK;
void zip_free(struct zip *z);
enum err_code zip_pack(struct zip *z, struct str from, struct buf *to) MUST_CHECK; // appends
// Appends; ERR_LIMIT when the content would pass max_bytes (a bomb), ERR_PARSE when not zstd.
enum err_code zip_unpack(struct zip *z, struct str from, size_t max_bytes,
                         struct buf *to) MUST_CHECK;

// Reads a whole file, decompressing it when it is gzip, whatever its name.
enum err_code zip_read_file(const char *path, size_t max_bytes, struct buf *to,
                            struct err *e) MUST_CHECK;

#endif
