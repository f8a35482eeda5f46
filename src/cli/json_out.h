// SPDX-License-Identifier: Apache-2.0
// One JSON object, written member by member, for a command's standard output or a request.
//
// Why: a failed allocation is noticed once, at the end, instead of at every member.
// Ownership: json_out_begin makes, json_out_fini (or a print) frees; objects live as long.
#ifndef WASL_CLI_JSON_OUT_H
#define WASL_CLI_JSON_OUT_H

#include "base/buf.h"
#include "base/json.h"

struct json_out {
    yyjson_mut_doc *doc;
    yyjson_mut_val *root;
    bool failed;
};

void json_out_begin(struct json_out *o);
void json_out_fini(struct json_out *o);

// to: the root or what json_out_object gave.
yyjson_mut_val *json_out_object(struct json_out *o, yyjson_mut_val *to, const char *key);
void json_out_text(struct json_out *o, yyjson_mut_val *to, const char *key, struct str text);
void json_out_integer(struct json_out *o, yyjson_mut_val *to, const char *key, int64_t value);
void json_out_count(struct json_out *o, yyjson_mut_val *to, const char *key, uint64_t value);
void json_out_flag(struct json_out *o, yyjson_mut_val *to, const char *key, bool value);
void json_out_real(struct json_out *o, yyjson_mut_val *to, const char *key, double value);
void json_out_null(struct json_out *o, yyjson_mut_val *to, const char *key);
void json_out_uuid(struct json_out *o, yyjson_mut_val *to, const char *key, const struct uuid *id);
void json_out_decimal(struct json_out *o, yyjson_mut_val *to, const char *key, __int128 value);
void json_out_copy(struct json_out *o, yyjson_mut_val *to, const char *key, yyjson_val *value);

// Appends the object. ERR_NO_MEMORY, ERR_LIMIT.
enum err_code json_out_append(const struct json_out *o, struct buf *to) MUST_CHECK;
// Prints it to stdout with a line end, and frees it.
enum err_code json_out_print(struct json_out *o, struct err *e) MUST_CHECK;

#endif
