// SPDX-License-Identifier: Apache-2.0
#include "sim/centre_private.h"

#include "model/effect.h"
#include "sim/authority.h"
#include "sim/below.h"
#include "sim/chain.h"
#include "sim/feed.h"
#include "sim/net.h"
#include "sim/oracle.h"
#include "sim/shop.h"
#include "sim/trim.h"

#include <inttypes.h>
#include <string.h>

enum { RETRY_MS = 200, ROW_MAX = 200, EVENT_ROW_MAX = 256 * 1024 };

// ---- streams ---------------------------------------------------------------------------------

struct centre_stream *centre_stream_of(struct world *w, const struct stream_key *key)
{
    struct stream *s = oracle_stream_find(w, key);
    return s ? s->at_centre : NULL;
}

struct mark centre_mark_at(const struct centre_stream *s, uint64_t seq)
{
    return seq ? (struct mark){seq, s->entries[seq - 1]->chain} : (struct mark){0};
}

static enum err_code find_stream(void *context, const struct stream_key *key,
                                 struct intake_stream *ret)
{
    *ret = (struct intake_stream){0};
    const struct centre_stream *s = centre_stream_of(context, key);
    if (s == NULL || s->working == 0)
        return ERR_OK;
    ret->known = ret->claimed = true;
    ret->held = centre_mark_at(s, s->working);
    ret->settled = s->settled;
    ret->device = s->device;
    return str_copy(ret->location, sizeof(ret->location), str_of(world_place(s->place)));
}

static enum err_code chain_at(void *context, const struct stream_key *key, uint64_t seq,
                              struct hash *ret)
{
    const struct centre_stream *s = centre_stream_of(context, key);
    if (s == NULL || seq == 0 || seq > s->working)
        return ERR_NOT_FOUND;
    *ret = s->entries[seq - 1]->chain;
    return ERR_OK;
}

static struct centre_stream *stream_or_new(struct world *w, struct stream *truth,
                                           const struct intake_sender *sender, int place)
{
    if (truth->at_centre)
        return truth->at_centre;
    struct centre *c = &w->centre;
    struct centre_stream *s = world_alloc(w, sizeof(*s));
    *s = (struct centre_stream){.stream = truth, .device = sender->device, .place = place};
    s->revoked = w->tills[truth->till].revoked; // then none of it counts
    truth->at_centre = s;
    if (c->stream_count == c->stream_capacity)
        c->streams = world_grow(w, c->streams, &c->stream_capacity, sizeof(void *));
    c->streams[c->stream_count++] = s;
    return s;
}

// ---- folding ---------------------------------------------------------------------------------

struct centre_fold { // what an event does here
    bool counts;     // false: a dead letter
    bool ticket;
    struct event_order order;
    int delta_count;
    struct delta deltas[MAX_DELTAS];
    bool of_sale[MAX_DELTAS];
    bool keeps; // by its type: the place keeps stock of what it moves
};

static struct centre_fold read_fold(struct world *w, const struct centre_entry *entry)
{
    struct centre_fold f = {.counts = false};
    struct effect_list list = {0};
    struct event event;
    MUST(event_parse(entry->bytes, &w->scratch, &event, NULL) == ERR_OK);
    if (w->centre.upgraded)
        event.version = 1;
    if (effect_list_of(&event, &w->scratch, &list, NULL))
        return f;
    f.counts = true;
    f.order = event_order_of(&event);
    f.keeps = event.type->flow != FLOW_NONE && event.type->flow != FLOW_DEMAND;
    for (size_t i = 0; i < list.count; i++) {
        const struct effect *effect = &list.items[i];
        f.ticket = f.ticket || effect->kind == EFFECT_TICKET;
        if (effect->kind != EFFECT_STOCK)
            continue;
        f.of_sale[f.delta_count] = effect->stock.flow == FLOW_DEMAND;
        f.deltas[f.delta_count++] = (struct delta){.sku = world_sku_number(effect->stock.sku),
                                                   .quantity = effect->stock.delta};
    }
    return f;
}

