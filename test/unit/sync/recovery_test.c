// SPDX-License-Identifier: Apache-2.0
// A server that was restored from a backup: what shows it, and how a device tells it again.
#include "sync/recovery.h"
#include "test/unit/sync/pair.h"
#include "test/unit/unit.h"

#include <string.h>

enum { HOUR_MS = 60 * 60 * 1000 };

// ---- what shows it ---------------------------------------------------------------------------

static const uint8_t random_bytes[10] = {7, 7, 7, 7, 7, 7, 7, 7, 7, 7};

static struct uuid made_at(int64_t ms)
{
    struct uuid_maker maker = {0};
    return uuid_make_v7(&maker, (uint64_t)ms, random_bytes);
}

struct meeting {
    struct uuid mine;
    enum feed_standing feeds[2];
    struct message_mark marks[2];
    struct message_stream streams[2];
    struct recovery_view view;
    struct message_hello hello;
};

static struct meeting *meet(struct uuid mine, struct uuid theirs)
{
    static struct meeting m;
    m = (struct meeting){.mine = mine, .feeds = {FEED_KNOWN, FEED_FOREIGN}};
    m.view = (struct recovery_view){&m.mine, m.marks, m.feeds, 2, SAMPLE_NOW};
    m.hello = (struct message_hello){.recovery = theirs, .streams = m.streams, .count = 2};
    m.streams[0].settled = m.marks[0].settled = 9;
    return &m;
}

static const struct uuid none;

TEST(recovery__is_shown_by_a_feed_that_had_gone_further)
{
    struct meeting *m = meet(none, none);
    assert_null(recovery_found(&m->view, &m->hello));
    m->feeds[1] = FEED_LOST;
    assert_non_null(recovery_found(&m->view, &m->hello));
}

TEST(recovery__is_shown_by_a_stream_that_was_settled_further)
{
    struct meeting *m = meet(none, none);
    m->streams[1].settled = 1;
    assert_non_null(recovery_found(&m->view, &m->hello));
    m->marks[1].settled = 1;
    assert_null(recovery_found(&m->view, &m->hello));
}

TEST(recovery__is_shown_by_a_later_one_that_was_lost_as_well)
{
    struct uuid early = made_at(SAMPLE_NOW - HOUR_MS), late = made_at(SAMPLE_NOW);
    assert_non_null(recovery_found(&meet(none, early)->view, &meet(none, early)->hello));
    assert_non_null(recovery_found(&meet(early, late)->view, &meet(early, late)->hello));
    assert_null(recovery_found(&meet(late, late)->view, &meet(late, late)->hello));
}

// It names everything as soon as it is told of this one; what it says before is of another past.
TEST(recovery__is_not_shown_by_who_knows_of_an_earlier_one)
{
    struct meeting *m = meet(made_at(SAMPLE_NOW), none);
    m->feeds[0] = FEED_LOST;
    m->streams[0].settled = 99;
    assert_null(recovery_found(&m->view, &m->hello));
}

TEST(recovery__is_not_shown_by_an_id_from_far_ahead)
{
    struct uuid ahead = made_at(SAMPLE_NOW + RECOVERY_AHEAD_MS + 1);
    assert_null(recovery_found(&meet(none, ahead)->view, &meet(none, ahead)->hello));
    ahead = made_at(SAMPLE_NOW + RECOVERY_AHEAD_MS);
    assert_non_null(recovery_found(&meet(none, ahead)->view, &meet(none, ahead)->hello));
}

TEST(recovery__has_an_id_above_all_that_either_end_knows_of)
{
    struct uuid early = made_at(SAMPLE_NOW - HOUR_MS), late = made_at(SAMPLE_NOW + HOUR_MS);
    const struct {
        struct uuid mine, theirs;
    } pairs[] = {{none, none}, {early, early}, {late, late}, {none, late}, {early, late}};
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        struct meeting *m = meet(pairs[i].mine, pairs[i].theirs);
        struct uuid next = recovery_next(&m->view, &m->hello, random_bytes);
        assert_int_equal(uuid_version(&next), 7);
        assert_true(uuid_compare(&next, &pairs[i].mine) > 0);
        assert_true(uuid_compare(&next, &pairs[i].theirs) > 0);
    }
    struct uuid beyond = made_at(SAMPLE_NOW + 2 * RECOVERY_AHEAD_MS);
    struct meeting *m = meet(none, beyond);
    struct uuid next = recovery_next(&m->view, &m->hello, random_bytes);
    assert_true(uuid_compare(&next, &beyond) < 0); // it is not believed
}

// ---- telling again ---------------------------------------------------------------------------

static void settles(struct pair *p)
{
    for (int i = 0; i < 600 && !pair_agree(p); i++) {
        pair_pass(p, 100);
    }
    if (!pair_agree(p)) {
        fail_msg("not settled: %.600s", p->trace);
    }
}

// Three runs, all settled and in the feed, of which the outbox remembers the last only.
static struct pair *settled_pair(void)
{
    struct pair *p = pair_begin();
    pair_publish(p, 3);
    pair_start(p);
    for (int run = 0; run < PAIR_RUNS; run++) {
        if (run > 0) {
            pair_new_run(p);
        }
        pair_sell(p, 5);
        settles(p);
        pair_pass(p, 300);
    }
    assert_int_equal(p->up.outbox.count, 1);
    return p;
}

