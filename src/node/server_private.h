// SPDX-License-Identifier: Apache-2.0
// What the parts of the HTTP surface share. Nobody else includes this.
#ifndef WASL_NODE_SERVER_PRIVATE_H
#define WASL_NODE_SERVER_PRIVATE_H

#include "node/server.h"

enum { ADMIN_TOKEN_SIZE = 32, RIGHT_ROLES_MAX = 4 };

// Who may call a route.
enum right {
    RIGHT_NOBODY_ASKED, // public: it tells nothing worth hiding, or checks for itself
    RIGHT_LOCAL_READ,   // from this machine without a token, from elsewhere with one
    RIGHT_READ,         // any token
    RIGHT_WRITE,        // a token of a role that may write events
    RIGHT_ADMIN,        // the local administrator's token, or an owner's
};

struct route {
    const char *method;
    const char *path; // exact, or a prefix when it ends with '*'
    unsigned roles;   // bits of 1 << enum node_role
    enum right right;
    size_t body_max; // bytes
    void (*handle)(struct server *s, const struct http_request *request);
    const char *why;
};
extern const struct route server_routes[];
extern const size_t server_route_count;

struct server {
    struct server_options options;
    struct http_server *http;
    struct store *reader; // read-only
    struct tls_context *tls;
    char admin_token[2 * ADMIN_TOKEN_SIZE + 1];
    struct api_live *live; // api_live.c
    uint64_t requests, refused;
    int64_t auth_window_ms; // failures are counted per window
    unsigned auth_failures;
};

// Answers. A failed answer means that the client has gone.
void server_problem(struct server *s, struct http_id id, int status, const char *format, ...)
    PRINTF_LIKE(4, 5);
void server_problem_of(struct server *s, struct http_id id, enum err_code code,
                       const struct err *e);
void server_answer(struct server *s, struct http_id id, int status,
                   yyjson_mut_doc *doc); // frees doc
void server_answer_text(struct server *s, struct http_id id, const char *type, struct str body);

// A request's JSON body, in the arena: answers 400 itself and returns NULL when it is malformed.
yyjson_val *server_body(struct server *s, const struct http_request *request, struct arena *arena);
// A query parameter, empty when absent; answers 400 itself and returns false when malformed.
bool server_query(struct server *s, const struct http_request *request, const char *key, char *to,
                  size_t size);

// api_events.c
void api_events_post(struct server *s, const struct http_request *request);
void api_events_get(struct server *s, const struct http_request *request);
// api_enroll.c
void api_enroll_post(struct server *s, const struct http_request *request);
void api_enroll_code_post(struct server *s, const struct http_request *request);
void api_token_post(struct server *s, const struct http_request *request);
void api_ca_get(struct server *s, const struct http_request *request);
// api_read.c
void api_health_get(struct server *s, const struct http_request *request);
void api_status_get(struct server *s, const struct http_request *request);
void api_branches_get(struct server *s, const struct http_request *request);
void api_stock_get(struct server *s, const struct http_request *request);
void api_reviews_get(struct server *s, const struct http_request *request);
void api_dead_letters_get(struct server *s, const struct http_request *request);
void api_dead_letters_retry_post(struct server *s, const struct http_request *request);

#endif
