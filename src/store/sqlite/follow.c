// SPDX-License-Identifier: Apache-2.0
//
// Downstream: what the feed from above says. A page that does not reach the feed's head is kept
// aside; the one that does shows all of them at once. Rows of a fresh copy carry the next
// generation; the page that completes the copy drops what still has an older one.
#include "base/clock.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/told.h"

#define FOLLOW_MAX_BYTES ((size_t)16 * 1024 * 1024)

struct follower {
    struct store *s;
    const struct feed_apply *frame;
    struct arena arena;
    int64_t generation;
};

// ---- one row
// -------------------------------------------------------------------------------------

static int64_t overlay_of(struct follower *f, struct str sku)
{
    return f->frame->overlay == NULL ? 0 : f->frame->overlay(f->frame->context, sku);
}

static int64_t wrapped_sum(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static enum err_code write_stock(struct follower *f, struct str sku, int64_t confirmed,
                                 struct err *e)
{
    struct query q;
    query_begin(&q, &f->s->db, Q_STOCK_FED);
    query_text(&q, f->frame->location);
    query_text(&q, sku);
    query_int(&q, wrapped_sum(confirmed, overlay_of(f, sku)));
    query_int(&q, confirmed);
    query_int(&q, f->generation);
    return query_run(&q, e);
}

static enum err_code apply_stock(struct follower *f, struct str sku, yyjson_val *row, struct err *e)
{
    int64_t confirmed = 0;
    enum err_code code = row == NULL ? ERR_OK : json_get_decimal(row, "quantity", &confirmed, e);
    return code ? code : write_stock(f, sku, confirmed, e);
}

static enum err_code apply_location(struct follower *f, struct str id, yyjson_val *row,
                                    struct err *e)
{
    struct query q;
    struct str name = STR(""), region = STR("");
    if (row == NULL) {
        query_begin(&q, &f->s->db, Q_LOCATION_DROP);
        query_text(&q, id);
        return query_run(&q, e);
    }
    enum err_code code = json_get_str(row, "name", &name, e);
    if (code == ERR_OK && json_find(row, "region") != NULL)
        code = json_get_str(row, "region", &region, e);
    if (code)
        return code;
    query_begin(&q, &f->s->db, Q_LOCATION_FED);
    query_text(&q, id);
    query_text(&q, name);
    query_text_or_null(&q, region);
    query_int(&q, f->generation);
    return query_run(&q, e);
}

static enum err_code apply_device(struct follower *f, struct str id_text, yyjson_val *row,
                                  struct err *e)
{
    struct query q;
    struct uuid id;
    static const uint8_t no_key[SIGN_PUBLIC_SIZE];
    struct str location = STR(""), role = STR("");
    if (uuid_parse(id_text, &id))
        return err_set(e, ERR_INVALID, "feed: a device's id is not a UUID");
    if (row == NULL) {
        query_begin(&q, &f->s->db, Q_DEVICE_DROP);
        query_uuid(&q, &id);
        return query_run(&q, e);
    }
    enum err_code code = json_get_str(row, "location", &location, e);
    if (code == ERR_OK)
        code = json_get_str(row, "role", &role, e);
    if (code)
        return code;
    query_begin(&q, &f->s->db, Q_DEVICE_FED);
    query_uuid(&q, &id);
    query_text(&q, location);
    query_text(&q, role);
    query_blob(&q, no_key, sizeof no_key);
    query_int(&q, yyjson_is_true(json_find(row, "revoked")));
    return query_run(&q, e);
}

// ---- notices
// -------------------------------------------------------------------------------------

static enum err_code state_of_notice(yyjson_val *row, enum row_state *ret, struct err *e)
{
    struct str status = STR("");
    enum err_code code = json_get_str(row, "status", &status, e);
    if (code)
        return code;
    *ret = str_is(status, "dead_letter") ? ROW_DEAD
           : str_is(status, "review")    ? ROW_REVIEW
                                         : ROW_CONFLICT;
    return ERR_OK;
}

static enum err_code write_state(struct follower *f, int64_t lsn, enum row_state state, bool noted,
                                 struct err *e)
{
    struct query q;
    query_begin(&q, &f->s->db, Q_EVENT_STATE_SET);
    query_int(&q, state);
    query_int(&q, lsn);
    enum err_code code = query_run(&q, e);
    if (code)
        return code;
    query_begin(&q, &f->s->db, noted ? Q_NOTICE_SET : Q_NOTICE_DROP);
    query_int(&q, lsn);
    if (noted)
        query_int(&q, state);
    return query_run(&q, e);
}

static enum err_code write_reason(struct follower *f, int64_t lsn, enum row_state state,
                                  yyjson_val *row, struct err *e)
{
    struct query q;
    struct str reason = STR("refused upstream");
    if (state != ROW_DEAD) {
        query_begin(&q, &f->s->db, Q_DEAD_REMOVE);
        query_int(&q, lsn);
        return query_run(&q, e);
    }
    if (json_find(row, "reason") != NULL && json_get_str(row, "reason", &reason, e))
        return ERR_INVALID;
    query_begin(&q, &f->s->db, Q_DEAD_ADD);
    query_int(&q, lsn);
    query_text(&q, reason);
    query_int(&q, clock_wall_ms());
    query_int(&q, 1);
    return query_run(&q, e);
}

static enum err_code apply_notice(struct follower *f, struct str id_text, yyjson_val *row,
                                  struct err *e)
{
    struct uuid id;
    struct ids_carriers carriers;
    enum row_state state = ROW_SETTLED;
    if (uuid_parse(id_text, &id))
        return err_set(e, ERR_INVALID, "feed: a notice's id is not a UUID");
    enum err_code code = row == NULL ? ERR_OK : state_of_notice(row, &state, e);
    if (code == ERR_OK)
        code = ids_find(&f->s->fold.ids, &id, &f->arena, &carriers, e);
    for (size_t i = 0; code == ERR_OK && i < carriers.count; i++) {
        int64_t lsn = carriers.lsns[i];
        if (row == NULL)
            code = fold_base(&f->s->fold, lsn, &state, e);
        if (code == ERR_OK)
            code = write_state(f, lsn, state, row != NULL, e);
        if (code == ERR_OK)
            code = write_reason(f, lsn, state, row, e);
    }
    return code;
}

static enum err_code apply_event(struct follower *f, struct str id_text, yyjson_val *row,
                                 struct err *e)
{
    struct uuid id;
    struct str bytes = STR("");
    if (uuid_parse(id_text, &id))
        return err_set(e, ERR_INVALID, "feed: an event's id is not a UUID");
    if (row == NULL)
        return told_drop(f->s, f->frame->location, &id, &f->arena, e);
    enum err_code code = json_get_str(row, "bytes", &bytes, e);
    return code ? code : told_put(f->s, bytes, f->generation, &f->arena, e);
}

// ---- frames
// --------------------------------------------------------------------------------------

static enum err_code apply_row(struct follower *f, struct str bytes, struct err *e)
{
    struct json json;
    struct str type = STR(""), id = STR("");
    enum err_code code = json_parse_in(&f->arena, bytes, LIMIT_EVENT_DEPTH, &json, e);
    if (code == ERR_OK)
        code = json_get_str(json.root, "type", &type, e);
    if (code == ERR_OK)
        code = json_get_str(json.root, "id", &id, e);
    if (code)
        return err_wrap(e, code, "feed row");
    yyjson_val *row = json_find(json.root, "row");
    if (yyjson_is_null(row))
        row = NULL;
    if (str_is(type, "stock"))
        return apply_stock(f, id, row, e);
    if (str_is(type, "location"))
        return apply_location(f, id, row, e);
    if (str_is(type, "device"))
        return apply_device(f, id, row, e);
    if (str_is(type, "notice"))
        return apply_notice(f, id, row, e);
    if (str_is(type, "event"))
        return apply_event(f, id, row, e);
    return ERR_OK; // a newer upstream may say more
}

// SKUs that a complete copy did not repeat: the upstream has no row, so nothing is confirmed.
static enum err_code stale_skus(struct follower *f, struct str **ret, size_t *ret_count,
                                struct err *e)
{
    struct query q;
    struct str *skus = NULL;
    size_t count = 0, room = 0;
    bool full = false;
    query_begin(&q, &f->s->db, Q_STOCK_STALE);
    query_text(&q, f->frame->location);
    query_int(&q, f->generation);
    while (!full && query_row(&q)) {
        struct str *wider = rows_grow(&f->arena, skus, count, &room, sizeof *skus);
        struct str sku = arena_copy(&f->arena, query_get_text(&q, 0));
        full = wider == NULL || sku.p == NULL;
        if (!full) {
            skus = wider;
            skus[count++] = sku;
        }
    }
    enum err_code code = query_end(&q, e);
    *ret = skus;
    *ret_count = count;
    return code == ERR_OK && full ? err_set(e, ERR_NO_MEMORY, "out of memory for stock") : code;
}

static enum err_code drop_stale(struct follower *f, struct err *e)
{
    struct query q;
    struct str *skus = NULL;
    size_t count = 0;
    if (str_is(f->frame->location, "*")) {
        query_begin(&q, &f->s->db, Q_LOCATIONS_STALE);
        query_int(&q, f->generation);
        return query_run(&q, e);
    }
    enum err_code code = stale_skus(f, &skus, &count, e);
    for (size_t i = 0; i < count && code == ERR_OK; i++)
        code = write_stock(f, skus[i], 0, e);
    return code ? code : told_drop_stale(f->s, f->frame->location, f->generation, &f->arena, e);
}

struct cursor_row {
    struct feed_cursor cursor;
    int64_t generation;
    bool fresh;
    bool there;
};

static enum err_code read_cursor(struct store *s, struct str location, struct cursor_row *ret,
                                 struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_CURSOR_FIND);
    query_text(&q, location);
    *ret = (struct cursor_row){.there = query_row(&q)};
    if (ret->there) {
        (void)query_get_uuid(&q, 0, &ret->cursor.feed);
        ret->cursor.position = query_get_u64(&q, 1);
        (void)query_get_hash(&q, 2, &ret->cursor.hash);
        ret->generation = query_get_int(&q, 3);
        ret->fresh = query_get_int(&q, 4) != 0;
    }
    return query_end(&q, e);
}

