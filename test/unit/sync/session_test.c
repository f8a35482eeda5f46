// SPDX-License-Identifier: Apache-2.0
// Conversations of both ends.
#include "test/unit/sync/pair.h"
#include "test/unit/unit.h"

#include <stdlib.h>
#include <string.h>

static void settles(struct pair *p)
{
    for (int i = 0; i < 600 && !pair_agree(p); i++) {
        pair_pass(p, 100);
    }
    if (!pair_agree(p)) {
        fail_msg("not settled: %.600s", p->trace);
    }
}

// ---- a session begins ------------------------------------------------------------------------

TEST(uplink__pulls_before_it_pushes)
{
    struct pair *p = pair_begin();
    pair_publish(p, 3);
    pair_sell(p, 2);
    pair_start(p);
    pair_pass(p, 300);
    assert_int_equal(strncmp(p->trace, "<challenge >hello <welcome <feed <feed >feed_ack", 40), 0);
    const char *push = strstr(p->trace, ">push");
    assert_non_null(push);
    assert_true(push > strstr(p->trace, ">feed_ack"));
    assert_int_equal(p->rows_taken, 3);
    settles(p);
    pair_end(p);
}

TEST(uplink__pushes_after_256_kib_of_a_long_feed)
{
    struct pair *p = pair_begin();
    pair_publish(p, 500); // half a MiB
    pair_start(p);
    for (int i = 0; i < 1000 && pair_said(p, ">push") == 0; i++) {
        pair_pass(p, 10);
    }
    assert_in_range(p->rows_taken, 200, 300);
    settles(p);
    pair_pass(p, 2000);
    assert_int_equal(p->rows_taken, 500);
    pair_end(p);
}

TEST(uplink__pushes_after_two_seconds_of_a_feed_that_does_not_come)
{
    struct pair *p = pair_begin();
    pair_publish(p, 3);
    p->lose_kind = MESSAGE_FEED;
    p->lose = 1000;
    pair_start(p);
    pair_pass(p, 1900);
    assert_int_equal(pair_said(p, ">push"), 0);
    pair_pass(p, 300);
    assert_int_equal(pair_said(p, ">push"), 1);
    p->lose = 0;
    settles(p);
    pair_pass(p, 5000);
    assert_int_equal(p->rows_taken, 3);
    pair_end(p);
}

TEST(uplink__sends_a_sale_within_one_round_trip)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    pair_forget(p);
    pair_sell(p, 1);
    pair_pass(p, 50);
    assert_true(pair_agree(p));
    assert_int_equal(strncmp(p->trace, ">push <ack <feed", 16), 0);
    pair_end(p);
}

TEST(uplink__learns_the_clock_of_its_upstream)
{
    struct pair *p = pair_begin();
    uplink_start(&p->up, p->now, &p->up_steps);
    uplink_tick(&p->up, p->now, &p->up_steps);
    steps_reset(&p->up_steps);
    uplink_connected(&p->up, p->now, &p->up_steps);
    struct message m = sample()->messages[MESSAGE_CHALLENGE];
    uplink_message(&p->up, sample_text(&m), p->now, &p->up_steps);
    steps_reset(&p->up_steps);
    p->now.mono_ms += 100; // the way there and back
    p->now.wall_ms += 100;
    m = (struct message){.kind = MESSAGE_WELCOME};
    m.welcome.clock = p->now.wall_ms - 50 + 7000;
    uplink_message(&p->up, sample_text(&m), p->now, &p->up_steps);
    assert_int_equal(p->up_steps.items[0].kind, STEP_CLOCK);
    assert_int_equal(p->up_steps.items[0].number, 7000);
    pair_end(p);
}

TEST(uplink__waits_with_its_backlog_for_the_jitter_but_not_with_a_sale)
{
    struct pair *p = pair_begin();
    pair_sell(p, 150);
    p->jitter_ms = 3000;
    pair_start(p);
    pair_new_run(p); // a sale of now goes out at once
    pair_pass(p, 1000);
    assert_int_equal(p->held[0].count, 0);
    assert_int_equal(p->held[1].count, 1);
    settles(p);
    assert_int_equal(p->held[0].count, 151);
    pair_end(p);
}

