// SPDX-License-Identifier: Apache-2.0
#include "sim/shift.h"

#include <inttypes.h>
#include <string.h>

// ---- one shift --------------------------------------------------------------------------------

// The first in the order that nobody rejected; all of them rejected: the first.
static int first_of(const struct shop_end *end, enum shop_verb verb)
{
    int first = -1;
    for (int k = 0; k < end->ordered; k++) {
        int i = end->order[k];
        const struct shop_item *item = shop_end_item(end, i);
        if (item == NULL || item->verb != verb)
            continue;
        if (!end->rejected[i])
            return i;
        first = first < 0 ? i : first;
    }
    return first;
}

static void check_twice(const struct shop_end *end, enum shop_verb verb, const char *kind)
{
    int first = -1;
    for (int k = 0; k < end->ordered; k++) {
        int i = end->order[k];
        const struct shop_item *item = shop_end_item(end, i);
        if (item == NULL || item->verb != verb)
            continue;
        if (first >= 0 && !shop_is_asked(end, kind, first, i))
            shop_end_wrong(end, i, "a shift was opened or closed twice, and nobody is asked");
        first = first < 0 ? i : first;
    }
}

void shift_check(const struct shop_end *end)
{
    size_t at = 0;
    const struct row *head = shop_next_row(end, "shift_heads", &at);
    struct shop_record *of = end->w->shop.records[end->of->number];
    int opening = first_of(end, SHOP_SHIFT_OPEN), closing = first_of(end, SHOP_SHIFT_CLOSE);
    of->closing = closing < 0 ? NULL : of->items[closing];
    of->opened = opening >= 0;
    check_twice(end, SHOP_SHIFT_OPEN, "opened_twice");
    check_twice(end, SHOP_SHIFT_CLOSE, "closed_twice");
    if (head == NULL || closing < 0)
        return;
    if (!shop_text_is(head, "state", "closed") ||
        !uuid_equal(&shop_value(head, "closing")->uuid, &of->closing->id) ||
        shop_number(head, "z") != of->closing->shop->z)
        shop_end_wrong(end, closing, "it closed the shift, and does not count");
}

// ---- which Z ----------------------------------------------------------------------------------

static bool counted_by(const struct shop_record *shift, const struct item *item)
{
    const struct shop_item *closing = shift->closing ? shift->closing->shop : NULL;
    for (uint64_t i = 0; closing && i < closing->held_count; i++) {
        if (closing->held[i] == item)
            return true;
    }
    return false;
}

static bool is_same_drawer(const struct shop_record *a, const struct shop_record *b)
{
    return a->opened == b->opened && (!a->opened || a->drawer == b->drawer);
}

static bool is_before(const struct shop_record *a, const struct shop_record *b)
{
    int64_t x = a->closing->shop->z, y = b ? b->closing->shop->z : 0;
    return b == NULL || x < y || (x == y && strcmp(a->id, b->id) < 0);
}

struct meant {
    enum shift_section section;
    const struct shop_record *in; // NULL: it waits
};

// The Z that had it before it as it was closed: its own, or the first later one of the drawer.
static struct meant meant_of(const struct world *w, const struct item *item)
{
    const struct shop_record *own = item->shift, *first = NULL;
    if (own->closing == NULL || counted_by(own, item))
        return (struct meant){SHIFT_OWN, own};
    for (uint64_t i = 0; i < w->shop.count; i++) {
        const struct shop_record *of = w->shop.records[i];
        if (of->kind == SHOP_SHIFT && of->place == own->place && of->closing &&
            of->closing->shop->z > own->closing->shop->z && is_same_drawer(of, own) &&
            counted_by(of, item) && is_before(of, first))
            first = of;
    }
    return (struct meant){first ? SHIFT_LATE : SHIFT_WAITING, first};
}

// For people: under which carriers the event is here and was, and which Z named them.
static void explain(struct world *w, const struct shift_view *v, const struct shift_fact *fact)
{
    const struct item *item = fact->item;
    char id[UUID_TEXT_SIZE];
    uuid_format(&fact->event.origin, id);
    world_trace(w, "  the event is here as %s lane %d seq %" PRIu64, id, fact->event.lane,
                fact->event.seq);
    for (const struct carrier *c = item->shop ? item->shop->carriers : NULL; c; c = c->shop->next) {
        uuid_format(&c->stream->key.origin, id);
        world_trace(w, "  written by till %d as %s lane %d seq %" PRIu64, c->stream->till, id,
                    c->stream->key.lane, c->seq);
    }
    for (uint64_t i = 0; i < v->count; i++) {
        const struct shift_z *z = &v->all[i];
        world_trace(w, "  shift %.*s of %.*s: %s, Z %d%s", STR_ARG(z->shift), STR_ARG(z->till),
                    z->closed ? "closed" : "open", (int)z->z,
                    z->closed && shift_z_froze(z, &fact->event) ? ", has it" : "");
        for (size_t k = 0; k < z->mark_count; k++) {
            uuid_format(&z->marks[k].origin, id);
            world_trace(w, "    %s lane %d up to %" PRIu64, id, z->marks[k].lane, z->marks[k].upto);
        }
    }
}

