// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/verify_tables.h"

#include "store/sqlite/rows.h"
#include "store/sqlite/text.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#define WALK_MAX_BYTES ((size_t)16 * LIMIT_RECORD_BYTES) // of one record, with what is folded
enum {
    WORTH_A_THREAD = 10000, // events
    NOTE_EVERY = 1024,
    WHOLE = 1000,
    CACHE_KIB = 16384,
    MAP_MIB = 256,
    TRIES = 3,
};

// What it does, in this order; of each how much it takes, about.
enum part { TICKETS, LINES, PAYMENTS, IDS, APART, WALK, ROWS, INDEXES, TOTALS, PART_COUNT };
static const int64_t part_ends[PART_COUNT] = {100, 250, 300, 350, 351, 700, 800, 950, WHOLE};

static void note_part(struct verify_tables *t, enum part part, int64_t at, int64_t of)
{
    int64_t from = part > 0 ? part_ends[part - 1] : 0, width = part_ends[part] - from;
    int64_t done = of <= 0 || at <= 0 ? 0
                   : at >= of         ? width
                                      : width * (at / (of / WHOLE + 1)) / WHOLE;
    __atomic_store_n(&t->parts, (unsigned)(from + done), __ATOMIC_RELAXED);
    if (!t->beside && t->noted != NULL)
        t->noted(t->context);
}

// ---- rows --------------------------------------------------------------------------------------

static enum err_code sum_rows(struct verify_tables *t, struct tally *to, const char *table,
                              const char *sql, struct err *e)
{
    sqlite3_stmt *each = NULL;
    int result = sqlite3_prepare_v2(t->db->handle, sql, -1, &each, NULL);
    while (result == SQLITE_OK || result == SQLITE_ROW) {
        result = sqlite3_step(each);
        if (result == SQLITE_ROW)
            tally_statement(to, table, each);
    }
    enum err_code code = db_error(t->db, result, e);
    sqlite3_finalize(each);
    return code;
}

// Tables of what an event holds by itself: its row comes first, as in the journal.
static enum err_code sum_tickets(struct verify_tables *t, enum part part, struct err *e)
{
    static const struct {
        const char *table;
        enum db_statement rows;
    } tables[] = {{"tickets", Q_TICKETS_ALL},
                  {"ticket_lines", Q_LINES_ALL},
                  {"ticket_payments", Q_PAYMENTS_ALL}};
    struct query q;
    unsigned rows = 0;
    query_begin(&q, t->db, tables[part].rows);
    while (query_row(&q)) {
        tally_statement(&t->tally, tables[part].table, q.statement);
        if (++rows % NOTE_EVERY == 0)
            note_part(t, part, query_get_int(&q, 0), t->lsn_max);
    }
    return query_end(&q, e);
}

static bool leads_to(struct verify_tables *t, int64_t key, const struct uuid *id)
{
    enum { PROBES = 64 }; // an id that was carried more often is looked at no further
    for (int i = 0; i < PROBES; i++) {
        if (ids_key(&t->s->fold.ids, id, i) == key)
            return true;
    }
    return false;
}

// A row of the index that is not in the sum: whether the row it names has such an id.
static enum err_code look_up(struct verify_tables *t, int64_t key, int64_t lsn, struct err *e)
{
    struct query q;
    struct uuid id;
    t->looked_up += lsn <= t->census->ids_until;
    query_begin(&q, t->db, Q_ID_OF_ROW);
    query_int(&q, lsn);
    bool right = query_row(&q) && query_get_uuid(&q, 0, &id) && leads_to(t, key, &id);
    t->wrong = t->wrong || !right;
    return query_end(&q, e);
}

static enum err_code sum_ids(struct verify_tables *t, struct err *e)
{
    struct query q;
    int64_t before = INT64_MIN;
    enum err_code code = ERR_OK;
    query_begin(&q, t->db, Q_IDS_BARE);
    while (code == ERR_OK && query_row(&q)) {
        int64_t key = query_get_int(&q, 0), lsn = query_get_int(&q, 1);
        t->wrong = t->wrong || key <= before;
        before = key;
        if (census_is_alone(t->census, key, lsn))
            census_put_id(&t->tally, key, lsn);
        else
            code = look_up(t, key, lsn, e);
    }
    enum err_code end = query_end(&q, code ? NULL : e);
    return code ? code : end;
}