static bool ids_add(struct world *w, struct item *item)
{
    struct centre *c = &w->centre;
    if (2 * c->id_count >= c->id_capacity) {
        struct item **old = c->ids;
        uint64_t count = c->id_capacity;
        c->id_capacity = count ? count * 2 : 256;
        c->ids = world_alloc(w, c->id_capacity * sizeof(void *));
        c->id_count = 0;
        for (uint64_t i = 0; i < count; i++) {
            if (old[i])
                (void)ids_add(w, old[i]);
        }
    }
    uint64_t h;
    memcpy(&h, item->id.b + 8, sizeof(h));
    for (uint64_t i = h;; i++) {
        struct item **slot = &c->ids[i & (c->id_capacity - 1)];
        if (*slot == NULL) {
            *slot = item;
            c->id_count++;
            return true;
        }
        if (uuid_equal(&(*slot)->id, &item->id))
            return false;
    }
}

static void put_row(struct world *w, int place, int sku)
{
    struct buf text;
    char stack[ROW_MAX];
    (void)stack;
    buf_init(&text, ROW_MAX);
    MUST(buf_append_format(&text,
                           "{\"type\":\"stock\",\"id\":\"%s\",\"row\":{\"quantity\":%" PRId64
                           ",\"line\":%u,\"folded\":%" PRIu64 "}}",
                           world_sku(sku), w->centre.stock[place][sku], w->line,
                           w->folded[w->line][place][sku].count) == ERR_OK);
    feed_put(w, &w->centre.feeds[place], sku, world_copy(w, buf_str(&text)));
    buf_fini(&text);
}

// The other tills of the place fold the record from the same events.
void centre_tell_event(struct world *w, int place, const struct carrier *c)
{
    struct buf text;
    char id[UUID_TEXT_SIZE];
    struct shop_item *shop = c->item->shop;
    shop->of->told_at = w->now;
    uuid_format(&c->item->id, id);
    buf_init(&text, EVENT_ROW_MAX);
    MUST(buf_append_format(&text, "{\"type\":\"event\",\"id\":\"%s\",\"row\":{\"bytes\":", id) ==
         ERR_OK);
    MUST(json_append_string(&text, c->bytes) == ERR_OK);
    MUST(buf_append_str(&text, STR("}}")) == ERR_OK);
    if (shop->row == 0)
        shop->row = CHAIN_ROWS + (int)++w->notices;
    feed_put(w, &w->centre.feeds[world_feed(place, shop_feed(shop->of))], shop->row,
             world_copy(w, buf_str(&text)));
    buf_fini(&text);
}

static void put_in_record(struct world *w, int place, const struct carrier *c)
{
    book_set(w, &w->centre.book, c->item, HELD_OWN, c);
    trim_tell_again(w, place, c->item);
    centre_tell_event(w, place, c);
}

// Says to the place that an event was not folded, or that it is now.
static void put_notice(struct world *w, int place, struct item *item, bool apart)
{
    struct buf text;
    char id[UUID_TEXT_SIZE];
    struct centre_feed *f = &w->centre.feeds[place];
    uuid_format(&item->id, id);
    buf_init(&text, ROW_MAX);
    MUST(buf_append_format(&text, "{\"type\":\"notice\",\"id\":\"%s\",\"row\":%s}", id,
                           apart ? "{\"status\":\"dead_letter\"}" : "null") == ERR_OK);
    if (item->notice == 0)
        item->notice = CHAIN_ROWS + (int)++w->notices;
    feed_put(w, f, item->notice, world_copy(w, buf_str(&text)));
    buf_fini(&text);
}

static void add_move(struct world *w, int place, const struct quantity_move *move, int sku)
{
    struct move_list *list = &w->centre.moves[place];
    if (list->count == list->capacity)
        list->items = world_grow(w, list->items, &list->capacity, sizeof(*list->items));
    list->items[list->count++] =
        (struct move){.move = *move, .sku = sku, .head = w->centre.feeds[place].head};
}

static void count(struct world *w, struct centre_stream *s, const struct centre_entry *entry,
                  const struct centre_fold *f)
{
    oracle_folded(w, entry->truth->item, s->stream);
    if (entry->truth->item->shop)
        put_in_record(w, s->place, entry->truth);
    authority_note(w, entry->truth);
    w->centre.tickets[s->place] += f->ticket;
    for (int i = 0; i < f->delta_count; i++) {
        if (f->keeps)
            below_keep(w, s->place, f->deltas[i].sku);
        below_note(w, s->place, f->deltas[i].sku, entry->truth->item, f->deltas[i].quantity,
                   !f->of_sale[i]);
        w->centre.stock[s->place][f->deltas[i].sku] += f->deltas[i].quantity;
        put_row(w, s->place, f->deltas[i].sku);
        struct quantity_move move = {f->order, s->device, f->deltas[i].quantity};
        add_move(w, s->place, &move, f->deltas[i].sku);
    }
}

