// SPDX-License-Identifier: Apache-2.0
#include "sim/authority.h"

#include "model/reservation.h"
#include "sim/centre_private.h"
#include "sim/oracle.h"
#include "sim/settings.h"
#include "sim/shop.h"

#include <string.h>

enum { BODY_MAX = 8192 };

void authority_init(struct world *w)
{
    struct centre *c = &w->centre;
    uint8_t seed[SIGN_SEED_SIZE];
    rng_fill(&w->rng, seed, sizeof(seed));
    sign_key_from_seed(seed, &c->key);
    c->device = world_uuid(w);
    c->noted_end = &c->noted;
}

void authority_start(struct world *w)
{
    struct centre *c = &w->centre;
    for (int i = 0; i <= PLACE_CHAIN; i++) {
        struct author *a = &c->authors[i];
        struct run_identity who = {&c->key, w->chain, c->device, str_of(world_place(i))};
        struct uuid id = world_uuid(w), origin = world_uuid(w);
        hlc last = a->run.last;
        *a = (struct author){.streams = {NULL}};
        run_begin(&a->run, &who, &id, &origin, last, centre_wall_ms(w));
    }
}

// ---- writing ----------------------------------------------------------------------------------

static struct stream *stream_of(struct world *w, struct author *a, enum lane lane)
{
    struct stream *s = a->streams[lane];
    if (s == NULL) {
        struct stream_key key = {a->run.origin, lane};
        s = a->streams[lane] = oracle_stream_new(w, -1, &key, &a->run.certificate);
        s->at_centre = world_alloc(w, sizeof(*s->at_centre));
        *s->at_centre = (struct centre_stream){.stream = s, .durable = true};
    }
    return s;
}

void authority_put(struct world *w, struct item *item, struct event *draft, struct buf *body)
{
    struct author *a = &w->centre.authors[item->place];
    struct stream *s = stream_of(w, a, draft->lane);
    struct json json = {0};
    struct mark mark;
    struct err e = {0};
    MUST(json_parse_in(&w->scratch, buf_str(body), LIMIT_EVENT_DEPTH, &json, NULL) == ERR_OK);
    draft->body = json.root;
    draft->at = centre_wall_ms(w);
    buf_reset(&w->buf);
    MUST(run_stamp(&a->run, draft, draft->at, &w->buf, &mark, &e) == ERR_OK);
    struct carrier *c = oracle_stamped(w, s, item, buf_str(&w->buf), &mark);
    c->committed = item->committed = true;
    s->at_centre->working = s->at_centre->held = s->at_centre->settled = mark.seq;
    if (item->shop)
        shop_stamped(w, &w->centre.book, c, draft);
    centre_put_own(w, c, draft);
}

static struct item *say(struct world *w, struct shop_record *of, int target,
                        const struct judgement *judgement)
{
    struct event draft;
    struct json_writer writer;
    struct buf body;
    struct item *item = shop_say(w, of, "event_judged", &draft);
    item->shop->verb = SHOP_JUDGE;
    item->shop->target = target;
    item->shop->verdict = judgement->verdict;
    draft.cause = judgement->target;
    world_trace(w, "  judged: %s %d, event %d: %s, %s", of->reducer->record_type, of->number,
                target, verdict_name(judgement->verdict.outcome),
                verdict_reason_name(judgement->verdict.reason));
    buf_init(&body, BODY_MAX);
    json_writer_begin(&writer);
    judgement_write(judgement, &writer);
    MUST(json_writer_end(&writer, &body) == ERR_OK);
    authority_put(w, item, &draft, &body);
    buf_fini(&body);
    return item;
}

struct item *authority_say(struct world *w, struct shop_record *of, int target,
                           struct judgement *judgement)
{
    judgement->target = of->items[target]->id;
    return say(w, of, target, judgement);
}

struct item *authority_say_apart(struct world *w, struct shop_record *of, const struct item *about,
                                 const struct judgement *judgement)
{
    struct item *item = say(w, of, -1, judgement);
    item->shop->about = about;
    return item;
}

// ---- reservations -----------------------------------------------------------------------------

static bool is_held_for(const struct world *w, const struct shop_record *r)
{
    bool confirmed = false;
    for (int i = 0; i < r->count; i++) {
        const struct item *item = r->items[i];
        const struct shop_item *s = item->shop;
        if (item->counted == 0)
            continue;
        if (s->verb == SHOP_RELEASE)
            return false;
        confirmed = confirmed || (s->verb == SHOP_JUDGE && s->verdict.reason == REASON_STOCK &&
                                  s->verdict.outcome == JUDGED_APPLIED &&
                                  r->items[s->target]->shop->until_at > centre_wall_ms(w));
    }
    return confirmed;
}

static int64_t kept_of(const struct world *w, int place, int sku)
{
    int64_t sum = 0;
    for (uint64_t i = 0; i < w->shop.count; i++) {
        const struct shop_record *r = w->shop.records[i];
        if (r->kind == SHOP_RESERVATION && r->place == place && is_held_for(w, r) &&
            r->items[0]->shop->sku == sku)
            sum += r->items[0]->shop->quantity;
    }
    return sum;
}

static bool is_over(const struct shop_record *r)
{
    for (int i = 0; i < r->count; i++) {
        if (r->items[i]->counted && r->items[i]->shop->verb == SHOP_RELEASE)
            return true;
    }
    return false;
}

void authority_decide(struct world *w, const struct event *event, struct shop_item *s,
                      struct verdict *verdict)
{
    struct reservation_claim claim;
    hlc clock = verdict->effective ? verdict->effective : event->hlc;
    MUST(reservation_claim_of(event, clock, &claim));
    s->until_at = claim.until_ms;
    struct reservation_view view = {.now_ms = centre_wall_ms(w),
                                    .stock = w->centre.stock[s->of->place][s->sku],
                                    .kept = kept_of(w, s->of->place, s->sku),
                                    .tolerance = settings_oversell(w, s->of->place, s->sku),
                                    .over = is_over(s->of)};
    reservation_judge(&claim, &view, verdict);
}

// Nothing is promised that is not there, by all that was folded so far.
void authority_check_promise(struct world *w, const struct shop_record *of)
{
    int sku = of->items[0]->shop->sku;
    const struct fold_log *log = &w->folded[w->line][of->place][sku];
    int64_t stock = log->count ? log->sums[log->count] : 0;
    int64_t most = stock + settings_oversell_meant(w, of->place, sku);
    if (is_held_for(w, of) && most < kept_of(w, of->place, sku))
        world_fail(w, SIM_DIVERGENT, "%s: more of %s is promised than is there",
                   world_place(of->place), world_sku(sku));
}

void authority_hear(struct world *w)
{
    for (uint64_t i = 0; i < w->shop.count && !world_failed(w); i++) {
        struct shop_record *of = w->shop.records[i];
        struct event event;
        struct judgement judgement = {.verdict = {.outcome = JUDGED_APPLIED}};
        if (of->kind != SHOP_RESERVATION || of->items[0]->counted == 0 ||
            shop_is_judged(of, 0, JUDGED_NOT))
            continue;
        const struct carrier *c = book_shown(&w->centre.book, of->items[0]);
        MUST(event_parse(c->bytes, &w->scratch, &event, NULL) == ERR_OK);
        authority_decide(w, &event, of->items[0]->shop, &judgement.verdict);
        (void)authority_say(w, of, 0, &judgement);
        authority_check_promise(w, of);
    }
}
