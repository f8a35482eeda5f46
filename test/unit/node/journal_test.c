// SPDX-License-Identifier: Apache-2.0
#include "node/journal_private.h"
#include "test/unit/node/chain_fixture.h"

#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct chain c;
static struct err e;

static struct message_feed page_of(uint64_t from, uint64_t to, const struct str *rows, size_t count)
{
    struct message_feed page = {.location = STR("BR01"),
                                .feed = journal_identity(c.till)->chain, // any id
                                .from = from,
                                .to = to,
                                .reset = from == 0,
                                .complete = true,
                                .count = count};
    page.rows = malloc((count + 1) * sizeof *page.rows);
    assert_non_null(page.rows);
    if (count)
        memcpy(page.rows, rows, count * sizeof *rows);
    return page;
}

static enum err_code apply(struct message_feed *page)
{
    assert_int_equal(journal_begin(c.till, &e), ERR_OK);
    enum err_code code = journal_apply_feed(c.till, page, &(struct journal_fed){0}, &e);
    if (code)
        journal_rollback(c.till);
    else
        code = journal_commit(c.till, &e);
    free(page->rows);
    return code;
}

TEST(journal__a_feed_page_must_follow_the_one_before)
{
    const struct str milk =
        STR("{\"type\":\"stock\",\"id\":\"milk\",\"row\":{\"quantity\":\"7\"}}");
    struct message_feed page;
    chain_open(&c);
    page = page_of(0, 1, &milk, 1);
    assert_int_equal(apply(&page), ERR_OK);
    page = page_of(2, 3, &milk, 1); // the one from 1 to 2 could not be stored
    assert_int_not_equal(apply(&page), ERR_OK);
    struct feed_cursor cursor;
    assert_int_equal(store_feed_cursor(journal_store(c.till), STR("BR01"), &cursor), ERR_OK);
    assert_int_equal(cursor.position, 1);
    page = page_of(1, 3, &milk, 1);
    assert_int_equal(apply(&page), ERR_OK);
    chain_close(&c);
}

TEST(journal__a_feed_page_does_not_make_the_overlay_be_read_again)
{
    chain_open(&c);
    chain_waste(c.till, "milk", 3);
    struct message_feed page = page_of(0, 1, NULL, 0);
    assert_int_equal(apply(&page), ERR_OK);
    assert_false(c.till->overlay_stale);
    assert_int_equal(chain_stock(c.till, "milk"), -3);
    chain_close(&c);
}

// What the till holds fills its quota but for the reserve.
static void use_quota_up(void)
{
    struct store_room room;
    assert_int_equal(store_room(journal_store(c.till), &room, &e), ERR_OK);
    journal_close(c.till);
    c.till_config.store_max_bytes = room.used_bytes * 10 / 9;
    c.till = chain_journal(&c.till_config);
    assert_int_equal(store_reserve(journal_store(c.till)), RESERVE_QUOTA);
}

TEST(journal__takes_no_copy_of_a_feed_into_the_reserve)
{
    const struct str milk =
        STR("{\"type\":\"stock\",\"id\":\"milk\",\"row\":{\"quantity\":\"7\"}}");
    chain_open(&c);
    struct message_feed page = page_of(0, 1, &milk, 1);
    assert_int_equal(apply(&page), ERR_OK);
    use_quota_up();
    page = page_of(1, 2, &milk, 1);
    page.complete = false; // more of it follows, however much
    assert_int_equal(apply(&page), ERR_DISK_FULL);
    page = page_of(0, 2, &milk, 1);
    page.reset = true;
    assert_int_equal(apply(&page), ERR_DISK_FULL);
    page = page_of(1, 2, &milk, 1);
    assert_int_equal(apply(&page), ERR_OK); // what is new reaches the till as ever
    chain_close(&c);
}

TEST(journal__takes_only_what_finishes_sales_into_the_reserve)
{
    struct event draft;
    struct journal_added added;
    struct json body;
    const struct str delivery = STR("{\"sku\":\"milk\",\"quantity\":\"5\"}");
    assert_int_equal(json_parse(delivery, LIMIT_EVENT_DEPTH, &body, &e), ERR_OK);
    chain_open(&c);
    use_quota_up();
    assert_int_equal(journal_begin(c.till, &e), ERR_OK);
    chain_event(c.till, "inventory_received", "milk", body.root, &draft);
    assert_int_equal(journal_add(c.till, &draft, &added, &e), ERR_DISK_FULL);
    chain_event(c.till, "inventory_sold", "milk", body.root, &draft);
    assert_int_equal(journal_add(c.till, &draft, &added, &e), ERR_OK);
    assert_int_equal(added.verdict, VERDICT_ACCEPTED);
    journal_rollback(c.till);
    json_close(&body);
    chain_close(&c);
}

