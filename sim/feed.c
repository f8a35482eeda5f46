// SPDX-License-Identifier: Apache-2.0
#include "sim/feed.h"

#include "model/feed_mark.h"

void feed_init(struct world *w, struct centre_feed *f, const char *location)
{
    f->id = world_uuid(w);
    MUST(str_copy(f->location, sizeof(f->location), str_of(location)) == ERR_OK);
}

struct hash feed_hash_at(const struct centre_feed *f, uint64_t position)
{
    return position ? f->entries[position - 1].hash : (struct hash){0};
}

void feed_put(struct world *w, struct centre_feed *f, int record, struct str row)
{
    struct hash last = feed_hash_at(f, f->head);
    if (f->head == f->capacity)
        f->entries = world_grow(w, f->entries, &f->capacity, sizeof(*f->entries));
    f->entries[f->head++] =
        (struct feed_entry){.row = row, .hash = hash_chain(&last, row), .record = record};
    while ((uint64_t)record >= f->records)
        f->live = world_grow(w, f->live, &f->records, sizeof(*f->live));
    f->live[record] = f->head;
}

struct centre_feed *feed_find(struct world *w, struct str location)
{
    for (int i = 0; i < MAX_PLACES + 2; i++) {
        if (str_is(location, w->centre.feeds[i].location))
            return &w->centre.feeds[i];
    }
    return NULL;
}

// A row that was superseded leaves its hash for a while, one that was dropped none.
static bool is_remembered(const struct world *w, const struct centre_feed *f, uint64_t position)
{
    return position + w->knobs.feed_memory >= f->head ||
           f->live[f->entries[position - 1].record] == position;
}

enum feed_standing feed_stands(const struct world *w, const struct centre_feed *f,
                               const struct message_cursor *cursor)
{
    if (!uuid_equal(&cursor->feed, &f->id))
        return FEED_FOREIGN;
    if (cursor->position > f->head)
        return FEED_LOST;
    if (cursor->position == 0) // of a copy that did not come to anything
        return hash_is_zero(&cursor->hash) ? FEED_KNOWN : FEED_FOREIGN;
    if (!is_remembered(w, f, cursor->position))
        return FEED_FOREIGN;
    struct feed_mark at = {cursor->position, feed_hash_at(f, cursor->position)};
    struct feed_mark head = {.position = feed_mark_head(&cursor->hash)};
    if (hash_equal(&at.hash, &cursor->hash))
        return FEED_KNOWN;
    if (head.position <= at.position || head.position > f->head)
        return FEED_LOST;
    if (!is_remembered(w, f, head.position))
        return FEED_FOREIGN;
    head.hash = feed_hash_at(f, head.position);
    struct hash mark = feed_mark_of(&at, &head);
    return hash_equal(&mark, &cursor->hash) ? FEED_KNOWN : FEED_LOST;
}

void feed_read(struct world *w, const struct centre_feed *f, uint64_t after, size_t max_bytes,
               struct downlink_page *ret)
{
    struct str *rows = arena_alloc(&w->scratch, (size_t)(f->head - after + 1) * sizeof(*rows));
    MUST(rows != NULL);
    size_t bytes = 0;
    uint64_t position = after;
    for (ret->rows = rows; position < f->head; position++) {
        const struct feed_entry *entry = &f->entries[position];
        if (f->live[entry->record] != position + 1)
            continue; // superseded
        if (ret->count && bytes + entry->row.n > max_bytes)
            break;
        bytes += entry->row.n;
        rows[ret->count++] = entry->row;
    }
    ret->reached_head = position == f->head;
    ret->to = position;
    struct feed_mark at = {position, feed_hash_at(f, position)};
    struct feed_mark head = {f->head, feed_hash_at(f, f->head)};
    ret->hash = feed_mark_of(&at, &head);
}
