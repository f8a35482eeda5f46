// SPDX-License-Identifier: Apache-2.0
// What a place is told, and what it makes of it.
#include "model/feed_mark.h"
#include "test/unit/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void enrol(struct line *l, unsigned id, const char *location)
{
    char device[UUID_TEXT_SIZE], body[256];
    struct uuid uuid = fixture_uuid(9, id);
    uuid_format(&uuid, device);
    (void)snprintf(body, sizeof body,
                   "{\"role\":\"terminal\",\"location\":\"%s\",\"key\":\"%064u\"}", location, id);
    line_add(l, &(struct draft){900 + id, 900 + id, "device_enrolled", device, body});
}

static struct feed_page read_feed(struct fixture *f, const char *location, uint64_t after)
{
    struct feed_page page;
    struct err e = {ERR_OK, ""};
    struct store_page limits = {.max_bytes = SIZE_MAX, .arena = &f->arena};
    if (store_feed_read(f->store, str_of(location), after, &limits, &page, &e))
        fail_msg("%s", e.text);
    return page;
}

TEST(feed__has_one_live_row_for_each_changed_record)
{
    struct fixture f;
    struct line l, admin;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&admin, 1, "hq");
    enrol(&admin, 1, "BR1");
    line_init(&l, 2, "BR1");
    line_sell(&l, 1, 10, "rice", "1");
    line_sell(&l, 2, 11, "oil", "2.5");
    line_sell(&l, 3, 12, "rice", "1");
    line_add(&l, &(struct draft){4, 13, "unknown", "x", "{}"});
    (void)fixture_append(&f, &l, 0, STATUS_SETTLED); // before the device: it is told all the same
    fixture_append_all(&f, &admin, STATUS_SETTLED);
    for (size_t i = 1; i < l.count; i++)
        (void)fixture_append(&f, &l, i, STATUS_SETTLED);
    struct feed_page page = read_feed(&f, "BR1", 0);
    assert_true(page.reached_head);
    assert_int_equal(page.count, 4);
    assert_true(str_starts(page.rows[0].bytes, STR("{\"type\":\"device\"")));
    assert_true(str_is(page.rows[1].bytes,
                       "{\"type\":\"stock\",\"id\":\"oil\",\"row\":{\"quantity\":\"-2.5\"}}"));
    assert_true(str_is(page.rows[2].bytes,
                       "{\"type\":\"stock\",\"id\":\"rice\",\"row\":{\"quantity\":\"-2\"}}"));
    assert_true(str_starts(page.rows[3].bytes, STR("{\"type\":\"notice\"")));
    assert_int_equal(page.rows[3].position, page.head.position);
    assert_true(hash_equal(&page.rows[3].hash, &page.head.hash));
    line_fini(&l);
    line_fini(&admin);
    fixture_close(&f);
}

static bool is_lost(struct fixture *f, const char *location, const struct feed_cursor *cursor)
{
    struct err e = {ERR_OK, ""};
    bool lost = false;
    assert_int_equal(store_feed_lost(f->store, str_of(location), cursor, &lost, &e), ERR_OK);
    return lost;
}