TEST(journal__a_rollback_leaves_overlay_and_runs_as_they_were)
{
    chain_open(&c);
    chain_waste(c.till, "milk", 3);
    struct mark head = c.till->runs[0].heads[LANE_CRITICAL];
    assert_int_equal(journal_begin(c.till, &e), ERR_OK);
    chain_add(c.till, "inventory_wasted", "milk",
              "{\"sku\":\"milk\",\"quantity\":\"5\",\"reason\":\"spilt\"}");
    struct message_feed page = page_of(0, 1, NULL, 0);
    struct message_include include = {{c.till->runs[0].origin, LANE_CRITICAL}, head.seq};
    page.includes[0] = include;
    page.include_count = 1;
    assert_int_equal(journal_apply_feed(c.till, &page, &(struct journal_fed){0}, &e), ERR_OK);
    journal_rollback(c.till);
    free(page.rows);
    assert_int_equal(c.till->runs[0].heads[LANE_CRITICAL].seq, head.seq);
    assert_int_equal(journal_begin(c.till, &e), ERR_OK);
    assert_int_equal(overlay_sum(c.till->overlay, STR("milk")), -30000);
    journal_rollback(c.till);
    chain_close(&c);
}

TEST(journal__an_event_and_a_page_in_one_transaction_count_once)
{
    const struct str milk =
        STR("{\"type\":\"stock\",\"id\":\"milk\",\"row\":{\"quantity\":\"7\"}}");
    chain_open(&c);
    chain_waste(c.till, "milk", 1);
    assert_int_equal(journal_begin(c.till, &e), ERR_OK);
    chain_add(c.till, "inventory_wasted", "milk",
              "{\"sku\":\"milk\",\"quantity\":\"3\",\"reason\":\"spilt\"}");
    struct message_feed page = page_of(0, 1, &milk, 1);
    assert_int_equal(journal_apply_feed(c.till, &page, &(struct journal_fed){0}, &e), ERR_OK);
    assert_int_equal(journal_commit(c.till, &e), ERR_OK);
    free(page.rows);
    assert_int_equal(chain_stock(c.till, "milk"), 3);
    chain_close(&c);
}

TEST(journal__includes_are_believed_only_of_own_streams_and_up_to_their_head)
{
    chain_open(&c);
    chain_waste(c.till, "milk", 3);
    struct stream_key own = {c.till->runs[0].origin, LANE_CRITICAL};
    struct stream_key foreign = {journal_identity(c.centre)->chain, LANE_CRITICAL};
    struct message_feed page = page_of(0, 1, NULL, 0);
    page.includes[0] = (struct message_include){own, 1000};
    page.includes[1] = (struct message_include){foreign, 9};
    page.include_count = 2;
    assert_int_equal(apply(&page), ERR_OK);
    uint64_t seq = 0;
    assert_int_equal(store_include_get(journal_store(c.till), &own, &seq, &e), ERR_OK);
    assert_int_equal(seq, 2);
    assert_int_equal(store_include_get(journal_store(c.till), &foreign, &seq, &e), ERR_OK);
    assert_int_equal(seq, 0);
    chain_waste(c.till, "milk", 4); // still counts, also after a restart
    journal_close(c.till);
    c.till = chain_journal(&c.till_config);
    assert_int_equal(overlay_sum(c.till->overlay, STR("milk")), -40000);
    chain_close(&c);
}

// ---- what the upstream did not fold -------------------------------------------------------

enum { NOTICE_MAX = 200 };

// The row that sets the till's event at 'seq' apart, or takes that back.
static struct str notice_of(char to[NOTICE_MAX], uint64_t seq, const char *row)
{
    char sql[128], id[64];
    (void)snprintf(sql, sizeof sql, "SELECT lower(hex(id)) FROM journal WHERE seq = %d", (int)seq);
    (void)snprintf(id, sizeof id, "%s", chain_sql(&c.till_config, sql));
    (void)snprintf(to, NOTICE_MAX,
                   "{\"type\":\"notice\",\"id\":\"%.8s-%.4s-%.4s-%.4s-%.12s\",\"row\":%s}", id,
                   id + 8, id + 12, id + 16, id + 20, row);
    return str_of(to);
}

static const char dead[] = "{\"status\":\"dead_letter\",\"reason\":\"unknown\"}";

static struct str milk_of(char to[NOTICE_MAX], int quantity)
{
    (void)snprintf(to, NOTICE_MAX,
                   "{\"type\":\"stock\",\"id\":\"milk\",\"row\":{\"quantity\":\"%d\"}}", quantity);
    return str_of(to);
}

