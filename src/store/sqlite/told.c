// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/told.h"

#include "store/sqlite/prune_records.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/text.h"

static bool is_folded(const struct event *event)
{
    return event->type != NULL && record_takes(event->type, event->record_type);
}

// Whether the event's own effects can be read; a later version may know more.
static enum err_code can_fold(const struct event *event, struct arena *a, bool *ret, struct err *e)
{
    struct effect_list list;
    *ret = false;
    if (!is_folded(event))
        return ERR_OK;
    enum err_code code = effect_list_of(event, a, &list, NULL);
    *ret = code == ERR_OK;
    return code == ERR_NO_MEMORY ? err_set(e, code, "out of memory for an event") : ERR_OK;
}

struct told {
    int64_t number; // 0: not here
    struct event event;
};

// The row that the query finds: its number and the event.
static enum err_code read_told(struct query *q, struct arena *a, struct told *ret, struct err *e)
{
    struct str bytes = STR("");
    *ret = (struct told){.number = 0};
    if (query_row(q)) {
        ret->number = query_get_int(q, 0);
        bytes = arena_copy(a, query_get_text(q, 1));
    }
    enum err_code code = query_end(q, e);
    if (code || ret->number == 0)
        return code;
    return bytes.p ? event_parse(bytes, a, &ret->event, e)
                   : err_set(e, ERR_NO_MEMORY, "out of memory for an event");
}

static enum err_code find_told(struct store *s, struct str location, const struct uuid *id,
                               struct arena *a, struct told *ret, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_TOLD_FIND);
    query_uuid(&q, id);
    query_text(&q, location);
    return read_told(&q, a, ret, e);
}

static enum err_code takes_part(struct store *s, int64_t lsn, bool *ret, struct err *e)
{
    enum row_state state = ROW_SETTLED;
    enum err_code code = fold_state_of(&s->fold, lsn, &state, e);
    *ret = state != ROW_DUPLICATE && state != ROW_ID_CONFLICT && state != ROW_WITHHELD;
    return code;
}

// True when this very carrier is in the journal and counts: what a device wrote comes back to it.
// One that was appended again since does not.
static enum err_code is_own(struct store *s, const struct event *event, struct arena *a, bool *ret,
                            struct err *e)
{
    struct ids_carriers carriers;
    enum err_code code = ids_find(&s->fold.ids, &event->id, a, &carriers, e);
    *ret = false;
    for (size_t i = 0; i < carriers.count && code == ERR_OK && !*ret; i++) {
        struct query q;
        query_begin(&q, &s->db, Q_EVENT_BYTES);
        query_int(&q, carriers.lsns[i]);
        *ret = query_row(&q) && str_equal(text_get(&q, 0, a), event->bytes);
        code = query_end(&q, e);
        if (code == ERR_OK && *ret)
            code = takes_part(s, carriers.lsns[i], ret, e);
    }
    return code;
}

static enum err_code set_generation(struct store *s, int64_t number, int64_t generation,
                                    struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_TOLD_KEEP);
    query_int(&q, generation);
    query_int(&q, number);
    return query_run(&q, e);
}

// A record that is full goes on without it, as it does where the event came from.
static enum err_code fold_told(struct records *r, const struct event *event, int64_t number,
                               struct err *e)
{
    bool full = false;
    return records_put(r, event, -number, &full, e);
}

static enum err_code take_back(struct store *s, const struct told *told, struct arena *a,
                               struct err *e)
{
    bool folded = false;
    enum err_code code = can_fold(&told->event, a, &folded, e);
    return code || !folded ? code
                           : records_take_back(&s->fold.records, &told->event, -told->number, e);
}

static enum err_code drop(struct store *s, const struct told *told, struct arena *a, struct err *e)
{
    struct query q;
    enum err_code code = take_back(s, told, a, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_TOLD_DROP);
    query_int(&q, told->number);
    return query_run(&q, e);
}

