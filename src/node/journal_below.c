// SPDX-License-Identifier: Apache-2.0
//
// Stock that goes below zero, at the centre, where a place keeps stock of the SKU (something else
// than a sale has moved it there).
//
//   enough ──more was taken than there is──► asked (one question for each SKU at a place)
//     ▲                                        │ a person answers: closed; it is asked again when
//     └──there is enough again: it closes──────┘ there was enough in between, or goods that came
//                                                leave it below zero
#include "model/body.h"
#include "node/journal_private.h"

enum err_code journal_note_kept(struct journal *j, const struct arrival *a, struct err *e)
{
    struct str sku = body_text(a->event.body, "sku");
    if (a->event.type->flow == FLOW_NONE || a->event.type->flow == FLOW_DEMAND || sku.n == 0)
        return ERR_OK;
    return store_stock_keep(j->store, a->event.location, sku, e);
}

static enum err_code ask(struct journal *j, const struct record_name *record,
                         const struct store_turn *turn, struct err *e)
{
    bool kept = false;
    struct judgement judgement = {.target = turn->event,
                                  .verdict = {JUDGED_APPLIED, .reason = REASON_BELOW_ZERO},
                                  .quantity = {.shown = turn->quantity}};
    enum err_code code = store_stock_kept(j->store, turn->location, turn->sku, &kept, e);
    bool sayable = turn->quantity >= -LIMIT_DECIMAL && !uuid_is_zero(&turn->event);
    return code || !kept || !sayable ? code : journal_say(j, record, &judgement, e);
}

static enum err_code judge_one(struct journal *j, const struct store_turn *turn, struct err *e)
{
    struct record_name record = {turn->location, STR("stock"), turn->sku};
    struct str triggers;
    enum err_code code =
        store_question_open(j->store, &record, "below_zero", &j->arena, &triggers, e);
    if (code || (turn->quantity < 0 && triggers.n != 0))
        return code;
    return turn->quantity < 0 ? ask(j, &record, turn, e)
                              : journal_explain(j, &record, "below_zero", triggers, e);
}

// Of a SKU that turned twice, since judging gave something back, the last counts.
static bool turns_later(const struct store_turns *turns, size_t i)
{
    for (size_t k = turns->count; k-- > i && turns->items[k].flush != turns->items[i].flush;) {
        if (str_equal(turns->items[k].sku, turns->items[i].sku) &&
            str_equal(turns->items[k].location, turns->items[i].location))
            return true;
    }
    return false;
}

enum err_code journal_judge_below(struct journal *j, struct err *e)
{
    struct store_turns turns = {.count = 0};
    enum err_code code = store_flush(j->store, e);
    if (code == ERR_OK)
        code = store_stock_turned(j->store, &j->arena, &turns, e);
    for (size_t i = 0; i < turns.count && code == ERR_OK; i++) {
        if (!turns_later(&turns, i))
            code = judge_one(j, &turns.items[i], e);
    }
    return code;
}
