// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/runs.h"
#include "store/sqlite/state.h"
#include "store/sqlite/text.h"

enum { NOT_SYNCED = INT32_MIN }; // as large as what replaces it, so that the row does not grow

enum event_status state_status(enum row_state state)
{
    static const enum event_status statuses[] = {
        STATUS_SETTLED,     STATUS_HELD,      STATUS_PENDING,  STATUS_CONFLICT, STATUS_REVIEW,
        STATUS_DEAD_LETTER, STATUS_DUPLICATE, STATUS_CONFLICT, STATUS_REVIEW};
    return (size_t)state < sizeof statuses / sizeof statuses[0] ? statuses[state] : STATUS_REVIEW;
}

static enum row_state base_state(enum event_status status)
{
    if (status == STATUS_SETTLED)
        return ROW_SETTLED;
    return status == STATUS_HELD ? ROW_HELD : ROW_PENDING;
}

static enum err_code write_row(struct store *s, const struct store_entry *entry,
                               const struct stream_slot *slot, const struct fold_row *row,
                               struct err *e)
{
    struct query q;
    struct text_place place = {.known = entry->event != NULL,
                               .origin = slot->info.key.origin,
                               .lane = slot->info.key.lane,
                               .seq = entry->seq,
                               .location = str_of(slot->info.location)};
    if (entry->event != NULL)
        place.id = entry->event->id;
    query_begin(&q, &s->db, Q_EVENT_ADD);
    query_int(&q, row->lsn);
    if (entry->event != NULL)
        query_uuid(&q, &entry->event->id);
    else
        query_null(&q);
    query_int(&q, slot->number);
    query_u64(&q, entry->seq);
    query_int(&q, row->ret_state);
    query_int(&q, entry->received_at - slot->since);
    if (store_goes_up(&slot->info) && row->base == ROW_PENDING)
        query_int(&q, NOT_SYNCED);
    else
        query_null(&q);
    query_hash(&q, &entry->chain);
    query_text(&q, text_rest(&place, entry->bytes));
    return query_run(&q, e);
}

static enum err_code write_dead(struct store *s, const struct store_entry *entry,
                                const struct fold_row *row, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_DEAD_ADD);
    query_int(&q, row->lsn);
    query_text(&q, str_of(row->ret_reason));
    query_int(&q, entry->received_at);
    query_int(&q, entry->event != NULL && entry->dead != NULL);
    enum err_code code = query_run(&q, e);
    if (code || entry->event == NULL)
        return code;
    return fold_notify(&s->fold, entry->event, ROW_DEAD, str_of(row->ret_reason), e);
}

static enum err_code extend(struct store *s, struct stream_slot *slot, uint64_t seq, int64_t lsn,
                            struct err *e)
{
    struct query q;
    int64_t offset = lsn - (int64_t)seq;
    if (slot->has_extent && slot->offset == offset)
        return ERR_OK;
    query_begin(&q, &s->db, Q_EXTENT_ADD);
    query_int(&q, slot->number);
    query_u64(&q, seq);
    query_int(&q, lsn);
    enum err_code code = query_run(&q, e);
    slot->has_extent = true;
    slot->offset = offset;
    return code;
}

static void move_head(struct store *s, struct stream_slot *slot, const struct store_entry *entry)
{
    static const struct str first_type = {"run_started", sizeof "run_started" - 1};
    struct mark mark = {entry->seq, entry->chain};
    stream_cache_touch(&s->streams, slot, entry->status != STATUS_PENDING || entry->seq == 1);
    slot->info.head = mark;
    if (entry->status != STATUS_PENDING)
        slot->info.held = mark;
    if (entry->status == STATUS_SETTLED)
        slot->info.settled = mark;
    if (entry->seq == 1 && entry->event != NULL)
        slot->starts_run = str_equal(entry->event->type_name, first_type);
}

static enum err_code fold_entry(struct store *s, const struct store_entry *entry,
                                struct fold_row *row, struct err *e)
{
    if (entry->event != NULL)
        return fold_add(&s->fold, row, e);
    row->ret_state = ROW_DEAD;
    struct str reason = str_of(entry->dead == NULL ? "unreadable" : entry->dead);
    if (reason.n >= sizeof row->ret_reason)
        reason.n = sizeof row->ret_reason - 1;
    return str_copy(row->ret_reason, sizeof row->ret_reason, reason);
}

static enum err_code append_one(struct store *s, struct store_entry *entry, struct err *e)
{
    struct stream_slot *slot;
    enum err_code code = stream_cache_find(&s->streams, &entry->key, &slot, e);
    if (code)
        return code;
    if (entry->seq != slot->info.head.seq + 1)
        return err_set(e, ERR_INVALID, "seq %llu does not follow the stream's head %llu",
                       (unsigned long long)entry->seq, (unsigned long long)slot->info.head.seq);
    struct fold_row row = {.lsn = s->last_lsn + 1,
                           .event = entry->event,
                           .dead = entry->dead,
                           .received_at = entry->received_at,
                           .base = base_state(entry->status)};
    code = fold_entry(s, entry, &row, e);
    if (code == ERR_OK)
        code = write_row(s, entry, slot, &row, e);
    if (code == ERR_OK)
        code = extend(s, slot, entry->seq, row.lsn, e);
    if (code)
        return code;
    s->last_lsn = row.lsn;
    move_head(s, slot, entry);
    entry->ret_status = state_status(row.ret_state);
    if (row.ret_state == ROW_CONFLICT)
        code = fold_notify(&s->fold, entry->event, row.ret_state, STR(""), e);
    if (row.ret_state == ROW_ID_CONFLICT)
        code = fold_notify_carrier(&s->fold, entry->event, true, e);
    if (code == ERR_OK)
        code = fold_settled(&s->fold, &row, e);
    if (code == ERR_OK && row.ret_state == ROW_DEAD)
        code = write_dead(s, entry, &row, e);
    if (code == ERR_OK && (int64_t)entry->seq >= slot->named)
        code = runs_check_stream(&s->fold, slot, entry->received_at, e);
    return code;
}

