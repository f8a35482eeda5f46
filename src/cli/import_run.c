// SPDX-License-Identifier: Apache-2.0
#include "cli/import_run.h"

#include "base/clock.h"
#include "base/decimal.h"
#include "cli/event_sink.h"
#include "cli/progress.h"
#include "cli/reject_file.h"
#include "cli/ticket_event.h"
#include "cli/ticket_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_BYTES = 64 * 1024 * 1024 };

// What is remembered of a ticket until its verdict is known.
struct queued {
    uint64_t *lines; // where its rows are in the file
    size_t count;
    int64_t quantity;
    struct import_value value;
};

struct import {
    const struct import_options *options;
    struct import_totals totals;
    struct access access;
    struct import_map map;
    char place[LIMIT_NAME + 1]; // the only one this node writes for; empty at a centre
    struct event_sink sink;
    struct arena arena; // of what is queued
    struct queued queued[LIMIT_BATCH_EVENTS];
    struct buf draft;
    struct reject_file rejects;
    struct progress progress;
    bool paced; // the first ticket was seen
    int64_t first_at_ms;
    int64_t began_ms;
};

// ---- totals -----------------------------------------------------------------------------------

static enum err_code add_value(struct import_totals *t, const struct import_value *v)
{
    size_t i = 0;
    while (i < t->value_count && strcmp(t->value[i].currency, v->currency) != 0) {
        i++;
    }
    if (i == IMPORT_CURRENCIES_MAX) {
        return ERR_LIMIT;
    }
    if (i == t->value_count) {
        t->value[t->value_count++] = (struct import_value){.places = v->places};
        memcpy(t->value[i].currency, v->currency, sizeof v->currency);
    }
    return decimal_add(t->value[i].amount, v->amount, &t->value[i].amount);
}

static void keep_first_reason(struct import *m, const char *reason)
{
    if (m->totals.rejected == 0) {
        (void)snprintf(m->totals.first_reason, sizeof m->totals.first_reason, "%s", reason);
    }
}

static void reject_rows(struct import *m, const uint64_t *lines, size_t count, const char *reason)
{
    keep_first_reason(m, reason);
    for (size_t i = 0; i < count; i++) {
        reject_file_add(&m->rejects, lines[i], reason, STR(""));
    }
    m->totals.rejected += count;
}

static void on_verdict(void *context, size_t n, const struct event_sink_verdict *verdict)
{
    struct import *m = context;
    const struct queued *q = &m->queued[n];
    if (verdict->verdict == VERDICT_REJECTED) {
        reject_rows(m, q->lines, q->count, verdict->reason);
        return;
    }
    m->totals.tickets++;
    m->totals.lines += q->count;
    m->totals.added += verdict->verdict == VERDICT_ACCEPTED;
    m->totals.duplicates += verdict->verdict == VERDICT_DUPLICATE;
    if (decimal_add(m->totals.quantity, q->quantity, &m->totals.quantity) != ERR_OK ||
        add_value(&m->totals, &q->value) != ERR_OK) {
        m->totals.value_count = 0; // sums beyond any limit are left out rather than wrong
    }
}

static void on_reject(void *context, const struct ticket_reject *reject)
{
    struct import *m = context;
    keep_first_reason(m, reject->reason);
    reject_file_add(&m->rejects, reject->line, reject->reason, reject->raw);
    m->totals.rejected++;
}

static void on_progress(void *context, int64_t done, int64_t total)
{
    struct import *m = context;
    progress_update(&m->progress, (uint64_t)done, (uint64_t)total);
}

// ---- one ticket -------------------------------------------------------------------------------

static enum err_code append_text(struct buf *to, const char *before, struct str text)
{
    enum err_code code = buf_append_str(to, str_of(before));
    return code == ERR_OK ? json_append_string(to, text) : code;
}

// A number is one ticket of its place: where a till uses its numbers again, the map makes the
// ticket of several columns.
static enum err_code write_draft(struct import *m, const struct ticket *t, struct err *e)
{
    char id[UUID_TEXT_SIZE];
    struct buf *to = &m->draft;
    buf_reset(to);
    uuid_format(&t->event_id, id);
    enum err_code code = append_text(to, "{\"id\":", str_of(id));
    if (code == ERR_OK) {
        code = append_text(to, ",\"type\":\"ticket_recorded\",\"location\":", t->location);
    }
    if (code == ERR_OK) {
        code = append_text(to, ",\"record\":{\"type\":\"ticket\",\"id\":", t->no);
    }
    if (code == ERR_OK) {
        code = buf_append_format(to, "},\"at\":%lld,\"body\":", (long long)t->at_ms);
    }
    if (code != ERR_OK) {
        return err_set(e, code, "%s", err_text(code));
    }
    code = ticket_event_write(t, to, e);
    if (code == ERR_OK) {
        code = buf_append(to, "}", 1);
    }
    return code;
}

