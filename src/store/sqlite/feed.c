// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/feed.h"

#include "base/clock.h"
#include "base/decimal.h"
#include "base/json.h"
#include "model/feed_mark.h"
#include "store/sqlite/catalog_publish.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/state.h"
#include "store/sqlite/text.h"

#include <stdio.h>
#include <stdlib.h>

#define QUEUE_MAX_BYTES ((size_t)256 * 1024 * 1024)
enum { ROW_MAX_BYTES = LIMIT_EVENT_BYTES };

// ---- rows --------------------------------------------------------------------------------------

static enum err_code take_buf(struct arena *a, struct buf *b, enum err_code code, struct str *ret)
{
    if (code == ERR_OK) {
        *ret = arena_copy(a, buf_str(b));
        code = ret->p == NULL ? ERR_NO_MEMORY : ERR_OK;
    }
    buf_fini(b);
    return code;
}

static enum err_code add_member(struct buf *b, const char *before, struct str value)
{
    enum err_code code = buf_append_str(b, str_of(before));
    return code ? code : json_append_string(b, value);
}

enum err_code feed_row_location(struct arena *a, struct str name, struct str region,
                                struct str *ret)
{
    struct buf b;
    buf_init(&b, ROW_MAX_BYTES);
    enum err_code code = add_member(&b, "{\"name\":", name);
    if (code == ERR_OK && region.n > 0)
        code = add_member(&b, ",\"region\":", region);
    if (code == ERR_OK)
        code = buf_append(&b, "}", 1);
    return take_buf(a, &b, code, ret);
}

enum err_code feed_row_device(struct arena *a, const struct feed_device *device, struct str *ret)
{
    struct buf b;
    char key[2 * SIGN_PUBLIC_SIZE + 1] = "";
    if (device->key.n == SIGN_PUBLIC_SIZE)
        str_to_hex(key, device->key.p, device->key.n);
    buf_init(&b, ROW_MAX_BYTES);
    enum err_code code = add_member(&b, "{\"location\":", device->location);
    if (code == ERR_OK)
        code = add_member(&b, ",\"role\":", device->role);
    if (code == ERR_OK)
        code = add_member(&b, ",\"key\":", str_of(key));
    if (code == ERR_OK)
        code = buf_append_format(&b, ",\"revoked\":%s}", device->revoked ? "true" : "false");
    return take_buf(a, &b, code, ret);
}

enum err_code feed_row_notice(struct arena *a, struct str status, struct str reason,
                              struct str *ret)
{
    struct buf b;
    buf_init(&b, ROW_MAX_BYTES);
    enum err_code code = add_member(&b, "{\"status\":", status);
    if (code == ERR_OK && reason.n > 0)
        code = add_member(&b, ",\"reason\":", reason);
    if (code == ERR_OK)
        code = buf_append(&b, "}", 1);
    return take_buf(a, &b, code, ret);
}

void feed_carrier_id(const struct stream_key *key, uint64_t seq, char to[FEED_CARRIER_SIZE])
{
    char origin[UUID_TEXT_SIZE];
    uuid_format(&key->origin, origin);
    (void)snprintf(to, FEED_CARRIER_SIZE, "%s/%s/%llu", origin, lane_name(key->lane),
                   (unsigned long long)seq);
}

bool feed_carrier_parse(struct str text, struct stream_key *ret, uint64_t *ret_seq)
{
    struct str origin, lane;
    return str_cut(&text, '/', &origin) && str_cut(&text, '/', &lane) &&
           uuid_parse(origin, &ret->origin) == ERR_OK && lane_parse(lane, &ret->lane) == ERR_OK &&
           str_to_u64(text, ret_seq) == ERR_OK && *ret_seq > 0;
}

enum err_code feed_row_carrier(struct arena *a, const struct uuid *event, struct str *ret)
{
    char text[UUID_TEXT_SIZE];
    struct buf b;
    buf_init(&b, ROW_MAX_BYTES);
    uuid_format(event, text);
    enum err_code code = buf_append_format(&b, "{\"status\":\"conflict\",\"event\":\"%s\"}", text);
    return take_buf(a, &b, code, ret);
}

enum err_code feed_row_event(struct arena *a, struct str bytes, struct str *ret)
{
    struct buf b;
    buf_init(&b, ROW_MAX_BYTES);
    enum err_code code = add_member(&b, "{\"bytes\":", bytes);
    if (code == ERR_OK)
        code = buf_append(&b, "}", 1);
    return take_buf(a, &b, code, ret);
}

