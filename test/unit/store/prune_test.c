// SPDX-License-Identifier: Apache-2.0
// What a till need not keep goes; what is left proves itself, and nothing is taken twice.
#include "test/unit/store/till.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACKED_AT INT64_C(1760000100000)
enum { TICKETS = 10 };

// The feed counted all but so many of the tickets of a line.
static void confirm(struct till *t, int but)
{
    char sql[256];
    (void)snprintf(sql, sizeof sql,
                   "UPDATE stock SET confirmed = quantity + %d * CASE sku WHEN 'bread' THEN 10000"
                   " ELSE 20000 END, generation = 1",
                   but);
    fixture_sql(&t->f, sql);
}

static void sell_tickets(struct line *l, unsigned from, unsigned to)
{
    for (unsigned i = from; i <= to; i++) {
        char ticket[16];
        (void)snprintf(ticket, sizeof ticket, "T-%u", i);
        line_ticket(l, i, 10 + i, ticket, "rice");
    }
}

// Ten tickets, all settled and included.
static void till_sold(struct till *t)
{
    till_open(t);
    sell_tickets(&t->l, 1, TICKETS);
    fixture_append_all(&t->f, &t->l, STATUS_PENDING);
    assert_int_equal(fixture_ack(&t->f, &t->l, TICKETS, TICKETS, ACKED_AT), ERR_OK);
    till_include(t, &t->l, TICKETS);
    confirm(t, 0);
}

static enum store_past past_of_id(struct till *t, unsigned id, const char *ticket)
{
    struct line other;
    struct event event;
    enum store_past past = PAST_NONE;
    line_init(&other, 99, "BR1");
    line_ticket(&other, id, 999, ticket, "rice");
    assert_int_equal(event_parse(str_of(other.bytes[0]), &t->f.arena, &event, NULL), ERR_OK);
    assert_int_equal(store_past_find(t->f.store, &event, &t->f.arena, &past, NULL), ERR_OK);
    line_fini(&other);
    return past;
}

TEST(prune__drops_what_is_settled_included_and_old)
{
    struct till t;
    till_sold(&t);
    assert_int_equal(till_prune(&t, ACKED_AT, 100), 0); // not older than this
    assert_int_equal(till_prune(&t, ACKED_AT + 1, 4), TICKETS - 1);
    fixture_assert_text(&t.f, "SELECT seq, status FROM journal", "10|settled\n");
    fixture_assert_text(&t.f, "SELECT id FROM tickets", "T-10\n");
    fixture_assert_text(&t.f, "SELECT count(*) FROM ticket_lines", "2\n");
    fixture_assert_text(&t.f, "SELECT count(*) FROM payments", "1\n");
    fixture_assert_text(&t.f, "SELECT seq, lsn FROM extents", "10|10\n");
    fixture_assert_text(&t.f, "SELECT sku, quantity FROM stock", "bread|-100000\nrice|-200000\n");
    till_assert_whole(&t, TICKETS - 1);
    assert_int_equal(till_prune(&t, INT64_MAX, 100), 0); // the last one stays
    till_close(&t);
}

TEST(prune__keeps_what_is_not_settled_not_included_or_young)
{
    struct till t;
    till_open(&t);
    sell_tickets(&t.l, 1, TICKETS);
    fixture_append_all(&t.f, &t.l, STATUS_PENDING);
    till_include(&t, &t.l, 6);
    assert_int_equal(fixture_ack(&t.f, &t.l, TICKETS, 0, ACKED_AT), ERR_OK);
    assert_int_equal(till_prune(&t, INT64_MAX, 100), 0); // held only
    assert_int_equal(fixture_ack(&t.f, &t.l, TICKETS, 2, ACKED_AT), ERR_OK);
    assert_int_equal(till_prune(&t, INT64_MAX, 100), 2); // settled so far
    assert_int_equal(fixture_ack(&t.f, &t.l, TICKETS, TICKETS, ACKED_AT + 50), ERR_OK);
    assert_int_equal(till_prune(&t, INT64_MAX, 100), 4); // included so far
    confirm(&t, 4);
    till_assert_whole(&t, 6);
    sell_tickets(&t.l, 11, 14);
    for (size_t i = 10; i < 14; i++)
        (void)fixture_append(&t.f, &t.l, i, STATUS_PENDING);
    assert_int_equal(fixture_ack(&t.f, &t.l, 14, 14, ACKED_AT + 1000), ERR_OK);
    till_include(&t, &t.l, 14);
    assert_int_equal(till_prune(&t, ACKED_AT + 1000, 100), 4); // what was acknowledged before
    confirm(&t, 0);
    till_assert_whole(&t, 10);
    till_close(&t);
}

