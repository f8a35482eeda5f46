// SPDX-License-Identifier: Apache-2.0
// Rights as they are now, and as an author could know them.
#include "test/unit/store/orders.h"

#include <string.h>

static struct fixture f;
static struct line centre;
static hlc start; // of millisecond 0 of the fixture

// What the centre says of people, at millisecond 'ms', which is the event's number as well.
static void say(unsigned ms, const char *type, const char *record, const char *body)
{
    line_add(&centre, &(struct draft){ms, ms, type, record, body});
    assert_int_equal(fixture_append(&f, &centre, centre.count - 1, STATUS_SETTLED), STATUS_SETTLED);
}

static void begin(void)
{
    struct event first;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&centre, 1, FEED_CHAIN);
    line_add(&centre, &(struct draft){1, 1, "role_set", "waiter", "{\"name\":\"Waiter\"}"});
    assert_int_equal(event_parse(str_of(centre.bytes[0]), &f.arena, &first, NULL), ERR_OK);
    start = first.hlc - ((hlc)1 << 16);
    assert_int_equal(fixture_append(&f, &centre, 0, STATUS_SETTLED), STATUS_SETTLED);
}

static void end(void)
{
    line_fini(&centre);
    fixture_close(&f);
}

// An event of a till by this actor at 'ms', relying on the centre's event 'grant' (0: on none).
static struct event asked(const char *type, const char *actor, unsigned ms, unsigned grant)
{
    static struct json body;
    static const struct uuid none;
    if (body.root == NULL)
        assert_int_equal(json_parse(STR("{}"), 4, &body, NULL), ERR_OK);
    return (struct event){.type_name = str_of(type),
                          .type = event_type_find(str_of(type)),
                          .origin = fixture_uuid(1, 9),
                          .seq = 1,
                          .location = STR("BR1"),
                          .actor = str_of(actor),
                          .hlc = start + ((hlc)ms << 16),
                          .grant = grant ? fixture_uuid(3, grant) : none,
                          .body = body.root};
}

static void is_now(const char *type, const char *actor, enum rights_answer answer, unsigned grant)
{
    struct store_rights rights;
    struct err e = {ERR_OK, ""};
    struct event event = asked(type, actor, 0, 0);
    static const struct uuid none;
    struct uuid wanted = grant ? fixture_uuid(3, grant) : none;
    if (store_rights_now(f.store, &event, &rights, &e))
        fail_msg("%s", e.text);
    assert_int_equal(rights.answer, answer);
    assert_true(uuid_equal(&rights.grant, &wanted));
}

static void was(const struct event *event, enum rights_answer answer)
{
    enum rights_answer is;
    struct err e = {ERR_OK, ""};
    if (store_rights_then(f.store, event, &is, &e))
        fail_msg("%s", e.text);
    assert_int_equal(is, answer);
}

#define CASHIER "{\"role\":\"cashier\",\"places\":[{\"location\":\"BR1\"}]}"
#define MANAGER "{\"role\":\"manager\"}"

TEST(people__a_chain_without_users_asks_nobody)
{
    begin();
    is_now("payment_refunded", "C1", RIGHTS_ALLOWED, 0);
    struct event event = asked("payment_refunded", "C1", 5, 0);
    was(&event, RIGHTS_ALLOWED);
    end();
}

TEST(people__rights_now_come_from_role_and_place)
{
    begin();
    say(10, "user_set", "C1", CASHIER);
    say(11, "user_set", "C2", "{\"role\":\"manager\",\"places\":[{\"location\":\"BR2\"}]}");
    say(12, "user_set", "C3", "{\"role\":\"owner\",\"places\":[{\"location\":\"*\"}]}");
    say(13, "user_set", "C4", "{\"places\":[{\"location\":\"BR1\"}]}");
    is_now("ticket_recorded", "C1", RIGHTS_ALLOWED, 10);
    is_now("payment_refunded", "C1", RIGHTS_NO_RIGHT, 10);
    is_now("payment_refunded", "C2", RIGHTS_NOT_HERE, 11);
    is_now("payment_refunded", "C3", RIGHTS_ALLOWED, 12);
    is_now("ticket_recorded", "C4", RIGHTS_NO_RIGHT, 13); // of no role
    is_now("ticket_recorded", "C5", RIGHTS_UNKNOWN_ACTOR, 0);
    is_now("ticket_recorded", "", RIGHTS_ALLOWED, 0);
    say(20, "user_set", "C1", "{\"active\":false}");
    is_now("ticket_recorded", "C1", RIGHTS_NOT_ACTIVE, 20);
    end();
}

TEST(people__a_role_may_be_changed_or_made_for_the_chain)
{
    begin();
    say(10, "user_set", "C1", CASHIER);
    say(11, "user_set", "C2", "{\"role\":\"barista\",\"places\":[{\"location\":\"*\"}]}");
    is_now("ticket_recorded", "C2", RIGHTS_NO_RIGHT, 11);
    say(20, "role_set", "barista", "{\"rights\":[{\"right\":\"sell\"}]}");
    say(21, "role_set", "cashier", "{\"rights\":[{\"right\":\"refund\"}]}");
    is_now("ticket_recorded", "C2", RIGHTS_ALLOWED, 20);
    is_now("payment_refunded", "C1", RIGHTS_ALLOWED, 21);
    is_now("ticket_recorded", "C1", RIGHTS_NO_RIGHT, 21);
    uint32_t rights = 0;
    assert_int_equal(store_role_rights(f.store, STR("cashier"), &rights, NULL), ERR_OK);
    assert_int_equal(rights, RIGHT(REFUND));
    assert_int_equal(store_role_rights(f.store, STR("manager"), &rights, NULL), ERR_OK);
    assert_true(rights_have(rights, MAY_VOID));
    assert_int_equal(store_role_rights(f.store, STR("king"), &rights, NULL), ERR_OK);
    assert_int_equal(rights, 0);
    end();
}

