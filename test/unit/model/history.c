// SPDX-License-Identifier: Apache-2.0
#include "test/unit/model/history.h"

#include "base/decimal.h"
#include "base/rng.h"
#include "test/unit/unit.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS = 4, TEXT_BYTES = 1 << 17 };

// Some records are named by what they are of.
static const char *record_id_of(const struct reducer *reducer)
{
    static const char *const names[][2] = {{"authority", "B1"}, {"setting", "oversell"}};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        if (strcmp(names[i][0], reducer->record_type) == 0)
            return names[i][1];
    }
    return "R1";
}

void history_init(struct history *h, const struct reducer *reducer)
{
    memset(h, 0, sizeof *h);
    arena_init(&h->arena, 64 << 20);
    h->reducer = reducer;
    h->now_ms = 1700000000000;
    for (int i = 0; i < DEVICES_MAX; i++)
        assert_int_equal(
            record_new(reducer, str_of(record_id_of(reducer)), RECORD_BYTES, &h->devices[i].record),
            ERR_OK);
}

void history_fini(struct history *h)
{
    for (int i = 0; i < DEVICES_MAX; i++)
        record_free(h->devices[i].record);
    arena_fini(&h->arena);
}

struct uuid history_id(uint64_t number)
{
    struct uuid id = {.b = {0x01, 0x89, 0x0a, 0x5d, 0, 0, 0x70, 0, 0x80}};
    for (int i = 0; i < 6; i++)
        id.b[15 - i] = (uint8_t)(number >> (8 * i));
    return id;
}

static char *next_text(size_t size)
{
    static char texts[TEXTS][TEXT_BYTES];
    static unsigned at;
    assert_true(size <= TEXT_BYTES);
    return texts[at++ % TEXTS];
}

const char *history_id_text(uint64_t number)
{
    struct uuid id = history_id(number);
    char *text = next_text(UUID_TEXT_SIZE);
    uuid_format(&id, text);
    return text;
}

// ---- writing ----------------------------------------------------------------------------------

static void write_base(const struct record *r, char *to, size_t size)
{
    struct uuid base[LIMIT_BASE];
    size_t count = record_frontier(r, base), used = 0;
    for (size_t i = 0; i < count; i++) {
        char text[UUID_TEXT_SIZE];
        uuid_format(&base[i], text);
        used += (size_t)snprintf(to + used, size - used, "%s\"%s\"", i ? "," : "", text);
    }
    to[used] = '\0';
}

static hlc next_hlc(struct history *h, struct device *d)
{
    h->now_ms += 1000;
    return d->hlc = hlc_next(d->hlc, h->now_ms + d->clock_off_ms);
}

static void parse(struct history *h, const char *text)
{
    struct err e = {0};
    struct str copy = arena_copy(&h->arena, str_of(text));
    struct event *event = &h->events[h->count];
    if (event_parse(copy, &h->arena, event, &e) || event->type == NULL)
        fail_msg("%s: %s", text, e.text);
    if (event_type_check(event->type, event->version, event->body, &e))
        fail_msg("%s: %s", text, e.text);
}

// The next event, by this device; not yet told to anybody.
static void compose(struct history *h, int device, const char *type, const char *body)
{
    static char text[1 << 15], base[LIMIT_BASE * 40];
    struct device *d = &h->devices[device];
    char id[UUID_TEXT_SIZE], clock[HLC_TEXT_SIZE];
    struct uuid own = history_id(0x100000 + h->count);
    assert_true(h->count < HISTORY_MAX);
    uuid_format(&own, id);
    hlc_format(next_hlc(h, d), clock);
    write_base(d->record, base, sizeof base);
    snprintf(text, sizeof text,
             "{\"v\":1,\"id\":\"%s\",\"origin\":\"01890a5d-0000-7000-8000-0000000000%02x\","
             "\"lane\":\"critical\",\"seq\":%llu,\"location\":\"B1\",\"type\":\"%s\","
             "\"record\":{\"type\":\"%s\",\"id\":\"%s\"},\"base\":[%s],\"at\":%lld,\"hlc\":\"%s\","
             "\"actor\":\"A%d\",\"body\":%s}",
             id, device, (unsigned long long)++d->seq, type, h->reducer->record_type,
             record_id_of(h->reducer), base, (long long)h->now_ms, clock, device, body);
    parse(h, text);
}

size_t history_write(struct history *h, int device, const char *type, const char *format, ...)
{
    static char body[1 << 14];
    va_list args;
    va_start(args, format);
    vsnprintf(body, sizeof body, format, args);
    va_end(args);
    compose(h, device, type, body);
    history_tell(h, device, h->count++);
    return h->count - 1;
}

