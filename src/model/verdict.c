// SPDX-License-Identifier: Apache-2.0
#include "model/verdict.h"

static const char *const names[] = {"none", "applied", "held", "denied", "duplicate"};

bool verdict_applies(enum verdict_outcome outcome)
{
    return outcome == JUDGED_NOT || outcome == JUDGED_APPLIED;
}

bool verdict_supersedes(const struct verdict *a, const struct verdict *b)
{
    if (b->outcome == JUDGED_NOT || a->outcome == JUDGED_NOT)
        return a->outcome != JUDGED_NOT;
    if (a->term != b->term)
        return a->term > b->term;
    return event_order_compare(&a->by, &b->by) < 0;
}

const char *verdict_name(enum verdict_outcome outcome)
{
    return names[outcome];
}

enum err_code verdict_parse(struct str text, enum verdict_outcome *ret)
{
    for (int i = JUDGED_APPLIED; i <= JUDGED_DUPLICATE; i++) {
        if (str_is(text, names[i])) {
            *ret = (enum verdict_outcome)i;
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}
