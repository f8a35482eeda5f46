// SPDX-License-Identifier: Apache-2.0
// What the parts of the HTTP surface share. Nobody else includes this.
#ifndef WASL_NODE_SERVER_PRIVATE_H
#define WASL_NODE_SERVER_PRIVATE_H

#include "net/url.h"
#include "node/server.h"

enum {
    ADMIN_TOKEN_SIZE = 32,
    SERVER_PEERS_MAX = 256,                // addresses whose failures are counted
    SERVER_PEER_SIZE = 64,                 // bytes of such an address as text
    SERVER_POSTED_MAX = 128 * 1024 * 1024, // bytes of posted events that wait for the writer
};

// Who may call a route.
enum right {
    RIGHT_NOBODY_ASKED, // public: it tells nothing worth hiding, or checks for itself
    RIGHT_LOCAL_READ,   // from this machine without a token, from elsewhere with one
    RIGHT_READ,         // any token
    RIGHT_WRITE,        // a token of a role that may author any event
    RIGHT_ADMIN,        // the local administrator's token, or an owner's
};

struct route {
    const char *method; // '*': any, and the answer is 501
    const char *path;   // exact; a prefix when it ends with '*'; "{id}": any one segment
    unsigned roles;     // bits of 1 << enum node_role
    enum right right;
    size_t body_max; // bytes
    void (*handle)(struct server *s, const struct http_request *request);
    const char *why;
};
extern const struct route server_routes[];
extern const size_t server_route_count;

// Wrong tokens and codes of one address within a window.
struct server_peer {
    char address[SERVER_PEER_SIZE];
    int64_t window_ms; // when it began, monotonic
    unsigned failures;
};

struct server {
    struct server_options options;
    struct http_server *http;
    struct store *reader; // read-only
    struct tls_context *tls;
    char admin_token[2 * ADMIN_TOKEN_SIZE + 1];
    char url[URL_HOST_MAX + 32]; // where a client on this machine reaches it
    struct api_live *live;       // api_live.c
    uint64_t requests, refused;
    size_t posted_bytes; // of events that wait for the writer
    struct server_peer peers[SERVER_PEERS_MAX];
    bool closing;
};

// The reader sees the disk; whether a reserve is in use only the writer knows.
enum err_code server_room(struct server *s, struct store_room *ret, struct err *e) MUST_CHECK;

// ---- server_answer.c: a failed answer means that the client has gone

void server_problem(struct server *s, struct http_id id, int status, const char *format, ...)
    PRINTF_LIKE(4, 5);
void server_problem_of(struct server *s, struct http_id id, enum err_code code,
                       const struct err *e);
// The same with one more header, as RFC 9110 wants it (Allow with 405).
void server_problem_with(struct server *s, struct http_id id, int status,
                         const struct http_header *header, const char *detail);
// A problem with more to say than its text; frees doc.
yyjson_mut_doc *server_problem_doc(int status, const char *detail,
                                   yyjson_mut_val **ret_root) MUST_CHECK;
void server_problem_answer(struct server *s, struct http_id id, int status, yyjson_mut_doc *doc);
// A job that the writer did not take: 429 when its queue is full, 503 when it is ending.
void server_not_taken(struct server *s, struct http_id id, enum err_code code);
// A document that is an object; NULL without memory.
yyjson_mut_doc *server_doc(yyjson_mut_val **ret_root) MUST_CHECK;
void server_answer(struct server *s, struct http_id id, int status,
                   yyjson_mut_doc *doc); // frees doc
void server_answer_text(struct server *s, struct http_id id, const char *type, struct str body);
// Makes a text that may have been cut inside a character fit for JSON.
void server_clean_text(char *text);

// A request's JSON body, in the arena: answers 400 itself and returns NULL when it is malformed.
yyjson_val *server_body(struct server *s, const struct http_request *request, struct arena *arena);
// A query parameter, empty when absent; answers 400 itself and returns false when malformed.
bool server_query(struct server *s, const struct http_request *request, const char *key, char *to,
                  size_t size);

// ---- server_auth.c

// 200: go on; 401, 403, 429, 503: refused.
int server_authorize(struct server *s, const struct http_request *request, enum right right);
// Whose token an authorized request bears, and what it may author.
struct server_caller {
    uint32_t rights;
    char name[LIMIT_NAME + 1];
};
void server_caller(struct server *s, const struct http_request *request, struct server_caller *ret);
// What an authorized request's token may author.
uint32_t server_rights(struct server *s, const struct http_request *request);
// Too many wrong tokens or codes came from this address lately.
bool server_peer_refused(const struct server *s, const struct http_request *request);
void server_peer_failed(struct server *s, const char *peer);
// False for a WebSocket that a page of another site asks for: browsers let any page try.
bool server_origin_ours(const struct http_request *request);

// ---- handlers

// api_events.c
void api_events_post(struct server *s, const struct http_request *request);
void api_events_get(struct server *s, const struct http_request *request);
// api_catalog.c
void api_catalog_get(struct server *s, const struct http_request *request);
void api_catalog_publish_post(struct server *s, const struct http_request *request);
// api_enroll.c
void api_enroll_post(struct server *s, const struct http_request *request);
void api_enroll_revoke_post(struct server *s, const struct http_request *request);
void api_enroll_code_post(struct server *s, const struct http_request *request);
void api_token_post(struct server *s, const struct http_request *request);
void api_ca_get(struct server *s, const struct http_request *request);
// api_recovered.c
void api_recovered_post(struct server *s, const struct http_request *request);
void api_add_recovery(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct restored *r);
// api_read.c
void api_health_get(struct server *s, const struct http_request *request);
void api_status_get(struct server *s, const struct http_request *request);
void api_branches_get(struct server *s, const struct http_request *request);
void api_stock_get(struct server *s, const struct http_request *request);
void api_add_review(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct review *review,
                    struct arena *arena);
void api_reviews_get(struct server *s, const struct http_request *request);
void api_dead_letters_get(struct server *s, const struct http_request *request);
void api_dead_letters_retry_post(struct server *s, const struct http_request *request);
int64_t api_memory_bytes(void); // resident memory of this process, 0 where it cannot be told
// api_reviews.c
void api_review_resolve_post(struct server *s, const struct http_request *request);
// api_metrics.c
void api_metrics_get(struct server *s, const struct http_request *request);
// api_sync.c
void api_sync_post(struct server *s, const struct http_request *request);
// api_page.c
void api_page_get(struct server *s, const struct http_request *request);
// api_live.c
void api_live_get(struct server *s, const struct http_request *request);
enum err_code api_live_open(struct server *s, struct err *e) MUST_CHECK;
void api_live_changed(struct api_live *live);
size_t api_live_count(const struct api_live *live);
void api_live_close(struct api_live *live); // accepts NULL

#endif
