// SPDX-License-Identifier: Apache-2.0
#include "model/event_type.h"
#include "model/role.h"
#include "test/unit/unit.h"

#include <string.h>

static struct json json;

// An event of this type with this body, by C1.
static struct event event_of(const char *type, const char *body)
{
    json_close(&json);
    assert_int_equal(json_parse(str_of(body), LIMIT_EVENT_DEPTH, &json, NULL), ERR_OK);
    struct event event = {.type_name = str_of(type),
                          .type = event_type_find(str_of(type)),
                          .actor = STR("C1"),
                          .body = json.root};
    assert_non_null(event.type);
    return event;
}

static enum event_right needed(const char *type, const char *body)
{
    struct event event = event_of(type, body);
    enum event_right right = rights_needed(&event);
    json_close(&json);
    return right;
}

TEST(rights__have_a_name_each_by_which_they_are_found)
{
    enum event_right right;
    for (int i = 0; i < RIGHT_COUNT; i++) {
        assert_true(right_table[i].name[0] != '\0' && right_table[i].why[0] != '\0');
        bool given = rights_parse(str_of(right_table[i].name), &right) == ERR_OK;
        assert_int_equal(given, i != MAY_NODE); // which nobody can have
        assert_true(!given || right == (enum event_right)i);
    }
    assert_int_equal(rights_parse(STR("king"), &right), ERR_INVALID);
    assert_int_equal(rights_parse(STR(""), &right), ERR_INVALID);
}

TEST(rights__are_those_of_the_type_but_where_the_body_says_more)
{
    assert_int_equal(needed("ticket_recorded", "{}"), MAY_SELL);
    assert_int_equal(needed("inventory_received", "{}"), MAY_STOCK);
    assert_int_equal(needed("order_set", "{\"field\":\"covers\"}"), MAY_ORDER);
    assert_int_equal(needed("order_set", "{\"field\":\"discount\"}"), MAY_DISCOUNT);
    assert_int_equal(needed("run_started", "{}"), MAY_NODE);
    struct event event = event_of("price_set", "{}");
    event.location = STR("BR01");
    assert_int_equal(rights_needed(&event), MAY_PRICE);
    event.location = STR(FEED_CHAIN);
    assert_int_equal(rights_needed(&event), MAY_CATALOG);
    json_close(&json);
}

TEST(rights__of_an_actor_are_checked_from_who_over_where_to_what)
{
    static const struct {
        struct rights_actor actor;
        enum rights_answer answer;
    } cases[] = {
        {{true, true, true, RIGHT(REFUND)}, RIGHTS_ALLOWED},
        {{true, true, true, RIGHTS_ALL}, RIGHTS_ALLOWED},
        {{true, true, true, RIGHTS_ALL & ~RIGHT(REFUND)}, RIGHTS_NO_RIGHT},
        {{true, true, true, 0}, RIGHTS_NO_RIGHT},
        {{true, true, false, RIGHTS_ALL}, RIGHTS_NOT_HERE},
        {{true, false, true, RIGHTS_ALL}, RIGHTS_NOT_ACTIVE},
        {{false, true, true, RIGHTS_ALL}, RIGHTS_UNKNOWN_ACTOR},
    };
    struct event event = event_of("payment_refunded", "{}");
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(rights_check(&event, &cases[i].actor), cases[i].answer);
    json_close(&json);
}

TEST(rights__are_missed_in_a_sentence)
{
    char text[ERR_TEXT_MAX];
    struct event event = event_of("payment_refunded", "{}");
    rights_explain(&event, RIGHTS_NO_RIGHT, text);
    assert_string_equal(text, "event: actor: C1 lacks the right 'refund'");
    rights_explain(&event, RIGHTS_NOT_HERE, text);
    assert_string_equal(text, "event: actor: C1 does not work at this place");
    json_close(&json);
}
