// SPDX-License-Identifier: Apache-2.0
//
// What waits for a person: reviews and dead letters.
#include "base/clock.h"
#include "cli/access.h"
#include "cli/answer_text.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/shown_text.h"
#include "cli/time_text.h"

#include <stdio.h>

enum { ARENA_BYTES = 256 * 1024 * 1024, LIST_MAX = 100000, ROW_BYTES = 1024 * 1024, DEPTH = 16 };

static const struct argp_option review_options[] = {
    {"all", 'a', NULL, 0, "closed ones too", 0},
    {"json", 'j', NULL, 0, "as a JSON array of objects", 0},
    {0}};
static const struct arguments_spec reviews_spec = {
    .options = review_options,
    .positionals = "DIR",
    .low = 1,
    .high = 1,
    .doc = "Lists the open questions for people.",
};
static const struct argp_option json_options[] = {{"json", 'j', NULL, 0, "as JSON", 0}, {0}};
static const struct arguments_spec review_spec = {
    .options = json_options,
    .positionals = "DIR NUMBER",
    .low = 2,
    .high = 2,
    .doc = "Shows one question with what is known of it: what both had seen, both sides, what is "
           "suggested and why, what was answered by whom, and what each answer would do. "
           "--json has all of it but that.",
};
static const struct arguments_spec letters_spec = {
    .options = json_options,
    .positionals = "DIR",
    .low = 1,
    .high = 1,
    .doc = "Lists events with an unknown type or a bad body. They are kept and forwarded, and "
           "hold nobody up.",
};
static const struct arguments_spec retry_spec = {
    .options = json_options,
    .positionals = "DIR",
    .low = 1,
    .high = 1,
    .doc = "Folds the dead letters that can be folded now, after an upgrade or a fix.",
};

// An array of objects, one on a line.
struct listing {
    bool json;
    size_t rows;
};

static enum err_code begin_list(const struct arguments *a, struct listing *l)
{
    *l = (struct listing){.json = arguments_has(a, 'j')};
    if (l->json) {
        (void)printf("[");
    }
    return ERR_OK;
}

static enum err_code list_row(struct listing *l, struct json_out *row, struct err *e)
{
    (void)printf("%s\n", l->rows++ > 0 ? "," : "");
    struct buf text;
    buf_init(&text, ROW_BYTES);
    enum err_code code = json_out_append(row, &text);
    if (code == ERR_OK) {
        (void)printf("%.*s", STR_ARG(buf_str(&text)));
    } else {
        err_set(e, code, "%s", err_text(code));
    }
    buf_fini(&text);
    json_out_fini(row);
    return code;
}

static void end_list(const struct listing *l, const char *none)
{
    if (l->json) {
        (void)printf("%s]\n", l->rows > 0 ? "\n" : "");
    } else if (l->rows == 0) {
        (void)printf("%s\n", none);
    }
}

// ---- reviews ----------------------------------------------------------------------------------

static void write_review(const struct review *r, struct json_out *to)
{
    struct json detail = {0};
    json_out_begin(to);
    json_out_integer(to, to->root, "number", r->number);
    json_out_text(to, to->root, "kind", r->kind);
    json_out_text(to, to->root, "record", r->record);
    json_out_text(to, to->root, "location", r->location);
    json_out_text(to, to->root, "text", r->text);
    json_out_integer(to, to->root, "opened_at", r->opened_at);
    json_out_flag(to, to->root, "open", r->open);
    if (json_parse(r->detail, DEPTH, &detail, NULL) == ERR_OK) {
        json_out_copy(to, to->root, "detail", detail.root);
    } else {
        json_out_null(to, to->root, "detail");
    }
    json_close(&detail);
}

