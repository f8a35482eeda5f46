// SPDX-License-Identifier: Apache-2.0
//
// A list of blocks, newest first; only the newest one has room to give. Blocks double from 4 KiB
// to 256 KiB, so that a small message costs one malloc and a large one few.
#include "base/arena.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#define WATCHED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WATCHED 1
#endif
#endif
#ifdef WATCHED
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n)   ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { ALIGN = 16, BLOCK_MIN = 4096, BLOCK_MAX = 256 * 1024 };

struct arena_block {
    struct arena_block *older;
    size_t size; // of data
    size_t used;
    _Alignas(ALIGN) unsigned char data[];
};

_Static_assert(sizeof(struct arena_block) % ALIGN == 0, "pieces must stay aligned");
_Static_assert(_Alignof(max_align_t) >= ALIGN, "malloc must align blocks as pieces are");

void arena_init(struct arena *a, size_t max_bytes)
{
    *a = (struct arena){.max = max_bytes};
}

static void free_list(struct arena_block *b)
{
    while (b != NULL) {
        struct arena_block *older = b->older;
        free(b);
        b = older;
    }
}

void arena_fini(struct arena *a)
{
    free_list(a->first);
    a->first = NULL;
    a->used = 0;
}

void arena_reset(struct arena *a)
{
    struct arena_block *newest = a->first;
    a->used = 0;
    if (newest == NULL) {
        return;
    }
    free_list(newest->older);
    newest->older = NULL;
    newest->used = 0;
    ASAN_POISON_MEMORY_REGION(newest->data, newest->size);
}

static struct arena_block *grow(struct arena *a, size_t n)
{
    size_t size = a->first == NULL ? BLOCK_MIN : a->first->size * 2;
    if (size > BLOCK_MAX) {
        size = BLOCK_MAX;
    }
    if (size > a->max) {
        size = a->max;
    }
    if (size < n) {
        size = n;
    }
    struct arena_block *b = size > SIZE_MAX - sizeof *b ? NULL : malloc(sizeof *b + size);
    if (b == NULL) {
        return NULL;
    }
    b->older = a->first;
    b->size = size;
    b->used = 0;
    ASAN_POISON_MEMORY_REGION(b->data, b->size);
    a->first = b;
    return b;
}

void *arena_alloc(struct arena *a, size_t n)
{
    size_t left = a->max - a->used;
    if (n > left) {
        return NULL;
    }
    size_t padded = (n + (n == 0) + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (padded < n || padded > left) {
        return NULL;
    }
    struct arena_block *b = a->first;
    if (b == NULL || padded > b->size - b->used) {
        b = grow(a, padded);
        if (b == NULL) {
            return NULL;
        }
    }
    void *p = b->data + b->used;
    b->used += padded;
    a->used += padded;
    ASAN_UNPOISON_MEMORY_REGION(p, n);
    return p;
}

void *arena_alloc_zero(struct arena *a, size_t n)
{
    void *p = arena_alloc(a, n);
    return p == NULL ? NULL : memset(p, 0, n);
}

struct str arena_copy(struct arena *a, struct str from)
{
    char *to = from.n == SIZE_MAX ? NULL : arena_alloc(a, from.n + 1);
    if (to == NULL) {
        return (struct str){NULL, 0};
    }
    if (from.n > 0) {
        memcpy(to, from.p, from.n);
    }
    to[from.n] = '\0';
    return (struct str){to, from.n};
}