static bool is_completed_twice(const struct item *item)
{
    const struct shop_record *of = item->shop->of;
    int count = 0;
    for (int i = 0; i < of->count; i++)
        count += of->items[i]->shop->verb == SHOP_COMPLETE;
    return count > 1;
}

static void check_fact(struct world *w, const struct shift_view *v, const struct shift_fact *fact,
                       int till)
{
    static const char *const names[] = {"its own", "a late", "no"};
    struct str is;
    if (fact->item == NULL || fact->item->counted == 0)
        return; // nobody else knows of it
    if (fact->sale && is_completed_twice(fact->item))
        return; // the first in the order counts, and a person is asked
    if (fact->item->written > 1)
        return; // a Z names it by one carrier, and another may come to count
    struct meant meant = meant_of(w, fact->item);
    enum shift_section section = shift_section_of(&fact->event, v->all, v->count, &is);
    if (section == meant.section && str_is(is, meant.in ? meant.in->id : ""))
        return;
    explain(w, v, fact);
    world_fail(w, SIM_DIVERGENT,
               "%s, as till %d shows it: money of shift %d is in %s section of shift %.*s, but was "
               "counted in %s section of shift %s",
               world_place(fact->item->place), till, fact->item->shift->number, names[section],
               STR_ARG(is), names[meant.section], meant.in ? meant.in->id : "-");
}

static void check_facts(struct world *w, const struct shift_view *v, int till)
{
    for (uint64_t i = 0; i < v->fact_count && !world_failed(w); i++)
        check_fact(w, v, &v->facts[i], till);
}

// ---- all --------------------------------------------------------------------------------------

static int64_t amount_of(const struct item *item)
{
    const struct shop_item *s = item->shop;
    if (s == NULL)
        return item->paid;
    switch ((int)s->verb) {
    case SHOP_PAY:
    case SHOP_CASH:
        return s->amount;
    case SHOP_REFUND:
        return -s->amount;
    default:
        return 0;
    }
}

// What was taken is in the sections, and nothing else. A float counts where its opening does.
static void check_sum(struct world *w, const struct shift_view *v, int place)
{
    int64_t meant = 0, is = 0;
    for (uint64_t i = 0; i < w->item_count; i++) {
        const struct item *item = w->items[i];
        if (item->place == place && item->shift && item->counted)
            meant += amount_of(item);
    }
    for (uint64_t i = 0; i < v->fact_count; i++) {
        const struct shift_fact *f = &v->facts[i];
        bool floats = f->item->shop && f->item->shop->verb == SHOP_SHIFT_OPEN;
        is += f->sale || floats ? 0 : f->amount;
    }
    if (is != meant)
        world_fail(w, SIM_DIVERGENT,
                   "%s: the sections of all shifts hold %" PRId64 ", but %" PRId64 " was taken",
                   world_place(place), is, meant);
}

// A till that holds of a shift what the centre cannot read closes another one.
static bool shows_more(const struct world *w, const struct till *t)
{
    for (uint64_t i = 0; i < w->shop.count; i++) {
        const struct shop_record *of = w->shop.records[i];
        for (int k = 0; of->kind == SHOP_SHIFT && k < of->count; k++) {
            if (of->items[k]->counted == 0 && book_shown(&t->disk.book, of->items[k]))
                return true;
        }
    }
    return false;
}

void shift_check_all(struct world *w)
{
    for (int place = 0; place < w->knobs.places && !world_failed(w); place++) {
        struct shift_view v = shift_view_of(w, place, NULL);
        arena_reset(&w->scratch);
        check_facts(w, &v, -1);
        check_sum(w, &v, place);
    }
    for (int i = 0; i < w->till_count && !world_failed(w); i++) {
        struct till *t = &w->tills[i];
        if (!t->used || t->revoked || shows_more(w, t))
            continue;
        struct shift_view v = shift_view_of(w, t->place, t);
        arena_reset(&w->scratch);
        check_facts(w, &v, i);
    }
}
