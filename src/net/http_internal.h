// SPDX-License-Identifier: Apache-2.0
// What net/http.c (connections), net/http_parse.c (requests) and net/http_reply.c (answers) share.
#ifndef WASL_NET_HTTP_INTERNAL_H
#define WASL_NET_HTTP_INTERNAL_H

#include "net/http.h"
#include "net/loop_internal.h"

#include <llhttp.h>

// Where a piece of the head lies in http_exchange.head, which may move while it grows.
struct http_piece {
    uint32_t at;
    uint32_t n;
};

// A request being read or answered. Exists from its first byte to its answer.
struct http_exchange {
    struct buf head; // target, header names and values, one behind the other
    struct buf body;
    struct http_piece target;
    struct http_piece names[HTTP_HEADERS_MAX];
    struct http_piece values[HTTP_HEADERS_MAX];
    struct http_header headers[HTTP_HEADERS_MAX];
    size_t count;
    size_t head_bytes;
    bool in_value;
    bool complete; // wholly read; it waits for its answer
    bool is_head;  // the method is HEAD
    bool keep_alive;
    size_t body_max;
    int64_t body_from_ms;
    struct http_request request; // filled when the head is complete
    char peer[CONN_ADDRESS_TEXT_SIZE];
};

struct http_conn {
    struct http_server *server;
    struct conn *conn;
    struct http_exchange *exchange; // NULL between requests
    struct loop_task task;          // goes on with `rest` after an answer given later
    llhttp_t parser;
    struct buf rest; // pipelined bytes behind a request that waits for its answer
    struct http_id id;
    int refusal; // status to answer a request with that could not be read; 0: none
    const char *refusal_text;
    bool running;  // inside the loop over received bytes
    bool ending;   // no further request will be read
    bool detached; // handed over: this struct goes as soon as it is not running
};

struct http_server {
    struct loop *loop;
    struct listener *listener;
    struct http_options options;
    const struct http_callbacks *callbacks;
    void *context;
    struct http_conn **slots; // by http_id.slot; NULL: free
    size_t slot_room;
    size_t slot_free; // no free slot lies below
    size_t count;
    uint32_t serial;
    bool closing;
    bool listener_gone;
    int64_t date_s; // the second for which date is right
    char date[64];
};

const llhttp_settings_t *http_parser_settings(void);
// Head is complete: fills exchange->request. False sets refusal.
bool http_head_complete(struct http_conn *h);
void http_exchange_free(struct http_exchange *x);

// NULL when the request is gone or answered.
struct http_conn *http_find(struct http_server *s, struct http_id id);
// Answers the request in hand and is done with it.
enum err_code http_reply(struct http_conn *h, const struct http_response *response) MUST_CHECK;
void http_refuse(struct http_conn *h, int status, const char *detail);
// The answer is queued: the next request, or the end.
void http_answered(struct http_conn *h);

#endif
