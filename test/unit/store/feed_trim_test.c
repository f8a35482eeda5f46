// SPDX-License-Identifier: Apache-2.0
// What the feed of a place need not repeat goes, as a whole; nobody misses it, and it comes again.
#include "store/sqlite/record_past.h"
#include "store/sqlite/state.h"
#include "test/unit/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LATER     INT64_MAX
#define LINE_1    "\"01890a5d-0000-7000-8000-000000000001\""
#define OPENED    "{\"kind\":\"dine_in\",\"table\":\"T5\",\"currency\":\"USD\",\"places\":2}"
#define ADDED     "{\"line\":" LINE_1 ",\"sku\":\"COFFEE\",\"quantity\":\"4\",\"unit_price\":\"2\"}"
#define CHANGED   "{\"line\":" LINE_1 ",\"quantity\":\"1\"}"
#define PAID      "{\"payment\":" LINE_1 ",\"method\":\"cash\",\"currency\":\"USD\",\"amount\":800}"
#define COMPLETED "{\"total\":800,\"uses\":[]}"
#define NOTE      "{\"field\":\"note\",\"value\":\"by the door\"}"
#define LIVE      "SELECT count(*) FROM feed_rows WHERE type = 'event' AND bytes IS NOT NULL"

enum { MEMORY = 10000, OVER = 4 };

struct shop {
    struct fixture f;
    struct line l;
};

static void add(struct shop *s, unsigned id, const char *type, const char *order, const char *body)
{
    line_add(&s->l, &(struct draft){id, 10 + id, type, order, body});
    (void)fixture_append(&s->f, &s->l, s->l.count - 1, STATUS_SETTLED);
}

static void sells(struct shop *s, unsigned id, const char *order)
{
    add(s, id, "order_opened", order, OPENED);
    add(s, id + 1, "line_added", order, ADDED);
    add(s, id + 2, "payment_taken", order, PAID);
    add(s, id + 3, "sale_completed", order, COMPLETED);
}

// The feed goes on by so many rows, of which nothing is left.
static void goes_on(struct shop *s, unsigned rows)
{
    char sql[96];
    (void)snprintf(sql, sizeof sql, "UPDATE feeds SET head = head + %u WHERE location = 'BR1'",
                   rows);
    fixture_sql(&s->f, sql);
}

static struct feed_cursor head(struct shop *s)
{
    struct feed_cursor cursor;
    struct err e = {ERR_OK, ""};
    assert_int_equal(store_feed_head(s->f.store, STR("BR1"), &cursor, &e), ERR_OK);
    return cursor;
}

// One order that is over, and one that is open, behind it.
static void open_shop(struct shop *s)
{
    fixture_open(&s->f, ROLE_CENTRAL);
    line_init(&s->l, 2, "BR1");
    (void)head(s);
    sells(s, 1, "A");
    add(s, 11, "order_opened", "B", OPENED);
    add(s, 12, "line_added", "B", ADDED);
    assert_int_equal(fixture_number(&s->f, LIVE), OVER + 2);
}

static void close_shop(struct shop *s)
{
    line_fini(&s->l);
    fixture_close(&s->f);
}

static size_t trim(struct shop *s, int64_t before_ms)
{
    struct store_trim at = {0};
    struct err e = {ERR_OK, ""};
    size_t all = 0, dropped = 0;
    int turns = 0;
    do {
        if (store_feed_trim(s->f.store, before_ms, &at, &dropped, &e))
            fail_msg("%s", e.text);
        all += dropped;
    } while (at.feed != 0 && turns++ < 1000);
    assert_int_equal(at.feed, 0);
    return all;
}

// As it read up to there, the feed's head was 'under'.
static bool hears_under(struct shop *s, unsigned device, uint64_t position, uint64_t under,
                        bool known)
{
    struct err e = {ERR_OK, ""};
    struct uuid id = fixture_uuid(9, device);
    struct feed_cursor cursor = head(s);
    cursor.position = position;
    cursor.hash = (struct hash){0};
    for (size_t i = 0; i < 8; i++)
        cursor.hash.b[i] = (uint8_t)(under >> (8 * (7 - i)));
    assert_int_equal(store_feed_heard(s->f.store, STR("BR1"), &id, &cursor, &known, &e), ERR_OK);
    return known;
}

static bool hears(struct shop *s, unsigned device, uint64_t position, bool known)
{
    return hears_under(s, device, position, head(s).position, known);
}

static void enrol(struct shop *s, unsigned device)
{
    char sql[256], hex[33];
    struct uuid id = fixture_uuid(9, device);
    for (int i = 0; i < 16; i++)
        (void)snprintf(hex + 2 * (size_t)i, 3, "%02x", id.b[i]);
    (void)snprintf(sql, sizeof sql,
                   "INSERT INTO devices (id, location, role, key) VALUES"
                   " (x'%s', 'BR1', 'terminal', zeroblob(32))",
                   hex);
    fixture_sql(&s->f, sql);
}

