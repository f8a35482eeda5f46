// SPDX-License-Identifier: Apache-2.0
//
// The life of a connection: `run` gives received bytes to the parser, which stops behind each
// complete request. The request goes to the server's owner. Answered at once, `run` goes on with
// the bytes behind it; answered later, those wait in `rest` (the peer is held back beyond REST_MAX)
// and a task takes them up. A peer that sends requests but takes no answers is not read either.

#include "net/http_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    REST_MAX = 2 * LOOP_READ_SIZE,
    QUEUE_LOW = 64 * 1024, // no further request is taken while more than that waits to be sent
    QUEUE_HEADROOM = 256 * 1024,
    SEND_MAX_DEFAULT = 16 * 1024 * 1024,
    HEAD_TIMEOUT_DEFAULT_MS = 10000,
    IDLE_TIMEOUT_DEFAULT_MS = 75000,
    BODY_GRACE_DEFAULT_MS = 30000,
    REPLY_TIMEOUT_DEFAULT_MS = 120000,
    SLOTS_FIRST = 16,
};

static void run(struct http_conn *h, struct str bytes);

// --- Slots -----------------------------------------------------------------------------------

static bool take_slot(struct http_server *s, struct http_conn *h)
{
    while (s->slot_free < s->slot_room && s->slots[s->slot_free] != NULL) {
        s->slot_free++;
    }
    if (s->slot_free == s->slot_room) {
        size_t room = s->slot_room == 0 ? SLOTS_FIRST : s->slot_room * 2;
        struct http_conn **slots = realloc(s->slots, room * sizeof(struct http_conn *));
        if (slots == NULL) {
            return false;
        }
        memset(slots + s->slot_room, 0, (room - s->slot_room) * sizeof(struct http_conn *));
        s->slots = slots;
        s->slot_room = room;
    }
    s->slots[s->slot_free] = h;
    h->id.slot = (uint32_t)s->slot_free++;
    s->count++;
    return true;
}

struct http_conn *http_find(struct http_server *s, struct http_id id)
{
    if (id.slot >= s->slot_room) {
        return NULL;
    }
    struct http_conn *h = s->slots[id.slot];
    bool waits =
        h != NULL && h->id.serial == id.serial && h->exchange != NULL && h->exchange->complete;
    return waits ? h : NULL;
}

static void server_step(struct http_server *s)
{
    if (s->closing && s->listener_gone && s->count == 0) {
        if (s->callbacks->closed != NULL) {
            s->callbacks->closed(s->context);
        }
        free(s->slots);
        free(s);
    }
}

static void free_conn(struct http_conn *h)
{
    http_exchange_free(h->exchange);
    buf_fini(&h->rest);
    loop_undefer(&h->task);
    free(h);
}

static void leave_server(struct http_conn *h)
{
    struct http_server *s = h->server;
    s->slots[h->id.slot] = NULL;
    if (h->id.slot < s->slot_free) {
        s->slot_free = h->id.slot;
    }
    s->count--;
}

// --- Requests --------------------------------------------------------------------------------

static void begin_idle(struct http_conn *h)
{
    conn_set_deadline(h->conn, loop_now_ms(h->server->loop) + h->server->options.idle_timeout_ms);
}

void http_answered(struct http_conn *h)
{
    bool keep_alive = h->exchange != NULL && h->exchange->keep_alive && !h->ending;
    http_exchange_free(h->exchange);
    h->exchange = NULL;
    if (!keep_alive) {
        h->ending = true;
        conn_finish(h->conn);
        return;
    }
    begin_idle(h);
    if (!h->running) {
        loop_defer(h->server->loop, &h->task);
    }
}

static void hand_request(struct http_conn *h)
{
    struct http_server *s = h->server;
    conn_set_deadline(h->conn, loop_now_ms(s->loop) + s->options.reply_timeout_ms);
    s->callbacks->request(s, &h->exchange->request, s->context);
}

static int refusal_status(const struct http_conn *h, llhttp_errno_t error)
{
    if (h->refusal != 0) {
        return h->refusal;
    }
    return error == HPE_INVALID_VERSION ? 505 : 400;
}