static void assert_till_holds(void)
{
    struct arena a;
    struct store_verdict verdict;
    arena_init(&a, 64 * 1024 * 1024);
    assert_int_equal(store_verify(journal_store(c.till), &a, NULL, NULL, &verdict, &e), ERR_OK);
    if (!verdict.refold_equal || verdict.chain_errors || verdict.gaps)
        fail_msg("%.*s", STR_ARG(verdict.first_problem));
    arena_fini(&a);
}

// The same before a restart and after it, and as a fresh fold gives it.
static void assert_milk(int quantity)
{
    for (int restarts = 0; restarts < 2; restarts++) {
        assert_int_equal(chain_stock(c.till, "milk"), quantity);
        assert_till_holds();
        journal_close(c.till);
        c.till = chain_journal(&c.till_config);
    }
}

static void take_page(uint64_t from, const struct str *rows, size_t count, uint64_t included)
{
    struct message_feed page = page_of(from, from + 1, rows, count);
    struct stream_info list[8];
    size_t streams = 0;
    assert_int_equal(
        store_streams_unsettled(journal_store(c.till), list, COUNT_OF(list), &streams, &e), ERR_OK);
    assert_true(streams > 0);
    page.includes[0] = (struct message_include){list[0].key, included}; // the oldest
    page.include_count = 1;
    assert_int_equal(apply(&page), ERR_OK);
}

TEST(journal__an_event_that_the_upstream_did_not_fold_counts_beside_the_feed_until_it_is)
{
    char notice[NOTICE_MAX], stock[NOTICE_MAX];
    chain_open(&c);
    for (int i = 1; i <= 3; i++)
        chain_waste(c.till, "milk", i); // seq 2, 3, 4
    take_page(0, (struct str[]){notice_of(notice, 3, dead), milk_of(stock, -4)}, 2, 4);
    assert_milk(-6); // 1 and 3 are in the feed's -4, 2 is not
    chain_waste(c.till, "milk", 10);
    assert_milk(-16);
    take_page(1, (struct str[]){notice_of(notice, 3, "null"), milk_of(stock, -6)}, 2, 4);
    assert_milk(-16); // after an upgrade there
    chain_close(&c);
}

// The row that says of the till's event at 'seq' that another one has its id, or no longer.
static struct str carrier_of(char to[NOTICE_MAX], uint64_t seq, const char *row)
{
    char origin[UUID_TEXT_SIZE];
    uuid_format(&c.till->runs[0].origin, origin);
    (void)snprintf(to, NOTICE_MAX, "{\"type\":\"carrier\",\"id\":\"%s/critical/%d\",\"row\":%s}",
                   origin, (int)seq, row);
    return str_of(to);
}

TEST(journal__an_event_that_lost_its_id_is_in_conflict_and_counts_nowhere)
{
    static const char status[] = "SELECT group_concat(status) FROM (SELECT status FROM journal"
                                 " WHERE seq IN (2, 3) ORDER BY seq)";
    static const char lost[] = "{\"status\":\"conflict\",\"event\":\"x\"}";
    char carrier[NOTICE_MAX], stock[NOTICE_MAX], beyond[NOTICE_MAX];
    chain_open(&c);
    chain_waste(c.till, "milk", 1); // seq 2, 3
    chain_waste(c.till, "milk", 2);
    (void)carrier_of(beyond, 9, lost); // what it never wrote
    take_page(0, (struct str[]){carrier_of(carrier, 3, lost), str_of(beyond), milk_of(stock, -1)},
              3, 3);
    assert_string_equal(chain_sql(&c.till_config, status), "pending,conflict");
    assert_milk(-1);
    chain_close(&c);
}

TEST(journal__an_event_that_has_its_id_again_is_in_conflict_no_more)
{
    char carrier[NOTICE_MAX], stock[NOTICE_MAX];
    chain_open(&c);
    chain_waste(c.till, "milk", 2); // seq 2
    take_page(
        0, (struct str[]){carrier_of(carrier, 2, "{\"status\":\"conflict\"}"), milk_of(stock, -5)},
        2, 2);
    assert_int_equal(chain_stock(c.till, "milk"), -5);
    take_page(1, (struct str[]){carrier_of(carrier, 2, "null"), milk_of(stock, -2)}, 2, 2);
    assert_string_equal(chain_sql(&c.till_config, "SELECT status FROM journal WHERE seq = 2"),
                        "pending");
    assert_milk(-2);
    chain_close(&c);
}

