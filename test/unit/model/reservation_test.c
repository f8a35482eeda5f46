// SPDX-License-Identifier: Apache-2.0
// The rules of reservations, one worked example each.
#include "model/reservation.h"

#include "test/unit/model/history.h"
#include "test/unit/unit.h"

#include <string.h>

static struct history h;
static struct record *all;

static void begin(void)
{
    history_init(&h, &reservation_reducer);
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

static size_t request(int device, const char *quantity)
{
    return history_write(&h, device, "reservation_requested",
                         "{\"sku\":\"LAMB\",\"quantity\":\"%s\",\"order_id\":\"O1\","
                         "\"station\":\"grill\"}",
                         quantity);
}

static void judge(size_t event, const char *outcome, const char *reason, int term)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(&h.events[event].id, id);
    history_write(&h, DEVICES_MAX - 1, "event_judged",
                  "{\"target\":\"%s\",\"outcome\":\"%s\",\"reason\":\"%s\",\"term\":%d}", id,
                  outcome, reason, term);
}

static void state_is(const char *wanted)
{
    fold();
    assert_string_equal(history_column(all, "reservation_heads", "", "state"), wanted);
}

static const char *question(const char *kind, const char *column)
{
    char where[64];
    snprintf(where, sizeof where, "|kind=%s|", kind);
    return history_column(all, "record_reviews", where, column);
}

TEST(reservation__is_pending_until_it_is_judged)
{
    begin();
    size_t event = request(0, "2");
    state_is("pending");
    assert_string_equal(history_column(all, "reservation_heads", "", "quantity"), "2");
    assert_string_equal(history_column(all, "reservation_heads", "", "requested_by"), "A0");
    judge(event, "applied", "stock", 1);
    state_is("confirmed");
    assert_null(question("denied", "open"));
    end();
}

TEST(reservation__is_kept_a_quarter_of_an_hour_where_it_does_not_say)
{
    begin();
    request(0, "2");
    state_is("pending");
    assert_int_equal(h.events[0].at, 1700000001000);
    assert_string_equal(history_column(all, "reservation_heads", "", "until_at"), "1700000901000");
    end();
}

TEST(reservation__a_denied_one_says_who_must_be_told)
{
    begin();
    judge(request(0, "2"), "denied", "stock", 1);
    state_is("denied");
    assert_string_equal(question("denied", "open"), "1");
    const char *detail = question("denied", "detail");
    assert_non_null(
        strstr(detail, "\"actor\":\"A0\",\"value\":\"2 LAMB, order O1, station grill\""));
    assert_non_null(strstr(detail, "tell the waiter and the kitchen"));
    end();
}

TEST(reservation__one_that_nobody_confirmed_in_time_is_expired)
{
    begin();
    judge(request(0, "2"), "denied", "deadline", 1);
    state_is("expired");
    assert_string_equal(question("denied", "open"), "1");
    end();
}

TEST(reservation__the_first_judgement_is_final)
{
    begin();
    size_t event = request(0, "2");
    judge(event, "denied", "stock", 1);
    judge(event, "applied", "stock", 1);
    state_is("denied");
    end();
}

TEST(reservation__what_is_said_of_its_clock_or_lateness_confirms_nothing)
{
    begin();
    size_t event = request(0, "2");
    judge(event, "applied", "clock", 1);
    state_is("pending");
    end();
    begin();
    judge(request(0, "2"), "held", "unauthorised", 1);
    state_is("held");
    end();
}

TEST(reservation__is_released_whether_it_was_confirmed_before_or_is_after)
{
    begin();
    size_t event = request(0, "2");
    history_write(&h, 1, "reservation_released", "{\"reason\":\"they left\"}");
    state_is("released");
    judge(event, "applied", "stock", 1);
    state_is("released");
    end();
}

TEST(reservation__a_denied_one_stays_denied_when_it_is_released)
{
    begin();
    size_t event = request(0, "2");
    judge(event, "denied", "stock", 1);
    history_write(&h, 1, "reservation_released", "{}");
    state_is("denied");
    end();
}

TEST(reservation__of_two_requests_the_first_counts_and_a_person_is_asked)
{
    begin();
    request(0, "2");
    request(1, "5");
    state_is("pending");
    assert_string_equal(history_column(all, "reservation_heads", "", "quantity"), "2");
    assert_string_equal(question("requested_twice", "open"), "1");
    end();
}

TEST(reservation__a_release_alone_is_no_reservation)
{
    begin();
    history_write(&h, 1, "reservation_released", "{}");
    fold();
    assert_null(history_column(all, "reservation_heads", "", "state"));
    end();
}

TEST(reservation__refuses_what_says_nothing_sensible)
{
    static const char *const bodies[] = {
        "{\"sku\":\"A\",\"quantity\":\"0\"}",
        "{\"sku\":\"A\",\"quantity\":\"-1\"}",
        "{\"sku\":\"A\",\"quantity\":\"1\",\"until_at\":5}",
        "{\"sku\":\"A\",\"quantity\":\"1\",\"until_at\":9223372036854775807}",
    };
    begin();
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        struct err e = {0};
        assert_int_equal(history_try(&h, "reservation_requested", bodies[i], &e), ERR_INVALID);
    }
    end();
}

// ---- judging ----------------------------------------------------------------------------------

