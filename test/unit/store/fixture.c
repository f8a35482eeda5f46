// SPDX-License-Identifier: Apache-2.0
#include "test/unit/store/fixture.h"

#include "model/event_type.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EPOCH_MS UINT64_C(1760000000000)
enum { ARENA_BYTES = 64 * 1024 * 1024 };

struct store_options fixture_options(const struct fixture *f)
{
    return (struct store_options){.dir = f->dir};
}

// A store of each role as it is when it was made, so that its schema is run once and not for each
// of a thousand stores.
struct image {
    char *bytes;
    size_t n;
};
static struct image images[ROLE_CENTRAL + 1];

static void path_of_file(const struct fixture *f, char to[128])
{
    (void)snprintf(to, 128, "%s/wasl.db", f->dir);
}

static void keep_image(const struct fixture *f, struct image *to)
{
    char path[128];
    path_of_file(f, path);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    to->n = (size_t)ftell(file);
    to->bytes = malloc(to->n);
    assert_non_null(to->bytes);
    rewind(file);
    assert_int_equal(fread(to->bytes, 1, to->n, file), to->n);
    assert_int_equal(fclose(file), 0);
}

static void write_image(const struct fixture *f, const struct image *from)
{
    char path[128];
    path_of_file(f, path);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(from->bytes, 1, from->n, file), from->n);
    assert_int_equal(fclose(file), 0);
}

static void make_store(struct fixture *f, enum node_role role)
{
    struct err e = {ERR_OK, ""};
    struct store_options options = fixture_options(f);
    if (images[role].bytes == NULL) {
        options.create = true;
        options.role = role;
        if (store_open(&options, &f->store, &e))
            fail_msg("%s", e.text);
        store_close(f->store);
        keep_image(f, &images[role]);
        options.create = false;
    } else {
        write_image(f, &images[role]);
    }
    if (store_open(&options, &f->store, &e))
        fail_msg("%s", e.text);
}

void fixture_open(struct fixture *f, enum node_role role)
{
    // In memory where there is such a place: nothing here depends on what a disk does.
    bool memory = getenv("WASL_ON_DISK") == NULL && access("/dev/shm", W_OK) == 0;
    *f = (struct fixture){.dir = "/tmp/wasl_store_XXXXXX"};
    if (memory)
        memcpy(f->dir, "/dev/shm/wasl_store_XXXXXX", sizeof "/dev/shm/wasl_store_XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    arena_init(&f->arena, ARENA_BYTES);
    make_store(f, role);
}

void fixture_reopen(struct fixture *f)
{
    struct err e = {ERR_OK, ""};
    store_close(f->store);
    struct store_options options = fixture_options(f);
    if (store_open(&options, &f->store, &e))
        fail_msg("%s", e.text);
}

void fixture_kill(const struct fixture *f, struct fixture *ret)
{
    struct err e = {ERR_OK, ""};
    char command[256];
    fixture_open(ret, store_role(f->store));
    store_close(ret->store);
    (void)snprintf(command, sizeof command, "cp %s/wasl.db %s/wasl.db-wal %s/", f->dir, f->dir,
                   ret->dir);
    assert_int_equal(system(command), 0);
    struct store_options options = fixture_options(ret);
    if (store_open(&options, &ret->store, &e))
        fail_msg("%s", e.text);
}

void fixture_close(struct fixture *f)
{
    static const char *const names[] = {"wasl.db",   "wasl.db-wal",  "wasl.db-shm", "wasl.db.new",
                                        "wasl.lock", "wasl.ballast", "wasl.probe"};
    char path[128];
    store_close(f->store);
    arena_fini(&f->arena);
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", f->dir, names[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(f->dir), 0);
}

// ---- verifying ---------------------------------------------------------------------------------

struct heard {
    unsigned calls;
    bool again, back; // a second reading; less was done than before
    double part;
    uint64_t total;
};

static void hear(void *context, uint64_t done, uint64_t total)
{
    struct heard *h = context;
    double part = total == 0 ? 0 : (double)done / (double)total;
    h->again = h->again || (h->calls > 0 && total != h->total);
    h->back = h->back || done > total || (!h->again && part < h->part);
    h->calls++;
    h->part = part;
    h->total = total;
}

enum err_code fixture_verify(struct store *s, struct arena *a, struct store_verdict *ret,
                             struct err *e)
{
    struct heard h = {.calls = 0};
    enum err_code code = store_verify(s, a, hear, &h, ret, e);
    if (code)
        return code;
    bool sound = ret->refold_equal && ret->gaps == 0 && ret->chain_errors == 0;
    assert_false(h.back);
    assert_true(h.total == 0 || h.part >= 1);
    if (sound && (h.again || h.calls < 2))
        fail_msg("the journal was read again, although nothing is the matter");
    return ERR_OK;
}

// ---- SQL ---------------------------------------------------------------------------------------

static sqlite3 *open_file(const struct fixture *f)
{
    char path[128];
    sqlite3 *db = NULL;
    (void)snprintf(path, sizeof path, "%s/wasl.db", f->dir);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    return db;
}

void fixture_sql(const struct fixture *f, const char *sql)
{
    sqlite3 *db = open_file(f);
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    sqlite3_close(db);
}

int64_t fixture_number(const struct fixture *f, const char *sql)
{
    char *text = fixture_text(f, sql);
    int64_t number = strtoll(text, NULL, 10);
    free(text);
    return number;
}

static char *text_of(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    char *text = NULL;
    size_t n = 0;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
    FILE *to = open_memstream(&text, &n);
    assert_non_null(to);
    while (sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const unsigned char *value = sqlite3_column_text(statement, i);
            (void)fprintf(to, "%s%s", i > 0 ? "|" : "", value ? (const char *)value : "NULL");
        }
        (void)fputc('\n', to);
    }
    (void)fclose(to);
    sqlite3_finalize(statement);
    return text;
}

