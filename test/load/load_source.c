// SPDX-License-Identifier: Apache-2.0
#include "load_source.h"

#include "base/decimal.h"
#include "base/hash.h"
#include "base/json.h"
#include "cli/ticket_event.h"

#include <stdio.h>
#include <string.h>

enum { MOVES_MAX = 1024 * 1024 };
#define FIRST_FRIDAY_MS INT64_C(1759438800000) // 3 October 2025 in Beirut
#define WEEK_MS         (INT64_C(7) * 24 * 60 * 60 * 1000)

// ---- opening ------------------------------------------------------------------------------------

static enum err_code begin_friday(struct load_source *s)
{
    const struct load_options *o = &s->options;
    enum err_code code = friday_init(&s->friday, o->seed, o->branches, o->tills);
    s->friday_open = code == ERR_OK;
    if (s->friday_open)
        friday_set_day(&s->friday, FIRST_FRIDAY_MS + (int64_t)s->week * WEEK_MS);
    return code;
}

enum err_code load_source_open(struct load_source *s, const struct load_options *options,
                               struct err *e)
{
    *s = (struct load_source){.options = *options};
    buf_init(&s->json, TICKET_BODY_MAX + 4096);
    buf_init(&s->moves, MOVES_MAX);
    if (options->kind == LOAD_UNITS)
        return ERR_OK;
    if (options->kind == LOAD_FRIDAY) {
        enum err_code code = begin_friday(s);
        return code == ERR_OK ? ERR_OK : err_set(e, code, "the Friday: %s", err_text(code));
    }
    enum err_code code = import_map_read(options->map_path, &s->map, e);
    return code ? code : ticket_reader_open(options->tickets_path, &s->map, NULL, &s->reader, e);
}

void load_source_close(struct load_source *s)
{
    if (s->friday_open)
        friday_fini(&s->friday);
    ticket_reader_close(s->reader);
    buf_fini(&s->json);
    buf_fini(&s->moves);
}

// ---- the sequence -------------------------------------------------------------------------------

static enum err_code next_of_friday(struct load_source *s, struct ticket *ret)
{
    while (!friday_next(&s->friday, ret)) {
        friday_fini(&s->friday);
        s->week++;
        enum err_code code = begin_friday(s);
        if (code)
            return code;
    }
    return ERR_OK;
}

static bool is_of_friday(const struct load_source *s, const struct ticket *t)
{
    char location[FRIDAY_TEXT_MAX];
    char till[8];
    friday_location_id(s->options.branch, location);
    (void)snprintf(till, sizeof till, "T%02u", (s->options.till + 1) % 100);
    return str_is(t->location, location) && str_is(t->till, till);
}

// A ticket goes to the till that its number says: one number always to the same.
static bool is_of_file(const struct load_source *s, const struct ticket *t)
{
    const struct load_options *o = &s->options;
    struct hash hash = hash_of(t->no);
    uint64_t number = 0;
    memcpy(&number, hash.b, sizeof number);
    return number % ((uint64_t)o->branches * o->tills) == (uint64_t)o->branch * o->tills + o->till;
}

static enum err_code next_ticket(struct load_source *s, struct ticket *ret, struct err *e)
{
    for (;;) {
        const struct ticket *read = NULL;
        if (s->options.kind == LOAD_FRIDAY) {
            enum err_code code = next_of_friday(s, ret);
            if (code)
                return err_set(e, code, "the Friday: %s", err_text(code));
        } else {
            enum err_code code = ticket_reader_next(s->reader, &read, e);
            if (code || read == NULL)
                return code ? code : ERR_NOT_FOUND;
            *ret = *read;
        }
        s->count++;
        if (read ? is_of_file(s, ret) : is_of_friday(s, ret))
            return ERR_OK;
    }
}

// ---- drafts -------------------------------------------------------------------------------------

