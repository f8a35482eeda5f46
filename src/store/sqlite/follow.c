// SPDX-License-Identifier: Apache-2.0
//
// Downstream: what the feed from above says. A page that does not reach the feed's head is kept
// aside; the one that does shows all of them at once. Rows of a fresh copy carry the next
// generation; the page that completes the copy drops what still has an older one.
#include "store/sqlite/catalog_follow.h"
#include "store/sqlite/include.h"
#include "store/sqlite/notice.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/told.h"

#define FOLLOW_MAX_BYTES ((size_t)16 * 1024 * 1024)

struct follower {
    struct store *s;
    const struct feed_apply *frame;
    struct arena arena; // of the row at hand
    struct arena lists; // of the frame
    struct notices notices;
    struct catalog_follow catalog;
    struct told_doubts doubts;
    bool only_notices; // they are shown before all else
    int64_t generation;
};

// ---- one row ----------------------------------------------------------------------------------

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
    uint8_t key[SIGN_PUBLIC_SIZE] = {0};
    struct str location = STR(""), role = STR(""), hex = STR("");
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
    if (code == ERR_OK && json_find(row, "key") != NULL)
        code = json_get_str(row, "key", &hex, e);
    if (code)
        return code;
    if (hex.n != 0 && str_from_hex(hex, key, sizeof key))
        return err_set(e, ERR_INVALID, "feed: a device's key is not 64 hexadecimal digits");
    query_begin(&q, &f->s->db, Q_DEVICE_FED);
    query_uuid(&q, &id);
    query_text(&q, location);
    query_text(&q, role);
    query_blob(&q, key, sizeof key);
    query_int(&q, yyjson_is_true(json_find(row, "revoked")));
    return query_run(&q, e);
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
    struct told_page page = {f->frame->location, f->generation, &f->doubts};
    return code ? code : told_put(f->s, &page, bytes, &f->arena, e);
}

// Rows of the whole chain.
static enum err_code apply_chain_wide(struct follower *f, struct str type, struct str id,
                                      yyjson_val *row, struct str bytes, struct err *e)
{
    const struct catalog_kind *kind = catalog_kind_find(type);
    if (kind != NULL)
        return catalog_follow_row(&f->catalog, &(struct catalog_place){kind, id}, bytes, row,
                                  &f->arena, e);
    if (str_is(type, CATALOG_VERSION_TYPE))
        return catalog_follow_version(&f->catalog, row, e);
    return ERR_OK; // a newer upstream may say more
}

// ---- frames -----------------------------------------------------------------------------------

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
    bool carrier = str_is(type, FEED_CARRIER);
    if ((carrier || str_is(type, "notice")) != f->only_notices)
        return ERR_OK;
    if (carrier)
        return notices_apply_carrier(&f->notices, id, row != NULL, e);
    if (f->only_notices)
        return notices_apply(&f->notices, id, row, &f->arena, e);
    if (str_is(type, "stock"))
        return apply_stock(f, id, row, e);
    if (str_is(type, "location"))
        return apply_location(f, id, row, e);
    if (str_is(type, "device"))
        return apply_device(f, id, row, e);
    if (str_is(type, "event"))
        return apply_event(f, id, row, e);
    return str_is(f->frame->location, FEED_CHAIN) ? apply_chain_wide(f, type, id, row, bytes, e)
                                                  : ERR_OK; // a newer upstream may say more
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

// Of the whole chain: nothing that own events could change.
static bool is_chain_wide(const struct follower *f)
{
    return str_starts(f->frame->location, STR(FEED_CHAIN));
}

static enum err_code drop_stale(struct follower *f, struct err *e)
{
    struct query q;
    struct str *skus = NULL;
    size_t count = 0;
    enum err_code code = ERR_OK;
    if (str_is(f->frame->location, FEED_CHAIN)) {
        query_begin(&q, &f->s->db, Q_LOCATIONS_STALE);
        query_int(&q, f->generation);
        code = query_run(&q, e);
    }
    if (code == ERR_OK && !is_chain_wide(f))
        code = stale_skus(f, &skus, &count, e);
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

static enum err_code write_cursor(struct follower *f, const struct feed_cursor *to, bool fresh,
                                  struct err *e)
{
    struct query q;
    query_begin(&q, &f->s->db, Q_CURSOR_SET);
    query_text(&q, f->frame->location);
    query_uuid(&q, &to->feed);
    query_u64(&q, to->position);
    query_hash(&q, &to->hash);
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
    return code;
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

static enum err_code show_all(struct follower *f, struct err *e)
{
    struct told_page page = {f->frame->location, f->generation, &f->doubts};
    enum err_code code = show_rows(f, e);
    return code || !f->frame->complete ? code : told_drop_doubted(f->s, &page, &f->arena, e);
}

// What the page says of own events comes first: sums of stock are written with the overlay that
// follows from it.
static enum err_code show_own(struct follower *f, bool fresh, struct err *e)
{
    struct feed_shown shown = {.moved = NULL};
    f->only_notices = true;
    enum err_code code = show_rows(f, e);
    f->only_notices = false;
    if (code == ERR_OK && fresh)
        code = notices_drop_stale(&f->notices, &f->lists, e);
    if (code == ERR_OK)
        code = include_show(&f->s->db, &f->lists, &shown.moved, &shown.moved_count, e);
    shown.told = f->notices.told;
    shown.told_count = f->notices.count;
    if (code == ERR_OK && f->frame->shown != NULL)
        code = f->frame->shown(f->frame->context, &shown, e);
    return code;
}

static enum err_code tell_includes(struct follower *f, struct err *e)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < f->frame->include_count && code == ERR_OK; i++)
        code = include_tell(&f->s->db, &f->frame->includes[i], e);
    return code;
}

