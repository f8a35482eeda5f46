// SPDX-License-Identifier: Apache-2.0
// Things by their id: a hash table of pointers to what begins with a struct uuid.
//
// Why: folding finds events, lines and answers by id all the time; one table serves them all.
// Invariants: each id once; slots are a power of two, at most half of them full.
// Ownership: slots live in the arena given, what they point to is the caller's. A table that grows
//   leaves its old slots behind, which are as many as the new ones at most.
#ifndef WASL_MODEL_ID_MAP_H
#define WASL_MODEL_ID_MAP_H

#include "base/arena.h"
#include "base/uuid.h"

struct id_map { // zeroed: empty
    struct uuid **slots;
    size_t capacity, count;
};

void *id_map_find(const struct id_map *map, const struct uuid *id); // NULL: it is not there
// 'thing' begins with its id, and takes the place of what has the same. ERR_NO_MEMORY: nothing has
// changed.
enum err_code id_map_put(struct id_map *map, void *thing, struct arena *a) MUST_CHECK;
void id_map_clear(struct id_map *map); // keeps its slots

#endif
