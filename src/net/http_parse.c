// SPDX-License-Identifier: Apache-2.0
//
// llhttp's callbacks: pieces of a head are laid one behind the other into one bounded buffer, and
// become spans when the head is complete. What is over a limit sets a refusal and stops the parser.

#include "net/http_internal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { STOP = -1 };

static int refuse(struct http_conn *h, int status, const char *text)
{
    h->refusal = status;
    h->refusal_text = text;
    return STOP;
}

void http_exchange_free(struct http_exchange *x)
{
    if (x != NULL) {
        buf_fini(&x->head);
        buf_fini(&x->body);
        free(x);
    }
}

static int on_begin(llhttp_t *parser)
{
    struct http_conn *h = parser->data;
    struct http_exchange *x = calloc(1, sizeof(*x));
    if (x == NULL) {
        return refuse(h, 503, "out of memory");
    }
    buf_init(&x->head, HTTP_HEAD_MAX);
    h->exchange = x;
    conn_set_deadline(h->conn, loop_now_ms(h->server->loop) + h->server->options.head_timeout_ms);
    return 0;
}

static int add(struct http_conn *h, struct http_piece *piece, const char *at, size_t n)
{
    struct http_exchange *x = h->exchange;
    enum err_code code = buf_append(&x->head, at, n);
    if (code == ERR_LIMIT) {
        return refuse(h, 431, "the head of the request is too long");
    }
    if (code != ERR_OK) {
        return refuse(h, 503, "out of memory");
    }
    if (piece->n == 0) {
        piece->at = (uint32_t)(x->head.len - n);
    }
    piece->n += (uint32_t)n;
    return 0;
}

static int on_url(llhttp_t *parser, const char *at, size_t n)
{
    struct http_conn *h = parser->data;
    struct http_exchange *x = h->exchange;
    if (n > HTTP_TARGET_MAX - x->target.n) {
        return refuse(h, 414, "the target of the request is too long");
    }
    return add(h, &x->target, at, n);
}

static int on_field(llhttp_t *parser, const char *at, size_t n)
{
    struct http_conn *h = parser->data;
    struct http_exchange *x = h->exchange;
    if (x->body.max > 0 || x->complete) {
        return 0; // a trailer: read past, never used
    }
    if (x->in_value || x->count == 0) {
        if (x->count == HTTP_HEADERS_MAX) {
            return refuse(h, 431, "the request has too many header fields");
        }
        x->count++;
        x->in_value = false;
    }
    return add(h, &x->names[x->count - 1], at, n);
}

static int on_value(llhttp_t *parser, const char *at, size_t n)
{
    struct http_conn *h = parser->data;
    struct http_exchange *x = h->exchange;
    if (x->body.max > 0 || x->complete) {
        return 0;
    }
    x->in_value = true;
    return add(h, &x->values[x->count - 1], at, n);
}

static struct str piece_str(const struct http_exchange *x, struct http_piece piece)
{
    return str_make(x->head.data + piece.at, piece.n);
}

static void fill_request(struct http_conn *h)
{
    struct http_exchange *x = h->exchange;
    struct http_request *r = &x->request;
    for (size_t i = 0; i < x->count; i++) {
        x->headers[i].name = piece_str(x, x->names[i]);
        x->headers[i].value = str_trim(piece_str(x, x->values[i]));
    }
    struct str target = piece_str(x, x->target);
    const char *mark = memchr(target.p, '?', target.n);
    r->path = str_make(target.p, mark == NULL ? target.n : (size_t)(mark - target.p));
    r->query = mark == NULL ? str_make(target.p, 0)
                            : str_make(mark + 1, target.n - (size_t)(mark + 1 - target.p));
    r->method = str_of(llhttp_method_name((llhttp_method_t)h->parser.method));
    r->headers = x->headers;
    r->header_count = x->count;
    r->id = h->id;
    r->tls = conn_is_tls(h->conn);
    conn_peer(h->conn, x->peer);
    r->peer = x->peer;
    struct str upgrade = http_find_header(r, "upgrade");
    r->upgrade = h->parser.upgrade && h->parser.method == HTTP_GET && upgrade.n == 9 &&
                 strncasecmp(upgrade.p, "websocket", 9) == 0;
    x->is_head = h->parser.method == HTTP_HEAD;
}

