// SPDX-License-Identifier: Apache-2.0
#include "sync/outbox.h"
#include "test/unit/sync/sample.h"
#include "test/unit/unit.h"

#include <string.h>

static struct outbox outbox;
static struct certificate certificate;

static struct stream_key key_of(uint32_t n, enum lane lane)
{
    return (struct stream_key){sample_id(4, n), lane};
}

static struct mark mark_at(uint64_t seq)
{
    return (struct mark){seq, {{(uint8_t)seq, 1}}};
}

static struct outbox_stream *commit(uint32_t n, enum lane lane, uint64_t seq)
{
    struct outbox_head head = {key_of(n, lane), certificate, mark_at(seq), false};
    assert_int_equal(outbox_committed(&outbox, &head), ERR_OK);
    return outbox_find(&outbox, &head.key);
}

static enum outbox_news tell(struct outbox_stream *s, uint64_t held, uint64_t settled, int64_t now)
{
    struct message_mark mark = {.key = s->key, .held = mark_at(held), .settled = settled};
    return outbox_told(s, &mark, now);
}

static void begin(void)
{
    outbox_fini(&outbox);
}

// ---- marks -----------------------------------------------------------------------------------

TEST(outbox__moves_a_head_up_and_never_down)
{
    begin();
    struct outbox_stream *s = commit(1, LANE_CRITICAL, 3);
    assert_int_equal(s->head.seq, 3);
    assert_int_equal(commit(1, LANE_CRITICAL, 2)->head.seq, 3);
    assert_int_equal(commit(1, LANE_CRITICAL, 5)->head.seq, 5);
    assert_int_equal(outbox.count, 1);
    assert_int_equal(commit(1, LANE_NORMAL, 1)->head.seq, 1);
    assert_int_equal(outbox.count, 2);
    struct stream_key other = key_of(2, LANE_CRITICAL);
    assert_null(outbox_find(&outbox, &other));
}

TEST(outbox__hears_what_is_held_and_settled)
{
    begin();
    struct outbox_stream *s = commit(1, LANE_CRITICAL, 10);
    assert_int_equal(tell(s, 4, 0, 100), OUTBOX_UP);
    assert_int_equal(s->held.seq, 4);
    assert_int_equal(s->settled, 0);
    assert_int_equal(s->held_since_ms, 100);
    assert_int_equal(tell(s, 4, 0, 200), OUTBOX_SAME);
    assert_int_equal(s->held_since_ms, 100);
    assert_int_equal(tell(s, 4, 2, 300), OUTBOX_UP);
    assert_int_equal(s->held_since_ms, 300);
    assert_int_equal(tell(s, 4, 4, 400), OUTBOX_UP);
    assert_int_equal(s->held_since_ms, 0);
    assert_int_equal(s->settled, 4);
}

TEST(outbox__goes_back_when_the_upstream_lost_something)
{
    begin();
    struct outbox_stream *s = commit(1, LANE_CRITICAL, 10);
    (void)tell(s, 8, 8, 100);
    s->sent = mark_at(10);
    assert_int_equal(tell(s, 3, 3, 200), OUTBOX_DOWN);
    assert_int_equal(s->held.seq, 3);
    assert_int_equal(s->settled, 3);
    assert_int_equal(s->sent.seq, 3);
    (void)tell(s, 8, 8, 300);
    assert_int_equal(tell(s, 8, 5, 400), OUTBOX_DOWN); // settled alone
    assert_int_equal(s->settled, 5);
}

TEST(outbox__sends_on_behind_what_the_upstream_holds)
{
    begin();
    struct outbox_stream *s = commit(1, LANE_CRITICAL, 10);
    s->sent = mark_at(2);
    (void)tell(s, 6, 6, 100);
    assert_int_equal(s->sent.seq, 6);
    s->sent = mark_at(9);
    (void)tell(s, 7, 7, 200);
    assert_int_equal(s->sent.seq, 9);
}

