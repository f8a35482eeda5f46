// SPDX-License-Identifier: Apache-2.0
#include "sim/till_private.h"

#include "model/effect.h"
#include "sim/chain.h"
#include "sim/net.h"
#include "sim/oracle.h"
#include "sim/shop.h"

#include <string.h>

enum { PENDING_MAX = 5000, LAZY_MS = 300 };

struct till_stream *till_find_stream(struct till *t, const struct stream_key *key)
{
    for (size_t i = t->disk.count; i > 0; i--) {
        if (stream_key_equal(&t->disk.streams[i - 1].stream->key, key))
            return &t->disk.streams[i - 1];
    }
    return NULL;
}

// ---- writing ---------------------------------------------------------------------------------

void till_need_fsync(struct world *w, struct till *t, bool lazily)
{
    int64_t delay = lazily ? LAZY_MS : rng_between(&w->rng, 0, w->knobs.fsync_ms);
    if (t->fsync_at <= w->now + delay)
        return;
    t->fsync_at = w->now + delay;
    till_add(w, t, delay, HAPPENS_FSYNC);
}

struct pending *till_pend(struct world *w, struct till *t, enum pending_kind kind)
{
    struct pending *p = world_alloc(w, sizeof(*p));
    p->kind = kind;
    *t->end = p;
    t->end = &p->next;
    if (++t->pending_count > PENDING_MAX)
        world_fail(w, SIM_WEDGED, "till %d has %d writes waiting", t->index, PENDING_MAX);
    return p;
}

// The stream of the current run for a lane: begun with its first event.
static struct stream *stream_of(struct world *w, struct till *t, enum lane lane)
{
    if (t->streams[lane] == NULL) {
        struct stream_key key = {t->run.origin, lane};
        t->streams[lane] = oracle_stream_new(w, t->index, &key, &t->run.certificate);
    }
    return t->streams[lane];
}

struct carrier *till_stamp(struct world *w, struct till *t, struct event *draft, struct item *item)
{
    struct mark mark;
    struct err e = {0};
    buf_reset(&w->buf);
    enum err_code code = run_stamp(&t->run, draft, till_wall_ms(w, t), &w->buf, &mark, &e);
    MUST(code == ERR_OK);
    struct stream *s = stream_of(w, t, draft->lane);
    struct pending *p = till_pend(w, t, PENDING_EVENT);
    p->stream = s;
    p->carrier = oracle_stamped(w, s, item, buf_str(&w->buf), &mark);
    p->mark.held = mark;
    world_trace(w, "till %d writes %s seq %llu of %s", t->index, draft->type->name,
                (unsigned long long)mark.seq, lane_name(draft->lane));
    return p->carrier;
}

void till_forget_pending(struct world *w, struct till *t)
{
    book_forget(&t->disk.book);
    for (const struct pending *p = t->first; p; p = p->next) {
        if (p->kind == PENDING_EVENT && p->carrier->item->shop)
            book_set(w, &t->disk.book, p->carrier->item, HELD_PENDING, NULL);
    }
    t->first = NULL;
    t->end = &t->first;
    t->pending_count = 0;
}

// ---- the overlay -----------------------------------------------------------------------------

static enum err_code on_changed(void *context, struct str sku)
{
    (void)context;
    (void)sku;
    return ERR_OK;
}

// As the daemon does: by the reducer, from the bytes. What is of a later version than the reducer
// knows, its author's own program would fold.
static void turn(struct world *w, struct till *t, const struct carrier *c, int turn)
{
    struct event event;
    struct overlay_change change = {turn, on_changed, NULL};
    if (turn == 0)
        return;
    MUST(event_parse(c->bytes, &w->scratch, &event, NULL) == ERR_OK);
    if (c->item->foreign)
        event.version = 1;
    MUST(overlay_apply(t->overlay, &event, &change, &w->scratch) == ERR_OK);
}

void till_load_overlay(struct till *t)
{
    MUST(overlay_new(&t->overlay) == ERR_OK);
    for (int sku = 0; sku < MAX_SKUS; sku++)
        MUST(overlay_move(t->overlay, str_of(world_sku(sku)), t->disk.own[sku]) == ERR_OK);
}