TEST(journal__an_event_that_the_upstream_took_back_counts_beside_the_feed_again)
{
    char notice[NOTICE_MAX], stock[NOTICE_MAX];
    chain_open(&c);
    chain_waste(c.till, "milk", 1);
    chain_waste(c.till, "milk", 2);
    take_page(0, (struct str[]){milk_of(stock, -3)}, 1, 3);
    assert_milk(-3);
    // Another event turns out to come first; only then a row of the SKU, or none at all.
    take_page(1,
              (struct str[]){notice_of(notice, 3, "{\"status\":\"conflict\"}"), milk_of(stock, -1)},
              2, 3);
    assert_milk(-3);
    take_page(2, (struct str[]){notice_of(notice, 3, "null")}, 1, 3);
    assert_milk(-1);
    chain_close(&c);
}

TEST(journal__hundreds_of_events_that_the_upstream_did_not_fold_all_count_beside_the_feed)
{
    enum { EVENTS = 700 };
    static char rows[EVENTS][NOTICE_MAX];
    static struct str list[EVENTS];
    chain_open(&c);
    for (int i = 0; i < EVENTS; i++)
        chain_waste(c.till, "milk", 1);
    for (int i = 0; i < EVENTS; i++)
        list[i] = notice_of(rows[i], (uint64_t)i + 2, dead);
    take_page(0, list, EVENTS, EVENTS + 1);
    assert_milk(-EVENTS);
    chain_close(&c);
}

TEST(journal__a_fresh_copy_takes_back_the_notices_that_it_does_not_repeat)
{
    char notice[NOTICE_MAX], stock[NOTICE_MAX];
    chain_open(&c);
    chain_waste(c.till, "milk", 1);
    chain_waste(c.till, "milk", 2);
    take_page(0, (struct str[]){notice_of(notice, 2, dead), milk_of(stock, -2)}, 2, 3);
    assert_milk(-3);
    take_page(0, (struct str[]){milk_of(stock, -3)}, 1, 3);
    assert_string_equal(chain_sql(&c.till_config, "SELECT status FROM journal WHERE seq = 2"),
                        "pending");
    assert_milk(-3);
    chain_close(&c);
}

TEST(journal__includes_of_pages_that_are_kept_aside_count_with_the_one_that_completes_them)
{
    char stock[NOTICE_MAX];
    chain_open(&c);
    chain_waste(c.till, "milk", 1);
    chain_waste(c.till, "milk", 2);
    struct stream_key key = {c.till->runs[0].origin, LANE_CRITICAL};
    const struct str row = milk_of(stock, -3);
    struct message_feed page = page_of(0, 1, &row, 1);
    page.complete = false;
    page.includes[0] = (struct message_include){key, 3};
    page.include_count = 1;
    assert_int_equal(apply(&page), ERR_OK);
    assert_milk(-3);
    uint64_t included = 9;
    assert_int_equal(store_include_get(journal_store(c.till), &key, &included, &e), ERR_OK);
    assert_int_equal(included, 0);
    page = page_of(1, 2, NULL, 0);
    assert_int_equal(apply(&page), ERR_OK);
    assert_int_equal(store_include_get(journal_store(c.till), &key, &included, &e), ERR_OK);
    assert_int_equal(included, 3);
    assert_milk(-3);
    chain_close(&c);
}

// The upstream was restored from a backup: its copy counts less of a stream than the one before.
TEST(journal__what_a_fresh_copy_includes_no_more_counts_beside_the_feed_again)
{
    char stock[NOTICE_MAX], notice[NOTICE_MAX];
    chain_open(&c);
    for (int i = 1; i <= 3; i++)
        chain_waste(c.till, "milk", i); // seq 2, 3, 4
    take_page(0, (struct str[]){milk_of(stock, -6)}, 1, 4);
    assert_milk(-6);
    take_page(0, (struct str[]){milk_of(stock, -1)}, 1, 2);
    assert_milk(-6); // 1 is in the feed's, 2 and 3 beside it
    take_page(0, NULL, 0, 0);
    assert_milk(-6);
    take_page(1, (struct str[]){notice_of(notice, 3, dead), milk_of(stock, -4)}, 2, 4);
    assert_milk(-6);
    chain_close(&c);
}

// ---- runs -----------------------------------------------------------------------------------

static struct uuid previous_of_last_run(struct journal *j)
{
    struct arena a;
    struct event event;
    struct store_event_list list = {0};
    struct uuid previous = {0};
    arena_init(&a, 1024 * 1024);
    const struct stream_key key = {j->runs[j->run_count - 1].origin, LANE_CRITICAL};
    assert_int_equal(
        store_read_stream(j->store, &key, 0, &(struct store_page){1, 4096, &a}, &list, &e), ERR_OK);
    assert_int_equal(list.count, 1);
    assert_int_equal(event_parse(list.items[0].bytes, &a, &event, &e), ERR_OK);
    yyjson_val *heads = json_find(event.body, "previous");
    if (yyjson_arr_size(heads))
        assert_int_equal(json_get_uuid(yyjson_arr_get_first(heads), "origin", &previous, &e),
                         ERR_OK);
    arena_fini(&a);
    return previous;
}

