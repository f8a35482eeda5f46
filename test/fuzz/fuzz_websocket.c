// SPDX-License-Identifier: Apache-2.0
// The frames of a peer, at either end: a message is within its limit and text is UTF-8; `closed`
// comes once, and nothing after it.
//
// The first byte of an input says which end: bit 0 a server's, else a client's; bit 1 leaves the
// server's answer to the input as well. The second is the size of the pieces (0: at once).
#include "fuzz.h"

#include "net/websocket.h"
#include "wire.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { MESSAGE_MAX = 1024, SEND_MAX = 8192, HEAD_MAX = 4096, PATIENCE_TURNS = 2000, KEY_TEXT = 24 };
enum { AS_SERVER = 1, BARE = 2 };

struct site {
    struct loop *loop;
    struct http_server *server;
    int listening;
    uint16_t port; // of listening
    struct ws *ws; // the one at hand, until it is closed
};

static const struct ws_options OPTIONS = {.message_max_bytes = MESSAGE_MAX,
                                          .send_max_bytes = SEND_MAX};

// ---- what the socket's owner sees -------------------------------------------------------------

static void on_message(struct ws *w, enum ws_type type, struct str bytes, void *context)
{
    struct site *s = context;
    MUST(w == s->ws && bytes.n <= MESSAGE_MAX);
    bool has_nul = bytes.n > 0 && memchr(bytes.p, 0, bytes.n) != NULL;
    MUST(type != WS_TEXT || has_nul || str_is_utf8(bytes));
    (void)!ws_send(w, type, bytes);
    if (str_is(bytes, "bye"))
        ws_close(w, WS_NORMAL, "as you like");
    if (str_is(bytes, "abort"))
        ws_abort(w);
}

static void on_closed(struct ws *w, int code, const struct err *why, void *context)
{
    struct site *s = context;
    MUST(w == s->ws && code >= 0 && err_message(why) != NULL);
    s->ws = NULL;
}

static const struct ws_callbacks WS_CALLBACKS = {.message = on_message, .closed = on_closed};

static void own(struct site *s, struct ws *w)
{
    s->ws = w;
    ws_set_owner(w, &WS_CALLBACKS, s);
}

static void on_request(struct http_server *server, const struct http_request *request,
                       void *context)
{
    struct ws *w = NULL;
    if (ws_accept(server, request, "fuzz", &OPTIONS, &w, NULL) == ERR_OK)
        own(context, w);
}

static const struct http_callbacks HTTP_CALLBACKS = {.request = on_request};

// ---- the peer ---------------------------------------------------------------------------------

static int begin_at_server(struct site *s)
{
    int fd = wire_connect(http_server_port(s->server));
    if (fd < 0)
        return -1;
    (void)wire_send(s->loop, fd,
                    STR("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n"
                        "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                        "Sec-WebSocket-Protocol: fuzz\r\n"
                        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"),
                    0);
    for (int i = 0; s->ws == NULL && i < PATIENCE_TURNS; i++)
        loop_run_once(s->loop, 1);
    return fd;
}

// Reads the client's request and answers it as a server must.
static void answer_client(struct site *s, int fd)
{
    static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    char head[HEAD_MAX + 1], text[KEY_TEXT + sizeof guid], reply[512];
    unsigned char digest[SHA_DIGEST_LENGTH], accept[32];
    size_t n = 0;
    for (int i = 0; i < PATIENCE_TURNS && n < HEAD_MAX; i++) {
        ssize_t got = recv(fd, head + n, HEAD_MAX - n, MSG_DONTWAIT);
        n += got > 0 ? (size_t)got : 0;
        head[n] = '\0';
        if (strstr(head, "\r\n\r\n") != NULL || got == 0 || s->ws == NULL)
            break; // all of it, or the client has given up
        loop_run_once(s->loop, 1);
    }
    const char *key = strstr(head, "Sec-WebSocket-Key: ");
    if (key == NULL)
        return;
    (void)snprintf(text, sizeof text, "%.*s%s", KEY_TEXT, key + sizeof "Sec-WebSocket-Key: " - 1,
                   guid);
    SHA1((const unsigned char *)text, strlen(text), digest);
    EVP_EncodeBlock(accept, digest, sizeof digest);
    int length = snprintf(reply, sizeof reply,
                          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                          "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n"
                          "Sec-WebSocket-Protocol: fuzz\r\n\r\n",
                          (const char *)accept);
    (void)wire_send(s->loop, fd, str_make(reply, (size_t)length), 0);
}

static int begin_at_client(struct site *s, bool bare)
{
    char text[64];
    struct url url;
    struct ws *w = NULL;
    (void)snprintf(text, sizeof text, "ws://127.0.0.1:%u/", (unsigned)s->port);
    MUST(url_parse(str_of(text), &url, NULL) == ERR_OK);
    const struct ws_target target = {.url = &url, .subprotocol = "fuzz"};
    if (ws_connect(s->loop, &target, &OPTIONS, &w, NULL) != ERR_OK)
        return -1;
    own(s, w);
    int fd = wire_accept(s->loop, s->listening);
    if (fd >= 0 && !bare)
        answer_client(s, fd);
    return fd;
}

// ---- all of it --------------------------------------------------------------------------------

static void open_site(struct site *s)
{
    const struct http_options options = {.listener = {.address = "127.0.0.1:0"}};
    MUST(loop_new(&s->loop, NULL) == ERR_OK);
    MUST(http_server_open(s->loop, &options, &HTTP_CALLBACKS, s, &s->server, NULL) == ERR_OK);
    s->listening = wire_listen(&s->port);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct site s;
    if (s.loop == NULL)
        open_site(&s);
    if (size < 2)
        return 0;
    int fd = (data[0] & AS_SERVER) != 0 ? begin_at_server(&s)
                                        : begin_at_client(&s, (data[0] & BARE) != 0);
    if (fd >= 0)
        (void)wire_send(s.loop, fd, str_make(data + 2, size - 2), data[1]);
    if (fd >= 0)
        wire_close(fd);
    for (int i = 0; s.ws != NULL || http_server_conns(s.server) > 0; i++) {
        MUST(i < PATIENCE_TURNS);
        loop_run_once(s.loop, 1);
    }
    return 0;
}
