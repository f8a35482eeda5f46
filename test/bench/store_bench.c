// SPDX-License-Identifier: Apache-2.0
// Targets T1, T2 and T13: the store beside raw SQLite that writes the same rows, in the same run,
// on the same file system, with the same pragmas. Prints one JSON object a line.
//
// usage: bench_store [--quick] [T1] [T2] [T13]
#include "base/clock.h"
#include "base/hist.h"
#include "base/rng.h"
#include "store/store.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { RUNS = 5, SKUS = 200, TICKET_LINES = 6, ARENA_BYTES = 64 * 1024 * 1024 };

static int batch_events = 2000;
static int bulk_events = 100000;
static int ticket_count = 3000;

static _Noreturn void die(const char *what, const struct err *e)
{
    (void)fprintf(stderr, "bench_store: %s: %s\n", what, e == NULL ? "failed" : e->text);
    exit(1);
}

static void check(enum err_code code, const char *what, const struct err *e)
{
    if (code)
        die(what, e);
}

// ---- events -----------------------------------------------------------------------------------

struct corpus {
    struct stream_key key;
    struct uuid device;
    struct sign_key sign;
    struct uuid chain;
    struct str *bytes;
    size_t count;
    size_t total_bytes;
    struct arena arena;
};

static struct uuid_maker ids;
static struct rng rng;

static struct uuid fresh_id(int64_t now_ms)
{
    uint8_t random[10];
    rng_fill(&rng, random, sizeof random);
    return uuid_make_v7(&ids, (uint64_t)now_ms, random);
}

static size_t sold_body(char *to, size_t size)
{
    int n = snprintf(to, size,
                     "{\"sku\":\"SKU-%05d\",\"quantity\":\"%d\",\"unit_price\":\"%d.25\","
                     "\"currency\":\"USD\"}",
                     (int)rng_below(&rng, SKUS), 1 + (int)rng_below(&rng, 5),
                     1 + (int)rng_below(&rng, 90));
    return (size_t)n;
}

static size_t ticket_body(char *to, size_t size, int lines)
{
    int64_t total = 0;
    size_t n = (size_t)snprintf(to, size,
                                "{\"ticket\":\"BR01-T03-%06d\",\"kind\":\"sale\",\"till\":\"T03\","
                                "\"currency\":\"USD\",\"places\":2,\"lines\":[",
                                (int)rng_below(&rng, 1000000));
    for (int i = 1; i <= lines; i++) {
        int64_t quantity = 1 + (int64_t)rng_below(&rng, 3),
                price = 100 + (int64_t)rng_below(&rng, 900);
        total += quantity * price;
        n += (size_t)snprintf(
            to + n, size - n,
            "%s{\"n\":%d,\"sku\":\"SKU-%05d\",\"name\":\"Item %d\","
            "\"quantity\":\"%lld\",\"unit_price\":\"%lld.%02lld\",\"amount\":%lld}",
            i > 1 ? "," : "", i, (int)rng_below(&rng, SKUS), i, (long long)quantity,
            (long long)(price / 100), (long long)(price % 100), (long long)quantity * price);
    }
    n +=
        (size_t)snprintf(to + n, size - n,
                         "],\"total\":%lld,\"payments\":[{\"method\":\"cash\",\"currency\":\"USD\","
                         "\"amount\":%lld}]}",
                         (long long)total, (long long)total);
    return n;
}

// lines: 0 for inventory_sold.
static void corpus_make(struct corpus *c, size_t count, int lines)
{
    char body[4096];
    struct json json;
    struct buf to;
    int64_t start = clock_wall_ms() - (int64_t)count;
    *c = (struct corpus){.key.lane = LANE_CRITICAL, .count = count};
    arena_init(&c->arena, (size_t)1024 * 1024 * 1024);
    c->key.origin = fresh_id(start);
    c->device = fresh_id(start);
    c->chain = fresh_id(start);
    uint8_t seed[SIGN_SEED_SIZE] = {1};
    sign_key_from_seed(seed, &c->sign);
    c->bytes = arena_alloc(&c->arena, count * sizeof(struct str));
    buf_init(&to, LIMIT_EVENT_BYTES);
    for (size_t i = 0; i < count; i++) {
        char record[40];
        int64_t at = start + (int64_t)i;
        size_t n = lines ? ticket_body(body, sizeof body, lines) : sold_body(body, sizeof body);
        (void)snprintf(record, sizeof record, "BR01-T03-%06zu", i);
        check(json_parse(str_make(body, n), 16, &json, NULL), "body", NULL);
        struct event event = {.version = 1,
                              .id = fresh_id(at),
                              .origin = c->key.origin,
                              .lane = LANE_CRITICAL,
                              .seq = i + 1,
                              .location = STR("BR01"),
                              .type_name = lines ? STR("ticket_recorded") : STR("inventory_sold"),
                              .record_type = lines ? STR("ticket") : STR("stock"),
                              .record_id = lines ? str_of(record) : STR("SKU"),
                              .at = at,
                              .hlc = (hlc)at << 16,
                              .body = json.root};
        buf_reset(&to);
        check(event_write(&event, &to), "event", NULL);
        c->bytes[i] = arena_copy(&c->arena, buf_str(&to));
        c->total_bytes += to.len;
        json_close(&json);
    }
    buf_fini(&to);
}

