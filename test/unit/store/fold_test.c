// SPDX-License-Identifier: Apache-2.0
// Whatever the order and the route, the same events give the same tables.
#include "test/unit/store/orders.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

TEST(fold__stock_is_a_sum_of_deltas_in_any_order)
{
    struct line lines[3];
    for (unsigned i = 0; i < 3; i++) {
        line_init(&lines[i], i, "BR1");
        for (unsigned n = 0; n < 5; n++)
            line_sell(&lines[i], 100 * i + n, 10 * n + i, n % 2 ? "rice" : "oil", "1.25");
    }
    orders_all_alike(lines, 3);
}

TEST(fold__one_id_on_several_routes_counts_once_in_any_order)
{
    struct line lines[3];
    for (unsigned i = 0; i < 3; i++) {
        line_init(&lines[i], i, "BR1");
        line_sell(&lines[i], 1, 50 - i, "rice", "1");
        line_sell(&lines[i], 2, 60 + i, "oil", "2");
        line_ticket(&lines[i], 3, 70 + (i * 7) % 5, "T-1", "rice");
    }
    orders_all_alike(lines, 3);
}

TEST(fold__one_id_with_other_content_is_a_review_in_any_order)
{
    struct line lines[4];
    static const char *const quantities[] = {"1", "2", "1", "3"};
    for (unsigned i = 0; i < 4; i++) {
        line_init(&lines[i], i, "BR1");
        line_sell(&lines[i], 1, 50 - i, "rice", quantities[i]);
        line_sell(&lines[i], 10 + i, 60 + i, "oil", "2");
        line_sell(&lines[i], 2, 70 + i, i % 2 ? "salt" : "tea", "1");
    }
    orders_all_alike(lines, 4);
}

TEST(fold__one_ticket_of_several_events_is_held_by_the_first_in_any_order)
{
    struct line lines[4];
    for (unsigned i = 0; i < 4; i++) {
        line_init(&lines[i], i, i == 3 ? "BR2" : "BR1");
        line_ticket(&lines[i], 10 + i, 90 - 7 * i, "T-1", i % 2 ? "rice" : "oil");
        line_ticket(&lines[i], 20 + i, 100 + i, i % 2 ? "T-2" : "T-3", "tea");
    }
    orders_all_alike(lines, 4);
}

// An id conflict that takes a ticket's holder back hands the ticket on to the next in line.
TEST(fold__a_holder_taken_back_hands_its_ticket_on_in_any_order)
{
    struct line lines[4];
    for (unsigned i = 0; i < 4; i++)
        line_init(&lines[i], i, "BR1");
    line_ticket(&lines[0], 1, 50, "T-1", "rice"); // holds T-1 until the next one comes
    line_ticket(&lines[1], 1, 40, "T-9", "oil");  // the same id, earlier, another ticket
    line_ticket(&lines[2], 2, 60, "T-1", "tea");  // waits for T-1
    line_ticket(&lines[3], 3, 70, "T-1", "salt");
    line_ticket(&lines[3], 4, 80, "T-9", "salt");
    orders_all_alike(lines, 4);
}

TEST(fold__places_and_devices_follow_the_last_writer_and_revocation_wins_in_any_order)
{
    struct line lines[4];
    char device[UUID_TEXT_SIZE], body[256];
    struct uuid id = fixture_uuid(9, 1);
    uuid_format(&id, device);
    for (unsigned i = 0; i < 3; i++) {
        line_init(&lines[i], i, "hq");
        (void)snprintf(body, sizeof body, "{\"name\":\"Branch %u\",\"region\":\"R%u\"}", i, i);
        line_add(&lines[i], &(struct draft){i, 50 - i, "location_set", "BR1", body});
        (void)snprintf(body, sizeof body,
                       "{\"role\":\"terminal\",\"location\":\"BR%u\",\"key\":\"%064u\"}", i, i);
        line_add(&lines[i], &(struct draft){10 + i, 60 + i, "device_enrolled", device, body});
    }
    line_init(&lines[3], 3, "hq"); // on its own, so that it may come before any enrolment
    line_add(&lines[3], &(struct draft){20, 55, "device_revoked", device, "{}"});
    // The id of the newest location_set again, earlier and with another name: it is taken back.
    line_add(&lines[1], &(struct draft){0, 30, "location_set", "BR1", "{\"name\":\"Taken back\"}"});
    orders_all_alike(lines, 4);
}

TEST(fold__dead_letters_are_kept_and_their_successors_count_in_any_order)
{
    struct line lines[2];
    for (unsigned i = 0; i < 2; i++) {
        line_init(&lines[i], i, "BR1");
        line_add(&lines[i], &(struct draft){1, 50 + i, "from_the_future", "x", "{}"});
        line_add_bytes(&lines[i], "this is not an event");
        line_add(&lines[i], &(struct draft){2 + i, 60, "inventory_sold", "x",
                                            "{\"sku\":\"rice\",\"quantity\":\"-1\"}"});
        line_sell(&lines[i], 10 + i, 70, "rice", "1");
    }
    orders_all_alike(lines, 2);
}

TEST(fold__an_earlier_carrier_swaps_the_stock_of_the_later_one)
{
    struct fixture f;
    struct line late, early;
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&late, 1, "BR1");
    line_init(&early, 2, "BR1");
    line_sell(&late, 1, 20, "rice", "5");
    line_sell(&early, 1, 10, "oil", "3");
    assert_int_equal(fixture_append(&f, &late, 0, STATUS_SETTLED), STATUS_SETTLED);
    fixture_assert_text(&f, "SELECT sku, quantity FROM stock", "rice|-50000\n");
    assert_int_equal(fixture_append(&f, &early, 0, STATUS_SETTLED), STATUS_SETTLED);
    fixture_assert_text(&f, "SELECT sku, quantity FROM stock", "oil|-30000\n");
    fixture_assert_text(&f, "SELECT status FROM journal ORDER BY lsn", "conflict\nsettled\n");
    fixture_assert_text(&f, "SELECT kind, open FROM reviews", "id_conflict|1\n");
    line_fini(&late);
    line_fini(&early);
    fixture_close(&f);
}

TEST(fold__a_sum_beyond_64_bits_wraps_around_instead_of_becoming_a_float)
{
    struct line lines[3];
    for (unsigned i = 0; i < 3; i++) {
        line_init(&lines[i], i, "BR1");
        line_sell(&lines[i], i, 10 + i, "rice", "800000000000000");
        line_sell(&lines[i], 10 + i, 20 + i, "rice", "3");
    }
    orders_all_alike(lines, 3);
}