static const struct {
    const char *what;
    int64_t stock, kept, tolerance, quantity; // units
    bool over;
    int64_t left_ms; // until its end
    enum verdict_outcome outcome;
    enum verdict_reason reason;
} decisions[] = {
    {"what is there", 2, 0, 0, 2, false, 1, JUDGED_APPLIED, REASON_STOCK},
    {"more than there is", 2, 0, 0, 3, false, 1, JUDGED_DENIED, REASON_STOCK},
    {"what is kept for others", 2, 1, 0, 2, false, 1, JUDGED_DENIED, REASON_STOCK},
    {"what they leave", 2, 1, 0, 1, false, 1, JUDGED_APPLIED, REASON_STOCK},
    {"within the tolerance", 0, 0, 1, 1, false, 1, JUDGED_APPLIED, REASON_STOCK},
    {"beyond the tolerance", 0, 0, 1, 2, false, 1, JUDGED_DENIED, REASON_STOCK},
    {"of stock below zero", -3, 0, 2, 1, false, 1, JUDGED_DENIED, REASON_STOCK},
    {"at its very end", 2, 0, 0, 1, false, 0, JUDGED_DENIED, REASON_DEADLINE},
    {"behind its end, and too much", 0, 0, 0, 1, false, -5, JUDGED_DENIED, REASON_DEADLINE},
    {"sold already, stock is gone", 0, 0, 0, 1, true, -5, JUDGED_APPLIED, REASON_STOCK},
    {"sums beyond 64 bits", INT64_MIN / 10000, INT64_MAX / 10000, 0, 1, false, 1, JUDGED_DENIED,
     REASON_STOCK},
};

TEST(reservation__is_judged_by_what_is_there)
{
    enum { NOW = 1000, UNIT = 10000 };
    for (size_t i = 0; i < COUNT_OF(decisions); i++) {
        struct reservation_claim claim = {STR("LAMB"), decisions[i].quantity * UNIT,
                                          NOW + decisions[i].left_ms};
        struct reservation_view view = {.now_ms = NOW,
                                        .stock = decisions[i].stock * UNIT,
                                        .kept = decisions[i].kept * UNIT,
                                        .tolerance = decisions[i].tolerance * UNIT,
                                        .over = decisions[i].over};
        struct verdict verdict = {.effective = 7};
        reservation_judge(&claim, &view, &verdict);
        if (verdict.outcome != decisions[i].outcome || verdict.reason != decisions[i].reason)
            fail_msg("%s", decisions[i].what);
        assert_int_equal(verdict.effective, 7);
    }
}

static int64_t end_of(int64_t at, const char *body, int64_t clock_ms)
{
    struct reservation_claim claim;
    struct json j;
    struct err e = {0};
    assert_int_equal(json_parse(str_of(body), 4, &j, &e), ERR_OK);
    struct event event = {.type_name = STR("reservation_requested"), .at = at, .body = j.root};
    assert_true(reservation_claim_of(&event, (hlc)clock_ms << 16, &claim));
    assert_true(str_is(claim.sku, "LAMB"));
    assert_int_equal(claim.quantity, 20000);
    json_close(&j);
    return claim.until_ms;
}

TEST(reservation__ends_by_the_clock_that_counts)
{
    enum { HOUR = 3600 * 1000 };
    const int64_t now = 1700000000000, later = now + 2 * HOUR;
    const char *body = "{\"sku\":\"LAMB\",\"quantity\":\"2\"}";
    char until[128];
    assert_int_equal(end_of(now, body, now), now + LIMIT_RESERVATION_MS);
    assert_int_equal(end_of(now + 24 * HOUR, body, now), now + LIMIT_RESERVATION_MS);
    assert_int_equal(end_of(now - 24 * HOUR, body, now), now + LIMIT_RESERVATION_MS);
    snprintf(until, sizeof until, "{\"sku\":\"LAMB\",\"quantity\":\"2\",\"until_at\":%lld}",
             (long long)later);
    assert_int_equal(end_of(now - LIMIT_CLOCK_SKEW_MS, until, now), later);
    assert_int_equal(end_of(now - HOUR, until, now), now + 3 * HOUR);
}

TEST(reservation__of_a_clock_that_was_off_shows_its_end_by_the_one_that_counts)
{
    char id[UUID_TEXT_SIZE];
    begin();
    size_t event = request(0, "2");
    uuid_format(&h.events[event].id, id);
    history_write(&h, DEVICES_MAX - 1, "event_judged",
                  "{\"target\":\"%s\",\"outcome\":\"applied\",\"reason\":\"stock\",\"term\":0,"
                  "\"effective\":\"018b000000000000\"}",
                  id);
    state_is("confirmed");
    char wanted[32];
    snprintf(wanted, sizeof wanted, "%lld", 0x018b00000000LL + (long long)LIMIT_RESERVATION_MS);
    assert_string_equal(history_column(all, "reservation_heads", "", "until_at"), wanted);
    history_write(&h, DEVICES_MAX - 1, "event_judged",
                  "{\"target\":\"%s\",\"outcome\":\"applied\",\"reason\":\"stock\",\"term\":0,"
                  "\"answer\":\"%s\"}",
                  id, history_id_text(9)); // says nothing of the clock
    state_is("confirmed");
    assert_string_equal(history_column(all, "reservation_heads", "", "until_at"), wanted);
    end();
}
