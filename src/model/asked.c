// SPDX-License-Identifier: Apache-2.0
#include "model/asked.h"

#include "model/question.h"

// Judgements and answers are all that comes here, and the record reads both by itself.
static enum err_code decode(const struct event *event, struct arena *kept, const void **ret_op,
                            struct err *e)
{
    (void)event, (void)kept, (void)e;
    *ret_op = NULL;
    return ERR_OK;
}

static enum err_code apply(void *state, const struct record_entry *entry, struct arena *folded)
{
    (void)state, (void)entry, (void)folded;
    return ERR_OK;
}

static enum err_code rows(const void *state, struct str record_id, struct row_list *to)
{
    (void)state, (void)record_id, (void)to;
    return ERR_OK;
}

static const struct row_table *const tables[] = {&question_table, NULL};

#define ASKED(type, edits_)                                                                        \
    {                                                                                              \
        .record_type = type, .only_asked = true, .tables = tables, .questions = question_none,     \
        .edits = edits_, .state_bytes = 1, .decode = decode, .apply = apply, .rows = rows          \
    }
const struct reducer stock_reducer = ASKED("stock", true);
const struct reducer ticket_reducer = ASKED("ticket", false);
