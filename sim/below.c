// SPDX-License-Identifier: Apache-2.0
#include "sim/below.h"

#include "model/quantity.h"
#include "sim/authority.h"
#include "sim/settings.h"
#include "sim/shop_end.h"

#include <inttypes.h>

void below_note(struct world *w, int place, int sku, const struct item *by, int64_t delta,
                bool brings)
{
    struct below *b = &w->centre.below[place][sku];
    if (!b->moved)
        b->before = w->centre.stock[place][sku];
    b->moved = true;
    b->brought = b->brought || (brings && delta >= 0);
    if (delta < 0 || b->taken_by == NULL)
        b->taken_by = by;
}

void below_keep(struct world *w, int place, int sku)
{
    struct below *b = &w->centre.below[place][sku];
    b->brought = b->brought || !w->centre.kept[place][sku]; // as if goods had come
    w->centre.kept[place][sku] = true;
}

// ---- the question -----------------------------------------------------------------------------

static struct shop_record *record_of(struct world *w, int place, int sku)
{
    return shop_record_at(w, place, SHOP_STOCK, world_sku(sku));
}

// The events that an open question names; empty: none is open.
static struct str open_triggers(struct world *w, const struct shop_record *of)
{
    struct row_list rows;
    struct record *fold = book_fold(w, &w->centre.book, of);
    row_list_init(&rows, &w->scratch);
    if (fold)
        MUST(record_rows(fold, &w->scratch, &rows) == ERR_OK);
    for (size_t i = 0; i < rows.count; i++) {
        const struct row *row = &rows.items[i];
        if (row->table == &question_table && shop_text_is(row, "kind", "below_zero") &&
            shop_number(row, "open"))
            return shop_value(row, "triggers")->text;
    }
    return STR("");
}

static void explain(struct world *w, struct shop_record *of, struct str triggers)
{
    struct str text;
    while (str_cut(&triggers, ' ', &text)) {
        struct judgement judgement = {.verdict = {JUDGED_APPLIED, .reason = REASON_EXPLAINED},
                                      .review = STR("below_zero")};
        MUST(uuid_parse(text, &judgement.target) == ERR_OK);
        (void)authority_say_apart(w, of, NULL, &judgement);
    }
}

static void judge(struct world *w, int place, int sku, const struct below *b)
{
    struct shop_record *of = record_of(w, place, sku);
    struct str triggers = open_triggers(w, of);
    struct quantity_turn turn = {.before = b->before,
                                 .now = w->centre.stock[place][sku],
                                 .tolerance = settings_oversell(w, place, sku),
                                 .brought = b->brought,
                                 .asked = triggers.n != 0};
    enum quantity_below said = quantity_below(&turn);
    if (said == BELOW_EXPLAINED)
        explain(w, of, triggers);
    if (said != BELOW_ASK || b->taken_by == NULL || of->count > SHOP_EVENTS / 2)
        return;
    struct judgement judgement = {.target = b->taken_by->id,
                                  .verdict = {JUDGED_APPLIED, .reason = REASON_BELOW_ZERO},
                                  .quantity = {.shown = turn.now}};
    struct item *item = authority_say_apart(w, of, b->taken_by, &judgement);
    item->shop->sku = sku;
    item->shop->first_seq = w->folded[w->line][place][sku].count;
}

// What a question closes or opens moves nothing.
void below_judge(struct world *w)
{
    for (int place = 0; place < w->knobs.places; place++) {
        for (int sku = 0; sku < w->knobs.skus; sku++) {
            struct below *b = &w->centre.below[place][sku];
            struct below was = *b;
            *b = (struct below){.moved = false};
            if (was.moved && w->centre.kept[place][sku])
                judge(w, place, sku, &was);
            if (was.moved && w->centre.stock[place][sku] >= 0)
                w->enough[place][sku] = w->folded[w->line][place][sku].count;
        }
    }
}

// ---- after quiet ------------------------------------------------------------------------------

// Since there was enough last.
static bool was_asked(const struct shop_record *of, uint64_t enough)
{
    for (int i = 0; of && i < of->count; i++) {
        const struct shop_item *s = of->items[i]->shop;
        if (of->items[i]->counted && s->verb == SHOP_JUDGE &&
            s->verdict.reason == REASON_BELOW_ZERO && s->first_seq > enough)
            return true;
    }
    return false;
}

// Where the place keeps stock of it, and the chain lets nothing be sold beyond what is there, all
// along; a restored centre began another account. What somebody has answered is not asked again as
// long as it stays below.
static void check(struct world *w, int place, int sku)
{
    const struct shop_record *of = shop_record_find(w, place, SHOP_STOCK, world_sku(sku));
    int64_t stock = w->centre.stock[place][sku];
    bool open = of && open_triggers(w, of).n != 0;
    bool kept = w->centre.kept[place][sku];
    if (open && (stock >= 0 || !kept))
        world_fail(w, SIM_DIVERGENT, "%s: there are %" PRId64 " of %s, and somebody is asked why",
                   world_place(place), stock, world_sku(sku));
    uint64_t enough = w->enough[place][sku];
    bool must = stock < 0 && kept && w->lines == 0 && !settings_oversold(w);
    if (must && !open && !was_asked(of, enough))
        world_fail(w, SIM_DIVERGENT, "%s: there are %" PRId64 " of %s, and nobody is asked",
                   world_place(place), stock, world_sku(sku));
}

void below_check(struct world *w)
{
    for (int place = 0; place < w->knobs.places && !world_failed(w); place++) {
        for (int sku = 0; sku < w->knobs.skus && !world_failed(w); sku++)
            check(w, place, sku);
    }
}