TEST(feed__knows_positions_it_had_and_no_others)
{
    struct fixture f;
    struct line l;
    struct feed_cursor head, old;
    struct err e = {ERR_OK, ""};
    bool knows = false;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 2, "BR1");
    for (unsigned i = 0; i < 4; i++)
        line_sell(&l, i, 10 + i, "rice", "1");
    assert_int_equal(store_feed_head(f.store, STR("BR1"), &old, &e), ERR_OK);
    assert_int_equal(old.position, 0);
    (void)fixture_append(&f, &l, 0, STATUS_SETTLED);
    assert_int_equal(store_feed_head(f.store, STR("BR1"), &old, &e), ERR_OK);
    for (size_t i = 1; i < l.count; i++)
        (void)fixture_append(&f, &l, i, STATUS_SETTLED);
    assert_int_equal(store_feed_head(f.store, STR("BR1"), &head, &e), ERR_OK);
    assert_int_equal(head.position, 4);
    assert_int_equal(store_feed_knows(f.store, STR("BR1"), &head, &knows, &e), ERR_OK);
    assert_true(knows);
    assert_int_equal(store_feed_knows(f.store, STR("BR1"), &old, &knows, &e), ERR_OK);
    assert_true(knows); // superseded, kept as a tombstone
    old.hash.b[0] ^= 1;
    assert_int_equal(store_feed_knows(f.store, STR("BR1"), &old, &knows, &e), ERR_OK);
    assert_false(knows);
    assert_true(is_lost(&f, "BR1", &old)); // of another history of this feed
    head.position++;
    assert_int_equal(store_feed_knows(f.store, STR("BR1"), &head, &knows, &e), ERR_OK);
    assert_false(knows);
    assert_true(is_lost(&f, "BR1", &head));
    head = (struct feed_cursor){.feed = fixture_uuid(7, 7), .position = 99};
    assert_int_equal(store_feed_knows(f.store, STR("BR1"), &head, &knows, &e), ERR_OK);
    assert_false(knows);
    assert_false(is_lost(&f, "BR1", &head));
    line_fini(&l);
    fixture_close(&f);
}

// A page before the head leaves out rows that were replaced: a feed that has lost what replaced
// them cannot go on behind it.
TEST(feed__knows_who_stopped_amid_it_only_while_it_has_the_head_of_then)
{
    struct fixture f;
    struct line l;
    struct feed_cursor cursor, head;
    struct err e = {ERR_OK, ""};
    bool knows = false;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 2, "BR1");
    for (unsigned i = 0; i < 3; i++) {
        line_sell(&l, i, 10 + i, "rice", "1");
        (void)fixture_append(&f, &l, i, STATUS_SETTLED);
        if (i == 1)
            assert_int_equal(store_feed_head(f.store, STR("BR1"), &cursor, &e), ERR_OK);
    }
    assert_int_equal(store_feed_head(f.store, STR("BR1"), &head, &e), ERR_OK);
    struct feed_mark at = {cursor.position, cursor.hash}, then = {head.position, head.hash};
    cursor.hash = feed_mark_of(&at, &then);
    assert_int_equal(store_feed_knows(f.store, STR("BR1"), &cursor, &knows, &e), ERR_OK);
    assert_true(knows);
    then.hash.b[31] ^= 1; // it was another head
    cursor.hash = feed_mark_of(&at, &then);
    assert_int_equal(store_feed_knows(f.store, STR("BR1"), &cursor, &knows, &e), ERR_OK);
    assert_false(knows);
    assert_true(is_lost(&f, "BR1", &cursor));
    then = (struct feed_mark){head.position + 1, head.hash}; // it went further than this one does
    cursor.hash = feed_mark_of(&at, &then);
    assert_true(is_lost(&f, "BR1", &cursor));
    then.position = UINT64_MAX;
    cursor.hash = feed_mark_of(&at, &then);
    assert_true(is_lost(&f, "BR1", &cursor));
    line_fini(&l);
    fixture_close(&f);
}

TEST(feed__is_another_one_when_it_was_renewed)
{
    struct fixture f;
    struct feed_cursor before[3], after;
    static const char *const places[] = {"BR1", "BR2", "*"};
    struct err e = {ERR_OK, ""};
    bool knows = true;
    fixture_open(&f, ROLE_CENTRAL);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(store_feed_head(f.store, str_of(places[i]), &before[i], &e), ERR_OK);
    assert_int_equal(store_feeds_renew(f.store, &e), ERR_OK);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(store_feed_head(f.store, str_of(places[i]), &after, &e), ERR_OK);
        assert_false(uuid_equal(&after.feed, &before[i].feed));
        assert_int_equal(after.position, before[i].position);
        enum err_code code = store_feed_knows(f.store, str_of(places[i]), &before[i], &knows, &e);
        assert_int_equal(code, ERR_OK);
        assert_false(knows);
        assert_false(is_lost(&f, places[i], &before[i]));
    }
    fixture_close(&f);
}

