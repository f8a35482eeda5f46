// SPDX-License-Identifier: Apache-2.0
//
// Chains and gaps are checked while the journal is read. What a fresh fold of it gives is summed up
// (census.h) and compared with the sums of what the tables hold (verify_tables.h); few tables,
// which the fold asks for again, are folded into a scratch database and compared row by row.
//
// That says whether all is well. Where anything is not, the journal is read again, all of it is
// folded into the scratch database, and the first row that differs is named:
//
//   begin ── by sums ──► sound ──► verdict
//               |                    ^
//               +── anything ── row by row
#include "store/sqlite/migrate.h"
#include "store/sqlite/refold.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/verify_tables.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

// What must be alike: not versions, generations and times, which depend on the arrival.
static const struct {
    const char *name;
    const char *sql;
    bool summed; // compared by sums where all is well
} compared[] = {
    {"tickets",
     "SELECT lsn, location, id, event_id, kind, number, till, customer, currency,"
     " places, total, at, line_count, shift FROM tickets ORDER BY lsn",
     true},
    {"ticket_lines",
     "SELECT ticket, number, sku, name, quantity, unit_price, amount, catalog"
     " FROM ticket_lines ORDER BY ticket, number",
     true},
    {"ticket_payments",
     "SELECT ticket, number, method, currency, amount FROM ticket_payments"
     " ORDER BY ticket, number",
     true},
    {"locations", "SELECT id, name, region, lsn FROM locations WHERE lsn IS NOT NULL ORDER BY id"},
    {"devices", "SELECT hex(id), location, role, name, key, revoked, lsn FROM devices"
                " WHERE lsn IS NOT NULL ORDER BY id"},
    {"claims", "SELECT kind, location, record, rank, lsn FROM claims"
               " ORDER BY kind, location, record, rank"},
    {"runs", "SELECT hex(origin), device, location, predecessor, lsn FROM runs ORDER BY origin"},
    {"run_heads", "SELECT hex(origin), lane, seq, hash, lsn FROM run_heads"
                  " ORDER BY origin, lane, seq, lsn"},
    {"revocations", "SELECT hex(device), lsn, revocation, part, parts FROM revocations"
                    " ORDER BY device, lsn"},
    {"revoked_heads", "SELECT lsn, hex(origin), lane, seq FROM revoked_heads"
                      " ORDER BY lsn, origin, lane"},
    {"withheld", "SELECT hex(device), events FROM withheld ORDER BY device"},
    {"judgements", "SELECT location, hex(target), lsn, outcome, reason, term, answer, batch, hlc,"
                   " origin, lane, seq, id FROM judgements ORDER BY location, target, lsn"},
    {"record_events",
     "SELECT r.location, r.id, r.type, m.lsn FROM (SELECT record, lsn FROM record_events"
     " UNION ALL SELECT record, lsn FROM record_past) AS m JOIN records AS r"
     " ON r.number = m.record ORDER BY r.location, r.type, r.id, m.lsn",
     true},
    {"catalog_versions", "SELECT version, count, hash, computed, changed, note, published_at,"
                         " published_by, hex(event_id), lsn FROM catalog_versions"
                         " ORDER BY version"},
    {"stock", "SELECT location, sku, quantity, moves FROM stock ORDER BY location, sku"},
};

// ---- tables ------------------------------------------------------------------------------------

static bool same_value(sqlite3_stmt *a, sqlite3_stmt *b, int column)
{
    int type = sqlite3_column_type(a, column);
    if (type != sqlite3_column_type(b, column))
        return false;
    if (type == SQLITE_INTEGER)
        return sqlite3_column_int64(a, column) == sqlite3_column_int64(b, column);
    const void *x = sqlite3_column_blob(a, column), *y = sqlite3_column_blob(b, column);
    int n = sqlite3_column_bytes(a, column);
    return n == sqlite3_column_bytes(b, column) && (n == 0 || memcmp(x, y, (size_t)n) == 0);
}

static bool same_row(sqlite3_stmt *a, sqlite3_stmt *b)
{
    for (int i = 0; i < sqlite3_column_count(a); i++) {
        if (!same_value(a, b, i))
            return false;
    }
    return true;
}

