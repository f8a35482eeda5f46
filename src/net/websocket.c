// SPDX-License-Identifier: Apache-2.0
//
//   OPENING --ws_become_open--> OPEN --ws_close--> CLOSING --end--> DONE
//   and end leads to DONE from OPENING and OPEN too: by the peer's close frame, by a violation, by
//   silence, by a broken connection.
//
// Receiving is wslay's event interface without its buffering: pieces of a message go into
// `message`, unless the whole lies in one piece. Its context (8 KiB) lives only while a message is
// arriving: bytes fed and bytes accounted for by frames tell when it holds nothing. It also answers
// pings and close frames by itself. Sending is wslay's frame interface with one context per loop: a
// frame is written whole or not at all, so that nothing of it stays there.

#include "net/ws_internal.h"

#include "base/clock.h"

#include <wslay/wslay.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MESSAGE_MAX_DEFAULT = 3 * 1024 * 1024,
    MESSAGE_MAX_LEAST = 256, // control frames must fit
    SEND_MAX_DEFAULT = 8 * 1024 * 1024,
    SILENCE_DEFAULT_MS = 30000,
    CLOSE_TIMEOUT_DEFAULT_MS = 5000,
    FRAME_HEAD_MAX = 14,
    UNREAD_MAX = 4 * LOOP_READ_SIZE,
    TICKS_PER_SILENCE = 3,
    CONTROL_ROOM = 64 * 1024, // of the queue, beyond send_max: pongs and close frames
};

static const struct sm_row ROWS[] = {
    {WS_OPENING, WS_OPENED, WS_OPEN, "101 came"},
    {WS_OPEN, WS_CLOSE_SENT, WS_CLOSING, "the owner is done"},
    {WS_OPENING, WS_END, WS_DONE, "refused, or given up"},
    {WS_OPEN, WS_END, WS_DONE, "the peer closed, broke the rules, or is gone"},
    {WS_CLOSING, WS_END, WS_DONE, "answered, or out of time"},
};
static const char *const STATE_NAMES[] = {"opening", "open", "closing", "done"};
static const char *const EVENT_NAMES[] = {"opened", "close_sent", "end"};
static const struct sm_table TABLE = {
    .name = "ws",
    .rows = ROWS,
    .row_count = sizeof(ROWS) / sizeof(ROWS[0]),
    .state_names = STATE_NAMES,
    .event_names = EVENT_NAMES,
};

static void on_task(struct loop_task *task);

enum err_code ws_new(struct loop *l, const struct ws_options *options, bool is_client,
                     struct ws **ret)
{
    struct ws *w = calloc(1, sizeof(*w));
    if (w == NULL) {
        return ERR_NO_MEMORY;
    }
    w->loop = l;
    w->is_client = is_client;
    w->code = WS_ABNORMAL;
    w->task.fn = on_task;
    sm_init(&w->sm, &TABLE, WS_OPENING);
    size_t max = options->message_max_bytes != 0 ? options->message_max_bytes : MESSAGE_MAX_DEFAULT;
    w->message_max = max > MESSAGE_MAX_LEAST ? max : MESSAGE_MAX_LEAST;
    w->send_max = options->send_max_bytes != 0 ? options->send_max_bytes : SEND_MAX_DEFAULT;
    w->send_low = options->send_low_bytes != 0 ? options->send_low_bytes : w->send_max / 4;
    w->silence_ms = options->silence_ms != 0 ? options->silence_ms : SILENCE_DEFAULT_MS;
    w->close_timeout_ms =
        options->close_timeout_ms != 0 ? options->close_timeout_ms : CLOSE_TIMEOUT_DEFAULT_MS;
    buf_init(&w->message, w->message_max);
    buf_init(&w->unread, UNREAD_MAX);
    *ret = w;
    return ERR_OK;
}

void ws_free(struct ws *w)
{
    if (w == NULL) {
        return;
    }
    loop_undefer(&w->task);
    ws_opening_free(w->opening);
    wslay_event_context_free(w->framing);
    buf_fini(&w->unread);
    buf_fini(&w->message);
    free(w);
}

void ws_set_owner(struct ws *w, const struct ws_callbacks *callbacks, void *context)
{
    w->callbacks = callbacks;
    w->context = context;
}

size_t ws_queued(const struct ws *w)
{
    return conn_queued(w->conn);
}

