// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/revoke.h"

#include "store/sqlite/carriers.h"
#include "store/sqlite/questions.h"
#include "store/sqlite/rows.h"

#include <stdlib.h>

enum { ROOM_FIRST = 16 };
#define STREAMS_MAX_BYTES ((size_t)64 * 1024 * 1024)

void revoke_fini(struct fold *f)
{
    free(f->revoked.devices);
    free(f->revoked.changes);
    f->revoked = (struct revoked){.known = false};
}

void revoke_forget(struct fold *f)
{
    f->revoked.known = false;
    f->revoked.change_count = 0;
}

// Room for one more item; NULL without memory.
static void *grow(void *items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return items;
    size_t wider = *room == 0 ? ROOM_FIRST : *room * 2;
    void *to = realloc(items, wider * size);
    if (to != NULL)
        *room = wider;
    return to;
}

// ---- the devices -------------------------------------------------------------------------------

static enum err_code read_devices(struct fold *f, struct err *e)
{
    struct query q;
    struct revoked *r = &f->revoked;
    bool full = false;
    r->count = 0;
    query_begin(&q, f->tables, Q_REVOKED_DEVICES);
    while (!full && query_row(&q)) {
        struct uuid *wider = grow(r->devices, r->count, &r->room, sizeof *wider);
        full = wider == NULL;
        r->devices = full ? r->devices : wider;
        if (!full)
            (void)query_get_uuid(&q, 0, &r->devices[r->count++]);
    }
    enum err_code code = query_end(&q, e);
    r->known = code == ERR_OK && !full;
    return full ? err_set(e, ERR_NO_MEMORY, "out of memory for revoked devices") : code;
}

static int by_id(const void *a, const void *b)
{
    return uuid_compare(a, b);
}

static bool is_listed(const struct fold *f, const struct uuid *device)
{
    const struct revoked *r = &f->revoked;
    return r->count > 0 && bsearch(device, r->devices, r->count, sizeof *device, by_id) != NULL;
}

static enum err_code device_of(struct fold *f, const struct event *event, struct uuid *ret,
                               bool *ret_there, struct err *e)
{
    struct query q;
    query_begin(&q, f->journal, Q_STREAM_DEVICE);
    query_uuid(&q, &event->origin);
    query_int(&q, event->lane);
    *ret_there = query_row(&q) && query_get_uuid(&q, 0, ret);
    return query_end(&q, e);
}

static enum err_code read_seq(struct fold *f, enum db_statement statement,
                              const struct uuid *device, const struct stream_key *key,
                              uint64_t *ret, struct err *e)
{
    struct query q;
    query_begin(&q, f->tables, statement);
    query_uuid(&q, device);
    query_uuid(&q, &key->origin);
    query_int(&q, key->lane);
    if (query_row(&q) && !query_is_null(&q, 0))
        *ret = query_get_u64(&q, 0);
    return query_end(&q, e);
}

// The last event of a stream that counts; UINT64_MAX: all do.
static enum err_code counts_to(struct fold *f, const struct uuid *device,
                               const struct stream_key *key, uint64_t *ret, struct err *e)
{
    uint64_t accepted = 0;
    *ret = UINT64_MAX;
    enum err_code code = read_seq(f, Q_REVOKED_COUNTS_TO, device, key, ret, e);
    if (code == ERR_OK)
        code = read_seq(f, Q_ACCEPTED_TO, device, key, &accepted, e);
    if (accepted > *ret)
        *ret = accepted;
    return code;
}

enum err_code revoke_is_beyond(struct fold *f, const struct event *event, bool *ret, struct err *e)
{
    struct uuid device;
    bool there = false;
    uint64_t to = UINT64_MAX;
    const struct stream_key key = {event->origin, event->lane};
    *ret = false;
    enum err_code code = f->revoked.known ? ERR_OK : read_devices(f, e);
    if (code || f->revoked.count == 0)
        return code;
    code = device_of(f, event, &device, &there, e);
    if (code == ERR_OK && there && is_listed(f, &device))
        code = counts_to(f, &device, &key, &to, e);
    *ret = event->seq > to;
    return code;
}

