// SPDX-License-Identifier: Apache-2.0
#include "sim/settings.h"

#include "base/decimal.h"
#include "model/event_type.h"
#include "model/setting.h"
#include "sim/authority.h"
#include "sim/shop.h"
#include "sim/shop_end.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 256 };

// ---- the centre says --------------------------------------------------------------------------

// An empty value: as if it had never been set.
static void say(struct world *w, int place, const char *id, const char *value)
{
    struct event draft;
    struct buf body;
    struct shop_record *of = shop_record_at(w, place, SHOP_SETTING, id);
    if (of->count >= SHOP_EVENTS)
        return;
    struct item *item = shop_say(w, of, "setting_set", &draft);
    item->shop->verb = SHOP_WRITE;
    item->shop->fields[0].written = true;
    snprintf(item->shop->fields[0].value, SHOP_TEXT, "%s", value);
    world_trace(w, "  the centre sets %s at %s to '%s'", id, world_place(place), value);
    buf_init(&body, BODY_MAX);
    MUST(buf_append_format(&body, value[0] ? "{\"value\":\"%s\"}" : "{\"value\":null}", value) ==
         ERR_OK);
    authority_put(w, item, &draft, &body);
    buf_fini(&body);
}

void settings_allow_prices(struct world *w)
{
    say(w, PLACE_CHAIN, PRICE_SETTING, price_authority_name(PRICE_BRANCH));
}

void settings_say(struct world *w)
{
    char id[UUID_TEXT_SIZE] = "oversell", value[SHOP_TEXT] = "";
    bool none = rng_chance(&w->rng, 1, 6);
    int place = PLACE_CHAIN;
    switch (rng_below(&w->rng, 4)) {
    case 0:
        snprintf(id, sizeof id, "%s",
                 rng_chance(&w->rng, 1, 2) ? "pending_hours" : "pending_hours/price_set");
        snprintf(value, sizeof value, "%d", (int)rng_between(&w->rng, 1, 200));
        break;
    case 1:
        snprintf(id, sizeof id, "clock_skew_seconds");
        snprintf(value, sizeof value, "%d", (int)rng_between(&w->rng, 1, 600));
        break;
    case 2:
        snprintf(id, sizeof id, PRICE_SETTING);
        snprintf(value, sizeof value, "%s",
                 price_authority_name((enum price_authority)rng_below(&w->rng, 3)));
        break;
    default:
        place = (int)rng_below(&w->rng, MAX_PLACES + 1);
        if (rng_chance(&w->rng, 1, 2))
            snprintf(id, sizeof id, "oversell/%s", world_sku((int)rng_below(&w->rng, 2)));
        snprintf(value, sizeof value, "%d", (int)rng_between(&w->rng, 0, 40));
    }
    say(w, place, id, none ? "" : value);
}

// ---- reading ----------------------------------------------------------------------------------

struct name {
    const char *key;
    struct str item;
};
// Copies the value of a record at a place. False: it has none.
typedef bool (*look)(struct world *w, const struct shop_record *of, char ret[SHOP_TEXT]);

static bool look_at_rows(struct world *w, const struct shop_record *of, char ret[SHOP_TEXT])
{
    struct row_list rows;
    struct str item;
    struct record *fold = book_fold(w, &w->centre.book, of);
    row_list_init(&rows, &w->scratch);
    if (fold)
        MUST(record_rows(fold, &w->scratch, &rows) == ERR_OK);
    for (size_t i = 0; i < rows.count; i++) {
        const struct row *row = &rows.items[i];
        if (strcmp(row->table->name, "settings") != 0)
            continue;
        const struct value *value = shop_value(row, "value");
        return !value->null &&
               setting_check(setting_find(str_of(of->id), &item), value->text, NULL) == ERR_OK &&
               str_copy(ret, SHOP_TEXT, value->text) == ERR_OK;
    }
    return false;
}

static bool look_at_truth(struct world *w, const struct shop_record *of, char ret[SHOP_TEXT])
{
    const struct item *said = shop_said_last(&w->centre.book, of, 0, NULL);
    if (said == NULL || said->shop->fields[0].value[0] == '\0')
        return false;
    memcpy(ret, said->shop->fields[0].value, SHOP_TEXT);
    return true;
}

// As src/store/sqlite/settings.c: of the item, then of all items; of the place, then of the chain.
static bool read_place(struct world *w, int place, const struct name *name, look looks,
                       char ret[SHOP_TEXT])
{
    char id[UUID_TEXT_SIZE];
    const struct shop_record *of;
    snprintf(id, sizeof id, "%s/%.*s", name->key, STR_ARG(name->item));
    of = name->item.n ? shop_record_find(w, place, SHOP_SETTING, id) : NULL;
    if (of && looks(w, of, ret))
        return true;
    of = shop_record_find(w, place, SHOP_SETTING, name->key);
    return of && looks(w, of, ret);
}

static void read(struct world *w, int place, const struct name *name, look looks,
                 char ret[SHOP_TEXT])
{
    char scratch[DECIMAL_TEXT_MAX];
    struct str item;
    const struct setting_row *row = setting_find(str_of(name->key), &item);
    bool there = row->place && read_place(w, place, name, looks, ret);
    if (!there && !read_place(w, PLACE_CHAIN, name, looks, ret))
        MUST(str_copy(ret, SHOP_TEXT, setting_preset(row, name->item, scratch)) == ERR_OK);
}

static int64_t number(struct world *w, const char *key, struct str item, look looks)
{
    char text[SHOP_TEXT];
    int64_t value = 0;
    struct name name = {key, item};
    read(w, PLACE_CHAIN, &name, looks, text);
    MUST(str_to_i64(str_of(text), &value) == ERR_OK);
    return value;
}

static void read_all(struct world *w, const struct event *event, look looks, struct settings *ret)
{
    char text[SHOP_TEXT];
    struct name prices = {PRICE_SETTING, STR("")};
    read(w, PLACE_CHAIN, &prices, looks, text);
    ret->pending_ms =
        number(w, "pending_hours", str_of(event->type->name), looks) * w->knobs.hour_ms;
    ret->skew_ms = number(w, "clock_skew_seconds", STR(""), looks) * 1000;
    MUST(price_authority_parse(str_of(text), &ret->prices) == ERR_OK);
}

void settings_read(struct world *w, const struct event *event, struct settings *ret)
{
    read_all(w, event, look_at_rows, ret);
}

void settings_meant(struct world *w, const struct event *event, struct settings *ret)
{
    read_all(w, event, look_at_truth, ret);
}

static int64_t oversell(struct world *w, int place, int sku, look looks)
{
    char text[SHOP_TEXT];
    int64_t value = 0;
    struct name name = {"oversell", str_of(world_sku(sku))};
    read(w, place, &name, looks, text);
    MUST(decimal_parse(str_of(text), &value) == ERR_OK);
    return value;
}

int64_t settings_oversell(struct world *w, int place, int sku)
{
    return oversell(w, place, sku, look_at_rows);
}

int64_t settings_oversell_meant(struct world *w, int place, int sku)
{
    return oversell(w, place, sku, look_at_truth);
}

bool settings_oversold(const struct world *w)
{
    for (uint64_t i = 0; i < w->shop.count; i++) {
        const struct shop_record *r = w->shop.records[i];
        if (r->kind == SHOP_SETTING && str_starts(str_of(r->id), STR("oversell")))
            return true;
    }
    return false;
}
