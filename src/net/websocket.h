// SPDX-License-Identifier: Apache-2.0
// A WebSocket (RFC 6455; framing: wslay), either end: accepted from the HTTP server, or connected.
//
// Why: every edge of the tree of nodes is one of these, and so is the live feed to a web page.
// Invariants:
//   1. `closed` comes exactly once, last, from the loop, never from inside a function of this
//      header (as for conn); then the ws is freed. After ws_close no `message` comes.
//   2. A message is checked against message_max_bytes by its announced length, before anything is
//      buffered for it; text is valid UTF-8.
//   3. A peer that showed no life for silence_ms (sent nothing, took nothing) is closed; pings are
//      sent early enough that a living peer never is.
//   4. Between messages a ws holds no buffer and no framing state: only itself, its conn and TLS.
// Ownership: a ws frees itself after `closed`; the owner's context lives until then. Bytes given to
//   `message` are valid during the call.
// Threads: the loop's thread only.
// Limits: message_max_bytes, send_max_bytes, WS_REASON_MAX; client: a response head of 16 KiB.
// Not here: extensions (permessage-deflate); messages are compressed by the protocol above.
#ifndef WASL_NET_WEBSOCKET_H
#define WASL_NET_WEBSOCKET_H

#include "net/http.h"
#include "net/url.h"

struct ws;

enum ws_type { WS_TEXT, WS_BINARY };

// RFC 6455, section 7.4.1.
enum ws_code {
    WS_NORMAL = 1000,
    WS_GOING_AWAY = 1001,
    WS_PROTOCOL = 1002,
    WS_UNSUPPORTED = 1003,
    WS_NO_CODE = 1005,  // the peer's close frame named none; never sent
    WS_ABNORMAL = 1006, // the connection ended without a close frame; never sent
    WS_BAD_TEXT = 1007,
    WS_POLICY = 1008,
    WS_TOO_BIG = 1009,
    WS_INTERNAL = 1011,
    WS_RESTART = 1012,
    WS_TRY_LATER = 1013,
};
enum { WS_REASON_MAX = 123 }; // bytes

struct ws_callbacks {
    void (*opened)(struct ws *w, void *context); // client: the server accepted. Optional.
    void (*message)(struct ws *w, enum ws_type type, struct str bytes, void *context);
    // ws_send had refused, or the queue stood above send_low_bytes, and has fallen to it. Optional.
    void (*drained)(struct ws *w, void *context);
    // code is what the peer's close frame (or ours, when we began) said, WS_ABNORMAL without one.
    // why is one clear sentence; ERR_OK after our own ws_close was answered.
    void (*closed)(struct ws *w, int code, const struct err *why, void *context);
};

// 0 in a field means its default.
struct ws_options {
    size_t message_max_bytes; // default 3 MiB
    size_t send_max_bytes;    // default 8 MiB; a single message may be as large as that
    size_t send_low_bytes;    // default a quarter of send_max_bytes
    int64_t silence_ms;       // default 30 s; a ping goes out after a third of it without a byte
    int64_t close_timeout_ms; // for the peer's answer to our close frame; default 5 s
};

// Server: turns a request with request->upgrade into a WebSocket, from inside `request`.
// subprotocol NULL: none is negotiated; else the client must offer it. On failure the request has
// been answered (400, 426) and ERR_PROTOCOL says why; ERR_CLOSED, ERR_NO_MEMORY.
enum err_code ws_accept(struct http_server *s, const struct http_request *request,
                        const char *subprotocol, const struct ws_options *options, struct ws **ret,
                        struct err *e) MUST_CHECK;

struct ws_target {
    const struct url *url;   // ws or wss
    struct tls_context *tls; // for wss; NULL for ws
    const char *subprotocol; // NULL: none
    const char *bearer;      // Authorization: Bearer; NULL: none
    int64_t open_timeout_ms; // until `opened`, all in all; default 15 s
};

// Client: starts to connect. `opened` or `closed` follows. What a server (or a captive portal)
// answers instead of 101 becomes why: ERR_UNAUTHENTICATED 401, ERR_DENIED 403, ERR_NOT_FOUND 404,
// ERR_BUSY 429 and 503, ERR_NETWORK for a redirect or a web page, ERR_PROTOCOL for the rest.
// ERR_INVALID, ERR_NO_MEMORY at once. target need not outlive the call.
enum err_code ws_connect(struct loop *l, const struct ws_target *target,
                         const struct ws_options *options, struct ws **ret,
                         struct err *e) MUST_CHECK;

// Says who owns w: at once after ws_accept or ws_connect, before returning to the loop.
// callbacks must outlive w (static const).
void ws_set_owner(struct ws *w, const struct ws_callbacks *callbacks, void *context);

// Queues a copy. ERR_BUSY when the queue would pass send_max_bytes: nothing is taken, `drained`
// follows. ERR_LIMIT when it is longer than send_max_bytes, ERR_NO_MEMORY; ERR_CLOSED before
// `opened` and after a close began. Text must be valid UTF-8.
enum err_code ws_send(struct ws *w, enum ws_type type, struct str bytes) MUST_CHECK;
size_t ws_queued(const struct ws *w); // bytes that the system has not taken yet

// Sends a close frame behind what is queued and waits for the peer's. code: 1000 .. 1014 or
// 3000 .. 4999; reason is cut to WS_REASON_MAX, may be NULL. Again, or too late: does nothing.
void ws_close(struct ws *w, int code, const char *reason);
void ws_abort(struct ws *w); // at once, without a close frame

#endif
