// SPDX-License-Identifier: Apache-2.0
#include "test/unit/node/chain_fixture.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/zip.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static struct err e;

static void must(enum err_code code)
{
    if (code) {
        fail_msg("%s: %s", err_name(code), err_message(&e));
    }
}

struct journal *chain_journal(const struct config *config)
{
    struct journal *j = NULL;
    must(journal_open(config, &j, &e));
    return j;
}

static void make_event(const char *location, yyjson_val *body, const char *type, const char *record,
                       struct event *ret)
{
    static struct uuid_maker maker;
    uint8_t random[10];
    clock_random(random, sizeof random);
    const struct event_type *known = event_type_find(str_of(type));
    assert_non_null(known);
    *ret = (struct event){.version = known->version,
                          .id = uuid_make_v7(&maker, (uint64_t)clock_wall_ms(), random),
                          .lane = known->lane,
                          .location = str_of(location),
                          .type_name = str_of(type),
                          .type = known,
                          .record_type = str_of(known->record_type),
                          .record_id = str_of(record),
                          .at = clock_wall_ms(),
                          .body = body};
}

void chain_event(struct journal *j, const char *type, const char *record, yyjson_val *body,
                 struct event *ret)
{
    make_event(journal_identity(j)->location, body, type, record, ret);
}

void chain_add(struct journal *j, const char *type, const char *record, const char *body)
{
    chain_add_at(j, journal_identity(j)->location, type, record, body);
}

void chain_add_at(struct journal *j, const char *location, const char *type, const char *record,
                  const char *body)
{
    struct json json = {0};
    struct journal_added added;
    struct event event;
    must(json_parse(str_of(body), LIMIT_EVENT_DEPTH, &json, &e));
    make_event(location, json.root, type, record, &event);
    must(journal_add(j, &event, &added, &e));
    if (added.verdict != VERDICT_ACCEPTED) {
        fail_msg("not accepted: %s", added.reason);
    }
    json_close(&json);
}

void chain_add_alone(struct journal *j, const char *type, const char *record, const char *body)
{
    must(journal_begin(j, &e));
    chain_add(j, type, record, body);
    must(journal_commit(j, &e));
}

void chain_waste(struct journal *j, const char *sku, int quantity)
{
    char body[128];
    (void)snprintf(body, sizeof body, "{\"sku\":\"%s\",\"quantity\":\"%d\",\"reason\":\"spilt\"}",
                   sku, quantity);
    chain_add_alone(j, "inventory_wasted", sku, body);
}

const char *chain_sql(const struct config *config, const char *sql)
{
    static char text[256];
    char path[CONFIG_PATH_MAX + 16];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    (void)snprintf(path, sizeof path, "%s/wasl.db", config->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    const unsigned char *found =
        sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_text(statement, 0) : NULL;
    (void)snprintf(text, sizeof text, "%s", found ? (const char *)found : "");
    assert_int_equal(sqlite3_finalize(statement), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    return text;
}

static bool keep_quantity(void *context, const struct stock_row *row)
{
    *(int64_t *)context = row->quantity / 10000;
    return true;
}

int64_t chain_stock(struct journal *j, const char *sku)
{
    int64_t quantity = 0;
    must(store_stock_each(journal_store(j), str_of(""), str_of(sku), keep_quantity, &quantity, &e));
    return quantity;
}

static void enrol(struct chain *c, const struct config *config)
{
    char body[256], key[HASH_TEXT_SIZE], device[UUID_TEXT_SIZE], path[CONFIG_PATH_MAX];
    struct store *store = NULL;
    struct identity who;
    struct buf ca;
    must(store_open(&(struct store_options){.dir = config->dir}, &store, &e));
    must(identity_read(config, store, &who, &e));
    identity_path(&c->centre_config, "ca.pem", path);
    buf_init(&ca, 64 * 1024);
    must(zip_read_file(path, 64 * 1024, &ca, &e));
    must(identity_join(config, store, &journal_identity(c->centre)->chain, buf_str(&ca), &e));
    buf_fini(&ca);
    store_close(store);
    str_to_hex(key, who.key.public_key.b, sizeof who.key.public_key.b);
    uuid_format(&who.device, device);
    (void)snprintf(body, sizeof body, "{\"role\":\"%s\",\"location\":\"BR01\",\"key\":\"%s\"}",
                   node_role_name(config->role), key);
    chain_add_alone(c->centre, "device_enrolled", device, body);
}

struct journal *chain_device(struct chain *c, const char *name, enum node_role role,
                             struct config *config)
{
    fixture_config(c->dir, name, role, config);
    strcpy(config->location, "BR01");
    must(identity_create(config, &e));
    enrol(c, config);
    return chain_journal(config);
}

void chain_open(struct chain *c)
{
    *c = (struct chain){.centre = NULL};
    fixture_make(c->dir);
    fixture_config(c->dir, "centre", ROLE_CENTRAL, &c->centre_config);
    must(identity_create(&c->centre_config, &e));
    c->centre = chain_journal(&c->centre_config);
    c->till = chain_device(c, "till", ROLE_TERMINAL, &c->till_config);
}

// ---- the feed ---------------------------------------------------------------------------------

struct including {
    struct store *centre;
    struct message_feed *page;
};

static bool include(void *context, const struct stream_info *info)
{
    struct including *to = context;
    struct stream_info held;
    if (!store_goes_up(info) || store_stream_find(to->centre, &info->key, &held) != ERR_OK)
        return true;
    assert_true(to->page->include_count < MESSAGE_MAX_INCLUDES);
    to->page->includes[to->page->include_count++] =
        (struct message_include){info->key, held.head.seq};
    return true;
}

void chain_feed(struct chain *c, struct journal *to)
{
    static struct message_feed m;
    struct arena a;
    struct feed_page page;
    struct journal_fed fed = {.next = 0};
    struct including including = {journal_store(c->centre), &m};
    m = (struct message_feed){.location = STR("BR01"), .reset = true, .complete = true};
    arena_init(&a, 16 * 1024 * 1024);
    must(store_feed_read(including.centre, m.location, 0, &(struct store_page){0, 1 << 20, &a},
                         &page, &e));
    m.rows = arena_alloc(&a, (page.count + 1) * sizeof *m.rows);
    for (; m.count < page.count; m.count++)
        m.rows[m.count] = page.rows[m.count].bytes;
    m.feed = page.head.feed;
    m.to = page.head.position;
    m.hash = page.head.hash;
    must(store_streams_each(journal_store(to), include, &including, &e));
    must(journal_begin(to, &e));
    must(journal_apply_feed(to, &m, &fed, &e));
    must(journal_commit(to, &e));
    assert_int_equal(fed.next, m.count);
    arena_fini(&a);
}

void chain_add_hub(struct chain *c)
{
    c->hub = chain_device(c, "hub", ROLE_BRANCH, &c->hub_config);
    chain_feed(c, c->hub);
}

void chain_close(struct chain *c)
{
    journal_close(c->centre);
    journal_close(c->hub);
    journal_close(c->till);
    fixture_drop(c->dir);
}
