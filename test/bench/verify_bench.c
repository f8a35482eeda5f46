// SPDX-License-Identifier: Apache-2.0
// Target T18: a centre's journal proven whole. A chain of branches sells for a while: tickets of
// several lines, orders in many steps, stock, tables; some of it came twice. Its events are
// appended as pushes are, and verified as 'wasl verify' does.
//
// Baseline: the same rows read from the same file in the same order, and their bytes hashed.
//
// usage: bench_verify [--quick] [--events N]
#include "base/clock.h"
#include "base/rng.h"
#include "store/store.h"

#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    BRANCHES = 47,
    TILLS = 3, // of each
    SKUS = 400,
    LINES_MAX = 5,
    OPEN_ORDERS = 4, // at a till, at once
    PUSH = 500,
    ARENA_BYTES = 64 * 1024 * 1024,
};

static struct uuid_maker ids;
static struct rng rng;

static _Noreturn void die(const char *what, const struct err *e)
{
    (void)fprintf(stderr, "bench_verify: %s: %s\n", what, e == NULL ? "failed" : e->text);
    exit(1);
}

static void check(enum err_code code, const char *what, const struct err *e)
{
    if (code)
        die(what, e);
}

// ---- what a till writes -----------------------------------------------------------------------

struct words { // of one event
    const char *type, *record_type;
    char record[40];
    char body[2048];
    struct uuid base;
    struct uuid id;
    int64_t at;
};
struct open_order {
    char id[40];
    struct uuid last; // its newest event
    int step;         // 0: none is open
    int lines;
};
struct till {
    struct stream_key key;
    struct uuid device;
    char location[8];
    int number;
    struct mark mark;
    unsigned tickets, orders;
    struct open_order open[OPEN_ORDERS];
    struct words sold; // an event that may come again
    int64_t now_ms;
};

static struct uuid fresh_id(int64_t now_ms)
{
    uint8_t random[10];
    rng_fill(&rng, random, sizeof random);
    return uuid_make_v7(&ids, (uint64_t)now_ms, random);
}

static const char *id_text(const struct uuid *id)
{
    static char text[UUID_TEXT_SIZE];
    uuid_format(id, text);
    return text;
}

static size_t add(size_t n, size_t size, int written)
{
    MUST(written >= 0 && n + (size_t)written < size);
    return n + (size_t)written;
}

static void say_ticket(struct till *t, struct words *w)
{
    int64_t total = 0;
    size_t n = 0, size = sizeof w->body;
    int lines = 1 + (int)rng_below(&rng, LINES_MAX);
    // Of some thousand tickets one number was given twice, by a till that was set up again.
    unsigned number = t->tickets > 0 && rng_chance(&rng, 1, 5000) ? t->tickets : ++t->tickets;
    (void)snprintf(w->record, sizeof w->record, "%s-%d-%06u", t->location, t->number, number);
    n = add(n, size,
            snprintf(w->body, size,
                     "{\"ticket\":\"%06u\",\"kind\":\"sale\",\"till\":\"T%d\",\"currency\":\"USD\","
                     "\"places\":2,\"lines\":[",
                     number, t->number));
    for (int i = 1; i <= lines; i++) {
        int quantity = 1 + (int)rng_below(&rng, 3), price = 100 + (int)rng_below(&rng, 900);
        int sku = (int)rng_below(&rng, SKUS);
        total += quantity * price;
        n = add(n, size,
                snprintf(w->body + n, size - n,
                         "%s{\"n\":%d,\"sku\":\"SKU-%05d\",\"name\":\"Item %d\",\"quantity\":"
                         "\"%d\",\"unit_price\":\"%d.%02d\",\"amount\":%d}",
                         i > 1 ? "," : "", i, sku, sku, quantity, price / 100, price % 100,
                         quantity * price));
    }
    (void)add(n, size,
              snprintf(w->body + n, size - n,
                       "],\"total\":%lld,\"payments\":[{\"method\":\"cash\",\"currency\":\"USD\","
                       "\"amount\":%lld}]}",
                       (long long)total, (long long)total));
    w->type = "ticket_recorded";
    w->record_type = "ticket";
}

static void say_stock(struct words *w)
{
    static const char *const types[] = {"inventory_sold", "inventory_sold", "inventory_received",
                                        "inventory_wasted"};
    size_t which = (size_t)rng_below(&rng, sizeof types / sizeof types[0]);
    (void)snprintf(w->record, sizeof w->record, "SKU-%05d", (int)rng_below(&rng, SKUS));
    (void)snprintf(w->body, sizeof w->body, "{\"sku\":\"%s\",\"quantity\":\"%d\"%s}", w->record,
                   1 + (int)rng_below(&rng, 9), which == 3 ? ",\"reason\":\"broken\"" : "");
    w->type = types[which];
    w->record_type = "stock";
}

