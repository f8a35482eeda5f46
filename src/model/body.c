// SPDX-License-Identifier: Apache-2.0
#include "model/body.h"

#include "base/decimal.h"

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
