// SPDX-License-Identifier: Apache-2.0
// Orders in the store: folded into their tables, whatever came first, and found when edited.
#include "store/sqlite/state.h"
#include "test/unit/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_1 "\"01890a5d-0000-7000-8000-000000000001\""
#define OPENED "{\"kind\":\"dine_in\",\"table\":\"T5\",\"currency\":\"USD\",\"places\":2}"
#define ADDED(quantity)                                                                            \
    "{\"line\":" LINE_1 ",\"sku\":\"COFFEE\",\"quantity\":\"" quantity "\",\"unit_price\":\"2."    \
    "5\"}"
#define CHANGED(quantity) "{\"line\":" LINE_1 ",\"quantity\":\"" quantity "\"}"
#define LINES             "SELECT order_id, bill, sku, quantity, amount, flagged FROM order_lines"

static void opens(struct line *l, unsigned id, unsigned ms, const char *order)
{
    line_add(l, &(struct draft){id, ms, "order_opened", order, OPENED});
    line_add(l, &(struct draft){id + 1, ms + 1, "line_added", order, ADDED("4")});
}

static void changes(struct line *l, unsigned id, unsigned ms, const char *body)
{
    line_add(l, &(struct draft){id, ms, "line_changed", "O1", body});
}

static bool is_equal(struct fixture *f)
{
    struct store_verdict verdict;
    struct err e = {ERR_OK, ""};
    assert_int_equal(fixture_verify(f->store, &f->arena, &verdict, &e), ERR_OK);
    return verdict.refold_equal;
}

TEST(records__an_order_is_folded_into_its_tables)
{
    struct fixture f;
    struct line l;
    fixture_open(&f, ROLE_TERMINAL);
    line_init(&l, 1, "BR1");
    l.own = true;
    opens(&l, 1, 10, "O1");
    changes(&l, 3, 12, CHANGED("2"));
    fixture_append_all(&f, &l, STATUS_PENDING);
    fixture_assert_text(&f, "SELECT id, status, table_name, total, sync_status FROM orders",
                        "O1|draft|T5|1500|pending\n");
    fixture_assert_text(&f, LINES, "O1|main|COFFEE|60000|1500|0\n");
    fixture_assert_verified(&f);
    fixture_reopen(&f); // and it goes on from there
    changes(&l, 4, 13, CHANGED("-5"));
    (void)fixture_append(&f, &l, 3, STATUS_PENDING);
    fixture_assert_text(&f, LINES, "O1|main|COFFEE|10000|250|0\n");
    fixture_assert_verified(&f);
    line_fini(&l);
    fixture_close(&f);
}

TEST(records__a_completion_takes_stock_and_payments_stand_beside_those_of_tickets)
{
    struct fixture f;
    struct line l;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 1, "BR1");
    opens(&l, 1, 10, "O1");
    line_add(&l, &(struct draft){3, 12, "payment_taken", "O1",
                                 "{\"payment\":" LINE_1 ",\"method\":\"cash\",\"currency\":\"USD\","
                                 "\"amount\":1000}"});
    line_add(&l, &(struct draft){4, 13, "sale_completed", "O1",
                                 "{\"total\":1000,\"uses\":[{\"sku\":\"BEANS\",\"quantity\":"
                                 "\"0.04\"},{\"sku\":\"CUP\",\"quantity\":\"4\"}]}"});
    line_ticket(&l, 5, 14, "T-1", "rice");
    fixture_append_all(&f, &l, STATUS_SETTLED);
    fixture_assert_text(&f, "SELECT status, total FROM orders", "paid|1000\n");
    fixture_assert_text(
        &f, "SELECT sku, quantity FROM stock WHERE sku > 'A' AND sku < 'a' ORDER BY sku",
        "BEANS|-400\nCUP|-40000\n");
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM payments"), 2);
    fixture_assert_text(&f,
                        "SELECT record, method, amount, sync_status FROM payments"
                        " WHERE payment IS NOT NULL",
                        "O1|cash|1000|settled\n");
    fixture_assert_verified(&f);
    line_fini(&l);
    fixture_close(&f);
}

TEST(records__a_body_that_says_nothing_sensible_is_a_dead_letter)
{
    struct fixture f;
    struct line l;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 1, "BR1");
    opens(&l, 1, 10, "O1");
    line_add(&l, &(struct draft){3, 12, "line_added", "O1", ADDED("0")});
    changes(&l, 4, 13, CHANGED("1"));
    fixture_append_all(&f, &l, STATUS_SETTLED);
    fixture_assert_text(&f, "SELECT reason FROM dead_letters",
                        "body: quantity: must be above zero\n");
    fixture_assert_text(&f, LINES, "O1|main|COFFEE|50000|1250|0\n");
    fixture_assert_verified(&f);
    line_fini(&l);
    fixture_close(&f);
}

