// SPDX-License-Identifier: Apache-2.0
#include "node/journal_private.h"

#include "base/clock.h"

#include <stdlib.h>

bool journal_carries(const struct journal *j)
{
    return j->identity.role == ROLE_BRANCH;
}

static bool collect_stream(void *context, const struct stream_info *info)
{
    struct stream_list *list = context;
    if (!store_goes_up(info))
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

enum err_code journal_streams_up(struct journal *j, struct stream_list *ret, struct err *e)
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
    enum err_code code = journal_streams_up(j, &list, e);
    j->outbox = 0;
    for (size_t i = 0; code == ERR_OK && i < list.count; i++)
        j->outbox += list.items[i].head.seq - list.items[i].settled.seq;
    free(list.items);
    return code;
}

static struct certificate certificate_of(const struct journal *j, const struct stream_info *info)
{
    if (info->carried)
        return info->certificate;
    return certificate_make(&j->identity.key, &j->identity.chain, &info->key.origin,
                            &j->identity.device, str_of(info->location));
}

// A stream as the outbox has it, as far as its events go up under it; head 0: none do.
static enum err_code read_stream(struct journal *j, const struct stream_info *info,
                                 struct outbox_stream *ret, struct err *e)
{
    uint64_t end = UINT64_MAX;
    struct mark base = {.seq = 0};
    *ret = (struct outbox_stream){.key = info->key, .head = info->head, .carried = info->carried};
    enum err_code code = store_include_get(j->store, &info->key, &ret->included, e);
    if (code == ERR_OK)
        code = store_stream_ended(j->store, &info->key, &end, e);
    if (code == ERR_OK)
        code = store_base(j->store, &info->key, &base, e);
    bool ended = end < info->head.seq; // what stands behind goes up under another run
    if (ended)
        ret->head.seq = end;
    if (code || ret->head.seq == 0)
        return code;
    if (ended)
        code = store_chain_at(j->store, &info->key, end, &ret->head.hash, e);
    ret->certificate = certificate_of(j, info);
    ret->held = ended ? ret->head : info->held;
    ret->settled = ended ? end : info->settled.seq;
    // Marks at the base say no more than that: they cannot go below it.
    ret->claimed = ended || ret->settled <= base.seq ? 0 : ret->settled;
    return code;
}

static bool is_open(const struct journal *j, const struct outbox_stream *s)
{
    bool fed = s->included >= s->head.seq || j->identity.revoked;
    return s->head.seq && !(s->settled >= s->head.seq && fed);
}

