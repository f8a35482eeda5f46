// SPDX-License-Identifier: Apache-2.0
// What counts of a revoked device, whatever comes first.
#include "test/unit/store/orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BODY_MAX = 2048 };

// {"heads":[the lines up to these seqs]} and what else is given.
static const char *heads_of(const struct line *lines, const unsigned *seqs, size_t count,
                            const char *more)
{
    static char body[BODY_MAX];
    size_t n = (size_t)snprintf(body, sizeof body, "{\"reason\":\"stolen\"%s,\"heads\":[", more);
    bool first = true;
    for (size_t i = 0; i < count; i++) {
        char origin[UUID_TEXT_SIZE], hash[HASH_TEXT_SIZE];
        if (seqs[i] == 0)
            continue;
        uuid_format(&lines[i].key.origin, origin);
        hash_format(&lines[i].marks[seqs[i] - 1].hash, hash);
        n += (size_t)snprintf(body + n, sizeof body - n,
                              "%s{\"origin\":\"%s\",\"lane\":\"critical\",\"seq\":%u,"
                              "\"hash\":\"%s\"}",
                              first ? "" : ",", origin, seqs[i], hash);
        first = false;
    }
    n += (size_t)snprintf(body + n, sizeof body - n, "]}");
    assert_true(n < sizeof body);
    return body;
}

static void revoke(struct line *centre, unsigned id, unsigned ms, const struct uuid *device,
                   const char *body)
{
    char record[UUID_TEXT_SIZE];
    uuid_format(device, record);
    line_add(centre, &(struct draft){id, ms, "device_revoked", record, body});
}

// Two runs of one device (lines 0 and 1), another device at the same place, and the centre.
static void make_lines(struct line lines[4])
{
    for (unsigned i = 0; i < 4; i++)
        line_init(&lines[i], i, i == 3 ? "hq" : "BR1");
    for (unsigned i = 0; i < 3; i++)
        lines[i].is_device = true;
    lines[1].device = lines[0].device;
}

// ---- in any order -------------------------------------------------------------------------------

TEST(revoke__what_was_sealed_before_counts_in_any_order)
{
    struct line lines[4];
    make_lines(lines);
    for (unsigned n = 0; n < 5; n++) {
        line_sell(&lines[0], 10 + n, 10 + n, "rice", "1");
        line_ticket(&lines[1], 20 + n, 20 + n, n % 2 ? "T-1" : "T-2", "oil");
        line_sell(&lines[2], 30 + n, 15 + n, "rice", "100");
    }
    revoke(&lines[3], 90, 90, &lines[0].device, heads_of(lines, (unsigned[]){3, 2}, 2, ""));
    orders_all_alike(lines, 4);
}

TEST(revoke__an_order_is_folded_without_what_came_too_late_in_any_order)
{
    struct line lines[4];
    static const char opened[] = "{\"kind\":\"dine_in\",\"currency\":\"USD\",\"places\":2}";
    static const char added[] = "{\"line\":\"01890a5d-0000-7000-8000-000000000001\",\"sku\":"
                                "\"TEA\",\"quantity\":\"4\",\"unit_price\":\"2.5\"}";
    static const char changed[] =
        "{\"line\":\"01890a5d-0000-7000-8000-000000000001\",\"quantity\":\"-3\"}";
    make_lines(lines);
    line_add(&lines[0], &(struct draft){1, 10, "order_opened", "O1", opened});
    line_add(&lines[0], &(struct draft){2, 11, "line_added", "O1", added});
    line_add(&lines[0], &(struct draft){3, 12, "line_changed", "O1", changed}); // too late
    line_add(&lines[1], &(struct draft){2, 5, "line_added", "O1", added});
    line_add(&lines[2], &(struct draft){4, 13, "line_changed", "O1", changed});
    revoke(&lines[3], 90, 90, &lines[0].device, heads_of(lines, (unsigned[]){2, 0}, 2, ""));
    orders_all_alike(lines, 4);
}

TEST(revoke__of_several_revocations_the_fewest_events_count_in_any_order)
{
    struct line lines[4];
    make_lines(lines);
    for (unsigned n = 0; n < 4; n++) {
        line_sell(&lines[0], 10 + n, 10 + n, "rice", "1");
        line_sell(&lines[1], 20 + n, 20 + n, "oil", "1");
    }
    revoke(&lines[3], 90, 90, &lines[0].device, heads_of(lines, (unsigned[]){3, 0}, 2, ""));
    revoke(&lines[3], 91, 91, &lines[0].device, heads_of(lines, (unsigned[]){2, 4}, 2, ""));
    revoke(&lines[3], 92, 92, &lines[0].device, "{\"reason\":\"says nothing of events\"}");
    orders_all_alike(lines, 4);
}

