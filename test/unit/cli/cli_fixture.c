// SPDX-License-Identifier: Apache-2.0
#include "test/unit/cli/cli_fixture.h"

#include "base/decimal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

static char plain_path[FIXTURE_PATH_MAX];
static char gzip_path[FIXTURE_PATH_MAX];

static void remove_files(void)
{
    (void)unlink(plain_path);
    (void)unlink(gzip_path);
}

static int create(char path[FIXTURE_PATH_MAX])
{
    static bool registered;
    if (!registered) {
        registered = atexit(remove_files) == 0;
    }
    if (path[0] != '\0') {
        (void)unlink(path);
    }
    const char *folder = getenv("TMPDIR");
    (void)snprintf(path, FIXTURE_PATH_MAX, "%s/wasl-unit-cli-XXXXXX",
                   folder != NULL ? folder : "/tmp");
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    return fd;
}

const char *fixture_plain(struct str content)
{
    int fd = create(plain_path);
    assert_int_equal(write(fd, content.p, content.n), (ssize_t)content.n);
    assert_int_equal(close(fd), 0);
    return plain_path;
}

const char *fixture_gzip(struct str content)
{
    gzFile gz = gzdopen(create(gzip_path), "wb");
    assert_non_null(gz);
    assert_int_equal(gzwrite(gz, content.p, (unsigned)content.n), (int)content.n);
    assert_int_equal(gzclose(gz), Z_OK);
    return gzip_path;
}

static void PRINTF_LIKE(2, 3) append(char *to, const char *format, ...)
{
    size_t used = strlen(to);
    va_list args;
    va_start(args, format);
    int n = vsnprintf(to + used, FIXTURE_TEXT_MAX - used, format, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < FIXTURE_TEXT_MAX - used);
}

static void append_optional(char *to, const char *name, struct str text)
{
    if (text.n > 0) {
        append(to, " %s=%.*s", name, STR_ARG(text));
    }
}

static void append_ticket(struct outcome *o, const struct ticket *t)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(&t->event_id, id);
    append(o->ids, "%s\n", id);
    append(o->tickets, "%.*s %s %lld %.*s", STR_ARG(t->no), ticket_kind_name(t->kind),
           (long long)t->at_ms, STR_ARG(str_is(t->currency, "XXX") ? STR("-") : t->currency));
    append_optional(o->tickets, "location", t->location);
    append_optional(o->tickets, "till", t->till);
    append_optional(o->tickets, "payment", t->payment);
    append_optional(o->tickets, "customer", t->customer);
    if (t->rejected_rows > 0) {
        append(o->tickets, " rejected=%zu", t->rejected_rows);
    }
    for (size_t i = 0; i < t->line_count; i++) {
        const struct ticket_line *line = &t->lines[i];
        char quantity[DECIMAL_TEXT_MAX];
        char price[DECIMAL_TEXT_MAX];
        decimal_format(line->quantity, quantity);
        decimal_format(line->unit_price, price);
        append(o->tickets, " [%llu %.*s", (unsigned long long)line->row, STR_ARG(line->sku));
        if (line->name.n > 0) {
            append(o->tickets, " %.*s", STR_ARG(line->name));
        }
        append(o->tickets, " %s x %s]", quantity, price);
    }
    append(o->tickets, "\n");
}

static void on_reject(void *context, const struct ticket_reject *reject)
{
    struct outcome *o = context;
    append(o->rejects, "line %llu row %llu: %s: %.*s", (unsigned long long)reject->line,
           (unsigned long long)reject->row, reject->reason, STR_ARG(reject->raw));
}

void fixture_read(const char *path, const char *map_text, struct outcome *ret)
{
    struct import_map map;
    struct ticket_reader *r = NULL;
    *ret = (struct outcome){0};
    if (import_map_parse("map.ini", str_of(map_text), &map, &ret->e) != ERR_OK) {
        fail_msg("%s", ret->e.text);
    }
    struct ticket_reader_watch watch = {.on_reject = on_reject, .context = ret};
    ret->code = ticket_reader_open(path, &map, &watch, &r, &ret->e);
    const struct ticket *t = NULL;
    while (ret->code == ERR_OK) {
        ret->code = ticket_reader_next(r, &t, &ret->e);
        if (ret->code != ERR_OK || t == NULL) {
            break;
        }
        append_ticket(ret, t);
    }
    if (r != NULL) {
        ret->counts = ticket_reader_counts(r);
        ret->hash = ticket_reader_file_hash(r);
        append(ret->header, "%.*s", STR_ARG(ticket_reader_header(r)));
    }
    ticket_reader_close(r);
}

void fixture_tickets(const char *content, const char *map, struct outcome *ret)
{
    fixture_read(fixture_plain(str_of(content)), map, ret);
    if (ret->code != ERR_OK) {
        fail_msg("%s", ret->e.text);
    }
}

const char *fixture_map(const char *more)
{
    static char map[FIXTURE_TEXT_MAX];
    map[0] = '\0';
    append(map,
           "[columns]\nticket = ticket\ntime = time\nsku = sku\nquantity = quantity\n"
           "unit_price = price\n%s",
           more);
    return map;
}

bool fixture_shared(const char *file, char path[FIXTURE_PATH_MAX])
{
    const char *folder = getenv("WASL_SHARED");
    (void)snprintf(path, FIXTURE_PATH_MAX, "%s/%s",
                   folder != NULL ? folder : WASL_SOURCE_ROOT "/../shared", file);
    if (access(path, R_OK) != 0) {
        print_message("skipped: there is no %s (set WASL_SHARED)\n", path);
        return false;
    }
    return true;
}
