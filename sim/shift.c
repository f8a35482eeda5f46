// SPDX-License-Identifier: Apache-2.0
#include "sim/shift.h"

#include "sim/shop_end.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { AT_ONCE = 4, MARKS_MAX = 64 };

int shift_drawer(const struct world *w, const struct till *t)
{
    int i = 0;
    while (!uuid_equal(&w->tills[i].device, &t->device))
        i++;
    return i; // a copy of a disk goes on with the drawer
}

// ---- what a node shows ------------------------------------------------------------------------

static struct row_list rows_of(struct world *w, struct book *at, const struct shop_record *of)
{
    struct row_list rows;
    struct record *fold = book_fold(w, at, of);
    row_list_init(&rows, &w->scratch);
    if (fold)
        MUST(record_rows(fold, &w->scratch, &rows) == ERR_OK);
    return rows;
}

static bool is_of(const struct row *row, const char *table)
{
    return strcmp(row->table->name, table) == 0;
}

static void add_mark(struct world *w, struct shift_z *z, const struct row *row)
{
    struct shift_mark *marks = world_alloc(w, (z->mark_count + 1) * sizeof(*marks));
    for (size_t i = 0; i < z->mark_count; i++)
        marks[i] = z->marks[i];
    marks[z->mark_count++] =
        (struct shift_mark){shop_value(row, "origin")->uuid, (enum lane)shop_number(row, "lane"),
                            (uint64_t)shop_number(row, "upto")};
    z->marks = marks;
}

static void add_event(struct world *w, struct shift_z *z, const struct row *row)
{
    struct uuid *events = world_alloc(w, (z->event_count + 1) * sizeof(*events));
    for (size_t i = 0; i < z->event_count; i++)
        events[i] = z->events[i];
    events[z->event_count++] = shop_value(row, "event")->uuid;
    z->events = events;
}

static void add_z(struct world *w, struct shift_view *v, const struct row_list *rows, struct str id)
{
    struct shift_z z = {.shift = id};
    bool any = false;
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->items[i];
        if (is_of(row, "shift_heads")) {
            any = true;
            z.till = world_copy(w, shop_value(row, "till")->text);
            z.closed = shop_text_is(row, "state", "closed");
            z.z = shop_number(row, "z");
        }
        if (is_of(row, "shift_frozen"))
            add_mark(w, &z, row);
        if (is_of(row, "shift_frozen_events"))
            add_event(w, &z, row);
    }
    if (!any)
        return;
    if (v->count == v->capacity)
        v->all = world_grow(w, v->all, &v->capacity, sizeof(*v->all));
    v->all[v->count++] = z;
}

static void add_fact(struct world *w, struct shift_view *v, const struct shift_fact *fact)
{
    if (v->fact_count == v->fact_capacity)
        v->facts = world_grow(w, v->facts, &v->fact_capacity, sizeof(*v->facts));
    v->facts[v->fact_count++] = *fact;
}

static void add_facts(struct world *w, struct shift_view *v, const struct row_list *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        const struct row *row = &rows->items[i];
        if (row->table != &shift_money_table)
            continue;
        struct shift_fact fact = {
            .event = {world_copy(w, shop_value(row, "shift")->text), shop_value(row, "event")->uuid,
                      shop_value(row, "origin")->uuid, (enum lane)shop_number(row, "lane"),
                      (uint64_t)shop_number(row, "seq")},
            .amount = shop_number(row, "amount"),
            .sale = shop_text_is(row, "kind", "sale")};
        fact.item = shop_find(w, &fact.event.id);
        add_fact(w, v, &fact);
    }
}

static bool has_fact(const struct shift_view *v, const struct item *item)
{
    for (uint64_t i = 0; i < v->fact_count; i++) {
        if (v->facts[i].item == item)
            return true;
    }
    return false;
}

// A whole ticket is no event of a record. Written again it is the first that was here.
static void add_ticket(struct world *w, struct shift_view *v, const struct carrier *c)
{
    const struct item *item = c->item;
    if (item->shop || item->shift == NULL || has_fact(v, item))
        return;
    struct shift_fact fact = {.item = item,
                              .amount = item->paid,
                              .event = {str_of(item->shift->id), item->id, c->stream->key.origin,
                                        c->stream->key.lane, c->seq}};
    add_fact(w, v, &fact);
}

static void add_tickets_of_till(struct world *w, struct shift_view *v, const struct till *t)
{
    for (size_t i = 0; i < t->disk.count; i++) {
        const struct till_stream *s = &t->disk.streams[i];
        for (uint64_t seq = 1; seq <= s->count; seq++)
            add_ticket(w, v, s->stream->carriers[seq - 1]);
    }
    for (const struct pending *p = t->first; p; p = p->next) {
        if (p->kind == PENDING_EVENT)
            add_ticket(w, v, p->carrier);
    }
}