// ---- folders ----------------------------------------------------------------------------------

struct place {
    char dir[PATH_MAX];
    char file[PATH_MAX]; // the store's
    char raw[PATH_MAX];  // for the baseline
};

static void place_make(struct place *p)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(p->dir, sizeof p->dir, "%s/wasl_bench_XXXXXX", base ? base : "/tmp");
    if (mkdtemp(p->dir) == NULL)
        die("scratch folder", NULL);
    if (snprintf(p->file, sizeof p->file, "%.4000s/wasl.db", p->dir) < 0 ||
        snprintf(p->raw, sizeof p->raw, "%.4000s/raw.db", p->dir) < 0)
        die("path", NULL);
}

static void place_remove(struct place *p)
{
    static const char *const names[] = {"wasl.db",      "wasl.db-wal", "wasl.db-shm", "wasl.lock",
                                        "wasl.ballast", "raw.db",      "raw.db-wal",  "raw.db-shm"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (snprintf(path, sizeof path, "%.4000s/%s", p->dir, names[i]) > 0)
            (void)unlink(path);
    }
    (void)rmdir(p->dir);
}

static struct store *open_store(struct place *p, enum node_role role, const struct corpus *c)
{
    struct store *s = NULL;
    struct err e = {ERR_OK, ""};
    struct store_options options = {.dir = p->dir, .create = true, .role = role};
    check(store_open(&options, &s, &e), "open", &e);
    struct stream_info info = {.key = c->key, .device = c->device, .own = role == ROLE_TERMINAL};
    check(str_copy(info.location, sizeof info.location, STR("BR01")), "location", NULL);
    check(store_stream_add(s, &info, &e), "stream", &e);
    return s;
}

// ---- raw SQLite -------------------------------------------------------------------------------

static sqlite3 *raw_open(const char *file, const char *pragmas)
{
    sqlite3 *db = NULL;
    if (sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
                        NULL) ||
        sqlite3_exec(db, pragmas, NULL, NULL, NULL))
        die(sqlite3_errmsg(db), NULL);
    return db;
}

static void raw_run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL))
        die(sqlite3_errmsg(db), NULL);
}

static sqlite3_stmt *raw_prepare(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL))
        die(sqlite3_errmsg(db), NULL);
    return statement;
}

static void raw_step(sqlite3_stmt *statement)
{
    if (sqlite3_step(statement) != SQLITE_DONE)
        die(sqlite3_errmsg(sqlite3_db_handle(statement)), NULL);
    sqlite3_reset(statement);
}

static double number_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = raw_prepare(db, sql);
    double value = sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_double(statement, 0) : -1;
    sqlite3_finalize(statement);
    return value;
}

// ---- results ----------------------------------------------------------------------------------

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, RUNS, sizeof *values, by_value);
    return values[RUNS / 2];
}

static void report(const char *name, double value, const char *unit, double baseline)
{
    printf("{\"name\":\"%s\",\"value\":%.1f,\"unit\":\"%s\",\"baseline\":%.1f,\"ratio\":%.3f}\n",
           name, value, unit, baseline, baseline > 0 ? value / baseline : 0);
    (void)fflush(stdout);
}

static double seconds_since(int64_t start_us)
{
    return (double)(clock_mono_us() - start_us) / 1e6;
}

// ---- T2 ---------------------------------------------------------------------------------------

