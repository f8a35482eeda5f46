// SPDX-License-Identifier: Apache-2.0
#include "model/role.h"

#include <stdio.h>

#define WAITER  (RIGHT(ORDER) | RIGHT(FLOOR))
#define CASHIER (WAITER | RIGHT(SELL) | RIGHT(SHIFT))
#define MANAGER                                                                                    \
    (CASHIER | RIGHT(KITCHEN) | RIGHT(DISCOUNT) | RIGHT(VOID) | RIGHT(REFUND) | RIGHT(STOCK) |     \
     RIGHT(ADJUST) | RIGHT(PRICE) | RIGHT(REVIEW) | RIGHT(SETTINGS))

const struct role role_table[] = {
    {"cashier", CASHIER, "sells"},
    {"waiter", WAITER, "takes orders"},
    {"kitchen", RIGHT(KITCHEN), "cooks, and says what is sold out"},
    {"manager", MANAGER, "answers for a branch: its money, its stock, its questions"},
    {"supervisor", MANAGER | RIGHT(CATALOG), "decides where two of the same rank differ"},
    {"owner", RIGHTS_ALL, "says who and which devices belong to the chain"},
    {"auditor", 0, "reads everything and changes nothing"},
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
