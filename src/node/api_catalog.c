// SPDX-License-Identifier: Apache-2.0
#include "node/catalog_json.h"
#include "node/server_private.h"

#include <stdlib.h>
#include <string.h>

enum { ITEMS_MAX = 500, ITEMS_PRESET = 100, CATALOG_ARENA = 4 * 1024 * 1024 };

// ---- GET --------------------------------------------------------------------------------------

struct item_list {
    yyjson_mut_doc *doc;
    yyjson_mut_val *list;
    struct arena *arena;
    struct store *store;
    struct str location; // whose own prices count; empty: nobody's
    enum price_authority authority;
    bool own; // only items of which it says a price
    int64_t count, limit;
    struct str last;
    enum err_code code;
};

static void put(yyjson_mut_doc *doc, yyjson_mut_val *to, const char *key, yyjson_mut_val *value)
{
    yyjson_mut_obj_put(to, yyjson_mut_str(doc, key), value);
}

static void put_price(yyjson_mut_doc *doc, yyjson_mut_val *to, const struct price *price)
{
    char amount[DECIMAL_TEXT_MAX];
    decimal_format(price->amount, amount);
    put(doc, to, "price", yyjson_mut_strcpy(doc, amount));
    put(doc, to, "currency", yyjson_mut_strncpy(doc, price->currency.p, price->currency.n));
    put(doc, to, "places", yyjson_mut_sint(doc, price->places));
}

static struct price published_price(const struct row *row)
{
    const struct catalog_kind *kind = &catalog_kinds[CATALOG_ITEM];
    const struct value *amount = &row->values[catalog_column(kind, "price")];
    const struct value *currency = &row->values[catalog_column(kind, "currency")];
    const struct value *places = &row->values[catalog_column(kind, "places")];
    const struct value *since = &row->values[catalog_column(kind, CATALOG_PRICED)];
    struct price price = {.there = !amount->null};
    if (!price.there)
        return price;
    price.amount = amount->number;
    price.currency = currency->null ? STR("") : currency->text;
    price.places = places->null ? 0 : (int)places->number;
    price.since = since->null ? 0 : (uint64_t)since->number;
    return price;
}

static void add_own(struct item_list *to, yyjson_mut_val *item, const struct store_own_price *own,
                    enum price_standing standing)
{
    char event[UUID_TEXT_SIZE];
    yyjson_mut_val *said = yyjson_mut_obj_add_obj(to->doc, item, "own");
    put_price(to->doc, said, &own->own.price);
    yyjson_mut_obj_add_str(to->doc, said, "standing", price_standing_name(standing));
    yyjson_mut_obj_add_uint(to->doc, said, "catalog", own->own.saw);
    uuid_format(&own->event, event);
    yyjson_mut_obj_add_strcpy(to->doc, said, "event", event);
    yyjson_mut_obj_add_sint(to->doc, said, "set_at", own->set_at);
    if (own->set_by.n > 0)
        yyjson_mut_obj_add_strncpy(to->doc, said, "set_by", own->set_by.p, own->set_by.n);
    else
        yyjson_mut_obj_add_null(to->doc, said, "set_by");
}

// What the place says of it, and which of the two it is sold at.
static enum err_code weigh(struct item_list *to, yyjson_mut_val *item, const struct row *row)
{
    struct store_own_price own;
    struct price published = published_price(row);
    if (to->location.n == 0)
        return ERR_OK;
    enum err_code code =
        store_own_price(to->store, to->location, row->values[0].text, to->arena, &own, NULL);
    if (code || !own.own.price.there)
        return code;
    add_own(to, item, &own, price_stands(to->authority, &published, &own.own));
    if (published.there)
        put_price(to->doc, yyjson_mut_obj_add_obj(to->doc, item, "official"), &published);
    else
        yyjson_mut_obj_add_null(to->doc, item, "official");
    const struct price *counts = price_counts(to->authority, &published, &own.own);
    if (counts->there)
        put_price(to->doc, item, counts);
    return ERR_OK;
}

