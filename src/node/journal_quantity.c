// SPDX-License-Identifier: Apache-2.0
//
// What authors say they saw of stock (model/quantity.h), at the authority.
//
//   a count, or a sale that says what it saw ──► held against what came since (journal_judge_claim)
//   whatever moves stock and stands before a count that came earlier ──► an overlap of that count
//                                                                   (journal_judge_overlaps)
// Limits: where a position is too old to be known, or too much came since, only a count is asked
//   about, and only where it would differ with nothing unseen.
#include "base/decimal.h"
#include "node/journal_private.h"

#include <string.h>

// A client can have been shown no more than this node shows.
static enum err_code check_seen(struct journal *j, const struct event *draft,
                                const char **ret_fault, struct err *e)
{
    struct event_seen shown;
    enum err_code code = store_feed_seen(j->store, draft->location, &shown, e);
    if (!uuid_equal(&draft->seen.feed, &shown.feed))
        *ret_fault = "seen: of a feed that this node does not follow; look again, and count again";
    else if (draft->seen.position > shown.position)
        *ret_fault = "seen: this node has not seen so much of its feed yet";
    return code;
}

enum err_code journal_fill_seen(struct journal *j, struct event *draft, const char **ret_fault,
                                struct err *e)
{
    *ret_fault = NULL;
    if (!quantity_may_claim(draft->type))
        return ERR_OK;
    if (uuid_is_zero(&draft->seen.feed))
        return store_feed_seen(j->store, draft->location, &draft->seen, e);
    bool counts = draft->type->flow == FLOW_CORRECTION; // goods were sold, whatever was shown
    return counts ? check_seen(j, draft, ret_fault, e) : ERR_OK;
}

// ---- as events come ---------------------------------------------------------------------------

static enum err_code author_of(struct journal *j, const struct event *event, struct uuid *ret,
                               struct err *e)
{
    struct stream_info info;
    enum err_code code =
        store_stream_find(j->store, &(struct stream_key){event->origin, event->lane}, &info);
    if (code)
        return err_set(e, code, "an event's stream is not known");
    *ret = info.device;
    return ERR_OK;
}

static enum err_code newest_count(struct journal *j, struct str location, hlc *ret, struct err *e)
{
    enum err_code code = ERR_OK;
    if (!str_is(location, j->counted.location)) {
        code = store_counted_newest(j->store, location, &j->counted.hlc, e);
        if (str_copy(j->counted.location, sizeof j->counted.location, location))
            j->counted.location[0] = '\0';
    }
    *ret = j->counted.hlc;
    return code;
}

static enum err_code note_count(struct journal *j, const struct arrival *a, struct err *e)
{
    struct store_counted counted = {.sku = a->claim.sku,
                                    .event = a->event.id,
                                    .record_id = a->event.record_id,
                                    .order = a->order,
                                    .shown = a->claim.shown};
    enum err_code code = author_of(j, &a->event, &counted.device, e);
    j->counted.location[0] = '\0';
    return code ? code : store_counted_put(j->store, a->event.location, &counted, e);
}

static struct overlap *find_overlap(struct journal *j, const struct str location,
                                    const struct store_counted *counted)
{
    for (struct overlap *o = j->overlaps; o != NULL; o = o->next) {
        if (uuid_equal(&o->counted.event, &counted->event) && str_equal(o->location, location))
            return o;
    }
    struct overlap *o = arena_alloc_zero(&j->arena, sizeof *o);
    if (o == NULL)
        return NULL;
    *o = (struct overlap){
        .location = arena_copy(&j->arena, location), .counted = *counted, .next = j->overlaps};
    o->counted.sku = arena_copy(&j->arena, counted->sku);
    if (o->location.p == NULL || o->counted.sku.p == NULL)
        return NULL;
    j->overlaps = o;
    return o;
}

static enum err_code note_overlap(struct journal *j, const struct arrival *a,
                                  const struct effect_stock *stock, struct err *e)
{
    struct store_counted counted = {.sku = stock->sku};
    struct uuid author;
    enum err_code code = store_counted_find(j->store, a->event.location, &j->arena, &counted, e);
    if (code || uuid_is_zero(&counted.event) || event_order_compare(&a->order, &counted.order) >= 0)
        return code;
    code = author_of(j, &a->event, &author, e);
    if (code || uuid_equal(&author, &counted.device))
        return code;
    struct overlap *overlap = find_overlap(j, a->event.location, &counted);
    if (overlap == NULL)
        return err_set(e, ERR_NO_MEMORY, "the transaction is too large");
    if (decimal_add(overlap->moved, stock->delta, &overlap->moved))
        overlap->moved = INT64_MAX; // beyond what can be said
    return ERR_OK;
}

