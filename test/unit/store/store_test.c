// SPDX-License-Identifier: Apache-2.0
// Opening, marks, reading, feeds, limits.
#include "base/clock.h"
#include "store/sqlite/migrate.h"
#include "test/unit/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

// ---- opening ----------------------------------------------------------------------------------

TEST(store__a_second_writer_is_told_who_has_the_store)
{
    struct fixture f;
    struct store *other = NULL;
    struct err e = {ERR_OK, ""};
    char pid[32];
    fixture_open(&f, ROLE_TERMINAL);
    struct store_options options = fixture_options(&f);
    assert_int_equal(store_open(&options, &other, &e), ERR_LOCKED);
    (void)snprintf(pid, sizeof pid, "process %ld", (long)getpid());
    assert_non_null(strstr(e.text, pid));
    store_close(f.store);
    f.store = NULL;
    assert_int_equal(store_open(&options, &f.store, &e), ERR_OK);
    fixture_close(&f);
}

TEST(store__creating_twice_or_opening_nothing_is_refused)
{
    struct fixture f;
    struct store *other = NULL;
    struct err e = {ERR_OK, ""};
    fixture_open(&f, ROLE_BRANCH);
    assert_int_equal(store_role(f.store), ROLE_BRANCH);
    store_close(f.store);
    f.store = NULL;
    struct store_options options = fixture_options(&f);
    options.create = true;
    assert_int_equal(store_open(&options, &other, &e), ERR_EXISTS);
    options = (struct store_options){.dir = "/nonexistent/wasl"};
    assert_int_equal(store_open(&options, &other, &e), ERR_NOT_FOUND);
    options.read_only = true;
    assert_int_equal(store_open(&options, &other, &e), ERR_NOT_FOUND);
    fixture_close(&f);
}

TEST(store__a_newer_schema_is_refused)
{
    struct fixture f;
    struct err e = {ERR_OK, ""};
    fixture_open(&f, ROLE_TERMINAL);
    store_close(f.store);
    f.store = NULL;
    fixture_sql(&f, "INSERT INTO schema_version VALUES (9999, 'later', 0)");
    struct store_options options = fixture_options(&f);
    assert_int_equal(store_open(&options, &f.store, &e), ERR_NEWER);
    options.read_only = true;
    assert_int_equal(store_open(&options, &f.store, &e), ERR_NEWER);
    fixture_close(&f);
}

// Each migration is tried on what the one before left.
TEST(store__an_older_schema_is_brought_up_to_date)
{
    for (int version = 1; version < migration_count; version++) {
        struct fixture f;
        struct db db;
        struct err e = {ERR_OK, ""};
        char path[128];
        fixture_open(&f, ROLE_CENTRAL);
        char *fresh = fixture_text(&f, "SELECT sql FROM sqlite_schema ORDER BY type, name");
        store_close(f.store);
        f.store = NULL;
        (void)snprintf(path, sizeof path, "%s/wasl.db", f.dir);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(db_open(&db, path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &e), 0);
        assert_int_equal(migrate_run(&db, version, &e), ERR_OK);
        db_close(&db);
        fixture_sql(&f, "INSERT INTO meta VALUES ('role', 'central'), ('salt',"
                        " '00000000000000000000000000000000000000000000000000000000000000ff')");
        struct store_options options = fixture_options(&f);
        options.read_only = true;
        assert_int_equal(store_open(&options, &f.store, &e), ERR_INVALID);
        options.read_only = false;
        if (store_open(&options, &f.store, &e))
            fail_msg("%s", e.text);
        char *upgraded = fixture_text(&f, "SELECT sql FROM sqlite_schema ORDER BY type, name");
        assert_string_equal(fresh, upgraded);
        assert_int_equal(fixture_number(&f, "SELECT count(*) FROM schema_version"),
                         migration_count);
        free(fresh);
        free(upgraded);
        fixture_close(&f);
    }
}

