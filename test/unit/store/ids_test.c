// SPDX-License-Identifier: Apache-2.0
// Ids that are not in their table yet count as much as those that are.
#include "store/sqlite/ids.h"

#include "test/unit/store/fixture.h"

#include <stdio.h>
#include <string.h>

enum { MANY_LINES = 9, LINE_EVENTS = 60 };

static size_t carriers_of(struct store *s, struct arena *a, unsigned id)
{
    struct store_event_list list;
    struct err e = {ERR_OK, ""};
    struct uuid uuid = fixture_uuid(3, id);
    if (store_find_event(s, &uuid, a, &list, &e))
        fail_msg("%s", e.text);
    return list.count;
}

// One more carrier of the id, on a stream of its own.
static enum event_status carry_again(struct fixture *f, unsigned id, unsigned origin)
{
    struct line l;
    line_init(&l, origin, "BR1");
    l.own = true;
    line_sell(&l, id, 5000, "rice", "1");
    enum event_status status = fixture_append(f, &l, 0, STATUS_PENDING);
    line_fini(&l);
    return status;
}

static void sell_each(struct fixture *f, const unsigned *ids, size_t count, unsigned origin)
{
    struct line l;
    line_init(&l, origin, "BR1");
    l.own = true;
    for (size_t i = 0; i < count; i++)
        line_sell(&l, ids[i], 10 + (unsigned)i, "rice", "1");
    fixture_append_all(f, &l, STATUS_PENDING);
    line_fini(&l);
}

// Ids first, first + 1, ...: a line each of LINE_EVENTS.
static void sell_many(struct fixture *f, unsigned first, size_t lines, unsigned origin)
{
    for (size_t n = 0; n < lines; n++) {
        unsigned ids[LINE_EVENTS];
        for (unsigned i = 0; i < LINE_EVENTS; i++)
            ids[i] = first + (unsigned)n * LINE_EVENTS + i;
        sell_each(f, ids, LINE_EVENTS, origin + (unsigned)n);
    }
}

static struct store_verdict verdict_of(struct store *s, struct arena *a)
{
    struct store_verdict verdict;
    struct err e = {ERR_OK, ""};
    if (fixture_verify(s, a, &verdict, &e))
        fail_msg("%s", e.text);
    return verdict;
}

static struct store *open_reader(const struct fixture *f)
{
    struct store *reader = NULL;
    struct store_options options = fixture_options(f);
    options.read_only = true;
    assert_int_equal(store_open(&options, &reader, NULL), ERR_OK);
    return reader;
}

TEST(ids__are_known_before_they_are_written)
{
    static const unsigned ids[] = {10, 20, 30, 40, 50};
    struct fixture f;
    fixture_open(&f, ROLE_TERMINAL);
    sell_each(&f, ids, COUNT_OF(ids), 1);
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM event_ids"), 0);
    assert_int_equal(carriers_of(f.store, &f.arena, 30), 1);
    assert_int_equal(carriers_of(f.store, &f.arena, 31), 0);
    assert_int_equal(carry_again(&f, 30, 2), STATUS_DUPLICATE);
    assert_int_equal(carriers_of(f.store, &f.arena, 30), 2);
    assert_int_equal(carry_again(&f, 60, 3), STATUS_PENDING);
    assert_int_equal(carry_again(&f, 60, 4), STATUS_DUPLICATE);
    struct store_verdict v = verdict_of(f.store, &f.arena);
    assert_int_equal(v.first_problem.n, 0);
    assert_int_equal(v.duplicates, 2);
    fixture_close(&f);
}

TEST(ids__are_found_again_after_a_crash)
{
    static const unsigned ids[] = {10, 50, 30, 20, 60, 55, 70}; // some are written at once
    struct fixture f, after, again;
    fixture_open(&f, ROLE_TERMINAL);
    sell_each(&f, ids, COUNT_OF(ids), 1);
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM event_ids"), 3);
    fixture_kill(&f, &after);
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        assert_int_equal(carriers_of(after.store, &after.arena, ids[i]), 1);
        assert_int_equal(carry_again(&after, ids[i], 10 + (unsigned)i), STATUS_DUPLICATE);
    }
    fixture_kill(&after, &again); // now all of them are written, but not up to where
    for (size_t i = 0; i < COUNT_OF(ids); i++)
        assert_int_equal(carriers_of(again.store, &again.arena, ids[i]), 2);
    assert_int_equal(verdict_of(again.store, &again.arena).first_problem.n, 0);
    fixture_close(&again);
    fixture_close(&after);
    fixture_close(&f);
}