TEST(revoke__parts_work_together_and_only_when_all_are_there_in_any_order)
{
    struct line lines[4];
    char more[128], first[UUID_TEXT_SIZE];
    struct uuid id = fixture_uuid(3, 90);
    make_lines(lines);
    uuid_format(&id, first);
    for (unsigned n = 0; n < 4; n++) {
        line_sell(&lines[0], 10 + n, 10 + n, "rice", "1");
        line_sell(&lines[1], 20 + n, 20 + n, "oil", "1");
    }
    revoke(&lines[3], 90, 90, &lines[0].device,
           heads_of(lines, (unsigned[]){3, 0}, 2, ",\"part\":1,\"parts\":2"));
    (void)snprintf(more, sizeof more, ",\"part\":2,\"parts\":2,\"revocation\":\"%s\"", first);
    revoke(&lines[3], 91, 91, &lines[0].device, heads_of(lines, (unsigned[]){0, 2}, 2, more));
    (void)snprintf(more, sizeof more, ",\"part\":2,\"parts\":3,\"revocation\":\"%s\"", first);
    revoke(&lines[3], 92, 92, &lines[2].device, heads_of(lines, (unsigned[]){0, 0}, 2, more));
    line_sell(&lines[2], 30, 30, "tea", "1"); // of a device whose revocation lacks parts
    orders_all_alike(lines, 4);
}

// A device that was revoked, and its clone, say again what was said before: earlier by their clock,
// with other content, or as what is no event.
TEST(revoke__nothing_that_counts_can_be_taken_away_by_what_does_not_in_any_order)
{
    struct line lines[4];
    make_lines(lines);
    line_sell(&lines[0], 1, 50, "rice", "1");
    line_ticket(&lines[0], 2, 51, "T-1", "oil");
    line_sell(&lines[0], 3, 52, "rice", "2"); // too late, as all of the next line
    line_sell(&lines[1], 1, 10, "rice", "7");
    line_ticket(&lines[1], 2, 11, "T-1", "oil");
    line_add(&lines[1], &(struct draft){4, 12, "from_the_future", "x", "{}"});
    line_ticket(&lines[1], 5, 13, "T-1", "salt");
    line_add(&lines[1], &(struct draft){31, 13, "location_set", "BR9", "{\"name\":\"x\"}"});
    line_sell(&lines[1], 30, 14, "tea", "9");
    line_sell(&lines[2], 30, 60, "tea", "1");
    line_ticket(&lines[2], 31, 61, "T-1", "rice");
    line_sell(&lines[2], 4, 62, "tea", "1");
    line_sell(&lines[2], 3, 63, "rice", "2");
    revoke(&lines[3], 90, 90, &lines[0].device, heads_of(lines, (unsigned[]){2, 0}, 2, ""));
    orders_all_alike(lines, 4);
}

// The id of the revocation again, earlier and about another device: it is taken back.
TEST(revoke__a_revocation_that_is_taken_back_lets_events_count_in_any_order)
{
    struct line lines[5];
    make_lines(lines);
    line_init(&lines[4], 4, "hq");
    for (unsigned n = 0; n < 3; n++) {
        line_sell(&lines[0], 10 + n, 10 + n, "rice", "1");
        line_sell(&lines[1], 10 + n, 20 + n, n == 1 ? "oil" : "rice", "1");
        line_sell(&lines[2], 30 + n, 15 + n, "rice", "100");
    }
    line_add(&lines[1], &(struct draft){40, 41, "from_the_future", "x", "{}"});
    revoke(&lines[3], 90, 90, &lines[0].device, heads_of(lines, (unsigned[]){1, 0}, 2, ""));
    revoke(&lines[4], 90, 80, &lines[2].device, heads_of(lines, (unsigned[]){0, 0}, 2, ""));
    orders_all_alike(lines, 5);
}

// A person let in a part of what came too late.
TEST(revoke__what_a_person_accepts_counts_in_any_order)
{
    struct line lines[4];
    make_lines(lines);
    for (unsigned n = 0; n < 5; n++) {
        line_sell(&lines[0], 10 + n, 10 + n, "rice", "1");
        line_ticket(&lines[1], 20 + n, 20 + n, n % 2 ? "T-1" : "T-2", "oil");
        line_sell(&lines[2], 30 + n, 15 + n, "rice", "100");
    }
    line_sell(&lines[2], 13, 9, "rice", "100"); // the id of one that is let in, and earlier
    revoke(&lines[3], 90, 90, &lines[0].device, heads_of(lines, (unsigned[]){3, 2}, 2, ""));
    revoke(&lines[3], 91, 91, &lines[0].device,
           heads_of(lines, (unsigned[]){4, 1}, 2, ",\"accepts\":true"));
    revoke(&lines[3], 92, 92, &lines[0].device, heads_of(lines, (unsigned[]){1, 0}, 2, ""));
    orders_all_alike(lines, 4);
}