static void add_tickets_of_centre(struct world *w, struct shift_view *v, int place)
{
    const struct centre *c = &w->centre;
    for (size_t i = 0; i < c->stream_count; i++) {
        const struct centre_stream *s = c->streams[i];
        for (uint64_t seq = 1; s->place == place && seq <= s->settled; seq++) {
            const struct carrier *carrier = s->entries[seq - 1]->truth;
            if (carrier->item->counted && carrier->item->folded_by[w->line] == s->stream)
                add_ticket(w, v, carrier);
        }
    }
}

static bool names_shift(const struct shop_record *of)
{
    for (int i = 0; i < of->count; i++) {
        if (of->items[i]->shift)
            return true;
    }
    return false;
}

struct shift_view shift_view_of(struct world *w, int place, struct till *t)
{
    struct shift_view v = {.count = 0};
    struct book *book = t ? &t->disk.book : &w->centre.book;
    for (uint64_t i = 0; i < w->shop.count; i++) {
        const struct shop_record *of = w->shop.records[i];
        if (of->place != place || !(of->kind == SHOP_SHIFT || names_shift(of)))
            continue;
        struct row_list rows = rows_of(w, book, of);
        if (of->kind == SHOP_SHIFT)
            add_z(w, &v, &rows, str_of(of->id));
        add_facts(w, &v, &rows);
    }
    if (t)
        add_tickets_of_till(w, &v, t);
    else
        add_tickets_of_centre(w, &v, place);
    return v;
}

// ---- which one --------------------------------------------------------------------------------

static bool is_shown(const struct till *t, const struct shop_record *of)
{
    for (int i = 0; i < of->count; i++) {
        if (book_shown(&t->disk.book, of->items[i]))
            return true;
    }
    return false;
}

// The newest that the till shows, of the drawer or (below zero) of any.
static int find_shown(const struct world *w, const struct till *t, int drawer,
                      struct shop_record *ret[AT_ONCE])
{
    int count = 0;
    for (uint64_t i = w->shop.count; i > 0 && count < AT_ONCE; i--) {
        struct shop_record *of = w->shop.records[i - 1];
        if (of->kind == SHOP_SHIFT && of->place == t->place && is_shown(t, of) &&
            (drawer < 0 || of->drawer == drawer))
            ret[count++] = of;
    }
    return count;
}

struct shop_record *shift_any(struct world *w, const struct till *t)
{
    struct shop_record *shown[AT_ONCE];
    int own = shift_drawer(w, t);
    int count = find_shown(w, t, rng_chance(&w->rng, 2, 3) ? own : -1, shown);
    if (count == 0)
        return NULL;
    bool late = rng_chance(&w->rng, 1, 5); // somebody names one that may be over
    return shown[late ? rng_below(&w->rng, (uint64_t)count) : 0];
}

static bool is_closed(struct world *w, struct till *t, const struct shop_record *of)
{
    struct row_list rows = rows_of(w, &t->disk.book, of);
    for (size_t i = 0; i < rows.count; i++) {
        if (is_of(&rows.items[i], "shift_heads"))
            return shop_text_is(&rows.items[i], "state", "closed");
    }
    return false;
}

// The newest, where something may still be said of it. NULL: none.
static struct shop_record *find_usable(struct world *w, struct till *t, int drawer)
{
    struct shop_record *shown[AT_ONCE];
    int count = find_shown(w, t, drawer, shown);
    bool usable = count && shown[0]->count < SHOP_EVENTS / 4 &&
                  (!is_closed(w, t, shown[0]) || rng_chance(&w->rng, 1, 8));
    return usable ? shown[0] : NULL;
}

// Now and then somebody stands in at another till's drawer, whoever is there too. A drawer has one
// open shift at a time, as far as the till knows.
struct shop_record *shift_choose(struct world *w, struct till *t)
{
    int drawer = shift_drawer(w, t);
    struct shop_record *found = rng_chance(&w->rng, 1, 6) ? find_usable(w, t, -1) : NULL;
    found = found ? found : find_usable(w, t, drawer);
    if (found)
        return found;
    struct uuid fresh = world_uuid(w);
    char id[UUID_TEXT_SIZE];
    uuid_format(&fresh, id);
    struct shop_record *of = shop_record_at(w, t->place, SHOP_SHIFT, id);
    of->drawer = drawer;
    return of;
}

// ---- what is said -----------------------------------------------------------------------------

static const char *draw_open(struct shop_view *v)
{
    struct shop_item *s = v->item->shop;
    s->verb = SHOP_SHIFT_OPEN;
    s->amount = rng_between(&v->w->rng, 0, 50);
    shop_text(v,
              "{\"till\":\"drawer-%d\",\"float\":[{\"currency\":\"LBP\",\"amount\":%" PRId64 "}]}",
              v->of->drawer, s->amount);
    return "shift_opened";
}

static const char *draw_cash(struct shop_view *v)
{
    static const char *const kinds[] = {"in", "out", "drop"};
    struct shop_item *s = v->item->shop;
    uint64_t kind = rng_below(&v->w->rng, 3);
    int64_t amount = rng_between(&v->w->rng, 1, 30);
    s->verb = SHOP_CASH;
    s->amount = kind ? -amount : amount;
    shop_text(v, "{\"kind\":\"%s\",\"currency\":\"LBP\",\"amount\":%" PRId64 "}", kinds[kind],
              amount);
    return "cash_moved";
}

