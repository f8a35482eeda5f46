// SPDX-License-Identifier: Apache-2.0
// What an author of a place had not seen.
#include "test/unit/store/fixture.h"

#include <stdio.h>
#include <string.h>

static struct err e;

static void must(enum err_code code)
{
    if (code)
        fail_msg("%s: %s", err_name(code), err_message(&e));
}

// Two devices of one place and one of another, whose events come by turns.
struct place {
    struct fixture f;
    struct line a, b, other;
};

static void open_place(struct place *p)
{
    fixture_open(&p->f, ROLE_CENTRAL);
    line_init(&p->a, 1, "BR1");
    line_init(&p->b, 2, "BR1");
    line_init(&p->other, 3, "BR2");
    for (unsigned i = 0; i < 8; i++) {
        line_sell(&p->a, 10 + i, 10 + i, i % 2 ? "rice" : "oil", "1");
        line_sell(&p->b, 20 + i, 10 + i, "rice", "2");
        line_sell(&p->other, 30 + i, 10 + i, "rice", "4");
    }
}

static void close_place(struct place *p)
{
    line_fini(&p->a);
    line_fini(&p->b);
    line_fini(&p->other);
    fixture_close(&p->f);
}

static void come(struct place *p, const struct line *l, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        (void)fixture_append(&p->f, l, i, STATUS_SETTLED);
}

// What moved of a SKU behind a row, in whole units; and how many events that were.
static int moved(struct place *p, int64_t after, const char *sku, int *ret_events, bool *ret_whole)
{
    struct store_moves moves;
    int64_t sum = 0;
    must(store_moves_after(p->f.store, STR("BR1"), after, &p->f.arena, &moves, &e));
    *ret_events = 0;
    for (size_t i = 0; i < moves.count; i++) {
        assert_true(moves.items[i].lsn > after);
        *ret_events += str_is(moves.items[i].sku, sku);
        sum += str_is(moves.items[i].sku, sku) ? moves.items[i].move.delta : 0;
    }
    *ret_whole = moves.whole;
    return (int)(sum / 10000);
}

TEST(seen__finds_what_moved_at_the_place_behind_each_row)
{
    struct place p;
    int rice[64] = {0}, events[64] = {0}, count = 0;
    bool whole = false;
    open_place(&p);
    for (size_t i = 0; i < 8; i += 2) { // pieces of two rows, by turns
        come(&p, &p.a, i, i + 2);
        come(&p, &p.other, i, i + 2);
        come(&p, &p.b, i, i + 2);
    }
    for (int lsn = 24; lsn-- > 0;) { // row lsn + 1 is one of a, a, other, other, b, b
        int in_turn = lsn % 6;
        bool counts = in_turn == 1 || in_turn >= 4;
        rice[lsn] = rice[lsn + 1] - (counts ? in_turn == 1 ? 1 : 2 : 0);
        events[lsn] = events[lsn + 1] + counts;
    }
    for (int lsn = 0; lsn <= 24; lsn++) {
        assert_int_equal(moved(&p, lsn, "rice", &count, &whole), rice[lsn]);
        assert_int_equal(count, events[lsn]);
        assert_true(whole);
    }
    close_place(&p);
}

TEST(seen__leaves_out_what_does_not_count)
{
    struct place p;
    struct line again;
    int count = 0;
    bool whole = false;
    open_place(&p);
    come(&p, &p.a, 0, 2);
    line_init(&again, 4, "BR1");
    line_sell(&again, 11, 99, "rice", "1"); // another carrier of an id that came
    line_add(&again, &(struct draft){50, 100, "inventory_sold", "rice", "{\"sku\":\"rice\"}"});
    come(&p, &again, 0, 2);
    assert_int_equal(moved(&p, 2, "rice", &count, &whole), 0);
    assert_int_equal(count, 0);
    line_fini(&again);
    close_place(&p);
}

TEST(seen__cannot_tell_where_effects_were_turned)
{
    struct place p;
    struct line centre;
    int count = 0;
    bool whole = false;
    char body[160], target[UUID_TEXT_SIZE];
    struct uuid id = fixture_uuid(1, 7);
    uuid_format(&id, target);
    (void)snprintf(body, sizeof body,
                   "{\"target\":\"%s\",\"outcome\":\"duplicate\",\"reason\":\"completed_twice\","
                   "\"term\":0}",
                   target);
    open_place(&p);
    line_init(&centre, 5, "BR1");
    line_add(&centre, &(struct draft){60, 60, "event_judged", "O1", body, "order"});
    come(&p, &p.a, 0, 2);
    (void)moved(&p, 0, "rice", &count, &whole);
    assert_true(whole);
    come(&p, &centre, 0, 1);
    (void)moved(&p, 0, "rice", &count, &whole);
    assert_false(whole);
    (void)moved(&p, 3, "rice", &count, &whole);
    assert_true(whole); // it is not behind that row
    line_fini(&centre);
    close_place(&p);
}

