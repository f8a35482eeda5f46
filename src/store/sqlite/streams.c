// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "store/sqlite/past.h"
#include "store/sqlite/state.h"

enum err_code store_stream_find(struct store *s, const struct stream_key *key,
                                struct stream_info *ret)
{
    struct stream_slot *slot;
    enum err_code code = stream_cache_find(&s->streams, key, &slot, NULL);
    if (code == ERR_OK)
        *ret = slot->info;
    return code;
}

enum err_code store_stream_add(struct store *s, const struct stream_info *info, struct err *e)
{
    struct query q;
    struct scope scope;
    enum err_code code = scope_enter(&scope, s, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_STREAM_ADD);
    query_uuid(&q, &info->key.origin);
    query_int(&q, info->key.lane);
    query_uuid(&q, &info->device);
    query_text(&q, str_of(info->location));
    query_int(&q, info->own ? STREAM_OWN : info->carried ? STREAM_CARRIED : STREAM_RECEIVED);
    query_int(&q, clock_wall_ms());
    query_int(&q, 0);
    query_u64(&q, info->head.seq);
    query_hash(&q, &info->head.hash);
    query_u64(&q, info->held.seq);
    query_hash(&q, &info->held.hash);
    query_u64(&q, info->settled.seq);
    query_hash(&q, &info->settled.hash);
    query_blob(&q, info->certificate.signature.b, sizeof info->certificate.signature.b);
    code = query_run(&q, e);
    if (code == ERR_CONFLICT)
        code = err_set(e, ERR_EXISTS, "the stream is there already");
    return scope_leave(&scope, code, e);
}

// Before the table is read. Beside a writer, or where there is no room to write them, its heads may
// be behind: the rows say what they are.
static enum err_code write_heads(struct store *s, bool *ret_behind, struct err *e)
{
    enum err_code code = stream_cache_flush(&s->streams, e);
    *ret_behind = s->read_only || code == ERR_DISK_FULL;
    return code == ERR_DISK_FULL ? ERR_OK : code;
}

enum err_code store_stream_witness(struct store *s, struct stream_info *ret, struct err *e)
{
    struct query q;
    struct stream_slot slot;
    bool behind = false; // what was settled is older then, and proves as much
    enum err_code code = write_heads(s, &behind, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_STREAM_WITNESS);
    bool there = query_row(&q);
    if (there)
        stream_slot_read(&q, &slot);
    code = query_end(&q, e);
    if (code)
        return code;
    if (there)
        *ret = slot.info;
    return there ? ERR_OK : ERR_NOT_FOUND;
}

enum err_code store_streams_unsettled(struct store *s, struct stream_info *ret, size_t max,
                                      size_t *ret_count, struct err *e)
{
    struct query q;
    struct stream_slot slot;
    size_t count = 0;
    bool behind = false;
    enum err_code code = write_heads(s, &behind, e);
    if (code)
        return code;
    query_begin(&q, &s->db, behind ? Q_STREAMS_UNSETTLED_LATE : Q_STREAMS_UNSETTLED);
    query_u64(&q, max);
    while (code == ERR_OK && count < max && query_row(&q)) {
        stream_slot_read(&q, &slot);
        if (behind)
            code = stream_cache_catch_up(&s->streams, &slot, e);
        if (slot.info.settled.seq < slot.info.head.seq)
            ret[count++] = slot.info;
    }
    enum err_code end = query_end(&q, code ? NULL : e);
    *ret_count = count;
    return code ? code : end;
}

// Reads a few at a time, so that the caller may use the store for each.
static enum err_code read_some(struct store *s, int64_t after, struct stream_slot *to, size_t max,
                               size_t *ret_count, struct err *e)
{
    struct query q;
    size_t count = 0;
    query_begin(&q, &s->db, Q_STREAMS_ALL);
    query_int(&q, after);
    while (count < max && query_row(&q))
        stream_slot_read(&q, &to[count++]);
    *ret_count = count;
    return query_end(&q, e);
}

enum err_code store_streams_each(struct store *s,
                                 bool (*each)(void *context, const struct stream_info *info),
                                 void *context, struct err *e)
{
    enum { SOME = 32 };
    struct stream_slot slots[SOME];
    size_t count = 0;
    int64_t after = 0;
    bool behind = false;
    enum err_code code = write_heads(s, &behind, e);
    do {
        if (code == ERR_OK)
            code = read_some(s, after, slots, SOME, &count, e);
        for (size_t i = 0; code == ERR_OK && i < count; i++) {
            if (behind && stream_cache_catch_up(&s->streams, &slots[i], e))
                return ERR_IO;
            if (!each(context, &slots[i].info))
                return ERR_OK;
            after = slots[i].number;
        }
    } while (code == ERR_OK && count == SOME);
    return code;
}

