// SPDX-License-Identifier: Apache-2.0
// What was judged of an event follows it wherever it has effects, whichever of them came first.
#include "test/unit/store/orders.h"

#include <stdio.h>
#include <string.h>

#define USES(quantity) "{\"total\":1000,\"uses\":[{\"sku\":\"CUP\",\"quantity\":\"" quantity "\"}]}"

static void completes(struct line *l, unsigned id, unsigned ms, const char *order, const char *body)
{
    line_add(l, &(struct draft){id, ms, "sale_completed", order, body});
}

static void judges(struct line *l, const struct draft *draft, unsigned target, int term)
{
    char body[256], text[UUID_TEXT_SIZE];
    struct uuid id = fixture_uuid(3, target);
    uuid_format(&id, text);
    (void)snprintf(
        body, sizeof body,
        "{\"target\":\"%s\",\"outcome\":\"%s\",\"reason\":\"completed_twice\",\"term\":%d}", text,
        draft->body, term);
    line_add(l, &(struct draft){draft->id, draft->ms, "event_judged", draft->record, body});
}

TEST(judgements__a_second_completion_leaves_its_stock_in_any_order)
{
    struct line lines[3];
    line_init(&lines[0], 1, "BR1");
    line_init(&lines[1], 2, "BR1");
    line_init(&lines[2], 3, "BR1");
    completes(&lines[0], 1, 10, "O1", USES("4"));
    completes(&lines[1], 2, 20, "O1", USES("5"));
    completes(&lines[1], 3, 21, "O2", USES("7"));
    judges(&lines[2], &(struct draft){4, 30, NULL, "O1", "duplicate"}, 2, 1);
    orders_all_alike(lines, 3);
}

TEST(judgements__follow_the_carrier_that_counts_in_any_order)
{
    struct line lines[4];
    for (unsigned i = 0; i < 4; i++)
        line_init(&lines[i], i, "BR1");
    completes(&lines[0], 1, 10, "O1", USES("4"));
    completes(&lines[1], 1, 12, "O1", USES("4")); // the same event by another way
    completes(&lines[2], 1, 14, "O1", USES("6")); // its id with other content
    judges(&lines[3], &(struct draft){4, 30, NULL, "O1", "duplicate"}, 1, 1);
    orders_all_alike(lines, 4);
}

TEST(judgements__a_higher_term_overrules_in_any_order)
{
    struct line lines[4];
    for (unsigned i = 0; i < 4; i++)
        line_init(&lines[i], i, "BR1");
    completes(&lines[0], 1, 10, "O1", USES("4"));
    completes(&lines[1], 2, 20, "O2", USES("5"));
    judges(&lines[2], &(struct draft){4, 30, NULL, "O1", "duplicate"}, 1, 1);
    judges(&lines[2], &(struct draft){5, 31, NULL, "O2", "applied"}, 2, 1);
    judges(&lines[3], &(struct draft){6, 40, NULL, "O1", "applied"}, 1, 2);
    judges(&lines[3], &(struct draft){7, 41, NULL, "O2", "duplicate"}, 2, 2);
    orders_all_alike(lines, 4);
}

static void stock_is(struct fixture *f, const char *wanted)
{
    fixture_assert_text(f, "SELECT sku, quantity FROM stock", wanted);
}

TEST(judgements__take_stock_out_and_give_it_back)
{
    struct fixture f;
    struct line till, centre;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&till, 1, "BR1");
    line_init(&centre, 2, "BR1");
    completes(&till, 1, 10, "O1", USES("4"));
    judges(&centre, &(struct draft){4, 30, NULL, "O1", "duplicate"}, 1, 1);
    judges(&centre, &(struct draft){5, 31, NULL, "O1", "applied"}, 1, 2);
    fixture_append_all(&f, &till, STATUS_SETTLED);
    stock_is(&f, "CUP|-40000\n");
    (void)fixture_append(&f, &centre, 0, STATUS_SETTLED);
    stock_is(&f, "");
    (void)fixture_append(&f, &centre, 1, STATUS_SETTLED);
    stock_is(&f, "CUP|-40000\n");
    line_fini(&till);
    line_fini(&centre);
    fixture_close(&f);
}

TEST(judgements__of_another_place_are_about_nothing_here)
{
    struct fixture f;
    struct line till, centre;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&till, 1, "BR1");
    line_init(&centre, 2, "BR2");
    completes(&till, 1, 10, "O1", USES("4"));
    judges(&centre, &(struct draft){4, 30, NULL, "O1", "duplicate"}, 1, 1);
    fixture_append_all(&f, &till, STATUS_SETTLED);
    fixture_append_all(&f, &centre, STATUS_SETTLED);
    stock_is(&f, "CUP|-40000\n");
    line_fini(&till);
    line_fini(&centre);
    fixture_close(&f);
}
