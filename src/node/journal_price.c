// SPDX-License-Identifier: Apache-2.0
//
// Sold prices against the catalog's version that their line names, at the centre: nothing is
// refused or priced again, but a price that nothing explains is asked about.
//
//   ticket ──journal_note_price──► its lines are compared as it comes; what it takes back was
//                                   sold at the price of its version, too
//   order  ──journal_judge_prices─► once a bill of it is completed; an override that comes later
//                                   closes the question again
//   an own price of a place ──journal_doubt_price──► explains nothing where it will be held
//   a version that the centre has not published (it was restored from a backup) waits until it has:
//                                   journal_prices_published, and the upkeep goes on with the rest
#include "base/decimal.h"
#include "model/body.h"
#include "node/journal_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAITING "prices_from" // the least version that a sale named and that is not known

enum { WORDS_SIZE = 900, CASES_AT_ONCE = 200 }; // a sale that comes meanwhile waits for so many

// What is to be said of one event.
struct price_case {
    struct str location, record_type, record;
    struct uuid event;
    char sold[WORDS_SIZE + 64], published[WORDS_SIZE + 64];
    size_t left_out;
    struct price_case *next;
};
struct price_cases {
    struct journal *j;
    struct arena *arena;
    struct price_case *first, *last;
    size_t count;
    bool full; // out of memory
    bool more; // there are others, for the next time
};

// ---- words ------------------------------------------------------------------------------------

static bool add_words(char to[WORDS_SIZE + 64], const char *words)
{
    size_t n = strlen(to), more = strlen(words);
    if (n + more + 2 >= WORDS_SIZE)
        return false;
    (void)snprintf(to + n, WORDS_SIZE - n, "%s%s", n ? "; " : "", words);
    return true;
}

static void say_line(struct price_case *c, const struct price_line *line,
                     const struct price *published)
{
    char sold[200], right[200], price[DECIMAL_TEXT_MAX];
    const struct price_sold *s = &line->sold;
    decimal_format(s->amount, price);
    (void)snprintf(sold, sizeof sold, "%.*s %s %.*s", STR_ARG(line->sku), price,
                   STR_ARG(s->currency));
    decimal_format(published->amount, price);
    if (published->there)
        (void)snprintf(right, sizeof right, "%.*s %s %.*s, version %llu", STR_ARG(line->sku), price,
                       STR_ARG(published->currency), (unsigned long long)line->version);
    else
        (void)snprintf(right, sizeof right, "%.*s has no price in version %llu", STR_ARG(line->sku),
                       (unsigned long long)line->version);
    if (!add_words(c->sold, sold) || !add_words(c->published, right))
        c->left_out++;
}

static struct price_case *case_of(struct price_cases *cases, const struct price_line *line)
{
    struct price_case *c = cases->last;
    if (c != NULL && uuid_equal(&c->event, &line->event) && str_equal(c->location, line->location))
        return c;
    c = arena_alloc_zero(cases->arena, sizeof *c);
    if (c == NULL)
        return NULL;
    c->location = arena_copy(cases->arena, line->location);
    c->record_type = arena_copy(cases->arena, line->record_type);
    c->record = arena_copy(cases->arena, line->record);
    c->event = line->event;
    if (c->location.p == NULL || c->record_type.p == NULL || c->record.p == NULL)
        return NULL;
    *(cases->last ? &cases->last->next : &cases->first) = c;
    cases->last = c;
    cases->count++;
    return c;
}

static bool add_line(void *context, const struct price_line *line, const struct price *published)
{
    struct price_cases *cases = context;
    struct price_case *c = case_of(cases, line);
    cases->full = c == NULL;
    if (c != NULL)
        say_line(c, line, published);
    return c != NULL;
}

// Of what waited: some at a time, and only what nobody was asked about yet.
static bool add_waiting(void *context, const struct price_line *line, const struct price *published)
{
    struct price_cases *cases = context;
    const struct price_case *last = cases->last;
    bool same = last && uuid_equal(&last->event, &line->event), asked = false;
    if (!same &&
        store_judged_for(cases->j->store, line->location, &line->event, REASON_PRICE, &asked, NULL))
        cases->full = true;
    if (asked || cases->full)
        return !cases->full;
    cases->more = !same && cases->count == CASES_AT_ONCE;
    return !cases->more && add_line(context, line, published);
}

