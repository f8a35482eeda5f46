// SPDX-License-Identifier: Apache-2.0
// Orders of which events are pruned: whole as long as somebody needs them, then gone.
#include "test/unit/store/till.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACKED_AT INT64_C(1760000100000)
#define LINE_1   "\"01890a5d-0000-7000-8000-000000000001\""
#define OPENED   "{\"kind\":\"dine_in\",\"table\":\"T5\",\"currency\":\"USD\",\"places\":2}"
#define ADDED    "{\"line\":" LINE_1 ",\"sku\":\"COFFEE\",\"quantity\":\"4\",\"unit_price\":\"2\"}"
#define CHANGED  "{\"line\":" LINE_1 ",\"quantity\":\"1\"}"
#define PAID(amount)                                                                               \
    "{\"payment\":" LINE_1 ",\"method\":\"cash\",\"currency\":\"USD\",\"amount\":" amount "}"
#define COMPLETED(total) "{\"total\":" total ",\"uses\":[]}"

static void opens(struct line *l, unsigned id, const char *order)
{
    line_add(l, &(struct draft){id, 10 + id, "order_opened", order, OPENED});
    line_add(l, &(struct draft){id + 1, 11 + id, "line_added", order, ADDED});
}

static void completes(struct line *l, unsigned id, const char *order)
{
    line_add(l, &(struct draft){id, 10 + id, "payment_taken", order, PAID("800")});
    line_add(l, &(struct draft){id + 1, 11 + id, "sale_completed", order, COMPLETED("800")});
}

// Appends what is new of the till's line and lets it be settled and included.
static void settle(struct till *t, size_t from)
{
    for (size_t i = from; i < t->l.count; i++)
        (void)fixture_append(&t->f, &t->l, i, STATUS_PENDING);
    assert_int_equal(fixture_ack(&t->f, &t->l, t->l.count, t->l.count, ACKED_AT), ERR_OK);
    till_include(t, &t->l, t->l.count);
    fixture_sql(&t->f, "UPDATE stock SET confirmed = quantity, generation = 1");
}

static char *order_rows(struct till *t)
{
    static const char *const queries[] = {
        "SELECT location, id, status, total, sync_status FROM orders ORDER BY 2",
        "SELECT order_id, bill, sku, quantity, amount FROM order_lines ORDER BY 1",
        "SELECT order_id, bill, status, total, paid FROM order_bills ORDER BY 1",
        "SELECT order_id, method, amount FROM order_payments ORDER BY 1",
        "SELECT record, kind, open FROM record_reviews ORDER BY 1, 2",
    };
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    assert_non_null(to);
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        char *part = fixture_text(&t->f, queries[i]);
        (void)fputs(part, to);
        free(part);
    }
    (void)fclose(to);
    return text;
}

static void assert_rows(struct till *t, const char *wanted)
{
    char *rows = order_rows(t);
    assert_string_equal(rows, wanted);
    free(rows);
}

static void assert_no_orders(struct till *t)
{
    static const char *const tables[] = {"records",        "record_events", "told_events",
                                         "order_heads",    "order_bills",   "order_lines",
                                         "order_payments", "record_reviews"};
    for (size_t i = 0; i < COUNT_OF(tables); i++) {
        char sql[64];
        (void)snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", tables[i]);
        if (fixture_number(&t->f, sql) != 0)
            fail_msg("%s still has rows", tables[i]);
    }
}

TEST(prune_records__an_order_that_is_over_goes_as_a_whole)
{
    struct till t;
    till_open(&t);
    opens(&t.l, 1, "O1");
    completes(&t.l, 3, "O1");
    line_ticket(&t.l, 5, 15, "T-1", "rice"); // the last one, which stays
    settle(&t, 0);
    assert_int_equal(fixture_number(&t.f, "SELECT count(*) FROM orders"), 1);
    assert_int_equal(till_prune(&t, INT64_MAX, 3), 4);
    assert_no_orders(&t);
    till_assert_whole(&t, 4);
    till_close(&t);
}

TEST(prune_records__an_open_order_keeps_what_it_needs_of_pruned_events)
{
    struct till t;
    till_open(&t);
    opens(&t.l, 1, "O1");
    line_ticket(&t.l, 5, 15, "T-1", "rice");
    settle(&t, 0);
    char *before = order_rows(&t);
    assert_int_equal(till_prune(&t, INT64_MAX, 100), 2);
    assert_int_equal(fixture_number(&t.f, "SELECT count(*) FROM told_events"), 2);
    assert_rows(&t, before);
    till_assert_whole(&t, 2);
    assert_int_equal(store_rebuild(t.f.store, NULL, NULL, NULL), ERR_OK);
    assert_rows(&t, before);
    till_reopen(&t);
    line_add(&t.l, &(struct draft){6, 16, "line_changed", "O1", CHANGED}); // a month later
    line_add(&t.l, &(struct draft){7, 17, "payment_taken", "O1", PAID("1000")});
    line_add(&t.l, &(struct draft){8, 18, "sale_completed", "O1", COMPLETED("1000")});
    line_ticket(&t.l, 9, 19, "T-2", "rice");
    settle(&t, 3);
    fixture_assert_text(&t.f, "SELECT status, total FROM orders", "paid|1000\n");
    till_assert_whole(&t, 2);
    assert_int_equal(till_prune(&t, INT64_MAX, 100), 4);
    assert_no_orders(&t);
    till_assert_whole(&t, 6);
    free(before);
    till_close(&t);
}

