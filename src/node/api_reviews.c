// SPDX-License-Identifier: Apache-2.0
#include "node/server_private.h"

#include "node/reviewing.h"

#include <stdlib.h>

enum { JOB_ARENA = 256 * 1024 };

struct answer_job {
    struct job job;
    struct server *server;
    struct http_id id;
    struct arena arena; // the request's body
    struct server_caller caller;
    struct reviewing_answer answer;
    struct reviewing_refusal refusal;
};

static void free_job(struct answer_job *job)
{
    arena_fini(&job->arena);
    free(job);
}

static enum err_code run(struct job *base, struct journal *j, struct err *e)
{
    struct answer_job *job = (struct answer_job *)base;
    return reviewing_answer(j, &job->answer, &job->refusal, e);
}

static void done(struct job *base)
{
    struct answer_job *job = (struct answer_job *)base;
    yyjson_mut_val *root;
    if (base->code) {
        server_problem_of(job->server, job->id, base->code, &base->error);
    } else if (job->refusal.code) {
        server_problem_of(job->server, job->id, job->refusal.code, &job->refusal.why);
    } else {
        yyjson_mut_doc *doc = server_doc(&root);
        if (doc) {
            yyjson_mut_obj_add_sint(doc, root, "id", job->answer.review);
            yyjson_mut_obj_add_bool(doc, root, "open", false);
        }
        server_answer(job->server, job->id, 200, doc);
    }
    free_job(job);
}

// Of "/api/v1/reviews/NUMBER/resolve", as it was routed.
static bool read_number(struct str path, int64_t *ret)
{
    const struct str before = STR("/api/v1/reviews/"), behind = STR("/resolve");
    return str_to_i64(str_make(path.p + before.n, path.n - before.n - behind.n), ret) == ERR_OK;
}

static enum err_code read_text(yyjson_val *body, const char *key, struct str *ret, struct err *e)
{
    yyjson_val *value = yyjson_obj_get(body, key);
    *ret = STR("");
    if (value == NULL || yyjson_is_null(value))
        return ERR_OK;
    enum err_code code = json_get_str(body, key, ret, e);
    if (code == ERR_OK && ret->n > LIMIT_TEXT)
        code = err_set(e, ERR_INVALID, "%s: longer than %d bytes", key, LIMIT_TEXT);
    return code;
}

static enum err_code read_answer(yyjson_val *body, struct reviewing_answer *ret, struct err *e)
{
    struct str decision;
    enum err_code code = json_get_str(body, "decision", &decision, e);
    if (code == ERR_OK)
        code = reviewing_parse(decision, &ret->decision, e);
    if (code == ERR_OK)
        code = read_text(body, "value", &ret->value, e);
    if (code == ERR_OK)
        code = read_text(body, "outcome", &ret->outcome, e);
    return code ? code : read_text(body, "note", &ret->note, e);
}

// NULL when that has been answered.
static struct answer_job *new_job(struct server *s, const struct http_request *request,
                                  const struct server_caller *caller, int64_t number)
{
    struct err e = {0};
    struct answer_job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        server_problem(s, request->id, 503, "out of memory");
        return NULL;
    }
    *job = (struct answer_job){.job = {.run = run, .done = done},
                               .server = s,
                               .id = request->id,
                               .caller = *caller,
                               .answer = {.review = number}};
    arena_init(&job->arena, JOB_ARENA);
    job->answer.by = str_of(job->caller.name);
    yyjson_val *body = server_body(s, request, &job->arena);
    if (body != NULL && read_answer(body, &job->answer, &e) == ERR_OK)
        return job;
    if (body != NULL)
        server_problem(s, request->id, 400, "%s", err_message(&e));
    free_job(job);
    return NULL;
}

void api_review_resolve_post(struct server *s, const struct http_request *request)
{
    struct server_caller caller;
    int64_t number = 0;
    server_caller(s, request, &caller);
    if (!rights_have(caller.rights, MAY_REVIEW)) {
        server_problem(s, request->id, 403, "this token may not answer questions");
        return;
    }
    if (!read_number(request->path, &number)) {
        server_problem(s, request->id, 404, "there is nothing here");
        return;
    }
    struct answer_job *job = new_job(s, request, &caller, number);
    enum err_code code = job ? writer_post(s->options.writer, &job->job) : ERR_OK;
    if (code) {
        server_not_taken(s, request->id, code);
        free_job(job);
    }
}
