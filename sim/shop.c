// SPDX-License-Identifier: Apache-2.0
#include "sim/shop.h"

#include "sim/oracle.h"
#include "sim/people.h"
#include "sim/sale.h"
#include "sim/shift.h"
#include "sim/till.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 128 * 1024, AT_ONCE = 4 };

static const struct kind {
    const char *record_type;
    unsigned weight;
    const char *(*draw)(struct shop_view *v);
} kinds[SHOP_KINDS] = {
    [SHOP_ORDER] = {"order", 12, shop_order_draw},
    [SHOP_TABLE] = {"table", 2, shop_card_draw},
    [SHOP_AVAILABILITY] = {"availability", 2, shop_card_draw},
    [SHOP_CUSTOMER] = {"customer", 2, shop_card_draw},
    [SHOP_UNMET] = {"unmet", 1, shop_card_draw},
    [SHOP_PRICE] = {"price", 2, shop_card_draw},
    [SHOP_RESERVATION] = {"reservation", 3, shop_reservation_draw},
    [SHOP_SHIFT] = {"shift", 3, shop_shift_draw},
    [SHOP_STOCK] = {"stock", 0, NULL},
    [SHOP_BATCH] = {BATCH, 0, NULL},
    [SHOP_USER] = {"user", 0, NULL},
    [SHOP_ROLE] = {"role", 0, NULL},
    [SHOP_SETTING] = {"setting", 0, NULL},
};

void shop_text(struct shop_view *v, const char *format, ...)
{
    char piece[512];
    va_list args;
    va_start(args, format);
    vsnprintf(piece, sizeof piece, format, args);
    va_end(args);
    MUST(buf_append_str(v->body, str_of(piece)) == ERR_OK);
}

void shop_set_add(struct shop_set *set, int number)
{
    set->words[number / 64] |= UINT64_C(1) << number % 64;
}

bool shop_set_has(const struct shop_set *set, int number)
{
    return set->words[number / 64] >> number % 64 & 1;
}

void shop_set_join(struct shop_set *set, const struct shop_set *other)
{
    for (int i = 0; i < SHOP_EVENTS / 64; i++)
        set->words[i] |= other->words[i];
}

// ---- records ----------------------------------------------------------------------------------

static struct shop_record *record_new_at(struct world *w, int place, enum shop_kind kind,
                                         const char *id)
{
    struct shop *shop = &w->shop;
    struct shop_record *r = world_alloc(w, sizeof(*r));
    r->place = place;
    r->number = (int)shop->count;
    r->kind = kind;
    r->reducer = reducer_find(str_of(kinds[kind].record_type));
    MUST(str_copy(r->id, sizeof(r->id), str_of(id)) == ERR_OK);
    if (shop->count == shop->capacity)
        shop->records = world_grow(w, shop->records, &shop->capacity, sizeof(struct shop_record *));
    shop->records[shop->count++] = r;
    return r;
}

static bool has_room(const struct shop_record *r)
{
    return r->count < SHOP_EVENTS / 4;
}

static bool is_shown(const struct till *t, const struct shop_record *r)
{
    for (int i = 0; i < r->count; i++) {
        if (book_shown(&t->disk.book, r->items[i]))
            return true;
    }
    return false;
}

// One of the newest that the till shows; now and then a new one.
static struct shop_record *choose_recent(struct world *w, const struct till *t, enum shop_kind kind)
{
    struct shop_record *shown[AT_ONCE];
    int count = 0;
    for (uint64_t i = w->shop.count; i > 0 && count < AT_ONCE; i--) {
        struct shop_record *r = w->shop.records[i - 1];
        if (r->place == t->place && r->kind == kind && has_room(r) && is_shown(t, r))
            shown[count++] = r;
    }
    if (count && !rng_chance(&w->rng, 1, kind == SHOP_ORDER ? 12 : 2))
        return shown[rng_below(&w->rng, (uint64_t)count)];
    struct uuid fresh = world_uuid(w);
    char id[UUID_TEXT_SIZE];
    uuid_format(&fresh, id);
    return record_new_at(w, t->place, kind, id);
}