// 0030: what places kept stock of before there was a table of it.
TEST(store__what_stock_places_kept_is_found_in_their_events_when_a_store_is_upgraded)
{
    struct fixture f;
    struct line l;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 1, "BR1");
    line_ticket(&l, 1, 10, "T-1", "rice");
    line_add(&l, &(struct draft){2, 20, "inventory_received", "tea",
                                 "{\"sku\":\"tea\",\"quantity\":\"4\"}", NULL});
    line_add(&l,
             &(struct draft){3, 30, "inventory_wasted", "cake",
                             "{\"sku\":\"cake\",\"quantity\":\"1\",\"reason\":\"expired\"}", NULL});
    line_add(&l, &(struct draft){4, 40, "inventory_sold", "soup",
                                 "{\"sku\":\"soup\",\"quantity\":\"1\"}", NULL});
    fixture_append_all(&f, &l, STATUS_SETTLED);
    fixture_sql(&f, "DELETE FROM kept_stock");
    fixture_sql(&f, "DROP INDEX settings_set");
    fixture_sql(&f, "ALTER TABLE feed_cursors DROP COLUMN shown_feed");
    fixture_sql(&f, "ALTER TABLE feed_cursors DROP COLUMN shown");
    fixture_sql(&f, "DROP TABLE own_prices");
    fixture_sql(&f, "ALTER TABLE catalog_item_rows DROP COLUMN priced");
    fixture_sql(&f, "ALTER TABLE catalog_price_rows DROP COLUMN priced");
    fixture_sql(&f, "DROP TABLE carried_seals");
    fixture_sql(&f, "DELETE FROM schema_version WHERE version >= 30");
    fixture_reopen(&f);
    fixture_assert_text(&f, "SELECT location, sku FROM kept_stock", "BR1|cake\nBR1|tea\n");
    line_fini(&l);
    fixture_close(&f);
}

static int64_t log_bytes(const struct fixture *f)
{
    char path[128];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s/wasl.db-wal", f->dir);
    return stat(path, &st) == 0 ? st.st_size : -1;
}

// A process that is killed then leaves all it committed, and what comes after goes on from there.
TEST(store__a_device_makes_its_log_longer_ahead_and_loses_nothing)
{
    struct fixture f, after;
    struct line l;
    fixture_open(&f, ROLE_TERMINAL);
    line_init(&l, 1, "BR1");
    l.own = true;
    for (unsigned i = 0; i < 12; i++)
        line_ticket(&l, i, 10 + i, "T-1", "rice");
    for (size_t i = 0; i < 4; i++)
        (void)fixture_append(&f, &l, i, STATUS_PENDING);
    store_lengthen_log(f.store);
    int64_t bytes = log_bytes(&f);
    assert_true(bytes > 4 * 1024 * 1024);
    for (size_t i = 4; i < 8; i++)
        (void)fixture_append(&f, &l, i, STATUS_PENDING);
    assert_int_equal(log_bytes(&f), bytes);
    fixture_kill(&f, &after);
    for (size_t i = 8; i < 12; i++)
        (void)fixture_append(&after, &l, i, STATUS_PENDING);
    fixture_assert_text(&after, "SELECT count(*), max(seq) FROM journal", "12|12\n");
    line_fini(&l);
    fixture_close(&after);
    fixture_close(&f);
}

TEST(store__a_centre_leaves_its_log_as_it_is)
{
    struct fixture f;
    fixture_open(&f, ROLE_CENTRAL);
    int64_t bytes = log_bytes(&f);
    store_lengthen_log(f.store);
    assert_int_equal(log_bytes(&f), bytes);
    fixture_close(&f);
}

TEST(store__a_damaged_file_is_said_to_be_damaged)
{
    struct fixture f;
    struct err e = {ERR_OK, ""};
    char path[128];
    fixture_open(&f, ROLE_TERMINAL);
    store_close(f.store);
    f.store = NULL;
    (void)snprintf(path, sizeof path, "%s/wasl.db", f.dir);
    FILE *file = fopen(path, "r+");
    assert_non_null(file);
    (void)fputs("this is no database at all", file);
    (void)fclose(file);
    struct store_options options = fixture_options(&f);
    assert_int_equal(store_open(&options, &f.store, &e), ERR_DAMAGED);
    fixture_close(&f);
}