// An earlier carrier took the place of the one that was told before.
static enum err_code replace(struct store *s, const struct told *told, const struct event *event,
                             int64_t generation, struct arena *a, struct err *e)
{
    struct query q;
    bool folds = false;
    enum err_code code = take_back(s, told, a, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_TOLD_REPLACE);
    query_int(&q, generation);
    query_text(&q, event->bytes);
    query_int(&q, told->number);
    code = query_run(&q, e);
    if (code == ERR_OK)
        code = can_fold(event, a, &folds, e);
    return code || !folds ? code : fold_told(&s->fold.records, event, told->number, e);
}

static enum err_code add(struct store *s, const struct event *event, const struct told_page *page,
                         struct arena *a, struct err *e)
{
    struct query q;
    bool folds = false;
    query_begin(&q, &s->db, Q_TOLD_ADD);
    query_text(&q, page->location);
    query_uuid(&q, &event->id);
    query_int(&q, page->generation);
    query_text(&q, event->bytes);
    enum err_code code = query_run(&q, e);
    int64_t number = sqlite3_last_insert_rowid(s->db.handle);
    if (code == ERR_OK)
        code = can_fold(event, a, &folds, e);
    return code || !folds ? code : fold_told(&s->fold.records, event, number, e);
}

static enum err_code put(struct store *s, const struct told_page *page, const struct event *event,
                         struct arena *a, struct err *e)
{
    struct told told;
    bool own = false;
    enum err_code code = is_own(s, event, a, &own, e);
    if (code == ERR_OK)
        code = find_told(s, page->location, &event->id, a, &told, e);
    if (code)
        return code;
    if (told.number == 0)
        return own ? ERR_OK : add(s, event, page, a, e);
    if (own)
        return drop(s, &told, a, e);
    return str_equal(told.event.bytes, event->bytes)
               ? set_generation(s, told.number, page->generation, e)
               : replace(s, &told, event, page->generation, a, e);
}

// The next event of the record behind *ret that only an earlier copy told.
static enum err_code next_older(struct store *s, const struct record_name *name, int64_t generation,
                                struct arena *a, struct told *ret, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_TOLD_OLDER);
    query_text(&q, name->location);
    query_text(&q, name->type);
    query_text(&q, name->id);
    query_int(&q, generation);
    query_int(&q, ret->number);
    return read_told(&q, a, ret, e);
}

static enum err_code add_doubt(struct told_doubts *to, const struct record_name *name,
                               struct err *e)
{
    const struct record_name *last = to->count ? &to->items[to->count - 1] : NULL;
    if (last && str_equal(last->id, name->id) && str_equal(last->type, name->type))
        return ERR_OK;
    struct record_name copy = {arena_copy(to->arena, name->location),
                               arena_copy(to->arena, name->type), arena_copy(to->arena, name->id)};
    struct record_name *items =
        rows_grow(to->arena, to->items, to->count, &to->room, sizeof(*items));
    if (items == NULL || !copy.location.p || !copy.type.p || !copy.id.p)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a feed");
    to->items = items;
    items[to->count++] = copy;
    return ERR_OK;
}

enum err_code told_put(struct store *s, const struct told_page *page, struct str bytes,
                       struct arena *a, struct err *e)
{
    struct event event;
    struct told older = {.number = 0};
    enum err_code code = event_parse(bytes, a, &event, e);
    if (code == ERR_OK)
        code = put(s, page, &event, a, e);
    if (code || !is_folded(&event) || !prune_records_may_end(event.record_type))
        return code;
    struct record_name name = {event.location, event.record_type, event.record_id};
    code = next_older(s, &name, page->generation, a, &older, e);
    return code || older.number == 0 ? code : add_doubt(page->doubts, &name, e);
}

enum err_code told_drop_doubted(struct store *s, const struct told_page *page, struct arena *a,
                                struct err *e)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < page->doubts->count && code == ERR_OK; i++) {
        struct told told = {.number = 0};
        do {
            arena_reset(a);
            code = next_older(s, &page->doubts->items[i], page->generation, a, &told, e);
            if (code == ERR_OK && told.number)
                code = drop(s, &told, a, e);
        } while (code == ERR_OK && told.number);
    }
    return code;
}

