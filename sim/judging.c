// SPDX-License-Identifier: Apache-2.0
// The simulated centre judges what came, as src/node/journal_judge.c with the same pure parts.
#include "model/judge.h"
#include "model/order.h"
#include "sim/authority.h"
#include "sim/below.h"
#include "sim/centre_private.h"
#include "sim/people.h"
#include "sim/settings.h"
#include "sim/shop.h"

// ---- what came --------------------------------------------------------------------------------

static bool has_price(const struct world *w, const struct item *item)
{
    return w->centre.catalog.price[world_sku_number(str_of(item->shop->of->id))] != 0;
}

static bool is_price(const struct item *item)
{
    return item->shop && item->shop->of->kind == SHOP_PRICE;
}

static bool is_outranked(const struct world *w, const struct item *item,
                         enum price_authority authority)
{
    if (!is_price(item))
        return false;
    struct price centre = {.there = has_price(w, item)};
    return !price_may(authority, &centre);
}

// What must be said of it, by what was meant: the first matter of these that there is.
static void find_due(struct world *w, const struct carrier *c, const struct event *event)
{
    struct item *item = c->item;
    struct settings meant;
    settings_meant(w, event, &meant);
    int64_t ahead_ms = hlc_ms(event->hlc) - item->arrived_ms;
    bool centre = meant.prices == PRICE_CENTRE ||
                  (meant.prices == PRICE_BRANCH_IF_NONE && is_price(item) && has_price(w, item));
    item->unauthorised = people_unauthorised(w, c, event);
    item->clamped = ahead_ms > meant.skew_ms;
    item->due = item->unauthorised             ? REASON_UNAUTHORISED
                : is_price(item) && centre     ? REASON_OUTRANKED
                : -ahead_ms > meant.pending_ms ? REASON_LATE
                : item->clamped                ? REASON_CLOCK
                                               : REASON_NONE;
}

void authority_note(struct world *w, const struct carrier *c)
{
    struct noted *n = arena_alloc_zero(&w->scratch, sizeof(*n));
    MUST(n != NULL && event_parse(c->bytes, &w->scratch, &n->event, NULL) == ERR_OK);
    n->event.version = n->event.type->version;
    if (n->event.type->right == MAY_NODE)
        return;
    n->carrier = c;
    *w->centre.noted_end = n;
    w->centre.noted_end = &n->next;
    c->item->came_by = c;
    c->item->arrived_ms = centre_wall_ms(w);
    find_due(w, c, &n->event);
}

// ---- completions ------------------------------------------------------------------------------

// Of the completions of one bill the first in the order counts; it may be one that came last.
static void judge_completions(struct world *w, struct shop_record *of)
{
    struct uuid second[LIMIT_BASE];
    size_t count = order_second_completions(book_fold(w, &w->centre.book, of), second);
    for (size_t i = 0; i < count; i++) {
        struct judgement judgement = {
            .verdict = {.outcome = JUDGED_DUPLICATE, .reason = REASON_COMPLETED_TWICE}};
        const struct item *item = shop_find(w, &second[i]);
        (void)authority_say(w, of, item->shop->number, &judgement);
        centre_give_back(w, item);
    }
}

// ---- batches ----------------------------------------------------------------------------------

struct part { // under way: events of one stream, with the same to be said of them
    const struct noted *first;
    struct judgement judgement;
};

static struct shop_record *batch_of(struct world *w, const struct noted *n,
                                    enum verdict_reason reason)
{
    char id[BATCH_ID_SIZE];
    struct stream_key key = {n->event.origin, n->event.lane};
    batch_id(&key, reason, id);
    return shop_record_at(w, n->carrier->item->place, SHOP_BATCH, id);
}

static void end_part(struct world *w, struct part *part)
{
    const struct noted *first = part->first;
    part->first = NULL;
    if (first == NULL)
        return;
    struct shop_record *of = batch_of(w, first, part->judgement.verdict.reason);
    struct item *item = authority_say_apart(w, of, NULL, &part->judgement);
    item->shop->part = (struct stream_key){first->event.origin, first->event.lane};
    item->shop->first_seq = part->judgement.from;
    item->shop->last_seq = part->judgement.to;
}

static bool continues(const struct part *part, const struct event *event,
                      const struct verdict *verdict)
{
    return part->first && uuid_equal(&part->first->event.origin, &event->origin) &&
           part->first->event.lane == event->lane && part->judgement.to + 1 == event->seq &&
           part->judgement.verdict.reason == verdict->reason;
}

static void add_to_part(struct world *w, struct part *part, const struct noted *n,
                        const struct verdict *verdict)
{
    if (!continues(part, &n->event, verdict)) {
        end_part(w, part);
        part->first = n;
        part->judgement = (struct judgement){
            .from = n->event.seq,
            .oldest_at = n->event.at,
            .verdict = {JUDGED_APPLIED, .reason = verdict->reason, .term = verdict->term}};
    }
    part->judgement.to = n->event.seq;
    part->judgement.held += verdict->outcome == JUDGED_HELD;
    if (n->event.at < part->judgement.oldest_at)
        part->judgement.oldest_at = n->event.at;
}

// ---- quantities -------------------------------------------------------------------------------

