// SPDX-License-Identifier: Apache-2.0
#include "sim/book.h"

#include "sim/shop.h"
#include "sim/trim.h"

#define RECORD_BYTES ((size_t)16 * 1024 * 1024)

static const struct carrier *shown(const struct held *h)
{
    if (h->by[HELD_TOLD])
        return h->by[HELD_TOLD];
    return h->by[HELD_PENDING] ? h->by[HELD_PENDING] : h->by[HELD_OWN];
}

static struct node_record *find(const struct book *r, const struct shop_record *of)
{
    return (uint64_t)of->number < r->capacity ? r->items[of->number] : NULL;
}

const struct held *book_held(const struct book *r, const struct item *item)
{
    const struct node_record *n = find(r, item->shop->of);
    return n && (uint64_t)item->shop->number < n->capacity ? &n->held[item->shop->number] : NULL;
}

const struct carrier *book_shown(const struct book *r, const struct item *item)
{
    const struct held *h = book_held(r, item);
    return h ? shown(h) : NULL;
}

static struct node_record *make(struct world *w, struct book *r, const struct item *item)
{
    const struct shop_record *of = item->shop->of;
    while ((uint64_t)of->number >= r->capacity)
        r->items = world_grow(w, r->items, &r->capacity, sizeof(struct node_record *));
    struct node_record *n = r->items[of->number];
    if (n == NULL) {
        n = r->items[of->number] = world_alloc(w, sizeof(*n));
        n->of = of;
    }
    while ((uint64_t)item->shop->number >= n->capacity)
        n->held = world_grow(w, n->held, &n->capacity, sizeof(*n->held));
    return n;
}

// ---- folding ----------------------------------------------------------------------------------

// Its author's program reads what it wrote, and so do the others here: see centre_upgrade.
static enum err_code add(struct world *w, struct record *fold, const struct carrier *c)
{
    struct event event;
    struct err e = {0};
    MUST(event_parse(c->bytes, &w->scratch, &event, &e) == ERR_OK);
    event.version = event.type->version;
    return record_add(fold, &event, &e);
}

static void turn(struct world *w, struct node_record *n, const struct carrier *before,
                 const struct carrier *after)
{
    if (n->fold == NULL || before == after)
        return;
    if (before && after && add(w, n->fold, after) != ERR_EXISTS)
        return; // the record's own affair: it holds an id once
    if (before && record_remove(n->fold, &before->item->id))
        world_fail(w, SIM_DIVERGENT, "an event cannot be taken back from its record");
    if (after && add(w, n->fold, after))
        world_fail(w, SIM_DIVERGENT, "an event does not fit its record");
}

struct record *book_fold(struct world *w, struct book *r, const struct shop_record *of)
{
    struct node_record *n = find(r, of);
    if (n == NULL)
        return NULL;
    if (n->fold == NULL) {
        MUST(record_new(of->reducer, str_of(of->id), RECORD_BYTES, &n->fold) == ERR_OK);
        for (uint64_t i = 0; i < n->capacity; i++) {
            const struct carrier *c = shown(&n->held[i]);
            if (c && add(w, n->fold, c))
                world_fail(w, SIM_DIVERGENT, "an event does not fit its record");
        }
    }
    MUST(record_fold(n->fold) == ERR_OK);
    return n->fold;
}

void book_forget(struct book *r)
{
    for (uint64_t i = 0; i < r->capacity; i++) {
        if (r->items[i] == NULL)
            continue;
        record_free(r->items[i]->fold);
        r->items[i]->fold = NULL;
    }
}

// ---- changing ---------------------------------------------------------------------------------

void book_set(struct world *w, struct book *r, const struct item *item, enum holding way,
              const struct carrier *c)
{
    struct node_record *n = make(w, r, item);
    struct held *h = &n->held[item->shop->number];
    const struct carrier *before = shown(h);
    h->by[way] = c;
    turn(w, n, before, shown(h));
}

void book_note_copy(struct book *r, const struct item *item, uint64_t copy)
{
    struct node_record *n = find(r, item->shop->of);
    MUST(n != NULL);
    n->held[item->shop->number].copy = copy;
}

static bool is_older(const struct node_record *n, uint64_t number, uint64_t copy)
{
    return n->held[number].by[HELD_TOLD] && n->held[number].copy < copy;
}

static void drop_older_of(struct world *w, struct book *r, const struct node_record *n,
                          uint64_t copy)
{
    for (uint64_t k = 0; k < n->capacity; k++) {
        if (is_older(n, k, copy))
            book_set(w, r, n->of->items[k], HELD_TOLD, NULL);
    }
}

void book_drop_untold(struct world *w, struct book *r, const struct shop_record *of, uint64_t copy)
{
    const struct node_record *n = find(r, of);
    if (n)
        drop_older_of(w, r, n, copy);
}

// A copy repeats what is open, and of what is over all or nothing.
static bool is_missed(struct world *w, struct book *r, const struct node_record *n, uint64_t copy)
{
    bool older = false;
    for (uint64_t k = 0; k < n->capacity && !older; k++)
        older = is_older(n, k, copy);
    return older && !trim_is_over(w, r, n->of);
}

void book_drop_older(struct world *w, struct book *r, int feed, uint64_t copy)
{
    for (uint64_t i = 0; i < r->capacity; i++) {
        const struct node_record *n = r->items[i];
        if (n && shop_feed(n->of) == feed && is_missed(w, r, n, copy))
            drop_older_of(w, r, n, copy);
    }
}

struct book book_copy(struct world *w, const struct book *from)
{
    struct book copy = {.capacity = from->capacity};
    copy.items = world_alloc(w, from->capacity * sizeof(struct node_record *) + 1);
    for (uint64_t i = 0; i < from->capacity; i++) {
        const struct node_record *n = from->items[i];
        if (n == NULL)
            continue;
        struct node_record *to = copy.items[i] = world_alloc(w, sizeof(*to));
        *to = (struct node_record){.of = n->of, .capacity = n->capacity};
        to->held = world_alloc(w, n->capacity * sizeof(*to->held) + 1);
        for (uint64_t k = 0; k < n->capacity; k++) {
            to->held[k] = n->held[k];
            to->held[k].by[HELD_PENDING] = NULL;
        }
    }
    return copy;
}