char *fixture_text(const struct fixture *f, const char *sql)
{
    sqlite3 *db = open_file(f);
    char *text = text_of(db, sql);
    sqlite3_close(db);
    return text;
}

struct store_verdict fixture_verdict(struct fixture *f)
{
    struct store_verdict verdict;
    struct err e = {ERR_OK, ""};
    if (fixture_verify(f->store, &f->arena, &verdict, &e))
        fail_msg("%s", e.text);
    return verdict;
}

void fixture_assert_verified(struct fixture *f)
{
    struct store_verdict verdict = fixture_verdict(f);
    if (verdict.first_problem.n != 0)
        fail_msg("%.*s", STR_ARG(verdict.first_problem));
    assert_true(verdict.refold_equal);
}

void fixture_assert_text(const struct fixture *f, const char *sql, const char *wanted)
{
    char *text = fixture_text(f, sql);
    assert_string_equal(text, wanted);
    free(text);
}

char *fixture_canonical(const struct fixture *f)
{
    static const char *const queries[] = {
        "SELECT hex(origin), lane, seq, hex(id), status, hex(chain), bytes FROM journal"
        " ORDER BY 1, 2, 3",
        "SELECT location, id, hex(event_id), kind, number, till, customer, currency, places, total,"
        " at, line_count, sync_status FROM tickets ORDER BY 1, 2",
        "SELECT t.location, t.id, l.number, l.sku, l.name, l.quantity, l.unit_price, l.amount"
        " FROM ticket_lines AS l JOIN tickets AS t ON t.lsn = l.ticket ORDER BY 1, 2, 3",
        "SELECT t.location, t.id, p.number, p.method, p.currency, p.amount"
        " FROM ticket_payments AS p JOIN tickets AS t ON t.lsn = p.ticket ORDER BY 1, 2, 3",
        "SELECT order_id, hex(line), bill, sku, quantity, amount, flagged FROM order_lines"
        " ORDER BY 1, 2, 3",
        "SELECT count(*) FROM ticket_lines",
        "SELECT count(*) FROM ticket_payments",
        "SELECT location, sku, quantity, moves, confirmed FROM stock ORDER BY 1, 2",
        "SELECT id, name, region FROM locations ORDER BY 1",
        "SELECT hex(id), location, role, name, hex(key), revoked FROM devices ORDER BY 1",
        "SELECT hex(origin), hex(device), location, hex(predecessor) FROM runs ORDER BY 1",
        "SELECT hex(origin), lane, seq, hex(hash) FROM run_heads ORDER BY 1, 2, 3, 4",
        "SELECT kind, location, record, hex(rank) FROM claims ORDER BY 1, 2, 3, 4",
        "SELECT hex(r.device), hex(r.revocation), r.part, r.parts, hex(h.origin), h.lane, h.seq"
        " FROM revocations AS r LEFT JOIN revoked_heads AS h ON h.lsn = r.lsn ORDER BY 1, 2, 3, 5, "
        "6",
        "SELECT hex(device), events FROM withheld ORDER BY 1",
        "SELECT location, hex(target), outcome, reason, term, hex(id) FROM judgements"
        " ORDER BY 1, 2, 6",
        "SELECT kind, location, record, detail, open FROM reviews ORDER BY 1, 2, 3",
        "SELECT hex(id), type, location, reason FROM dead_letters ORDER BY 1, 2, 3, 4"};
    char *text = NULL;
    size_t n = 0;
    FILE *to = open_memstream(&text, &n);
    assert_non_null(to);
    sqlite3 *db = open_file(f); // once: what costs is to read the schema
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        char *part = text_of(db, queries[i]);
        (void)fprintf(to, "-- %s\n%s", queries[i], part);
        free(part);
    }
    sqlite3_close(db);
    (void)fclose(to);
    return text;
}

