// SPDX-License-Identifier: Apache-2.0
#include "node/journal_private.h"

#include "base/clock.h"

#include <stdlib.h>

static bool collect_stream(void *context, const struct stream_info *info)
{
    struct stream_list *list = context;
    if (!info->own)
        return true;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 16;
        struct stream_info *items = realloc(list->items, capacity * sizeof(*items));
        if (items == NULL) {
            list->code = ERR_NO_MEMORY;
            return false;
        }
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = *info;
    return true;
}

enum err_code journal_own_streams(struct journal *j, struct stream_list *ret, struct err *e)
{
    *ret = (struct stream_list){0};
    enum err_code code = store_streams_each(j->store, collect_stream, ret, e);
    code = code ? code : ret->code;
    if (code) {
        free(ret->items);
        *ret = (struct stream_list){0};
    }
    return code;
}

enum err_code journal_count_outbox(struct journal *j, struct err *e)
{
    struct stream_list list;
    enum err_code code = journal_own_streams(j, &list, e);
    j->outbox = 0;
    for (size_t i = 0; code == ERR_OK && i < list.count; i++)
        j->outbox += list.items[i].head.seq - list.items[i].settled.seq;
    free(list.items);
    return code;
}

static struct certificate certificate_of(const struct journal *j, const struct stream_info *info)
{
    return certificate_make(&j->identity.key, &j->identity.chain, &info->key.origin,
                            &j->identity.device, str_of(info->location));
}

// False in *ret_open: settled and included to its head, or empty.
static enum err_code read_unsettled(struct journal *j, const struct stream_info *info,
                                    struct outbox_stream *ret, bool *ret_open, struct err *e)
{
    uint64_t included = 0, end = UINT64_MAX;
    struct mark head = info->head;
    enum err_code code = store_include_get(j->store, &info->key, &included, e);
    if (code == ERR_OK)
        code = store_stream_ended(j->store, &info->key, &end, e);
    bool ended = end < head.seq; // what stands behind goes up under another run
    if (ended)
        head.seq = end;
    bool done = info->settled.seq >= head.seq && (included >= head.seq || j->identity.revoked);
    *ret_open = code == ERR_OK && head.seq && !done;
    if (!*ret_open)
        return code;
    if (ended)
        code = store_chain_at(j->store, &info->key, end, &head.hash, e);
    *ret = (struct outbox_stream){.key = info->key,
                                  .certificate = certificate_of(j, info),
                                  .head = head,
                                  .held = ended ? head : info->held,
                                  .settled = ended ? head.seq : info->settled.seq,
                                  .included = included};
    return code;
}

