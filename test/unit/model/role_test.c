// SPDX-License-Identifier: Apache-2.0
#include "model/role.h"
#include "test/unit/unit.h"

static uint32_t rights_of(const char *name)
{
    const struct role *role = role_find(str_of(name));
    assert_non_null(role);
    return role->rights;
}

TEST(role__each_may_what_it_is_for_and_no_more)
{
    assert_int_equal(rights_of("owner"), RIGHTS_ALL);
    assert_int_equal(rights_of("auditor"), 0);
    assert_int_equal(rights_of("kitchen"), RIGHT(KITCHEN));
    assert_int_equal(rights_of("waiter"), RIGHT(ORDER) | RIGHT(FLOOR));
    assert_int_equal(rights_of("cashier"), rights_of("waiter") | RIGHT(SELL) | RIGHT(SHIFT));
    assert_int_equal(rights_of("supervisor"), rights_of("manager") | RIGHT(CATALOG));
    uint32_t head_office = RIGHT(CATALOG) | RIGHT(PEOPLE) | RIGHT(CHAIN);
    assert_int_equal(rights_of("manager"), RIGHTS_ALL & ~head_office);
}

TEST(role__only_an_owner_says_who_belongs_to_the_chain)
{
    for (size_t i = 0; i < role_count; i++) {
        bool owner = str_is(STR("owner"), role_table[i].name);
        assert_ptr_equal(role_find(str_of(role_table[i].name)), &role_table[i]);
        assert_int_equal(rights_have(role_table[i].rights, MAY_CHAIN), owner);
        assert_int_equal(rights_have(role_table[i].rights, MAY_PEOPLE), owner);
        assert_false(rights_have(role_table[i].rights, MAY_NODE));
        assert_true(role_table[i].why[0] != '\0');
    }
    assert_null(role_find(STR("king")));
    assert_null(role_find(STR("")));
}

TEST(role__all_are_listed_for_people)
{
    char list[ROLE_LIST_MAX];
    role_list(list);
    assert_string_equal(list, "cashier, waiter, kitchen, manager, supervisor, owner or auditor");
}