// The first row in which two result sets differ is told by its first two columns.
static enum err_code compare(struct refold *r, struct db *scratch, const char *name,
                             const char *sql, struct err *e)
{
    sqlite3_stmt *a = NULL, *b = NULL;
    int in_a = sqlite3_prepare_v2(r->s->db.handle, sql, -1, &a, NULL);
    int in_b = sqlite3_prepare_v2(scratch->handle, sql, -1, &b, NULL);
    enum err_code code = db_error(&r->s->db, in_a, e);
    if (code == ERR_OK)
        code = db_error(scratch, in_b, e);
    bool same = true;
    while (code == ERR_OK && same) {
        in_a = sqlite3_step(a);
        in_b = sqlite3_step(b);
        if (in_a != SQLITE_ROW && in_b != SQLITE_ROW)
            break;
        same = in_a == in_b && same_row(a, b);
    }
    if (code == ERR_OK && same)
        code = db_error(&r->s->db, in_a, e);
    if (code == ERR_OK && !same) {
        sqlite3_stmt *there = in_a == SQLITE_ROW ? a : b;
        const unsigned char *first = sqlite3_column_text(there, 0);
        const unsigned char *second = sqlite3_column_text(there, 1);
        r->equal = false;
        refold_problem(r, "%s: not what the journal gives, at %.64s, %.64s", name,
                       first ? (const char *)first : "", second ? (const char *)second : "");
    }
    sqlite3_finalize(a);
    sqlite3_finalize(b);
    return code;
}

// On a device the view of a SKU is what the feed confirmed and what it does not yet include.
static enum err_code compare_view(struct refold *r, struct err *e)
{
    struct query q;
    struct delta_map overlay;
    delta_map_init(&overlay);
    enum err_code code = refold_overlay(r, &overlay, e);
    size_t left = overlay.count, at = 0;
    struct delta **sorted = delta_map_sort(&overlay);
    query_begin(&q, &r->s->db, Q_STOCK_VIEW);
    while (code == ERR_OK && r->equal && query_row(&q)) {
        struct str location = query_get_text(&q, 0), sku = query_get_text(&q, 1);
        uint64_t wanted = (uint64_t)query_get_int(&q, 3);
        if (at < left && str_equal(sorted[at]->location, location) &&
            str_equal(sorted[at]->sku, sku))
            wanted += (uint64_t)sorted[at++]->quantity;
        if (wanted != (uint64_t)query_get_int(&q, 2)) {
            r->equal = false;
            refold_problem(r, "stock: not what feed and journal give, at %.*s, %.*s",
                           STR_ARG(location), STR_ARG(sku));
        }
    }
    enum err_code end = query_end(&q, code ? NULL : e);
    if (code == ERR_OK && end == ERR_OK && r->equal && at < left) {
        r->equal = false;
        refold_problem(r, "stock: a row is missing, at %.*s, %.*s", STR_ARG(sorted[at]->location),
                       STR_ARG(sorted[at]->sku));
    }
    delta_map_fini(&overlay);
    return code ? code : end;
}

// Tables of folded records, as they are declared.
static enum err_code compare_records(struct refold *r, struct db *scratch, struct err *e)
{
    struct buf sql;
    enum err_code code = ERR_OK;
    buf_init(&sql, 4096);
    for (size_t i = 0; i < reducer_count && code == ERR_OK; i++) {
        const struct row_table *const *tables = reducers[i]->tables;
        for (size_t t = 0; tables[t] != NULL && code == ERR_OK; t++) {
            if (reducer_declared_before(i, tables[t]))
                continue;
            buf_reset(&sql);
            code = row_store_select(tables[t], &sql);
            if (code == ERR_OK)
                code = buf_append(&sql, "", 1); // ends with NUL
            code = code ? err_set(e, code, "out of memory for a statement")
                        : compare(r, scratch, tables[t]->name, sql.data, e);
        }
    }
    buf_fini(&sql);
    return code;
}

