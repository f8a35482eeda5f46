// SPDX-License-Identifier: Apache-2.0
// What may wait: the deferred lane going up, and the chain's deferred feed coming down.
#include "test/unit/sync/pair.h"
#include "test/unit/unit.h"

#include <string.h>

// ---- up ----------------------------------------------------------------------------------------

static struct uplink u;
static struct steps out;
static struct arena arena;
static struct moment now;

static void hear(const struct message *m)
{
    uplink_message(&u, sample_text(m), now, &out);
}

static void bring_live(void)
{
    struct uplink_config config = {.chain = sample()->chain,
                                   .device = sample()->device,
                                   .run = sample()->run.id,
                                   .origin = sample()->run.origin,
                                   .location = "Hamra",
                                   .key = &sample()->key,
                                   .software = "test",
                                   .seed = 1};
    struct uuid later = sample_id(6, 3);
    struct message m = sample()->messages[MESSAGE_WELCOME];
    m.welcome.feed_count = m.welcome.count = 0;
    m.welcome.jitter_ms = 0;
    arena_init(&arena, 64 << 20);
    steps_init(&out);
    now = (struct moment){1000, SAMPLE_NOW};
    uplink_init(&u, &config);
    uplink_set_feed(&u, STR(FEED_DEFERRED), &later, 2, &sample()->marks[0].hash);
    uplink_start(&u, now, &out);
    uplink_tick(&u, now, &out);
    uplink_connected(&u, now, &out);
    hear(&sample()->messages[MESSAGE_CHALLENGE]);
    hear(&m);
    assert_true(uplink_is_live(&u));
    steps_reset(&out);
}

static void end(void)
{
    uplink_fini(&u);
    steps_fini(&out);
    arena_fini(&arena);
}

static struct stream_key stream_of(enum lane lane)
{
    return (struct stream_key){sample()->run.origin, lane};
}

static void commit(enum lane lane, int count)
{
    struct outbox_head head = {stream_of(lane), sample()->run.certificate,
                               sample()->marks[count - 1], false};
    uplink_committed(&u, &head, now, &out);
}

// Of which lane it asks for events, with what was asked for before put aside; -1: of none.
static int lane_asked(void)
{
    int lane = -1;
    for (size_t i = 0; i < out.count; i++) {
        if (out.items[i].kind == STEP_LOAD)
            lane = (int)out.items[i].key.lane;
    }
    steps_reset(&out);
    return lane;
}

// What was asked for of a lane is pushed, up to count, and settled.
static void deliver(enum lane lane, int from, int count)
{
    struct uplink_loaded loaded = {.key = stream_of(lane), .after = (uint64_t)from - 1};
    struct message_mark mark = {.key = stream_of(lane), .held = sample()->marks[count - 1]};
    struct message m = {.kind = MESSAGE_ACK};
    if (from > 1)
        loaded.base = sample()->marks[from - 2].hash;
    loaded.events = &sample()->events[from - 1];
    loaded.count = (size_t)count - (size_t)from + 1;
    loaded.head = sample()->marks[count - 1].hash;
    uplink_loaded(&u, &loaded, now, &out);
    mark.settled = (uint64_t)count;
    m.ack = (struct message_ack){.credit = {500, LIMIT_BATCH_BYTES}, .marks = &mark, .count = 1};
    hear(&m);
}

static void give_page_of_nothing(void)
{
    struct message m = sample()->messages[MESSAGE_FEED];
    m.feed = (struct message_feed){.location = STR(FEED_DEFERRED),
                                   .feed = sample_id(6, 3),
                                   .number = ++u.feeds[2].taken,
                                   .from = 2,
                                   .to = 2,
                                   .complete = true};
    u.feeds[2].taken--;
    hear(&m);
}