enum err_code journal_unsettled(struct journal *j, struct arena *a, struct journal_unsettled *ret,
                                struct err *e)
{
    struct stream_list list;
    *ret = (struct journal_unsettled){.count = 0};
    ret->streams = arena_alloc(a, LIMIT_STREAMS_HELLO * sizeof(*ret->streams));
    if (ret->streams == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for the outbox");
    enum err_code code = journal_streams_up(j, &list, e);
    for (size_t i = 0; code == ERR_OK && i < list.count && !ret->overflowed; i++) {
        struct outbox_stream stream;
        code = read_stream(j, &list.items[i], &stream, e);
        bool open = code == ERR_OK && is_open(j, &stream);
        ret->overflowed = open && ret->count == LIMIT_STREAMS_HELLO;
        if (open && !ret->overflowed)
            ret->streams[ret->count++] = stream;
    }
    free(list.items);
    return code;
}

// Of a stream that was pruned to its end nothing is left that the upstream could be told.
static bool is_kept(struct journal *j, const struct outbox_stream *s)
{
    struct mark base = {.seq = 0};
    return s->head.seq && store_base(j->store, &s->key, &base, NULL) == ERR_OK &&
           base.seq < s->head.seq;
}

enum err_code journal_stream_end(struct journal *j, const struct stream_key *key, struct mark *ret,
                                 struct err *e)
{
    struct stream_info info;
    struct outbox_stream stream = {.settled = 0};
    enum err_code code = store_stream_find(j->store, key, &info);
    if (code)
        return err_set(e, code, "a stream that was appended again is not here");
    code = read_stream(j, &info, &stream, e);
    *ret = code == ERR_OK && is_kept(j, &stream) ? stream.head : (struct mark){0};
    return code;
}

enum err_code journal_kept(struct journal *j, uint64_t after, struct arena *a,
                           struct uplink_kept *ret, struct err *e)
{
    struct stream_list list;
    *ret = (struct uplink_kept){.after = after, .next = after};
    struct outbox_stream *streams = arena_alloc(a, LIMIT_STREAMS_HELLO / 2 * sizeof *streams);
    if (streams == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for streams");
    ret->streams = streams;
    enum err_code code = journal_streams_up(j, &list, e);
    for (; code == ERR_OK && ret->next < list.count; ret->next++) {
        struct outbox_stream stream;
        code = read_stream(j, &list.items[ret->next], &stream, e);
        bool kept = code == ERR_OK && is_kept(j, &stream);
        ret->more = kept && ret->count == LIMIT_STREAMS_HELLO / 2;
        if (ret->more)
            break;
        if (kept)
            streams[ret->count++] = stream;
    }
    free(list.items);
    return code;
}

static enum err_code fill_witness(struct journal *j, struct uplink *u, struct err *e)
{
    struct stream_info info;
    struct outbox_stream witness;
    enum err_code code = store_stream_witness(j->store, &info, e);
    if (code == ERR_OK)
        code = read_stream(j, &info, &witness, e);
    if (code == ERR_OK)
        uplink_set_witness(u, &witness);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
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
    if (code == ERR_OK)
        code = fill_witness(j, u, e);
    if (code == ERR_OK)
        code = journal_recovery_told(j, &u->config.recovery, e);
    if (code == ERR_OK) {
        fill_cursor(j, u, j->identity.location);
        fill_cursor(j, u, FEED_CHAIN);
        fill_cursor(j, u, FEED_DEFERRED);
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

static enum err_code read_events(struct journal *j, const struct step *step, struct arena *a,
                                 struct store_event_list *ret, struct err *e)
{
    struct store_page page = {step->max_events, step->max_bytes, a};
    return store_read_stream(j->store, &step->key, step->after, &page, ret, e);
}

// What another device wrote goes up to a seal of that one's: the last that fits, else the next.
static enum err_code end_at_seal(struct journal *j, const struct step *step, struct arena *a,
                                 struct store_event_list *list, struct signature *ret,
                                 struct err *e)
{
    struct store_carried_seal seal;
    struct step all = *step;
    enum err_code code =
        store_seal_near(j->store, &step->key, step->after, step->after + list->count, &seal, e);
    all.max_events = (size_t)(seal.seq - step->after);
    all.max_bytes = LIMIT_BATCH_BYTES;
    if (code == ERR_OK && all.max_events > list->count)
        code = read_events(j, &all, a, list, e);
    if (code == ERR_OK && all.max_events > list->count)
        return err_set(e, ERR_DAMAGED, "a stream has a seal behind its end");
    list->count = all.max_events;
    *ret = seal.signature;
    return code;
}

static enum err_code load(struct journal *j, const struct step *step, struct arena *a,
                          struct uplink_loaded *ret, struct err *e)
{
    struct store_event_list list = {0};
    struct stream_info info;
    enum err_code code = store_stream_find(j->store, &step->key, &info);
    if (code == ERR_OK && step->after)
        code = store_chain_at(j->store, &step->key, step->after, &ret->base, e);
    if (code == ERR_OK)
        code = read_events(j, step, a, &list, e);
    if (code == ERR_OK && info.carried && list.count)
        code = end_at_seal(j, step, a, &list, &ret->seal, e);
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
    struct mark base = {.seq = 0};
    *ret = (struct uplink_loaded){.key = step->key, .after = step->after};
    if (load(j, step, a, ret, NULL) == ERR_OK)
        return;
    ret->count = 0;
    ret->pruned = store_base(j->store, &step->key, &base, NULL) == ERR_OK && step->after < base.seq;
}

enum err_code journal_prune(struct journal *j, int64_t *from, size_t *ret_pruned, struct err *e)
{
    struct store_prune how = {.key = &j->identity.key,
                              .chain = j->identity.chain,
                              .before_ms = journal_clock(j) - j->config.keep_ms,
                              .max_events = PRUNE_EVENTS};
    bool agreed = j->upstream.told && j->upstream.told_ms <= how.before_ms;
    *ret_pruned = 0;
    if (j->time.known && agreed && j->identity.role == ROLE_TERMINAL)
        return store_prune(j->store, &how, from, ret_pruned, e);
    *from = 0;
    return ERR_OK;
}

enum err_code journal_trim(struct journal *j, struct store_trim *at, size_t *ret_dropped,
                           struct err *e)
{
    return store_feed_trim(j->store, journal_clock(j) - j->config.keep_ms, at, ret_dropped, e);
}

uint64_t journal_settled_of(struct journal *j, const struct stream_key *key)
{
    struct stream_info info;
    return store_stream_find(j->store, key, &info) == ERR_OK ? info.settled.seq : 0;
}

enum err_code journal_acked(struct journal *j, const struct message_mark *mark, bool lost,
                            struct err *e)
{
    uint64_t before = journal_settled_of(j, &mark->key);
    struct store_ack ack = {mark->key, mark->held.seq, mark->settled, clock_wall_ms(),
                            journal_clock(j)};
    enum err_code code =
        lost ? store_stream_lost(j->store, &mark->key, mark->held.seq, mark->settled, e)
             : store_stream_acked(j->store, &ack, e);
    j->outbox +=
        before - journal_settled_of(j, &mark->key); // down by what was settled, or up again
    return code;
}