TEST(records__two_tills_give_the_same_rows_whoever_comes_first)
{
    char *first = NULL;
    for (int turn = 0; turn < 2; turn++) {
        struct fixture f;
        struct line a, b;
        fixture_open(&f, ROLE_CENTRAL);
        line_init(&a, 1, "BR1");
        line_init(&b, 2, "BR1");
        opens(&a, 1, 10, "O1");
        changes(&a, 3, 30, CHANGED("1"));
        changes(&b, 4, 20, CHANGED("2"));
        line_add(&b, &(struct draft){5, 40, "order_set", "O1",
                                     "{\"field\":\"note\",\"value\":\"late\"}"});
        fixture_append_all(&f, turn ? &a : &b, STATUS_SETTLED);
        fixture_append_all(&f, turn ? &b : &a, STATUS_SETTLED);
        fixture_assert_text(&f, LINES, "O1|main|COFFEE|70000|1750|1\n");
        char *rows = fixture_text(&f, "SELECT kind, part, triggers, open FROM record_reviews"
                                      " ORDER BY 1, 2");
        if (first == NULL)
            first = rows;
        else
            assert_string_equal(rows, first);
        if (rows != first)
            free(rows);
        fixture_assert_text(&f, "SELECT kind, open, text FROM reviews",
                            "order_line|1|Two tills changed one line without having seen each "
                            "other; both changes count.\n");
        fixture_assert_verified(&f);
        line_fini(&a);
        line_fini(&b);
        fixture_close(&f);
    }
    assert_true(strlen(first) > 40);
    free(first);
}

TEST(records__an_earlier_carrier_of_an_id_stands_for_it_alone)
{
    struct fixture f;
    struct line late, early;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&late, 1, "BR1");
    line_init(&early, 2, "BR1");
    opens(&late, 1, 20, "O1");
    changes(&late, 3, 22, CHANGED("2"));
    changes(&early, 3, 12, CHANGED("2"));
    fixture_append_all(&f, &late, STATUS_SETTLED);
    fixture_append_all(&f, &early, STATUS_SETTLED);
    fixture_assert_text(&f, "SELECT quantity FROM order_lines", "60000\n");
    fixture_assert_text(&f, "SELECT count(*), max(lsn) FROM record_events", "3|4\n");
    fixture_assert_verified(&f);
    line_fini(&late);
    line_fini(&early);
    fixture_close(&f);
}

TEST(records__what_is_rolled_back_leaves_nothing_in_memory)
{
    struct fixture f;
    struct line l, lost;
    struct err e = {ERR_OK, ""};
    enum event_status status;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 1, "BR1");
    line_init(&lost, 2, "BR1");
    opens(&l, 1, 10, "O1");
    changes(&lost, 8, 15, CHANGED("7"));
    changes(&l, 3, 16, CHANGED("1"));
    (void)fixture_append(&f, &l, 0, STATUS_SETTLED);
    (void)fixture_append(&f, &l, 1, STATUS_SETTLED);
    assert_int_equal(store_begin(f.store, &e), ERR_OK);
    assert_int_equal(fixture_try(&f, &lost, 0, STATUS_SETTLED, &status, &e), ERR_OK);
    store_rollback(f.store);
    (void)fixture_append(&f, &l, 2, STATUS_SETTLED);
    fixture_assert_text(&f, LINES, "O1|main|COFFEE|50000|1250|0\n");
    fixture_assert_verified(&f);
    line_fini(&l);
    line_fini(&lost);
    fixture_close(&f);
}

TEST(records__more_orders_than_are_kept_in_memory_are_read_again)
{
    enum { ORDERS = 600 };
    struct fixture f;
    fixture_open(&f, ROLE_CENTRAL);
    for (unsigned i = 0; i < ORDERS; i++) {
        struct line l;
        char order[16];
        (void)snprintf(order, sizeof order, "O%u", i);
        line_init(&l, 10 + i, "BR1");
        opens(&l, 2 * i, 10 + 2 * i, order);
        fixture_append_all(&f, &l, STATUS_SETTLED);
        line_fini(&l);
    }
    struct line l;
    line_init(&l, 5000, "BR1");
    line_add(&l, &(struct draft){5000, 5000, "line_changed", "O0", CHANGED("1")});
    fixture_append_all(&f, &l, STATUS_SETTLED);
    fixture_assert_text(&f, "SELECT count(*), sum(quantity) FROM order_lines", "600|24010000\n");
    fixture_assert_verified(&f);
    line_fini(&l);
    fixture_close(&f);
}