static enum err_code check_place(const struct import *m, const struct ticket *t, struct err *e)
{
    if (t->location.n == 0) {
        return err_set(e, ERR_INVALID, "the row has no location");
    }
    if (m->place[0] != '\0' && !str_is(t->location, m->place)) {
        return err_set(e, ERR_DENIED, "location %.*s is not this node's, which is %s",
                       STR_ARG(t->location), m->place);
    }
    return ERR_OK;
}

static enum err_code sum_ticket(const struct ticket *t, struct queued *q, struct err *e)
{
    q->value.places = t->places;
    if (str_copy(q->value.currency, sizeof q->value.currency, t->currency) != ERR_OK) {
        return err_set(e, ERR_INVALID, "\"%.*s\" is no currency", STR_ARG(t->currency));
    }
    for (size_t i = 0; i < t->line_count; i++) {
        if (decimal_add(q->quantity, t->lines[i].quantity, &q->quantity) != ERR_OK) {
            return err_set(e, ERR_LIMIT, "the quantities are too large");
        }
    }
    enum err_code code = ticket_event_total(t, &q->value.amount);
    return code == ERR_OK ? ERR_OK : err_set(e, code, "the amounts are too large");
}

static enum err_code flush(struct import *m, struct err *e)
{
    enum err_code code = event_sink_flush(&m->sink, e);
    arena_reset(&m->arena);
    if (code != ERR_OK && m->totals.tickets > 0) {
        return err_wrap(e, code, "after %llu tickets", (unsigned long long)m->totals.tickets);
    }
    return code;
}

// Waits until the ticket's time has come, with everything before it written.
static enum err_code keep_pace(struct import *m, const struct ticket *t, struct err *e)
{
    if (m->options->speed <= 0) {
        return ERR_OK;
    }
    if (!m->paced) {
        m->paced = true;
        m->first_at_ms = t->at_ms;
        m->began_ms = clock_mono_ms();
        return ERR_OK;
    }
    double due = (double)(t->at_ms - m->first_at_ms) / m->options->speed;
    double wait = due - (double)(clock_mono_ms() - m->began_ms);
    if (wait < 1) {
        return ERR_OK;
    }
    enum err_code code = flush(m, e);
    if (code == ERR_OK) {
        clock_sleep_ms((int64_t)wait);
    }
    return code;
}

