// SPDX-License-Identifier: Apache-2.0
#include "node/journal.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

// Own events get their place from a run, one per location this process writes for (a till has one).
// Everything in memory that a transaction changes is changed on a copy or kept aside until the
// commit: runs are copied at journal_begin, overlay entries and moved heads wait in lists.

enum {
    RUNS_MAX = 4096, // locations one process may write for
    ARENA_MAX = 32 * 1024 * 1024,
    MOVED_MAX = 4096,
    TOUCHED_MAX = 4096,
    PREVIOUS_MAX = 3 * LANE_COUNT,
    LOAD_PAGE_EVENTS = 500,
    LOAD_PAGE_BYTES = 4 * 1024 * 1024,
};

struct touched {
    char location[LIMIT_NAME + 1];
};
struct delta { // waits for the commit to enter the overlay
    struct stream_key key;
    uint64_t seq;
    struct uuid event_id;
    struct str sku;
    int64_t delta;
};

struct journal {
    struct config config;
    struct store *store;
    struct identity identity;
    struct uuid run_id;
    int64_t clock_offset_ms;
    struct run *runs;       // by location
    struct run *runs_saved; // as at journal_begin
    size_t run_count, run_count_saved;
    struct overlay *overlay; // terminals only
    struct arena arena;      // of the transaction
    struct buf bytes;        // of one event
    struct uuid_maker ids;
    struct delta *deltas;
    size_t delta_count, delta_capacity;
    struct journal_moved *moved;
    size_t moved_count;
    struct touched *touched;
    size_t touched_count;
    bool open; // a transaction is open
    bool overlay_stale;
};

struct store *journal_store(struct journal *j)
{
    return j->store;
}

const struct identity *journal_identity(const struct journal *j)
{
    return &j->identity;
}

const struct uuid *journal_run_id(const struct journal *j)
{
    return &j->run_id;
}

void journal_set_clock(struct journal *j, int64_t offset_ms)
{
    j->clock_offset_ms = offset_ms;
    for (size_t i = 0; i < j->run_count; i++)
        j->runs[i].clock_offset_ms = offset_ms;
}

int64_t journal_clock(const struct journal *j)
{
    return clock_wall_ms() + j->clock_offset_ms;
}

static struct uuid fresh_id(struct journal *j)
{
    uint8_t random[10];
    clock_random(random, sizeof(random));
    int64_t now = journal_clock(j);
    return uuid_make_v7(&j->ids, now > 0 ? (uint64_t)now : 0, random);
}

// ---- the overlay ------------------------------------------------------------------------------

static bool has_overlay(const struct journal *j)
{
    return j->identity.role == ROLE_TERMINAL;
}

static enum err_code keep_deltas(struct journal *j, const struct event *event,
                                 const struct stream_key *key, const struct effect_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->items[i].kind != EFFECT_STOCK)
            continue;
        if (j->delta_count == j->delta_capacity) {
            size_t capacity = j->delta_capacity ? j->delta_capacity * 2 : 64;
            struct delta *deltas = realloc(j->deltas, capacity * sizeof(*deltas));
            if (deltas == NULL)
                return ERR_NO_MEMORY;
            j->deltas = deltas;
            j->delta_capacity = capacity;
        }
        struct str sku = arena_copy(&j->arena, list->items[i].stock.sku);
        if (sku.p == NULL)
            return ERR_NO_MEMORY;
        j->deltas[j->delta_count++] =
            (struct delta){*key, event->seq, event->id, sku, list->items[i].stock.delta};
    }
    return ERR_OK;
}

static enum err_code note_deltas(struct journal *j, const struct event *event,
                                 const struct stream_key *key)
{
    struct effect_list list;
    if (!has_overlay(j) || effect_list_of(event, &j->arena, &list, NULL) != ERR_OK)
        return ERR_OK; // a dead letter moves no stock
    return keep_deltas(j, event, key, &list);
}

static enum err_code enter_deltas(struct journal *j)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < j->delta_count; i++) {
        const struct delta *d = &j->deltas[i];
        code = overlay_add(j->overlay, &d->key, d->seq, &d->event_id, d->sku, d->delta);
    }
    j->delta_count = 0;
    return code;
}