static void add_all(struct fixture *f, const struct line *lines, size_t count);

TEST(revoke__what_was_accepted_is_taken_in_and_the_rest_asked_about)
{
    struct fixture f;
    struct line lines[4];
    make_lines(lines);
    for (unsigned n = 0; n < 5; n++)
        line_sell(&lines[0], 10 + n, 10 + n, "rice", "1");
    revoke(&lines[3], 90, 90, &lines[0].device, heads_of(lines, (unsigned[]){1, 0}, 2, ""));
    fixture_open(&f, ROLE_CENTRAL);
    add_all(&f, lines, 4);
    fixture_assert_text(&f, "SELECT quantity FROM stock", "-10000\n");
    fixture_assert_text(&f, "SELECT kind, detail, open FROM reviews", "revoked|{\"events\":4}|1\n");
    revoke(&lines[3], 91, 91, &lines[0].device,
           heads_of(lines, (unsigned[]){3, 0}, 2, ",\"accepts\":true"));
    (void)fixture_append(&f, &lines[3], 1, STATUS_SETTLED);
    fixture_assert_text(&f, "SELECT quantity FROM stock", "-30000\n");
    fixture_assert_text(&f, "SELECT kind, detail, open FROM reviews", "revoked|{\"events\":2}|1\n");
    revoke(&lines[3], 92, 92, &lines[0].device,
           heads_of(lines, (unsigned[]){5, 0}, 2, ",\"accepts\":true"));
    (void)fixture_append(&f, &lines[3], 2, STATUS_SETTLED);
    fixture_assert_text(&f, "SELECT quantity FROM stock", "-50000\n");
    fixture_assert_text(&f, "SELECT count(*) FROM reviews", "0\n");
    line_sell(&lines[0], 20, 20, "rice", "1");
    (void)fixture_append(&f, &lines[0], 5, STATUS_SETTLED);
    fixture_assert_text(&f, "SELECT kind, detail, open FROM reviews", "revoked|{\"events\":1}|1\n");
    for (size_t i = 0; i < 4; i++)
        line_fini(&lines[i]);
    fixture_close(&f);
}

// ---- what becomes of it -------------------------------------------------------------------------

static void add_all(struct fixture *f, const struct line *lines, size_t count)
{
    for (size_t i = 0; i < count; i++)
        fixture_append_all(f, &lines[i], STATUS_SETTLED);
}

TEST(revoke__events_that_come_too_late_are_kept_counted_and_reviewed)
{
    struct fixture f;
    struct line lines[4];
    struct store_verdict verdict;
    struct err e = {ERR_OK, ""};
    fixture_open(&f, ROLE_CENTRAL);
    make_lines(lines);
    line_sell(&lines[0], 1, 1, "rice", "1");
    line_sell(&lines[0], 2, 2, "rice", "2");
    line_ticket(&lines[0], 3, 3, "T-3", "oil");
    revoke(&lines[3], 90, 90, &lines[0].device, heads_of(lines, (unsigned[]){1}, 1, ""));
    add_all(&f, &lines[3], 1);
    add_all(&f, &lines[0], 1);
    fixture_assert_text(&f, "SELECT status FROM journal WHERE location = 'BR1' ORDER BY seq",
                        "settled\nreview\nreview\n");
    fixture_assert_text(&f, "SELECT sku, quantity FROM stock", "rice|-10000\n");
    fixture_assert_text(&f, "SELECT count(*) FROM tickets", "0\n");
    fixture_assert_text(&f, "SELECT kind, location, detail, open FROM reviews",
                        "revoked|BR1|{\"events\":2}|1\n");
    assert_int_equal(fixture_verify(f.store, &f.arena, &verdict, &e), ERR_OK);
    assert_true(verdict.refold_equal);
    assert_int_equal(verdict.events, 4);
    char *before = fixture_canonical(&f);
    assert_int_equal(store_rebuild(f.store, NULL, NULL, &e), ERR_OK);
    char *after = fixture_canonical(&f);
    assert_string_equal(before, after);
    fixture_sql(&f, "UPDATE events SET state = 0 WHERE state = 8");
    assert_int_equal(fixture_verify(f.store, &f.arena, &verdict, &e), ERR_OK);
    assert_false(verdict.refold_equal); // a row let in by hand is found
    assert_int_equal(store_rebuild(f.store, NULL, NULL, &e), ERR_OK);
    free(after);
    after = fixture_canonical(&f);
    assert_string_equal(before, after);
    free(before);
    free(after);
    line_fini(&lines[0]);
    line_fini(&lines[3]);
    fixture_close(&f);
}

