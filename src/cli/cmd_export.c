// SPDX-License-Identifier: Apache-2.0
#include "cli/access.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/csv_out.h"
#include "cli/progress.h"
#include "cli/time_text.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_EVENTS = 500, PAGE_BYTES = 4 * 1024 * 1024, ARENA_BYTES = 64 * 1024 * 1024 };

static const struct argp_option options[] = {
    {"from", 'f', "T", 0, "events that happened at T or later; ISO 8601, or ms since 1970", 0},
    {"to", 't', "T", 0, "events that happened before T", 0},
    {"format", 'F', "jsonl|csv", 0, "jsonl: each event as its origin wrote it; csv: envelopes", 0},
    {0}};
static const struct arguments_spec spec = {
    .options = options,
    .positionals = "DIR",
    .low = 1,
    .high = 1,
    .doc = "Writes the journal to standard output, in the order of its positions.",
};

struct export
{
    bool csv;
    int64_t from, to; // of 'at'
};

static enum err_code read_time(const struct arguments *a, int key, int64_t *ret)
{
    const char *text = arguments_find(a, key);
    if (text == NULL || time_text_parse(str_of(text), ret) == ERR_OK) {
        return ERR_OK;
    }
    return err_set(a->e, ERR_USAGE, "\"%s\" is no time: 2026-11-21, 2026-11-21T08:15:00Z or ms",
                   text);
}

static enum err_code read_options(const struct arguments *a, struct export *ret)
{
    const char *format = arguments_find(a, 'F');
    *ret = (struct export){.from = INT64_MIN, .to = INT64_MAX};
    if (format != NULL && strcmp(format, "csv") != 0 && strcmp(format, "jsonl") != 0) {
        return err_set(a->e, ERR_USAGE, "--format must be jsonl or csv");
    }
    ret->csv = format != NULL && strcmp(format, "csv") == 0;
    enum err_code code = read_time(a, 'f', &ret->from);
    return code == ERR_OK ? read_time(a, 't', &ret->to) : code;
}

static void put_uuid(const struct uuid *id)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(id, text);
    csv_out_text(stdout, str_of(text));
    csv_out_next(stdout);
}

static void put_text(struct str text)
{
    csv_out_text(stdout, text);
    csv_out_next(stdout);
}

static void put_integer(int64_t value)
{
    csv_out_integer(stdout, value);
    csv_out_next(stdout);
}

static void print_csv(const struct store_event *row, const struct event *event)
{
    char record[2 * LIMIT_NAME + 2];
    (void)snprintf(record, sizeof record, "%.*s/%.*s", STR_ARG(event->record_type),
                   STR_ARG(event->record_id));
    put_integer(row->lsn);
    put_uuid(&event->id);
    put_uuid(&row->key.origin);
    put_text(str_of(lane_name(row->key.lane)));
    put_integer((int64_t)row->seq);
    put_text(event->location);
    put_text(event->type_name);
    put_text(str_of(record));
    put_integer(event->at);
    csv_out_text(stdout, str_of(event_status_name(row->status)));
    csv_out_end(stdout);
}

// An envelope that cannot be read has no 'at': the time of its arrival stands for it.
static void print_one(const struct export *x, const struct store_event *row, struct arena *a)
{
    struct event event = {0};
    bool known = event_parse(row->bytes, a, &event, NULL) == ERR_OK;
    if (!known) {
        event = (struct event){.at = row->received_at};
    }
    if (event.at < x->from || event.at >= x->to) {
        return;
    }
    if (x->csv) {
        print_csv(row, &event);
        return;
    }
    (void)fwrite(row->bytes.p, 1, row->bytes.n, stdout);
    (void)fputc('\n', stdout);
}

static uint64_t count_events(struct store *s)
{
    struct store_counts counts;
    struct err ignored;
    uint64_t sum = 0;
    if (store_counts(s, &counts, &ignored) != ERR_OK) {
        return 0;
    }
    for (int i = 0; i < LANE_COUNT; i++) {
        sum += counts.pending[i] + counts.held[i] + counts.settled[i];
    }
    return sum;
}

static enum err_code print_all(const struct export *x, struct store *s, struct err *e)
{
    struct arena arena;
    struct progress progress;
    struct store_event_list page = {0};
    int64_t after = 0;
    uint64_t done = 0;
    uint64_t total = count_events(s);
    arena_init(&arena, ARENA_BYTES);
    progress_begin(&progress, "export");
    enum err_code code = ERR_OK;
    do {
        arena_reset(&arena);
        code = store_read_journal(s, after, &(struct store_page){PAGE_EVENTS, PAGE_BYTES, &arena},
                                  &page, e);
        for (size_t i = 0; code == ERR_OK && i < page.count; i++) {
            print_one(x, &page.items[i], &arena);
            after = page.items[i].lsn;
        }
        done += page.count;
        progress_update(&progress, done, total);
        if (ferror(stdout)) {
            code = err_set(e, ERR_IO, "the output could not be written");
        }
    } while (code == ERR_OK && page.count > 0);
    progress_end(&progress);
    arena_fini(&arena);
    return code;
}

static enum err_code run(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct access access;
    struct export x;
    enum err_code code = arguments_parse(&spec, argc, argv, &a, e);
    if (code == ERR_OK) {
        code = read_options(&a, &x);
    }
    if (code == ERR_OK) {
        code = access_open(a.positional[0], ACCESS_READ, &access, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    if (x.csv) {
        (void)printf("lsn,id,origin,lane,seq,location,type,record,at,status\n");
    }
    code = print_all(&x, access.store, e);
    access_close(&access);
    return code;
}

const struct command command_export = {"export", "write the journal as JSON lines or CSV", run};