enum err_code told_keep(struct store *s, const struct event *event, struct arena *a, struct err *e)
{
    struct query q;
    struct told told;
    struct told_page page = {.location = event->location};
    if (!is_folded(event))
        return ERR_OK;
    enum err_code code = find_told(s, page.location, &event->id, a, &told, e);
    if (code || told.number != 0)
        return code;
    query_begin(&q, &s->db, Q_CURSOR_FIND);
    query_text(&q, page.location);
    page.generation = query_row(&q) ? query_get_int(&q, 3) : 0;
    code = query_end(&q, e);
    return code ? code : add(s, event, &page, a, e);
}

enum err_code told_drop(struct store *s, struct str location, const struct uuid *id,
                        struct arena *a, struct err *e)
{
    struct told told;
    enum err_code code = find_told(s, location, id, a, &told, e);
    return code || told.number == 0 ? code : drop(s, &told, a, e);
}

// The next one behind *ret, which is as find_told gives it.
static enum err_code next_stale(struct store *s, struct str location, int64_t generation,
                                struct arena *a, struct told *ret, struct err *e)
{
    struct query q;
    struct str bytes = STR("");
    int64_t after = ret->number;
    *ret = (struct told){.number = 0};
    query_begin(&q, &s->db, Q_TOLD_STALE);
    query_text(&q, location);
    query_int(&q, generation);
    query_int(&q, after);
    if (query_row(&q)) {
        ret->number = query_get_int(&q, 0);
        bytes = arena_copy(a, query_get_text(&q, 1));
    }
    enum err_code code = query_end(&q, e);
    if (code || ret->number == 0)
        return code;
    return bytes.p ? event_parse(bytes, a, &ret->event, e)
                   : err_set(e, ERR_NO_MEMORY, "out of memory for an event");
}

// A copy repeats what is open, and nothing of what is over: that stays as it was told.
static enum err_code is_missed(struct store *s, const struct told *told, bool *ret, struct err *e)
{
    struct record_name name = {told->event.location, told->event.record_type,
                               told->event.record_id};
    return prune_records_open(s, &name, ret, e);
}

enum err_code told_drop_stale(struct store *s, struct str location, int64_t generation,
                              struct arena *a, struct err *e)
{
    struct told told = {.number = 0};
    enum err_code code = records_flush(&s->fold.records, e); // for what is open is read there
    while (code == ERR_OK) {
        bool missed = false;
        arena_reset(a);
        code = next_stale(s, location, generation, a, &told, e);
        if (code || told.number == 0)
            break;
        code = is_missed(s, &told, &missed, e);
        if (code == ERR_OK && missed)
            code = drop(s, &told, a, e);
    }
    return code;
}

enum err_code told_refold(struct store *s, struct records *r, struct err *e)
{
    struct arena a;
    int64_t number = 0;
    bool more = true;
    enum err_code code = ERR_OK;
    arena_init(&a, LIMIT_BATCH_BYTES);
    while (more && code == ERR_OK) {
        struct query q;
        struct event event;
        struct str bytes = STR("");
        bool folds = false;
        arena_reset(&a);
        query_begin(&q, &s->db, Q_TOLD_NEXT);
        query_int(&q, number);
        more = query_row(&q);
        if (more) {
            number = query_get_int(&q, 0);
            bytes = arena_copy(&a, query_get_text(&q, 1));
        }
        code = query_end(&q, e);
        if (code || !more)
            break;
        code = bytes.p ? event_parse(bytes, &a, &event, e) : ERR_NO_MEMORY;
        if (code == ERR_OK)
            code = can_fold(&event, &a, &folds, e);
        if (code == ERR_OK && folds)
            code = fold_told(r, &event, number, e);
    }
    arena_fini(&a);
    return code;
}
