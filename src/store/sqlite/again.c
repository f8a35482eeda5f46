// SPDX-License-Identifier: Apache-2.0
//
// Own events that are appended again under another run: the old carrier is withdrawn, so that what
// the new one becomes is what is said of the event; the rest of the old stream is closed.
#include "store/sqlite/told.h"

static enum err_code lsn_of(struct store *s, const struct stream_key *key, uint64_t seq,
                            int64_t *ret, struct err *e)
{
    struct stream_slot *slot;
    struct stream_piece piece;
    enum err_code code = stream_cache_find(&s->streams, key, &slot, e);
    if (code == ERR_OK)
        code = stream_slot_piece(&s->streams, slot, seq, seq, &piece, e);
    if (code == ERR_OK)
        *ret = piece.first_lsn;
    return code;
}

// The upstream has it by this carrier; it may well be that it never takes the new one instead.
static enum err_code keep_included(struct store *s, const struct stream_key *key, uint64_t seq,
                                   int64_t lsn, struct err *e)
{
    struct event event;
    uint64_t included = 0;
    struct fold *f = &s->fold;
    enum err_code code = store_include_get(s, key, &included, e);
    if (code || seq > included)
        return code;
    code = fold_load(f, lsn, &event, e);
    return code ? code : told_keep(s, &event, &f->others, e);
}

enum err_code store_withdraw(struct store *s, const struct stream_key *key, uint64_t seq,
                             struct store_withdrawn *ret, struct err *e)
{
    struct query q;
    struct scope scope;
    struct fold_withdrawn how = {.counted = false};
    int64_t lsn = 0;
    enum err_code code = scope_enter(&scope, s, e);
    if (code)
        return code;
    code = lsn_of(s, key, seq, &lsn, e);
    if (code == ERR_OK)
        code = fold_withdraw(&s->fold, lsn, &how, e);
    if (code == ERR_OK && how.counted && !how.apart)
        code = keep_included(s, key, seq, lsn, e);
    *ret = (struct store_withdrawn){how.counted, how.apart};
    if (code == ERR_OK) {
        query_begin(&q, &s->db, Q_WITHDRAW);
        query_int(&q, lsn);
        code = query_run(&q, e);
    }
    return scope_leave(&scope, code, e);
}

// What the upstream has said of an event it said of its id, whatever carries it.
enum err_code store_notice_move(struct store *s, const struct stream_key *from, uint64_t from_seq,
                                const struct stream_key *to, uint64_t to_seq, struct err *e)
{
    struct query q;
    int64_t old = 0, new = 0;
    enum err_code code = lsn_of(s, from, from_seq, &old, e);
    if (code == ERR_OK)
        code = lsn_of(s, to, to_seq, &new, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_NOTICE_MOVE);
    query_int(&q, new);
    query_int(&q, old);
    bool there = query_row(&q);
    int64_t state = there ? query_get_int(&q, 0) : 0;
    code = query_end(&q, e);
    if (code || !there)
        return code;
    query_begin(&q, &s->db, Q_DEAD_MOVE);
    query_int(&q, new);
    query_int(&q, old);
    code = query_run(&q, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_EVENT_STATE_SET);
    query_int(&q, state);
    query_int(&q, new);
    return query_run(&q, e);
}

// ---- the old stream ---------------------------------------------------------------------------

// What stands behind the end and was not appended again never goes up: nobody may take it for
// settled.
static enum err_code dispute_rows(struct store *s, const struct stream_slot *slot, uint64_t from,
                                  struct err *e)
{
    static const enum db_statement statements[] = {Q_NOTICES_DISPUTE, Q_ROWS_DISPUTE,
                                                   Q_TICKETS_DISPUTE};
    struct stream_piece piece = {.last_seq = from - 1};
    while (piece.last_seq < slot->info.head.seq) {
        enum err_code code =
            stream_slot_piece(&s->streams, slot, piece.last_seq + 1, UINT64_MAX, &piece, e);
        for (size_t i = 0; code == ERR_OK && i < sizeof statements / sizeof statements[0]; i++) {
            struct query q;
            query_begin(&q, &s->db, statements[i]);
            query_int(&q, piece.first_lsn);
            query_int(&q, piece.last_lsn);
            query_int(&q, slot->number);
            code = query_run(&q, e);
        }
        if (code)
            return code == ERR_NOT_FOUND ? ERR_OK : code;
    }
    return ERR_OK;
}

static enum err_code write_end(struct store *s, const struct stream_key *key, uint64_t seq,
                               struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_END_SET);
    query_uuid(&q, &key->origin);
    query_int(&q, key->lane);
    query_u64(&q, seq);
    return query_run(&q, e);
}

enum err_code store_stream_end(struct store *s, const struct stream_key *key, uint64_t seq,
                               int64_t now_ms, struct err *e)
{
    struct scope scope;
    struct stream_slot *slot;
    enum err_code code = scope_enter(&scope, s, e);
    if (code)
        return code;
    code = stream_cache_find(&s->streams, key, &slot, e);
    uint64_t head = code ? 0 : slot->info.head.seq;
    if (code == ERR_OK)
        code = dispute_rows(s, slot, seq + 1, e);
    if (code == ERR_OK)
        code = store_stream_acked(s, &(struct store_ack){*key, head, head, now_ms, now_ms}, e);
    if (code == ERR_OK)
        code = write_end(s, key, seq, e);
    return scope_leave(&scope, code, e);
}

enum err_code store_stream_ended(struct store *s, const struct stream_key *key, uint64_t *ret_seq,
                                 struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_END_GET);
    query_uuid(&q, &key->origin);
    query_int(&q, key->lane);
    *ret_seq = query_row(&q) ? query_get_u64(&q, 0) : UINT64_MAX;
    return query_end(&q, e);
}