// ---- writer ------------------------------------------------------------------------------------

void feed_writer_init(struct feed_writer *w, struct db *db)
{
    *w = (struct feed_writer){.db = db};
    buf_init(&w->bytes, ROW_MAX_BYTES);
    buf_init(&w->location, LIMIT_NAME);
}

void feed_writer_fini(struct feed_writer *w)
{
    buf_fini(&w->bytes);
    buf_fini(&w->location);
}

static enum err_code write_head(struct feed_writer *w, struct err *e)
{
    struct query q;
    if (!w->open || !w->there || !w->moved)
        return ERR_OK;
    query_begin(&q, w->db, Q_FEED_MOVE);
    query_u64(&q, w->head);
    query_hash(&q, &w->hash);
    query_int(&q, w->number);
    enum err_code code = query_run(&q, e);
    if (code || w->head <= FEED_MEMORY)
        return code;
    query_begin(&q, w->db, Q_FEED_TRIM);
    query_int(&q, w->number);
    query_u64(&q, w->head_before > FEED_MEMORY ? w->head_before - FEED_MEMORY : 0);
    query_u64(&q, w->head - FEED_MEMORY);
    return query_run(&q, e);
}

enum err_code feed_writer_end(struct feed_writer *w, struct err *e)
{
    enum err_code code = write_head(w, e);
    w->open = false;
    return code;
}

enum err_code feed_writer_turn(struct feed_writer *w, struct str location, bool *ret_there,
                               struct err *e)
{
    struct query q;
    *ret_there = w->there;
    if (w->open && str_equal(buf_str(&w->location), location))
        return ERR_OK;
    enum err_code code = feed_writer_end(w, e);
    buf_reset(&w->location);
    if (code == ERR_OK)
        code = buf_append_str(&w->location, location);
    if (code)
        return code;
    query_begin(&q, w->db, Q_FEED_FIND);
    query_text(&q, location);
    w->there = query_row(&q);
    w->open = true;
    w->moved = false;
    if (w->there) {
        w->number = query_get_int(&q, 0);
        w->head = w->head_before = query_get_u64(&q, 2);
        (void)query_get_hash(&q, 3, &w->hash);
    }
    *ret_there = w->there;
    return query_end(&q, e);
}

// The position that the record's row had becomes a tombstone, or goes when it is too old for that.
static enum err_code bury(struct feed_writer *w, const struct feed_change *change, struct err *e)
{
    struct query q;
    uint64_t position = 0;
    query_begin(&q, w->db, Q_FEED_LIVE);
    query_int(&q, w->number);
    query_text(&q, change->type);
    query_text(&q, change->id);
    if (query_row(&q))
        position = query_get_u64(&q, 0);
    enum err_code code = query_end(&q, e);
    if (code || position == 0)
        return code;
    // Where a version of the catalog ended stays known: who has not heard of anything since then
    // gets what changed, and no copy.
    bool forget = position + FEED_MEMORY <= w->head && !str_is(change->type, CATALOG_VERSION_TYPE);
    query_begin(&q, w->db, forget ? Q_FEED_DROP : Q_FEED_BURY);
    query_int(&q, w->number);
    query_u64(&q, position);
    return query_run(&q, e);
}

static enum err_code make_bytes(struct feed_writer *w, const struct feed_change *change)
{
    buf_reset(&w->bytes);
    enum err_code code = add_member(&w->bytes, "{\"type\":", change->type);
    if (code == ERR_OK)
        code = add_member(&w->bytes, ",\"id\":", change->id);
    if (code == ERR_OK)
        code = buf_append_str(&w->bytes, STR(",\"row\":"));
    if (code == ERR_OK)
        code = buf_append_str(&w->bytes, change->row.n == 0 ? STR("null") : change->row);
    if (code == ERR_OK)
        code = buf_append(&w->bytes, "}", 1);
    return code;
}

enum err_code feed_writer_put(struct feed_writer *w, const struct feed_change *change,
                              struct err *e)
{
    struct query q;
    bool there = false;
    enum err_code code = feed_writer_turn(w, change->location, &there, e);
    if (code || !there)
        return code;
    code = make_bytes(w, change);
    if (code)
        return err_set(e, code, "a feed row is too large");
    code = bury(w, change, e);
    if (code)
        return code;
    w->head++;
    w->hash = hash_chain(&w->hash, buf_str(&w->bytes));
    w->moved = true;
    query_begin(&q, w->db, Q_FEED_ROW_ADD);
    query_int(&q, w->number);
    query_u64(&q, w->head);
    query_text(&q, change->type);
    query_text(&q, change->id);
    query_hash(&q, &w->hash);
    query_text(&q, buf_str(&w->bytes));
    return query_run(&q, e);
}

