// SPDX-License-Identifier: Apache-2.0
#include "sim/oracle.h"

#include "sim/centre.h"
#include "sim/shop.h"

#include <inttypes.h>
#include <string.h>

// ---- streams and items ------------------------------------------------------------------------

static size_t slot_of(const struct stream_key *key)
{
    uint64_t h;
    memcpy(&h, key->origin.b + 8, sizeof(h));
    return (size_t)((h + (uint64_t)key->lane) * UINT64_C(0x9E3779B97F4A7C15) >> 51);
}

struct stream *oracle_stream_find(const struct world *w, const struct stream_key *key)
{
    for (size_t i = slot_of(key);; i++) {
        struct stream *s = w->streams[i % STREAM_SLOTS];
        if (s == NULL || stream_key_equal(&s->key, key))
            return s;
    }
}

struct stream *oracle_stream_new(struct world *w, int till, const struct stream_key *key,
                                 const struct certificate *certificate)
{
    if (oracle_stream_find(w, key))
        world_fail(w, SIM_DOUBLED,
                   "till %d begins a stream that an earlier run has used: its "
                   "positions would name two events",
                   till);
    MUST(w->stream_count++ < STREAM_SLOTS / 2);
    struct stream *s = world_alloc(w, sizeof(*s));
    s->key = *key;
    s->certificate = *certificate;
    s->till = till;
    size_t i = slot_of(key);
    while (w->streams[i % STREAM_SLOTS])
        i++;
    w->streams[i % STREAM_SLOTS] = s;
    return s;
}

struct item *oracle_item_new(struct world *w, const struct uuid *id, int place)
{
    struct item *item = world_alloc(w, sizeof(*item));
    item->id = *id;
    item->place = place;
    item->actor = -1;
    if (w->item_count == w->item_capacity)
        w->items = world_grow(w, w->items, &w->item_capacity, sizeof(struct item *));
    w->items[w->item_count++] = item;
    return item;
}

static hlc hlc_of(struct str bytes)
{
    static const char key[] = "\"hlc\":\"";
    const char *at = memmem(bytes.p, bytes.n, key, sizeof(key) - 1);
    hlc value = 0;
    MUST(at != NULL && hlc_parse(str_make(at + sizeof(key) - 1, 16), &value) == ERR_OK);
    return value;
}

struct carrier *oracle_stamped(struct world *w, struct stream *s, struct item *item,
                               struct str bytes, const struct mark *mark)
{
    struct carrier *c = world_alloc(w, sizeof(*c));
    *c = (struct carrier){.item = item,
                          .stream = s,
                          .seq = mark->seq,
                          .bytes = world_copy(w, bytes),
                          .chain = mark->hash};
    item->written++;
    if (mark->seq <= s->count && s->carriers[mark->seq - 1]->committed)
        world_fail(w, SIM_DOUBLED, "position %" PRIu64 " of a stream was given twice", mark->seq);
    s->count = mark->seq - 1; // what a failed commit took back is written over
    hlc stamp = hlc_of(bytes);
    if (s->count && stamp <= hlc_of(s->carriers[s->count - 1]->bytes))
        world_fail(w, SIM_DIVERGENT, "till %d: hlc does not increase at seq %" PRIu64, s->till,
                   mark->seq);
    if (s->count == s->capacity)
        s->carriers = world_grow(w, s->carriers, &s->capacity, sizeof(struct carrier *));
    s->carriers[s->count++] = c;
    return c;
}

static uint64_t kept_of(const struct till_disk *disk, const struct stream *stream)
{
    for (size_t i = 0; i < disk->count; i++) {
        if (disk->streams[i].stream == stream)
            return disk->streams[i].count;
    }
    return 0;
}

void oracle_excuse(struct world *w, const struct till_disk *old, const struct till_disk *kept)
{
    uint64_t forgotten = 0;
    for (size_t i = 0; i < old->count; i++) {
        const struct till_stream *s = &old->streams[i];
        for (uint64_t seq = kept_of(kept, s->stream) + 1; seq <= s->count; seq++) {
            s->stream->carriers[seq - 1]->item->excused = true;
            forgotten++;
        }
    }
    world_trace(w, "  it forgets %" PRIu64 " events", forgotten);
}

