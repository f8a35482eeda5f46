// SPDX-License-Identifier: Apache-2.0
// Open addressing, one slot after the other.
#include "model/id_map.h"

#include <string.h>

static size_t slot_of(const struct id_map *map, const struct uuid *id)
{
    size_t at = (size_t)uuid_hash(id) & (map->capacity - 1);
    while (map->slots[at] != NULL && !uuid_equal(map->slots[at], id))
        at = (at + 1) & (map->capacity - 1);
    return at;
}

void *id_map_find(const struct id_map *map, const struct uuid *id)
{
    return map->capacity ? map->slots[slot_of(map, id)] : NULL;
}

static enum err_code grow(struct id_map *map, struct arena *a)
{
    struct id_map wider = {.capacity = map->capacity ? map->capacity * 2 : 16, .count = map->count};
    wider.slots = arena_alloc_zero(a, wider.capacity * sizeof(struct uuid *));
    if (wider.slots == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < map->capacity; i++) {
        if (map->slots[i] != NULL)
            wider.slots[slot_of(&wider, map->slots[i])] = map->slots[i];
    }
    *map = wider;
    return ERR_OK;
}

enum err_code id_map_put(struct id_map *map, void *thing, struct arena *a)
{
    if ((map->count + 1) * 2 > map->capacity && grow(map, a))
        return ERR_NO_MEMORY;
    struct uuid **slot = &map->slots[slot_of(map, thing)];
    map->count += *slot == NULL;
    *slot = thing;
    return ERR_OK;
}

void id_map_clear(struct id_map *map)
{
    if (map->capacity != 0)
        memset(map->slots, 0, map->capacity * sizeof(struct uuid *));
    map->count = 0;
}