// A copy begins from the first row.
static enum err_code begin_copy(struct follower *f, bool chain_wide, struct err *e)
{
    f->generation++;
    enum err_code code = drop_staged(f, e);
    if (code == ERR_OK && str_is(f->frame->location, FEED_CHAIN))
        code = catalog_follow_reset(&f->catalog, e);
    return code || chain_wide ? code : include_forget(&f->s->db, e);
}

// Events that are written from here on say that their author had seen so much.
static enum err_code tell_shown(struct follower *f, struct err *e)
{
    struct query q;
    query_begin(&q, &f->s->db, Q_CURSOR_SHOW);
    query_text(&q, f->frame->location);
    return query_run(&q, e);
}

// Where the feed goes on. Of a page that is taken in pieces, only the last one moves the cursor; a
// catalog that is not what it should be gives it up.
static enum err_code move_cursor(struct follower *f, bool begun, bool fresh, enum feed_catalog what,
                                 struct err *e)
{
    struct feed_cursor start = {.feed = f->frame->to.feed}, none = {.position = 0};
    if (what == FEED_CATALOG_AFRESH)
        return write_cursor(f, &none, true, e);
    if (f->frame->partial)
        return begun ? write_cursor(f, &start, true, e) : ERR_OK;
    enum err_code code = write_cursor(f, &f->frame->to, fresh && !f->frame->complete, e);
    return code == ERR_OK && f->frame->complete ? tell_shown(f, e) : code;
}

static enum err_code show_catalog(struct follower *f, bool fresh, enum feed_catalog *ret,
                                  struct err *e)
{
    enum err_code code = catalog_follow_complete(&f->catalog, fresh, ret, e);
    if (f->frame->ret_catalog != NULL)
        *f->frame->ret_catalog = *ret;
    return code;
}

// What is of the whole chain need not wait for the rest of the page; but a version of the catalog
// is shown whole.
static enum err_code apply_frame(struct follower *f, struct err *e)
{
    struct cursor_row row;
    enum feed_catalog catalog = FEED_CATALOG_SAME;
    bool chain_wide = is_chain_wide(f), complete = f->frame->complete;
    enum err_code code = read_cursor(f->s, f->frame->location, &row, e);
    bool begun = f->frame->reset || !row.there, fresh = row.fresh || begun;
    f->generation = row.generation;
    if (code == ERR_OK && begun)
        code = begin_copy(f, chain_wide, e);
    f->notices.generation = f->generation;
    if (code == ERR_OK)
        code = tell_includes(f, e);
    if (code == ERR_OK && complete && !chain_wide)
        code = show_own(f, fresh, e);
    if (code == ERR_OK)
        code = complete || chain_wide ? show_all(f, e) : stage_rows(f, e);
    if (code == ERR_OK && complete && str_is(f->frame->location, FEED_CHAIN))
        code = show_catalog(f, fresh, &catalog, e);
    if (code == ERR_OK && complete)
        code = drop_staged(f, e);
    if (code == ERR_OK && fresh && complete)
        code = drop_stale(f, e);
    if (code == ERR_OK)
        code = catalog_follow_end(&f->catalog, e);
    return code ? code : move_cursor(f, begun, fresh, catalog, e);
}

enum err_code store_feed_apply(struct store *s, const struct feed_apply *frame, struct err *e)
{
    struct scope scope;
    struct follower f = {.s = s,
                         .frame = frame,
                         .notices = {.s = s},
                         .catalog = {.rows = &s->fold.catalog, .db = &s->db}};
    enum err_code code = scope_enter(&scope, s, e);
    if (code)
        return code;
    MUST(!s->passing || (!frame->complete && is_chain_wide(&f))); // else it is shown
    arena_init(&f.arena, FOLLOW_MAX_BYTES);
    arena_init(&f.lists, FOLLOW_MAX_BYTES);
    f.doubts.arena = &f.lists;
    code = fold_flush(&s->fold, e); // own events before the page are in its sums already
    if (code == ERR_OK)
        code = apply_frame(&f, e);
    notices_fini(&f.notices);
    arena_fini(&f.arena);
    arena_fini(&f.lists);
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

enum err_code store_overlay_each(struct store *s, struct str location,
                                 enum err_code (*each)(void *context, struct str sku, int64_t sum),
                                 void *context, struct err *e)
{
    struct query q;
    enum err_code code = ERR_OK;
    query_begin(&q, &s->db, Q_OVERLAY_SUMS);
    query_text(&q, location);
    while (code == ERR_OK && query_row(&q))
        code = each(context, query_get_text(&q, 0),
                    (int64_t)((uint64_t)query_get_int(&q, 1) - (uint64_t)query_get_int(&q, 2)));
    enum err_code end = query_end(&q, code ? NULL : e);
    return code ? err_set(e, code, "the overlay") : end;
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