// A centre judges for every place of its chain, however many there are.
TEST(journal__writes_for_more_places_than_it_keeps_runs_for)
{
    char place[LIMIT_NAME + 1];
    chain_open(&c);
    assert_int_equal(journal_begin(c.centre, &e), ERR_OK);
    for (int turn = 0; turn < 2; turn++) {
        for (int i = 0; i < RUNS_MAX + 5; i++) {
            snprintf(place, sizeof place, "P%d", i);
            chain_add_at(c.centre, place, "inventory_wasted", "milk",
                         "{\"sku\":\"milk\",\"quantity\":\"1\",\"reason\":\"spilt\"}");
        }
    }
    assert_int_equal(journal_commit(c.centre, &e), ERR_OK);
    assert_string_equal(chain_sql(&c.centre_config, "SELECT count(*) FROM stock WHERE quantity ="
                                                    " -20000"),
                        "1029");
    chain_close(&c);
}

TEST(journal__a_run_names_the_one_before_it_after_one_whose_clock_was_off)
{
    chain_open(&c);
    assert_int_equal(journal_set_clock(c.till, INT64_C(365) * 24 * 3600 * 1000, &e), ERR_OK);
    chain_waste(c.till, "milk", 1);
    assert_int_equal(journal_set_clock(c.till, 0, &e), ERR_OK);
    chain_waste(c.till, "milk", 1); // a new run: the clock was off
    for (int restarts = 0; restarts < 2; restarts++) {
        struct uuid last = c.till->runs[0].origin;
        journal_close(c.till);
        c.till = chain_journal(&c.till_config);
        chain_waste(c.till, "milk", 1);
        struct uuid previous = previous_of_last_run(c.till);
        assert_true(uuid_equal(&previous, &last));
    }
    chain_close(&c);
}

// ---- appending again ------------------------------------------------------------------------

static void rehome(const struct stream_key *key, uint64_t after)
{
    uint64_t from = after;
    while (after != REHOME_DONE) {
        assert_int_equal(journal_begin(c.till, &e), ERR_OK);
        if (journal_rehome(c.till, key, from, &after, &e)) {
            fail_msg("%s", err_message(&e));
        }
        assert_int_equal(journal_commit(c.till, &e), ERR_OK);
    }
}

static size_t outbox_streams_of(struct journal *j, const struct stream_key *key, bool *ret_has)
{
    struct uplink u;
    struct uplink_config config = {.key = &journal_identity(j)->key};
    strcpy(config.location, "BR01");
    uplink_init(&u, &config);
    assert_int_equal(journal_fill_uplink(j, &u, &e), ERR_OK);
    size_t count = u.outbox.count;
    *ret_has = outbox_find(&u.outbox, key) != NULL;
    uplink_fini(&u);
    return count;
}

TEST(journal__what_was_appended_again_is_pending_and_counted_once)
{
    struct store_counts counts;
    bool disputed = true;
    chain_open(&c);
    chain_waste(c.till, "milk", 3);
    chain_waste(c.till, "milk", 4);
    struct stream_key old = {c.till->runs[0].origin, LANE_CRITICAL};
    rehome(&old, 0);
    struct stream_key fresh = {c.till->runs[0].origin, LANE_CRITICAL};
    assert_false(uuid_equal(&old.origin, &fresh.origin));
    assert_int_equal(store_counts(journal_store(c.till), &counts, &e), ERR_OK);
    assert_int_equal(counts.pending[LANE_CRITICAL], 2);
    for (int restarts = 0; restarts < 2; restarts++) {
        assert_int_equal(journal_begin(c.till, &e), ERR_OK);
        assert_int_equal(overlay_sum(c.till->overlay, STR("milk")), -70000);
        journal_rollback(c.till);
        // Only the new run goes up; at the next start the old one is not disputed once more.
        assert_int_equal(outbox_streams_of(c.till, &old, &disputed), 1);
        assert_false(disputed);
        journal_close(c.till);
        c.till = chain_journal(&c.till_config);
    }
    assert_int_equal(chain_stock(c.till, "milk"), -7);
    struct message_feed page = page_of(0, 1, NULL, 0); // the centre counts the new carriers
    page.includes[0] = (struct message_include){fresh, 3};
    page.include_count = 1;
    const struct str milk =
        STR("{\"type\":\"stock\",\"id\":\"milk\",\"row\":{\"quantity\":\"-7\"}}");
    page.rows[0] = milk;
    page.count = 1;
    assert_int_equal(apply(&page), ERR_OK);
    assert_int_equal(chain_stock(c.till, "milk"), -7);
    chain_close(&c);
}

