// SPDX-License-Identifier: Apache-2.0
#include "cli/json_out.h"

#include "base/decimal.h"

#include <stdio.h>

enum { PRINT_MAX = 64 * 1024 * 1024 };

static void note(struct json_out *o, bool done)
{
    o->failed = o->failed || !done;
}

void json_out_begin(struct json_out *o)
{
    *o = (struct json_out){.doc = yyjson_mut_doc_new(NULL)};
    o->root = yyjson_mut_obj(o->doc);
    note(o, o->root != NULL);
    yyjson_mut_doc_set_root(o->doc, o->root);
}

void json_out_fini(struct json_out *o)
{
    yyjson_mut_doc_free(o->doc);
    *o = (struct json_out){0};
}

yyjson_mut_val *json_out_object(struct json_out *o, yyjson_mut_val *to, const char *key)
{
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(o->doc, to, key);
    note(o, object != NULL);
    return object;
}

void json_out_text(struct json_out *o, yyjson_mut_val *to, const char *key, struct str text)
{
    note(o, yyjson_mut_obj_add_strncpy(o->doc, to, key, text.n > 0 ? text.p : "", text.n));
}

void json_out_integer(struct json_out *o, yyjson_mut_val *to, const char *key, int64_t value)
{
    note(o, yyjson_mut_obj_add_sint(o->doc, to, key, value));
}

void json_out_count(struct json_out *o, yyjson_mut_val *to, const char *key, uint64_t value)
{
    note(o, yyjson_mut_obj_add_uint(o->doc, to, key, value));
}

void json_out_flag(struct json_out *o, yyjson_mut_val *to, const char *key, bool value)
{
    note(o, yyjson_mut_obj_add_bool(o->doc, to, key, value));
}

void json_out_real(struct json_out *o, yyjson_mut_val *to, const char *key, double value)
{
    note(o, yyjson_mut_obj_add_real(o->doc, to, key, value));
}

void json_out_null(struct json_out *o, yyjson_mut_val *to, const char *key)
{
    note(o, yyjson_mut_obj_add_null(o->doc, to, key));
}

void json_out_uuid(struct json_out *o, yyjson_mut_val *to, const char *key, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(id, text);
    json_out_text(o, to, key, str_of(text));
}

void json_out_decimal(struct json_out *o, yyjson_mut_val *to, const char *key, __int128 value)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_format(value, text);
    json_out_text(o, to, key, str_of(text));
}

void json_out_copy(struct json_out *o, yyjson_mut_val *to, const char *key, yyjson_val *value)
{
    note(o, yyjson_mut_obj_add_val(o->doc, to, key, yyjson_val_mut_copy(o->doc, value)));
}

enum err_code json_out_append(const struct json_out *o, struct buf *to)
{
    return o->failed ? ERR_NO_MEMORY : json_append_doc(to, o->doc);
}

enum err_code json_out_print(struct json_out *o, struct err *e)
{
    struct buf text;
    buf_init(&text, PRINT_MAX);
    enum err_code code = json_out_append(o, &text);
    if (code == ERR_OK) {
        (void)fwrite(text.data, 1, text.len, stdout);
        (void)fputc('\n', stdout);
    }
    buf_fini(&text);
    json_out_fini(o);
    return code == ERR_OK ? ERR_OK : err_set(e, code, "%s", err_text(code));
}
