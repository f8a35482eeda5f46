// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/stream_cache.h"

#include "store/sqlite/past.h"

#include <stdlib.h>
#include <string.h>

enum { CAPACITY_FIRST = 64 };

void stream_cache_init(struct stream_cache *c, struct db *db)
{
    *c = (struct stream_cache){.db = db};
}

void stream_cache_clear(struct stream_cache *c)
{
    for (size_t i = 0; i < c->capacity; i++) {
        free(c->slots[i]);
        c->slots[i] = NULL;
    }
    c->count = 0;
    c->dirty = NULL;
    c->urgent = false;
    c->late_rows = 0;
}

void stream_cache_fini(struct stream_cache *c)
{
    stream_cache_clear(c);
    free(c->slots);
    c->slots = NULL;
    c->capacity = 0;
}

void stream_cache_bound(struct stream_cache *c)
{
    if (c->count >= STREAM_CACHE_MAX && c->dirty == NULL)
        stream_cache_clear(c);
}

static size_t place_of(const struct stream_key *key, size_t capacity)
{
    uint64_t a, b;
    memcpy(&a, key->origin.b, 8);
    memcpy(&b, key->origin.b + 8, 8);
    uint64_t h = (a ^ (b * UINT64_C(0x9E3779B97F4A7C15))) + (uint64_t)key->lane;
    h = (h ^ (h >> 32)) * UINT64_C(0xD6E8FEB86659FD93);
    return (size_t)(h ^ (h >> 32)) & (capacity - 1);
}

static struct stream_slot **probe(struct stream_cache *c, const struct stream_key *key)
{
    size_t at = place_of(key, c->capacity);
    while (c->slots[at] != NULL && !stream_key_equal(&c->slots[at]->info.key, key))
        at = (at + 1) & (c->capacity - 1);
    return &c->slots[at];
}

static enum err_code grow(struct stream_cache *c)
{
    struct stream_cache wider = *c;
    wider.capacity = c->capacity == 0 ? CAPACITY_FIRST : c->capacity * 2;
    wider.slots = calloc(wider.capacity, sizeof(struct stream_slot *));
    if (wider.slots == NULL)
        return ERR_NO_MEMORY;
    for (size_t i = 0; i < c->capacity; i++) {
        if (c->slots[i] != NULL)
            *probe(&wider, &c->slots[i]->info.key) = c->slots[i];
    }
    free(c->slots);
    *c = wider;
    return ERR_OK;
}

static uint64_t get_seq(struct query *q, int column)
{
    int64_t seq = query_get_place(q, column);
    return seq < 0 ? 0 : (uint64_t)seq;
}

void stream_slot_read(struct query *q, struct stream_slot *ret)
{
    struct stream_info *info = &ret->info;
    *ret = (struct stream_slot){.number = query_get_int(q, 0), .named = STREAM_NAMED_NONE};
    (void)query_get_uuid(q, 1, &info->key.origin);
    info->key.lane = query_get_lane(q, 2);
    (void)query_get_uuid(q, 3, &info->device);
    if (str_copy(info->location, sizeof info->location, query_get_text(q, 4)))
        info->location[0] = '\0'; // edited by hand: nothing of ours is that long
    info->own = query_get_int(q, 5) == STREAM_OWN;
    info->carried = query_get_int(q, 5) == STREAM_CARRIED;
    ret->since = query_get_place(q, 6);
    ret->starts_run = query_get_int(q, 7) != 0;
    info->head.seq = get_seq(q, 8);
    (void)query_get_hash(q, 9, &info->head.hash);
    info->held.seq = get_seq(q, 10);
    (void)query_get_hash(q, 11, &info->held.hash);
    info->settled.seq = get_seq(q, 12);
    (void)query_get_hash(q, 13, &info->settled.hash);
    info->certificate = (struct certificate){.origin = info->key.origin, .device = info->device};
    memcpy(info->certificate.location, info->location, sizeof info->location);
    struct str signature = query_get_text(q, 14);
    if (signature.n == sizeof info->certificate.signature)
        memcpy(info->certificate.signature.b, signature.p, signature.n);
}

