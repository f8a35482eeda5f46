// SPDX-License-Identifier: Apache-2.0
#include "test/unit/store/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void chain_open(struct chain *c)
{
    *c = (struct chain){.events = 0};
    fixture_open(&c->centre, ROLE_CENTRAL);
    fixture_open(&c->till, ROLE_TERMINAL);
    line_init(&c->hq, 1, "*");
    c->hq.own = true;
    struct feed_cursor head;
    assert_int_equal(store_feed_head(c->centre.store, STR("*"), &head, NULL), ERR_OK);
}

void chain_close(struct chain *c)
{
    line_fini(&c->hq);
    fixture_close(&c->centre);
    fixture_close(&c->till);
}

static void append(struct chain *c)
{
    assert_int_equal(fixture_append(&c->centre, &c->hq, c->hq.count - 1, STATUS_SETTLED),
                     STATUS_SETTLED);
}

static void add(struct chain *c, const char *type, const char *record, const char *body)
{
    c->events++;
    line_add(&c->hq, &(struct draft){c->events, c->events, type, record, body});
}

void chain_write(struct chain *c, const char *type, const char *record, const char *format, ...)
{
    char body[1024];
    va_list args;
    va_start(args, format);
    (void)vsnprintf(body, sizeof body, format, args);
    va_end(args);
    add(c, type, record, body);
    append(c);
}

void chain_item(struct chain *c, const char *sku, const char *name, const char *price)
{
    chain_write(c, "item_set", sku, "{\"name\":\"%s\"}", name);
    chain_write(c, "price_set", sku,
                "{\"sku\":\"%s\",\"price\":\"%s\",\"currency\":\"USD\",\"places\":2}", sku, price);
}

struct catalog_version chain_publish(struct chain *c)
{
    struct catalog_version version = {.number = 0};
    struct err e = {ERR_OK, ""};
    uint64_t changed = 0;
    char body[256], record[24], hash[HASH_TEXT_SIZE];
    enum event_status status;
    if (store_begin(c->centre.store, &e) ||
        store_catalog_next(c->centre.store, &version.number, &e) ||
        store_catalog_prepare(c->centre.store, &version, &changed, &e))
        fail_msg("%s", e.text);
    hash_format(&version.hash, hash);
    (void)snprintf(record, sizeof record, "%llu", (unsigned long long)version.number);
    (void)snprintf(body, sizeof body, "{\"version\":%s,\"hash\":\"%s\",\"count\":%llu}", record,
                   hash, (unsigned long long)version.count);
    add(c, "catalog_published", record, body);
    if (fixture_try(&c->centre, &c->hq, c->hq.count - 1, STATUS_SETTLED, &status, &e) ||
        store_commit(c->centre.store, &e))
        fail_msg("%s", e.text);
    assert_int_equal(status, STATUS_SETTLED);
    return version;
}

// ---- the way down -----------------------------------------------------------------------------

bool chain_page(struct chain *c, size_t bytes, struct arena *arena, struct feed_page *ret)
{
    struct feed_cursor cursor = {.position = 0};
    bool knows = false;
    enum err_code fed = store_feed_cursor(c->till.store, STR("*"), &cursor);
    assert_int_equal(store_feed_knows(c->centre.store, STR("*"), &cursor, &knows, NULL), ERR_OK);
    bool reset = fed == ERR_NOT_FOUND || !knows;
    arena_reset(arena);
    assert_int_equal(store_feed_read(c->centre.store, STR("*"), reset ? 0 : cursor.position,
                                     &(struct store_page){0, bytes, arena}, ret, NULL),
                     ERR_OK);
    return reset;
}

struct feed_apply chain_piece(const struct feed_page *page, size_t from, size_t rows, bool reset,
                              struct str *bytes)
{
    size_t n = 0;
    for (; n < rows && from + n < page->count; n++)
        bytes[n] = page->rows[from + n].bytes;
    bool last = from + n == page->count;
    const struct feed_row *end = page->count ? &page->rows[page->count - 1] : NULL;
    struct feed_apply piece = {.location = STR("*"),
                               .to = page->head,
                               .reset = reset && from == 0,
                               .complete = page->reached_head && last,
                               .partial = !last,
                               .rows = bytes,
                               .count = n};
    if (!page->reached_head && end != NULL)
        piece.to = (struct feed_cursor){page->head.feed, end->position, end->hash};
    return piece;
}

static enum feed_catalog apply_piece(struct chain *c, const struct feed_page *page, size_t from,
                                     size_t rows, bool reset)
{
    struct err e = {ERR_OK, ""};
    enum feed_catalog what = FEED_CATALOG_SAME;
    struct str bytes[64];
    assert_true(rows <= sizeof bytes / sizeof bytes[0]);
    struct feed_apply piece = chain_piece(page, from, rows, reset, bytes);
    piece.ret_catalog = &what;
    if (store_feed_apply(c->till.store, &piece, &e))
        fail_msg("%s", e.text);
    return what;
}

enum feed_catalog chain_pull(struct chain *c, const struct chain_pull *how, unsigned *ret_pieces,
                             size_t *ret_rows)
{
    enum feed_catalog what = FEED_CATALOG_SAME;
    struct feed_page page = {.count = 0};
    struct arena arena;
    unsigned pieces = 0;
    *ret_rows = 0;
    arena_init(&arena, (size_t)64 << 20);
    do {
        bool reset = chain_page(c, how->page_bytes, &arena, &page);
        size_t from = 0;
        do {
            what = apply_piece(c, &page, from, how->rows, reset);
            pieces++;
            from += how->rows;
        } while (from < page.count && pieces != how->pieces);
        *ret_rows += page.count;
    } while (!page.reached_head && pieces != how->pieces);
    arena_fini(&arena);
    *ret_pieces = pieces;
    return what;
}

enum feed_catalog chain_pull_all(struct chain *c)
{
    struct chain_pull how = {1024, 3, 0, false};
    unsigned pieces;
    size_t rows;
    return chain_pull(c, &how, &pieces, &rows);
}

// ---- looking ----------------------------------------------------------------------------------

char *chain_items(const struct fixture *f)
{
    return fixture_text(f, "SELECT sku, name, name_ar, category, active, price, currency, recipe,"
                           " version FROM catalog_items ORDER BY sku");
}

static void same(struct chain *c, const char *sql)
{
    char *at_centre = fixture_text(&c->centre, sql), *at_till = fixture_text(&c->till, sql);
    assert_string_equal(at_till, at_centre);
    free(at_centre);
    free(at_till);
}

void chain_assert_same(struct chain *c)
{
    struct store_catalog centre, till;
    assert_int_equal(store_catalog(c->centre.store, &centre, NULL), ERR_OK);
    assert_int_equal(store_catalog(c->till.store, &till, NULL), ERR_OK);
    assert_int_equal(till.version.number, centre.version.number);
    assert_int_equal(till.version.count, centre.version.count);
    assert_true(hash_equal(&till.version.hash, &centre.version.hash));
    char *items = chain_items(&c->centre), *shown = chain_items(&c->till);
    assert_string_equal(shown, items);
    free(items);
    free(shown);
    same(c, "SELECT sku, list, price, currency, places FROM catalog_prices ORDER BY sku, list");
    same(c, "SELECT id, name, kind, value, sku, active FROM catalog_promotions ORDER BY id");
    same(c, "SELECT id, name, percent, included, since, before FROM catalog_taxes ORDER BY id");
}
