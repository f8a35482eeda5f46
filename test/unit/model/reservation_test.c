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
    judge(request(0, "2"), "held", "late", 1);
    state_is("pending");
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
