// SPDX-License-Identifier: Apache-2.0
//
// The records are emptied and folded afresh in one transaction. Feeds are made anew with fresh ids:
// what a device was told before may not be what the journal says.
#include "store/sqlite/refold.h"
#include "store/sqlite/rows.h"

#include <stdio.h>

static const char empty_records[] =
    "DELETE FROM tickets; DELETE FROM ticket_lines; DELETE FROM ticket_payments;"
    "DELETE FROM stock WHERE confirmed IS NULL OR generation = 0;"
    "UPDATE stock SET moves = 0, quantity = confirmed;"
    "DELETE FROM locations WHERE lsn IS NOT NULL; DELETE FROM devices WHERE lsn IS NOT NULL;"
    "DELETE FROM claims; DELETE FROM runs; DELETE FROM run_heads; DELETE FROM event_ids;"
    "DELETE FROM reviews WHERE open = 1"
    " AND kind IN ('ticket_conflict', 'id_conflict', 'fork', 'clone', 'revoked');"
    "DELETE FROM revocations; DELETE FROM revoked_heads; DELETE FROM withheld;"
    "DELETE FROM records; DELETE FROM record_events; DELETE FROM record_past;"
    "DELETE FROM judgements;"
    "DELETE FROM feed_rows; DELETE FROM feeds; DELETE FROM feed_readers;";

// Of the catalog the centre's rows follow from its journal; a device's came down the feed.
static const char empty_catalog[] =
    "DELETE FROM catalog_item_rows; DELETE FROM catalog_price_rows;"
    "DELETE FROM catalog_promotion_rows; DELETE FROM catalog_tax_rows;"
    "DELETE FROM catalog_versions; DELETE FROM catalog_changed;"
    "UPDATE catalog_state SET edition = 0, floor = 0, version = 0, hash = zeroblob(32), count = 0,"
    " next_edition = 1, next_floor = 0, next_version = 0, next_hash = zeroblob(32),"
    " next_count = 0, rows = 0, staged = 0, sum = zeroblob(2048)";

// The tables of folded records, as their reducers declare them.
static enum err_code empty_folded(struct db *db, struct err *e)
{
    char sql[96];
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < reducer_count; i++) {
        const struct row_table *const *tables = reducers[i]->tables;
        for (size_t t = 0; tables[t] != NULL && code == ERR_OK; t++) {
            (void)snprintf(sql, sizeof sql, "DELETE FROM %s", tables[t]->name);
            code = db_exec(db, sql, e);
        }
    }
    return code;
}

static enum err_code list_feeds(struct store *s, struct arena *a, struct str **ret,
                                size_t *ret_count, struct err *e)
{
    struct query q;
    size_t count = 0, room = 0;
    struct str *list = NULL;
    bool full = false;
    query_begin(&q, &s->db, Q_FEEDS_ALL);
    while (!full && query_row(&q)) {
        struct str *wider = rows_grow(a, list, count, &room, sizeof *list);
        struct str location = arena_copy(a, query_get_text(&q, 0));
        full = wider == NULL || location.p == NULL;
        if (!full) {
            list = wider;
            list[count++] = location;
        }
    }
    enum err_code code = query_end(&q, e);
    *ret = list;
    *ret_count = count;
    return code == ERR_OK && full ? err_set(e, ERR_NO_MEMORY, "out of memory for feeds") : code;
}

static enum err_code write_state(struct refold *r, int64_t lsn, uint8_t state, struct err *e)
{
    struct query q;
    query_begin(&q, &r->s->db, Q_EVENT_STATE_SET);
    query_int(&q, state);
    query_int(&q, lsn);
    enum err_code code = query_run(&q, e);
    if (code || state == ROW_DEAD)
        return code;
    query_begin(&q, &r->s->db, Q_DEAD_REMOVE);
    query_int(&q, lsn);
    return query_run(&q, e);
}

// Rows that the fold sets apart, or no longer does. A dead letter's reason is left to a retry.
static enum err_code write_states(struct refold *r, struct err *e)
{
    struct query q;
    enum err_code code = ERR_OK;
    size_t span = (size_t)(r->lsn_max - r->lsn_min) + 1;
    for (size_t i = 0; i < span && r->span > 0 && code == ERR_OK; i++) {
        bool apart = r->states[i] > ROW_PENDING;
        int64_t lsn = (int64_t)i + r->lsn_min;
        if (apart ? r->stored[i] == r->states[i]
                  : r->stored[i] <= ROW_PENDING || r->stored[i] == ROW_REVIEW)
            continue;
        query_begin(&q, &r->s->db, Q_NOTICE_FIND);
        query_int(&q, lsn);
        bool noted = query_row(&q);
        code = query_end(&q, e);
        if (code == ERR_OK && !noted)
            code = write_state(r, lsn, r->states[i], e);
    }
    return code;
}