// A whole catalog in one transaction: what was touched is written while it lasts.
TEST(records__more_records_in_one_transaction_than_memory_holds_are_written_while_it_lasts)
{
    enum { ITEMS = RECORDS_MOST + 1000 };
    struct fixture f;
    struct line l;
    struct err e = {ERR_OK, ""};
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&l, 1, "*");
    assert_int_equal(store_begin(f.store, &e), ERR_OK);
    for (unsigned i = 0; i < 2 * ITEMS; i++) {
        enum event_status status;
        char sku[16], body[40];
        (void)snprintf(sku, sizeof sku, "I%u", i % ITEMS);
        (void)snprintf(body, sizeof body, "{\"name\":\"%u\"}", i);
        line_add(&l, &(struct draft){i, i, "item_set", sku, body});
        if (fixture_try(&f, &l, l.count - 1, STATUS_SETTLED, &status, &e))
            fail_msg("%s", e.text);
        assert_in_range(f.store->fold.records.count, 1, RECORDS_MOST + 1);
        if (l.count == LINE_MAX_EVENTS) {
            line_fini(&l);
            line_init(&l, 2 + i, "*");
        }
    }
    assert_int_equal(store_commit(f.store, &e), ERR_OK);
    assert_in_range(f.store->fold.records.count, 1, RECORDS_KEPT);
    fixture_assert_text(&f,
                        "SELECT count(*), min(name + 0), max(name + 0) FROM items WHERE id = "
                        "'I' || (name - 5096)",
                        "5096|5096|10191\n");
    fixture_assert_verified(&f);
    line_fini(&l);
    fixture_close(&f);
}

// ---- edits ------------------------------------------------------------------------------------

TEST(records__an_edit_of_any_of_their_tables_is_found_and_rebuilt)
{
    static const char *const edits[] = {
        "UPDATE order_heads SET total = 1",
        "UPDATE order_lines SET quantity = 1",
        "DELETE FROM order_lines",
        "UPDATE order_bills SET status = 'paid'",
        "UPDATE order_payments SET amount = 1",
        "DELETE FROM order_payments",
        "UPDATE record_reviews SET open = 0",
        "DELETE FROM record_reviews",
        "DELETE FROM record_events WHERE lsn = 2",
        "INSERT INTO order_bills VALUES ('BR1', 'O9', 'main', 'paid', 1, 1, 0, NULL, NULL, 1)",
    };
    struct fixture f;
    struct line a, b;
    struct err e = {ERR_OK, ""};
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&a, 1, "BR1");
    line_init(&b, 2, "BR1");
    opens(&a, 1, 10, "O1");
    changes(&a, 3, 30, CHANGED("1"));
    changes(&b, 4, 20, CHANGED("2"));
    line_add(&a, &(struct draft){6, 42, "payment_taken", "O1",
                                 "{\"payment\":" LINE_1 ",\"method\":\"cash\",\"currency\":\"USD\","
                                 "\"amount\":1000}"});
    fixture_append_all(&f, &a, STATUS_SETTLED);
    fixture_append_all(&f, &b, STATUS_SETTLED);
    char *before =
        fixture_text(&f, "SELECT quantity, triggers, open FROM order_lines, record_reviews");
    for (size_t i = 0; i < COUNT_OF(edits); i++) {
        fixture_sql(&f, edits[i]);
        if (is_equal(&f))
            fail_msg("not found: %s", edits[i]);
        assert_int_equal(store_rebuild(f.store, NULL, NULL, &e), ERR_OK);
        fixture_assert_verified(&f);
    }
    char *after =
        fixture_text(&f, "SELECT quantity, triggers, open FROM order_lines, record_reviews");
    assert_string_equal(after, before);
    free(before);
    free(after);
    line_fini(&a);
    line_fini(&b);
    fixture_close(&f);
}

#define SOLD_IN(shift) "{\"total\":5,\"uses\":[],\"shift\":\"" shift "\"}"

TEST(records__money_that_left_an_order_leaves_its_shift_though_the_order_is_read_anew)
{
    struct fixture f;
    struct line a, b;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&a, 1, "BR1");
    line_init(&b, 2, "BR1");
    opens(&a, 1, 10, "O1");
    line_add(&a, &(struct draft){3, 40, "sale_completed", "O1", SOLD_IN("S1")});
    line_add(&b, &(struct draft){4, 30, "sale_completed", "O1", SOLD_IN("S2")});
    fixture_append_all(&f, &a, STATUS_SETTLED);
    fixture_assert_text(&f, "SELECT shift, kind FROM shift_facts", "S1|sale\n");
    fixture_reopen(&f); // nothing of the order is in memory
    fixture_append_all(&f, &b, STATUS_SETTLED);
    fixture_assert_text(&f, "SELECT shift, kind FROM shift_facts", "S2|sale\n");
    fixture_assert_verified(&f);
    fixture_sql(&f, "UPDATE shift_facts SET shift = 'S1'");
    assert_false(is_equal(&f));
    line_fini(&a);
    line_fini(&b);
    fixture_close(&f);
}

// ---- a record that is full --------------------------------------------------------------------

