// SPDX-License-Identifier: Apache-2.0
// People at the simulated centre: they answer questions, as src/node/reviewing.c lets them, and say
// who may do what.
#include "base/decimal.h"
#include "model/event_type.h"
#include "sim/authority.h"
#include "sim/below.h"
#include "sim/centre_private.h"
#include "sim/oracle.h"
#include "sim/people.h"
#include "sim/settings.h"
#include "sim/shop.h"
#include "sim/shop_end.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { BODY_MAX = 64 * 1024, LOOKED_AT = 20, AT_ONCE = 3 };

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

// ---- what is decided --------------------------------------------------------------------------

struct decision_made {
    struct shop_record *of;
    const struct row *row;
    enum decision decision;
    char value[SHOP_TEXT]; // with an edit
    struct item *item;     // the answer
};

static bool is_of_field(const struct decision_made *d)
{
    return d->of->kind == SHOP_PRICE && str_is(d->row->values[Q_KIND].text, "same_rank");
}

// Only what somebody had no right or no rank to, or what came too late, is refused: the other
// questions ask whether two things that both happened may stand. Another value is given where there
// is one: for a price of two, or for what is missing of a stock.
static void decide(struct world *w, struct decision_made *d)
{
    struct str kind = d->row->values[Q_KIND].text;
    bool mistrusts = str_is(kind, "unauthorised") || str_is(kind, "outranked") ||
                     str_is(kind, "late") || str_is(kind, "clock");
    bool quantity =
        str_is(kind, "difference") || str_is(kind, "overlap") || str_is(kind, "below_zero");
    d->decision = mistrusts && rng_chance(&w->rng, 1, 2) ? DECISION_REJECT : DECISION_ACCEPT;
    if (!(is_of_field(d) || quantity) || rng_chance(&w->rng, 1, 2))
        return;
    d->decision = DECISION_EDIT;
    snprintf(d->value, sizeof d->value, "%d", (int)rng_between(&w->rng, quantity ? -5 : 1, 99));
}

static void write_triggers(const struct world *w, const struct decision_made *d, struct buf *body)
{
    struct str text, triggers = d->row->values[Q_TRIGGERS].text;
    const char *comma = "";
    while (str_cut(&triggers, ' ', &text)) {
        struct uuid id;
        MUST(uuid_parse(text, &id) == ERR_OK);
        shop_set_add(&d->item->shop->triggers, shop_find(w, &id)->shop->number);
        MUST(buf_append_format(body, "%s{\"event\":\"%.*s\"}", comma, STR_ARG(text)) == ERR_OK);
        comma = ",";
    }
}

static void note_meaning(const struct decision_made *d)
{
    struct shop_item *s = d->item->shop;
    const struct value *q = d->row->values;
    s->verb = SHOP_ANSWER;
    s->decision = d->decision;
    MUST(str_copy(s->kind, sizeof s->kind, q[Q_KIND].text) == ERR_OK);
    if (!q[Q_PART].null)
        MUST(str_copy(s->of_part, sizeof s->of_part, q[Q_PART].text) == ERR_OK);
    if (d->decision != DECISION_EDIT || !is_of_field(d))
        return;
    s->fields[0].written = true; // a price has one
    memcpy(s->fields[0].value, d->value, SHOP_TEXT);
}

static void say_answer(struct world *w, struct decision_made *d)
{
    struct event draft;
    struct buf body;
    const struct value *q = d->row->values;
    d->item = shop_say(w, d->of, "review_resolved", &draft);
    note_meaning(d);
    world_trace(w, "  answered: %s %d, %.*s: %s", d->of->reducer->record_type, d->of->number,
                STR_ARG(q[Q_KIND].text), decision_name(d->decision));
    buf_init(&body, BODY_MAX);
    MUST(buf_append_format(&body, "{\"review\":\"%.*s\",\"decision\":\"%s\"",
                           STR_ARG(q[Q_KIND].text), decision_name(d->decision)) == ERR_OK);
    if (!q[Q_PART].null)
        MUST(buf_append_format(&body, ",\"part\":\"%.*s\"", STR_ARG(q[Q_PART].text)) == ERR_OK);
    if (d->decision == DECISION_EDIT)
        MUST(buf_append_format(&body, ",\"value\":\"%s\"", d->value) == ERR_OK);
    MUST(buf_append_str(&body, STR(",\"triggers\":[")) == ERR_OK);
    write_triggers(w, d, &body);
    MUST(buf_append_str(&body, STR("]}")) == ERR_OK);
    authority_put(w, d->item, &draft, &body);
    buf_fini(&body);
}

// ---- what was held ----------------------------------------------------------------------------

// The judgement that holds it; NULL: it is not held, or somebody answered.
static const struct shop_item *held_by(const struct shop_record *of, int number)
{
    const struct shop_item *held = NULL;
    for (int i = 0; i < of->count; i++) {
        const struct shop_item *s = of->items[i]->shop;
        if (s->verb != SHOP_JUDGE || !of->items[i]->counted || s->target != number)
            continue;
        if (s->verdict.outcome != JUDGED_HELD)
            return NULL;
        held = s;
    }
    return held;
}