static void save_overlay(struct till *t)
{
    for (int sku = 0; sku < MAX_SKUS; sku++)
        t->disk.own[sku] = overlay_sum(t->overlay, str_of(world_sku(sku)));
}

// ---- notices ----------------------------------------------------------------------------------

static bool is_apart(const struct note_list *notes, const struct uuid *id)
{
    for (size_t i = notes->count; i > 0; i--) {
        if (uuid_equal(id, &notes->items[i - 1].id))
            return notes->items[i - 1].apart;
    }
    return false;
}

static struct note_list add_note(struct world *w, struct note_list list, struct note note)
{
    struct note *items = world_alloc(w, (list.count + 1) * sizeof(*items));
    if (list.count)
        memcpy(items, list.items, list.count * sizeof(*items));
    items[list.count] = note;
    return (struct note_list){items, list.count + 1};
}

bool till_is_included(struct till *t, const struct carrier *c)
{
    const struct till_stream *d = till_find_stream(t, &c->stream->key);
    return d && c->seq <= d->included && !is_apart(&t->disk.notes, &c->item->id);
}

// ---- durable ---------------------------------------------------------------------------------

static bool is_noted(const struct till *t, const struct till_stream *s)
{
    for (uint64_t i = 0; i < s->count && t->disk.notes.count; i++) {
        if (is_apart(&t->disk.notes, &s->stream->carriers[i]->item->id))
            return true;
    }
    return false;
}

static bool is_done_with(const struct world *w, const struct till *t, const struct till_stream *s)
{
    return s->settled >= s->count && s->included >= s->count && !is_noted(t, s) &&
           w->now - s->settled_at >= w->knobs.keep_ms;
}

static struct till_stream *disk_stream(const struct world *w, struct till *t, struct stream *s)
{
    struct till_stream *d = till_find_stream(t, &s->key);
    if (d)
        return d;
    if (t->disk.count == MAX_STREAMS) { // forget the oldest that is done with
        size_t kept = 0;
        for (size_t i = 0; i < t->disk.count; i++) {
            const struct till_stream *old = &t->disk.streams[i];
            if (!is_done_with(w, t, old))
                t->disk.streams[kept++] = *old;
        }
        t->disk.count = kept;
    }
    MUST(t->disk.count < MAX_STREAMS);
    d = &t->disk.streams[t->disk.count++];
    *d = (struct till_stream){.stream = s, .number = ++t->disk.numbers};
    return d;
}

static void apply_event(struct world *w, struct till *t, const struct pending *p)
{
    struct till_stream *d = disk_stream(w, t, p->stream);
    d->count = p->mark.held.seq;
    p->carrier->committed = p->carrier->item->committed = true;
    p->carrier->item->excused = false;
    t->disk.run = p->stream->key.origin;
    t->disk.any_run = true;
    turn(w, t, p->carrier, 1);
    if (p->carrier->item->shop == NULL)
        return;
    book_set(w, &t->disk.book, p->carrier->item, HELD_OWN, p->carrier);
    book_set(w, &t->disk.book, p->carrier->item, HELD_PENDING, NULL);
}

// ---- rows of the feed --------------------------------------------------------------------------

static const struct carrier *carrier_told(struct world *w, struct str bytes)
{
    struct event event;
    MUST(event_parse(bytes, &w->scratch, &event, NULL) == ERR_OK);
    struct stream_key key = {event.origin, event.lane};
    const struct stream *s = oracle_stream_find(w, &key);
    const struct carrier *c = s && event.seq <= s->count ? s->carriers[event.seq - 1] : NULL;
    if (c == NULL || !str_equal(c->bytes, bytes))
        world_fail(w, SIM_DIVERGENT, "the feed tells of an event that nobody wrote");
    return c;
}

static void read_event_row(struct world *w, struct told_list *to, const struct uuid *id,
                           yyjson_val *row)
{
    struct str bytes;
    struct told_row told = {0};
    if (!yyjson_is_null(row)) {
        MUST(json_get_str(row, "bytes", &bytes, NULL) == ERR_OK);
        told.carrier = carrier_told(w, bytes);
        told.item = told.carrier ? told.carrier->item : NULL;
    } else {
        told.item = shop_find(w, id);
    }
    if (told.item == NULL)
        return;
    if (to->count == to->capacity)
        to->items = world_grow(w, to->items, &to->capacity, sizeof(told));
    to->items[to->count++] = told;
}