TEST(feed_trim__drops_what_is_over_old_and_far_behind)
{
    struct shop s;
    open_shop(&s);
    assert_int_equal(trim(&s, LATER), 0); // near the head
    goes_on(&s, 2 * MEMORY);
    assert_int_equal(trim(&s, 0), 0); // young
    assert_int_equal(trim(&s, LATER), OVER);
    assert_int_equal(fixture_number(&s.f, LIVE), 2); // what is open stays
    fixture_assert_text(&s.f, "SELECT id, status FROM orders ORDER BY id", "A|paid\nB|draft\n");
    assert_int_equal(trim(&s, LATER), 0);
    close_shop(&s);
}

TEST(feed_trim__leaves_a_record_whole_whose_last_row_is_near_the_head)
{
    struct shop s;
    open_shop(&s);
    uint64_t last = (uint64_t)fixture_number(
        &s.f, "SELECT max(position) FROM (SELECT position FROM feed_rows WHERE type = 'event'"
              " AND bytes IS NOT NULL ORDER BY position LIMIT 4)");
    goes_on(&s, (unsigned)(last - 1 + MEMORY - head(&s).position));
    assert_int_equal(head(&s).position - MEMORY, last - 1);
    assert_int_equal(trim(&s, LATER), 0);
    goes_on(&s, 1);
    assert_int_equal(trim(&s, LATER), OVER);
    close_shop(&s);
}

TEST(feed_trim__keeps_what_a_person_is_asked_about)
{
    struct shop s;
    open_shop(&s);
    fixture_sql(&s.f, "INSERT INTO record_reviews (location, type, record, kind, part, triggers,"
                      " open, detail) SELECT 'BR1', 'order', 'A', 'late', '', '', 1, '{}'");
    goes_on(&s, 2 * MEMORY);
    assert_int_equal(trim(&s, LATER), 0);
    fixture_sql(&s.f, "UPDATE record_reviews SET open = 0");
    assert_int_equal(trim(&s, LATER), OVER);
    close_shop(&s);
}

TEST(feed_trim__waits_for_every_device_that_was_not_revoked)
{
    struct shop s;
    open_shop(&s);
    goes_on(&s, 2 * MEMORY);
    for (unsigned device = 1; device <= 3; device++)
        enrol(&s, device); // the third was never heard of
    assert_true(hears(&s, 1, head(&s).position, true));
    assert_true(hears(&s, 2, 2, true));
    assert_int_equal(trim(&s, LATER), 0);
    fixture_sql(&s.f, "UPDATE devices SET revoked = 1 WHERE id IN"
                      " (SELECT device FROM feed_readers WHERE position = 2)");
    assert_int_equal(trim(&s, LATER), OVER);
    close_shop(&s);
}

TEST(feed_trim__waits_for_no_device_that_is_lost)
{
    struct shop s;
    open_shop(&s);
    goes_on(&s, 2 * MEMORY);
    enrol(&s, 1);
    assert_true(hears(&s, 1, 2, true));
    fixture_sql(&s.f, "INSERT INTO device_status (device, location, pending, oldest_pending_at,"
                      " last_seen_at, last_sync_at, clock_offset_ms, disk_free_bytes, version,"
                      " online) SELECT id, 'BR1', 0, 0, 5000, 0, 0, 0, '', 1 FROM devices");
    assert_int_equal(trim(&s, LATER), 0); // it is there
    fixture_sql(&s.f, "UPDATE device_status SET online = 0, last_seen_at = 9223372036854775807");
    assert_int_equal(trim(&s, LATER), 0); // it was there just now
    fixture_sql(&s.f, "UPDATE device_status SET last_seen_at = 5000");
    assert_int_equal(trim(&s, LATER), OVER);
    assert_false(hears(&s, 1, 2, true)); // it is found again: a copy
    close_shop(&s);
}

TEST(feed_trim__waits_while_a_device_makes_a_copy)
{
    struct shop s;
    open_shop(&s);
    goes_on(&s, 2 * MEMORY);
    enrol(&s, 1);
    assert_true(hears(&s, 1, 0, true));
    assert_int_equal(trim(&s, LATER), 0);
    assert_true(hears(&s, 1, 3, true)); // it goes on
    assert_int_equal(trim(&s, LATER), 0);
    assert_true(hears(&s, 1, head(&s).position, true));
    assert_int_equal(trim(&s, LATER), OVER);
    close_shop(&s);
}

TEST(feed_trim__sends_who_comes_from_before_for_a_copy)
{
    struct shop s;
    open_shop(&s);
    goes_on(&s, 2 * MEMORY);
    enrol(&s, 1);
    assert_true(hears(&s, 1, head(&s).position, true));
    assert_int_equal(trim(&s, LATER), OVER);
    uint64_t trimmed = (uint64_t)fixture_number(&s.f, "SELECT trimmed FROM feeds");
    assert_false(hears(&s, 1, trimmed - 1, true));                    // restored from a backup
    assert_true(hears(&s, 1, trimmed - 1, true));                     // the copy that it makes now
    assert_false(hears_under(&s, 1, trimmed - 1, trimmed - 1, true)); // restored while it copied
    assert_true(hears(&s, 1, trimmed - 1, true));
    assert_true(hears(&s, 1, trimmed, true));
    assert_false(hears(&s, 1, trimmed - 1, true)); // restored again
    fixture_sql(&s.f, "UPDATE feeds SET trimmed = trimmed + 1");
    assert_false(hears(&s, 1, trimmed - 1, true)); // more went while it copied
    assert_false(hears(&s, 1, trimmed + 1, false));
    assert_true(hears(&s, 1, 0, true));
    close_shop(&s);
}

