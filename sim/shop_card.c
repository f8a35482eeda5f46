// SPDX-License-Identifier: Apache-2.0
#include "sim/shop_card.h"

#include "base/decimal.h"

#include <stdio.h>

const struct shop_card shop_cards[SHOP_KINDS] = {
    [SHOP_TABLE] = {"table_set",
                    true,
                    {{"status", COLUMN_TEXT, true, {"available", "occupied", "reserved", "dirty"}}},
                    {"T1", "T2", "T3", "T4"},
                    NULL,
                    "table status"},
    [SHOP_AVAILABILITY] = {"item_unavailable",
                           true,
                           {{"state", COLUMN_TEXT, true, {"sold_out", "available"}},
                            {"until_at", COLUMN_INTEGER, false, {NULL}},
                            {"reason", COLUMN_TEXT, false, {"burnt", "late", "none left"}}},
                           {NULL},
                           NULL,
                           "sold-out dish"},
    [SHOP_CUSTOMER] = {"customer_set",
                       false,
                       {{"tier", COLUMN_TEXT, false, {"gold", "silver"}},
                        {"points_rule", COLUMN_TEXT, false, {"double", "none"}},
                        {"price_list", COLUMN_TEXT, false, {"staff", "hotel"}},
                        {"locale", COLUMN_TEXT, false, {"ar-LB", "fr-LB", "en-LB"}}},
                       {"C-one", "C-two", "C-three"},
                       NULL,
                       "customer"},
    [SHOP_UNMET] = {"demand_unmet",
                    true,
                    {{"sku", COLUMN_TEXT, true, {"ARAK", "BREAD"}},
                     {"quantity", COLUMN_DECIMAL, true, {NULL}},
                     {"reason", COLUMN_TEXT, true, {"sold_out", "too_slow"}},
                     {"order_id", COLUMN_TEXT, false, {"O-one", "O-two"}}},
                    {"D-one", "D-two", "D-three", "D-four"},
                    NULL,
                    "unmet demand"},
    [SHOP_PRICE] = {"price_set",
                    false,
                    {{"price", COLUMN_DECIMAL, true, {NULL}}},
                    {NULL},
                    "same_rank",
                    "prices, taxes, promotions"},
    [SHOP_SETTING] =
        {"setting_set", false, {{"value", COLUMN_TEXT, true, {NULL}}}, {NULL}, NULL, "setting"},
};

static int count_of(const char *const choices[SHOP_CHOICES])
{
    int count = 0;
    while (count < SHOP_CHOICES && choices[count])
        count++;
    return count;
}

static const char *choose(struct world *w, const char *const choices[SHOP_CHOICES])
{
    return choices[rng_below(&w->rng, (uint64_t)count_of(choices))];
}

void shop_card_id(struct world *w, enum shop_kind kind, char ret[UUID_TEXT_SIZE])
{
    const struct shop_card *card = &shop_cards[kind];
    const char *id = card->ids[0] ? choose(w, card->ids)
                                  : world_sku((int)rng_below(&w->rng, (uint64_t)w->knobs.skus));
    MUST(str_copy(ret, UUID_TEXT_SIZE, str_of(id)) == ERR_OK);
}

static void draw_value(struct shop_view *v, const struct shop_card_field *field,
                       struct shop_field *to)
{
    bool quoted = field->kind != COLUMN_INTEGER;
    if (field->choices[0])
        snprintf(to->value, sizeof to->value, "%s", choose(v->w, field->choices));
    else
        snprintf(to->value, sizeof to->value, "%d", (int)rng_between(&v->w->rng, 1, 99));
    shop_text(v, quoted ? "\"%s\":\"%s\"" : "\"%s\":%s", field->name, to->value);
}

// A field that its author leaves out, empties or sets; *ret says whether a member was written.
static bool draw_field(struct shop_view *v, const struct shop_card *card, int i, const char *comma)
{
    const struct shop_card_field *field = &card->fields[i];
    struct shop_field *to = &v->item->shop->fields[i];
    bool empties = !field->always && rng_chance(&v->w->rng, 1, 10);
    to->written = field->always || card->whole || rng_chance(&v->w->rng, 1, 2);
    if (!to->written || (!field->always && card->whole && rng_chance(&v->w->rng, 1, 2)))
        return false;
    shop_text(v, "%s", comma);
    if (empties)
        shop_text(v, "\"%s\":null", field->name);
    else
        draw_value(v, field, to);
    return true;
}

const char *shop_card_draw(struct shop_view *v)
{
    const struct shop_card *card = &shop_cards[v->of->kind];
    const char *comma = "";
    v->item->shop->verb = SHOP_WRITE;
    shop_text(v, "{");
    if (v->of->kind == SHOP_PRICE) {
        shop_text(v, "\"sku\":\"%s\",\"currency\":\"LBP\",\"places\":0", v->of->id);
        comma = ",";
    }
    for (int i = 0; card->fields[i].name; i++) {
        if (draw_field(v, card, i, comma))
            comma = ",";
    }
    shop_text(v, "}");
    return card->event_type;
}
