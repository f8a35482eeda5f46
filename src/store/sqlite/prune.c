// SPDX-License-Identifier: Apache-2.0
//
// Of each own stream a piece from its base on: as many rows as may go, one after another. Each is
// read once more, since what goes is never read again: a row whose bytes do not give its chain hash
// was edited and stays, with all behind it, for 'wasl verify' to find.
#include "store/sqlite/past.h"
#include "store/sqlite/prune_records.h"
#include "store/sqlite/state.h"
#include "store/sqlite/text.h"

#include <stdlib.h>

enum { ROWS_MAX = 256, STREAMS_MAX = 64, ARENA_BYTES = 16 * 1024 * 1024, RECORDS_FIRST = -1 };

struct pruner {
    struct store *s;
    const struct store_prune *how;
    struct arena arena; // of the row at hand
    int64_t stream;     // number
    int64_t since;
    uint64_t upto; // settled, included, and not the stream's last
    struct base base;
    struct past_event rows[ROWS_MAX];
    size_t count;
    int64_t first_lsn;
    bool starts_run;           // among the rows
    int64_t records[ROWS_MAX]; // folded ones that rows are part of
    size_t record_count;
};

static enum err_code next_stream(struct pruner *p, int64_t from, bool *ret_there, struct err *e)
{
    struct query q;
    struct stream_key key = {.lane = LANE_CRITICAL};
    query_begin(&q, &p->s->db, Q_PRUNE_NEXT);
    query_int(&q, from);
    *ret_there = query_row(&q);
    if (*ret_there) {
        p->stream = query_get_int(&q, 0);
        (void)query_get_uuid(&q, 1, &key.origin);
        key.lane = (enum lane)query_get_int(&q, 2);
        p->since = query_get_int(&q, 3);
        p->upto = query_get_u64(&q, 5);
    }
    enum err_code code = query_end(&q, e);
    if (code || !*ret_there)
        return code;
    code = past_base_find(&p->s->db, p->stream, &p->base, e);
    p->base.key = key;
    return code;
}

// ---- which rows may go ------------------------------------------------------------------------

// Apart from age: what a person is asked about stays, and so does what the upstream refused.
static bool is_done_with(struct query *q)
{
    int64_t state = query_get_int(q, 2);
    return (state == ROW_SETTLED || state == ROW_DUPLICATE) && query_get_int(q, 5) == 0;
}

// What was set apart when the rest was acknowledged has no time of its own for that: then when it
// was appended, by the clock that this device had.
static bool is_old(const struct pruner *p, struct query *q)
{
    bool acknowledged = !query_is_null(q, 3) && query_get_int(q, 3) != INT32_MIN;
    return p->since + query_get_int(q, acknowledged ? 3 : 1) < p->how->before_ms;
}

static enum err_code note_record(struct pruner *p, const struct event *event, int64_t lsn,
                                 struct err *e)
{
    int64_t record = 0;
    enum err_code code = prune_records_keep(p->s, event, lsn, &record, e);
    size_t i = 0;
    while (i < p->record_count && p->records[i] != record)
        i++;
    if (code == ERR_OK && record != 0 && i == p->record_count)
        p->records[p->record_count++] = record;
    return code;
}

// Takes the row into the base when it may go.
static enum err_code take_row(struct pruner *p, struct query *q, bool *ret_taken, struct err *e)
{
    struct event event;
    struct uuid id;
    struct hash chain;
    *ret_taken = false;
    arena_reset(&p->arena);
    if (!is_done_with(q) || !is_old(p, q))
        return ERR_OK;
    struct str bytes = text_get(q, 6, &p->arena);
    if (bytes.p == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for an event");
    struct mark mark = mark_next(&p->base.mark, bytes);
    if (query_get_u64(q, 9) != mark.seq || !query_get_hash(q, 4, &chain) ||
        !hash_equal(&chain, &mark.hash))
        return ERR_OK;
    enum err_code code = event_parse(bytes, &p->arena, &event, NULL);
    if (code)
        return code == ERR_NO_MEMORY ? err_set(e, code, "out of memory for an event") : ERR_OK;
    if (!query_get_uuid(q, 6, &id) || !uuid_equal(&id, &event.id))
        return ERR_OK;
    struct past_event *row = &p->rows[p->count];
    code = past_of(&event, query_get_int(q, 2) == ROW_SETTLED, &p->arena, row, e);
    if (code == ERR_OK && query_get_int(q, 2) == ROW_SETTLED)
        code = note_record(p, &event, query_get_int(q, 0), e);
    if (code)
        return code;
    p->base.mark = mark;
    p->base.past = past_chain(&p->base.past, row);
    p->starts_run = p->starts_run || str_is(event.type_name, "run_started");
    p->count++;
    *ret_taken = true;
    return ERR_OK;
}

static enum err_code gather(struct pruner *p, size_t max, struct err *e)
{
    struct query q;
    struct stream_slot *slot;
    struct stream_piece piece;
    bool more = true;
    uint64_t from = p->base.mark.seq + 1, to = p->upto;
    if (to - from >= max)
        to = from + max - 1;
    enum err_code code = stream_cache_find(&p->s->streams, &p->base.key, &slot, e);
    if (code == ERR_OK)
        code = stream_slot_piece(&p->s->streams, slot, from, to, &piece, e);
    if (code)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    p->first_lsn = piece.first_lsn;
    query_begin(&q, &p->s->db, Q_PRUNE_ROWS);
    query_int(&q, piece.first_lsn);
    query_int(&q, piece.last_lsn);
    query_int(&q, p->stream);
    while (code == ERR_OK && more && query_row(&q))
        code = take_row(p, &q, &more, e);
    enum err_code end = query_end(&q, code ? NULL : e);
    return code ? code : end;
}

// ---- letting them go --------------------------------------------------------------------------

static enum err_code drop(struct pruner *p, enum db_statement statement, struct err *e)
{
    struct query q;
    query_begin(&q, &p->s->db, statement);
    query_int(&q, p->first_lsn);
    query_int(&q, p->first_lsn + (int64_t)p->count - 1);
    return query_run(&q, e);
}

static enum err_code drop_rows(struct pruner *p, struct err *e)
{
    static const enum db_statement always[] = {Q_PRUNE_EVENTS, Q_PRUNE_TICKETS, Q_PRUNE_LINES,
                                               Q_PRUNE_PAYMENTS, Q_PRUNE_WITHDRAWN};
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < sizeof always / sizeof always[0]; i++)
        code = drop(p, always[i], e);
    if (code == ERR_OK && p->starts_run)
        code = drop(p, Q_PRUNE_RUNS, e);
    if (code == ERR_OK && p->starts_run)
        code = drop(p, Q_PRUNE_HEADS, e);
    return code;
}

