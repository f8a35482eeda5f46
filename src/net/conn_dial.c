// SPDX-License-Identifier: Apache-2.0
//
// From a host's name to a connected socket: the addresses that the resolver gives (at most
// ADDRESSES_MAX) are tried one after another, each for its share of the time; the last failure is
// the one that is told. An address in text skips the resolver.

#include "net/conn_internal.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ADDRESSES_MAX = 8, HOST_MAX = 254, CONNECT_TIMEOUT_DEFAULT_MS = 10000 };

struct conn_dial {
    uv_getaddrinfo_t resolve;
    uv_connect_t connect;
    bool resolving;
    int64_t until_ms;
    char host[HOST_MAX];
    uint16_t port;
    struct sockaddr_storage addresses[ADDRESSES_MAX];
    size_t count;
    size_t next;
};

static void try_address(struct conn *c);

void conn_dial_free(struct conn_dial *d)
{
    free(d);
}

void conn_dial_cancel(struct conn *c)
{
    if (c->dial != NULL && c->dial->resolving) {
        uv_cancel((uv_req_t *)&c->dial->resolve); // on_resolved comes either way
    }
}

static void add_address(struct conn_dial *d, const struct sockaddr *address, size_t size)
{
    if (d->count < ADDRESSES_MAX && size <= sizeof(d->addresses[0])) {
        memcpy(&d->addresses[d->count], address, size);
        d->count++;
    }
}

static void on_failed_closed(uv_handle_t *handle)
{
    struct conn *c = handle->data;
    if (c->sm.state == CONN_DIALLING) {
        c->pending--;
        try_address(c);
    } else {
        conn_release(c);
    }
}

// Tries another address; false when there is none.
static bool try_next(struct conn *c)
{
    struct conn_dial *d = c->dial;
    if (!c->tcp_open || d->next >= d->count) {
        return false;
    }
    c->tcp_open = false;
    c->phase_deadline_ms = d->until_ms;
    uv_close((uv_handle_t *)&c->tcp, on_failed_closed);
    return true;
}

static void fail(struct conn *c, int uv_code)
{
    struct conn_dial *d = c->dial;
    char what[HOST_MAX + 32];
    snprintf(what, sizeof(what), "cannot connect to %s:%u", d->host, (unsigned)d->port);
    struct err why;
    loop_uv_error(&why, uv_code, what);
    if (why.code == ERR_INVALID || why.code == ERR_DENIED) {
        why.code = ERR_NETWORK; // of the network here, not of the caller's arguments
    }
    if (!try_next(c)) {
        conn_give_up(c, &why);
    }
}

void conn_dial_timed_out(struct conn *c)
{
    fail(c, UV_ETIMEDOUT);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct conn *c = request->data;
    if (c->sm.state != CONN_DIALLING || status == UV_ECANCELED) {
        return;
    }
    if (status != 0) {
        fail(c, status);
        return;
    }
    conn_dial_free(c->dial);
    c->dial = NULL;
    conn_connected(c);
}

static void try_address(struct conn *c)
{
    struct conn_dial *d = c->dial;
    struct sockaddr *address = (struct sockaddr *)&d->addresses[d->next];
    int r = uv_tcp_init(loop_uv(c->loop), &c->tcp);
    if (r != 0) {
        fail(c, r);
        return;
    }
    c->tcp_open = true;
    c->pending++;
    int64_t now = loop_now_ms(c->loop);
    int64_t share = (d->until_ms - now) / (int64_t)(d->count - d->next);
    d->next++;
    c->phase_deadline_ms = now + (share > 1 ? share : 1);
    conn_move_timer(c);
    d->connect.data = c;
    r = uv_tcp_connect(&d->connect, &c->tcp, address, on_connect);
    if (r != 0) {
        fail(c, r);
    }
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *list)
{
    struct conn *c = request->data;
    struct conn_dial *d = c->dial;
    d->resolving = false;
    if (c->sm.state == CONN_CLOSED) {
        uv_freeaddrinfo(list);
        conn_release(c);
        return;
    }
    c->pending--;
    for (const struct addrinfo *a = list; status == 0 && a != NULL; a = a->ai_next) {
        add_address(d, a->ai_addr, a->ai_addrlen);
    }
    uv_freeaddrinfo(list);
    if (d->count == 0) {
        fail(c, status != 0 ? status : UV_EAI_NODATA);
        return;
    }
    try_address(c);
}

static int start(struct conn *c)
{
    struct conn_dial *d = c->dial;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
    if (uv_ip4_addr(d->host, d->port, &v4) == 0) {
        add_address(d, (struct sockaddr *)&v4, sizeof(v4));
    } else if (uv_ip6_addr(d->host, d->port, &v6) == 0) {
        add_address(d, (struct sockaddr *)&v6, sizeof(v6));
    }
    if (d->count > 0) {
        try_address(c);
        return 0;
    }
    char port[8];
    snprintf(port, sizeof(port), "%u", (unsigned)d->port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    d->resolve.data = c;
    int r = uv_getaddrinfo(loop_uv(c->loop), &d->resolve, on_resolved, d->host, port, &hints);
    if (r == 0) {
        d->resolving = true;
        c->pending++;
    }
    return r;
}

enum err_code conn_connect(struct loop *l, const char *host, uint16_t port,
                           const struct conn_options *options, struct conn **ret, struct err *e)
{
    if (host[0] == '\0' || strlen(host) >= HOST_MAX || port == 0) {
        return err_set(e, ERR_INVALID, "\"%.60s\" port %u is nothing to connect to", host,
                       (unsigned)port);
    }
    struct conn_dial *d = calloc(1, sizeof(*d));
    struct conn *c;
    if (d == NULL || conn_new(l, options, host, port, &c) != ERR_OK) {
        free(d);
        return err_set(e, ERR_NO_MEMORY, "a connection: %s", err_text(ERR_NO_MEMORY));
    }
    c->dial = d;
    snprintf(d->host, sizeof(d->host), "%s", host);
    d->port = port;
    // Time of the loop may be old here: connecting is often begun long after the turn's start.
    uv_update_time(loop_uv(l));
    int64_t now = loop_now_ms(l);
    d->until_ms = now + (options->connect_timeout_ms != 0 ? options->connect_timeout_ms
                                                          : CONNECT_TIMEOUT_DEFAULT_MS);
    c->phase_deadline_ms = d->until_ms;
    conn_move_timer(c);
    int r = start(c);
    if (r != 0) {
        fail(c, r);
    }
    *ret = c;
    return ERR_OK;
}