enum err_code feed_writer_stock(struct feed_writer *w, struct str location, struct str sku,
                                int64_t quantity, struct err *e)
{
    char row[DECIMAL_TEXT_MAX + 16] = "{\"quantity\":\"";
    size_t n = sizeof("{\"quantity\":\"") - 1;
    decimal_format(quantity, row + n);
    n += str_of(row + n).n;
    row[n++] = '"';
    row[n++] = '}';
    struct feed_change change = {location, STR("stock"), sku, str_make(row, n)};
    return feed_writer_put(w, &change, e);
}

// ---- queue -------------------------------------------------------------------------------------

void feed_queue_init(struct feed_queue *q)
{
    *q = (struct feed_queue){.count = 0};
    arena_init(&q->arena, QUEUE_MAX_BYTES);
}

void feed_queue_fini(struct feed_queue *q)
{
    arena_fini(&q->arena);
}

void feed_queue_clear(struct feed_queue *q)
{
    if (q->count == 0)
        return;
    arena_reset(&q->arena);
    q->items = NULL;
    q->count = 0;
    q->room = 0;
}

enum err_code feed_queue_add(struct feed_queue *q, const struct feed_change *change)
{
    struct feed_change *items = rows_grow(&q->arena, q->items, q->count, &q->room, sizeof *items);
    if (items == NULL)
        return ERR_NO_MEMORY;
    q->items = items;
    struct feed_change *to = &items[q->count];
    to->location = arena_copy(&q->arena, change->location);
    to->type = arena_copy(&q->arena, change->type);
    to->id = arena_copy(&q->arena, change->id);
    to->row = arena_copy(&q->arena, change->row);
    if (to->location.p == NULL || to->type.p == NULL || to->id.p == NULL || to->row.p == NULL)
        return ERR_NO_MEMORY;
    q->count++;
    return ERR_OK;
}

static int by_record(const struct feed_change *a, const struct feed_change *b)
{
    int order = str_compare(a->location, b->location);
    if (order == 0)
        order = str_compare(a->type, b->type);
    return order != 0 ? order : str_compare(a->id, b->id);
}

// Items lie in the order of their coming, so the address decides among changes of one record.
static int by_record_and_age(const void *a, const void *b)
{
    const struct feed_change *x = *(struct feed_change *const *)a;
    const struct feed_change *y = *(struct feed_change *const *)b;
    int order = by_record(x, y);
    return order != 0 ? order : (x > y) - (x < y);
}

enum err_code feed_queue_flush(struct feed_queue *q, struct db *db, struct err *e)
{
    struct feed_writer w;
    if (q->count == 0)
        return ERR_OK;
    struct feed_change **sorted = arena_alloc(&q->arena, q->count * sizeof(struct feed_change *));
    if (sorted == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for feeds");
    for (size_t i = 0; i < q->count; i++)
        sorted[i] = &q->items[i];
    qsort(sorted, q->count, sizeof(struct feed_change *), by_record_and_age);
    feed_writer_init(&w, db);
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < q->count && code == ERR_OK; i++) {
        if (i + 1 == q->count || by_record(sorted[i], sorted[i + 1]) != 0)
            code = feed_writer_put(&w, sorted[i], e);
    }
    if (code == ERR_OK)
        code = feed_writer_end(&w, e);
    feed_writer_fini(&w);
    return code;
}

// ---- making a feed ----------------------------------------------------------------------------

static enum err_code fill_stock(struct feed_writer *w, struct str location, struct err *e)
{
    struct query q;
    enum err_code code = ERR_OK;
    query_begin(&q, w->db, Q_STOCK_OF);
    query_text(&q, location);
    while (code == ERR_OK && query_row(&q))
        code = feed_writer_stock(w, location, query_get_text(&q, 0), query_get_int(&q, 1), e);
    enum err_code end = query_end(&q, code ? NULL : e);
    return code ? code : end;
}

static enum err_code put_row(struct feed_writer *w, struct feed_change *change, struct arena *a,
                             enum err_code made, struct err *e)
{
    enum err_code code =
        made ? err_set(e, made, "out of memory for feeds") : feed_writer_put(w, change, e);
    arena_reset(a);
    return code;
}

