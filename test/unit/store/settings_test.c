// SPDX-License-Identifier: Apache-2.0
// What a node goes by: its place's word, then the chain's, then the table's.
#include "test/unit/store/orders.h"

static struct fixture f;
static struct line chain, place;

static void begin(void)
{
    fixture_open(&f, ROLE_CENTRAL);
    line_init(&chain, 1, FEED_CHAIN);
    line_init(&place, 2, "BR1");
    chain.key.lane = place.key.lane = LANE_DEFERRED;
}

static void end(void)
{
    line_fini(&chain);
    line_fini(&place);
    fixture_close(&f);
}

static void set(struct line *l, const char *id, const char *body)
{
    unsigned n = (unsigned)(100 * l->device.b[15] + l->count);
    line_add(l, &(struct draft){n, n, "setting_set", id, body});
    assert_int_equal(fixture_append(&f, l, l->count - 1, STATUS_SETTLED), STATUS_SETTLED);
}

static int64_t oversell(const char *location, const char *sku)
{
    int64_t value = -1;
    struct err e = {ERR_OK, ""};
    struct store_setting_name name = {str_of(location), "oversell", str_of(sku)};
    if (store_setting_decimal(f.store, &name, &value, &e))
        fail_msg("%s", e.text);
    return value / 10000;
}

static int64_t hours(const char *type)
{
    int64_t value = -1;
    struct store_setting_name name = {STR("BR1"), "pending_hours", str_of(type)};
    assert_int_equal(store_setting_number(f.store, &name, &value, NULL), ERR_OK);
    return value;
}

TEST(settings__that_nobody_set_are_those_of_the_table)
{
    struct window w;
    struct store_setting value;
    begin();
    assert_int_equal(oversell("BR1", "RICE"), 0);
    assert_int_equal(hours("ticket_recorded"), 72);
    assert_int_equal(
        store_setting_window(f.store, &(struct store_setting_name){STR("BR1"), "deferred_window"},
                             &w, NULL),
        ERR_OK);
    assert_int_equal(w.from, 120);
    assert_int_equal(store_setting_get(f.store,
                                       &(struct store_setting_name){STR("BR1"), "price_authority"},
                                       &value, NULL),
                     ERR_OK);
    assert_string_equal(value.value, "centre");
    end();
}

TEST(settings__of_a_place_go_before_the_chains_and_of_an_item_before_those_of_all)
{
    begin();
    set(&chain, "oversell", "{\"value\":\"1\"}");
    assert_int_equal(oversell("BR1", "RICE"), 1);
    set(&chain, "oversell/RICE", "{\"value\":\"2\"}");
    assert_int_equal(oversell("BR1", "RICE"), 2);
    assert_int_equal(oversell("BR1", "OIL"), 1);
    set(&place, "oversell", "{\"value\":\"3\"}");
    assert_int_equal(oversell("BR1", "RICE"), 3);
    assert_int_equal(oversell("BR2", "RICE"), 2);
    set(&place, "oversell/RICE", "{\"value\":\"4\"}");
    assert_int_equal(oversell("BR1", "RICE"), 4);
    assert_int_equal(oversell("BR1", "OIL"), 3);
    set(&place, "oversell/RICE", "{\"value\":null}");
    set(&place, "oversell", "{\"value\":null}");
    assert_int_equal(oversell("BR1", "RICE"), 2);
    end();
}

TEST(settings__of_types_fall_back_to_what_each_type_has)
{
    begin();
    set(&chain, "pending_hours/order_voided", "{\"value\":\"4\"}");
    assert_int_equal(hours("order_voided"), 4);
    assert_int_equal(hours("ticket_recorded"), 72);
    set(&chain, "pending_hours", "{\"value\":\"100\"}");
    assert_int_equal(hours("order_voided"), 4);
    assert_int_equal(hours("ticket_recorded"), 100);
    end();
}

TEST(settings__that_somebody_wrote_into_the_file_are_not_believed)
{
    begin();
    set(&chain, "oversell", "{\"value\":\"1\"}");
    fixture_sql(&f, "UPDATE settings SET value = 'lots'");
    assert_int_equal(oversell("BR1", "RICE"), 0);
    end();
}

TEST(settings__nobody_knows_are_dead_letters_and_others_go_on)
{
    begin();
    line_add(&chain, &(struct draft){1, 1, "setting_set", "colour", "{\"value\":\"red\"}"});
    assert_int_equal(fixture_append(&f, &chain, 0, STATUS_SETTLED), STATUS_DEAD_LETTER);
    set(&chain, "oversell", "{\"value\":\"1\"}");
    assert_int_equal(oversell("BR1", "RICE"), 1);
    end();
}

TEST(settings__are_the_same_in_any_order)
{
    struct line lines[3];
    for (unsigned i = 0; i < 3; i++) {
        line_init(&lines[i], i, i == 2 ? "BR1" : FEED_CHAIN);
        line_add(&lines[i], &(struct draft){10 + i, 50 - i, "setting_set", "oversell",
                                            i ? "{\"value\":\"2\"}" : "{\"value\":null}"});
        line_add(&lines[i], &(struct draft){20 + i, 60 + i, "setting_set", "deferred_window",
                                            "{\"value\":\"01:00-02:00\"}"});
    }
    orders_all_alike(lines, 3);
}
