// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/rows.h"
#include "store/sqlite/state.h"

// ---- counts -----------------------------------------------------------------------------------

static enum err_code count_lanes(struct store *s, struct store_counts *to, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_STREAM_TOTALS);
    while (query_row(&q)) {
        int64_t lane = query_get_int(&q, 0);
        if (lane < 0 || lane >= LANE_COUNT)
            continue;
        // Columns 4 to 6: how many of these are run_started, which is not counted.
        to->pending[lane] = query_get_u64(&q, 1) - query_get_u64(&q, 4);
        to->held[lane] = query_get_u64(&q, 2) - query_get_u64(&q, 5);
        to->settled[lane] = query_get_u64(&q, 3) - query_get_u64(&q, 6);
        to->unsettled += query_get_u64(&q, 1) + query_get_u64(&q, 2);
        if (query_get_int(&q, 7) > to->last_sync_at)
            to->last_sync_at = query_get_int(&q, 7);
    }
    return query_end(&q, e);
}

static enum err_code count_people(struct store *s, struct store_counts *to, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_REVIEW_COUNT);
    if (query_row(&q)) {
        to->reviews = query_get_u64(&q, 0);
        to->conflicts = query_get_u64(&q, 1);
    }
    enum err_code code = query_end(&q, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_DEAD_COUNT);
    if (query_row(&q))
        to->dead_letters = query_get_u64(&q, 0);
    return query_end(&q, e);
}

// The oldest row that the next hop does not hold, of one stream.
static enum err_code look_at(struct store *s, const struct stream_key *key, int64_t *oldest,
                             struct err *e)
{
    struct query q;
    struct stream_slot *slot;
    struct stream_piece piece;
    enum err_code code = stream_cache_find(&s->streams, key, &slot, e);
    if (code)
        return code;
    uint64_t from = slot->info.held.seq + 1;
    from += from == 1 && slot->starts_run;
    if (from > slot->info.head.seq)
        return ERR_OK;
    code = stream_slot_piece(&s->streams, slot, from, from, &piece, e);
    if (code)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    query_begin(&q, &s->db, Q_OLDEST_PENDING);
    query_int(&q, piece.first_lsn);
    if (query_row(&q) && (*oldest == 0 || query_get_int(&q, 0) < *oldest))
        *oldest = query_get_int(&q, 0);
    return query_end(&q, e);
}

static enum err_code find_oldest(struct store *s, int64_t *ret, struct err *e)
{
    enum { STREAMS = 64 }; // oldest first, so the first few hold the oldest event
    struct stream_info streams[STREAMS];
    size_t count = 0;
    enum err_code code = store_streams_unsettled(s, streams, STREAMS, &count, e);
    for (size_t i = 0; i < count && code == ERR_OK; i++)
        code = look_at(s, &streams[i].key, ret, e);
    return code;
}

enum err_code store_counts(struct store *s, struct store_counts *ret, struct err *e)
{
    struct store_counts counts = {.oldest_pending_at = 0};
    if (s->read_only)
        stream_cache_clear(&s->streams); // another process or thread moves the streams
    enum err_code code = stream_cache_flush(&s->streams, e);
    if (code == ERR_OK || code == ERR_DISK_FULL) // the counts look at the last rows too
        code = count_lanes(s, &counts, e);
    if (code == ERR_OK)
        code = count_people(s, &counts, e);
    if (code == ERR_OK)
        code = find_oldest(s, &counts.oldest_pending_at, e);
    if (code == ERR_OK)
        *ret = counts;
    return code;
}

// ---- stock ------------------------------------------------------------------------------------

enum err_code store_stock_each(struct store *s, struct str location, struct str sku,
                               bool (*each)(void *context, const struct stock_row *row),
                               void *context, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, location.n > 0 ? Q_STOCK_EACH_AT : Q_STOCK_EACH);
    query_text(&q, location);
    query_text(&q, sku);
    while (query_row(&q)) {
        struct stock_row row = {.location = query_get_text(&q, 0),
                                .sku = query_get_text(&q, 1),
                                .quantity = query_get_int(&q, 2)};
        if (!each(context, &row))
            break;
    }
    return query_end(&q, e);
}

// ---- branches ---------------------------------------------------------------------------------

static enum err_code add_branch(struct query *q, struct arena *a, struct branch_list *list,
                                size_t *room)
{
    struct branch_row row = {.id = arena_copy(a, query_get_text(q, 0)),
                             .name = arena_copy(a, query_get_text(q, 1)),
                             .region = arena_copy(a, query_get_text(q, 2)),
                             .pending = query_get_u64(q, 3),
                             .conflicts = query_get_u64(q, 4),
                             .dead_letters = query_get_u64(q, 5),
                             .oldest_pending_at = query_get_int(q, 6),
                             .last_synced_at = query_get_int(q, 7),
                             .last_seen_at = query_get_int(q, 8),
                             .devices = query_get_u64(q, 9),
                             .devices_online = query_get_u64(q, 10),
                             .catalog_version = query_get_u64(q, 11)};
    struct branch_row *items = rows_grow(a, list->items, list->count, room, sizeof row);
    if (items == NULL || row.id.p == NULL || row.name.p == NULL || row.region.p == NULL)
        return ERR_NO_MEMORY;
    list->items = items;
    items[list->count++] = row;
    return ERR_OK;
}

enum err_code store_branches(struct store *s, struct arena *a, struct branch_list *ret,
                             struct err *e)
{
    struct query q;
    struct branch_list list = {.count = 0};
    size_t room = 0;
    enum err_code memory = ERR_OK;
    query_begin(&q, &s->db, Q_BRANCHES);
    while (memory == ERR_OK && query_row(&q))
        memory = add_branch(&q, a, &list, &room);
    enum err_code code = query_end(&q, e);
    if (code == ERR_OK && memory)
        code = err_set(e, memory, "out of memory for branches");
    if (code == ERR_OK)
        *ret = list;
    return code;
}
