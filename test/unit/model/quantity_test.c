// SPDX-License-Identifier: Apache-2.0
#include "model/quantity.h"

#include "model/event_type.h"
#include "test/unit/unit.h"

enum { ONE = 10000, NOW = 100 };

// In whole units; who: 0 is the author. at: of the hybrid clock, the event's own being NOW.
struct moved {
    int who, at, delta;
};
struct example {
    const char *what;
    bool counted;
    int stock; // with everything in
    int shown, delta;
    struct moved moves[4]; // ends with delta 0
    enum verdict_reason reason;
    int expected, correction;
};

static const struct example examples[] = {
    {"100, counted 95: all is as it was shown", true, 95, 100, -5, {{0}}, REASON_NONE, 0, 0},
    {"and a sale of 5 that it could not have seen: 90, and 5 too few",
     true,
     90,
     100,
     -5,
     {{1, NOW - 10, -5}},
     REASON_OVERLAP,
     100,
     5},
    {"the sale came after the count", true, 90, 100, -5, {{1, NOW + 10, -5}}, REASON_NONE, 0, 0},
    {"goods that came before the count, and were counted",
     true,
     120,
     100,
     10,
     {{1, NOW - 10, 10}},
     REASON_OVERLAP,
     100,
     -10},
    {"the system shows 50, a branch sells 3 believing 48",
     false,
     47,
     48,
     -3,
     {{0}},
     REASON_DIFFERENCE,
     50,
     -2},
    {"believing 52, since it had not seen a sale of 2",
     false,
     47,
     52,
     -3,
     {{1, NOW - 10, -2}},
     REASON_NONE,
     0,
     0},
    {"nor that one of 1 which came later",
     false,
     46,
     52,
     -3,
     {{1, NOW - 10, -2}, {2, NOW + 10, -1}},
     REASON_NONE,
     0,
     0},
    {"a sale of its own before is in what it saw",
     false,
     45,
     48,
     -3,
     {{0, NOW - 10, -2}},
     REASON_NONE,
     0,
     0},
    {"one of its own after is not", false, 45, 50, -3, {{0, NOW + 10, -2}}, REASON_NONE, 0, 0},
    {"a sale counts nothing: it overlaps with none",
     false,
     42,
     50,
     -3,
     {{1, NOW - 10, -5}},
     REASON_NONE,
     0,
     0},
    {"moves that even out",
     true,
     95,
     100,
     -5,
     {{1, NOW - 9, -5}, {2, NOW - 8, 5}},
     REASON_NONE,
     0,
     0},
    {"a difference is asked about before an overlap",
     true,
     90,
     99,
     -5,
     {{1, NOW - 10, -5}},
     REASON_DIFFERENCE,
     100,
     -1},
};

static struct event_order order_of(int who, int at)
{
    struct event_order order = {.hlc = (hlc)at, .seq = (uint64_t)at};
    order.origin.b[0] = (uint8_t)who;
    return order;
}

TEST(quantity__holds_what_was_seen_against_what_could_be_seen)
{
    for (size_t i = 0; i < COUNT_OF(examples); i++) {
        const struct example *x = &examples[i];
        struct quantity_move moves[COUNT_OF(x->moves)];
        struct quantity_view view = {.stock = (int64_t)x->stock * ONE, .order = order_of(0, NOW)};
        struct quantity_claim claim = {.shown = (int64_t)x->shown * ONE,
                                       .delta = (int64_t)x->delta * ONE,
                                       .counted = x->counted};
        struct judgement judgement = {.held = 0};
        view.moves = moves;
        for (; view.count < COUNT_OF(moves) && x->moves[view.count].delta; view.count++) {
            const struct moved *from = &x->moves[view.count];
            moves[view.count] = (struct quantity_move){.order = order_of(from->who, from->at),
                                                       .delta = (int64_t)from->delta * ONE};
            moves[view.count].device.b[0] = (uint8_t)from->who;
        }
        (void)quantity_judge(&claim, &view, &judgement);
        if (judgement.verdict.reason != x->reason ||
            judgement.quantity.correction != (int64_t)x->correction * ONE ||
            judgement.quantity.expected != (int64_t)x->expected * ONE)
            fail_msg("%s: %s, expected %lld, correction %lld", x->what,
                     verdict_reason_name(judgement.verdict.reason),
                     (long long)judgement.quantity.expected,
                     (long long)judgement.quantity.correction);
    }
}

