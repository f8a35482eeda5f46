// SPDX-License-Identifier: Apache-2.0
#include "sim/trim.h"

#include "model/feed_mark.h"
#include "sim/centre_private.h"
#include "sim/feed.h"
#include "sim/shop_end.h"

#include <string.h>

// ---- readers ----------------------------------------------------------------------------------

// One for all tills with the same device id.
static struct centre_reader *reader_of(struct world *w, const struct till *t)
{
    int i = 0;
    while (!uuid_equal(&w->tills[i].device, &t->device))
        i++;
    return &w->centre.readers[i];
}

bool trim_heard(struct world *w, struct till *t, const struct message_cursor *cursor, bool known)
{
    struct centre_reader *r = reader_of(w, t);
    struct feed_reader before = {.copied = FEED_READER_WHOLE};
    const struct centre_feed *f = &w->centre.feeds[t->place];
    struct feed_heard says = {cursor->position, feed_mark_head(&cursor->hash), known};
    struct hash there = known ? feed_hash_at(f, cursor->position) : cursor->hash;
    if (hash_equal(&there, &cursor->hash))
        says.head = says.position;
    if (!r->any)
        r->reader = before;
    r->any = true;
    r->heard_at = w->now;
    bool goes_on = feed_reader_heard(&r->reader, f->trimmed, &says);
    if (r->reader.position == 0)
        t->may_lack = w->trims;
    else if (r->reader.copied != FEED_READER_WHOLE) // of the copy that it goes on with
        t->disk.may_lack = w->trims;
    return goes_on;
}

void trim_gone(struct world *w, const struct till *t)
{
    reader_of(w, t)->heard_at = w->now;
}

static bool is_connected(const struct world *w, const struct uuid *device)
{
    for (size_t i = 0; w->centre.up && i < w->centre.conn_count; i++) {
        const struct conn *c = w->centre.conns[i];
        if (c->centre_open && uuid_equal(&w->tills[c->till].device, device))
            return true;
    }
    return false;
}

// Who was away for long is not waited for.
static bool find_least(struct world *w, int place, uint64_t *ret)
{
    bool any = false;
    for (int i = 0; i < w->till_count; i++) {
        const struct till *t = &w->tills[i];
        const struct centre_reader *r = &w->centre.readers[i];
        bool away = !is_connected(w, &t->device) && w->now - r->heard_at >= w->knobs.trim_keep_ms;
        if (!r->any || t->place != place || t->revoked || away)
            continue;
        if (!any || r->reader.position < *ret)
            *ret = r->reader.position;
        any = true;
    }
    return any;
}

// ---- what is over -----------------------------------------------------------------------------

static bool is_open_row(const struct row *row)
{
    if (row->table == &question_table)
        return shop_number(row, "open") != 0;
    if (strcmp(row->table->name, "reservation_heads") == 0)
        return shop_text_is(row, "state", "pending") || shop_text_is(row, "state", "confirmed");
    return strcmp(row->table->name, "order_heads") == 0 && shop_value(row, "merged_into")->null &&
           (shop_text_is(row, "status", "draft") || shop_text_is(row, "status", "fired"));
}

bool trim_is_over(struct world *w, struct book *at, const struct shop_record *of)
{
    struct row_list rows;
    struct record *fold = book_fold(w, at, of);
    bool ends = of->kind == SHOP_ORDER || of->kind == SHOP_RESERVATION || of->kind == SHOP_UNMET;
    if (fold == NULL || !ends)
        return false;
    MUST(record_rows(fold, &w->scratch, &rows) == ERR_OK);
    for (size_t i = 0; i < rows.count; i++) {
        if (is_open_row(&rows.items[i]))
            return false;
    }
    return true;
}

// ---- dropping ---------------------------------------------------------------------------------

// Where the event's row is; 0: it has none.
static uint64_t row_of(const struct world *w, int place, const struct item *item)
{
    const struct centre_feed *f = &w->centre.feeds[place];
    int row = item->shop->row;
    return row && (uint64_t)row < f->records ? f->live[row] : 0;
}

static bool is_in_feed(const struct world *w, const struct shop_record *of)
{
    for (int i = 0; i < of->count; i++) {
        if (book_shown(&w->centre.book, of->items[i]) && row_of(w, of->place, of->items[i]) == 0)
            return false;
    }
    return true;
}

static void drop(struct world *w, struct shop_record *of, uint64_t limit)
{
    struct centre_feed *f = &w->centre.feeds[of->place];
    uint64_t last = 0;
    for (int i = 0; i < of->count; i++) {
        uint64_t at = row_of(w, of->place, of->items[i]);
        last = at > last ? at : last;
    }
    if (last == 0 || last > limit || w->now - of->told_at < w->knobs.trim_keep_ms ||
        !trim_is_over(w, &w->centre.book, of))
        return;
    world_trace(w, "%s %d of %s is over and leaves the feed", of->reducer->record_type, of->number,
                world_place(of->place));
    for (int i = 0; i < of->count; i++) {
        if (row_of(w, of->place, of->items[i]))
            f->live[of->items[i]->shop->row] = 0;
    }
    f->trimmed = last > f->trimmed ? last : f->trimmed;
    of->dropped = ++w->trims;
}

void trim_feeds(struct world *w)
{
    for (int place = 0; w->centre.up && place < MAX_PLACES; place++) {
        uint64_t least = 0;
        bool any = find_least(w, place, &least);
        uint64_t limit = feed_reader_limit(w->centre.feeds[place].head, w->knobs.feed_memory,
                                           any ? &least : NULL);
        for (uint64_t i = 0; limit && i < w->shop.count; i++) {
            if (w->shop.records[i]->place == place)
                drop(w, w->shop.records[i], limit);
        }
    }
}

void trim_tell_again(struct world *w, int place, const struct item *item)
{
    const struct shop_record *of = item->shop->of;
    if (place >= MAX_PLACES || w->centre.feeds[place].trimmed == 0)
        return;
    for (int i = 0; i < of->count; i++) {
        const struct carrier *c = book_shown(&w->centre.book, of->items[i]);
        if (c && c->item != item && row_of(w, place, c->item) == 0)
            centre_tell_event(w, place, c);
    }
}

bool trim_may_lack(const struct world *w, const struct till *t, const struct shop_record *of)
{
    return of->dropped && of->dropped <= t->disk.may_lack && !is_in_feed(w, of);
}