// A split of as many lines as one event can name.
static char *wide_split(void)
{
    struct buf b;
    buf_init(&b, LIMIT_EVENT_BYTES);
    assert_int_equal(
        buf_append_str(&b, STR("{\"bill\":\"01890a5d-0000-7000-8000-0000000000ff\",\"lines\":[")),
        ERR_OK);
    for (unsigned i = 0; i < LIMIT_TICKET_LINES; i++)
        assert_int_equal(
            buf_append_format(&b,
                              "%s{\"line\":\"01890a5d-0000-7000-8000-%012x\",\"quantity\":\"1\"}",
                              i ? "," : "", i + 1),
            ERR_OK);
    assert_int_equal(buf_append(&b, "]}", 3), ERR_OK);
    char *text = strdup(b.data);
    buf_fini(&b);
    return text;
}

// Whether a record was full when an event came is nothing that sums tell.
static void holds_looked_at_again(struct fixture *f)
{
    struct store_verdict verdict;
    struct err e = {ERR_OK, ""};
    assert_int_equal(store_verify(f->store, &f->arena, NULL, NULL, &verdict, &e), ERR_OK);
    assert_true(verdict.refold_equal);
    assert_int_equal(verdict.first_problem.n, 0);
}

TEST(records__what_is_too_much_for_one_record_is_set_apart_and_the_rest_goes_on)
{
    struct fixture f;
    char *split = wide_split();
    unsigned each = (unsigned)strlen(split), most = LIMIT_RECORD_BYTES / each;
    fixture_open(&f, ROLE_CENTRAL);
    for (unsigned n = 0; n < most + 3; n++) {
        struct line l;
        line_init(&l, 10 + n, "BR1");
        line_add(&l, &(struct draft){10 + n, 10 + n, "order_split", "O1", split});
        (void)fixture_append(&f, &l, 0, STATUS_SETTLED);
        arena_reset(&f.arena);
        line_fini(&l);
    }
    struct line l;
    line_init(&l, 1, "BR1");
    line_ticket(&l, 1, 500, "T-1", "rice");
    line_add(&l, &(struct draft){2, 501, "sale_completed", "O1",
                                 "{\"total\":1,\"uses\":[{\"sku\":\"CUP\",\"quantity\":\"4\"}]}"});
    line_add(&l, &(struct draft){3, 502, "line_added", "O2", ADDED("4")});
    fixture_append_all(&f, &l, STATUS_SETTLED);
    assert_in_range(fixture_number(&f, "SELECT count(*) FROM dead_letters"), 3, 5);
    fixture_assert_text(&f, "SELECT DISTINCT reason FROM dead_letters",
                        "its order has more than 16 MiB of events\n");
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM tickets"), 1);
    fixture_assert_text(&f, LINES, "O2|main|COFFEE|40000|NULL|0\n");
    holds_looked_at_again(&f);
    fixture_reopen(&f);
    holds_looked_at_again(&f);
    line_fini(&l);
    fixture_close(&f);
    free(split);
}

// ---- other types of records -------------------------------------------------------------------

TEST(records__a_tables_newest_status_counts_whatever_comes_first)
{
    for (int turn = 0; turn < 2; turn++) {
        struct fixture f;
        struct line a, b;
        fixture_open(&f, ROLE_CENTRAL);
        line_init(&a, 1, "BR1");
        line_init(&b, 2, "BR1");
        line_add(&a, &(struct draft){1, 10, "table_set", "T5", "{\"status\":\"occupied\"}"});
        line_add(&b, &(struct draft){2, 20, "table_set", "T5", "{\"status\":\"dirty\"}"});
        fixture_append_all(&f, turn ? &a : &b, STATUS_SETTLED);
        fixture_append_all(&f, turn ? &b : &a, STATUS_SETTLED);
        fixture_assert_text(&f, "SELECT id, status, sync_status FROM floor_tables",
                            "T5|dirty|settled\n");
        fixture_assert_verified(&f);
        line_fini(&a);
        line_fini(&b);
        fixture_close(&f);
    }
}

