// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/runs.h"

#include "store/sqlite/questions.h"
#include "store/sqlite/state.h"

// One entry of 'previous'. Its members were checked with the body; the lane may still be unknown.
struct named_head {
    struct stream_key key;
    uint64_t seq;
    struct hash hash;
};

static bool read_head(yyjson_val *object, struct named_head *ret)
{
    struct str lane = STR("");
    int64_t seq = 0;
    if (json_get_uuid(object, "origin", &ret->key.origin, NULL) ||
        json_get_str(object, "lane", &lane, NULL) || lane_parse(lane, &ret->key.lane) ||
        json_get_i64(object, "seq", &seq, NULL) || seq < 0 ||
        json_get_hash(object, "hash", &ret->hash, NULL))
        return false;
    ret->seq = (uint64_t)seq;
    return true;
}

// The run before: of those named the newest, since ids of runs grow with time. False: none.
static bool predecessor_of(const struct effect_run *run, struct uuid *ret)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(run->previous);
    yyjson_val *object;
    struct named_head head;
    bool found = false;
    while ((object = yyjson_arr_iter_next(&iter)) != NULL) {
        if (!read_head(object, &head))
            continue;
        if (!found || uuid_compare(&head.key.origin, ret) > 0)
            *ret = head.key.origin;
        found = true;
    }
    return found;
}

// ---- forks -------------------------------------------------------------------------------------

// True when a later run said of this stream that it ended before its head, or elsewhere.
static enum err_code went_on(struct fold *f, const struct stream_slot *slot, bool *ret,
                             struct err *e)
{
    struct query q;
    query_begin(&q, f->tables, Q_STREAM_WENT_ON);
    query_uuid(&q, &slot->info.key.origin);
    query_int(&q, slot->info.key.lane);
    query_u64(&q, slot->info.head.seq);
    query_hash(&q, &slot->info.head.hash);
    *ret = query_row(&q) && query_get_int(&q, 0) != 0;
    return query_end(&q, e);
}

static enum err_code judge_forks(struct fold *f, const struct uuid *origin, struct str location,
                                 int64_t now_ms, struct err *e)
{
    char text[UUID_TEXT_SIZE];
    bool forked = false;
    for (int lane = 0; lane < LANE_COUNT && !forked; lane++) {
        struct stream_slot *slot;
        struct stream_key key = {*origin, (enum lane)lane};
        enum err_code code = stream_cache_find(&f->store->streams, &key, &slot, e);
        if (code == ERR_OK)
            code = went_on(f, slot, &forked, e);
        if (code && code != ERR_NOT_FOUND)
            return code;
    }
    uuid_format(origin, text);
    struct review review = {
        .kind = STR("fork"),
        .record = str_of(text),
        .location = location,
        .text = STR("A run went on after a later run said that it had ended: the device was "
                    "restored from a backup."),
        .opened_at = now_ms};
    return forked ? questions_ask(&f->store->db, &review, e)
                  : questions_drop(&f->store->db, &review, e);
}

enum err_code runs_check_stream(struct fold *f, const struct stream_slot *slot, int64_t now_ms,
                                struct err *e)
{
    return judge_forks(f, &slot->info.key.origin, str_of(slot->info.location), now_ms, e);
}

// ---- clones ------------------------------------------------------------------------------------

static enum err_code judge_clones(struct fold *f, const struct fold_row *row,
                                  const struct effect_run *run, const struct uuid *predecessor,
                                  struct err *e)
{
    struct query q;
    char text[UUID_TEXT_SIZE];
    int64_t twins = 0;
    query_begin(&q, f->tables, Q_RUN_TWINS);
    query_uuid(&q, predecessor);
    query_uuid(&q, &run->device);
    query_text(&q, row->event->location);
    if (query_row(&q))
        twins = query_get_int(&q, 0);
    enum err_code code = query_end(&q, e);
    if (code)
        return code;
    uuid_format(predecessor, text);
    struct review review = {
        .kind = STR("clone"),
        .record = str_of(text),
        .location = row->event->location,
        .text = STR("Two runs of one device both continue the same run: the device was copied."),
        .opened_at = row->received_at};
    return twins > 1 ? questions_ask(&f->store->db, &review, e)
                     : questions_drop(&f->store->db, &review, e);
}

// ---- both --------------------------------------------------------------------------------------

static enum err_code write_head(struct fold *f, const struct fold_row *row,
                                const struct named_head *head, bool on, struct err *e)
{
    struct query q;
    query_begin(&q, f->tables, on ? Q_HEAD_ADD : Q_HEADS_DROP);
    query_uuid(&q, &head->key.origin);
    query_int(&q, head->key.lane);
    query_u64(&q, head->seq);
    if (on)
        query_hash(&q, &head->hash);
    query_int(&q, row->lsn);
    return query_run(&q, e);
}

// A stream in memory must know where it is said to end.
static enum err_code remember(struct fold *f, const struct named_head *head, struct err *e)
{
    struct stream_slot *slot;
    enum err_code code = stream_cache_find(&f->store->streams, &head->key, &slot, e);
    if (code == ERR_OK && slot->named > (int64_t)head->seq)
        slot->named = (int64_t)head->seq;
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code each_head(struct fold *f, const struct fold_row *row,
                               const struct effect_run *run, bool on, struct err *e)
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(run->previous);
    yyjson_val *object;
    struct named_head head;
    enum err_code code = ERR_OK;
    while (code == ERR_OK && (object = yyjson_arr_iter_next(&iter)) != NULL) {
        if (!read_head(object, &head))
            continue;
        code = write_head(f, row, &head, on, e);
        if (code == ERR_OK && f->store != NULL && on)
            code = remember(f, &head, e);
        if (code == ERR_OK && f->store != NULL)
            code = judge_forks(f, &head.key.origin, row->event->location, row->received_at, e);
    }
    return code;
}

enum err_code runs_put(struct fold *f, const struct fold_row *row, const struct effect_run *run,
                       struct err *e)
{
    struct query q;
    struct uuid predecessor;
    bool named = predecessor_of(run, &predecessor);
    query_begin(&q, f->tables, Q_RUN_ADD);
    query_uuid(&q, &row->event->origin);
    query_uuid(&q, &run->device);
    query_text(&q, row->event->location);
    if (named)
        query_uuid(&q, &predecessor);
    else
        query_null(&q);
    query_int(&q, row->lsn);
    enum err_code code = query_run(&q, e);
    if (code == ERR_OK && named && f->store != NULL)
        code = judge_clones(f, row, run, &predecessor, e);
    return code ? code : each_head(f, row, run, true, e);
}

enum err_code runs_take_back(struct fold *f, const struct fold_row *row,
                             const struct effect_run *run, struct err *e)
{
    struct query q;
    struct uuid predecessor;
    bool named = predecessor_of(run, &predecessor);
    query_begin(&q, f->tables, Q_RUN_DROP);
    query_uuid(&q, &row->event->origin);
    query_int(&q, row->lsn);
    enum err_code code = query_run(&q, e);
    if (code == ERR_OK && named && f->store != NULL)
        code = judge_clones(f, row, run, &predecessor, e);
    return code ? code : each_head(f, row, run, false, e);
}