// C1 is a cashier from 10, a manager from 20, gone from 40; from 30 on managers may not refund.
// Who asks at 50 knows what the device had been told, which the grant says.
TEST(people__rights_then_are_what_the_device_could_know)
{
    static const struct {
        const char *type;
        unsigned ms, grant;
        enum rights_answer answer;
    } cases[] = {
        {"ticket_recorded", 50, 10, RIGHTS_ALLOWED},   // it had not heard that C1 is gone
        {"payment_refunded", 50, 10, RIGHTS_NO_RIGHT}, // ... nor that C1 is a manager
        {"payment_refunded", 50, 20, RIGHTS_ALLOWED},  // ... nor that managers may no more
        {"payment_refunded", 50, 30, RIGHTS_NO_RIGHT},
        {"order_voided", 50, 30, RIGHTS_ALLOWED},
        {"order_voided", 50, 40, RIGHTS_NOT_ACTIVE},
        {"order_voided", 15, 20, RIGHTS_ALLOWED}, // a clock that is behind takes nothing away
        // Without a grant, what was known when it was written.
        {"ticket_recorded", 5, 0, RIGHTS_ALLOWED}, // nobody was a user then
        {"ticket_recorded", 15, 0, RIGHTS_ALLOWED},
        {"payment_refunded", 15, 0, RIGHTS_NO_RIGHT},
        {"payment_refunded", 25, 0, RIGHTS_ALLOWED},
        {"payment_refunded", 35, 0, RIGHTS_NO_RIGHT},
        {"order_voided", 35, 0, RIGHTS_ALLOWED},
        {"order_voided", 50, 0, RIGHTS_NOT_ACTIVE},
        // A grant that is none: another's, or what nobody knows.
        {"payment_refunded", 35, 12, RIGHTS_NO_RIGHT},
        {"order_voided", 50, 99, RIGHTS_NOT_ACTIVE},
    };
    begin();
    say(10, "user_set", "C1", CASHIER);
    say(12, "user_set", "C2", CASHIER);
    say(20, "user_set", "C1", MANAGER);
    say(30, "role_set", "manager", "{\"rights\":[{\"right\":\"void\"}]}");
    say(40, "user_set", "C1", "{\"active\":false}");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct event event = asked(cases[i].type, "C1", cases[i].ms, cases[i].grant);
        enum rights_answer is;
        assert_int_equal(store_rights_then(f.store, &event, &is, NULL), ERR_OK);
        if (is != cases[i].answer)
            fail_msg("case %zu: answer %d", i, (int)is);
    }
    end();
}

TEST(people__who_was_hired_later_was_nobody_before)
{
    begin();
    say(10, "user_set", "C1", CASHIER);
    say(30, "user_set", "C2", CASHIER);
    struct event event = asked("ticket_recorded", "C2", 20, 0);
    was(&event, RIGHTS_UNKNOWN_ACTOR);
    event = asked("ticket_recorded", "C2", 35, 0);
    was(&event, RIGHTS_ALLOWED);
    event = asked("ticket_recorded", "C2", 35, 30);
    was(&event, RIGHTS_ALLOWED);
    event = asked("ticket_recorded", "C3", 35, 0);
    was(&event, RIGHTS_UNKNOWN_ACTOR);
    end();
}

TEST(people__what_was_said_in_this_transaction_counts)
{
    struct err e = {ERR_OK, ""};
    enum event_status status;
    begin();
    line_add(&centre, &(struct draft){10, 10, "user_set", "C1", CASHIER});
    assert_int_equal(store_begin(f.store, &e), ERR_OK);
    assert_int_equal(fixture_try(&f, &centre, 1, STATUS_SETTLED, &status, &e), ERR_OK);
    is_now("ticket_recorded", "C1", RIGHTS_ALLOWED, 10);
    is_now("ticket_recorded", "C2", RIGHTS_UNKNOWN_ACTOR, 0);
    store_rollback(f.store);
    is_now("ticket_recorded", "C2", RIGHTS_ALLOWED, 0);
    end();
}

TEST(people__are_the_same_in_any_order)
{
    struct line lines[3];
    for (unsigned i = 0; i < 3; i++) {
        line_init(&lines[i], i, FEED_CHAIN);
        line_add(&lines[i], &(struct draft){10 + i, 50 - i, "user_set", "C1", CASHIER});
        line_add(&lines[i], &(struct draft){20 + i, 60 + i, "user_set", "C1",
                                            i == 1 ? "{\"places\":[]}" : MANAGER});
        line_add(&lines[i], &(struct draft){30 + i, 55 + i, "role_set", "manager",
                                            i == 1 ? "{\"rights\":[]}"
                                                   : "{\"rights\":[{\"right\":\"void\"}]}"});
    }
    orders_all_alike(lines, 3);
}