// An answer is about a record of its own type, even where another has the same id.
TEST(records__records_of_one_id_and_two_types_keep_apart)
{
    struct fixture f;
    struct line a, b;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&a, 1, "BR1");
    line_init(&b, 2, "BR1");
    opens(&a, 1, 10, "R1");
    line_add(&a, &(struct draft){3, 30, "line_changed", "R1", CHANGED("1")});
    line_add(&b, &(struct draft){4, 20, "line_changed", "R1", CHANGED("2")});
    line_add(&b, &(struct draft){5, 40, "table_set", "R1", "{\"status\":\"dirty\"}"});
    line_add(&b, &(struct draft){6, 41, "review_resolved", "R1",
                                 "{\"review\":\"line\",\"part\":\"status\",\"triggers\":[],"
                                 "\"decision\":\"edit\",\"value\":\"available\"}",
                                 "table"});
    fixture_append_all(&f, &a, STATUS_SETTLED);
    fixture_append_all(&f, &b, STATUS_SETTLED);
    fixture_assert_text(&f, "SELECT record, type, kind, open FROM record_reviews",
                        "R1|order|line|1\n");
    fixture_assert_text(&f, "SELECT id, status FROM floor_tables", "R1|available\n");
    fixture_assert_verified(&f);
    struct err e = {ERR_OK, ""};
    assert_int_equal(store_rebuild(f.store, NULL, NULL, &e), ERR_OK);
    fixture_assert_text(&f,
                        "SELECT kind, json_extract(detail, '$.base'),"
                        " json_array_length(detail, '$.sides') FROM reviews",
                        "order_line|0|3\n");
    fixture_assert_verified(&f);
    fixture_reopen(&f); // the table's rows are read again, and written over
    line_add(&b, &(struct draft){7, 42, "table_set", "R1", "{\"status\":\"reserved\"}"});
    (void)fixture_append(&f, &b, 3, STATUS_SETTLED);
    fixture_assert_text(&f, "SELECT record, type, kind, open FROM record_reviews",
                        "R1|order|line|1\n");
    fixture_assert_verified(&f);
    line_fini(&a);
    line_fini(&b);
    fixture_close(&f);
}

TEST(records__only_rows_that_differ_are_written_after_a_restart)
{
    struct fixture f;
    struct line l;
    fixture_open(&f, ROLE_TERMINAL);
    line_init(&l, 1, "BR1");
    l.own = true;
    opens(&l, 1, 10, "O1");
    line_add(&l, &(struct draft){3, 12, "order_set", "O1",
                                 "{\"field\":\"note\",\"value\":\"by the door\"}"});
    changes(&l, 4, 13, CHANGED("2"));
    for (size_t i = 0; i < 3; i++)
        (void)fixture_append(&f, &l, i, STATUS_PENDING);
    fixture_assert_text(&f, "SELECT local_version FROM order_heads", "3\n");
    fixture_reopen(&f);
    (void)fixture_append(&f, &l, 3, STATUS_PENDING);
    fixture_assert_text(&f, "SELECT local_version, total, note FROM order_heads",
                        "4|1500|by the door\n");
    fixture_reopen(&f);
    line_add(&l, &(struct draft){5, 14, "ticket_bumped", "O1", "{\"station\":\"grill\"}"});
    (void)fixture_append(&f, &l, 4, STATUS_PENDING);
    fixture_assert_text(&f,
                        "SELECT h.local_version, b.station FROM order_heads AS h, order_bumps"
                        " AS b",
                        "4|grill\n");
    fixture_assert_verified(&f);
    line_fini(&l);
    fixture_close(&f);
}

TEST(records__the_floor_has_its_rows_and_leaves_stock_alone)
{
    struct fixture f;
    struct line l;
    fixture_open(&f, ROLE_TERMINAL);
    line_init(&l, 1, "BR1");
    l.own = true;
    line_add(&l, &(struct draft){1, 10, "item_unavailable", "LAMB",
                                 "{\"state\":\"sold_out\",\"reason\":\"no delivery\"}"});
    line_add(&l, &(struct draft){2, 11, "demand_unmet", "D1",
                                 "{\"sku\":\"LAMB\",\"quantity\":\"2\",\"reason\":\"sold_out\"}"});
    line_add(&l, &(struct draft){3, 12, "customer_set", "C-17", "{\"tier\":\"gold\"}"});
    line_add(&l, &(struct draft){4, 13, "reservation_requested", "V1",
                                 "{\"sku\":\"LAMB\",\"quantity\":\"1.5\"}"});
    line_add(&l, &(struct draft){5, 14, "ticket_bumped", "O1", "{\"station\":\"grill\"}"});
    line_add(&l, &(struct draft){6, 15, "customer_set", "C-17", "{\"name\":\"Rima\"}"});
    fixture_append_all(&f, &l, STATUS_PENDING);
    fixture_assert_text(&f, "SELECT sku, state, reason, sync_status FROM availability",
                        "LAMB|sold_out|no delivery|pending\n");
    fixture_assert_text(&f, "SELECT id, sku, quantity, reason FROM unmet_demand",
                        "D1|LAMB|20000|sold_out\n");
    fixture_assert_text(&f, "SELECT code, tier, locale, sync_status FROM customers",
                        "C-17|gold|NULL|pending\n");
    fixture_assert_text(&f, "SELECT id, state, sku, quantity, local_version FROM reservations",
                        "V1|pending|LAMB|15000|1\n");
    fixture_assert_text(&f, "SELECT order_id, line, station FROM order_bumps", "O1|all|grill\n");
    fixture_assert_text(&f, "SELECT reason FROM dead_letters",
                        "body: name: no such member is allowed\n");
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM stock"), 0);
    fixture_assert_verified(&f);
    struct err e = {ERR_OK, ""};
    assert_int_equal(store_rebuild(f.store, NULL, NULL, &e), ERR_OK);
    fixture_assert_verified(&f);
    line_fini(&l);
    fixture_close(&f);
}

