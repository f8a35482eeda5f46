// SPDX-License-Identifier: Apache-2.0
//
// Feed pages as they come in: rows, what they say of own events, and the cursor, in one
// transaction.
#include "node/journal_private.h"

#include <stdlib.h>
#include <string.h>

// ---- what a page changes about own events -----------------------------------------------------

struct page_change {
    struct journal *j;
    const struct feed_shown *shown; // told: in the order of stream and seq
    struct changed_skus changed;
    struct err *e;
};

static int by_place(const void *a, const void *b)
{
    const struct feed_told *x = a, *y = b;
    int order = memcmp(x->key.origin.b, y->key.origin.b, sizeof(x->key.origin.b));
    if (order == 0)
        order = (int)x->key.lane - (int)y->key.lane;
    return order ? order : (x->seq > y->seq) - (x->seq < y->seq);
}

static const struct feed_told *find_told(const struct page_change *c, const struct stream_key *key,
                                         uint64_t seq)
{
    struct feed_told wanted = {.key = *key, .seq = seq};
    return c->shown->told_count
               ? bsearch(&wanted, c->shown->told, c->shown->told_count, sizeof(wanted), by_place)
               : NULL;
}

// One own event, where its stream's include moves or a notice of it changes. What was set apart and
// still is, stays where it is.
static enum err_code turn_stored(struct page_change *c, const struct store_event *stored,
                                 const struct feed_moved *moved, struct arena *a)
{
    const struct feed_told *told = find_told(c, &stored->key, stored->seq);
    if (told ? !told->counts : !journal_status_counts(stored->status))
        return ERR_OK;
    struct overlay_mark before = {moved->before, told && told->apart_before};
    struct overlay_mark after = {moved->after, told && told->apart};
    int turn = overlay_turn(stored->seq, before, after);
    return turn ? journal_turn_event(&c->changed, stored->bytes, turn, a) : ERR_OK;
}

// The events behind 'after' up to 'to', as many as there are.
static enum err_code turn_span(struct page_change *c, const struct feed_moved *moved,
                               uint64_t after, uint64_t to)
{
    enum err_code code = ERR_OK;
    bool ended = false;
    while (code == ERR_OK && !ended && after < to) {
        struct arena arena;
        struct store_event_list list = {0};
        arena_init(&arena, ARENA_MAX);
        code = store_read_stream(c->j->store, &moved->key, after,
                                 &(struct store_page){LOAD_PAGE_EVENTS, LOAD_PAGE_BYTES, &arena},
                                 &list, c->e);
        ended = list.count == 0;
        for (size_t i = 0; code == ERR_OK && i < list.count && list.items[i].seq <= to; i++) {
            code = turn_stored(c, &list.items[i], moved, &arena);
            if (code)
                code = err_set(c->e, code, "the overlay");
        }
        if (!ended)
            after = list.items[list.count - 1].seq;
        arena_fini(&arena);
    }
    return code;
}

static bool is_within(const struct feed_moved *moved, uint64_t seq)
{
    uint64_t low = moved->before < moved->after ? moved->before : moved->after;
    uint64_t high = moved->before < moved->after ? moved->after : moved->before;
    return seq > low && seq <= high;
}

static const struct feed_moved *find_moved(const struct page_change *c,
                                           const struct stream_key *key)
{
    for (size_t i = 0; i < c->shown->moved_count; i++) {
        if (stream_key_equal(&c->shown->moved[i].key, key))
            return &c->shown->moved[i];
    }
    return NULL;
}

// An event whose notice changed while its stream's include stayed below or above it.
static enum err_code turn_told(struct page_change *c, const struct feed_told *told)
{
    const struct feed_moved *moved = find_moved(c, &told->key);
    struct feed_moved still = {.key = told->key};
    if (moved && is_within(moved, told->seq))
        return ERR_OK; // done with the others
    enum err_code code = ERR_OK;
    if (moved)
        still = *moved;
    else
        code = store_include_get(c->j->store, &told->key, &still.before, c->e);
    if (!moved)
        still.after = still.before;
    return code ? code : turn_span(c, &still, told->seq - 1, told->seq);
}

static enum err_code on_shown(void *context, const struct feed_shown *shown, struct err *e)
{
    struct page_change *c = context;
    c->shown = shown;
    c->e = e;
    enum err_code code = ERR_OK;
    if (!journal_has_overlay(c->j))
        return ERR_OK;
    if (shown->told_count)
        qsort(shown->told, shown->told_count, sizeof(*shown->told), by_place);
    for (size_t i = 0; code == ERR_OK && i < shown->moved_count; i++) {
        const struct feed_moved *moved = &shown->moved[i];
        bool up = moved->before < moved->after;
        code = turn_span(c, moved, up ? moved->before : moved->after,
                         up ? moved->after : moved->before);
    }
    for (size_t i = 0; code == ERR_OK && i < shown->told_count; i++)
        code = turn_told(c, &shown->told[i]);
    return code;
}