// What a centre does with a push: parse, chain, check the seal, append, commit.
static void receive(struct store *s, const struct corpus *c, size_t from, size_t to,
                    struct mark *mark, struct arena *a)
{
    struct err e = {ERR_OK, ""};
    struct store_entry *entries = arena_alloc_zero(a, (to - from) * sizeof *entries);
    struct event *events = arena_alloc(a, (to - from) * sizeof *events);
    int64_t now = clock_wall_ms();
    for (size_t i = from; i < to; i++) {
        struct event *event = &events[i - from];
        check(event_parse(c->bytes[i], a, event, &e), "parse", &e);
        *mark = mark_next(mark, c->bytes[i]);
        entries[i - from] = (struct store_entry){.key = c->key,
                                                 .seq = mark->seq,
                                                 .chain = mark->hash,
                                                 .bytes = c->bytes[i],
                                                 .event = event,
                                                 .status = STATUS_SETTLED,
                                                 .received_at = now};
    }
    struct seal seal = seal_make(&c->sign, &c->chain, &c->key, mark);
    if (!seal_verify(&seal, &c->chain, &c->sign.public_key))
        die("seal", NULL);
    check(store_begin(s, &e), "begin", &e);
    check(store_append(s, entries, to - from, &e), "append", &e);
    check(store_seal_put(s, &seal, &e), "seal", &e);
    check(store_commit(s, &e), "commit", &e);
    arena_reset(a);
}

static double bulk_ours(const struct corpus *c)
{
    struct place p = {0};
    struct arena a;
    struct mark mark = {.seq = 0};
    place_make(&p);
    arena_init(&a, ARENA_BYTES);
    struct store *s = open_store(&p, ROLE_CENTRAL, c);
    int64_t start = clock_mono_us();
    for (size_t i = 0; i < c->count; i += (size_t)batch_events) {
        size_t to = i + (size_t)batch_events < c->count ? i + (size_t)batch_events : c->count;
        receive(s, c, i, to, &mark, &a);
    }
    double seconds = seconds_since(start);
    store_close(s);
    arena_fini(&a);
    place_remove(&p);
    return (double)c->count / seconds;
}

static double bulk_raw(const struct corpus *c)
{
    struct place p = {0};
    place_make(&p);
    sqlite3 *db = raw_open(p.file, "PRAGMA page_size=16384; PRAGMA journal_mode=WAL;"
                                   "PRAGMA synchronous=FULL; PRAGMA secure_delete=OFF;"
                                   "PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456;"
                                   "PRAGMA wal_autocheckpoint=4000;"
                                   "CREATE TABLE raw(lsn INTEGER PRIMARY KEY, id BLOB UNIQUE,"
                                   " payload TEXT)");
    sqlite3_stmt *add = raw_prepare(db, "INSERT INTO raw VALUES(?,?,?)");
    int64_t base = clock_wall_ms();
    int64_t start = clock_mono_us();
    for (size_t i = 0; i < c->count; i++) {
        if (i % (size_t)batch_events == 0)
            raw_run(db, i ? "COMMIT; BEGIN IMMEDIATE" : "BEGIN IMMEDIATE");
        struct uuid id = fresh_id(base + (int64_t)i);
        sqlite3_bind_int64(add, 1, (int64_t)i + 1);
        sqlite3_bind_blob(add, 2, id.b, 16, SQLITE_STATIC);
        sqlite3_bind_text(add, 3, c->bytes[i].p, (int)c->bytes[i].n, SQLITE_STATIC);
        raw_step(add);
    }
    raw_run(db, "COMMIT");
    double seconds = seconds_since(start);
    sqlite3_finalize(add);
    sqlite3_close(db);
    place_remove(&p);
    return (double)c->count / seconds;
}

static void bench_t2(void)
{
    struct corpus c;
    double ours[RUNS], raw[RUNS];
    char name[96];
    corpus_make(&c, (size_t)bulk_events, 0);
    for (int i = 0; i < RUNS; i++) {
        ours[i] = bulk_ours(&c);
        raw[i] = bulk_raw(&c);
    }
    (void)snprintf(name, sizeof name, "T2 bulk append of %zu-byte events, %d a transaction",
                   c.total_bytes / c.count, batch_events);
    report(name, median(ours), "events/s", median(raw));
    arena_fini(&c.arena);
}

// ---- T1 ---------------------------------------------------------------------------------------

// One contender of one run, in turns with the others: what else this machine does meets them alike.
enum { TURN_SALES = 50 };
struct sales {
    struct hist took;
    int64_t us;
};