TEST(ids__are_written_once_enough_are_behind)
{
    struct fixture f, after;
    fixture_open(&f, ROLE_TERMINAL);
    sell_many(&f, 100, 3, 1);
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM event_ids"), IDS_LATE);
    assert_int_equal(fixture_number(&f, "SELECT value FROM meta WHERE name = 'ids_until'"),
                     IDS_LATE);
    fixture_kill(&f, &after);
    assert_int_equal(carry_again(&after, 100, 20), STATUS_DUPLICATE);
    assert_int_equal(carry_again(&after, 100 + IDS_LATE, 21), STATUS_DUPLICATE);
    assert_int_equal(carry_again(&after, 100 + 3 * LINE_EVENTS - 1, 22), STATUS_DUPLICATE);
    assert_int_equal(carry_again(&after, 100 + 3 * LINE_EVENTS, 23), STATUS_PENDING);
    fixture_reopen(&after); // ends in order: all are written
    assert_int_equal(fixture_number(&after, "SELECT count(*) FROM event_ids"), 3 * LINE_EVENTS + 4);
    assert_int_equal(verdict_of(after.store, &after.arena).first_problem.n, 0);
    fixture_close(&after);
    fixture_close(&f);
}

// More in one transaction than are remembered at once.
TEST(ids__of_a_large_batch_are_all_found)
{
    struct fixture f;
    fixture_open(&f, ROLE_CENTRAL);
    assert_int_equal(store_begin(f.store, NULL), ERR_OK);
    for (unsigned n = 0; n < MANY_LINES; n++) {
        struct line l;
        line_init(&l, 1 + n, "BR1");
        for (unsigned i = 0; i < LINE_EVENTS; i++) {
            enum event_status status = STATUS_PENDING;
            line_sell(&l, 1000 + n * LINE_EVENTS + i, 10, "rice", "1");
            assert_int_equal(fixture_try(&f, &l, i, STATUS_SETTLED, &status, NULL), ERR_OK);
            assert_int_equal(status, STATUS_SETTLED);
        }
        line_fini(&l);
    }
    assert_int_equal(carriers_of(f.store, &f.arena, 1000), 1);
    assert_int_equal(carriers_of(f.store, &f.arena, 1000 + MANY_LINES * LINE_EVENTS - 1), 1);
    assert_int_equal(store_commit(f.store, NULL), ERR_OK);
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM event_ids"),
                     MANY_LINES * LINE_EVENTS);
    assert_int_equal(verdict_of(f.store, &f.arena).first_problem.n, 0);
    fixture_close(&f);
}

TEST(ids__of_a_transaction_that_was_rolled_back_are_free_again)
{
    static const unsigned ids[] = {10, 20, 30};
    struct fixture f;
    struct line l;
    enum event_status status;
    fixture_open(&f, ROLE_TERMINAL);
    sell_each(&f, ids, COUNT_OF(ids), 1);
    line_init(&l, 2, "BR1");
    l.own = true;
    line_sell(&l, 40, 100, "rice", "1");
    line_sell(&l, 30, 101, "rice", "1"); // has the late ones written, and taken back again
    assert_int_equal(store_begin(f.store, NULL), ERR_OK);
    assert_int_equal(fixture_try(&f, &l, 0, STATUS_PENDING, &status, NULL), ERR_OK);
    assert_int_equal(fixture_try(&f, &l, 1, STATUS_PENDING, &status, NULL), ERR_OK);
    assert_int_equal(status, STATUS_DUPLICATE);
    store_rollback(f.store);
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM event_ids"), 0);
    assert_int_equal(carriers_of(f.store, &f.arena, 40), 0);
    assert_int_equal(carry_again(&f, 40, 3), STATUS_PENDING);
    assert_int_equal(carry_again(&f, 10, 4), STATUS_DUPLICATE);
    assert_int_equal(carry_again(&f, 30, 5), STATUS_DUPLICATE);
    assert_int_equal(verdict_of(f.store, &f.arena).first_problem.n, 0);
    line_fini(&l);
    fixture_close(&f);
}