static void say_table(struct words *w)
{
    static const char *const states[] = {"free", "occupied", "dirty"};
    (void)snprintf(w->record, sizeof w->record, "T%d", 1 + (int)rng_below(&rng, 20));
    (void)snprintf(w->body, sizeof w->body, "{\"status\":\"%s\"}", states[rng_below(&rng, 3)]);
    w->type = "table_set";
    w->record_type = "table";
}

// The next step of an order: opened, its lines, fired, paid, completed.
static void say_order(struct till *t, struct open_order *o, struct words *w)
{
    int after = o->step - 1 - o->lines;
    if (o->step == 0) {
        *o = (struct open_order){.lines = 1 + (int)rng_below(&rng, 4)};
        (void)snprintf(w->record, sizeof w->record, "%s-%d-o%06u", t->location, t->number,
                       ++t->orders);
        memcpy(o->id, w->record, sizeof o->id);
        w->type = "order_opened";
        (void)snprintf(w->body, sizeof w->body,
                       "{\"kind\":\"dine_in\",\"table\":\"T%d\",\"covers\":2,\"currency\":\"USD\","
                       "\"places\":2}",
                       1 + (int)rng_below(&rng, 20));
    } else if (after < 0) {
        struct uuid line = fresh_id(t->now_ms);
        int sku = (int)rng_below(&rng, SKUS);
        w->type = "line_added";
        (void)snprintf(w->body, sizeof w->body,
                       "{\"line\":\"%s\",\"sku\":\"SKU-%05d\",\"name\":\"Item %d\",\"quantity\":"
                       "\"1\",\"unit_price\":\"2.5\"}",
                       id_text(&line), sku, sku);
    } else if (after == 0) {
        w->type = "ticket_fired";
        (void)snprintf(w->body, sizeof w->body, "{\"station\":\"grill\"}");
    } else if (after == 1) {
        struct uuid payment = fresh_id(t->now_ms);
        w->type = "payment_taken";
        (void)snprintf(w->body, sizeof w->body,
                       "{\"payment\":\"%s\",\"method\":\"cash\",\"currency\":\"USD\","
                       "\"amount\":%d}",
                       id_text(&payment), 250 * o->lines);
    } else {
        w->type = "sale_completed";
        (void)snprintf(w->body, sizeof w->body,
                       "{\"total\":%d,\"receipt\":\"%06u\",\"uses\":[{\"sku\":\"SKU-%05d\","
                       "\"quantity\":\"%d\"}]}",
                       250 * o->lines, t->orders, (int)rng_below(&rng, SKUS), o->lines);
    }
    w->record_type = "order";
    memcpy(w->record, o->id, sizeof w->record);
    w->base = o->last;
    o->last = w->id;
    o->step = after >= 2 ? 0 : o->step + 1;
}

static void write_event(struct till *t, const struct words *w, struct buf *to)
{
    struct json body;
    check(json_parse(str_of(w->body), 16, &body, NULL), w->body, NULL);
    struct event event = {.version = 1,
                          .id = w->id,
                          .origin = t->key.origin,
                          .lane = t->key.lane,
                          .seq = t->mark.seq + 1,
                          .location = str_of(t->location),
                          .type_name = str_of(w->type),
                          .record_type = str_of(w->record_type),
                          .record_id = str_of(w->record),
                          .at = w->at,
                          .hlc = (hlc)t->now_ms << 16,
                          .body = body.root};
    event.base[0] = w->base;
    event.base_count = !uuid_is_zero(&w->base);
    buf_reset(to);
    check(event_write(&event, to), "event", NULL);
    json_close(&body);
}

// One more event of the till, into 'to'.
static void next_event(struct till *t, struct buf *to)
{
    t->now_ms += 40 + (int64_t)rng_below(&rng, 200);
    struct words w = {.id = fresh_id(t->now_ms), .at = t->now_ms};
    unsigned drawn = (unsigned)rng_below(&rng, 100);
    if (drawn < 42) {
        say_ticket(t, &w);
    } else if (drawn < 78) {
        say_order(t, &t->open[rng_below(&rng, OPEN_ORDERS)], &w);
    } else if (drawn < 97 && t->sold.type != NULL && rng_chance(&rng, 1, 200)) {
        w = t->sold; // the till was restored and did not know that it had said so
    } else if (drawn < 97) {
        say_stock(&w);
        t->sold = w;
    } else {
        say_table(&w);
    }
    write_event(t, &w, to);
}

// ---- the store --------------------------------------------------------------------------------

struct place {
    char dir[PATH_MAX];
    char file[PATH_MAX];
};