TEST(uplink__waits_a_minute_where_a_longer_jitter_is_asked_for)
{
    struct pair *p = pair_begin();
    pair_sell(p, 150);
    p->jitter_ms = 600000;
    pair_start(p);
    pair_pass(p, 59000);
    assert_int_equal(p->held[0].count, 0);
    pair_pass(p, 2000);
    assert_true(pair_agree(p));
    pair_end(p);
}

// ---- what goes wrong on the way --------------------------------------------------------------

static void survives_loss(enum message_kind kind, int count)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    p->lose_kind = kind;
    p->lose = count;
    pair_sell(p, 3);
    pair_pass(p, 20);
    pair_sell(p, 3);
    settles(p);
    assert_int_equal(p->held[0].count, 7);
    pair_end(p);
}

TEST(uplink__sends_again_after_a_lost_push)
{
    survives_loss(MESSAGE_PUSH, 1);
    survives_loss(MESSAGE_PUSH, 3);
}

TEST(uplink__sends_again_after_a_lost_ack)
{
    survives_loss(MESSAGE_ACK, 1);
    survives_loss(MESSAGE_ACK, 3);
}

TEST(uplink__asks_again_after_a_lost_probe)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    p->lose_kind = MESSAGE_PUSH;
    p->lose = 1;
    pair_sell(p, 1);
    pair_pass(p, 900);
    assert_int_equal(pair_said(p, ">probe"), 0);
    p->lose_kind = MESSAGE_PROBE;
    p->lose = 1;
    settles(p);
    assert_int_equal(pair_said(p, ">probe"), 2);
    assert_int_equal(p->connects, 1);
    pair_end(p);
}

TEST(uplink__finds_a_lost_push_within_a_second)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    p->lose_kind = MESSAGE_PUSH;
    p->lose = 1;
    pair_sell(p, 1);
    pair_pass(p, 1300);
    assert_true(pair_agree(p));
    assert_int_equal(p->connects, 1);
    pair_end(p);
}

TEST(uplink__finds_out_exactly_what_credit_a_lost_push_took)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    for (int i = 0; i < 12; i++) {
        p->slow_store = true;
        pair_sell(p, 1);
        pair_pass(p, 50); // stands before the store
        p->lose_kind = MESSAGE_PUSH;
        p->lose = 1;
        pair_forget(p);
        pair_sell(p, 1);
        for (int t = 0; t < 1000 && pair_said(p, ">probe") == 0; t++) {
            pair_pass(p, 10);
        }
        pair_sell(p, 1); // while the probe waits for the store
        pair_pass(p, 50);
        while (p->waiting_pushes) {
            pair_store(p);
        }
        p->slow_store = false;
        settles(p);
    }
    assert_int_equal(p->connects, 1);
    assert_int_equal(p->up.sent.events, p->down.received.events);
    assert_int_equal(p->up.sent.bytes, p->down.received.bytes);
    pair_end(p);
}

TEST(uplink__gets_back_the_credit_that_gaps_took)
{
    struct pair *p = pair_begin();
    p->window_events = 20;
    pair_start(p);
    settles(p);
    for (int i = 0; i < 15; i++) {
        p->lose_kind = MESSAGE_PUSH;
        p->lose = 1;
        pair_sell(p, 5); // one is lost, the next one finds the gap
        settles(p);
    }
    pair_sell(p, 20);
    pair_pass(p, 2000);
    assert_true(pair_agree(p));
    assert_int_equal(p->connects, 1);
    pair_end(p);
}

TEST(downlink__keeps_evidence_of_a_damaged_push_and_closes)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    p->flip_kind = MESSAGE_PUSH;
    p->flip = 1;
    pair_sell(p, 1);
    settles(p);
    assert_int_equal(p->evidence, 1);
    assert_int_equal(pair_said(p, "<error"), 1);
    assert_int_equal(p->connects, 2);
    pair_end(p);
}

TEST(uplink__drops_the_link_on_a_damaged_ack)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    p->flip_kind = MESSAGE_ACK;
    p->flip = 1;
    pair_sell(p, 1);
    settles(p);
    assert_int_equal(p->connects, 2);
    assert_int_equal(p->held[0].count, 2);
    pair_end(p);
}

