// SPDX-License-Identifier: Apache-2.0
#include "sim/shop_end.h"

#include <string.h>

const struct value *shop_value(const struct row *row, const char *column)
{
    for (int i = 0; row->table->columns[i].name; i++) {
        if (strcmp(row->table->columns[i].name, column) == 0)
            return &row->values[i];
    }
    MUST(false);
    return NULL;
}

int64_t shop_number(const struct row *row, const char *column)
{
    const struct value *v = shop_value(row, column);
    return v->null ? 0 : v->number;
}

bool shop_text_is(const struct row *row, const char *column, const char *text)
{
    const struct value *v = shop_value(row, column);
    return v->null ? text[0] == '\0' : str_is(v->text, text);
}

const struct row *shop_next_row(const struct shop_end *end, const char *table, size_t *at)
{
    while (*at < end->rows.count) {
        const struct row *row = &end->rows.items[(*at)++];
        if (strcmp(row->table->name, table) == 0)
            return row;
    }
    return NULL;
}

static bool has_id(struct str text, const struct uuid *id)
{
    char name[UUID_TEXT_SIZE];
    uuid_format(id, name);
    return memmem(text.p, text.n, name, UUID_TEXT_SIZE - 1) != NULL;
}

// Once it is settled, and others of its kind are not, only the answer says so.
static bool is_answered(const struct shop_end *end, int i)
{
    for (int k = 0; k < end->of->count; k++) {
        const struct shop_item *s = end->of->items[k]->shop;
        if (end->counted[k] && s->verb == SHOP_ANSWER && shop_set_has(&s->triggers, i))
            return true;
    }
    return false;
}

static bool names(const struct shop_end *end, const struct row *row, int i)
{
    return has_id(shop_value(row, "triggers")->text, &end->of->items[i]->id) ||
           has_id(shop_value(row, "detail")->text, &end->of->items[i]->id) || is_answered(end, i);
}

bool shop_is_asked(const struct shop_end *end, const char *kind, int a, int b)
{
    const struct row *row;
    for (size_t at = 0; (row = shop_next_row(end, "record_reviews", &at)) != NULL;) {
        if (shop_text_is(row, "kind", kind) && names(end, row, a) && names(end, row, b))
            return true;
    }
    return false;
}