static uint64_t log_delta(struct world *w, int place, int sku, int64_t quantity)
{
    struct fold_log *log = &w->folded[w->line][place][sku];
    if (log->count + 1 >= log->capacity)
        log->sums = world_grow(w, log->sums, &log->capacity, sizeof(int64_t));
    log->sums[log->count + 1] = log->sums[log->count] + quantity;
    return ++log->count;
}

void oracle_folded(struct world *w, struct item *item, const struct stream *by)
{
    item->folded_by[w->line] = by;
    if (item->counted++) {
        world_fail(w, SIM_DOUBLED, "an event counts a second time at the centre");
        return;
    }
    for (int i = 0; i < item->delta_count; i++) {
        struct delta *d = &item->deltas[i];
        d->folded[w->line] = log_delta(w, item->place, d->sku, d->quantity);
    }
}

void oracle_given_back(struct world *w, const struct item *item)
{
    for (int i = 0; i < item->delta_count; i++)
        (void)log_delta(w, item->place, item->deltas[i].sku, -item->deltas[i].quantity);
}

// ---- in flight --------------------------------------------------------------------------------

static void expect_own(const struct till *t, int64_t expected[MAX_SKUS])
{
    for (size_t i = 0; i < t->disk.count; i++) {
        const struct till_stream *s = &t->disk.streams[i];
        for (uint64_t seq = 1; seq <= s->count; seq++) {
            const struct item *item = s->stream->carriers[seq - 1]->item;
            for (int k = 0; k < item->delta_count; k++) {
                const struct delta *d = &item->deltas[k];
                const struct page_row *row = &t->disk.confirmed[d->sku];
                if (d->folded[row->line] == 0 || d->folded[row->line] > row->folded)
                    expected[d->sku] += d->quantity;
            }
        }
    }
}

// An own event that another stream brought to the centre first (it was appended again under a new
// run, here or on a copy of this disk): which of the two was folded, the till cannot know before
// the feed includes its own.
static bool is_anothers(const struct item *item, const struct stream *stream)
{
    for (int line = 0; line < MAX_LINES; line++) {
        if (item->folded_by[line] && item->folded_by[line] != stream)
            return true;
    }
    return false;
}

static bool is_in_doubt(const struct till *t)
{
    for (size_t i = 0; i < t->disk.count; i++) {
        const struct till_stream *s = &t->disk.streams[i];
        for (uint64_t seq = s->included + 1; seq <= s->count; seq++) {
            if (is_anothers(s->stream->carriers[seq - 1]->item, s->stream))
                return true;
        }
    }
    return false;
}

void oracle_check_view(struct world *w, const struct till *t)
{
    if (is_in_doubt(t))
        return;
    int64_t expected[MAX_SKUS] = {0};
    for (int sku = 0; sku < w->knobs.skus; sku++) {
        const struct page_row *row = &t->disk.confirmed[sku];
        const struct fold_log *log = &w->folded[row->line][t->place][sku];
        expected[sku] = row->folded ? log->sums[row->folded] : 0;
    }
    expect_own(t, expected);
    for (int sku = 0; sku < w->knobs.skus; sku++) {
        int64_t confirmed = t->disk.confirmed[sku].quantity;
        int64_t overlay = overlay_sum(t->overlay, str_of(world_sku(sku)));
        if (confirmed + overlay != expected[sku])
            world_fail(w, SIM_DIVERGENT,
                       "till %d shows %" PRId64 " + %" PRId64 " own of %s, but what the feed told "
                       "it and its own other events give %" PRId64,
                       t->index, confirmed, overlay, world_sku(sku), expected[sku]);
    }
}