static struct shop_record *choose_card(struct world *w, const struct till *t, enum shop_kind kind)
{
    char id[UUID_TEXT_SIZE];
    shop_card_id(w, kind, id);
    return shop_record_at(w, t->place, kind, id);
}

static struct shop_record *choose(struct world *w, struct till *t)
{
    uint64_t sum = 0;
    for (int i = 0; i < SHOP_KINDS; i++)
        sum += kinds[i].weight;
    uint64_t pick = rng_below(&w->rng, sum);
    int kind = 0;
    for (; pick >= kinds[kind].weight; kind++)
        pick -= kinds[kind].weight;
    if (kind == SHOP_ORDER || kind == SHOP_RESERVATION)
        return choose_recent(w, t, (enum shop_kind)kind);
    if (kind == SHOP_SHIFT)
        return shift_choose(w, t);
    struct shop_record *card = choose_card(w, t, (enum shop_kind)kind);
    return has_room(card) ? card : choose_recent(w, t, SHOP_ORDER);
}

struct shop_record *shop_record_find(const struct world *w, int place, enum shop_kind kind,
                                     const char *id)
{
    for (uint64_t i = w->shop.count; i > 0; i--) {
        struct shop_record *r = w->shop.records[i - 1];
        if (r->kind == kind && r->place == place && strcmp(r->id, id) == 0)
            return r;
    }
    return NULL;
}

struct shop_record *shop_record_at(struct world *w, int place, enum shop_kind kind, const char *id)
{
    struct shop_record *found = shop_record_find(w, place, kind, id);
    return found ? found : record_new_at(w, place, kind, id);
}

int shop_feed(const struct shop_record *of)
{
    return of->place != PLACE_CHAIN ? 0 : of->kind == SHOP_SETTING ? 2 : 1;
}

// ---- what one author said ---------------------------------------------------------------------

const struct item *shop_said_last(const struct book *at, const struct shop_record *of, int field,
                                  const struct event_order *until)
{
    const struct carrier *last = NULL;
    for (int i = 0; i < of->count; i++) {
        const struct carrier *c = book_shown(at, of->items[i]);
        bool later = c && until && event_order_compare(&c->shop->order, until) > 0;
        if (c == NULL || later || !c->item->shop->fields[field].written)
            continue;
        if (last == NULL || event_order_compare(&c->shop->order, &last->shop->order) > 0)
            last = c;
    }
    return last ? last->item : NULL;
}

const struct carrier *shop_said_first(const struct book *at, const struct shop_record *of)
{
    const struct carrier *first = NULL;
    for (int i = 0; i < of->count; i++) {
        const struct carrier *c = book_shown(at, of->items[i]);
        if (c && (first == NULL || event_order_compare(&c->shop->order, &first->shop->order) < 0))
            first = c;
    }
    return first;
}

struct item *shop_find(const struct world *w, const struct uuid *id)
{
    for (uint64_t i = 0; i < w->shop.count; i++) {
        const struct shop_record *r = w->shop.records[i];
        for (int k = 0; k < r->count; k++) {
            if (uuid_equal(&r->items[k]->id, id))
                return r->items[k];
        }
    }
    return NULL;
}

// ---- drafts -----------------------------------------------------------------------------------

static void set_base(struct world *w, struct book *shown, const struct shop_record *of,
                     struct event *draft)
{
    const struct record *fold = book_fold(w, shown, of);
    draft->base_count = fold ? (int)record_frontier(fold, draft->base) : 0;
}

static void write_draft(const struct item *item, const char *type, struct event *ret)
{
    const struct event_type *found = event_type_find(str_of(type));
    MUST(found != NULL);
    *ret = (struct event){.id = item->id,
                          .version = found->version,
                          .lane = found->lane,
                          .location = str_of(world_place(item->shop->of->place)),
                          .type_name = str_of(found->name),
                          .type = found,
                          .record_type = str_of(item->shop->of->reducer->record_type),
                          .record_id = str_of(item->shop->of->id)};
}

static void put_item(struct world *w, struct shop_record *of, struct item *item)
{
    item->shop = world_alloc(w, sizeof(*item->shop));
    item->shop->of = of;
    item->shop->number = of->count;
}