TEST(prune__never_lets_an_id_be_taken_again)
{
    struct till t;
    till_sold(&t);
    assert_int_equal(past_of_id(&t, 3, "T-3"), PAST_NONE); // the row itself is there
    (void)till_prune(&t, INT64_MAX, 100);
    till_reopen(&t);
    assert_int_equal(past_of_id(&t, 3, "T-3"), PAST_SAME);
    assert_int_equal(past_of_id(&t, 3, "T-4"), PAST_OTHER);
    assert_int_equal(past_of_id(&t, 77, "T-77"), PAST_NONE);
    struct uuid id = fixture_uuid(3, 3);
    struct store_event_list list = {.count = 0};
    assert_int_equal(store_find_event(t.f.store, &id, &t.f.arena, &list, NULL), ERR_OK);
    assert_int_equal(list.count, 0);
    till_close(&t);
}

TEST(prune__leaves_a_stream_that_goes_on)
{
    struct till t;
    struct hash hash;
    struct mark base;
    struct stream_info info;
    struct store_event_list list = {.count = 0};
    struct store_page page = {100, 1 << 20, &t.f.arena};
    till_sold(&t);
    (void)till_prune(&t, INT64_MAX, 100);
    for (int again = 0; again < 2; again++) {
        assert_int_equal(store_base(t.f.store, &t.l.key, &base, NULL), ERR_OK);
        assert_true(mark_equal(&base, &t.l.marks[8]));
        assert_int_equal(store_chain_at(t.f.store, &t.l.key, 8, &hash, NULL), ERR_NOT_FOUND);
        assert_int_equal(store_chain_at(t.f.store, &t.l.key, 9, &hash, NULL), ERR_OK);
        assert_true(hash_equal(&hash, &base.hash));
        assert_int_equal(store_stream_find(t.f.store, &t.l.key, &info), ERR_OK);
        assert_true(mark_equal(&info.head, &t.l.head));
        assert_int_equal(store_read_stream(t.f.store, &t.l.key, 0, &page, &list, NULL), ERR_OK);
        assert_true(list.count == 1 && list.items[0].seq == TICKETS);
        till_reopen(&t);
    }
    sell_tickets(&t.l, 11, 12);
    (void)fixture_append(&t.f, &t.l, 10, STATUS_PENDING);
    (void)fixture_append(&t.f, &t.l, 11, STATUS_PENDING);
    fixture_assert_text(&t.f, "SELECT lsn, seq FROM journal", "10|10\n11|11\n12|12\n");
    // The upstream lost more than is kept: the marks stay where something is.
    assert_int_equal(store_stream_lost(t.f.store, &t.l.key, 3, 1, NULL), ERR_OK);
    assert_int_equal(store_stream_find(t.f.store, &t.l.key, &info), ERR_OK);
    assert_true(mark_equal(&info.held, &base) && mark_equal(&info.settled, &base));
    fixture_assert_text(&t.f, "SELECT seq, status FROM journal",
                        "10|pending\n11|pending\n12|pending\n");
    till_close(&t);
}

TEST(prune__of_streams_that_lie_between_each_other)
{
    struct till t;
    struct line other;
    till_open(&t);
    line_init(&other, 2, "BR1");
    other.own = true;
    till_add_stream(&t, &other);
    sell_tickets(&t.l, 1, 12);
    sell_tickets(&other, 21, 32);
    for (size_t i = 0; i < 12; i++) {
        (void)fixture_append(&t.f, &t.l, i, STATUS_PENDING);
        if (i % 3 == 0)
            continue;
        (void)fixture_append(&t.f, &other, other.count - 12 + (i - 1 - i / 3), STATUS_PENDING);
    }
    assert_int_equal(fixture_ack(&t.f, &t.l, 12, 12, ACKED_AT), ERR_OK);
    assert_int_equal(fixture_ack(&t.f, &other, 8, 8, ACKED_AT + 9), ERR_OK);
    till_include(&t, &t.l, 12);
    till_include(&t, &other, 8);
    confirm(&t, 0);
    for (uint64_t pruned = 0; pruned < 11; pruned++) {
        till_assert_whole(&t, pruned);
        struct store_prune how = {&t.key, t.chain, ACKED_AT + 1, 1};
        int64_t from = 0;
        size_t one = 0;
        assert_int_equal(store_prune(t.f.store, &how, &from, &one, NULL), ERR_OK);
        assert_int_equal(one, 1);
    }
    assert_int_equal(till_prune(&t, ACKED_AT + 10, 3), 7);
    till_assert_whole(&t, 18);
    fixture_assert_text(&t.f, "SELECT stream, seq, lsn FROM extents ORDER BY 1, 2",
                        "1|12|19\n2|8|20\n");
    line_fini(&other);
    till_close(&t);
}