static enum err_code take_ticket(struct import *m, const struct ticket *t, struct err *e)
{
    struct err why = {0};
    struct queued q = {.count = t->line_count};
    enum err_code code = check_place(m, t, &why);
    if (code == ERR_OK) {
        code = sum_ticket(t, &q, &why);
    }
    if (code == ERR_OK) {
        code = write_draft(m, t, &why);
    }
    if (code == ERR_NO_MEMORY) {
        return err_set(e, code, "out of memory");
    }
    bool rejected = code != ERR_OK;
    code = keep_pace(m, t, e);
    if (code == ERR_OK && !rejected && event_sink_is_full(&m->sink, m->draft.len)) {
        code = flush(m, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    q.lines = arena_alloc(&m->arena, t->line_count * sizeof *q.lines);
    if (q.lines == NULL) {
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    }
    for (size_t i = 0; i < t->line_count; i++) {
        q.lines[i] = t->lines[i].line;
    }
    if (rejected) {
        reject_rows(m, q.lines, q.count, err_message(&why));
        return ERR_OK;
    }
    m->totals.incomplete += t->rejected_rows > 0;
    m->queued[m->sink.count] = q;
    return event_sink_add(&m->sink, buf_str(&m->draft), e);
}

// ---- files ------------------------------------------------------------------------------------

static enum err_code read_all(struct import *m, struct ticket_reader *reader, struct err *e)
{
    for (;;) {
        const struct ticket *t = NULL;
        enum err_code code = ticket_reader_next(reader, &t, e);
        if (code == ERR_OK && t == NULL) {
            return flush(m, e);
        }
        if (code == ERR_OK) {
            code = take_ticket(m, t, e);
        }
        if (code != ERR_OK) {
            return code;
        }
    }
}

static enum err_code read_file(struct import *m, const char *path, struct err *e)
{
    struct ticket_reader *reader = NULL;
    const struct ticket_reader_watch watch = {
        .on_reject = on_reject, .on_progress = on_progress, .context = m};
    reject_file_open(&m->rejects, path);
    progress_begin(&m->progress, m->options->label);
    enum err_code code = ticket_reader_open(path, &m->map, &watch, &reader, e);
    bool read = code == ERR_OK;
    if (read) {
        code = read_all(m, reader, e);
    }
    ticket_reader_close(reader);
    progress_end(&m->progress);
    if (read) {
        reject_file_close(&m->rejects);
    }
    return code;
}

// Where tickets go whose file does not say.
static enum err_code set_location(struct import *m, struct err *e)
{
    const char *given = m->options->location;
    const char *own = m->access.remote ? m->access.config.location
                                       : journal_identity(m->access.journal)->location;
    if (m->access.config.role != ROLE_CENTRAL &&
        str_copy(m->place, sizeof m->place, str_of(own)) != ERR_OK) {
        return err_set(e, ERR_DAMAGED, "the node's location is too long");
    }
    if (m->access.config.role != ROLE_CENTRAL && m->place[0] == '\0') {
        return err_set(e, ERR_INVALID, "this node has no location yet: wasl enroll join gives it");
    }
    if (given != NULL) {
        m->map.columns[IMPORT_LOCATION][0] = '\0';
        return str_copy(m->map.location, sizeof m->map.location, str_of(given));
    }
    if (m->map.columns[IMPORT_LOCATION][0] != '\0' || m->map.location[0] != '\0') {
        return ERR_OK;
    }
    if (m->access.config.role == ROLE_CENTRAL) {
        return err_set(e, ERR_INVALID, "%s names no location: give --location ID", m->map.name);
    }
    return str_copy(m->map.location, sizeof m->map.location, str_of(m->place));
}

static enum err_code run_files(struct import *m, struct err *e)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; i < m->options->file_count && code == ERR_OK; i++) {
        code = read_file(m, m->options->files[i], e);
    }
    return code;
}

enum err_code import_run_all(const struct import_options *options, struct import_totals *ret,
                             struct err *e)
{
    int64_t began_ms = clock_mono_ms();
    struct import *m = calloc(1, sizeof *m);
    if (m == NULL) {
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    }
    m->options = options;
    enum err_code code = import_map_read(options->map_path, &m->map, e);
    if (code == ERR_OK) {
        code = access_open(options->dir, ACCESS_JOURNAL, &m->access, e);
    }
    if (code != ERR_OK) {
        free(m);
        return code;
    }
    event_sink_open(&m->sink, &m->access);
    m->sink.told = on_verdict;
    m->sink.context = m;
    arena_init(&m->arena, ARENA_BYTES);
    buf_init(&m->draft, TICKET_BODY_MAX + 4096);
    code = set_location(m, e);
    if (code == ERR_OK) {
        code = run_files(m, e);
    }
    m->totals.took_ms = clock_mono_ms() - began_ms;
    *ret = m->totals;
    buf_fini(&m->draft);
    arena_fini(&m->arena);
    event_sink_close(&m->sink);
    access_close(&m->access);
    free(m);
    return code;
}

void import_run_report(const struct import_totals *totals, struct json_out *to)
{
    char text[DECIMAL_TEXT_MAX];
    json_out_begin(to);
    json_out_count(to, to->root, "tickets", totals->tickets);
    json_out_count(to, to->root, "lines", totals->lines);
    json_out_count(to, to->root, "added", totals->added);
    json_out_count(to, to->root, "duplicates", totals->duplicates);
    json_out_count(to, to->root, "rejected", totals->rejected);
    yyjson_mut_val *value = json_out_object(to, to->root, "value");
    for (size_t i = 0; i < totals->value_count; i++) {
        money_format(totals->value[i].amount, totals->value[i].places, text);
        yyjson_mut_val *key = yyjson_mut_strcpy(to->doc, totals->value[i].currency);
        to->failed =
            to->failed || !yyjson_mut_obj_add(value, key, yyjson_mut_strcpy(to->doc, text));
    }
    json_out_decimal(to, to->root, "quantity", totals->quantity);
    json_out_real(to, to->root, "seconds", (double)totals->took_ms / 1000);
}
