// SPDX-License-Identifier: Apache-2.0
//
// The centre's disk is copied, and becomes that copy again: all that it was told and decided since
// then is gone, and what it folded begins another line of history.
#include "sim/centre_private.h"

#include "sim/authority.h"
#include "sim/net.h"
#include "sim/oracle.h"

#include <string.h>

enum { CONFIRM_MS = 5000, CONFIRM_HEALED_MS = 300, FEEDS = MAX_PLACES + 2 };

struct saved_stream {
    struct centre_stream *stream;
    struct centre_stream state;
    struct centre_entry **entries;
};
struct saved_item {
    unsigned counted;
    bool withheld;
    int notice;
};
struct centre_backup {
    int64_t at;
    unsigned line;
    struct saved_stream *streams;
    size_t stream_count;
    struct saved_item *items;
    uint64_t item_count;
    struct centre_feed feeds[FEEDS];
    int64_t stock[MAX_PLACES][MAX_SKUS];
    bool kept[MAX_PLACES][MAX_SKUS];
    uint64_t tickets[MAX_PLACES];
    uint64_t folded[MAX_PLACES][MAX_SKUS];
    struct book book;
    struct catalog catalog;
    struct move_list moves[MAX_PLACES];
    struct item **ids;
    size_t id_count, id_capacity;
    bool *revoked; // by till
    int tills;
    struct uuid recovery;
    bool recovering;
    struct centre_reader *readers;
};

static void *copy_of(struct world *w, const void *from, size_t count, size_t size)
{
    void *to = world_alloc(w, count * size + 1);
    if (count)
        memcpy(to, from, count * size);
    return to;
}

static void copy_moves(struct world *w, struct move_list *to, const struct move_list *from)
{
    for (int place = 0; place < MAX_PLACES; place++) {
        to[place] = (struct move_list){.count = from[place].count, .capacity = from[place].count};
        to[place].items =
            copy_of(w, from[place].items, (size_t)from[place].count, sizeof(struct move));
    }
}

// ---- the copy ---------------------------------------------------------------------------------

static void save_streams(struct world *w, struct centre_backup *b)
{
    const struct centre *c = &w->centre;
    b->streams = world_alloc(w, (c->stream_count + 1) * sizeof(*b->streams));
    for (size_t i = 0; i < c->stream_count; i++) {
        struct centre_stream *s = c->streams[i];
        if (s->held) // the others are not durable
            b->streams[b->stream_count++] = (struct saved_stream){
                s, *s, copy_of(w, s->entries, (size_t)s->held, sizeof(struct centre_entry *))};
    }
}

static void save_truth(struct world *w, struct centre_backup *b)
{
    b->items = world_alloc(w, (size_t)w->item_count * sizeof(*b->items) + 1);
    b->item_count = w->item_count;
    for (uint64_t i = 0; i < w->item_count; i++)
        b->items[i] =
            (struct saved_item){w->items[i]->counted, w->items[i]->withheld, w->items[i]->notice};
    for (int place = 0; place < MAX_PLACES; place++) {
        for (int sku = 0; sku < MAX_SKUS; sku++)
            b->folded[place][sku] = w->folded[w->line][place][sku].count;
    }
    b->tills = w->till_count;
    b->revoked = world_alloc(w, (size_t)w->till_max);
    for (int i = 0; i < w->till_count; i++)
        b->revoked[i] = w->tills[i].revoked;
}

void centre_back_up(struct world *w)
{
    const struct centre *c = &w->centre;
    struct centre_backup *b = world_alloc(w, sizeof(*b));
    world_trace(w, "the centre's disk is copied");
    b->at = w->now;
    b->line = w->line;
    b->recovery = c->recovery;
    b->recovering = c->recovering;
    memcpy(b->stock, c->stock, sizeof(b->stock));
    memcpy(b->kept, c->kept, sizeof(b->kept));
    memcpy(b->tickets, c->tickets, sizeof(b->tickets));
    b->book = book_copy(w, &c->book);
    b->catalog = c->catalog;
    copy_moves(w, b->moves, c->moves);
    b->ids = copy_of(w, c->ids, c->id_capacity, sizeof(struct item *));
    b->id_count = c->id_count;
    b->id_capacity = c->id_capacity;
    for (int i = 0; i < FEEDS; i++) {
        struct centre_feed *f = &b->feeds[i];
        *f = c->feeds[i];
        f->entries = copy_of(w, f->entries, (size_t)f->head, sizeof(*f->entries));
        f->capacity = f->head;
        f->live = copy_of(w, f->live, (size_t)f->records, sizeof(*f->live));
    }
    b->readers = copy_of(w, c->readers, (size_t)w->till_max, sizeof(*b->readers));
    save_streams(w, b);
    save_truth(w, b);
    w->centre.backup = b;
}

// ---- and back ---------------------------------------------------------------------------------

static void bring_streams_back(struct world *w, const struct centre_backup *b)
{
    struct centre *c = &w->centre;
    for (size_t i = 0; i < c->stream_count; i++)
        c->streams[i]->stream->at_centre = NULL;
    c->stream_count = 0;
    for (size_t i = 0; i < b->stream_count; i++) {
        const struct saved_stream *saved = &b->streams[i];
        struct centre_stream *s = saved->stream;
        *s = saved->state;
        s->working = s->capacity = s->held;
        s->entries = copy_of(w, saved->entries, (size_t)s->held, sizeof(struct centre_entry *));
        s->stream->at_centre = s;
        c->streams[c->stream_count++] = s;
    }
}