static const char sale[] =
    "{\"ticket\":\"T1\",\"kind\":\"sale\",\"currency\":\"USD\",\"places\":2,\"lines\":[{\"n\":1,"
    "\"sku\":\"milk\",\"quantity\":\"2\",\"unit_price\":\"1\",\"amount\":200}],\"total\":200,"
    "\"payments\":[{\"method\":\"cash\",\"currency\":\"USD\",\"amount\":200}]}";

static const char statuses[] = "SELECT group_concat(status, ' ') FROM (SELECT status FROM journal"
                               " ORDER BY lsn)";

TEST(journal__what_was_appended_again_is_settled_when_its_new_carrier_is)
{
    struct store_counts counts;
    chain_open(&c);
    chain_add_alone(c.till, "ticket_recorded", "T1", sale);
    chain_waste(c.till, "milk", 4);
    struct stream_key old = {c.till->runs[0].origin, LANE_CRITICAL};
    assert_string_equal(chain_sql(&c.till_config, statuses), "pending pending pending");
    rehome(&old, 0);
    assert_string_equal(chain_sql(&c.till_config, statuses),
                        "conflict duplicate duplicate pending pending pending");
    assert_string_equal(chain_sql(&c.till_config, "SELECT sync_status FROM tickets"), "pending");
    assert_int_equal(store_counts(journal_store(c.till), &counts, &e), ERR_OK);
    assert_int_equal(counts.pending[LANE_CRITICAL], 2);
    assert_int_equal(counts.settled[LANE_CRITICAL], 0);
    assert_till_holds();
    assert_int_equal(chain_stock(c.till, "milk"), -6);
    struct stream_key fresh = {c.till->runs[0].origin, LANE_CRITICAL};
    struct store_ack ack = {fresh, 3, 3, 1, 1};
    assert_int_equal(store_stream_acked(journal_store(c.till), &ack, &e), ERR_OK);
    assert_string_equal(chain_sql(&c.till_config, statuses),
                        "conflict duplicate duplicate settled settled settled");
    assert_string_equal(chain_sql(&c.till_config, "SELECT sync_status FROM tickets"), "settled");
    assert_int_equal(store_counts(journal_store(c.till), &counts, &e), ERR_OK);
    assert_int_equal(counts.settled[LANE_CRITICAL], 2);
    assert_int_equal(store_rebuild(journal_store(c.till), NULL, NULL, &e), ERR_OK);
    assert_string_equal(chain_sql(&c.till_config, statuses),
                        "conflict duplicate duplicate settled settled settled");
    assert_till_holds();
    chain_close(&c);
}

TEST(journal__what_the_upstream_said_of_an_event_it_says_of_its_new_carrier)
{
    char row[NOTICE_MAX];
    chain_open(&c);
    chain_waste(c.till, "milk", 4);
    struct stream_key old = {c.till->runs[0].origin, LANE_CRITICAL};
    const struct str notice = notice_of(row, 2, dead);
    struct message_feed page = page_of(0, 1, &notice, 1);
    assert_int_equal(apply(&page), ERR_OK);
    assert_string_equal(chain_sql(&c.till_config, statuses), "pending dead_letter");
    rehome(&old, 0);
    assert_string_equal(chain_sql(&c.till_config, statuses),
                        "conflict duplicate pending dead_letter");
    assert_string_equal(chain_sql(&c.till_config, "SELECT lsn || reason FROM dead_letters"),
                        "4unknown");
    assert_int_equal(chain_stock(c.till, "milk"), -4);
    assert_till_holds();
    chain_close(&c);
}

