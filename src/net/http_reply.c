// SPDX-License-Identifier: Apache-2.0

#include "net/http_internal.h"

#include "base/clock.h"
#include "base/json.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { REPLY_HEAD_MAX = 16 * 1024, PROBLEM_MAX = 4096 };

static const struct {
    int status;
    const char *name;
} STATUS_NAMES[] = {
    {101, "Switching Protocols"},
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {206, "Partial Content"},
    {301, "Moved Permanently"},
    {302, "Found"},
    {303, "See Other"},
    {304, "Not Modified"},
    {307, "Temporary Redirect"},
    {308, "Permanent Redirect"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {406, "Not Acceptable"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {410, "Gone"},
    {411, "Length Required"},
    {412, "Precondition Failed"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {416, "Range Not Satisfiable"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {426, "Upgrade Required"},
    {428, "Precondition Required"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {502, "Bad Gateway"},
    {503, "Service Unavailable"},
    {504, "Gateway Timeout"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *http_status_name(int status)
{
    for (size_t i = 0; i < sizeof(STATUS_NAMES) / sizeof(STATUS_NAMES[0]); i++) {
        if (STATUS_NAMES[i].status == status) {
            return STATUS_NAMES[i].name;
        }
    }
    return "Unknown";
}

int http_status_of(enum err_code code)
{
    switch (code) {
    case ERR_OK:
        return 200;
    case ERR_LIMIT:
        return 413;
    case ERR_PARSE:
    case ERR_INVALID:
    case ERR_PROTOCOL:
    case ERR_USAGE:
        return 400;
    case ERR_NOT_FOUND:
        return 404;
    case ERR_EXISTS:
    case ERR_CONFLICT:
        return 409;
    case ERR_DENIED:
        return 403;
    case ERR_UNAUTHENTICATED:
        return 401;
    case ERR_DISK_FULL:
        return 507;
    case ERR_UNSUPPORTED:
    case ERR_NEWER:
        return 501;
    case ERR_NO_MEMORY:
    case ERR_LOCKED:
    case ERR_READ_ONLY:
    case ERR_BUSY:
    case ERR_TIMEOUT:
    case ERR_CLOSED:
    case ERR_NETWORK:
        return 503;
    case ERR_DAMAGED:
    case ERR_IO:
    case ERR_TLS:
    case ERR_COUNT:
        return 500;
    }
    return 500;
}

// RFC 9110, section 5.6.7; written once a second.
static const char *date(struct http_server *s)
{
    int64_t now = clock_wall_ms() / 1000;
    if (now != s->date_s) {
        static const char DAYS[][4] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
        static const char MONTHS[][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
        time_t seconds = (time_t)now;
        struct tm tm;
        gmtime_r(&seconds, &tm);
        char time_text[16];
        strftime(time_text, sizeof(time_text), "%H:%M:%S", &tm);
        snprintf(s->date, sizeof(s->date), "%s, %02d %s %04d %s GMT", DAYS[tm.tm_wday % 7],
                 tm.tm_mday % 100, MONTHS[tm.tm_mon % 12], (tm.tm_year + 1900) % 10000, time_text);
        s->date_s = now;
    }
    return s->date;
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (s.p[i] <= ' ' || s.p[i] == ':' || s.p[i] == 127) {
            return false;
        }
    }
    return s.n > 0;
}

static bool is_value(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if ((c < ' ' && c != '\t') || c == 127) {
            return false;
        }
    }
    return true;
}

static enum err_code write_headers(struct buf *to, const struct http_response *r)
{
    for (size_t i = 0; i < r->header_count; i++) {
        struct http_header h = r->headers[i];
        if (!is_name(h.name) || !is_value(h.value)) {
            return ERR_INVALID;
        }
        enum err_code code =
            buf_append_format(to, "%.*s: %.*s\r\n", STR_ARG(h.name), STR_ARG(h.value));
        if (code != ERR_OK) {
            return code;
        }
    }
    return buf_append_str(to, STR("\r\n"));
}

static enum err_code write_head(const struct http_conn *h, const struct http_response *r,
                                bool keep_alive, struct buf *to)
{
    enum err_code code = buf_append_format(to, "HTTP/1.1 %d %s\r\nDate: %s\r\n", r->status,
                                           http_status_name(r->status), date(h->server));
    if (code == ERR_OK && r->content_type != NULL) {
        if (!is_value(str_of(r->content_type))) {
            return ERR_INVALID;
        }
        code = buf_append_format(to, "Content-Type: %s\r\n", r->content_type);
    }
    if (code == ERR_OK && r->status != 204 && r->status != 304) {
        code = buf_append_format(to, "Content-Length: %zu\r\n", r->body.n);
    }
    if (code == ERR_OK && (!keep_alive || h->parser.http_minor == 0)) {
        code = buf_append_format(to, "Connection: %s\r\n", keep_alive ? "keep-alive" : "close");
    }
    return code == ERR_OK ? write_headers(to, r) : code;
}

static enum err_code write_reply(struct http_conn *h, const struct http_response *r)
{
    bool no_body =
        (h->exchange != NULL && h->exchange->is_head) || r->status == 204 || r->status == 304;
    bool keep_alive = h->exchange != NULL && h->exchange->keep_alive && !h->ending;
    struct buf head;
    buf_init(&head, REPLY_HEAD_MAX);
    enum err_code code = write_head(h, r, keep_alive, &head);
    size_t limit = h->server->options.listener.conn.send_max_bytes;
    if (code == ERR_OK && !no_body && r->body.n > limit) {
        code = ERR_LIMIT;
    }
    if (code == ERR_OK && !no_body && head.len + r->body.n <= REPLY_HEAD_MAX) {
        code = buf_append_str(&head, r->body); // small: one write, one allocation
        no_body = true;
    }
    if (code == ERR_OK) {
        code = conn_write(h->conn, buf_str(&head));
    }
    if (code == ERR_OK && !no_body) {
        code = conn_write(h->conn, r->body);
        if (code != ERR_OK) {
            conn_close(h->conn); // a head without its body cannot be taken back
            code = ERR_CLOSED;
        }
    }
    buf_fini(&head);
    return code;
}

enum err_code http_reply(struct http_conn *h, const struct http_response *response)
{
    enum err_code code = write_reply(h, response);
    if (code == ERR_LIMIT || code == ERR_INVALID) {
        struct http_response instead = {
            .status = 500,
            .content_type = "application/problem+json",
            .body = STR("{\"type\":\"about:blank\",\"title\":\"Internal Server Error\","
                        "\"status\":500,\"detail\":\"the answer could not be sent\"}"),
        };
        if (write_reply(h, &instead) != ERR_OK) {
            conn_close(h->conn);
        }
    } else if (code != ERR_OK) {
        conn_close(h->conn);
    }
    http_answered(h);
    return code;
}

enum err_code http_respond(struct http_server *s, struct http_id id,
                           const struct http_response *response)
{
    struct http_conn *h = http_find(s, id);
    return h == NULL ? ERR_CLOSED : http_reply(h, response);
}

static enum err_code write_problem(int status, const char *detail, struct buf *to)
{
    enum err_code code =
        buf_append_format(to, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d",
                          http_status_name(status), status);
    if (code == ERR_OK && detail != NULL) {
        code = buf_append_str(to, STR(",\"detail\":"));
        if (code == ERR_OK) {
            code = json_append_string(to, str_of(detail));
        }
    }
    return code == ERR_OK ? buf_append_str(to, STR("}")) : code;
}

static enum err_code reply_problem(struct http_conn *h, int status, const char *detail)
{
    struct buf body;
    buf_init(&body, PROBLEM_MAX);
    if (write_problem(status, detail, &body) != ERR_OK) {
        buf_reset(&body); // the status says it without words
    }
    struct http_response r = {
        .status = status,
        .content_type = body.len > 0 ? "application/problem+json" : NULL,
        .body = buf_str(&body),
    };
    enum err_code code = http_reply(h, &r);
    buf_fini(&body);
    return code;
}

enum err_code http_problem(struct http_server *s, struct http_id id, int status, const char *detail)
{
    struct http_conn *h = http_find(s, id);
    return h == NULL ? ERR_CLOSED : reply_problem(h, status, detail);
}

void http_refuse(struct http_conn *h, int status, const char *detail)
{
    h->ending = true;
    if (reply_problem(h, status, detail) != ERR_OK) {
        conn_close(h->conn);
    }
}
