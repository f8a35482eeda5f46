// SPDX-License-Identifier: Apache-2.0
#include "node/journal_private.h"

#include <stdlib.h>

bool journal_has_overlay(const struct journal *j)
{
    return j->identity.role != ROLE_CENTRAL;
}

bool journal_status_counts(enum event_status status)
{
    return status <= STATUS_SETTLED;
}

static enum err_code keep_deltas(struct journal *j, const struct effect_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != EFFECT_STOCK)
            continue;
        if (j->delta_count == j->delta_capacity) {
            size_t capacity = j->delta_capacity ? j->delta_capacity * 2 : 64;
            struct delta *deltas = realloc(j->deltas, capacity * sizeof(*deltas));
            if (deltas == NULL)
                return ERR_NO_MEMORY;
            j->deltas = deltas;
            j->delta_capacity = capacity;
        }
        struct str sku = arena_copy(&j->arena, list->items[i].stock.sku);
        if (sku.p == NULL)
            return ERR_NO_MEMORY;
        j->deltas[j->delta_count++] = (struct delta){sku, list->items[i].stock.delta};
    }
    return ERR_OK;
}

enum err_code journal_note_deltas(struct journal *j, const struct event *event)
{
    struct effect_list list;
    if (!journal_has_overlay(j) || effect_list_of(event, &j->arena, &list, NULL) != ERR_OK)
        return ERR_OK; // a dead letter moves no stock
    return keep_deltas(j, &list);
}

enum err_code journal_enter_deltas(struct journal *j)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < j->delta_count; i++)
        code = overlay_move(j->overlay, j->deltas[i].sku, j->deltas[i].delta);
    j->delta_count = 0;
    return code;
}

static enum err_code take_sum(void *context, struct str sku, int64_t sum)
{
    return overlay_move(context, sku, sum);
}

// The sums are in the store: what each SKU shows beyond what the feed confirmed.
enum err_code journal_load_overlay(struct journal *j, struct err *e)
{
    overlay_free(j->overlay);
    j->overlay = NULL;
    enum err_code code = overlay_new(&j->overlay);
    if (code || !journal_has_overlay(j))
        return code;
    return store_overlay_each(j->store, str_of(j->identity.location), take_sum, j->overlay, e);
}

// ---- changes at once --------------------------------------------------------------------------

enum err_code journal_note_changed(void *changed_skus, struct str sku)
{
    struct changed_skus *changed = changed_skus;
    if (changed->count == changed->capacity) {
        size_t capacity = changed->capacity ? changed->capacity * 2 : 64;
        struct str *skus = realloc(changed->skus, capacity * sizeof(*skus));
        if (skus == NULL)
            return ERR_NO_MEMORY;
        changed->skus = skus;
        changed->capacity = capacity;
    }
    struct str copy = arena_copy(&changed->j->arena, sku);
    if (copy.p == NULL)
        return ERR_NO_MEMORY;
    changed->skus[changed->count++] = copy;
    return ERR_OK;
}

enum err_code journal_turn_event(struct changed_skus *changed, struct str bytes, int turn,
                                 struct arena *a)
{
    struct event event;
    struct overlay_change change = {turn, journal_note_changed, changed};
    if (event_parse(bytes, a, &event, NULL) != ERR_OK)
        return ERR_OK; // damaged: it moved nothing
    changed->j->overlay_touched = true;
    return overlay_apply(changed->j->overlay, &event, &change, a);
}

enum err_code journal_refresh_changed(const struct changed_skus *changed, struct err *e)
{
    struct journal *j = changed->j;
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < changed->count; i++)
        code = store_stock_refresh(j->store, str_of(j->identity.location), changed->skus[i],
                                   overlay_sum(j->overlay, changed->skus[i]), e);
    return code;
}