static void judge_held(struct world *w, const struct decision_made *d, struct shop_record *of,
                       int number)
{
    const struct item *item = of->items[number];
    bool accepts = d->decision == DECISION_ACCEPT;
    struct judgement judgement = {.verdict = {.outcome = accepts ? JUDGED_APPLIED : JUDGED_DENIED,
                                              .reason = REASON_ANSWERED,
                                              .answer = d->item->id}};
    if (accepts && item->shop->verb == SHOP_REQUEST) {
        struct event event;
        const struct carrier *c = book_shown(&w->centre.book, item);
        MUST(event_parse(c->bytes, &w->scratch, &event, NULL) == ERR_OK);
        authority_decide(w, &event, item->shop, &judgement.verdict);
    }
    (void)authority_say(w, of, number, &judgement);
    if (item->shop->verb == SHOP_REQUEST)
        authority_check_promise(w, of);
}

static void judge_all_held(struct world *w, const struct decision_made *d)
{
    for (int i = 0; i < d->item->shop->number; i++) {
        if (shop_set_has(&d->item->shop->triggers, i) && held_by(d->of, i))
            judge_held(w, d, d->of, i);
    }
    for (uint64_t r = 0; d->of->kind == SHOP_BATCH && r < w->shop.count; r++) {
        struct shop_record *of = w->shop.records[r];
        for (int i = 0; i < of->count; i++) {
            const struct shop_item *held = held_by(of, i);
            if (held && held->batch == d->of)
                judge_held(w, d, of, i);
        }
    }
}

// ---- quantities -------------------------------------------------------------------------------

// Stock moves by an event of its own, which names the answer as its cause.
static void adjust(struct world *w, const struct decision_made *d)
{
    struct event draft = {.type = event_type_find(STR("inventory_adjusted"))};
    struct buf body;
    char text[3][DECIMAL_TEXT_MAX];
    int64_t value = 0;
    if (d->decision != DECISION_EDIT || d->of->kind != SHOP_STOCK)
        return;
    struct uuid id = world_uuid(w);
    struct item *item = oracle_item_new(w, &id, d->of->place);
    const struct shop_item *first = d->of->items[0]->shop; // of such a record: a judgement
    int sku = first->verdict.reason == REASON_BELOW_ZERO ? first->sku : first->about->claim.sku;
    MUST(decimal_parse(str_of(d->value), &value) == ERR_OK);
    item->of_centre = true;
    item->deltas[item->delta_count++] = (struct delta){.sku = sku, .quantity = value};
    draft.id = item->id;
    draft.version = draft.type->version;
    draft.lane = draft.type->lane;
    draft.location = str_of(world_place(item->place));
    draft.type_name = str_of(draft.type->name);
    draft.record_type = STR("stock");
    draft.record_id = str_of(d->of->id);
    draft.cause = d->item->id;
    decimal_format(w->centre.stock[item->place][sku] + value, text[0]);
    decimal_format(w->centre.stock[item->place][sku], text[1]);
    decimal_format(value, text[2]);
    buf_init(&body, BODY_MAX);
    MUST(buf_append_format(&body,
                           "{\"sku\":\"%s\",\"counted\":\"%s\",\"system\":\"%s\","
                           "\"variance\":\"%s\"}",
                           world_sku(sku), text[0], text[1], text[2]) == ERR_OK);
    authority_put(w, item, &draft, &body);
    buf_fini(&body);
}

// ---- all --------------------------------------------------------------------------------------

static bool answer_any(struct world *w, struct shop_record *of)
{
    struct record *fold = book_fold(w, &w->centre.book, of);
    struct decision_made d = {.of = of, .row = fold ? any_open(w, fold) : NULL};
    if (d.row == NULL || of->count > SHOP_EVENTS / 2)
        return false; // room is left for what must be judged
    decide(w, &d);
    say_answer(w, &d);
    judge_all_held(w, &d);
    adjust(w, &d);
    return true;
}

// The first time the chain says who works there, and perhaps that branches set prices.
static void say_something(struct world *w)
{
    bool first = !people_any(w);
    if (first || rng_chance(&w->rng, 1, 2))
        people_say(w);
    else
        settings_say(w);
    if (first && rng_chance(&w->rng, 2, 3))
        settings_allow_prices(w);
}

// Some at once, in one transaction.
void authority_look(struct world *w)
{
    if (!w->centre.up || w->centre.recovering)
        return;
    if (world_chance(w, w->knobs.said))
        say_something(w);
    int answers = (int)rng_between(&w->rng, 1, AT_ONCE);
    for (int i = 0; i < LOOKED_AT && answers > 0 && w->shop.count; i++) {
        uint64_t pick = rng_below(&w->rng, w->shop.count);
        answers -= answer_any(w, w->shop.records[pick]);
    }
    below_judge(w); // an adjustment may explain one
    centre_tell_feeds(w);
}