TEST(deferred__goes_up_in_its_window_behind_what_is_urgent)
{
    bring_live();
    commit(LANE_DEFERRED, 1);
    assert_int_equal(lane_asked(), -1);
    commit(LANE_CRITICAL, 1);
    assert_int_equal(lane_asked(), LANE_CRITICAL);
    uplink_set_deferred(&u, true, now, &out);
    commit(LANE_NORMAL, 1);
    assert_int_equal(lane_asked(), -1); // one load at a time
    deliver(LANE_CRITICAL, 1, 1);
    assert_int_equal(lane_asked(), LANE_NORMAL);
    deliver(LANE_NORMAL, 1, 1);
    assert_int_equal(lane_asked(), LANE_DEFERRED);
    deliver(LANE_DEFERRED, 1, 1);
    uplink_set_deferred(&u, false, now, &out);
    commit(LANE_DEFERRED, 2);
    assert_int_equal(lane_asked(), -1);
    end();
}

TEST(deferred__goes_up_by_hand_until_what_was_there_has_gone)
{
    bring_live();
    commit(LANE_DEFERRED, 1);
    uplink_push_deferred(&u, now, &out);
    assert_int_equal(lane_asked(), LANE_DEFERRED);
    deliver(LANE_DEFERRED, 1, 1);
    uplink_tick(&u, now, &out);
    assert_true(u.deferred.by_hand); // the feed was asked for, and not read yet
    give_page_of_nothing();
    now.mono_ms += BEAT_EVERY_MS;
    uplink_tick(&u, now, &out);
    steps_reset(&out);
    commit(LANE_DEFERRED, 2);
    assert_int_equal(lane_asked(), -1);
    end();
}

TEST(deferred__of_a_revoked_device_waits_for_no_night)
{
    bring_live();
    commit(LANE_DEFERRED, 1);
    assert_int_equal(lane_asked(), -1);
    uplink_disconnected(&u, now, &out);
    now.mono_ms += 5000;
    uplink_tick(&u, now, &out);
    uplink_connected(&u, now, &out);
    hear(&sample()->messages[MESSAGE_CHALLENGE]);
    struct message m = sample()->messages[MESSAGE_WELCOME];
    m.welcome.revoked = true;
    m.welcome.feed_count = m.welcome.count = 0;
    m.welcome.jitter_ms = 0;
    hear(&m);
    assert_int_equal(lane_asked(), LANE_DEFERRED);
    end();
}

TEST(deferred__is_pushed_by_hand_before_there_is_a_link)
{
    bring_live();
    uplink_disconnected(&u, now, &out);
    commit(LANE_DEFERRED, 1);
    uplink_push_deferred(&u, now, &out);
    assert_int_equal(lane_asked(), -1);
    now.mono_ms += 5000;
    uplink_tick(&u, now, &out);
    uplink_connected(&u, now, &out);
    hear(&sample()->messages[MESSAGE_CHALLENGE]);
    struct message m = sample()->messages[MESSAGE_WELCOME];
    m.welcome.feed_count = m.welcome.count = 0;
    m.welcome.jitter_ms = 0;
    hear(&m);
    assert_int_equal(lane_asked(), LANE_DEFERRED);
    end();
}

// ---- down --------------------------------------------------------------------------------------

// A live pair, with rows in the deferred feed.
static struct pair *begin_pair(int rows)
{
    struct pair *p = pair_begin();
    pair_start(p);
    pair_publish(p, rows > 0 ? rows : 1);
    pair_publish_later(p, rows);
    pair_pass(p, 2000);
    return p;
}

TEST(deferred__comes_down_in_its_window_and_again_each_minute)
{
    struct pair *p = begin_pair(3);
    assert_int_equal(p->later_taken, 0);
    uplink_set_deferred(&p->up, true, p->now, &p->up_steps);
    pair_pass(p, 500);
    assert_int_equal(p->later_taken, 3);
    pair_publish(p, 2);
    pair_publish_later(p, 2);
    pair_pass(p, DEFERRED_EVERY_MS + 500);
    assert_int_equal(p->later_taken, 5);
    uplink_set_deferred(&p->up, false, p->now, &p->up_steps);
    pair_publish(p, 1);
    pair_publish_later(p, 1);
    pair_pass(p, (int64_t)3 * DEFERRED_EVERY_MS);
    assert_int_equal(p->later_taken, 5);
    pair_cut(p);
    pair_pass(p, 5000);
    assert_int_equal(p->later_taken, 5); // nor with the next session
    pair_end(p);
}

