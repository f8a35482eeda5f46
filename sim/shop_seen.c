// SPDX-License-Identifier: Apache-2.0
#include "sim/shop_end.h"

#include <string.h>

const struct shop_item *shop_end_item(const struct shop_end *end, int i)
{
    return end->counted[i] ? end->of->items[i]->shop : NULL;
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

// ---- the order --------------------------------------------------------------------------------

static bool is_ready(const struct shop_end *end, int i, const struct shop_set *waiting)
{
    for (int n = 0; n < SHOP_EVENTS / 64; n++) {
        if (end->seen[i].words[n] & waiting->words[n])
            return false;
    }
    return true;
}

// Of those that wait the least one, of the ready ones or of all; -1: there is none.
static int least_of(const struct shop_end *end, const struct shop_set *waiting, bool ready)
{
    int least = -1;
    for (int i = 0; i < end->of->count; i++) {
        if (!shop_set_has(waiting, i) || (ready && !is_ready(end, i, waiting)))
            continue;
        if (least < 0 || event_order_compare(&end->counted[i]->shop->order,
                                             &end->counted[least]->shop->order) < 0)
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
    find_order(end);
}