static enum err_code write_cursor(struct follower *f, bool fresh, struct err *e)
{
    struct query q;
    query_begin(&q, &f->s->db, Q_CURSOR_SET);
    query_text(&q, f->frame->location);
    query_uuid(&q, &f->frame->to.feed);
    query_u64(&q, f->frame->to.position);
    query_hash(&q, &f->frame->to.hash);
    query_int(&q, f->generation);
    query_int(&q, fresh);
    return query_run(&q, e);
}

static enum err_code stage_rows(struct follower *f, struct err *e)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < f->frame->count && code == ERR_OK; i++) {
        struct query q;
        query_begin(&q, &f->s->db, Q_STAGE);
        query_text(&q, f->frame->location);
        query_text(&q, f->frame->rows[i]);
        code = query_run(&q, e);
    }
    return code;
}

static enum err_code drop_staged(struct follower *f, struct err *e)
{
    struct query q;
    query_begin(&q, &f->s->db, Q_STAGED_DROP);
    query_text(&q, f->frame->location);
    return query_run(&q, e);
}

static enum err_code show_staged(struct follower *f, struct err *e)
{
    int64_t number = 0;
    bool more = true;
    enum err_code code = ERR_OK;
    while (more && code == ERR_OK) {
        struct query q;
        struct str bytes = STR("");
        arena_reset(&f->arena);
        query_begin(&q, &f->s->db, Q_STAGED_NEXT);
        query_int(&q, number);
        query_text(&q, f->frame->location);
        more = query_row(&q);
        if (more) {
            number = query_get_int(&q, 0);
            bytes = arena_copy(&f->arena, query_get_text(&q, 1));
        }
        code = query_end(&q, e);
        if (more && code == ERR_OK)
            code = bytes.p ? apply_row(f, bytes, e) : ERR_NO_MEMORY;
    }
    return code || number == 0 ? code : drop_staged(f, e);
}