static enum err_code write_head(struct load_source *s, const struct uuid *id, const char *type,
                                int64_t now_ms)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(id, text);
    enum err_code code = buf_append_format(&s->json, "{\"id\":\"%s\",\"type\":\"%s\",\"at\":%lld",
                                           text, type, (long long)now_ms);
    if (code == ERR_OK)
        code = buf_append_str(&s->json, STR(",\"location\":"));
    if (code == ERR_OK)
        code = json_append_string(&s->json, str_of(s->options.location));
    return code;
}

static enum err_code write_record(struct load_source *s, const char *type, struct str id)
{
    enum err_code code = buf_append_format(&s->json, ",\"record\":{\"type\":\"%s\",\"id\":", type);
    if (code == ERR_OK)
        code = json_append_string(&s->json, id);
    return code ? code : buf_append_str(&s->json, STR("},\"body\":"));
}

static enum err_code write_ticket(struct load_source *s, const struct ticket *t, int64_t now_ms,
                                  struct err *e)
{
    char record[LIMIT_NAME + 1];
    (void)snprintf(record, sizeof record, "%.*s", STR_ARG(t->no));
    if (s->week > 0)
        (void)snprintf(record, sizeof record, "%.*s/%llu", STR_ARG(t->no),
                       (unsigned long long)s->week);
    enum err_code code = write_head(s, &t->event_id, "ticket_recorded", now_ms);
    if (code == ERR_OK)
        code = write_record(s, "ticket", str_of(record));
    if (code == ERR_OK)
        code = ticket_event_write(t, &s->json, e);
    return code ? code : buf_append(&s->json, "}", 1);
}

static enum err_code write_moves(struct load_source *s, const struct ticket *t)
{
    int64_t total = 0;
    enum err_code code = ticket_event_total(t, &total);
    if (code == ERR_OK)
        code = buf_append_format(&s->moves, "%lld\t%.*s\t%zu", (long long)total,
                                 STR_ARG(t->currency), t->line_count);
    for (size_t i = 0; i < t->line_count && code == ERR_OK; i++)
        code = buf_append_format(&s->moves, "\t%.*s\t%lld", STR_ARG(t->lines[i].sku),
                                 (long long)t->lines[i].quantity);
    return code;
}

static enum err_code write_unit(struct load_source *s, uint64_t place, int64_t now_ms,
                                struct uuid *ret_id)
{
    char sku[16];
    struct hash identity = hash_of(str_make(&s->options.seed, sizeof s->options.seed));
    *ret_id = uuid_make_v8(&identity, place);
    (void)snprintf(sku, sizeof sku, "S%05u", (unsigned)(place % LOAD_SKUS));
    enum err_code code = write_head(s, ret_id, "inventory_sold", now_ms);
    if (code == ERR_OK)
        code = write_record(s, "stock", str_of(sku));
    if (code == ERR_OK)
        code = buf_append_format(&s->json, "{\"sku\":\"%s\",\"quantity\":\"1\"}}", sku);
    if (code == ERR_OK)
        code = buf_append_format(&s->moves, "0\tXXX\t1\t%s\t%lld", sku, (long long)DECIMAL_ONE);
    return code;
}

enum err_code load_source_next(struct load_source *s, int64_t now_ms, struct load_draft *ret,
                               struct err *e)
{
    struct load_draft draft = {0};
    struct ticket t;
    enum err_code code;
    buf_reset(&s->json);
    buf_reset(&s->moves);
    if (s->options.kind == LOAD_UNITS) {
        const struct load_options *o = &s->options;
        uint64_t every = (uint64_t)o->branches * o->tills;
        draft.place = s->count++ * every + (uint64_t)o->branch * o->tills + o->till;
        code = write_unit(s, draft.place, now_ms, &draft.id);
    } else {
        code = next_ticket(s, &t, e);
        if (code)
            return code;
        draft.place = s->count - 1;
        draft.id = t.event_id;
        code = write_ticket(s, &t, now_ms, e);
        if (code == ERR_OK)
            code = write_moves(s, &t);
    }
    if (code)
        return err_set(e, code, "a draft cannot be written: %s", err_text(code));
    draft.json = buf_str(&s->json);
    draft.moves = buf_str(&s->moves);
    *ret = draft;
    return ERR_OK;
}