void oracle_check_marks(struct world *w, const struct message_mark *marks, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct message_mark *m = &marks[i];
        const struct stream *s = oracle_stream_find(w, &m->key);
        const struct centre_stream *c = s ? s->at_centre : NULL;
        uint64_t held = c ? c->held : 0;
        uint64_t settled = c ? c->settled : 0;
        if (m->held.seq > held)
            world_fail(w, SIM_LOST,
                       "the centre acknowledges %" PRIu64 " events of a stream of till "
                       "%d, but only %" PRIu64 " are durable there",
                       m->held.seq, s ? s->till : -1, held);
        else if (m->settled > settled)
            world_fail(w, SIM_LOST,
                       "the centre says that %" PRIu64 " events of a stream of till "
                       "%d are settled, but only %" PRIu64 " are",
                       m->settled, s ? s->till : -1, settled);
        else if (c && m->held.seq &&
                 !hash_equal(&m->held.hash, &c->entries[m->held.seq - 1]->chain))
            world_fail(w, SIM_DIVERGENT, "the centre acknowledges with a wrong chain hash");
    }
}

void oracle_check_pruned(struct world *w, const struct till *t, const struct till_stream *s)
{
    uint64_t settled = s->stream->at_centre ? s->stream->at_centre->settled : 0;
    if (s->pruned > settled)
        world_fail(w, SIM_LOST,
                   "till %d drops its events up to %" PRIu64 ", but only %" PRIu64
                   " are settled at the centre",
                   t->index, s->pruned, settled);
}

// ---- after quiet ------------------------------------------------------------------------------

static bool till_is_drained(const struct world *w, const struct till *t)
{
    if (!t->up || t->first || !uplink_is_live(&t->uplink))
        return false;
    for (size_t i = 0; i < t->disk.count; i++) {
        const struct till_stream *s = &t->disk.streams[i];
        const struct centre_stream *c = s->stream->at_centre;
        if (s->count && (c == NULL || c->settled < s->count))
            return false;
    }
    for (int i = 0; !t->revoked && i < UPLINK_FEEDS; i++) {
        const struct centre_feed *f = &w->centre.feeds[world_feed(t->place, i)];
        bool same = uuid_equal(&t->disk.feeds[i].feed, &f->id) || f->head == 0; // empty: as good
        if (!same || t->disk.feeds[i].position != f->head)
            return false;
    }
    struct outbox_totals totals = outbox_count(&t->uplink.outbox);
    for (int i = 0; i < LANE_COUNT; i++) {
        if (totals.pending[i])
            return false;
    }
    if (t->revoked && !t->disk.revoked)
        return false; // it was not told
    return t->uplink.outbox.count <= LANE_COUNT;
}

bool oracle_is_drained(const struct world *w)
{
    for (int i = 0; i < w->till_count; i++) {
        if (w->tills[i].used && !till_is_drained(w, &w->tills[i]))
            return false;
    }
    return w->centre.first == NULL && !w->centre.recovering;
}

void oracle_explain_wedge(struct world *w)
{
    for (int i = 0; i < w->till_count; i++) {
        const struct till *t = &w->tills[i];
        if (!t->used || till_is_drained(w, t))
            continue;
        uint64_t missing = 0;
        for (size_t k = 0; k < t->disk.count; k++) {
            const struct till_stream *s = &t->disk.streams[k];
            uint64_t settled = s->stream->at_centre ? s->stream->at_centre->settled : 0;
            missing += s->count > settled ? s->count - settled : 0;
        }
        const struct feed_place *f = t->disk.feeds;
        world_fail(w, SIM_WEDGED,
                   "till %d is stuck: %s, %" PRIu64 " events not settled, %zu streams in its "
                   "outbox, its feeds at %" PRIu64 ", %" PRIu64 " and %" PRIu64 " of %" PRIu64
                   ", %" PRIu64 " and %" PRIu64 ", %zu not written",
                   i, t->up ? uplink_state_name(&t->uplink) : "down", missing,
                   t->uplink.outbox.count, f[0].position, f[1].position, f[2].position,
                   w->centre.feeds[t->place].head, w->centre.feeds[MAX_PLACES].head,
                   w->centre.feeds[MAX_PLACES + 1].head, t->pending_count);
    }
    world_fail(w, SIM_WEDGED, "the centre has work left");
}

