// SPDX-License-Identifier: Apache-2.0
// After quiet: which events count is decided here from all that were written, and every node must
// hold just these and have the same rows.
#include "model/policy.h"
#include "sim/below.h"
#include "sim/people.h"
#include "sim/shift.h"
#include "sim/shop_end.h"
#include "sim/trim.h"

#include <inttypes.h>
#include <string.h>

static const char *type_of(const struct shop_end *end)
{
    return end->of->reducer->record_type;
}

// ---- what counts ------------------------------------------------------------------------------

static bool takes_part(const struct carrier *c)
{
    const struct centre_stream *s = c->stream->at_centre;
    if (s == NULL || c->seq > s->settled || c->stream->carriers[c->seq - 1] != c)
        return false;
    return !s->revoked || c->seq <= s->counts_to;
}

// Of all carriers of the item that reached the centre, the first in the order.
static const struct carrier *first_of(const struct item *item)
{
    const struct carrier *first = NULL;
    for (const struct carrier *c = item->shop->carriers; c; c = c->shop->next) {
        if (takes_part(c) &&
            (first == NULL || event_order_compare(&c->shop->order, &first->shop->order) < 0))
            first = c;
    }
    return item->counted ? first : NULL;
}

static void check_centre(struct shop_end *end)
{
    for (int i = 0; i < end->of->count; i++) {
        const struct item *item = end->of->items[i];
        const struct carrier *is = book_shown(&end->w->centre.book, item);
        end->counted[i] = first_of(item);
        if (is == end->counted[i])
            continue;
        world_fail(end->w, end->counted[i] ? SIM_LOST : SIM_DOUBLED,
                   "%s %d of %s: of event %d the centre counts %s", type_of(end), end->of->number,
                   world_place(end->of->place), i,
                   is == NULL                ? "none of its carriers"
                   : end->counted[i] == NULL ? "one, and none should be"
                                             : "another carrier than the first");
    }
}

// ---- who lost ---------------------------------------------------------------------------------

static bool is_declared(const char *policy)
{
    for (size_t i = 0; i < policy_count; i++) {
        if (strcmp(policies[i].record, policy) == 0)
            return true;
    }
    return false;
}

static bool is_listed(const struct shop_end *end, const struct record *fold, int i)
{
    for (size_t k = 0; k < record_count(fold); k++) {
        if (uuid_equal(&record_entry_at(fold, k)->id, &end->of->items[i]->id))
            return true;
    }
    return false;
}

void shop_end_check_losers(const struct shop_end *end, const struct shop_set *writes, int stands,
                           const char *policy)
{
    const struct record *fold = book_fold(end->w, &end->w->centre.book, end->of);
    for (int i = 0; i < end->of->count; i++) {
        if (i == stands || !shop_set_has(writes, i))
            continue;
        if (shop_end_saw(end, i, stands))
            shop_end_wrong(end, i, "it was written with the other before its author, and lost");
        if (!is_listed(end, fold, i))
            shop_end_wrong(end, i, "it lost, and nobody can see that it was written");
        if (!shop_end_saw(end, stands, i) && !is_declared(policy))
            shop_end_wrong(end, i, "it lost to another, and no policy says so");
    }
}

// ---- tills ------------------------------------------------------------------------------------

// A dead letter at the centre is folded where it was written; so is what nobody else will ever see,
// since its bytes were damaged before it was sent.
static bool is_apart(const struct item *item)
{
    return item->counted == 0 && (item->foreign || item->excused);
}

// Whether the till holds events that the centre cannot read.
static bool check_set(const struct shop_end *end, const struct till *t)
{
    bool more = false;
    for (int i = 0; i < end->of->count; i++) {
        const struct item *item = end->of->items[i];
        const struct carrier *is = book_shown(&t->disk.book, item);
        if (is == end->counted[i])
            continue;
        if (is && end->counted[i] == NULL && is_apart(item))
            more = true;
        else
            world_fail(end->w, SIM_DIVERGENT, "%s %d of %s: of event %d till %d shows %s",
                       type_of(end), end->of->number, world_place(end->of->place), i, t->index,
                       is == NULL                ? "nothing"
                       : end->counted[i] == NULL ? "what the centre does not count"
                                                 : "another carrier than the centre");
    }
    return more;
}

static struct hash hash_of_rows(struct world *w, const struct row_list *rows)
{
    buf_reset(&w->buf);
    for (size_t i = 0; i < rows->count; i++)
        MUST(row_encode(&rows->items[i], &w->buf) == ERR_OK);
    return hash_of(buf_str(&w->buf));
}

static struct hash state_of(struct world *w, const struct record *fold)
{
    struct row_list rows;
    MUST(record_rows(fold, &w->scratch, &rows) == ERR_OK);
    return hash_of_rows(w, &rows);
}