// Of the journal's own index: its rows are those of the table, and in its order.
static enum err_code sum_apart(struct verify_tables *t, struct err *e)
{
    struct query q;
    int64_t stream = INT64_MIN, seq = INT64_MIN;
    query_begin(&q, t->db, Q_APART_ALL);
    while (query_row(&q)) {
        int64_t at[] = {query_get_int(&q, 0), query_get_int(&q, 1)};
        t->wrong = t->wrong || at[0] < stream || (at[0] == stream && at[1] < seq);
        stream = at[0];
        seq = at[1];
        census_apart(&t->tally, stream, seq, query_get_int(&q, 2));
    }
    return query_end(&q, e);
}

// ---- folded records ----------------------------------------------------------------------------

// The record at hand, from the first of its events to the last.
struct walk {
    int64_t number;
    char location[LIMIT_NAME + 1], id[LIMIT_NAME + 1];
    const struct reducer *reducer;
    struct record *record; // NULL: none is at hand
    size_t bytes;
    struct arena event, rows;
    struct tally given;
};

static bool is_full(const struct walk *w)
{
    return w->bytes > records_limit(w->reducer);
}

static enum err_code end_record(struct verify_tables *t, struct walk *w)
{
    struct row_list rows;
    if (w->record == NULL)
        return ERR_OK;
    enum err_code code = record_fold(w->record);
    arena_reset(&w->rows);
    if (code == ERR_OK)
        code = record_rows(w->record, &w->rows, &rows);
    for (size_t i = 0; code == ERR_OK && i < rows.count; i++)
        tally_row(&w->given, str_of(w->location), &rows.items[i]);
    t->wrong = t->wrong || is_full(w); // whether it was depends on when
    record_free(w->record);
    w->record = NULL;
    return code;
}

static enum err_code begin_record(struct walk *w, struct query *q, struct err *e)
{
    w->number = query_get_int(q, 0);
    w->reducer = reducer_find(query_get_text(q, 2));
    w->bytes = 0;
    if (w->reducer == NULL || str_copy(w->location, sizeof w->location, query_get_text(q, 1)) ||
        str_copy(w->id, sizeof w->id, query_get_text(q, 3)))
        return err_set(e, ERR_DAMAGED, "a record has no such name");
    return record_new(w->reducer, str_of(w->id), WALK_MAX_BYTES, &w->record);
}

static enum err_code add_event(struct verify_tables *t, struct walk *w, struct query *q,
                               struct err *e)
{
    enum { LSN = 4, TOLD, JOURNAL };
    struct event event;
    int64_t lsn = query_get_int(q, LSN);
    struct record_name name = {str_of(w->location), str_of(w->reducer->record_type), str_of(w->id)};
    census_listed(&t->tally, &name, lsn, 1);
    arena_reset(&w->event);
    struct str bytes = lsn < 0 ? query_get_text(q, TOLD) : text_get(q, JOURNAL, &w->event);
    if (bytes.p == NULL)
        return err_set(e, ERR_DAMAGED, "a record names a row that is not there");
    enum err_code code = event_parse(bytes, &w->event, &event, e);
    if (code || event.type == NULL)
        return code;
    w->bytes += event.bytes.n;
    if (is_full(w))
        return ERR_OK;
    return records_join(w->record, &event, lsn < 0, e);
}

static enum err_code last_record(struct verify_tables *t, int64_t *ret, struct err *e)
{
    struct query q;
    query_begin(&q, t->db, Q_RECORD_LAST);
    *ret = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_end(&q, e);
}

static enum err_code walk_all(struct verify_tables *t, struct walk *w, struct err *e)
{
    struct query q;
    int64_t last = 0;
    enum err_code code = last_record(t, &last, e);
    if (code)
        return code;
    query_begin(&q, t->db, Q_RECORDS_WALK);
    while (code == ERR_OK && query_row(&q)) {
        if (w->record == NULL || query_get_int(&q, 0) != w->number) {
            code = end_record(t, w);
            if (code == ERR_OK)
                code = begin_record(w, &q, e);
            note_part(t, WALK, w->number, last);
        }
        if (code == ERR_OK && !query_is_null(&q, 4))
            code = add_event(t, w, &q, e);
    }
    enum err_code end = query_end(&q, code ? NULL : e);
    code = code ? code : end;
    return code ? code : end_record(t, w);
}

static enum err_code walk_records(struct verify_tables *t, struct err *e)
{
    struct walk w = {.record = NULL};
    tally_init(&w.given, &t->tally.key);
    arena_init(&w.event, WALK_MAX_BYTES);
    arena_init(&w.rows, WALK_MAX_BYTES);
    enum err_code code = walk_all(t, &w, e);
    t->records.sum += w.given.sum;
    t->records.failed = t->records.failed || w.given.failed;
    record_free(w.record);
    arena_fini(&w.event);
    arena_fini(&w.rows);
    tally_fini(&w.given);
    return code;
}

