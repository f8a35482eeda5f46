// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/rows.h"

#include <string.h>

enum { ROOM_FIRST = 16 };

void *rows_grow(struct arena *a, void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    size_t wider = *room == 0 ? ROOM_FIRST : *room * 2;
    if (wider > SIZE_MAX / size)
        return NULL;
    void *to = arena_alloc(a, wider * size);
    if (to == NULL)
        return NULL;
    if (count > 0)
        memcpy(to, items, count * size);
    *room = wider;
    return to;
}