struct item *shop_draw(struct world *w, struct till *t, struct event *ret)
{
    struct shop_record *of = choose(w, t);
    struct item *item = sale_item_new(w, t);
    struct buf body;
    struct json json = {0};
    buf_init(&body, BODY_MAX);
    put_item(w, of, item);
    struct shop_view view = {w, t, of, item, &body};
    const char *type = kinds[of->kind].draw(&view);
    of->items[of->count++] = item;
    MUST(json_parse_in(&w->scratch, buf_str(&body), LIMIT_EVENT_DEPTH, &json, NULL) == ERR_OK);
    buf_fini(&body);
    write_draft(item, type, ret);
    ret->at = till_wall_ms(w, t);
    ret->body = json.root;
    people_author(w, t, item, ret);
    set_base(w, &t->disk.book, of, ret);
    sale_make_foreign(w, item, ret);
    return item;
}

struct shop_record *shop_stock_record(struct world *w, const struct item *item)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(&item->id, id);
    return shop_record_at(w, item->place, SHOP_STOCK, id);
}

const struct shop_record *shop_stock_find(const struct world *w, const struct item *item)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(&item->id, id);
    return shop_record_find(w, item->place, SHOP_STOCK, id);
}

struct item *shop_say(struct world *w, struct shop_record *of, const char *type, struct event *ret)
{
    struct uuid id = world_uuid(w);
    struct item *item = oracle_item_new(w, &id, of->place);
    MUST(of->count < SHOP_EVENTS);
    item->of_centre = true;
    put_item(w, of, item);
    of->items[of->count++] = item;
    write_draft(item, type, ret);
    set_base(w, &w->centre.book, of, ret);
    return item;
}

bool shop_is_judged(const struct shop_record *of, int number, enum verdict_outcome outcome)
{
    for (int i = 0; i < of->count; i++) {
        const struct shop_item *s = of->items[i]->shop;
        if (s->verb == SHOP_JUDGE && of->items[i]->counted && s->target == number &&
            (outcome == JUDGED_NOT || s->verdict.outcome == outcome))
            return true;
    }
    return false;
}

bool shop_is_second(const struct item *item)
{
    return item->shop && item->shop->verb == SHOP_COMPLETE &&
           shop_is_judged(item->shop->of, item->shop->number, JUDGED_DUPLICATE);
}

bool shop_retry(struct world *w, const struct till *t, struct event *draft, const struct item *item,
                struct till **ret)
{
    int first = (int)rng_below(&w->rng, (uint64_t)w->till_count);
    for (int i = 0; i < w->till_count; i++) {
        struct till *other = &w->tills[(first + i) % w->till_count];
        if (other == t || !other->up || other->place != t->place ||
            book_shown(&other->disk.book, item) || !people_may_at(w, other, item, draft))
            continue;
        set_base(w, &other->disk.book, item->shop->of, draft);
        item->shop->retried = true;
        *ret = other;
        return true;
    }
    return false;
}

// ---- stamped ----------------------------------------------------------------------------------

static struct shop_carrier *carrier_of(struct world *w, struct carrier *c,
                                       const struct event *event)
{
    struct shop_carrier *s = c->shop = world_alloc(w, sizeof(*s));
    s->order = event_order_of(event);
    s->base_count = event->base_count;
    memcpy(s->base, event->base, sizeof(s->base));
    s->next = c->item->shop->carriers;
    c->item->shop->carriers = c;
    return s;
}

void shop_stamped(struct world *w, const struct book *shown, struct carrier *c,
                  const struct event *event)
{
    const struct shop_record *of = c->item->shop->of;
    struct shop_carrier *s = carrier_of(w, c, event);
    for (int i = 0; i < of->count; i++) {
        const struct carrier *seen = book_shown(shown, of->items[i]);
        if (seen == NULL || seen->item == c->item)
            continue;
        shop_set_add(&s->seen, i);
        shop_set_join(&s->seen, &seen->shop->seen);
    }
}

void shop_stamped_again(struct world *w, struct carrier *c, const struct carrier *old,
                        const struct event *event)
{
    struct shop_carrier *s = carrier_of(w, c, event);
    s->seen = old->shop->seen;
}
