// SPDX-License-Identifier: Apache-2.0
//
// States, and the function that takes each edge:
//
//   DIALLING --conn_connected--> SECURING --become_open--> OPEN --conn_finish, peer_ended-->
//   FINISHING --close_now--> CLOSED;   close_now leads to CLOSED from every state.
//
// The way of a byte out: conn_write appends to `out`. flush moves it on, as soon as the callback
// that wrote it returns or before the loop sleeps: with TLS, a piece of `out` is sealed into
// `sealed`, which becomes `wire`; without, `out` itself becomes `wire`. The system is asked to take
// `wire` at once; the rest is given to libuv in pieces, so that each completed piece shows progress
// (a peer that takes nothing for stall_timeout_ms is closed). Sealing only what is about to be sent
// bounds the memory of ciphertext and puts small writes into one record.
//
// The way of a byte in: the loop's one read buffer, then (TLS) its one plain buffer, then `data`.
// Nothing is kept but ciphertext behind a pause, in `unread`.

#include "net/conn_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    SEND_MAX_DEFAULT = 8 * 1024 * 1024,
    HANDSHAKE_TIMEOUT_DEFAULT_MS = 10000,
    STALL_TIMEOUT_DEFAULT_MS = 60000,
    SEAL_PIECE = 64 * 1024,
    WRITE_PIECE = 16 * 1024,
    SEALED_MAX = 1024 * 1024,
    KEEPALIVE_SECONDS = 60,
};

static const struct sm_row ROWS[] = {
    {CONN_DIALLING, CONN_CONNECTED, CONN_SECURING, "TCP is there"},
    {CONN_SECURING, CONN_SECURED, CONN_OPEN, "the handshake is done, or there is none"},
    {CONN_OPEN, CONN_FINISH, CONN_FINISHING, "the owner is done, or the peer is"},
    {CONN_DIALLING, CONN_CLOSE, CONN_CLOSED, "given up"},
    {CONN_SECURING, CONN_CLOSE, CONN_CLOSED, "given up"},
    {CONN_OPEN, CONN_CLOSE, CONN_CLOSED, "closed or broken"},
    {CONN_FINISHING, CONN_CLOSE, CONN_CLOSED, "flushed, or out of time"},
};
static const char *const STATE_NAMES[] = {"dialling", "securing", "open", "finishing", "closed"};
static const char *const EVENT_NAMES[] = {"connected", "secured", "finish", "close"};
static const struct sm_table TABLE = {
    .name = "conn",
    .rows = ROWS,
    .row_count = sizeof(ROWS) / sizeof(ROWS[0]),
    .state_names = STATE_NAMES,
    .event_names = EVENT_NAMES,
};

static void on_task(struct loop_task *task);
static void flush(struct conn *c);

static int64_t or_default(int64_t value, int64_t otherwise)
{
    return value != 0 ? value : otherwise;
}

enum err_code conn_new(struct loop *l, const struct conn_options *options, const char *host,
                       uint16_t port, struct conn **ret)
{
    struct conn *c = calloc(1, sizeof(*c));
    if (c == NULL) {
        return ERR_NO_MEMORY;
    }
    c->loop = l;
    c->task.fn = on_task;
    sm_init(&c->sm, &TABLE, CONN_DIALLING);
    size_t max = options->send_max_bytes != 0 ? options->send_max_bytes : SEND_MAX_DEFAULT;
    buf_init(&c->sealed, SEALED_MAX);
    buf_init(&c->unread, LOOP_READ_SIZE);
    if (options->tls != NULL &&
        tls_filter_new(options->tls, host, port, &c->sealed, &c->tls) != ERR_OK) {
        free(c);
        return ERR_NO_MEMORY;
    }
    conn_set_send_bounds(c, max, options->send_low_bytes != 0 ? options->send_low_bytes : max / 4);
    c->stall_timeout_ms = or_default(options->stall_timeout_ms, STALL_TIMEOUT_DEFAULT_MS);
    c->idle_timeout_ms = options->idle_timeout_ms;
    c->last_active_ms = c->last_heard_ms = loop_now_ms(l);
    uv_timer_init(loop_uv(l), &c->timer);
    c->timer.data = c;
    c->tcp.data = c;
    c->write.data = c;
    c->pending = 1; // the timer
    c->securing_ms = or_default(options->handshake_timeout_ms, HANDSHAKE_TIMEOUT_DEFAULT_MS);
    *ret = c;
    return ERR_OK;
}

