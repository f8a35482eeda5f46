// SPDX-License-Identifier: Apache-2.0
#include "node/server_private.h"

#include <stdlib.h>

struct recovered_job {
    struct job job;
    struct server *server;
    struct http_id id;
    struct restored restored; // as it was
};

static enum err_code run_recovered(struct job *base, struct journal *j, struct err *e)
{
    struct recovered_job *job = (struct recovered_job *)base;
    job->restored = *journal_restored(j);
    return journal_confirm_restored(j, e);
}

// null where nothing waits for a person.
void api_add_recovery(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct restored *r)
{
    char device[UUID_TEXT_SIZE];
    uuid_format(&r->device, device);
    if (!r->open) {
        yyjson_mut_obj_add_null(doc, root, "recovery");
        return;
    }
    yyjson_mut_val *object = yyjson_mut_obj_add_obj(doc, root, "recovery");
    yyjson_mut_obj_add_sint(doc, object, "since", r->since_ms);
    yyjson_mut_obj_add_sint(doc, object, "backup", r->backup_ms);
    yyjson_mut_obj_add_strcpy(doc, object, "device", device);
    yyjson_mut_obj_add_strcpy(doc, object, "why", r->why);
}

static void done_recovered(struct job *base)
{
    struct recovered_job *job = (struct recovered_job *)base;
    yyjson_mut_val *root;
    if (base->code) {
        server_problem_of(job->server, job->id, base->code, &base->error);
    } else {
        yyjson_mut_doc *doc = server_doc(&root);
        if (doc)
            api_add_recovery(doc, root, &job->restored);
        server_answer(job->server, job->id, 200, doc);
    }
    free(job);
}

void api_recovered_post(struct server *s, const struct http_request *request)
{
    struct recovered_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        server_problem(s, request->id, 503, "out of memory");
        return;
    }
    *job = (struct recovered_job){
        .job = {.run = run_recovered, .done = done_recovered}, .server = s, .id = request->id};
    enum err_code code = writer_post(s->options.writer, &job->job);
    if (code == ERR_OK)
        return;
    server_not_taken(s, request->id, code);
    free(job);
}
