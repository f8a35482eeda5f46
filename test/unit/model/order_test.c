// SPDX-License-Identifier: Apache-2.0
// The rules of orders, one worked example each.
#include "model/order.h"

#include "test/unit/model/history.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static struct history h;
static struct record *all;

// Device 0 opens a table with 4 coffees at 2.50 and tells the others.
static void begin(void)
{
    history_init(&h, reducer_find(STR("order")));
    history_write(&h, 0, "order_opened",
                  "{\"kind\":\"dine_in\",\"table\":\"T5\",\"covers\":2,\"currency\":\"USD\","
                  "\"places\":2}");
    history_write(&h, 0, "line_added",
                  "{\"line\":\"%s\",\"sku\":\"COFFEE\",\"quantity\":\"4\",\"unit_price\":\"2.5\"}",
                  history_id_text(1));
    for (int i = 1; i < DEVICES_MAX; i++)
        history_tell_all(&h, i);
}

static void fold(void)
{
    record_free(all);
    all = history_all(&h);
}

static void end(void)
{
    record_free(all);
    all = NULL;
    history_fini(&h);
}

static size_t change(int device, const char *quantity)
{
    return history_write(&h, device, "line_changed", "{\"line\":\"%s\",\"quantity\":\"%s\"}",
                         history_id_text(1), quantity);
}

static size_t remove_line(int device)
{
    return history_write(&h, device, "line_removed", "{\"line\":\"%s\"}", history_id_text(1));
}

static size_t split(int device, uint64_t bill, const char *quantity)
{
    return history_write(&h, device, "order_split",
                         "{\"bill\":\"%s\",\"lines\":[{\"line\":\"%s\",\"quantity\":\"%s\"}]}",
                         history_id_text(bill), history_id_text(1), quantity);
}

static size_t pay(int device, int amount)
{
    return history_write(&h, device, "payment_taken",
                         "{\"payment\":\"%s\",\"method\":\"cash\",\"currency\":\"USD\","
                         "\"amount\":%d}",
                         history_id_text(200 + h.count), amount);
}

static size_t complete(int device, int total)
{
    return history_write(&h, device, "sale_completed",
                         "{\"total\":%d,\"receipt\":\"BR01-T01-000001\",\"uses\":[]}", total);
}

static size_t void_order(int device)
{
    return history_write(&h, device, "order_voided", "{\"reason\":\"left\"}");
}

static void line_is(const char *quantity, const char *flagged)
{
    const char *is = history_column(all, "order_lines", "|bill=main|", "quantity");
    if (quantity == NULL) {
        assert_null(is);
        return;
    }
    assert_non_null(is);
    assert_string_equal(is, quantity);
    assert_string_equal(history_column(all, "order_lines", "|bill=main|", "flagged"), flagged);
}

static void bill_is(const char *bill, const char *status, const char *total)
{
    char where[64];
    snprintf(where, sizeof where, "|bill=%s|", bill);
    const char *is = history_column(all, "order_bills", where, "status");
    assert_non_null(is);
    assert_string_equal(is, status);
    assert_string_equal(history_column(all, "order_bills", where, "total"), total);
}

// NULL: not asked; "1": open; "0": settled.
static void review_is(const char *kind, const char *open)
{
    char where[64];
    snprintf(where, sizeof where, "|kind=%s|", kind);
    const char *is = history_column(all, "record_reviews", where, "open");
    if (open == NULL)
        assert_null(is);
    else
        assert_string_equal(is ? is : "(not asked)", open);
}

// ---- lines ------------------------------------------------------------------------------------

TEST(order__opens_with_its_lines_and_totals)
{
    begin();
    fold();
    line_is("4", "0");
    bill_is("main", "draft", "1000");
    assert_string_equal(history_column(all, "order_heads", "", "table_name"), "T5");
    assert_string_equal(history_column(all, "order_heads", "", "covers"), "2");
    assert_string_equal(history_column(all, "order_heads", "", "total"), "1000");
    review_is("line", NULL);
    end();
}

TEST(order__two_changes_at_once_both_count_and_are_flagged)
{
    begin();
    change(1, "2");
    change(2, "-1");
    fold();
    line_is("5", "1");
    review_is("line", "1");
    end();
}

