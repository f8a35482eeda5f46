// SPDX-License-Identifier: Apache-2.0
//
// A TCP proxy that is a bad network on command: takes connections at one port, forwards them to
// another, and does to them what its standard input says, one command a line (faults.h). Two more
// commands: "count" tells what has passed since the last one, and "connections" how many there are.
//
// It tells "listening PORT" once it does, and answers each command with one line, "ok ..." or
// "error ...". It ends when its standard input does, or after --seconds N.
//
// A connection is a pair: the client's socket and the target's, with a flow each way. A flow holds
// pieces until they are due; it stops reading while it holds FLOW_MAX bytes, so that a slow line
// pushes back on its sender as a real one does. A pair is freed when its four handles are closed.
#include "faults.h"

#include "base/clock.h"
#include "net/url.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <uv.h>

enum {
    FLOW_MAX = 256 * 1024, // bytes held, each way
    READ_SIZE = 64 * 1024,
    SLOW_READ = 1460, // with a rate, pieces are packets: connections take turns
    LINE_SIZE = 256,
    BACKLOG = 512,
};

static const char portal[] =
    "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: close\r\n"
    "Content-Length: 68\r\n\r\n"
    "<html><title>Welcome</title><a href=\"/login\">Log in</a> first</html>";

struct piece {
    struct piece *next;
    int64_t due_us;
    size_t n;
    char bytes[];
};

struct pair;
struct flow {
    struct pair *pair;
    enum faults_way way;
    uv_stream_t *from;
    uv_stream_t *to;
    uv_timer_t timer; // for the first piece
    struct piece *first;
    struct piece **end;
    size_t held; // bytes in pieces and in writes under way
    int64_t last_us;
    bool reading;
    bool ended; // the sender has said its last
    bool shut;  // and so has its receiver been told
};

struct proxy;
struct pair {
    struct pair *next;
    struct pair **at;
    struct proxy *proxy;
    uv_tcp_t client;
    uv_tcp_t target;
    uv_connect_t connect;
    struct flow flows[FAULTS_WAYS];
    int handles; // not closed yet
    bool dialled;
    bool connected;
    bool closing;
};

struct proxy {
    uv_loop_t loop;
    uv_tcp_t listener;
    uv_timer_t end_timer;
    uv_timer_t drop_timer;
    uv_pipe_t input;
    struct sockaddr_storage address;
    int kept; // holds the port while the listener is closed
    struct sockaddr_storage target;
    struct faults faults;
    struct pair *pairs;
    size_t pair_count;
    uint64_t accepted;
    uint64_t passed[FAULTS_WAYS];
    uint64_t counted[FAULTS_WAYS]; // of it, told by the last count
    char line[LINE_SIZE];
    size_t line_n;
    bool listening;
    bool unlistening; // the listener is closing
    char room[READ_SIZE];
};

struct options {
    const char *listen;
    const char *to;
    int64_t seconds;
    int64_t seed;
};

static int64_t now_us(void)
{
    return clock_mono_us();
}

static void pump(struct flow *flow);

// ---- the end of a pair --------------------------------------------------------------------------

static void on_handle_closed(uv_handle_t *handle)
{
    struct pair *pair = handle->data;
    if (--pair->handles > 0)
        return;
    for (int way = 0; way < FAULTS_WAYS; way++) {
        while (pair->flows[way].first) {
            struct piece *piece = pair->flows[way].first;
            pair->flows[way].first = piece->next;
            free(piece);
        }
    }
    free(pair);
}

static void close_socket(uv_tcp_t *tcp, bool reset)
{
    if (!reset || uv_tcp_close_reset(tcp, on_handle_closed) != 0)
        uv_close((uv_handle_t *)tcp, on_handle_closed);
}

static void end_pair(struct pair *pair, bool reset)
{
    if (pair->closing)
        return;
    pair->closing = true;
    *pair->at = pair->next;
    if (pair->next)
        pair->next->at = pair->at;
    pair->proxy->pair_count--;
    close_socket(&pair->client, reset);
    close_socket(&pair->target, reset && pair->connected);
    for (int way = 0; way < FAULTS_WAYS; way++)
        uv_close((uv_handle_t *)&pair->flows[way].timer, on_handle_closed);
}

