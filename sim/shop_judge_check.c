// SPDX-License-Identifier: Apache-2.0
#include "sim/oracle.h"
#include "sim/shop_end.h"

#include <string.h>

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

// A restored centre heard it once it was confirmed, by its own clock.
static bool was_heard(const struct shop_end *end, int i)
{
    return end->of->items[i]->shop->verb == SHOP_REQUEST && end->w->lines > 0;
}

static bool is_answered(const struct shop_end *end, int target)
{
    for (int i = 0; i < end->of->count; i++) {
        const struct shop_item *s = end->of->items[i]->shop;
        if (end->counted[i] && s->verb == SHOP_JUDGE && s->target == target &&
            !uuid_is_zero(&s->verdict.answer))
            return true;
    }
    return false;
}

// Whoever had no right to it, or no rank: never settled silently, and without effect where it is a
// wish.
static void check_author(const struct shop_end *end, int i, enum verdict_reason reason)
{
    bool due = end->of->items[i]->due == reason, mistrusted = said(end, i, reason);
    if (mistrusted && !due)
        shop_end_wrong(end, i, "its author might do it, and was mistrusted");
    if (!due || is_second(end, i))
        return;
    if (!mistrusted)
        shop_end_wrong(end, i, "its author might not do it, and nobody said so");
    else if (shop_end_is_wish(end, i) && shop_end_item(end, i) && !is_answered(end, i))
        shop_end_wrong(end, i, "its author might not wish it, and it holds");
    else if (!shop_is_asked(end, verdict_reason_name(reason), i, i))
        shop_end_wrong(end, i, "its author might not do it, and nobody is asked");
}

// What comes from the future has the place of its coming, however it was judged.
static void check_clock(const struct shop_end *end, int i)
{
    const struct item *item = end->of->items[i];
    if (item->shop->retried || is_second(end, i) || was_heard(end, i))
        return; // another carrier of it may have come first
    if (item->clamped &&
        (end->moved[i] == NULL || hlc_ms(end->moved[i]->verdict.effective) != item->arrived_ms))
        shop_end_wrong(end, i, "it came from the future, and stands there");
    if (!item->clamped && end->moved[i])
        shop_end_wrong(end, i, "its clock was right, and it does not stand by it");
}

// A wish that came too late waits, or somebody let it wait no longer.
static void check_late(const struct shop_end *end, int i)
{
    const struct item *item = end->of->items[i];
    bool waits = shop_end_is_wish(end, i) && item->shop->verb != SHOP_REQUEST;
    if (item->due == REASON_LATE && waits && !is_second(end, i) && !said(end, i, REASON_LATE))
        shop_end_wrong(end, i, "it came too late, and holds");
    if (item->due != REASON_LATE && said(end, i, REASON_LATE))
        shop_end_wrong(end, i, "it came in time, and is said to be late");
}

// ---- batches ----------------------------------------------------------------------------------

static bool is_due(const struct carrier *c, enum verdict_reason reason)
{
    const struct item *item = c->item;
    if (item->counted == 0 || item->came_by != c || item->due != reason)
        return false;
    return item->shop == NULL || item->shop->verb != SHOP_REQUEST;
}

// Each event that came late, or from the future, is in one part of the batch of its stream.
void shop_batch_check(const struct shop_end *end)
{
    const struct stream *of = NULL;
    enum verdict_reason reason = REASON_NONE;
    uint8_t *parts = arena_alloc_zero(&end->w->scratch, 1);
    for (int i = 0; i < end->of->count; i++) {
        const struct shop_item *s = end->of->items[i]->shop;
        if (end->counted[i] == NULL || s->verb != SHOP_JUDGE)
            continue;
        if (of == NULL) {
            of = oracle_stream_find(end->w, &s->part);
            parts = arena_alloc_zero(&end->w->scratch, of->count + 1);
            MUST(parts != NULL);
        }
        reason = s->verdict.reason;
        for (uint64_t seq = s->first_seq; seq <= s->last_seq; seq++)
            parts[seq]++;
        if (!shop_is_asked(end, verdict_reason_name(reason), i, i))
            shop_end_wrong(end, i, "a part of a batch, and nobody is asked");
    }
    for (uint64_t seq = 1; of && seq <= of->count; seq++) {
        const struct carrier *c = of->carriers[seq - 1];
        bool second = shop_is_second(c->item) && parts[seq] <= 1; // before or after it was judged
        if (!second && parts[seq] != is_due(c, reason))
            world_fail(end->w, SIM_DIVERGENT, "%s: seq %d of its stream is in %d parts",
                       end->of->id, (int)seq, parts[seq]);
    }
}