// One stretch of bytes up to the end of a request, of the bytes, or an error. Returns what is left.
static struct str parse(struct http_conn *h, struct str bytes)
{
    llhttp_errno_t error = llhttp_execute(&h->parser, bytes.p, bytes.n);
    if (error == HPE_OK) {
        return (struct str){0};
    }
    if (error != HPE_PAUSED && error != HPE_PAUSED_UPGRADE) {
        const char *text = h->refusal != 0 ? h->refusal_text : llhttp_get_error_reason(&h->parser);
        http_refuse(h, refusal_status(h, error), text);
        return (struct str){0};
    }
    const char *stop = llhttp_get_error_pos(&h->parser);
    struct str rest = {stop, bytes.n - (size_t)(stop - bytes.p)};
    if (error == HPE_PAUSED) {
        llhttp_resume(&h->parser);
    }
    return rest;
}

static bool may_parse(const struct http_conn *h)
{
    bool waits = h->exchange != NULL && h->exchange->complete;
    return !h->ending && !h->detached && !waits && conn_queued(h->conn) <= QUEUE_LOW;
}

static void keep_rest(struct http_conn *h, struct str bytes)
{
    if (h->ending || bytes.n == 0) {
        return;
    }
    if (buf_append_str(&h->rest, bytes) != ERR_OK) {
        conn_close(h->conn);
        h->ending = true;
    } else if (h->rest.len > REST_MAX / 2 && !h->detached) {
        conn_read_pause(h->conn);
    }
}

static void run(struct http_conn *h, struct str bytes)
{
    h->running = true;
    while (bytes.n > 0 && may_parse(h)) {
        // llhttp stops at a complete request before it reads on; and again, for an upgrade, behind
        // its head.
        bytes = parse(h, bytes);
        if (h->exchange != NULL && h->exchange->complete && !h->ending) {
            if (h->exchange->request.upgrade) {
                keep_rest(h, bytes);
                bytes.n = 0;
            }
            hand_request(h);
        }
    }
    h->running = false;
    if (h->detached) {
        free_conn(h);
        return;
    }
    keep_rest(h, bytes);
}

static void on_task(struct loop_task *task)
{
    struct http_conn *h = CONTAINER_OF(task, struct http_conn, task);
    struct buf rest = h->rest;
    struct conn *conn = h->conn;
    if (!may_parse(h)) {
        return;
    }
    buf_init(&h->rest, REST_MAX);
    conn_read_resume(conn);
    run(h, buf_str(&rest)); // may free h
    buf_fini(&rest);
}

// --- The connection's callbacks --------------------------------------------------------------

static void on_data(struct conn *c, struct str bytes, void *context)
{
    (void)c;
    struct http_conn *h = context;
    if (h->rest.len > 0 || !may_parse(h)) {
        keep_rest(h, bytes);
    } else {
        run(h, bytes);
    }
}

static void on_drained(struct conn *c, void *context)
{
    (void)c;
    struct http_conn *h = context;
    loop_defer(h->server->loop, &h->task);
}

static void on_deadline(struct conn *c, void *context)
{
    struct http_conn *h = context;
    if (h->exchange == NULL) {
        h->ending = true;
        conn_finish(c); // idle
    } else if (h->exchange->complete) {
        struct http_id id = h->id;
        http_refuse(h, 503, "no answer in time");
        if (h->server->callbacks->gone != NULL) {
            h->server->callbacks->gone(h->server, id, h->server->context);
        }
    } else {
        http_refuse(h, 408, "the request did not arrive in time");
    }
}

static void on_closed(struct conn *c, const struct err *why, void *context)
{
    (void)c;
    (void)why;
    struct http_conn *h = context;
    struct http_server *s = h->server;
    bool unanswered = h->exchange != NULL && h->exchange->complete;
    leave_server(h);
    if (unanswered && s->callbacks->gone != NULL) {
        s->callbacks->gone(s, h->id, s->context);
    }
    free_conn(h);
    server_step(s);
}

static const struct conn_callbacks CONN_CALLBACKS = {
    .data = on_data,
    .drained = on_drained,
    .deadline = on_deadline,
    .closed = on_closed,
};