static void sales_add(struct sales *s, int64_t since_us)
{
    int64_t took = clock_mono_us() - since_us;
    hist_add(&s->took, (uint64_t)took);
    s->us += took;
}

static double sales_rate(const struct sales *s)
{
    return (double)s->took.count * 1e6 / (double)s->us;
}

struct our_till {
    struct place place;
    struct store *s;
    struct arena arena;
    struct buf bytes;
    struct mark mark;
    struct sales sales;
};

static void our_till_open(struct our_till *t, const struct corpus *c)
{
    *t = (struct our_till){.mark = {.seq = 0}};
    place_make(&t->place);
    arena_init(&t->arena, ARENA_BYTES);
    buf_init(&t->bytes, LIMIT_EVENT_BYTES);
    hist_reset(&t->sales.took);
    t->s = open_store(&t->place, ROLE_TERMINAL, c);
    store_lengthen_log(t->s);
}

static void our_till_close(struct our_till *t)
{
    store_close(t->s);
    arena_fini(&t->arena);
    buf_fini(&t->bytes);
    place_remove(&t->place);
}

// What a till does: stamp the event, chain it, append, commit.
static void our_till_sell(struct our_till *t, const struct corpus *c, size_t i)
{
    struct err e = {ERR_OK, ""};
    struct event event;
    int64_t start = clock_mono_us();
    check(event_parse(c->bytes[i], &t->arena, &event, &e), "parse", &e);
    buf_reset(&t->bytes);
    check(event_write(&event, &t->bytes), "write", NULL);
    t->mark = mark_next(&t->mark, buf_str(&t->bytes));
    struct store_entry entry = {.key = c->key,
                                .seq = t->mark.seq,
                                .chain = t->mark.hash,
                                .bytes = buf_str(&t->bytes),
                                .event = &event,
                                .status = STATUS_PENDING,
                                .received_at = clock_wall_ms()};
    check(store_begin(t->s, &e), "begin", &e);
    check(store_append(t->s, &entry, 1, &e), "append", &e);
    check(store_commit(t->s, &e), "commit", &e);
    arena_reset(&t->arena);
    sales_add(&t->sales, start);
}

struct raw_till {
    struct place place;
    struct arena arena;
    struct sales sales;
    sqlite3 *db;
    sqlite3_stmt *begin, *commit, *ticket, *line, *payment, *stock;
};

// The tables that a sale's rows go to, as a till has them, and nothing else. page_bytes 0: as a
// till.
static void raw_till_make(const struct place *p, int page_bytes)
{
    sqlite3 *from = raw_open(p->file, "");
    sqlite3 *to = raw_open(p->raw, "");
    sqlite3_stmt *each = raw_prepare(from, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"
                                           " AND tbl_name IN ('tickets', 'ticket_lines',"
                                           " 'ticket_payments', 'stock') ORDER BY rowid");
    char pragma[64];
    if (page_bytes == 0)
        page_bytes = (int)number_of(from, "PRAGMA page_size");
    (void)snprintf(pragma, sizeof pragma, "PRAGMA page_size=%d", page_bytes);
    raw_run(to, pragma);
    while (sqlite3_step(each) == SQLITE_ROW)
        raw_run(to, (const char *)sqlite3_column_text(each, 0));
    sqlite3_finalize(each);
    sqlite3_close(from);
    sqlite3_close(to);
}

static void raw_till_open(struct raw_till *t, const struct corpus *c, int page_bytes)
{
    *t = (struct raw_till){.db = NULL};
    place_make(&t->place);
    arena_init(&t->arena, ARENA_BYTES);
    hist_reset(&t->sales.took);
    store_close(open_store(&t->place, ROLE_TERMINAL, c)); // for its schema
    raw_till_make(&t->place, page_bytes);
    t->db = raw_open(t->place.raw, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                   "PRAGMA secure_delete=OFF; PRAGMA cache_size=-2048;"
                                   "PRAGMA wal_autocheckpoint=2000");
    t->begin = raw_prepare(t->db, "BEGIN IMMEDIATE");
    t->commit = raw_prepare(t->db, "COMMIT");
    t->ticket = raw_prepare(t->db, "INSERT INTO tickets (lsn, location, id, event_id, kind, number,"
                                   " till, currency, places, total, at, line_count, state,"
                                   " local_version) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,2,1)");
    t->line = raw_prepare(t->db, "INSERT INTO ticket_lines (ticket, number, sku, name, quantity,"
                                 " unit_price, amount) VALUES (?,?,?,?,?,?,?)");
    t->payment = raw_prepare(t->db, "INSERT INTO ticket_payments (ticket, number, method, currency,"
                                    " amount) VALUES (?,?,?,?,?)");
    t->stock = raw_prepare(t->db, "INSERT INTO stock (location, sku, quantity, moves, confirmed)"
                                  " VALUES (?,?,?,1,0) ON CONFLICT DO UPDATE SET"
                                  " quantity = quantity + excluded.quantity,"
                                  " moves = moves + 1, local_version = local_version + 1");
}

