// SPDX-License-Identifier: Apache-2.0
// Memory by lifetime: many small pieces, freed together at the end of a unit of work.
//
// Invariants: pieces are aligned to 16 bytes and stay where they are until arena_reset.
// Ownership: the caller holds the struct. Limits: max bytes in all; beyond it arena_alloc is NULL.
#ifndef WASL_BASE_ARENA_H
#define WASL_BASE_ARENA_H

#include "base/str.h"

struct arena_block;

struct arena {
    struct arena_block *first;
    size_t used; // bytes handed out since the last reset
    size_t max;
};

void arena_init(struct arena *a, size_t max_bytes);
void arena_fini(struct arena *a);
void arena_reset(struct arena *a); // keeps the newest block for the next unit of work
void *arena_alloc(struct arena *a, size_t n) MUST_CHECK;      // NULL at the limit; not cleared
void *arena_alloc_zero(struct arena *a, size_t n) MUST_CHECK; // NULL at the limit; cleared
// A copy with a NUL behind it; p is NULL at the limit.
struct str arena_copy(struct arena *a, struct str from) MUST_CHECK;

#endif