// ---- events -----------------------------------------------------------------------------------

struct uuid fixture_uuid(unsigned kind, unsigned n)
{
    struct uuid_maker maker = {0, 0};
    uint8_t random[10] = {0, 0, (uint8_t)kind, 0, 0, 0, 0, 0, (uint8_t)(n >> 8), (uint8_t)n};
    return uuid_make_v7(&maker, EPOCH_MS + n, random);
}

void line_init(struct line *l, unsigned origin, const char *location)
{
    *l = (struct line){.key = {fixture_uuid(1, origin), LANE_CRITICAL},
                       .device = fixture_uuid(2, origin),
                       .location = location};
}

void line_fini(struct line *l)
{
    for (size_t i = 0; i < l->count; i++)
        free(l->bytes[i]);
    l->count = 0;
}

void line_add_bytes(struct line *l, const char *bytes)
{
    assert_true(l->count < LINE_MAX_EVENTS);
    l->head = mark_next(&l->head, str_of(bytes));
    l->marks[l->count] = l->head;
    l->bytes[l->count] = strdup(bytes);
    l->count++;
}

static const char *record_type_of(const struct event_type *type)
{
    if (type == NULL)
        return "thing";
    return strcmp(type->record_type, RECORD_ANY) == 0 ? "order" : type->record_type;
}

void line_add(struct line *l, const struct draft *draft)
{
    struct json body;
    struct buf to;
    const struct event_type *type = event_type_find(str_of(draft->type));
    assert_int_equal(json_parse(str_of(draft->body), 16, &body, NULL), ERR_OK);
    int newest = type ? type->version : 1;
    struct event event = {.version = draft->version ? draft->version : newest,
                          .id = fixture_uuid(3, draft->id),
                          .origin = l->key.origin,
                          .lane = l->key.lane,
                          .seq = l->head.seq + 1,
                          .location = str_of(l->location),
                          .type_name = str_of(draft->type),
                          .record_type = str_of(draft->on ? draft->on : record_type_of(type)),
                          .record_id = str_of(draft->record),
                          .at = (int64_t)EPOCH_MS,
                          .hlc = (EPOCH_MS + draft->ms) << 16,
                          .base = {fixture_uuid(3, draft->base)},
                          .base_count = draft->base != 0,
                          .body = body.root};
    buf_init(&to, LIMIT_EVENT_BYTES);
    assert_int_equal(event_write(&event, &to), ERR_OK);
    assert_int_equal(buf_append(&to, "", 1), ERR_OK);
    line_add_bytes(l, to.data);
    buf_fini(&to);
    json_close(&body);
}