// At the centre the rows of every version, and the one that is shown, follow from the journal; and
// each version's event told the hash that its drafts gave.
static enum err_code compare_catalog(struct refold *r, struct db *scratch, struct err *e)
{
    char sql[128];
    struct query q;
    enum err_code code =
        compare(r, scratch, "catalog_state",
                "SELECT version, edition, floor, hash, count, sum FROM catalog_state", e);
    for (int i = 0; i < CATALOG_KIND_COUNT && code == ERR_OK; i++) {
        const char *table = catalog_kinds[i].table->name;
        (void)snprintf(sql, sizeof sql, "SELECT * FROM %s ORDER BY id, edition", table);
        code = compare(r, scratch, table, sql, e);
    }
    if (code)
        return code;
    query_begin(&q, scratch, Q_CATALOG_VERSION_WRONG);
    if (query_row(&q)) {
        r->equal = false;
        refold_problem(r, "catalog: version %lld is not what its drafts give",
                       (long long)query_get_int(&q, 0));
    }
    return query_end(&q, e);
}

// On a device: what is shown is what was published.
static enum err_code check_catalog(struct refold *r, struct err *e)
{
    struct catalog_check check = {.rows = 0};
    enum err_code code = ERR_OK;
    while (code == ERR_OK && !check.at.done)
        code = store_catalog_check(r->s, &check, e);
    if (code == ERR_OK && !check.sound) {
        r->equal = false;
        refold_problem(r, "catalog: version %llu is not what was published",
                       (unsigned long long)check.found.number);
    }
    return code;
}

static enum err_code compare_tables(struct refold *r, struct db *scratch, struct err *e)
{
    enum err_code code = ERR_OK;
    size_t count = sizeof compared / sizeof compared[0];
    bool device = r->s->role != ROLE_CENTRAL, summed = r->fold.census != NULL;
    for (size_t i = 0; i < count && code == ERR_OK; i++) {
        if ((!device || i + 1 < count) && !(summed && compared[i].summed))
            code = compare(r, scratch, compared[i].name, compared[i].sql, e);
    }
    if (code == ERR_OK && !summed)
        code = compare_records(r, scratch, e);
    if (code == ERR_OK)
        code = device ? check_catalog(r, e) : compare_catalog(r, scratch, e);
    return code == ERR_OK && device ? compare_view(r, e) : code;
}

// ---- ids, states, seals ------------------------------------------------------------------------

static bool key_leads_to(struct refold *r, int64_t key, const struct uuid *id)
{
    enum { PROBES = 64 }; // an id that was carried more often is looked at no further
    for (int i = 0; i < PROBES; i++) {
        if (ids_key(&r->fold.ids, id, i) == key)
            return true;
    }
    return false;
}

static enum err_code check_ids(struct refold *r, struct err *e)
{
    struct query q;
    struct uuid id;
    uint64_t count = 0;
    query_begin(&q, &r->s->db, Q_IDS_ALL);
    while (query_row(&q)) {
        count += query_get_int(&q, 1) <= r->ids_until; // beyond it some may be missing
        if (query_get_uuid(&q, 2, &id) && key_leads_to(r, query_get_int(&q, 0), &id))
            continue;
        r->equal = false;
        refold_problem(r, "event_ids: row %lld is not found by its id",
                       (long long)query_get_int(&q, 1));
    }
    if (count != r->ids) {
        r->equal = false;
        refold_problem(r, "event_ids: %llu rows for %llu ids", (unsigned long long)count,
                       (unsigned long long)r->ids);
    }
    return query_end(&q, e);
}

static enum err_code check_extent_count(struct refold *r, struct err *e)
{
    struct query q;
    query_begin(&q, &r->s->db, Q_EXTENTS_COUNT);
    if (query_row(&q) && query_get_u64(&q, 0) != r->extents) {
        r->equal = false;
        refold_problem(r, "extents: %llu rows, the journal gives %llu",
                       (unsigned long long)query_get_u64(&q, 0), (unsigned long long)r->extents);
    }
    return query_end(&q, e);
}