// The last event of a stream stays, and so its order stays whole.
TEST(prune_records__an_order_is_whole_as_long_as_one_of_its_events_is_kept)
{
    struct till t;
    till_open(&t);
    opens(&t.l, 1, "O1");
    completes(&t.l, 3, "O1");
    settle(&t, 0);
    char *before = order_rows(&t);
    assert_int_equal(till_prune(&t, INT64_MAX, 1), 3);
    assert_rows(&t, before);
    till_assert_whole(&t, 3);
    // A fresh copy of the feed does not repeat what was completed long ago.
    struct feed_apply fresh = {.location = STR("BR1"), .reset = true, .complete = true};
    assert_int_equal(store_feed_apply(t.f.store, &fresh, NULL), ERR_OK);
    assert_rows(&t, before);
    free(before);
    till_close(&t);
}

TEST(prune_records__an_order_with_an_open_question_stays)
{
    struct till t;
    till_open(&t);
    opens(&t.l, 1, "O1");
    completes(&t.l, 3, "O1");
    line_add(&t.l, &(struct draft){6, 16, "sale_completed", "O1", COMPLETED("800")}); // again
    line_ticket(&t.l, 7, 17, "T-1", "rice");
    settle(&t, 0);
    assert_true(fixture_number(&t.f, "SELECT count(*) FROM record_reviews WHERE open = 1") > 0);
    char *before = order_rows(&t);
    assert_int_equal(till_prune(&t, INT64_MAX, 100), 5);
    assert_rows(&t, before);
    till_assert_whole(&t, 5);
    free(before);
    till_close(&t);
}

// ---- other types ------------------------------------------------------------------------------

// What is kept of each, pruned as far as can be.
TEST(prune_records__what_nobody_waits_for_goes_and_the_rest_stays)
{
    struct till t;
    till_open(&t);
    line_add(&t.l, &(struct draft){1, 10, "demand_unmet", "D1",
                                   "{\"sku\":\"A\",\"quantity\":\"1\",\"reason\":\"sold_out\"}"});
    line_add(&t.l, &(struct draft){2, 11, "reservation_requested", "V1",
                                   "{\"sku\":\"A\",\"quantity\":\"1\"}"});
    line_add(&t.l, &(struct draft){3, 12, "reservation_requested", "V2",
                                   "{\"sku\":\"A\",\"quantity\":\"1\"}"});
    line_add(&t.l, &(struct draft){4, 13, "reservation_released", "V2", "{}"});
    line_add(&t.l, &(struct draft){5, 14, "shift_opened", "S1", "{\"till\":\"T1\"}"});
    line_add(&t.l, &(struct draft){6, 15, "shift_opened", "S2", "{\"till\":\"T2\"}"});
    line_add(&t.l, &(struct draft){7, 16, "shift_closed", "S2",
                                   "{\"z\":1,\"streams\":[],\"totals\":[],\"counted\":[]}"});
    line_add(&t.l, &(struct draft){8, 17, "table_set", "T5", "{\"status\":\"dirty\"}"});
    line_add(&t.l, &(struct draft){9, 18, "customer_set", "C1", "{\"tier\":\"gold\"}"});
    line_ticket(&t.l, 10, 19, "T-1", "rice"); // the last one, which stays
    settle(&t, 0);
    assert_int_equal(till_prune(&t, INT64_MAX, 100), 9);
    fixture_assert_text(&t.f, "SELECT type, id FROM records ORDER BY 1, 2",
                        "customer|C1\nreservation|V1\nshift|S1\ntable|T5\n");
    fixture_assert_text(&t.f, "SELECT state, id FROM reservations", "pending|V1\n");
    till_assert_whole(&t, 9);
    till_close(&t);
}

// ---- what the feed told -----------------------------------------------------------------------

TEST(prune_records__orders_of_other_tills_go_when_they_are_over)
{
    struct till t;
    struct line over, open, young;
    till_open(&t);
    line_init(&over, 2, "BR1");
    line_init(&open, 3, "BR1");
    line_init(&young, 4, "BR1");
    opens(&over, 20, "O2");
    completes(&over, 22, "O2");
    opens(&open, 30, "O3");
    opens(&young, 400, "O4");
    completes(&young, 402, "O4");
    till_tell(&t, &open);
    till_tell(&t, &over);
    till_tell(&t, &young);
    assert_int_equal(fixture_number(&t.f, "SELECT count(*) FROM orders"), 3);
    assert_int_equal(till_prune(&t, INT64_C(1760000000300), 100), 0);
    fixture_assert_text(&t.f, "SELECT id FROM orders ORDER BY id", "O3\nO4\n");
    assert_int_equal(fixture_number(&t.f, "SELECT count(*) FROM told_events"), 6);
    till_assert_whole(&t, 0);
    line_fini(&over);
    line_fini(&open);
    line_fini(&young);
    till_close(&t);
}

TEST(prune_records__finds_an_edit_of_what_is_kept_of_a_pruned_event)
{
    struct till t;
    till_open(&t);
    opens(&t.l, 1, "O1");
    line_ticket(&t.l, 5, 15, "T-1", "rice");
    settle(&t, 0);
    (void)till_prune(&t, INT64_MAX, 100);
    fixture_sql(&t.f, "UPDATE told_events SET bytes = replace(bytes, 'COFFEE', 'TEA')");
    fixture_sql(&t.f, "UPDATE order_lines SET sku = 'TEA'");
    till_reopen(&t);
    assert_int_equal(till_verdict(&t).chain_errors, 1);
    till_close(&t);
}