void centre_put_own(struct world *w, const struct carrier *c, const struct event *event)
{
    oracle_folded(w, c->item, c->stream);
    if (c->item->shop)
        put_in_record(w, c->item->place, c);
    for (int i = 0; i < c->item->delta_count; i++) {
        const struct delta *d = &c->item->deltas[i];
        below_keep(w, c->item->place, d->sku);
        below_note(w, c->item->place, d->sku, c->item, d->quantity, true);
        w->centre.stock[c->item->place][d->sku] += d->quantity;
        put_row(w, c->item->place, d->sku);
        add_move(w, c->item->place,
                 &(struct quantity_move){event_order_of(event), w->centre.device, d->quantity},
                 d->sku);
    }
}

void centre_give_back(struct world *w, const struct item *item)
{
    oracle_given_back(w, item);
    for (int i = 0; i < item->delta_count; i++) {
        below_note(w, item->place, item->deltas[i].sku, item, -item->deltas[i].quantity, false);
        w->centre.stock[item->place][item->deltas[i].sku] -= item->deltas[i].quantity;
        put_row(w, item->place, item->deltas[i].sku);
        struct move_list *list = &w->centre.moves[item->place];
        if (list->count == list->capacity)
            list->items = world_grow(w, list->items, &list->capacity, sizeof(*list->items));
        list->items[list->count++] = (struct move){
            .sku = item->deltas[i].sku, .head = w->centre.feeds[item->place].head, .again = true};
    }
}

// The id is here under another carrier: the first in the order counts. Of what is only a sum, which
// of them it is makes no difference.
static void beside_another(struct world *w, const struct centre_stream *s, const struct carrier *c)
{
    const struct carrier *holder = c->item->shop ? book_shown(&w->centre.book, c->item) : NULL;
    if (holder && event_order_compare(&c->shop->order, &holder->shop->order) < 0)
        put_in_record(w, s->place, c);
}

static void fold(struct world *w, struct centre_stream *s, const struct centre_entry *entry)
{
    struct centre_fold f = read_fold(w, entry);
    if (!ids_add(w, entry->truth->item)) {
        beside_another(w, s, entry->truth);
        return;
    }
    if (f.counts)
        count(w, s, entry, &f);
    else
        put_notice(w, s->place, entry->truth->item, true);
}

// A newer program reads what was a dead letter.
static void retry(struct world *w, struct centre_stream *s)
{
    for (uint64_t seq = 0; seq < s->settled; seq++) {
        const struct centre_entry *entry = s->entries[seq];
        struct item *item = entry->truth->item;
        bool withheld = s->revoked && seq >= s->counts_to;
        if (withheld || item->notice == 0)
            continue;
        if (item->counted) { // by another carrier, a moment ago
            beside_another(w, s, entry->truth);
            continue;
        }
        struct centre_fold f = read_fold(w, entry);
        put_notice(w, s->place, item, false);
        count(w, s, entry, &f);
    }
}

void centre_upgrade(struct world *w)
{
    struct centre *c = &w->centre;
    if (!c->up || c->upgraded)
        return;
    world_trace(w, "the centre reads what it could not read before");
    c->upgraded = true;
    for (size_t i = 0; i < c->stream_count && !world_failed(w); i++)
        retry(w, c->streams[i]);
    authority_judge(w);
    centre_tell_feeds(w);
}

static void settle(struct world *w, struct centre_stream *s, uint64_t seq)
{
    for (uint64_t i = s->settled; i < seq; i++) {
        if (s->revoked && i >= s->counts_to)
            s->entries[i]->truth->item->withheld = true;
        else
            fold(w, s, s->entries[i]);
    }
    if (seq > s->settled)
        s->settled = seq;
}

// ---- pushes ----------------------------------------------------------------------------------

