// SPDX-License-Identifier: Apache-2.0
#include "node/server_private.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_MAX = 64 * 1024 * 1024, PROBLEM_HEADERS = 3 };

static const struct http_header api_headers[] = {
    {{"Cache-Control", 13}, {"no-store", 8}},
    {{"X-Content-Type-Options", 22}, {"nosniff", 7}},
};
enum { API_HEADERS = sizeof(api_headers) / sizeof(api_headers[0]) };

// ---- problems ----------------------------------------------------------------------------------

void server_clean_text(char *text)
{
    size_t n = strlen(text);
    for (size_t cut = 0; cut < 4 && cut <= n; cut++) { // at most three bytes of a cut character
        if (str_is_utf8(str_make(text, n - cut))) {
            text[n - cut] = '\0';
            return;
        }
    }
    for (size_t i = 0; i < n; i++)
        text[i] = (signed char)text[i] < 0 ? '?' : text[i];
}

// What a client needs beside a status, by RFC 9110 and RFC 6585.
static const struct http_header *usual_header(int status)
{
    static const struct {
        int status;
        struct http_header header;
    } usual[] = {
        {401, {{"WWW-Authenticate", 16}, {"Bearer", 6}}},
        {426, {{"Upgrade", 7}, {"websocket", 9}}},
        {429, {{"Retry-After", 11}, {"10", 2}}},
        {503, {{"Retry-After", 11}, {"1", 1}}},
    };
    for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
        if (usual[i].status == status)
            return &usual[i].header;
    }
    return NULL;
}

yyjson_mut_doc *server_doc(yyjson_mut_val **ret_root)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    if (doc == NULL)
        return NULL;
    *ret_root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, *ret_root);
    return doc;
}

yyjson_mut_doc *server_problem_doc(int status, const char *detail, yyjson_mut_val **ret_root)
{
    yyjson_mut_doc *doc = server_doc(ret_root);
    if (doc == NULL)
        return NULL;
    yyjson_mut_val *root = *ret_root;
    yyjson_mut_obj_add_str(doc, root, "type", "about:blank");
    yyjson_mut_obj_add_str(doc, root, "title", http_status_name(status));
    yyjson_mut_obj_add_int(doc, root, "status", status);
    yyjson_mut_obj_add_str(doc, root, "detail", detail);
    return doc;
}

// Frees doc; NULL or too large: the status says it without words.
static void send_problem(struct server *s, struct http_id id, int status,
                         const struct http_header *header, yyjson_mut_doc *doc)
{
    struct buf text;
    struct http_header headers[PROBLEM_HEADERS];
    memcpy(headers, api_headers, sizeof(api_headers));
    if (header)
        headers[API_HEADERS] = *header;
    s->refused++;
    buf_init(&text, ANSWER_MAX);
    if (doc == NULL || json_append_doc(&text, doc) != ERR_OK)
        buf_reset(&text);
    yyjson_mut_doc_free(doc);
    struct http_response response = {.status = status,
                                     .content_type = text.len ? "application/problem+json" : NULL,
                                     .headers = headers,
                                     .header_count = API_HEADERS + (header != NULL),
                                     .body = buf_str(&text)};
    (void)!http_respond(s->http, id, &response);
    buf_fini(&text);
}

void server_problem_with(struct server *s, struct http_id id, int status,
                         const struct http_header *header, const char *detail)
{
    yyjson_mut_val *root;
    send_problem(s, id, status, header, server_problem_doc(status, detail, &root));
}

void server_problem_answer(struct server *s, struct http_id id, int status, yyjson_mut_doc *doc)
{
    send_problem(s, id, status, NULL, doc);
}

void server_problem(struct server *s, struct http_id id, int status, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    server_clean_text(text);
    server_problem_with(s, id, status, usual_header(status), text);
}

void server_problem_of(struct server *s, struct http_id id, enum err_code code, const struct err *e)
{
    server_problem(s, id, http_status_of(code), "%s", err_message(e));
}

void server_not_taken(struct server *s, struct http_id id, enum err_code code)
{
    static const struct http_header soon = {{"Retry-After", 11}, {"1", 1}};
    if (code == ERR_CLOSED)
        server_problem(s, id, 503, "the node is stopping");
    else
        server_problem_with(s, id, 429, &soon, "the node is busy: try again in a second");
}

// ---- answers -----------------------------------------------------------------------------------

void server_answer_text(struct server *s, struct http_id id, const char *type, struct str body)
{
    struct http_response response = {.status = 200,
                                     .content_type = type,
                                     .headers = api_headers,
                                     .header_count = API_HEADERS,
                                     .body = body};
    (void)!http_respond(s->http, id, &response);
}

void server_answer(struct server *s, struct http_id id, int status, yyjson_mut_doc *doc)
{
    struct buf text;
    buf_init(&text, ANSWER_MAX);
    enum err_code code = doc ? json_append_doc(&text, doc) : ERR_NO_MEMORY;
    yyjson_mut_doc_free(doc);
    struct http_response response = {.status = status,
                                     .content_type = "application/json",
                                     .headers = api_headers,
                                     .header_count = API_HEADERS,
                                     .body = buf_str(&text)};
    if (code)
        server_problem(s, id, 500, "the answer could not be written: %s", err_text(code));
    else
        (void)!http_respond(s->http, id, &response);
    buf_fini(&text);
}

// ---- what a request says -----------------------------------------------------------------------

yyjson_val *server_body(struct server *s, const struct http_request *request, struct arena *arena)
{
    struct json json = {0};
    struct err e = {0};
    enum err_code code = json_parse_in(arena, request->body, LIMIT_EVENT_DEPTH + 2, &json, &e);
    if (code == ERR_OK && yyjson_is_obj(json.root))
        return json.root;
    server_problem(s, request->id, code == ERR_NO_MEMORY ? 503 : 400, "%s",
                   code ? err_message(&e) : "the body is not a JSON object");
    return NULL;
}

bool server_query(struct server *s, const struct http_request *request, const char *key, char *to,
                  size_t size)
{
    enum err_code code = http_query_get(request->query, key, to, size);
    if (code == ERR_NOT_FOUND)
        to[0] = '\0';
    else if (code == ERR_OK && !str_is_utf8(str_of(to)))
        code = ERR_PARSE;
    if (code == ERR_OK || code == ERR_NOT_FOUND)
        return true;
    server_problem(s, request->id, 400, "the query parameter '%s' is malformed", key);
    return false;
}