// As the store's views 'shift_frontier' and 'shift_frontier_events': of the shift, streams that the
// till holds as a whole, its own, up to the last seq; of others, and of what is late, the events.
struct frontier {
    struct shift_mark marks[MARKS_MAX];
    int count;
    const struct item **counted;
    uint64_t counted_count;
    const struct uuid **single;
    uint64_t single_count;
};

static bool is_own(const struct till *t, const struct shift_event *event)
{
    for (size_t i = 0; i < t->disk.count; i++) {
        const struct stream_key *key = &t->disk.streams[i].stream->key;
        if (uuid_equal(&key->origin, &event->origin) && key->lane == event->lane &&
            event->seq <= t->disk.streams[i].count)
            return true; // what it was told of what it forgot is behind that
    }
    return uuid_equal(&t->run.origin, &event->origin);
}

static void freeze(const struct shop_view *v, struct frontier *f, const struct shift_fact *fact)
{
    const struct shift_event *event = &fact->event;
    int i = 0;
    f->counted[f->counted_count++] = fact->item;
    if (!str_is(event->shift, v->of->id) || !is_own(v->till, event)) {
        f->single[f->single_count++] = &event->id;
        return;
    }
    while (i < f->count &&
           !(uuid_equal(&f->marks[i].origin, &event->origin) && f->marks[i].lane == event->lane))
        i++;
    MUST(i < MARKS_MAX);
    if (i == f->count)
        f->marks[f->count++] = (struct shift_mark){event->origin, event->lane, 0};
    if (event->seq > f->marks[i].upto)
        f->marks[i].upto = event->seq;
}

static const struct shift_z *z_of(const struct shift_view *v, struct str shift)
{
    for (uint64_t i = 0; i < v->count; i++) {
        if (str_equal(v->all[i].shift, shift))
            return &v->all[i];
    }
    return NULL;
}

static void find_frontier(struct shop_view *v, const struct shift_view *shows, struct frontier *f)
{
    const struct shift_z *own = z_of(shows, str_of(v->of->id));
    f->counted = world_alloc(v->w, (shows->fact_count + 1) * sizeof(void *));
    f->single = world_alloc(v->w, (shows->fact_count + 1) * sizeof(void *));
    for (uint64_t i = 0; own && i < shows->fact_count; i++) {
        const struct shift_fact *fact = &shows->facts[i];
        struct str counted_in;
        bool waits =
            shift_section_of(&fact->event, shows->all, shows->count, &counted_in) == SHIFT_WAITING;
        const struct shift_z *of = z_of(shows, fact->event.shift);
        if (str_equal(fact->event.shift, own->shift) ||
            (waits && of && str_equal(of->till, own->till)))
            freeze(v, f, fact);
    }
}

static void write_frontier(struct shop_view *v, const struct frontier *f)
{
    char id[UUID_TEXT_SIZE];
    shop_text(v, ",\"streams\":[");
    for (int i = 0; i < f->count; i++) {
        uuid_format(&f->marks[i].origin, id);
        shop_text(v, "%s{\"origin\":\"%s\",\"lane\":\"%s\",\"upto\":%" PRIu64 "}", i ? "," : "", id,
                  lane_name(f->marks[i].lane), f->marks[i].upto);
    }
    shop_text(v, "],\"events\":[");
    for (uint64_t i = 0; i < f->single_count; i++) {
        uuid_format(f->single[i], id);
        shop_text(v, "%s{\"event\":\"%s\"}", i ? "," : "", id);
    }
    shop_text(v, "]");
}

static const char *draw_close(struct shop_view *v, struct till *t)
{
    struct shop_item *s = v->item->shop;
    struct frontier f = {.count = 0};
    struct shift_view shows = shift_view_of(v->w, v->of->place, t);
    const struct shift_z *own = z_of(&shows, str_of(v->of->id));
    s->verb = SHOP_SHIFT_CLOSE;
    s->z = 1;
    for (uint64_t i = 0; own && i < shows.count; i++) {
        const struct shift_z *z = &shows.all[i];
        if (z != own && z->closed && str_equal(z->till, own->till) && z->z >= s->z)
            s->z = z->z + 1;
    }
    find_frontier(v, &shows, &f);
    s->held = f.counted;
    s->held_count = f.counted_count;
    shop_text(v, "{\"z\":%" PRId64, s->z);
    write_frontier(v, &f);
    shop_text(v, ",\"totals\":[],\"counted\":[]}");
    return "shift_closed";
}

const char *shop_shift_draw(struct shop_view *v)
{
    struct till *t = &v->w->tills[v->till->index];
    v->item->shift = v->of;
    if (v->of->count == 0)
        return draw_open(v);
    bool closes = rng_chance(&v->w->rng, 1, 3) && !is_closed(v->w, t, v->of);
    return closes ? draw_close(v, t) : draw_cash(v);
}
