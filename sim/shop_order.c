// SPDX-License-Identifier: Apache-2.0
#include "base/decimal.h"
#include "model/order.h"
#include "sim/chain.h"
#include "sim/shift.h"
#include "sim/shop.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void id_text(struct shop_view *v, const char *key, const struct uuid *id)
{
    char name[UUID_TEXT_SIZE];
    uuid_format(id, name);
    shop_text(v, "\"%s\":\"%s\"", key, name);
}

// One of those that the till shows and that did this; NULL: none did.
static const struct shop_item *any(const struct shop_view *v, enum shop_verb verb)
{
    const struct shop_item *found = NULL;
    uint64_t count = 0;
    for (int i = 0; i < v->of->count; i++) {
        const struct item *item = v->of->items[i];
        if (item->shop->verb == verb && book_shown(&v->till->disk.book, item) &&
            rng_below(&v->w->rng, ++count) == 0)
            found = item->shop;
    }
    return found;
}

static int64_t units(struct shop_view *v, int64_t low, int64_t high)
{
    return rng_between(&v->w->rng, low, high) * DECIMAL_ONE;
}

static void decimal(struct shop_view *v, const char *key, int64_t value)
{
    char number[DECIMAL_TEXT_MAX];
    decimal_format(value, number);
    shop_text(v, ",\"%s\":\"%s\"", key, number);
}

// The first bill mostly, or one that a split made; *ret zero: the first.
static void choose_bill(struct shop_view *v, struct uuid *ret)
{
    const struct shop_item *split = rng_chance(&v->w->rng, 1, 2) ? any(v, SHOP_SPLIT) : NULL;
    if (split)
        *ret = split->bill;
}

static void name_bill(struct shop_view *v)
{
    struct shop_item *s = v->item->shop;
    choose_bill(v, &s->bill);
    s->whole = uuid_is_zero(&s->bill);
    if (s->whole)
        return;
    shop_text(v, ",");
    id_text(v, "bill", &s->bill);
}

// ---- one writer per verb: false where there is nothing to do it to ----------------------------

static bool draw_open(struct shop_view *v)
{
    struct shop_item *s = v->item->shop;
    snprintf(s->value, sizeof s->value, "T%d", (int)rng_between(&v->w->rng, 1, 9));
    shop_text(v, "{\"kind\":\"dine_in\",\"table\":\"%s\",\"currency\":\"LBP\",\"places\":0}",
              s->value);
    return true;
}

static bool draw_add(struct shop_view *v)
{
    struct shop_item *s = v->item->shop;
    s->line = world_uuid(v->w);
    s->quantity = units(v, 1, 5);
    s->price = units(v, 1, 9);
    int sku = (int)rng_below(&v->w->rng, (uint64_t)v->w->knobs.skus);
    const struct catalog *shown = chain_shown(v->w, v->till);
    shop_text(v, "{\"sku\":\"%s\"", world_sku(sku));
    if (shown && shown->price[sku]) {
        s->price = shown->price[sku];
        shop_text(v, ",\"catalog\":%" PRIu64, shown->number);
    }
    decimal(v, "unit_price", s->price);
    decimal(v, "quantity", s->quantity);
    name_bill(v);
    shop_text(v, ",");
    id_text(v, "line", &s->line);
    shop_text(v, "}");
    return true;
}

static bool draw_change(struct shop_view *v)
{
    struct shop_item *s = v->item->shop;
    const struct shop_item *added = any(v, SHOP_ADD);
    if (added == NULL)
        return false;
    s->line = added->line;
    s->quantity = units(v, -2, 3);
    shop_text(v, "{");
    id_text(v, "line", &s->line);
    decimal(v, "quantity", s->quantity);
    shop_text(v, "}");
    return true;
}