static enum err_code print_review(struct listing *l, const struct review *r, struct arena *a,
                                  struct err *e)
{
    char when[TIME_TEXT_SIZE];
    struct json_out o;
    if (l->json) {
        write_review(r, &o);
        return list_row(l, &o, e);
    }
    time_text_format(r->opened_at, when);
    (void)printf("%6lld  %s  %-16.*s %-12.*s %.*s%s\n", (long long)r->number, when,
                 STR_ARG(shown_text_of(r->kind, a)), STR_ARG(shown_text_of(r->location, a)),
                 STR_ARG(shown_text_of(r->text, a)), r->open ? "" : " (closed)");
    l->rows++;
    return ERR_OK;
}

static enum err_code read_reviews(const char *dir, bool open_only, struct arena *arena,
                                  struct review_list *ret, struct err *e)
{
    struct access access;
    enum err_code code = access_open(dir, ACCESS_READ, &access, e);
    if (code == ERR_OK) {
        code = store_reviews(access.store, open_only, LIST_MAX, arena, ret, e);
        access_close(&access);
    }
    return code;
}

static enum err_code run_reviews(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct arena arena;
    struct listing l;
    struct review_list list = {0};
    enum err_code code = arguments_parse(&reviews_spec, argc, argv, &a, e);
    if (code != ERR_OK) {
        return code;
    }
    arena_init(&arena, ARENA_BYTES);
    code = read_reviews(a.positional[0], !arguments_has(&a, 'a'), &arena, &list, e);
    if (code == ERR_OK) {
        code = begin_list(&a, &l);
        for (size_t i = 0; i < list.count && code == ERR_OK; i++) {
            code = print_review(&l, &list.items[i], &arena, e);
        }
        end_list(&l, "No open reviews.");
    }
    arena_fini(&arena);
    return code;
}

// As it may be shown.
static struct str text_of(yyjson_val *object, const char *key, struct arena *a)
{
    yyjson_val *value = json_find(object, key);
    struct str text = STR("");
    if (yyjson_is_str(value)) {
        text = shown_text_of(str_make(yyjson_get_str(value), yyjson_get_len(value)), a);
    }
    return text;
}

static void when_of(yyjson_val *object, char to[TIME_TEXT_SIZE])
{
    int64_t at = 0;
    to[0] = '\0';
    if (json_get_i64(object, "at", &at, NULL) == ERR_OK) {
        time_text_format(at, to);
    }
}

// "2026-03-02T12:00:00Z by lina: reject, theft", and the note on a line of its own.
static void show_answer(yyjson_val *answer, struct arena *a)
{
    char when[TIME_TEXT_SIZE];
    struct str by = text_of(answer, "by", a), note = text_of(answer, "note", a);
    when_of(answer, when);
    (void)printf("answered   %s%s%.*s: %.*s", when, by.n != 0 ? " by " : "", STR_ARG(by),
                 STR_ARG(text_of(answer, "decision", a)));
    for (int i = 0; i < 2; i++) {
        struct str more = text_of(answer, i == 0 ? "value" : "outcome", a);
        (void)printf("%s%.*s", more.n != 0 ? ", " : "", STR_ARG(more));
    }
    (void)printf("\n");
    if (note.n != 0) {
        (void)printf("           %.*s\n", STR_ARG(note));
    }
}

static void show_side(yyjson_val *side, struct arena *a)
{
    char when[TIME_TEXT_SIZE];
    struct str actor = text_of(side, "actor", a), value = text_of(side, "value", a);
    when_of(side, when);
    (void)printf("side       %s %.*s%s%.*s%s%.*s\n", when, STR_ARG(text_of(side, "type", a)),
                 actor.n != 0 ? " by " : "", STR_ARG(actor), value.n != 0 ? ": " : "",
                 STR_ARG(value));
}

static void show_list(yyjson_val *detail, const char *key, struct arena *a,
                      void (*show)(yyjson_val *one, struct arena *a))
{
    yyjson_arr_iter iter = yyjson_arr_iter_with(json_find(detail, key));
    yyjson_val *one;
    while ((one = yyjson_arr_iter_next(&iter)) != NULL) {
        show(one, a);
    }
}