static void place_make(struct place *p)
{
    const char *base = getenv("TMPDIR");
    (void)snprintf(p->dir, sizeof p->dir, "%s/wasl_bench_XXXXXX", base ? base : "/tmp");
    if (mkdtemp(p->dir) == NULL)
        die("scratch folder", NULL);
    if (snprintf(p->file, sizeof p->file, "%.4000s/wasl.db", p->dir) < 0)
        die("path", NULL);
}

static void place_remove(const struct place *p)
{
    static const char *const names[] = {"wasl.db", "wasl.db-wal", "wasl.db-shm", "wasl.lock",
                                        "wasl.ballast"};
    char path[PATH_MAX];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (snprintf(path, sizeof path, "%.4000s/%s", p->dir, names[i]) > 0)
            (void)unlink(path);
    }
    (void)rmdir(p->dir);
}

static struct store *open_store(const struct place *p, bool create)
{
    struct store *s = NULL;
    struct err e = {ERR_OK, ""};
    struct store_options options = {
        .dir = p->dir, .create = create, .read_only = !create, .role = ROLE_CENTRAL};
    check(store_open(&options, &s, &e), "open", &e);
    return s;
}

static void add_till(struct store *s, struct till *t, int branch, int number, int64_t now_ms)
{
    struct err e = {ERR_OK, ""};
    *t = (struct till){.key = {.origin = fresh_id(now_ms), .lane = LANE_CRITICAL},
                       .device = fresh_id(now_ms),
                       .number = number,
                       .now_ms = now_ms};
    (void)snprintf(t->location, sizeof t->location, "BR%02d", branch);
    struct stream_info info = {.key = t->key, .device = t->device};
    check(str_copy(info.location, sizeof info.location, str_of(t->location)), "location", NULL);
    check(store_stream_add(s, &info, &e), "stream", &e);
}

struct pushed {
    struct arena arena;
    struct buf bytes;
    struct sign_key sign;
    struct uuid chain;
};

// The till sends its next events; the centre takes them in as it does.
static void push(struct store *s, struct till *t, size_t count, struct pushed *p)
{
    struct err e = {ERR_OK, ""};
    arena_reset(&p->arena);
    struct store_entry *entries = arena_alloc_zero(&p->arena, count * sizeof *entries);
    struct event *events = arena_alloc(&p->arena, count * sizeof *events);
    for (size_t i = 0; i < count; i++) {
        next_event(t, &p->bytes);
        struct str bytes = arena_copy(&p->arena, buf_str(&p->bytes));
        check(event_parse(bytes, &p->arena, &events[i], &e), "parse", &e);
        t->mark = mark_next(&t->mark, bytes);
        entries[i] = (struct store_entry){.key = t->key,
                                          .seq = t->mark.seq,
                                          .chain = t->mark.hash,
                                          .bytes = bytes,
                                          .event = &events[i],
                                          .status = STATUS_SETTLED,
                                          .received_at = t->now_ms};
    }
    struct seal seal = seal_make(&p->sign, &p->chain, &t->key, &t->mark);
    check(store_begin(s, &e), "begin", &e);
    check(store_append(s, entries, count, &e), "append", &e);
    check(store_seal_put(s, &seal, &e), "seal", &e);
    check(store_commit(s, &e), "commit", &e);
}

static void fill(const struct place *place, size_t count)
{
    static struct till tills[BRANCHES * TILLS];
    struct pushed p = {.chain = {{0}}};
    uint8_t seed[SIGN_SEED_SIZE] = {1};
    int64_t start = 1760000000000;
    size_t turn = 0;
    struct store *s = open_store(place, true);
    sign_key_from_seed(seed, &p.sign);
    arena_init(&p.arena, ARENA_BYTES);
    buf_init(&p.bytes, LIMIT_EVENT_BYTES);
    for (int i = 0; i < BRANCHES * TILLS; i++)
        add_till(s, &tills[i], 1 + i / TILLS, 1 + i % TILLS, start);
    for (size_t done = 0; done < count; turn++) {
        size_t some = count - done < PUSH ? count - done : PUSH;
        push(s, &tills[turn % (BRANCHES * TILLS)], some, &p);
        done += some;
    }
    arena_fini(&p.arena);
    buf_fini(&p.bytes);
    store_close(s);
}

// ---- measuring --------------------------------------------------------------------------------

static double seconds_since(int64_t start_us)
{
    return (double)(clock_mono_us() - start_us) / 1e6;
}