// A row of the catalog is given as it goes down the feed, with its sku before the rest.
static bool add_item(void *context, const struct row *row)
{
    struct item_list *to = context;
    struct buf text;
    struct json json = {0};
    yyjson_val *key;
    buf_init(&text, LIMIT_EVENT_BYTES);
    enum err_code code = catalog_row_write(&catalog_kinds[CATALOG_ITEM], row, &text);
    if (code == ERR_OK)
        code = json_parse_in(to->arena, buf_str(&text), LIMIT_EVENT_DEPTH, &json, NULL);
    buf_fini(&text);
    to->last = arena_copy(to->arena, row->values[0].text);
    to->code = code == ERR_OK && to->last.p == NULL ? ERR_NO_MEMORY : code;
    if (to->code)
        return false;
    yyjson_mut_val *item = yyjson_mut_arr_add_obj(to->doc, to->list);
    yyjson_mut_obj_add_strn(to->doc, item, "sku", to->last.p, to->last.n);
    yyjson_obj_iter iter = yyjson_obj_iter_with(json.root);
    while ((key = yyjson_obj_iter_next(&iter)) != NULL)
        yyjson_mut_obj_add(item, yyjson_val_mut_copy(to->doc, key),
                           yyjson_val_mut_copy(to->doc, yyjson_obj_iter_get_val(key)));
    to->count++;
    to->code = weigh(to, item, row);
    return to->code == ERR_OK;
}

static void add_head(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct store_catalog *catalog)
{
    if (catalog->version.number) {
        catalog_json_add(&catalog->version, doc, root);
    } else {
        yyjson_mut_obj_add_null(doc, root, "version");
        yyjson_mut_obj_add_null(doc, root, "hash");
        yyjson_mut_obj_add_uint(doc, root, "rows", 0);
    }
    yyjson_mut_obj_add_uint(doc, root, "changed", catalog->changed);
}

static enum err_code write_catalog(struct server *s, struct item_list *to, struct str after,
                                   yyjson_mut_val *root, struct err *e)
{
    struct store_catalog catalog;
    enum err_code code = store_catalog(s->reader, &catalog, e);
    if (code == ERR_OK)
        code = store_price_authority(s->reader, &to->authority, e);
    if (code)
        return code;
    add_head(to->doc, root, &catalog);
    if (to->location.n > 0)
        yyjson_mut_obj_add_strn(to->doc, root, "location", to->location.p, to->location.n);
    else
        yyjson_mut_obj_add_null(to->doc, root, "location");
    to->list = yyjson_mut_obj_add_arr(to->doc, root, "items");
    code = store_catalog_each(
        s->reader, &catalog_kinds[CATALOG_ITEM],
        &(struct store_catalog_page){after, to->limit, to->own ? to->location : STR("")}, add_item,
        to, e);
    if (code == ERR_OK && to->code)
        code = err_set(e, to->code, "the catalog cannot be read");
    if (to->count == to->limit)
        yyjson_mut_obj_add_strn(to->doc, root, "next", to->last.p, to->last.n);
    else
        yyjson_mut_obj_add_null(to->doc, root, "next");
    return code;
}

static bool read_limit(struct server *s, const struct http_request *request, int64_t *ret)
{
    char text[24];
    uint64_t limit = ITEMS_PRESET;
    if (!server_query(s, request, "limit", text, sizeof(text)))
        return false;
    if (text[0] != '\0' && (str_to_u64(str_of(text), &limit) || limit == 0)) {
        server_problem(s, request->id, 400, "limit must be a whole number from 1 on");
        return false;
    }
    *ret = limit < ITEMS_MAX ? (int64_t)limit : ITEMS_MAX;
    return true;
}

void api_catalog_get(struct server *s, const struct http_request *request)
{
    char after[4 * LIMIT_NAME], location[4 * LIMIT_NAME], own[8];
    struct err e = {0};
    struct arena arena;
    yyjson_mut_val *root;
    struct item_list to = {.arena = &arena, .store = s->reader};
    if (!server_query(s, request, "after", after, sizeof(after)) ||
        !server_query(s, request, "location", location, sizeof(location)) ||
        !server_query(s, request, "own", own, sizeof(own)) || !read_limit(s, request, &to.limit))
        return;
    const struct identity *who = journal_identity(s->options.journal);
    to.location = str_of(location);
    if (location[0] == '\0' && who->role == ROLE_TERMINAL)
        to.location = str_of(who->location);
    to.own = strcmp(own, "true") == 0;
    if (own[0] && !to.own && strcmp(own, "false") != 0) {
        server_problem(s, request->id, 400, "own must be true or false");
        return;
    }
    if (to.own && to.location.n == 0) {
        server_problem(s, request->id, 400, "own needs a location: this node is of none");
        return;
    }
    arena_init(&arena, (size_t)ITEMS_MAX * LIMIT_EVENT_BYTES);
    to.doc = server_doc(&root);
    enum err_code code = to.doc ? write_catalog(s, &to, str_of(after), root, &e) : ERR_NO_MEMORY;
    if (code) {
        yyjson_mut_doc_free(to.doc);
        server_problem_of(s, request->id, code, &e);
    } else {
        server_answer(s, request->id, 200, to.doc);
    }
    arena_fini(&arena);
}