TEST(feed__forgets_tombstones_beyond_its_memory)
{
    enum { CHANGES = 10050, MEMORY = 10000 };
    struct fixture f;
    struct err e = {ERR_OK, ""};
    struct stream_info info = {.key = {fixture_uuid(1, 1), LANE_CRITICAL}, .location = "hq"};
    struct feed_cursor head, first;
    bool knows = true;
    fixture_open(&f, ROLE_CENTRAL);
    assert_int_equal(store_feed_head(f.store, STR("*"), &head, &e), ERR_OK);
    assert_int_equal(store_stream_add(f.store, &info, &e), ERR_OK);
    struct line l;
    line_init(&l, 1, "hq");
    struct mark mark = {.seq = 0};
    for (unsigned i = 1; i <= CHANGES; i++) {
        char body[64];
        (void)snprintf(body, sizeof body, "{\"name\":\"N%u\"}", i);
        l.count = 0;
        l.head = mark;
        // The first and the last change one record, all others another.
        const char *record = i == 1 || i == CHANGES ? "OLD" : "BR1";
        line_add(&l, &(struct draft){i, i, "location_set", record, body});
        mark = l.head;
        struct event event;
        assert_int_equal(event_parse(str_of(l.bytes[0]), &f.arena, &event, &e), ERR_OK);
        struct store_entry entry = {.key = info.key,
                                    .seq = i,
                                    .chain = mark.hash,
                                    .bytes = str_of(l.bytes[0]),
                                    .event = &event,
                                    .status = STATUS_SETTLED};
        assert_int_equal(store_begin(f.store, &e), ERR_OK);
        assert_int_equal(store_append(f.store, &entry, 1, &e), ERR_OK);
        assert_int_equal(store_commit(f.store, &e), ERR_OK);
        if (i == 1)
            assert_int_equal(store_feed_head(f.store, STR("*"), &first, &e), ERR_OK);
        if (i == CHANGES - 1) { // amid it at a row that lives; the head of then is forgotten
            struct feed_mark at = {first.position, first.hash}, then = {2, {{2}}};
            struct feed_cursor amid = {first.feed, 1, feed_mark_of(&at, &then)};
            assert_false(is_lost(&f, "*", &amid));
        }
        arena_reset(&f.arena);
        line_fini(&l);
    }
    assert_int_equal(store_feed_knows(f.store, STR("*"), &first, &knows, &e), ERR_OK);
    assert_false(knows);
    assert_false(is_lost(&f, "*", &first)); // too old to tell
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM feed_rows"), MEMORY);
    assert_int_equal(fixture_number(&f, "SELECT min(position) FROM feed_rows"),
                     CHANGES - MEMORY + 1);
    fixture_close(&f);
}

// ---- downstream -------------------------------------------------------------------------------

static int64_t overlay_of(void *context, struct str sku)
{
    return str_is(sku, "rice") ? *(int64_t *)context : 0;
}

static struct feed_include told; // goes with the next page, once

static uint64_t position = 9; // of the feed, behind the page

static void apply(struct fixture *f, const char *row, bool reset, bool complete, int64_t overlay)
{
    struct str rows[] = {str_of(row)};
    struct err e = {ERR_OK, ""};
    struct feed_apply frame = {.location = STR("BR1"),
                               .to = {fixture_uuid(7, 1), position, {{1}}},
                               .reset = reset,
                               .complete = complete,
                               .rows = rows,
                               .count = row == NULL ? 0 : 1,
                               .includes = &told,
                               .include_count = told.seq ? 1 : 0,
                               .overlay = overlay_of,
                               .context = &overlay};
    if (store_begin(f->store, &e) || store_feed_apply(f->store, &frame, &e) ||
        store_commit(f->store, &e))
        fail_msg("%s", e.text);
    told.seq = 0;
}

