// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/turns.h"

#include "store/sqlite/rows.h"
#include "store/sqlite/state.h"

void turns_init(struct turns *t)
{
    *t = (struct turns){.room = 0};
    arena_init(&t->arena, DELTA_MAX_BYTES);
}

void turns_fini(struct turns *t)
{
    arena_fini(&t->arena);
}

void turns_clear(struct turns *t)
{
    arena_reset(&t->arena);
    t->list = (struct store_turns){.count = 0};
    t->room = 0;
    t->flush = 0;
}

static enum err_code copy(struct arena *a, const struct store_turn *from, struct store_turn *to)
{
    *to = *from;
    to->location = arena_copy(a, from->location);
    to->sku = arena_copy(a, from->sku);
    return to->location.p && to->sku.p ? ERR_OK : ERR_NO_MEMORY;
}

enum err_code turns_add(struct turns *t, const struct delta *d, int64_t quantity)
{
    int64_t before = (int64_t)((uint64_t)quantity - (uint64_t)d->quantity);
    bool below = quantity < 0;
    bool turned = below != (before < 0) || (below && d->brought);
    if (!turned && !(t->tolerant && below))
        return ERR_OK;
    struct store_turn *items =
        rows_grow(&t->arena, t->list.items, t->list.count, &t->room, sizeof *items);
    if (items == NULL)
        return ERR_NO_MEMORY;
    struct store_turn turn = {.location = d->location,
                              .sku = d->sku,
                              .event = d->event,
                              .before = before,
                              .quantity = quantity,
                              .brought = d->brought,
                              .flush = t->flush};
    t->list.items = items;
    return copy(&t->arena, &turn, &items[t->list.count++]);
}

enum err_code store_stock_turned(struct store *s, struct arena *a, struct store_turns *ret,
                                 struct err *e)
{
    struct turns *t = &s->fold.turns;
    struct store_turn *items = arena_alloc(a, (t->list.count + 1) * sizeof *items);
    enum err_code code = items ? ERR_OK : ERR_NO_MEMORY;
    for (size_t i = 0; i < t->list.count && code == ERR_OK; i++)
        code = copy(a, &t->list.items[i], &items[i]);
    *ret = (struct store_turns){items, code ? 0 : t->list.count};
    turns_clear(t);
    return code ? err_set(e, code, "the transaction is too large") : ERR_OK;
}

enum err_code turns_begin(struct turns *t, struct db *db, struct err *e)
{
    struct query q;
    turns_clear(t);
    query_begin(&q, db, Q_OVERSELL);
    t->tolerant = query_row(&q);
    return query_end(&q, e);
}

enum err_code store_stock_keep(struct store *s, struct str location, struct str sku,
                               bool *ret_begins, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_KEPT_PUT);
    query_text(&q, location);
    query_text(&q, sku);
    *ret_begins = query_row(&q);
    return query_end(&q, e);
}

enum err_code store_stock_kept(struct store *s, struct str location, struct str sku, bool *ret,
                               struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_KEPT);
    query_text(&q, location);
    query_text(&q, sku);
    *ret = query_row(&q);
    return query_end(&q, e);
}