// For people: the record as it was folded.
static void show(const struct shop_end *end, const struct record *fold)
{
    for (size_t i = 0; end->w->options->verbose && i < record_count(fold); i++) {
        const struct record_entry *entry = record_entry_at(fold, i);
        world_trace(end->w, "  event %d: %s, hlc %016" PRIx64 ", stream %d seq %" PRIu64,
                    shop_find_number(end, &entry->id), entry->type->name, entry->order.hlc,
                    entry->stream, entry->order.seq);
        for (int k = 0; k < entry->base_count; k++)
            world_trace(end->w, "    has seen event %d", shop_find_number(end, &entry->base[k]));
    }
}

// Folded anew, of the same events, from the last to the first.
static struct hash state_again(const struct shop_end *end, struct book *of)
{
    struct book again = {0};
    struct record *fold = NULL;
    for (int i = end->of->count - 1; i >= 0; i--) {
        const struct carrier *c = book_shown(of, end->of->items[i]);
        if (c)
            book_set(end->w, &again, c->item, HELD_OWN, c);
        fold = c ? book_fold(end->w, &again, end->of) : fold;
    }
    struct hash state = fold ? state_of(end->w, fold) : (struct hash){0};
    book_forget(&again);
    return state;
}

// Who was told of a record that the centre and its author have both lost keeps it, once it is over.
static bool is_last_to_know(const struct shop_end *end, struct till *t)
{
    for (int i = 0; i < end->of->count; i++) {
        if (end->counted[i])
            return false;
    }
    return trim_is_over(end->w, &t->disk.book, end->of);
}

static void check_till(struct shop_end *end, struct till *t, const struct hash *state)
{
    if (is_last_to_know(end, t))
        return;
    bool more = check_set(end, t);
    struct record *fold = book_fold(end->w, &t->disk.book, end->of);
    if (world_failed(end->w) || fold == NULL)
        return;
    struct hash expected = *state;
    struct hash is = state_of(end->w, fold);
    if (more)
        expected = state_again(end, &t->disk.book);
    if (hash_equal(&is, &expected))
        return;
    show(end, fold);
    world_fail(end->w, SIM_DIVERGENT, "%s %d of %s: till %d has other rows", type_of(end),
               end->of->number, world_place(end->of->place), t->index);
}

static void (*const kinds[SHOP_KINDS])(const struct shop_end *) = {
    [SHOP_ORDER] = shop_order_check,
    [SHOP_TABLE] = shop_card_check,
    [SHOP_AVAILABILITY] = shop_card_check,
    [SHOP_CUSTOMER] = shop_card_check,
    [SHOP_UNMET] = shop_card_check,
    [SHOP_PRICE] = shop_card_check,
    [SHOP_RESERVATION] = shop_reservation_check,
    [SHOP_SHIFT] = shift_check,
    [SHOP_STOCK] = shop_stock_check,
    [SHOP_BATCH] = shop_batch_check,
    [SHOP_USER] = people_check,
    [SHOP_ROLE] = people_check,
    [SHOP_SETTING] = shop_card_check,
};

static void check_record(struct world *w, const struct shop_record *of)
{
    struct shop_end *end = arena_alloc_zero(&w->scratch, sizeof(*end));
    MUST(end != NULL);
    end->w = w;
    end->of = of;
    check_centre(end);
    if (world_failed(w))
        return;
    struct record *fold = book_fold(w, &w->centre.book, of);
    row_list_init(&end->rows, &w->scratch);
    if (fold)
        MUST(record_rows(fold, &w->scratch, &end->rows) == ERR_OK);
    struct hash state = hash_of_rows(w, &end->rows);
    struct hash again = fold ? state_again(end, &w->centre.book) : state;
    world_mix(w, (uint64_t)state.b[0] << 8 | state.b[1]);
    if (!hash_equal(&again, &state))
        world_fail(w, SIM_DIVERGENT, "%s %d of %s: the centre's rows are not a fold of its events",
                   type_of(end), of->number, world_place(of->place));
    for (int i = 0; i < w->till_count && !world_failed(w); i++) {
        struct till *t = &w->tills[i];
        bool told = of->place == PLACE_CHAIN || t->place == of->place;
        if (t->used && !t->revoked && told && !trim_may_lack(w, t, of))
            check_till(end, t, &state);
    }
    shop_find_seen(end);
    if (!world_failed(w) && fold) {
        kinds[of->kind](end);
        shop_judge_check(end);
    }
    if (world_failed(w) && fold)
        show(end, fold);
}

void shop_check_end(struct world *w)
{
    for (uint64_t i = 0; i < w->shop.count && !world_failed(w); i++) {
        check_record(w, w->shop.records[i]);
        arena_reset(&w->scratch);
    }
    shop_batches_check(w);
    shop_unauthorised_check(w);
    below_check(w);
    if (!world_failed(w))
        shift_check_all(w);
}