TEST(store__a_reader_beside_the_writer_sees_commits_and_cannot_write)
{
    struct fixture f;
    struct line l;
    struct store *reader = NULL;
    struct store_counts counts;
    struct stream_info info;
    struct err e = {ERR_OK, ""};
    fixture_open(&f, ROLE_TERMINAL);
    line_init(&l, 1, "BR1");
    l.own = true;
    for (unsigned i = 0; i < 5; i++)
        line_sell(&l, i, 10 + i, "rice", "1");
    fixture_append_all(&f, &l, STATUS_PENDING);
    struct store_options options = fixture_options(&f);
    options.read_only = true;
    assert_int_equal(store_open(&options, &reader, &e), ERR_OK);
    assert_int_equal(store_counts(reader, &counts, &e), ERR_OK);
    assert_int_equal(counts.pending[LANE_CRITICAL], 5);
    assert_int_equal(store_stream_find(reader, &l.key, &info), ERR_OK);
    assert_true(mark_equal(&info.head, &l.head));
    assert_int_equal(store_begin(reader, &e), ERR_READ_ONLY);
    assert_int_equal(store_meta_set(reader, "x", STR("y"), &e), ERR_READ_ONLY);
    // All settled, then one more: its head is not yet in the table of streams.
    assert_int_equal(fixture_ack(&f, &l, 5, 5, 1760000000000), ERR_OK);
    line_sell(&l, 6, 30, "rice", "1");
    (void)fixture_append(&f, &l, 5, STATUS_PENDING);
    assert_int_equal(store_counts(reader, &counts, &e), ERR_OK);
    assert_int_equal(counts.pending[LANE_CRITICAL], 1);
    assert_int_equal(counts.settled[LANE_CRITICAL], 5);
    assert_true(counts.oldest_pending_at > 0);
    store_close(reader);
    fixture_assert_text(&f, "SELECT pending_events FROM branch_sync_status", "1\n");
    line_fini(&l);
    fixture_close(&f);
}

TEST(store__facts_about_the_node_are_kept)
{
    struct fixture f;
    struct str value;
    struct err e = {ERR_OK, ""};
    fixture_open(&f, ROLE_TERMINAL);
    assert_int_equal(store_meta_get(f.store, "chain", &f.arena, &value, &e), ERR_NOT_FOUND);
    assert_int_equal(store_meta_set(f.store, "chain", STR("one"), &e), ERR_OK);
    assert_int_equal(store_meta_set(f.store, "chain", STR("two"), &e), ERR_OK);
    fixture_reopen(&f);
    assert_int_equal(store_meta_get(f.store, "chain", &f.arena, &value, &e), ERR_OK);
    assert_true(str_is(value, "two"));
    fixture_close(&f);
}

// ---- transactions -----------------------------------------------------------------------------

TEST(store__a_rolled_back_transaction_leaves_nothing)
{
    struct fixture f;
    struct line l;
    struct stream_info info;
    enum event_status status;
    struct err e = {ERR_OK, ""};
    fixture_open(&f, ROLE_TERMINAL);
    line_init(&l, 1, "BR1");
    line_sell(&l, 1, 10, "rice", "1");
    line_ticket(&l, 2, 20, "T-1", "oil");
    (void)fixture_append(&f, &l, 0, STATUS_PENDING);
    char *before = fixture_canonical(&f);
    assert_int_equal(store_begin(f.store, &e), ERR_OK);
    assert_int_equal(fixture_try(&f, &l, 1, STATUS_PENDING, &status, &e), ERR_OK);
    store_rollback(f.store);
    char *after = fixture_canonical(&f);
    assert_string_equal(before, after);
    free(before);
    free(after);
    assert_int_equal(store_stream_find(f.store, &l.key, &info), ERR_OK);
    assert_true(mark_equal(&info.head, &l.marks[0]));
    assert_int_equal(fixture_append(&f, &l, 1, STATUS_PENDING), STATUS_PENDING);
    fixture_assert_text(&f, "SELECT sku, quantity FROM stock ORDER BY sku",
                        "bread|-10000\noil|-20000\nrice|-10000\n");
    line_fini(&l);
    fixture_close(&f);
}

