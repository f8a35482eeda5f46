// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/refold.h"

#include "store/sqlite/text.h"
#include "store/sqlite/told.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROGRESS_EVERY = 4096, FLUSH_EVERY = 65536, DELTAS_MOST = 200000 };
#define LSN_SPAN_MAX (INT64_C(1) << 32)

void refold_problem(struct refold *r, const char *format, ...)
{
    if (r->first_problem[0] != '\0')
        return;
    va_list args;
    va_start(args, format);
    (void)vsnprintf(r->first_problem, sizeof r->first_problem, format, args);
    va_end(args);
}

// ---- setting up --------------------------------------------------------------------------------

static enum err_code measure(struct refold *r, struct err *e)
{
    struct query q;
    query_begin(&q, &r->s->db, Q_EVENTS_SPAN);
    bool any = query_row(&q) && !query_is_null(&q, 0);
    if (any) {
        r->lsn_min = query_get_int(&q, 0);
        r->lsn_max = query_get_int(&q, 1);
    }
    r->stream_max = query_get_int(&q, 2);
    enum err_code code = query_end(&q, e);
    if (code == ERR_OK && (r->lsn_min < 0 || r->lsn_max - r->lsn_min > LSN_SPAN_MAX ||
                           r->stream_max < 0 || r->stream_max > LSN_SPAN_MAX))
        code = err_set(e, ERR_DAMAGED, "the journal has rows at impossible positions");
    if (code == ERR_OK && any)
        r->span = (uint64_t)(r->lsn_max - r->lsn_min) + 1;
    return code;
}

static enum err_code read_stream(struct refold *r, struct query *q)
{
    struct stream_slot slot;
    stream_slot_read(q, &slot);
    if (slot.number < 0 || slot.number > r->stream_max)
        return ERR_DAMAGED;
    struct refold_stream *to = &r->streams[slot.number];
    *to = (struct refold_stream){.known = true, .info = slot.info, .since = slot.since};
    to->offset = INT64_MIN;
    to->seal.seq = query_get_u64(q, 15);
    (void)query_get_hash(q, 16, &to->seal.hash);
    struct str signature = query_get_text(q, 17);
    if (signature.n == sizeof to->signature.b)
        memcpy(to->signature.b, signature.p, signature.n);
    to->included = query_get_u64(q, 18);
    return ERR_OK;
}

static enum err_code read_streams(struct refold *r, struct err *e)
{
    struct query q;
    enum err_code bad = ERR_OK;
    query_begin(&q, &r->s->db, Q_STREAMS_SEALED);
    while (bad == ERR_OK && query_row(&q))
        bad = read_stream(r, &q);
    enum err_code code = query_end(&q, e);
    return code == ERR_OK && bad ? err_set(e, bad, "a stream has an impossible number") : code;
}

static enum err_code read_withdrawn(struct refold *r, size_t span, struct err *e)
{
    struct query q;
    enum err_code memory = ERR_OK;
    query_begin(&q, &r->s->db, Q_WITHDRAWN_ALL);
    while (memory == ERR_OK && query_row(&q)) {
        int64_t lsn = query_get_int(&q, 0);
        if (r->withdrawn == NULL)
            r->withdrawn = calloc(span, 1);
        if (r->withdrawn == NULL)
            memory = ERR_NO_MEMORY;
        else if (lsn >= r->lsn_min && lsn <= r->lsn_max)
            r->withdrawn[lsn - r->lsn_min] = 1;
    }
    enum err_code code = query_end(&q, e);
    return code == ERR_OK && memory ? err_set(e, memory, "out of memory for a check") : code;
}

static void take_census(struct fold *f, struct census *census)
{
    f->census = census;
    f->records.census = census;
    ids_init(&f->ids, f->journal, f->journal);
    f->ids.census = census;
}