// ---- POST /publish ----------------------------------------------------------------------------

struct publish_job {
    struct job job;
    struct server *server;
    struct http_id id;
    struct arena kept, found; // what was asked; what was answered
    struct str note, actor;
    struct journal_publish publish;
};

static enum err_code run_publish(struct job *base, struct journal *j, struct err *e)
{
    struct publish_job *job = (struct publish_job *)base;
    arena_reset(&job->found);
    job->publish = (struct journal_publish){.note = job->note, .actor = job->actor};
    return journal_publish(j, &job->publish, &job->found, e);
}

static void answer_questions(struct publish_job *job)
{
    yyjson_mut_val *root;
    const struct review_list *questions = &job->publish.questions;
    yyjson_mut_doc *doc = server_problem_doc(
        409, "a person has to decide first what the chain asks its guests for", &root);
    yyjson_mut_val *list = doc ? yyjson_mut_obj_add_arr(doc, root, "reviews") : NULL;
    for (size_t i = 0; doc && i < questions->count; i++)
        api_add_review(doc, list, &questions->items[i], &job->found);
    server_problem_answer(job->server, job->id, 409, doc);
}

static void done_publish(struct job *base)
{
    struct publish_job *job = (struct publish_job *)base;
    if (base->code) {
        server_problem_of(job->server, job->id, base->code, &base->error);
    } else if (job->publish.questions.count > 0) {
        answer_questions(job);
    } else {
        yyjson_mut_val *root;
        yyjson_mut_doc *doc = server_doc(&root);
        if (doc) {
            catalog_json_add(&job->publish.version, doc, root);
            yyjson_mut_obj_add_uint(doc, root, "changed", job->publish.changed);
        }
        server_answer(job->server, job->id, 200, doc);
    }
    arena_fini(&job->kept);
    arena_fini(&job->found);
    free(job);
}

static bool read_text(struct publish_job *job, yyjson_val *body, const char *key,
                      bool (*valid)(struct str text), struct str *ret)
{
    struct err e = {0};
    struct str text = STR("");
    if (json_find(body, key) == NULL)
        return true;
    if (json_get_str(body, key, &text, &e) || !valid(text)) {
        server_problem(job->server, job->id, 400, "%s is not valid", key);
        return false;
    }
    *ret = arena_copy(&job->kept, text);
    if (ret->p == NULL)
        server_problem(job->server, job->id, 503, "out of memory");
    return ret->p != NULL;
}

static bool is_note(struct str text)
{
    return text.n >= 1 && text.n <= LIMIT_TEXT;
}

static bool post(struct publish_job *job)
{
    enum err_code code = writer_post(job->server->options.writer, &job->job);
    if (code)
        server_not_taken(job->server, job->id, code);
    return code == ERR_OK;
}

void api_catalog_publish_post(struct server *s, const struct http_request *request)
{
    if (!rights_have(server_rights(s, request), MAY_CATALOG)) {
        server_problem(s, request->id, 403, "publishing needs the right 'catalog'");
        return;
    }
    struct publish_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        server_problem(s, request->id, 503, "out of memory");
        return;
    }
    *job = (struct publish_job){
        .job = {.run = run_publish, .done = done_publish}, .server = s, .id = request->id};
    arena_init(&job->kept, CATALOG_ARENA);
    arena_init(&job->found, CATALOG_ARENA);
    yyjson_val *body = server_body(s, request, &job->kept);
    if (body && read_text(job, body, "note", is_note, &job->note) &&
        read_text(job, body, "actor", event_name_valid, &job->actor) && post(job))
        return;
    arena_fini(&job->kept);
    arena_fini(&job->found);
    free(job);
}
