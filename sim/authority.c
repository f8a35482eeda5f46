// SPDX-License-Identifier: Apache-2.0
#include "sim/authority.h"

#include "model/batch.h"
#include "model/judge.h"
#include "model/order.h"
#include "model/reservation.h"
#include "model/role.h"
#include "sim/centre_private.h"
#include "sim/oracle.h"
#include "sim/shop.h"

#include <string.h>

enum { BODY_MAX = 8192, LOOKED_AT = 20 };

void authority_init(struct world *w)
{
    struct centre *c = &w->centre;
    uint8_t seed[SIGN_SEED_SIZE];
    rng_fill(&w->rng, seed, sizeof(seed));
    sign_key_from_seed(seed, &c->key);
    c->device = world_uuid(w);
    c->noted_end = &c->noted;
    c->managers[0] = true;
}

void authority_start(struct world *w)
{
    struct centre *c = &w->centre;
    for (int i = 0; i < MAX_PLACES; i++) {
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

static void put(struct world *w, struct item *item, struct event *draft, struct buf *body)
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
    shop_stamped(w, &w->centre.book, c, draft);
    centre_put_own(w, c);
}

static void write_judgement(struct world *w, struct shop_record *of, int target,
                            const struct judgement *judgement)
{
    struct event draft;
    struct json_writer writer;
    struct buf body;
    struct item *item = shop_say(w, of, "event_judged", &draft);
    item->shop->verb = SHOP_JUDGE;
    item->shop->target = target;
    item->shop->about = target < 0 ? w->centre.judging : NULL;
    item->shop->verdict = judgement->verdict;
    draft.cause = judgement->target;
    world_trace(w, "  judged: %s %d, event %d: %s, %s", of->reducer->record_type, of->number,
                target, verdict_name(judgement->verdict.outcome),
                verdict_reason_name(judgement->verdict.reason));
    buf_init(&body, BODY_MAX);
    json_writer_begin(&writer);
    judgement_write(judgement, &writer);
    MUST(json_writer_end(&writer, &body) == ERR_OK);
    put(w, item, &draft, &body);
    buf_fini(&body);
}

static void say(struct world *w, struct shop_record *of, int target, struct judgement *judgement)
{
    judgement->target = of->items[target]->id;
    write_judgement(w, of, target, judgement);
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

static void judge_request(const struct world *w, const struct event *event, struct shop_item *s,
                          struct verdict *verdict)
{
    struct reservation_claim claim;
    hlc clock = verdict->effective ? verdict->effective : event->hlc;
    MUST(reservation_claim_of(event, clock, &claim));
    s->until_at = claim.until_ms;
    struct reservation_view view = {.now_ms = centre_wall_ms(w),
                                    .stock = w->centre.stock[s->of->place][s->sku],
                                    .kept = kept_of(w, s->of->place, s->sku),
                                    .over = is_over(s->of)};
    reservation_judge(&claim, &view, verdict);
}

// Nothing is promised that is not there, by all that was folded so far.
static void check_promise(struct world *w, const struct shop_item *s)
{
    const struct fold_log *log = &w->folded[w->line][s->of->place][s->sku];
    int64_t stock = log->count ? log->sums[log->count] : 0;
    if (is_held_for(w, s->of) && stock < kept_of(w, s->of->place, s->sku))
        world_fail(w, SIM_DIVERGENT, "%s: more of %s is promised than is there",
                   world_place(s->of->place), world_sku(s->sku));
}

// ---- what came --------------------------------------------------------------------------------

void authority_note(struct world *w, const struct carrier *c)
{
    struct noted *n = world_alloc(w, sizeof(*n));
    n->carrier = c;
    *w->centre.noted_end = n;
    w->centre.noted_end = &n->next;
    if (c->item->shop == NULL)
        return;
    c->item->shop->arrived_ms = centre_wall_ms(w);
    c->item->shop->unauthorised =
        c->item->shop->for_managers && !w->centre.managers[c->item->shop->actor];
}

static bool may(const struct world *w, const struct event *event, int actor)
{
    const char *role = w->centre.managers[actor] ? "manager" : "cashier";
    struct rights_actor who = {true, true, true, role_find(str_of(role))->rights};
    return rights_check(event, &who) == RIGHTS_ALLOWED;
}

// Of the completions of one bill the first in the order counts; it may be one that came last.
static void judge_completions(struct world *w, struct shop_record *of)
{
    struct uuid second[LIMIT_BASE];
    size_t count = order_second_completions(book_fold(w, &w->centre.book, of), second);
    for (size_t i = 0; i < count; i++) {
        struct judgement judgement = {
            .verdict = {.outcome = JUDGED_DUPLICATE, .reason = REASON_COMPLETED_TWICE}};
        const struct item *item = shop_find(w, &second[i]);
        say(w, of, item->shop->number, &judgement);
        centre_give_back(w, item);
    }
}

static void judge_one(struct world *w, const struct carrier *c)
{
    struct shop_item *s = c->item->shop;
    struct event event;
    struct judgement judgement = {.from = 0};
    struct verdict *verdict = &judgement.verdict;
    char batch[BATCH_ID_SIZE];
    MUST(event_parse(c->bytes, &w->scratch, &event, NULL) == ERR_OK);
    event.version = event.type->version;
    struct judge_view view = {.now_ms = s->arrived_ms,
                              .pending_ms = w->knobs.pending_ms,
                              .skew_limit_ms = LIMIT_CLOCK_SKEW_MS,
                              .without_right = !may(w, &event, s->actor)};
    bool look = judge_arrival(&event, &view, verdict);
    if (s->verb == SHOP_REQUEST && verdict->reason != REASON_UNAUTHORISED) {
        judge_request(w, &event, s, verdict);
        look = true;
    }
    bool batched = verdict->reason == REASON_LATE || verdict->reason == REASON_CLOCK;
    bool changes = verdict->effective != 0 || verdict->outcome == JUDGED_HELD;
    if (!look || (batched && !changes))
        return;
    struct stream_key key = {event.origin, event.lane};
    batch_id(&key, verdict->reason, batch);
    judgement.batch = batched ? str_of(batch) : STR("");
    say(w, s->of, s->number, &judgement);
    if (s->verb == SHOP_REQUEST)
        check_promise(w, s);
}

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
static void judge_claim(struct world *w, const struct carrier *c)
{
    const struct move_list *list = &w->centre.moves[c->item->place];
    struct quantity_move *moves =
        arena_alloc(&w->scratch, (size_t)(list->count + 1) * sizeof(*moves));
    struct quantity_claim claim;
    struct judgement judgement = {.target = c->item->id};
    struct event event;
    MUST(moves != NULL && event_parse(c->bytes, &w->scratch, &event, NULL) == ERR_OK);
    const struct centre_feed *f = &w->centre.feeds[c->item->place];
    if (!quantity_claim_of(&event, &claim) || !uuid_equal(&event.seen.feed, &f->id) ||
        is_behind(w, c->stream))
        return;
    struct quantity_view view = {.stock = w->centre.stock[c->item->place][c->item->claim.sku],
                                 .order = event_order_of(&event),
                                 .device = c->stream->at_centre->device,
                                 .moves = moves};
    for (uint64_t i = list->count; i > 0; i--) {
        const struct move *m = &list->items[i - 1];
        if (m->head <= event.seen.position || m->sku != c->item->claim.sku)
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
    w->centre.judging = c->item;
    write_judgement(w, shop_stock_record(w, c->item), -1, &judgement);
}

void authority_judge(struct world *w)
{
    struct noted *first = w->centre.noted;
    w->centre.noted = NULL;
    w->centre.noted_end = &w->centre.noted;
    for (const struct noted *n = first; n && !world_failed(w); n = n->next) {
        if (n->carrier->item->shop && n->carrier->item->shop->verb == SHOP_COMPLETE)
            judge_completions(w, n->carrier->item->shop->of);
    }
    for (const struct noted *n = first; n && !world_failed(w); n = n->next) {
        const struct shop_item *s = n->carrier->item->shop;
        if (s == NULL)
            judge_claim(w, n->carrier);
        else if (!shop_is_judged(s->of, s->number, JUDGED_NOT))
            judge_one(w, n->carrier);
    }
}

// ---- questions --------------------------------------------------------------------------------

// In the order of the question's columns.
enum { Q_KIND = 2, Q_PART, Q_TRIGGERS, Q_OPEN };

static const struct row *any_open(struct world *w, struct record *fold)
{
    struct row_list rows;
    const struct row *found = NULL;
    uint64_t count = 0;
    MUST(record_rows(fold, &w->scratch, &rows) == ERR_OK);
    for (size_t i = 0; i < rows.count; i++) {
        const struct row *row = &rows.items[i];
        if (row->table == &question_table && row->values[Q_OPEN].number &&
            rng_below(&w->rng, ++count) == 0)
            found = row;
    }
    return found;
}

static void write_triggers(const struct world *w, struct str triggers, struct shop_item *answer,
                           struct buf *body)
{
    struct str text;
    const char *comma = "";
    while (str_cut(&triggers, ' ', &text)) {
        struct uuid id;
        MUST(uuid_parse(text, &id) == ERR_OK);
        shop_set_add(&answer->triggers, shop_find(w, &id)->shop->number);
        MUST(buf_append_format(body, "%s{\"event\":\"%.*s\"}", comma, STR_ARG(text)) == ERR_OK);
        comma = ",";
    }
}

static bool is_held(const struct shop_record *of, int number)
{
    bool answered = false;
    for (int i = 0; i < of->count; i++) {
        const struct shop_item *s = of->items[i]->shop;
        answered = answered || (s->verb == SHOP_JUDGE && of->items[i]->counted &&
                                s->target == number && s->verdict.reason == REASON_ANSWERED);
    }
    return !answered && shop_is_judged(of, number, JUDGED_HELD);
}

// Only what somebody had no right to is refused: the other questions ask whether two things that
// both happened may stand.
static void answer(struct world *w, struct shop_record *of, const struct row *row)
{
    struct event draft;
    struct buf body;
    const struct value *q = row->values;
    struct item *item = shop_say(w, of, "review_resolved", &draft);
    struct shop_item *s = item->shop;
    s->verb = SHOP_ANSWER;
    s->accepts = !str_is(q[Q_KIND].text, "unauthorised") || rng_chance(&w->rng, 1, 2);
    buf_init(&body, BODY_MAX);
    MUST(buf_append_format(&body, "{\"review\":\"%.*s\",\"decision\":\"%s\"",
                           STR_ARG(q[Q_KIND].text), s->accepts ? "accept" : "reject") == ERR_OK);
    if (!q[Q_PART].null)
        MUST(buf_append_format(&body, ",\"part\":\"%.*s\"", STR_ARG(q[Q_PART].text)) == ERR_OK);
    MUST(buf_append_str(&body, STR(",\"triggers\":[")) == ERR_OK);
    write_triggers(w, q[Q_TRIGGERS].text, s, &body);
    MUST(buf_append_str(&body, STR("]}")) == ERR_OK);
    put(w, item, &draft, &body);
    buf_fini(&body);
    for (int i = 0; i < s->number; i++) {
        struct judgement judgement = {
            .verdict = {.outcome = s->accepts ? JUDGED_APPLIED : JUDGED_DENIED,
                        .reason = REASON_ANSWERED,
                        .answer = item->id}};
        if (shop_set_has(&s->triggers, i) && is_held(of, i))
            say(w, of, i, &judgement);
    }
}

void authority_look(struct world *w)
{
    if (!w->centre.up || w->centre.recovering || w->shop.count == 0)
        return;
    if (world_chance(w, w->knobs.promoted)) {
        bool *manager = &w->centre.managers[rng_below(&w->rng, MAX_PEOPLE)];
        *manager = !*manager;
    }
    for (int i = 0; i < LOOKED_AT; i++) {
        struct shop_record *of = w->shop.records[rng_below(&w->rng, w->shop.count)];
        struct record *fold = book_fold(w, &w->centre.book, of);
        const struct row *row = fold ? any_open(w, fold) : NULL;
        if (row == NULL || of->count > SHOP_EVENTS / 2)
            continue; // room is left for what must be judged
        answer(w, of, row);
        centre_tell_feeds(w);
        return;
    }
}