TEST(store__a_gap_in_a_stream_is_refused)
{
    struct fixture f;
    struct line l;
    enum event_status status;
    struct err e = {ERR_OK, ""};
    fixture_open(&f, ROLE_TERMINAL);
    line_init(&l, 1, "BR1");
    for (unsigned i = 0; i < 3; i++)
        line_sell(&l, i, 10 + i, "rice", "1");
    (void)fixture_append(&f, &l, 0, STATUS_PENDING);
    assert_int_equal(fixture_try(&f, &l, 2, STATUS_PENDING, &status, &e), ERR_INVALID);
    assert_int_equal(fixture_try(&f, &l, 0, STATUS_PENDING, &status, &e), ERR_INVALID);
    line_fini(&l);
    fixture_close(&f);
}

// Heads are written late: a process that dies is one that never wrote them.
TEST(store__heads_are_found_again_after_a_crash)
{
    struct fixture f, copy;
    struct line l, other;
    struct stream_info info;
    fixture_open(&f, ROLE_TERMINAL);
    line_init(&l, 1, "BR1");
    line_init(&other, 2, "BR1");
    l.own = other.own = true;
    for (unsigned i = 0; i < 20; i++)
        line_sell(i % 7 == 3 ? &other : &l, i, 10 + i, "rice", "1");
    for (size_t i = 0, n = 0; i < l.count; i++) {
        (void)fixture_append(&f, &l, i, STATUS_PENDING);
        if (i % 6 == 3 && n < other.count)
            (void)fixture_append(&f, &other, n++, STATUS_PENDING);
    }
    assert_true(fixture_number(&f, "SELECT head_seq < 17 FROM streams WHERE number = 1"));
    fixture_kill(&f, &copy);
    assert_int_equal(store_stream_find(copy.store, &l.key, &info), ERR_OK);
    assert_true(mark_equal(&info.head, &l.head));
    line_sell(&l, 100, 500, "oil", "1");
    assert_int_equal(fixture_append(&copy, &l, l.count - 1, STATUS_PENDING), STATUS_PENDING);
    struct store_verdict verdict;
    assert_int_equal(fixture_verify(copy.store, &f.arena, &verdict, NULL), ERR_OK);
    assert_int_equal(verdict.first_problem.n, 0);
    line_fini(&l);
    line_fini(&other);
    fixture_close(&copy);
    fixture_close(&f);
}

TEST(store__a_full_quota_loses_nothing_and_the_store_stays_usable)
{
    struct fixture f;
    struct err e = {ERR_OK, ""};
    enum event_status status;
    char bytes[200 * 1024];
    fixture_open(&f, ROLE_TERMINAL);
    store_close(f.store);
    struct store_options options = fixture_options(&f);
    int64_t empty = fixture_number(
        &f, "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()");
    options.max_bytes = empty + 1024 * 1024;
    assert_int_equal(store_open(&options, &f.store, &e), ERR_OK);
    struct line l;
    line_init(&l, 1, "BR1");
    memset(bytes, 'x', sizeof bytes - 1);
    bytes[sizeof bytes - 1] = '\0';
    for (int i = 0; i < 20; i++)
        line_add_bytes(&l, bytes);
    size_t kept = 0;
    enum err_code code = ERR_OK;
    while (code == ERR_OK && kept < l.count) {
        assert_int_equal(store_begin(f.store, &e), ERR_OK);
        code = fixture_try(&f, &l, kept, STATUS_PENDING, &status, &e);
        if (code == ERR_OK)
            code = store_commit(f.store, &e);
        else
            store_rollback(f.store);
        kept += code == ERR_OK;
    }
    assert_int_equal(code, ERR_DISK_FULL);
    assert_true(kept > 1 && kept < 6);
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM journal"), (int64_t)kept);
    options.max_bytes = 0;
    store_close(f.store);
    assert_int_equal(store_open(&options, &f.store, &e), ERR_OK);
    (void)fixture_append(&f, &l, kept, STATUS_PENDING);
    struct store_verdict verdict;
    assert_int_equal(fixture_verify(f.store, &f.arena, &verdict, &e), ERR_OK);
    assert_int_equal(verdict.first_problem.n, 0);
    line_fini(&l);
    fixture_close(&f);
}