static enum err_code write_dead(struct refold *r, struct err *e)
{
    return db_exec(&r->s->db,
                   "INSERT INTO dead (lsn, reason, since, given)"
                   " SELECT lsn, 'found by a rebuild', 0, 0 FROM events INDEXED BY events_apart"
                   " WHERE state > 2 AND state = 5 ON CONFLICT DO NOTHING",
                   e);
}

static enum err_code refresh_view(struct refold *r, struct err *e)
{
    struct delta_map overlay;
    delta_map_init(&overlay);
    enum err_code code = refold_overlay(r, &overlay, e);
    size_t count = overlay.count;
    struct delta **sorted = delta_map_sort(&overlay);
    if (code == ERR_OK)
        code = db_exec(&r->s->db, "UPDATE stock SET quantity = ifnull(confirmed, 0)", e);
    for (size_t i = 0; i < count && code == ERR_OK; i++)
        code =
            store_stock_refresh(r->s, sorted[i]->location, sorted[i]->sku, sorted[i]->quantity, e);
    delta_map_fini(&overlay);
    return code;
}

static enum err_code renew_feeds(struct store *s, struct arena *a, const struct str *old,
                                 size_t count, struct err *e)
{
    struct str *fresh = NULL;
    size_t fresh_count = 0;
    enum err_code code = list_feeds(s, a, &fresh, &fresh_count, e); // of devices just folded
    if (code == ERR_OK)
        code = db_exec(&s->db, "DELETE FROM feed_rows; DELETE FROM feeds", e);
    for (size_t i = 0; i < count && code == ERR_OK; i++)
        code = feed_ensure(&s->db, old[i], e);
    for (size_t i = 0; i < fresh_count && code == ERR_OK; i++)
        code = feed_ensure(&s->db, fresh[i], e);
    return code;
}

static enum err_code refold_all(struct refold *r, struct err *e)
{
    r->fold.store = r->s;
    r->fold.confirms = r->s->role != ROLE_CENTRAL;
    enum err_code code = refold_run(r, e);
    if (code == ERR_OK)
        code = write_states(r, e);
    if (code == ERR_OK)
        code = write_dead(r, e);
    if (code == ERR_OK)
        code = ids_flush(&r->fold.ids, r->lsn_max, e);
    ids_forget(&r->s->fold.ids);
    if (code == ERR_OK && r->fold.confirms)
        code = refresh_view(r, e);
    return code;
}

static enum err_code rebuild(struct store *s,
                             void (*progress)(void *context, uint64_t done, uint64_t total),
                             void *context, struct err *e)
{
    struct refold r = {.s = NULL};
    struct arena a;
    struct str *feeds = NULL;
    size_t count = 0;
    arena_init(&a, (size_t)64 * 1024 * 1024);
    enum err_code code = list_feeds(s, &a, &feeds, &count, e);
    if (code == ERR_OK)
        code = stream_cache_flush(&s->streams, e);
    if (code == ERR_OK)
        code = db_exec(&s->db, empty_records, e);
    if (code == ERR_OK)
        code = empty_folded(&s->db, e);
    if (code == ERR_OK && s->role == ROLE_CENTRAL)
        code = db_exec(&s->db, empty_catalog, e);
    if (code == ERR_OK)
        code = refold_init(&r, s, &s->db, NULL, e);
    r.progress = progress;
    r.context = context;
    if (code == ERR_OK)
        code = refold_all(&r, e);
    if (code == ERR_OK)
        code = renew_feeds(s, &a, feeds, count, e);
    if (r.s != NULL)
        refold_fini(&r);
    revoke_forget(&s->fold);
    arena_fini(&a);
    return code;
}

enum err_code store_rebuild(struct store *s,
                            void (*progress)(void *context, uint64_t done, uint64_t total),
                            void *context, struct err *e)
{
    struct scope scope;
    enum err_code code = scope_enter(&scope, s, e);
    return code ? code : scope_leave(&scope, rebuild(s, progress, context, e), e);
}