static void take_entry(struct world *w, struct centre_stream *s, const struct intake_event *item)
{
    const struct stream *truth = s->stream;
    if (item->seq != s->working + 1) {
        world_fail(w, SIM_DOUBLED, "the centre appends seq %" PRIu64 " of a stream after %" PRIu64,
                   item->seq, s->working);
        return;
    }
    if (item->seq > truth->count || !truth->carriers[item->seq - 1]->committed ||
        !str_equal(truth->carriers[item->seq - 1]->bytes, item->bytes)) {
        world_fail(w, SIM_DIVERGENT,
                   "the centre takes seq %" PRIu64 " of a stream of till %d, "
                   "which is not what its author committed",
                   item->seq, truth->till);
        return;
    }
    struct centre_entry *entry = world_alloc(w, sizeof(*entry));
    *entry = (struct centre_entry){.bytes = item->bytes,
                                   .chain = item->chain,
                                   .truth = truth->carriers[item->seq - 1],
                                   .present = true};
    if (s->working == s->capacity)
        s->entries = world_grow(w, s->entries, &s->capacity, sizeof(void *));
    s->entries[s->working++] = entry;
}

static void need_commit(struct world *w)
{
    if (w->centre.commit_due)
        return;
    w->centre.commit_due = true;
    centre_add(w, rng_between(&w->rng, 0, w->knobs.commit_ms), HAPPENS_CENTRE_COMMIT);
}

static void add_job(struct world *w, const struct job *job)
{
    struct job *copy = world_alloc(w, sizeof(*copy));
    *copy = *job;
    *w->centre.end = copy;
    w->centre.end = &copy->next;
    need_commit(w);
}

// Nobody carries another one's streams here yet.
static enum err_code find_key(void *context, const struct uuid *device, struct sign_public *ret)
{
    (void)context, (void)device, (void)ret;
    return ERR_NOT_FOUND;
}

void centre_store_push(struct world *w, struct conn *c, const struct step *step)
{
    struct message m;
    MUST(message_decode(step->text, &w->scratch, &m, NULL) == ERR_OK);
    // Events stay as spans of the text: it must outlive this step.
    struct str text = world_copy(w, step->text);
    for (size_t i = 0; i < m.push.count; i++)
        m.push.events[i].p = text.p + (m.push.events[i].p - step->text.p);
    struct intake_io io = {w, find_stream, chain_at, find_key, true};
    struct intake_result result;
    struct err e = {0};
    MUST(intake_check(&io, &c->downlink.sender, &m.push, &w->scratch, &result, &e) == ERR_OK);
    struct job job = {
        .conn = c, .push_from = m.push.from, .push_to = m.push.from + m.push.count - 1};
    job.stored = (struct downlink_stored){.mark = intake_mark(&m.push, &result),
                                          .events = m.push.count,
                                          .denied = result.outcome == INTAKE_DENIED};
    for (size_t i = 0; i < m.push.count; i++)
        job.stored.bytes += m.push.events[i].n + 1;
    if (result.outcome > INTAKE_GAP) {
        world_trace(w, "  the centre finds: %s", result.reason);
        job.stored.reason = world_copy(w, str_of(result.reason)).p;
    }
    struct stream *truth = oracle_stream_find(w, &m.push.key);
    if (truth == NULL)
        world_fail(w, SIM_DIVERGENT, "a push of a stream that no till ever began");
    else if (result.outcome == INTAKE_APPEND || result.outcome == INTAKE_DUPLICATE) {
        job.stream = stream_or_new(w, truth, &c->downlink.sender, w->tills[c->till].place);
        for (size_t i = 0; i < result.count && !world_failed(w); i++)
            take_entry(w, job.stream, &result.events[i]);
        job.to = result.held.seq;
        job.settled = result.settled;
    } else if (truth->at_centre) {
        job.stream = truth->at_centre;
    }
    add_job(w, &job);
}

static void roll_back(struct centre_stream *s)
{
    s->working = s->held;
}

void centre_drop_jobs(struct world *w)
{
    struct centre *c = &w->centre;
    c->first = NULL;
    c->end = &c->first;
    c->commit_due = false;
    for (size_t i = 0; i < c->stream_count; i++)
        roll_back(c->streams[i]);
}

// ---- commits ---------------------------------------------------------------------------------

static void make_durable(struct world *w, const struct job *job)
{
    struct centre_stream *s = job->stream;
    if (s == NULL)
        return;
    for (uint64_t seq = job->push_from; seq <= job->push_to && seq <= s->working; seq++)
        s->entries[seq - 1]->present = true;
    if (s->held < job->to && job->to <= s->working)
        s->held = job->to;
    if (!w->knobs.front)
        settle(w, s, job->settled < s->held ? job->settled : s->held);
}