void line_sell(struct line *l, unsigned id, unsigned ms, const char *sku, const char *quantity)
{
    char body[128];
    (void)snprintf(body, sizeof body, "{\"sku\":\"%s\",\"quantity\":\"%s\"}", sku, quantity);
    line_add(l, &(struct draft){id, ms, "inventory_sold", sku, body});
}

void line_ticket(struct line *l, unsigned id, unsigned ms, const char *ticket, const char *sku)
{
    char body[512];
    (void)snprintf(body, sizeof body,
                   "{\"ticket\":\"%s\",\"kind\":\"sale\",\"currency\":\"USD\",\"places\":2,"
                   "\"lines\":[{\"n\":1,\"sku\":\"%s\",\"quantity\":\"2\",\"unit_price\":\"1.5\","
                   "\"amount\":300},{\"n\":2,\"sku\":\"bread\",\"quantity\":\"1\","
                   "\"unit_price\":\"0.5\",\"amount\":50}],\"total\":350,"
                   "\"payments\":[{\"method\":\"cash\",\"currency\":\"USD\",\"amount\":350}]}",
                   ticket, sku);
    line_add(l, &(struct draft){id, ms, "ticket_recorded", ticket, body});
}

static void add_stream(struct fixture *f, const struct line *l)
{
    struct stream_info info = {.key = l->key, .device = l->device, .own = l->own};
    struct err e = {ERR_OK, ""};
    assert_int_equal(str_copy(info.location, sizeof info.location, str_of(l->location)), ERR_OK);
    info.certificate = (struct certificate){.origin = l->key.origin, .device = l->device};
    if (store_stream_add(f->store, &info, &e))
        fail_msg("%s", e.text);
}

enum err_code fixture_try(struct fixture *f, const struct line *l, size_t index,
                          enum event_status status, enum event_status *ret, struct err *e)
{
    struct stream_info info;
    struct event event;
    struct err bad = {ERR_OK, ""};
    if (store_stream_find(f->store, &l->key, &info) == ERR_NOT_FOUND)
        add_stream(f, l);
    struct str bytes = str_of(l->bytes[index]);
    bool readable = event_parse(bytes, &f->arena, &event, &bad) == ERR_OK;
    const char *dead = readable ? NULL : bad.text;
    if (readable && l->is_device && !str_is(event.location, l->location)) {
        dead = "it names another place than its origin's";
        readable = false;
    }
    if (readable && l->is_device && event.type && event.type->from_centre)
        dead = "only the centre may say this";
    struct store_entry entry = {.key = l->key,
                                .seq = l->marks[index].seq,
                                .chain = l->marks[index].hash,
                                .bytes = bytes,
                                .event = readable ? &event : NULL,
                                .status = status,
                                .dead = dead,
                                .received_at = (int64_t)EPOCH_MS + 5};
    enum err_code code = store_append(f->store, &entry, 1, e);
    *ret = entry.ret_status;
    return code;
}

enum event_status fixture_append(struct fixture *f, const struct line *l, size_t index,
                                 enum event_status status)
{
    struct err e = {ERR_OK, ""};
    enum event_status ret = STATUS_PENDING;
    if (store_begin(f->store, &e) || fixture_try(f, l, index, status, &ret, &e) ||
        store_commit(f->store, &e))
        fail_msg("%s", e.text);
    return ret;
}

void fixture_append_all(struct fixture *f, const struct line *l, enum event_status status)
{
    for (size_t i = 0; i < l->count; i++)
        (void)fixture_append(f, l, i, status);
}

enum err_code fixture_ack(struct fixture *f, const struct line *l, uint64_t held, uint64_t settled,
                          int64_t at_ms)
{
    struct store_ack ack = {l->key, held, settled, at_ms, at_ms};
    return store_stream_acked(f->store, &ack, NULL);
}
