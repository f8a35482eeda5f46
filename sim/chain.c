// SPDX-License-Identifier: Apache-2.0
#include "sim/chain.h"

#include "base/decimal.h"
#include "model/catalog.h"
#include "sim/feed.h"

#include <inttypes.h>
#include <string.h>

enum { ROW_MAX = 4096, CHANGES_MAX = 4, VERSION_ROW = 2 * MAX_SKUS };

static struct centre_feed *feed_of(struct world *w, int feed)
{
    return &w->centre.feeds[MAX_PLACES + feed];
}

void chain_put_setting(struct world *w)
{
    struct buf text;
    buf_init(&text, ROW_MAX);
    int record = (int)rng_below(&w->rng, MAX_SKUS);
    MUST(buf_append_format(&text,
                           "{\"type\":\"setting\",\"id\":\"s%d\",\"row\":{\"at\":%" PRId64 "}}",
                           record, w->now) == ERR_OK);
    feed_put(w, feed_of(w, (int)rng_below(&w->rng, 2)), record, world_copy(w, buf_str(&text)));
    buf_fini(&text);
}

// ---- publishing -------------------------------------------------------------------------------

static void write_item(struct world *w, int sku, int64_t price, struct buf *to)
{
    const struct catalog_kind *kind = &catalog_kinds[CATALOG_ITEM];
    struct row_list list;
    row_list_init(&list, &w->scratch);
    struct row *row = row_list_add(&list, kind->table);
    MUST(row != NULL);
    row_set_text(row, 0, str_of(world_sku(sku)));
    row_set_number(row, catalog_column(kind, "price"), price);
    row_set_text(row, catalog_column(kind, "currency"), STR("LBP"));
    row_set_number(row, catalog_column(kind, "places"), 0);
    MUST(catalog_row_encode(kind, row, to) == ERR_OK);
}

static void tell_item(struct world *w, int sku)
{
    struct buf text;
    buf_init(&text, ROW_MAX);
    int64_t price = w->centre.catalog.price[sku];
    if (price)
        write_item(w, sku, price, &text);
    else
        MUST(buf_append_format(&text, "{\"type\":\"item\",\"id\":\"%s\",\"row\":null}",
                               world_sku(sku)) == ERR_OK);
    feed_put(w, feed_of(w, 0), MAX_SKUS + sku, world_copy(w, buf_str(&text)));
    buf_fini(&text);
}

static void tell_version(struct world *w, const struct catalog *c)
{
    struct buf text;
    struct catalog_version version = {.number = c->number, .hash = c->hash, .count = c->count};
    buf_init(&text, ROW_MAX);
    MUST(buf_append_str(&text, STR("{\"type\":\"" CATALOG_VERSION_TYPE
                                   "\",\"id\":\"" CATALOG_VERSION_ID "\",\"row\":")) == ERR_OK);
    MUST(catalog_version_write(&version, &text) == ERR_OK);
    MUST(buf_append_str(&text, STR("}")) == ERR_OK);
    feed_put(w, feed_of(w, 0), VERSION_ROW, world_copy(w, buf_str(&text)));
    buf_fini(&text);
}

static void hash_catalog(struct world *w, struct catalog *c)
{
    struct set_hash *set = arena_alloc_zero(&w->scratch, sizeof(*set));
    struct buf text;
    MUST(set != NULL);
    buf_init(&text, ROW_MAX);
    c->count = 0;
    for (int sku = 0; sku < MAX_SKUS; sku++) {
        if (c->price[sku] == 0)
            continue;
        buf_reset(&text);
        write_item(w, sku, c->price[sku], &text);
        set_hash_add(set, buf_str(&text));
        c->count++;
    }
    c->hash = set_hash_digest(set);
    buf_fini(&text);
}

void chain_publish(struct world *w)
{
    struct catalog *c = &w->centre.catalog;
    bool changed[MAX_SKUS] = {false};
    for (int i = 0; i < CHANGES_MAX; i++) {
        int sku = (int)rng_below(&w->rng, MAX_SKUS);
        bool dropped = rng_chance(&w->rng, 1, 6);
        c->price[sku] = dropped ? 0 : rng_between(&w->rng, 1, 9) * DECIMAL_ONE;
        changed[sku] = true;
    }
    c->number++;
    hash_catalog(w, c);
    for (int sku = 0; sku < MAX_SKUS; sku++) {
        if (changed[sku])
            tell_item(w, sku);
    }
    tell_version(w, c);
    struct catalog *published = world_alloc(w, sizeof(*published));
    *published = *c;
    published->before = w->catalogs;
    w->catalogs = published;
    world_trace(w, "version %" PRIu64 " of the catalog is published", c->number);
}

// ---- at a till --------------------------------------------------------------------------------

static bool is_null(struct str row)
{
    static const char end[] = "\"row\":null}";
    size_t n = sizeof(end) - 1;
    return row.n >= n && memcmp(row.p + row.n - n, end, n) == 0;
}