// Of what stands before an event in its stream its author is taken to have seen everything.
TEST(journal__what_is_appended_again_stands_behind_nothing_that_was_written_after_it)
{
    uint64_t after = 0;
    chain_open(&c);
    for (int i = 0; i < 600; i++)
        chain_waste(c.till, "milk", 1);
    struct stream_key old = {c.till->runs[0].origin, LANE_CRITICAL};
    c.till->run_count = 0; // another start
    chain_waste(c.till, "milk", 1);
    struct uuid later = c.till->runs[0].origin;
    assert_int_equal(journal_begin(c.till, &e), ERR_OK);
    assert_int_equal(journal_rehome(c.till, &old, 0, &after, &e), ERR_OK);
    assert_int_equal(journal_commit(c.till, &e), ERR_OK);
    assert_int_equal(after, 500);
    struct uuid first = c.till->runs[0].origin;
    assert_false(uuid_equal(&first, &later));
    assert_int_equal(c.till->runs[0].heads[LANE_CRITICAL].seq, 500);
    chain_waste(c.till, "milk", 1); // between two pages
    assert_int_equal(journal_begin(c.till, &e), ERR_OK);
    assert_int_equal(journal_rehome(c.till, &old, 0, &after, &e), ERR_OK);
    assert_int_equal(journal_commit(c.till, &e), ERR_OK);
    assert_int_equal(after, REHOME_DONE);
    assert_false(uuid_equal(&c.till->runs[0].origin, &first));
    assert_int_equal(c.till->runs[0].heads[LANE_CRITICAL].seq, 1 + 101);
    chain_close(&c);
}

TEST(journal__what_is_not_committed_yet_is_appended_again_too)
{
    uint64_t after = 0;
    chain_open(&c);
    chain_waste(c.till, "milk", 3);
    struct stream_key old = {c.till->runs[0].origin, LANE_CRITICAL};
    assert_int_equal(journal_begin(c.till, &e), ERR_OK);
    chain_add(c.till, "inventory_wasted", "milk",
              "{\"sku\":\"milk\",\"quantity\":\"4\",\"reason\":\"spilt\"}");
    assert_int_equal(journal_rehome(c.till, &old, 0, &after, &e), ERR_OK);
    assert_int_equal(journal_commit(c.till, &e), ERR_OK);
    assert_int_equal(after, REHOME_DONE);
    assert_false(uuid_equal(&c.till->runs[0].origin, &old.origin));
    assert_int_equal(c.till->runs[0].heads[LANE_CRITICAL].seq, 1 + 2);
    assert_int_equal(chain_stock(c.till, "milk"), -7);
    chain_close(&c);
}

TEST(journal__says_where_a_stream_ends_that_was_appended_again)
{
    struct mark end;
    struct hash hash;
    chain_open(&c);
    for (int i = 0; i < 3; i++)
        chain_waste(c.till, "milk", 1);
    struct stream_key old = {c.till->runs[0].origin, LANE_CRITICAL};
    rehome(&old, 2);
    assert_int_equal(journal_stream_end(c.till, &old, &end, &e), ERR_OK);
    assert_int_equal(end.seq, 2);
    assert_int_equal(store_chain_at(c.till->store, &old, 2, &hash, &e), ERR_OK);
    assert_true(hash_equal(&end.hash, &hash));
    chain_close(&c);
}

TEST(journal__two_streams_appended_again_do_not_share_a_run)
{
    chain_open(&c);
    chain_waste(c.till, "milk", 1);
    struct stream_key first = {c.till->runs[0].origin, LANE_CRITICAL};
    c.till->run_count = 0; // another start
    chain_waste(c.till, "milk", 1);
    struct stream_key second = {c.till->runs[0].origin, LANE_CRITICAL};
    rehome(&second, 0);
    struct uuid run = c.till->runs[0].origin;
    rehome(&first, 0);
    assert_false(uuid_equal(&c.till->runs[0].origin, &run));
    assert_int_equal(c.till->runs[0].heads[LANE_CRITICAL].seq, 2);
    chain_close(&c);
}

TEST(journal__a_long_stream_can_be_appended_again)
{
    enum { EVENTS = 14000 };
    char body[2000];
    chain_open(&c);
    int n = snprintf(body, sizeof body, "{\"sku\":\"milk\",\"quantity\":\"1\",\"reason\":\"");
    memset(body + n, 'x', 1000);
    strcpy(body + n + 1000, "\"}");
    for (int i = 0; i < EVENTS;) {
        assert_int_equal(journal_begin(c.till, &e), ERR_OK);
        for (int k = 0; k < 500; k++, i++)
            chain_add(c.till, "inventory_wasted", "milk", body);
        assert_int_equal(journal_commit(c.till, &e), ERR_OK);
    }
    struct stream_key old = {c.till->runs[0].origin, LANE_CRITICAL};
    rehome(&old, 0);
    assert_int_equal(c.till->runs[0].heads[LANE_CRITICAL].seq, EVENTS + 1);
    chain_close(&c);
}

