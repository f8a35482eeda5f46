// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/delta.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 64, CAPACITY_KEEP = 4096 };

void delta_map_init(struct delta_map *m)
{
    *m = (struct delta_map){.slots = NULL};
    arena_init(&m->arena, DELTA_MAX_BYTES);
}

void delta_map_fini(struct delta_map *m)
{
    arena_fini(&m->arena);
    free(m->slots);
    m->slots = NULL;
    m->capacity = 0;
    m->count = 0;
}

void delta_map_clear(struct delta_map *m)
{
    if (m->capacity > CAPACITY_KEEP) {
        free(m->slots);
        m->slots = NULL;
        m->capacity = 0;
    } else if (m->count > 0) {
        memset(m->slots, 0, m->capacity * sizeof(struct delta *));
    }
    m->count = 0;
    arena_reset(&m->arena);
}

// FNV-1a over both keys.
static uint64_t hash_text(uint64_t h, struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (unsigned char)text.p[i]) * UINT64_C(0x100000001B3);
    return h ^ (h >> 29);
}

static struct delta **probe(struct delta_map *m, uint64_t hash, struct str location, struct str sku)
{
    size_t at = (size_t)hash & (m->capacity - 1);
    for (struct delta *d; (d = m->slots[at]) != NULL; at = (at + 1) & (m->capacity - 1)) {
        if (d->hash == hash && str_equal(d->sku, sku) && str_equal(d->location, location))
            break;
    }
    return &m->slots[at];
}

static enum err_code grow(struct delta_map *m)
{
    size_t capacity = m->capacity == 0 ? CAPACITY_FIRST : m->capacity * 2;
    struct delta **slots = calloc(capacity, sizeof(struct delta *));
    if (slots == NULL)
        return ERR_NO_MEMORY;
    struct delta_map wider = {.slots = slots, .capacity = capacity};
    for (size_t i = 0; i < m->capacity; i++) {
        struct delta *d = m->slots[i];
        if (d != NULL)
            *probe(&wider, d->hash, d->location, d->sku) = d;
    }
    free(m->slots);
    m->slots = slots;
    m->capacity = capacity;
    return ERR_OK;
}

static struct delta *insert(struct delta_map *m, struct delta **place, const struct delta *from)
{
    struct delta *d = arena_alloc(&m->arena, sizeof *d);
    if (d == NULL)
        return NULL;
    *d = *from;
    d->location = arena_copy(&m->arena, from->location);
    d->sku = arena_copy(&m->arena, from->sku);
    if (d->location.p == NULL || d->sku.p == NULL)
        return NULL;
    *place = d;
    m->count++;
    return d;
}

enum err_code delta_map_add(struct delta_map *m, struct str location, struct str sku,
                            int64_t quantity, int sign)
{
    uint64_t hash = hash_text(hash_text(UINT64_C(0xCBF29CE484222325), sku), location);
    if ((m->count + 1) * 2 > m->capacity && grow(m))
        return ERR_NO_MEMORY;
    struct delta **place = probe(m, hash, location, sku);
    struct delta *d = *place;
    if (d == NULL) {
        struct delta fresh = {.location = location, .sku = sku, .hash = hash};
        d = insert(m, place, &fresh);
    }
    if (d == NULL)
        return ERR_NO_MEMORY;
    uint64_t amount = sign > 0 ? (uint64_t)quantity : UINT64_C(0) - (uint64_t)quantity;
    d->quantity = (int64_t)((uint64_t)d->quantity + amount);
    d->moves += sign;
    d->taken_back = d->taken_back || sign < 0;
    m->last = d;
    return ERR_OK;
}

static int by_key(const void *a, const void *b)
{
    const struct delta *x = *(struct delta *const *)a, *y = *(struct delta *const *)b;
    int order = str_compare(x->location, y->location);
    return order != 0 ? order : str_compare(x->sku, y->sku);
}

struct delta **delta_map_sort(struct delta_map *m)
{
    size_t n = 0;
    for (size_t i = 0; i < m->capacity; i++) {
        struct delta *d = m->slots[i];
        m->slots[i] = NULL;
        if (d != NULL)
            m->slots[n++] = d;
    }
    if (n > 0)
        qsort(m->slots, n, sizeof(struct delta *), by_key);
    return m->slots;
}