static void raw_till_close(struct raw_till *t)
{
    sqlite3_stmt *all[] = {t->begin, t->commit, t->ticket, t->line, t->payment, t->stock};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        sqlite3_finalize(all[i]);
    sqlite3_close(t->db);
    arena_fini(&t->arena);
    place_remove(&t->place);
}

static void bind_str(sqlite3_stmt *statement, int at, struct str text)
{
    sqlite3_bind_text(statement, at, text.p, (int)text.n, SQLITE_STATIC);
}

static void raw_ticket(struct raw_till *t, int64_t row, const struct event *event,
                       const struct effect_ticket *ticket)
{
    sqlite3_bind_int64(t->ticket, 1, row);
    bind_str(t->ticket, 2, event->location);
    bind_str(t->ticket, 3, ticket->id);
    sqlite3_bind_blob(t->ticket, 4, event->id.b, 16, SQLITE_STATIC);
    bind_str(t->ticket, 5, STR("sale"));
    bind_str(t->ticket, 6, ticket->number);
    bind_str(t->ticket, 7, ticket->till);
    bind_str(t->ticket, 8, ticket->currency);
    sqlite3_bind_int(t->ticket, 9, ticket->places);
    sqlite3_bind_int64(t->ticket, 10, ticket->total);
    sqlite3_bind_int64(t->ticket, 11, ticket->at);
    sqlite3_bind_int(t->ticket, 12, ticket->line_count);
    raw_step(t->ticket);
}

static void raw_line(struct raw_till *t, int64_t row, const struct effect_line *line)
{
    sqlite3_bind_int64(t->line, 1, row);
    sqlite3_bind_int(t->line, 2, line->number);
    bind_str(t->line, 3, line->sku);
    bind_str(t->line, 4, line->name);
    sqlite3_bind_int64(t->line, 5, line->quantity);
    sqlite3_bind_int64(t->line, 6, line->unit_price);
    sqlite3_bind_int64(t->line, 7, line->amount);
    raw_step(t->line);
}

static void raw_effect(struct raw_till *t, int64_t row, const struct event *event,
                       const struct effect *effect)
{
    if (effect->kind == EFFECT_TICKET) {
        raw_ticket(t, row, event, &effect->ticket);
    } else if (effect->kind == EFFECT_LINE) {
        raw_line(t, row, &effect->line);
    } else if (effect->kind == EFFECT_PAYMENT) {
        sqlite3_bind_int64(t->payment, 1, row);
        sqlite3_bind_int(t->payment, 2, effect->payment.number);
        bind_str(t->payment, 3, effect->payment.method);
        bind_str(t->payment, 4, effect->payment.currency);
        sqlite3_bind_int64(t->payment, 5, effect->payment.amount);
        raw_step(t->payment);
    } else if (effect->kind == EFFECT_STOCK) {
        bind_str(t->stock, 1, event->location);
        bind_str(t->stock, 2, effect->stock.sku);
        sqlite3_bind_int64(t->stock, 3, effect->stock.delta);
        raw_step(t->stock);
    }
}

// The same rows by prepared statements: values are at hand, nothing is parsed or hashed.
static void raw_till_sell(struct raw_till *t, const struct corpus *c, size_t i)
{
    struct event event;
    struct effect_list list;
    check(event_parse(c->bytes[i], &t->arena, &event, NULL), "parse", NULL);
    check(effect_list_of(&event, &t->arena, &list, NULL), "effects", NULL);
    int64_t start = clock_mono_us();
    raw_step(t->begin);
    for (size_t n = 0; n < list.count; n++)
        raw_effect(t, (int64_t)i + 1, &event, &list.items[n]);
    raw_step(t->commit);
    sales_add(&t->sales, start);
    arena_reset(&t->arena);
}

struct t1_run {
    struct our_till ours;
    struct raw_till raw, small; // small: on pages of 4 KiB
};