static enum err_code say_case(struct journal *j, struct price_case *c, struct err *e)
{
    struct record_name record = {c->location, c->record_type, c->record};
    struct judgement judgement = {.target = c->event,
                                  .verdict = {JUDGED_APPLIED, .reason = REASON_PRICE}};
    if (c->left_out > 0) {
        size_t n = strlen(c->sold);
        (void)snprintf(c->sold + n, sizeof c->sold - n, "; and %zu lines more", c->left_out);
    }
    judgement.sold = str_of(c->sold);
    judgement.published = str_of(c->published);
    return journal_say(j, &record, &judgement, e);
}

// ---- versions ---------------------------------------------------------------------------------

static enum err_code published_version(struct journal *j, uint64_t *ret, struct err *e)
{
    struct store_catalog catalog;
    enum err_code code = store_catalog(j->store, &catalog, e);
    *ret = code == ERR_OK ? catalog.version.number : 0;
    return code;
}

static enum err_code read_waiting(struct journal *j, uint64_t *ret, struct err *e)
{
    struct str text = STR("");
    enum err_code code = store_meta_get(j->store, WAITING, &j->arena, &text, e);
    *ret = 0;
    if (code == ERR_OK && text.n != 0)
        *ret = strtoull(text.p, NULL, 10);
    return code == ERR_NOT_FOUND ? ERR_OK : code;
}

static enum err_code write_waiting(struct journal *j, uint64_t version, struct err *e)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%llu", (unsigned long long)version);
    return store_meta_set(j->store, WAITING, str_of(text), e);
}

static enum err_code wait_for(struct journal *j, uint64_t version, struct err *e)
{
    uint64_t least = 0;
    enum err_code code = read_waiting(j, &least, e);
    if (code || (least != 0 && least <= version))
        return code;
    return write_waiting(j, version, e);
}

// ---- what an author of a price had before him -------------------------------------------------

static enum err_code add_catalog(struct journal *j, struct event *draft, uint64_t version,
                                 struct err *e)
{
    struct json_writer w;
    yyjson_obj_iter iter = yyjson_obj_iter_with(draft->body);
    yyjson_val *key;
    json_writer_begin(&w);
    while ((key = yyjson_obj_iter_next(&iter)) != NULL) {
        if (!yyjson_equals_str(key, EVENT_STAMP))
            yyjson_mut_obj_add(w.root, yyjson_val_mut_copy(w.doc, key),
                               yyjson_val_mut_copy(w.doc, yyjson_obj_iter_get_val(key)));
    }
    yyjson_mut_obj_add_uint(w.doc, w.root, EVENT_STAMP, version);
    return journal_read_back(j, &w, &draft->body, e);
}

enum err_code journal_fill_catalog(struct journal *j, struct event *draft, const char **ret_fault,
                                   struct err *e)
{
    uint64_t version = 0;
    if (!event_is_stamped(draft) || !str_is(draft->record_type, "price") ||
        str_is(draft->location, FEED_CHAIN))
        return ERR_OK;
    int64_t given = body_integer(draft->body, EVENT_STAMP);
    enum err_code code = published_version(j, &version, e);
    if (code)
        return code;
    if (given > 0 && (uint64_t)given > version)
        *ret_fault = "body: catalog: this node does not show so new a version";
    return given > 0 || version == 0 ? ERR_OK : add_catalog(j, draft, version, e);
}

// ---- tickets ----------------------------------------------------------------------------------

static enum err_code note_line(struct journal *j, const struct price_line *line,
                               struct price_cases *cases, struct err *e)
{
    struct arena scratch;
    struct price price;
    enum price_finding finding = PRICE_UNKNOWN;
    arena_init(&scratch, ARENA_MAX);
    enum err_code code = store_price_check(j->store, line, &scratch, &finding, &price, e);
    if (code == ERR_OK && price_is_asked(finding) && !add_line(cases, line, &price))
        code = err_set(e, ERR_NO_MEMORY, "the transaction is too large");
    arena_fini(&scratch);
    return code;
}

enum err_code journal_doubt_price(struct journal *j, const struct uuid *event, struct err *e)
{
    struct price_doubt *doubt = arena_alloc(&j->arena, sizeof *doubt);
    if (doubt == NULL)
        return err_set(e, ERR_NO_MEMORY, "the transaction is too large");
    *doubt = (struct price_doubt){*event, j->doubts};
    j->doubts = doubt;
    return ERR_OK;
}