TEST(follow__the_view_is_what_is_confirmed_and_own_events_not_yet_included)
{
    struct fixture f;
    struct line l;
    struct feed_cursor cursor;
    struct store_verdict verdict;
    struct err e = {ERR_OK, ""};
    uint64_t seq = 9;
    fixture_open(&f, ROLE_TERMINAL);
    line_init(&l, 1, "BR1");
    l.own = true;
    line_sell(&l, 1, 10, "rice", "1");
    line_sell(&l, 2, 11, "rice", "2");
    fixture_append_all(&f, &l, STATUS_PENDING);
    fixture_assert_text(&f, "SELECT sku, quantity, sync_status FROM stock",
                        "rice|-30000|pending\n");
    assert_int_equal(store_feed_cursor(f.store, STR("BR1"), &cursor), ERR_NOT_FOUND);
    assert_int_equal(store_include_get(f.store, &l.key, &seq, &e), ERR_OK);
    assert_int_equal(seq, 0);
    told = (struct feed_include){l.key, 1};
    apply(&f, "{\"type\":\"stock\",\"id\":\"rice\",\"row\":{\"quantity\":\"99\"}}", true, true,
          -20000);
    fixture_assert_text(&f, "SELECT quantity, confirmed FROM stock", "970000|990000\n");
    assert_int_equal(store_feed_cursor(f.store, STR("BR1"), &cursor), ERR_OK);
    assert_int_equal(cursor.position, 9);
    assert_int_equal(fixture_verify(f.store, &f.arena, &verdict, &e), ERR_OK);
    assert_int_equal(verdict.first_problem.n, 0);
    told = (struct feed_include){l.key, 2};
    apply(&f, NULL, false, true, 0);
    assert_int_equal(store_stock_refresh(f.store, STR("BR1"), STR("rice"), 0, &e), ERR_OK);
    fixture_assert_text(&f, "SELECT quantity, sync_status FROM stock", "990000|settled\n");
    fixture_sql(&f, "UPDATE stock SET quantity = quantity + 1");
    assert_int_equal(fixture_verify(f.store, &f.arena, &verdict, &e), ERR_OK);
    assert_false(verdict.refold_equal);
    assert_int_equal(store_rebuild(f.store, NULL, NULL, &e), ERR_OK);
    fixture_assert_text(&f, "SELECT quantity, confirmed FROM stock", "990000|990000\n");
    line_fini(&l);
    fixture_close(&f);
}

TEST(follow__pages_short_of_the_head_are_kept_aside_and_a_copy_drops_what_it_does_not_repeat)
{
    struct fixture f;
    fixture_open(&f, ROLE_TERMINAL);
    apply(&f, "{\"type\":\"stock\",\"id\":\"oil\",\"row\":{\"quantity\":\"5\"}}", true, true, 0);
    apply(&f, "{\"type\":\"stock\",\"id\":\"tea\",\"row\":{\"quantity\":\"6\"}}", false, true, 0);
    apply(&f, "{\"type\":\"stock\",\"id\":\"oil\",\"row\":{\"quantity\":\"7\"}}", true, false, 0);
    fixture_assert_text(&f, "SELECT sku, quantity FROM stock ORDER BY sku",
                        "oil|50000\ntea|60000\n");
    apply(&f, NULL, false, true, 0);
    fixture_assert_text(&f, "SELECT sku, quantity FROM stock WHERE quantity <> 0", "oil|70000\n");
    fixture_close(&f);
}

static void assert_shown(struct fixture *f, uint64_t up_to)
{
    struct event_seen seen;
    struct uuid feed = fixture_uuid(7, 1);
    struct err e = {ERR_OK, ""};
    assert_int_equal(store_feed_seen(f->store, STR("BR1"), &seen, &e), ERR_OK);
    assert_int_equal(seen.position, up_to);
    assert_int_equal(uuid_equal(&seen.feed, &feed), up_to > 0);
}