TEST(order__a_question_tells_both_sides_what_both_had_seen_and_a_suggestion)
{
    begin();
    change(1, "2");
    change(2, "-1");
    fold();
    const char *detail = history_column(all, "record_reviews", "", "detail");
    assert_non_null(strstr(detail, "{\"base\":\"4\",\"sides\":[{\"event\":\""));
    assert_non_null(strstr(detail,
                           "\"type\":\"line_changed\",\"at\":1700000003000,\"actor\":\"A1\","
                           "\"value\":\"+2"));
    assert_non_null(strstr(detail, "\"actor\":\"A2\",\"value\":\"-1"));
    assert_non_null(strstr(detail, "\"suggested\":{\"decision\":\"accept\",\"why\":\""));
    end();
}

TEST(order__a_change_of_a_line_that_is_not_here_shows_all_the_same)
{
    begin();
    size_t changed = change(1, "2");
    record_free(all);
    all = history_fold(&h, &changed, 1, 0, 1);
    line_is("2", "0");
    bill_is("main", "draft", "0");
    end();
}

TEST(order__changes_that_saw_each_other_raise_no_question)
{
    begin();
    history_tell(&h, 2, change(1, "2"));
    change(2, "-1");
    fold();
    line_is("5", "0");
    review_is("line", NULL);
    end();
}

TEST(order__a_remove_takes_out_exactly_what_its_author_had_seen)
{
    begin();
    remove_line(1);
    change(2, "2"); // unseen: two more are wanted
    fold();
    line_is("2", "1");
    end();
}

TEST(order__a_remove_leaves_an_earlier_change_that_its_author_had_not_seen)
{
    begin();
    change(2, "2");
    remove_line(1);
    fold();
    line_is("2", "1");
    end();
}

TEST(order__a_remove_that_saw_everything_leaves_nothing)
{
    begin();
    history_tell(&h, 1, change(2, "2"));
    remove_line(1);
    fold();
    line_is(NULL, NULL);
    bill_is("main", "draft", "0");
    end();
}

TEST(order__a_line_added_again_after_its_removal_stays)
{
    begin();
    remove_line(1);
    history_write(&h, 1, "line_added",
                  "{\"line\":\"%s\",\"sku\":\"COFFEE\",\"quantity\":\"1\",\"unit_price\":\"2.5\"}",
                  history_id_text(1));
    fold();
    line_is("1", "0");
    end();
}

// ---- what many changes cost ---------------------------------------------------------------------

TEST(order__two_tills_that_change_one_line_often_ask_of_each_change_once)
{
    enum { CHANGES = 190, BYTES = 1 << 20 };
    struct record *r;
    struct arena arena;
    struct row_list rows;
    begin();
    for (int i = 0; i < CHANGES; i++) {
        change(1, "1");
        change(2, "1");
    }
    assert_int_equal(record_new(h.reducer, STR("R1"), BYTES, &r), ERR_OK);
    for (size_t i = 0; i < h.count; i++)
        assert_int_equal(record_add(r, &h.events[i], NULL), ERR_OK);
    assert_int_equal(record_fold(r), ERR_OK);
    arena_init(&arena, BYTES);
    assert_int_equal(record_rows(r, &arena, &rows), ERR_OK);
    const char *triggers = history_column(r, "record_reviews", "kind=line", "triggers");
    assert_int_equal(strlen(triggers) + 1, 2 * CHANGES * UUID_TEXT_SIZE);
    arena_fini(&arena);
    record_free(r);
    end();
}

TEST(order__many_splits_of_many_lines_are_looked_at_line_by_line)
{
    enum { LINES = 100, SPLITS = 200 };
    static char shares[LINES * 80];
    size_t used = 0;
    begin();
    for (unsigned i = 0; i < LINES; i++) {
        history_write(&h, 0, "line_added",
                      "{\"line\":\"%s\",\"sku\":\"S\",\"quantity\":\"500\",\"unit_price\":\"1\"}",
                      history_id_text(1000 + i));
        used += (size_t)snprintf(shares + used, sizeof shares - used,
                                 "%s{\"line\":\"%s\",\"quantity\":\"1\"}", i ? "," : "",
                                 history_id_text(1000 + i));
    }
    for (unsigned i = 0; i < SPLITS; i++)
        history_write(&h, 0, "order_split", "{\"bill\":\"%s\",\"lines\":[%s]}",
                      history_id_text(2000 + i), shares);
    struct arena arena;
    struct row_list rows;
    fold();
    arena_init(&arena, (size_t)64 << 20);
    clock_t before = clock();
    assert_int_equal(record_rows(all, &arena, &rows), ERR_OK);
    assert_true(clock() - before < CLOCKS_PER_SEC); // each split looked at for each row: 5 s
    assert_int_equal(rows.count, 1 + (SPLITS + 1) + (LINES * (SPLITS + 1) + 1));
    arena_fini(&arena);
    end();
}