enum err_code stream_cache_catch_up(struct stream_cache *c, struct stream_slot *slot, struct err *e)
{
    struct query q;
    int64_t first = 0;
    query_begin(&q, c->db, Q_EXTENT_FIND);
    query_int(&q, slot->number);
    query_int(&q, INT64_MAX);
    slot->has_extent = query_row(&q);
    if (slot->has_extent) {
        first = query_get_place(&q, 0);
        slot->offset = query_get_place(&q, 1) - first;
    }
    enum err_code code = query_end(&q, e);
    if (code || !slot->has_extent)
        return code;
    int64_t from = (int64_t)slot->info.head.seq + 1;
    from = from > first ? from : first; // a newer extent: all rows before it are there
    query_begin(&q, c->db, Q_EXTENT_LAST);
    query_int(&q, from + slot->offset);
    query_int(&q, from + slot->offset + STREAM_CACHE_LATE);
    query_int(&q, slot->number);
    if (query_row(&q)) {
        slot->info.head.seq = get_seq(&q, 0);
        (void)query_get_hash(&q, 1, &slot->info.head.hash);
    }
    return query_end(&q, e);
}

// What lies beside the row: its last events, and where later runs say that the stream ends.
static enum err_code read_beside(struct stream_cache *c, struct stream_slot *slot, struct err *e)
{
    struct query q;
    enum err_code code = stream_cache_catch_up(c, slot, e);
    if (code)
        return code;
    query_begin(&q, c->db, Q_STREAM_NAMED);
    query_uuid(&q, &slot->info.key.origin);
    query_int(&q, slot->info.key.lane);
    if (query_row(&q) && !query_is_null(&q, 0))
        slot->named = query_get_int(&q, 0);
    return query_end(&q, e);
}

static enum err_code load(struct stream_cache *c, const struct stream_key *key,
                          struct stream_slot *ret, struct err *e)
{
    struct query q;
    query_begin(&q, c->db, Q_STREAM_FIND);
    query_uuid(&q, &key->origin);
    query_int(&q, key->lane);
    bool found = query_row(&q);
    if (found)
        stream_slot_read(&q, ret);
    enum err_code code = query_end(&q, e);
    if (code)
        return code;
    return found ? read_beside(c, ret, e) : err_set(e, ERR_NOT_FOUND, "no such stream");
}