enum err_code refold_init(struct refold *r, struct store *s, struct db *tables,
                          struct census *census, struct err *e)
{
    *r = (struct refold){.s = s, .equal = true};
    fold_init(&r->fold, tables, &s->db);
    r->fold.ids.loaded = true; // as empty as the tables
    if (census != NULL)
        take_census(&r->fold, census);
    r->fold.ids.salt = s->fold.ids.salt;
    enum err_code code = measure(r, e);
    if (code == ERR_OK)
        code = ids_read_until(&s->db, &r->ids_until, e);
    if (code)
        return code;
    size_t span = (size_t)(r->lsn_max - r->lsn_min) + 1;
    r->states = calloc(span, 1);
    r->stored = calloc(span, 1);
    r->chained = calloc(span, 1);
    r->streams = calloc((size_t)r->stream_max + 1, sizeof *r->streams);
    if (r->states == NULL || r->stored == NULL || r->chained == NULL || r->streams == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a check of the journal");
    r->fold.states = r->states;
    r->fold.states_from = r->lsn_min;
    code = read_withdrawn(r, span, e);
    if (code == ERR_OK)
        code = read_streams(r, e);
    return code ? code : refold_read_past(r, e);
}

void refold_fini(struct refold *r)
{
    fold_fini(&r->fold);
    free(r->states);
    free(r->stored);
    free(r->chained);
    free(r->withdrawn);
    free(r->streams);
}

// ---- one row -----------------------------------------------------------------------------------

static bool check_gap(struct refold *r, struct refold_stream *stream, const struct journal_row *row)
{
    if (row->seq == stream->at.seq + 1)
        return true;
    r->gaps += row->seq > stream->at.seq ? row->seq - stream->at.seq - 1 : 1;
    refold_problem(r, "row %lld: seq %llu follows %llu", (long long)row->lsn,
                   (unsigned long long)row->seq, (unsigned long long)stream->at.seq);
    return false;
}

static bool is_chained(const struct refold *r, const struct refold_stream *stream,
                       const struct journal_row *row)
{
    if (__atomic_load_n(&r->chained[row->lsn - r->lsn_min], __ATOMIC_ACQUIRE))
        return true;
    struct hash chain = hash_chain(&stream->at.hash, row->bytes);
    return hash_equal(&chain, &row->chain);
}

// What an edit changed shows in the row it changed, and only there: the next row is checked
// against what this one says.
static void check_chain(struct refold *r, struct refold_stream *stream,
                        const struct journal_row *row)
{
    bool follows = check_gap(r, stream, row);
    if (follows && !is_chained(r, stream, row)) {
        r->chain_errors++;
        refold_problem(r, "row %lld: its bytes do not give its chain hash", (long long)row->lsn);
    }
    stream->at = (struct mark){row->seq, row->chain};
    stream->head_seen = stream->head_seen || mark_equal(&stream->at, &stream->info.head);
    if (row->seq == stream->seal.seq)
        stream->seal_chain = row->chain;
}

static enum err_code check_extent(struct refold *r, struct refold_stream *stream,
                                  const struct journal_row *row, struct err *e)
{
    struct query q;
    int64_t offset = row->lsn - (int64_t)row->seq;
    if (offset == stream->offset)
        return ERR_OK;
    stream->offset = offset;
    r->extents++;
    query_begin(&q, &r->s->db, Q_EXTENT_FIND);
    query_int(&q, row->stream);
    query_u64(&q, row->seq);
    bool right =
        query_row(&q) && query_get_u64(&q, 0) == row->seq && query_get_int(&q, 1) == row->lsn;
    if (!right) {
        r->equal = false;
        refold_problem(r, "row %lld: its stream does not say where it is", (long long)row->lsn);
    }
    return query_end(&q, e);
}

static enum err_code given_reason(struct refold *r, int64_t lsn, char to[ERR_TEXT_MAX],
                                  bool *ret_given, struct err *e)
{
    struct query q;
    query_begin(&q, &r->s->db, Q_DEAD_GIVEN);
    query_int(&q, lsn);
    *ret_given = query_row(&q);
    if (*ret_given) {
        struct str reason = query_get_text(&q, 0);
        size_t n = reason.n < ERR_TEXT_MAX ? reason.n : ERR_TEXT_MAX - 1;
        memcpy(to, reason.p, n);
        to[n] = '\0';
    }
    return query_end(&q, e);
}

// What the bytes say of themselves is what their stream says: else somebody moved them, since what
// a device wrote of elsewhere is a dead letter, for a reason that was given.
static void check_place(struct refold *r, const struct journal_row *row, const struct event *event)
{
    const struct stream_info *info = &r->streams[row->stream].info;
    if (uuid_equal(&event->origin, &info->key.origin) && event->lane == info->key.lane &&
        event->seq == row->seq && str_is(event->location, info->location))
        return;
    r->equal = false;
    refold_problem(r, "row %lld: its bytes are not of this stream", (long long)row->lsn);
}

// A dead letter that never got an id, and that no fold may take.
static bool is_out_of_place(const struct refold *r, const struct journal_row *row,
                            const struct event *event)
{
    return r->stored[row->lsn - r->lsn_min] == ROW_DEAD && !row->has_id &&
           !fold_fits(event, &r->streams[row->stream].info, row->seq);
}

static enum err_code fold_one(struct refold *r, const struct journal_row *row,
                              const struct event *event, struct err *e)
{
    char reason[ERR_TEXT_MAX];
    bool given = false;
    struct fold_row fresh = {.lsn = row->lsn, .event = event, .base = ROW_SETTLED};
    fresh.withdrawn = r->withdrawn != NULL && r->withdrawn[row->lsn - r->lsn_min] != 0;
    if (r->stored[row->lsn - r->lsn_min] == ROW_DEAD) {
        enum err_code code = given_reason(r, row->lsn, reason, &given, e);
        if (code)
            return code;
        // On a device the upstream's word is kept there too; here the event was folded.
        fresh.dead = given && r->s->role == ROLE_CENTRAL ? reason : NULL;
        if (!given && !fold_fits(event, &r->streams[row->stream].info, row->seq))
            fresh.dead = "only the centre may say this"; // its type was not known when it came
    }
    if (!given)
        check_place(r, row, event);
    const struct refold_stream *stream = &r->streams[row->stream];
    if (r->fold.store != NULL)
        fresh.base = row->seq <= stream->info.settled.seq ? ROW_SETTLED
                     : row->seq <= stream->info.held.seq || !store_goes_up(&stream->info)
                         ? ROW_HELD
                         : ROW_PENDING;
    r->fold.upto = row->lsn;
    enum err_code code = fold_add(&r->fold, &fresh, e);
    r->states[row->lsn - r->lsn_min] = (uint8_t)fresh.ret_state;
    return code ? code : fold_settled(&r->fold, &fresh, e);
}

struct str refold_whole(const struct journal_row *row, const struct stream_info *info,
                        struct arena *a)
{
    struct text_place place = {.known = row->has_id,
                               .id = row->id,
                               .origin = info->key.origin,
                               .lane = info->key.lane,
                               .seq = row->seq,
                               .location = str_of(info->location)};
    return text_whole(&place, row->rest, a);
}

static enum err_code visit(struct refold *r, struct journal_row *row, struct arena *a,
                           struct err *e)
{
    struct event event;
    if (row->stream < 0 || row->stream > r->stream_max || !r->streams[row->stream].known) {
        r->chain_errors++;
        refold_problem(r, "row %lld: no such stream", (long long)row->lsn);
        return ERR_OK;
    }
    struct refold_stream *stream = &r->streams[row->stream];
    arena_reset(a);
    row->bytes = refold_whole(row, &stream->info, a);
    if (row->bytes.p == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for an event");
    check_chain(r, stream, row);
    enum err_code code = check_extent(r, stream, row, e);
    if (code)
        return code;
    code = event_parse(row->bytes, a, &event, NULL);
    if (code == ERR_NO_MEMORY)
        return err_set(e, code, "out of memory for an event");
    r->ids += row->has_id && row->lsn <= r->ids_until;
    if (code == ERR_OK && is_out_of_place(r, row, &event)) {
        r->states[row->lsn - r->lsn_min] = ROW_DEAD;
        return ERR_OK;
    }
    if (row->has_id != (code == ERR_OK) || (row->has_id && !uuid_equal(&row->id, &event.id))) {
        r->equal = false;
        refold_problem(r, "row %lld: its id is not that of its bytes", (long long)row->lsn);
    }
    if (code == ERR_OK)
        return fold_one(r, row, &event, e);
    r->states[row->lsn - r->lsn_min] = ROW_DEAD;
    return ERR_OK;
}

static enum err_code each_row(struct refold *r, struct query *q, struct arena *a, struct err *e)
{
    struct journal_row row = {.lsn = query_get_int(q, 0), .stream = query_get_int(q, 2)};
    row.has_id = query_get_uuid(q, 1, &row.id);
    row.seq = query_get_u64(q, 3);
    r->stored[row.lsn - r->lsn_min] = (uint8_t)query_get_int(q, 4);
    (void)query_get_hash(q, 5, &row.chain);
    row.rest = query_get_text(q, 6);
    __atomic_store_n(&r->at, row.lsn, __ATOMIC_RELAXED);
    enum err_code code = visit(r, &row, a, e);
    r->done++;
    if (r->fold.census != NULL && r->stored[row.lsn - r->lsn_min] > ROW_PENDING)
        census_apart(&r->fold.census->tally, row.stream, (int64_t)row.seq, row.lsn);
    bool many = r->fold.census == NULL || r->fold.deltas.count > DELTAS_MOST;
    if (code == ERR_OK && r->done % FLUSH_EVERY == 0 && many)
        code = fold_flush(&r->fold, e);
    if (r->progress != NULL && r->done % PROGRESS_EVERY == 0)
        r->progress(r->context, (uint64_t)(row.lsn - r->lsn_min) + 1, r->span);
    return code;
}

static void check_heads(struct refold *r)
{
    for (int64_t i = 0; i <= r->stream_max; i++) {
        const struct refold_stream *stream = &r->streams[i];
        if (!stream->known)
            continue;
        if (stream->at.seq < stream->info.head.seq) {
            r->gaps += stream->info.head.seq - stream->at.seq;
            refold_problem(r, "stream %lld: its last %llu events are missing", (long long)i,
                           (unsigned long long)(stream->info.head.seq - stream->at.seq));
        } else if (stream->info.head.seq > 0 && !stream->head_seen) {
            r->chain_errors++;
            refold_problem(r, "stream %lld: its head is not its last event", (long long)i);
        }
    }
}

// A census is for a journal that nothing is the matter with.
static bool is_enough(const struct refold *r)
{
    return r->fold.census != NULL && r->first_problem[0] != '\0';
}

enum err_code refold_run(struct refold *r, struct err *e)
{
    struct query q;
    struct arena a;
    enum err_code code = ERR_OK;
    arena_init(&a, (size_t)16 * 1024 * 1024);
    query_begin(&q, &r->s->db, Q_EVENTS_ALL);
    while (code == ERR_OK && !is_enough(r) && query_row(&q))
        code = each_row(r, &q, &a, e);
    enum err_code end = query_end(&q, code ? NULL : e);
    __atomic_store_n(&r->at, INT64_MAX, __ATOMIC_RELAXED);
    arena_fini(&a);
    code = code ? code : end;
    if (is_enough(r))
        return code;
    if (code == ERR_OK)
        code = told_refold(r->s, &r->fold.records, e);
    if (code == ERR_OK)
        code = fold_flush(&r->fold, e);
    check_heads(r);
    if (code == ERR_OK && r->progress != NULL)
        r->progress(r->context, r->span, r->span);
    return code;
}

// ---- overlay -----------------------------------------------------------------------------------

static enum err_code notice_of(struct refold *r, int64_t lsn, bool *ret_apart, struct err *e)
{
    struct query q;
    query_begin(&q, &r->s->db, Q_NOTICE_FIND);
    query_int(&q, lsn);
    *ret_apart = query_row(&q) && query_get_int(&q, 0) != ROW_ID_CONFLICT;
    return query_end(&q, e);
}

static enum err_code overlay_row(struct refold *r, const struct store_event *row,
                                 const struct refold_stream *stream, struct delta_map *to,
                                 struct err *e)
{
    struct event event;
    struct effect_list list;
    struct arena a;
    bool apart = false;
    enum err_code code = notice_of(r, row->lsn, &apart, e);
    if (code || (row->seq <= stream->included && !apart) ||
        r->states[row->lsn - r->lsn_min] > ROW_PENDING)
        return code;
    arena_init(&a, (size_t)16 * 1024 * 1024);
    code = event_parse(row->bytes, &a, &event, e);
    if (code == ERR_OK && event.type != NULL)
        code = effect_list_of(&event, &a, &list, e);
    for (size_t i = 0; code == ERR_OK && event.type != NULL && i < list.count; i++) {
        const struct effect *effect = &list.items[i];
        if (effect->kind == EFFECT_STOCK)
            code = delta_map_add(to, event.location, effect->stock.sku, effect->stock.delta, 1);
    }
    arena_fini(&a);
    return code;
}

static enum err_code overlay_stream(struct refold *r, const struct refold_stream *stream,
                                    struct delta_map *to, struct err *e)
{
    enum { SOME = 500 };
    struct arena a;
    struct store_event_list list = {.count = 0};
    uint64_t after = 0;
    enum err_code code = ERR_OK;
    arena_init(&a, (size_t)256 * 1024 * 1024);
    do {
        arena_reset(&a);
        code = store_read_stream(r->s, &stream->info.key, after,
                                 &(struct store_page){SOME, LIMIT_BATCH_BYTES, &a}, &list, e);
        for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
            code = overlay_row(r, &list.items[i], stream, to, e);
            after = list.items[i].seq;
        }
    } while (code == ERR_OK && list.count > 0);
    arena_fini(&a);
    return code;
}

enum err_code refold_overlay(struct refold *r, struct delta_map *to, struct err *e)
{
    enum err_code code = ERR_OK;
    for (int64_t i = 0; i <= r->stream_max && code == ERR_OK; i++) {
        if (r->streams[i].known && store_goes_up(&r->streams[i].info))
            code = overlay_stream(r, &r->streams[i], to, e);
    }
    return code;
}