void conn_set_owner(struct conn *c, const struct conn_callbacks *callbacks, void *context)
{
    c->callbacks = callbacks;
    c->context = context;
}

void conn_set_send_bounds(struct conn *c, size_t max_bytes, size_t low_bytes)
{
    c->send_max = max_bytes;
    c->send_low = low_bytes < max_bytes ? low_bytes : max_bytes;
    c->drain_level = c->send_low;
    c->out.max = max_bytes > c->out.cap ? max_bytes : c->out.cap;
}

// --- The end ---------------------------------------------------------------------------------

void conn_release(struct conn *c)
{
    c->pending--;
    if (c->pending > 0) {
        return;
    }
    loop_undefer(&c->task);
    if (c->callbacks != NULL && c->callbacks->closed != NULL) {
        c->callbacks->closed(c, &c->why, c->context);
    }
    if (c->listener != NULL) {
        listener_conn_gone(c);
    }
    tls_filter_free(c->tls);
    conn_dial_free(c->dial);
    buf_fini(&c->out);
    buf_fini(&c->sealed);
    buf_fini(&c->wire);
    buf_fini(&c->unread);
    free(c);
}

void conn_on_handle_closed(uv_handle_t *handle)
{
    conn_release(handle->data);
}

static void close_now(struct conn *c)
{
    if (c->sm.state == CONN_CLOSED) {
        return;
    }
    sm_move(&c->sm, CONN_CLOSE);
    loop_undefer(&c->task);
    conn_dial_cancel(c);
    if (c->tcp_open) {
        c->tcp_open = false;
        uv_close((uv_handle_t *)&c->tcp, conn_on_handle_closed);
    }
    uv_close((uv_handle_t *)&c->timer, conn_on_handle_closed);
}

enum err_code conn_give_up(struct conn *c, const struct err *why)
{
    if (c->sm.state != CONN_CLOSED) {
        if (c->sm.state != CONN_FINISHING) {
            c->why = *why;
        }
        close_now(c);
    }
    return why->code;
}

static void give_up(struct conn *c, enum err_code code, const char *text)
{
    struct err why;
    err_set(&why, code, "%s", text);
    conn_give_up(c, &why);
}

void conn_close(struct conn *c)
{
    if (c->sm.state != CONN_CLOSED) {
        c->why = (struct err){0};
        close_now(c);
    }
}

static bool is_flushed(const struct conn *c)
{
    return !c->writing && conn_queued(c) == 0;
}

// Once all is sent: TLS's goodbye and TCP's FIN; once the peer's came too, the end.
static void finish_step(struct conn *c)
{
    if (c->sm.state != CONN_FINISHING || !is_flushed(c)) {
        return;
    }
    if (!c->goodbye_said) {
        c->goodbye_said = true;
        if (c->tls != NULL) {
            tls_filter_goodbye(c->tls);
            flush(c);
            return; // flush comes back here
        }
    }
    uv_os_fd_t fd;
    if (uv_fileno((uv_handle_t *)&c->tcp, &fd) == 0) {
        shutdown(fd, SHUT_WR);
    }
    if (c->ended) {
        close_now(c);
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret);
static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer);

static void start_reading(struct conn *c)
{
    if (!c->reading && !c->ended && c->tcp_open &&
        uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read) == 0) {
        c->reading = true;
    }
}

static void stop_reading(struct conn *c)
{
    if (c->reading) {
        uv_read_stop((uv_stream_t *)&c->tcp);
        c->reading = false;
    }
}

