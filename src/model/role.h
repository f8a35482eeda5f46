// SPDX-License-Identifier: Apache-2.0
// The roles that a token may have, and what each may ask of the HTTP API.
#ifndef WASL_MODEL_ROLE_H
#define WASL_MODEL_ROLE_H

#include "base/str.h"

enum { ROLE_LIST_MAX = 128 };

struct role {
    const char *name;
    bool writes;      // may append events
    bool administers; // may let devices in and out, and make tokens
    const char *why;
};
extern const struct role role_table[];
extern const size_t role_count;

const struct role *role_find(struct str name); // NULL when there is none
// "cashier, waiter, ... or auditor", for people.
void role_list(char to[ROLE_LIST_MAX]);

#endif
