// SPDX-License-Identifier: Apache-2.0
// A check by sums sees what a check row by row sees, beside the fold or after it.
#include "store/sqlite/refold.h"
#include "store/sqlite/tally.h"
#include "test/unit/store/fixture.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID(n) "\"01890a5d-0000-7000-8000-00000000000" n "\""

// ---- sums --------------------------------------------------------------------------------------

static const struct hash_key key = {{1, 2, 3}};

static void add_pair(struct tally *t, struct str a, int64_t b, int sign)
{
    tally_begin(t, "pairs");
    tally_text(t, a);
    tally_int(t, b);
    tally_end(t, sign);
}

TEST(tally__tells_which_rows_there_are_in_any_order)
{
    struct tally one, other;
    tally_init(&one, &key);
    tally_init(&other, &key);
    add_pair(&one, STR("a"), 1, 1);
    add_pair(&one, STR("b"), 2, 1);
    add_pair(&other, STR("b"), 2, 1);
    add_pair(&other, STR("c"), 3, 1);
    add_pair(&other, STR("a"), 1, 1);
    assert_true(one.sum != other.sum);
    add_pair(&other, STR("c"), 3, -1);
    assert_true(one.sum == other.sum);
    add_pair(&other, STR("a"), 1, 1); // there twice
    assert_true(one.sum != other.sum);
    tally_fini(&one);
    tally_fini(&other);
}

static unsigned __int128 sum_of(void (*write)(struct tally *t))
{
    struct tally t;
    tally_init(&t, &key);
    tally_begin(&t, "t");
    write(&t);
    tally_end(&t, 1);
    tally_fini(&t);
    return t.sum;
}

static void write_null(struct tally *t)
{
    tally_null(t);
}
static void write_empty(struct tally *t)
{
    tally_text(t, STR(""));
}
static void write_empty_blob(struct tally *t)
{
    tally_blob(t, "", 0);
}
static void write_zero(struct tally *t)
{
    tally_int(t, 0);
}
static void write_zeros(struct tally *t)
{
    tally_blob(t, "\0\0\0\0\0\0\0\0", 8);
}
static void write_ab_c(struct tally *t)
{
    tally_text(t, STR("ab"));
    tally_text(t, STR("c"));
}
static void write_a_bc(struct tally *t)
{
    tally_text(t, STR("a"));
    tally_text(t, STR("bc"));
}

TEST(tally__takes_no_value_for_another)
{
    void (*const writes[])(struct tally *) = {
        write_null, write_empty, write_empty_blob, write_zero, write_zeros, write_ab_c, write_a_bc};
    for (size_t i = 0; i < COUNT_OF(writes); i++) {
        for (size_t n = 0; n < i; n++)
            assert_true(sum_of(writes[i]) != sum_of(writes[n]));
    }
}

TEST(keys__are_found_and_beyond_the_limit_all_of_them_are)
{
    struct keys k = {.slots = NULL};
    for (uint64_t i = 1; i <= 5000; i++)
        assert_int_equal(keys_add(&k, i * 977), ERR_OK);
    assert_int_equal(keys_add(&k, 977), ERR_OK);
    assert_int_equal(k.count, 5000);
    for (uint64_t i = 1; i <= 5000; i++)
        assert_true(keys_has(&k, i * 977));
    assert_false(keys_has(&k, 978));
    k.count = KEYS_MOST;
    assert_int_equal(keys_add(&k, 5), ERR_OK);
    assert_true(keys_has(&k, 978));
    keys_fini(&k);
}

// ---- a store of every kind of row --------------------------------------------------------------

struct town {
    struct fixture f;
    struct line a, b;
};