// What a record asks has sides; any other question tells what it tells.
static void show_detail(const struct review *r, struct arena *a)
{
    struct json json = {0};
    if (json_parse(r->detail, DEPTH, &json, NULL) != ERR_OK ||
        json_find(json.root, "sides") == NULL) {
        (void)printf("%.*s\n", STR_ARG(shown_text_of(r->detail, a)));
        json_close(&json);
        return;
    }
    struct str base = text_of(json.root, "base", a);
    yyjson_val *suggested = json_find(json.root, "suggested");
    if (base.n != 0) {
        (void)printf("base       %.*s\n", STR_ARG(base));
    }
    show_list(json.root, "sides", a, show_side);
    if (suggested != NULL) {
        struct str value = text_of(suggested, "value", a);
        (void)printf("suggested  %.*s%s%.*s: %.*s\n", STR_ARG(text_of(suggested, "decision", a)),
                     value.n != 0 ? " " : "", STR_ARG(value),
                     STR_ARG(text_of(suggested, "why", a)));
    }
    show_list(json.root, "answers", a, show_answer);
    json_close(&json);
}

static void show_answers(const struct review *r)
{
    const struct answer_text *text = r->open ? answer_text_of(r->kind) : NULL;
    if (text != NULL) {
        (void)printf("to accept  %s\nto reject  %s\n", text->accept, text->reject);
    }
    if (text != NULL && text->edit != NULL) {
        (void)printf("to edit    %s\n", text->edit);
    }
}

static enum err_code show(const struct review *r, bool as_json, struct arena *a, struct err *e)
{
    char when[TIME_TEXT_SIZE];
    struct json_out o;
    if (as_json) {
        write_review(r, &o);
        return json_out_print(&o, e);
    }
    time_text_format(r->opened_at, when);
    (void)printf("review     %lld (%s)\nkind       %.*s\nrecord     %.*s\nlocation   %.*s\n"
                 "opened     %s\n%.*s\n",
                 (long long)r->number, r->open ? "open" : "closed",
                 STR_ARG(shown_text_of(r->kind, a)), STR_ARG(shown_text_of(r->record, a)),
                 STR_ARG(shown_text_of(r->location, a)), when, STR_ARG(shown_text_of(r->text, a)));
    show_detail(r, a);
    show_answers(r);
    return ERR_OK;
}

static enum err_code run_review(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct arena arena;
    struct review_list list = {0};
    int64_t number = 0;
    enum err_code code = arguments_parse(&review_spec, argc, argv, &a, e);
    if (code == ERR_OK && str_to_i64(str_of(a.positional[1]), &number) != ERR_OK) {
        code = err_set(e, ERR_USAGE, "\"%s\" is not a review's number", a.positional[1]);
    }
    if (code != ERR_OK) {
        return code;
    }
    arena_init(&arena, ARENA_BYTES);
    code = read_reviews(a.positional[0], false, &arena, &list, e);
    const struct review *found = NULL;
    for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
        found = list.items[i].number == number ? &list.items[i] : found;
    }
    if (code == ERR_OK) {
        code = found == NULL
                   ? err_set(e, ERR_NOT_FOUND, "there is no review %lld", (long long)number)
                   : show(found, arguments_has(&a, 'j'), &arena, e);
    }
    arena_fini(&arena);
    return code;
}

// ---- dead letters -----------------------------------------------------------------------------