// ---- revocations -------------------------------------------------------------------------------

static enum err_code note_change(struct fold *f, const struct uuid *device, bool all, struct err *e)
{
    struct revoked *r = &f->revoked;
    struct revoked_change *wider =
        grow(r->changes, r->change_count, &r->change_room, sizeof *wider);
    if (wider == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a revocation");
    r->changes = wider;
    r->changes[r->change_count++] = (struct revoked_change){*device, all};
    r->known = false;
    return ERR_OK;
}

// Members were checked with the body.
static enum err_code put_head(struct fold *f, int64_t lsn, yyjson_val *head, struct err *e)
{
    struct query q;
    struct uuid origin;
    struct str lane_text;
    enum lane lane;
    int64_t seq = 0;
    if (json_get_uuid(head, "origin", &origin, e) || json_get_str(head, "lane", &lane_text, e) ||
        lane_parse(lane_text, &lane) || json_get_i64(head, "seq", &seq, e))
        return err_set(e, ERR_DAMAGED, "a head of a revocation cannot be read");
    query_begin(&q, f->tables, Q_REVOKED_HEAD_ADD);
    query_int(&q, lsn);
    query_uuid(&q, &origin);
    query_int(&q, lane);
    query_int(&q, seq);
    return query_run(&q, e);
}

enum err_code revoke_put(struct fold *f, const struct fold_row *row,
                         const struct effect_revoke *revoke, struct err *e)
{
    struct query q;
    yyjson_arr_iter iter = yyjson_arr_iter_with(revoke->heads);
    yyjson_val *head;
    if (revoke->heads == NULL)
        return ERR_OK;
    query_begin(&q, f->tables, Q_REVOCATION_ADD);
    query_uuid(&q, &revoke->device);
    query_int(&q, row->lsn);
    query_uuid(&q, &revoke->revocation);
    query_int(&q, revoke->part);
    query_int(&q, revoke->parts);
    query_int(&q, revoke->accepts);
    enum err_code code = query_run(&q, e);
    while (code == ERR_OK && (head = yyjson_arr_iter_next(&iter)) != NULL)
        code = put_head(f, row->lsn, head, e);
    return code ? code : note_change(f, &revoke->device, revoke->accepts, e);
}

enum err_code revoke_take_back(struct fold *f, const struct fold_row *row,
                               const struct effect_revoke *revoke, struct err *e)
{
    struct query q;
    if (revoke->heads == NULL)
        return ERR_OK;
    query_begin(&q, f->tables, Q_REVOCATION_DROP);
    query_uuid(&q, &revoke->device);
    query_int(&q, row->lsn);
    enum err_code code = query_run(&q, e);
    if (code)
        return code;
    query_begin(&q, f->tables, Q_REVOKED_HEADS_DROP);
    query_int(&q, row->lsn);
    code = query_run(&q, e);
    return code ? code : note_change(f, &revoke->device, true, e);
}

// ---- people ------------------------------------------------------------------------------------

static enum err_code ask(struct fold *f, const struct uuid *device, struct str location,
                         int64_t events, int64_t now_ms, struct err *e)
{
    char record[UUID_TEXT_SIZE];
    struct buf detail;
    if (f->store == NULL)
        return ERR_OK;
    uuid_format(device, record);
    buf_init(&detail, ERR_TEXT_MAX);
    enum err_code code = buf_append_format(&detail, "{\"events\":%lld}", (long long)events);
    struct review review = {
        .kind = STR("revoked"),
        .record = str_of(record),
        .location = location,
        .text = STR("A revoked device delivered events from after its revocation: they are kept "
                    "and do not count."),
        .detail = buf_str(&detail),
        .opened_at = now_ms};
    code = code         ? err_set(e, code, "out of memory for a review")
           : events > 0 ? questions_ask(f->tables, &review, e)
                        : questions_drop(f->tables, &review, e);
    buf_fini(&detail);
    return code;
}

enum err_code revoke_count(struct fold *f, const struct event *event, int by, int64_t now_ms,
                           struct err *e)
{
    struct query q;
    struct uuid device;
    bool there = false;
    int64_t events = 0;
    enum err_code code = device_of(f, event, &device, &there, e);
    if (code || !there)
        return code;
    query_begin(&q, f->tables, Q_WITHHELD_ADD);
    query_uuid(&q, &device);
    query_int(&q, by);
    if (query_row(&q))
        events = query_get_int(&q, 0);
    code = query_run(&q, e);
    if (code == ERR_OK && events == 0) {
        query_begin(&q, f->tables, Q_WITHHELD_DROP);
        query_uuid(&q, &device);
        code = query_run(&q, e);
    }
    return code ? code : ask(f, &device, event->location, events, now_ms, e);
}

// ---- rows that are here already ---------------------------------------------------------------

struct walk {
    struct fold *f;
    int64_t now_ms;
    int64_t stream;
    uint64_t to; // what counts of it
};

static enum err_code given_reason(struct walk *w, int64_t lsn, char to[ERR_TEXT_MAX],
                                  bool *ret_given, struct err *e)
{
    struct query q;
    query_begin(&q, w->f->journal, Q_DEAD_GIVEN);
    query_int(&q, lsn);
    *ret_given = query_row(&q);
    struct str reason = *ret_given ? query_get_text(&q, 0) : STR("");
    if (reason.n >= ERR_TEXT_MAX)
        reason.n = ERR_TEXT_MAX - 1;
    MUST(str_copy(to, ERR_TEXT_MAX, reason) == ERR_OK);
    return query_end(&q, e);
}

static enum err_code judge(struct walk *w, uint64_t seq, struct fold_row *row, enum row_state state,
                           struct err *e)
{
    struct fold *f = w->f;
    char reason[ERR_TEXT_MAX];
    bool given = false, beyond = seq > w->to;
    enum err_code code = state == ROW_DEAD ? given_reason(w, row->lsn, reason, &given, e) : ERR_OK;
    if (code)
        return code;
    if (beyond && given)
        return carriers_withhold(f, row, ROW_DEAD, e);
    if (given) {
        row->dead = reason;
        return carriers_rejoin(f, row, e);
    }
    if (!beyond && state != ROW_WITHHELD)
        return ERR_OK; // a dead letter that was one before
    code = revoke_count(f, row->event, beyond ? 1 : -1, w->now_ms, e);
    if (code)
        return code;
    return beyond ? carriers_withhold(f, row, ROW_WITHHELD, e) : carriers_rejoin(f, row, e);
}

static enum err_code has_id(struct fold *f, int64_t lsn, bool *ret, struct err *e)
{
    struct query q;
    struct uuid id;
    query_begin(&q, f->journal, Q_EVENT_ID_STATE);
    query_int(&q, lsn);
    *ret = query_row(&q) && query_get_uuid(&q, 0, &id);
    return query_end(&q, e);
}

static enum err_code visit(struct walk *w, uint64_t seq, int64_t lsn, struct err *e)
{
    struct event event;
    enum row_state state;
    bool known = false;
    struct fold_row row = {.lsn = lsn, .event = &event, .received_at = w->now_ms};
    arena_reset(&w->f->others);
    arena_reset(&w->f->effects);
    enum err_code code = fold_state_of(w->f, lsn, &state, e);
    if (code || ((seq > w->to) == (state == ROW_WITHHELD) && state != ROW_DEAD))
        return code;
    code = fold_load(w->f, lsn, &event, e);
    if (code == ERR_DAMAGED) // an envelope that nobody can read counts for nobody
        return ERR_OK;
    if (code == ERR_OK)
        code = has_id(w->f, lsn, &known, e);
    if (code == ERR_OK && !known) // nor one that says that it is of elsewhere
        return ERR_OK;
    return code ? code : judge(w, seq, &row, state, e);
}

// Where the row of a seq lies, and up to which seq the next ones follow it.
static enum err_code place_of(struct walk *w, uint64_t seq, int64_t *ret_lsn, uint64_t *ret_until,
                              struct err *e)
{
    struct query q;
    *ret_lsn = 0;
    *ret_until = UINT64_MAX;
    query_begin(&q, w->f->journal, Q_EXTENT_FIND);
    query_int(&q, w->stream);
    query_u64(&q, seq);
    if (query_row(&q))
        *ret_lsn = query_get_int(&q, 1) + (int64_t)(seq - query_get_u64(&q, 0));
    enum err_code code = query_end(&q, e);
    if (code)
        return code;
    query_begin(&q, w->f->journal, Q_EXTENT_NEXT);
    query_int(&q, w->stream);
    query_u64(&q, seq);
    if (query_row(&q))
        *ret_until = query_get_u64(&q, 0) - 1;
    return query_end(&q, e);
}

static enum err_code is_there(struct walk *w, uint64_t seq, int64_t lsn, bool *ret, struct err *e)
{
    struct query q;
    query_begin(&q, w->f->journal, Q_CHAIN_AT);
    query_int(&q, lsn);
    query_int(&q, w->stream);
    query_u64(&q, seq);
    *ret = lsn > 0 && lsn <= w->f->upto && query_row(&q);
    return query_end(&q, e);
}

static enum err_code walk_stream(struct walk *w, uint64_t seq, struct err *e)
{
    int64_t lsn = 0;
    uint64_t until = 0;
    bool there = true;
    enum err_code code = ERR_OK;
    for (; code == ERR_OK && there; seq++, lsn++) {
        if (seq > until)
            code = place_of(w, seq, &lsn, &until, e);
        if (code == ERR_OK)
            code = is_there(w, seq, lsn, &there, e);
        if (code == ERR_OK && there)
            code = visit(w, seq, lsn, e);
    }
    return code;
}

struct device_stream {
    int64_t number;
    struct stream_key key;
};

static enum err_code read_streams(struct fold *f, const struct uuid *device, struct arena *a,
                                  struct device_stream **ret, size_t *ret_count, struct err *e)
{
    struct query q;
    struct device_stream *items = NULL;
    size_t count = 0, room = 0;
    bool full = false;
    query_begin(&q, f->journal, Q_STREAMS_OF);
    query_uuid(&q, device);
    while (!full && query_row(&q)) {
        struct device_stream *wider = rows_grow(a, items, count, &room, sizeof *items);
        full = wider == NULL;
        items = full ? items : wider;
        if (full)
            continue;
        items[count] = (struct device_stream){.number = query_get_int(&q, 0)};
        (void)query_get_uuid(&q, 1, &items[count].key.origin);
        items[count++].key.lane = query_get_lane(&q, 2);
    }
    enum err_code code = query_end(&q, e);
    *ret = items;
    *ret_count = count;
    return code == ERR_OK && full ? err_set(e, ERR_NO_MEMORY, "out of memory for streams") : code;
}

static enum err_code settle_device(struct fold *f, const struct revoked_change *change,
                                   int64_t now_ms, struct err *e)
{
    struct arena a;
    struct device_stream *streams = NULL;
    size_t count = 0;
    arena_init(&a, STREAMS_MAX_BYTES);
    enum err_code code = read_streams(f, &change->device, &a, &streams, &count, e);
    for (size_t i = 0; i < count && code == ERR_OK; i++) {
        struct walk w = {.f = f, .now_ms = now_ms, .stream = streams[i].number};
        code = counts_to(f, &change->device, &streams[i].key, &w.to, e);
        if (code == ERR_OK && change->all)
            code = walk_stream(&w, 1, e);
        else if (code == ERR_OK && w.to < INT64_MAX)
            code = walk_stream(&w, w.to + 1, e);
    }
    arena_fini(&a);
    return code;
}

enum err_code revoke_settle(struct fold *f, int64_t now_ms, struct err *e)
{
    struct revoked *r = &f->revoked;
    enum err_code code = ERR_OK;
    while (code == ERR_OK && r->change_count > 0) {
        struct revoked_change change = r->changes[--r->change_count];
        code = settle_device(f, &change, now_ms, e);
    }
    return code;
}
