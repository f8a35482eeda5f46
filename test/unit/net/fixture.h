// SPDX-License-Identifier: Apache-2.0
// A loop, certificates, an HTTP server and raw clients on real loopback sockets, for the tests
// here.
#ifndef WASL_UNIT_NET_FIXTURE_H
#define WASL_UNIT_NET_FIXTURE_H

#include "net/websocket.h"
#include "test/unit/unit.h"

#include <stdio.h>

// Runs the loop until condition holds; the test fails after PATIENCE_MS.
#define WAIT_FOR(l, condition)                                                                     \
    do {                                                                                           \
        int64_t wait_start = clock_mono_ms();                                                      \
        while (!(condition)) {                                                                     \
            loop_run_once((l), 20);                                                                \
            if (clock_mono_ms() - wait_start > PATIENCE_MS) {                                      \
                fail_msg("waited in vain for: %s", #condition);                                    \
            }                                                                                      \
        }                                                                                          \
    } while (0)
enum { PATIENCE_MS = 15000 };

struct loop *fixture_loop(void);
void fixture_run_ms(struct loop *l, int64_t ms);

enum { FIXTURE_PATH = 256 };
// Made once, in a folder that goes when the tests end.
struct fixture_pki {
    char folder[FIXTURE_PATH];
    char ca[FIXTURE_PATH], ca_key[FIXTURE_PATH];
    char other_ca[FIXTURE_PATH], other_ca_key[FIXTURE_PATH];
    char good[FIXTURE_PATH], good_key[FIXTURE_PATH];       // localhost, 127.0.0.1
    char expired[FIXTURE_PATH], expired_key[FIXTURE_PATH]; // the same, until yesterday
    char foreign[FIXTURE_PATH], foreign_key[FIXTURE_PATH]; // till.example, 192.0.2.1
};
const struct fixture_pki *fixture_pki(void);
void fixture_path(char to[FIXTURE_PATH], const char *name); // of a file in that folder
struct tls_context *fixture_server_tls(const char *chain, const char *key);
struct tls_context *fixture_client_tls(const char *ca);

// A client without a protocol: keeps what it receives.
struct raw {
    struct conn *conn;
    struct buf got;
    int opened;
    int closed;
    int drained;
    struct err why;
    const char *answer; // sent once, to the first bytes that come
};
void raw_connect(struct raw *r, struct loop *l, uint16_t port, struct tls_context *tls);
void raw_send(struct raw *r, const char *text);
bool raw_has(const struct raw *r, const char *text);
size_t raw_count(const struct raw *r, const char *text);
void raw_end(struct raw *r, struct loop *l); // closes, waits, frees

// A listener whose conns are kept as raw ones, and which may answer the first bytes with a text.
struct canned {
    struct listener *listener;
    const char *answer; // NULL: silent
    struct raw *conns;
    size_t count;
    size_t room;
    int refused;
    int closed;
    struct err refusal;
};
void canned_open(struct canned *s, struct loop *l, const struct listener_options *options,
                 size_t room); // address is set here
void canned_close(struct canned *s, struct loop *l);

// An end of a WebSocket, which counts and echoes.
struct peer {
    struct ws *ws;
    struct buf last;
    size_t messages;
    size_t bytes;
    int opened;
    int closed;
    int drained;
    int code;
    struct err why;
    bool echo;
};
extern const struct ws_callbacks PEER_CALLBACKS;

// An HTTP server whose /ws is a WebSocket that echoes.
struct site {
    struct loop *loop;
    struct http_server *server;
    struct http_options options;
    struct ws_options ws_options;
    size_t body_max;
    bool hold;           // keeps requests instead of answering
    struct http_id held; // the newest
    int requests;
    int gone;
    int closed;
    size_t big; // bytes of the answer of /big
    char seen[512];
    struct peer *peers; // of accepted WebSockets, the newest at peer_count - 1
    size_t peer_count;
    size_t peer_room;
};
void site_open(struct site *s, struct loop *l, struct tls_context *tls, size_t peers);
void site_close(struct site *s);
uint16_t site_port(const struct site *s);

// Connects; the result is seen in p.
void peer_connect(struct peer *p, struct loop *l, const char *url, struct tls_context *tls);
void peer_end(struct peer *p, struct loop *l);

#endif
