// SPDX-License-Identifier: Apache-2.0
#include "model/role.h"

#include <stdio.h>

const struct role role_table[] = {
    {"cashier", true, false, "sells"},
    {"waiter", true, false, "takes orders"},
    {"kitchen", false, false, "reads what is to be cooked"},
    {"manager", true, false, "receives and counts the branch's stock"},
    {"supervisor", true, false, "decides where two of the same rank differ"},
    {"owner", true, true, "says which devices belong to the chain"},
    {"auditor", false, false, "reads everything and changes nothing"},
};
const size_t role_count = sizeof role_table / sizeof role_table[0];

const struct role *role_find(struct str name)
{
    for (size_t i = 0; i < role_count; i++) {
        if (str_is(name, role_table[i].name))
            return &role_table[i];
    }
    return NULL;
}

void role_list(char to[ROLE_LIST_MAX])
{
    size_t n = 0;
    for (size_t i = 0; i < role_count; i++) {
        const char *before = i == 0 ? "" : i + 1 < role_count ? ", " : " or ";
        n += (size_t)snprintf(to + n, ROLE_LIST_MAX - n, "%s%s", before, role_table[i].name);
        MUST(n < ROLE_LIST_MAX);
    }
}