// What is kept aside changes nothing of what is shown, nor of what its users have seen.
TEST(follow__tells_up_to_where_rows_are_shown_while_others_are_kept_aside)
{
    static const char row[] = "{\"type\":\"stock\",\"id\":\"oil\",\"row\":{\"quantity\":\"5\"}}";
    struct fixture f;
    fixture_open(&f, ROLE_TERMINAL);
    assert_shown(&f, 0);
    position = 3;
    apply(&f, row, true, false, 0);
    assert_shown(&f, 0);
    position = 5;
    apply(&f, row, false, true, 0);
    assert_shown(&f, 5);
    position = 7;
    apply(&f, row, false, false, 0);
    assert_shown(&f, 5);
    position = 2; // afresh
    apply(&f, row, true, false, 0);
    assert_shown(&f, 5);
    position = 8;
    apply(&f, NULL, false, true, 0);
    assert_shown(&f, 8);
    position = 9;
    fixture_close(&f);
}

TEST(follow__a_notice_sets_the_status_of_the_own_event)
{
    struct fixture f;
    struct line l;
    struct store_verdict verdict;
    struct err e = {ERR_OK, ""};
    char id[UUID_TEXT_SIZE], row[256];
    fixture_open(&f, ROLE_TERMINAL);
    line_init(&l, 1, "BR1");
    l.own = true;
    line_sell(&l, 1, 10, "rice", "1");
    line_sell(&l, 2, 11, "rice", "1");
    fixture_append_all(&f, &l, STATUS_PENDING);
    struct uuid uuid = fixture_uuid(3, 1);
    uuid_format(&uuid, id);
    (void)snprintf(row, sizeof row,
                   "{\"type\":\"notice\",\"id\":\"%s\",\"row\":{\"status\":\"dead_letter\","
                   "\"reason\":\"too old\"}}",
                   id);
    apply(&f, row, false, true, -20000);
    assert_int_equal(fixture_ack(&f, &l, 2, 2, 1760000000000), ERR_OK);
    fixture_assert_text(&f, "SELECT status FROM journal", "dead_letter\nsettled\n");
    fixture_assert_text(&f, "SELECT reason FROM dead_letters", "too old\n");
    assert_int_equal(fixture_verify(f.store, &f.arena, &verdict, &e), ERR_OK);
    assert_int_equal(verdict.first_problem.n, 0);
    (void)snprintf(row, sizeof row, "{\"type\":\"notice\",\"id\":\"%s\",\"row\":null}", id);
    apply(&f, row, false, true, -20000);
    fixture_assert_text(&f, "SELECT status FROM journal", "settled\nsettled\n");
    line_fini(&l);
    fixture_close(&f);
}

// Sums wrap around: a till that could not read one would take no feed any more.
TEST(follow__takes_every_sum_that_its_upstream_may_have)
{
    struct fixture f;
    fixture_open(&f, ROLE_TERMINAL);
    apply(&f,
          "{\"type\":\"stock\",\"id\":\"oil\",\"row\":{\"quantity\":\"-922337203685477.5808\"}}",
          true, true, 0);
    apply(&f, "{\"type\":\"stock\",\"id\":\"tea\",\"row\":{\"quantity\":\"922337203685477.5807\"}}",
          false, true, 0);
    fixture_assert_text(&f, "SELECT sku, quantity FROM stock ORDER BY sku",
                        "oil|-9223372036854775808\ntea|9223372036854775807\n");
    fixture_close(&f);
}

TEST(follow__a_bad_row_is_refused_and_nothing_of_its_frame_stays)
{
    struct fixture f;
    struct err e = {ERR_OK, ""};
    struct str rows[] = {STR("{\"type\":\"stock\",\"id\":\"oil\",\"row\":{\"quantity\":\"5\"}}"),
                         STR("{\"type\":\"stock\",\"id\":\"oil\",\"row\":{\"quantity\":5}}")};
    struct feed_apply frame = {.location = STR("BR1"), .rows = rows, .count = 2, .complete = true};
    fixture_open(&f, ROLE_TERMINAL);
    assert_int_equal(store_feed_apply(f.store, &frame, &e), ERR_INVALID);
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM stock"), 0);
    fixture_close(&f);
}