// ---- marks and status -------------------------------------------------------------------------

TEST(store__status_of_rows_and_tickets_follows_the_marks)
{
    struct fixture f;
    struct line l;
    struct store_counts counts;
    struct stream_info info;
    struct err e = {ERR_OK, ""};
    size_t count = 0;
    fixture_open(&f, ROLE_TERMINAL);
    line_init(&l, 1, "BR1");
    l.own = true;
    line_add(&l, &(struct draft){50, 5, "run_started", "018bcfe5-6880-7000-8000-000000000001",
                                 "{\"device\":\"018bcfe5-6880-7000-8000-000000000001\","
                                 "\"run\":\"018bcfe5-6880-7000-8000-000000000002\","
                                 "\"software\":\"1\",\"previous\":[]}"});
    for (unsigned i = 1; i < 6; i++)
        line_ticket(&l, i, 10 + i, (const char *[]){"", "A", "B", "C", "D", "A"}[i], "rice");
    fixture_append_all(&f, &l, STATUS_PENDING);
    assert_int_equal(store_streams_unsettled(f.store, &info, 1, &count, &e), ERR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(fixture_ack(&f, &l, 4, 2, 1760000009000), ERR_OK);
    fixture_assert_text(&f, "SELECT group_concat(status) FROM (SELECT status FROM journal)",
                        "settled,settled,held,held,pending,conflict\n");
    fixture_assert_text(&f, "SELECT id, sync_status FROM tickets ORDER BY id",
                        "A|settled\nB|held\nC|held\nD|pending\n");
    fixture_assert_text(&f, "SELECT seq, synced_at FROM journal WHERE synced_at IS NOT NULL",
                        "1|1760000009000\n2|1760000009000\n3|1760000009000\n4|1760000009000\n");
    assert_int_equal(store_counts(f.store, &counts, &e), ERR_OK);
    assert_int_equal(counts.pending[LANE_CRITICAL], 2);
    assert_int_equal(counts.held[LANE_CRITICAL], 2);
    assert_int_equal(counts.settled[LANE_CRITICAL], 1); // run_started is not counted
    assert_int_equal(counts.conflicts, 1);
    assert_int_equal(counts.last_sync_at, 1760000009000);
    assert_true(counts.oldest_pending_at > 0);
    // Never down, and not beyond the head.
    assert_int_equal(fixture_ack(&f, &l, 1, 1, 1760000009001), ERR_OK);
    assert_int_equal(fixture_ack(&f, &l, 7, 7, 0), ERR_INVALID);
    assert_int_equal(store_stream_find(f.store, &l.key, &info), ERR_OK);
    assert_true(mark_equal(&info.held, &l.marks[3]) && mark_equal(&info.settled, &l.marks[1]));
    // The upstream was restored and lost most of it.
    assert_int_equal(store_stream_lost(f.store, &l.key, 1, 1, &e), ERR_OK);
    fixture_assert_text(&f, "SELECT group_concat(status) FROM (SELECT status FROM journal)",
                        "settled,pending,pending,pending,pending,conflict\n");
    assert_int_equal(fixture_ack(&f, &l, 0, 6, 1760000009002), ERR_OK);
    assert_int_equal(store_streams_unsettled(f.store, &info, 1, &count, &e), ERR_OK);
    assert_int_equal(count, 0);
    assert_int_equal(store_stream_find(f.store, &l.key, &info), ERR_OK);
    assert_true(mark_equal(&info.held, &l.head)); // what is settled is held
    line_fini(&l);
    fixture_close(&f);
}

TEST(store__streams_are_read_in_order_within_limits)
{
    struct fixture f;
    struct line a, b;
    struct store_event_list list;
    struct hash hash;
    struct err e = {ERR_OK, ""};
    fixture_open(&f, ROLE_BRANCH);
    struct store_page five = {5, SIZE_MAX, &f.arena}, small = {5, 10, &f.arena};
    struct store_page all = {100, SIZE_MAX, &f.arena};
    line_init(&a, 1, "BR1");
    line_init(&b, 2, "BR2");
    for (unsigned i = 0; i < 12; i++)
        line_sell(i % 3 ? &a : &b, i, 10 + i, "rice", "1");
    for (size_t i = 0; i < a.count; i++) {
        (void)fixture_append(&f, &a, i, STATUS_HELD);
        if (i < b.count)
            (void)fixture_append(&f, &b, i, STATUS_HELD);
    }
    assert_int_equal(store_read_stream(f.store, &a.key, 2, &five, &list, &e), ERR_OK);
    assert_int_equal(list.count, 5);
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(list.items[i].seq, 3 + i);
        assert_true(str_is(list.items[i].bytes, a.bytes[2 + i]));
        assert_true(hash_equal(&list.items[i].chain, &a.marks[2 + i].hash));
        assert_int_equal(list.items[i].status, STATUS_HELD);
    }
    // One event at least, however large.
    assert_int_equal(store_read_stream(f.store, &a.key, 0, &small, &list, &e), ERR_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(store_read_journal(f.store, 3, &all, &list, &e), ERR_OK);
    assert_int_equal(list.count, 9);
    assert_int_equal(list.items[0].lsn, 4);
    struct uuid id = fixture_uuid(3, 4);
    assert_int_equal(store_find_event(f.store, &id, &f.arena, &list, &e), ERR_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(store_chain_at(f.store, &a.key, 3, &hash, &e), ERR_OK);
    assert_true(hash_equal(&hash, &a.marks[2].hash));
    assert_int_equal(store_chain_at(f.store, &a.key, 99, &hash, &e), ERR_NOT_FOUND);
    line_fini(&a);
    line_fini(&b);
    fixture_close(&f);
}

TEST(store__bytes_survive_whatever_they_are)
{
    struct fixture f;
    struct store_event_list list;
    struct stream_info info = {.key = {fixture_uuid(1, 1), LANE_NORMAL}, .location = "BR1"};
    static const char bytes[] = "{\"a\":\0 \xff\xfe \"not json";
    struct err e = {ERR_OK, ""};
    fixture_open(&f, ROLE_CENTRAL);
    struct store_page one = {1, 100, &f.arena};
    assert_int_equal(store_stream_add(f.store, &info, &e), ERR_OK);
    assert_int_equal(store_stream_add(f.store, &info, &e), ERR_EXISTS);
    struct store_entry entry = {.key = info.key,
                                .seq = 1,
                                .bytes = str_make(bytes, sizeof bytes - 1),
                                .dead = "malformed",
                                .status = STATUS_HELD};
    entry.chain = mark_next(&(struct mark){.seq = 0}, entry.bytes).hash;
    assert_int_equal(store_append(f.store, &entry, 1, &e), ERR_OK);
    assert_int_equal(entry.ret_status, STATUS_DEAD_LETTER);
    assert_int_equal(store_read_journal(f.store, 0, &one, &list, &e), ERR_OK);
    assert_true(str_equal(list.items[0].bytes, entry.bytes));
    fixture_assert_text(&f, "SELECT type, at, hlc, status, location, lane FROM journal",
                        "NULL|NULL|NULL|dead_letter|BR1|normal\n");
    struct dead_letter_list dead;
    assert_int_equal(store_dead_letters(f.store, 10, &f.arena, &dead, &e), ERR_OK);
    assert_int_equal(dead.count, 1);
    assert_true(str_is(dead.items[0].reason, "malformed"));
    fixture_close(&f);
}

// ---- devices and people -----------------------------------------------------------------------

TEST(store__a_code_is_there_until_it_is_used_up)
{
    struct fixture f;
    struct err e = {ERR_OK, ""};
    struct hash a = hash_of(STR("a")), b = hash_of(STR("b"));
    struct store_code code;
    struct str name, right;
    fixture_open(&f, ROLE_CENTRAL);
    assert_int_equal(store_code_put(f.store, &a, STR("BR1"), ROLE_BRANCH, 100, &e), ERR_OK);
    assert_int_equal(store_code_put(f.store, &b, STR("BR1"), ROLE_BRANCH, 100, &e), ERR_OK);
    assert_int_equal(store_code_find(f.store, &a, &code, &e), ERR_OK);
    assert_string_equal(code.location, "BR1");
    assert_int_equal(code.role, ROLE_BRANCH);
    assert_int_equal(code.expires_at, 100);
    assert_int_equal(store_code_drop(f.store, &a, &e), ERR_OK);
    assert_int_equal(store_code_find(f.store, &a, &code, &e), ERR_NOT_FOUND);
    assert_int_equal(store_code_find(f.store, &b, &code, &e), ERR_OK);
    assert_int_equal(store_token_put(f.store, &a, STR("agent"), STR("owner"), 1, &e), ERR_OK);
    assert_int_equal(store_token_find(f.store, &a, &f.arena, &name, &right), ERR_OK);
    assert_true(str_is(name, "agent") && str_is(right, "owner"));
    assert_int_equal(store_token_find(f.store, &b, &f.arena, &name, &right), ERR_NOT_FOUND);
    fixture_close(&f);
}

TEST(store__quarantine_keeps_the_newest_evidence)
{
    struct fixture f;
    struct err e = {ERR_OK, ""};
    struct stream_key key = {fixture_uuid(1, 1), LANE_CRITICAL};
    fixture_open(&f, ROLE_CENTRAL);
    assert_int_equal(store_begin(f.store, &e), ERR_OK);
    for (unsigned i = 0; i < LIMIT_QUARANTINE + 50; i++) {
        struct store_evidence evidence = {key, i, STR("bytes"), "hash", 1};
        assert_int_equal(store_quarantine_put(f.store, &evidence, &e), ERR_OK);
    }
    assert_int_equal(store_commit(f.store, &e), ERR_OK);
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM quarantine"), LIMIT_QUARANTINE);
    assert_int_equal(fixture_number(&f, "SELECT min(seq) FROM quarantine"), 50);
    fixture_close(&f);
}

TEST(store__branches_show_what_their_devices_say)
{
    struct fixture f;
    struct branch_list list;
    struct err e = {ERR_OK, ""};
    struct line l;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 1, "BR1");
    line_add(&l, &(struct draft){1, 1, "location_set", "BR1",
                                 "{\"name\":\"Hamra\",\"region\":\"Beirut\"}"});
    fixture_append_all(&f, &l, STATUS_SETTLED);
    struct device_status status = {.device = fixture_uuid(2, 1),
                                   .location = "BR1",
                                   .pending = 7,
                                   .last_sync_at = 1760000000000,
                                   .last_seen_at = clock_wall_ms(),
                                   .oldest_pending_at = 1750000000000,
                                   .version = "1",
                                   .online = true};
    assert_int_equal(store_device_status_put(f.store, &status, &e), ERR_OK);
    struct review review = {.kind = STR("fork"),
                            .record = STR("r"),
                            .location = STR("BR1"),
                            .text = STR("t"),
                            .opened_at = 5};
    assert_int_equal(store_review_open(f.store, &review, &e), ERR_OK);
    assert_int_equal(store_review_open(f.store, &review, &e), ERR_OK);
    assert_int_equal(store_branches(f.store, &f.arena, &list, &e), ERR_OK);
    assert_int_equal(list.count, 1);
    assert_true(str_is(list.items[0].name, "Hamra") && str_is(list.items[0].region, "Beirut"));
    assert_int_equal(list.items[0].pending, 7);
    assert_int_equal(list.items[0].conflicts, 1);
    assert_int_equal(list.items[0].devices_online, 1);
    assert_int_equal(list.items[0].oldest_pending_at, 1750000000000);
    fixture_assert_text(&f,
                        "SELECT branch_id, branch_name, pending_events, conflict_count,"
                        " last_synced_at, minutes_since_sync > 1000 FROM branch_sync_status",
                        "BR1|Hamra|7|1|1760000000000|1\n");
    line_fini(&l);
    fixture_close(&f);
}

// One device that says more than fits, and nobody would see any branch.
TEST(store__a_branch_is_shown_whatever_its_devices_say_of_themselves)
{
    struct fixture f;
    struct branch_list list;
    struct err e = {ERR_OK, ""};
    fixture_open(&f, ROLE_CENTRAL);
    static const uint64_t said[] = {UINT64_MAX, INT64_MAX, 1};
    for (unsigned i = 0; i < COUNT_OF(said); i++) {
        struct device_status status = {
            .device = fixture_uuid(2, i), .location = "BR1", .pending = said[i]};
        assert_int_equal(store_device_status_put(f.store, &status, &e), ERR_OK);
    }
    struct line l;
    line_init(&l, 1, "BR1");
    line_sell(&l, 1, 10, "rice", "1");
    fixture_append_all(&f, &l, STATUS_SETTLED);
    assert_int_equal(store_branches(f.store, &f.arena, &list, &e), ERR_OK);
    assert_int_equal(list.count, 1);
    assert_true(list.items[0].pending > UINT32_MAX);
    line_fini(&l);
    fixture_close(&f);
}

// What a device wrote may be any bytes: one such row must not hide the others from every reader.
TEST(store__a_dead_letter_tells_its_type_only_where_it_is_a_name)
{
    struct fixture f;
    struct line l;
    struct dead_letter_list list;
    struct err e = {ERR_OK, ""};
    static const char *const bytes[] = {"{\"type\":\"\xff\"}", "{\"type\":\"\\ud800\"}",
                                        "{\"type\":\"\\u001b[31m\"}", "{\"type\":\"later\"}"};
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 1, "BR1");
    for (size_t i = 0; i < COUNT_OF(bytes); i++)
        line_add_bytes(&l, bytes[i]);
    fixture_append_all(&f, &l, STATUS_SETTLED);
    assert_int_equal(store_dead_letters(f.store, 10, &f.arena, &list, &e), ERR_OK);
    assert_int_equal(list.count, COUNT_OF(bytes));
    for (size_t i = 0; i + 1 < list.count; i++)
        assert_true(str_is(list.items[i].type, ""));
    assert_true(str_is(list.items[3].type, "later"));
    line_fini(&l);
    fixture_close(&f);
}

// Where the table of extents is damaged, a reader that goes on behind what it read last would read
// the same for ever.
TEST(store__a_row_that_its_stream_does_not_expect_ends_what_is_read)
{
    struct fixture f;
    struct line l;
    struct store_event_list list;
    struct store_verdict verdict;
    struct err e = {ERR_OK, ""};
    fixture_open(&f, ROLE_TERMINAL);
    line_init(&l, 1, "BR1");
    l.own = true;
    for (unsigned i = 1; i <= 3; i++)
        line_sell(&l, i, 10 + i, "rice", "1");
    fixture_append_all(&f, &l, STATUS_PENDING);
    fixture_sql(&f, "UPDATE extents SET lsn = 0");
    const struct store_page page = {500, SIZE_MAX, &f.arena};
    assert_int_equal(store_read_stream(f.store, &l.key, 2, &page, &list, &e), ERR_OK);
    assert_int_equal(list.count, 0);
    assert_int_equal(fixture_verify(f.store, &f.arena, &verdict, &e), ERR_OK);
    assert_false(verdict.refold_equal);
    line_fini(&l);
    fixture_close(&f);
}
