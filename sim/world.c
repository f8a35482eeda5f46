// SPDX-License-Identifier: Apache-2.0
#include "sim/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 1 << 30, FIRST_CAPACITY = 16 };

void world_init(struct world *w, const struct sim_options *options, uint64_t seed,
                struct sim_result *result)
{
    *result = (struct sim_result){.hash = UINT64_C(14695981039346656037)};
    *w = (struct world){.result = result, .options = options, .seed = seed};
    rng_init(&w->rng, seed);
    rng_init(&w->net, seed ^ UINT64_C(0x6E65745F726E6721));
    arena_init(&w->arena, ARENA_BYTES);
    arena_init(&w->scratch, ARENA_BYTES);
    buf_init(&w->buf, MESSAGE_MAX_BYTES);
    w->streams = world_alloc(w, STREAM_SLOTS * sizeof(struct stream *));
}

void world_fini(struct world *w)
{
    free(w->heap);
    arena_fini(&w->arena);
    arena_fini(&w->scratch);
    buf_fini(&w->buf);
}

void *world_alloc(struct world *w, size_t n)
{
    void *p = arena_alloc_zero(&w->arena, n);
    MUST(p != NULL);
    return p;
}

struct str world_copy(struct world *w, struct str text)
{
    struct str copy = arena_copy(&w->arena, text);
    MUST(copy.p != NULL);
    return copy;
}

void *world_grow(struct world *w, void *items, uint64_t *capacity, size_t size)
{
    uint64_t wanted = *capacity ? *capacity * 2 : FIRST_CAPACITY;
    void *more = world_alloc(w, (size_t)wanted * size);
    if (*capacity)
        memcpy(more, items, (size_t)*capacity * size);
    *capacity = wanted;
    return more;
}

// ---- the heap of what is to happen ------------------------------------------------------------

static bool before(const struct event_at *a, const struct event_at *b)
{
    return a->at != b->at ? a->at < b->at : a->order < b->order;
}

static size_t sift_up(struct world *w, size_t i)
{
    struct event_at moving = w->heap[i];
    while (i > 0 && before(&moving, &w->heap[(i - 1) / 2])) {
        w->heap[i] = w->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    w->heap[i] = moving;
    return i;
}

static void sift_down(struct world *w)
{
    size_t i = 0;
    struct event_at moving = w->heap[0];
    for (;;) {
        size_t child = 2 * i + 1;
        if (child + 1 < w->heap_count && before(&w->heap[child + 1], &w->heap[child]))
            child++;
        if (child >= w->heap_count || !before(&w->heap[child], &moving))
            break;
        w->heap[i] = w->heap[child];
        i = child;
    }
    w->heap[i] = moving;
}

struct event_at *world_add(struct world *w, int64_t delay, enum happening kind)
{
    if (w->heap_count == w->heap_capacity) {
        w->heap_capacity = w->heap_capacity ? w->heap_capacity * 2 : 256;
        w->heap = realloc(w->heap, w->heap_capacity * sizeof(*w->heap));
        MUST(w->heap != NULL);
    }
    w->heap[w->heap_count] = (struct event_at){
        .at = w->now + (delay > 0 ? delay : 0), .order = ++w->order, .kind = kind, .till = -1};
    return &w->heap[sift_up(w, w->heap_count++)];
}

bool world_pop(struct world *w, struct event_at *ret)
{
    if (w->heap_count == 0)
        return false;
    *ret = w->heap[0];
    w->heap[0] = w->heap[--w->heap_count];
    if (w->heap_count)
        sift_down(w);
    return true;
}

void world_hurry(struct world *w, int64_t within_ms)
{
    size_t count = w->heap_count;
    for (size_t i = 0; i < count; i++) {
        struct event_at *e = &w->heap[i];
        bool travels = e->kind == HAPPENS_TO_TILL || e->kind == HAPPENS_TO_CENTRE;
        if (travels && e->at > w->now + within_ms)
            e->at = w->now + within_ms;
    }
    for (w->heap_count = 0; w->heap_count < count; w->heap_count++)
        (void)sift_up(w, w->heap_count);
}

// ---- trace ------------------------------------------------------------------------------------

void world_mix(struct world *w, uint64_t value)
{
    uint64_t h = (w->result->hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    w->result->hash = h ^ (h >> 29);
}

void world_mix_text(struct world *w, struct str text)
{
    uint64_t word = 0;
    size_t i = 0;
    for (; i + 8 <= text.n; i += 8) {
        for (size_t k = 0; k < 8; k++)
            word = word << 8 | (unsigned char)text.p[i + k];
        world_mix(w, word);
    }
    for (; i < text.n; i++)
        word = word << 8 | (unsigned char)text.p[i];
    world_mix(w, word + text.n);
}

bool world_failed(const struct world *w)
{
    return w->result->fault != SIM_FINE;
}

void world_fail(struct world *w, enum sim_fault fault, const char *format, ...)
{
    if (world_failed(w))
        return;
    va_list args;
    va_start(args, format);
    int n =
        snprintf(w->result->reason, sizeof(w->result->reason), "at %lld ms: ", (long long)w->now);
    vsnprintf(w->result->reason + n, sizeof(w->result->reason) - (size_t)n, format, args);
    va_end(args);
    w->result->fault = fault;
    world_trace(w, "FAILED: %s", w->result->reason);
}

void world_trace(struct world *w, const char *format, ...)
{
    if (!w->options->verbose)
        return;
    va_list args;
    va_start(args, format);
    printf("%6llu %9.3f  ", (unsigned long long)w->result->steps, (double)w->now / 1000.0);
    vprintf(format, args);
    putchar('\n');
    va_end(args);
}

// ---- chance and names -------------------------------------------------------------------------

bool world_chance(struct world *w, unsigned per_thousand)
{
    return per_thousand && rng_chance(&w->rng, per_thousand, 1000);
}

// Geometric rather than exponential, so that no library's logarithm decides what a seed does.
int64_t world_pause(struct world *w, int64_t mean_ms)
{
    int64_t pause = 1;
    for (int i = 0; i < 3; i++)
        pause += rng_between(&w->rng, 0, 2 * mean_ms / 3);
    return rng_chance(&w->rng, 1, 10) ? 3 * pause : pause;
}

struct uuid world_uuid(struct world *w)
{
    struct uuid id;
    rng_fill(&w->rng, id.b, sizeof(id.b));
    id.b[6] = (uint8_t)((id.b[6] & 0x0F) | 0x40);
    id.b[8] = (uint8_t)((id.b[8] & 0x3F) | 0x80);
    return id;
}

const char *world_place(int place)
{
    static const char *const names[] = {"hamra", "jounieh", "zahle", FEED_CHAIN, FEED_DEFERRED};
    return names[place];
}

int world_feed(int place, int i)
{
    return i == 0 ? place : MAX_PLACES + i - 1;
}

static const char *const sku_names[MAX_SKUS] = {"ARAK",   "BREAD", "COFFEE", "DATES",  "EGGPLANT",
                                                "FATTEH", "GHEE",  "HUMMUS", "KIBBEH", "LABNEH"};

const char *world_sku(int sku)
{
    return sku_names[sku];
}

int world_sku_number(struct str name)
{
    for (int i = 0; i < MAX_SKUS; i++) {
        if (str_is(name, sku_names[i]))
            return i;
    }
    return -1;
}