static enum err_code fill_locations(struct feed_writer *w, struct arena *a, struct err *e)
{
    struct query q;
    enum err_code code = ERR_OK;
    query_begin(&q, w->db, Q_LOCATIONS_ALL);
    while (code == ERR_OK && query_row(&q)) {
        struct feed_change change = {STR("*"), STR("location"), query_get_text(&q, 0), STR("")};
        enum err_code made =
            feed_row_location(a, query_get_text(&q, 1), query_get_text(&q, 2), &change.row);
        code = put_row(w, &change, a, made, e);
    }
    enum err_code end = query_end(&q, code ? NULL : e);
    return code ? code : end;
}

static enum err_code fill_devices(struct feed_writer *w, struct str location, struct arena *a,
                                  struct err *e)
{
    struct query q;
    struct uuid id;
    char text[UUID_TEXT_SIZE];
    enum err_code code = ERR_OK;
    query_begin(&q, w->db, Q_DEVICES_OF);
    query_text(&q, location);
    while (code == ERR_OK && query_row(&q)) {
        (void)query_get_uuid(&q, 0, &id);
        uuid_format(&id, text);
        struct feed_change change = {location, STR("device"), str_of(text), STR("")};
        struct feed_device device = {location, query_get_text(&q, 2), query_get_text(&q, 3),
                                     query_get_int(&q, 4) != 0};
        enum err_code made = feed_row_device(a, &device, &change.row);
        code = put_row(w, &change, a, made, e);
    }
    enum err_code end = query_end(&q, code ? NULL : e);
    return code ? code : end;
}

static enum err_code fill_notices(struct feed_writer *w, struct str location, struct arena *a,
                                  struct err *e)
{
    struct query q;
    struct uuid id;
    char text[UUID_TEXT_SIZE];
    enum err_code code = ERR_OK;
    query_begin(&q, w->db, Q_FEED_NOTICES);
    query_text(&q, location);
    while (code == ERR_OK && query_row(&q)) {
        (void)query_get_uuid(&q, 0, &id);
        uuid_format(&id, text);
        struct feed_change change = {location, STR("notice"), str_of(text), STR("")};
        enum event_status status = state_status((enum row_state)query_get_int(&q, 1));
        enum err_code made = feed_row_notice(a, str_of(event_status_name(status)),
                                             query_get_text(&q, 2), &change.row);
        code = put_row(w, &change, a, made, e);
    }
    enum err_code end = query_end(&q, code ? NULL : e);
    return code ? code : end;
}

static enum err_code fill_carriers(struct feed_writer *w, struct str location, struct arena *a,
                                   struct err *e)
{
    struct query q;
    enum err_code code = ERR_OK;
    query_begin(&q, w->db, Q_FEED_CARRIERS);
    query_text(&q, location);
    while (code == ERR_OK && query_row(&q)) {
        struct uuid event;
        struct stream_key key;
        char id[FEED_CARRIER_SIZE];
        (void)query_get_uuid(&q, 0, &event);
        (void)query_get_uuid(&q, 1, &key.origin);
        key.lane = (enum lane)query_get_int(&q, 2);
        feed_carrier_id(&key, query_get_u64(&q, 3), id);
        struct feed_change change = {location, STR(FEED_CARRIER), str_of(id), STR("")};
        enum err_code made = feed_row_carrier(a, &event, &change.row);
        code = put_row(w, &change, a, made, e);
    }
    enum err_code end = query_end(&q, code ? NULL : e);
    return code ? code : end;
}

// Events of records that are still open; of the whole chain's, of all.
static enum err_code fill_events(struct feed_writer *w, struct str location, struct arena *a,
                                 struct err *e)
{
    struct query q;
    struct uuid id;
    char text[UUID_TEXT_SIZE];
    enum err_code code = ERR_OK;
    if (str_starts(location, STR(FEED_CHAIN))) {
        query_begin(&q, w->db, Q_FEED_FILL_CHAIN);
        query_int(&q, str_is(location, FEED_DEFERRED));
    } else {
        query_begin(&q, w->db, Q_FEED_FILL_EVENTS);
        query_text(&q, location);
    }
    while (code == ERR_OK && query_row(&q)) {
        (void)query_get_uuid(&q, 0, &id);
        uuid_format(&id, text);
        struct feed_change change = {location, STR("event"), str_of(text), STR("")};
        struct str bytes = text_get(&q, 0, a);
        enum err_code made =
            bytes.p == NULL ? ERR_NO_MEMORY : feed_row_event(a, bytes, &change.row);
        code = put_row(w, &change, a, made, e);
    }
    enum err_code end = query_end(&q, code ? NULL : e);
    return code ? code : end;
}

