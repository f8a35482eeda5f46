// SPDX-License-Identifier: Apache-2.0
// Table-driven state machines: one writer of the state, a forbidden move aborts.
#ifndef WASL_BASE_SM_H
#define WASL_BASE_SM_H

#include <stdbool.h>
#include <stddef.h>

struct sm_row {
    int state;
    int event;
    int next;
    const char *why;
};
struct sm_table {
    const char *name;
    const struct sm_row *rows;
    size_t row_count;
    const char *const *state_names; // by state number
    const char *const *event_names;
};
struct sm {
    const struct sm_table *table;
    int state;
};

void sm_init(struct sm *m, const struct sm_table *table, int state);
bool sm_may(const struct sm *m, int event);
void sm_move(struct sm *m,
             int event); // aborts, naming machine, state and event, when not in the table
const char *sm_state_name(const struct sm *m);

#endif