// ---- answers ------------------------------------------------------------------------------------

static void resolve(int device, const char *kind, const char *part, const char *decision,
                    const size_t *triggers, size_t count)
{
    char list[512] = "";
    for (size_t i = 0; i < count; i++) {
        char id[UUID_TEXT_SIZE];
        uuid_format(&h.events[triggers[i]].id, id);
        snprintf(list + strlen(list), sizeof list - strlen(list), "%s{\"event\":\"%s\"}",
                 i ? "," : "", id);
    }
    history_write(&h, device, "review_resolved",
                  "{\"review\":\"%s\",%s%s%s\"decision\":\"%s\",\"triggers\":[%s]}", kind,
                  *part ? "\"part\":\"" : "", part, *part ? "\"," : "", decision, list);
}

TEST(order__an_accepted_conflict_stays_as_it_is_and_is_settled)
{
    begin();
    size_t both[] = {change(1, "2"), change(2, "-1")};
    history_tell_all(&h, 3);
    resolve(3, "line", history_id_text(1), "accept", both, 2);
    fold();
    line_is("5", "0");
    review_is("line", "0");
    end();
}

TEST(order__a_rejected_change_is_taken_out_again)
{
    begin();
    size_t first = change(1, "2"), second = change(2, "-1");
    history_tell_all(&h, 3);
    resolve(3, "line", history_id_text(1), "reject", &second, 1);
    resolve(3, "line", history_id_text(1), "accept", &first, 1);
    fold();
    line_is("6", "0");
    end();
}

TEST(order__the_last_of_several_answers_counts)
{
    begin();
    size_t first = change(1, "2"), second = change(2, "-1");
    history_tell_all(&h, 3);
    resolve(3, "line", history_id_text(1), "reject", &second, 1);
    resolve(3, "line", history_id_text(1), "reject", &first, 1);
    resolve(3, "line", history_id_text(1), "accept", &second, 1);
    fold();
    line_is("3", "0");
    end();
}

TEST(order__an_answer_settles_only_what_it_names)
{
    begin();
    size_t both[] = {change(1, "2"), change(2, "-1")};
    history_tell_all(&h, 3);
    resolve(3, "line", history_id_text(1), "accept", both, 2);
    change(4, "1"); // unseen by all
    fold();
    line_is("6", "1");
    review_is("line", "1");
    end();
}

// ---- header -------------------------------------------------------------------------------------

TEST(order__header_fields_merge_one_by_one)
{
    begin();
    history_write(&h, 1, "order_set", "{\"field\":\"covers\",\"value\":\"3\"}");
    history_write(&h, 2, "order_set", "{\"field\":\"waiter\",\"value\":\"W7\"}");
    history_write(&h, 3, "order_moved", "{\"table\":\"T9\"}");
    fold();
    assert_string_equal(history_column(all, "order_heads", "", "covers"), "3");
    assert_string_equal(history_column(all, "order_heads", "", "waiter"), "W7");
    assert_string_equal(history_column(all, "order_heads", "", "table_name"), "T9");
    end();
}

TEST(order__a_discount_is_taken_off_once_and_rounded_once)
{
    begin();
    history_write(&h, 1, "order_set", "{\"field\":\"discount\",\"value\":\"12.5\"}");
    change(1, "-3"); // one coffee: 2.50 less 31.25 cents
    fold();
    bill_is("main", "draft", "219");
    end();
}

// ---- bills --------------------------------------------------------------------------------------

TEST(order__a_split_moves_units_and_their_sum_stays)
{
    begin();
    split(1, 7, "1");
    fold();
    line_is("3", "0");
    bill_is("main", "draft", "750");
    bill_is(history_id_text(7), "draft", "250");
    assert_string_equal(history_column(all, "order_heads", "", "total"), "1000");
    end();
}

TEST(order__two_splits_beyond_the_line_bill_no_unit_twice_and_ask)
{
    begin();
    split(1, 7, "3");
    split(2, 8, "2");
    fold();
    line_is("-1", "0");
    bill_is(history_id_text(7), "draft", "750");
    bill_is(history_id_text(8), "draft", "500");
    assert_string_equal(history_column(all, "order_heads", "", "total"), "1000");
    review_is("split", "1");
    end();
}