// As a migration asks for it when it changes how events are folded.
TEST(records__what_other_rules_folded_is_folded_afresh_when_the_store_is_opened)
{
    struct fixture f;
    struct line a, b;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&a, 1, "BR1");
    line_init(&b, 2, "BR1");
    opens(&a, 1, 10, "O1");
    changes(&a, 3, 30, CHANGED("1"));
    changes(&b, 4, 20, CHANGED("2"));
    fixture_append_all(&f, &a, STATUS_SETTLED);
    fixture_append_all(&f, &b, STATUS_SETTLED);
    fixture_sql(&f, "DELETE FROM record_reviews");
    fixture_sql(&f, "UPDATE order_lines SET flagged = 0");
    fixture_sql(&f, "UPDATE review_texts SET text = 'of old'");
    fixture_sql(&f, "INSERT INTO meta (name, value) VALUES ('refold', '1')");
    assert_false(is_equal(&f));
    fixture_reopen(&f);
    fixture_assert_text(&f, "SELECT kind, text LIKE 'Two tills%', open FROM reviews",
                        "order_line|1|1\n");
    fixture_assert_text(&f, "SELECT count(*) FROM meta WHERE name = 'refold'", "0\n");
    fixture_assert_verified(&f);
    line_fini(&a);
    line_fini(&b);
    fixture_close(&f);
}

// ---- told by the feed -------------------------------------------------------------------------

// Hands every row of the centre's feed to the till, as one complete page.
static void tell_all(struct fixture *centre, struct fixture *till, bool reset)
{
    struct feed_page page;
    struct str rows[64];
    struct err e = {ERR_OK, ""};
    struct store_page limits = {.max_bytes = SIZE_MAX, .arena = &centre->arena};
    if (store_feed_read(centre->store, STR("BR1"), 0, &limits, &page, &e))
        fail_msg("%s", e.text);
    assert_true(page.count <= COUNT_OF(rows));
    for (size_t i = 0; i < page.count; i++)
        rows[i] = page.rows[i].bytes;
    struct feed_apply frame = {.location = STR("BR1"),
                               .to = page.head,
                               .reset = reset,
                               .complete = true,
                               .rows = rows,
                               .count = page.count};
    if (store_begin(till->store, &e) || store_feed_apply(till->store, &frame, &e) ||
        store_commit(till->store, &e))
        fail_msg("%s", e.text);
}

static void enrol(struct fixture *f)
{
    struct line admin;
    struct uuid id = fixture_uuid(9, 1);
    char device[UUID_TEXT_SIZE], body[256];
    uuid_format(&id, device);
    (void)snprintf(body, sizeof body,
                   "{\"role\":\"terminal\",\"location\":\"BR1\",\"key\":\"%064u\"}", 1u);
    line_init(&admin, 77, "hq");
    line_add(&admin, &(struct draft){990, 1, "device_enrolled", device, body});
    fixture_append_all(f, &admin, STATUS_SETTLED);
    line_fini(&admin);
}

TEST(records__a_till_folds_what_it_wrote_and_what_it_was_told)
{
    struct fixture centre, till;
    struct line mine, other;
    fixture_open(&centre, ROLE_CENTRAL);
    fixture_open(&till, ROLE_TERMINAL);
    enrol(&centre);
    line_init(&mine, 1, "BR1");
    line_init(&other, 2, "BR1");
    mine.own = true;
    opens(&other, 1, 10, "O1");
    changes(&mine, 3, 30, CHANGED("1"));
    fixture_append_all(&centre, &other, STATUS_SETTLED);
    fixture_append_all(&till, &mine, STATUS_PENDING); // before it knows the order
    tell_all(&centre, &till, true);
    fixture_assert_text(&till, LINES, "O1|main|COFFEE|50000|1250|1\n");
    tell_all(&centre, &till, false); // an answer that comes twice
    mine.own = false;
    fixture_append_all(&centre, &mine, STATUS_SETTLED);
    tell_all(&centre, &till, false); // its own event comes back
    fixture_assert_text(&till, LINES, "O1|main|COFFEE|50000|1250|1\n");
    assert_int_equal(fixture_number(&till, "SELECT count(*) FROM told_events"), 2);
    static const char rows[] = "SELECT hex(line), quantity, amount, flagged, triggers, r.open"
                               " FROM order_lines, record_reviews AS r";
    char *there = fixture_text(&centre, rows);
    char *here = fixture_text(&till, rows);
    assert_true(strlen(there) > 40);
    assert_string_equal(here, there);
    free(there);
    free(here);
    fixture_assert_verified(&till);
    fixture_assert_verified(&centre);
    line_fini(&mine);
    line_fini(&other);
    fixture_close(&centre);
    fixture_close(&till);
}