static enum err_code print_letter(struct listing *l, const struct dead_letter *d, struct arena *a,
                                  struct err *e)
{
    char when[TIME_TEXT_SIZE], id[UUID_TEXT_SIZE];
    if (l->json) {
        struct json_out o;
        json_out_begin(&o);
        json_out_integer(&o, o.root, "lsn", d->lsn);
        json_out_uuid(&o, o.root, "id", &d->id);
        json_out_text(&o, o.root, "type", d->type);
        json_out_text(&o, o.root, "location", d->location);
        json_out_text(&o, o.root, "reason", d->reason);
        json_out_integer(&o, o.root, "since", d->since);
        return list_row(l, &o, e);
    }
    time_text_format(d->since, when);
    uuid_format(&d->id, id);
    (void)printf("%s  %s  %-18.*s %-12.*s %.*s\n", id, when, STR_ARG(shown_text_of(d->type, a)),
                 STR_ARG(shown_text_of(d->location, a)), STR_ARG(shown_text_of(d->reason, a)));
    l->rows++;
    return ERR_OK;
}

static enum err_code run_letters(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct access access;
    struct arena arena;
    struct listing l;
    struct dead_letter_list list = {0};
    enum err_code code = arguments_parse(&letters_spec, argc, argv, &a, e);
    if (code == ERR_OK) {
        code = access_open(a.positional[0], ACCESS_READ, &access, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    arena_init(&arena, ARENA_BYTES);
    code = store_dead_letters(access.store, LIST_MAX, &arena, &list, e);
    if (code == ERR_OK) {
        code = begin_list(&a, &l);
        for (size_t i = 0; i < list.count && code == ERR_OK; i++) {
            code = print_letter(&l, &list.items[i], &arena, e);
        }
        end_list(&l, "No dead letters.");
    }
    arena_fini(&arena);
    access_close(&access);
    return code;
}

struct retried {
    uint64_t folded, left;
};

static enum err_code retry_here(struct access *access, struct retried *ret, struct err *e)
{
    enum err_code code = store_begin(access->store, e);
    if (code != ERR_OK) {
        return code;
    }
    code = store_dead_letters_retry(access->store, &ret->folded, &ret->left, e);
    if (code != ERR_OK) {
        store_rollback(access->store);
        return code;
    }
    return store_commit(access->store, e);
}

static enum err_code retry_remote(struct access *access, struct retried *ret, struct err *e)
{
    struct json_out o;
    struct json json = {0};
    int64_t folded = 0, left = 0;
    json_out_begin(&o);
    enum err_code code = access_ask(access, "/api/v1/dead-letters/retry", &o, &json, e);
    if (code != ERR_OK) {
        return code;
    }
    if (json_get_i64(json.root, "folded", &folded, e) != ERR_OK ||
        json_get_i64(json.root, "left", &left, e) != ERR_OK) {
        code = access_senseless(e);
    }
    json_close(&json);
    *ret = (struct retried){.folded = (uint64_t)folded, .left = (uint64_t)left};
    return code;
}

static enum err_code print_retried(const struct retried *r, bool as_json, struct err *e)
{
    struct json_out o;
    if (!as_json) {
        (void)printf("%llu folded, %llu left\n", (unsigned long long)r->folded,
                     (unsigned long long)r->left);
        return ERR_OK;
    }
    json_out_begin(&o);
    json_out_count(&o, o.root, "folded", r->folded);
    json_out_count(&o, o.root, "left", r->left);
    return json_out_print(&o, e);
}

static enum err_code run_retry(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct access access;
    struct retried r = {0};
    enum err_code code = arguments_parse(&retry_spec, argc, argv, &a, e);
    if (code == ERR_OK) {
        code = access_open(a.positional[0], ACCESS_STORE, &access, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    code = access.remote ? retry_remote(&access, &r, e) : retry_here(&access, &r, e);
    access_close(&access);
    return code == ERR_OK ? print_retried(&r, arguments_has(&a, 'j'), e) : code;
}

const struct command command_review_list = {"review list", "open questions for people",
                                            run_reviews};
const struct command command_review_show = {"review show", "one question", run_review};
const struct command command_deadletter_list = {
    "deadletter list", "events with an unknown type or a bad body", run_letters};
const struct command command_deadletter_retry = {"deadletter retry", "fold those that can be now",
                                                 run_retry};
