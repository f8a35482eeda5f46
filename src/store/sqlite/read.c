// SPDX-License-Identifier: Apache-2.0
#include "model/body.h"
#include "model/order.h"
#include "store/sqlite/past.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/state.h"
#include "store/sqlite/text.h"

// A list that is filled up to its limits.
struct reader {
    struct arena *arena;
    struct store_event_list list;
    size_t room;
    size_t bytes_left;
    size_t max_events;
    uint64_t next_seq; // of a stream; 0: rows of any
    bool full;
    enum err_code code;
};

static void read_row(struct query *q, struct store_event *ret)
{
    *ret = (struct store_event){.lsn = query_get_int(q, 0),
                                .key.lane = query_get_lane(q, 7),
                                .seq = query_get_u64(q, 8),
                                .status = state_status((enum row_state)query_get_int(q, 2)),
                                .received_at = query_get_int(q, 3),
                                .synced_at = query_get_int(q, 4)};
    (void)query_get_uuid(q, 6, &ret->key.origin);
    (void)query_get_hash(q, 1, &ret->chain);
}

static void take_row(struct reader *r, struct query *q)
{
    // A row that its stream does not expect there ends the stream, or readers would go in circles.
    r->full = r->list.count >= r->max_events ||
              (r->next_seq != 0 && query_get_u64(q, 8) != r->next_seq++);
    if (r->full)
        return;
    struct str bytes = text_get(q, 5, r->arena);
    r->full = r->list.count > 0 && bytes.n > r->bytes_left;
    if (r->full)
        return;
    r->bytes_left -= bytes.n < r->bytes_left ? bytes.n : r->bytes_left;
    struct store_event *items =
        rows_grow(r->arena, r->list.items, r->list.count, &r->room, sizeof *items);
    if (items == NULL || bytes.p == NULL) {
        r->code = ERR_NO_MEMORY;
        return;
    }
    r->list.items = items;
    struct store_event *to = &items[r->list.count++];
    read_row(q, to);
    to->bytes = bytes;
}

static enum err_code drain(struct reader *r, struct query *q, struct err *e)
{
    while (r->code == ERR_OK && !r->full && query_row(q))
        take_row(r, q);
    enum err_code code = query_end(q, e);
    if (code == ERR_OK && r->code)
        code = err_set(e, r->code, "out of memory for events");
    return code;
}

static enum err_code read_pieces(struct store *s, const struct stream_slot *slot, uint64_t after,
                                 struct reader *r, struct err *e)
{
    struct query q;
    struct stream_piece piece = {.last_seq = after};
    enum err_code code = ERR_OK;
    while (code == ERR_OK && !r->full && r->list.count < r->max_events &&
           piece.last_seq < slot->info.head.seq) {
        code = stream_slot_piece(&s->streams, slot, piece.last_seq + 1, UINT64_MAX, &piece, e);
        if (code)
            return code == ERR_NOT_FOUND ? ERR_OK : code;
        query_begin(&q, &s->db, Q_EVENTS_RANGE);
        query_int(&q, piece.first_lsn);
        query_int(&q, piece.last_lsn);
        query_int(&q, slot->number);
        code = drain(r, &q, e);
    }
    return code;
}

enum err_code store_read_stream(struct store *s, const struct stream_key *key, uint64_t after,
                                const struct store_page *page, struct store_event_list *ret,
                                struct err *e)
{
    struct stream_slot *slot;
    struct base base;
    struct reader r = {
        .arena = page->arena, .bytes_left = page->max_bytes, .max_events = page->max_events};
    enum err_code code = stream_cache_find(&s->streams, key, &slot, e);
    if (code == ERR_OK)
        code = past_base_find(&s->db, slot->number, &base, e);
    if (code == ERR_OK && after < base.mark.seq)
        after = base.mark.seq;
    r.next_seq = after + 1;
    if (code == ERR_OK)
        code = read_pieces(s, slot, after, &r, e);
    if (code == ERR_OK)
        *ret = r.list;
    return code;
}

enum err_code store_read_journal(struct store *s, int64_t after_lsn, const struct store_page *page,
                                 struct store_event_list *ret, struct err *e)
{
    struct query q;
    struct reader r = {
        .arena = page->arena, .bytes_left = page->max_bytes, .max_events = page->max_events};
    query_begin(&q, &s->db, Q_EVENTS_AFTER);
    query_int(&q, after_lsn);
    query_u64(&q, page->max_events);
    enum err_code code = drain(&r, &q, e);
    if (code == ERR_OK)
        *ret = r.list;
    return code;
}

enum err_code store_last_received(struct store *s, int64_t *ret, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_LAST_RECEIVED);
    *ret = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_end(&q, e);
}

enum err_code store_past_find(struct store *s, const struct event *event, struct arena *a,
                              enum store_past *ret, struct err *e)
{
    struct ids_carriers carriers;
    struct past_event mine;
    enum err_code code = ids_find(&s->fold.ids, &event->id, a, &carriers, e);
    *ret = PAST_NONE;
    if (code || !carriers.gone)
        return code;
    code = past_of(event, true, a, &mine, e);
    if (code == ERR_OK)
        *ret = mine.content == carriers.past.content ? PAST_SAME : PAST_OTHER;
    return code;
}

enum err_code store_past_has(struct store *s, const struct uuid *id, struct arena *a, bool *ret,
                             struct err *e)
{
    struct ids_carriers carriers;
    enum err_code code = ids_find(&s->fold.ids, id, a, &carriers, e);
    *ret = code == ERR_OK && carriers.gone;
    return code;
}

enum err_code store_find_event(struct store *s, const struct uuid *id, struct arena *a,
                               struct store_event_list *ret, struct err *e)
{
    struct query q;
    struct ids_carriers carriers;
    struct reader r = {.arena = a, .bytes_left = SIZE_MAX, .max_events = SIZE_MAX};
    enum err_code code = ids_find(&s->fold.ids, id, a, &carriers, e);
    for (size_t i = 0; code == ERR_OK && i < carriers.count; i++) {
        query_begin(&q, &s->db, Q_EVENT_AT);
        query_int(&q, carriers.lsns[i]);
        code = drain(&r, &q, e);
    }
    if (code == ERR_OK)
        *ret = r.list;
    return code;
}

enum err_code store_frontier(struct store *s, const struct record_name *name,
                             struct uuid ret[LIMIT_BASE], size_t *ret_count, struct err *e)
{
    *ret_count = 0;
    return reducer_find(name->type) == NULL
               ? ERR_OK
               : records_frontier(&s->fold.records, name, ret, ret_count, e);
}

enum err_code store_takes_line(struct store *s, const struct event *draft, bool *ret, struct err *e)
{
    const struct record *order = NULL;
    struct record_name name = {draft->location, draft->record_type, draft->record_id};
    struct uuid line = body_uuid(draft->body, "line");
    *ret = true;
    if (!str_is(draft->record_type, "order") || !str_is(draft->type_name, "line_added"))
        return ERR_OK;
    enum err_code code = records_look(&s->fold.records, &name, &order, e);
    *ret = code || order == NULL || order_takes_line(order, &line);
    return code;
}