static void tells_all_again(struct pair *p)
{
    for (int i = 0; i < 100 && uuid_is_zero(&p->told_recovery); i++) {
        pair_pass(p, 100);
    }
    assert_int_equal(p->recoveries, 1);
    assert_true(uuid_equal(&p->told_recovery, &p->recovery));
    settles(p);
    pair_pass(p, 300);
    assert_int_equal(p->up.outbox.count, 1);
    for (size_t i = 0; i < PAIR_RUNS; i++) {
        assert_int_equal(p->held[i].settled, 6);
    }
}

TEST(recovery__settled_runs_are_told_again)
{
    struct pair *p = settled_pair();
    pair_restore_server(p, 2, 3);
    tells_all_again(p);
    assert_string_equal(p->why, "more was settled of a device than is here");
    assert_int_equal(p->connects, 4); // cut; found out; told of it; told all
    pair_end(p);
}

TEST(recovery__more_runs_than_fit_one_hello_are_told_in_turn)
{
    struct pair *p = settled_pair();
    p->offer_page = 1;
    pair_restore_server(p, 0, 1);
    tells_all_again(p);
    assert_string_equal(p->why, "a device was fed what its feed has not any more");
    assert_int_equal(p->offers, 3);
    pair_end(p);
}

TEST(recovery__what_cannot_be_listed_is_asked_for_again)
{
    struct pair *p = settled_pair();
    p->offer_page = 0; // the store fails
    pair_restore_server(p, 2, 3);
    pair_pass(p, 3500);
    assert_in_range(p->offers, 3, 5);
    assert_true(uuid_is_zero(&p->told_recovery));
    p->offer_page = PAIR_RUNS;
    tells_all_again(p);
    pair_end(p);
}

// A run that has begun since is a run like others; what is said of it does not wait.
TEST(recovery__sales_go_on_meanwhile)
{
    struct pair *p = settled_pair();
    p->offer_page = 0;
    pair_restore_server(p, 2, 3);
    pair_pass(p, 2000);
    uint64_t before = p->held[PAIR_RUNS - 1].count;
    pair_sell(p, 1);
    pair_pass(p, 200);
    assert_int_equal(p->held[PAIR_RUNS - 1].count, before + 1);
    pair_end(p);
}

// Until all were named, no page can say what it includes of each.
TEST(recovery__no_page_of_the_place_is_taken_before_all_was_named)
{
    struct pair *p = settled_pair();
    p->offer_page = 0;
    uint64_t rows = p->rows_taken;
    pair_restore_server(p, 2, 3);
    pair_pass(p, 3000);
    assert_true(pair_said(p, "<feed") > 0);
    assert_int_equal(p->rows_taken, rows);
    p->offer_page = PAIR_RUNS;
    tells_all_again(p);
    assert_int_equal(p->rows_taken, rows + 3);
    pair_end(p);
}

TEST(recovery__the_chains_feed_waits_until_a_person_confirms)
{
    struct pair *p = settled_pair();
    pair_restore_server(p, 2, 3);
    tells_all_again(p);
    assert_int_equal(p->down.feed_count, 1);
    downlink_feed_moved(&p->down, STR("*"), 9, p->now.mono_ms, &p->down_steps);
    assert_int_equal(p->down_steps.count, 0);
    p->recovering = false;
    pair_cut(p);
    pair_pass(p, 1000);
    assert_int_equal(p->down.feed_count, DOWNLINK_FEEDS);
    pair_end(p);
}

// Nobody believes it, so it finds out by itself, and remembers that before anything else.
TEST(recovery__a_revoked_device_finds_out_and_tells_again)
{
    struct pair *p = settled_pair();
    p->revoked = true;
    pair_restore_server(p, 2, 3);
    p->marks_lost = 0;
    settles(p);
    assert_int_equal(p->recoveries, 0);
    assert_int_equal(p->doubted.b[0], 0xFF);
    assert_true(uuid_is_zero(&p->told_recovery)); // the server has none
    assert_true(uuid_is_zero(&p->up.config.recovery));
    for (size_t i = 0; i < PAIR_RUNS; i++) {
        assert_int_equal(p->held[i].settled, 6);
    }
    pair_end(p);
}

TEST(recovery__a_page_of_streams_that_comes_too_late_is_asked_for_again)
{
    struct pair *p = settled_pair();
    p->offer_page = 0;
    pair_restore_server(p, 2, 3);
    pair_pass(p, 2000);
    assert_true(p->up.offer.active && p->up.offer.more);
    struct outbox_stream stream = {.key = {sample_id(4, 1), LANE_CRITICAL}};
    struct uplink_kept late = {.after = 7, .streams = &stream, .count = 1}; // of another time
    uplink_offered(&p->up, &late, p->now, &p->up_steps);
    assert_int_equal(p->up_steps.count, 0);
    assert_true(p->up.offer.more);
    p->offer_page = PAIR_RUNS;
    tells_all_again(p);
    pair_end(p);
}