TEST(deferred__comes_down_by_hand_once)
{
    struct pair *p = begin_pair(3);
    uplink_push_deferred(&p->up, p->now, &p->up_steps);
    pair_pass(p, 500);
    assert_int_equal(p->later_taken, 3);
    pair_publish_later(p, 0);
    pair_pass(p, (int64_t)2 * DEFERRED_EVERY_MS);
    assert_false(p->up.deferred.by_hand);
    pair_publish(p, 1);
    pair_publish_later(p, 1);
    pair_pass(p, (int64_t)2 * DEFERRED_EVERY_MS);
    assert_int_equal(p->later_taken, 3);
    pair_end(p);
}

TEST(deferred__is_copied_at_once_by_a_device_that_has_none_of_it)
{
    struct pair *p = pair_begin();
    static const struct uuid none;
    uplink_set_feed(&p->up, STR(FEED_DEFERRED), &none, 0, &p->row_hash[0]);
    pair_publish(p, 100);
    pair_publish_later(p, 100);
    pair_start(p);
    pair_pass(p, 3000);
    assert_int_equal(p->later_taken, 100);
    pair_end(p);
}

TEST(deferred__is_asked_for_again_when_the_asking_or_a_page_is_lost)
{
    static const enum message_kind kinds[] = {MESSAGE_FEED_ACK, MESSAGE_FEED};
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct pair *p = begin_pair(30);
        p->lose_kind = kinds[i];
        p->lose = 2;
        uplink_set_deferred(&p->up, true, p->now, &p->up_steps);
        pair_pass(p, (int64_t)3 * DEFERRED_AGAIN_MS);
        assert_true(p->later_taken >= 30);
        assert_int_equal(p->up.feeds[2].stored, 30);
        assert_true(p->up.deferred.ask_ms > p->now.mono_ms + DEFERRED_AGAIN_MS);
        pair_end(p);
    }
}

TEST(deferred__begins_afresh_where_the_upstream_does_not_know_the_copy)
{
    struct uuid ids[] = {sample_id(6, 9), sample_id(6, 3)}; // another feed, another history of it
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        struct pair *p = pair_begin();
        uplink_set_feed(&p->up, STR(FEED_DEFERRED), &ids[i], 7, &p->row_hash[0]);
        pair_publish(p, 20);
        pair_publish_later(p, 20);
        pair_start(p);
        uplink_set_deferred(&p->up, true, p->now, &p->up_steps);
        pair_pass(p, 2000);
        assert_int_equal(p->up.feeds[2].stored, 20);
        assert_int_equal(p->later_taken, 20);
        pair_end(p);
    }
}

// 500 KB of settings on a link of 64 kbit/s: a row of the place is there within what one page of
// them takes, and what is sold goes up as if they were not there.
TEST(deferred__delays_nothing_that_is_urgent)
{
    struct pair *p = begin_pair(500);
    p->bytes_per_s = 8000;
    uint64_t rows = p->rows_taken;
    uplink_set_deferred(&p->up, true, p->now, &p->up_steps);
    pair_pass(p, 20 * 1000);
    assert_in_range(p->later_taken, 20, 450); // it is under way
    for (int i = 0; i < 10; i++) {
        pair_publish(p, 1);
        pair_sell(p, 1);
        pair_pass(p, 1500);
        assert_int_equal(p->rows_taken, ++rows);
        assert_true(pair_agree(p));
    }
    pair_end(p);
}

TEST(deferred__waits_until_the_place_has_all_of_its_own)
{
    struct pair *p = begin_pair(100);
    p->bytes_per_s = 16000;
    pair_publish(p, 450); // more than may be under way
    uplink_set_deferred(&p->up, true, p->now, &p->up_steps);
    for (int i = 0; i < 600 && p->rows_taken < 550; i++) {
        pair_pass(p, 100);
        assert_int_equal(p->later_taken, 0);
    }
    assert_int_equal(p->rows_taken, 550);
    pair_pass(p, 20 * 1000);
    assert_int_equal(p->later_taken, 100);
    pair_end(p);
}