static enum err_code show_rows(struct follower *f, struct err *e)
{
    enum err_code code = show_staged(f, e);
    for (size_t i = 0; i < f->frame->count && code == ERR_OK; i++) {
        arena_reset(&f->arena);
        code = apply_row(f, f->frame->rows[i], e);
    }
    return code;
}

// The chain-wide feed holds nothing that own events could change: its rows need not wait.
static enum err_code apply_frame(struct follower *f, struct err *e)
{
    struct cursor_row row;
    enum err_code code = read_cursor(f->s, f->frame->location, &row, e);
    bool fresh = row.fresh || f->frame->reset || !row.there;
    f->generation = row.generation;
    if (code == ERR_OK && (f->frame->reset || !row.there)) {
        f->generation++;
        code = drop_staged(f, e);
    }
    bool show = f->frame->complete || str_is(f->frame->location, "*");
    if (code == ERR_OK)
        code = show ? show_rows(f, e) : stage_rows(f, e);
    if (code == ERR_OK && fresh && f->frame->complete)
        code = drop_stale(f, e);
    return code ? code : write_cursor(f, fresh && !f->frame->complete, e);
}

enum err_code store_feed_apply(struct store *s, const struct feed_apply *frame, struct err *e)
{
    struct scope scope;
    struct follower f = {.s = s, .frame = frame};
    enum err_code code = scope_enter(&scope, s, e);
    if (code)
        return code;
    arena_init(&f.arena, FOLLOW_MAX_BYTES);
    code = fold_flush(&s->fold, e); // own events before the page are in its sums already
    if (code == ERR_OK)
        code = apply_frame(&f, e);
    arena_fini(&f.arena);
    return scope_leave(&scope, code, e);
}

enum err_code store_feed_cursor(struct store *s, struct str location, struct feed_cursor *ret)
{
    struct cursor_row row;
    enum err_code code = read_cursor(s, location, &row, NULL);
    if (code || !row.there)
        return code ? code : ERR_NOT_FOUND;
    *ret = row.cursor;
    return ERR_OK;
}

enum err_code store_include_set(struct store *s, const struct feed_include *include, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_INCLUDE_SET);
    query_uuid(&q, &include->key.origin);
    query_int(&q, include->key.lane);
    query_u64(&q, include->seq);
    return query_run(&q, e);
}

enum err_code store_include_get(struct store *s, const struct stream_key *key, uint64_t *ret_seq,
                                struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_INCLUDE_GET);
    query_uuid(&q, &key->origin);
    query_int(&q, key->lane);
    *ret_seq = query_row(&q) ? query_get_u64(&q, 0) : 0;
    return query_end(&q, e);
}

enum err_code store_stock_refresh(struct store *s, struct str location, struct str sku,
                                  int64_t overlay, struct err *e)
{
    struct query q;
    enum err_code code = fold_flush(&s->fold, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_STOCK_REFRESH);
    query_text(&q, location);
    query_text(&q, sku);
    query_int(&q, overlay);
    return query_run(&q, e);
}
