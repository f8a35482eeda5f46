// SPDX-License-Identifier: Apache-2.0
// What comes to the HTTP port: every request that is handed on is whole and within its limits, is
// answered once at most, and its connection ends with the peer's.
//
// The first byte of an input is the size of the pieces it arrives in (0: at once).
#include "fuzz.h"

#include "net/http.h"
#include "wire.h"

#include <string.h>

enum { BODY_MAX = 4096, PATIENCE_TURNS = 2000 };

struct site {
    struct loop *loop;
    struct http_server *server;
    struct http_id later; // a request that is answered after the input
    bool has_later;
};

static size_t on_body_max(const struct http_request *request, void *context)
{
    (void)context;
    return str_is(request->path, "/none") ? 0 : BODY_MAX;
}

static void check(const struct http_request *r)
{
    MUST(r->path.n > 0 && r->path.n + r->query.n <= HTTP_TARGET_MAX);
    MUST(r->header_count <= HTTP_HEADERS_MAX && r->body.n <= BODY_MAX);
    MUST(r->method.n > 0 && !str_is(r->method, "CONNECT"));
    size_t hosts = 0;
    for (size_t i = 0; i < r->header_count; i++) {
        struct http_header h = r->headers[i];
        MUST(h.name.n > 0 && (h.value.n == 0 || memchr(h.value.p, '\n', h.value.n) == NULL));
        hosts += h.name.n == 4 && strncasecmp(h.name.p, "host", 4) == 0;
    }
    MUST(hosts <= 1);
}

static void answer(struct site *s, struct http_id id)
{
    const struct http_response response = {
        .status = 200, .content_type = "text/plain", .body = STR("ok")};
    (void)!http_respond(s->server, id, &response);
    MUST(http_respond(s->server, id, &response) == ERR_CLOSED); // once is all
}

static void on_request(struct http_server *server, const struct http_request *request,
                       void *context)
{
    struct site *s = context;
    char text[64];
    (void)server;
    check(request);
    (void)!http_query_get(request->query, "a", text, sizeof text);
    (void)!http_decode(request->path, false, text, sizeof text);
    (void)http_bearer(request);
    if (str_is(request->path, "/later") && !s->has_later) {
        s->later = request->id;
        s->has_later = true;
    } else {
        answer(s, request->id);
    }
}

static void on_gone(struct http_server *server, struct http_id id, void *context)
{
    struct site *s = context;
    (void)server;
    MUST(s->has_later && memcmp(&id, &s->later, sizeof id) == 0);
    s->has_later = false;
}

static const struct http_callbacks CALLBACKS = {
    .body_max = on_body_max, .request = on_request, .gone = on_gone};

static void open_site(struct site *s)
{
    const struct http_options options = {.listener = {.address = "127.0.0.1:0"}};
    MUST(loop_new(&s->loop, NULL) == ERR_OK);
    MUST(http_server_open(s->loop, &options, &CALLBACKS, s, &s->server, NULL) == ERR_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct site s;
    if (s.loop == NULL)
        open_site(&s);
    int fd = size > 0 ? wire_connect(http_server_port(s.server)) : -1;
    if (fd < 0)
        return 0;
    (void)wire_send(s.loop, fd, str_make(data + 1, size - 1), data[0]);
    if (s.has_later) {
        s.has_later = false;
        answer(&s, s.later);
        wire_turn(s.loop, 2);
    }
    wire_close(fd);
    for (int i = 0; http_server_conns(s.server) > 0 || i == 0; i++) {
        MUST(i < PATIENCE_TURNS);
        loop_run_once(s.loop, 1);
    }
    MUST(!s.has_later);
    return 0;
}