static enum err_code fill(struct db *db, struct str location, struct err *e)
{
    struct feed_writer w;
    struct arena a;
    feed_writer_init(&w, db);
    arena_init(&a, ROW_MAX_BYTES);
    enum err_code code = ERR_OK;
    if (str_is(location, FEED_CHAIN)) {
        code = fill_locations(&w, &a, e);
        if (code == ERR_OK)
            code = catalog_publish_fill(db, &w, e);
    } else if (!str_is(location, FEED_DEFERRED)) {
        code = fill_stock(&w, location, e);
        if (code == ERR_OK)
            code = fill_devices(&w, location, &a, e);
        if (code == ERR_OK)
            code = fill_notices(&w, location, &a, e);
        if (code == ERR_OK)
            code = fill_carriers(&w, location, &a, e);
    }
    if (code == ERR_OK)
        code = fill_events(&w, location, &a, e);
    if (code == ERR_OK)
        code = feed_writer_end(&w, e);
    feed_writer_fini(&w);
    arena_fini(&a);
    return code;
}

static struct uuid fresh_id(void)
{
    struct uuid_maker maker = {0, 0};
    uint8_t random[10];
    clock_random(random, sizeof random);
    return uuid_make_v7(&maker, (uint64_t)clock_wall_ms(), random);
}

enum err_code feed_ensure(struct db *db, struct str location, struct err *e)
{
    struct query q;
    static const struct hash zero;
    query_begin(&q, db, Q_FEED_FIND);
    query_text(&q, location);
    bool there = query_row(&q);
    enum err_code code = query_end(&q, e);
    if (code || there)
        return code;
    struct uuid id = fresh_id();
    query_begin(&q, db, Q_FEED_ADD);
    query_text(&q, location);
    query_uuid(&q, &id);
    query_hash(&q, &zero);
    code = query_run(&q, e);
    if (code == ERR_OK)
        code = fill(db, location, e);
    if (code)
        return code;
    query_begin(&q, db, Q_FEED_PARTIAL); // what is over is not in it
    query_text(&q, location);
    return query_run(&q, e);
}

// ---- reading -----------------------------------------------------------------------------------

static enum err_code find_feed(struct store *s, struct str location, struct feed_cursor *ret,
                               int64_t *ret_number, bool *ret_there, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_FEED_FIND);
    query_text(&q, location);
    *ret_there = query_row(&q);
    if (*ret_there) {
        *ret_number = query_get_int(&q, 0);
        (void)query_get_uuid(&q, 1, &ret->feed);
        ret->position = query_get_u64(&q, 2);
        (void)query_get_hash(&q, 3, &ret->hash);
    }
    return query_end(&q, e);
}

enum err_code store_feed_head(struct store *s, struct str location, struct feed_cursor *ret,
                              struct err *e)
{
    struct scope scope;
    int64_t number = 0;
    bool there = false;
    enum err_code code = find_feed(s, location, ret, &number, &there, e);
    if (code || there)
        return code;
    code = scope_enter(&scope, s, e);
    if (code)
        return code;
    code = scope_leave(&scope, feed_ensure(&s->db, location, e), e);
    return code ? code : find_feed(s, location, ret, &number, &there, e);
}

enum err_code store_feeds_renew(struct store *s, struct err *e)
{
    struct scope scope;
    int64_t number = 0;
    bool more = true;
    enum err_code code = scope_enter(&scope, s, e);
    if (code)
        return code;
    while (code == ERR_OK && more) {
        struct query q;
        struct uuid id = fresh_id();
        query_begin(&q, &s->db, Q_FEED_RENEW);
        query_uuid(&q, &id);
        query_int(&q, number);
        more = query_row(&q);
        if (more)
            number = query_get_int(&q, 0);
        code = query_end(&q, e);
    }
    return scope_leave(&scope, code, e);
}

struct stand { // of a cursor
    bool knows, lost;
    uint64_t head; // of the feed, as it was read
};

// False: that position is not remembered.
static enum err_code hash_at(struct store *s, int64_t number, struct feed_mark *at, bool *ret_there,
                             struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_FEED_AT);
    query_int(&q, number);
    query_u64(&q, at->position);
    *ret_there = query_row(&q) && query_get_hash(&q, 0, &at->hash);
    return query_end(&q, e);
}

