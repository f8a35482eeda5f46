// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/feed_trim.h"

#include "base/json.h"
#include "model/feed_reader.h"
#include "store/sqlite/feed.h"
#include "store/sqlite/prune_records.h"
#include "store/sqlite/text.h"

enum { ROWS_MAX = 64, ROW_DEPTH = 3 };

// Where the live row of an event is; 0: it has none.
static enum err_code find_row(struct db *db, int64_t feed, const struct uuid *id, uint64_t *ret,
                              struct err *e)
{
    struct query q;
    char text[UUID_TEXT_SIZE];
    uuid_format(id, text);
    query_begin(&q, db, Q_FEED_LIVE);
    query_int(&q, feed);
    query_text(&q, STR("event"));
    query_text(&q, str_of(text));
    *ret = query_row(&q) ? query_get_u64(&q, 0) : 0;
    return query_end(&q, e);
}

// ---- who has read what ------------------------------------------------------------------------

static enum err_code find_feed(struct db *db, struct str location, int64_t *ret_number,
                               uint64_t *ret_trimmed, struct err *e)
{
    struct query q;
    *ret_number = 0;
    *ret_trimmed = 0;
    query_begin(&q, db, Q_FEED_TRIMMED);
    query_text(&q, location);
    if (query_row(&q)) {
        *ret_number = query_get_int(&q, 0);
        *ret_trimmed = query_get_u64(&q, 1);
    }
    return query_end(&q, e);
}

static enum err_code find_reader(struct db *db, const struct uuid *device, int64_t feed,
                                 struct feed_reader *ret, struct err *e)
{
    struct query q;
    *ret = (struct feed_reader){.copied = FEED_READER_WHOLE};
    query_begin(&q, db, Q_READER_FIND);
    query_uuid(&q, device);
    query_int(&q, feed);
    if (query_row(&q)) {
        ret->position = query_get_u64(&q, 0);
        ret->copied = query_is_null(&q, 1) ? FEED_READER_WHOLE : query_get_int(&q, 1);
    }
    return query_end(&q, e);
}

static enum err_code put_reader(struct db *db, const struct uuid *device, int64_t feed,
                                const struct feed_reader *r, struct err *e)
{
    struct query q;
    query_begin(&q, db, Q_READER_PUT);
    query_uuid(&q, device);
    query_int(&q, feed);
    query_u64(&q, r->position);
    if (r->copied >= 0)
        query_int(&q, r->copied);
    else
        query_null(&q);
    return query_run(&q, e);
}

enum err_code store_feed_heard(struct store *s, struct str location, const struct uuid *device,
                               const struct feed_cursor *cursor, bool *known, struct err *e)
{
    struct feed_reader reader;
    struct feed_heard says = {.position = cursor->position, .known = *known};
    int64_t feed = 0;
    uint64_t trimmed = 0;
    enum err_code code = find_feed(&s->db, location, &feed, &trimmed, e);
    if (code == ERR_OK)
        code = find_reader(&s->db, device, feed, &reader, e);
    if (code == ERR_OK)
        code = feed_head_of(s, location, cursor, &says.head, e);
    if (code || feed == 0)
        return code;
    *known = feed_reader_heard(&reader, trimmed, &says);
    return put_reader(&s->db, device, feed, &reader, e);
}

// ---- what may go ------------------------------------------------------------------------------

struct trim {
    struct store *s;
    int64_t before_ms;
    struct store_trim *at;
    struct arena arena; // of a row
    uint64_t limit;     // rows up to here may go
    uint64_t trimmed;   // up to where some went
    size_t dropped;
};

// The feed that *at is in, or the next one; at->feed 0: there is none any more.
static enum err_code turn_to_feed(struct trim *t, struct err *e)
{
    struct query q;
    uint64_t head = 0;
    query_begin(&q, &t->s->db, Q_TRIM_FEED);
    query_int(&q, t->at->feed);
    int64_t number = query_row(&q) ? query_get_int(&q, 0) : 0;
    if (number != 0)
        head = query_get_u64(&q, 1);
    enum err_code code = query_end(&q, e);
    if (number != t->at->feed)
        *t->at = (struct store_trim){number, 0};
    if (code || number == 0)
        return code;
    uint64_t least = 0;
    query_begin(&q, &t->s->db, Q_READERS_LEAST); // who was away for long takes a copy
    query_int(&q, number);
    query_int(&q, t->before_ms);
    bool any = query_row(&q) && !query_is_null(&q, 0);
    if (any)
        least = query_get_u64(&q, 0);
    t->limit = feed_reader_limit(head, FEED_MEMORY, any ? &least : NULL);
    return query_end(&q, e);
}