// --- The end ---------------------------------------------------------------------------------

static void end(struct ws *w)
{
    sm_move(&w->sm, WS_END);
    conn_set_deadline(w->conn, 0);
}

void ws_give_up(struct ws *w, const struct err *why)
{
    if (w->sm.state != WS_DONE) {
        w->why = *why;
        end(w);
        conn_close(w->conn);
    }
}

static void give_up(struct ws *w, enum err_code code, const char *text)
{
    struct err why;
    err_set(&why, code, "%s", text);
    ws_give_up(w, &why);
}

void ws_abort(struct ws *w)
{
    struct err why = {0};
    ws_give_up(w, &why);
}

// --- Sending ---------------------------------------------------------------------------------

struct framer {
    wslay_frame_context_ptr frames[2]; // [1] masks: a context that masked once always does
    struct ws *ws;
    enum err_code code;
};

static int on_mask(uint8_t *to, size_t n, void *context)
{
    (void)context;
    clock_random(to, n);
    return 0;
}

static ssize_t on_frame_bytes(const uint8_t *data, size_t n, int flags, void *context)
{
    (void)flags;
    struct framer *f = context;
    f->code = conn_write(f->ws->conn, str_make(data, n));
    return f->code == ERR_OK ? (ssize_t)n : -1;
}

static void framer_free(void *value)
{
    struct framer *f = value;
    for (size_t i = 0; f != NULL && i < 2; i++) {
        if (f->frames[i] != NULL) {
            wslay_frame_context_free(f->frames[i]);
        }
    }
    free(f);
}

static struct framer *get_framer(struct loop *l, bool is_client)
{
    static const struct wslay_frame_callbacks CALLBACKS = {
        .send_callback = on_frame_bytes,
        .genmask_callback = on_mask,
    };
    struct loop_slot *slot = loop_framer_slot(l);
    if (slot->value == NULL) {
        slot->free = framer_free;
        slot->value = calloc(1, sizeof(struct framer));
    }
    struct framer *f = slot->value;
    if (f != NULL && f->frames[is_client] == NULL &&
        wslay_frame_context_init(&f->frames[is_client], &CALLBACKS, f) != 0) {
        f->frames[is_client] = NULL;
        return NULL;
    }
    return f;
}

// A frame that could be written only in part has spoilt the stream: the connection goes.
static enum err_code send_frame(struct ws *w, uint8_t opcode, struct str bytes)
{
    struct framer *f = get_framer(w->loop, w->is_client);
    if (f == NULL) {
        return ERR_NO_MEMORY;
    }
    f->ws = w;
    f->code = ERR_OK;
    struct wslay_frame_iocb frame = {
        .fin = 1,
        .opcode = opcode,
        .mask = w->is_client ? 1 : 0,
        .payload_length = bytes.n,
        .data = (const uint8_t *)bytes.p,
        .data_length = bytes.n,
    };
    ssize_t n = wslay_frame_send(f->frames[w->is_client], &frame);
    if (n == (ssize_t)bytes.n) {
        return ERR_OK;
    }
    wslay_frame_context_free(f->frames[w->is_client]);
    f->frames[w->is_client] = NULL;
    enum err_code code = f->code != ERR_OK ? f->code : ERR_NO_MEMORY;
    give_up(w, code, "a frame could not be queued");
    return code;
}

enum err_code ws_send(struct ws *w, enum ws_type type, struct str bytes)
{
    if (w->sm.state != WS_OPEN) {
        return ERR_CLOSED;
    }
    if (bytes.n > w->send_max) {
        return ERR_LIMIT;
    }
    size_t queued = conn_queued(w->conn);
    if (queued > 0 &&
        bytes.n + FRAME_HEAD_MAX > w->send_max - (queued < w->send_max ? queued : w->send_max)) {
        conn_await_room(w->conn, bytes.n + FRAME_HEAD_MAX + CONTROL_ROOM);
        return ERR_BUSY;
    }
    return send_frame(w, type == WS_TEXT ? WSLAY_TEXT_FRAME : WSLAY_BINARY_FRAME, bytes);
}

