// SPDX-License-Identifier: Apache-2.0
#include "base/decimal.h"
#include "sim/shop_card.h"
#include "sim/shop_end.h"

#include <string.h>

static const struct shop_card *card_of(const struct shop_end *end)
{
    return &shop_cards[end->of->kind];
}

static bool writes(const struct shop_end *end, int i, int field)
{
    const struct shop_item *item = shop_end_item(end, i);
    return item && item->fields[field].written && !end->rejected[i];
}

static bool value_is(const struct value *is, enum column_kind kind, const char *text)
{
    int64_t number = 0;
    if (is->null || text[0] == '\0')
        return is->null == (text[0] == '\0');
    if (kind == COLUMN_TEXT)
        return str_is(is->text, text);
    if (kind == COLUMN_DECIMAL)
        MUST(decimal_parse(str_of(text), &number) == ERR_OK);
    else
        MUST(str_to_i64(str_of(text), &number) == ERR_OK);
    return is->number == number;
}

// The last by the declared order, whenever it came.
static void check_field(const struct shop_end *end, const struct row *row, int field)
{
    const struct shop_card_field *f = &card_of(end)->fields[field];
    struct shop_set written = {.words = {0}};
    int last = -1;
    for (int k = 0; k < end->ordered; k++) {
        if (!writes(end, end->order[k], field))
            continue;
        last = end->order[k];
        shop_set_add(&written, last);
    }
    const char *expected = last < 0 ? "" : end->of->items[last]->shop->fields[field].value;
    if (!value_is(shop_value(row, f->name), f->kind, expected))
        shop_end_wrong(end, last < 0 ? 0 : last, "its field does not show what was said last");
    shop_end_check_losers(end, &written, last, card_of(end)->policy);
}

static bool is_replaced(const struct shop_end *end, int i, int field)
{
    for (int k = 0; k < end->of->count; k++) {
        if (k != i && writes(end, k, field) && shop_end_saw(end, k, i))
            return true;
    }
    return false;
}

// Two that nobody has replaced since, and that say different things.
static void check_asked(const struct shop_end *end, int field)
{
    for (int i = 0; i < end->of->count; i++) {
        for (int k = 0; k < i; k++) {
            if (writes(end, i, field) && writes(end, k, field) && !is_replaced(end, i, field) &&
                !is_replaced(end, k, field) &&
                strcmp(end->of->items[i]->shop->fields[field].value,
                       end->of->items[k]->shop->fields[field].value) != 0 &&
                !shop_is_asked(end, card_of(end)->asks, i, k))
                shop_end_wrong(end, i, "nobody is asked about two of one rank");
        }
    }
}

// Where a person took out both of two, what somebody sets with both before him settles it anew.
static bool is_refused(const struct shop_end *end)
{
    bool refused = false;
    for (int i = 0; i < end->of->count; i++)
        refused = refused || end->rejected[i];
    return refused && card_of(end)->asks;
}

void shop_card_check(const struct shop_end *end)
{
    size_t at = 0;
    const struct row *row = shop_next_row(end, end->of->reducer->tables[0]->name, &at);
    if (row == NULL)
        return; // all of it may be held
    for (int i = 0; row && card_of(end)->fields[i].name; i++) {
        check_field(end, row, i);
        if (card_of(end)->asks && !is_refused(end))
            check_asked(end, i);
    }
}