// Urgent events that the till wrote in other runs are not here yet.
static bool is_behind(const struct world *w, const struct stream *of)
{
    for (size_t i = 0; i < STREAM_SLOTS; i++) {
        const struct stream *s = w->streams[i];
        if (s == NULL || s == of || s->till != of->till || s->key.lane != LANE_CRITICAL)
            continue;
        uint64_t there = s->at_centre ? s->at_centre->working : 0;
        if (there < s->count && s->carriers[there]->committed)
            return true;
    }
    return false;
}

// What its author says was there, against all that had come but what it could not have seen.
static void judge_claim(struct world *w, const struct noted *n)
{
    const struct carrier *c = n->carrier;
    const struct move_list *list = &w->centre.moves[c->item->place];
    struct quantity_move *moves =
        arena_alloc(&w->scratch, (size_t)(list->count + 1) * sizeof(*moves));
    struct quantity_claim claim;
    struct judgement judgement = {.target = c->item->id};
    const struct event *event = &n->event;
    MUST(moves != NULL);
    const struct centre_feed *f = &w->centre.feeds[c->item->place];
    if (!quantity_claim_of(event, &claim) || !uuid_equal(&event->seen.feed, &f->id) ||
        is_behind(w, c->stream))
        return;
    struct quantity_view view = {.stock = w->centre.stock[c->item->place][c->item->claim.sku],
                                 .order = event_order_of(event),
                                 .device = c->stream->at_centre->device,
                                 .moves = moves};
    for (uint64_t i = list->count; i > 0; i--) {
        const struct move *m = &list->items[i - 1];
        if (m->head <= event->seen.position || m->sku != c->item->claim.sku)
            continue;
        if (m->again)
            return;
        moves[view.count++] = m->move;
    }
    bool differs = quantity_judge(&claim, &view, &judgement);
    bool lies = c->item->claim.lie != 0;
    if (lies && w->knobs.honest && !differs)
        world_fail(w, SIM_DIVERGENT, "a quantity was said that was not shown, and nobody asks");
    if (!differs)
        return;
    (void)authority_say_apart(w, shop_stock_record(w, c->item), c->item, &judgement);
}

// ---- one by one -------------------------------------------------------------------------------

static void say_one(struct world *w, const struct noted *n, struct judgement *judgement,
                    struct part *part)
{
    const struct item *item = n->carrier->item;
    enum verdict_reason reason = judgement->verdict.reason;
    char batch[BATCH_ID_SIZE];
    bool changes = judgement->verdict.effective || judgement->verdict.outcome == JUDGED_HELD;
    bool alone = reason == REASON_UNAUTHORISED || reason == REASON_OUTRANKED;
    if (!alone)
        add_to_part(w, part, n, &judgement->verdict);
    if (alone && item->shop == NULL)
        (void)authority_say_apart(w, shop_stock_record(w, item), item, judgement);
    if (item->shop == NULL || !(alone || changes))
        return;
    struct stream_key key = {n->event.origin, n->event.lane};
    batch_id(&key, reason, batch);
    judgement->batch = alone ? STR("") : str_of(batch);
    struct item *said = authority_say(w, item->shop->of, item->shop->number, judgement);
    said->shop->batch = alone ? NULL : batch_of(w, n, reason);
}

static void judge_request(struct world *w, const struct noted *n, struct judgement *judgement)
{
    struct shop_item *s = n->carrier->item->shop;
    if (w->centre.recovering)
        return; // it is heard later
    authority_decide(w, &n->event, s, &judgement->verdict);
    (void)authority_say(w, s->of, s->number, judgement);
    authority_check_promise(w, s->of);
}

static void judge_one(struct world *w, const struct noted *n, struct part *part)
{
    const struct item *item = n->carrier->item;
    const struct shop_item *s = item->shop;
    struct settings settings;
    struct judgement judgement = {.target = item->id};
    if (s && shop_is_judged(s->of, s->number, JUDGED_NOT))
        return;
    settings_read(w, &n->event, &settings);
    struct judge_view view = {.now_ms = item->arrived_ms,
                              .pending_ms = settings.pending_ms,
                              .skew_limit_ms = settings.skew_ms,
                              .without_right = people_lack_right(w, &n->event),
                              .outranked = is_outranked(w, item, settings.prices)};
    bool look = judge_arrival(&n->event, &view, &judgement.verdict);
    if (s && s->verb == SHOP_REQUEST && judgement.verdict.reason != REASON_UNAUTHORISED)
        judge_request(w, n, &judgement);
    else if (look)
        say_one(w, n, &judgement, part);
    if (item->claim.made)
        judge_claim(w, n);
}

void authority_judge(struct world *w)
{
    struct noted *first = w->centre.noted;
    struct part part = {.first = NULL};
    w->centre.noted = NULL;
    w->centre.noted_end = &w->centre.noted;
    for (const struct noted *n = first; n && !world_failed(w); n = n->next) {
        if (n->carrier->item->shop && n->carrier->item->shop->verb == SHOP_COMPLETE)
            judge_completions(w, n->carrier->item->shop->of);
    }
    for (const struct noted *n = first; n && !world_failed(w); n = n->next)
        judge_one(w, n, &part);
    end_part(w, &part);
    below_judge(w);
}