static enum err_code sum_records(struct verify_tables *t, struct err *e)
{
    struct buf sql;
    struct tally held;
    enum err_code code = ERR_OK;
    buf_init(&sql, 4096);
    tally_init(&held, &t->tally.key);
    for (size_t i = 0; i < reducer_count && code == ERR_OK; i++) {
        const struct row_table *const *tables = reducers[i]->tables;
        note_part(t, ROWS, (int64_t)i, (int64_t)reducer_count);
        for (size_t n = 0; tables[n] != NULL && code == ERR_OK; n++) {
            if (reducer_declared_before(i, tables[n]))
                continue;
            buf_reset(&sql);
            code = row_store_select(tables[n], &sql);
            if (code == ERR_OK)
                code = buf_append(&sql, "", 1); // ends with NUL
            code = code ? err_set(e, code, "out of memory for a statement")
                        : sum_rows(t, &held, tables[n]->name, sql.data, e);
        }
    }
    t->records.sum -= held.sum;
    t->records.failed = t->records.failed || held.failed;
    tally_fini(&held);
    buf_fini(&sql);
    return code;
}

// ---- totals ----------------------------------------------------------------------------------

// Of SPLIT_SUM.
static __int128 query_get_sum(struct query *q, int column)
{
    return (__int128)query_get_int(q, column) * (INT64_C(1) << 32) + query_get_int(q, column + 1);
}

// Tickets of one currency with other places follow each other, fewer places first.
static enum err_code add_total(struct query *q, struct arena *a, size_t *room,
                               struct store_verdict *to)
{
    enum { PLACES_MAX = 4 };
    int64_t places = query_get_int(q, 1);
    struct currency_total total = {.amount = query_get_sum(q, 3)};
    if (places > 0) // an edit may say anything; that it is one was told by then
        total.places = places < PLACES_MAX ? (int)places : PLACES_MAX;
    if (str_copy(total.currency, sizeof total.currency, query_get_text(q, 0)))
        total.currency[0] = '\0';
    struct currency_total *last = to->value_count > 0 ? &to->value[to->value_count - 1] : NULL;
    if (last != NULL && strcmp(last->currency, total.currency) == 0) {
        for (; last->places < total.places; last->places++)
            last->amount *= 10;
        last->amount += total.amount;
        return ERR_OK;
    }
    struct currency_total *wider = rows_grow(a, to->value, to->value_count, room, sizeof total);
    if (wider == NULL)
        return ERR_NO_MEMORY;
    to->value = wider;
    wider[to->value_count++] = total;
    return ERR_OK;
}

enum err_code verify_tables_totals(struct db *db, struct arena *a, struct store_verdict *to,
                                   struct err *e)
{
    struct query q;
    size_t room = 0;
    enum err_code memory = ERR_OK;
    query_begin(&q, db, Q_TICKET_TOTALS);
    while (memory == ERR_OK && query_row(&q)) {
        to->tickets += query_get_u64(&q, 2);
        memory = add_total(&q, a, &room, to);
    }
    enum err_code code = query_end(&q, e);
    if (code || memory)
        return code ? code : err_set(e, memory, "out of memory for totals");
    query_begin(&q, db, Q_LINE_TOTALS);
    if (query_row(&q)) {
        to->lines = query_get_u64(&q, 0);
        to->quantity = query_get_sum(&q, 1);
    }
    return query_end(&q, e);
}

// ---- all of it ---------------------------------------------------------------------------------

static enum err_code check_indexes(struct verify_tables *t, struct err *e)
{
    struct query q;
    query_begin(&q, t->db, Q_INDEXES_BROKEN);
    query_text(&q, STR("events"));
    t->wrong = query_row(&q) || t->wrong;
    return query_end(&q, e);
}

static enum err_code do_part(struct verify_tables *t, enum part part, struct err *e)
{
    switch (part) {
    case TICKETS:
    case LINES:
    case PAYMENTS:
        return sum_tickets(t, part, e);
    case IDS:
        return sum_ids(t, e);
    case APART:
        return sum_apart(t, e);
    case WALK:
        return walk_records(t, e);
    case ROWS:
        return sum_records(t, e);
    case INDEXES:
        return check_indexes(t, e);
    case TOTALS:
        return verify_tables_totals(t->db, t->arena, &t->totals, e);
    case PART_COUNT:
        break;
    }
    return ERR_OK;
}

