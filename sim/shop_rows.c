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

static bool has_id(struct str triggers, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(id, text);
    return memmem(triggers.p, triggers.n, text, UUID_TEXT_SIZE - 1) != NULL;
}

bool shop_is_asked(const struct shop_end *end, const char *kind, int a, int b)
{
    const struct row *row;
    for (size_t at = 0; (row = shop_next_row(end, "record_reviews", &at)) != NULL;) {
        struct str triggers = shop_value(row, "triggers")->text;
        if (shop_text_is(row, "kind", kind) && has_id(triggers, &end->of->items[a]->id) &&
            has_id(triggers, &end->of->items[b]->id))
            return true;
    }
    return false;
}
