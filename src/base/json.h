// SPDX-License-Identifier: Apache-2.0
// Strict reading and plain writing of JSON on top of yyjson.
//
// Why: the same limits everywhere: valid UTF-8, no U+0000, bounded depth, integers in range, and no
// member twice in an object, since two readers might each take another one.
// Ownership: a document lives until json_close; values and strings point into it or into the text.
#ifndef WASL_BASE_JSON_H
#define WASL_BASE_JSON_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "base/uuid.h"

#include <yyjson.h>

enum { JSON_DEPTH_MAX = 64 }; // the largest max_depth that may be asked for

struct json {
    yyjson_doc *doc;
    yyjson_val *root;
};

// ERR_PARSE: not one JSON value, invalid UTF-8, U+0000 or a lone surrogate in a string, a float
// that is not finite, a member given twice; ERR_LIMIT: more than max_depth objects and lists within
// each other (a bare number has depth 0), or the arena is full; ERR_NO_MEMORY. text need not
// outlive the document.
enum err_code json_parse(struct str text, int max_depth, struct json *ret,
                         struct err *e) MUST_CHECK;
// The same, in memory of the arena (nothing to close but the arena).
enum err_code json_parse_in(struct arena *a, struct str text, int max_depth, struct json *ret,
                            struct err *e) MUST_CHECK;
void json_close(struct json *j); // accepts a zeroed struct; not for json_parse_in

// Accessors for a required member: ERR_INVALID naming the key when absent or of another type.
enum err_code json_get_str(yyjson_val *object, const char *key, struct str *ret,
                           struct err *e) MUST_CHECK;
enum err_code json_get_i64(yyjson_val *object, const char *key, int64_t *ret,
                           struct err *e) MUST_CHECK; // an integer in int64 range, never a float
enum err_code json_get_uuid(yyjson_val *object, const char *key, struct uuid *ret,
                            struct err *e) MUST_CHECK;
enum err_code json_get_hash(yyjson_val *object, const char *key, struct hash *ret,
                            struct err *e) MUST_CHECK;
enum err_code json_get_hex(yyjson_val *object, const char *key, void *to, size_t n,
                           struct err *e) MUST_CHECK;
enum err_code json_get_decimal(yyjson_val *object, const char *key, int64_t *ret,
                               struct err *e) MUST_CHECK;   // from a decimal string
yyjson_val *json_find(yyjson_val *object, const char *key); // NULL when absent

// One object to be written with yyjson's mutable calls, whose results need no check: an allocation
// that failed is remembered, so that json_writer_end never writes an object that lacks a member.
// Ownership: stays where it is until json_writer_end, which must follow and frees everything.
struct json_writer {
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
    yyjson_alc source;
    char *text;    // of json_writer_add
    bool failed;   // an allocation
    bool no_value; // what was to be added cannot be written
};
void json_writer_begin(struct json_writer *w);
// Once at most: a value that was read, put in as its text, which costs less than a copy of it.
void json_writer_add(struct json_writer *w, const char *key, yyjson_val *value);
// ERR_NO_MEMORY; ERR_INVALID: some value cannot be written.
enum err_code json_writer_end(struct json_writer *w, struct buf *to) MUST_CHECK;

// Writing (by yyjson, always): appends to a bounded buffer.
enum err_code json_append_string(struct buf *b, struct str text) MUST_CHECK;  // quoted and escaped
enum err_code json_append_value(struct buf *b, yyjson_val *value) MUST_CHECK; // minified
enum err_code json_append_doc(struct buf *b, yyjson_mut_doc *doc) MUST_CHECK; // minified

#endif