static void end_all(struct proxy *proxy)
{
    while (proxy->pairs)
        end_pair(proxy->pairs, true);
}

// ---- a flow -------------------------------------------------------------------------------------

struct writing {
    uv_write_t request;
    struct flow *flow;
    struct piece *piece;
};

static void on_written(uv_write_t *request, int status)
{
    struct writing *writing = (struct writing *)request;
    struct flow *flow = writing->flow;
    flow->held -= writing->piece->n;
    free(writing->piece);
    free(writing);
    if (status != 0)
        end_pair(flow->pair, true);
    else
        pump(flow);
}

static void send_piece(struct flow *flow)
{
    struct piece *piece = flow->first;
    struct writing *writing = malloc(sizeof *writing);
    MUST(writing != NULL);
    *writing = (struct writing){.flow = flow, .piece = piece};
    flow->first = piece->next;
    if (flow->first == NULL)
        flow->end = &flow->first;
    flow->pair->proxy->passed[flow->way] += piece->n;
    uv_buf_t bytes = uv_buf_init(piece->bytes, (unsigned)piece->n);
    if (uv_write(&writing->request, flow->to, &bytes, 1, on_written) != 0) {
        flow->held -= piece->n;
        free(piece);
        free(writing);
        end_pair(flow->pair, true);
    }
}

static void on_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    (void)suggested;
    struct proxy *proxy = ((struct pair *)handle->data)->proxy;
    *ret = uv_buf_init(proxy->room, proxy->faults.rate > 0 ? SLOW_READ : READ_SIZE);
}

static void take(struct flow *flow, const char *bytes, size_t n)
{
    struct proxy *proxy = flow->pair->proxy;
    struct piece *piece = malloc(sizeof *piece + n);
    MUST(piece != NULL);
    *piece = (struct piece){.n = n};
    memcpy(piece->bytes, bytes, n);
    faults_flip(&proxy->faults, flow->way, piece->bytes, n);
    piece->due_us = faults_due_us(&proxy->faults, flow->way, n, now_us(), &flow->last_us);
    *flow->end = piece;
    flow->end = &piece->next;
    flow->held += n;
    pump(flow);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *room)
{
    struct pair *pair = stream->data;
    struct flow *flow = &pair->flows[stream == (uv_stream_t *)&pair->target];
    if (n > 0) {
        take(flow, room->base, (size_t)n);
    } else if (n == UV_EOF) {
        (void)uv_read_stop(stream);
        flow->reading = false;
        flow->ended = true;
        pump(flow);
    } else if (n < 0) {
        end_pair(pair, true);
    }
}

static void on_shut(uv_shutdown_t *request, int status)
{
    struct pair *pair = request->data;
    free(request);
    if (status != 0 || (pair->flows[FAULTS_UP].shut && pair->flows[FAULTS_DOWN].shut))
        end_pair(pair, false);
}

static void shut(struct flow *flow)
{
    uv_shutdown_t *request = malloc(sizeof *request);
    MUST(request != NULL);
    request->data = flow->pair;
    flow->shut = true;
    if (uv_shutdown(request, flow->to, on_shut) != 0) {
        free(request);
        end_pair(flow->pair, true);
    }
}

static void on_due(uv_timer_t *timer)
{
    struct pair *pair = timer->data;
    pump(&pair->flows[timer == &pair->flows[FAULTS_DOWN].timer]);
}

static void set_reading(struct flow *flow, bool wanted)
{
    if (wanted == flow->reading)
        return;
    flow->reading = wanted;
    if (!wanted)
        (void)uv_read_stop(flow->from);
    else if (uv_read_start(flow->from, on_room, on_read) != 0)
        end_pair(flow->pair, true);
}