TEST(records__what_a_fresh_copy_of_the_feed_does_not_repeat_goes)
{
    struct fixture centre, other, till;
    struct line first, second;
    struct err e = {ERR_OK, ""};
    fixture_open(&centre, ROLE_CENTRAL);
    fixture_open(&other, ROLE_CENTRAL);
    fixture_open(&till, ROLE_TERMINAL);
    enrol(&centre);
    enrol(&other);
    line_init(&first, 1, "BR1");
    line_init(&second, 2, "BR1");
    opens(&first, 1, 10, "O1");
    opens(&second, 3, 20, "O2");
    fixture_append_all(&centre, &first, STATUS_SETTLED);
    fixture_append_all(&other, &second, STATUS_SETTLED);
    tell_all(&centre, &till, true);
    fixture_assert_text(&till, "SELECT id FROM orders", "O1\n");
    tell_all(&other, &till, true);
    fixture_assert_text(&till, "SELECT id FROM orders", "O2\n");
    fixture_assert_verified(&till);
    assert_int_equal(store_rebuild(till.store, NULL, NULL, &e), ERR_OK);
    fixture_assert_text(&till, "SELECT id FROM orders", "O2\n");
    fixture_assert_verified(&till);
    line_fini(&first);
    line_fini(&second);
    fixture_close(&centre);
    fixture_close(&other);
    fixture_close(&till);
}

// A copy made anew says nothing of orders that are over, and everything of all else.
TEST(records__a_fresh_copy_takes_nothing_from_orders_that_are_over)
{
    struct fixture centre, till;
    struct line mine, other;
    struct err e = {ERR_OK, ""};
    fixture_open(&centre, ROLE_CENTRAL);
    fixture_open(&till, ROLE_TERMINAL);
    enrol(&centre);
    line_init(&mine, 1, "BR1");
    line_init(&other, 2, "BR1");
    opens(&mine, 3, 12, "O2");
    opens(&other, 1, 10, "O1");
    line_add(&other, &(struct draft){5, 20, "payment_taken", "O1",
                                     "{\"payment\":" LINE_1 ",\"method\":\"cash\",\"currency\":"
                                     "\"USD\",\"amount\":1000}"});
    line_add(&other,
             &(struct draft){6, 21, "sale_completed", "O1", "{\"total\":1000,\"uses\":[]}"});
    line_add(&other, &(struct draft){7, 22, "table_set", "T5", "{\"status\":\"dirty\"}"});
    line_add(&other,
             &(struct draft){8, 23, "order_set", "O2", "{\"field\":\"note\",\"value\":\"x\"}"});
    fixture_append_all(&centre, &mine, STATUS_SETTLED);
    fixture_append_all(&centre, &other, STATUS_SETTLED);
    mine.own = true;
    fixture_append_all(&till, &mine, STATUS_PENDING);
    tell_all(&centre, &till, true);
    static const char wanted[] = "O1|paid|NULL\nO2|draft|x\n";
    static const char orders[] = "SELECT id, status, note FROM orders ORDER BY id";
    fixture_assert_text(&till, orders, wanted);
    assert_int_equal(store_rebuild(centre.store, NULL, NULL, &e), ERR_OK);
    tell_all(&centre, &till, true);
    fixture_assert_text(&till, orders, wanted);
    fixture_assert_text(&till, "SELECT id, status FROM floor_tables", "T5|dirty\n");
    fixture_assert_verified(&till);
    line_fini(&mine);
    line_fini(&other);
    fixture_close(&centre);
    fixture_close(&till);
}

#define NOTE(text) "{\"field\":\"note\",\"value\":\"" text "\"}"
#define NOTE_SHOWN "SELECT note FROM order_heads"

static void notes(struct line *l, unsigned id, unsigned ms, const char *body)
{
    line_add(l, &(struct draft){id, ms, "order_set", "O1", body});
}

struct carried { // one id by two tills, and a rival between them in the order
    struct fixture centre, till;
    struct line earlier, rival, later;
};

static void carried_open(struct carried *t)
{
    fixture_open(&t->centre, ROLE_CENTRAL);
    fixture_open(&t->till, ROLE_TERMINAL);
    enrol(&t->centre);
    line_init(&t->earlier, 1, "BR1");
    line_init(&t->rival, 2, "BR1");
    line_init(&t->later, 3, "BR1");
    opens(&t->rival, 1, 10, "O1");
    notes(&t->earlier, 5, 20, NOTE("theirs"));
    notes(&t->rival, 6, 30, NOTE("rival"));
    notes(&t->later, 5, 40, NOTE("theirs"));
}

static void carried_close(struct carried *t)
{
    line_fini(&t->earlier);
    line_fini(&t->rival);
    line_fini(&t->later);
    fixture_close(&t->centre);
    fixture_close(&t->till);
}

