// SPDX-License-Identifier: Apache-2.0
#include "model/setting.h"

#include "model/event_type.h"
#include "model/price.h"

#include <stdio.h>
#include <string.h>

#define NUMBER(low_, high_)  .kind = SETTING_NUMBER, .low = low_, .high = high_
#define DECIMAL(low_, high_) .kind = SETTING_DECIMAL, .low = low_, .high = (high_)*DECIMAL_ONE

const struct setting_row setting_table[] = {
    {.key = "pending_hours",
     NUMBER(1, 24 * 365),
     .items = ITEMS_TYPES,
     .meaning = "how long an event, or one of a type, may wait at a till before it is late",
     .reader = "the centre, as it judges what arrives",
     .why = "money that moved counts whenever it comes; a price that somebody wanted four days ago "
            "may be wrong by now"},
    {.key = PRICE_SETTING,
     .kind = SETTING_CHOICE,
     .choices = "centre|branch_if_none|branch",
     .preset = "centre",
     .meaning = "whether a branch may set a price: no; where the head office has set none; beside "
                "the head office's, until that publishes a newer one",
     .reader = "the centre, as it judges a branch's `price_set`; tills, until it has",
     .why = "franchises set their prices, chains do not"},
    {.key = "oversell",
     DECIMAL(0, 1000000),
     .items = ITEMS_SKUS,
     .place = true,
     .preset = "0",
     .meaning = "units of a SKU that may be promised beyond what is there",
     .reader = "the centre, as it decides on reservations, and asks about stock below zero",
     .why = "bread comes out of the oven while it is sold; the last lamb does not"},
    {.key = "clock_skew_seconds",
     NUMBER(1, 24 * 3600),
     .preset = "300",
     .meaning = "how far a till's clock may be ahead before it is not believed",
     .reader = "the centre, as it judges what arrives",
     .why = "no order of events follows a clock that is off"},
    {.key = "deferred_window",
     .kind = SETTING_WINDOW,
     .place = true,
     .preset = "02:00-05:00",
     .meaning = "when what may wait goes up and comes down, by the wall clock of the place",
     .reader = "tills",
     .why = "a thin link is for sales while people buy"},
};
const size_t setting_count = sizeof setting_table / sizeof setting_table[0];

const char *setting_kind_name(enum setting_kind kind)
{
    static const char *const names[] = {"whole number", "decimal", "one of", "time of day"};
    return names[kind];
}

// ---- keys and values ---------------------------------------------------------------------------

static bool item_fits(const struct setting_row *row, struct str item)
{
    switch (row->items) {
    case ITEMS_NONE:
        return false;
    case ITEMS_TYPES:
        return event_type_find(item) != NULL;
    case ITEMS_SKUS:
        break;
    }
    return event_name_valid(item);
}

const struct setting_row *setting_find(struct str record_id, struct str *ret_item)
{
    struct str rest = record_id, key = STR("");
    (void)str_cut(&rest, '/', &key);
    bool itemized = key.n < record_id.n;
    *ret_item = itemized ? rest : STR("");
    for (size_t i = 0; i < setting_count; i++) {
        if (str_is(key, setting_table[i].key))
            return !itemized || item_fits(&setting_table[i], rest) ? &setting_table[i] : NULL;
    }
    return NULL;
}

static bool is_choice(const char *choices, struct str value)
{
    struct str rest = str_of(choices), one;
    while (rest.n > 0 && str_cut(&rest, '|', &one)) {
        if (str_equal(one, value))
            return true;
    }
    return false;
}

static enum err_code check_range(const struct setting_row *row, struct str value, bool decimal,
                                 struct err *e)
{
    char low[DECIMAL_TEXT_MAX], high[DECIMAL_TEXT_MAX];
    int64_t number = 0, one = decimal ? 1 : DECIMAL_ONE;
    bool read =
        decimal ? decimal_parse(value, &number) == ERR_OK : str_to_i64(value, &number) == ERR_OK;
    if (read && number >= row->low && number <= row->high)
        return ERR_OK;
    decimal_format(row->low * one, low);
    decimal_format(row->high * one, high);
    return err_set(e, ERR_INVALID, "body: value: %s is a %s from %s to %s", row->key,
                   setting_kind_name(row->kind), low, high);
}

enum err_code setting_check(const struct setting_row *row, struct str value, struct err *e)
{
    struct window w;
    switch (row->kind) {
    case SETTING_NUMBER:
        return check_range(row, value, false, e);
    case SETTING_DECIMAL:
        return check_range(row, value, true, e);
    case SETTING_CHOICE:
        return is_choice(row->choices, value)
                   ? ERR_OK
                   : err_set(e, ERR_INVALID, "body: value: %s is one of %s", row->key,
                             row->choices);
    case SETTING_WINDOW:
        break;
    }
    return window_parse(value, &w) == ERR_OK
               ? ERR_OK
               : err_set(e, ERR_INVALID, "body: value: %s is HH:MM-HH:MM", row->key);
}

struct str setting_preset(const struct setting_row *row, struct str item,
                          char scratch[DECIMAL_TEXT_MAX])
{
    const struct event_type *type = event_type_find(item);
    if (row->preset != NULL)
        return str_of(row->preset);
    if (type == NULL)
        return STR("");
    snprintf(scratch, DECIMAL_TEXT_MAX, "%d", type->pending_hours);
    return str_of(scratch);
}

// ---- the record --------------------------------------------------------------------------------

static const struct column columns[] = {
    {"id", COLUMN_TEXT, "the key, perhaps with an item behind a slash"},
    {"value", COLUMN_TEXT, "null: as if it had never been set"},
    CARD_CHANGED};
static const struct row_table settings = {"settings", 1, columns};
static const struct row_table *const tables[] = {&settings, &question_table, NULL};

static enum err_code decode(const struct event *event, struct arena *kept, const void **ret_op,
                            struct err *e)
{
    struct str item;
    const struct setting_row *row = setting_find(event->record_id, &item);
    if (row == NULL)
        return err_set(e, ERR_INVALID, "record: there is no setting '%.*s'",
                       STR_ARG(event->record_id));
    if (!row->place && !str_is(event->location, FEED_CHAIN))
        return err_set(e, ERR_INVALID, "record: %s is the whole chain's, no place has its own",
                       row->key);
    enum err_code code = card_decode(event, kept, ret_op, e);
    const struct card_op *op = *ret_op;
    for (size_t i = 0; code == ERR_OK && i < op->count; i++) {
        if (!op->sets[i].value.null)
            code = setting_check(row, op->sets[i].value.text, e);
    }
    return code;
}

const struct reducer setting_reducer = {.record_type = "setting",
                                        .tables = tables,
                                        .questions = question_none,
                                        .edits = true,
                                        .state_bytes = sizeof(struct card),
                                        .decode = decode,
                                        .apply = card_apply,
                                        .rows = card_rows};