enum err_code journal_unsettled(struct journal *j, struct arena *a, struct journal_unsettled *ret,
                                struct err *e)
{
    struct stream_list list;
    *ret = (struct journal_unsettled){.count = 0};
    ret->streams = arena_alloc(a, LIMIT_STREAMS_HELLO * sizeof(*ret->streams));
    if (ret->streams == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for the outbox");
    enum err_code code = journal_own_streams(j, &list, e);
    for (size_t i = 0; code == ERR_OK && i < list.count && !ret->overflowed; i++) {
        struct outbox_stream stream;
        bool open = false;
        code = read_unsettled(j, &list.items[i], &stream, &open, e);
        ret->overflowed = open && ret->count == LIMIT_STREAMS_HELLO;
        if (open && !ret->overflowed)
            ret->streams[ret->count++] = stream;
    }
    free(list.items);
    return code;
}

static void fill_cursor(struct journal *j, struct uplink *u, const char *location)
{
    struct feed_cursor cursor;
    if (store_feed_cursor(j->store, str_of(location), &cursor) == ERR_OK)
        uplink_set_feed(u, str_of(location), &cursor.feed, cursor.position, &cursor.hash);
}

enum err_code journal_fill_uplink(struct journal *j, struct uplink *u, struct err *e)
{
    struct journal_unsettled list;
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    enum err_code code = journal_unsettled(j, &arena, &list, e);
    if (code == ERR_OK)
        outbox_refill(&u->outbox, list.streams, list.count, list.overflowed);
    arena_fini(&arena);
    if (code == ERR_OK && u->outbox.count != list.count)
        code = err_set(e, ERR_NO_MEMORY, "out of memory for the outbox");
    if (code == ERR_OK) {
        fill_cursor(j, u, j->identity.location);
        fill_cursor(j, u, "*");
    }
    return code;
}

enum err_code journal_set_revoked(struct journal *j, bool revoked, struct err *e)
{
    enum err_code code = identity_set_revoked(j->store, revoked, e);
    if (code == ERR_OK) // should the commit fail, the next welcome says it again
        j->identity.revoked = revoked;
    return code;
}

static enum err_code load(struct journal *j, const struct step *step, struct arena *a,
                          struct uplink_loaded *ret, struct err *e)
{
    struct store_event_list list = {0};
    enum err_code code = ERR_OK;
    if (step->after)
        code = store_chain_at(j->store, &step->key, step->after, &ret->base, e);
    if (code == ERR_OK)
        code =
            store_read_stream(j->store, &step->key, step->after,
                              &(struct store_page){step->max_events, step->max_bytes, a}, &list, e);
    struct str *events = code ? NULL : arena_alloc(a, (list.count + 1) * sizeof(*events));
    if (events == NULL)
        return code ? code : ERR_NO_MEMORY;
    for (size_t i = 0; i < list.count; i++)
        events[i] = list.items[i].bytes;
    ret->events = events;
    ret->count = list.count;
    if (list.count)
        ret->head = list.items[list.count - 1].chain;
    return ERR_OK;
}

void journal_load(struct journal *j, const struct step *step, struct arena *a,
                  struct uplink_loaded *ret)
{
    *ret = (struct uplink_loaded){.key = step->key, .after = step->after};
    if (load(j, step, a, ret, NULL) != ERR_OK)
        ret->count = 0;
}

static uint64_t settled_of(struct journal *j, const struct stream_key *key)
{
    struct stream_info info;
    return store_stream_find(j->store, key, &info) == ERR_OK ? info.settled.seq : 0;
}

enum err_code journal_acked(struct journal *j, const struct message_mark *mark, bool lost,
                            int64_t now_ms, struct err *e)
{
    uint64_t before = settled_of(j, &mark->key);
    enum err_code code =
        lost ? store_stream_lost(j->store, &mark->key, mark->held.seq, mark->settled, e)
             : store_stream_acked(j->store, &mark->key, mark->held.seq, mark->settled, now_ms, e);
    j->outbox += before - settled_of(j, &mark->key); // down by what was settled, or up again
    return code;
}

struct changed_list {
    struct journal *j;
    struct str *skus;
    size_t count, capacity;
    enum err_code code;
};

static void note_changed(void *context, struct str sku)
{
    struct changed_list *list = context;
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? list->capacity * 2 : 64;
        struct str *skus = realloc(list->skus, capacity * sizeof(*skus));
        if (skus == NULL) {
            list->code = ERR_NO_MEMORY;
            return;
        }
        list->skus = skus;
        list->capacity = capacity;
    }
    struct str copy = arena_copy(&list->j->arena, sku);
    if (copy.p == NULL)
        list->code = ERR_NO_MEMORY;
    else
        list->skus[list->count++] = copy;
}

static int64_t overlay_of(void *context, struct str sku)
{
    const struct journal *j = context;
    return overlay_sum(j->overlay, sku);
}

// Only what this node wrote can be included, and only as far as it was written.
static bool clamp_include(struct journal *j, struct message_include *include)
{
    struct stream_info info;
    if (store_stream_find(j->store, &include->key, &info) != ERR_OK || !info.own)
        return false;
    if (include->seq > info.head.seq)
        include->seq = info.head.seq;
    return true;
}

static enum err_code take_includes(struct journal *j, const struct message_feed *feed,
                                   struct changed_list *changed, struct err *e)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < feed->include_count; i++) {
        struct message_include include = feed->includes[i];
        if (!clamp_include(j, &include))
            continue;
        overlay_include(j->overlay, &include, note_changed, changed);
        struct feed_include stored = {include.key, include.seq};
        code = store_include_set(j->store, &stored, e);
    }
    return code ? code : changed->code;
}

static enum err_code refresh_changed(struct journal *j, const struct changed_list *changed,
                                     struct err *e)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < changed->count; i++)
        code = store_stock_refresh(j->store, str_of(j->identity.location), changed->skus[i],
                                   overlay_sum(j->overlay, changed->skus[i]), e);
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

enum err_code journal_apply_feed(struct journal *j, const struct message_feed *feed, struct err *e)
{
    MUST(j->open);
    enum err_code code = check_follows(j, feed, e);
    if (code)
        return code;
    if (store_reserve(j->store) && (feed->reset || !feed->complete))
        return err_set(e, ERR_DISK_FULL, "the reserve is for sales, not for a copy of the feed");
    j->overlay_touched = true;
    if (journal_enter_deltas(j)) // own events of this very transaction stand before the page
        return err_set(e, ERR_NO_MEMORY, "the overlay");
    struct changed_list changed = {.j = j};
    code = take_includes(j, feed, &changed, e);
    struct feed_apply apply = {.location = feed->location,
                               .to = {feed->feed, feed->to, feed->hash},
                               .reset = feed->reset,
                               .complete = feed->complete,
                               .rows = feed->rows,
                               .count = feed->count,
                               .overlay = overlay_of,
                               .context = j};
    if (code == ERR_OK)
        code = store_feed_apply(j->store, &apply, e);
    if (code == ERR_OK)
        code = refresh_changed(j, &changed, e);
    free(changed.skus);
    return code;
}

