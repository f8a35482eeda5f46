// SPDX-License-Identifier: Apache-2.0
// A catalog of 50,000 items as it comes to a till that sells all the while, beside plain SQLite
// that writes the same rows in transactions of the same size, on the same file system, with the
// same pragmas. Prints one JSON object a line.
//
// On disk each transaction costs a sync, of either, but for ours that show nothing; with --memory
// times are the processor's.
//
// usage: bench_catalog [--quick] [--memory]
#include "test/unit/store/chain.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    RUNS = 5,
    CHANGES = 500,
    PIECE_ROWS = 32,   // in one transaction, as the journal takes them
    SALES_MAX = 20000, // samples of a series
    PAGE_BYTES = 256 * 1024,
};

static unsigned items = 50000;
static struct chain c;
static struct line sales;
static unsigned sold, line_origin = 100, versions;

static int by_number(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double quantile(double *list, size_t count, double q)
{
    qsort(list, count, sizeof *list, by_number);
    return count == 0 ? 0 : list[(size_t)(q * (double)(count - 1))];
}

// On disk what a cashier waits for; in memory what this thread used of a processor, which does not
// tell how busy the machine is.
static bool memory;

static int64_t now_us(void)
{
    struct timespec t;
    MUST(clock_gettime(memory ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t) == 0);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static double ms_since(int64_t from_us)
{
    return (double)(now_us() - from_us) / 1000;
}

static const char *where = "";

static void report(const char *name, double value, const char *unit, double baseline)
{
    printf("{\"name\":\"%s%s\",\"value\":%.3f,\"unit\":\"%s\",\"baseline\":%.3f,\"ratio\":%.3f}\n",
           name, where, value, unit, baseline, baseline > 0 ? value / baseline : 0);
    (void)fflush(stdout);
}

// ---- the centre -------------------------------------------------------------------------------

static void draft(unsigned item, unsigned price)
{
    char sku[16], name[32], text[16];
    enum event_status status;
    struct err e = {ERR_OK, ""};
    (void)snprintf(sku, sizeof sku, "SKU-%05u", item);
    (void)snprintf(name, sizeof name, "Item number %u", item);
    (void)snprintf(text, sizeof text, "%u.%02u", 1 + price % 90, price % 100);
    for (int i = 0; i < 2; i++) {
        char body[200];
        if (i == 0)
            (void)snprintf(body, sizeof body, "{\"name\":\"%s\",\"category\":\"c%u\"}", name,
                           item % 40);
        else
            (void)snprintf(body, sizeof body,
                           "{\"sku\":\"%s\",\"price\":\"%s\",\"currency\":\"USD\",\"places\":2}",
                           sku, text);
        if (c.hq.count == LINE_MAX_EVENTS) {
            line_fini(&c.hq);
            line_init(&c.hq, ++line_origin, "*");
            c.hq.own = true;
        }
        c.events++;
        line_add(&c.hq, &(struct draft){c.events, c.events, i ? "price_set" : "item_set", sku, body,
                                        NULL});
        MUST(fixture_try(&c.centre, &c.hq, c.hq.count - 1, STATUS_SETTLED, &status, &e) == ERR_OK);
    }
}

static void draft_many(unsigned from, unsigned count, unsigned salt)
{
    struct err e = {ERR_OK, ""};
    MUST(store_begin(c.centre.store, &e) == ERR_OK);
    for (unsigned i = 0; i < count; i++)
        draft((from + i * 97) % items, from + i + salt * 13 + 1);
    MUST(store_commit(c.centre.store, &e) == ERR_OK);
    arena_reset(&c.centre.arena); // which the store looks at until the commit
}

static void draft_in_order(unsigned from, unsigned count)
{
    struct err e = {ERR_OK, ""};
    MUST(store_begin(c.centre.store, &e) == ERR_OK);
    for (unsigned i = from; i < from + count; i++)
        draft(i, i);
    MUST(store_commit(c.centre.store, &e) == ERR_OK);
    arena_reset(&c.centre.arena);
}

static double publish(void)
{
    if (c.hq.count == LINE_MAX_EVENTS) {
        line_fini(&c.hq);
        line_init(&c.hq, ++line_origin, "*");
        c.hq.own = true;
    }
    int64_t from = now_us();
    (void)chain_publish(&c);
    versions++;
    return ms_since(from);
}

// ---- the till ---------------------------------------------------------------------------------

static double sell(void)
{
    char ticket[16];
    if (sales.count == LINE_MAX_EVENTS) {
        line_fini(&sales);
        line_init(&sales, ++line_origin, "BR1");
        sales.own = true;
    }
    sold++;
    (void)snprintf(ticket, sizeof ticket, "T%u", sold);
    line_ticket(&sales, 10000000 + sold, 1000 + sold, ticket, "SKU-00001");
    arena_reset(&c.till.arena);
    int64_t from = now_us();
    (void)fixture_append(&c.till, &sales, sales.count - 1, STATUS_PENDING);
    return ms_since(from);
}

// Sales while something comes: what each waits for, and its own commit.
struct series {
    double wait_ms[SALES_MAX], commit_ms[SALES_MAX];
    size_t count;
};

static void add(struct series *s, double wait_ms, double commit_ms)
{
    if (s->count == SALES_MAX)
        return;
    s->wait_ms[s->count] = wait_ms;
    s->commit_ms[s->count++] = commit_ms;
}

struct came {
    double busy_ms; // without the sales
    size_t rows, pieces;
};

// One page, a sale after every few pieces: what a sale waits for is one piece and its own commit.
static void apply_page(const struct feed_page *page, bool reset, struct came *to,
                       struct series *sale)
{
    for (size_t from = 0, n; from < page->count || from == 0; from += n) {
        struct err e = {ERR_OK, ""};
        enum feed_catalog what = FEED_CATALOG_SAME;
        struct str bytes[PIECE_ROWS];
        struct feed_apply some = chain_piece(page, from, PIECE_ROWS, reset, bytes);
        some.ret_catalog = &what;
        n = some.count;
        int64_t at = now_us();
        if (some.complete)
            MUST(store_begin(c.till.store, &e) == ERR_OK);
        else
            MUST(store_begin_passing(c.till.store, &e) == ERR_OK);
        MUST(store_feed_apply(c.till.store, &some, &e) == ERR_OK);
        MUST(store_commit(c.till.store, &e) == ERR_OK);
        double ms = ms_since(at);
        to->busy_ms += ms;
        to->rows += n;
        to->pieces++;
        add(sale, ms, sell());
        if (n == 0)
            break;
    }
}

static struct came pull(struct series *sale)
{
    struct came came = {0, 0, 0};
    struct feed_page page = {.count = 0};
    struct arena arena;
    arena_init(&arena, (size_t)64 << 20);
    do {
        bool reset = chain_page(&c, PAGE_BYTES, &arena, &page);
        apply_page(&page, reset, &came, sale);
    } while (!page.reached_head);
    arena_fini(&arena);
    struct store_catalog shown;
    MUST(store_catalog(c.till.store, &shown, NULL) == ERR_OK);
    MUST(shown.version.number == versions && shown.version.count == items);
    return came;
}

static void sweep(void)
{
    struct catalog_walk walk = {.kind = 0};
    struct err e = {ERR_OK, ""};
    while (!walk.done)
        MUST(store_catalog_sweep(c.till.store, &walk, &e) == ERR_OK);
}

// ---- plain SQLite -----------------------------------------------------------------------------

static void sql(sqlite3 *db, const char *text)
{
    MUST(sqlite3_exec(db, text, NULL, NULL, NULL) == SQLITE_OK);
}

static sqlite3 *raw_open(const char *path)
{
    sqlite3 *db = NULL;
    MUST(sqlite3_open(path, &db) == SQLITE_OK);
    sql(db, "PRAGMA page_size = 16384; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    sql(db, "CREATE TABLE items (id TEXT PRIMARY KEY, name TEXT, category TEXT, price INTEGER,"
            " currency TEXT, places INTEGER, version INTEGER) STRICT, WITHOUT ROWID");
    return db;
}

static double raw_write(sqlite3 *db, unsigned count, unsigned step, unsigned version)
{
    sqlite3_stmt *put = NULL;
    MUST(sqlite3_prepare_v2(db,
                            "INSERT INTO items VALUES (?, ?, ?, ?, 'USD', 2, ?) ON CONFLICT DO "
                            "UPDATE SET name = excluded.name, category = excluded.category, price ="
                            " excluded.price, version = excluded.version",
                            -1, &put, NULL) == SQLITE_OK);
    int64_t from = now_us();
    for (unsigned i = 0; i < count; i++) {
        char sku[16], name[32], category[8];
        unsigned item = i * step % items;
        (void)snprintf(sku, sizeof sku, "SKU-%05u", item);
        (void)snprintf(name, sizeof name, "Item number %u", item);
        (void)snprintf(category, sizeof category, "c%u", item % 40);
        if (i % PIECE_ROWS == 0)
            sql(db, i == 0 ? "BEGIN IMMEDIATE" : "COMMIT; BEGIN IMMEDIATE");
        sqlite3_bind_text(put, 1, sku, -1, SQLITE_TRANSIENT);
        sqlite3_bind_text(put, 2, name, -1, SQLITE_TRANSIENT);
        sqlite3_bind_text(put, 3, category, -1, SQLITE_TRANSIENT);
        sqlite3_bind_int64(put, 4, i + version);
        sqlite3_bind_int64(put, 5, version);
        MUST(sqlite3_step(put) == SQLITE_DONE);
        (void)sqlite3_reset(put);
    }
    sql(db, "COMMIT");
    double ms = ms_since(from);
    (void)sqlite3_finalize(put);
    return ms;
}

static void report_sales(const char *what, struct series *with, struct series *without)
{
    static const struct {
        const char *name;
        double q;
    } of[] = {{"p50", 0.5}, {"p99", 0.99}};
    char name[128];
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(name, sizeof name, "catalog %s: %s of a sale's commit meanwhile", what,
                       of[i].name);
        report(name, quantile(with->commit_ms, with->count, of[i].q), "ms",
               quantile(without->commit_ms, without->count, of[i].q));
    }
    (void)snprintf(name, sizeof name, "catalog %s: p99 of what a sale waits for it", what);
    report(name, quantile(with->wait_ms, with->count, 0.99), "ms", 0);
}

// ---- all --------------------------------------------------------------------------------------

struct measured {
    double full[RUNS], full_rate[RUNS], diff[RUNS], published[RUNS];
    double raw_full[RUNS], raw_rate[RUNS], raw_diff[RUNS];
    struct series normal, full_sales, diff_sales;
};

static void measure(struct measured *m, int run, sqlite3 *raw)
{
    for (int i = 0; i < 300; i++)
        add(&m->normal, 0, sell());
    draft_many((unsigned)run * 1001, CHANGES, (unsigned)run + 2);
    m->published[run] = publish();
    m->diff[run] = pull(&m->diff_sales).busy_ms;
    m->raw_diff[run] = raw_write(raw, CHANGES, 97, (unsigned)run + 2);
    fixture_sql(&c.till, "UPDATE feed_cursors SET feed = zeroblob(16), position = 0, hash ="
                         " zeroblob(32), fresh = 1 WHERE location = '*'"); // a copy, then
    struct came came = pull(&m->full_sales);
    m->full[run] = came.busy_ms;
    m->full_rate[run] = 1000 * (double)came.rows / came.busy_ms;
    m->raw_full[run] = raw_write(raw, items, 1, (unsigned)run + 20);
    m->raw_rate[run] = 1000 * (double)items / m->raw_full[run];
    sweep();
}

static void report_all(struct measured *m, size_t n, double first_ms)
{
    double diff = quantile(m->diff, n, 0.5), full = quantile(m->full, n, 0.5);
    report("catalog diff of 500 of 50,000 items applied", diff, "ms",
           quantile(m->raw_diff, n, 0.5));
    report("catalog of 50,000 items applied whole", full, "ms", quantile(m->raw_full, n, 0.5));
    report("T11 catalog rows applied at a till", quantile(m->full_rate, n, 0.5), "rows/s",
           quantile(m->raw_rate, n, 0.5));
    report_sales("diff", &m->diff_sales, &m->normal);
    report_sales("whole", &m->full_sales, &m->normal);
    report("catalog diff of 500 published at the centre", quantile(m->published, n, 0.5), "ms", 0);
    report("catalog of 50,000 items published at the centre", first_ms, "ms", 0);
}

int main(int argc, char **argv)
{
    static struct measured measured;
    static struct series unused;
    char path[128];
    int runs = RUNS;
    for (int i = 1; i < argc; i++) {
        runs = strcmp(argv[i], "--quick") == 0 ? 3 : runs;
        memory = memory || strcmp(argv[i], "--memory") == 0;
    }
    where = memory ? ", in memory" : "";
    if (!memory)
        MUST(setenv("WASL_ON_DISK", "1", 1) == 0); // the fixture's folder
    chain_open(&c);
    line_init(&sales, ++line_origin, "BR1");
    sales.own = true;
    (void)snprintf(path, sizeof path, "%s/raw.db", c.till.dir);
    sqlite3 *raw = raw_open(path);
    for (unsigned i = 0; i < items; i += 500)
        draft_in_order(i, 500);
    double first_ms = publish();
    (void)pull(&unused);
    (void)raw_write(raw, items, 1, 1);
    for (int run = 0; run < runs; run++)
        measure(&measured, run, raw);
    report_all(&measured, (size_t)runs, first_ms);
    (void)sqlite3_close(raw);
    line_fini(&sales);
    chain_close(&c);
    return 0;
}