// The cursor names the feed's hash there; or it stands amid a feed, and binds the head of then.
// Where that head is not remembered any more, nothing can be told.
static enum err_code stand_at(struct store *s, int64_t number, uint64_t last,
                              const struct feed_cursor *cursor, struct stand *ret, struct err *e)
{
    struct feed_mark at = {.position = cursor->position};
    struct feed_mark head = {.position = feed_mark_head(&cursor->hash)};
    bool there = false, bound = false;
    ret->head = head.position;
    enum err_code code = hash_at(s, number, &at, &there, e);
    if (code || !there)
        return code;
    ret->knows = hash_equal(&at.hash, &cursor->hash);
    if (ret->knows)
        ret->head = at.position;
    bool amid = !ret->knows && head.position > at.position && head.position <= last;
    if (amid)
        code = hash_at(s, number, &head, &bound, e);
    if (bound) {
        struct hash mark = feed_mark_of(&at, &head);
        ret->knows = hash_equal(&mark, &cursor->hash);
    }
    ret->lost = !ret->knows && (bound || !amid);
    return code;
}

static enum err_code stand_of(struct store *s, struct str location,
                              const struct feed_cursor *cursor, struct stand *ret, struct err *e)
{
    struct feed_cursor head;
    int64_t number = 0;
    bool there = false;
    *ret = (struct stand){.knows = false};
    enum err_code code = find_feed(s, location, &head, &number, &there, e);
    if (code || !there || !uuid_equal(&head.feed, &cursor->feed))
        return code;
    if (cursor->position == 0) {
        ret->knows = hash_is_zero(&cursor->hash);
        return ERR_OK;
    }
    ret->lost = cursor->position > head.position;
    return ret->lost ? ERR_OK : stand_at(s, number, head.position, cursor, ret, e);
}

enum err_code feed_head_of(struct store *s, struct str location, const struct feed_cursor *cursor,
                           uint64_t *ret, struct err *e)
{
    struct stand stand;
    enum err_code code = stand_of(s, location, cursor, &stand, e);
    *ret = stand.head;
    return code;
}

enum err_code store_feed_knows(struct store *s, struct str location,
                               const struct feed_cursor *cursor, bool *ret, struct err *e)
{
    struct stand stand;
    enum err_code code = stand_of(s, location, cursor, &stand, e);
    *ret = stand.knows;
    return code;
}

enum err_code store_feed_lost(struct store *s, struct str location,
                              const struct feed_cursor *cursor, bool *ret, struct err *e)
{
    struct stand stand;
    enum err_code code = stand_of(s, location, cursor, &stand, e);
    *ret = stand.lost;
    return code;
}

static enum err_code add_row(struct feed_page *page, size_t *room, struct query *q, struct arena *a)
{
    struct feed_row row = {.position = query_get_u64(q, 0)};
    (void)query_get_hash(q, 1, &row.hash);
    row.bytes = arena_copy(a, query_get_text(q, 2));
    struct feed_row *rows = rows_grow(a, page->rows, page->count, room, sizeof row);
    if (rows == NULL || row.bytes.p == NULL)
        return ERR_NO_MEMORY;
    page->rows = rows;
    rows[page->count++] = row;
    return ERR_OK;
}

enum err_code store_feed_read(struct store *s, struct str location, uint64_t after,
                              const struct store_page *page, struct feed_page *ret, struct err *e)
{
    struct query q;
    struct feed_page found = {.count = 0, .reached_head = true};
    int64_t number = 0;
    bool there = false;
    size_t room = 0, left = page->max_bytes;
    enum err_code code = find_feed(s, location, &found.head, &number, &there, e);
    if (code || !there)
        return code ? code : err_set(e, ERR_NOT_FOUND, "no feed for this location");
    query_begin(&q, &s->db, Q_FEED_READ);
    query_int(&q, number);
    query_u64(&q, after);
    while (code == ERR_OK && query_row(&q)) {
        size_t n = query_get_text(&q, 2).n;
        if (found.count > 0 && n > left) {
            found.reached_head = false;
            break;
        }
        left -= n < left ? n : left;
        code = add_row(&found, &room, &q, page->arena);
    }
    enum err_code end = query_end(&q, e);
    if (end == ERR_OK && code)
        end = err_set(e, code, "out of memory for a feed page");
    if (end == ERR_OK)
        *ret = found;
    return end;
}