static void check_items(struct world *w)
{
    int64_t stock[MAX_PLACES][MAX_SKUS] = {{0}};
    uint64_t tickets[MAX_PLACES] = {0};
    for (size_t i = 0; i < w->item_count; i++) {
        const struct item *item = w->items[i];
        if (item->counted > 1)
            world_fail(w, SIM_DOUBLED, "an event counts %u times", item->counted);
        bool reached = item->counted > 0 || item->withheld;
        if (item->committed && !item->excused && !item->foreign && !item->of_centre && !reached)
            world_fail(w, SIM_LOST, "event %zu of %s was committed and is not at the centre", i,
                       world_place(item->place));
        if (item->counted && !item->committed)
            world_fail(w, SIM_DOUBLED, "event %zu counts at the centre, but no till committed it",
                       i);
        if (item->counted == 0 || item->place == PLACE_CHAIN)
            continue; // what is of the whole chain sells nothing
        tickets[item->place] += item->ticket;
        for (int k = 0; k < item->delta_count && !shop_is_second(item); k++)
            stock[item->place][item->deltas[k].sku] += item->deltas[k].quantity;
    }
    for (int place = 0; place < MAX_PLACES; place++) {
        if (tickets[place] != w->centre.tickets[place])
            world_fail(w, SIM_DIVERGENT, "%s: the centre has %" PRIu64 " tickets, not %" PRIu64,
                       world_place(place), w->centre.tickets[place], tickets[place]);
        for (int sku = 0; sku < MAX_SKUS; sku++) {
            if (stock[place][sku] != w->centre.stock[place][sku])
                world_fail(w, SIM_DIVERGENT, "%s: the centre has %" PRId64 " of %s, not %" PRId64,
                           world_place(place), w->centre.stock[place][sku], world_sku(sku),
                           stock[place][sku]);
        }
    }
}

static void check_centre_stream(struct world *w, const struct centre_stream *c)
{
    struct mark mark = {0};
    for (uint64_t seq = 1; seq <= c->settled; seq++) {
        const struct centre_entry *entry = c->entries[seq - 1];
        mark = mark_next(&mark, entry->bytes);
        if (!hash_equal(&mark.hash, &entry->chain))
            world_fail(w, SIM_DIVERGENT, "the chain of a stream at the centre breaks at %" PRIu64,
                       seq);
        if (seq > c->stream->count || c->stream->carriers[seq - 1] != entry->truth ||
            !str_equal(entry->bytes, entry->truth->bytes))
            world_fail(w, SIM_DIVERGENT, "the centre's bytes at %" PRIu64 " are not its author's",
                       seq);
        if (c->revoked && seq > c->counts_to && entry->truth->item->folded_by[w->line] == c->stream)
            world_fail(w, SIM_DIVERGENT, "an event counts that came after its device was revoked");
    }
}

static void check_till_end(struct world *w, const struct till *t)
{
    int64_t foreign[MAX_SKUS] = {0};
    for (size_t i = 0; i < t->disk.count; i++) {
        const struct till_stream *s = &t->disk.streams[i];
        for (uint64_t seq = 1; seq <= s->count; seq++) {
            const struct item *item = s->stream->carriers[seq - 1]->item;
            for (int k = 0; item->counted == 0 && k < item->delta_count; k++)
                foreign[item->deltas[k].sku] += item->deltas[k].quantity;
        }
    }
    for (int sku = 0; sku < w->knobs.skus; sku++) {
        int64_t shown =
            t->disk.confirmed[sku].quantity + overlay_sum(t->overlay, str_of(world_sku(sku)));
        if (shown != w->centre.stock[t->place][sku] + foreign[sku])
            world_fail(w, SIM_DIVERGENT,
                       "till %d shows %" PRId64 " of %s after quiet, the centre %" PRId64, t->index,
                       shown, world_sku(sku), w->centre.stock[t->place][sku]);
    }
}

void oracle_check_end(struct world *w)
{
    check_items(w);
    for (size_t i = 0; i < w->centre.stream_count && !world_failed(w); i++)
        check_centre_stream(w, w->centre.streams[i]);
    for (int i = 0; i < w->till_count && !world_failed(w); i++) {
        if (w->tills[i].used && !w->tills[i].revoked) // its view ends where it was fed last
            check_till_end(w, &w->tills[i]);
    }
}