TEST(order__splits_that_a_person_rejected_are_taken_back)
{
    begin();
    split(3, 6, "1");
    history_tell_all(&h, 1);
    history_tell_all(&h, 2);
    size_t both[] = {split(1, 7, "3"), split(2, 8, "2")};
    history_tell_all(&h, 4);
    resolve(4, "split", history_id_text(1), "reject", both, 2);
    fold();
    line_is("3", "0");
    bill_is(history_id_text(6), "draft", "250");
    bill_is(history_id_text(7), "draft", "0");
    bill_is(history_id_text(8), "draft", "0");
    review_is("split", "0");
    end();
}

TEST(order__a_split_is_taken_back_of_the_line_that_was_asked_about)
{
    begin();
    size_t both[] = {split(1, 7, "3"), split(2, 8, "2")};
    history_tell_all(&h, 4);
    resolve(4, "split", history_id_text(9), "reject", both, 2);
    fold();
    line_is("-1", "0");
    review_is("split", "1");
    end();
}

TEST(order__a_split_beyond_the_line_asks_about_those_that_had_not_seen_each_other)
{
    begin();
    size_t seen = split(3, 6, "1");
    history_tell_all(&h, 1);
    history_tell_all(&h, 2);
    split(1, 7, "3");
    split(2, 8, "2");
    fold();
    char id[UUID_TEXT_SIZE];
    uuid_format(&h.events[seen].id, id);
    const char *triggers = history_column(all, "record_reviews", "|kind=split|", "triggers");
    assert_non_null(triggers);
    assert_null(strstr(triggers, id));
    assert_int_equal(strlen(triggers), 2 * UUID_TEXT_SIZE - 1);
    end();
}

TEST(order__a_remove_that_saw_a_split_takes_its_units_from_both_bills)
{
    begin();
    history_tell(&h, 2, split(1, 7, "1"));
    remove_line(2);
    fold();
    line_is(NULL, NULL);
    bill_is(history_id_text(7), "draft", "0");
    review_is("split", NULL);
    end();
}

TEST(order__two_merges_into_different_orders_ask)
{
    begin();
    history_write(&h, 1, "order_merged", "{\"into\":\"R2\"}");
    history_write(&h, 2, "order_merged", "{\"into\":\"R3\"}");
    fold();
    assert_string_equal(history_column(all, "order_heads", "", "merged_into"), "R3");
    review_is("merged_twice", "1");
    end();
}

TEST(order__merges_that_a_person_rejected_are_taken_back)
{
    begin();
    size_t one = history_write(&h, 1, "order_merged", "{\"into\":\"R2\"}");
    size_t both[] = {one, history_write(&h, 2, "order_merged", "{\"into\":\"R3\"}")};
    history_tell_all(&h, 3);
    resolve(3, "merged_twice", "", "reject", &both[1], 1);
    fold();
    assert_string_equal(history_column(all, "order_heads", "", "merged_into"), "R2");
    resolve(3, "merged_twice", "", "reject", both, 2);
    fold();
    assert_null(history_column(all, "order_heads", "", "merged_into"));
    review_is("merged_twice", "0");
    end();
}

// ---- the kitchen --------------------------------------------------------------------------------

TEST(order__a_line_is_done_at_a_station_once_by_the_first_that_says_so)
{
    begin();
    for (int device = 2; device >= 1; device--)
        history_write(&h, device, "ticket_bumped", "{\"station\":\"grill\",\"line\":\"%s\"}",
                      history_id_text(1));
    history_write(&h, 1, "ticket_bumped", "{\"station\":\"bar\"}");
    fold();
    assert_string_equal(history_column(all, "order_bumps", "|station=grill|", "at"),
                        "1700000003000");
    assert_string_equal(history_column(all, "order_bumps", "|station=bar|", "line"), "all");
    bill_is("main", "draft", "1000");
    end();
}

// ---- money --------------------------------------------------------------------------------------

TEST(order__is_paid_once_completed_and_refunded_once_all_is_given_back)
{
    begin();
    history_write(&h, 0, "ticket_fired", "{}");
    fold();
    bill_is("main", "fired", "1000");
    pay(0, 1000);
    complete(0, 1000);
    fold();
    bill_is("main", "paid", "1000");
    assert_string_equal(history_column(all, "order_bills", "", "receipt"), "BR01-T01-000001");
    review_is("payment", NULL);
    history_write(&h, 0, "payment_refunded",
                  "{\"refund\":\"%s\",\"payment\":\"%s\",\"method\":\"cash\",\"currency\":\"USD\","
                  "\"amount\":400}",
                  history_id_text(301), history_id_text(204));
    fold();
    bill_is("main", "paid", "1000");
    history_write(&h, 0, "payment_refunded",
                  "{\"refund\":\"%s\",\"payment\":\"%s\",\"method\":\"cash\",\"currency\":\"USD\","
                  "\"amount\":600}",
                  history_id_text(302), history_id_text(204));
    fold();
    bill_is("main", "refunded", "1000");
    end();
}