static void come_many(struct place *p, unsigned count)
{
    for (unsigned done = 0; done < count;) {
        struct line l;
        line_init(&l, 100 + done, "BR1");
        for (unsigned i = 0; i < LINE_MAX_EVENTS && done < count; i++, done++)
            line_sell(&l, 100 + done, 100 + done, "rice", "1");
        fixture_append_all(&p->f, &l, STATUS_SETTLED);
        line_fini(&l);
    }
}

TEST(seen__goes_through_so_many_rows_and_no_further)
{
    struct place p;
    int count = 0;
    bool whole = true;
    open_place(&p);
    come(&p, &p.b, 0, 8);
    come_many(&p, LIMIT_SEEN_ROWS + 1);
    (void)moved(&p, 8, "rice", &count, &whole);
    assert_false(whole);
    (void)moved(&p, 9, "rice", &count, &whole);
    assert_true(whole);
    assert_int_equal(count, LIMIT_SEEN_ROWS);
    close_place(&p);
}

// ---- positions --------------------------------------------------------------------------------

static int64_t lsn_of(struct place *p, const struct event_seen *seen)
{
    int64_t lsn = 0;
    must(store_seen_lsn(p->f.store, STR("BR1"), seen, &lsn, &e));
    return lsn;
}

TEST(seen__knows_which_row_each_position_of_the_feed_included)
{
    struct place p;
    struct feed_cursor head;
    struct event_seen none, at[4] = {{{{0}}, 0}};
    open_place(&p);
    must(store_feed_seen(p.f.store, STR("BR1"), &none, &e));
    assert_true(uuid_is_zero(&none.feed)); // nobody is told yet
    must(store_feed_head(p.f.store, STR("BR1"), &head, &e));
    for (size_t i = 0; i < 4; i++) {
        must(store_feed_seen(p.f.store, STR("BR1"), &at[i], &e));
        assert_true(uuid_equal(&at[i].feed, &head.feed));
        come(&p, &p.other, i, i + 1);
        come(&p, &p.a, i, i + 1);
    }
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(at[i].position, i);
        assert_int_equal(lsn_of(&p, &at[i]), 2 * i);
    }
    at[3].position = 5; // there is none yet
    assert_int_equal(lsn_of(&p, &at[3]), -1);
    at[2].feed.b[15] ^= 1;
    assert_int_equal(lsn_of(&p, &at[2]), -1);
    fixture_sql(&p.f, "UPDATE feed_rows SET lsn = NULL"); // of before this was written down
    assert_int_equal(lsn_of(&p, &at[1]), -1);
    close_place(&p);
}

// ---- counts -----------------------------------------------------------------------------------

static void count_at(struct place *p, unsigned event, unsigned ms)
{
    struct store_counted counted = {.sku = STR("rice"),
                                    .event = fixture_uuid(1, event),
                                    .record_id = STR("rice"),
                                    .order = {.hlc = ms, .seq = event},
                                    .shown = 50};
    must(store_counted_put(p->f.store, STR("BR1"), &counted, &e));
}

TEST(seen__keeps_the_newest_count_of_each_sku)
{
    struct place p;
    struct store_counted found = {.sku = STR("rice")}, none = {.sku = STR("oil")};
    hlc newest = 1;
    open_place(&p);
    must(store_counted_newest(p.f.store, STR("BR1"), &newest, &e));
    assert_int_equal(newest, 0);
    count_at(&p, 1, 100);
    count_at(&p, 2, 90);
    must(store_counted_find(p.f.store, STR("BR1"), &p.f.arena, &found, &e));
    assert_true(found.order.hlc == 100 && found.order.seq == 1 && found.shown == 50);
    count_at(&p, 3, 110);
    must(store_counted_find(p.f.store, STR("BR1"), &p.f.arena, &found, &e));
    struct uuid third = fixture_uuid(1, 3);
    assert_true(uuid_equal(&found.event, &third));
    must(store_counted_newest(p.f.store, STR("BR1"), &newest, &e));
    assert_int_equal(newest, 110);
    must(store_counted_find(p.f.store, STR("BR1"), &p.f.arena, &none, &e));
    assert_true(uuid_is_zero(&none.event));
    must(store_counted_newest(p.f.store, STR("BR2"), &newest, &e));
    assert_int_equal(newest, 0);
    close_place(&p);
}