// Where it is not known what the author had not seen: only a count that differs is asked about.
TEST(quantity__asks_about_a_count_that_cannot_be_checked_only_if_it_differs)
{
    static const struct {
        bool counted;
        int stock, shown, delta;
        bool asks;
    } cases[] = {
        {true, 95, 100, -5, false}, {true, 90, 100, -5, true},  {true, 100, 0, 100, false},
        {true, 101, 0, 100, true},  {false, 47, 48, -3, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct quantity_view view = {.stock = (int64_t)cases[i].stock * ONE};
        struct quantity_claim claim = {.shown = (int64_t)cases[i].shown * ONE,
                                       .delta = (int64_t)cases[i].delta * ONE,
                                       .counted = cases[i].counted};
        struct judgement judgement = {.held = 0};
        assert_int_equal(quantity_judge_unseen(&claim, &view, &judgement), cases[i].asks);
        if (!cases[i].asks)
            continue;
        assert_int_equal(judgement.verdict.outcome, JUDGED_APPLIED);
        assert_int_equal(judgement.verdict.reason, REASON_UNCHECKED);
        assert_int_equal(judgement.quantity.shown, claim.shown);
        assert_int_equal(judgement.quantity.expected, view.stock - claim.delta);
        assert_int_equal(judgement.quantity.correction, 0);
    }
}

TEST(quantity__knows_the_event_itself_among_the_moves)
{
    struct quantity_move self = {order_of(0, NOW), {{0}}, -5 * ONE};
    struct quantity_view view = {
        .stock = 95 * ONE, .order = order_of(0, NOW), .moves = &self, .count = 1};
    struct quantity_claim claim = {.shown = 100 * ONE, .delta = -5 * ONE, .counted = true};
    struct judgement judgement;
    assert_false(quantity_judge(&claim, &view, &judgement));
}

TEST(quantity__goes_by_seq_where_a_stream_s_clock_went_back)
{
    struct quantity_move own = {order_of(0, NOW - 50), {{0}}, -2 * ONE};
    struct quantity_view view = {
        .stock = 93 * ONE, .order = order_of(0, NOW), .moves = &own, .count = 1};
    struct quantity_claim claim = {.shown = 100 * ONE, .delta = -5 * ONE, .counted = true};
    struct judgement judgement;
    own.order.seq = NOW + 1;
    assert_false(quantity_judge(&claim, &view, &judgement));
}

TEST(quantity__says_nothing_in_numbers_that_no_event_may_hold)
{
    struct quantity_view view = {.stock = INT64_MIN, .order = order_of(0, NOW)};
    struct quantity_claim claim = {.shown = INT64_MAX, .delta = 1, .counted = true};
    struct judgement judgement;
    assert_false(quantity_judge(&claim, &view, &judgement));
    view.stock = LIMIT_DECIMAL + 2;
    claim.shown = LIMIT_DECIMAL;
    assert_false(quantity_judge(&claim, &view, &judgement));
}

// ---- what events claim --------------------------------------------------------------------------

static bool claims(const char *type, const char *body, struct quantity_claim *ret)
{
    static struct arena arena;
    struct json json;
    arena_init(&arena, 1 << 16);
    assert_int_equal(json_parse_in(&arena, str_of(body), LIMIT_EVENT_DEPTH, &json, NULL), ERR_OK);
    struct event event = {.type = event_type_find(str_of(type)), .body = json.root};
    bool claimed = quantity_claim_of(&event, ret);
    bool right = !claimed || str_is(ret->sku, "TEA");
    arena_fini(&arena);
    assert_true(right);
    return claimed;
}

TEST(quantity__reads_claims_of_counts_and_of_sales_that_say_what_they_saw)
{
    struct quantity_claim claim;
    assert_true(claims(
        "inventory_adjusted",
        "{\"sku\":\"TEA\",\"counted\":\"95\",\"system\":\"100\",\"variance\":\"-5\"}", &claim));
    assert_true(claim.counted && claim.shown == 100 * ONE && claim.delta == -5 * ONE);
    assert_true(claims(
        "inventory_counted",
        "{\"sku\":\"TEA\",\"counted\":\"95\",\"system\":\"100\",\"variance\":\"-5\"}", &claim));
    assert_true(claim.counted);
    assert_true(claims("inventory_sold",
                       "{\"sku\":\"TEA\",\"quantity\":\"3\",\"seen_quantity\":\"48\"}", &claim));
    assert_true(!claim.counted && claim.shown == 48 * ONE && claim.delta == -3 * ONE);
    assert_false(claims("inventory_sold", "{\"sku\":\"TEA\",\"quantity\":\"3\"}", &claim));
    assert_false(claims("inventory_wasted",
                        "{\"sku\":\"TEA\",\"quantity\":\"3\",\"seen_quantity\":\"48\"}", &claim));
}

// ---- below zero -------------------------------------------------------------------------------

TEST(quantity__below_zero_is_asked_about_once_until_there_is_enough_again)
{
    static const struct {
        struct quantity_turn turn;
        enum quantity_below said;
    } rows[] = {
        {{.before = 3, .now = 0}, BELOW_AS_IT_WAS},
        {{.before = 3, .now = -1}, BELOW_ASK},
        {{.before = 3, .now = -1, .asked = true}, BELOW_AS_IT_WAS},
        {{.before = -1, .now = -4}, BELOW_AS_IT_WAS}, // somebody has answered
        {{.before = -4, .now = -1, .brought = true}, BELOW_ASK},
        {{.before = -4, .now = -1, .brought = true, .asked = true}, BELOW_AS_IT_WAS},
        {{.before = -4, .now = 0, .asked = true}, BELOW_EXPLAINED},
        {{.before = -4, .now = 0}, BELOW_AS_IT_WAS},
        {{.before = 3, .now = -5, .tolerance = 5}, BELOW_AS_IT_WAS},
        {{.before = -5, .now = -6, .tolerance = 5}, BELOW_ASK},
        {{.before = -6, .now = -5, .tolerance = 5, .asked = true}, BELOW_EXPLAINED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(quantity_below(&rows[i].turn), rows[i].said);
}
