// SPDX-License-Identifier: Apache-2.0
//
// What the author of an event could know of its place, and what it could not.
//
//   position of its feed ──feed_rows.lsn──► row of the journal ──extents──► what came behind it
#include "store/sqlite/rows.h"
#include "store/sqlite/state.h"

// ---- positions --------------------------------------------------------------------------------

static enum err_code find_head(struct store *s, struct str location, struct event_seen *ret,
                               struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_FEED_FIND);
    query_text(&q, location);
    if (query_row(&q) && query_get_uuid(&q, 1, &ret->feed))
        ret->position = query_get_u64(&q, 2);
    return query_end(&q, e);
}

enum err_code store_feed_seen(struct store *s, struct str location, struct event_seen *ret,
                              struct err *e)
{
    struct query q;
    *ret = (struct event_seen){.position = 0};
    if (s->role == ROLE_CENTRAL)
        return find_head(s, location, ret, e);
    query_begin(&q, &s->db, Q_CURSOR_SHOWN);
    query_text(&q, location);
    if (query_row(&q) && query_get_uuid(&q, 0, &ret->feed))
        ret->position = query_get_u64(&q, 1);
    return query_end(&q, e);
}

enum err_code store_seen_lsn(struct store *s, struct str location, const struct event_seen *seen,
                             int64_t *ret, struct err *e)
{
    struct query q;
    *ret = -1;
    query_begin(&q, &s->db, Q_FEED_LSN);
    query_text(&q, location);
    query_uuid(&q, &seen->feed);
    query_u64(&q, seen->position);
    if (query_row(&q) && !query_is_null(&q, 0))
        *ret = query_get_int(&q, 0);
    return query_end(&q, e);
}

// ---- what came behind a row -------------------------------------------------------------------

struct walk {
    struct store *s;
    struct str location;
    int64_t after;
    struct arena *kept;
    struct arena page;
    struct store_moves found;
    size_t room;
    size_t rows;
};
struct walked { // a stream of the place
    struct stream_key key;
    struct uuid device;
};

static enum err_code list_streams(struct walk *w, struct walked **ret, size_t *ret_count,
                                  struct err *e)
{
    struct query q;
    size_t room = 0;
    bool full = false;
    *ret = NULL;
    *ret_count = 0;
    query_begin(&q, &w->s->db, Q_STREAMS_BEHIND);
    query_text(&q, w->location);
    query_int(&q, w->after - STREAM_CACHE_LATE);
    while (!full && query_row(&q)) {
        struct walked *list = rows_grow(w->kept, *ret, *ret_count, &room, sizeof *list);
        full = list == NULL;
        if (full)
            break;
        struct walked *to = &list[*ret_count];
        *ret = list;
        to->key.lane = query_get_lane(&q, 1);
        *ret_count += query_get_uuid(&q, 0, &to->key.origin) && query_get_uuid(&q, 2, &to->device);
    }
    enum err_code code = query_end(&q, e);
    return code == ERR_OK && full ? err_set(e, ERR_NO_MEMORY, "out of memory for streams") : code;
}

// The last of the stream's events that lie up to the row.
static enum err_code last_seen(struct walk *w, const struct stream_key *key, uint64_t *ret,
                               struct err *e)
{
    struct query q;
    struct stream_slot *slot;
    enum err_code code = stream_cache_find(&w->s->streams, key, &slot, e);
    *ret = 0;
    if (code)
        return code;
    query_begin(&q, &w->s->db, Q_EXTENT_UPTO);
    query_int(&q, slot->number);
    query_int(&q, w->after);
    if (query_row(&q)) {
        uint64_t first = query_get_u64(&q, 0);
        uint64_t end = query_is_null(&q, 2) ? slot->info.head.seq : query_get_u64(&q, 2) - 1;
        *ret = first + (uint64_t)(w->after - query_get_int(&q, 1));
        *ret = *ret < end ? *ret : end;
    }
    return query_end(&q, e);
}

static enum err_code keep(struct walk *w, const struct walked *stream, const struct event *event,
                          const struct store_move *like)
{
    struct store_move *items =
        rows_grow(w->kept, w->found.items, w->found.count, &w->room, sizeof *items);
    struct str sku = arena_copy(w->kept, like->sku);
    if (items == NULL || sku.p == NULL)
        return ERR_NO_MEMORY;
    w->found.items = items;
    struct store_move *to = &items[w->found.count++];
    *to = *like;
    to->sku = sku;
    to->id = event->id;
    to->move.order = event_order_of(event);
    to->move.device = stream->device;
    return ERR_OK;
}

// What gives back or takes out effects of other events: sums behind the row are not those of the
// events behind it.
static bool turns_others(const struct event *event)
{
    struct judgement judgement;
    if (str_is(event->type_name, "device_revoked"))
        return true;
    return judgement_is(event) && judgement_decode(event, &judgement, NULL) == ERR_OK &&
           judgement.verdict.outcome == JUDGED_DUPLICATE;
}

static bool counts(enum event_status status)
{
    return status == STATUS_PENDING || status == STATUS_HELD || status == STATUS_SETTLED;
}