TEST(order__a_void_beside_a_payment_loses_and_is_asked_about)
{
    begin();
    pay(1, 1000);
    complete(1, 1000);
    void_order(2); // later, and unseen
    fold();
    bill_is("main", "paid", "1000");
    review_is("void_lost", "1");
    end();
}

TEST(order__a_void_beside_money_that_was_taken_without_completion_loses_too)
{
    begin();
    void_order(2);
    pay(1, 1000);
    fold();
    bill_is("main", "draft", "1000");
    review_is("void_lost", "1");
    end();
}

TEST(order__a_paid_order_never_becomes_a_draft_again)
{
    begin();
    history_write(&h, 0, "ticket_fired", "{}");
    pay(0, 1000);
    complete(0, 1000);
    void_order(0); // even by one who saw the payment
    history_write(&h, 3, "ticket_fired", "{}");
    fold();
    bill_is("main", "paid", "1000");
    assert_string_equal(history_column(all, "order_heads", "", "status"), "paid");
    end();
}

TEST(order__a_void_stands_where_no_money_was_taken)
{
    begin();
    void_order(1);
    fold();
    bill_is("main", "voided", "1000");
    assert_string_equal(history_column(all, "order_heads", "", "status"), "voided");
    assert_string_equal(history_column(all, "order_heads", "", "total"), "0");
    review_is("void_lost", NULL);
    end();
}

TEST(order__payments_of_two_tills_both_stay_and_the_surplus_is_asked_about)
{
    begin();
    pay(1, 1000);
    pay(2, 1000);
    history_tell_all(&h, 0);
    complete(0, 1000);
    fold();
    assert_string_equal(history_column(all, "order_bills", "", "paid"), "2000");
    review_is("payment", "1");
    end();
}

TEST(order__a_second_completion_is_asked_about_however_it_is_judged)
{
    begin();
    pay(1, 1000);
    complete(1, 1000);
    size_t second = complete(2, 900);
    fold();
    review_is("completed_twice", "1");
    bill_is("main", "paid", "1000");
    char id[UUID_TEXT_SIZE];
    struct err e;
    uuid_format(&h.events[second].id, id);
    size_t judgement = history_write(&h, 0, "event_judged",
                                     "{\"target\":\"%s\",\"outcome\":\"duplicate\","
                                     "\"reason\":\"completed_twice\",\"term\":1}",
                                     id);
    assert_int_equal(record_add(all, &h.events[judgement], &e), ERR_OK);
    assert_int_equal(record_fold(all), ERR_OK);
    review_is("completed_twice", "1");
    bill_is("main", "paid", "1000");
    end();
}

TEST(order__a_line_beside_its_completion_is_kept_and_asked_about)
{
    begin();
    pay(1, 1000);
    complete(1, 1000);
    change(2, "1");
    fold();
    line_is("5", "0");
    bill_is("main", "paid", "1000");
    review_is("after_payment", "1");
    end();
}

TEST(order__a_payment_in_another_currency_counts_by_its_value)
{
    begin();
    history_write(&h, 1, "payment_taken",
                  "{\"payment\":\"%s\",\"method\":\"cash\",\"currency\":\"LBP\",\"amount\":895000,"
                  "\"value\":1000}",
                  history_id_text(400));
    complete(1, 1000);
    fold();
    assert_string_equal(history_column(all, "order_bills", "", "paid"), "1000");
    assert_string_equal(history_column(all, "order_payments", "", "amount"), "895000");
    review_is("payment", NULL);
    end();
}

TEST(order__a_payment_in_another_currency_without_a_value_pays_nothing_and_is_asked_about)
{
    begin();
    history_write(&h, 1, "payment_taken",
                  "{\"payment\":\"%s\",\"method\":\"cash\",\"currency\":\"LBP\",\"amount\":1000}",
                  history_id_text(400));
    complete(1, 1000);
    fold();
    assert_string_equal(history_column(all, "order_bills", "", "paid"), "0");
    assert_string_equal(history_column(all, "order_payments", "", "amount"), "1000");
    assert_string_equal(history_column(all, "order_payments", "", "value"), "0");
    review_is("payment", "1");
    end();
}

