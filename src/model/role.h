// SPDX-License-Identifier: Apache-2.0
// The roles that come with the program, and the rights of each.
//
// A person's role may also be one that role_set made; a token's is one of these.
#ifndef WASL_MODEL_ROLE_H
#define WASL_MODEL_ROLE_H

#include "model/rights.h"

enum { ROLE_LIST_MAX = 128 };

struct role {
    const char *name;
    uint32_t rights; // unless role_set said otherwise
    const char *why;
};
extern const struct role role_table[];
extern const size_t role_count;

const struct role *role_find(struct str name); // NULL when there is none
// "cashier, waiter, ... or auditor", for people.
void role_list(char to[ROLE_LIST_MAX]);

#endif
