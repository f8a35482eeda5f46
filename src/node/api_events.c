// SPDX-License-Identifier: Apache-2.0
#include "node/server_private.h"

#include "model/event_type.h"

#include <stdlib.h>
#include <string.h>

enum { EVENTS_ARENA = 64 * 1024 * 1024, PAGE_EVENTS = 500, PAGE_BYTES = 4 * 1024 * 1024 };

// ---- POST: one request, one job ---------------------------------------------------------------

struct events_job {
    struct job job;
    struct server *server;
    struct http_id id;
    struct arena arena;
    size_t posted_bytes; // counted in the server
    uint32_t rights;     // of the token's role
    struct draft {
        struct event event;
        char id[UUID_TEXT_SIZE]; // as given, where it could be read
        bool valid;
        struct journal_added added;
    } * drafts;
    size_t count;
};

static enum err_code run_events(struct job *job, struct journal *j, struct err *e)
{
    struct events_job *events = (struct events_job *)job;
    for (size_t i = 0; i < events->count; i++) {
        struct draft *draft = &events->drafts[i];
        struct event event = draft->event;
        if (!draft->valid)
            continue;
        enum err_code code = journal_add(j, &event, &draft->added, e);
        if (code)
            return code;
    }
    return ERR_OK;
}

static yyjson_mut_doc *results_doc(const struct events_job *events)
{
    static const char *const names[] = {"accepted", "duplicate", "rejected"};
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = server_doc(&root);
    if (doc == NULL)
        return NULL;
    yyjson_mut_val *results = yyjson_mut_obj_add_arr(doc, root, "results");
    for (size_t i = 0; i < events->count; i++) {
        const struct draft *draft = &events->drafts[i];
        yyjson_mut_val *result = yyjson_mut_arr_add_obj(doc, results);
        yyjson_mut_obj_add_str(doc, result, "id", draft->id);
        yyjson_mut_obj_add_str(doc, result, "status", names[draft->added.verdict]);
        if (draft->added.verdict == VERDICT_REJECTED)
            yyjson_mut_obj_add_strcpy(doc, result, "reason", draft->added.reason);
    }
    return doc;
}

static void done_events(struct job *job)
{
    struct events_job *events = (struct events_job *)job;
    events->server->posted_bytes -= events->posted_bytes;
    for (size_t i = 0; i < events->count; i++)
        server_clean_text(events->drafts[i].added.reason); // it may name a cut piece of the input
    if (job->code)
        server_problem_of(events->server, events->id, job->code, &job->error);
    else
        server_answer(events->server, events->id, 200, results_doc(events));
    arena_fini(&events->arena);
    free(events);
}

// A token is a ceiling: whoever an event names as its actor, its token's role needs the right too.
static enum err_code may_author(const struct events_job *events, const struct event *event,
                                struct err *e)
{
    enum event_right right = rights_needed(event);
    if (rights_have(events->rights, right))
        return ERR_OK;
    return right == MAY_NODE ? err_set(e, ERR_DENIED, "event: type: a %s is written by nodes only",
                                       event->type->name)
                             : err_set(e, ERR_DENIED,
                                       "event: type: a %s needs the right '%s', which this token's "
                                       "role lacks",
                                       event->type->name, right_table[right].name);
}

static void read_draft(struct events_job *events, struct draft *draft, yyjson_val *object)
{
    struct err why = {0};
    yyjson_val *id = json_find(object, "id");
    if (yyjson_is_str(id)) { // echoed as it came, cut where it cannot be an id
        size_t n = yyjson_get_len(id) < UUID_TEXT_SIZE - 1 ? yyjson_get_len(id) : 0;
        n = yyjson_get_len(id) == UUID_TEXT_SIZE - 1 ? UUID_TEXT_SIZE - 1 : n;
        memcpy(draft->id, yyjson_get_str(id), n);
    }
    enum err_code code = event_parse_draft(object, &events->arena, &draft->event, &why);
    if (code == ERR_OK)
        code = may_author(events, &draft->event, &why);
    draft->valid = code == ERR_OK;
    if (code) {
        draft->added.verdict = VERDICT_REJECTED;
        memcpy(draft->added.reason, err_message(&why), strlen(err_message(&why)) + 1);
    }
}

