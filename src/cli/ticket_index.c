// SPDX-License-Identifier: Apache-2.0
// Open addressing with linear probing; slots hold entry numbers, entries keep the order.
#include "cli/ticket_index.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_SLOTS = 1024 };
#define KEYS_MAX    ((size_t)1 << 30)
#define TICKETS_MAX ((size_t)1 << 31)

// FNV-1a, 64 bits (Fowler, Noll, Vo).
static uint64_t hash_key(struct str key)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < key.n; i++) {
        h = (h ^ (unsigned char)key.p[i]) * UINT64_C(0x100000001b3);
    }
    return h ^ (h >> 32); // the low bits pick the slot
}

void ticket_index_init(struct ticket_index *x)
{
    *x = (struct ticket_index){0};
    buf_init(&x->keys, KEYS_MAX);
}

void ticket_index_fini(struct ticket_index *x)
{
    buf_fini(&x->keys);
    free(x->entries);
    free(x->slots);
    *x = (struct ticket_index){0};
}

static bool holds(const struct ticket_index *x, size_t entry, struct str key, uint64_t hash)
{
    const struct ticket_entry *t = &x->entries[entry];
    return t->hash == hash && str_equal(str_make(x->keys.data + t->key_at, t->key_n), key);
}

// The slot that holds the key, or the free one where it belongs.
static size_t find_slot(const struct ticket_index *x, struct str key, uint64_t hash)
{
    size_t mask = x->slot_count - 1;
    size_t slot = (size_t)hash & mask;
    while (x->slots[slot] != 0 && !holds(x, x->slots[slot] - 1, key, hash)) {
        slot = (slot + 1) & mask;
    }
    return slot;
}

static enum err_code grow_slots(struct ticket_index *x)
{
    size_t count = x->slot_count == 0 ? FIRST_SLOTS : x->slot_count * 2;
    uint32_t *slots = calloc(count, sizeof(*slots));
    if (slots == NULL) {
        return ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < x->count; i++) {
        size_t slot = (size_t)x->entries[i].hash & (count - 1);
        while (slots[slot] != 0) {
            slot = (slot + 1) & (count - 1);
        }
        slots[slot] = (uint32_t)i + 1;
    }
    free(x->slots);
    x->slots = slots;
    x->slot_count = count;
    return ERR_OK;
}

static enum err_code grow_entries(struct ticket_index *x)
{
    if (x->count < x->room) {
        return ERR_OK;
    }
    if (x->count >= TICKETS_MAX) {
        return ERR_LIMIT;
    }
    size_t room = x->room == 0 ? FIRST_SLOTS / 2 : x->room * 2;
    struct ticket_entry *entries = realloc(x->entries, room * sizeof(*entries));
    if (entries == NULL) {
        return ERR_NO_MEMORY;
    }
    x->entries = entries;
    x->room = room;
    return ERR_OK;
}

static enum err_code insert(struct ticket_index *x, struct str key, uint64_t hash)
{
    enum err_code code = grow_entries(x);
    if (code == ERR_OK && (x->count + 1) * 2 > x->slot_count) {
        code = grow_slots(x);
    }
    size_t key_at = x->keys.len;
    if (code == ERR_OK) {
        code = buf_append_str(&x->keys, key);
    }
    if (code != ERR_OK) {
        return code;
    }
    x->slots[find_slot(x, key, hash)] = (uint32_t)x->count + 1;
    x->entries[x->count] = (struct ticket_entry){
        .hash = hash,
        .key_at = key_at,
        .key_n = (uint32_t)key.n,
        .rows = 1,
    };
    x->last = x->count++;
    return ERR_OK;
}

enum err_code ticket_index_add(struct ticket_index *x, struct str key)
{
    struct ticket_entry *found = ticket_index_find(x, key);
    if (found == NULL) {
        return insert(x, key, hash_key(key));
    }
    if (found->rows == UINT32_MAX) {
        return ERR_LIMIT;
    }
    found->rows++;
    return ERR_OK;
}

struct ticket_entry *ticket_index_find(struct ticket_index *x, struct str key)
{
    if (x->count == 0) {
        return NULL;
    }
    uint64_t hash = hash_key(key);
    if (!holds(x, x->last, key, hash)) {
        size_t slot = find_slot(x, key, hash);
        if (x->slots[slot] == 0) {
            return NULL;
        }
        x->last = x->slots[slot] - 1;
    }
    return &x->entries[x->last];
}