// A row set apart by the fold must say so, and no other may; what a notice says stands.
static enum err_code check_states(struct refold *r, struct store_verdict *to, struct err *e)
{
    struct query q;
    enum err_code code = ERR_OK;
    size_t span = (size_t)(r->lsn_max - r->lsn_min) + 1;
    for (size_t i = 0; i < span && r->span > 0; i++) {
        uint8_t state = r->states[i], stored = r->stored[i];
        bool apart = state > ROW_PENDING;
        to->duplicates += state == ROW_DUPLICATE || state == ROW_ID_CONFLICT;
        if (apart ? stored == state : stored <= ROW_PENDING || stored == ROW_REVIEW)
            continue;
        query_begin(&q, &r->s->db, Q_NOTICE_FIND);
        query_int(&q, (int64_t)i + r->lsn_min);
        bool noted = query_row(&q) && query_get_int(&q, 0) == stored;
        code = query_end(&q, e);
        if (code)
            return code;
        if (!noted) {
            r->equal = false;
            refold_problem(r, "row %lld: its status is not what the fold gives",
                           (long long)i + r->lsn_min);
        }
    }
    to->events = r->done - to->duplicates;
    return code;
}

static bool meta_uuid(struct store *s, const char *name, struct arena *a, struct uuid *ret)
{
    struct str text = STR("");
    return store_meta_get(s, name, a, &text, NULL) == ERR_OK && uuid_parse(text, ret) == ERR_OK;
}

// The key that must have signed a stream: this node's own, or that of an enrolled device.
static bool key_of(struct store *s, const struct stream_info *info, struct sign_public *ret)
{
    static const struct sign_public none;
    struct device_record device;
    if (info->own) {
        *ret = s->key;
        return s->key_known;
    }
    if (store_device_find(s, &info->device, &device) == ERR_OK &&
        memcmp(device.key.b, none.b, sizeof none.b) != 0) {
        *ret = device.key;
        return true;
    }
    return false;
}

static bool seal_holds(const struct refold_stream *stream, const struct uuid *chain,
                       const struct sign_public *key)
{
    const struct seal seal = {stream->info.key, stream->seal, stream->signature};
    if (stream->seal.seq == 0)
        return true;
    bool known = stream->seal.seq >= stream->base.mark.seq && stream->seal.seq <= stream->at.seq;
    if (known && !hash_equal(&stream->seal_chain, &stream->seal.hash))
        return false;
    return key == NULL || seal_verify(&seal, chain, key);
}

// What a device signed: that the stream is its own and stands at this place, and the seal. Without
// one nothing of a device's is settled at the centre.
static void check_signatures(struct refold *r, struct arena *a)
{
    struct uuid chain;
    bool chain_known = meta_uuid(r->s, "chain", a, &chain);
    for (int64_t i = 0; i <= r->stream_max; i++) {
        const struct refold_stream *stream = &r->streams[i];
        const struct stream_info *info = &stream->info;
        struct sign_public key;
        if (!stream->known)
            continue;
        bool signed_by = chain_known && key_of(r->s, info, &key);
        const char *wrong = NULL;
        bool received = chain_known && !info->own && r->s->role != ROLE_TERMINAL;
        if (!seal_holds(stream, &chain, signed_by ? &key : NULL))
            wrong = "its seal does not hold";
        else if (signed_by && !certificate_verify(&info->certificate, &chain, &key))
            wrong = "its certificate is not its device's";
        else if (received && !signed_by)
            wrong = "nobody was enrolled as its device";
        else if (received && info->settled.seq > stream->seal.seq)
            wrong = "more of it is settled than was sealed";
        if (wrong == NULL)
            continue;
        r->chain_errors++;
        refold_problem(r, "stream %lld: %s", (long long)i, wrong);
    }
}

// Only this device's own word counts for what it does not keep.
static void check_bases(struct refold *r, struct arena *a)
{
    struct uuid chain;
    bool chain_known = meta_uuid(r->s, "chain", a, &chain);
    for (int64_t i = 0; i <= r->stream_max; i++) {
        const struct refold_stream *stream = &r->streams[i];
        struct sign_public key;
        if (!stream->known || stream->base.mark.seq == 0)
            continue;
        if (stream->info.own && chain_known && key_of(r->s, &stream->info, &key) &&
            base_verify(&stream->base, &chain, &key))
            continue;
        r->chain_errors++;
        refold_problem(r, "stream %lld: its base at %llu is not signed by this device",
                       (long long)i, (unsigned long long)stream->base.mark.seq);
    }
}