enum err_code history_try(struct history *h, const char *type, const char *body, struct err *e)
{
    struct record *r = NULL;
    compose(h, 0, type, body);
    assert_int_equal(record_new(h->reducer, str_of(record_id_of(h->reducer)), RECORD_BYTES, &r),
                     ERR_OK);
    enum err_code code = record_add(r, &h->events[h->count], e);
    assert_int_equal(record_count(r), code == ERR_OK);
    record_free(r);
    return code;
}

void history_tell(struct history *h, int device, size_t event)
{
    struct device *d = &h->devices[device];
    struct err e = {0};
    if (d->known[event])
        return;
    d->known[event] = true;
    if (record_add(d->record, &h->events[event], &e))
        fail_msg("%s", e.text);
    assert_int_equal(record_fold(d->record), ERR_OK);
}

void history_tell_all(struct history *h, int device)
{
    for (size_t i = 0; i < h->count; i++)
        history_tell(h, device, i);
}

// ---- looking ----------------------------------------------------------------------------------

static size_t print_value(enum column_kind kind, const struct value *v, char *to, size_t size)
{
    char text[64]; // of an id or a decimal
    switch (kind) {
    case COLUMN_TEXT:
        return (size_t)snprintf(to, size, "%.*s", STR_ARG(v->text));
    case COLUMN_INTEGER:
        return (size_t)snprintf(to, size, "%lld", (long long)v->number);
    case COLUMN_DECIMAL:
        decimal_format(v->number, text);
        break;
    case COLUMN_UUID:
        uuid_format(&v->uuid, text);
        break;
    }
    return (size_t)snprintf(to, size, "%s", text);
}

static size_t print_row(const struct row *row, char *to, size_t size)
{
    size_t used = (size_t)snprintf(to, size, "%s", row->table->name);
    for (int i = 0; i < row_column_count(row->table); i++) {
        if (row->values[i].null)
            continue;
        used += (size_t)snprintf(to + used, size - used, "|%s=", row->table->columns[i].name);
        used += print_value(row->table->columns[i].kind, &row->values[i], to + used, size - used);
    }
    return used + (size_t)snprintf(to + used, size - used, "|\n");
}

const char *history_rows(const struct record *r)
{
    struct arena arena;
    struct row_list list;
    char *to = next_text(TEXT_BYTES);
    size_t used = 0;
    arena_init(&arena, RECORD_BYTES);
    to[0] = '\0';
    assert_int_equal(record_rows(r, &arena, &list), ERR_OK);
    for (size_t i = 0; i < list.count; i++) {
        used += print_row(&list.items[i], to + used, TEXT_BYTES - used);
        assert_true(used < TEXT_BYTES);
    }
    arena_fini(&arena);
    return to;
}

const char *history_view(struct history *h, int device)
{
    return history_rows(h->devices[device].record);
}

// Copies the line's value of a column; NULL when it has none.
static const char *cut_column(const char *line, size_t n, const char *column)
{
    char wanted[64], *to = next_text(n + 1);
    snprintf(wanted, sizeof wanted, "|%s=", column);
    memcpy(to, line, n);
    to[n] = '\0';
    char *at = strstr(to, wanted);
    if (at == NULL)
        return NULL;
    at += strlen(wanted);
    *strchr(at, '|') = '\0';
    return at;
}

const char *history_column(const struct record *r, const char *table, const char *where,
                           const char *column)
{
    const char *rows = history_rows(r);
    size_t name = strlen(table);
    for (const char *line = rows; *line != '\0';) {
        size_t n = (size_t)(strchr(line, '\n') - line);
        if (strncmp(line, table, name) == 0 && line[name] == '|' &&
            memmem(line, n, where, strlen(where)) != NULL)
            return cut_column(line, n, column);
        line += n + 1;
    }
    return NULL;
}

// ---- folding ----------------------------------------------------------------------------------

struct record *history_fold(struct history *h, const size_t *turn, size_t count, unsigned every,
                            uint64_t seed)
{
    struct record *r = NULL;
    struct rng rng;
    struct err e = {0};
    rng_init(&rng, seed);
    assert_int_equal(record_new(h->reducer, str_of(record_id_of(h->reducer)), RECORD_BYTES, &r),
                     ERR_OK);
    for (size_t i = 0; i < count; i++) {
        enum err_code code = record_add(r, &h->events[turn[i]], &e);
        assert_true(code == ERR_OK || code == ERR_EXISTS);
        if (every != 0 && rng_chance(&rng, 1, every))
            assert_int_equal(record_fold(r), ERR_OK);
    }
    assert_int_equal(record_fold(r), ERR_OK);
    return r;
}

struct record *history_all(struct history *h)
{
    size_t turn[HISTORY_MAX];
    for (size_t i = 0; i < h->count; i++)
        turn[i] = i;
    return history_fold(h, turn, h->count, 0, 1);
}

void history_assert(struct history *h, const char *table, const char *column, const char *wanted)
{
    struct record *all = history_all(h);
    const char *value = history_column(all, table, "", column);
    assert_string_equal(value ? value : "(none)", wanted);
    record_free(all);
}
