// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/records.h"

#include "model/standing.h"

#include "store/sqlite/record_past.h"
#include "store/sqlite/text.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_MAX_BYTES ((size_t)16 * LIMIT_RECORD_BYTES) // in memory, with what is folded

struct kept_record {
    int64_t number;
    const struct reducer *reducer;
    char location[LIMIT_NAME + 1];
    char id[LIMIT_NAME + 1];
    struct record *record; // NULL: still to be read
    size_t bytes;          // of the events in it
    size_t long_from;      // events in it, from which on it is made shorter
    bool touched;          // since the last flush
    bool written;          // 'rows' is what the tables hold; else they are read first
    struct row_list rows;  // they point into 'arena' and into the record
    struct arena arena;
    struct kept_record *next, *previous; // by use
    struct kept_record *peer;            // in the same bucket
};

void records_init(struct records *r, struct db *tables, struct db *journal)
{
    *r = (struct records){.tables = tables, .journal = journal};
    row_store_init(&r->rows, tables);
}

static void kept_free(struct kept_record *k)
{
    record_free(k->record);
    arena_fini(&k->arena);
    free(k);
}

void records_forget(struct records *r)
{
    while (r->kept != NULL) {
        struct kept_record *next = r->kept->next;
        kept_free(r->kept);
        r->kept = next;
    }
    memset(r->buckets, 0, sizeof r->buckets);
    r->count = 0;
    r->chain_touched = false;
}

void records_fini(struct records *r)
{
    records_forget(r);
    row_store_fini(&r->rows);
}

// ---- those in memory --------------------------------------------------------------------------

static size_t add_to_hash(size_t hash, struct str text)
{
    for (size_t i = 0; i < text.n; i++)
        hash = (hash ^ (unsigned char)text.p[i]) * 16777619u; // FNV-1a
    return hash;
}

static struct kept_record **bucket_of(struct records *r, struct str location, struct str id)
{
    size_t hash = add_to_hash(add_to_hash(2166136261u, id), location);
    return &r->buckets[hash % RECORDS_BUCKETS];
}

static void link_first(struct records *r, struct kept_record *k)
{
    k->previous = NULL;
    k->next = r->kept;
    if (r->kept != NULL)
        r->kept->previous = k;
    r->kept = k;
}

static void unlink_kept(struct records *r, struct kept_record *k)
{
    if (k->previous != NULL)
        k->previous->next = k->next;
    else
        r->kept = k->next;
    if (k->next != NULL)
        k->next->previous = k->previous;
}

static void let_go(struct records *r, struct kept_record *k)
{
    struct kept_record **at = bucket_of(r, str_of(k->location), str_of(k->id));
    while (*at != k)
        at = &(*at)->peer;
    *at = k->peer;
    unlink_kept(r, k);
    r->count--;
    kept_free(k);
}

static struct kept_record *find_kept(struct records *r, const struct record_name *name)
{
    struct kept_record *k = *bucket_of(r, name->location, name->id);
    while (k != NULL && !(str_is(name->id, k->id) && str_is(name->location, k->location) &&
                          str_is(name->type, k->reducer->record_type)))
        k = k->peer;
    if (k != NULL) {
        unlink_kept(r, k);
        link_first(r, k);
    }
    return k;
}

// ---- finding ----------------------------------------------------------------------------------

static struct record_name name_of(const struct event *event)
{
    return (struct record_name){event->location, event->record_type, event->record_id};
}

// 0 where the record is not known.
static enum err_code find_number(struct records *r, const struct record_name *name, int64_t *ret,
                                 struct err *e)
{
    struct query q;
    query_begin(&q, r->tables, Q_RECORD_FIND);
    query_text(&q, name->location);
    query_text(&q, name->type);
    query_text(&q, name->id);
    *ret = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_end(&q, e);
}