static void sell_in_turns(struct t1_run *r, const struct corpus *c)
{
    our_till_open(&r->ours, c);
    raw_till_open(&r->raw, c, 0);
    raw_till_open(&r->small, c, 4096);
    for (size_t from = 0; from < c->count; from += TURN_SALES) {
        size_t to = from + TURN_SALES < c->count ? from + TURN_SALES : c->count;
        for (size_t i = from; i < to; i++)
            our_till_sell(&r->ours, c, i);
        for (size_t i = from; i < to; i++)
            raw_till_sell(&r->raw, c, i);
        for (size_t i = from; i < to; i++)
            raw_till_sell(&r->small, c, i);
    }
    our_till_close(&r->ours);
    raw_till_close(&r->raw);
    raw_till_close(&r->small);
}

// Its run i: per second, and two quantiles.
static void sales_figures(const struct sales *s, double to[3][RUNS], int i)
{
    to[0][i] = sales_rate(s);
    to[1][i] = (double)hist_quantile(&s->took, 0.5);
    to[2][i] = (double)hist_quantile(&s->took, 0.99);
}

static void bench_t1(void)
{
    static struct t1_run r;
    struct corpus c;
    double ours[3][RUNS], raw[3][RUNS], small[RUNS];
    corpus_make(&c, (size_t)ticket_count, TICKET_LINES);
    for (int i = 0; i < RUNS; i++) {
        sell_in_turns(&r, &c);
        sales_figures(&r.ours.sales, ours, i);
        sales_figures(&r.raw.sales, raw, i);
        small[i] = sales_rate(&r.small.sales);
    }
    report("T1 sales committed one by one", median(ours[0]), "tx/s", median(raw[0]));
    report("T1 p50 of a sale", median(ours[1]), "us", median(raw[1]));
    report("T1 p99 of a sale", median(ours[2]), "us", median(raw[2]));
    report("T1 the same against rows on pages of 4 KiB", median(ours[0]), "tx/s", median(small));
    arena_fini(&c.arena);
}

// ---- T13 --------------------------------------------------------------------------------------

// Pages of the journal and all that is kept to find its rows, less the bytes themselves. Tables
// folded from it are told apart: they are state, not journal.
static void bench_t13_of(enum node_role role, int lines)
{
    struct corpus c;
    struct place p = {0};
    struct arena a;
    struct mark mark = {.seq = 0};
    char name[128];
    corpus_make(&c, (size_t)bulk_events, lines);
    place_make(&p);
    arena_init(&a, ARENA_BYTES);
    struct store *s = open_store(&p, role, &c);
    for (size_t i = 0; i < c.count; i += 500)
        receive(s, &c, i, i + 500 < c.count ? i + 500 : c.count, &mark, &a);
    store_close(s);
    sqlite3 *db = raw_open(p.file, "");
    double pages = number_of(db, "SELECT sum(pgsize) FROM dbstat WHERE name IN ('events',"
                                 " 'events_apart', 'event_ids', 'extents', 'streams',"
                                 " 'streams_key', 'streams_unsettled')");
    MUST(c.count > 0);
    double extra = (pages - (double)c.total_bytes) / (double)c.count;
    (void)snprintf(name, sizeof name, "T13 extra bytes at rest per event of %zu bytes, %s",
                   c.total_bytes / c.count, node_role_name(role));
    report(name, extra, "bytes", (double)c.total_bytes / (double)c.count);
    sqlite3_close(db);
    arena_fini(&a);
    arena_fini(&c.arena);
    place_remove(&p);
}

static bool wanted(int argc, char **argv, const char *target)
{
    bool any = false;
    for (int i = 1; i < argc; i++) {
        any = any || argv[i][0] == 'T';
        if (strcmp(argv[i], target) == 0)
            return true;
    }
    return !any;
}

int main(int argc, char **argv)
{
    rng_init(&rng, 1);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            bulk_events = 20000;
            ticket_count = 500;
        }
    }
    if (wanted(argc, argv, "T1"))
        bench_t1();
    if (wanted(argc, argv, "T2"))
        bench_t2();
    if (wanted(argc, argv, "T13")) {
        bench_t13_of(ROLE_CENTRAL, 0);
        bench_t13_of(ROLE_CENTRAL, 2);
        bench_t13_of(ROLE_TERMINAL, 2);
        bench_t13_of(ROLE_TERMINAL, TICKET_LINES);
    }
    return 0;
}