TEST(uplink__goes_on_where_it_was_cut)
{
    struct pair *p = pair_begin();
    pair_sell(p, 900);
    pair_start(p);
    for (int i = 0; i < 60; i++) {
        pair_pass(p, 10 + 7 * i);
        pair_cut(p);
    }
    settles(p);
    assert_int_equal(p->held[0].count, 901);
    pair_end(p);
}

TEST(uplink__connects_within_a_second_of_the_links_return)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    p->reachable = false;
    pair_cut(p);
    pair_sell(p, 1);
    pair_pass(p, 20000);
    p->reachable = true;
    pair_pass(p, 1500); // an attempt that is under way times out first
    assert_true(pair_agree(p));
    pair_end(p);
}

TEST(uplink__waits_for_a_slow_link_now_and_then)
{
    struct uplink_config config = {.seed = 1};
    struct uplink uplink;
    struct steps steps;
    steps_init(&steps);
    uplink_init(&uplink, &config);
    struct moment now = {.mono_ms = 1000};
    int64_t longest = 0;
    int64_t asked_ms = 0;
    uplink_start(&uplink, now, &steps);
    for (int i = 0; i < 6; i++) { // nobody answers: each attempt ends by its own patience
        now.mono_ms = uplink_deadline(&uplink);
        uplink_tick(&uplink, now, &steps);
        bool connects = steps.count && steps.items[steps.count - 1].kind == STEP_CONNECT;
        asked_ms = connects ? now.mono_ms : asked_ms;
        if (!connects && now.mono_ms - asked_ms > longest)
            longest = now.mono_ms - asked_ms;
        steps_reset(&steps);
    }
    assert_true(longest >= CONNECT_PATIENT_MS);
    uplink_fini(&uplink);
    steps_fini(&steps);
}

TEST(uplink__drops_a_link_that_is_silent)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    p->lose_kind = MESSAGE_BEAT; // both ways: nothing is said at all
    p->lose = 1000;
    pair_pass(p, 26000);
    assert_string_equal(p->closed, "the upstream does not answer");
    pair_end(p);
}

TEST(uplink__beats_every_ten_seconds)
{
    struct pair *p = pair_begin();
    pair_start(p);
    pair_pass(p, 60500);
    assert_int_equal(pair_said(p, ">beat"), 6);
    assert_int_equal(pair_said(p, "<beat"), 6);
    assert_int_equal(p->reports, 6);
    assert_int_equal(p->connects, 1);
    pair_end(p);
}

// ---- credit ----------------------------------------------------------------------------------

TEST(uplink__stays_within_its_credit)
{
    struct pair *p = pair_begin();
    p->window_events = 10;
    p->slow_store = true;
    pair_sell(p, 99);
    pair_start(p);
    pair_pass(p, 500);
    size_t events = 0;
    for (size_t i = 0; i < p->up.push_count; i++) {
        events += p->up.pushes[i].events;
    }
    assert_int_equal(events, 10);
    while (p->waiting_pushes) {
        pair_store(p);
        pair_pass(p, 50);
        assert_true(p->up.sent.events <= p->up.allowed.events);
    }
    settles(p);
    pair_end(p);
}

TEST(uplink__sends_an_event_larger_than_its_credit)
{
    struct pair *p = pair_begin();
    p->window_bytes = 1; // made as large as one event
    pair_start(p);
    settles(p);
    pair_sell_large(p, 200 * 1024);
    pair_sell_large(p, 200 * 1024);
    pair_sell_large(p, 200 * 1024);
    settles(p);
    assert_int_equal(p->connects, 1);
    pair_end(p);
}

TEST(downlink__closes_on_a_device_that_ignores_its_credit)
{
    struct pair *p = pair_begin();
    p->window_events = 10;
    p->slow_store = true;
    pair_start(p);
    pair_pass(p, 100);
    p->up.allowed.events = 100000;
    pair_sell(p, 60);
    pair_pass(p, 500);
    assert_int_equal(pair_said(p, "<error"), 1);
    assert_in_range(p->waiting_pushes, 0, 10); // of the next session
    pair_end(p);
}