static void begin_finish(struct conn *c)
{
    sm_move(&c->sm, CONN_FINISH);
    c->phase_deadline_ms = loop_now_ms(c->loop) + CONN_LINGER_MS;
    conn_move_timer(c);
    start_reading(c); // to see the peer's end, even when paused
    loop_defer(c->loop, &c->task);
}

void conn_finish(struct conn *c)
{
    if (c->sm.state == CONN_OPEN) {
        c->why = (struct err){0};
        begin_finish(c);
    } else if (c->sm.state != CONN_FINISHING) {
        conn_close(c);
    }
}

// The peer will send nothing more. What is queued for it still goes out.
static void peer_ended(struct conn *c)
{
    stop_reading(c);
    c->ended = true;
    if (c->sm.state == CONN_SECURING) {
        give_up(c, ERR_CLOSED, "the peer closed the connection during the TLS handshake");
    } else if (c->sm.state == CONN_OPEN) {
        err_set(&c->why, ERR_CLOSED, "the peer closed the connection");
        if (is_flushed(c)) {
            close_now(c);
        } else {
            begin_finish(c);
        }
    } else {
        loop_defer(c->loop, &c->task);
    }
}

// --- Out -------------------------------------------------------------------------------------

size_t conn_queued(const struct conn *c)
{
    return (c->out.len - c->out_at) + c->sealed.len + (c->wire.len - c->wire_at);
}

void conn_await_room(struct conn *c, size_t n)
{
    size_t level = n < c->send_max ? c->send_max - n : 0;
    c->drain_level = level < c->drain_level ? level : c->drain_level;
    c->wants_drained = true;
}

enum err_code conn_write(struct conn *c, struct str bytes)
{
    if (c->sm.state == CONN_CLOSED || c->sm.state == CONN_FINISHING) {
        return ERR_CLOSED;
    }
    if (bytes.n > c->send_max) {
        return ERR_LIMIT;
    }
    size_t queued = conn_queued(c);
    if (queued > c->send_max - bytes.n) {
        conn_await_room(c, bytes.n);
        return ERR_BUSY;
    }
    if (c->out_at > 0 && bytes.n > c->out.max - c->out.len) {
        buf_consume(&c->out, c->out_at);
        c->out_at = 0;
    }
    enum err_code code = buf_append(&c->out, bytes.p, bytes.n);
    if (code != ERR_OK) {
        return code;
    }
    if (queued + bytes.n > c->send_low) {
        c->wants_drained = true;
    }
    loop_defer(c->loop, &c->task);
    return ERR_OK;
}

// Makes wire from what waits. False when nothing does.
static bool fill_wire(struct conn *c)
{
    buf_fini(&c->wire);
    c->wire_at = 0;
    struct str plain = buf_str(&c->out);
    if (plain.n > 0) { // an empty buffer has no memory to point into
        plain = str_make(plain.p + c->out_at, plain.n - c->out_at);
    }
    if (c->tls == NULL) {
        c->wire = c->out;
        c->wire_at = c->out_at;
        buf_init(&c->out, c->send_max);
        c->out_at = 0;
        return plain.n > 0;
    }
    bool may_seal = c->sm.state == CONN_OPEN || c->sm.state == CONN_FINISHING;
    if (plain.n > 0 && may_seal) {
        plain.n = plain.n < SEAL_PIECE ? plain.n : SEAL_PIECE;
        struct err why;
        if (tls_filter_write(c->tls, plain, &why) != ERR_OK) {
            conn_give_up(c, &why);
            return false;
        }
        c->out_at += plain.n;
        if (c->out_at == c->out.len) {
            buf_fini(&c->out);
            c->out_at = 0;
        }
    }
    c->wire = c->sealed;
    buf_init(&c->sealed, SEALED_MAX);
    return c->wire.len > 0;
}