// The event of a row; false where it cannot be read, or is gone.
static bool read_event(struct trim *t, struct str row, struct event *ret)
{
    struct json json = {0};
    struct str bytes = STR("");
    return json_parse_in(&t->arena, row, ROW_DEPTH, &json, NULL) == ERR_OK &&
           json_get_str(json_find(json.root, "row"), "bytes", &bytes, NULL) == ERR_OK &&
           event_parse(bytes, &t->arena, ret, NULL) == ERR_OK;
}

static enum err_code find_record(struct trim *t, const struct record_name *name, int64_t *ret,
                                 struct err *e)
{
    struct query q;
    query_begin(&q, &t->s->db, Q_RECORD_FIND);
    query_text(&q, name->location);
    query_text(&q, name->type);
    query_text(&q, name->id);
    *ret = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_end(&q, e);
}

static enum err_code is_young(struct trim *t, int64_t record, bool *ret, struct err *e)
{
    struct query q;
    query_begin(&q, &t->s->db, Q_TRIM_YOUNG);
    query_int(&q, record);
    query_int(&q, t->before_ms);
    *ret = query_row(&q);
    return query_end(&q, e);
}

static enum err_code drop_row(struct trim *t, uint64_t position, struct err *e)
{
    struct query q;
    query_begin(&q, &t->s->db, Q_FEED_DROP);
    query_int(&q, t->at->feed);
    query_u64(&q, position);
    t->dropped++;
    return query_run(&q, e);
}

// The last row of the record; with 'drop', they go.
static enum err_code walk_rows(struct trim *t, int64_t record, bool drop, uint64_t *ret_last,
                               struct err *e)
{
    struct query q;
    enum err_code code = ERR_OK;
    *ret_last = 0;
    query_begin(&q, &t->s->db, Q_TRIM_EVENTS);
    query_int(&q, record);
    while (code == ERR_OK && query_row(&q)) {
        struct uuid id;
        uint64_t position = 0;
        (void)query_get_uuid(&q, 0, &id);
        code = find_row(&t->s->db, t->at->feed, &id, &position, e);
        *ret_last = position > *ret_last ? position : *ret_last;
        if (code || !drop || position == 0)
            continue;
        code = drop_row(t, position, e);
    }
    enum err_code end = query_end(&q, code ? NULL : e);
    return code ? code : end;
}

static enum err_code is_past(struct trim *t, const struct event *event, int64_t lsn, bool *ret,
                             struct err *e)
{
    struct query q;
    query_begin(&q, &t->s->db, Q_RECORD_PAST_OLD);
    query_text(&q, event->location);
    query_text(&q, event->record_type);
    query_text(&q, event->record_id);
    query_int(&q, lsn);
    query_int(&q, t->before_ms);
    *ret = query_row(&q);
    return query_end(&q, e);
}

// Of a long record a row goes by itself, when nobody reads its event any more.
static enum err_code look_at_one(struct trim *t, const struct event *event, bool *ret_gone,
                                 struct err *e)
{
    struct ids_carriers carriers;
    enum err_code code = ids_find(&t->s->fold.ids, &event->id, &t->arena, &carriers, e);
    *ret_gone = false;
    for (size_t i = 0; i < carriers.count && !*ret_gone && code == ERR_OK; i++)
        code = is_past(t, event, carriers.lsns[i], ret_gone, e);
    if (code || !*ret_gone)
        return code;
    t->trimmed = t->at->position;
    return drop_row(t, t->at->position, e);
}

static enum err_code look_at_record(struct trim *t, const struct record_name *name, struct err *e)
{
    bool stays = true;
    int64_t record = 0;
    uint64_t last = 0;
    enum err_code code = prune_records_open(t->s, name, &stays, e);
    if (code == ERR_OK && !stays)
        code = find_record(t, name, &record, e);
    if (code || stays || record == 0)
        return code;
    code = is_young(t, record, &stays, e);
    if (code == ERR_OK && !stays)
        code = walk_rows(t, record, false, &last, e);
    if (code || stays || last > t->limit)
        return code;
    t->trimmed = last > t->trimmed ? last : t->trimmed;
    return walk_rows(t, record, true, &last, e);
}

static enum err_code look_at(struct trim *t, const struct event *event, struct err *e)
{
    struct record_name name = {event->location, event->record_type, event->record_id};
    bool gone = false;
    enum err_code code = look_at_one(t, event, &gone, e);
    return code || gone ? code : look_at_record(t, &name, e);
}

static enum err_code next_row(struct trim *t, struct str *ret, bool *ret_there, struct err *e)
{
    struct query q;
    arena_reset(&t->arena);
    query_begin(&q, &t->s->db, Q_TRIM_ROW);
    query_int(&q, t->at->feed);
    query_u64(&q, t->at->position);
    query_u64(&q, t->limit);
    *ret_there = query_row(&q);
    if (*ret_there) {
        t->at->position = query_get_u64(&q, 0);
        *ret = arena_copy(&t->arena, query_get_text(&q, 1));
    }
    enum err_code code = query_end(&q, e);
    bool failed = code == ERR_OK && *ret_there && ret->p == NULL;
    return failed ? err_set(e, ERR_NO_MEMORY, "out of memory for a feed row") : code;
}

