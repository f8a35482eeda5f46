// SPDX-License-Identifier: Apache-2.0
#include "sim/shop_end.h"

static bool said(const struct shop_end *end, int target, enum verdict_reason reason)
{
    for (int i = 0; i < end->of->count; i++) {
        const struct shop_item *s = end->of->items[i]->shop;
        if (end->counted[i] && s->verb == SHOP_JUDGE && s->target == target &&
            s->verdict.reason == reason)
            return true;
    }
    return false;
}

static bool is_second(const struct shop_end *end, int i)
{
    return said(end, i, REASON_COMPLETED_TWICE);
}

// Whoever had no right to it: never settled silently, and without effect where it is a wish.
static void check_right(const struct shop_end *end, int i)
{
    const struct shop_item *s = end->of->items[i]->shop;
    bool mistrusted = said(end, i, REASON_UNAUTHORISED);
    if (mistrusted && !s->unauthorised)
        shop_end_wrong(end, i, "its author had the right, and was mistrusted");
    if (!s->unauthorised || is_second(end, i))
        return;
    if (!mistrusted)
        shop_end_wrong(end, i, "its author had no right to it, and nobody said so");
    else if (shop_end_is_wish(end, i) && shop_end_item(end, i) && !said(end, i, REASON_ANSWERED))
        shop_end_wrong(end, i, "its author had no right to wish it, and it holds");
    else if (!shop_is_asked(end, "unauthorised", i, i))
        shop_end_wrong(end, i, "its author had no right to it, and nobody is asked");
}

// What comes from the future has the place of its coming, however it was judged.
static void check_clock(const struct shop_end *end, int i)
{
    const struct item *item = end->of->items[i];
    int64_t ahead_ms = hlc_ms(end->counted[i]->shop->order.hlc) - item->shop->arrived_ms;
    if (item->shop->retried || is_second(end, i))
        return; // another carrier of it may have come first
    if (ahead_ms > LIMIT_CLOCK_SKEW_MS &&
        (end->moved[i] == NULL ||
         hlc_ms(end->moved[i]->verdict.effective) != item->shop->arrived_ms))
        shop_end_wrong(end, i, "it came from the future, and stands there");
    if (ahead_ms <= LIMIT_CLOCK_SKEW_MS && end->moved[i])
        shop_end_wrong(end, i, "its clock was right, and it does not stand by it");
}

// Nobody is mistrusted who said what the till showed.
void shop_stock_check(const struct shop_end *end)
{
    for (int i = 0; i < end->of->count && end->w->knobs.honest; i++) {
        const struct shop_item *s = end->of->items[i]->shop;
        bool differs = s->verb == SHOP_JUDGE && s->verdict.reason == REASON_DIFFERENCE;
        if (end->counted[i] == NULL || s->verb != SHOP_JUDGE)
            continue;
        if (differs && s->about->claim.lie == 0)
            shop_end_wrong(end, i, "a quantity that was shown is said to differ");
        if (!shop_is_asked(end, verdict_reason_name(s->verdict.reason), i, i))
            shop_end_wrong(end, i, "a quantity is in question, and nobody is asked");
    }
}

void shop_judge_check(const struct shop_end *end)
{
    for (int i = 0; i < end->of->count; i++) {
        const struct item *item = end->of->items[i];
        if (end->counted[i] == NULL || item->of_centre)
            continue;
        check_right(end, i);
        check_clock(end, i);
    }
}
