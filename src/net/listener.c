// SPDX-License-Identifier: Apache-2.0

#include "net/conn_internal.h"
#include "net/url.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { MAX_CONNS_DEFAULT = 20000, BACKLOG = 1024, ADDRESS_MAX = 64 };

struct listener {
    uv_tcp_t tcp;
    struct loop *loop;
    struct listener_options options;
    const struct listener_callbacks *callbacks;
    void *context;
    uv_tcp_t *spare; // takes a socket for which there is no memory, to close it
    struct conn *first;
    size_t count;
    bool closing;
};

static void unlink_conn(struct conn *c)
{
    struct listener *s = c->listener;
    MUST(s != NULL);
    if (c->previous != NULL) {
        c->previous->next = c->next;
    } else {
        s->first = c->next;
    }
    if (c->next != NULL) {
        c->next->previous = c->previous;
    }
    c->next = c->previous = NULL;
    c->listener = NULL;
    s->count--;
}

static void tell_refused(struct listener *s, const struct err *why)
{
    if (s->callbacks->refused != NULL) {
        s->callbacks->refused(why, s->context);
    }
}

void listener_conn_opened(struct conn *c)
{
    c->listener->callbacks->accepted(c, c->listener->context);
}

void listener_conn_gone(struct conn *c)
{
    struct listener *s = c->listener;
    if (c->callbacks == NULL && c->why.code != ERR_OK) {
        tell_refused(s, &c->why);
    }
    unlink_conn(c);
}

static void take_conn(struct listener *s, struct conn *c)
{
    c->listener = s;
    c->next = s->first;
    if (s->first != NULL) {
        s->first->previous = c;
    }
    s->first = c;
    s->count++;
    if (s->count > s->options.max_conns) {
        struct err why;
        err_set(&why, ERR_LIMIT, "more than %zu connections", s->options.max_conns);
        conn_give_up(c, &why);
        return;
    }
    conn_connected(c);
}

static void on_spare_closed(uv_handle_t *handle)
{
    free(handle);
}

// libuv accepts nothing more while a socket is not taken from it.
static void drop_socket(struct listener *s)
{
    uv_tcp_t *spare = s->spare != NULL ? s->spare : malloc(sizeof(*spare));
    s->spare = NULL;
    if (spare != NULL) {
        uv_tcp_init(loop_uv(s->loop), spare);
        uv_accept((uv_stream_t *)&s->tcp, (uv_stream_t *)spare);
        uv_close((uv_handle_t *)spare, on_spare_closed);
    }
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct listener *s = stream->data;
    struct err why;
    struct conn *c;
    if (status != 0) {
        loop_uv_error(&why, status, "accepting a connection failed");
        tell_refused(s, &why);
        return;
    }
    if (conn_new(s->loop, &s->options.conn, NULL, 0, &c) != ERR_OK) {
        err_set(&why, ERR_NO_MEMORY, "%s", err_text(ERR_NO_MEMORY));
        drop_socket(s);
        tell_refused(s, &why);
        return;
    }
    uv_tcp_init(loop_uv(s->loop), &c->tcp);
    c->tcp_open = true;
    c->pending++;
    int r = uv_accept(stream, (uv_stream_t *)&c->tcp);
    if (r != 0) {
        loop_uv_error(&why, r, "accepting a connection failed");
        conn_give_up(c, &why);
        tell_refused(s, &why);
        return;
    }
    if (s->spare == NULL) {
        s->spare = malloc(sizeof(*s->spare));
    }
    take_conn(s, c);
}

static enum err_code bind_address(struct listener *s, struct err *e)
{
    const char *address = s->options.address;
    char host[ADDRESS_MAX];
    uint16_t port;
    enum err_code code = url_split_address(str_of(address), host, sizeof(host), &port, e);
    if (code != ERR_OK) {
        return code;
    }
    struct sockaddr_storage to = {0};
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)&to) != 0 &&
        uv_ip6_addr(host, port, (struct sockaddr_in6 *)&to) != 0) {
        return err_set(e, ERR_PARSE, "\"%s\" is not an IP address to listen on", host);
    }
    int r = uv_tcp_init_ex(loop_uv(s->loop), &s->tcp, to.ss_family);
    if (r != 0) {
        return loop_uv_error(e, r, address);
    }
    s->tcp.data = s;
    uv_os_fd_t fd;
    int one = 1;
    if (s->options.share_port && uv_fileno((uv_handle_t *)&s->tcp, &fd) == 0 &&
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) != 0) {
        return err_set(e, ERR_UNSUPPORTED, "a shared port: %s", err_text(ERR_UNSUPPORTED));
    }
    r = uv_tcp_bind(&s->tcp, (const struct sockaddr *)&to, 0);
    if (r == 0) {
        r = uv_listen((uv_stream_t *)&s->tcp, BACKLOG, on_connection);
    }
    if (r == UV_EADDRINUSE) {
        return err_set(e, ERR_BUSY, "%s is already in use by another program", address);
    }
    return r != 0 ? loop_uv_error(e, r, address) : ERR_OK;
}

static void on_failed_closed(uv_handle_t *handle)
{
    free(handle->data);
}

enum err_code listener_open(struct loop *l, const struct listener_options *options,
                            const struct listener_callbacks *callbacks, void *context,
                            struct listener **ret, struct err *e)
{
    struct listener *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return err_set(e, ERR_NO_MEMORY, "a listener: %s", err_text(ERR_NO_MEMORY));
    }
    s->loop = l;
    s->options = *options;
    if (s->options.max_conns == 0) {
        s->options.max_conns = MAX_CONNS_DEFAULT;
    }
    s->callbacks = callbacks;
    s->context = context;
    enum err_code code = bind_address(s, e);
    if (code != ERR_OK) {
        if (s->tcp.data != NULL) {
            uv_close((uv_handle_t *)&s->tcp, on_failed_closed);
        } else {
            free(s);
        }
        return code;
    }
    if (options->conn.tls != NULL) {
        tls_context_keep(options->conn.tls);
    }
    *ret = s;
    return ERR_OK;
}

uint16_t listener_port(const struct listener *s)
{
    struct sockaddr_storage address = {0};
    int size = sizeof(address);
    if (uv_tcp_getsockname(&s->tcp, (struct sockaddr *)&address, &size) != 0) {
        return 0;
    }
    return address.ss_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)&address)->sin6_port)
                                         : ntohs(((const struct sockaddr_in *)&address)->sin_port);
}

size_t listener_conns(const struct listener *s)
{
    return s->count;
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct listener *s = handle->data;
    while (s->first != NULL) {
        unlink_conn(s->first);
    }
    if (s->callbacks->closed != NULL) {
        s->callbacks->closed(s->context);
    }
    tls_context_drop(s->options.conn.tls);
    free(s->spare);
    free(s);
}

void listener_close(struct listener *s)
{
    if (s == NULL || s->closing) {
        return;
    }
    s->closing = true;
    struct conn *next;
    for (struct conn *c = s->first; c != NULL; c = next) {
        next = c->next;
        if (c->sm.state == CONN_SECURING) {
            conn_close(c);
        }
    }
    uv_close((uv_handle_t *)&s->tcp, on_listener_closed);
}