static void on_accepted(struct conn *c, void *context)
{
    struct http_server *s = context;
    struct http_conn *h = calloc(1, sizeof(*h));
    if (h == NULL || !take_slot(s, h)) {
        free(h);
        conn_close(c);
        return;
    }
    h->server = s;
    h->conn = c;
    h->task.fn = on_task;
    buf_init(&h->rest, REST_MAX);
    llhttp_init(&h->parser, HTTP_REQUEST, http_parser_settings());
    h->parser.data = h;
    conn_set_owner(c, &CONN_CALLBACKS, h);
    conn_set_send_bounds(c, s->options.listener.conn.send_max_bytes + QUEUE_HEADROOM, QUEUE_LOW);
    begin_idle(h);
}

// --- The server ------------------------------------------------------------------------------

static void on_listener_closed(void *context)
{
    struct http_server *s = context;
    s->listener_gone = true;
    server_step(s);
}

static const struct listener_callbacks LISTENER_CALLBACKS = {
    .accepted = on_accepted,
    .closed = on_listener_closed,
};

static void or_default(int64_t *value, int64_t otherwise)
{
    if (*value == 0) {
        *value = otherwise;
    }
}

enum err_code http_server_open(struct loop *l, const struct http_options *options,
                               const struct http_callbacks *callbacks, void *context,
                               struct http_server **ret, struct err *e)
{
    struct http_server *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return err_set(e, ERR_NO_MEMORY, "an HTTP server: %s", err_text(ERR_NO_MEMORY));
    }
    s->loop = l;
    s->options = *options;
    s->callbacks = callbacks;
    s->context = context;
    or_default(&s->options.head_timeout_ms, HEAD_TIMEOUT_DEFAULT_MS);
    or_default(&s->options.idle_timeout_ms, IDLE_TIMEOUT_DEFAULT_MS);
    or_default(&s->options.body_grace_ms, BODY_GRACE_DEFAULT_MS);
    or_default(&s->options.reply_timeout_ms, REPLY_TIMEOUT_DEFAULT_MS);
    if (s->options.listener.conn.send_max_bytes == 0) {
        s->options.listener.conn.send_max_bytes = SEND_MAX_DEFAULT;
    }
    enum err_code code =
        listener_open(l, &s->options.listener, &LISTENER_CALLBACKS, s, &s->listener, e);
    if (code != ERR_OK) {
        free(s);
        return code;
    }
    *ret = s;
    return ERR_OK;
}

uint16_t http_server_port(const struct http_server *s)
{
    return listener_port(s->listener);
}

struct loop *http_server_loop(const struct http_server *s)
{
    return s->loop;
}

size_t http_server_conns(const struct http_server *s)
{
    return s->count;
}

void http_server_close(struct http_server *s)
{
    if (s == NULL || s->closing) {
        return;
    }
    s->closing = true;
    for (size_t i = 0; i < s->slot_room; i++) {
        struct http_conn *h = s->slots[i];
        if (h == NULL) {
            continue;
        }
        h->ending = true;
        bool unanswered = h->exchange != NULL && h->exchange->complete;
        if (!unanswered && conn_queued(h->conn) > 0) {
            conn_finish(h->conn);
        } else {
            conn_close(h->conn); // on_closed tells `gone`
        }
    }
    listener_close(s->listener);
}

enum err_code http_take_conn(struct http_server *s, struct http_id id, struct str head,
                             struct conn **ret_conn, struct buf *ret_rest)
{
    struct http_conn *h = http_find(s, id);
    if (h == NULL || !h->exchange->request.upgrade || h->ending) {
        return ERR_CLOSED;
    }
    enum err_code code = conn_write(h->conn, head);
    if (code != ERR_OK) {
        return code;
    }
    conn_set_deadline(h->conn, 0);
    *ret_conn = h->conn;
    *ret_rest = h->rest;
    buf_init(&h->rest, REST_MAX);
    leave_server(h);
    h->detached = true;
    if (!h->running) {
        free_conn(h);
    }
    return ERR_OK;
}