static enum err_code note_ticket(struct journal *j, struct arrival *a, struct err *e)
{
    struct price_cases cases = {.arena = &j->arena};
    const struct event *event = &a->event;
    struct price_line line = {.location = event->location,
                              .record_type = event->record_type,
                              .record = event->record_id,
                              .event = event->id,
                              .doubted = j->doubts};
    yyjson_arr_iter iter = yyjson_arr_iter_with(yyjson_obj_get(event->body, "lines"));
    yyjson_val *object;
    enum err_code code = ERR_OK;
    uint64_t published = 0;
    while (code == ERR_OK && (object = yyjson_arr_iter_next(&iter)) != NULL) {
        int64_t version = body_integer(object, "catalog");
        if (version <= 0)
            continue;
        line.version = (uint64_t)version;
        line.sku = body_text(object, "sku");
        line.sold = (struct price_sold){.amount = body_decimal(object, "unit_price"),
                                        .currency = body_text(event->body, "currency")};
        if (published < line.version)
            code = published_version(j, &published, e);
        if (code == ERR_OK)
            code = published < line.version ? wait_for(j, line.version, e)
                                            : note_line(j, &line, &cases, e);
    }
    a->prices = cases.first;
    return code;
}

static bool turns_prices(const struct event *event)
{
    const char *name = event->type->name;
    return strcmp(name, "sale_completed") == 0 || strcmp(name, "price_overridden") == 0 ||
           (strcmp(name, "line_added") == 0 && body_find(event->body, "catalog") != NULL);
}

enum err_code journal_note_price(struct journal *j, struct arrival *a, struct err *e)
{
    a->priced = str_is(a->event.record_type, "order") && turns_prices(&a->event);
    bool ticket = strcmp(a->event.type->name, "ticket_recorded") == 0;
    return ticket ? note_ticket(j, a, e) : ERR_OK;
}

// ---- orders -----------------------------------------------------------------------------------

static enum err_code explain(struct journal *j, const struct record_name *order, struct err *e)
{
    struct str triggers;
    enum err_code code = store_question_open(j->store, order, "price", &j->arena, &triggers, e);
    return code ? code : journal_explain(j, order, "price", triggers, e);
}

static enum err_code judge_order(struct journal *j, const struct record_name *order, struct err *e)
{
    struct price_cases cases = {.arena = &j->arena};
    struct price_look look = {.order = order};
    enum err_code code = published_version(j, &look.published, e);
    if (code == ERR_OK)
        code = store_prices_differ(j->store, &look, add_line, &cases, e);
    if (code == ERR_OK && cases.full)
        code = err_set(e, ERR_NO_MEMORY, "the transaction is too large");
    if (code == ERR_OK && look.ret_unknown != 0)
        code = wait_for(j, look.ret_unknown, e);
    for (struct price_case *c = cases.first; c != NULL && code == ERR_OK; c = c->next) {
        bool asked = false;
        code = store_judged_for(j->store, order->location, &c->event, REASON_PRICE, &asked, e);
        if (code == ERR_OK && !asked)
            code = say_case(j, c, e);
    }
    return code || cases.first != NULL ? code : explain(j, order, e);
}

enum err_code journal_judge_prices(struct journal *j, const struct arrival *arrivals, struct err *e)
{
    const struct arrival *last = NULL;
    enum err_code code = ERR_OK;
    for (const struct arrival *a = arrivals; a != NULL && code == ERR_OK; a = a->next) {
        for (struct price_case *c = a->prices; c != NULL && code == ERR_OK; c = c->next)
            code = say_case(j, c, e);
        if (code || !a->priced)
            continue;
        bool again = last != NULL && str_equal(last->event.record_id, a->event.record_id) &&
                     str_equal(last->event.location, a->event.location);
        struct record_name order = {a->event.location, a->event.record_type, a->event.record_id};
        last = a;
        if (!again)
            code = judge_order(j, &order, e);
    }
    return code;
}

// ---- what waited ------------------------------------------------------------------------------

enum err_code journal_prices_published(struct journal *j, uint64_t version, struct err *e)
{
    struct price_cases cases = {.j = j, .arena = &j->arena};
    struct price_look look = {.published = version};
    enum err_code code = read_waiting(j, &look.from_version, e);
    if (code || look.from_version == 0 || look.from_version > version)
        return code;
    code = store_prices_differ(j->store, &look, add_waiting, &cases, e);
    if (code == ERR_OK && cases.full)
        code = err_set(e, ERR_NO_MEMORY, "the transaction is too large");
    for (struct price_case *c = cases.first; c != NULL && code == ERR_OK; c = c->next)
        code = say_case(j, c, e);
    return code || cases.more ? code : write_waiting(j, look.ret_unknown, e);
}

enum err_code journal_hear_prices(struct journal *j, struct err *e)
{
    uint64_t published = 0;
    if (j->identity.role != ROLE_CENTRAL)
        return ERR_OK;
    enum err_code code = published_version(j, &published, e);
    return code ? code : journal_prices_published(j, published, e);
}