static enum err_code send_close(struct ws *w, int code, struct str reason)
{
    char payload[2 + WS_REASON_MAX];
    size_t n = reason.n < WS_REASON_MAX ? reason.n : WS_REASON_MAX;
    while (n > 0 && n < reason.n && ((unsigned char)reason.p[n] & 0xc0) == 0x80) {
        n--; // not in the middle of a character
    }
    payload[0] = (char)(code >> 8);
    payload[1] = (char)(code & 0xff);
    if (n > 0) {
        memcpy(payload + 2, reason.p, n);
    }
    w->close_sent = true;
    return send_frame(w, WSLAY_CONNECTION_CLOSE, str_make(payload, n + 2));
}

void ws_close(struct ws *w, int code, const char *reason)
{
    MUST((code >= 1000 && code <= 1014 && code != 1004 && code != WS_NO_CODE &&
          code != WS_ABNORMAL) ||
         (code >= 3000 && code <= 4999));
    if (w->sm.state == WS_OPENING) {
        ws_abort(w);
    } else if (w->sm.state == WS_OPEN && send_close(w, code, str_of(reason)) == ERR_OK) {
        sm_move(&w->sm, WS_CLOSE_SENT);
        conn_set_deadline(w->conn, loop_now_ms(w->loop) + w->close_timeout_ms);
    }
}

// The peer broke a rule: it is told so, and the connection ends once that is sent.
static void fail(struct ws *w, int code, enum err_code error, const char *text)
{
    if (w->sm.state == WS_DONE) {
        return;
    }
    if (!w->close_sent && send_close(w, code, str_of(text)) != ERR_OK) {
        return; // given up already
    }
    w->code = code;
    err_set(&w->why, error, "%s", text);
    end(w);
    conn_finish(w->conn);
}

// --- Receiving -------------------------------------------------------------------------------

static ssize_t on_recv(wslay_event_context_ptr framing, uint8_t *to, size_t size, int flags,
                       void *context)
{
    (void)flags;
    struct ws *w = context;
    if (w->input.n == 0 || w->sm.state == WS_DONE) {
        wslay_event_set_error(framing, WSLAY_ERR_WOULDBLOCK);
        return -1;
    }
    size_t n = size < w->input.n ? size : w->input.n;
    memcpy(to, w->input.p, n);
    w->input.p += n;
    w->input.n -= n;
    w->fed_bytes += n;
    return (ssize_t)n;
}