static void on_written(uv_write_t *request, int status)
{
    struct conn *c = request->data;
    c->writing = false;
    if (c->sm.state == CONN_CLOSED) {
        return;
    }
    if (status != 0) {
        struct err why;
        loop_uv_error(&why, status, "sending failed");
        conn_give_up(c, &why);
        return;
    }
    size_t left = c->wire.len - c->wire_at;
    c->wire_at += left < WRITE_PIECE ? left : WRITE_PIECE;
    c->last_taken_ms = c->last_active_ms = c->last_heard_ms = loop_now_ms(c->loop);
    flush(c);
}

// Gives the system what it takes at once, and libuv a piece of the rest.
static enum err_code send_wire(struct conn *c, struct err *why)
{
    uv_buf_t piece = uv_buf_init(c->wire.data + c->wire_at, (unsigned)(c->wire.len - c->wire_at));
    int n = uv_try_write((uv_stream_t *)&c->tcp, &piece, 1);
    if (n < 0 && n != UV_EAGAIN) {
        return loop_uv_error(why, n, "sending failed");
    }
    if (n > 0) {
        c->wire_at += (size_t)n;
        c->last_active_ms = loop_now_ms(c->loop);
    }
    size_t left = c->wire.len - c->wire_at;
    if (left == 0) {
        return ERR_OK;
    }
    piece =
        uv_buf_init(c->wire.data + c->wire_at, (unsigned)(left < WRITE_PIECE ? left : WRITE_PIECE));
    int r = uv_write(&c->write, (uv_stream_t *)&c->tcp, &piece, 1, on_written);
    if (r != 0) {
        return loop_uv_error(why, r, "sending failed");
    }
    c->writing = true;
    c->last_taken_ms = loop_now_ms(c->loop);
    c->last_wire_queue = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
    conn_move_timer(c);
    return ERR_OK;
}

static void tell_drained(struct conn *c)
{
    if (c->wants_drained && c->sm.state == CONN_OPEN && conn_queued(c) <= c->drain_level) {
        c->wants_drained = false;
        c->drain_level = c->send_low;
        if (c->callbacks != NULL && c->callbacks->drained != NULL) {
            c->callbacks->drained(c, c->context);
        }
    }
}

static void flush(struct conn *c)
{
    if (c->sm.state == CONN_DIALLING) {
        return;
    }
    while (c->sm.state != CONN_CLOSED && !c->writing) {
        if (c->wire_at == c->wire.len && !fill_wire(c)) {
            break;
        }
        struct err why;
        if (send_wire(c, &why) != ERR_OK) {
            conn_give_up(c, &why);
        }
    }
    tell_drained(c);
    finish_step(c);
}

// --- In --------------------------------------------------------------------------------------

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    (void)suggested;
    struct conn *c = handle->data;
    *ret = uv_buf_init(loop_read_buffer(c->loop), LOOP_READ_SIZE);
}

static void become_open(struct conn *c)
{
    sm_move(&c->sm, CONN_SECURED);
    c->phase_deadline_ms = 0;
    if (c->paused) {
        stop_reading(c);
    }
    if (c->listener != NULL) {
        listener_conn_opened(c);
    } else if (c->callbacks != NULL && c->callbacks->opened != NULL) {
        c->callbacks->opened(c, c->context);
    }
    loop_defer(c->loop, &c->task);
}

static void deliver(struct conn *c, struct str bytes)
{
    if (bytes.n > 0 && c->callbacks != NULL && c->callbacks->data != NULL) {
        c->callbacks->data(c, bytes, c->context);
    }
}

// On failure the alert that says so is sent if the system takes it at once.
static void secure_step(struct conn *c)
{
    struct err why;
    enum err_code code = tls_filter_handshake(c->tls, &why);
    if (code == ERR_OK) {
        become_open(c);
    } else if (code != ERR_BUSY) {
        flush(c);
        conn_give_up(c, &why);
    }
}

