// SPDX-License-Identifier: Apache-2.0
#include "node/capacity.h"
#include "test/unit/unit.h"

static struct config till_config(void)
{
    struct config c;
    config_defaults(ROLE_TERMINAL, &c);
    return c;
}

TEST(capacity__warns_from_its_share_on)
{
    struct config config = till_config();
    struct store_room room = {
        .disk_bytes = 1000, .free_bytes = 201, .used_bytes = 80, .max_bytes = 100};
    struct capacity c = capacity_of(&config, &room, 0);
    assert_int_equal(c.used_permille[CAPACITY_DISK], 799);
    assert_false(c.warns[CAPACITY_DISK]);
    assert_true(c.warns[CAPACITY_QUOTA]);
    assert_false(c.warns[CAPACITY_OUTBOX] || c.reserve);
    config.warn_percent = 79;
    assert_true(capacity_of(&config, &room, 0).warns[CAPACITY_DISK]);
}

TEST(capacity__of_the_largest_disk_is_right)
{
    struct config config = till_config();
    struct store_room room = {.disk_bytes = INT64_MAX, .free_bytes = INT64_MAX / 10};
    struct capacity c = capacity_of(&config, &room, 0);
    assert_int_equal(c.used_permille[CAPACITY_DISK], 899);
    assert_int_equal(c.used_permille[CAPACITY_QUOTA], 0); // there is none
}

TEST(capacity__counts_an_outbox_only_where_there_is_an_upstream)
{
    struct config config = till_config();
    struct store_room room = {.disk_bytes = 1};
    config.outbox_events = 10;
    assert_false(capacity_of(&config, &room, 99).reserve);
    config.upstream_count = 1;
    struct capacity c = capacity_of(&config, &room, 8);
    assert_true(c.warns[CAPACITY_OUTBOX] && !c.reserve);
    assert_true(capacity_of(&config, &room, 10).reserve);
}