static void town_open(struct town *t)
{
    fixture_open(&t->f, ROLE_CENTRAL);
    line_init(&t->a, 1, "BR1");
    line_init(&t->b, 2, "BR1");
    line_ticket(&t->a, 1, 10, "T-1", "rice");
    line_ticket(&t->a, 2, 11, "T-2", "tea"); // which the next one says as well
    line_ticket(&t->b, 3, 12, "T-2", "oil");
    line_sell(&t->a, 4, 13, "rice", "0.5");
    line_sell(&t->b, 4, 14, "rice", "0.5"); // a duplicate
    line_add(&t->a, &(struct draft){5, 15, "location_set", "BR1", "{\"name\":\"One\"}"});
    line_add(&t->a, &(struct draft){6, 16, "order_opened", "O1",
                                    "{\"kind\":\"dine_in\",\"table\":\"T5\",\"covers\":2,"
                                    "\"currency\":\"USD\",\"places\":2}"});
    line_add(&t->a, &(struct draft){7, 17, "line_added", "O1",
                                    "{\"line\":" ID("1") ",\"sku\":\"A\",\"quantity\":\"1\","
                                                         "\"unit_price\":\"2\"}"});
    line_add(&t->b, &(struct draft){8, 18, "line_added", "O1",
                                    "{\"line\":" ID("2") ",\"sku\":\"B\",\"quantity\":\"1\","
                                                         "\"unit_price\":\"2\"}"});
    line_add(&t->b,
             &(struct draft){9, 19, "payment_taken", "O1",
                             "{\"payment\":" ID("3") ",\"method\":\"cash\",\"currency\":\"USD\","
                                                     "\"amount\":300}"});
    line_add(&t->b, &(struct draft){10, 20, "sale_completed", "O1",
                                    "{\"total\":400,\"receipt\":\"7\",\"uses\":[{\"sku\":\"A\","
                                    "\"quantity\":\"1\"}]}"});
    line_add(&t->b, &(struct draft){11, 21, "table_set", "T5", "{\"status\":\"dirty\"}"});
    line_add(&t->b, &(struct draft){12, 22, "customer_set", "C1", "{\"tier\":\"gold\"}"});
    line_add(&t->b, &(struct draft){13, 23, "shift_opened", "S1", "{\"till\":\"T1\"}"});
    line_add(&t->b, &(struct draft){14, 24, "reservation_requested", "R1",
                                    "{\"sku\":\"A\",\"quantity\":\"1\"}"});
    fixture_append_all(&t->f, &t->a, STATUS_SETTLED);
    fixture_append_all(&t->f, &t->b, STATUS_SETTLED);
    fixture_reopen(&t->f);
}

static void town_close(struct town *t)
{
    line_fini(&t->a);
    line_fini(&t->b);
    fixture_close(&t->f);
}

static void put_back(struct town *t, const char *table)
{
    char sql[2048];
    (void)snprintf(sql, sizeof sql,
                   "SELECT group_concat(name) FROM pragma_table_xinfo('%s') WHERE hidden = 0",
                   table);
    char *columns = fixture_text(&t->f, sql);
    columns[strcspn(columns, "\n")] = '\0';
    int n = snprintf(sql, sizeof sql, "INSERT INTO %s (%s) SELECT %s FROM kept; DROP TABLE kept",
                     table, columns, columns);
    assert_in_range(n, 1, sizeof sql - 1);
    fixture_sql(&t->f, sql);
    free(columns);
}

// Edits one column of all rows of a table, and puts the rows back.
static void try_column(struct town *t, const char *table, const char *column)
{
    char sql[512];
    (void)snprintf(sql, sizeof sql, "CREATE TABLE kept AS SELECT * FROM %s", table);
    fixture_sql(&t->f, sql);
    (void)snprintf(sql, sizeof sql,
                   "UPDATE OR IGNORE %s SET %s = CASE typeof(%s) WHEN 'integer' THEN %s + 1 WHEN"
                   " 'text' THEN %s || ' ' WHEN 'blob' THEN zeroblob(length(%s)) END",
                   table, column, column, column, column, column);
    fixture_sql(&t->f, sql);
    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) FROM (SELECT %s FROM %s EXCEPT SELECT %s FROM kept)", column,
                   table, column);
    bool changed = fixture_number(&t->f, sql) > 0;
    struct store_verdict v = fixture_verdict(&t->f);
    if (changed == v.refold_equal)
        fail_msg("%s.%s: changed %d, equal %d", table, column, changed, v.refold_equal);
    if (changed)
        assert_true(v.first_problem.n > 0);
    (void)snprintf(sql, sizeof sql, "DELETE FROM %s", table);
    fixture_sql(&t->f, sql);
    put_back(t, table);
}

// What depends on the way by which something came is no part of a check.
static bool is_by_the_way(const char *column)
{
    static const char *const names[] = {"local_version", "generation",  "confirmed",
                                        "state",         "sync_status", "rank"};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(column, names[i]) == 0)
            return true;
    }
    return false;
}

