// SPDX-License-Identifier: Apache-2.0
#include "model/quantity.h"

#include "base/decimal.h"
#include "model/body.h"
#include "model/event_type.h"
#include "model/mutant.h"

#include <stdio.h>
#include <string.h>

static bool is_count(const struct event_type *type)
{
    return strcmp(type->name, "inventory_adjusted") == 0 ||
           strcmp(type->name, "inventory_counted") == 0;
}

static bool is_sale(const struct event_type *type)
{
    return strcmp(type->name, "inventory_sold") == 0;
}

bool quantity_may_claim(const struct event_type *type)
{
    return is_count(type) || is_sale(type);
}

bool quantity_claim_of(const struct event *event, struct quantity_claim *ret)
{
    bool counted = is_count(event->type);
    const char *shown = counted ? "system" : "seen_quantity";
    if (!quantity_may_claim(event->type) || body_find(event->body, shown) == NULL)
        return false;
    *ret = (struct quantity_claim){.sku = body_text(event->body, "sku"),
                                   .shown = body_decimal(event->body, shown),
                                   .delta = counted ? body_decimal(event->body, "variance")
                                                    : -body_decimal(event->body, "quantity"),
                                   .counted = counted};
    return true;
}

// ---- judging ----------------------------------------------------------------------------------

// Wide enough for any sum of what a walk may give.
struct sums {
    __int128 unseen;  // of others
    __int128 earlier; // of those: what stands before the event
    __int128 later;   // the author's own, behind the event
};

// Of one stream seq decides, whatever its clock did.
static bool is_behind(const struct event_order *a, const struct event_order *b)
{
    if (uuid_equal(&a->origin, &b->origin) && a->lane == b->lane)
        return a->seq > b->seq;
    return event_order_compare(a, b) > 0;
}

static bool is_same(const struct event_order *a, const struct event_order *b)
{
    return uuid_equal(&a->origin, &b->origin) && a->lane == b->lane && a->seq == b->seq;
}

static struct sums sum_up(const struct quantity_view *view)
{
    struct sums sums = {0, 0, 0};
    for (size_t i = 0; i < view->count; i++) {
        const struct quantity_move *move = &view->moves[i];
        bool own = uuid_equal(&move->device, &view->device);
        bool behind = is_behind(&move->order, &view->order);
        if (is_same(&move->order, &view->order))
            continue; // the event itself
        sums.later += own && behind ? move->delta : 0;
        sums.unseen += own ? 0 : move->delta;
        sums.earlier += own || behind ? 0 : move->delta;
    }
    return sums;
}

static bool is_sayable(__int128 number)
{
    return number >= -LIMIT_DECIMAL && number <= LIMIT_DECIMAL;
}

bool quantity_judge(const struct quantity_claim *claim, const struct quantity_view *view,
                    struct judgement *ret)
{
    struct sums sums = sum_up(view);
    __int128 expected = (__int128)view->stock - claim->delta - sums.later - sums.unseen;
    __int128 difference = claim->shown - expected;
    bool overlaps = difference == 0 && claim->counted && sums.earlier != 0;
    __int128 correction = overlaps ? -sums.earlier : difference;
    if (correction == 0 || !is_sayable(expected) || !is_sayable(correction))
        return false;
    ret->verdict =
        (struct verdict){JUDGED_APPLIED, .reason = overlaps ? REASON_OVERLAP : REASON_DIFFERENCE};
    ret->quantity = (struct judged_quantity){claim->shown, (int64_t)expected, (int64_t)correction};
    return true;
}

bool quantity_judge_unseen(const struct quantity_claim *claim, const struct quantity_view *view,
                           struct judgement *ret)
{
    __int128 there = (__int128)view->stock - claim->delta;
    if (!claim->counted || claim->shown == there || !is_sayable(there))
        return false;
    ret->verdict = (struct verdict){JUDGED_APPLIED, .reason = REASON_UNCHECKED};
    ret->quantity = (struct judged_quantity){claim->shown, (int64_t)there, 0};
    return true;
}

// ---- below zero -------------------------------------------------------------------------------

enum quantity_below quantity_below(const struct quantity_turn *turn)
{
    bool enough = turn->now >= -turn->tolerance;
    if (enough)
        return turn->asked && !MUTANT(below_stays) ? BELOW_EXPLAINED : BELOW_AS_IT_WAS;
    bool turned = (turn->before >= -turn->tolerance && !MUTANT(below_unasked)) || turn->brought;
    return turned && !turn->asked ? BELOW_ASK : BELOW_AS_IT_WAS;
}

// ---- asking -----------------------------------------------------------------------------------

bool quantity_is_asked(enum verdict_reason reason)
{
    return reason == REASON_DIFFERENCE || reason == REASON_OVERLAP || reason == REASON_BELOW_ZERO ||
           reason == REASON_UNCHECKED;
}

static enum err_code take(struct arena *a, const char *text, struct str *ret)
{
    *ret = arena_copy(a, str_of(text));
    return ret->p ? ERR_OK : ERR_NO_MEMORY;
}

static enum err_code ask_below_zero(const struct judgement *judgement, struct arena *a,
                                    struct question *ret)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_format(judgement->quantity.shown, text);
    ret->suggested = DECISION_ACCEPT;
    ret->why = "What was sold stands. Goods that came and were not booked, or a count, explain it; "
               "an edit is the adjustment to be made.";
    return take(a, text, &ret->sides[0].value);
}

static enum err_code ask_unchecked(const struct judgement *judgement, struct arena *a,
                                   struct question *ret)
{
    char shown[DECIMAL_TEXT_MAX], there[DECIMAL_TEXT_MAX], text[3 * DECIMAL_TEXT_MAX];
    decimal_format(judgement->quantity.shown, shown);
    decimal_format(judgement->quantity.expected, there);
    (void)snprintf(text, sizeof text, "%s was shown; %s was there as it came", shown, there);
    ret->suggested = DECISION_ACCEPT;
    ret->why =
        "What moved in between may explain it. The count stands; counting again tells, and an "
        "edit is the adjustment to be made.";
    return take(a, text, &ret->sides[0].value);
}

enum err_code quantity_ask(const struct judgement *judgement, __int128 correction, struct arena *a,
                           struct question *ret)
{
    char shown[DECIMAL_TEXT_MAX], other[DECIMAL_TEXT_MAX], text[3 * DECIMAL_TEXT_MAX];
    const struct judged_quantity *q = &judgement->quantity;
    bool overlaps = judgement->verdict.reason == REASON_OVERLAP;
    if (judgement->verdict.reason == REASON_BELOW_ZERO)
        return ask_below_zero(judgement, a, ret);
    if (judgement->verdict.reason == REASON_UNCHECKED)
        return ask_unchecked(judgement, a, ret);
    decimal_format(q->shown, shown);
    decimal_format(overlaps ? -(__int128)q->correction : q->expected, other);
    (void)snprintf(text, sizeof text,
                   overlaps ? "%s was shown; %s had moved before, unseen"
                            : "%s was shown; %s was to be expected",
                   shown, other);
    enum err_code code = take(a, text, &ret->sides[0].value);
    ret->why = NULL;
    if (code || correction == 0)
        return code;
    decimal_format(correction, other);
    ret->suggested = DECISION_EDIT;
    ret->why = overlaps ? "An adjustment would put back what the count took out a second time."
                        : "An adjustment would bring the account to what was shown.";
    return take(a, other, &ret->value);
}
