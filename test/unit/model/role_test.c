// SPDX-License-Identifier: Apache-2.0
#include "model/role.h"
#include "test/unit/unit.h"

TEST(role__only_an_owner_administers_and_some_only_read)
{
    for (size_t i = 0; i < role_count; i++) {
        const struct role *role = role_find(str_of(role_table[i].name));
        assert_ptr_equal(role, &role_table[i]);
        assert_int_equal(role->administers, str_is(STR("owner"), role->name));
        assert_true(role->writes || !role->administers);
        assert_true(role->why[0] != '\0');
    }
    assert_false(role_find(STR("auditor"))->writes);
    assert_false(role_find(STR("kitchen"))->writes);
    assert_null(role_find(STR("king")));
    assert_null(role_find(STR("")));
}

TEST(role__all_are_listed_for_people)
{
    char list[ROLE_LIST_MAX];
    role_list(list);
    assert_string_equal(list, "cashier, waiter, kitchen, manager, supervisor, owner or auditor");
}