// What this very till wrote, and still counts, comes back to it.
static void show_told(struct world *w, struct till *t, int feed, bool complete)
{
    struct till_disk *d = &t->disk;
    struct told_list *told = &d->told[feed];
    for (uint64_t i = 0; i < told->count; i++) {
        const struct told_row *row = &told->items[i];
        const struct held *h = book_held(&d->book, row->item);
        bool own = h && h->by[HELD_OWN] == row->carrier;
        book_set(w, &d->book, row->item, HELD_TOLD, own ? NULL : row->carrier);
        book_note_copy(&d->book, row->item, told->copy);
    }
    for (uint64_t i = 0; i < told->count && complete; i++)
        book_drop_untold(w, &d->book, told->items[i].item->shop->of, told->copy);
    told->count = 0;
    if (told->fresh && complete)
        book_drop_older(w, &d->book, feed, told->copy);
    told->fresh = told->fresh && !complete;
}

static void read_row(struct world *w, struct till *t, struct str text)
{
    struct json json = {0};
    struct str id;
    struct err e = {0};
    MUST(json_parse_in(&w->scratch, text, 4, &json, &e) == ERR_OK);
    MUST(json_get_str(json.root, "id", &id, &e) == ERR_OK);
    int sku = world_sku_number(id);
    yyjson_val *row = json_find(json.root, "row");
    struct str type;
    struct note note = {.apart = !yyjson_is_null(row)};
    if (sku < 0) {
        MUST(uuid_parse(id, &note.id) == ERR_OK);
        MUST(json_get_str(json.root, "type", &type, &e) == ERR_OK);
        if (str_is(type, "event")) {
            read_event_row(w, &t->disk.told[0], &note.id, row);
            return;
        }
        t->disk.staged_notes = add_note(w, t->disk.staged_notes, note);
        return;
    }
    t->disk.staged[sku] =
        (struct page_row){.quantity = yyjson_get_sint(json_find(row, "quantity")),
                          .line = (unsigned)yyjson_get_uint(json_find(row, "line")),
                          .folded = yyjson_get_uint(json_find(row, "folded")),
                          .present = true};
}

// Pages that do not reach the feed's head are kept aside: what they say of one SKU may include own
// events that the overlay still holds, and only the page at the head says which.
static void show_staged(struct till *t)
{
    for (int sku = 0; sku < MAX_SKUS; sku++) {
        if (t->disk.staged[sku].present || t->disk.staged_fresh)
            t->disk.confirmed[sku] = t->disk.staged[sku];
        t->disk.staged[sku] = (struct page_row){0};
    }
    t->disk.staged_fresh = false;
}

static void show_stream(struct world *w, struct till *t, struct till_stream *d,
                        const struct note_list *before, const struct note_list *after)
{
    uint64_t included = d->is_told ? d->told : d->included;
    for (uint64_t seq = 1; seq <= d->count; seq++) {
        const struct carrier *c = d->stream->carriers[seq - 1];
        struct overlay_mark was = {d->included, is_apart(before, &c->item->id)};
        struct overlay_mark is = {included, is_apart(after, &c->item->id)};
        turn(w, t, c, overlay_turn(seq, was, is));
    }
    d->included = included;
    d->is_told = false;
}

// Notices and includes of all pages since the last complete one.
static void show_own(struct world *w, struct till *t)
{
    struct note_list before = t->disk.notes;
    struct note_list after = {0};
    if (!t->disk.staged_fresh)
        after = before;
    for (size_t i = 0; i < t->disk.staged_notes.count; i++)
        after = add_note(w, after, t->disk.staged_notes.items[i]);
    for (size_t i = 0; i < t->disk.count; i++)
        show_stream(w, t, &t->disk.streams[i], &before, &after);
    t->disk.notes = after;
    t->disk.staged_notes = (struct note_list){0};
}