static void try_table(struct town *t, const char *table)
{
    char sql[256];
    (void)snprintf(sql, sizeof sql, "SELECT name FROM pragma_table_xinfo('%s') WHERE hidden = 0",
                   table);
    char *columns = fixture_text(&t->f, sql), *rest = NULL;
    for (char *c = strtok_r(columns, "\n", &rest); c != NULL; c = strtok_r(NULL, "\n", &rest)) {
        if (!is_by_the_way(c))
            try_column(t, table, c);
    }
    free(columns);
}

TEST(verify__sees_every_column_of_every_table_that_follows_from_the_journal)
{
    static const char *const tables[] = {
        "ticket_lines",   "ticket_payments",   "order_heads",    "order_lines",
        "order_bills",    "table_cards",       "customer_cards", "shift_heads",
        "record_reviews", "reservation_heads", "event_ids",      "record_events",
        "claims",         "tickets",           "stock",          "locations"};
    struct town t;
    town_open(&t);
    assert_int_equal(fixture_verdict(&t.f).first_problem.n, 0);
    for (size_t i = 0; i < COUNT_OF(tables); i++)
        try_table(&t, tables[i]);
    assert_int_equal(fixture_verdict(&t.f).first_problem.n, 0); // all is as it was
    town_close(&t);
}

// Somebody who knows that a check believes the store in which ids are carried more than once.
TEST(verify__finds_a_carrier_of_an_id_that_was_made_to_count)
{
    struct town t;
    town_open(&t);
    fixture_sql(&t.f, "DELETE FROM event_ids WHERE key <= 36028797018963967;"
                      "UPDATE stock SET quantity = quantity - 5000, moves = moves + 1"
                      " WHERE sku = 'rice';"
                      "UPDATE events SET state = 0 WHERE state = 6");
    struct store_verdict v = fixture_verdict(&t.f);
    assert_false(v.refold_equal);
    town_close(&t);
}

// One that leads to its row as well as the right one does.
TEST(verify__finds_a_row_too_many_in_the_index_of_ids)
{
    struct town t;
    char sql[128];
    struct uuid id = fixture_uuid(3, 1);
    town_open(&t);
    (void)snprintf(sql, sizeof sql, "INSERT INTO event_ids VALUES (%lld, 1)",
                   (long long)ids_key(&t.f.store->fold.ids, &id, 3));
    fixture_sql(&t.f, sql);
    struct store_verdict v = fixture_verdict(&t.f);
    assert_false(v.refold_equal);
    assert_true(str_starts(v.first_problem, STR("event_ids: ")));
    town_close(&t);
}

// One that leads nowhere, behind what the index must have: no count tells of it.
TEST(verify__finds_a_row_of_the_index_of_ids_that_leads_nowhere)
{
    struct town t;
    town_open(&t);
    fixture_sql(&t.f, "INSERT INTO event_ids VALUES (7, 1000000)");
    struct store_verdict v = fixture_verdict(&t.f);
    assert_false(v.refold_equal);
    assert_true(str_starts(v.first_problem, STR("event_ids: ")));
    town_close(&t);
}

// The same of a ticket that two events claim: no index keeps the file from having both.
TEST(verify__finds_a_second_holder_of_a_ticket)
{
    struct town t;
    town_open(&t);
    fixture_sql(&t.f,
                "DROP INDEX tickets_key;"
                "INSERT INTO tickets (lsn, location, id, event_id, kind, number, currency, places,"
                " total, at, line_count, state, local_version) SELECT c.lsn, t.location, t.id,"
                " e.id, t.kind, t.number, t.currency, t.places, t.total, t.at, t.line_count, 0, 1"
                " FROM claims AS c JOIN tickets AS t ON t.id = c.record JOIN events AS e"
                " ON e.lsn = c.lsn;"
                "INSERT INTO ticket_lines SELECT c.lsn, l.number, iif(l.number = 1, 'oil', l.sku),"
                " l.name, l.quantity, l.unit_price, l.amount, l.catalog FROM claims AS c"
                " JOIN tickets AS t ON t.id = c.record AND t.lsn <> c.lsn JOIN ticket_lines AS l"
                " ON l.ticket = t.lsn;"
                "INSERT INTO ticket_payments SELECT c.lsn, p.number, p.method, p.currency, p.amount"
                " FROM claims AS c JOIN tickets AS t ON t.id = c.record AND t.lsn <> c.lsn"
                " JOIN ticket_payments AS p ON p.ticket = t.lsn;"
                "INSERT INTO stock (location, sku, quantity, moves) VALUES ('BR1', 'oil', -20000,"
                " 1); UPDATE stock SET quantity = quantity - 10000, moves = moves + 1 WHERE"
                " sku = 'bread';"
                "UPDATE events SET state = 0 WHERE lsn IN (SELECT lsn FROM claims);"
                "DELETE FROM claims");
    struct store_verdict v = fixture_verdict(&t.f);
    assert_false(v.refold_equal);
    assert_true(str_starts(v.first_problem, STR("row ")));
    town_close(&t);
}

