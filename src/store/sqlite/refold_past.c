// SPDX-License-Identifier: Apache-2.0
//
// What was pruned: a fresh fold begins at the bases, with the ids that are taken.
#include "store/sqlite/refold.h"

static enum err_code read_bases(struct refold *r, struct err *e)
{
    struct query q;
    query_begin(&q, &r->s->db, Q_BASES_ALL);
    while (query_row(&q)) {
        int64_t number = query_get_int(&q, 4);
        bool known = number >= 0 && number <= r->stream_max && r->streams[number].known;
        struct refold_stream *stream = known ? &r->streams[number] : NULL;
        if (stream == NULL) {
            r->chain_errors++;
            refold_problem(r, "a base is of stream %lld, which is not there", (long long)number);
            continue;
        }
        past_read_base(&q, &stream->base);
        stream->base.key = stream->info.key;
        stream->at = stream->base.mark;
        r->pruned += stream->base.mark.seq;
        if (stream->seal.seq == stream->base.mark.seq)
            stream->seal_chain = stream->base.mark.hash;
    }
    return query_end(&q, e);
}

// Ids of pruned events are taken in the fresh fold too.
static enum err_code take_past(struct refold *r, struct query *q, struct arena *a, struct err *e)
{
    struct past_event past = {.content = query_get_int(q, 3), .counts = query_get_int(q, 4) != 0};
    struct ids_carriers carriers;
    int64_t lsn = query_get_int(q, 0), number = query_get_int(q, 1);
    bool known = number >= 0 && number <= r->stream_max && r->streams[number].known;
    if (!query_get_uuid(q, 2, &past.id) || !known || !query_is_null(q, 5)) {
        r->chain_errors++;
        refold_problem(r, "what is left of row %lld is not of a pruned event", (long long)lsn);
        return ERR_OK;
    }
    struct refold_stream *stream = &r->streams[number];
    stream->past = past_chain(&stream->past, &past);
    stream->past_count++;
    r->ids++;
    arena_reset(a);
    return ids_add(&r->fold.ids, &past.id, lsn, a, &carriers, e);
}

static enum err_code read_past(struct refold *r, struct err *e)
{
    struct query q;
    struct arena a;
    enum err_code code = ERR_OK;
    arena_init(&a, (size_t)16 * 1024 * 1024);
    query_begin(&q, &r->s->db, Q_PAST_ALL);
    while (code == ERR_OK && query_row(&q))
        code = take_past(r, &q, &a, e);
    enum err_code end = query_end(&q, code ? NULL : e);
    arena_fini(&a);
    return code ? code : end;
}

static void check_past(struct refold *r)
{
    for (int64_t i = 0; i <= r->stream_max; i++) {
        const struct refold_stream *stream = &r->streams[i];
        if (!stream->known ||
            (stream->past_count == stream->base.mark.seq &&
             (stream->past_count == 0 || hash_equal(&stream->past, &stream->base.past))))
            continue;
        r->chain_errors++;
        refold_problem(r, "stream %lld: what is left of its pruned events is not what was signed",
                       (long long)i);
    }
}

enum err_code refold_read_past(struct refold *r, struct err *e)
{
    enum err_code code = read_bases(r, e);
    if (code == ERR_OK)
        code = read_past(r, e);
    if (code == ERR_OK)
        check_past(r);
    return code;
}

// ---- told again ---------------------------------------------------------------------------------

// What a record still needs of a pruned event is kept with what the feed told: as it was written.
static enum err_code check_told_one(struct refold *r, struct str bytes, struct arena *a,
                                    struct err *e)
{
    struct event event;
    struct ids_carriers carriers;
    struct past_event told = {.content = 0};
    if (event_parse(bytes, a, &event, NULL))
        return ERR_OK; // told_refold says so
    enum err_code code = ids_find(&r->s->fold.ids, &event.id, a, &carriers, e);
    if (code == ERR_OK && carriers.gone)
        code = past_of(&event, true, a, &told, e);
    if (code || !carriers.gone || told.content == carriers.past.content)
        return code;
    r->chain_errors++;
    refold_problem(r, "what is kept of a pruned event is not what was signed");
    return ERR_OK;
}

enum err_code refold_check_told(struct refold *r, struct err *e)
{
    struct arena a;
    struct query q;
    int64_t number = 0;
    bool more = r->pruned > 0;
    enum err_code code = ERR_OK;
    arena_init(&a, (size_t)16 * 1024 * 1024);
    while (more && code == ERR_OK) {
        struct str bytes = STR("");
        arena_reset(&a);
        query_begin(&q, &r->s->db, Q_TOLD_NEXT);
        query_int(&q, number);
        more = query_row(&q);
        if (more) {
            number = query_get_int(&q, 0);
            bytes = arena_copy(&a, query_get_text(&q, 1));
        }
        code = query_end(&q, e);
        if (more && code == ERR_OK)
            code = bytes.p ? check_told_one(r, bytes, &a, e) : err_set(e, ERR_NO_MEMORY, "memory");
    }
    arena_fini(&a);
    return code;
}