// Reads again what the feed does not yet include of one own stream.
static enum err_code load_overlay_stream(struct journal *j, const struct stream_info *info,
                                         struct err *e)
{
    uint64_t after = 0;
    enum err_code code = store_include_get(j->store, &info->key, &after, e);
    while (code == ERR_OK && after < info->head.seq) {
        struct arena arena;
        arena_init(&arena, ARENA_MAX);
        struct store_event_list list = {0};
        code = store_read_stream(j->store, &info->key, after, LOAD_PAGE_EVENTS, LOAD_PAGE_BYTES,
                                 &arena, &list, e);
        for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
            struct event event;
            bool counts =
                list.items[i].status <= STATUS_SETTLED || list.items[i].status == STATUS_REVIEW;
            if (counts && event_parse(list.items[i].bytes, &arena, &event, NULL) == ERR_OK &&
                event.type)
                code = note_deltas(j, &event, &info->key);
            after = list.items[i].seq;
        }
        bool ended = list.count == 0;
        if (code == ERR_OK)
            code = enter_deltas(j);
        arena_fini(&arena);
        arena_reset(&j->arena);
        if (ended)
            break;
    }
    return code;
}

struct stream_list {
    struct stream_info *items;
    size_t count, capacity;
    bool own_only;
    enum err_code code;
};

