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
    int64_t count, limit;
    struct str last;
    bool failed;
};

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
    to->failed = code || to->last.p == NULL;
    if (to->failed)
        return false;
    yyjson_mut_val *item = yyjson_mut_arr_add_obj(to->doc, to->list);
    yyjson_mut_obj_add_strn(to->doc, item, "sku", to->last.p, to->last.n);
    yyjson_obj_iter iter = yyjson_obj_iter_with(json.root);
    while ((key = yyjson_obj_iter_next(&iter)) != NULL)
        yyjson_mut_obj_add(item, yyjson_val_mut_copy(to->doc, key),
                           yyjson_val_mut_copy(to->doc, yyjson_obj_iter_get_val(key)));
    to->count++;
    return true;
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
    if (code)
        return code;
    add_head(to->doc, root, &catalog);
    to->list = yyjson_mut_obj_add_arr(to->doc, root, "items");
    code = store_catalog_each(s->reader, &catalog_kinds[CATALOG_ITEM],
                              &(struct store_catalog_page){after, to->limit}, add_item, to, e);
    if (code == ERR_OK && to->failed)
        code = err_set(e, ERR_NO_MEMORY, "out of memory for the catalog");
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
    char after[4 * LIMIT_NAME];
    struct err e = {0};
    struct arena arena;
    yyjson_mut_val *root;
    struct item_list to = {.arena = &arena};
    if (!server_query(s, request, "after", after, sizeof(after)) ||
        !read_limit(s, request, &to.limit))
        return;
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
