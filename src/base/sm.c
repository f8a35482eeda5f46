// SPDX-License-Identifier: Apache-2.0
#include "base/sm.h"

#include "base/err.h"

#include <stdio.h>

static const struct sm_row *find_row(const struct sm *m, int event)
{
    for (size_t i = 0; i < m->table->row_count; i++) {
        const struct sm_row *row = &m->table->rows[i];
        if (row->state == m->state && row->event == event) {
            return row;
        }
    }
    return NULL;
}

void sm_init(struct sm *m, const struct sm_table *table, int state)
{
    *m = (struct sm){.table = table, .state = state};
}

bool sm_may(const struct sm *m, int event)
{
    return find_row(m, event) != NULL;
}

void sm_move(struct sm *m, int event)
{
    const struct sm_row *row = find_row(m, event);
    if (row == NULL) {
        char text[256];
        (void)snprintf(text, sizeof text, "%s: event %s is forbidden in state %s", m->table->name,
                       m->table->event_names[event], sm_state_name(m));
        err_bug(text, __FILE__, __LINE__);
    }
    m->state = row->next;
}

const char *sm_state_name(const struct sm *m)
{
    return m->table->state_names[m->state];
}
