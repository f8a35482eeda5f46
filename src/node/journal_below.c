// SPDX-License-Identifier: Apache-2.0
//
// Stock that goes below zero, at the centre, where a place keeps stock of the SKU (something else
// than a sale has moved it there). Below zero is below what the setting 'oversell' lets be promised
// beyond what is there. Where it was below zero before anybody kept stock of it, it is asked about
// when the place begins to.
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
    bool begins = false;
    enum err_code code = store_stock_keep(j->store, a->event.location, sku, &begins, e);
    if (code || !begins)
        return code;
    struct begun *begun = arena_alloc_zero(&j->arena, sizeof *begun);
    if (begun == NULL)
        return err_set(e, ERR_NO_MEMORY, "the transaction is too large");
    *begun = (struct begun){.location = arena_copy(&j->arena, a->event.location),
                            .sku = arena_copy(&j->arena, sku),
                            .event = a->event.id,
                            .next = j->begun};
    j->begun = begun;
    return begun->location.p && begun->sku.p
               ? ERR_OK
               : err_set(e, ERR_NO_MEMORY, "the transaction is too large");
}

static enum err_code ask(struct journal *j, const struct record_name *record,
                         const struct store_turn *turn, struct err *e)
{
    struct judgement judgement = {.target = turn->event,
                                  .verdict = {JUDGED_APPLIED, .reason = REASON_BELOW_ZERO},
                                  .quantity = {.shown = turn->quantity}};
    bool sayable = turn->quantity >= -LIMIT_DECIMAL && !uuid_is_zero(&turn->event);
    return sayable ? journal_say(j, record, &judgement, e) : ERR_OK;
}

// Of a SKU that turned more than once in the transaction the last says what there is; what there
// was, and whether goods came, all of them.
struct below {
    const struct store_turn *last;
    int64_t before;
    bool brought;
};

static bool is_same(const struct store_turn *a, const struct store_turn *b)
{
    return str_equal(a->sku, b->sku) && str_equal(a->location, b->location);
}

static bool turns_later(const struct store_turns *turns, size_t i)
{
    for (size_t k = turns->count; k-- > i && turns->items[k].flush != turns->items[i].flush;) {
        if (is_same(&turns->items[k], &turns->items[i]))
            return true;
    }
    return false;
}

static struct below gather(const struct store_turns *turns, size_t last)
{
    const struct store_turn *items = turns->items;
    struct below below = {&items[last], items[last].before, items[last].brought};
    for (size_t k = last; k-- > 0;) {
        if (items[k].flush == items[last].flush || !is_same(&items[k], &items[last]))
            continue;
        below.before = items[k].before;
        below.brought = below.brought || items[k].brought;
    }
    return below;
}

static enum err_code judge_one(struct journal *j, const struct below *below, struct err *e)
{
    const struct store_turn *turn = below->last;
    struct record_name record = {turn->location, STR("stock"), turn->sku};
    struct store_setting_name oversell = {turn->location, "oversell", turn->sku};
    struct str triggers;
    bool kept = false;
    int64_t tolerance = 0;
    enum err_code code = store_stock_kept(j->store, turn->location, turn->sku, &kept, e);
    if (code || !kept)
        return code;
    code = store_setting_decimal(j->store, &oversell, &tolerance, e);
    if (code == ERR_OK)
        code = store_question_open(j->store, &record, "below_zero", &j->arena, &triggers, e);
    if (code)
        return code;
    struct quantity_turn is = {below->before, turn->quantity, tolerance, below->brought,
                               triggers.n != 0};
    switch (quantity_below(&is)) {
    case BELOW_ASK:
        return ask(j, &record, turn, e);
    case BELOW_EXPLAINED:
        return journal_explain(j, &record, "below_zero", triggers, e);
    case BELOW_AS_IT_WAS:
        break;
    }
    return ERR_OK;
}

// It may not have turned: what there is now says it, as if goods had come.
static enum err_code judge_begun(struct journal *j, const struct begun *begun, struct err *e)
{
    struct store_turn turn = {
        .location = begun->location, .sku = begun->sku, .event = begun->event, .brought = true};
    enum err_code code = store_stock_of(j->store, turn.location, turn.sku, &turn.quantity, e);
    struct below below = {&turn, turn.quantity, true};
    return code ? code : judge_one(j, &below, e);
}

static bool just_began(const struct journal *j, const struct store_turn *turn)
{
    const struct begun *b = j->begun;
    while (b != NULL && !(str_equal(b->sku, turn->sku) && str_equal(b->location, turn->location)))
        b = b->next;
    return b != NULL;
}

enum err_code journal_judge_below(struct journal *j, struct err *e)
{
    struct store_turns turns = {.count = 0};
    enum err_code code = store_flush(j->store, e);
    if (code == ERR_OK)
        code = store_stock_turned(j->store, &j->arena, &turns, e);
    for (const struct begun *b = j->begun; b != NULL && code == ERR_OK; b = b->next)
        code = judge_begun(j, b, e);
    for (size_t i = 0; i < turns.count && code == ERR_OK; i++) {
        if (turns_later(&turns, i) || just_began(j, &turns.items[i]))
            continue;
        struct below below = gather(&turns, i);
        code = judge_one(j, &below, e);
    }
    j->begun = NULL;
    return code;
}