enum err_code stream_cache_find(struct stream_cache *c, const struct stream_key *key,
                                struct stream_slot **ret, struct err *e)
{
    if (c->capacity != 0 && *probe(c, key) != NULL) {
        *ret = *probe(c, key);
        return ERR_OK;
    }
    if ((c->count + 1) * 2 > c->capacity && grow(c))
        return err_set(e, ERR_NO_MEMORY, "out of memory for streams");
    struct stream_slot *slot = malloc(sizeof *slot);
    if (slot == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for streams");
    enum err_code code = load(c, key, slot, e);
    if (code) {
        free(slot);
        return code;
    }
    *probe(c, key) = slot;
    c->count++;
    *ret = slot;
    return ERR_OK;
}

void stream_cache_touch(struct stream_cache *c, struct stream_slot *slot, bool urgent)
{
    c->urgent = c->urgent || urgent;
    c->late_rows++;
    if (slot->dirty)
        return;
    slot->dirty = true;
    slot->next_dirty = c->dirty;
    c->dirty = slot;
}

enum err_code stream_cache_settle(struct stream_cache *c, struct err *e)
{
    bool wait = !c->urgent && c->late_rows < STREAM_CACHE_LATE;
    return wait ? ERR_OK : stream_cache_flush(c, e);
}

// A head in the table whose hash is not that of its row was edited: it stays, for verify to find.
static enum err_code level_one(struct stream_cache *c, const struct stream_key *key,
                               const struct mark *table, struct err *e)
{
    struct stream_slot *slot;
    struct hash there;
    enum err_code code = stream_cache_find(c, key, &slot, e);
    if (code || slot->info.head.seq == table->seq)
        return code;
    code = stream_slot_chain_at(c, slot, table->seq, &there, e);
    if (code == ERR_OK && hash_equal(&there, &table->hash))
        stream_cache_touch(c, slot, true);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

enum err_code stream_cache_level(struct stream_cache *c, struct err *e)
{
    struct query q;
    enum err_code code = ERR_OK;
    if (!c->stale)
        return ERR_OK;
    query_begin(&q, c->db, Q_STREAMS_LATE);
    while (code == ERR_OK && query_row(&q)) {
        struct stream_key key = {.lane = query_get_lane(&q, 1)};
        struct mark table = {.seq = get_seq(&q, 2)};
        if (query_get_uuid(&q, 0, &key.origin) && query_get_hash(&q, 3, &table.hash))
            code = level_one(c, &key, &table, e);
    }
    enum err_code end = query_end(&q, code ? NULL : e);
    c->stale = code || end;
    return code ? code : end;
}

enum err_code stream_cache_flush(struct stream_cache *c, struct err *e)
{
    struct query q;
    enum err_code code = stream_cache_level(c, e);
    if (code)
        return code;
    if (c->dirty == NULL)
        return ERR_OK;
    query_begin(&q, c->db, Q_STREAM_MOVE);
    for (struct stream_slot *slot = c->dirty; slot != NULL; slot = slot->next_dirty) {
        const struct stream_info *info = &slot->info;
        query_again(&q);
        query_u64(&q, info->head.seq);
        query_hash(&q, &info->head.hash);
        query_u64(&q, info->held.seq);
        query_hash(&q, &info->held.hash);
        query_u64(&q, info->settled.seq);
        query_hash(&q, &info->settled.hash);
        query_int(&q, slot->starts_run);
        query_int(&q, slot->number);
        (void)query_row(&q);
    }
    code = query_end(&q, e);
    c->urgent = c->urgent && code;
    c->late_rows = code ? c->late_rows : 0;
    while (code == ERR_OK && c->dirty != NULL) {
        c->dirty->dirty = false;
        c->dirty = c->dirty->next_dirty;
    }
    return code;
}

enum err_code stream_slot_piece(struct stream_cache *c, const struct stream_slot *slot,
                                uint64_t from, uint64_t to, struct stream_piece *ret, struct err *e)
{
    struct query q;
    if (to > slot->info.head.seq)
        to = slot->info.head.seq;
    if (from == 0 || from > to)
        return err_set(e, ERR_NOT_FOUND, "no such events in the stream");
    query_begin(&q, c->db, Q_EXTENT_FIND);
    query_int(&q, slot->number);
    query_u64(&q, from);
    bool found = query_row(&q);
    if (found)
        ret->first_lsn = query_get_place(&q, 1) + (int64_t)from - query_get_place(&q, 0);
    enum err_code code = query_end(&q, e);
    if (code || !found)
        return code ? code : err_set(e, ERR_NOT_FOUND, "no such events in the stream");
    query_begin(&q, c->db, Q_EXTENT_NEXT);
    query_int(&q, slot->number);
    query_u64(&q, from);
    if (query_row(&q) && query_get_u64(&q, 0) <= to)
        to = query_get_u64(&q, 0) - 1;
    ret->last_seq = to;
    ret->last_lsn = ret->first_lsn + (int64_t)(to - from);
    return query_end(&q, e);
}

// Where the row is not there: of those that were pruned only the last one's hash is known.
static enum err_code base_hash_at(struct stream_cache *c, const struct stream_slot *slot,
                                  uint64_t seq, struct hash *ret, struct err *e)
{
    struct base base;
    enum err_code code = past_base_find(c->db, slot->number, &base, e);
    if (code)
        return code;
    if (base.mark.seq != seq)
        return err_set(e, ERR_NOT_FOUND, "no such event in the stream");
    *ret = base.mark.hash;
    return ERR_OK;
}

enum err_code stream_slot_chain_at(struct stream_cache *c, const struct stream_slot *slot,
                                   uint64_t seq, struct hash *ret, struct err *e)
{
    struct stream_piece piece;
    struct query q;
    if (seq == slot->info.head.seq) {
        *ret = slot->info.head.hash;
        return ERR_OK;
    }
    if (seq == 0) {
        *ret = (struct hash){.b = {0}};
        return ERR_OK;
    }
    enum err_code code = stream_slot_piece(c, slot, seq, seq, &piece, e);
    if (code)
        return code == ERR_NOT_FOUND ? base_hash_at(c, slot, seq, ret, e) : code;
    query_begin(&q, c->db, Q_CHAIN_AT);
    query_int(&q, piece.first_lsn);
    query_int(&q, slot->number);
    query_u64(&q, seq);
    bool found = query_row(&q) && query_get_hash(&q, 0, ret);
    code = query_end(&q, e);
    if (code == ERR_OK && !found)
        code = err_set(e, ERR_NOT_FOUND, "no such event in the stream");
    return code;
}