static void answer(struct world *w, struct job *job)
{
    struct conn *c = job->conn;
    if (!c->centre_open || c->centre_life != w->centre.life)
        return;
    struct downlink_stored stored = job->stored;
    if (w->knobs.front && job->stream)
        stored.mark.settled = job->stream->settled;
    downlink_stored(&c->downlink, &stored, &w->centre.steps);
    centre_perform(w, c);
}

static void need_forward(struct world *w)
{
    if (!w->knobs.front || w->centre.forward_due)
        return;
    w->centre.forward_due = true;
    centre_add(w, rng_between(&w->rng, 1, w->healed ? 50 : w->knobs.forward_ms), HAPPENS_FORWARD);
}

void centre_commit(struct world *w)
{
    struct centre *s = &w->centre;
    struct job *jobs = s->first;
    bool fails = !w->healed && world_chance(w, w->knobs.failed_commit);
    if (fails) {
        world_trace(w, "the centre cannot write");
        centre_drop_jobs(w);
    }
    s->commit_due = false;
    s->first = NULL;
    s->end = &s->first;
    for (const struct job *job = jobs; job && !fails; job = job->next)
        make_durable(w, job);
    authority_judge(w);
    for (struct job *job = jobs; job; job = job->next) {
        job->stored.failed = fails;
        job->stored.retry_ms = RETRY_MS;
        answer(w, job);
    }
    centre_tell_feeds(w);
    need_forward(w);
}

// What is settled now counts; who is connected learns it with the next welcome.
void centre_revoke(struct world *w, const struct uuid *device)
{
    struct centre *c = &w->centre;
    if (c->recovering)
        return; // it decides nothing
    for (int i = 0; i < w->till_count; i++) {
        if (uuid_equal(&w->tills[i].device, device))
            w->tills[i].revoked = true;
    }
    for (size_t i = 0; i < c->stream_count; i++) {
        struct centre_stream *s = c->streams[i];
        if (!uuid_equal(&s->device, device))
            continue;
        s->revoked = true;
        s->counts_to = s->settled;
    }
    for (size_t i = 0; i < c->conn_count; i++) {
        struct conn *conn = c->conns[i];
        if (conn->centre_open && uuid_equal(&w->tills[conn->till].device, device))
            net_close(w, conn, DOWN);
    }
}

void centre_setting(struct world *w)
{
    if (w->centre.recovering)
        return; // it publishes nothing
    if (rng_chance(&w->rng, 1, 2))
        chain_publish(w);
    else
        chain_put_setting(w);
    if (w->centre.up)
        centre_tell_feeds(w);
}

// ---- the front -------------------------------------------------------------------------------

static void tell_settled(struct world *w, const struct centre_stream *s)
{
    struct message_mark mark = {
        .key = s->stream->key, .held = centre_mark_at(s, s->held), .settled = s->settled};
    for (size_t i = 0; i < w->centre.conn_count; i++) {
        struct conn *c = w->centre.conns[i];
        if (!c->centre_open || !uuid_equal(&w->tills[c->till].device, &s->device))
            continue;
        downlink_settled(&c->downlink, &mark, &w->centre.steps);
        centre_perform(w, c);
    }
}

void centre_forward(struct world *w)
{
    struct centre *c = &w->centre;
    c->forward_due = false;
    for (size_t i = 0; i < c->stream_count && !world_failed(w); i++) {
        struct centre_stream *s = c->streams[i];
        uint64_t seq = s->settled;
        while (seq < s->held && s->entries[seq]->present)
            seq++;
        if (seq == s->settled)
            continue;
        settle(w, s, seq);
        authority_judge(w);
        tell_settled(w, s);
    }
    centre_tell_feeds(w);
}

void centre_lose_front(struct world *w)
{
    world_trace(w, "the front's disk is destroyed");
    centre_kill(w, rng_between(&w->rng, 10, 2000));
    for (size_t i = 0; i < w->centre.stream_count; i++) {
        struct centre_stream *s = w->centre.streams[i];
        s->held = s->working = s->settled;
    }
}

void centre_forget_front(struct world *w)
{
    world_trace(w, "the front loses what it holds and does not notice");
    for (size_t i = 0; i < w->centre.stream_count; i++) {
        struct centre_stream *s = w->centre.streams[i];
        for (uint64_t seq = s->settled; seq < s->held; seq++)
            s->entries[seq]->present = false;
    }
}
