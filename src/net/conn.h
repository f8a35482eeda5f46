// SPDX-License-Identifier: Apache-2.0
// A byte stream over TCP, with TLS above it where its options say so; listening and connecting.
//
// Why: HTTP and WebSocket talk to one kind of stream and never learn what carries it.
// Invariants:
//   1. A conn that was handed to its owner calls `closed` exactly once, last, and from the loop,
//      never from inside a function of this header: whoever closed it and why. Then it is freed.
//   2. After conn_close no other callback comes.
//   3. conn_write never blocks and never calls back: bytes are queued and leave at the end of the
//      callback that wrote them, or before the loop sleeps.
//   4. Buffers exist only while bytes are in them: an idle conn holds none.
// Ownership: a conn frees itself after `closed`. The owner's context must live until then.
//   Bytes given to `data` are valid during the call.
// Threads: the loop's thread only.
// Limits: the send queue (send_max_bytes), listener_options.max_conns, and a time for every state:
//   name and connect, TLS handshake, silence, the last flush.
#ifndef WASL_NET_CONN_H
#define WASL_NET_CONN_H

#include "base/buf.h"
#include "net/loop.h"
#include "net/tls.h"

enum { CONN_ADDRESS_TEXT_SIZE = 56 }; // "[v6 address]:port" and a NUL

struct conn;
struct listener;

struct conn_callbacks {
    // A client's conn is connected and, with TLS, verified. Not called for accepted conns.
    void (*opened)(struct conn *c, void *context);
    void (*data)(struct conn *c, struct str bytes, void *context);
    // The queue had refused a write or stood above send_low_bytes, and has fallen to it. Optional.
    void (*drained)(struct conn *c, void *context);
    // The time given to conn_set_deadline has come. Optional.
    void (*deadline)(struct conn *c, void *context);
    // why->code is ERR_OK when the owner closed, ERR_CLOSED when the peer did, else what failed:
    // ERR_NETWORK, ERR_TIMEOUT, ERR_TLS, ERR_NOT_FOUND (name), ERR_NO_MEMORY.
    void (*closed)(struct conn *c, const struct err *why, void *context);
};

// 0 in a field means its default.
struct conn_options {
    struct tls_context *tls;      // NULL: plain TCP. The conn keeps its own count.
    size_t send_max_bytes;        // default 8 MiB
    size_t send_low_bytes;        // default a quarter of send_max_bytes
    int64_t connect_timeout_ms;   // name and TCP together; default 10 s
    int64_t handshake_timeout_ms; // TLS; default 10 s
    int64_t stall_timeout_ms;     // bytes wait and the peer takes none; default 60 s
    int64_t idle_timeout_ms; // no byte either way; default none: HTTP and WebSocket have theirs
};

// Starts to connect to host (a name or an address) and port. Failures that need the network are
// reported to `closed`. TLS verifies host. ERR_INVALID, ERR_NO_MEMORY.
enum err_code conn_connect(struct loop *l, const char *host, uint16_t port,
                           const struct conn_options *options, struct conn **ret,
                           struct err *e) MUST_CHECK;

// Says who owns c from now on. At once after conn_connect or inside `accepted`; later when an
// owner hands it to another (HTTP to WebSocket). callbacks must outlive c (static const).
void conn_set_owner(struct conn *c, const struct conn_callbacks *callbacks, void *context);

// Queues a copy of bytes. ERR_BUSY when it would pass send_max_bytes: nothing is taken, `drained`
// follows. ERR_LIMIT when it is longer than send_max_bytes, ERR_NO_MEMORY; ERR_CLOSED after a close
// began. Before `opened` bytes wait.
enum err_code conn_write(struct conn *c, struct str bytes) MUST_CHECK;
size_t conn_queued(const struct conn *c); // bytes that the system has not taken yet
// Asks for `drained` once n more bytes fit: for an owner with a bound of its own. conn_write does
// it.
void conn_await_room(struct conn *c, size_t n);
// Replaces the bounds of the send queue (an owner that takes over may need others).
void conn_set_send_bounds(struct conn *c, size_t max_bytes, size_t low_bytes);

// While paused no `data` comes and the peer is held back by TCP. One `data` call already running
// is the last. Resuming never calls back at once.
void conn_read_pause(struct conn *c);
void conn_read_resume(struct conn *c);

// Calls `deadline` once at that time of loop_now_ms; 0 takes it back. One per conn.
void conn_set_deadline(struct conn *c, int64_t at_ms);

// Sends what is queued, says goodbye, waits a moment for the peer to do so too, closes. No more
// `data`. At most CONN_LINGER_MS.
void conn_finish(struct conn *c);
// Closes now; what is queued is lost. Both accept a conn that is closing already.
void conn_close(struct conn *c);
enum { CONN_LINGER_MS = 5000 };

void conn_peer(const struct conn *c, char to[CONN_ADDRESS_TEXT_SIZE]); // "address:port"
// When (loop_now_ms) the peer last showed life: bytes came, or its full socket took more.
int64_t conn_last_heard_ms(const struct conn *c);
bool conn_is_tls(const struct conn *c);
bool conn_tls_resumed(const struct conn *c); // the handshake was a short one

struct listener_callbacks {
    // c is open (with TLS: after its handshake). Call conn_set_owner here, or conn_close.
    void (*accepted)(struct conn *c, void *context);
    // A peer was turned away before `accepted`: handshake failed, too many. Optional; for counters.
    void (*refused)(const struct err *why, void *context);
    void (*closed)(void *context); // last; the listener is freed after it. Optional.
};

struct listener_options {
    // "ADDRESS:PORT": an IP address, "[v6]:PORT"; port 0: the system picks one.
    const char *address;
    struct conn_options conn; // for each accepted conn
    size_t max_conns;         // accepted and not closed yet; default 20,000
    bool share_port;          // several loops of this process listen on one port (SO_REUSEPORT)
};

// ERR_BUSY naming the address when it is in use, ERR_DENIED, ERR_INVALID, ERR_PARSE, ERR_NETWORK.
enum err_code listener_open(struct loop *l, const struct listener_options *options,
                            const struct listener_callbacks *callbacks, void *context,
                            struct listener **ret, struct err *e) MUST_CHECK;
uint16_t listener_port(const struct listener *s);
size_t listener_conns(const struct listener *s); // accepted and not closed yet
// Stops listening and closes conns still in their handshake. Conns that were handed out stay.
void listener_close(struct listener *s); // accepts NULL

#endif