static bool collect_stream(void *context, const struct stream_info *info)
{
    struct stream_list *list = context;
    if (list->own_only && !info->own)
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

static enum err_code own_streams(struct journal *j, struct stream_list *ret, struct err *e)
{
    *ret = (struct stream_list){.own_only = true};
    enum err_code code = store_streams_each(j->store, collect_stream, ret, e);
    code = code ? code : ret->code;
    if (code) {
        free(ret->items);
        *ret = (struct stream_list){0};
    }
    return code;
}

static enum err_code load_overlay(struct journal *j, struct err *e)
{
    overlay_free(j->overlay);
    j->overlay = NULL;
    enum err_code code = overlay_new(&j->overlay);
    if (code || !has_overlay(j))
        return code;
    struct stream_list list;
    code = own_streams(j, &list, e);
    for (size_t i = 0; code == ERR_OK && i < list.count; i++)
        code = load_overlay_stream(j, &list.items[i], e);
    free(list.items);
    return code;
}

// ---- opening -----------------------------------------------------------------------------------

static void prepare(struct journal *j)
{
    arena_init(&j->arena, ARENA_MAX);
    buf_init(&j->bytes, LIMIT_EVENT_BYTES + 1024);
    j->runs = calloc(RUNS_MAX, sizeof(*j->runs));
    j->runs_saved = calloc(RUNS_MAX, sizeof(*j->runs_saved));
    j->moved = calloc(MOVED_MAX, sizeof(*j->moved));
    j->touched = calloc(TOUCHED_MAX, sizeof(*j->touched));
}

enum err_code journal_open(const struct config *config, struct journal **ret, struct err *e)
{
    struct journal *j = calloc(1, sizeof(*j));
    if (j == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    j->config = *config;
    prepare(j);
    struct store_options options = {.dir = config->dir, .max_bytes = config->store_max_bytes};
    enum err_code code =
        j->runs && j->runs_saved && j->moved && j->touched ? ERR_OK : ERR_NO_MEMORY;
    if (code == ERR_OK)
        code = store_open(&options, &j->store, e);
    if (code == ERR_OK)
        code = identity_read(config, j->store, &j->identity, e);
    if (code == ERR_OK)
        code = load_overlay(j, e);
    if (code) {
        journal_close(j);
        return code;
    }
    j->run_id = fresh_id(j);
    *ret = j;
    return ERR_OK;
}

void journal_close(struct journal *j)
{
    if (j == NULL)
        return;
    if (j->open)
        journal_rollback(j);
    store_close(j->store);
    overlay_free(j->overlay);
    free(j->runs);
    free(j->runs_saved);
    free(j->moved);
    free(j->touched);
    free(j->deltas);
    buf_fini(&j->bytes);
    arena_fini(&j->arena);
    free(j);
}

enum err_code journal_rejoin(struct journal *j, struct err *e)
{
    return identity_read(&j->config, j->store, &j->identity, e);
}

// ---- transactions
// ----------------------------------------------------------------------------------

enum err_code journal_begin(struct journal *j, struct err *e)
{
    MUST(!j->open);
    if (j->overlay_stale) {
        enum err_code code = load_overlay(j, e);
        if (code)
            return code;
        j->overlay_stale = false;
    }
    enum err_code code = store_begin(j->store, e);
    if (code)
        return code;
    memcpy(j->runs_saved, j->runs, j->run_count * sizeof(*j->runs));
    j->run_count_saved = j->run_count;
    j->moved_count = j->touched_count = j->delta_count = 0;
    j->open = true;
    return ERR_OK;
}

static void forget_transaction(struct journal *j)
{
    memcpy(j->runs, j->runs_saved, j->run_count_saved * sizeof(*j->runs));
    j->run_count = j->run_count_saved;
    j->moved_count = j->touched_count = j->delta_count = 0;
    j->open = false;
    arena_reset(&j->arena);
}

void journal_rollback(struct journal *j)
{
    MUST(j->open);
    store_rollback(j->store);
    forget_transaction(j);
}

enum err_code journal_commit(struct journal *j, struct err *e)
{
    MUST(j->open);
    enum err_code code = store_commit(j->store, e);
    if (code) {
        forget_transaction(j);
        j->overlay_stale = true; // a feed page may have changed it already
        return code;
    }
    if (enter_deltas(j))
        j->overlay_stale = true;
    j->open = false;
    arena_reset(&j->arena);
    return ERR_OK;
}

static void note_moved(struct journal *j, const struct run *run, enum lane lane)
{
    struct stream_key key = {run->origin, lane};
    for (size_t i = 0; i < j->moved_count; i++) {
        if (stream_key_equal(&j->moved[i].key, &key)) {
            j->moved[i].head = run->heads[lane];
            return;
        }
    }
    if (j->moved_count < MOVED_MAX)
        j->moved[j->moved_count++] =
            (struct journal_moved){key, run->certificate, run->heads[lane]};
}

static void note_touched(struct journal *j, struct str location)
{
    for (size_t i = 0; i < j->touched_count; i++) {
        if (str_is(location, j->touched[i].location))
            return;
    }
    if (j->touched_count < TOUCHED_MAX &&
        str_copy(j->touched[j->touched_count].location, LIMIT_NAME + 1, location) == ERR_OK)
        j->touched_count++;
}

size_t journal_take_moved(struct journal *j, struct journal_moved *ret, size_t max)
{
    size_t count = j->moved_count < max ? j->moved_count : max;
    memcpy(ret, j->moved, count * sizeof(*ret));
    j->moved_count = 0;
    return count;
}

size_t journal_take_touched(struct journal *j, char (*ret)[LIMIT_NAME + 1], size_t max)
{
    size_t count = j->touched_count < max ? j->touched_count : max;
    for (size_t i = 0; i < count; i++)
        memcpy(ret[i], j->touched[i].location, LIMIT_NAME + 1);
    j->touched_count = 0;
    return count;
}

// ---- own events
// ----------------------------------------------------------------------------------

static struct run *find_run(struct journal *j, struct str location)
{
    for (size_t i = 0; i < j->run_count; i++) {
        if (str_is(location, j->runs[i].location))
            return &j->runs[i];
    }
    return NULL;
}

static enum err_code append_stamped(struct journal *j, struct run *run, struct event *event,
                                    struct str bytes, const struct mark *mark, struct err *e)
{
    struct stream_key key = {run->origin, event->lane};
    struct store_entry entry = {
        .key = key,
        .seq = mark->seq,
        .chain = mark->hash,
        .bytes = bytes,
        .event = event,
        .status = j->config.upstream_count || has_overlay(j) ? STATUS_PENDING : STATUS_SETTLED,
        .received_at = clock_wall_ms()};
    event->bytes = bytes;
    enum err_code code = store_append(j->store, &entry, 1, e);
    if (code == ERR_OK && entry.ret_status <= STATUS_SETTLED)
        code = note_deltas(j, event, &key);
    if (code == ERR_OK) {
        note_moved(j, run, event->lane);
        note_touched(j, event->location);
    }
    return code;
}

// The bytes go to the transaction's arena: the store may look at them until the commit.
static enum err_code stamp_and_append(struct journal *j, struct run *run, struct event *draft,
                                      struct err *e)
{
    struct mark mark;
    buf_reset(&j->bytes);
    enum err_code code = run_stamp(run, draft, clock_wall_ms(), &j->bytes, &mark, e);
    if (code)
        return code;
    struct str bytes = arena_copy(&j->arena, buf_str(&j->bytes));
    if (bytes.p == NULL)
        return err_set(e, ERR_NO_MEMORY, "the transaction is too large");
    return append_stamped(j, run, draft, bytes, &mark, e);
}

static hlc last_hlc_of(struct journal *j, const struct stream_info *info)
{
    struct arena arena;
    arena_init(&arena, ARENA_MAX);
    struct store_event_list list = {0};
    struct event event;
    hlc last = 0;
    if (info->head.seq &&
        store_read_stream(j->store, &info->key, info->head.seq - 1, 1, LIMIT_EVENT_BYTES, &arena,
                          &list, NULL) == ERR_OK &&
        list.count == 1 && event_parse(list.items[0].bytes, &arena, &event, NULL) == ERR_OK)
        last = event.hlc;
    arena_fini(&arena);
    return last;
}

// Where the last run for this place ended (all lanes of its origin), and the highest hlc there.
static enum err_code last_run(struct journal *j, struct str location, struct run_previous *ret,
                              size_t *ret_count, hlc *ret_last, struct err *e)
{
    struct stream_list list;
    enum err_code code = own_streams(j, &list, e);
    *ret_count = 0;
    *ret_last = 0;
    const struct stream_info *newest = NULL;
    for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
        if (str_is(location, list.items[i].location) && list.items[i].head.seq &&
            (newest == NULL || uuid_compare(&list.items[i].key.origin, &newest->key.origin) > 0))
            newest = &list.items[i];
    }
    for (size_t i = 0; newest && i < list.count; i++) {
        const struct stream_info *info = &list.items[i];
        if (!uuid_equal(&info->key.origin, &newest->key.origin) || info->head.seq == 0)
            continue;
        ret[(*ret_count)++] = (struct run_previous){info->key, info->head};
        hlc last = last_hlc_of(j, info);
        *ret_last = last > *ret_last ? last : *ret_last;
    }
    free(list.items);
    return code;
}

static enum err_code add_streams(struct journal *j, const struct run *run, struct err *e)
{
    enum err_code code = ERR_OK;
    for (int lane = 0; code == ERR_OK && lane < LANE_COUNT; lane++) {
        struct stream_info info = {.key = {run->origin, (enum lane)lane},
                                   .device = run->device,
                                   .own = true,
                                   .certificate = run->certificate};
        memcpy(info.location, run->location, sizeof(info.location));
        code = store_stream_add(j->store, &info, e);
    }
    return code;
}

static enum err_code begin_run(struct journal *j, struct str location, struct run **ret,
                               struct err *e)
{
    if (j->run_count == RUNS_MAX)
        return err_set(e, ERR_LIMIT, "more than %d locations in one process", RUNS_MAX);
    struct run_previous previous[PREVIOUS_MAX];
    size_t previous_count = 0;
    hlc last = 0;
    enum err_code code = last_run(j, location, previous, &previous_count, &last, e);
    if (code)
        return code;
    struct run *run = &j->runs[j->run_count];
    struct run_identity who = {&j->identity.key, j->identity.chain, j->identity.device, location};
    struct uuid origin = fresh_id(j);
    run_begin(run, &who, &j->run_id, &origin, last, journal_clock(j));
    run->clock_offset_ms = j->clock_offset_ms;
    struct event first;
    struct uuid event_id = fresh_id(j);
    code = add_streams(j, run, e);
    if (code == ERR_OK)
        code = run_first_event(run, &event_id, previous, previous_count, STR(WASL_VERSION),
                               clock_wall_ms(), &j->arena, &first);
    if (code)
        return err_set(e, code, "the first event of a run cannot be made");
    j->run_count++;
    *ret = run;
    return stamp_and_append(j, run, &first, e);
}

// The run to write with: a fresh one at the first event, and when the clock turned out to be off.
static enum err_code run_for(struct journal *j, struct str location, struct run **ret,
                             struct err *e)
{
    struct run *run = find_run(j, location);
    if (run && run_clock_was_off(run, journal_clock(j))) {
        *run = j->runs[--j->run_count];
        run = NULL;
    }
    if (run == NULL)
        return begin_run(j, location, ret, e);
    *ret = run;
    return ERR_OK;
}

// A used id: the same content is a repeat, other content is a mistake of its author.
static enum err_code find_repeat(struct journal *j, const struct event *draft,
                                 struct journal_added *ret, bool *ret_found, struct err *e)
{
    struct store_event_list list = {0};
    enum err_code code = store_find_event(j->store, &draft->id, &j->arena, &list, e);
    *ret_found = false;
    for (size_t i = 0; code == ERR_OK && i < list.count && !*ret_found; i++) {
        struct event event;
        if (event_parse(list.items[i].bytes, &j->arena, &event, NULL) != ERR_OK ||
            !str_equal(event.location, draft->location))
            continue;
        *ret_found = true;
        bool same = event_same_content(&event, draft);
        ret->verdict = same ? VERDICT_DUPLICATE : VERDICT_REJECTED;
        if (!same)
            memcpy(ret->reason, "the id was used with other content", 35);
    }
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static bool may_write_for(const struct journal *j, struct str location)
{
    return j->identity.role == ROLE_CENTRAL || str_is(location, j->identity.location);
}

static enum err_code refuse(struct journal_added *ret, const char *reason)
{
    ret->verdict = VERDICT_REJECTED;
    MUST(str_copy(ret->reason, sizeof(ret->reason), str_of(reason)) == ERR_OK);
    return ERR_OK;
}

enum err_code journal_add(struct journal *j, struct event *draft, struct journal_added *ret,
                          struct err *e)
{
    MUST(j->open);
    *ret = (struct journal_added){.verdict = VERDICT_ACCEPTED};
    if (!may_write_for(j, draft->location))
        return refuse(ret, "this device writes for another location");
    struct effect_list effects;
    struct err why = {0};
    enum err_code code = effect_list_of(draft, &j->arena, &effects, &why);
    if (code == ERR_NO_MEMORY)
        return err_set(e, code, "the transaction is too large");
    if (code)
        return refuse(ret, err_message(&why));
    bool repeated = false;
    code = find_repeat(j, draft, ret, &repeated, e);
    if (code || repeated)
        return code;
    struct run *run;
    code = run_for(j, draft->location, &run, e);
    if (code)
        return code;
    code = stamp_and_append(j, run, draft, e);
    if (code == ERR_LIMIT)
        return refuse(ret, "the event is over 256 KiB");
    return code;
}

// ---- the device's end
// ------------------------------------------------------------------------------

static struct certificate certificate_of(const struct journal *j, const struct stream_info *info)
{
    return certificate_make(&j->identity.key, &j->identity.chain, &info->key.origin,
                            &j->identity.device, str_of(info->location));
}

static enum err_code fill_stream(struct journal *j, struct uplink *u,
                                 const struct stream_info *info, struct err *e)
{
    uint64_t included = 0;
    enum err_code code = store_include_get(j->store, &info->key, &included, e);
    bool done = info->settled.seq >= info->head.seq && included >= info->head.seq;
    if (code || info->head.seq == 0 || done)
        return code;
    struct certificate certificate = certificate_of(j, info);
    code = outbox_committed(&u->outbox, &info->key, &certificate, &info->head);
    if (code)
        return code == ERR_LIMIT ? ERR_OK : err_set(e, code, "the outbox"); // the rest: later
    struct outbox_stream *s = outbox_find(&u->outbox, &info->key);
    s->held = info->held;
    s->settled = info->settled.seq;
    s->included = included;
    return ERR_OK;
}

static void fill_cursor(struct journal *j, struct uplink *u, const char *location)
{
    struct feed_cursor cursor;
    if (store_feed_cursor(j->store, str_of(location), &cursor) == ERR_OK)
        uplink_set_feed(u, str_of(location), &cursor.feed, cursor.position, &cursor.hash);
}

enum err_code journal_fill_uplink(struct journal *j, struct uplink *u, struct err *e)
{
    struct stream_list list;
    enum err_code code = own_streams(j, &list, e);
    for (size_t i = 0; code == ERR_OK && i < list.count; i++)
        code = fill_stream(j, u, &list.items[i], e);
    free(list.items);
    if (code == ERR_OK) {
        fill_cursor(j, u, j->identity.location);
        fill_cursor(j, u, "*");
    }
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
        code = store_read_stream(j->store, &step->key, step->after, step->max_events,
                                 step->max_bytes, a, &list, e);
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

enum err_code journal_acked(struct journal *j, const struct message_mark *mark, bool lost,
                            int64_t now_ms, struct err *e)
{
    if (lost)
        return store_stream_lost(j->store, &mark->key, mark->held.seq, mark->settled, e);
    return store_stream_acked(j->store, &mark->key, mark->held.seq, mark->settled, now_ms, e);
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

static enum err_code take_includes(struct journal *j, const struct message_feed *feed,
                                   struct changed_list *changed, struct err *e)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < feed->include_count; i++) {
        const struct message_include *include = &feed->includes[i];
        overlay_include(j->overlay, &include->key, include->seq, include->except,
                        include->except_count, note_changed, changed);
        struct feed_include stored = {include->key, include->seq};
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

enum err_code journal_apply_feed(struct journal *j, const struct message_feed *feed, struct err *e)
{
    MUST(j->open);
    if (enter_deltas(j)) // own events of this very transaction stand before the page
        return err_set(e, ERR_NO_MEMORY, "the overlay");
    j->overlay_stale = true; // until the commit: a rollback reads it again
    struct changed_list changed = {.j = j};
    enum err_code code = take_includes(j, feed, &changed, e);
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

// One event again under the current run: same id, same content, a new place.
static enum err_code rehome_event(struct journal *j, struct run *run,
                                  const struct store_event *stored, const struct hash *before,
                                  struct err *e)
{
    struct hash computed = hash_chain(before, stored->bytes);
    struct event event;
    bool intact = hash_equal(&computed, &stored->chain) &&
                  event_parse(stored->bytes, &j->arena, &event, NULL) == ERR_OK;
    if (!intact) // its bytes are not what was written: they are kept as evidence, never sent on
        return store_quarantine_put(j->store, &stored->key, stored->seq, stored->bytes,
                                    "the bytes do not give their chain hash", clock_wall_ms(), e);
    if (event.type && str_is(event.type_name, "run_started"))
        return ERR_OK;
    return stamp_and_append(j, run, &event, e);
}

static enum err_code open_damage_review(struct journal *j, const struct stream_key *key,
                                        uint64_t after, struct err *e)
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
    (void)after;
    return store_review_open(j->store, &review, e);
}

enum err_code journal_rehome(struct journal *j, const struct stream_key *key, uint64_t after,
                             struct err *e)
{
    MUST(j->open);
    struct stream_info info;
    enum err_code code = store_stream_find(j->store, key, &info);
    if (code)
        return err_set(e, code, "a stream to be appended again is not here");
    struct run *run = find_run(j, str_of(info.location));
    if (run && uuid_equal(&run->origin, &key->origin)) // the disputed run must not go on
        *run = j->runs[--j->run_count];
    code = run_for(j, str_of(info.location), &run, e);
    struct hash before = {0};
    if (code == ERR_OK && after)
        code = store_chain_at(j->store, key, after, &before, e);
    while (code == ERR_OK && after < info.head.seq) {
        struct store_event_list list = {0};
        code = store_read_stream(j->store, key, after, LOAD_PAGE_EVENTS, LOAD_PAGE_BYTES, &j->arena,
                                 &list, e);
        if (code == ERR_OK && list.count == 0)
            break;
        for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
            code = rehome_event(j, run, &list.items[i], &before, e);
            before = list.items[i].chain;
            after = list.items[i].seq;
        }
    }
    j->overlay_stale = true;
    return code ? code : open_damage_review(j, key, after, e);
}

// ---- the server's end
// -------------------------------------------------------------------------------

static enum err_code refuse_device(struct downlink_identity *ret, const char *text)
{
    ret->refused = true;
    ret->final = true;
    ret->text = text;
    return ERR_OK;
}

static enum err_code identify_stream(struct journal *j, const struct message_stream *theirs,
                                     struct message_mark *ret, struct err *e)
{
    struct stream_info info;
    *ret = (struct message_mark){.key = theirs->key};
    if (store_stream_find(j->store, &theirs->key, &info) != ERR_OK)
        return ERR_OK;
    ret->held = info.head;
    ret->settled = info.settled.seq;
    if (theirs->head.seq == 0 || theirs->head.seq > info.head.seq)
        return ERR_OK;
    struct hash ours;
    enum err_code code = store_chain_at(j->store, &theirs->key, theirs->head.seq, &ours, e);
    ret->fork = code == ERR_OK && !hash_equal(&ours, &theirs->head.hash);
    return code;
}

static enum err_code identify_feed(struct journal *j, const struct message_hello *hello,
                                   struct str location, size_t i, struct downlink_identity *ret,
                                   struct err *e)
{
    struct feed_cursor head;
    enum err_code code = store_feed_head(j->store, location, &head, e);
    if (code)
        return code;
    ret->feeds[i] = (struct message_cursor){location, head.feed, head.position, head.hash};
    for (size_t n = 0; n < hello->feed_count; n++) {
        const struct message_cursor *theirs = &hello->feeds[n];
        if (!str_equal(theirs->location, location))
            continue;
        ret->cursors[i] = *theirs;
        struct feed_cursor cursor = {theirs->feed, theirs->position, theirs->hash};
        if (uuid_equal(&theirs->feed, &head.feed))
            code = store_feed_knows(j->store, location, &cursor, &ret->knows[i], e);
    }
    return code;
}

enum err_code journal_identify(struct journal *j, const struct message_hello *hello,
                               struct arena *a, struct downlink_identity *ret, struct err *e)
{
    *ret = (struct downlink_identity){.wall_ms = clock_wall_ms()};
    struct device_record device;
    if (store_device_find(j->store, &hello->device, &device) != ERR_OK)
        return refuse_device(ret, "the device is not enrolled here");
    if (device.revoked)
        return refuse_device(ret, "the device was revoked");
    ret->key = device.key;
    ret->location = arena_copy(a, str_of(device.location));
    ret->marks = arena_alloc_zero(a, (hello->count + 1) * sizeof(*ret->marks));
    if (ret->location.p == NULL || ret->marks == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a hello");
    ret->count = hello->count;
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < hello->count; i++)
        code = identify_stream(j, &hello->streams[i], &ret->marks[i], e);
    if (code == ERR_OK)
        code = identify_feed(j, hello, ret->location, 0, ret, e);
    return code ? code : identify_feed(j, hello, STR("*"), 1, ret, e);
}

static enum err_code find_intake_stream(void *context, const struct stream_key *key,
                                        struct intake_stream *ret)
{
    struct journal *j = context;
    struct stream_info info;
    *ret = (struct intake_stream){0};
    enum err_code code = store_stream_find(j->store, key, &info);
    if (code == ERR_NOT_FOUND)
        return ERR_OK;
    if (code)
        return code;
    ret->known = true;
    ret->held = info.head;
    ret->settled = info.settled.seq;
    ret->device = info.device;
    memcpy(ret->location, info.location, sizeof(ret->location));
    return ERR_OK;
}

static enum err_code chain_at(void *context, const struct stream_key *key, uint64_t seq,
                              struct hash *ret)
{
    struct journal *j = context;
    return store_chain_at(j->store, key, seq, ret, NULL);
}

static enum err_code append_received(struct journal *j, const struct stream_key *key,
                                     const struct intake_result *result, struct arena *a,
                                     struct err *e)
{
    struct store_entry *entries = arena_alloc_zero(a, (result->count + 1) * sizeof(*entries));
    if (entries == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a push");
    int64_t now = clock_wall_ms();
    for (size_t i = 0; i < result->count; i++) {
        const struct intake_event *item = &result->events[i];
        entries[i] = (struct store_entry){.key = *key,
                                          .seq = item->seq,
                                          .chain = item->chain,
                                          .bytes = item->bytes,
                                          .event = item->envelope ? &item->event : NULL,
                                          .status = item->seq <= result->settled ? STATUS_SETTLED
                                                                                 : STATUS_HELD,
                                          .dead = item->dead,
                                          .received_at = now};
    }
    return store_append(j->store, entries, result->count, e);
}

static enum err_code take_new(struct journal *j, const struct message_push *push,
                              const struct intake_result *result, struct arena *a, struct err *e)
{
    enum err_code code = ERR_OK;
    if (!result->stream.known) {
        struct stream_info info = {
            .key = push->key, .device = result->stream.device, .certificate = result->certificate};
        memcpy(info.location, result->stream.location, sizeof(info.location));
        code = store_stream_add(j->store, &info, e);
    }
    if (code == ERR_OK)
        code = append_received(j, &push->key, result, a, e);
    if (code == ERR_OK)
        code = store_seal_put(j->store, &result->seal, e);
    note_touched(j, str_of(result->stream.location));
    return code;
}

// What could not be believed is kept as evidence, within bounds.
static enum err_code keep_evidence(struct journal *j, const struct message_push *push,
                                   const struct intake_result *result, struct err *e)
{
    return store_quarantine_put(j->store, &push->key, push->from,
                                push->count ? push->events[0] : str_of(""), result->reason,
                                clock_wall_ms(), e);
}

static enum err_code act_on(struct journal *j, const struct message_push *push,
                            const struct intake_result *result, struct arena *a, struct err *e)
{
    switch (result->outcome) {
    case INTAKE_APPEND:
        return take_new(j, push, result, a, e);
    case INTAKE_DUPLICATE:
        return store_seal_put(j->store, &result->seal, e);
    case INTAKE_DAMAGED:
    case INTAKE_FORKED:
    case INTAKE_DENIED:
        return keep_evidence(j, push, result, e);
    case INTAKE_GAP:
        break;
    }
    return ERR_OK;
}

enum err_code journal_receive(struct journal *j, const struct intake_sender *sender,
                              struct str text, struct arena *a, struct downlink_stored *ret,
                              struct err *e)
{
    MUST(j->open);
    struct message *m = arena_alloc(a, sizeof(*m));
    struct intake_result *result = arena_alloc(a, sizeof(*result));
    if (m == NULL || result == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a push");
    enum err_code code = message_decode(text, a, m, e);
    if (code)
        return code;
    struct intake_io io = {j, find_intake_stream, chain_at};
    code = intake_check(&io, sender, &m->push, a, result, e);
    if (code == ERR_OK)
        code = act_on(j, &m->push, result, a, e);
    if (code)
        return code;
    *ret = (struct downlink_stored){.mark = intake_mark(&m->push, result),
                                    .events = m->push.count,
                                    .denied = result->outcome == INTAKE_DENIED,
                                    .reason = result->reason};
    for (size_t i = 0; i < m->push.count; i++)
        ret->bytes += m->push.events[i].n + 1;
    return ERR_OK;
}

static enum err_code add_include(struct journal *j, const struct stream_key *key, struct arena *a,
                                 struct downlink_page *ret, struct err *e)
{
    struct stream_info info;
    if (store_stream_find(j->store, key, &info) != ERR_OK || info.head.seq == 0)
        return ERR_OK;
    struct message_include *include = &ret->includes[ret->include_count++];
    *include = (struct message_include){.key = *key, .seq = info.head.seq};
    enum err_code code =
        store_unfolded(j->store, key, a, &include->except, &include->except_count, e);
    if (include->except_count > MESSAGE_MAX_EXCEPT)
        include->except_count = MESSAGE_MAX_EXCEPT;
    return code;
}

static enum err_code copy_rows(const struct feed_page *page, uint64_t after, struct arena *a,
                               struct downlink_page *ret)
{
    ret->rows = arena_alloc(a, (page->count + 1) * sizeof(*ret->rows));
    if (ret->rows == NULL)
        return ERR_NO_MEMORY;
    ret->to = after;
    for (size_t i = 0; i < page->count; i++) {
        ret->rows[i] = page->rows[i].bytes;
        ret->to = page->rows[i].position;
        ret->hash = page->rows[i].hash;
    }
    ret->count = page->count;
    ret->reached_head = page->reached_head;
    if (page->reached_head) {
        ret->to = page->head.position;
        ret->hash = page->head.hash;
    }
    return ERR_OK;
}

enum err_code journal_feed_page(struct journal *j, const struct step *step,
                                const struct stream_key *streams, size_t stream_count,
                                struct arena *a, struct downlink_page *ret, struct err *e)
{
    *ret = (struct downlink_page){.location = step->location, .after = step->after};
    struct feed_page page;
    enum err_code code =
        store_feed_read(j->store, step->location, step->after, step->max_bytes, a, &page, e);
    if (code == ERR_OK)
        code = copy_rows(&page, step->after, a, ret);
    ret->includes = code ? NULL : arena_alloc_zero(a, (stream_count + 1) * sizeof(*ret->includes));
    if (ret->includes == NULL)
        return code ? code : err_set(e, ERR_NO_MEMORY, "out of memory for a feed page");
    for (size_t i = 0; code == ERR_OK && page.reached_head && i < stream_count; i++)
        code = add_include(j, &streams[i], a, ret, e);
    return code;
}