// ---- beside the fold ---------------------------------------------------------------------------

enum { MANY = 12000 };

// One stream of so many sales, in one transaction.
static void sell_many(struct fixture *f)
{
    struct err e = {ERR_OK, ""};
    struct mark head = {.seq = 0};
    struct buf to;
    struct stream_info info = {.key = {fixture_uuid(7, 1), LANE_CRITICAL},
                               .device = fixture_uuid(8, 1)};
    assert_int_equal(str_copy(info.location, sizeof info.location, STR("BR1")), ERR_OK);
    assert_int_equal(store_stream_add(f->store, &info, &e), ERR_OK);
    assert_int_equal(store_begin(f->store, &e), ERR_OK);
    buf_init(&to, LIMIT_EVENT_BYTES);
    for (unsigned i = 1; i <= MANY; i++) {
        struct json body;
        arena_reset(&f->arena);
        assert_int_equal(json_parse(STR("{\"sku\":\"rice\",\"quantity\":\"1\"}"), 8, &body, &e), 0);
        struct event event = {.version = 1,
                              .id = fixture_uuid(9, i),
                              .origin = info.key.origin,
                              .seq = i,
                              .location = STR("BR1"),
                              .type_name = STR("inventory_sold"),
                              .record_type = STR("stock"),
                              .record_id = STR("rice"),
                              .at = 1760000000000,
                              .hlc = (UINT64_C(1760000000000) + i) << 16,
                              .body = body.root};
        buf_reset(&to);
        assert_int_equal(event_write(&event, &to), ERR_OK);
        head = mark_next(&head, buf_str(&to));
        assert_int_equal(event_parse(buf_str(&to), &f->arena, &event, &e), ERR_OK);
        struct store_entry entry = {.key = info.key,
                                    .seq = i,
                                    .chain = head.hash,
                                    .bytes = buf_str(&to),
                                    .event = &event,
                                    .status = STATUS_SETTLED,
                                    .received_at = 1760000000000};
        if (store_append(f->store, &entry, 1, &e))
            fail_msg("%s", e.text);
        json_close(&body);
    }
    assert_int_equal(store_commit(f->store, &e), ERR_OK);
    buf_fini(&to);
}

TEST(verify__of_many_events_reads_the_tables_beside_the_journal)
{
    struct fixture f;
    fixture_open(&f, ROLE_CENTRAL);
    sell_many(&f);
    struct store_verdict v = fixture_verdict(&f);
    assert_int_equal(v.first_problem.n, 0);
    assert_int_equal(v.events, MANY);
    fixture_sql(&f, "UPDATE events SET rest = replace(rest, '\"1\"', '\"2\"') WHERE lsn = 11000");
    assert_int_equal(fixture_verdict(&f).chain_errors, 1);
    fixture_sql(&f, "UPDATE events SET rest = replace(rest, '\"2\"', '\"1\"') WHERE lsn = 11000;"
                    "UPDATE event_ids SET key = key + 1 WHERE lsn = 11000");
    v = fixture_verdict(&f);
    assert_false(v.refold_equal);
    assert_true(str_starts(v.first_problem, STR("event_ids: row 11000")));
    fixture_sql(&f, "UPDATE event_ids SET key = key - 1 WHERE lsn = 11000");
    assert_int_equal(fixture_verdict(&f).first_problem.n, 0);
    fixture_close(&f);
}