TEST(feed_trim__tells_a_record_again_that_is_touched)
{
    struct shop s;
    open_shop(&s);
    goes_on(&s, 2 * MEMORY);
    assert_int_equal(trim(&s, LATER), OVER);
    add(&s, 21, "line_changed", "A", CHANGED);
    assert_int_equal(fixture_number(&s.f, LIVE), 2 + OVER + 1);
    add(&s, 22, "line_changed", "A", CHANGED);
    assert_int_equal(fixture_number(&s.f, LIVE), 2 + OVER + 2);
    add(&s, 23, "line_changed", "B", CHANGED);
    assert_int_equal(fixture_number(&s.f, LIVE), 2 + OVER + 3);
    close_shop(&s);
}

// A feed that is made anew begins without what is over.
TEST(feed_trim__tells_a_record_again_that_a_new_feed_left_out)
{
    struct shop s;
    struct err e = {ERR_OK, ""};
    open_shop(&s);
    assert_int_equal(store_rebuild(s.f.store, NULL, NULL, &e), ERR_OK);
    assert_int_equal(fixture_number(&s.f, LIVE), 2);
    add(&s, 21, "line_changed", "A", CHANGED);
    assert_int_equal(fixture_number(&s.f, LIVE), 2 + OVER + 1);
    assert_true(hears(&s, 1, 1, true));
    close_shop(&s);
}

// ---- long records ------------------------------------------------------------------------------

static void seats(struct shop *s, unsigned id)
{
    add(s, id, "table_set", "T5", id % 2 ? "{\"status\":\"occupied\"}" : "{\"status\":\"dirty\"}");
    arena_reset(&s->f.arena);
    if (s->l.count < LINE_MAX_EVENTS)
        return;
    for (size_t i = 0; i < s->l.count; i++)
        free(s->l.bytes[i]);
    s->l.count = 0;
}

// Of a table what is no longer read need not be told; it never is over.
TEST(feed_trim__drops_what_no_longer_matters_of_a_long_record)
{
    struct shop s;
    struct line other;
    unsigned n = 0;
    fixture_open(&s.f, ROLE_CENTRAL);
    line_init(&s.l, 2, "BR1");
    line_init(&other, 3, "BR1");
    (void)head(&s);
    while (n < 2 * RECORD_LONG)
        seats(&s, ++n);
    goes_on(&s, 2 * MEMORY);
    int64_t past = fixture_number(&s.f, "SELECT count(*) FROM record_past");
    assert_in_range(past, RECORD_LONG, 2 * RECORD_LONG);
    assert_int_equal(trim(&s, 0), 0); // young
    assert_int_equal(trim(&s, LATER), past);
    assert_int_equal(fixture_number(&s.f, LIVE), (int64_t)n - past);
    seats(&s, ++n); // what went is not told again
    assert_int_equal(fixture_number(&s.f, LIVE), (int64_t)n - past);
    line_add(&other, &(struct draft){5000, 5, "table_set", "T5", "{\"status\":\"reserved\"}"});
    (void)fixture_append(&s.f, &other, 0, STATUS_SETTLED); // nor when all of it is read again
    assert_int_equal(fixture_number(&s.f, "SELECT count(*) FROM record_past"), 0);
    assert_int_equal(fixture_number(&s.f, LIVE), (int64_t)n + 1 - past);
    line_fini(&other);
    close_shop(&s);
}

// Of a place whose feed holds less than its records, as one that had orders before its first
// device: what one transaction adds is told once.
TEST(feed_trim__tells_a_record_again_once_in_a_transaction)
{
    struct shop s;
    struct err e = {ERR_OK, ""};
    enum event_status ignored;
    fixture_open(&s.f, ROLE_CENTRAL);
    line_init(&s.l, 2, "BR1");
    sells(&s, 1, "A");
    (void)head(&s);
    fixture_sql(&s.f, "UPDATE feeds SET trimmed = 1");
    assert_int_equal(store_begin(s.f.store, &e), ERR_OK);
    for (unsigned i = 0; i < 3; i++) {
        line_add(&s.l, &(struct draft){10 + i, 20 + i, "order_set", "A", NOTE});
        assert_int_equal(fixture_try(&s.f, &s.l, s.l.count - 1, STATUS_SETTLED, &ignored, &e),
                         ERR_OK);
    }
    assert_in_range(s.f.store->fold.changes.count, 3, OVER + 3);
    assert_int_equal(store_commit(s.f.store, &e), ERR_OK);
    assert_int_equal(fixture_number(&s.f, LIVE), OVER + 3);
    close_shop(&s);
}