static enum err_code add_number(struct records *r, const struct record_name *name, int64_t *ret,
                                struct err *e)
{
    struct query q;
    query_begin(&q, r->tables, Q_RECORD_ADD);
    query_text(&q, name->location);
    query_text(&q, name->type);
    query_text(&q, name->id);
    enum err_code code = query_run(&q, e);
    *ret = sqlite3_last_insert_rowid(r->tables->handle);
    return code;
}

static enum err_code keep(struct records *r, const struct record_name *name, int64_t number,
                          struct kept_record **ret, struct err *e)
{
    struct kept_record *k = calloc(1, sizeof *k);
    if (k == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a record");
    k->number = number;
    k->reducer = reducer_find(name->type);
    MUST(k->reducer != NULL);
    arena_init(&k->arena, RECORD_MAX_BYTES);
    if (str_copy(k->location, sizeof k->location, name->location) ||
        str_copy(k->id, sizeof k->id, name->id)) {
        kept_free(k);
        return err_set(e, ERR_LIMIT, "a record's name is too long");
    }
    struct kept_record **bucket = bucket_of(r, name->location, name->id);
    k->peer = *bucket;
    *bucket = k;
    link_first(r, k);
    r->count++;
    *ret = k;
    return ERR_OK;
}

static enum err_code new_record(struct kept_record *k, struct err *e)
{
    k->bytes = 0;
    k->long_from = RECORD_LONG;
    enum err_code code = record_new(k->reducer, str_of(k->id), RECORD_MAX_BYTES, &k->record);
    return code ? err_set(e, code, "out of memory for a record") : ERR_OK;
}

// The record in memory, perhaps still to be read; *ret NULL when it is not known and 'make' is off.
static enum err_code find(struct records *r, const struct record_name *name, bool make,
                          struct kept_record **ret, struct err *e)
{
    int64_t number = 0;
    *ret = find_kept(r, name);
    if (*ret != NULL)
        return ERR_OK;
    enum err_code code = find_number(r, name, &number, e);
    if (code || (number == 0 && !make))
        return code;
    bool fresh = number == 0;
    if (fresh)
        code = add_number(r, name, &number, e);
    if (code == ERR_OK)
        code = keep(r, name, number, ret, e);
    if (code || !fresh)
        return code;
    (*ret)->written = true; // it has no rows, and none are in memory
    row_list_init(&(*ret)->rows, &(*ret)->arena);
    return new_record(*ret, e);
}

// ---- reading ----------------------------------------------------------------------------------

static enum err_code join(struct record *record, const struct event *event, bool told,
                          bool *ret_more, struct err *e)
{
    enum err_code code = record_add(record, event, e);
    *ret_more = code == ERR_OK;
    if (code != ERR_EXISTS || !told)
        return code;
    code = record_remove(record, &event->id);
    return code ? err_set(e, code, "out of memory for a record") : record_add(record, event, e);
}

enum err_code records_join(struct record *record, const struct event *event, bool told,
                           struct err *e)
{
    bool more = false;
    enum err_code code = join(record, event, told, &more, e);
    return code == ERR_EXISTS ? ERR_OK : code;
}

static enum err_code add_event(struct kept_record *k, const struct event *event,
                               const struct listed *row, struct err *e)
{
    bool more = false;
    struct record_note note = record_past_note(row);
    enum err_code code = join(k->record, event, row->lsn < 0, &more, e);
    if (code == ERR_OK)
        record_note(k->record, &note);
    if (more)
        k->bytes += event->bytes.n;
    return code == ERR_EXISTS ? ERR_OK : code;
}

static enum err_code read_event(struct records *r, int64_t lsn, struct arena *a, struct event *ret,
                                struct err *e)
{
    struct query q;
    struct str bytes = STR("");
    query_begin(&q, r->journal, lsn > 0 ? Q_EVENT_BYTES : Q_TOLD_BYTES);
    query_int(&q, lsn > 0 ? lsn : -lsn);
    bool found = query_row(&q);
    if (found)
        bytes = lsn > 0 ? text_get(&q, 0, a) : arena_copy(a, query_get_text(&q, 0));
    enum err_code code = query_end(&q, e);
    if (code)
        return code;
    if (!found)
        return err_set(e, ERR_DAMAGED, "a record names row %lld, which is not there",
                       (long long)lsn);
    return bytes.p ? event_parse(bytes, a, ret, e) : err_set(e, ERR_NO_MEMORY, "out of memory");
}

// Every event listed for the record. The list is read first: reading an event is another query.
static enum err_code list_events(struct records *r, int64_t number, struct arena *a,
                                 struct listed **ret, size_t *ret_count, struct err *e)
{
    struct query q;
    size_t count = 0, n = 0;
    query_begin(&q, r->tables, Q_RECORD_EVENT_COUNT);
    query_int(&q, number);
    if (query_row(&q))
        count = (size_t)query_get_u64(&q, 0);
    enum err_code code = query_end(&q, e);
    if (code)
        return code;
    *ret = arena_alloc(a, count * sizeof **ret + 1);
    if (*ret == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a record");
    query_begin(&q, r->tables, Q_RECORD_EVENTS);
    query_int(&q, number);
    while (n < count && query_row(&q))
        (*ret)[n++] = (struct listed){query_get_int(&q, 0), query_get_int(&q, 1)};
    *ret_count = n;
    return query_end(&q, e);
}

static enum err_code read_listed(struct records *r, struct kept_record *k,
                                 const struct listed *list, size_t count, struct err *e)
{
    struct arena arena;
    enum err_code code = ERR_OK;
    arena_init(&arena, RECORD_MAX_BYTES);
    for (size_t i = 0; i < count && code == ERR_OK; i++) {
        struct event event;
        arena_reset(&arena);
        code = read_event(r, list[i].lsn, &arena, &event, e);
        if (code == ERR_OK && event.type != NULL)
            code = add_event(k, &event, &list[i], e);
    }
    arena_fini(&arena);
    return code;
}

static enum err_code read_record(struct records *r, struct kept_record *k, struct err *e)
{
    struct arena arena;
    struct listed *list = NULL;
    size_t count = 0;
    arena_init(&arena, RECORD_MAX_BYTES);
    enum err_code code = new_record(k, e);
    if (code == ERR_OK)
        code = list_events(r, k->number, &arena, &list, &count, e);
    if (code == ERR_OK)
        code = read_listed(r, k, list, count, e);
    arena_fini(&arena);
    if (code) {
        record_free(k->record);
        k->record = NULL;
    }
    return code;
}

// ---- changing ---------------------------------------------------------------------------------

static enum err_code list_event(struct records *r, enum db_statement which, int64_t number,
                                int64_t lsn, struct err *e)
{
    struct query q;
    query_begin(&q, r->tables, which);
    query_int(&q, number);
    query_int(&q, lsn);
    return query_run(&q, e);
}

static void note_touched(struct records *r, struct kept_record *k)
{
    k->touched = true;
    r->chain_touched = r->chain_touched || str_is(STR(FEED_CHAIN), k->location);
}

static bool is_counted_only(struct records *r, const struct record_name *name, int64_t lsn,
                            int sign)
{
    census_listed(&r->census->tally, name, lsn, sign);
    return !reducer_find(name->type)->stays;
}

// What is past is read again; rows written point into what is freed.
static enum err_code bring_back(struct records *r, struct kept_record *k, struct err *e)
{
    record_free(k->record);
    k->record = NULL;
    k->written = false;
    enum err_code code = record_past_back(r->tables, k->number, e);
    return code ? code : read_record(r, k, e);
}

static enum err_code look_back(struct records *r, struct kept_record *k, const struct event *event,
                               struct err *e)
{
    enum err_code code = record_fold(k->record);
    if (code)
        return err_set(e, code, "out of memory for a record");
    return standing_reaches_back(k->record, event) ? bring_back(r, k, e) : ERR_OK;
}

size_t records_limit(const struct reducer *reducer)
{
    return reducer->stands ? (size_t)4 * LIMIT_RECORD_BYTES : LIMIT_RECORD_BYTES;
}

static bool takes_more(const struct kept_record *k, const struct event *event)
{
    return judgement_is(event) || k->bytes + event->bytes.n <= records_limit(k->reducer);
}

enum err_code records_put(struct records *r, const struct event *event, int64_t lsn, bool *ret_full,
                          struct err *e)
{
    struct record_name name = name_of(event);
    struct kept_record *k = NULL;
    *ret_full = false;
    if (r->census != NULL && is_counted_only(r, &name, lsn, 1))
        return ERR_OK;
    enum err_code code = r->count > RECORDS_MOST ? records_flush(r, e) : ERR_OK;
    if (code == ERR_OK)
        code = find(r, &name, true, &k, e);
    if (code == ERR_OK && k->record == NULL)
        code = read_record(r, k, e);
    if (code == ERR_OK && record_cut(k->record) != NULL)
        code = look_back(r, k, event, e);
    bool takes = k == NULL || takes_more(k, event);
    if (code == ERR_OK && !takes) {
        *ret_full = true;
        return ERR_OK;
    }
    if (code == ERR_OK)
        code = list_event(r, Q_RECORD_EVENT_ADD, k->number, lsn, e);
    if (code == ERR_OK)
        code = add_event(k, event, &(struct listed){lsn, 0}, e);
    if (code == ERR_OK)
        note_touched(r, k);
    return code;
}

enum err_code records_take_back(struct records *r, const struct event *event, int64_t lsn,
                                struct err *e)
{
    struct record_name name = name_of(event);
    struct kept_record *k = NULL;
    if (r->census != NULL && is_counted_only(r, &name, lsn, -1))
        return ERR_OK;
    enum err_code code = find(r, &name, false, &k, e);
    if (code || k == NULL)
        return code;
    if (k->record == NULL || record_cut(k->record) != NULL)
        code = record_past_back(r->tables, k->number, e);
    if (code == ERR_OK)
        code = list_event(r, Q_RECORD_EVENT_DROP, k->number, lsn, e);
    record_free(k->record); // rare: read again, since another carrier may stand for it
    k->record = NULL;
    k->written = false;
    note_touched(r, k);
    return code;
}

enum err_code records_look(struct records *r, const struct record_name *name,
                           const struct record **ret, struct err *e)
{
    struct kept_record *k = NULL;
    *ret = NULL;
    enum err_code code = find(r, name, false, &k, e);
    if (code || k == NULL)
        return code;
    if (k->record == NULL)
        code = read_record(r, k, e);
    if (code == ERR_OK)
        code = record_fold(k->record);
    if (code)
        return err_set(e, code, "out of memory for a record");
    *ret = k->record;
    return ERR_OK;
}

enum err_code records_frontier(struct records *r, const struct record_name *name,
                               struct uuid ret[LIMIT_BASE], size_t *ret_count, struct err *e)
{
    const struct record *record = NULL;
    enum err_code code = records_look(r, name, &record, e);
    *ret_count = code == ERR_OK && record ? record_frontier(record, ret) : 0;
    return code;
}

// ---- writing ----------------------------------------------------------------------------------

// Both lists are sorted by table and key.
static enum err_code write_difference(struct records *r, const struct kept_record *k,
                                      const struct row_list *rows, struct err *e)
{
    struct str location = str_of(k->location);
    enum err_code code = ERR_OK;
    size_t old = 0, now = 0;
    while (code == ERR_OK && (old < k->rows.count || now < rows->count)) {
        const struct row *a = old < k->rows.count ? &k->rows.items[old] : NULL;
        const struct row *b = now < rows->count ? &rows->items[now] : NULL;
        int order = a == NULL ? 1 : b == NULL ? -1 : row_compare_keys(a, b);
        if (order < 0)
            code = row_store_drop(&r->rows, location, a, e);
        else if (order > 0 || !row_equal(a, b))
            code = row_store_put(&r->rows, location, b, e);
        old += order <= 0;
        now += order >= 0;
    }
    return code;
}

// What the tables hold of it, so that only what differs is written.
static enum err_code read_rows(struct records *r, struct kept_record *k, struct err *e)
{
    enum err_code code = ERR_OK;
    const struct row_table *const *tables = k->reducer->tables;
    struct record_name name = {str_of(k->location), str_of(k->reducer->record_type), str_of(k->id)};
    arena_reset(&k->arena);
    row_list_init(&k->rows, &k->arena);
    for (size_t i = 0; tables[i] != NULL && code == ERR_OK; i++)
        code = row_store_read_record(&r->rows, tables[i], &name, &k->rows, e);
    row_list_sort(&k->rows);
    return code;
}

void records_reread(struct records *r, const struct record_name *name)
{
    struct kept_record *k = find_kept(r, name);
    if (k == NULL)
        return;
    MUST(!k->touched);
    let_go(r, k);
}

enum err_code records_drop(struct records *r, const struct record_name *name, struct err *e)
{
    const struct row_table *const *tables = reducer_find(name->type)->tables;
    enum err_code code = ERR_OK;
    records_reread(r, name);
    for (size_t i = 0; tables[i] != NULL && code == ERR_OK; i++)
        code = row_store_drop_record(&r->rows, tables[i], name, e);
    return code;
}

// Its rows, in an arena of their own.
static enum err_code fold_rows(struct kept_record *k, struct arena *fresh, struct row_list *ret,
                               struct err *e)
{
    arena_init(fresh, RECORD_MAX_BYTES);
    enum err_code code = record_fold(k->record);
    if (code == ERR_OK)
        code = record_rows(k->record, fresh, ret);
    if (code == ERR_OK)
        return ERR_OK;
    arena_fini(fresh);
    return err_set(e, code, "out of memory for a record");
}

static void keep_rows(struct kept_record *k, const struct arena *fresh, const struct row_list *rows)
{
    arena_fini(&k->arena);
    k->arena = *fresh;
    k->rows = *rows;
    k->rows.arena = &k->arena;
}

// Reads it without what no longer matters. Its rows are the same, but they point into the record.
static enum err_code shorten(struct records *r, struct kept_record *k, struct err *e)
{
    struct arena fresh;
    struct row_list rows;
    size_t count = record_count(k->record), past = 0;
    enum err_code code = record_past_move(r->tables, k->number, k->record, &past, e);
    if (code || past == 0) {
        k->long_from = count + RECORD_LAST;
        return code;
    }
    struct record *whole = k->record;
    k->record = NULL;
    code = read_record(r, k, e);
    if (code == ERR_OK)
        code = fold_rows(k, &fresh, &rows, e);
    if (code == ERR_OK)
        keep_rows(k, &fresh, &rows);
    record_free(whole);
    return code;
}

static enum err_code flush_one(struct records *r, struct kept_record *k, struct err *e)
{
    struct arena fresh;
    struct row_list rows;
    enum err_code code = k->record ? ERR_OK : read_record(r, k, e);
    if (code == ERR_OK && !k->written)
        code = read_rows(r, k, e);
    if (code == ERR_OK)
        code = fold_rows(k, &fresh, &rows, e);
    if (code)
        return code;
    code = write_difference(r, k, &rows, e);
    keep_rows(k, &fresh, &rows);
    k->written = true;
    k->touched = false;
    bool is_long = record_count(k->record) > k->long_from && k->reducer->stands != NULL;
    return code || !is_long ? code : shorten(r, k, e);
}

enum err_code records_flush(struct records *r, struct err *e)
{
    enum err_code code = ERR_OK;
    size_t n = 0;
    struct kept_record *next;
    for (struct kept_record *k = r->kept; k != NULL && code == ERR_OK; k = next) {
        next = k->next;
        if (k->touched)
            code = flush_one(r, k, e);
        if (++n > RECORDS_KEPT)
            let_go(r, k);
    }
    r->chain_touched = r->chain_touched && code != ERR_OK;
    return code;
}