// 0, or the status of a refusal of the whole.
static int read_drafts(struct events_job *events, yyjson_val *body)
{
    yyjson_val *list = json_find(body, "events");
    if (!yyjson_is_arr(list) || yyjson_arr_size(list) == 0)
        return 400;
    if (yyjson_arr_size(list) > LIMIT_BATCH_EVENTS)
        return 413;
    events->drafts = arena_alloc_zero(&events->arena, yyjson_arr_size(list) * sizeof(struct draft));
    if (events->drafts == NULL)
        return 503;
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    yyjson_val *object;
    while ((object = yyjson_arr_iter_next(&iter)) != NULL)
        read_draft(events, &events->drafts[events->count++], object);
    return 0;
}

static void refuse_whole(struct server *s, struct http_id id, int status)
{
    if (status == 400)
        server_problem(s, id, 400, "the body must be {\"events\": [...]} with 1 to %d events",
                       LIMIT_BATCH_EVENTS);
    else if (status == 413)
        server_problem(s, id, 413, "more than %d events", LIMIT_BATCH_EVENTS);
    else
        server_problem(s, id, status, "out of memory");
}

// False when the writer cannot take it, which has been answered.
static bool post(struct server *s, struct events_job *events)
{
    enum err_code code = ERR_BUSY;
    if (events->arena.used <= SERVER_POSTED_MAX - s->posted_bytes)
        code = writer_post(s->options.writer, &events->job);
    if (code) {
        server_not_taken(s, events->id, code);
        return false;
    }
    events->posted_bytes = events->arena.used;
    s->posted_bytes += events->posted_bytes;
    return true;
}

void api_events_post(struct server *s, const struct http_request *request)
{
    struct events_job *events = calloc(1, sizeof(*events));
    if (events == NULL) {
        refuse_whole(s, request->id, 503);
        return;
    }
    *events = (struct events_job){
        .job = {.run = run_events, .done = done_events}, .server = s, .id = request->id};
    events->rights = server_rights(s, request);
    arena_init(&events->arena, EVENTS_ARENA);
    yyjson_val *body = server_body(s, request, &events->arena);
    int status = body ? read_drafts(events, body) : 0;
    if (status)
        refuse_whole(s, request->id, status);
    if (body && status == 0 && post(s, events))
        return;
    arena_fini(&events->arena);
    free(events);
}

// ---- GET: pages of the journal ----------------------------------------------------------------

static bool query_number(struct server *s, const struct http_request *request, const char *key,
                         uint64_t preset, uint64_t *ret)
{
    char text[24];
    if (!server_query(s, request, key, text, sizeof(text)))
        return false;
    *ret = preset;
    if (text[0] == '\0' || (str_to_u64(str_of(text), ret) == ERR_OK && *ret <= INT64_MAX))
        return true;
    server_problem(s, request->id, 400, "%s must be a whole number", key);
    return false;
}

static void add_event(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct store_event *event,
                      struct arena *arena)
{
    yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
    struct json json = {0};
    yyjson_mut_obj_add_sint(doc, item, "lsn", event->lsn);
    yyjson_mut_obj_add_str(doc, item, "status", event_status_name(event->status));
    yyjson_mut_obj_add_sint(doc, item, "received_at", event->received_at);
    if (json_parse_in(arena, event->bytes, LIMIT_EVENT_DEPTH, &json, NULL) == ERR_OK)
        yyjson_mut_obj_add_val(doc, item, "event", yyjson_val_mut_copy(doc, json.root));
    else
        yyjson_mut_obj_add_null(doc, item, "event");
}

void api_events_get(struct server *s, const struct http_request *request)
{
    uint64_t after = 0;
    uint64_t limit = 0;
    if (!query_number(s, request, "after", 0, &after) ||
        !query_number(s, request, "limit", 100, &limit))
        return;
    if (limit == 0) {
        server_problem(s, request->id, 400, "limit must be at least 1");
        return;
    }
    struct arena arena;
    arena_init(&arena, EVENTS_ARENA);
    struct err e = {0};
    struct store_event_list list = {0};
    struct store_page page = {limit < PAGE_EVENTS ? limit : PAGE_EVENTS, PAGE_BYTES, &arena};
    enum err_code code = store_read_journal(s->reader, (int64_t)after, &page, &list, &e);
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = code ? NULL : server_doc(&root);
    if (doc) {
        yyjson_mut_val *events = yyjson_mut_obj_add_arr(doc, root, "events");
        for (size_t i = 0; i < list.count; i++)
            add_event(doc, events, &list.items[i], &arena);
        int64_t next = list.count ? list.items[list.count - 1].lsn : (int64_t)after;
        yyjson_mut_obj_add_sint(doc, root, "next", next);
    }
    if (code)
        server_problem_of(s, request->id, code, &e);
    else
        server_answer(s, request->id, 200, doc);
    arena_fini(&arena);
}