enum err_code store_chain_at(struct store *s, const struct stream_key *key, uint64_t seq,
                             struct hash *ret, struct err *e)
{
    struct stream_slot *slot;
    enum err_code code = stream_cache_find(&s->streams, key, &slot, e);
    return code ? code : stream_slot_chain_at(&s->streams, slot, seq, ret, e);
}

enum err_code store_base(struct store *s, const struct stream_key *key, struct mark *ret,
                         struct err *e)
{
    struct stream_slot *slot;
    struct base base;
    enum err_code code = stream_cache_find(&s->streams, key, &slot, e);
    if (code == ERR_OK)
        code = past_base_find(&s->db, slot->number, &base, e);
    if (code == ERR_OK)
        *ret = base.mark;
    return code;
}

// ---- marks ------------------------------------------------------------------------------------

static enum err_code move_tickets(struct store *s, const struct stream_slot *slot,
                                  const struct stream_piece *piece, enum row_state state,
                                  struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_TICKETS_MOVE);
    query_int(&q, state);
    query_int(&q, piece->first_lsn);
    query_int(&q, piece->last_lsn);
    query_int(&q, slot->number);
    return query_run(&q, e);
}

struct move {
    uint64_t from;
    uint64_t to;
    enum row_state state;
    int64_t now_ms;
};

// Gives the rows from..to of a stream a new state, but for those set apart.
static enum err_code move_rows(struct store *s, const struct stream_slot *slot, struct move move,
                               struct err *e)
{
    struct query q;
    struct stream_piece piece;
    enum err_code code = ERR_OK;
    for (; code == ERR_OK && move.from <= move.to; move.from = piece.last_seq + 1) {
        code = stream_slot_piece(&s->streams, slot, move.from, move.to, &piece, e);
        if (code)
            return code == ERR_NOT_FOUND ? ERR_OK : code;
        query_begin(&q, &s->db, Q_ROWS_MOVE);
        query_int(&q, move.state);
        query_int(&q, move.now_ms - slot->since);
        query_int(&q, piece.first_lsn);
        query_int(&q, piece.last_lsn);
        query_int(&q, slot->number);
        code = query_run(&q, e);
        if (code == ERR_OK)
            code = move_tickets(s, slot, &piece, move.state, e);
    }
    return code;
}

static enum err_code mark_at(struct store *s, const struct stream_slot *slot, uint64_t seq,
                             struct mark *ret, struct err *e)
{
    struct mark mark = {.seq = seq};
    enum err_code code = stream_slot_chain_at(&s->streams, slot, seq, &mark.hash, e);
    if (code == ERR_OK)
        *ret = mark;
    return code;
}

static enum err_code set_acked(struct store *s, const struct stream_slot *slot, int64_t now_ms,
                               struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_STREAM_ACKED);
    query_int(&q, now_ms);
    query_int(&q, slot->number);
    return query_run(&q, e);
}

static enum err_code raise_marks(struct store *s, struct stream_slot *slot, uint64_t held,
                                 uint64_t settled, int64_t now_ms, struct err *e)
{
    struct stream_info *info = &slot->info;
    uint64_t held_before = info->held.seq, settled_before = info->settled.seq;
    enum err_code code = ERR_OK;
    if (held < settled)
        held = settled; // what is settled is held
    if (held > held_before)
        code = mark_at(s, slot, held, &info->held, e);
    if (code == ERR_OK && settled > settled_before)
        code = mark_at(s, slot, settled, &info->settled, e);
    stream_cache_touch(&s->streams, slot, true);
    if (code == ERR_OK && settled > settled_before)
        code =
            move_rows(s, slot, (struct move){settled_before + 1, settled, ROW_SETTLED, now_ms}, e);
    uint64_t from = held_before > settled ? held_before : settled;
    if (code == ERR_OK && held > from)
        code = move_rows(s, slot, (struct move){from + 1, held, ROW_HELD, now_ms}, e);
    return code;
}

enum err_code store_stream_acked(struct store *s, const struct store_ack *ack, struct err *e)
{
    struct scope scope;
    struct stream_slot *slot;
    enum err_code code = scope_enter(&scope, s, e);
    if (code)
        return code;
    code = stream_cache_find(&s->streams, &ack->key, &slot, e);
    if (code == ERR_OK && (ack->held > slot->info.head.seq || ack->settled > slot->info.head.seq))
        code = err_set(e, ERR_INVALID, "acknowledged beyond the stream's head");
    if (code == ERR_OK)
        code = raise_marks(s, slot, ack->held, ack->settled, ack->corrected_ms, e);
    if (code == ERR_OK)
        code = set_acked(s, slot, ack->wall_ms, e);
    return scope_leave(&scope, code, e);
}