static void begin_copy(struct till *t)
{
    memset(t->disk.staged, 0, sizeof(t->disk.staged));
    t->disk.staged_notes = (struct note_list){0};
    t->disk.staged_fresh = true;
    for (size_t i = 0; i < t->disk.count; i++)
        t->disk.streams[i].is_told = false;
}

static void begin_told(struct told_list *told)
{
    told->count = 0;
    told->copy++;
    told->fresh = true;
}

// Users, roles and settings come as their events; the others are rows (chain.c).
static void read_chain_row(struct world *w, struct till *t, int feed, struct str text)
{
    struct json json = {0};
    struct str type, name;
    struct uuid id;
    struct err e = {0};
    MUST(json_parse_in(&w->scratch, text, LIMIT_EVENT_DEPTH, &json, &e) == ERR_OK);
    MUST(json_get_str(json.root, "type", &type, &e) == ERR_OK);
    if (!str_is(type, "event"))
        return;
    MUST(json_get_str(json.root, "id", &name, &e) == ERR_OK && uuid_parse(name, &id) == ERR_OK);
    read_event_row(w, &t->disk.told[feed], &id, json_find(json.root, "row"));
}

static void apply_chain_feed(struct world *w, struct till *t, int feed,
                             const struct message_feed *m)
{
    for (size_t i = 0; i < m->count; i++)
        read_chain_row(w, t, feed, m->rows[i]);
    show_told(w, t, feed, m->complete); // what is of the chain need not wait for the rest
    chain_take(w, t, feed - 1, m);
}

// What could be dropped keep_ms ago, and all the time since, as far as the disk knows: after a
// recovery of the centre it counts anew.
static void prune(struct world *w, struct till *t, struct till_stream *d, uint64_t prunable)
{
    bool told = t->agreed && w->now - t->disk.recovered_at >= w->knobs.keep_ms;
    if (prunable < d->prunable)
        d->prunable = prunable;
    if (told && d->prunable > d->pruned && w->now - d->prunable_at >= w->knobs.keep_ms) {
        d->pruned = d->prunable;
        oracle_check_pruned(w, t, d);
    }
    if (d->prunable <= d->pruned && prunable > d->pruned) {
        d->prunable = prunable;
        d->prunable_at = w->now;
    }
    if (told && w->knobs.keep_ms == 0 && d->prunable > d->pruned)
        prune(w, t, d, prunable);
}

static void look_to_prune(struct world *w, struct till *t, struct till_stream *d)
{
    const struct outbox_stream *s = outbox_find(&t->uplink.outbox, &d->stream->key);
    if (s)
        prune(w, t, d, outbox_prunable(s, d->included));
}

static void apply_feed(struct world *w, struct till *t, const struct message_feed *m)
{
    bool own = str_is(m->location, world_place(t->place));
    int feed = own ? 0 : str_is(m->location, FEED_CHAIN) ? 1 : 2;
    struct feed_place *place = &t->disk.feeds[feed];
    if (own && m->from == 0)
        t->disk.may_lack = t->may_lack;
    if (own && m->reset)
        begin_copy(t);
    if (m->reset)
        begin_told(&t->disk.told[feed]);
    for (size_t i = 0; own && i < m->count; i++)
        read_row(w, t, m->rows[i]);
    *place = (struct feed_place){m->feed, m->to, m->hash};
    if (!own)
        apply_chain_feed(w, t, feed, m);
    for (size_t i = 0; i < m->include_count; i++) {
        struct till_stream *d = till_find_stream(t, &m->includes[i].key);
        uint64_t seq = m->includes[i].seq;
        if (d) {
            d->told = seq < d->count ? seq : d->count;
            d->is_told = true;
        }
    }
    if (own && m->complete) {
        show_own(w, t);
        show_told(w, t, feed, true);
        show_staged(t);
        t->disk.shown = (struct event_seen){m->feed, m->to};
        for (size_t i = 0; i < t->disk.count; i++)
            look_to_prune(w, t, &t->disk.streams[i]);
    }
}

static void apply_mark(struct world *w, struct till *t, const struct pending *p)
{
    struct till_stream *d = till_find_stream(t, &p->key);
    if (d == NULL)
        return;
    if (p->mark.settled > d->settled)
        d->rose = ++t->disk.rises, d->settled_at = w->now;
    d->held = p->mark.held.seq;
    d->settled = p->mark.settled;
    look_to_prune(w, t, d);
}

