// SPDX-License-Identifier: Apache-2.0
// What net/websocket.c (frames) and net/ws_opening.c (the HTTP side of the handshake) share.
#ifndef WASL_NET_WS_INTERNAL_H
#define WASL_NET_WS_INTERNAL_H

#include "base/sm.h"
#include "net/loop_internal.h"
#include "net/websocket.h"

struct wslay_event_context;
struct ws_opening;

enum ws_state {
    WS_OPENING, // client: until the server's 101
    WS_OPEN,
    WS_CLOSING, // our close frame is out; the peer's is awaited
    WS_DONE,    // the connection is ending; only `closed` follows
};
enum ws_event { WS_OPENED, WS_CLOSE_SENT, WS_END };

struct ws {
    struct conn *conn;
    struct loop *loop;
    const struct ws_callbacks *callbacks;
    void *context;
    struct sm sm;
    struct loop_task task; // goes on with `unread`
    struct ws_opening *opening;
    struct wslay_event_context *framing; // only between the first byte of a message and its last
    struct str input;                    // borrowed bytes that framing has not taken
    struct buf unread;                   // what came right behind the request
    struct buf message;                  // of several frames or pieces
    struct str whole;                    // a message that lies in one piece: no copy
    uint64_t fed_bytes;                  // given to framing, and accounted for by frames:
    uint64_t framed_bytes;               // equal when framing holds no byte
    size_t message_max;
    size_t send_max;
    size_t send_low;
    uint64_t frame_bytes; // of the payload of the frame in hand
    int64_t silence_ms;
    int64_t close_timeout_ms;
    int code;
    bool is_client;
    bool in_frame;
    bool in_message;
    bool frame_is_control;
    bool frame_is_whole; // a whole message, if its bytes come in one piece
    enum err_code fault; // ERR_LIMIT or ERR_NO_MEMORY while receiving
    bool close_sent;
    struct err why;
};

enum err_code ws_new(struct loop *l, const struct ws_options *options, bool is_client,
                     struct ws **ret) MUST_CHECK;
void ws_free(struct ws *w);
// Gives w its connection, which must not be closed yet.
void ws_take_conn(struct ws *w, struct conn *conn);
void ws_become_open(struct ws *w);
void ws_pump(struct ws *w, struct str bytes);
// Ends the connection at once; the first cause is kept.
void ws_give_up(struct ws *w, const struct err *why);

// net/ws_opening.c
void ws_opening_free(struct ws_opening *o);
void ws_opening_send(struct ws *w);
void ws_opening_data(struct ws *w, struct str bytes);

#endif
