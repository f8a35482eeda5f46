// SPDX-License-Identifier: Apache-2.0
#include "model/rights.h"

#include "model/body.h"
#include "model/event_type.h"

#include <stdio.h>

const struct right_row right_table[RIGHT_COUNT] = {
    [MAY_ORDER] = {"order", "take orders, change, move, split and merge them, fire them"},
    [MAY_SELL] = {"sell", "take money and complete sales; take back what a customer returns"},
    [MAY_SHIFT] = {"shift", "open and close a shift, move cash, open the drawer"},
    [MAY_FLOOR] = {"floor", "tables, reservations, guests, and what could not be served"},
    [MAY_KITCHEN] = {"kitchen", "bump tickets, say what is sold out"},
    [MAY_DISCOUNT] = {"discount", "give a discount on an order: money that is not taken"},
    [MAY_VOID] = {"void", "void an order: what was ordered need not be paid"},
    [MAY_REFUND] = {"refund", "give money back"},
    [MAY_STOCK] = {"stock", "receive, send, count and throw away goods"},
    [MAY_ADJUST] = {"adjust", "set stock to what was found: it hides what is missing"},
    [MAY_PRICE] = {"price", "sell at another price than the catalog's"},
    [MAY_REVIEW] = {"review", "answer the questions of one's own place"},
    [MAY_SETTINGS] = {"settings", "settings of one's own place"},
    [MAY_CATALOG] = {"catalog", "items, prices, taxes, promotions and recipes of the chain"},
    [MAY_PEOPLE] = {"people", "who works where, in which role, and what roles may do"},
    [MAY_CHAIN] = {"chain", "places, devices, authorities, settings of the whole chain"},
    [MAY_NODE] = {"node", "nobody's: nodes write it themselves"},
};

// Where the body decides, or that it is of the whole chain, and not the type alone.
static const struct {
    const char *type;
    const char *field, *value;
    enum event_right right;
} finer[] = {
    {"order_set", "field", "discount", MAY_DISCOUNT},
    {"price_set", NULL, NULL, MAY_CATALOG}, // of the chain
    {"setting_set", NULL, NULL, MAY_CHAIN}, // of the chain
};

enum err_code rights_parse(struct str name, enum event_right *ret)
{
    for (int i = 0; i < MAY_NODE; i++) {
        if (str_is(name, right_table[i].name)) {
            *ret = (enum event_right)i;
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}

bool rights_have(uint32_t set, enum event_right right)
{
    return (set >> right & 1) != 0;
}

enum event_right rights_needed(const struct event *event)
{
    for (size_t i = 0; i < sizeof finer / sizeof finer[0]; i++) {
        bool fits = finer[i].field ? str_is(body_text(event->body, finer[i].field), finer[i].value)
                                   : str_is(event->location, "*");
        if (fits && str_is(event->type_name, finer[i].type))
            return finer[i].right;
    }
    return event->type->right;
}

enum rights_answer rights_check(const struct event *event, const struct rights_actor *actor)
{
    if (!actor->known)
        return RIGHTS_UNKNOWN_ACTOR;
    if (!actor->active)
        return RIGHTS_NOT_ACTIVE;
    if (!actor->here)
        return RIGHTS_NOT_HERE;
    return rights_have(actor->rights, rights_needed(event)) ? RIGHTS_ALLOWED : RIGHTS_NO_RIGHT;
}

static const char *const sentences[] = {
    [RIGHTS_ALLOWED] = "may do this",
    [RIGHTS_UNKNOWN_ACTOR] = "is not known",
    [RIGHTS_NOT_ACTIVE] = "does not work here any more",
    [RIGHTS_NOT_HERE] = "does not work at this place",
    [RIGHTS_NO_RIGHT] = "lacks the right",
};

void rights_explain(const struct event *event, enum rights_answer answer, char *to)
{
    const char *right = answer == RIGHTS_NO_RIGHT ? right_table[rights_needed(event)].name : "";
    (void)snprintf(to, ERR_TEXT_MAX, "event: actor: %.*s %s%s%s%s", STR_ARG(event->actor),
                   sentences[answer], right[0] ? " '" : "", right, right[0] ? "'" : "");
}