// Adds the largest event that is taken.
static void add_largest(void)
{
    static const char opening[] =
        "{\"sku\":\"milk\",\"quantity\":\"1\",\"reason\":\"spilt\",\"n\":\"";
    static char body[LIMIT_EVENT_BYTES];
    bool taken = false;
    for (size_t n = LIMIT_EVENT_BYTES - 1; !taken; n--) {
        struct journal_added added;
        struct json json = {0};
        struct event event;
        memset(body, 'x', n);
        memcpy(body, opening, sizeof opening - 1);
        memcpy(body + n - 2, "\"}", 2);
        assert_int_equal(json_parse(str_make(body, n), LIMIT_EVENT_DEPTH, &json, &e), ERR_OK);
        chain_event(c.till, "inventory_wasted", "milk", json.root, &event);
        assert_int_equal(journal_begin(c.till, &e), ERR_OK);
        assert_int_equal(journal_add(c.till, &event, &added, &e), ERR_OK);
        assert_int_equal(journal_commit(c.till, &e), ERR_OK);
        taken = added.verdict == VERDICT_ACCEPTED;
        json_close(&json);
    }
}

TEST(journal__the_largest_event_can_be_appended_again)
{
    chain_open(&c);
    add_largest();
    struct stream_key old = {c.till->runs[0].origin, LANE_CRITICAL};
    c.till->run_count = 0; // another start
    for (int i = 0; i < 10; i++)
        chain_waste(c.till, "milk", 1);
    rehome(&old, 0);
    assert_int_equal(c.till->runs[0].heads[LANE_CRITICAL].seq, 2);
    chain_close(&c);
}

TEST(journal__an_appending_again_that_was_cut_short_goes_on_where_it_was)
{
    uint64_t after = 0;
    chain_open(&c);
    for (int i = 0; i < 600; i++)
        chain_waste(c.till, "milk", 1);
    struct stream_key old = {c.till->runs[0].origin, LANE_CRITICAL};
    assert_int_equal(journal_begin(c.till, &e), ERR_OK);
    assert_int_equal(journal_rehome(c.till, &old, 0, &after, &e), ERR_OK);
    assert_int_equal(journal_commit(c.till, &e), ERR_OK);
    assert_int_equal(after, 500);
    journal_close(c.till); // the power goes
    c.till = chain_journal(&c.till_config);
    rehome(&old, 0);
    assert_int_equal(journal_begin(c.till, &e), ERR_OK);
    assert_int_equal(overlay_sum(c.till->overlay, STR("milk")), -6000000);
    journal_rollback(c.till);
    chain_close(&c);
}
// ---- many streams ---------------------------------------------------------------------------

TEST(journal__more_streams_than_a_hello_may_name_come_in_turn)
{
    enum { RUNS = LIMIT_STREAMS_HELLO + 200 };
    chain_open(&c);
    for (int i = 0; i < RUNS; i++) { // as many starts without a link
        c.till->run_count = 0;
        chain_waste(c.till, "milk", 1);
    }
    struct uplink u;
    struct uplink_config config = {.key = &journal_identity(c.till)->key};
    strcpy(config.location, "BR01");
    uplink_init(&u, &config);
    assert_int_equal(journal_fill_uplink(c.till, &u, &e), ERR_OK);
    assert_int_equal(u.outbox.count, LIMIT_STREAMS_HELLO);
    assert_true(u.outbox.overflowed);
    for (size_t i = 0; i < u.outbox.count; i++) { // all of them arrive
        struct outbox_stream *s = &u.outbox.streams[i];
        assert_int_equal(journal_begin(c.till, &e), ERR_OK);
        assert_int_equal(
            store_stream_acked(journal_store(c.till),
                               &(struct store_ack){s->key, s->head.seq, s->head.seq, 1, 1}, &e),
            ERR_OK);
        struct feed_include include = {s->key, s->head.seq};
        struct feed_apply frame = {
            .location = STR("BR01"), .complete = true, .includes = &include, .include_count = 1};
        assert_int_equal(store_feed_apply(journal_store(c.till), &frame, &e), ERR_OK);
        assert_int_equal(journal_commit(c.till, &e), ERR_OK);
        s->held = s->head;
        s->settled = s->included = s->head.seq;
    }
    outbox_compact(&u.outbox, &u.config.origin);
    assert_int_equal(u.outbox.count, 0);
    struct arena a;
    struct journal_unsettled more = {0};
    arena_init(&a, 16 * 1024 * 1024);
    assert_int_equal(journal_unsettled(c.till, &a, &more, &e), ERR_OK);
    struct steps steps;
    steps_init(&steps);
    uplink_refill(&u, more.streams, more.count, more.overflowed, (struct moment){1, 1}, &steps);
    steps_fini(&steps);
    arena_fini(&a);
    assert_int_equal(u.outbox.count, RUNS - LIMIT_STREAMS_HELLO);
    assert_false(u.outbox.overflowed);
    uplink_fini(&u);
    chain_close(&c);
}