TEST(outbox__believes_no_more_than_its_own_head)
{
    begin();
    struct outbox_stream *s = commit(1, LANE_CRITICAL, 5); // restored from a backup
    assert_int_equal(tell(s, 9, 8, 100), OUTBOX_UP);
    assert_int_equal(s->held.seq, 5);
    assert_true(mark_equal(&s->held, &s->head));
    assert_int_equal(s->settled, 5);
    assert_int_equal(outbox_prunable(s, 9), 5);
    assert_null(outbox_next(&outbox, false));
}

TEST(outbox__prunes_what_is_settled_and_included_and_nothing_that_is_held)
{
    begin();
    struct outbox_stream *s = commit(1, LANE_CRITICAL, 10);
    (void)tell(s, 9, 6, 100);
    assert_int_equal(outbox_prunable(s, 9), 6);
    assert_int_equal(outbox_prunable(s, 4), 4);
}

TEST(outbox__rewinds_to_what_is_held)
{
    begin();
    struct outbox_stream *s = commit(1, LANE_CRITICAL, 10);
    (void)tell(s, 4, 4, 100);
    s->sent = mark_at(9);
    outbox_rewind(s);
    assert_true(mark_equal(&s->sent, &s->held));
}

// ---- what to send ----------------------------------------------------------------------------

TEST(outbox__sends_the_urgent_lane_first_then_the_oldest_stream)
{
    begin();
    (void)commit(1, LANE_DEFERRED, 1);
    (void)commit(1, LANE_NORMAL, 1);
    (void)commit(1, LANE_CRITICAL, 1);
    (void)commit(2, LANE_CRITICAL, 1);
    static const struct {
        uint32_t origin;
        enum lane lane;
    } order[] = {{1, LANE_CRITICAL}, {2, LANE_CRITICAL}, {1, LANE_NORMAL}, {1, LANE_DEFERRED}};
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        struct outbox_stream *s = outbox_next(&outbox, false);
        struct stream_key wanted = key_of(order[i].origin, order[i].lane);
        assert_non_null(s);
        assert_true(stream_key_equal(&s->key, &wanted));
        s->sent = s->head;
    }
    assert_null(outbox_next(&outbox, false));
}

// Own streams first, oldest first; then one carried stream after another, however much each has.
TEST(outbox__sends_carried_streams_by_turns_behind_its_own)
{
    begin();
    for (uint32_t n = 1; n <= 3; n++)
        commit(n, LANE_CRITICAL, 9)->carried = true;
    (void)commit(4, LANE_CRITICAL, 1);
    commit(5, LANE_NORMAL, 1)->carried = true;
    static const uint32_t order[] = {4, 1, 2, 3, 1, 2, 3, 1};
    for (size_t i = 0; i < COUNT_OF(order); i++) {
        struct outbox_stream *s = outbox_next(&outbox, false);
        struct stream_key wanted = key_of(order[i], LANE_CRITICAL);
        assert_non_null(s);
        assert_true(stream_key_equal(&s->key, &wanted));
        s->sent.seq++;
        outbox_had_turn(&outbox, s);
    }
    begin();
}

TEST(outbox__keeps_a_forked_stream_back)
{
    begin();
    struct outbox_stream *s = commit(1, LANE_CRITICAL, 1);
    s->forked = true;
    assert_null(outbox_next(&outbox, false));
}

TEST(outbox__holds_a_backlog_but_not_what_is_sold_now)
{
    begin();
    (void)commit(1, LANE_CRITICAL, 5);
    outbox_session_begin(&outbox);
    assert_non_null(outbox_next(&outbox, false));
    assert_null(outbox_next(&outbox, true));
    struct outbox_stream *fresh = commit(2, LANE_CRITICAL, 1);
    assert_ptr_equal(outbox_next(&outbox, true), fresh);
    struct stream_key old_key = key_of(1, LANE_CRITICAL);
    struct outbox_stream *old = outbox_find(&outbox, &old_key);
    (void)commit(1, LANE_CRITICAL, 6);
    old->sent = mark_at(5); // the backlog is out
    assert_ptr_equal(outbox_next(&outbox, true), old);
}