TEST(uplink__pauses_while_the_store_is_busy)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    p->failing_store = true;
    pair_forget(p);
    pair_sell(p, 1);
    pair_pass(p, 5000);
    assert_in_range(pair_said(p, "<busy"), 2, 8);
    assert_int_equal(pair_said(p, ">push"), pair_said(p, "<busy"));
    p->failing_store = false;
    settles(p);
    assert_int_equal(p->connects, 1);
    pair_end(p);
}

TEST(uplink__waits_as_long_as_a_busy_upstream_asks_for)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    struct message m = {.kind = MESSAGE_BUSY, .busy_ms = 5000};
    pair_say(p, TO_DEVICE, &m);
    pair_pass(p, 50);
    pair_sell(p, 1);
    pair_forget(p);
    pair_pass(p, 4500);
    assert_int_equal(pair_said(p, ">push"), 0);
    pair_pass(p, 1000);
    assert_int_equal(pair_said(p, ">push"), 1);
    pair_end(p);
}

TEST(uplink__honours_busy_over_a_lost_link)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    struct message m = {.kind = MESSAGE_BUSY, .busy_ms = 20000};
    pair_say(p, TO_DEVICE, &m);
    pair_pass(p, 50);
    pair_cut(p);
    pair_pass(p, 9000);
    assert_int_equal(p->connects, 1);
    pair_pass(p, 15000);
    assert_int_equal(p->connects, 2);
    pair_end(p);
}

TEST(uplink__forgets_a_busy_that_is_over)
{
    struct pair *p = pair_begin();
    pair_start(p);
    struct message m = {.kind = MESSAGE_BUSY, .busy_ms = 20000};
    pair_say(p, TO_DEVICE, &m);
    pair_pass(p, 30000);
    pair_cut(p);
    pair_pass(p, 1000);
    assert_int_equal(p->connects, 2);
    pair_end(p);
}

TEST(downlink__answers_a_probe_when_all_before_it_is_stored)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    p->slow_store = true;
    pair_sell(p, 1);
    pair_pass(p, 1500);
    assert_true(pair_said(p, ">probe") >= 1);
    pair_forget(p);
    pair_store(p);
    assert_string_equal(p->trace, "<ack <ack <feed");
    pair_end(p);
}

TEST(uplink__widens_its_window_on_a_fast_link_and_narrows_it_on_a_slow_one)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    pair_sell(p, 1000);
    settles(p);
    size_t wide = p->up.window_bytes;
    assert_true(wide > WINDOW_MIN_BYTES);
    p->bytes_per_s = 4000;
    pair_sell(p, 200);
    settles(p);
    assert_true(p->up.window_bytes < wide);
    assert_int_equal(p->connects, 1);
    pair_end(p);
}

// ---- who is there ----------------------------------------------------------------------------

TEST(downlink__refuses_a_replayed_hello)
{
    struct pair *p = pair_begin();
    pair_start(p);
    struct downlink other;
    struct steps out;
    struct downlink_config config = {sample()->chain, 500, LIMIT_BATCH_BYTES, false};
    uint8_t nonce[CHALLENGE_SIZE] = {1}; // of another session
    steps_init(&out);
    downlink_init(&other, &config);
    downlink_opened(&other, nonce, 0, SAMPLE_NOW, &out);
    downlink_message(&other, sample_text(&sample()->messages[MESSAGE_HELLO]), 0, &out);
    struct downlink_identity id = {.key = sample()->key.public_key, .location = STR("Hamra")};
    steps_reset(&out);
    downlink_identified(&other, &id, &out);
    assert_false(downlink_is_live(&other));
    assert_int_equal(out.items[1].kind, STEP_CLOSE);
    assert_non_null(memmem(out.items[0].text.p, out.items[0].text.n, "UNAUTHENTICATED", 15));
    downlink_fini(&other);
    steps_fini(&out);
    pair_end(p);
}

TEST(uplink__reports_a_final_refusal_and_tries_rarely)
{
    struct pair *p = pair_begin();
    p->unknown = true;
    uplink_start(&p->up, p->now, &p->up_steps);
    pair_pass(p, 12000);
    assert_string_equal(p->refused, "the device is not enrolled");
    assert_int_equal(p->connects, 1);
    pair_pass(p, 60000);
    assert_in_range(p->connects, 2, 6);
    pair_end(p);
}