// Their first key is their time and counter: these two differ in what is behind it only.
static void add_twin(struct line *l, unsigned kind)
{
    char id[UUID_TEXT_SIZE], origin[UUID_TEXT_SIZE], bytes[512];
    struct uuid twin = fixture_uuid(kind, 7);
    uuid_format(&twin, id);
    uuid_format(&l->key.origin, origin);
    (void)snprintf(bytes, sizeof bytes,
                   "{\"v\":1,\"id\":\"%s\",\"origin\":\"%s\",\"lane\":\"critical\",\"seq\":%d,"
                   "\"location\":\"BR1\",\"type\":\"inventory_sold\","
                   "\"record\":{\"type\":\"stock\",\"id\":\"rice\"},\"at\":1760000000000,"
                   "\"hlc\":\"0199c774c4000%03x\",\"body\":{\"sku\":\"rice\",\"quantity\":\"1\"}}",
                   id, origin, (int)l->count + 1, (unsigned)l->count);
    line_add_bytes(l, bytes);
}

TEST(ids__of_one_moment_are_told_apart)
{
    for (int killed = 0; killed < 2; killed++) {
        struct fixture f, after;
        struct line l;
        fixture_open(&f, ROLE_TERMINAL);
        line_init(&l, 1, "BR1");
        l.own = true;
        add_twin(&l, 3);
        add_twin(&l, 4);
        add_twin(&l, 4);
        add_twin(&l, 3);
        assert_int_equal(fixture_append(&f, &l, 0, STATUS_PENDING), STATUS_PENDING);
        if (killed)
            fixture_kill(&f, &after);
        struct fixture *at = killed ? &after : &f;
        assert_int_equal(fixture_append(at, &l, 1, STATUS_PENDING), STATUS_PENDING);
        assert_int_equal(fixture_append(at, &l, 2, STATUS_PENDING), STATUS_DUPLICATE);
        assert_int_equal(fixture_append(at, &l, 3, STATUS_PENDING), STATUS_DUPLICATE);
        assert_int_equal(verdict_of(at->store, &at->arena).first_problem.n, 0);
        if (killed)
            fixture_close(&after);
        line_fini(&l);
        fixture_close(&f);
    }
}

TEST(ids__not_written_yet_are_found_by_readers)
{
    struct fixture f;
    fixture_open(&f, ROLE_TERMINAL);
    struct store *reader = open_reader(&f);
    assert_int_equal(carriers_of(reader, &f.arena, 100), 0);
    sell_many(&f, 100, 2, 1);
    assert_int_equal(carriers_of(reader, &f.arena, 100), 1);
    assert_int_equal(carriers_of(reader, &f.arena, 100 + 2 * LINE_EVENTS - 1), 1);
    assert_int_equal(verdict_of(reader, &f.arena).first_problem.n, 0);
    sell_many(&f, 100 + 2 * LINE_EVENTS, 2, 3);
    assert_int_equal(carriers_of(reader, &f.arena, 100), 1);
    assert_int_equal(carriers_of(reader, &f.arena, 100 + 4 * LINE_EVENTS - 1), 1);
    assert_int_equal(carriers_of(reader, &f.arena, 100 + 4 * LINE_EVENTS), 0);
    assert_int_equal(verdict_of(reader, &f.arena).first_problem.n, 0);
    fixture_sql(&f, "DELETE FROM event_ids WHERE lsn = 5");
    assert_int_not_equal(verdict_of(reader, &f.arena).first_problem.n, 0);
    store_close(reader);
    fixture_close(&f);
}

// A row far behind that gets its id only now would not be looked at after a crash.
TEST(ids__of_rows_far_behind_are_written_at_once)
{
    struct fixture f, after;
    struct line l, readable;
    char sql[1024];
    uint64_t folded = 0, left = 0;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 1, "BR1");
    line_init(&readable, 1, "BR1");
    line_add_bytes(&l, "{}");
    line_sell(&readable, 9000, 10, "rice", "1");
    assert_int_equal(fixture_append(&f, &l, 0, STATUS_SETTLED), STATUS_DEAD_LETTER);
    sell_many(&f, 100, 3, 2);
    (void)snprintf(sql, sizeof sql,
                   "UPDATE events SET rest = '%s' WHERE lsn = 1; UPDATE dead SET given = 0",
                   readable.bytes[0]);
    fixture_sql(&f, sql);
    assert_int_equal(store_dead_letters_retry(f.store, &folded, &left, NULL), ERR_OK);
    assert_int_equal(folded, 1);
    fixture_kill(&f, &after);
    assert_int_equal(carry_again(&after, 9000, 20), STATUS_DUPLICATE);
    line_fini(&readable);
    line_fini(&l);
    fixture_close(&after);
    fixture_close(&f);
}
