// SPDX-License-Identifier: Apache-2.0
#include "base/decimal.h"
#include "model/setting.h"
#include "store/sqlite/state.h"

#include <string.h>

// True where a value is there; one that was taken back, or that an edit of the file made, is none.
static enum err_code read_value(struct store *s, struct str location, struct str id,
                                struct store_setting *ret, bool *ret_there, struct err *e)
{
    struct query q;
    struct str item;
    const struct setting_row *row = setting_find(id, &item);
    query_begin(&q, &s->db, Q_SETTING);
    query_text(&q, location);
    query_text(&q, id);
    *ret_there = query_row(&q) && !query_is_null(&q, 0) &&
                 setting_check(row, query_get_text(&q, 0), NULL) == ERR_OK &&
                 str_copy(ret->value, sizeof ret->value, query_get_text(&q, 0)) == ERR_OK;
    return query_end(&q, e);
}

// Of the item first, then of all items.
static enum err_code read_place(struct store *s, struct str location,
                                const struct store_setting_name *name, struct store_setting *ret,
                                bool *ret_there, struct err *e)
{
    char id[LIMIT_NAME + 1];
    size_t n = strlen(name->key);
    enum err_code code = ERR_OK;
    *ret_there = false;
    if (name->item.n > 0 && n + 1 + name->item.n <= LIMIT_NAME) {
        memcpy(id, name->key, n);
        id[n] = '/';
        memcpy(id + n + 1, name->item.p, name->item.n);
        struct str whole = str_make(id, n + 1 + name->item.n), item;
        if (setting_find(whole, &item) != NULL)
            code = read_value(s, location, whole, ret, ret_there, e);
    }
    return code || *ret_there ? code
                              : read_value(s, location, str_of(name->key), ret, ret_there, e);
}

enum err_code store_setting_get(struct store *s, const struct store_setting_name *name,
                                struct store_setting *ret, struct err *e)
{
    char scratch[DECIMAL_TEXT_MAX];
    struct str item;
    bool there = false;
    const struct setting_row *row = setting_find(str_of(name->key), &item);
    MUST(row != NULL);
    enum err_code code = ERR_OK;
    if (row->place)
        code = read_place(s, name->location, name, ret, &there, e);
    if (code == ERR_OK && !there)
        code = read_place(s, STR(FEED_CHAIN), name, ret, &there, e);
    if (code == ERR_OK && !there)
        MUST(str_copy(ret->value, sizeof ret->value, setting_preset(row, name->item, scratch)) ==
             ERR_OK);
    return code;
}

static enum err_code get_as(struct store *s, const struct store_setting_name *name,
                            enum err_code (*parse)(struct str text, int64_t *ret), const char *what,
                            int64_t *ret, struct err *e)
{
    struct store_setting value;
    enum err_code code = store_setting_get(s, name, &value, e);
    if (code == ERR_OK && parse(str_of(value.value), ret))
        code = err_set(e, ERR_INVALID, "%s is no %s", name->key, what);
    return code;
}

enum err_code store_setting_number(struct store *s, const struct store_setting_name *name,
                                   int64_t *ret, struct err *e)
{
    return get_as(s, name, str_to_i64, "whole number", ret, e);
}

enum err_code store_setting_decimal(struct store *s, const struct store_setting_name *name,
                                    int64_t *ret, struct err *e)
{
    return get_as(s, name, decimal_parse, "decimal", ret, e);
}

enum err_code store_setting_window(struct store *s, const struct store_setting_name *name,
                                   struct window *ret, struct err *e)
{
    struct store_setting value;
    enum err_code code = store_setting_get(s, name, &value, e);
    if (code == ERR_OK && window_parse(str_of(value.value), ret))
        code = err_set(e, ERR_INVALID, "%s is no time of day", name->key);
    return code;
}