// Of this process, all threads.
static double cpu_seconds(void)
{
    struct timespec t;
    MUST(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

// What the process keeps in memory beside the file's own pages, MiB.
static double memory_mib(void)
{
    char line[256];
    double kib = 0;
    FILE *file = fopen("/proc/self/status", "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "RssAnon:", 8) == 0)
            kib = strtod(line + 8, NULL);
    }
    if (file != NULL)
        (void)fclose(file);
    return kib / 1024;
}

static void told(void *context, uint64_t done, uint64_t total)
{
    double *most = context, now = memory_mib();
    (void)done;
    (void)total;
    if (now > *most)
        *most = now;
}

struct figures {
    double seconds, cpu, memory;
    uint64_t events;
};

static struct figures verify(const struct place *p)
{
    struct arena a;
    struct err e = {ERR_OK, ""};
    struct store_verdict verdict;
    struct figures ret = {0};
    arena_init(&a, ARENA_BYTES);
    struct store *s = open_store(p, false);
    double cpu = cpu_seconds();
    int64_t start = clock_mono_us();
    check(store_verify(s, &a, told, &ret.memory, &verdict, &e), "verify", &e);
    ret.seconds = seconds_since(start);
    ret.cpu = cpu_seconds() - cpu;
    ret.events = verdict.events;
    if (verdict.gaps > 0 || verdict.chain_errors > 0 || !verdict.refold_equal)
        die(verdict.first_problem.p, NULL);
    store_close(s);
    arena_fini(&a);
    return ret;
}

static struct figures read_and_hash(const struct place *p, uint64_t *ret_bytes)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *each = NULL;
    struct hash all = {{0}};
    uint64_t bytes = 0;
    double cpu = cpu_seconds();
    int64_t start = clock_mono_us();
    if (sqlite3_open_v2(p->file, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) ||
        sqlite3_exec(db, "PRAGMA cache_size=-65536; PRAGMA mmap_size=268435456", NULL, NULL,
                     NULL) ||
        sqlite3_prepare_v2(db,
                           "SELECT lsn, id, stream, seq, state, chain, rest FROM events"
                           " ORDER BY lsn",
                           -1, &each, NULL))
        die(sqlite3_errmsg(db), NULL);
    while (sqlite3_step(each) == SQLITE_ROW) {
        const void *text = sqlite3_column_text(each, 6);
        struct str rest = str_make(text, (size_t)sqlite3_column_bytes(each, 6));
        struct hash h = hash_of(rest);
        all.b[0] = (uint8_t)(all.b[0] ^ h.b[0]); // so that nobody leaves it out
        bytes += rest.n;
    }
    sqlite3_finalize(each);
    sqlite3_close(db);
    *ret_bytes = bytes + (all.b[0] & 1);
    return (struct figures){.seconds = seconds_since(start), .cpu = cpu_seconds() - cpu};
}

static int by_seconds(const void *a, const void *b)
{
    double x = ((const struct figures *)a)->seconds, y = ((const struct figures *)b)->seconds;
    return (x > y) - (x < y);
}

static void measure(size_t count, size_t runs)
{
    enum { RUNS_MAX = 5 };
    struct place p = {.dir = ""};
    struct figures ours[RUNS_MAX] = {{0}}, raw[RUNS_MAX] = {{0}};
    uint64_t bytes = 0;
    place_make(&p);
    fill(&p, count);
    for (size_t i = 0; i < runs; i++) {
        raw[i] = read_and_hash(&p, &bytes);
        ours[i] = verify(&p);
    }
    place_remove(&p);
    qsort(ours, runs, sizeof ours[0], by_seconds);
    qsort(raw, runs, sizeof raw[0], by_seconds);
    const struct figures *f = &ours[runs / 2], *base = &raw[runs / 2];
    printf(
        "{\"name\":\"T18 verify of %zu journal entries, %llu bytes each at rest\",\"value\":%.2f,"
        "\"unit\":\"s\",\"baseline\":%.2f,\"ratio\":%.2f}\n",
        count, (unsigned long long)(bytes / count), f->seconds, base->seconds,
        f->seconds / base->seconds);
    printf("{\"name\":\"T18 processor time of it, both "
           "threads\",\"value\":%.2f,\"unit\":\"s\",\"baseline\":%.2f,"
           "\"ratio\":%.2f}\n",
           f->cpu, base->cpu, f->cpu / base->cpu);
    printf("{\"name\":\"T18 memory of it beside the file's pages\",\"value\":%.0f,\"unit\":\"MiB\","
           "\"baseline\":null,\"ratio\":null}\n",
           f->memory);
}

int main(int argc, char **argv)
{
    size_t count = 10000000, runs = 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--quick") == 0) {
            count = 300000;
            runs = 3;
        } else if (strcmp(argv[i], "--events") == 0 && i + 1 < argc) {
            count = (size_t)strtoull(argv[++i], NULL, 10);
        }
    }
    if (count == 0)
        die("--events: a number above zero is needed", NULL);
    rng_init(&rng, 1);
    measure(count, runs);
    return 0;
}