static void do_all(struct verify_tables *t)
{
    for (enum part part = 0; part < PART_COUNT && t->code == ERR_OK; part++) {
        t->code = do_part(t, part, &t->err);
        note_part(t, part, WHOLE, WHOLE);
    }
    if (t->beside && t->code == ERR_OK)
        t->code = refold_ahead(t->refold, t->db, &t->err);
    __atomic_store_n(&t->done, true, __ATOMIC_RELEASE);
}

static void *run(void *context)
{
    do_all(context);
    return NULL;
}

// ---- the second connection ---------------------------------------------------------------------

static enum err_code read_version(struct db *db, int64_t *ret, struct err *e)
{
    struct query q;
    query_begin(&q, db, Q_DATA_VERSION);
    *ret = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_end(&q, e);
}

static enum err_code begin_reading(struct db *db, int64_t *ret_version, struct err *e)
{
    enum err_code code = db_exec(db, "BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1", e);
    return code ? code : read_version(db, ret_version, e);
}

// The store's own connection says whether anybody committed since it was asked before: where nobody
// did, what began to be read in between is the same.
static bool begin_both(struct verify_tables *t)
{
    for (int i = 0; i < TRIES; i++) {
        int64_t before = 0, after = 0, other = 0;
        bool begun = read_version(&t->s->db, &before, NULL) == ERR_OK &&
                     begin_reading(&t->own, &other, NULL) == ERR_OK &&
                     begin_reading(&t->s->db, &after, NULL) == ERR_OK;
        if (begun && before == after)
            return true;
        db_undo(&t->own);
        db_undo(&t->s->db);
        if (!begun)
            return false;
    }
    return false;
}

static bool open_own(struct verify_tables *t)
{
    char path[PATH_MAX], sql[96];
    int n = snprintf(path, sizeof path, "%s/wasl.db", t->s->dir);
    (void)snprintf(sql, sizeof sql, "PRAGMA cache_size = -%d; PRAGMA mmap_size = %lld", CACHE_KIB,
                   (long long)MAP_MIB * 1024 * 1024);
    return n > 0 && (size_t)n < sizeof path &&
           db_open(&t->own, path, SQLITE_OPEN_READONLY, NULL) == ERR_OK &&
           db_exec(&t->own, sql, NULL) == ERR_OK;
}

enum err_code verify_tables_open(struct verify_tables *t, struct store *s, struct arena *arena,
                                 struct err *e)
{
    int64_t version = 0;
    *t = (struct verify_tables){.s = s, .db = &s->db, .lsn_max = s->last_lsn, .arena = arena};
    bool alone = !s->in_transaction;
    if (alone && s->last_lsn >= WORTH_A_THREAD && open_own(t) && begin_both(t)) {
        t->db = &t->own;
        return ERR_OK;
    }
    db_close(&t->own);
    return alone ? begin_reading(&s->db, &version, e) : ERR_OK;
}

enum err_code verify_tables_start(struct verify_tables *t, struct refold *r, struct err *e)
{
    t->refold = r;
    t->census = r->fold.census;
    tally_init(&t->tally, &t->census->tally.key);
    tally_init(&t->records, &t->census->tally.key);
    t->beside = t->own.handle != NULL;
    if (!t->beside)
        return ERR_OK;
    t->running = pthread_create(&t->thread, NULL, run, t) == 0;
    return t->running ? ERR_OK : err_set(e, ERR_NO_MEMORY, "out of threads for a check");
}

unsigned verify_tables_part(const struct verify_tables *t)
{
    return __atomic_load_n(&t->parts, __ATOMIC_RELAXED);
}

bool verify_tables_is_done(const struct verify_tables *t)
{
    return __atomic_load_n(&t->done, __ATOMIC_ACQUIRE);
}

static void join(struct verify_tables *t)
{
    if (t->running)
        MUST(pthread_join(t->thread, NULL) == 0);
    t->running = false;
}

enum err_code verify_tables_end(struct verify_tables *t, struct err *e)
{
    if (!t->running)
        do_all(t);
    join(t);
    if (t->code)
        return err_set(e, t->code, "%s", t->err.text);
    return t->tally.failed || t->records.failed ? err_set(e, ERR_NO_MEMORY, "out of memory")
                                                : ERR_OK;
}

void verify_tables_fini(struct verify_tables *t)
{
    if (t->running)
        sqlite3_interrupt(t->own.handle);
    join(t);
    tally_fini(&t->tally);
    tally_fini(&t->records);
    db_undo(&t->own);
    db_close(&t->own);
}