// What a transaction has not committed nobody else sees: all is done on the connection at hand.
TEST(verify__within_a_transaction_sees_what_that_wrote)
{
    struct fixture f;
    struct err e = {ERR_OK, ""};
    fixture_open(&f, ROLE_CENTRAL);
    sell_many(&f);
    assert_int_equal(store_begin(f.store, &e), ERR_OK);
    assert_int_equal(store_rebuild(f.store, NULL, NULL, &e), ERR_OK);
    assert_int_equal(fixture_verdict(&f).first_problem.n, 0);
    store_rollback(f.store);
    assert_int_equal(fixture_verdict(&f).first_problem.n, 0);
    fixture_close(&f);
}

struct seller {
    struct fixture *f;
    bool stop; // atomic
    unsigned sold;
};

// Another process that goes on selling; its stock would not fit the journal that was read before.
static void *sell_on(void *context)
{
    struct seller *s = context;
    sqlite3 *db = NULL;
    char path[128];
    (void)snprintf(path, sizeof path, "%s/wasl.db", s->f->dir);
    MUST(sqlite3_open(path, &db) == SQLITE_OK);
    (void)sqlite3_busy_timeout(db, 5000);
    MUST(sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL) == SQLITE_OK);
    while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
        // As far as a check can see nothing has happened, if it sees all of it or nothing.
        MUST(sqlite3_exec(db,
                          "BEGIN IMMEDIATE; UPDATE stock SET quantity = quantity + 1;"
                          "UPDATE ticket_lines SET amount = amount + 1; COMMIT;"
                          "BEGIN IMMEDIATE; UPDATE stock SET quantity = quantity - 1;"
                          "UPDATE ticket_lines SET amount = amount - 1; COMMIT",
                          NULL, NULL, NULL) == SQLITE_OK);
        s->sold++;
    }
    sqlite3_close(db);
    return NULL;
}

// Of two connections both see one state: the ticket's line and the stock are wrong, or neither is.
TEST(verify__sees_one_state_of_a_store_that_is_written_meanwhile)
{
    enum { TIMES = 8 };
    struct store *reader = NULL;
    struct fixture f;
    struct line l;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 1, "BR1");
    line_ticket(&l, 1, 10, "T-1", "tea");
    fixture_append_all(&f, &l, STATUS_SETTLED);
    sell_many(&f);
    struct err open = {ERR_OK, ""};
    struct store_options options = fixture_options(&f);
    options.read_only = true;
    assert_int_equal(store_open(&options, &reader, &open), ERR_OK);
    struct seller seller = {.f = &f};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, sell_on, &seller), 0);
    for (int i = 0; i < TIMES; i++) {
        struct store_verdict v;
        struct err e = {ERR_OK, ""};
        arena_reset(&f.arena);
        if (fixture_verify(reader, &f.arena, &v, &e))
            fail_msg("%s", e.text);
        if (!v.refold_equal)
            assert_true(str_starts(v.first_problem, STR("ticket_lines: ")));
    }
    __atomic_store_n(&seller.stop, true, __ATOMIC_RELAXED);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(seller.sold > 0);
    store_close(reader);
    line_fini(&l);
    fixture_close(&f);
}

// What the second thread finds right the first one does not hash again.
TEST(refold__ahead_finds_the_rows_whose_chain_is_right_and_no_other)
{
    enum { WRONG = 11000 };
    struct fixture f;
    struct refold r;
    struct err e = {ERR_OK, ""};
    fixture_open(&f, ROLE_CENTRAL);
    sell_many(&f);
    fixture_sql(&f, "UPDATE events SET rest = replace(rest, '\"1\"', '\"2\"') WHERE lsn = 11000");
    assert_int_equal(refold_init(&r, f.store, &f.store->db, NULL, &e), ERR_OK);
    assert_int_equal(refold_ahead(&r, &f.store->db, &e), ERR_OK);
    assert_int_equal(r.chained[MANY - r.lsn_min], 1);
    assert_int_equal(r.chained[WRONG + 1 - r.lsn_min], 1); // by what the wrong one says of itself
    assert_int_equal(r.chained[WRONG - r.lsn_min], 0);
    assert_int_equal(r.chained[WRONG - 1 - r.lsn_min], 1);
    assert_int_equal(r.chained[0], 0); // nothing before it was read
    memset(r.chained, 0, MANY);
    r.at = MANY; // the other thread is there
    assert_int_equal(refold_ahead(&r, &f.store->db, &e), ERR_OK);
    assert_null(memchr(r.chained, 1, MANY));
    refold_fini(&r);
    fixture_close(&f);
}