// What a guest was promised, by the name of who allowed it.
static bool draw_override(struct shop_view *v)
{
    struct shop_item *s = v->item->shop;
    const struct shop_item *added = any(v, SHOP_ADD);
    if (added == NULL)
        return false;
    s->line = added->line;
    s->price = units(v, 0, 9);
    shop_text(v, "{");
    id_text(v, "line", &s->line);
    decimal(v, "unit_price", s->price);
    shop_text(v, ",\"by\":\"M1\"}");
    return true;
}

static bool draw_remove(struct shop_view *v)
{
    const struct shop_item *added = any(v, SHOP_ADD);
    if (added == NULL)
        return false;
    v->item->shop->line = added->line;
    shop_text(v, "{");
    id_text(v, "line", &added->line);
    shop_text(v, "}");
    return true;
}

static bool draw_set(struct shop_view *v)
{
    static const enum order_header fields[] = {HEADER_COVERS, HEADER_WAITER, HEADER_NOTE};
    struct shop_item *s = v->item->shop;
    s->field = (int)fields[rng_below(&v->w->rng, sizeof fields / sizeof fields[0])];
    if (rng_chance(&v->w->rng, 9, 10))
        snprintf(s->value, sizeof s->value, "V%d", (int)rng_between(&v->w->rng, 1, 999));
    shop_text(v, "{\"field\":\"%s\"", order_header_name((enum order_header)s->field));
    if (s->value[0])
        shop_text(v, ",\"value\":\"%s\"", s->value);
    shop_text(v, "}");
    return true;
}

static bool draw_move(struct shop_view *v)
{
    struct shop_item *s = v->item->shop;
    s->field = HEADER_TABLE;
    snprintf(s->value, sizeof s->value, "M%d", (int)rng_between(&v->w->rng, 1, 999));
    shop_text(v, "{\"table\":\"%s\"}", s->value);
    return true;
}

// From the first bill or another one to a new or another one.
static bool draw_split(struct shop_view *v)
{
    struct shop_item *s = v->item->shop;
    int count = (int)rng_between(&v->w->rng, 1, SHOP_SHARES);
    if (any(v, SHOP_ADD) == NULL)
        return false;
    choose_bill(v, &s->from);
    choose_bill(v, &s->bill);
    if (uuid_equal(&s->from, &s->bill))
        s->bill = world_uuid(v->w);
    shop_text(v, "{\"lines\":[");
    for (; s->share_count < count; s->share_count++) {
        struct shop_share *share = &s->shares[s->share_count];
        *share = (struct shop_share){any(v, SHOP_ADD)->line, units(v, 1, 3)};
        shop_text(v, s->share_count ? ",{" : "{");
        id_text(v, "line", &share->line);
        decimal(v, "quantity", share->quantity);
        shop_text(v, "}");
    }
    shop_text(v, "]");
    if (!uuid_is_zero(&s->from)) {
        shop_text(v, ",");
        id_text(v, "from", &s->from);
    }
    if (!uuid_is_zero(&s->bill)) {
        shop_text(v, ",");
        id_text(v, "bill", &s->bill);
    }
    shop_text(v, "}");
    return true;
}

static bool draw_merge(struct shop_view *v)
{
    struct shop_item *s = v->item->shop;
    uint64_t other = rng_below(&v->w->rng, v->w->shop.count);
    snprintf(s->value, sizeof s->value, "%.20s", v->w->shop.records[other]->id);
    shop_text(v, "{\"into\":\"%s\"}", s->value);
    return true;
}

static bool draw_void(struct shop_view *v)
{
    shop_text(v, "{\"reason\":\"left\"");
    name_bill(v);
    shop_text(v, "}");
    return true;
}

static bool draw_fire(struct shop_view *v)
{
    shop_text(v, "{}");
    return true;
}

// Perhaps the shift in which it happens.
static void name_shift(struct shop_view *v)
{
    struct shop_record *shift = shift_any(v->w, v->till);
    v->item->shift = shift;
    if (shift)
        shop_text(v, ",\"shift\":\"%s\"", shift->id);
}

