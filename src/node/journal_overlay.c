// SPDX-License-Identifier: Apache-2.0
#include "node/journal_private.h"

#include <stdlib.h>

bool journal_has_overlay(const struct journal *j)
{
    return j->identity.role == ROLE_TERMINAL;
}

bool journal_status_counts(enum event_status status)
{
    return status <= STATUS_SETTLED || status == STATUS_REVIEW;
}

static enum err_code keep_deltas(struct journal *j, const struct event *event,
                                 const struct stream_key *key, const struct effect_list *list)
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
        j->deltas[j->delta_count++] =
            (struct delta){*key, event->seq, event->id, sku, list->items[i].stock.delta};
    }
    return ERR_OK;
}

enum err_code journal_note_deltas(struct journal *j, const struct event *event,
                                  const struct stream_key *key)
{
    struct effect_list list;
    if (!journal_has_overlay(j) || effect_list_of(event, &j->arena, &list, NULL) != ERR_OK)
        return ERR_OK; // a dead letter moves no stock
    return keep_deltas(j, event, key, &list);
}

enum err_code journal_enter_deltas(struct journal *j)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < j->delta_count; i++) {
        const struct delta *d = &j->deltas[i];
        code = overlay_add(j->overlay, &d->key, d->seq, &d->event_id, d->sku, d->delta);
    }
    j->delta_count = 0;
    return code;
}

// Reads again what the feed does not yet include of one own stream.
static enum err_code load_overlay_stream(struct journal *j, const struct stream_info *info,
                                         struct err *e)
{
    uint64_t after = 0;
    enum err_code code = store_include_get(j->store, &info->key, &after, e);
    while (code == ERR_OK && after < info->head.seq) {
        struct arena arena;
        arena_init(&arena, ARENA_MAX);
        struct store_event_list list = {0};
        code = store_read_stream(j->store, &info->key, after,
                                 &(struct store_page){LOAD_PAGE_EVENTS, LOAD_PAGE_BYTES, &arena},
                                 &list, e);
        for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
            struct event event;
            if (journal_status_counts(list.items[i].status) &&
                event_parse(list.items[i].bytes, &arena, &event, NULL) == ERR_OK && event.type)
                code = journal_note_deltas(j, &event, &info->key);
            after = list.items[i].seq;
        }
        bool ended = list.count == 0;
        if (code == ERR_OK)
            code = journal_enter_deltas(j);
        arena_fini(&arena);
        arena_reset(&j->arena);
        if (ended)
            break;
    }
    return code;
}

enum err_code journal_load_overlay(struct journal *j, struct err *e)
{
    overlay_free(j->overlay);
    j->overlay = NULL;
    enum err_code code = overlay_new(&j->overlay);
    if (code || !journal_has_overlay(j))
        return code;
    struct stream_list list;
    code = journal_own_streams(j, &list, e);
    for (size_t i = 0; code == ERR_OK && i < list.count; i++)
        code = load_overlay_stream(j, &list.items[i], e);
    free(list.items);
    return code;
}