// ---- all ---------------------------------------------------------------------------------------

static enum err_code open_scratch(struct db *scratch, struct err *e)
{
    // An empty name is a database that SQLite keeps in memory while it is small.
    enum err_code code = db_open(scratch, "", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e);
    if (code == ERR_OK)
        code = db_exec(scratch,
                       "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                       "PRAGMA cache_size = -65536",
                       e);
    if (code == ERR_OK)
        code = migrate_fresh(scratch, e);
    return code ? code : db_exec(scratch, "BEGIN", e);
}

// What the fold does not look at: whether each index leads to each row. Of tables that have one:
// to read all of the journal's pages once more would cost what the fold costs.
static enum err_code check_indexes(struct refold *r, struct err *e)
{
    struct query q;
    query_begin(&q, &r->s->db, Q_INDEXES_BROKEN);
    query_text(&q, STR(""));
    if (query_row(&q)) {
        r->equal = false;
        refold_problem(r, "wasl.db: %.*s", STR_ARG(query_get_text(&q, 0)));
    }
    return query_end(&q, e);
}

static enum err_code conclude(struct refold *r, struct arena *a, struct store_verdict *to,
                              struct err *e)
{
    check_signatures(r, a);
    check_bases(r, a);
    to->pruned = r->pruned;
    to->gaps = r->gaps;
    to->chain_errors = r->chain_errors;
    to->refold_equal = r->equal;
    to->first_problem = arena_copy(a, str_of(r->first_problem));
    return to->first_problem.p == NULL ? err_set(e, ERR_NO_MEMORY, "out of memory") : ERR_OK;
}

// ---- row by row --------------------------------------------------------------------------------

static enum err_code check_all(struct refold *r, struct db *scratch, struct arena *a,
                               struct store_verdict *to, struct err *e)
{
    enum err_code code = refold_run(r, e);
    if (code == ERR_OK)
        code = check_states(r, to, e);
    if (code == ERR_OK)
        code = check_ids(r, e);
    if (code == ERR_OK)
        code = refold_check_told(r, e);
    if (code == ERR_OK)
        code = check_extent_count(r, e);
    if (code == ERR_OK)
        code = compare_tables(r, scratch, e);
    if (code == ERR_OK)
        code = check_indexes(r, e);
    if (code == ERR_OK)
        code = verify_tables_totals(&r->s->db, a, to, e);
    return code ? code : conclude(r, a, to, e);
}

// Two readings, and how far they are.
struct told {
    void (*progress)(void *context, uint64_t done, uint64_t total);
    void *context;
    const struct verify_tables *tables; // NULL: the journal alone is read
    bool beside;                        // at the same time
    uint64_t before;                    // told in a reading that is over
    uint64_t done, total;               // of the journal
};

static void tell(struct told *t)
{
    uint64_t done = t->done;
    if (t->tables != NULL) {
        uint64_t other = t->total * verify_tables_part(t->tables) / 1000;
        done = !t->beside ? (done + other) / 2 : done < other ? done : other;
    }
    if (t->progress != NULL)
        t->progress(t->context, t->before + done, t->before + t->total);
}

static void tell_tables(void *context)
{
    tell(context);
}

static void tell_journal(void *context, uint64_t done, uint64_t total)
{
    struct told *t = context;
    t->done = done;
    t->total = total;
    tell(t);
}

static enum err_code row_by_row(struct store *s, struct arena *a, struct told *told,
                                struct store_verdict *ret, struct err *e)
{
    struct db scratch = {.handle = NULL};
    struct refold r = {.s = NULL};
    enum err_code code = open_scratch(&scratch, e);
    if (code == ERR_OK) {
        code = refold_init(&r, s, &scratch, NULL, e);
        r.progress = tell_journal;
        r.context = told;
        if (code == ERR_OK)
            code = check_all(&r, &scratch, a, ret, e);
        refold_fini(&r);
    }
    db_close(&scratch);
    return code;
}

// ---- by sums -----------------------------------------------------------------------------------