// Sends what is due, waits for what is not, and reads while there is room.
static void pump(struct flow *flow)
{
    struct pair *pair = flow->pair;
    if (pair->closing || !pair->connected)
        return;
    bool passes = faults_passes(&pair->proxy->faults, flow->way);
    while (passes && !pair->closing && flow->first && flow->first->due_us <= now_us())
        send_piece(flow);
    if (pair->closing)
        return;
    (void)uv_timer_stop(&flow->timer);
    if (passes && flow->first) {
        int64_t wait_ms = (flow->first->due_us - now_us() + 999) / 1000;
        (void)uv_timer_start(&flow->timer, on_due, wait_ms > 1 ? (uint64_t)wait_ms : 1, 0);
    }
    if (passes && flow->ended && flow->held == 0 && !flow->shut)
        shut(flow);
    if (!pair->closing)
        set_reading(flow, passes && !flow->ended && flow->held < FLOW_MAX);
}

// ---- the beginning of a pair --------------------------------------------------------------------

static void on_connected(uv_connect_t *request, int status)
{
    struct pair *pair = request->data;
    if (pair->closing)
        return;
    if (status != 0) {
        end_pair(pair, true);
        return;
    }
    pair->connected = true;
    (void)uv_tcp_nodelay(&pair->target, 1);
    pump(&pair->flows[FAULTS_UP]);
    pump(&pair->flows[FAULTS_DOWN]);
}

static void dial(struct pair *pair)
{
    if (pair->dialled || pair->closing)
        return;
    pair->dialled = true;
    if (uv_tcp_connect(&pair->connect, &pair->target, (const struct sockaddr *)&pair->proxy->target,
                       on_connected) != 0)
        end_pair(pair, true);
}

static void on_portal_told(uv_write_t *request, int status)
{
    (void)status;
    end_pair(request->data, false);
    free(request);
}

static void tell_portal(struct pair *pair)
{
    static char text[sizeof portal];
    uv_write_t *request = malloc(sizeof *request);
    MUST(request != NULL);
    memcpy(text, portal, sizeof portal);
    uv_buf_t bytes = uv_buf_init(text, sizeof portal - 1);
    request->data = pair;
    if (uv_write(request, (uv_stream_t *)&pair->client, &bytes, 1, on_portal_told) != 0) {
        free(request);
        end_pair(pair, true);
    }
}

static void on_question(uv_stream_t *stream, ssize_t n, const uv_buf_t *room)
{
    (void)room;
    if (n == 0)
        return;
    (void)uv_read_stop(stream);
    if (n > 0)
        tell_portal(stream->data);
    else
        end_pair(stream->data, true);
}

static struct pair *new_pair(struct proxy *proxy)
{
    struct pair *pair = calloc(1, sizeof *pair);
    MUST(pair != NULL);
    pair->proxy = proxy;
    pair->handles = 4;
    pair->connect.data = pair->client.data = pair->target.data = pair;
    MUST(uv_tcp_init(&proxy->loop, &pair->client) == 0);
    MUST(uv_tcp_init(&proxy->loop, &pair->target) == 0);
    for (int way = 0; way < FAULTS_WAYS; way++) {
        struct flow *flow = &pair->flows[way];
        flow->pair = pair;
        flow->way = way == 0 ? FAULTS_UP : FAULTS_DOWN;
        flow->from = (uv_stream_t *)(way == 0 ? &pair->client : &pair->target);
        flow->to = (uv_stream_t *)(way == 0 ? &pair->target : &pair->client);
        flow->end = &flow->first;
        MUST(uv_timer_init(&proxy->loop, &flow->timer) == 0);
        flow->timer.data = pair;
    }
    pair->next = proxy->pairs;
    pair->at = &proxy->pairs;
    if (proxy->pairs)
        proxy->pairs->at = &pair->next;
    proxy->pairs = pair;
    proxy->pair_count++;
    return pair;
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct proxy *proxy = listener->data;
    if (status != 0)
        return;
    struct pair *pair = new_pair(proxy);
    if (uv_accept(listener, (uv_stream_t *)&pair->client) != 0) {
        end_pair(pair, false);
        return;
    }
    proxy->accepted++;
    (void)uv_tcp_nodelay(&pair->client, 1);
    if (proxy->faults.mode == FAULTS_GARBAGE)
        (void)uv_read_start((uv_stream_t *)&pair->client, on_room, on_question);
    else if (proxy->faults.mode == FAULTS_OPEN)
        dial(pair); // a stalled one waits for the line
}

