// SPDX-License-Identifier: Apache-2.0
#include "sync/overlay.h"

#include "sync/mutant.h"

#include <stdlib.h>
#include <string.h>

// Entries stand in the order of their stream, so that an include takes them off the front. SKUs sit
// in a hash table with separate chains, doubled when it is as full as it is wide, and hold only a
// sum; a SKU stays once seen: there are as many as the shop sells.

struct sku {
    struct sku *next;
    int64_t sum;
    uint64_t hash;
    size_t n;
    char text[];
};
struct entry {
    struct entry *next;
    struct sku *sku;
    uint64_t seq;
    struct uuid event_id;
    int64_t delta;
};
struct queue { // of one stream
    struct queue *next;
    struct stream_key key;
    struct entry *first;
    struct entry **end; // where the next entry is hung
};
struct overlay {
    struct queue *queues;
    struct sku **buckets;
    size_t width; // a power of two
    size_t skus;
    size_t entries;
};

static uint64_t text_hash(struct str text) // FNV-1a
{
    uint64_t h = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < text.n; i++)
        h = (h ^ (unsigned char)text.p[i]) * UINT64_C(1099511628211);
    return h;
}

enum err_code overlay_new(struct overlay **ret)
{
    struct overlay *o = calloc(1, sizeof(*o));
    if (o == NULL)
        return ERR_NO_MEMORY;
    o->width = 64;
    o->buckets = calloc(o->width, sizeof(struct sku *));
    if (o->buckets == NULL) {
        free(o);
        return ERR_NO_MEMORY;
    }
    *ret = o;
    return ERR_OK;
}

static void queue_free(struct queue *q)
{
    while (q->first) {
        struct entry *entry = q->first;
        q->first = entry->next;
        free(entry);
    }
    free(q);
}

void overlay_free(struct overlay *o)
{
    if (o == NULL)
        return;
    while (o->queues) {
        struct queue *q = o->queues;
        o->queues = q->next;
        queue_free(q);
    }
    for (size_t i = 0; i < o->width; i++) {
        while (o->buckets[i]) {
            struct sku *s = o->buckets[i];
            o->buckets[i] = s->next;
            free(s);
        }
    }
    free(o->buckets);
    free(o);
}

static struct sku *find(const struct overlay *o, struct str text, uint64_t hash)
{
    for (struct sku *s = o->buckets[hash & (o->width - 1)]; s; s = s->next) {
        if (s->hash == hash && str_equal(str_make(s->text, s->n), text))
            return s;
    }
    return NULL;
}

static void widen(struct overlay *o)
{
    struct sku **buckets = calloc(o->width * 2, sizeof(struct sku *));
    if (buckets == NULL)
        return; // slower, not wrong
    for (size_t i = 0; i < o->width; i++) {
        while (o->buckets[i]) {
            struct sku *s = o->buckets[i];
            o->buckets[i] = s->next;
            struct sku **bucket = &buckets[s->hash & (o->width * 2 - 1)];
            s->next = *bucket;
            *bucket = s;
        }
    }
    free(o->buckets);
    o->buckets = buckets;
    o->width *= 2;
}

static struct sku *find_or_add(struct overlay *o, struct str text)
{
    uint64_t hash = text_hash(text);
    struct sku *s = find(o, text, hash);
    if (s)
        return s;
    s = calloc(1, sizeof(*s) + text.n);
    if (s == NULL)
        return NULL;
    if (o->skus++ >= o->width)
        widen(o);
    s->hash = hash;
    s->n = text.n;
    memcpy(s->text, text.p, text.n);
    s->next = o->buckets[hash & (o->width - 1)];
    o->buckets[hash & (o->width - 1)] = s;
    return s;
}

static struct queue *find_queue(const struct overlay *o, const struct stream_key *key)
{
    struct queue *q = o->queues;
    while (q && !stream_key_equal(&q->key, key))
        q = q->next;
    return q;
}

static struct queue *find_or_add_queue(struct overlay *o, const struct stream_key *key)
{
    struct queue *q = find_queue(o, key);
    if (q)
        return q;
    q = calloc(1, sizeof(*q));
    if (q == NULL)
        return NULL;
    q->key = *key;
    q->end = &q->first;
    q->next = o->queues;
    o->queues = q;
    return q;
}

// Sums wrap, so that they are right again when what made them too large has left.
static int64_t wrapping(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

enum err_code overlay_add(struct overlay *o, const struct stream_key *key, uint64_t seq,
                          const struct uuid *event_id, struct str sku, int64_t delta)
{
    struct entry *entry = malloc(sizeof(*entry));
    struct sku *s = entry ? find_or_add(o, sku) : NULL;
    struct queue *q = s ? find_or_add_queue(o, key) : NULL;
    if (q == NULL) {
        free(entry);
        return ERR_NO_MEMORY;
    }
    *entry = (struct entry){NULL, s, seq, *event_id, delta};
    *q->end = entry;
    q->end = &entry->next;
    s->sum = wrapping(s->sum, delta);
    o->entries++;
    return ERR_OK;
}

static bool is_in(const struct uuid *id, const struct uuid *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (uuid_equal(id, &list[i]))
            return true;
    }
    return false;
}

void overlay_include(struct overlay *o, const struct message_include *include,
                     void (*changed)(void *context, struct str sku), void *context)
{
    struct queue *q = find_queue(o, &include->key);
    if (q == NULL || MUTANT(overlay_twice))
        return;
    struct entry **at = &q->first;
    while (*at && (*at)->seq <= include->seq) {
        struct entry *entry = *at;
        if (is_in(&entry->event_id, include->except, include->except_count)) {
            at = &entry->next;
            continue;
        }
        *at = entry->next;
        if (q->end == &entry->next)
            q->end = at;
        entry->sku->sum = wrapping(entry->sku->sum, -entry->delta);
        o->entries--;
        changed(context, str_make(entry->sku->text, entry->sku->n));
        free(entry);
    }
}

int64_t overlay_sum(const struct overlay *o, struct str sku)
{
    const struct sku *s = find(o, sku, text_hash(sku));
    return s ? s->sum : 0;
}

size_t overlay_count(const struct overlay *o)
{
    return o->entries;
}