TEST(uplink__tries_rarely_after_a_final_error_in_a_live_session)
{
    struct pair *p = pair_begin();
    pair_start(p);
    struct message m = {.kind = MESSAGE_ERROR};
    m.error = (struct message_error){STR("DENIED"), STR("revoked"), true};
    pair_say(p, TO_DEVICE, &m);
    pair_pass(p, 10000);
    assert_string_equal(p->refused, "revoked");
    assert_int_equal(p->connects, 1);
    pair_end(p);
}

// ---- a device that was revoked ---------------------------------------------------------------

TEST(downlink__a_revoked_device_delivers_all_it_has_and_is_fed_nothing)
{
    struct pair *p = pair_begin();
    p->revoked = true;
    pair_publish(p, 5);
    pair_sell(p, 700);
    pair_start(p);
    settles(p);
    pair_publish(p, 5);
    pair_sell(p, 1);
    settles(p);
    pair_pass(p, 60000);
    assert_int_equal(pair_said(p, "<feed"), 0);
    assert_int_equal(pair_said(p, ">feed_ack"), 0); // and it asks for nothing
    assert_int_equal(p->rows_taken + p->includes_taken, 0);
    assert_int_equal(p->feed_reads, 0);
    assert_int_equal(p->told_revoked, 1);
    assert_int_equal(p->connects, 1);
    pair_end(p);
}

TEST(uplink__forgets_what_a_revoked_device_has_settled_and_remembers_when_it_is_taken_back)
{
    struct pair *p = pair_begin();
    p->revoked = true;
    pair_sell(p, 3);
    pair_start(p);
    settles(p);
    pair_new_run(p);
    p->up.config.origin = p->runs[1].origin;
    pair_sell(p, 2);
    settles(p);
    assert_int_equal(p->up.outbox.count, 1); // of the current run; nothing waits for includes
    pair_cut(p);
    pair_pass(p, 5000);
    assert_int_equal(p->told_revoked_count, 2); // again: the first may not be durable
    p->revoked = false;
    pair_cut(p);
    pair_pass(p, 5000);
    assert_int_equal(p->told_revoked, 0);
    assert_int_equal(p->told_revoked_count, 3);
    assert_true(outbox_wants_refill(&p->up.outbox)); // the journal knows what no feed included yet
    pair_publish(p, 1);
    pair_pass(p, 5000);
    assert_int_equal(p->rows_taken, 1);
    pair_end(p);
}

// ---- histories that differ -------------------------------------------------------------------

TEST(uplink__appends_a_forked_history_under_a_new_run)
{
    struct pair *p = pair_begin();
    pair_sell(p, 5);
    pair_start(p);
    settles(p);
    pair_cut(p);
    // The server holds two more events of this run: this till is a copy that was restored.
    struct pair_stream *held = &p->held[0];
    held->events[held->count] = STR("{}");
    held->chain[held->count + 1] = hash_chain(&held->chain[held->count], STR("{}"));
    held->count++;
    held->settled++;
    pair_sell(p, 2); // and sells on under the same run
    for (int i = 0; i < 100 && p->rehomed == 0; i++) {
        pair_pass(p, 100);
    }
    assert_int_equal(p->rehomed, 1);
    pair_pass(p, 1000);
    assert_int_equal(p->held[1].count, p->own[1].count);
    assert_true(p->own[1].count >= 2);
    pair_end(p);
}

TEST(uplink__hands_over_to_a_hub_that_knows_less)
{
    struct pair *p = pair_begin();
    pair_sell(p, 9);
    pair_start(p);
    settles(p);
    pair_cut(p);
    p->held[0].count = p->held[0].settled = 4; // another hub, or one restored
    pair_sell(p, 1);
    settles(p);
    assert_int_equal(p->held[0].count, 11);
    pair_end(p);
}

TEST(uplink__keeps_a_stream_until_its_include_came)
{
    struct pair *p = pair_begin();
    p->no_includes = true;
    pair_start(p);
    settles(p);
    pair_new_run(p);
    settles(p);
    struct stream_key first = {p->runs[0].origin, LANE_CRITICAL};
    assert_non_null(outbox_find(&p->up.outbox, &first));
    p->no_includes = false;
    pair_publish(p, 1);
    pair_pass(p, 200);
    assert_null(outbox_find(&p->up.outbox, &first));
    pair_end(p);
}

