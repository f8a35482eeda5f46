// SPDX-License-Identifier: Apache-2.0
#include "model/body.h"

#include "base/decimal.h"

#include <stdio.h>

yyjson_val *body_find(yyjson_val *object, const char *key)
{
    yyjson_val *value = yyjson_obj_get(object, key);
    return value == NULL || yyjson_is_null(value) ? NULL : value;
}

struct str body_text(yyjson_val *object, const char *key)
{
    yyjson_val *value = yyjson_obj_get(object, key);
    return yyjson_is_str(value) ? str_make(yyjson_get_str(value), yyjson_get_len(value))
                                : str_of(NULL);
}

int64_t body_integer(yyjson_val *object, const char *key)
{
    return yyjson_get_sint(yyjson_obj_get(object, key));
}

int64_t body_decimal(yyjson_val *object, const char *key)
{
    int64_t value = 0;
    struct str text = body_text(object, key);
    MUST(text.n == 0 || decimal_parse(text, &value) == ERR_OK);
    return value;
}

struct uuid body_uuid(yyjson_val *object, const char *key)
{
    struct uuid id = {.b = {0}};
    struct str text = body_text(object, key);
    MUST(text.n == 0 || uuid_parse(text, &id) == ERR_OK); // event_type_check saw to it
    return id;
}

struct str body_copy(struct body_reader *in, yyjson_val *object, const char *key)
{
    struct str text = body_text(object, key);
    if (text.n == 0)
        return STR("");
    text = arena_copy(in->kept, text);
    in->full = in->full || text.p == NULL;
    return text;
}

struct str body_copy_number(struct body_reader *in, const char *key)
{
    char text[24];
    if (body_find(in->body, key) == NULL)
        return STR("");
    snprintf(text, sizeof text, "%lld", (long long)body_integer(in->body, key));
    struct str copy = arena_copy(in->kept, str_of(text));
    in->full = in->full || copy.p == NULL;
    return copy;
}

void *body_room(struct body_reader *in, const char *key, size_t size, size_t *ret_count)
{
    size_t count = yyjson_arr_size(yyjson_obj_get(in->body, key));
    void *room = arena_alloc(in->kept, count * size + 1);
    in->full = in->full || room == NULL;
    *ret_count = room ? count : 0;
    return room;
}