// What must be in a batch that was never begun.
void shop_batches_check(struct world *w)
{
    char id[BATCH_ID_SIZE];
    for (uint64_t i = 0; i < w->item_count && !world_failed(w); i++) {
        const struct item *item = w->items[i];
        const struct carrier *c = item->came_by;
        bool batched = item->due == REASON_LATE || item->due == REASON_CLOCK;
        if (c == NULL || !batched || !is_due(c, item->due) || shop_is_second(item))
            continue;
        batch_id(&c->stream->key, item->due, id);
        const struct shop_record *of = shop_record_find(w, item->place, SHOP_BATCH, id);
        if (of == NULL || shop_said_first(&w->centre.book, of) == NULL)
            world_fail(w, SIM_DIVERGENT, "%s: an event came %s, and nobody is asked",
                       world_place(item->place), verdict_reason_name(item->due));
    }
}

// ---- stock ------------------------------------------------------------------------------------

// Nobody is mistrusted who said what the till showed, or had the right.
void shop_stock_check(const struct shop_end *end)
{
    for (int i = 0; i < end->of->count; i++) {
        const struct shop_item *s = end->of->items[i]->shop;
        if (end->counted[i] == NULL || s->verb != SHOP_JUDGE)
            continue;
        bool differs = s->verdict.reason == REASON_DIFFERENCE;
        if (s->verdict.reason == REASON_BELOW_ZERO || s->verdict.reason == REASON_EXPLAINED)
            continue; // below.c
        if (differs && end->w->knobs.honest && s->about->claim.lie == 0 && !s->about->unauthorised)
            shop_end_wrong(end, i, "a quantity that was shown is said to differ");
        if (s->verdict.reason == REASON_UNAUTHORISED && !s->about->unauthorised)
            shop_end_wrong(end, i, "its author had the right, and was mistrusted");
        if (!shop_is_asked(end, verdict_reason_name(s->verdict.reason), i, i))
            shop_end_wrong(end, i, "a quantity is in question, and nobody is asked");
    }
}

// Whoever had no right to what is no event of a record.
void shop_unauthorised_check(struct world *w)
{
    for (uint64_t i = 0; i < w->item_count && !world_failed(w); i++) {
        const struct item *item = w->items[i];
        if (item->shop || item->counted == 0 || !item->unauthorised)
            continue;
        const struct shop_record *of = shop_stock_find(w, item);
        bool asked = false;
        for (int k = 0; of && k < of->count; k++)
            asked = asked || (of->items[k]->counted &&
                              of->items[k]->shop->verdict.reason == REASON_UNAUTHORISED);
        if (!asked)
            world_fail(w, SIM_DIVERGENT, "%s: an event's author had no right, and nobody is asked",
                       world_place(item->place));
    }
}

// ---- answers ----------------------------------------------------------------------------------

static bool shares_trigger(const struct shop_item *a, const struct shop_item *b)
{
    for (int n = 0; n < SHOP_EVENTS / 64; n++) {
        if (a->triggers.words[n] & b->triggers.words[n])
            return true;
    }
    return false;
}

// No event of a question is settled by two answers, and nothing that was held is let go twice.
static void check_once(const struct shop_end *end, int i)
{
    const struct shop_item *a = end->of->items[i]->shop;
    for (int k = 0; k < i; k++) {
        const struct shop_item *b = end->of->items[k]->shop;
        if (end->counted[k] == NULL || a->verb != b->verb)
            continue;
        if (a->verb == SHOP_ANSWER && strcmp(a->kind, b->kind) == 0 &&
            strcmp(a->of_part, b->of_part) == 0 && shares_trigger(a, b))
            shop_end_wrong(end, i, "what it answers was settled before");
        if (a->verb == SHOP_JUDGE && a->target >= 0 && a->target == b->target &&
            !uuid_is_zero(&a->verdict.answer) && !uuid_is_zero(&b->verdict.answer))
            shop_end_wrong(end, i, "two answers decide about one event");
    }
}

void shop_judge_check(const struct shop_end *end)
{
    for (int i = 0; i < end->of->count; i++) {
        const struct item *item = end->of->items[i];
        if (end->counted[i] == NULL)
            continue;
        check_once(end, i);
        if (item->of_centre)
            continue;
        check_author(end, i, REASON_UNAUTHORISED);
        check_author(end, i, REASON_OUTRANKED);
        check_clock(end, i);
        check_late(end, i);
    }
}