// ---- feeds -----------------------------------------------------------------------------------

TEST(downlink__sends_rows_as_soon_as_the_feed_moves)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    pair_forget(p);
    pair_publish(p, 2);
    pair_pass(p, 50);
    assert_int_equal(p->rows_taken, 2);
    assert_int_equal(strncmp(p->trace, "<feed >feed_ack", 15), 0);
    pair_end(p);
}

TEST(downlink__includes_a_stream_once_it_is_stored)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    pair_pass(p, 200);
    uint64_t before = p->includes_taken;
    pair_sell(p, 1);
    pair_pass(p, 200);
    assert_int_equal(p->includes_taken, before + 1);
    pair_pass(p, 5000);
    assert_int_equal(p->includes_taken, before + 1);
    pair_end(p);
}

TEST(uplink__asks_for_includes_that_were_lost)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    pair_pass(p, 200);
    uint64_t before = p->includes_taken;
    p->lose_kind = MESSAGE_FEED; // without rows, its loss leaves no gap
    p->lose = 1;
    pair_sell(p, 1);
    pair_pass(p, 1000);
    assert_int_equal(p->includes_taken, before);
    pair_pass(p, 3000);
    assert_int_equal(p->includes_taken, before + 1);
    assert_int_equal(p->connects, 1);
    pair_end(p);
}

TEST(downlink__sends_a_lost_page_again)
{
    struct pair *p = pair_begin();
    pair_start(p);
    settles(p);
    p->lose_kind = MESSAGE_FEED;
    p->lose = 1;
    pair_publish(p, 1);
    pair_pass(p, 1000);
    assert_int_equal(p->rows_taken, 0);
    pair_pass(p, 3000);
    assert_int_equal(p->rows_taken, 1);
    p->lose_kind = MESSAGE_FEED_ACK;
    p->lose = 1;
    pair_publish(p, 1);
    pair_pass(p, 10000);
    assert_int_equal(p->down.feeds[0].acked, 2);
    assert_int_equal(p->connects, 1);
    pair_end(p);
}

TEST(downlink__does_not_flood_a_slow_link)
{
    struct pair *p = pair_begin();
    p->bytes_per_s = 8000;
    pair_publish(p, 500); // half a MiB: a good minute
    pair_start(p);
    for (int i = 0; i < 1000 && p->rows_taken < 500; i++) {
        pair_pass(p, 100);
    }
    assert_int_equal(p->rows_taken, 500);
    assert_in_range(pair_said(p, "<feed"), 16, 40);
    assert_int_equal(p->connects, 1);
    pair_end(p);
}

TEST(downlink__goes_on_with_a_feed_where_the_device_stands)
{
    struct pair *p = pair_begin();
    pair_publish(p, 10);
    pair_start(p);
    pair_pass(p, 500);
    assert_int_equal(p->rows_taken, 10);
    pair_publish(p, 1);
    pair_pass(p, 100);
    pair_cut(p);
    pair_publish(p, 3);
    pair_pass(p, 2000);
    assert_int_equal(p->rows_taken, 14);
    pair_end(p);
}

TEST(downlink__begins_afresh_after_a_change_of_feed)
{
    struct pair *p = pair_begin();
    pair_publish(p, 10);
    pair_start(p);
    pair_pass(p, 500);
    pair_cut(p);
    p->feed = sample_id(6, 9); // the centre was restored
    pair_pass(p, 2000);
    assert_int_equal(p->rows_taken, 20);
    struct uuid wanted = sample_id(6, 9);
    assert_true(uuid_equal(&p->own_feed, &wanted));
    assert_int_equal(p->own_position, 10);
    pair_end(p);
}

TEST(downlink__completes_a_fresh_copy_that_was_cut)
{
    struct pair *p = pair_begin();
    pair_publish(p, 100); // four pages
    p->bytes_per_s = 100000;
    pair_start(p);
    for (int i = 0; i < 100 && p->rows_taken == 0; i++) {
        pair_pass(p, 10);
    }
    assert_in_range(p->rows_taken, 1, 99);
    pair_cut(p);
    pair_pass(p, 2000);
    assert_int_equal(p->own_position, 100);
    assert_false(p->down.feeds[0].partial);
    pair_end(p);
}