static int64_t overlay_of(void *context, struct str sku)
{
    const struct page_change *c = context;
    return overlay_sum(c->j->overlay, sku);
}

// ---- pages ------------------------------------------------------------------------------------

// Only what goes up from here can be included, and only as far as it does so under that run.
static enum err_code clamp_include(struct journal *j, const struct message_include *include,
                                   struct feed_include *ret, bool *ret_up, struct err *e)
{
    struct stream_info info;
    uint64_t end = UINT64_MAX;
    *ret = (struct feed_include){include->key, include->seq};
    *ret_up = store_stream_find(j->store, &include->key, &info) == ERR_OK && store_goes_up(&info);
    if (!*ret_up)
        return ERR_OK;
    enum err_code code = store_stream_ended(j->store, &include->key, &end, e);
    if (ret->seq > info.head.seq)
        ret->seq = info.head.seq;
    if (ret->seq > end)
        ret->seq = end;
    return code;
}

static enum err_code includes_of(struct journal *j, const struct message_feed *feed,
                                 struct feed_include *to, size_t *ret_count, struct err *e)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < feed->include_count; i++) {
        bool goes_up = false;
        code = clamp_include(j, &feed->includes[i], &to[*ret_count], &goes_up, e);
        *ret_count += goes_up;
    }
    return code;
}

// A page may only follow what is stored: behind one that could not be, its rows would be missed.
static enum err_code check_follows(struct journal *j, const struct message_feed *feed,
                                   struct err *e)
{
    struct feed_cursor cursor = {.feed = feed->feed};
    enum err_code code = store_feed_cursor(j->store, feed->location, &cursor);
    if (feed->reset && feed->from == 0)
        return ERR_OK;
    if (code && code != ERR_NOT_FOUND)
        return err_set(e, code, "reading the feed's position");
    if (!uuid_equal(&cursor.feed, &feed->feed) || feed->from > cursor.position ||
        feed->to < cursor.position)
        return err_set(e, ERR_CONFLICT, "the page does not follow the position that is stored");
    return ERR_OK;
}

static enum err_code apply(struct journal *j, const struct feed_apply *page, struct err *e)
{
    struct page_change change = {.j = j, .changed = {.j = j}};
    struct feed_apply frame = *page;
    j->overlay_touched = true;
    if (journal_enter_deltas(j)) // own events of this very transaction stand before the page
        return err_set(e, ERR_NO_MEMORY, "the overlay");
    frame.context = &change;
    enum err_code code = store_feed_apply(j->store, &frame, e);
    if (code == ERR_OK)
        code = journal_refresh_changed(&change.changed, e);
    free(change.changed.skus);
    return code;
}

// Where the piece from there ends.
static size_t end_of_piece(const struct message_feed *feed, size_t from)
{
    bool parted = str_is(feed->location, FEED_CHAIN) && feed->count - from > FEED_ROWS;
    return parted ? from + FEED_ROWS : feed->count;
}

bool journal_feed_passes(const struct message_feed *feed, size_t next)
{
    return str_is(feed->location, FEED_CHAIN) &&
           (!feed->complete || end_of_piece(feed, next) < feed->count);
}

enum err_code journal_apply_feed(struct journal *j, const struct message_feed *feed,
                                 struct journal_fed *fed, struct err *e)
{
    MUST(j->open);
    struct feed_include includes[MESSAGE_MAX_INCLUDES];
    size_t include_count = 0, from = fed->next, end = end_of_piece(feed, from);
    enum err_code code = check_follows(j, feed, e);
    if (code)
        return code;
    if (store_reserve(j->store) && (feed->reset || !feed->complete))
        return err_set(e, ERR_DISK_FULL, "the reserve is for sales, not for a copy of the feed");
    code = includes_of(j, feed, includes, &include_count, e);
    if (code)
        return code;
    struct feed_apply some = {.location = feed->location,
                              .to = {feed->feed, feed->to, feed->hash},
                              .reset = feed->reset && from == 0,
                              .complete = feed->complete && end == feed->count,
                              .partial = end < feed->count,
                              .rows = feed->rows + from,
                              .count = end - from,
                              .includes = includes,
                              .include_count = include_count,
                              .shown = on_shown,
                              .overlay = overlay_of,
                              .ret_catalog = &fed->catalog};
    fed->catalog = FEED_CATALOG_SAME;
    code = apply(j, &some, e);
    if (code == ERR_OK)
        fed->next = end;
    return code;
}