// wslay's own frames: pongs, and the answer to a close frame unless ours went out already.
static ssize_t on_send(wslay_event_context_ptr framing, const uint8_t *data, size_t n, int flags,
                       void *context)
{
    (void)flags;
    struct ws *w = context;
    if (w->close_sent || w->sm.state == WS_DONE ||
        conn_write(w->conn, str_make(data, n)) == ERR_OK) {
        return (ssize_t)n;
    }
    wslay_event_set_error(framing, WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

static int on_event_mask(wslay_event_context_ptr framing, uint8_t *to, size_t n, void *context)
{
    (void)framing;
    return on_mask(to, n, context);
}

static void on_frame_start(wslay_event_context_ptr framing,
                           const struct wslay_event_on_frame_recv_start_arg *frame, void *context)
{
    struct ws *w = context;
    uint64_t n = frame->payload_length;
    w->in_frame = true;
    w->frame_bytes = n;
    w->framed_bytes += 2U + (n < 126 ? 0U : n < 65536 ? 2U : 8U) + (w->is_client ? 0U : 4U) + n;
    w->whole = (struct str){0};
    w->frame_is_control = wslay_is_ctrl_frame(frame->opcode);
    w->frame_is_whole = frame->fin && w->message.len == 0;
    if (w->frame_is_control) {
        return;
    }
    w->in_message = true;
    if (n > w->message_max - w->message.len) {
        w->fault = ERR_LIMIT;
        wslay_event_shutdown_read(framing);
    }
}

static void on_frame_piece(wslay_event_context_ptr framing,
                           const struct wslay_event_on_frame_recv_chunk_arg *piece, void *context)
{
    struct ws *w = context;
    if (w->frame_is_control || w->fault != ERR_OK) {
        return;
    }
    if (w->frame_is_whole && piece->data_length == w->frame_bytes) {
        w->whole = str_make(piece->data, piece->data_length);
        return;
    }
    w->fault = buf_append(&w->message, piece->data, piece->data_length);
    if (w->fault != ERR_OK) {
        wslay_event_shutdown_read(framing);
    }
}

static void on_frame_end(wslay_event_context_ptr framing, void *context)
{
    (void)framing;
    struct ws *w = context;
    w->in_frame = false;
}

static void on_close_frame(struct ws *w, const struct wslay_event_on_msg_recv_arg *m)
{
    int code = m->status_code != 0 ? m->status_code : WS_NO_CODE;
    if (w->sm.state == WS_CLOSING) {
        w->code = code;
        w->why = (struct err){0};
    } else {
        size_t n = m->msg_length > 2 ? m->msg_length - 2 : 0;
        w->code = code;
        err_set(&w->why, ERR_CLOSED, "the peer closed (%d%s%.*s)", code, n > 0 ? ": " : "", (int)n,
                n > 0 ? (const char *)m->msg + 2 : "");
    }
}

static void on_message(wslay_event_context_ptr framing, const struct wslay_event_on_msg_recv_arg *m,
                       void *context)
{
    (void)framing;
    struct ws *w = context;
    if (m->opcode == WSLAY_CONNECTION_CLOSE) {
        on_close_frame(w, m);
        return;
    }
    if (wslay_is_ctrl_frame(m->opcode) || w->fault != ERR_OK) {
        return;
    }
    w->in_message = false;
    struct str bytes = w->message.len > 0 ? buf_str(&w->message) : w->whole;
    if (w->sm.state == WS_OPEN && w->callbacks != NULL && w->callbacks->message != NULL) {
        enum ws_type type = m->opcode == WSLAY_TEXT_FRAME ? WS_TEXT : WS_BINARY;
        w->callbacks->message(w, type, bytes, w->context);
    }
    buf_fini(&w->message);
}

static bool open_framing(struct ws *w)
{
    static const struct wslay_event_callbacks CALLBACKS = {
        .recv_callback = on_recv,
        .send_callback = on_send,
        .genmask_callback = on_event_mask,
        .on_frame_recv_start_callback = on_frame_start,
        .on_frame_recv_chunk_callback = on_frame_piece,
        .on_frame_recv_end_callback = on_frame_end,
        .on_msg_recv_callback = on_message,
    };
    if (w->framing != NULL) {
        return true;
    }
    int r = w->is_client ? wslay_event_context_client_init(&w->framing, &CALLBACKS, w)
                         : wslay_event_context_server_init(&w->framing, &CALLBACKS, w);
    if (r != 0) {
        w->framing = NULL;
        return false;
    }
    wslay_event_config_set_no_buffering(w->framing, 1);
    wslay_event_config_set_max_recv_msg_length(w->framing, w->message_max);
    return true;
}

static void release_framing(struct ws *w)
{
    bool holds_nothing = !w->in_frame && !w->in_message && w->fed_bytes == w->framed_bytes;
    if (w->framing != NULL && (holds_nothing || w->sm.state == WS_DONE)) {
        wslay_event_context_free(w->framing);
        w->framing = NULL;
        w->fed_bytes = w->framed_bytes = 0;
    }
}

// wslay found a violation and has queued its close frame, or has sent it.
static void on_violation(struct ws *w)
{
    if (wslay_event_send(w->framing) != 0) {
        give_up(w, ERR_NETWORK, "a frame could not be queued");
        return;
    }
    w->close_sent = true;
    int code = wslay_event_get_status_code_sent(w->framing);
    if (code == WS_BAD_TEXT) {
        fail(w, code, ERR_PROTOCOL, "the peer sent text that is not UTF-8");
    } else if (code == WS_TOO_BIG) {
        fail(w, code, ERR_LIMIT, "the peer's message is longer than is taken here");
    } else {
        fail(w, WS_PROTOCOL, ERR_PROTOCOL, "the peer broke the rules of WebSocket");
    }
}

static void after_receiving(struct ws *w, int result)
{
    if (w->sm.state == WS_DONE) {
        return;
    }
    if (w->fault == ERR_LIMIT) {
        fail(w, WS_TOO_BIG, ERR_LIMIT, "the peer's message is longer than is taken here");
    } else if (w->fault != ERR_OK || result == WSLAY_ERR_NOMEM) {
        fail(w, WS_INTERNAL, ERR_NO_MEMORY, "out of memory for the peer's message");
    } else if (result != 0) {
        fail(w, WS_PROTOCOL, ERR_PROTOCOL, "the peer broke the rules of WebSocket");
    } else if (wslay_event_get_close_received(w->framing)) {
        wslay_event_send(w->framing);
        end(w);
        conn_finish(w->conn);
    } else if (!wslay_event_get_read_enabled(w->framing)) {
        on_violation(w);
    } else if (wslay_event_send(w->framing) != 0) {
        give_up(w, ERR_LIMIT, "the peer asks for more pongs than it takes");
    }
}

void ws_pump(struct ws *w, struct str bytes)
{
    if (w->sm.state == WS_DONE) {
        return;
    }
    if (!open_framing(w)) {
        give_up(w, ERR_NO_MEMORY, err_text(ERR_NO_MEMORY));
        return;
    }
    w->input = bytes;
    after_receiving(w, wslay_event_recv(w->framing));
    w->input = (struct str){0};
    release_framing(w);
}

static void on_task(struct loop_task *task)
{
    struct ws *w = CONTAINER_OF(task, struct ws, task);
    if (w->sm.state == WS_DONE) {
        return;
    }
    if (w->unread.len > 0) {
        struct buf unread = w->unread;
        buf_init(&w->unread, UNREAD_MAX);
        ws_pump(w, buf_str(&unread));
        buf_fini(&unread);
    }
    if (w->sm.state != WS_DONE) {
        conn_read_resume(w->conn);
    }
}

// --- The connection's callbacks --------------------------------------------------------------

static void tick(struct ws *w)
{
    int64_t now = loop_now_ms(w->loop);
    int64_t silent = now - conn_last_heard_ms(w->conn);
    if (silent >= w->silence_ms) {
        struct err why;
        err_set(&why, ERR_TIMEOUT, "the peer has been silent for %lld ms", (long long)silent);
        ws_give_up(w, &why);
        return;
    }
    int64_t interval = w->silence_ms / TICKS_PER_SILENCE;
    if (silent >= interval / 2 && send_frame(w, WSLAY_PING, (struct str){0}) != ERR_OK) {
        return;
    }
    conn_set_deadline(w->conn, now + (interval > 0 ? interval : 1));
}

static void on_opened(struct conn *c, void *context)
{
    (void)c;
    ws_opening_send(context);
}

static void on_data(struct conn *c, struct str bytes, void *context)
{
    (void)c;
    struct ws *w = context;
    if (w->sm.state == WS_OPENING) {
        ws_opening_data(w, bytes);
    } else {
        ws_pump(w, bytes);
    }
}

static void on_drained(struct conn *c, void *context)
{
    (void)c;
    struct ws *w = context;
    if (w->sm.state == WS_OPEN && w->callbacks != NULL && w->callbacks->drained != NULL) {
        w->callbacks->drained(w, w->context);
    }
}

static void on_deadline(struct conn *c, void *context)
{
    (void)c;
    struct ws *w = context;
    if (w->sm.state == WS_OPENING) {
        give_up(w, ERR_TIMEOUT, "no WebSocket was opened in time");
    } else if (w->sm.state == WS_CLOSING) {
        give_up(w, ERR_TIMEOUT, "the peer did not answer the close frame");
    } else if (w->sm.state == WS_OPEN) {
        tick(w);
    }
}

static void on_closed(struct conn *c, const struct err *why, void *context)
{
    (void)c;
    struct ws *w = context;
    if (w->sm.state != WS_DONE) {
        w->why = *why;
        sm_move(&w->sm, WS_END);
    }
    if (w->callbacks != NULL && w->callbacks->closed != NULL) {
        w->callbacks->closed(w, w->code, &w->why, w->context);
    }
    ws_free(w);
}

void ws_take_conn(struct ws *w, struct conn *conn)
{
    static const struct conn_callbacks CALLBACKS = {
        .opened = on_opened,
        .data = on_data,
        .drained = on_drained,
        .deadline = on_deadline,
        .closed = on_closed,
    };
    w->conn = conn;
    conn_set_owner(conn, &CALLBACKS, w);
    conn_set_send_bounds(conn, w->send_max + CONTROL_ROOM, w->send_low);
}

void ws_become_open(struct ws *w)
{
    sm_move(&w->sm, WS_OPENED);
    conn_set_deadline(w->conn, loop_now_ms(w->loop) + w->silence_ms / TICKS_PER_SILENCE);
    if (w->callbacks != NULL && w->callbacks->opened != NULL) {
        w->callbacks->opened(w, w->context);
    }
}