static void open_step(struct conn *c)
{
    char *plain = loop_plain_buffer(c->loop);
    while (c->sm.state == CONN_OPEN && !c->paused) {
        size_t n = 0;
        struct err why;
        enum err_code code = tls_filter_read(c->tls, plain, LOOP_PLAIN_SIZE, &n, &why);
        if (code == ERR_BUSY) {
            return;
        }
        if (code == ERR_CLOSED) {
            peer_ended(c);
            return;
        }
        if (code != ERR_OK) {
            flush(c);
            conn_give_up(c, &why);
            return;
        }
        deliver(c, str_make(plain, n));
    }
}

static void take_ciphertext(struct conn *c, struct str bytes)
{
    tls_filter_feed(c->tls, bytes);
    if (c->sm.state == CONN_SECURING) {
        secure_step(c);
    }
    if (c->sm.state == CONN_OPEN) {
        open_step(c);
    }
    struct str rest = tls_filter_take_rest(c->tls);
    if (rest.n > 0 && c->sm.state == CONN_OPEN && c->paused &&
        buf_append(&c->unread, rest.p, rest.n) != ERR_OK) {
        give_up(c, ERR_NO_MEMORY, "a received record cannot be kept");
    }
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
    struct conn *c = stream->data;
    if (n == 0 || c->sm.state == CONN_CLOSED) {
        return;
    }
    if (n == UV_EOF) {
        peer_ended(c);
        return;
    }
    if (n < 0) {
        struct err why;
        c->reading = false;
        loop_uv_error(&why, (int)n, "receiving failed");
        conn_give_up(c, &why);
        return;
    }
    c->last_active_ms = c->last_heard_ms = loop_now_ms(c->loop);
    if (c->sm.state == CONN_FINISHING) {
        return;
    }
    struct str bytes = str_make(buffer->base, (size_t)n);
    if (c->tls != NULL) {
        take_ciphertext(c, bytes);
    } else {
        deliver(c, bytes);
    }
    flush(c);
}

void conn_read_pause(struct conn *c)
{
    c->paused = true;
    if (c->sm.state == CONN_OPEN) {
        stop_reading(c);
    }
}

void conn_read_resume(struct conn *c)
{
    c->paused = false;
    if (c->sm.state == CONN_OPEN) {
        loop_defer(c->loop, &c->task);
    }
}

static void on_task(struct loop_task *task)
{
    struct conn *c = CONTAINER_OF(task, struct conn, task);
    if (c->sm.state == CONN_OPEN && !c->paused && c->unread.len > 0) {
        struct buf unread = c->unread;
        buf_init(&c->unread, LOOP_READ_SIZE);
        take_ciphertext(c, buf_str(&unread));
        buf_fini(&unread);
    }
    if (c->sm.state == CONN_OPEN && !c->paused) {
        start_reading(c);
    }
    flush(c);
}

void conn_connected(struct conn *c)
{
    sm_move(&c->sm, CONN_CONNECTED);
    uv_tcp_nodelay(&c->tcp, 1);
    uv_tcp_keepalive(&c->tcp, 1, KEEPALIVE_SECONDS);
    c->phase_deadline_ms = loop_now_ms(c->loop) + c->securing_ms;
    conn_move_timer(c);
    if (c->tls == NULL) {
        become_open(c);
        return;
    }
    start_reading(c);
    tls_filter_feed(c->tls, (struct str){0});
    secure_step(c);
    loop_defer(c->loop, &c->task);
}

// --- Time ------------------------------------------------------------------------------------

static void sooner(int64_t *time, int64_t candidate)
{
    if (candidate != 0 && (*time == 0 || candidate < *time)) {
        *time = candidate;
    }
}

static void on_time(uv_timer_t *timer);

