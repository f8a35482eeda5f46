// SPDX-License-Identifier: Apache-2.0
#include "model/id_map.h"

#include "test/unit/model/history.h"
#include "test/unit/unit.h"

enum { THINGS = 3000 };

static struct thing {
    struct uuid id;
    int number;
} things[THINGS];

TEST(id_map__finds_each_thing_by_its_id_and_no_other)
{
    struct id_map map = {.count = 0};
    struct arena a;
    arena_init(&a, 1 << 20);
    assert_null(id_map_find(&map, &things[0].id));
    for (int i = 0; i < THINGS; i++) {
        things[i] = (struct thing){history_id((uint64_t)i), i};
        assert_null(id_map_find(&map, &things[i].id));
        assert_int_equal(id_map_put(&map, &things[i], &a), ERR_OK);
    }
    assert_int_equal(map.count, THINGS);
    for (int i = 0; i < THINGS; i++) {
        struct uuid id = history_id((uint64_t)i);
        assert_ptr_equal(id_map_find(&map, &id), &things[i]);
    }
    id_map_clear(&map);
    assert_null(id_map_find(&map, &things[0].id));
    assert_int_equal(map.count, 0);
    arena_fini(&a);
}

TEST(id_map__puts_a_thing_in_the_stead_of_what_has_its_id)
{
    struct id_map map = {.count = 0};
    struct thing first = {history_id(1), 1}, second = {history_id(1), 2};
    struct arena a;
    arena_init(&a, 1 << 12);
    assert_int_equal(id_map_put(&map, &first, &a), ERR_OK);
    assert_int_equal(id_map_put(&map, &second, &a), ERR_OK);
    assert_int_equal(map.count, 1);
    assert_ptr_equal(id_map_find(&map, &first.id), &second);
    arena_fini(&a);
}

TEST(id_map__is_as_it_was_when_memory_ends)
{
    struct id_map map = {.count = 0};
    struct arena a;
    int full = 0;
    arena_init(&a, 1 << 10);
    while (id_map_put(&map, &things[full], &a) == ERR_OK) {
        things[full + 1].id = history_id((uint64_t)full + 1);
        full++;
    }
    assert_true(full > 8 && full < 100);
    assert_int_equal(map.count, full);
    assert_null(id_map_find(&map, &things[full].id));
    assert_ptr_equal(id_map_find(&map, &things[full - 1].id), &things[full - 1]);
    arena_fini(&a);
}