static void wait_for(const struct verify_tables *t, struct told *told)
{
    const struct timespec moment = {.tv_nsec = 5000000};
    while (t->running && !verify_tables_is_done(t)) {
        (void)nanosleep(&moment, NULL);
        tell(told);
    }
}

static void compare_sums(struct refold *r, const struct verify_tables *t)
{
    const struct census *c = r->fold.census;
    bool same = !c->lacking && !t->wrong && c->tally.sum == t->tally.sum &&
                c->looked_up == t->looked_up && t->records.sum == 0;
    if (same)
        return;
    r->equal = false;
    refold_problem(r, "the tables are not what the journal gives");
}

// That each index is there which keeps two rows from having one key.
static enum err_code compare_indexes(struct refold *r, struct db *scratch, struct err *e)
{
    return compare(r, scratch, "sqlite_schema",
                   "SELECT name, sql FROM sqlite_schema WHERE type = 'index' ORDER BY name", e);
}

static enum err_code check_sums(struct refold *r, struct verify_tables *t, struct db *scratch,
                                struct told *told, struct err *e)
{
    enum err_code code = refold_run(r, e);
    if (code || r->first_problem[0] != '\0')
        return code;
    wait_for(t, told);
    code = verify_tables_end(t, e);
    if (code)
        return code;
    if (r->fold.census->tally.failed)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a check");
    compare_sums(r, t);
    code = check_states(r, &t->totals, e);
    if (code == ERR_OK)
        code = refold_check_told(r, e);
    if (code == ERR_OK)
        code = check_extent_count(r, e);
    if (code == ERR_OK)
        code = compare_tables(r, scratch, e);
    return code ? code : compare_indexes(r, scratch, e);
}

// *ret is a verdict when ERR_OK comes back and nothing whatever is the matter.
static enum err_code by_sums(struct verify_tables *t, struct told *told, struct store_verdict *ret,
                             struct err *e)
{
    struct db scratch = {.handle = NULL};
    struct refold r = {.s = NULL};
    struct census census = {.lacking = false};
    enum err_code code = open_scratch(&scratch, e);
    if (code == ERR_OK)
        code = census_init(&census, &t->s->db, &t->s->fold.ids, e);
    t->noted = tell_tables;
    t->context = told;
    told->tables = t;
    if (code == ERR_OK)
        code = refold_init(&r, t->s, &scratch, &census, e);
    r.progress = tell_journal;
    r.context = told;
    if (code == ERR_OK)
        code = verify_tables_start(t, &r, e);
    told->beside = t->beside;
    if (code == ERR_OK)
        code = check_sums(&r, t, &scratch, told, e);
    if (code == ERR_OK)
        code = conclude(&r, t->arena, &t->totals, e);
    *ret = t->totals;
    verify_tables_fini(t); // which reads of r until then
    if (r.s != NULL)
        refold_fini(&r);
    census_fini(&census);
    db_close(&scratch);
    return code;
}

static bool is_sound(const struct store_verdict *v)
{
    return v->gaps == 0 && v->chain_errors == 0 && v->refold_equal && v->first_problem.n == 0;
}

enum err_code store_verify(struct store *s, struct arena *a,
                           void (*progress)(void *context, uint64_t done, uint64_t total),
                           void *context, struct store_verdict *ret, struct err *e)
{
    struct verify_tables tables;
    struct store_verdict verdict = {.events = 0};
    struct told told = {.progress = progress, .context = context};
    bool alone = !s->in_transaction;
    // One view of the store for the whole check, whoever writes meanwhile.
    enum err_code code = scope_write_late(s, e);
    if (code == ERR_OK)
        code = verify_tables_open(&tables, s, a, e);
    if (code)
        return code;
    if (by_sums(&tables, &told, &verdict, NULL) || !is_sound(&verdict)) {
        told = (struct told){.progress = progress, .context = context, .before = told.done};
        verdict = (struct store_verdict){.events = 0};
        code = row_by_row(s, a, &told, &verdict, e);
    }
    if (alone)
        db_undo(&s->db);
    if (code == ERR_OK)
        *ret = verdict;
    return code;
}
