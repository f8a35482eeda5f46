// SPDX-License-Identifier: Apache-2.0
#include "sim/shop_end.h"

#include <string.h>

bool shop_end_is_wish(const struct shop_end *end, int i)
{
    enum shop_verb verb = end->of->items[i]->shop->verb;
    if (verb == SHOP_WRITE)
        return end->of->kind == SHOP_PRICE;
    return verb == SHOP_VOID || verb == SHOP_REMOVE || verb == SHOP_SET || verb == SHOP_REQUEST;
}

const struct shop_item *shop_end_item(const struct shop_end *end, int i)
{
    const struct shop_item *judged = end->verdict[i];
    enum verdict_outcome outcome = judged ? judged->verdict.outcome : JUDGED_APPLIED;
    bool waits = outcome == JUDGED_HELD || outcome == JUDGED_DENIED;
    if (end->counted[i] == NULL || outcome == JUDGED_DUPLICATE ||
        (waits && shop_end_is_wish(end, i)))
        return NULL;
    return end->of->items[i]->shop;
}

bool shop_end_saw(const struct shop_end *end, int later, int earlier)
{
    return shop_set_has(&end->seen[later], earlier);
}

void shop_end_wrong(const struct shop_end *end, int i, const char *what)
{
    world_fail(end->w, SIM_DIVERGENT, "%s %d of %s, event %d: %s", end->of->reducer->record_type,
               end->of->number, world_place(end->of->place), i, what);
}

// ---- who had seen what ------------------------------------------------------------------------

int shop_find_number(const struct shop_end *end, const struct uuid *id)
{
    for (int i = 0; i < end->of->count; i++) {
        if (end->counted[i] && uuid_equal(&end->of->items[i]->id, id))
            return i;
    }
    return -1;
}

// All that was written counts, and nothing was written at two tills: what its author's till showed
// him is what he had seen.
static bool is_plain(const struct shop_end *end)
{
    for (int i = 0; i < end->of->count; i++) {
        const struct item *item = end->of->items[i];
        if (item->committed && (end->counted[i] == NULL || item->shop->retried))
            return false;
    }
    return true;
}

static bool stands_before(const struct carrier *earlier, const struct carrier *later)
{
    return later->stream == earlier->stream && later->seq > earlier->seq;
}

static bool join_what(struct shop_end *end, int i, int seen)
{
    struct shop_set before = end->seen[i];
    shop_set_add(&end->seen[i], seen);
    shop_set_join(&end->seen[i], &end->seen[seen]);
    return memcmp(&before, &end->seen[i], sizeof(before)) != 0;
}

// What is named by those that count or stands before them, and what those name, to the end: of an
// event that is lost nobody knows what its author had seen.
static bool close_once(struct shop_end *end)
{
    bool more = false;
    for (int i = 0; i < end->of->count; i++) {
        const struct carrier *c = end->counted[i];
        for (int k = 0; c && k < c->shop->base_count; k++) {
            int seen = shop_find_number(end, &c->shop->base[k]);
            more = (seen >= 0 && join_what(end, i, seen)) || more;
        }
        for (int k = 0; c && k < end->of->count; k++) {
            if (end->counted[k] && stands_before(end->counted[k], c))
                more = join_what(end, i, k) || more;
        }
    }
    return more;
}

static void find_seen(struct shop_end *end)
{
    bool plain = is_plain(end);
    for (int i = 0; plain && i < end->of->count; i++) {
        if (end->counted[i])
            end->seen[i] = end->counted[i]->shop->seen;
    }
    while (!plain && close_once(end))
        ;
}

// ---- judgements and answers -------------------------------------------------------------------

// A person's word before any other, then a duplicate, then the first.
static bool outweighs(const struct shop_end *end, int a, int b)
{
    const struct verdict *x = &end->of->items[a]->shop->verdict;
    const struct verdict *y = &end->of->items[b]->shop->verdict;
    bool x_said = !uuid_is_zero(&x->answer), y_said = !uuid_is_zero(&y->answer);
    bool x_twice = x->outcome == JUDGED_DUPLICATE, y_twice = y->outcome == JUDGED_DUPLICATE;
    if (x_said != y_said)
        return x_said;
    if (x_twice != y_twice)
        return x_twice;
    return event_order_compare(&end->counted[a]->shop->order, &end->counted[b]->shop->order) < 0;
}

static void find_verdict(struct shop_end *end, int target)
{
    int verdict = -1, moved = -1;
    for (int i = 0; i < end->of->count; i++) {
        const struct shop_item *s = end->of->items[i]->shop;
        if (end->counted[i] == NULL || s->verb != SHOP_JUDGE || s->target != target)
            continue;
        if (verdict < 0 || outweighs(end, i, verdict))
            verdict = i;
        if (s->verdict.effective && (moved < 0 || outweighs(end, i, moved)))
            moved = i;
    }
    end->verdict[target] = verdict < 0 ? NULL : end->of->items[verdict]->shop;
    end->moved[target] = moved < 0 ? NULL : end->of->items[moved]->shop;
}

// The last answer that names it.
static void find_rejected(struct shop_end *end)
{
    for (int k = 0; k < end->ordered; k++) {
        const struct shop_item *s = end->of->items[end->order[k]]->shop;
        for (int i = 0; s->verb == SHOP_ANSWER && i < end->of->count; i++) {
            if (shop_set_has(&s->triggers, i))
                end->rejected[i] = s->decision != DECISION_ACCEPT;
        }
    }
}

// ---- the order --------------------------------------------------------------------------------

static bool is_ready(const struct shop_end *end, int i, const struct shop_set *waiting)
{
    for (int n = 0; n < SHOP_EVENTS / 64; n++) {
        if (end->seen[i].words[n] & waiting->words[n])
            return false;
    }
    return true;
}

static bool is_less(const struct shop_end *end, int a, int b)
{
    struct event_order x = end->counted[a]->shop->order, y = end->counted[b]->shop->order;
    x.hlc = end->moved[a] ? end->moved[a]->verdict.effective : x.hlc;
    y.hlc = end->moved[b] ? end->moved[b]->verdict.effective : y.hlc;
    return event_order_compare(&x, &y) < 0;
}

// Of those that wait the least one, of the ready ones or of all; -1: there is none.
static int least_of(const struct shop_end *end, const struct shop_set *waiting, bool ready)
{
    int least = -1;
    for (int i = 0; i < end->of->count; i++) {
        if (!shop_set_has(waiting, i) || (ready && !is_ready(end, i, waiting)))
            continue;
        if (least < 0 || is_less(end, i, least))
            least = i;
    }
    return least;
}

static void find_order(struct shop_end *end)
{
    struct shop_set waiting = {.words = {0}};
    for (int i = 0; i < end->of->count; i++) {
        if (end->counted[i])
            shop_set_add(&waiting, i);
    }
    for (;;) {
        int next = least_of(end, &waiting, true);
        if (next < 0)
            next = least_of(end, &waiting, false);
        if (next < 0)
            return;
        end->order[end->ordered++] = next;
        waiting.words[next / 64] &= ~(UINT64_C(1) << next % 64);
    }
}

void shop_find_seen(struct shop_end *end)
{
    find_seen(end);
    for (int i = 0; i < end->of->count; i++)
        find_verdict(end, i);
    find_order(end);
    find_rejected(end);
}