// One that only the centre may write, with the id and an earlier clock of a sale that counts.
TEST(revoke__a_dead_letter_stays_one_and_takes_no_id_away)
{
    struct fixture f;
    struct line lines[4];
    struct store_verdict verdict;
    struct err e = {ERR_OK, ""};
    for (int first = 0; first < 2; first++) {
        fixture_open(&f, ROLE_CENTRAL);
        make_lines(lines);
        line_sell(&lines[0], 1, 50, "rice", "1");
        line_add(&lines[1], &(struct draft){1, 10, "location_set", "BR9", "{\"name\":\"x\"}"});
        revoke(&lines[3], 90, 90, &lines[0].device, heads_of(lines, (unsigned[]){1}, 1, ""));
        add_all(&f, &lines[0], 1);
        if (first)
            add_all(&f, &lines[3], 1);
        add_all(&f, &lines[1], 1);
        fixture_assert_text(&f, "SELECT count(*) FROM stock", first ? "1\n" : "0\n");
        if (!first)
            add_all(&f, &lines[3], 1);
        fixture_assert_text(&f, "SELECT sku, quantity FROM stock", "rice|-10000\n");
        fixture_assert_text(&f, "SELECT status FROM journal WHERE location = 'BR1' ORDER BY seq",
                            "settled\ndead_letter\n");
        fixture_assert_text(&f, "SELECT count(*) FROM withheld", "0\n");
        fixture_assert_text(&f, "SELECT count(*) FROM reviews WHERE open = 1", "0\n");
        assert_int_equal(fixture_verify(f.store, &f.arena, &verdict, &e), ERR_OK);
        assert_true(verdict.refold_equal);
        line_fini(&lines[0]);
        line_fini(&lines[1]);
        line_fini(&lines[3]);
        fixture_close(&f);
    }
}

// What says that it is of another place, with the id of a sale: a revocation that leaves it out,
// and a person's word that takes it in again, make as little of it as whoever asks for it once
// more.
TEST(revoke__what_is_said_of_another_place_counts_for_nobody)
{
    struct fixture f;
    struct line lines[4], elsewhere;
    struct store_verdict verdict;
    struct err e = {ERR_OK, ""};
    uint64_t folded = 9, left = 0;
    fixture_open(&f, ROLE_CENTRAL);
    make_lines(lines);
    line_init(&elsewhere, 0, "BR9");
    line_sell(&elsewhere, 1, 10, "gold", "5");
    line_add_bytes(&lines[0], elsewhere.bytes[0]);
    line_sell(&lines[2], 1, 50, "rice", "1");
    const unsigned none[] = {0}, all[] = {1};
    revoke(&lines[3], 90, 90, &lines[0].device, heads_of(lines, none, 1, ""));
    revoke(&lines[3], 91, 91, &lines[0].device, heads_of(lines, all, 1, ",\"accepts\":true"));
    add_all(&f, &lines[0], 1);
    add_all(&f, &lines[2], 2);
    fixture_assert_text(&f, "SELECT location, sku, quantity FROM stock", "BR1|rice|-10000\n");
    assert_int_equal(store_begin(f.store, &e), ERR_OK);
    assert_int_equal(store_dead_letters_retry(f.store, &folded, &left, &e), ERR_OK);
    assert_int_equal(store_commit(f.store, &e), ERR_OK);
    assert_int_equal(folded, 0);
    assert_int_equal(left, 1);
    fixture_assert_text(&f, "SELECT location, sku, quantity FROM stock", "BR1|rice|-10000\n");
    fixture_assert_text(&f, "SELECT count(*) FROM withheld", "0\n");
    fixture_assert_text(&f, "SELECT count(*) FROM reviews WHERE open = 1", "0\n");
    assert_int_equal(fixture_verify(f.store, &f.arena, &verdict, &e), ERR_OK);
    assert_true(verdict.refold_equal);
    line_fini(&elsewhere);
    for (size_t i = 0; i < 4; i++)
        line_fini(&lines[i]);
    fixture_close(&f);
}