// A socket that is bound and never listens keeps the port while the listener is closed: else the
// system would lend it to whoever connects next, at worst to a client that then meets itself.
static int keep_port(struct proxy *proxy)
{
    socklen_t n = sizeof proxy->address;
    int one = 1;
    int fd = proxy->kept = socket(proxy->address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
              bind(fd, (const struct sockaddr *)&proxy->address, n) == 0 &&
              getsockname(fd, (struct sockaddr *)&proxy->address, &n) == 0;
    return ok ? 0 : uv_translate_sys_error(errno);
}

static int start_listening(struct proxy *proxy)
{
    int status = uv_tcp_init(&proxy->loop, &proxy->listener);
    proxy->listener.data = proxy;
    if (status == 0)
        status = uv_tcp_bind(&proxy->listener, (const struct sockaddr *)&proxy->address, 0);
    if (status == 0)
        status = uv_listen((uv_stream_t *)&proxy->listener, BACKLOG, on_connection);
    proxy->listening = status == 0;
    return status;
}

// ---- commands -----------------------------------------------------------------------------------

static void on_drop(uv_timer_t *timer)
{
    end_all(timer->data);
}

static void listen_again(struct proxy *proxy)
{
    int status = start_listening(proxy);
    if (status != 0)
        (void)fprintf(stderr, "chaos_proxy: cannot listen again: %s\n", uv_strerror(status));
}

static void on_listener_closed(uv_handle_t *handle)
{
    struct proxy *proxy = handle->data;
    proxy->unlistening = false;
    if (proxy->faults.mode != FAULTS_CUT) // healed before it was closed
        listen_again(proxy);
}

static void stop_listening(struct proxy *proxy)
{
    proxy->listening = false;
    proxy->unlistening = true;
    uv_close((uv_handle_t *)&proxy->listener, on_listener_closed);
}

// Brings sockets and timers in line with the faults.
static void apply(struct proxy *proxy)
{
    const struct faults *f = &proxy->faults;
    struct pair *next;
    if (f->mode == FAULTS_CUT || f->mode == FAULTS_GARBAGE)
        end_all(proxy);
    if (f->mode == FAULTS_CUT && proxy->listening)
        stop_listening(proxy);
    else if (f->mode != FAULTS_CUT && !proxy->listening && !proxy->unlistening)
        listen_again(proxy);
    (void)uv_timer_stop(&proxy->drop_timer);
    if (f->drop_s > 0) {
        uint64_t every_ms = (uint64_t)f->drop_s * 1000;
        (void)uv_timer_start(&proxy->drop_timer, on_drop, every_ms, every_ms);
    }
    for (struct pair *pair = proxy->pairs; pair; pair = next) {
        next = pair->next;
        if (f->mode == FAULTS_OPEN)
            dial(pair);
        if (!pair->closing)
            pump(&pair->flows[FAULTS_UP]);
        if (!pair->closing)
            pump(&pair->flows[FAULTS_DOWN]);
    }
}

static void tell_count(struct proxy *proxy)
{
    (void)printf("ok up %llu down %llu accepted %llu flipped %llu\n",
                 (unsigned long long)(proxy->passed[FAULTS_UP] - proxy->counted[FAULTS_UP]),
                 (unsigned long long)(proxy->passed[FAULTS_DOWN] - proxy->counted[FAULTS_DOWN]),
                 (unsigned long long)proxy->accepted, (unsigned long long)proxy->faults.flipped);
    memcpy(proxy->counted, proxy->passed, sizeof proxy->counted);
}

static void obey(struct proxy *proxy, struct str line)
{
    struct err e = {0};
    if (str_is(line, "count")) {
        tell_count(proxy);
    } else if (str_is(line, "connections")) {
        (void)printf("ok %zu\n", proxy->pair_count);
    } else if (faults_command(&proxy->faults, line, &e) == ERR_OK) {
        apply(proxy);
        (void)printf("ok %.*s\n", STR_ARG(line));
    } else {
        (void)printf("error %s\n", err_message(&e));
    }
}

static void on_input(uv_stream_t *stream, ssize_t n, const uv_buf_t *room)
{
    struct proxy *proxy = stream->data;
    if (n < 0) {
        uv_stop(&proxy->loop);
        return;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (room->base[i] != '\n') {
            proxy->line[proxy->line_n] = room->base[i];
            proxy->line_n += proxy->line_n < LINE_SIZE - 1;
            continue;
        }
        proxy->line[proxy->line_n] = '\0';
        obey(proxy, str_trim(str_make(proxy->line, proxy->line_n)));
        proxy->line_n = 0;
    }
}

static void on_input_room(uv_handle_t *handle, size_t suggested, uv_buf_t *ret)
{
    static char room[LINE_SIZE];
    (void)handle;
    (void)suggested;
    *ret = uv_buf_init(room, sizeof room);
}

// ---- all of it ----------------------------------------------------------------------------------

static void on_end(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static bool read_options(int argc, char **argv, struct options *ret)
{
    static const struct option names[] = {{"listen", required_argument, NULL, 'l'},
                                          {"to", required_argument, NULL, 't'},
                                          {"seconds", required_argument, NULL, 's'},
                                          {"seed", required_argument, NULL, 'r'},
                                          {0}};
    int key;
    *ret = (struct options){.listen = "127.0.0.1:0"};
    while ((key = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (key == 'l')
            ret->listen = optarg;
        else if (key == 't')
            ret->to = optarg;
        else if ((key != 's' && key != 'r') ||
                 str_to_i64(str_of(optarg), key == 's' ? &ret->seconds : &ret->seed) != ERR_OK)
            return false;
    }
    return ret->to != NULL && optind == argc && ret->seconds >= 0;
}

static bool read_address(const char *text, struct sockaddr_storage *ret)
{
    char host[URL_HOST_MAX];
    uint16_t port = 0;
    if (url_split_address(str_of(text), host, sizeof host, &port, NULL) != ERR_OK)
        return false;
    return uv_ip4_addr(host, port, (struct sockaddr_in *)ret) == 0 ||
           uv_ip6_addr(host, port, (struct sockaddr_in6 *)ret) == 0;
}

static int start(struct proxy *proxy, const struct options *options)
{
    faults_init(&proxy->faults, (uint64_t)options->seed);
    int status = uv_loop_init(&proxy->loop);
    if (status == 0)
        status = keep_port(proxy);
    if (status == 0)
        status = start_listening(proxy);
    if (status == 0)
        status = uv_pipe_init(&proxy->loop, &proxy->input, 0);
    if (status == 0)
        status = uv_pipe_open(&proxy->input, 0);
    proxy->input.data = proxy;
    if (status == 0)
        status = uv_read_start((uv_stream_t *)&proxy->input, on_input_room, on_input);
    if (status == 0)
        status = uv_timer_init(&proxy->loop, &proxy->drop_timer);
    proxy->drop_timer.data = proxy;
    if (status == 0)
        status = uv_timer_init(&proxy->loop, &proxy->end_timer);
    if (status == 0 && options->seconds > 0)
        status = uv_timer_start(&proxy->end_timer, on_end, (uint64_t)options->seconds * 1000, 0);
    return status;
}

int main(int argc, char **argv)
{
    static struct proxy proxy;
    struct options options;
    if (!read_options(argc, argv, &options) || !read_address(options.listen, &proxy.address) ||
        !read_address(options.to, &proxy.target)) {
        (void)fprintf(stderr, "usage: chaos_proxy --to ADDRESS:PORT [--listen ADDRESS:PORT] "
                              "[--seconds N] [--seed N]\n");
        return 2;
    }
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)signal(SIGPIPE, SIG_IGN); // a peer that is gone is a failed write
    int status = start(&proxy, &options);
    if (status != 0) {
        (void)fprintf(stderr, "chaos_proxy: %s: %s\n", options.listen, uv_strerror(status));
        return 1;
    }
    (void)printf("listening %d\n", ntohs(((struct sockaddr_in *)&proxy.address)->sin_port));
    (void)uv_run(&proxy.loop, UV_RUN_DEFAULT);
    return 0; // the system takes the sockets back
}
