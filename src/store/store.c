// SPDX-License-Identifier: Apache-2.0
// Names that are the same whatever keeps the store.
#include "store/store.h"

static const char *const role_names[] = {"terminal", "branch", "central"};

const char *node_role_name(enum node_role role)
{
    return role_names[role];
}

enum err_code node_role_parse(struct str text, enum node_role *ret)
{
    for (int i = 0; i <= ROLE_CENTRAL; i++) {
        if (str_is(text, role_names[i])) {
            *ret = (enum node_role)i;
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}

const char *event_status_name(enum event_status status)
{
    static const char *const names[] = {"pending", "held",        "settled",  "conflict",
                                        "review",  "dead_letter", "duplicate"};
    return names[status];
}