static void apply_rehomed(struct world *w, struct till *t, const struct pending *p)
{
    struct till_stream *d = till_find_stream(t, &p->key);
    MUST(d != NULL);
    for (uint64_t seq = p->after + 1; seq <= d->count; seq++) {
        const struct carrier *c = d->stream->carriers[seq - 1];
        bool shown = seq > d->included || is_apart(&t->disk.notes, &c->item->id);
        turn(w, t, c, shown ? -1 : 0);
    }
    d->count = p->after;
    if (d->included > d->count)
        d->included = d->count;
    d->rotten = 0;
    d->dead = true;
}

static void apply(struct world *w, struct till *t, const struct pending *p)
{
    switch (p->kind) {
    case PENDING_EVENT:
        apply_event(w, t, p);
        break;
    case PENDING_FEED:
        apply_feed(w, t, p->feed);
        break;
    case PENDING_MARK:
        apply_mark(w, t, p);
        break;
    case PENDING_REVOKED:
        t->disk.revoked = p->after != 0;
        break;
    case PENDING_RECOVERED:
        t->disk.recovery = p->id;
        t->disk.recovered_at = w->now;
        t->agreed = uuid_equal(&p->id, &t->named);
        break;
    case PENDING_REHOMED:
        apply_rehomed(w, t, p);
        break;
    }
}

static void tell_rehomed(struct till *t, const struct pending *p, struct moment now)
{
    const struct till_stream *d = till_find_stream(t, &p->key);
    MUST(d != NULL);
    struct mark end = {.seq = p->after > d->pruned ? p->after : 0};
    if (end.seq)
        end.hash = d->stream->carriers[end.seq - 1]->chain;
    uplink_rehomed(&t->uplink, &p->key, &end, now, &t->steps);
}

static void tell_uplink(struct world *w, struct till *t, const struct pending *p)
{
    struct moment now = till_moment(w, t);
    if (p->kind == PENDING_EVENT)
        uplink_committed(
            &t->uplink,
            &(struct outbox_head){p->stream->key, p->stream->certificate, p->mark.held, false}, now,
            &t->steps);
    else if (p->kind == PENDING_FEED)
        uplink_feed_stored(&t->uplink, p->feed, now, &t->steps);
    else if (p->kind == PENDING_REHOMED)
        tell_rehomed(t, p, now);
}

// The disk refuses: nothing of this transaction happened. Frames must come again, so the session
// ends; a run whose first event is not durable is no run, so the program does.
static void commit_fails(struct world *w, struct till *t)
{
    world_trace(w, "till %d cannot write", t->index);
    bool begun = t->run_durable.heads[LANE_CRITICAL].seq > 0 &&
                 uuid_equal(&t->run_durable.origin, &t->run.origin);
    t->run = t->run_durable;
    for (const struct pending *p = t->first; p; p = p->next) {
        if (p->kind == PENDING_REHOMED)
            uplink_rehome_failed(&t->uplink, &p->key, till_moment(w, t));
        else if (p->kind == PENDING_FEED)
            uplink_feed_failed(&t->uplink, p->feed, till_moment(w, t), &t->steps);
    }
    till_forget_pending(w, t);
    if (!begun) {
        till_kill(w, t, 100);
        return;
    }
    if (t->conn && t->conn->till_open) {
        net_close(w, t->conn, UP);
        uplink_disconnected(&t->uplink, till_moment(w, t), &t->steps);
    }
    till_perform(w, t);
}

void till_commit(struct world *w, struct till *t)
{
    struct pending *first = t->first;
    t->first = NULL;
    t->end = &t->first;
    t->pending_count = 0;
    for (const struct pending *p = first; p; p = p->next)
        apply(w, t, p);
    save_overlay(t);
    t->disk.last = t->run.last;
    t->run_durable = t->run;
    t->uplink.config.origin = t->run.origin;
    for (const struct pending *p = first; p; p = p->next)
        tell_uplink(w, t, p);
    till_perform(w, t);
}