static bool draw_complete(struct shop_view *v)
{
    struct item *item = v->item;
    int uses = (int)rng_between(&v->w->rng, 0, v->w->knobs.skus < 2 ? v->w->knobs.skus : 2);
    int sku = (int)rng_below(&v->w->rng, (uint64_t)v->w->knobs.skus);
    item->shop->amount = rng_between(&v->w->rng, 1, 60);
    shop_text(v, "{\"total\":%" PRId64 ",\"uses\":[", item->shop->amount);
    for (int i = 0; i < uses; i++) {
        int64_t quantity = units(v, 1, 4);
        shop_text(v, "%s{\"sku\":\"%s\"", i ? "," : "", world_sku(sku));
        decimal(v, "quantity", quantity);
        shop_text(v, "}");
        item->deltas[item->delta_count++] = (struct delta){.sku = sku, .quantity = -quantity};
        sku = (sku + 1) % v->w->knobs.skus;
    }
    shop_text(v, "]");
    name_bill(v);
    name_shift(v);
    shop_text(v, "}");
    return true;
}

static void draw_money(struct shop_view *v)
{
    v->item->shop->amount = rng_between(&v->w->rng, 1, 60);
    shop_text(v, ",\"method\":\"cash\",\"currency\":\"LBP\",\"amount\":%" PRId64,
              v->item->shop->amount);
    name_bill(v);
    name_shift(v);
    shop_text(v, "}");
}

static bool draw_pay(struct shop_view *v)
{
    v->item->shop->line = world_uuid(v->w);
    shop_text(v, "{");
    id_text(v, "payment", &v->item->shop->line);
    draw_money(v);
    return true;
}

static bool draw_refund(struct shop_view *v)
{
    const struct shop_item *paid = any(v, SHOP_PAY);
    if (paid == NULL)
        return false;
    v->item->shop->line = world_uuid(v->w);
    shop_text(v, "{");
    id_text(v, "refund", &v->item->shop->line);
    shop_text(v, ",");
    id_text(v, "payment", &paid->line);
    draw_money(v);
    return true;
}

static const struct verb {
    const char *type;
    unsigned weight;
    bool (*draw)(struct shop_view *v);
} verbs[SHOP_VERBS] = {
    [SHOP_OPEN] = {"order_opened", 0, draw_open},
    [SHOP_ADD] = {"line_added", 24, draw_add},
    [SHOP_CHANGE] = {"line_changed", 18, draw_change},
    [SHOP_REMOVE] = {"line_removed", 9, draw_remove},
    [SHOP_SET] = {"order_set", 10, draw_set},
    [SHOP_MOVE] = {"order_moved", 4, draw_move},
    [SHOP_SPLIT] = {"order_split", 10, draw_split},
    [SHOP_MERGE] = {"order_merged", 1, draw_merge},
    [SHOP_VOID] = {"order_voided", 4, draw_void},
    [SHOP_FIRE] = {"ticket_fired", 4, draw_fire},
    [SHOP_COMPLETE] = {"sale_completed", 6, draw_complete},
    [SHOP_PAY] = {"payment_taken", 7, draw_pay},
    [SHOP_REFUND] = {"payment_refunded", 3, draw_refund},
    [SHOP_OVERRIDE] = {"price_overridden", 3, draw_override},
};

static enum shop_verb any_verb(struct world *w)
{
    uint64_t sum = 0;
    for (int i = 0; i < SHOP_VERBS; i++)
        sum += verbs[i].weight;
    uint64_t pick = rng_below(&w->rng, sum);
    int verb = 0;
    for (; pick >= verbs[verb].weight; verb++)
        pick -= verbs[verb].weight;
    return (enum shop_verb)verb;
}

const char *shop_order_draw(struct shop_view *v)
{
    enum shop_verb verb = v->of->count == 0 ? SHOP_OPEN : any_verb(v->w);
    v->item->shop->verb = verb;
    if (!verbs[verb].draw(v)) {
        v->item->shop->verb = verb = SHOP_ADD;
        MUST(verbs[verb].draw(v));
    }
    return verbs[verb].type;
}