TEST(prune__never_uses_a_position_again)
{
    struct till t;
    till_sold(&t);
    (void)till_prune(&t, INT64_MAX, 100);
    till_reopen(&t);
    struct line next;
    line_init(&next, 2, "BR1");
    next.own = true;
    till_add_stream(&t, &next);
    sell_tickets(&next, 31, 32);
    fixture_append_all(&t.f, &next, STATUS_PENDING);
    fixture_assert_text(&t.f, "SELECT lsn FROM journal", "10\n11\n12\n");
    confirm(&t, 2);
    till_assert_whole(&t, 9);
    line_fini(&next);
    till_close(&t);
}

// ---- what people are asked about --------------------------------------------------------------

static void feed_notice(struct till *t, unsigned id, const char *status)
{
    char text[UUID_TEXT_SIZE], row[256];
    struct uuid uuid = fixture_uuid(3, id);
    uuid_format(&uuid, text);
    if (status)
        (void)snprintf(row, sizeof row,
                       "{\"type\":\"notice\",\"id\":\"%s\",\"row\":{\"status\":\"%s\"}}", text,
                       status);
    else
        (void)snprintf(row, sizeof row, "{\"type\":\"notice\",\"id\":\"%s\",\"row\":null}", text);
    struct str rows[] = {str_of(row)};
    struct feed_apply frame = {.location = STR("BR1"), .rows = rows, .count = 1, .complete = true};
    assert_int_equal(store_feed_apply(t->f.store, &frame, NULL), ERR_OK);
}

TEST(prune__stops_where_a_person_is_asked)
{
    static const char *const statuses[] = {"conflict", "dead_letter", "review"};
    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        struct till t;
        till_sold(&t);
        feed_notice(&t, 4, statuses[i]);
        assert_int_equal(till_prune(&t, INT64_MAX, 100), 3);
        feed_notice(&t, 4, NULL); // it was settled
        assert_int_equal(till_prune(&t, INT64_MAX, 100), 6);
        till_assert_whole(&t, 9);
        till_close(&t);
    }
}

TEST(prune__keeps_a_ticket_that_another_event_claims)
{
    struct till t;
    till_open(&t);
    sell_tickets(&t.l, 1, 2);
    line_ticket(&t.l, 3, 13, "T-2", "rice"); // claims what the second holds
    sell_tickets(&t.l, 4, 5);
    fixture_append_all(&t.f, &t.l, STATUS_PENDING);
    assert_int_equal(fixture_ack(&t.f, &t.l, 5, 5, ACKED_AT), ERR_OK);
    till_include(&t, &t.l, 5);
    confirm(&t, 0);
    assert_int_equal(till_prune(&t, INT64_MAX, 100), 1);
    fixture_assert_text(&t.f, "SELECT id FROM tickets", "T-2\nT-4\nT-5\n");
    till_assert_whole(&t, 1);
    till_close(&t);
}

// An upstream disputed a run, and its events went up again under another: the same ids twice.
TEST(prune__judges_later_carriers_by_what_is_left)
{
    struct till t;
    struct line again;
    till_sold(&t);
    line_init(&again, 2, "BR1");
    again.own = true;
    till_add_stream(&t, &again);
    sell_tickets(&again, 4, 8);
    line_ticket(&again, 9, 60, "T-90", "rice"); // other content under a used id
    line_ticket(&again, 40, 61, "T-40", "rice");
    fixture_append_all(&t.f, &again, STATUS_PENDING);
    static const char states[] =
        "duplicate\nduplicate\nduplicate\nduplicate\nduplicate\nconflict\npending\n";
    static const char query[] = "SELECT status FROM journal WHERE lsn > 10 ORDER BY lsn";
    fixture_assert_text(&t.f, query, states);
    assert_int_equal(till_prune(&t, INT64_MAX, 100), 9);
    confirm(&t, 1);
    till_assert_whole(&t, 9);
    assert_int_equal(store_rebuild(t.f.store, NULL, NULL, NULL), ERR_OK);
    fixture_assert_text(&t.f, query, states);
    till_assert_whole(&t, 9);
    fixture_assert_text(&t.f, "SELECT count(*) FROM tickets", "2\n");
    assert_int_equal(fixture_ack(&t.f, &again, 7, 7, ACKED_AT), ERR_OK);
    till_include(&t, &again, 7);
    confirm(&t, 0);
    assert_int_equal(till_prune(&t, INT64_MAX, 100), 5); // not the one with other content
    till_assert_whole(&t, 14);
    line_fini(&again);
    till_close(&t);
}

// ---- proof ------------------------------------------------------------------------------------

