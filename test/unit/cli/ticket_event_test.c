// SPDX-License-Identifier: Apache-2.0
#include "cli/ticket_event.h"
#include "base/decimal.h"
#include "base/json.h"
#include "test/unit/cli/cli_fixture.h"
#include "model/event_type.h"

#include <stdlib.h>
#include <string.h>

static const struct ticket_line two_lines[] = {
    {.row = 1,
     .sku = {"85123A", 6},
     .name = {"LANTERN \"T\"", 11},
     .quantity = 60000,
     .unit_price = 25500},
    {.row = 2, .sku = {"22", 2}, .quantity = -5000, .unit_price = 10100},
};

static struct ticket sample(void)
{
    return (struct ticket){
        .no = STR("536365"),
        .currency = STR("USD"),
        .places = 2,
        .lines = two_lines,
        .line_count = COUNT_OF(two_lines),
    };
}

static void assert_body(const struct ticket *t, const char *expected)
{
    struct buf b;
    struct err e = {0};
    buf_init(&b, TICKET_BODY_MAX);
    if (ticket_event_write(t, &b, &e) != ERR_OK) {
        fail_msg("%s", e.text);
    }
    assert_int_equal(b.len, strlen(expected));
    assert_memory_equal(b.data, expected, b.len);
    buf_fini(&b);
}

TEST(ticket_event__has_amounts_total_and_one_payment)
{
    struct ticket t = sample();
    assert_body(&t, "{\"ticket\":\"536365\",\"kind\":\"sale\",\"currency\":\"USD\",\"places\":2,"
                    "\"lines\":[{\"n\":1,\"sku\":\"85123A\",\"name\":\"LANTERN \\\"T\\\"\","
                    "\"quantity\":\"6\",\"unit_price\":\"2.55\",\"amount\":1530},"
                    "{\"n\":2,\"sku\":\"22\",\"quantity\":\"-0.5\",\"unit_price\":\"1.01\","
                    "\"amount\":-51}],\"total\":1479,\"payments\":[{\"method\":\"unknown\","
                    "\"amount\":1479,\"currency\":\"USD\"}]}");
}

TEST(ticket_event__carries_what_else_is_known)
{
    struct ticket t = sample();
    t.kind = TICKET_RETURN;
    t.till = STR("T03");
    t.table = STR("7");
    t.payment = STR("card");
    t.customer = STR("K1");
    t.places = 0;
    t.line_count = 1;
    assert_body(&t, "{\"ticket\":\"536365\",\"kind\":\"return\",\"till\":\"T03\",\"table\":\"7\","
                    "\"currency\":\"USD\",\"places\":0,\"lines\":[{\"n\":1,\"sku\":\"85123A\","
                    "\"name\":\"LANTERN \\\"T\\\"\",\"quantity\":\"6\",\"unit_price\":\"2.55\","
                    "\"amount\":15}],\"total\":15,\"payments\":[{\"method\":\"card\","
                    "\"amount\":15,\"currency\":\"USD\"}],\"customer\":\"K1\"}");
}

TEST(ticket_event__says_what_was_tendered_in_another_currency)
{
    struct ticket t = sample();
    struct ticket_payment payments[] = {
        {.method = STR("cash"), .amount = 1400},
        {.method = STR("cash"),
         .amount = 79,
         .tendered_currency = STR("LBP"),
         .tendered_amount = 70000,
         .rate = 89500 * DECIMAL_ONE},
    };
    t.payments = payments;
    t.payment_count = COUNT_OF(payments);
    struct buf b;
    struct err e = {0};
    buf_init(&b, TICKET_BODY_MAX);
    assert_int_equal(ticket_event_write(&t, &b, &e), ERR_OK);
    static const char *const expected =
        "\"payments\":[{\"method\":\"cash\",\"amount\":1400,\"currency\":\"USD\"},"
        "{\"method\":\"cash\",\"amount\":79,\"currency\":\"USD\",\"tendered\":{\"currency\":"
        "\"LBP\",\"places\":0,\"amount\":70000,\"rate\":\"89500\"}}]}";
    assert_memory_equal(b.data + b.len - strlen(expected), expected, strlen(expected));
    payments[1].amount = 78;
    assert_int_equal(ticket_event_write(&t, &b, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "536365"));
    buf_fini(&b);
}

TEST(ticket_event__is_a_valid_body_of_its_type)
{
    struct ticket t = sample();
    struct buf b;
    struct err e = {0};
    struct json j;
    buf_init(&b, TICKET_BODY_MAX);
    assert_int_equal(ticket_event_write(&t, &b, &e), ERR_OK);
    assert_int_equal(json_parse(buf_str(&b), 16, &j, &e), ERR_OK);
    const struct event_type *type = event_type_find(STR("ticket_recorded"));
    assert_non_null(type);
    if (event_type_check(type, 1, j.root, &e) != ERR_OK) {
        fail_msg("%s", e.text);
    }
    json_close(&j);
    buf_fini(&b);
}

TEST(ticket_event__refuses_a_body_beyond_its_limit_and_appends_nothing)
{
    static struct ticket_line lines[TICKET_LINES_MAX];
    static char name[LIMIT_TEXT];
    struct ticket t = sample();
    struct buf b;
    struct err e = {0};
    memset(name, 'x', sizeof(name));
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        lines[i] = (struct ticket_line){
            .sku = STR("a"), .name = {name, 40}, .quantity = 10000, .unit_price = 10000};
    }
    t.lines = lines;
    t.line_count = TICKET_LINES_MAX;
    buf_init(&b, (size_t)4 * TICKET_BODY_MAX);
    assert_int_equal(buf_append(&b, "head", 4), ERR_OK);
    assert_int_equal(ticket_event_write(&t, &b, &e), ERR_OK);
    assert_true(b.len > (size_t)200 * 1024 && b.len < TICKET_BODY_MAX);
    b.len = 4;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        lines[i].name.n = 80;
    }
    assert_int_equal(ticket_event_write(&t, &b, &e), ERR_LIMIT);
    assert_non_null(strstr(e.text, "536365"));
    assert_non_null(strstr(e.text, "240 KiB"));
    assert_int_equal(b.len, 4);
    buf_fini(&b);
}

TEST(ticket_event__refuses_amounts_out_of_range)
{
    static const struct ticket_line lines[] = {
        {.sku = {"a", 1}, .quantity = 10000, .unit_price = INT64_C(90000000000000000)},
        {.sku = {"a", 1}, .quantity = 10000, .unit_price = INT64_C(90000000000000000)},
    };
    struct ticket t = sample();
    int64_t total = 0;
    t.lines = lines;
    t.line_count = 1;
    assert_int_equal(ticket_event_total(&t, &total), ERR_OK);
    assert_int_equal(total, INT64_C(900000000000000));
    t.line_count = 2;
    assert_int_equal(ticket_event_total(&t, &total), ERR_LIMIT);
    t.line_count = 1;
    t.places = 4;
    assert_int_equal(ticket_event_total(&t, &total), ERR_LIMIT);
}

TEST(ticket_event__survives_every_failed_allocation)
{
    struct ticket t = sample();
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        struct buf b;
        struct err e = {0};
        buf_init(&b, TICKET_BODY_MAX);
        unit_alloc_fail(n);
        enum err_code code = ticket_event_write(&t, &b, &e);
        failed = unit_alloc_end();
        assert_int_equal(code, failed ? ERR_NO_MEMORY : ERR_OK);
        buf_fini(&b);
    }
}
