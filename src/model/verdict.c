// SPDX-License-Identifier: Apache-2.0
#include "model/verdict.h"

static const char *const names[] = {"none", "applied", "held", "denied", "duplicate"};

static const struct {
    const char *name, *text;
    bool asks;
} reasons[REASON_COUNT] = {
    [REASON_NONE] = {"none", "Nothing was said.", false},
    [REASON_LATE] = {"late", "It came later than events of its type may wait.", true},
    [REASON_CLOCK] = {"clock", "The clock of its device was off.", true},
    [REASON_UNAUTHORISED] = {"unauthorised", "Its author had no right to it.", true},
    [REASON_PRICE] = {"price", "It was sold at another price than its catalog's.", true},
    [REASON_STOCK] = {"stock", "Decided against what is really there.", false},
    [REASON_DEADLINE] = {"deadline", "Nobody confirmed it in time.", false},
    [REASON_COMPLETED_TWICE] = {"completed_twice", "The bill was completed before.", false},
    [REASON_ANSWERED] = {"answered", "A person answered.", false},
    [REASON_DIFFERENCE] = {"difference",
                           "Its author saw another quantity than the events that it knew of give.",
                           true},
    [REASON_OVERLAP] = {"overlap",
                        "It counted what was there without knowing of all that had moved before.",
                        true},
    [REASON_BELOW_ZERO] = {"below_zero", "More was taken than there is by the account.", true},
    [REASON_EXPLAINED] = {"explained", "What came since answers what was asked about it.", false},
    [REASON_OUTRANKED] = {"outranked", "A branch set a price that is the head office's to set.",
                          true},
    [REASON_PAYMENTS] = {"payments", "What was paid is not what it comes to.", true},
    [REASON_UNCHECKED] =
        {"unchecked",
         "Its author saw another quantity than there was, and what it had not seen "
         "is not known.",
         true},
    [REASON_ODD] = {"odd", "What it says cannot be so.", true},
};

bool verdict_applies(enum verdict_outcome outcome)
{
    return outcome == JUDGED_NOT || outcome == JUDGED_APPLIED;
}

bool verdict_asks(const struct verdict *verdict)
{
    return verdict->outcome != JUDGED_NOT && reasons[verdict->reason].asks;
}

bool verdict_supersedes(const struct verdict *a, const struct verdict *b)
{
    if (b->outcome == JUDGED_NOT || a->outcome == JUDGED_NOT)
        return a->outcome != JUDGED_NOT;
    if (uuid_is_zero(&a->answer) != uuid_is_zero(&b->answer))
        return !uuid_is_zero(&a->answer);
    if (a->term != b->term)
        return a->term > b->term;
    if ((a->outcome == JUDGED_DUPLICATE) != (b->outcome == JUDGED_DUPLICATE))
        return a->outcome == JUDGED_DUPLICATE;
    int order = event_order_compare(&a->by, &b->by);
    return order ? order < 0 : uuid_compare(&a->id, &b->id) < 0;
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

const char *verdict_reason_name(enum verdict_reason reason)
{
    return reasons[reason].name;
}

enum err_code verdict_reason_parse(struct str text, enum verdict_reason *ret)
{
    for (int i = 0; i < REASON_COUNT; i++) {
        if (str_is(text, reasons[i].name)) {
            *ret = (enum verdict_reason)i;
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}

const char *verdict_reason_text(enum verdict_reason reason)
{
    return reasons[reason].text;
}
