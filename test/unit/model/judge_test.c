// SPDX-License-Identifier: Apache-2.0
#include "model/judge.h"

#include "model/event_type.h"
#include "test/unit/unit.h"

#define HOUR INT64_C(3600000)
#define NOW  INT64_C(1760000000000)

static struct verdict verdict;

// Of an event of this type, written so long before it came (below zero: in the future).
static bool judged(const char *type, int64_t waited_ms, bool without_right, int id_version)
{
    struct judge_view view = {.now_ms = NOW,
                              .pending_ms = 72 * HOUR,
                              .skew_limit_ms = LIMIT_CLOCK_SKEW_MS,
                              .without_right = without_right,
                              .term = 3};
    struct event event = {.type = event_type_find(str_of(type)),
                          .hlc = (hlc)(NOW - waited_ms) << 16 | 7};
    event.id.b[6] = (uint8_t)(id_version << 4);
    return judge_arrival(&event, &view, &verdict);
}

static void is(enum verdict_outcome outcome, enum verdict_reason reason, int64_t effective_ms)
{
    assert_int_equal(verdict.outcome, outcome);
    assert_int_equal(verdict.reason, reason);
    assert_int_equal(verdict.term, 3);
    assert_int_equal(verdict.effective, effective_ms ? (hlc)effective_ms << 16 | 7 : 0);
}

TEST(judge__says_nothing_of_what_came_in_time)
{
    assert_false(judged("line_added", 0, false, 7));
    assert_false(judged("order_set", 72 * HOUR, false, 7));
    assert_false(judged("order_set", -LIMIT_CLOCK_SKEW_MS, false, 7));
}

TEST(judge__applies_late_facts_and_holds_late_intents)
{
    assert_true(judged("line_added", 72 * HOUR + 1, false, 7));
    is(JUDGED_APPLIED, REASON_LATE, 0);
    assert_true(judged("order_set", 72 * HOUR + 1, false, 7));
    is(JUDGED_HELD, REASON_LATE, 0);
}

TEST(judge__gives_what_comes_from_the_future_the_time_of_its_coming)
{
    assert_true(judged("order_set", -LIMIT_CLOCK_SKEW_MS - 1, false, 7));
    is(JUDGED_APPLIED, REASON_CLOCK, NOW);
    assert_true(judged("line_added", -24 * HOUR, false, 7));
    is(JUDGED_APPLIED, REASON_CLOCK, NOW);
}

TEST(judge__holds_intents_without_the_right_and_applies_facts)
{
    assert_true(judged("line_added", 0, true, 7));
    is(JUDGED_APPLIED, REASON_UNAUTHORISED, 0);
    assert_true(judged("order_set", 0, true, 7));
    is(JUDGED_HELD, REASON_UNAUTHORISED, 0);
    assert_true(judged("order_set", -24 * HOUR, true, 7)); // and its clock is clamped all the same
    is(JUDGED_HELD, REASON_UNAUTHORISED, NOW);
}

TEST(judge__holds_a_price_that_is_the_head_offices)
{
    static const struct {
        bool outranked, without_right;
        int64_t waited_ms;
        enum verdict_reason reason;
    } cases[] = {
        {false, false, 0, REASON_NONE},
        {true, false, 0, REASON_OUTRANKED},
        {true, false, 73 * HOUR, REASON_OUTRANKED},
        {true, true, 0, REASON_UNAUTHORISED},
        {false, true, 0, REASON_UNAUTHORISED},
        {false, false, 73 * HOUR, REASON_LATE},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct judge_view view = {.now_ms = NOW,
                                  .pending_ms = 72 * HOUR,
                                  .skew_limit_ms = LIMIT_CLOCK_SKEW_MS,
                                  .without_right = cases[i].without_right,
                                  .outranked = cases[i].outranked,
                                  .term = 3};
        struct event event = {.type = event_type_find(STR("price_set")),
                              .hlc = (hlc)(NOW - cases[i].waited_ms) << 16};
        event.id.b[6] = 7 << 4;
        bool said = judge_arrival(&event, &view, &verdict);
        assert_int_equal(said, cases[i].reason != REASON_NONE);
        is(said ? JUDGED_HELD : JUDGED_APPLIED, cases[i].reason, 0);
    }
}

TEST(judge__looks_at_no_id)
{
    static const int versions[] = {4, 7, 8};
    for (size_t i = 0; i < COUNT_OF(versions); i++) {
        assert_true(judged("order_set", 72 * HOUR + 1, false, versions[i]));
        is(JUDGED_HELD, REASON_LATE, 0);
        assert_true(judged("order_set", -LIMIT_CLOCK_SKEW_MS - 1, false, versions[i]));
        is(JUDGED_APPLIED, REASON_CLOCK, NOW);
        assert_false(judged("order_set", 72 * HOUR, false, versions[i]));
    }
}
