// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/notice.h"

#include "base/clock.h"
#include "store/sqlite/rows.h"

#include <stdlib.h>

struct notice { // of one row
    int64_t lsn;
    bool there;
    enum row_state said;
    enum row_state own; // by this node's own fold
    struct feed_told told;
};

// In the view beside what the feed says, whatever that includes.
static bool is_apart(enum row_state said)
{
    return said != ROW_ID_CONFLICT;
}

void notices_fini(struct notices *n)
{
    free(n->told);
    n->told = NULL;
}

static enum err_code read_notice(struct notices *n, int64_t lsn, struct notice *ret, struct err *e)
{
    struct query q;
    *ret = (struct notice){.lsn = lsn};
    query_begin(&q, &n->s->db, Q_EVENT_PLACE);
    query_int(&q, lsn);
    if (query_row(&q)) {
        (void)query_get_uuid(&q, 0, &ret->told.key.origin);
        ret->told.key.lane = (enum lane)query_get_int(&q, 1);
        ret->told.seq = query_get_u64(&q, 2);
        ret->own = (enum row_state)query_get_int(&q, 3);
    }
    enum err_code code = query_end(&q, e);
    if (code)
        return code;
    query_begin(&q, &n->s->db, Q_NOTICE_FIND);
    query_int(&q, lsn);
    ret->there = query_row(&q);
    if (ret->there) {
        ret->said = (enum row_state)query_get_int(&q, 0);
        ret->own = (enum row_state)query_get_int(&q, 1);
    }
    ret->told.apart_before = ret->there && is_apart(ret->said);
    ret->told.counts = ret->own <= ROW_PENDING;
    return query_end(&q, e);
}

static enum err_code note(struct notices *n, const struct notice *notice, bool apart, struct err *e)
{
    if (n->count == n->capacity) {
        size_t capacity = n->capacity ? n->capacity * 2 : 16;
        struct feed_told *told = realloc(n->told, capacity * sizeof *told);
        if (told == NULL)
            return err_set(e, ERR_NO_MEMORY, "out of memory for notices");
        n->told = told;
        n->capacity = capacity;
    }
    n->told[n->count] = notice->told;
    n->told[n->count++].apart = apart;
    return ERR_OK;
}

static enum err_code write_state(struct notices *n, int64_t lsn, enum row_state state,
                                 struct err *e)
{
    struct query q;
    query_begin(&q, &n->s->db, Q_EVENT_STATE_SET);
    query_int(&q, state);
    query_int(&q, lsn);
    enum err_code code = query_run(&q, e);
    if (code)
        return code;
    query_begin(&q, &n->s->db, Q_TICKET_STATE_SET);
    query_int(&q, state);
    query_int(&q, lsn);
    return query_run(&q, e);
}

static enum err_code remove_reason(struct notices *n, int64_t lsn, struct err *e)
{
    struct query q;
    query_begin(&q, &n->s->db, Q_DEAD_REMOVE);
    query_int(&q, lsn);
    return query_run(&q, e);
}

// ---- said and taken back ----------------------------------------------------------------------

static enum err_code write_notice(struct notices *n, const struct notice *notice,
                                  enum row_state state, struct err *e)
{
    struct query q;
    query_begin(&q, &n->s->db, Q_NOTICE_SET);
    query_int(&q, notice->lsn);
    query_int(&q, state);
    query_int(&q, notice->own);
    query_int(&q, n->generation);
    enum err_code code = query_run(&q, e);
    return code ? code : write_state(n, notice->lsn, state, e);
}

static enum err_code write_reason(struct notices *n, int64_t lsn, yyjson_val *row, struct err *e)
{
    struct query q;
    struct str reason = STR("refused upstream");
    if (json_find(row, "reason") != NULL && json_get_str(row, "reason", &reason, e))
        return ERR_INVALID;
    query_begin(&q, &n->s->db, Q_DEAD_ADD);
    query_int(&q, lsn);
    query_text(&q, reason);
    query_int(&q, clock_wall_ms());
    query_int(&q, 1);
    return query_run(&q, e);
}

static enum err_code say(struct notices *n, const struct notice *notice, enum row_state state,
                         yyjson_val *row, struct err *e)
{
    enum err_code code = write_notice(n, notice, state, e);
    if (code == ERR_OK && state == ROW_DEAD)
        code = write_reason(n, notice->lsn, row, e);
    else if (code == ERR_OK)
        code = remove_reason(n, notice->lsn, e);
    return code ? code : note(n, notice, is_apart(state), e);
}