static void bring_feeds_back(struct world *w, const struct centre_backup *b)
{
    for (int i = 0; i < FEEDS; i++) {
        struct centre_feed *f = &w->centre.feeds[i];
        *f = b->feeds[i];
        f->entries = copy_of(w, f->entries, (size_t)f->head, sizeof(*f->entries));
        f->live = copy_of(w, f->live, (size_t)f->records, sizeof(*f->live));
    }
}

static void copy_log(struct world *w, struct fold_log *to, const struct fold_log *from,
                     uint64_t count)
{
    *to = (struct fold_log){.count = count, .capacity = from->capacity};
    to->sums = copy_of(w, from->sums, (size_t)from->capacity, sizeof(*to->sums));
}

static void begin_line(struct world *w, const struct centre_backup *b)
{
    w->line = ++w->lines;
    for (int place = 0; place < MAX_PLACES; place++) {
        for (int sku = 0; sku < MAX_SKUS; sku++)
            copy_log(w, &w->folded[w->line][place][sku], &w->folded[b->line][place][sku],
                     b->folded[place][sku]);
    }
    for (uint64_t i = 0; i < w->item_count; i++) {
        struct item *item = w->items[i];
        struct saved_item saved = {0};
        if (i < b->item_count)
            saved = b->items[i];
        item->counted = saved.counted;
        item->withheld = saved.withheld;
        item->notice = saved.notice;
        item->folded_by[w->line] = saved.counted ? item->folded_by[b->line] : NULL;
        for (int k = 0; k < item->delta_count; k++)
            item->deltas[k].folded[w->line] = saved.counted ? item->deltas[k].folded[b->line] : 0;
    }
}

// A till drops nothing that a backup may lack.
bool centre_can_restore(const struct world *w)
{
    const struct centre_backup *b = w->centre.backup;
    return b && w->now - b->at < w->knobs.keep_ms && w->lines + 1 < MAX_LINES;
}

uint64_t centre_copied_to(const struct world *w)
{
    return w->centre.backup ? w->centre.backup->feeds[PLACE_CHAIN].head : 0;
}

static bool was_revoked(const struct world *w, const struct centre_backup *b,
                        const struct uuid *device)
{
    for (int i = 0; i < b->tills; i++) {
        if (uuid_equal(&w->tills[i].device, device) && b->revoked[i])
            return true;
    }
    return false;
}

void centre_restore(struct world *w, int64_t restart_in_ms)
{
    struct centre *c = &w->centre;
    const struct centre_backup *b = c->backup;
    centre_kill(w, restart_in_ms);
    world_trace(w, "the centre's disk becomes its copy of %lld ms", (long long)b->at);
    bring_streams_back(w, b);
    bring_feeds_back(w, b);
    begin_line(w, b);
    memcpy(c->stock, b->stock, sizeof(c->stock));
    memcpy(c->kept, b->kept, sizeof(c->kept));
    memset(c->below, 0, sizeof(c->below));
    memcpy(c->tickets, b->tickets, sizeof(c->tickets));
    book_forget(&c->book);
    c->book = book_copy(w, &b->book);
    c->catalog = b->catalog;
    copy_moves(w, c->moves, b->moves);
    c->ids = copy_of(w, b->ids, b->id_capacity, sizeof(struct item *));
    c->id_count = b->id_count;
    c->id_capacity = b->id_capacity;
    c->recovery = b->recovery;
    c->recovering = b->recovering;
    memcpy(c->readers, b->readers, (size_t)w->till_max * sizeof(*c->readers));
    for (int i = 0; i < w->till_count; i++)
        w->tills[i].revoked = was_revoked(w, b, &w->tills[i].device);
    if (c->recovering)
        world_add(w, CONFIRM_MS, HAPPENS_CONFIRM);
}

// ---- the recovery -----------------------------------------------------------------------------

static void end_sessions(struct world *w)
{
    struct centre *c = &w->centre;
    for (size_t i = 0; i < c->conn_count; i++) {
        if (c->conns[i]->centre_open)
            net_close(w, c->conns[i], DOWN);
    }
}

void centre_recover(struct world *w, const struct recovery_view *view,
                    const struct message_hello *hello, const char *why)
{
    struct centre *c = &w->centre;
    uint8_t random[10];
    rng_fill(&w->rng, random, sizeof(random));
    c->recovery = recovery_next(view, hello, random);
    c->recovering = true;
    world_trace(w, "the centre was restored: %s", why);
    for (int i = 0; i < FEEDS; i++)
        c->feeds[i].id = world_uuid(w);
    end_sessions(w);
    world_add(w, rng_between(&w->rng, 1, w->healed ? CONFIRM_HEALED_MS : CONFIRM_MS),
              HAPPENS_CONFIRM);
}

void centre_confirm(struct world *w)
{
    struct centre *c = &w->centre;
    if (!c->recovering)
        return;
    if (!c->up) {
        world_add(w, CONFIRM_HEALED_MS, HAPPENS_CONFIRM);
        return;
    }
    world_trace(w, "a person confirms the recovery");
    c->recovering = false;
    authority_hear(w);
    end_sessions(w);
}