TEST(records__of_an_event_told_again_by_an_earlier_carrier_that_one_counts)
{
    struct carried t;
    struct err e = {ERR_OK, ""};
    carried_open(&t);
    fixture_append_all(&t.centre, &t.rival, STATUS_SETTLED);
    fixture_append_all(&t.centre, &t.later, STATUS_SETTLED);
    tell_all(&t.centre, &t.till, true);
    fixture_assert_text(&t.till, NOTE_SHOWN, "theirs\n");
    fixture_append_all(&t.centre, &t.earlier, STATUS_SETTLED);
    fixture_assert_text(&t.centre, NOTE_SHOWN, "rival\n");
    tell_all(&t.centre, &t.till, false);
    fixture_assert_text(&t.till, NOTE_SHOWN, "rival\n");
    fixture_assert_verified(&t.till);
    assert_int_equal(store_rebuild(t.till.store, NULL, NULL, &e), ERR_OK);
    fixture_assert_text(&t.till, NOTE_SHOWN, "rival\n");
    carried_close(&t);
}

TEST(records__what_a_till_wrote_counts_again_when_it_comes_back_instead_of_another_carrier)
{
    struct carried t;
    carried_open(&t);
    t.earlier.own = true;
    fixture_append_all(&t.till, &t.earlier, STATUS_PENDING);
    fixture_append_all(&t.centre, &t.rival, STATUS_SETTLED);
    fixture_append_all(&t.centre, &t.later, STATUS_SETTLED);
    tell_all(&t.centre, &t.till, true);
    fixture_assert_text(&t.till, NOTE_SHOWN, "theirs\n");
    t.earlier.own = false;
    fixture_append_all(&t.centre, &t.earlier, STATUS_SETTLED);
    tell_all(&t.centre, &t.till, false);
    fixture_assert_text(&t.till, NOTE_SHOWN, "rival\n");
    fixture_assert_verified(&t.till);
    carried_close(&t);
}

static void include(struct fixture *till, const struct line *l, uint64_t seq)
{
    struct err e = {ERR_OK, ""};
    struct feed_include include = {l->key, seq};
    struct feed_apply frame = {
        .location = STR("BR1"), .complete = true, .includes = &include, .include_count = 1};
    assert_int_equal(store_begin(till->store, &e), ERR_OK);
    assert_int_equal(store_feed_apply(till->store, &frame, &e), ERR_OK);
    assert_int_equal(store_commit(till->store, &e), ERR_OK);
}

// The upstream has the first carrier, and counts it.
TEST(records__what_the_feed_includes_counts_as_it_was_when_it_is_appended_again)
{
    struct carried t;
    struct store_withdrawn old;
    struct err e = {ERR_OK, ""};
    carried_open(&t);
    t.earlier.own = t.later.own = true;
    fixture_append_all(&t.till, &t.earlier, STATUS_PENDING);
    fixture_append_all(&t.centre, &t.rival, STATUS_SETTLED);
    tell_all(&t.centre, &t.till, true);
    include(&t.till, &t.earlier, 1);
    assert_int_equal(store_withdraw(t.till.store, &t.earlier.key, 1, &old, &e), ERR_OK);
    fixture_append_all(&t.till, &t.later, STATUS_PENDING);
    fixture_assert_text(&t.till, NOTE_SHOWN, "rival\n");
    fixture_assert_verified(&t.till);
    tell_all(&t.centre, &t.till, true); // it was restored, and has it no more
    fixture_assert_text(&t.till, NOTE_SHOWN, "theirs\n");
    t.earlier.own = false;
    fixture_append_all(&t.centre, &t.earlier, STATUS_SETTLED); // by another way
    tell_all(&t.centre, &t.till, false);
    fixture_assert_text(&t.till, NOTE_SHOWN, "rival\n");
    fixture_assert_verified(&t.till);
    carried_close(&t);
}

TEST(records__a_new_event_is_given_the_records_frontier)
{
    struct fixture f;
    struct line l;
    struct uuid base[LIMIT_BASE];
    size_t count = 9;
    struct err e = {ERR_OK, ""};
    struct record_name order = {STR("BR1"), STR("order"), STR("O1")};
    struct record_name stock = {STR("BR1"), STR("stock"), STR("rice")};
    fixture_open(&f, ROLE_TERMINAL);
    line_init(&l, 1, "BR1");
    l.own = true;
    opens(&l, 1, 10, "O1");
    assert_int_equal(store_frontier(f.store, &order, base, &count, &e), ERR_OK);
    assert_int_equal(count, 0);
    fixture_append_all(&f, &l, STATUS_PENDING);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(store_frontier(f.store, &order, base, &count, &e), ERR_OK);
        struct uuid last = fixture_uuid(3, 2);
        assert_int_equal(count, 1);
        assert_true(uuid_equal(&base[0], &last));
        fixture_reopen(&f); // from memory, then from the journal
    }
    assert_int_equal(store_frontier(f.store, &stock, base, &count, &e), ERR_OK);
    assert_int_equal(count, 0);
    line_fini(&l);
    fixture_close(&f);
}