// The timer is only ever moved to an earlier time; when it fires too early it looks again. So
// activity costs nothing.
void conn_move_timer(struct conn *c)
{
    if (c->sm.state == CONN_CLOSED) {
        return;
    }
    int64_t time = c->phase_deadline_ms;
    sooner(&time, c->owner_deadline_ms);
    if (c->idle_timeout_ms > 0) {
        sooner(&time, c->last_active_ms + c->idle_timeout_ms);
    }
    if (c->writing) {
        sooner(&time, c->last_taken_ms + c->stall_timeout_ms);
    }
    if (time == 0 || (c->armed_ms != 0 && c->armed_ms <= time)) {
        return;
    }
    c->armed_ms = time;
    int64_t wait = time - loop_now_ms(c->loop);
    uv_timer_start(&c->timer, on_time, wait > 0 ? (uint64_t)wait : 0, 0);
}

static void phase_is_over(struct conn *c)
{
    if (c->sm.state == CONN_DIALLING) {
        conn_dial_timed_out(c);
    } else if (c->sm.state == CONN_SECURING) {
        give_up(c, ERR_TIMEOUT, "the TLS handshake took too long");
    } else {
        close_now(c);
    }
}

static bool is_stalled(struct conn *c, int64_t now)
{
    if (!c->writing) {
        return false;
    }
    size_t queue = uv_stream_get_write_queue_size((uv_stream_t *)&c->tcp);
    if (queue != c->last_wire_queue) {
        c->last_wire_queue = queue;
        c->last_taken_ms = now;
    }
    return now - c->last_taken_ms >= c->stall_timeout_ms;
}

static void on_time(uv_timer_t *timer)
{
    struct conn *c = timer->data;
    int64_t now = loop_now_ms(c->loop);
    c->armed_ms = 0;
    if (c->phase_deadline_ms != 0 && now >= c->phase_deadline_ms) {
        c->phase_deadline_ms = 0;
        phase_is_over(c);
    } else if (is_stalled(c, now)) {
        give_up(c, ERR_TIMEOUT, "the peer takes no bytes");
    } else if (c->idle_timeout_ms > 0 && now - c->last_active_ms >= c->idle_timeout_ms) {
        give_up(c, ERR_TIMEOUT, "the connection was idle for too long");
    } else if (c->owner_deadline_ms != 0 && now >= c->owner_deadline_ms) {
        c->owner_deadline_ms = 0;
        bool lives = c->sm.state != CONN_FINISHING && c->sm.state != CONN_CLOSED;
        if (lives && c->callbacks != NULL && c->callbacks->deadline != NULL) {
            c->callbacks->deadline(c, c->context);
            loop_defer(c->loop, &c->task);
        }
    }
    conn_move_timer(c);
}

void conn_set_deadline(struct conn *c, int64_t at_ms)
{
    c->owner_deadline_ms = at_ms;
    conn_move_timer(c);
}

// --- Questions -------------------------------------------------------------------------------

void conn_peer(const struct conn *c, char to[CONN_ADDRESS_TEXT_SIZE])
{
    struct sockaddr_storage address = {0};
    int size = sizeof(address);
    char ip[INET6_ADDRSTRLEN] = "?";
    snprintf(to, CONN_ADDRESS_TEXT_SIZE, "?");
    if (!c->tcp_open || uv_tcp_getpeername(&c->tcp, (struct sockaddr *)&address, &size) != 0) {
        return;
    }
    if (address.ss_family == AF_INET6) {
        const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&address;
        uv_ip6_name(v6, ip, sizeof(ip));
        snprintf(to, CONN_ADDRESS_TEXT_SIZE, "[%s]:%u", ip, (unsigned)ntohs(v6->sin6_port));
    } else {
        const struct sockaddr_in *v4 = (const struct sockaddr_in *)&address;
        uv_ip4_name(v4, ip, sizeof(ip));
        snprintf(to, CONN_ADDRESS_TEXT_SIZE, "%s:%u", ip, (unsigned)ntohs(v4->sin_port));
    }
}

int64_t conn_last_heard_ms(const struct conn *c)
{
    return c->last_heard_ms;
}

bool conn_is_tls(const struct conn *c)
{
    return c->tls != NULL;
}

bool conn_tls_resumed(const struct conn *c)
{
    return c->tls != NULL && tls_filter_resumed(c->tls);
}