static enum err_code take_event(struct walk *w, const struct walked *stream,
                                const struct store_event *row)
{
    struct event event;
    struct effect_list list;
    if (!counts(row->status))
        return ERR_OK;
    enum err_code code = event_parse(row->bytes, &w->page, &event, NULL);
    if (code || event.type == NULL)
        return code == ERR_NO_MEMORY ? code : ERR_OK;
    if (turns_others(&event))
        w->found.whole = false;
    code = effect_list_of(&event, &w->page, &list, NULL);
    if (code)
        return code == ERR_NO_MEMORY ? code : ERR_OK;
    for (size_t i = 0; i < list.count && code == ERR_OK; i++) {
        const struct effect_stock *stock = &list.items[i].stock;
        struct store_move move = {.lsn = row->lsn};
        if (list.items[i].kind != EFFECT_STOCK)
            continue;
        move.sku = stock->sku;
        move.move.delta = stock->delta;
        code = keep(w, stream, &event, &move);
    }
    return code;
}

static enum err_code walk_stream(struct walk *w, const struct walked *stream, struct err *e)
{
    uint64_t after = 0;
    size_t read = 1;
    enum err_code code = last_seen(w, &stream->key, &after, e);
    while (code == ERR_OK && read > 0 && w->found.whole) {
        struct store_event_list list = {.count = 0};
        arena_reset(&w->page);
        code = store_read_stream(
            w->s, &stream->key, after,
            &(struct store_page){LIMIT_BATCH_EVENTS, LIMIT_BATCH_BYTES, &w->page}, &list, e);
        read = code ? 0 : list.count;
        w->rows += read;
        w->found.whole = w->found.whole && w->rows <= LIMIT_SEEN_ROWS;
        for (size_t i = 0; i < read && w->found.whole && code == ERR_OK; i++) {
            after = list.items[i].seq;
            code = take_event(w, stream, &list.items[i]);
            if (code)
                code = err_set(e, code, "out of memory for what came since");
        }
    }
    return code;
}

enum err_code store_moves_after(struct store *s, struct str location, int64_t lsn, struct arena *a,
                                struct store_moves *ret, struct err *e)
{
    struct walk w = {.s = s, .location = location, .after = lsn, .kept = a};
    struct walked *streams = NULL;
    size_t count = 0;
    w.found.whole = true;
    arena_init(&w.page, 16 * LIMIT_BATCH_BYTES);
    enum err_code code = list_streams(&w, &streams, &count, e);
    for (size_t i = 0; i < count && code == ERR_OK && w.found.whole; i++)
        code = walk_stream(&w, &streams[i], e);
    arena_fini(&w.page);
    *ret = w.found;
    return code;
}

enum { RUNS_BACK = 16 };

enum err_code store_run_is_behind(struct store *s, const struct uuid *origin, bool *ret,
                                  struct err *e)
{
    struct stream_key key = {*origin, LANE_CRITICAL};
    enum err_code code = ERR_OK;
    *ret = false;
    for (int i = 0; i < RUNS_BACK && code == ERR_OK && !*ret; i++) {
        struct query q;
        struct stream_info info;
        query_begin(&q, &s->db, Q_RUN_BEFORE);
        query_uuid(&q, &key.origin);
        bool there = query_row(&q) && query_get_uuid(&q, 0, &key.origin);
        uint64_t named = there ? query_get_u64(&q, 1) : 0;
        code = query_end(&q, e);
        if (code || !there)
            return code;
        code = store_stream_find(s, &key, &info);
        *ret = named > (code == ERR_OK ? info.head.seq : 0);
        code = code == ERR_NOT_FOUND ? ERR_OK : code;
    }
    return code;
}

enum err_code store_stock_of(struct store *s, struct str location, struct str sku, int64_t *ret,
                             struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_STOCK_ONE);
    query_text(&q, location);
    query_text(&q, sku);
    *ret = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_end(&q, e);
}

// ---- counts -----------------------------------------------------------------------------------

enum err_code store_counted_newest(struct store *s, struct str location, hlc *ret, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_COUNTED_NEWEST);
    query_text(&q, location);
    *ret = query_row(&q) && !query_is_null(&q, 0) ? query_get_u64(&q, 0) : 0;
    return query_end(&q, e);
}

enum err_code store_counted_find(struct store *s, struct str location, struct arena *a,
                                 struct store_counted *ret, struct err *e)
{
    struct query q;
    *ret = (struct store_counted){.sku = ret->sku, .record_id = STR("")};
    query_begin(&q, &s->db, Q_COUNTED_FIND);
    query_text(&q, location);
    query_text(&q, ret->sku);
    if (query_row(&q) && query_get_uuid(&q, 2, &ret->device) &&
        query_get_uuid(&q, 4, &ret->order.origin) && query_get_uuid(&q, 0, &ret->event)) {
        ret->record_id = arena_copy(a, query_get_text(&q, 1));
        ret->order.hlc = query_get_u64(&q, 3);
        ret->order.lane = query_get_lane(&q, 5);
        ret->order.seq = query_get_u64(&q, 6);
        ret->shown = query_get_int(&q, 7);
    }
    enum err_code code = query_end(&q, e);
    bool full = ret->record_id.p == NULL;
    return code == ERR_OK && full ? err_set(e, ERR_NO_MEMORY, "out of memory for a count") : code;
}

enum err_code store_counted_put(struct store *s, struct str location,
                                const struct store_counted *counted, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_COUNTED_PUT);
    query_text(&q, location);
    query_text(&q, counted->sku);
    query_uuid(&q, &counted->event);
    query_text(&q, counted->record_id);
    query_uuid(&q, &counted->device);
    query_u64(&q, counted->order.hlc);
    query_uuid(&q, &counted->order.origin);
    query_int(&q, counted->order.lane);
    query_u64(&q, counted->order.seq);
    query_int(&q, counted->shown);
    return query_run(&q, e);
}
