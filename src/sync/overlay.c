// SPDX-License-Identifier: Apache-2.0
#include "sync/overlay.h"

#include "model/effect.h"
#include "model/mutant.h"

#include <stdlib.h>
#include <string.h>

// SKUs sit in a hash table with separate chains, doubled when it is as full as it is wide. One
// whose sum is zero again leaves it, and the last one to leave takes the width along: what a day's
// delivery needed is given back when the feed has it.

enum { WIDTH_FIRST = 64 };

struct sku {
    struct sku *next;
    int64_t sum;
    uint64_t hash;
    size_t n;
    char text[];
};
struct overlay {
    struct sku **buckets;
    size_t width; // a power of two
    size_t skus;
};

static uint64_t text_hash(struct str text) // FNV-1a
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (unsigned char)text.p[i]) * UINT64_C(1099511628211);
    return h;
}

enum err_code overlay_new(struct overlay **ret)
{
    struct overlay *o = calloc(1, sizeof(*o));
    if (o == NULL)
        return ERR_NO_MEMORY;
    o->width = WIDTH_FIRST;
    o->buckets = calloc(o->width, sizeof(struct sku *));
    if (o->buckets == NULL) {
        free(o);
        return ERR_NO_MEMORY;
    }
    *ret = o;
    return ERR_OK;
}

void overlay_free(struct overlay *o)
{
    if (o == NULL)
        return;
    for (size_t i = 0; i < o->width; i++) {
        while (o->buckets[i]) {
            struct sku *s = o->buckets[i];
            o->buckets[i] = s->next;
            free(s);
        }
    }
    free(o->buckets);
    free(o);
}

// Where the SKU is linked in, or would be: at the end of its chain.
static struct sku **place_of(const struct overlay *o, struct str text, uint64_t hash)
{
    struct sku **at = &o->buckets[hash & (o->width - 1)];
    while (*at && !((*at)->hash == hash && str_equal(str_make((*at)->text, (*at)->n), text)))
        at = &(*at)->next;
    return at;
}

static void widen(struct overlay *o)
{
    struct sku **buckets = calloc(o->width * 2, sizeof(struct sku *));
    if (buckets == NULL)
        return; // slower, not wrong
    for (size_t i = 0; i < o->width; i++) {
        while (o->buckets[i]) {
            struct sku *s = o->buckets[i];
            o->buckets[i] = s->next;
            struct sku **bucket = &buckets[s->hash & (o->width * 2 - 1)];
            s->next = *bucket;
            *bucket = s;
        }
    }
    free(o->buckets);
    o->buckets = buckets;
    o->width *= 2;
}

static enum err_code add(struct overlay *o, struct str text, uint64_t hash, int64_t sum)
{
    struct sku *s = calloc(1, sizeof(*s) + text.n);
    if (s == NULL)
        return ERR_NO_MEMORY;
    if (o->skus++ >= o->width)
        widen(o);
    s->hash = hash;
    s->sum = sum;
    s->n = text.n;
    memcpy(s->text, text.p, text.n);
    s->next = o->buckets[hash & (o->width - 1)];
    o->buckets[hash & (o->width - 1)] = s;
    return ERR_OK;
}

static void leave(struct overlay *o, struct sku **at)
{
    struct sku *s = *at;
    *at = s->next;
    free(s);
    if (--o->skus > 0 || o->width == WIDTH_FIRST)
        return;
    struct sku **buckets = calloc(WIDTH_FIRST, sizeof(struct sku *));
    if (buckets == NULL)
        return; // wider than it must be, not wrong
    free(o->buckets);
    o->buckets = buckets;
    o->width = WIDTH_FIRST;
}

// Sums wrap, so that they are right again when what made them too large has left.
enum err_code overlay_move(struct overlay *o, struct str sku, int64_t delta)
{
    uint64_t hash = text_hash(sku);
    struct sku **at = place_of(o, sku, hash);
    if (*at == NULL)
        return delta == 0 ? ERR_OK : add(o, sku, hash, delta);
    (*at)->sum = (int64_t)((uint64_t)(*at)->sum + (uint64_t)delta);
    if ((*at)->sum == 0)
        leave(o, at);
    return ERR_OK;
}

static bool shows(uint64_t seq, struct overlay_mark mark)
{
    return seq > mark.included || mark.apart;
}

int overlay_turn(uint64_t seq, struct overlay_mark before, struct overlay_mark after)
{
    int turn = (int)shows(seq, after) - (int)shows(seq, before);
    return MUTANT(overlay_twice) && turn < 0 ? 0 : turn;
}

enum err_code overlay_apply(struct overlay *o, const struct event *event,
                            const struct overlay_change *change, struct arena *a)
{
    struct effect_list list;
    if (change->turn == 0 || event->type == NULL)
        return ERR_OK;
    enum err_code code = effect_list_of(event, a, &list, NULL);
    if (code) // what no reducer can read moves nothing
        return code == ERR_NO_MEMORY ? code : ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
        const struct effect *effect = &list.items[i];
        if (effect->kind != EFFECT_STOCK)
            continue;
        uint64_t delta = (uint64_t)effect->stock.delta;
        code = overlay_move(o, effect->stock.sku, (int64_t)(change->turn > 0 ? delta : 0 - delta));
        if (code == ERR_OK)
            code = change->changed(change->context, effect->stock.sku);
    }
    return code;
}

int64_t overlay_sum(const struct overlay *o, struct str sku)
{
    const struct sku *s = *place_of(o, sku, text_hash(sku));
    return s ? s->sum : 0;
}
