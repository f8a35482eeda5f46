// SPDX-License-Identifier: Apache-2.0
// Whether a ticket is paid: worked examples.
#include "model/paid.h"

#include "base/json.h"
#include "test/unit/unit.h"

#include <stdio.h>

TEST(paid__a_ticket_is_asked_about_where_its_payments_are_not_its_total)
{
    static const struct {
        const char *what;
        int total;
        const char *payments;
        bool differs;
        int paid;
    } cases[] = {
        {"paid", 1000, "{\"currency\":\"USD\",\"amount\":1000}", false, 1000},
        {"in two parts", 1000,
         "{\"currency\":\"USD\",\"amount\":400},{\"currency\":\"USD\",\"amount\":600}", false,
         1000},
        {"with change given back", 1000,
         "{\"currency\":\"USD\",\"amount\":2000},{\"currency\":\"USD\",\"amount\":-1000}", false,
         1000},
        {"too little", 1000, "{\"currency\":\"USD\",\"amount\":900}", true, 900},
        {"too much", 1000, "{\"currency\":\"USD\",\"amount\":1001}", true, 1001},
        {"given back by a return", -1000, "{\"currency\":\"USD\",\"amount\":-1000}", false, -1000},
        {"the wrong way", -1000, "{\"currency\":\"USD\",\"amount\":1000}", true, 1000},
        {"nothing is said", 1000, "", false, 0},
        {"another currency", 1000, "{\"currency\":\"LBP\",\"amount\":900000}", false, 0},
        {"another one beside", 1000,
         "{\"currency\":\"USD\",\"amount\":400},{\"currency\":\"LBP\",\"amount\":500000}", false,
         400},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[400];
        struct arena arena;
        struct json json;
        struct paid paid;
        arena_init(&arena, 65536);
        (void)snprintf(text, sizeof text,
                       "{\"currency\":\"USD\",\"places\":2,\"total\":%d,\"payments\":[%s]}",
                       cases[i].total, cases[i].payments);
        assert_int_equal(json_parse_in(&arena, str_of(text), 8, &json, NULL), ERR_OK);
        struct event ticket = {.body = json.root};
        if (paid_differs(&ticket, &paid) != cases[i].differs || paid.paid != cases[i].paid)
            fail_msg("%s", cases[i].what);
        assert_int_equal(paid.total, cases[i].total);
        assert_true(str_is(paid.currency, "USD"));
        arena_fini(&arena);
    }
}
