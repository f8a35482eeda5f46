// SPDX-License-Identifier: Apache-2.0
// An HTTP/1.1 server (parser: llhttp).
//
// Why: integrators, the web pages and the WebSocket upgrade all come in through one port.
// Invariants:
//   1. Per connection one request is in hand at a time; pipelined ones wait in order.
//   2. Every request that reached `request` is answered once, or its connection is gone and
//      answering gives ERR_CLOSED. An http_id is never valid for another request.
//   3. A malformed or oversized request never reaches `request`: 400, 408, 413, 414, 431, 501, 505
//      are answered here, as problem+json (RFC 9457), and the connection closed.
//   4. A body is not buffered before its route said how much it takes.
// Ownership: the server owns its connections; what http_request points to is valid during the call.
//   Handing a connection over (net/websocket.h) takes it out of the server.
// Threads: the loop's thread only; another thread answers through loop_post.
// Limits: HTTP_HEAD_MAX bytes and HTTP_HEADERS_MAX fields of head, HTTP_TARGET_MAX of target, the
//   route's body_max (<= HTTP_BODY_MAX), a response of send_max_bytes; a time for head, body, idle.
#ifndef WASL_NET_HTTP_H
#define WASL_NET_HTTP_H

#include "net/conn.h"

enum { HTTP_HEAD_MAX = 16 * 1024, HTTP_HEADERS_MAX = 64, HTTP_TARGET_MAX = 4096 };
enum { HTTP_BODY_MAX = 256 * 1024 * 1024 };

struct http_server;

// Names one request; a value that may be kept and used at any later time.
struct http_id {
    uint32_t slot;
    uint32_t serial;
};

struct http_header {
    struct str name; // as sent; compare without regard to case (http_find_header)
    struct str value;
};

struct http_request {
    struct http_id id;
    struct str method; // "GET"
    struct str path;   // as sent, percent-encoded, without the query
    struct str query;  // behind '?', as sent; empty when there is none
    const struct http_header *headers;
    size_t header_count;
    struct str body;
    bool upgrade; // asks for a WebSocket: see ws_accept
    bool tls;
    const char *peer; // "address:port"
};

struct http_response {
    int status;                        // 200 .. 599
    const char *content_type;          // NULL when there is no body
    const struct http_header *headers; // extra ones; never Content-Length, Connection, Date
    size_t header_count;
    struct str body; // copied
};

struct http_callbacks {
    // The head is complete: how many bytes of body does this route take? 0: none. Optional (0).
    size_t (*body_max)(const struct http_request *request, void *context);
    // The request is complete: answer now, or keep request->id and answer later.
    void (*request)(struct http_server *s, const struct http_request *request, void *context);
    // The connection of an unanswered request is gone: stop working on it. Optional.
    void (*gone)(struct http_server *s, struct http_id id, void *context);
    void (*closed)(void *context); // http_server_close is complete and s is freed. Optional.
};

// 0 in a field means its default.
struct http_options {
    struct listener_options listener;
    int64_t head_timeout_ms; // from the first byte of a request to the end of its head; 10 s
    int64_t idle_timeout_ms; // between requests; 75 s
    int64_t body_grace_ms;   // a body may take this, and 1 ms more per 4 bytes of it (4 kB/s); 30 s
    int64_t reply_timeout_ms; // request complete, no answer: 503 is sent and the id is void; 120 s
};

// Errors as listener_open.
enum err_code http_server_open(struct loop *l, const struct http_options *options,
                               const struct http_callbacks *callbacks, void *context,
                               struct http_server **ret, struct err *e) MUST_CHECK;
uint16_t http_server_port(const struct http_server *s);
struct loop *http_server_loop(const struct http_server *s);
size_t http_server_conns(const struct http_server *s); // without those handed over
// Stops listening, lets answers that are being sent finish (CONN_LINGER_MS), closes the rest.
// `gone` is called for unanswered requests; then `closed`.
void http_server_close(struct http_server *s); // accepts NULL

// Answers. ERR_CLOSED when the connection is gone or the request was answered: nothing happens, and
// that is no error of the caller's. ERR_LIMIT when the response passes send_max_bytes (a 500 is
// sent instead), ERR_INVALID for a header with control characters (a 500 is sent instead).
enum err_code http_respond(struct http_server *s, struct http_id id,
                           const struct http_response *response) MUST_CHECK;

// Answers with problem+json {"type":"about:blank","title","status","detail"}; title is the
// status's own name, detail may be NULL.
enum err_code http_problem(struct http_server *s, struct http_id id, int status,
                           const char *detail) MUST_CHECK;

// The status that fits an error code (ERR_NOT_FOUND: 404, ERR_BUSY: 503 ...).
int http_status_of(enum err_code code);
const char *http_status_name(int status); // "Not Found"; "Unknown" for others

// The value of a header, without regard to the case of its name; .p is NULL when absent. Of several
// the first.
struct str http_find_header(const struct http_request *request, const char *name);
// The token behind "Authorization: Bearer "; .p is NULL when absent.
struct str http_bearer(const struct http_request *request);
// The value of a cookie; .p is NULL when absent.
struct str http_find_cookie(const struct http_request *request, const char *name);

// Decodes %XX (and '+' as a blank when form) into to, NUL-terminated. ERR_PARSE for a bad escape or
// a NUL, ERR_LIMIT when it does not fit.
enum err_code http_decode(struct str from, bool form, char *to, size_t size) MUST_CHECK;
// Finds key in a query or form and decodes its value. ERR_NOT_FOUND, and as http_decode.
enum err_code http_query_get(struct str query, const char *key, char *to, size_t size) MUST_CHECK;

// For net/ws_opening.c: answers with head (a complete 101 response), takes the connection out of
// the server and gives it, with what came behind the request (to be freed with buf_fini).
enum err_code http_take_conn(struct http_server *s, struct http_id id, struct str head,
                             struct conn **ret_conn, struct buf *ret_rest) MUST_CHECK;

#endif