static enum err_code take_back(struct notices *n, const struct notice *notice, struct err *e)
{
    struct query q;
    enum row_state state = notice->own;
    enum err_code code = ERR_OK;
    if (!notice->there)
        return ERR_OK;
    if (notice->told.counts)
        code = fold_base(&n->s->fold, notice->lsn, &state, e);
    query_begin(&q, &n->s->db, Q_NOTICE_DROP);
    query_int(&q, notice->lsn);
    enum err_code dropped = query_run(&q, code ? NULL : e);
    code = code ? code : dropped;
    if (code == ERR_OK)
        code = write_state(n, notice->lsn, state, e);
    if (code == ERR_OK && state != ROW_DEAD)
        code = remove_reason(n, notice->lsn, e);
    return code ? code : note(n, notice, false, e);
}

static enum err_code state_of(yyjson_val *row, enum row_state *ret, struct err *e)
{
    struct str status = STR("");
    enum err_code code = json_get_str(row, "status", &status, e);
    if (code)
        return code;
    *ret = str_is(status, "dead_letter") ? ROW_DEAD
           : str_is(status, "review")    ? ROW_REVIEW
                                         : ROW_CONFLICT;
    return ERR_OK;
}

enum err_code notices_apply(struct notices *n, struct str id_text, yyjson_val *row, struct arena *a,
                            struct err *e)
{
    struct uuid id;
    struct ids_carriers carriers = {.count = 0};
    enum row_state state = ROW_SETTLED;
    if (uuid_parse(id_text, &id))
        return err_set(e, ERR_INVALID, "feed: a notice's id is not a UUID");
    enum err_code code = row == NULL ? ERR_OK : state_of(row, &state, e);
    if (code == ERR_OK)
        code = ids_find(&n->s->fold.ids, &id, a, &carriers, e);
    for (size_t i = 0; code == ERR_OK && i < carriers.count; i++) {
        struct notice notice;
        code = read_notice(n, carriers.lsns[i], &notice, e);
        if (code || notice.own == ROW_DUPLICATE) // its event was appended again
            continue;
        if (notice.there && !is_apart(notice.said)) // another carrier is meant
            continue;
        code = row == NULL ? take_back(n, &notice, e) : say(n, &notice, state, row, e);
    }
    return code;
}

enum err_code notices_apply_carrier(struct notices *n, struct str place, bool lost, struct err *e)
{
    struct stream_slot *slot;
    struct stream_piece piece;
    struct stream_key key;
    struct notice notice;
    uint64_t seq = 0;
    if (!feed_carrier_parse(place, &key, &seq))
        return err_set(e, ERR_INVALID, "feed: a carrier's id is no place in a stream");
    enum err_code code = stream_cache_find(&n->s->streams, &key, &slot, NULL);
    if (code == ERR_NOT_FOUND)
        return ERR_OK; // of another device
    if (code == ERR_OK && store_goes_up(&slot->info) && seq <= slot->info.head.seq)
        code = stream_slot_piece(&n->s->streams, slot, seq, seq, &piece, NULL);
    else if (code == ERR_OK)
        return ERR_OK;
    if (code == ERR_NOT_FOUND) // it was pruned
        return ERR_OK;
    if (code == ERR_OK)
        code = read_notice(n, piece.first_lsn, &notice, e);
    if (code)
        return err_set(e, code, "feed: the event that a carrier names");
    if (notice.told.seq == 0 || notice.own == ROW_DUPLICATE || notice.own == ROW_ID_CONFLICT)
        return ERR_OK;
    if (lost)
        return say(n, &notice, ROW_ID_CONFLICT, NULL, e);
    return notice.there && !is_apart(notice.said) ? take_back(n, &notice, e) : ERR_OK;
}

enum err_code notices_drop_stale(struct notices *n, struct arena *a, struct err *e)
{
    struct query q;
    int64_t *lsns = NULL;
    size_t count = 0, room = 0;
    bool full = false;
    query_begin(&q, &n->s->db, Q_NOTICES_STALE);
    query_int(&q, n->generation);
    while (!full && query_row(&q)) {
        int64_t *wider = rows_grow(a, lsns, count, &room, sizeof *lsns);
        full = wider == NULL;
        lsns = full ? lsns : wider;
        if (!full)
            lsns[count++] = query_get_int(&q, 0);
    }
    enum err_code code = query_end(&q, e);
    if (code == ERR_OK && full)
        code = err_set(e, ERR_NO_MEMORY, "out of memory for notices");
    for (size_t i = 0; i < count && code == ERR_OK; i++) {
        struct notice notice;
        code = read_notice(n, lsns[i], &notice, e);
        if (code == ERR_OK)
            code = take_back(n, &notice, e);
    }
    return code;
}