TEST(order__a_value_in_the_same_currency_is_the_amount)
{
    begin();
    history_write(&h, 1, "payment_taken",
                  "{\"payment\":\"%s\",\"method\":\"cash\",\"currency\":\"USD\",\"amount\":1000,"
                  "\"value\":7}",
                  history_id_text(400));
    complete(1, 1000);
    fold();
    assert_string_equal(history_column(all, "order_bills", "", "paid"), "1000");
    review_is("payment", NULL);
    end();
}

TEST(order__money_and_sales_say_in_which_shift_they_happened)
{
    begin();
    size_t paid = history_write(&h, 1, "payment_taken",
                                "{\"payment\":\"%s\",\"method\":\"card\",\"currency\":\"USD\","
                                "\"amount\":1000,\"shift\":\"T1-7\"}",
                                history_id_text(400));
    pay(1, 5); // of no shift
    history_write(&h, 1, "payment_refunded",
                  "{\"refund\":\"%s\",\"payment\":\"%s\",\"method\":\"card\",\"currency\":\"USD\","
                  "\"amount\":400,\"shift\":\"T1-8\"}",
                  history_id_text(401), history_id_text(400));
    history_write(&h, 2, "sale_completed", "{\"total\":1000,\"uses\":[],\"shift\":\"T1-7\"}");
    history_write(&h, 3, "sale_completed", "{\"total\":1000,\"uses\":[],\"shift\":\"T1-7\"}");
    fold();
    char seq[24];
    snprintf(seq, sizeof seq, "%llu", (unsigned long long)h.events[paid].seq);
    assert_string_equal(history_column(all, "shift_facts", "|kind=payment|", "shift"), "T1-7");
    assert_string_equal(history_column(all, "shift_facts", "|kind=payment|", "amount"), "1000");
    assert_string_equal(history_column(all, "shift_facts", "|kind=payment|", "method"), "card");
    assert_string_equal(history_column(all, "shift_facts", "|kind=payment|", "seq"), seq);
    assert_string_equal(history_column(all, "shift_facts", "|kind=refund|", "amount"), "-400");
    assert_string_equal(history_column(all, "shift_facts", "|kind=refund|", "shift"), "T1-8");
    assert_string_equal(history_column(all, "shift_facts", "|kind=sale|", "amount"), "1000");
    size_t facts = 0;
    for (const char *at = history_rows(all); (at = strstr(at, "shift_facts|")); at++)
        facts++;
    assert_int_equal(facts, 3); // the second completion is no second sale
    end();
}

// ---- bad bodies -------------------------------------------------------------------------------

TEST(order__refuses_bodies_that_say_nothing_sensible)
{
    static const struct {
        const char *type, *body, *why;
    } cases[] = {
        {"order_opened", "{\"kind\":\"picnic\",\"currency\":\"USD\",\"places\":2}", "kind"},
        {"line_added",
         "{\"line\":\"01890a5d-0000-7000-8000-000000000001\",\"sku\":\"S\",\"quantity\":\"0\","
         "\"unit_price\":\"1\"}",
         "quantity"},
        {"order_set", "{\"field\":\"colour\",\"value\":\"red\"}", "colour"},
        {"order_set", "{\"field\":\"discount\",\"value\":\"101\"}", "discount"},
        {"order_set", "{\"field\":\"discount\",\"value\":\"much\"}", "discount"},
        {"order_split", "{\"lines\":[]}", "bill"},
        {"order_split",
         "{\"bill\":\"01890a5d-0000-7000-8000-000000000007\",\"lines\":[{\"line\":"
         "\"01890a5d-0000-7000-8000-000000000001\",\"quantity\":\"-1\"}]}",
         "quantity"},
        {"payment_taken",
         "{\"payment\":\"01890a5d-0000-7000-8000-000000000001\",\"method\":\"cash\","
         "\"currency\":\"USD\",\"amount\":0}",
         "amount"},
        {"review_resolved", "{\"review\":\"line\",\"triggers\":[],\"decision\":\"maybe\"}",
         "decision"},
        {"review_resolved",
         "{\"review\":\"line\",\"triggers\":[],\"decision\":\"edit\",\"value\":\"3\"}",
         "no value to edit"},
    };
    begin();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct err e = {0};
        assert_int_equal(history_try(&h, cases[i].type, cases[i].body, &e), ERR_INVALID);
        if (strstr(e.text, cases[i].why) == NULL)
            fail_msg("%s: '%s'", cases[i].body, e.text);
    }
    end();
}
