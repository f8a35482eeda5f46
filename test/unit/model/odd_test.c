// SPDX-License-Identifier: Apache-2.0
// What cannot be so: worked examples.
#include "model/odd.h"

#include "base/json.h"
#include "model/event_type.h"
#include "test/unit/unit.h"

#include <string.h>

#define TICKET(kind, a, b)                                                                         \
    "{\"kind\":\"" kind "\",\"lines\":[{\"quantity\":\"" a "\"},{\"quantity\":\"" b "\"}]}"

static const struct {
    const char *what, *type, *record, *body;
    const char *names; // the member; NULL: nothing is odd
    bool asks;
} cases[] = {
    {"stock of its SKU", "inventory_adjusted", "TEA", "{\"sku\":\"TEA\"}", NULL, false},
    {"stock of another SKU", "inventory_adjusted", "TEA", "{\"sku\":\"RICE\"}", "record: id", true},
    {"goods of another SKU", "inventory_received", "TEA", "{\"sku\":\"TE\"}", "record: id", true},
    {"a sale", "ticket_recorded", "T", TICKET("sale", "1", "2"), NULL, false},
    {"an exchange", "ticket_recorded", "T", TICKET("sale", "1", "-2"), NULL, false},
    {"a return", "ticket_recorded", "T", TICKET("return", "-1", "0"), NULL, false},
    {"a return that takes", "ticket_recorded", "T", TICKET("return", "-1", "0.5"),
     "body: lines: quantity", true},
    {"a cancellation that takes", "ticket_recorded", "T", TICKET("cancellation", "1", "-1"),
     "body: lines: quantity", true},
    {"a bill", "sale_completed", "O", "{\"total\":0}", NULL, false},
    {"a bill below zero", "sale_completed", "O", "{\"total\":-1}", "body: total", false},
    {"money", "payment_taken", "O", "{\"total\":-1}", NULL, false},
};

TEST(odd__what_cannot_be_so_is_named)
{
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct arena arena;
        struct json json;
        const struct event_type *type = event_type_find(str_of(cases[i].type));
        arena_init(&arena, 65536);
        assert_int_equal(json_parse_in(&arena, str_of(cases[i].body), 8, &json, NULL), ERR_OK);
        struct event event = {.type = type,
                              .record_type = str_of(type->record_type),
                              .record_id = str_of(cases[i].record),
                              .body = json.root};
        const char *odd = odd_of(&event);
        bool same = odd == NULL || cases[i].names == NULL
                        ? odd == cases[i].names
                        : strncmp(odd, cases[i].names, strlen(cases[i].names)) == 0;
        if (!same || odd_asks(&event) != cases[i].asks)
            fail_msg("%s: %s", cases[i].what, odd ? odd : "nothing");
        arena_fini(&arena);
    }
}