TEST(outbox__forgets_at_a_new_session_what_was_in_flight)
{
    begin();
    struct outbox_stream *s = commit(1, LANE_CRITICAL, 5);
    (void)tell(s, 2, 2, 100);
    s->sent = mark_at(5);
    outbox_session_begin(&outbox);
    assert_int_equal(s->sent.seq, 0);
    assert_int_equal(s->held.seq, 2);
    assert_int_equal(s->backlog, 5);
}

TEST(outbox__sends_again_what_was_held_too_long_without_settling)
{
    begin();
    struct outbox_stream *s = commit(1, LANE_CRITICAL, 10);
    (void)tell(s, 8, 3, 1000);
    s->sent = mark_at(10);
    assert_int_equal(outbox_resend_unsettled(&outbox, 30999, 30000), 0);
    assert_int_equal(s->sent.seq, 10);
    assert_int_equal(outbox_resend_unsettled(&outbox, 31000, 30000), 1);
    assert_int_equal(s->sent.seq, 3);
    assert_int_equal(outbox_resend_unsettled(&outbox, 31001, 30000), 0); // and not again at once
    (void)tell(s, 10, 10, 32000);
    assert_int_equal(outbox_resend_unsettled(&outbox, 99999, 30000), 0);
}

TEST(outbox__is_not_cut_short_by_an_ack_while_it_sends_again)
{
    begin();
    struct outbox_stream *s = commit(1, LANE_CRITICAL, 10);
    (void)tell(s, 8, 3, 1000);
    assert_int_equal(outbox_resend_unsettled(&outbox, 31000, 30000), 1);
    s->sent = mark_at(5); // 4 and 5 are out
    (void)tell(s, 8, 5, 31010);
    assert_int_equal(s->sent.seq, 5);
    assert_ptr_equal(outbox_next(&outbox, false), s);
}

// ---- the table -------------------------------------------------------------------------------

TEST(outbox__forgets_streams_that_are_settled_and_included)
{
    begin();
    struct uuid keep = sample_id(4, 4);
    for (uint32_t n = 1; n <= 4; n++) {
        (void)commit(n, LANE_CRITICAL, 5);
    }
    struct outbox_stream *s = outbox.streams;
    for (int i = 0; i < 4; i++) {
        (void)tell(&s[i], 5, 5, 1);
        s[i].included = 5;
    }
    s[0].included = 4;
    (void)tell(&s[1], 5, 4, 1);
    outbox_compact(&outbox, &keep);
    assert_int_equal(outbox.count, 3);
    struct stream_key gone = key_of(3, LANE_CRITICAL);
    assert_null(outbox_find(&outbox, &gone));
    struct stream_key kept = key_of(4, LANE_CRITICAL); // the current run
    assert_non_null(outbox_find(&outbox, &kept));
}

TEST(outbox__counts_what_is_pending_per_lane)
{
    begin();
    (void)tell(commit(1, LANE_CRITICAL, 10), 4, 4, 1);
    (void)commit(2, LANE_CRITICAL, 3);
    (void)commit(1, LANE_DEFERRED, 2);
    struct outbox_totals totals = outbox_count(&outbox);
    assert_int_equal(totals.pending[LANE_CRITICAL], 9);
    assert_int_equal(totals.pending[LANE_NORMAL], 0);
    assert_int_equal(totals.pending[LANE_DEFERRED], 2);
}

