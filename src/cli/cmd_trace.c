// SPDX-License-Identifier: Apache-2.0
#include "cli/access.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/shown_text.h"
#include "cli/time_text.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_BYTES = 64 * 1024 * 1024, LIST_MAX = 100000 };

static const struct argp_option options[] = {
    {"json", 'j', NULL, 0, "one JSON object for each carrier", 0}, {0}};
static const struct arguments_spec spec = {
    .options = options,
    .positionals = "DIR EVENT_ID",
    .low = 2,
    .high = 2,
    .doc = "Shows what this node knows of one event: each carrier of its id, how far it got, and "
           "what stands in its way.",
};

// Why it is a dead letter; empty when it is none.
static struct str reason_of(const struct store_event *row, const struct dead_letter_list *dead)
{
    for (size_t i = 0; i < dead->count; i++) {
        if (dead->items[i].lsn == row->lsn) {
            return dead->items[i].reason;
        }
    }
    return STR("");
}

static void print_json(const struct store_event *row, struct str reason, struct buf *to)
{
    struct json_out o;
    char chain[HASH_TEXT_SIZE];
    hash_format(&row->chain, chain);
    json_out_begin(&o);
    json_out_integer(&o, o.root, "lsn", row->lsn);
    json_out_uuid(&o, o.root, "origin", &row->key.origin);
    json_out_text(&o, o.root, "lane", str_of(lane_name(row->key.lane)));
    json_out_count(&o, o.root, "seq", row->seq);
    json_out_text(&o, o.root, "chain", str_of(chain));
    json_out_text(&o, o.root, "status", str_of(event_status_name(row->status)));
    json_out_integer(&o, o.root, "received_at", row->received_at);
    if (row->synced_at != 0) {
        json_out_integer(&o, o.root, "synced_at", row->synced_at);
    } else {
        json_out_null(&o, o.root, "synced_at");
    }
    json_out_text(&o, o.root, "dead_letter", reason);
    json_out_text(&o, o.root, "bytes", row->bytes);
    if (json_out_append(&o, to) == ERR_OK) {
        (void)printf("%.*s\n", STR_ARG(buf_str(to)));
    }
    json_out_fini(&o);
}

static const char *meaning_of(enum event_status status)
{
    switch (status) {
    case STATUS_PENDING:
        return "only on this node";
    case STATUS_HELD:
        return "durable on the next hop";
    case STATUS_SETTLED:
        return "durable at the centre";
    case STATUS_CONFLICT:
        return "another event holds its id or record; a review is open";
    case STATUS_REVIEW:
        return "counted, and a person is asked";
    case STATUS_DEAD_LETTER:
        return "kept, not folded";
    case STATUS_DUPLICATE:
        return "another carrier of the same event counts";
    }
    return "";
}

static void print_people(const struct store_event *row, struct str reason, struct arena *arena)
{
    char origin[UUID_TEXT_SIZE], chain[HASH_TEXT_SIZE], when[TIME_TEXT_SIZE];
    struct event event;
    uuid_format(&row->key.origin, origin);
    hash_format(&row->chain, chain);
    if (event_parse(row->bytes, arena, &event, NULL) == ERR_OK) {
        time_text_format(event.at, when);
        (void)printf("happened   %s at %.*s: %.*s on %.*s %.*s\n", when,
                     STR_ARG(shown_text_of(event.location, arena)),
                     STR_ARG(shown_text_of(event.type_name, arena)),
                     STR_ARG(shown_text_of(event.record_type, arena)),
                     STR_ARG(shown_text_of(event.record_id, arena)));
    }
    (void)printf("written    by origin %s, lane %s, seq %llu\n", origin, lane_name(row->key.lane),
                 (unsigned long long)row->seq);
    time_text_format(row->received_at, when);
    (void)printf("here       since %s at lsn %lld, chain %s\n", when, (long long)row->lsn, chain);
    if (row->synced_at != 0) {
        time_text_format(row->synced_at, when);
        (void)printf("synced     %s\n", when);
    }
    (void)printf("status     %s: %s\n", event_status_name(row->status), meaning_of(row->status));
    if (reason.n > 0) {
        (void)printf("reason     %.*s\n", STR_ARG(shown_text_of(reason, arena)));
    }
    (void)printf("bytes      %.*s\n\n", STR_ARG(shown_text_of(row->bytes, arena)));
}

static enum err_code trace(struct store *s, const struct uuid *id, bool as_json, struct err *e)
{
    struct arena arena;
    struct buf text;
    struct store_event_list list = {0};
    struct dead_letter_list dead = {0};
    arena_init(&arena, ARENA_BYTES);
    buf_init(&text, 8 * LIMIT_EVENT_BYTES);
    bool past = false;
    enum err_code code = store_find_event(s, id, &arena, &list, e);
    if (code == ERR_OK && list.count == 0) {
        code = store_past_has(s, id, &arena, &past, e);
    }
    if (code == ERR_OK && list.count == 0) {
        code = err_set(e, ERR_NOT_FOUND,
                       past ? "the event was settled long ago and is not kept here: ask the centre"
                            : "this node holds no such event");
    }
    if (code == ERR_OK) {
        code = store_dead_letters(s, LIST_MAX, &arena, &dead, e);
    }
    for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
        struct str reason = reason_of(&list.items[i], &dead);
        buf_reset(&text);
        if (as_json) {
            print_json(&list.items[i], reason, &text);
        } else {
            print_people(&list.items[i], reason, &arena);
        }
    }
    buf_fini(&text);
    arena_fini(&arena);
    return code;
}

static enum err_code run(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct access access;
    struct uuid id;
    enum err_code code = arguments_parse(&spec, argc, argv, &a, e);
    if (code == ERR_OK && uuid_parse(str_of(a.positional[1]), &id) != ERR_OK) {
        code = err_set(e, ERR_USAGE, "\"%s\" is not an event's id", a.positional[1]);
    }
    if (code == ERR_OK) {
        code = access_open(a.positional[0], ACCESS_READ, &access, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    code = trace(access.store, &id, arguments_has(&a, 'j'), e);
    access_close(&access);
    return code;
}

const struct command command_trace = {"trace", "one event from till to view", run};
