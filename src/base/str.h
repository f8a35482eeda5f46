// SPDX-License-Identifier: Apache-2.0
// Borrowed spans of text or bytes.
//
// Ownership: a struct str points into somebody else's memory and is not NUL-terminated.
#ifndef WASL_BASE_STR_H
#define WASL_BASE_STR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct str {
    const char *p;
    size_t n;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_ARG(s)   (int)(s).n, (s).p // for "%.*s"

struct str str_of(const char *text); // NULL gives the empty span
struct str str_make(const void *p, size_t n);
bool str_equal(struct str a, struct str b);
bool str_is(struct str a, const char *text);
bool str_starts(struct str a, struct str prefix);
int str_compare(struct str a, struct str b); // by unsigned bytes, shorter first; <0, 0, >0
struct str str_trim(struct str a);           // ASCII blanks off both ends
// Cuts *rest at the first separator: returns what stands before it and moves *rest behind it.
// False when *rest is empty: so the last piece needs no separator, and one behind it adds no piece.
bool str_cut(struct str *rest, char separator, struct str *ret_piece);
bool str_is_utf8(struct str a); // valid UTF-8 without U+0000 and without surrogates (RFC 3629)
// UTF-8 without what only steers a terminal or turns text about: controls but tab, line feed and
// carriage return, U+007F to U+009F, bidirectional embeddings and overrides (U+202A to U+202E),
// U+FFFE and U+FFFF. Marks and isolates, which Arabic text needs, are plain.
bool str_is_plain(struct str a);
// Writes 'from' as one line that only shows: what is not plain, each byte that is no UTF-8, and
// tabs and ends of lines become \xNN. 'to' has STR_ESCAPE_MAX bytes for each of 'from'; returns how
// many it took.
enum { STR_ESCAPE_MAX = 4 };
size_t str_escape(char *to, struct str from);

// Copies into a caller's array of size bytes with a NUL; ERR_LIMIT when it does not fit.
enum err_code str_copy(char *to, size_t size, struct str from) MUST_CHECK;

// Decimal integers in full: no blanks, no plus sign, no overflow; else ERR_PARSE.
enum err_code str_to_i64(struct str a, int64_t *ret) MUST_CHECK;
enum err_code str_to_u64(struct str a, uint64_t *ret) MUST_CHECK;

// Lower-case hexadecimal. to holds 2 * n + 1 bytes; from must be exactly 2 * n digits.
void str_to_hex(char *to, const void *bytes, size_t n);
enum err_code str_from_hex(struct str from, void *to, size_t n) MUST_CHECK;

#endif