void till_fsync(struct world *w, struct till *t)
{
    t->fsync_at = INT64_MAX;
    if (t->first == NULL)
        return;
    if (!w->healed && world_chance(w, w->knobs.failed_fsync))
        commit_fails(w, t);
    else
        till_commit(w, t);
}

const struct message_feed *till_copy_feed(struct world *w, const struct message_feed *from)
{
    struct message_feed *m = world_alloc(w, sizeof(*m));
    *m = *from;
    m->location = world_copy(w, from->location);
    m->rows = world_alloc(w, (from->count + 1) * sizeof(*m->rows));
    for (size_t i = 0; i < from->count; i++)
        m->rows[i] = world_copy(w, from->rows[i]);
    return m;
}

// ---- what is done to it ----------------------------------------------------------------------

static struct till_disk copy_of(struct world *w, const struct till_disk *disk)
{
    struct till_disk copy = *disk;
    copy.book = book_copy(w, &disk->book);
    for (int feed = 0; feed < UPLINK_FEEDS; feed++) {
        struct told_list *told = &copy.told[feed];
        told->capacity = told->count;
        told->items = world_alloc(w, told->count * sizeof(*told->items) + 1);
        if (told->count)
            memcpy(told->items, disk->told[feed].items, told->count * sizeof(*told->items));
    }
    return copy;
}

void till_restore(struct world *w, struct till *t, int64_t restart_in_ms)
{
    if (t->backup == NULL || rng_chance(&w->rng, 1, 3)) {
        world_trace(w, "the disk of till %d is copied", t->index);
        t->backup = t->backup ? t->backup : world_alloc(w, sizeof(*t->backup));
        *t->backup = copy_of(w, &t->disk);
        return;
    }
    till_kill(w, t, restart_in_ms);
    world_trace(w, "the disk of till %d becomes its older copy", t->index);
    oracle_excuse(w, &t->disk, t->backup);
    t->disk = copy_of(w, t->backup);
}

void till_clone(struct world *w, struct till *t, int64_t start_in_ms)
{
    struct till *copy = &w->tills[w->till_count];
    if (w->till_count == w->till_max)
        return;
    world_trace(w, "till %d is cloned as %d", t->index, w->till_count);
    *copy = (struct till){.index = w->till_count++,
                          .place = t->place,
                          .used = true,
                          .revoked = t->revoked,
                          .device = t->device,
                          .key = t->key,
                          .disk = copy_of(w, &t->disk),
                          .clock_offset = t->clock_offset,
                          .latency_ms = t->latency_ms};
    till_add(w, copy, start_in_ms, HAPPENS_TILL_START);
}

// Pages of the chain's feed that wait to be written are read again too.
static void fail_pages(struct world *w, struct till *t)
{
    struct pending **at = &t->first;
    while (*at) {
        const struct pending *p = *at;
        if (p->kind != PENDING_FEED || !str_is(p->feed->location, FEED_CHAIN)) {
            at = &(*at)->next;
            continue;
        }
        *at = p->next;
        t->pending_count--;
        uplink_feed_failed(&t->uplink, p->feed, till_moment(w, t), &t->steps);
    }
    t->end = at;
}

// As in the daemon, which gives up its cursor in the transaction that finds the catalog wrong.
void till_doubt(struct world *w, struct till *t)
{
    if (!t->up || !chain_lose_item(w, t))
        return;
    world_trace(w, "till %d loses an item of its catalog", t->index);
    t->disk.feeds[1] = (struct feed_place){.position = 0};
    uplink_feed_afresh(&t->uplink, STR(FEED_CHAIN), till_moment(w, t), &t->steps);
    fail_pages(w, t);
    till_perform(w, t);
}

// The bytes of one event that the centre has not settled change on its disk.
void till_rot(struct world *w, struct till *t)
{
    for (size_t i = 0; i < t->disk.count; i++) {
        struct till_stream *d = &t->disk.streams[i];
        if (d->dead || d->rotten || d->settled >= d->count)
            continue;
        d->rotten = (uint64_t)rng_between(&w->rng, (int64_t)d->settled + 1, (int64_t)d->count);
        world_trace(w, "seq %llu rots on the disk of till %d", (unsigned long long)d->rotten,
                    t->index);
        return;
    }
}