TEST(prune__finds_what_was_edited_afterwards)
{
    static const char *const edits[] = {
        "UPDATE bases SET seq = 8",
        "UPDATE bases SET seq = 10",
        "UPDATE bases SET hash = zeroblob(32)",
        "UPDATE bases SET past = zeroblob(32)",
        "UPDATE bases SET signature = zeroblob(64)",
        "DELETE FROM bases",
        "UPDATE past SET content = content + 1 WHERE lsn = 4",
        "UPDATE past SET counts = 0 WHERE lsn = 4",
        "UPDATE past SET id = (SELECT id FROM past WHERE lsn = 5) WHERE lsn = 4",
        "DELETE FROM past WHERE lsn = 9",
        "DELETE FROM past",
        "INSERT INTO past VALUES (99, 1, x'00112233445566778899aabbccddeeff', 1, 1)",
        "INSERT INTO past VALUES (10, 1, (SELECT id FROM events WHERE lsn = 10), 1, 1)",
        "UPDATE past SET stream = 7 WHERE lsn = 1",
        "DELETE FROM events WHERE lsn = 10",
        "UPDATE meta SET value = '00112233-4455-6677-8899-aabbccddeeff' WHERE name = 'chain'",
    };
    for (size_t i = 0; i < COUNT_OF(edits); i++) {
        struct till t;
        till_sold(&t);
        (void)till_prune(&t, INT64_MAX, 100);
        till_assert_whole(&t, 9);
        fixture_sql(&t.f, edits[i]);
        till_reopen(&t);
        struct store_verdict v = till_verdict(&t);
        if (v.gaps == 0 && v.chain_errors == 0)
            fail_msg("not found: %s", edits[i]);
        assert_true(v.first_problem.n > 0);
        till_close(&t);
    }
}

// Whoever has rows vanish behind a base must sign it.
TEST(prune__believes_only_the_devices_own_signature)
{
    static const uint8_t seed[SIGN_SEED_SIZE] = {8};
    struct till t;
    till_sold(&t);
    sign_key_from_seed(seed, &t.key);
    (void)till_prune(&t, INT64_MAX, 100);
    struct store_verdict v = till_verdict(&t);
    assert_int_equal(v.chain_errors, 1);
    till_close(&t);
}

TEST(prune__leaves_what_was_edited_before_it)
{
    struct till t;
    till_sold(&t);
    fixture_sql(&t.f, "UPDATE events SET rest = replace(rest, 'rice', 'RICE') WHERE lsn = 5");
    till_reopen(&t);
    assert_int_equal(till_prune(&t, INT64_MAX, 100), 4);
    struct store_verdict v = till_verdict(&t);
    assert_int_equal(v.chain_errors, 1);
    till_close(&t);
}

TEST(prune__leaves_a_journal_that_can_be_folded_afresh)
{
    struct till t;
    till_sold(&t);
    static const char no_moves[] = "UPDATE stock SET moves = 0"; // of what is here; a till's view
    (void)till_prune(&t, INT64_MAX, 5);                          // is the feed's and the overlay
    fixture_sql(&t.f, no_moves);
    char *before = fixture_canonical(&t.f);
    assert_int_equal(store_rebuild(t.f.store, NULL, NULL, NULL), ERR_OK);
    fixture_sql(&t.f, no_moves);
    char *after = fixture_canonical(&t.f);
    assert_string_equal(before, after);
    till_assert_whole(&t, 9);
    assert_int_equal(past_of_id(&t, 3, "T-3"), PAST_SAME);
    free(before);
    free(after);
    till_close(&t);
}

// ---- room -------------------------------------------------------------------------------------

TEST(prune__gives_its_pages_to_what_comes)
{
    enum { ROUNDS = 40, WARM = 8, SOLD = 60 };
    struct till t;
    int64_t pages = 0, warm = 0, last = 0;
    till_open(&t);
    for (unsigned round = 0; round < ROUNDS; round++) {
        struct line l;
        line_init(&l, 10 + round, "BR1");
        l.own = true;
        till_add_stream(&t, &l);
        sell_tickets(&l, 100 * round + 1, 100 * round + SOLD);
        fixture_append_all(&t.f, &l, STATUS_PENDING);
        assert_int_equal(fixture_ack(&t.f, &l, SOLD, SOLD, ACKED_AT), ERR_OK);
        till_include(&t, &l, SOLD);
        assert_int_equal(till_prune(&t, INT64_MAX, 64), SOLD - 1);
        line_fini(&l);
        pages = fixture_number(&t.f, "SELECT page_count FROM pragma_page_count");
        warm = round == WARM ? pages : warm;
    }
    last = fixture_number(&t.f, "SELECT page_count - freelist_count FROM pragma_page_count,"
                                " pragma_freelist_count");
    int64_t per_event = (pages - warm) * 8192 / ((ROUNDS - WARM) * SOLD);
    assert_true(per_event < 80); // 900 without pruning
    assert_true(last <= pages);
    till_close(&t);
}