enum err_code store_append(struct store *s, struct store_entry *entries, size_t count,
                           struct err *e)
{
    struct scope scope;
    enum err_code code = scope_enter(&scope, s, e);
    if (code)
        return code;
    MUST(!s->passing); // it is told that they are there
    for (size_t i = 0; i < count && code == ERR_OK; i++)
        code = append_one(s, &entries[i], e);
    return scope_leave(&scope, code, e);
}

// ---- dead letters, again -----------------------------------------------------------------------

static enum err_code next_dead(struct store *s, int64_t after, int64_t *ret_lsn, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_DEAD_NEXT);
    query_int(&q, after);
    *ret_lsn = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_end(&q, e);
}

static enum err_code write_retried(struct store *s, const struct fold_row *row, bool had_id,
                                   struct err *e)
{
    struct query q;
    enum err_code code = ERR_OK;
    if (!had_id) {
        query_begin(&q, &s->db, Q_EVENT_ID_SET);
        query_uuid(&q, &row->event->id);
        query_int(&q, row->lsn);
        code = query_run(&q, e);
    }
    if (code == ERR_OK && row->ret_state == ROW_DEAD) {
        query_begin(&q, &s->db, Q_DEAD_ADD);
        query_int(&q, row->lsn);
        query_text(&q, str_of(row->ret_reason));
        query_int(&q, row->received_at);
        query_int(&q, 0);
        return query_run(&q, e);
    }
    if (code == ERR_OK) {
        query_begin(&q, &s->db, Q_DEAD_REMOVE);
        query_int(&q, row->lsn);
        code = query_run(&q, e);
    }
    if (code == ERR_OK) {
        query_begin(&q, &s->db, Q_EVENT_STATE_SET);
        query_int(&q, row->ret_state);
        query_int(&q, row->lsn);
        code = query_run(&q, e);
    }
    if (code == ERR_OK)
        code = fold_notify(&s->fold, row->event, row->ret_state, STR(""), e);
    if (code == ERR_OK && row->ret_state == ROW_ID_CONFLICT)
        code = fold_notify_carrier(&s->fold, row->event, true, e);
    return code ? code : fold_settled(&s->fold, row, e);
}

// What could not be read as it came may turn out now to be of another place, or not the device's to
// say.
static enum err_code fits_stream(struct store *s, int64_t lsn, const struct event *event, bool *ret,
                                 struct err *e)
{
    struct query q;
    struct stream_key key;
    struct stream_slot *slot;
    uint64_t seq = 0;
    query_begin(&q, &s->db, Q_EVENT_PLACE);
    query_int(&q, lsn);
    bool there = query_row(&q) && query_get_uuid(&q, 0, &key.origin);
    if (there) {
        key.lane = query_get_lane(&q, 1);
        seq = query_get_u64(&q, 2);
    }
    enum err_code code = query_end(&q, e);
    *ret = false;
    if (code || !there)
        return code;
    code = stream_cache_find(&s->streams, &key, &slot, e);
    *ret = code == ERR_OK && fold_fits(event, &slot->info, seq);
    return code;
}

static enum err_code retry_one(struct store *s, int64_t lsn, bool *ret_folded, struct err *e)
{
    struct query q;
    struct event event;
    struct uuid id;
    struct fold_row row = {.lsn = lsn, .event = &event};
    bool fits = false;
    arena_reset(&s->fold.others);
    *ret_folded = false;
    enum err_code code = fold_load(&s->fold, lsn, &event, NULL);
    if (code)
        return code == ERR_DAMAGED ? ERR_OK : err_set(e, code, "row %lld", (long long)lsn);
    code = fits_stream(s, lsn, &event, &fits, e);
    if (code || !fits)
        return code;
    query_begin(&q, &s->db, Q_EVENT_ID_STATE);
    query_int(&q, lsn);
    bool had_id = query_row(&q) && query_get_uuid(&q, 0, &id);
    code = query_end(&q, e);
    if (code == ERR_OK)
        code = fold_base(&s->fold, lsn, &row.base, e);
    if (code == ERR_OK)
        code = had_id ? fold_retry(&s->fold, &row, e) : fold_add_kept(&s->fold, &row, e);
    if (code == ERR_OK)
        code = write_retried(s, &row, had_id, e);
    *ret_folded = code == ERR_OK && row.ret_state != ROW_DEAD;
    return code;
}

enum err_code store_dead_letters_retry(struct store *s, uint64_t *ret_folded, uint64_t *ret_left,
                                       struct err *e)
{
    struct scope scope;
    struct query q;
    uint64_t folded = 0;
    int64_t lsn = 0;
    enum err_code code = scope_enter(&scope, s, e);
    if (code)
        return code;
    while (code == ERR_OK) {
        bool one = false;
        code = next_dead(s, lsn, &lsn, e);
        if (code || lsn == 0)
            break;
        code = retry_one(s, lsn, &one, e);
        folded += one;
    }
    code = scope_leave(&scope, code, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_DEAD_COUNT);
    *ret_left = query_row(&q) ? query_get_u64(&q, 0) : 0;
    *ret_folded = folded;
    return query_end(&q, e);
}