TEST(outbox__names_at_most_as_many_streams_as_a_hello)
{
    begin();
    for (uint32_t n = 0; n < LIMIT_STREAMS_HELLO; n++) {
        (void)commit(n, LANE_CRITICAL, 1);
    }
    struct outbox_head head = {key_of(LIMIT_STREAMS_HELLO, LANE_CRITICAL), certificate, mark_at(1),
                               false};
    assert_int_equal(outbox_committed(&outbox, &head), ERR_LIMIT);
    assert_int_equal(outbox.count, LIMIT_STREAMS_HELLO);
    begin();
}

TEST(outbox__takes_streams_that_waited_for_room)
{
    begin();
    for (uint32_t n = 0; n < LIMIT_STREAMS_HELLO; n++) {
        (void)commit(n, LANE_CRITICAL, 1);
    }
    struct outbox_stream waiting = {.key = key_of(5000, LANE_CRITICAL), .head = mark_at(9)};
    waiting.held = mark_at(4);
    waiting.settled = 3;
    waiting.included = 2;
    struct outbox_head head = {waiting.key, waiting.certificate, waiting.head, false};
    assert_int_equal(outbox_committed(&outbox, &head), ERR_LIMIT);
    assert_false(outbox_wants_refill(&outbox)); // no room yet
    for (size_t i = 0; i < LIMIT_STREAMS_HELLO / 2; i++) {
        struct outbox_stream *s = &outbox.streams[i];
        s->held = s->head;
        s->settled = s->included = s->head.seq;
    }
    outbox_compact(&outbox, &waiting.key.origin);
    assert_true(outbox_wants_refill(&outbox));
    outbox_refill(&outbox, &waiting, 1, false);
    assert_false(outbox_wants_refill(&outbox));
    struct outbox_stream *s = outbox_find(&outbox, &waiting.key);
    assert_non_null(s);
    assert_int_equal(s->sent.seq, 4);
    assert_int_equal(s->settled, 3);
    assert_int_equal(s->included, 2);
    s->sent = mark_at(7);
    outbox_refill(&outbox, &waiting, 1, true); // known: what is under way stays so
    assert_int_equal(s->sent.seq, 7);
    begin();
}

TEST(outbox__survives_a_failing_allocation)
{
    begin();
    struct outbox_head head = {key_of(1, LANE_CRITICAL), certificate, mark_at(1), false};
    unit_alloc_fail(0);
    assert_int_equal(outbox_committed(&outbox, &head), ERR_NO_MEMORY);
    assert_true(unit_alloc_end());
    assert_int_equal(outbox.count, 0);
}

TEST(outbox__keeps_what_is_offered_and_takes_a_page_whole_or_not_at_all)
{
    struct outbox o = {.streams = NULL};
    struct outbox_stream streams[2] = {{.key = {sample_id(4, 1), LANE_CRITICAL}},
                                       {.key = {sample_id(4, 2), LANE_CRITICAL}}};
    struct uuid keep = {{0}};
    for (size_t i = 0; i < 2; i++) {
        streams[i].head.seq = streams[i].held.seq = 5;
        streams[i].settled = streams[i].claimed = streams[i].included = 5;
    }
    assert_int_equal(outbox_offer(&o, streams, 2), ERR_OK);
    outbox_compact(&o, &keep);
    assert_int_equal(o.count, 2);
    assert_int_equal(o.streams[1].claimed, 5);
    o.streams[0].offered = false; // a welcome said what there is
    outbox_compact(&o, &keep);
    assert_int_equal(o.count, 1);
    for (uint32_t i = 10; o.count < LIMIT_STREAMS_HELLO - 1; i++) {
        struct outbox_stream other = {.key = {sample_id(4, i), LANE_CRITICAL}, .head = {.seq = 1}};
        outbox_refill(&o, &other, 1, false);
    }
    assert_false(outbox_has_room(&o));
    streams[1].key.origin = sample_id(4, 9);
    assert_int_equal(outbox_offer(&o, streams, 2), ERR_LIMIT);
    assert_int_equal(o.count, LIMIT_STREAMS_HELLO - 1);
    outbox_fini(&o);
}