static enum err_code trim_feed(struct trim *t, struct err *e)
{
    struct query q;
    bool there = true;
    enum err_code code = ERR_OK;
    for (int i = 0; i < ROWS_MAX && there && code == ERR_OK; i++) {
        struct str row = STR("");
        struct event event;
        code = next_row(t, &row, &there, e);
        if (code == ERR_OK && there && read_event(t, row, &event))
            code = look_at(t, &event, e);
    }
    if (code == ERR_OK && t->trimmed > 0) {
        query_begin(&q, &t->s->db, Q_FEED_TRIMMED_SET);
        query_u64(&q, t->trimmed);
        query_int(&q, t->at->feed);
        code = query_run(&q, e);
    }
    if (!there)
        *t->at = (struct store_trim){t->at->feed + 1, 0};
    return code;
}

enum err_code store_feed_trim(struct store *s, int64_t before_ms, struct store_trim *at,
                              size_t *ret_dropped, struct err *e)
{
    struct scope scope;
    struct trim t = {.s = s, .before_ms = before_ms, .at = at};
    enum err_code code = scope_enter(&scope, s, e);
    if (code)
        return code;
    arena_init(&t.arena, (size_t)4 * LIMIT_EVENT_BYTES);
    code = records_flush(&s->fold.records, e); // for what is over is read there
    if (code == ERR_OK)
        code = turn_to_feed(&t, e);
    if (code == ERR_OK && at->feed != 0)
        code = trim_feed(&t, e);
    arena_fini(&t.arena);
    *ret_dropped = t.dropped;
    return scope_leave(&scope, code, e);
}

// ---- again ------------------------------------------------------------------------------------

static enum err_code queue(struct fold *f, struct query *q, struct str location, struct err *e)
{
    struct uuid id;
    char text[UUID_TEXT_SIZE];
    (void)query_get_uuid(q, 0, &id);
    uuid_format(&id, text);
    struct str bytes = text_get(q, 0, &f->effects);
    struct feed_change change = {location, STR("event"), str_of(text), STR("")};
    enum err_code code =
        bytes.p == NULL ? ERR_NO_MEMORY : feed_row_event(&f->effects, bytes, &change.row);
    if (code == ERR_OK)
        code = feed_queue_add(&f->changes, &change);
    return code ? err_set(e, code, "out of memory for feeds") : ERR_OK;
}

// Not written yet: most often it was the last one.
static bool is_queued(const struct feed_queue *queue, struct str location, const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(id, text);
    for (size_t i = queue->count; i > 0; i--) {
        const struct feed_change *change = &queue->items[i - 1];
        if (str_is(change->id, text) && str_is(change->type, "event") &&
            str_equal(change->location, location))
            return true;
    }
    return false;
}

// The event before this one says of all whether they are in the feed: of a record that is over all
// went, of a long one those that came first.
static enum err_code is_told(struct fold *f, const struct event *event, int64_t lsn, int64_t feed,
                             bool *ret, struct err *e)
{
    struct query q;
    struct uuid id;
    uint64_t position = 0;
    query_begin(&q, f->tables, Q_TRIM_LAST);
    query_text(&q, event->location);
    query_text(&q, event->record_type);
    query_text(&q, event->record_id);
    query_int(&q, lsn);
    bool first = !query_row(&q);
    if (!first)
        (void)query_get_uuid(&q, 0, &id);
    enum err_code code = query_end(&q, e);
    if (code == ERR_OK && !first)
        code = find_row(f->tables, feed, &id, &position, e);
    *ret = first || position > 0 || is_queued(&f->changes, event->location, &id);
    return code;
}

enum err_code feed_trim_tell_again(struct fold *f, const struct event *event, int64_t lsn,
                                   struct err *e)
{
    struct query q;
    int64_t feed = 0;
    uint64_t trimmed = 0;
    bool told = true;
    enum err_code code = find_feed(f->tables, event->location, &feed, &trimmed, e);
    if (code == ERR_OK && trimmed > 0)
        code = is_told(f, event, lsn, feed, &told, e);
    if (code || told)
        return code;
    query_begin(&q, f->tables, Q_TRIM_TOLD);
    query_text(&q, event->location);
    query_text(&q, event->record_type);
    query_text(&q, event->record_id);
    query_int(&q, lsn);
    while (code == ERR_OK && query_row(&q))
        code = queue(f, &q, event->location, e);
    enum err_code end = query_end(&q, code ? NULL : e);
    return code ? code : end;
}