static size_t count_headers(const struct http_request *r, const char *name)
{
    size_t count = 0;
    size_t n = strlen(name);
    for (size_t i = 0; i < r->header_count; i++) {
        count +=
            r->headers[i].name.n == n && strncasecmp(r->headers[i].name.p, name, n) == 0 ? 1 : 0;
    }
    return count;
}

// 0 when fine, else the status; text says why.
static int check_head(const struct http_conn *h, const char **text)
{
    const struct http_request *r = &h->exchange->request;
    if (h->parser.http_major != 1) {
        *text = "only HTTP/1.0 and HTTP/1.1 are spoken here";
        return 505;
    }
    if (h->parser.method == HTTP_CONNECT) {
        *text = "no proxy here";
        return 501;
    }
    if (r->path.n == 0 || (r->path.p[0] != '/' && !str_is(r->path, "*"))) {
        *text = "the target of the request does not begin with '/'";
        return 400;
    }
    if (count_headers(r, "") > 0) { // which the parser lets through
        *text = "a header field has no name";
        return 400;
    }
    size_t hosts = count_headers(r, "host");
    if (hosts > 1 || (hosts == 0 && h->parser.http_minor > 0)) {
        *text = "the request needs one Host field";
        return 400;
    }
    return 0;
}

static bool expects_continue(const struct http_request *r)
{
    struct str expect = http_find_header(r, "expect");
    return expect.n == 12 && strncasecmp(expect.p, "100-continue", 12) == 0;
}

bool http_head_complete(struct http_conn *h)
{
    struct http_exchange *x = h->exchange;
    struct http_server *s = h->server;
    h->id.serial = ++s->serial;
    fill_request(h);
    int status = check_head(h, &h->refusal_text);
    if (status != 0) {
        h->refusal = status;
        return false;
    }
    bool chunked = (h->parser.flags & F_CHUNKED) != 0;
    uint64_t length = h->parser.content_length;
    bool has_body = chunked || ((h->parser.flags & F_CONTENT_LENGTH) != 0 && length > 0);
    if (!has_body) {
        return true;
    }
    x->body_max =
        s->callbacks->body_max != NULL ? s->callbacks->body_max(&x->request, s->context) : 0;
    if (x->body_max > HTTP_BODY_MAX) {
        x->body_max = HTTP_BODY_MAX;
    }
    if ((!chunked && length > x->body_max) || x->body_max == 0) {
        h->refusal = 413;
        h->refusal_text = x->body_max == 0 ? "this route takes no body"
                                           : "the body is longer than this route takes";
        return false;
    }
    buf_init(&x->body, x->body_max);
    x->body_from_ms = loop_now_ms(s->loop);
    conn_set_deadline(h->conn, x->body_from_ms + s->options.body_grace_ms);
    return !expects_continue(&x->request) || h->parser.http_minor == 0 ||
           conn_write(h->conn, STR("HTTP/1.1 100 Continue\r\n\r\n")) == ERR_OK;
}

static int on_headers(llhttp_t *parser)
{
    struct http_conn *h = parser->data;
    if (!http_head_complete(h)) {
        return STOP;
    }
    if (!h->exchange->request.upgrade) {
        parser->upgrade = 0; // h2c and the like: answered as if it had not been asked for
    }
    return 0;
}

static int on_body(llhttp_t *parser, const char *at, size_t n)
{
    struct http_conn *h = parser->data;
    struct http_exchange *x = h->exchange;
    enum err_code code = buf_append(&x->body, at, n);
    if (code == ERR_LIMIT) {
        return refuse(h, 413, "the body is longer than this route takes");
    }
    if (code != ERR_OK) {
        return refuse(h, 503, "out of memory");
    }
    conn_set_deadline(h->conn, x->body_from_ms + h->server->options.body_grace_ms +
                                   (int64_t)(x->body.len / 4));
    return 0;
}

static int on_complete(llhttp_t *parser)
{
    struct http_conn *h = parser->data;
    struct http_exchange *x = h->exchange;
    x->complete = true;
    x->keep_alive = llhttp_should_keep_alive(parser) == 1 && !x->request.upgrade;
    x->request.body = buf_str(&x->body);
    return HPE_PAUSED;
}

const llhttp_settings_t *http_parser_settings(void)
{
    static const llhttp_settings_t SETTINGS = {
        .on_message_begin = on_begin,
        .on_url = on_url,
        .on_header_field = on_field,
        .on_header_value = on_value,
        .on_headers_complete = on_headers,
        .on_body = on_body,
        .on_message_complete = on_complete,
    };
    return &SETTINGS;
}
