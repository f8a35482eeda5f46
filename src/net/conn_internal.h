// SPDX-License-Identifier: Apache-2.0
// What net/conn.c, net/conn_dial.c and net/listener.c share.
#ifndef WASL_NET_CONN_INTERNAL_H
#define WASL_NET_CONN_INTERNAL_H

#include "base/sm.h"
#include "net/conn.h"
#include "net/loop_internal.h"
#include "net/tls_filter.h"

enum conn_state {
    CONN_DIALLING,  // name and TCP (net/conn_dial.c)
    CONN_SECURING,  // TLS handshake; passed through at once without TLS
    CONN_OPEN,      // bytes go both ways
    CONN_FINISHING, // the queue empties; the peer's bytes are dropped
    CONN_CLOSED,    // handles are closing; `closed` comes, then the memory goes
};
enum conn_event { CONN_CONNECTED, CONN_SECURED, CONN_FINISH, CONN_CLOSE };

struct conn_dial;
struct listener;

struct conn {
    uv_tcp_t tcp;
    uv_timer_t timer;
    uv_write_t write;
    struct loop *loop;
    struct loop_task task; // flush, and deliver what waits, at the end of the turn
    struct sm sm;
    const struct conn_callbacks *callbacks; // NULL until handed to an owner
    void *context;

    struct conn_dial *dial; // a client's, until connected
    struct tls_filter *tls; // NULL: plain
    struct listener *listener;
    struct conn *next; // of the listener's
    struct conn *previous;

    // The way of a byte: out -> (sealed by TLS) -> wire -> the system.
    struct buf out;
    size_t out_at; // bytes of out that are gone already
    struct buf sealed;
    struct buf wire;
    size_t wire_at;
    struct buf unread; // ciphertext that came before a pause
    size_t send_max;
    size_t send_low;
    size_t drain_level; // `drained` is due when the queue falls to it

    int64_t securing_ms; // what the handshake may take
    int64_t stall_timeout_ms;
    int64_t idle_timeout_ms;
    int64_t phase_deadline_ms; // dial, handshake or linger; 0: none
    int64_t owner_deadline_ms; // 0: none
    int64_t last_active_ms;    // a byte came or went
    int64_t last_heard_ms;     // the peer showed life
    int64_t last_taken_ms;     // the system took bytes of the wire
    int64_t armed_ms;          // when the timer fires; 0: it does not
    size_t last_wire_queue;    // of libuv, when the timer looked last

    int pending;   // handles and requests that must end before the memory goes
    bool tcp_open; // tcp is a live handle (a dial closes one and opens the next)
    bool writing;  // libuv has a part of wire
    bool paused;
    bool reading; // libuv reads
    bool wants_drained;
    bool ended; // the peer sent its last byte
    bool goodbye_said;
    struct err why;
};

// The first cause is kept.
enum err_code conn_give_up(struct conn *c, const struct err *why);
void conn_move_timer(struct conn *c);
// TCP is there: TLS begins, or the conn is open.
void conn_connected(struct conn *c);
enum err_code conn_new(struct loop *l, const struct conn_options *options, const char *host,
                       uint16_t port, struct conn **ret) MUST_CHECK;
// A handle or request ended; the last one frees c.
void conn_release(struct conn *c);
void conn_on_handle_closed(uv_handle_t *handle);

// net/conn_dial.c
void conn_dial_cancel(struct conn *c);
void conn_dial_free(struct conn_dial *d);
void conn_dial_timed_out(struct conn *c);

// net/listener.c
void listener_conn_opened(struct conn *c);
void listener_conn_gone(struct conn *c);

#endif
