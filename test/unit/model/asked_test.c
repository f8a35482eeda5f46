// SPDX-License-Identifier: Apache-2.0
// What is asked of records whose own events are not folded.
#include "model/asked.h"

#include "test/unit/model/history.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>

static struct history h;
static struct record *all;

// Of the event with this number; the correction in whole units.
static size_t said(int target, const char *reason, int correction)
{
    return history_write(&h, 0, "event_judged",
                         "{\"target\":\"%s\",\"outcome\":\"applied\",\"reason\":\"%s\",\"term\":0,"
                         "\"shown\":\"48\",\"expected\":\"50\",\"correction\":\"%d\"}",
                         history_id_text((uint64_t)target), reason, correction);
}

static void answer(int target, const char *kind, size_t event)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(&h.events[event].id, id);
    history_write(
        &h, 1, "review_resolved",
        "{\"review\":\"%s\",\"part\":\"%s\",\"decision\":\"accept\",\"outcome\":\"theft\","
        "\"triggers\":[{\"event\":\"%s\"}]}",
        kind, history_id_text((uint64_t)target), id);
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

static const char *column(int target, const char *name)
{
    char where[64];
    snprintf(where, sizeof where, "|part=%s|", history_id_text((uint64_t)target));
    const char *found = history_column(all, "record_reviews", where, name);
    return found ? found : "none";
}

static void suggests(int target, const char *text)
{
    char wanted[200];
    snprintf(wanted, sizeof wanted, "\"suggested\":{%s", text);
    if (strstr(column(target, "detail"), wanted) == NULL)
        fail_msg("%s: not in %s", wanted, column(target, "detail"));
}

TEST(asked__a_difference_is_asked_about_alone_with_the_adjustment_suggested)
{
    history_init(&h, &stock_reducer);
    size_t first = said(1, "difference", -2);
    said(2, "difference", 7);
    fold();
    assert_string_equal(column(1, "kind"), "difference");
    assert_string_equal(column(1, "open"), "1");
    assert_non_null(strstr(column(1, "detail"), "48 was shown; 50 was to be expected"));
    suggests(1, "\"decision\":\"edit\",\"value\":\"-2\"");
    suggests(2, "\"decision\":\"edit\",\"value\":\"7\"");
    answer(1, "difference", first);
    fold();
    assert_string_equal(column(1, "open"), "0");
    assert_string_equal(column(2, "open"), "1");
    end();
}

TEST(asked__overlaps_of_one_count_are_one_question_about_what_is_not_answered)
{
    history_init(&h, &stock_reducer);
    size_t first = said(1, "overlap", 5);
    said(2, "overlap", 90);
    said(1, "overlap", 3);
    fold();
    assert_non_null(strstr(column(1, "detail"), "-5 had moved before"));
    suggests(1, "\"decision\":\"edit\",\"value\":\"8\"");
    answer(1, "overlap", first);
    fold();
    assert_string_equal(column(1, "open"), "1");
    suggests(1, "\"decision\":\"edit\",\"value\":\"3\"");
    end();
}

static size_t below(int target, const char *shown)
{
    return history_write(&h, 0, "event_judged",
                         "{\"target\":\"%s\",\"outcome\":\"applied\",\"reason\":\"below_zero\","
                         "\"term\":0,\"shown\":\"%s\"}",
                         history_id_text((uint64_t)target), shown);
}

static size_t explained(size_t event, const char *kind)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(&h.events[event].id, id);
    return history_write(&h, 0, "event_judged",
                         "{\"target\":\"%s\",\"outcome\":\"applied\",\"reason\":\"explained\","
                         "\"term\":0,\"review\":\"%s\"}",
                         id, kind);
}

static const char *of_all(const char *kind, const char *name)
{
    char where[64];
    snprintf(where, sizeof where, "|kind=%s|", kind);
    const char *found = history_column(all, "record_reviews", where, name);
    return found ? found : "none";
}

TEST(asked__stock_below_zero_is_one_question_that_closes_when_there_is_enough)
{
    history_init(&h, &stock_reducer);
    size_t first = below(1, "-2");
    fold();
    assert_string_equal(of_all("below_zero", "open"), "1");
    assert_non_null(strstr(of_all("below_zero", "detail"), "\"value\":\"-2\""));
    explained(first, "difference"); // something else was
    fold();
    assert_string_equal(of_all("below_zero", "open"), "1");
    explained(first, "below_zero");
    fold();
    assert_string_equal(of_all("below_zero", "open"), "0");
    below(2, "-5");
    fold();
    assert_string_equal(of_all("below_zero", "open"), "1");
    assert_non_null(strstr(of_all("below_zero", "detail"), "\"value\":\"-5\""));
    end();
}

TEST(asked__a_sold_price_is_asked_about_with_the_one_of_the_catalog)
{
    history_init(&h, &ticket_reducer);
    size_t first =
        history_write(&h, 0, "event_judged",
                      "{\"target\":\"%s\",\"outcome\":\"applied\",\"reason\":\"price\",\"term\":0,"
                      "\"sold\":\"TEA 1 USD\",\"published\":\"TEA 2 USD, version 7\"}",
                      history_id_text(1));
    fold();
    assert_string_equal(column(1, "kind"), "price");
    assert_string_equal(column(1, "open"), "1");
    assert_non_null(strstr(column(1, "detail"), "\"base\":\"TEA 2 USD, version 7\""));
    assert_non_null(strstr(column(1, "detail"), "\"value\":\"TEA 1 USD\""));
    suggests(1, "\"decision\":\"accept\"");
    answer(1, "price", first);
    fold();
    assert_string_equal(column(1, "open"), "0");
    end();
}

TEST(asked__a_ticket_without_the_right_is_asked_about_alone)
{
    history_init(&h, &ticket_reducer);
    said(1, "unauthorised", 0);
    fold();
    assert_string_equal(column(1, "kind"), "unauthorised");
    assert_string_equal(column(1, "open"), "1");
    suggests(1, "\"decision\":\"reject\"");
    end();
}

TEST(asked__folds_judgements_and_answers_and_nothing_else)
{
    static const char *const own[] = {"inventory_sold", "inventory_adjusted"};
    for (size_t i = 0; i < COUNT_OF(own); i++)
        assert_false(record_takes(event_type_find(str_of(own[i])), STR("stock")));
    assert_false(record_takes(event_type_find(STR("ticket_recorded")), STR("ticket")));
    assert_true(record_takes(event_type_find(STR("event_judged")), STR("stock")));
    assert_true(record_takes(event_type_find(STR("review_resolved")), STR("ticket")));
    assert_true(record_takes(event_type_find(STR("order_opened")), STR("order")));
    assert_false(record_takes(event_type_find(STR("device_revoked")), STR("device")));
}