// An id that another event carried before is no news: what it moves was in already.
static enum err_code came_before(struct journal *j, const struct uuid *id, bool *ret, struct err *e)
{
    struct arena scratch;
    struct store_event_list list = {.count = 0};
    arena_init(&scratch, ARENA_MAX);
    enum err_code code = store_find_event(j->store, id, &scratch, &list, e);
    *ret = list.count > 1;
    arena_fini(&scratch);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code note_overlaps(struct journal *j, const struct arrival *a, struct err *e)
{
    struct arena scratch;
    struct effect_list list = {.count = 0};
    bool before = false;
    enum err_code code = came_before(j, &a->event.id, &before, e);
    if (code || before)
        return code;
    arena_init(&scratch, ARENA_MAX);
    if (effect_list_of(&a->event, &scratch, &list, NULL))
        list.count = 0;
    for (size_t i = 0; i < list.count && code == ERR_OK; i++) {
        if (list.items[i].kind == EFFECT_STOCK)
            code = note_overlap(j, a, &list.items[i].stock, e);
    }
    arena_fini(&scratch);
    return code;
}

enum err_code journal_note_quantity(struct journal *j, struct arrival *a, struct err *e)
{
    hlc newest = 0;
    if (a->event.type->flow == FLOW_NONE)
        return ERR_OK;
    enum err_code code = newest_count(j, a->event.location, &newest, e);
    bool again = journal_came_before(j, &a->event); // who counted may have known of it
    if (code == ERR_OK && a->order.hlc <= newest && !again)
        code = note_overlaps(j, a, e);
    bool answer = a->own && !uuid_is_zero(&j->answered);
    a->claims = !answer && quantity_claim_of(&a->event, &a->claim);
    return code == ERR_OK && a->claims && a->claim.counted ? note_count(j, a, e) : code;
}

// ---- claims -----------------------------------------------------------------------------------

static enum err_code walk_to(struct journal *j, struct str location, int64_t after,
                             struct seen_walk *walk, struct err *e)
{
    if (walk->after >= 0 && walk->after <= after && str_equal(walk->location, location))
        return ERR_OK;
    walk->location = location;
    walk->after = after;
    return store_moves_after(j->store, location, after, &j->arena, &walk->moves, e);
}

// The moves of one SKU behind a row; *ret_sure false where one of them was in before it already.
static enum err_code moves_of(struct journal *j, const struct seen_walk *walk, struct str sku,
                              struct quantity_view *view, bool *ret_sure, struct err *e)
{
    int64_t after = walk->wanted;
    struct quantity_move *moves = arena_alloc(&j->arena, (walk->moves.count + 1) * sizeof *moves);
    enum err_code code = ERR_OK;
    if (moves == NULL)
        return err_set(e, ERR_NO_MEMORY, "the transaction is too large");
    for (size_t i = 0; i < walk->moves.count && code == ERR_OK; i++) {
        const struct store_move *move = &walk->moves.items[i];
        bool before = false;
        if (move->lsn <= after || !str_equal(move->sku, sku))
            continue;
        code = came_before(j, &move->id, &before, e);
        *ret_sure = *ret_sure && !before;
        moves[view->count++] = move->move;
    }
    view->moves = moves;
    return code;
}

// Of a count that came in this very transaction the walk knows all.
static void drop_overlap(const struct seen_walk *walk, const struct uuid *count)
{
    for (struct overlap *o = walk->overlaps; o != NULL; o = o->next) {
        if (uuid_equal(&o->counted.event, count))
            o->moved = 0;
    }
}

// *ret_known: the view's moves are all that the author had not seen.
static enum err_code find_unseen(struct journal *j, const struct arrival *a, struct seen_walk *walk,
                                 struct quantity_view *view, bool *ret_known, struct err *e)
{
    int64_t after = -1;
    bool behind = false, sure = true;
    *ret_known = false;
    if (uuid_is_zero(&a->event.seen.feed))
        return ERR_OK;
    enum err_code code = store_seen_lsn(j->store, a->event.location, &a->event.seen, &after, e);
    if (code == ERR_OK && after >= 0)
        code = store_run_is_behind(j->store, &a->event.origin, &behind, e);
    if (code || after < 0 || behind)
        return code;
    code = walk_to(j, a->event.location, after, walk, e);
    if (code || !walk->moves.whole)
        return code;
    drop_overlap(walk, &a->event.id);
    walk->wanted = after;
    code = moves_of(j, walk, a->claim.sku, view, &sure, e);
    *ret_known = sure;
    return code;
}

enum err_code journal_judge_claim(struct journal *j, const struct arrival *a,
                                  struct seen_walk *walk, struct err *e)
{
    struct quantity_view view = {.order = a->order};
    struct judgement judgement = {.target = a->event.id};
    bool known = false;
    if (!a->claims)
        return ERR_OK;
    enum err_code code = find_unseen(j, a, walk, &view, &known, e);
    if (code == ERR_OK)
        code = author_of(j, &a->event, &view.device, e);
    if (code == ERR_OK)
        code = store_stock_of(j->store, a->event.location, a->claim.sku, &view.stock, e);
    if (!known && journal_came_before(j, &a->event)) // it was looked at then
        return code;
    if (code || !(known ? quantity_judge(&a->claim, &view, &judgement)
                        : quantity_judge_unseen(&a->claim, &view, &judgement)))
        return code;
    struct record_name record = {a->event.location, a->event.record_type, a->event.record_id};
    return journal_say(j, &record, &judgement, e);
}

enum err_code journal_judge_overlaps(struct journal *j, const struct overlap *overlaps,
                                     struct err *e)
{
    enum err_code code = ERR_OK;
    for (const struct overlap *o = overlaps; o != NULL && code == ERR_OK; o = o->next) {
        struct judgement judgement = {.target = o->counted.event,
                                      .verdict = {JUDGED_APPLIED, .reason = REASON_OVERLAP},
                                      .quantity = {o->counted.shown, o->counted.shown, -o->moved}};
        struct record_name record = {o->location, STR("stock"), o->counted.record_id};
        if (o->moved != 0 && o->moved >= -LIMIT_DECIMAL && o->moved <= LIMIT_DECIMAL)
            code = journal_say(j, &record, &judgement, e);
    }
    return code;
}