// True when a later row has the id: an appending that was cut short had come this far.
static enum err_code is_carried_later(struct journal *j, const struct store_event *stored,
                                      const struct uuid *id, bool *ret, struct err *e)
{
    struct store_event_list list = {0};
    enum err_code code = store_find_event(j->store, id, &j->arena, &list, e);
    *ret = false;
    for (size_t i = 0; code == ERR_OK && i < list.count; i++)
        *ret = *ret || list.items[i].lsn > stored->lsn;
    return code;
}

// What cannot be appended again is kept as evidence, never sent on.
static enum err_code set_aside(struct journal *j, const struct store_event *stored,
                               const char *reason, struct err *e)
{
    return store_quarantine_put(
        j->store,
        &(struct store_evidence){stored->key, stored->seq, stored->bytes, reason, clock_wall_ms()},
        e);
}

// One event again under the current run: same id, same content, a new place.
static enum err_code rehome_event(struct journal *j, struct run *run,
                                  const struct store_event *stored, const struct hash *before,
                                  struct err *e)
{
    struct hash computed = hash_chain(before, stored->bytes);
    struct event event;
    bool intact = hash_equal(&computed, &stored->chain) &&
                  event_parse(stored->bytes, &j->arena, &event, NULL) == ERR_OK;
    if (!intact)
        return set_aside(j, stored, "the bytes do not give their chain hash", e);
    bool again = event.type && str_is(event.type_name, "run_started");
    enum err_code code = again ? ERR_OK : is_carried_later(j, stored, &event.id, &again, e);
    if (code || again)
        return code;
    if (!run_has_room(run, &event))
        return set_aside(j, stored, "too large for its new place", e);
    code = store_withdraw(j->store, &stored->key, stored->seq, e);
    if (code == ERR_OK)
        code = journal_stamp(j, run, &event, e);
    return code ? code
                : store_notice_move(j->store, &stored->key, stored->seq,
                                    &(struct stream_key){run->origin, event.lane}, event.seq, e);
}

static enum err_code open_damage_review(struct journal *j, const struct stream_key *key,
                                        struct err *e)
{
    char record[UUID_TEXT_SIZE];
    uuid_format(&key->origin, record);
    struct review review = {
        .kind = STR("damaged"),
        .record = str_of(record),
        .location = str_of(j->identity.location),
        .text = STR("this journal and the upstream disagree about a run: its events were "
                    "appended again"),
        .detail = STR("{}"),
        .opened_at = clock_wall_ms(),
        .open = true};
    return store_review_open(j->store, &review, e);
}

// The new run carries everything behind 'from': nothing of the old one waits any more.
static enum err_code close_stream(struct journal *j, const struct stream_info *info, uint64_t from,
                                  struct err *e)
{
    uint64_t before = settled_of(j, &info->key);
    enum err_code code = store_stream_end(j->store, &info->key, from, clock_wall_ms(), e);
    j->outbox += before - settled_of(j, &info->key);
    return code ? code : open_damage_review(j, &info->key, e);
}

static enum err_code rehome_page(struct journal *j, struct run *run, const struct stream_key *key,
                                 uint64_t *after, struct err *e)
{
    struct store_event_list list = {0};
    struct hash before = {0};
    enum err_code code = ERR_OK;
    if (*after)
        code = store_chain_at(j->store, key, *after, &before, e);
    if (code == ERR_OK)
        code = store_read_stream(
            j->store, key, *after,
            &(struct store_page){LOAD_PAGE_EVENTS, REHOME_PAGE_BYTES, &j->arena}, &list, e);
    if (code == ERR_OK && list.count == 0)
        return err_set(e, ERR_DAMAGED, "a stream to be appended again ends early");
    for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
        code = rehome_event(j, run, &list.items[i], &before, e);
        before = list.items[i].chain;
        *after = list.items[i].seq;
    }
    return code;
}

enum err_code journal_rehome(struct journal *j, const struct stream_key *key, uint64_t from,
                             uint64_t *after, struct err *e)
{
    MUST(j->open);
    struct stream_info info;
    enum err_code code = store_stream_find(j->store, key, &info);
    if (code)
        return err_set(e, code, "a stream to be appended again is not here");
    struct run *run = journal_find_run(j, str_of(info.location));
    if (run && uuid_equal(&run->origin, &key->origin)) // the disputed run must not go on
        journal_forget_run(j, run);
    uint64_t to = *after;
    code = journal_run_for(j, str_of(info.location), &run, e);
    if (code == ERR_OK && to < info.head.seq)
        code = rehome_page(j, run, key, &to, e);
    j->overlay_stale = true;
    bool all = to >= info.head.seq;
    if (code == ERR_OK && all)
        code = close_stream(j, &info, from, e);
    if (code == ERR_OK)
        *after = all ? REHOME_DONE : to;
    return code;
}