// -1: it is an event, which the till folds.
static int record_of(struct world *w, struct str text)
{
    struct json json = {0};
    struct str type, id;
    struct err e = {0};
    uint64_t setting = 0;
    MUST(json_parse_in(&w->scratch, text, LIMIT_EVENT_DEPTH, &json, &e) == ERR_OK);
    MUST(json_get_str(json.root, "type", &type, &e) == ERR_OK);
    MUST(json_get_str(json.root, "id", &id, &e) == ERR_OK);
    if (str_is(type, "event"))
        return -1;
    if (str_is(id, CATALOG_VERSION_ID))
        return VERSION_ROW;
    if (world_sku_number(id) >= 0)
        return MAX_SKUS + world_sku_number(id);
    MUST(str_to_u64(str_make(id.p + 1, id.n - 1), &setting) == ERR_OK && setting < MAX_SKUS);
    return (int)setting;
}

const struct catalog *chain_shown(struct world *w, const struct till *t)
{
    struct str text = t->disk.chain[0].shown[VERSION_ROW];
    struct json json = {0};
    struct catalog_version version;
    struct err e = {0};
    if (text.n == 0)
        return NULL;
    MUST(json_parse_in(&w->scratch, text, LIMIT_EVENT_DEPTH, &json, &e) == ERR_OK);
    MUST(catalog_version_read(json_find(json.root, "row"), &version, &e) == ERR_OK);
    const struct catalog *c = w->catalogs;
    while (c && !(c->number == version.number && hash_equal(&c->hash, &version.hash)))
        c = c->before;
    MUST(c != NULL);
    return c;
}

static struct hash hash_of_items(struct world *w, const struct str rows[CHAIN_ROWS],
                                 uint64_t *ret_count)
{
    struct set_hash *set = arena_alloc_zero(&w->scratch, sizeof(*set));
    uint64_t count = 0;
    MUST(set != NULL);
    for (int sku = 0; sku < MAX_SKUS; sku++) {
        struct str row = rows[MAX_SKUS + sku];
        if (row.n == 0)
            continue;
        set_hash_add(set, row);
        count++;
    }
    *ret_count = count;
    return set_hash_digest(set);
}

// Never a mixture: the rows at hand are those of the version at hand.
static void check_version(struct world *w, const struct till *t)
{
    const struct catalog *c = chain_shown(w, t);
    uint64_t count;
    struct hash hash = hash_of_items(w, t->disk.chain[0].shown, &count);
    if (c ? count != c->count || !hash_equal(&hash, &c->hash) : count > 0)
        world_fail(w, SIM_DIVERGENT, "till %d shows rows of the catalog that are no version of it",
                   t->index);
}

// As the daemon does: by what the version says of itself (src/store/sqlite/catalog_follow.c).
static bool gives_its_hash(struct world *w, const struct str rows[CHAIN_ROWS])
{
    struct json json = {0};
    struct catalog_version version;
    struct err e = {0};
    uint64_t count;
    struct hash hash = hash_of_items(w, rows, &count);
    if (rows[VERSION_ROW].n == 0)
        return true; // nothing was published yet
    MUST(json_parse_in(&w->scratch, rows[VERSION_ROW], LIMIT_EVENT_DEPTH, &json, &e) == ERR_OK);
    MUST(catalog_version_read(json_find(json.root, "row"), &version, &e) == ERR_OK);
    return count == version.count && hash_equal(&hash, &version.hash);
}

void chain_take(struct world *w, struct till *t, int feed, const struct message_feed *m)
{
    struct chain_view *view = &t->disk.chain[feed];
    if (m->reset) {
        memset(view->next, 0, sizeof(view->next));
        view->fresh = true;
    }
    for (size_t i = 0; i < m->count; i++) {
        int record = record_of(w, m->rows[i]);
        if (record >= 0)
            view->next[record] = is_null(m->rows[i]) ? STR("") : m->rows[i];
    }
    view->whole = m->complete;
    if (!m->complete)
        return;
    view->fresh = false;
    if (feed == 0 && !gives_its_hash(w, view->next))
        world_fail(w, SIM_DIVERGENT, "till %d is told rows that are no version of the catalog",
                   t->index);
    memcpy(view->shown, view->next, sizeof(view->next));
    if (feed == 0)
        check_version(w, t);
}

bool chain_lose_item(struct world *w, struct till *t)
{
    struct chain_view *view = &t->disk.chain[0];
    int first = (int)rng_below(&w->rng, MAX_SKUS);
    for (int i = 0; i < MAX_SKUS; i++) {
        int record = MAX_SKUS + (first + i) % MAX_SKUS;
        if (view->shown[record].n == 0)
            continue;
        view->shown[record] = view->next[record] = STR("");
        return true;
    }
    return false;
}

// ---- after quiet ------------------------------------------------------------------------------

static struct str said_last(const struct centre_feed *f, int record)
{
    bool any = (uint64_t)record < f->records && f->live[record];
    struct str row = any ? f->entries[f->live[record] - 1].row : STR("");
    return is_null(row) ? STR("") : row;
}

void chain_check_end(struct world *w)
{
    for (int i = 0; i < w->till_count; i++) {
        const struct till *t = &w->tills[i];
        for (int row = 0; row < 2 * CHAIN_ROWS && t->used && !t->revoked; row++) {
            int feed = row / CHAIN_ROWS, record = row % CHAIN_ROWS;
            if (!str_equal(t->disk.chain[feed].shown[record], said_last(feed_of(w, feed), record)))
                world_fail(w, SIM_DIVERGENT, "till %d: row %d of feed %s is not the centre's", i,
                           record, feed_of(w, feed)->location);
        }
    }
}
