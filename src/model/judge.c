// SPDX-License-Identifier: Apache-2.0
#include "model/judge.h"

#include "model/event_type.h"
#include "model/limits.h"
#include "model/mutant.h"

// The clock that counts instead of one from the future.
static bool clamp(const struct event *event, const struct judge_view *view, hlc *ret)
{
    int64_t limit_ms = MUTANT(skew_ignored) ? LIMIT_CLOCK_SKEW_MS : view->skew_limit_ms;
    if (hlc_ms(event->hlc) - view->now_ms <= limit_ms)
        return false;
    *ret = (hlc)view->now_ms << 16 | (event->hlc & 0xffff);
    return true;
}

static bool is_late(const struct event *event, const struct judge_view *view)
{
    if (MUTANT(late_unasked) && event->type->nature == NATURE_FACT)
        return false;
    return view->now_ms - hlc_ms(event->hlc) > view->pending_ms;
}

bool judge_arrival(const struct event *event, const struct judge_view *view, struct verdict *ret)
{
    bool fact = event->type->nature == NATURE_FACT;
    *ret = (struct verdict){.outcome = JUDGED_APPLIED, .term = view->term};
    if (clamp(event, view, &ret->effective))
        ret->reason = REASON_CLOCK;
    if (is_late(event, view))
        ret->reason = REASON_LATE;
    if (view->outranked && !MUTANT(rank_ignored))
        ret->reason = REASON_OUTRANKED;
    if (view->without_right)
        ret->reason = REASON_UNAUTHORISED;
    if (!fact && ret->reason != REASON_CLOCK && ret->reason != REASON_NONE)
        ret->outcome = JUDGED_HELD;
    return ret->reason != REASON_NONE;
}