static enum err_code lower_marks(struct store *s, struct stream_slot *slot, uint64_t held,
                                 uint64_t settled, struct err *e)
{
    struct base base;
    struct stream_info *info = &slot->info;
    uint64_t held_before = info->held.seq, settled_before = info->settled.seq;
    enum err_code code = past_base_find(&s->db, slot->number, &base, e);
    if (held < base.mark.seq)
        held = base.mark.seq;
    if (settled < base.mark.seq)
        settled = base.mark.seq;
    if (settled > held)
        settled = held;
    if (code == ERR_OK && held < held_before)
        code = mark_at(s, slot, held, &info->held, e);
    if (code == ERR_OK && settled < settled_before)
        code = mark_at(s, slot, settled, &info->settled, e);
    stream_cache_touch(&s->streams, slot, true);
    held = info->held.seq;
    if (code == ERR_OK && settled < settled_before && settled < held)
        code = move_rows(s, slot, (struct move){settled + 1, held, ROW_HELD, slot->since}, e);
    if (code == ERR_OK && held < held_before)
        code =
            move_rows(s, slot, (struct move){held + 1, held_before, ROW_PENDING, slot->since}, e);
    return code;
}

enum err_code store_stream_lost(struct store *s, const struct stream_key *key, uint64_t held,
                                uint64_t settled, struct err *e)
{
    struct scope scope;
    struct stream_slot *slot;
    enum err_code code = scope_enter(&scope, s, e);
    if (code)
        return code;
    code = stream_cache_find(&s->streams, key, &slot, e);
    if (code == ERR_OK)
        code = lower_marks(s, slot, held, settled, e);
    return scope_leave(&scope, code, e);
}

// ---- seals ------------------------------------------------------------------------------------

static enum err_code write_seal(struct store *s, const struct seal *seal, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_SEAL_PUT);
    query_u64(&q, seal->mark.seq);
    query_hash(&q, &seal->mark.hash);
    query_blob(&q, seal->signature.b, sizeof seal->signature.b);
    query_uuid(&q, &seal->key.origin);
    query_int(&q, seal->key.lane);
    query_u64(&q, seal->mark.seq);
    return query_run(&q, e);
}

static enum err_code keep_seal(struct store *s, const struct stream_slot *slot,
                               const struct seal *seal, struct err *e)
{
    struct query q;
    if (!slot->info.carried)
        return ERR_OK;
    query_begin(&q, &s->db, Q_SEAL_KEEP);
    query_int(&q, slot->number);
    query_u64(&q, seal->mark.seq);
    query_blob(&q, seal->signature.b, sizeof seal->signature.b);
    return query_run(&q, e);
}

// At the centre a verified seal settles what it covers.
static enum err_code settle(struct store *s, struct stream_slot *slot, const struct seal *seal,
                            struct err *e)
{
    uint64_t to = seal->mark.seq;
    if (s->role != ROLE_CENTRAL || to <= slot->info.settled.seq || to > slot->info.head.seq)
        return ERR_OK;
    return raise_marks(s, slot, to, to, slot->since, e);
}

enum err_code store_seal_put(struct store *s, const struct seal *seal, struct err *e)
{
    struct scope scope;
    struct stream_slot *slot;
    enum err_code code = scope_enter(&scope, s, e);
    if (code)
        return code;
    code = stream_cache_find(&s->streams, &seal->key, &slot, e);
    if (code == ERR_OK)
        code = write_seal(s, seal, e);
    if (code == ERR_OK)
        code = keep_seal(s, slot, seal, e);
    if (code == ERR_OK)
        code = settle(s, slot, seal, e);
    return scope_leave(&scope, code, e);
}

static enum err_code read_seal(struct store *s, enum db_statement which,
                               const struct stream_slot *slot, uint64_t at,
                               struct store_carried_seal *ret, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, which);
    query_int(&q, slot->number);
    query_u64(&q, at);
    *ret = (struct store_carried_seal){.seq = 0};
    if (query_row(&q)) {
        struct str signature = query_get_text(&q, 1);
        ret->seq = query_get_u64(&q, 0);
        if (signature.n == sizeof ret->signature)
            memcpy(ret->signature.b, signature.p, signature.n);
    }
    return query_end(&q, e);
}

enum err_code store_seal_near(struct store *s, const struct stream_key *key, uint64_t after,
                              uint64_t upto, struct store_carried_seal *ret, struct err *e)
{
    struct stream_slot *slot;
    enum err_code code = stream_cache_find(&s->streams, key, &slot, e);
    if (code == ERR_OK)
        code = read_seal(s, Q_SEAL_UPTO, slot, upto, ret, e);
    if (code == ERR_OK && ret->seq <= after)
        code = read_seal(s, Q_SEAL_BEHIND, slot, after, ret, e);
    return code == ERR_OK && ret->seq == 0 ? ERR_NOT_FOUND : code;
}