// The stream's first row is now the one behind the base.
static enum err_code move_extents(struct pruner *p, struct err *e)
{
    struct query q;
    query_begin(&q, &p->s->db, Q_PRUNE_EXTENTS);
    query_int(&q, p->stream);
    query_u64(&q, p->base.mark.seq);
    enum err_code code = query_run(&q, e);
    if (code)
        return code;
    query_begin(&q, &p->s->db, Q_EXTENT_FIND);
    query_int(&q, p->stream);
    query_u64(&q, p->base.mark.seq + 1);
    bool there = query_row(&q); // a piece of its own begins there
    code = query_end(&q, e);
    if (code || there)
        return code;
    query_begin(&q, &p->s->db, Q_EXTENT_ADD);
    query_int(&q, p->stream);
    query_u64(&q, p->base.mark.seq + 1);
    query_int(&q, p->first_lsn + (int64_t)p->count);
    return query_run(&q, e);
}

static enum err_code keep_past(struct pruner *p, struct err *e)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < p->count; i++)
        code = past_add(&p->s->db, p->first_lsn + (int64_t)i, p->stream, &p->rows[i], e);
    base_sign(&p->base, p->how->key, &p->how->chain);
    return code ? code : past_base_put(&p->s->db, p->stream, &p->base, e);
}

// ---- all --------------------------------------------------------------------------------------

static enum err_code prune_one(struct pruner *p, size_t max, struct err *e)
{
    p->count = 0;
    p->record_count = 0;
    p->starts_run = false;
    enum err_code code = gather(p, max, e);
    if (code || p->count == 0)
        return code;
    code = ids_flush(&p->s->fold.ids, p->s->last_lsn, e); // late ones are read from the rows
    if (code == ERR_OK)
        code = keep_past(p, e);
    if (code == ERR_OK)
        code = drop_rows(p, e);
    for (size_t i = 0; code == ERR_OK && i < p->record_count; i++)
        code = prune_records_end(p->s, p->records[i], p->how->before_ms, e);
    return code ? code : move_extents(p, e);
}

static enum err_code prune(struct pruner *p, int64_t *from, size_t *ret_pruned, struct err *e)
{
    size_t max = p->how->max_events < ROWS_MAX ? p->how->max_events : ROWS_MAX;
    size_t pruned = 0;
    bool there = true;
    enum err_code code = ERR_OK;
    for (int i = 0; code == ERR_OK && i < STREAMS_MAX && pruned < max; i++) {
        code = next_stream(p, *from, &there, e);
        if (code == ERR_OK && there)
            code = prune_one(p, max - pruned, e);
        if (code || !there)
            break;
        pruned += p->count;
        // What was taken as a whole may go on in the next piece.
        *from = p->count > 0 ? p->stream : p->stream + 1;
    }
    if (!there)
        *from = RECORDS_FIRST;
    *ret_pruned = pruned;
    return code;
}

// Behind the last stream come the records: as numbers below zero.
static enum err_code prune_from(struct pruner *p, int64_t *from, size_t *ret_pruned, struct err *e)
{
    if (*from >= 0)
        return prune(p, from, ret_pruned, e);
    int64_t record = -*from;
    enum err_code code = prune_records_sweep(p->s, &record, p->how->before_ms, e);
    *from = -record;
    return code;
}

enum err_code store_prune(struct store *s, const struct store_prune *how, int64_t *from,
                          size_t *ret_pruned, struct err *e)
{
    struct scope scope;
    int64_t begun = *from;
    struct pruner *p = calloc(1, sizeof *p);
    *ret_pruned = 0;
    if (p == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for pruning");
    *p = (struct pruner){.s = s, .how = how};
    arena_init(&p->arena, ARENA_BYTES);
    enum err_code code = scope_enter(&scope, s, e);
    if (code == ERR_OK && !scope.mine)
        code = fold_flush(&s->fold, e); // what waits to be written is of rows that may go
    if (code == ERR_OK)
        code = scope_leave(&scope, prune_from(p, from, ret_pruned, e), e);
    if (code) {
        *from = begun;
        *ret_pruned = 0;
    }
    arena_fini(&p->arena);
    free(p);
    return code;
}
