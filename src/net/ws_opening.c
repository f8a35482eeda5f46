// SPDX-License-Identifier: Apache-2.0
//
// The HTTP side of a WebSocket's beginning (RFC 6455, section 4), for both ends. What a client gets
// instead of 101 is turned into a sentence that tells an operator where to look.

#include "net/ws_internal.h"

#include "base/clock.h"

#include <llhttp.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    KEY_BYTES = 16,
    KEY_TEXT = 24,
    ACCEPT_TEXT = 28,
    HEAD_MAX = 16 * 1024,
    FIELD_MAX = 256,
    OPEN_TIMEOUT_DEFAULT_MS = 15000,
    BEARER_MAX = 4096,
    SUBPROTOCOL_MAX = 64,
};

// The fields of the server's answer that matter here.
enum field {
    FIELD_UPGRADE,
    FIELD_ACCEPT,
    FIELD_PROTOCOL,
    FIELD_EXTENSIONS,
    FIELD_LOCATION,
    FIELD_TYPE,
    FIELD_COUNT
};
static const char *const FIELD_NAMES[FIELD_COUNT] = {
    "upgrade",  "sec-websocket-accept", "sec-websocket-protocol", "sec-websocket-extensions",
    "location", "content-type",
};

struct ws_opening {
    llhttp_t parser;
    struct buf request;
    char accept[ACCEPT_TEXT + 1]; // what the server must answer
    char subprotocol[SUBPROTOCOL_MAX];
    size_t received;
    char name[FIELD_MAX]; // of the field being read
    char values[FIELD_COUNT][FIELD_MAX];
    bool in_value;
};

static void make_accept(struct str key, char to[ACCEPT_TEXT + 1])
{
    static const char GUID[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
    unsigned char text[KEY_TEXT + sizeof(GUID)];
    unsigned char digest[SHA_DIGEST_LENGTH];
    memcpy(text, key.p, KEY_TEXT);
    memcpy(text + KEY_TEXT, GUID, sizeof(GUID));
    SHA1(text, KEY_TEXT + sizeof(GUID) - 1, digest);
    EVP_EncodeBlock((unsigned char *)to, digest, sizeof(digest));
}

// True when token stands in a comma-separated list.
static bool has_token(struct str list, const char *token)
{
    struct str piece;
    while (list.p != NULL && str_cut(&list, ',', &piece)) {
        if (str_is(str_trim(piece), token)) {
            return true;
        }
    }
    return false;
}

// --- Server ----------------------------------------------------------------------------------

static enum err_code refuse(struct http_server *s, const struct http_request *request, int status,
                            const char *detail, struct err *e)
{
    struct http_header version = {STR("Sec-WebSocket-Version"), STR("13")};
    struct http_response r = {.status = status, .headers = &version, .header_count = 1};
    enum err_code code = status == 426 ? http_respond(s, request->id, &r)
                                       : http_problem(s, request->id, 400, detail);
    if (code == ERR_CLOSED) {
        return err_set(e, code, "the peer closed the connection");
    }
    return err_set(e, ERR_PROTOCOL, "%s", detail);
}

static enum err_code check_request(struct http_server *s, const struct http_request *request,
                                   const char *subprotocol, struct err *e)
{
    if (!request->upgrade) {
        return refuse(s, request, 400, "this route speaks WebSocket only", e);
    }
    if (!str_is(http_find_header(request, "sec-websocket-version"), "13")) {
        return refuse(s, request, 426, "only version 13 of WebSocket is spoken here", e);
    }
    struct str key = http_find_header(request, "sec-websocket-key");
    unsigned char bytes[KEY_BYTES + 2];
    if (key.n != KEY_TEXT ||
        EVP_DecodeBlock(bytes, (const unsigned char *)key.p, KEY_TEXT) != KEY_BYTES + 2 ||
        key.p[KEY_TEXT - 1] != '=' || key.p[KEY_TEXT - 2] != '=') {
        return refuse(s, request, 400, "Sec-WebSocket-Key is not 16 bytes in base64", e);
    }
    if (subprotocol != NULL &&
        !has_token(http_find_header(request, "sec-websocket-protocol"), subprotocol)) {
        char detail[SUBPROTOCOL_MAX + 64];
        snprintf(detail, sizeof(detail), "the subprotocol spoken here is %s", subprotocol);
        return refuse(s, request, 400, detail, e);
    }
    return ERR_OK;
}

enum err_code ws_accept(struct http_server *s, const struct http_request *request,
                        const char *subprotocol, const struct ws_options *options, struct ws **ret,
                        struct err *e)
{
    enum err_code code = check_request(s, request, subprotocol, e);
    if (code != ERR_OK) {
        return code;
    }
    char accept[ACCEPT_TEXT + 1];
    make_accept(http_find_header(request, "sec-websocket-key"), accept);
    char head[512];
    int n = snprintf(head, sizeof(head),
                     "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s%s%s\r\n",
                     accept, subprotocol != NULL ? "Sec-WebSocket-Protocol: " : "",
                     subprotocol != NULL ? subprotocol : "", subprotocol != NULL ? "\r\n" : "");
    MUST(n > 0 && (size_t)n < sizeof(head));
    struct ws *w;
    struct conn *conn;
    code = ws_new(http_server_loop(s), options, false, &w);
    if (code != ERR_OK) {
        return err_set(e, code, "a WebSocket: %s", err_text(code));
    }
    code = http_take_conn(s, request->id, str_make(head, (size_t)n), &conn, &w->unread);
    if (code != ERR_OK) {
        ws_free(w);
        return err_set(e, code, "a WebSocket: %s", err_text(code));
    }
    ws_take_conn(w, conn);
    ws_become_open(w);
    loop_defer(w->loop, &w->task); // what came behind the request, once there is an owner
    *ret = w;
    return ERR_OK;
}

// --- Client ----------------------------------------------------------------------------------

void ws_opening_free(struct ws_opening *o)
{
    if (o != NULL) {
        buf_fini(&o->request);
        free(o);
    }
}

static void give_up(struct ws *w, enum err_code code, const char *text)
{
    struct err why;
    err_set(&why, code, "%s", text);
    ws_give_up(w, &why);
}

static int on_name(llhttp_t *parser, const char *at, size_t n)
{
    struct ws_opening *o = ((struct ws *)parser->data)->opening;
    size_t have = o->in_value ? 0 : strlen(o->name);
    o->in_value = false;
    size_t room = sizeof(o->name) - 1 - have;
    n = n < room ? n : room; // too long a name is none that matters
    memcpy(o->name + have, at, n);
    o->name[have + n] = '\0';
    return 0;
}

static int on_value(llhttp_t *parser, const char *at, size_t n)
{
    struct ws_opening *o = ((struct ws *)parser->data)->opening;
    o->in_value = true;
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        if (strcasecmp(o->name, FIELD_NAMES[i]) == 0) {
            size_t have = strlen(o->values[i]);
            size_t room = sizeof(o->values[i]) - 1 - have;
            n = n < room ? n : room;
            memcpy(o->values[i] + have, at, n);
            o->values[i][have + n] = '\0';
        }
    }
    return 0;
}

static int on_head(llhttp_t *parser)
{
    (void)parser;
    return 2; // whatever the status: stop behind the head
}

static const llhttp_settings_t *settings(void)
{
    static const llhttp_settings_t SETTINGS = {
        .on_header_field = on_name,
        .on_header_value = on_value,
        .on_headers_complete = on_head,
    };
    return &SETTINGS;
}

static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text == 127) {
            return false;
        }
    }
    return true;
}

static enum err_code write_request(const struct ws_target *t, const char *key, struct buf *to)
{
    const struct url *u = t->url;
    bool v6 = strchr(u->host, ':') != NULL;
    enum err_code code =
        buf_append_format(to,
                          "GET %s HTTP/1.1\r\nHost: %s%s%s:%u\r\n"
                          "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n",
                          u->path, v6 ? "[" : "", u->host, v6 ? "]" : "", (unsigned)u->port, key);
    if (code == ERR_OK && t->subprotocol != NULL) {
        code = buf_append_format(to, "Sec-WebSocket-Protocol: %s\r\n", t->subprotocol);
    }
    if (code == ERR_OK && t->bearer != NULL) {
        code = buf_append_format(to, "Authorization: Bearer %s\r\n", t->bearer);
    }
    return code == ERR_OK ? buf_append_str(to, STR("\r\n")) : code;
}

static enum err_code opening_new(const struct ws_target *t, struct ws *w)
{
    struct ws_opening *o = calloc(1, sizeof(*o));
    if (o == NULL) {
        return ERR_NO_MEMORY;
    }
    w->opening = o;
    unsigned char random[KEY_BYTES];
    char key[KEY_TEXT + 1];
    clock_random(random, sizeof(random));
    EVP_EncodeBlock((unsigned char *)key, random, sizeof(random));
    make_accept(str_make(key, KEY_TEXT), o->accept);
    snprintf(o->subprotocol, sizeof(o->subprotocol), "%s",
             t->subprotocol != NULL ? t->subprotocol : "");
    llhttp_init(&o->parser, HTTP_RESPONSE, settings());
    o->parser.data = w;
    buf_init(&o->request, HEAD_MAX);
    return write_request(t, key, &o->request);
}

static enum err_code check_target(const struct ws_target *t, struct err *e)
{
    if (!t->url->websocket || t->url->tls != (t->tls != NULL)) {
        return err_set(e, ERR_INVALID, "a WebSocket needs a ws:// URL, or wss:// and a CA");
    }
    if (t->subprotocol != NULL &&
        (strlen(t->subprotocol) >= SUBPROTOCOL_MAX || !is_plain(t->subprotocol))) {
        return err_set(e, ERR_INVALID, "the subprotocol is not a token");
    }
    if (t->bearer != NULL && (strlen(t->bearer) > BEARER_MAX || !is_plain(t->bearer))) {
        return err_set(e, ERR_INVALID, "the bearer token has blanks or is too long");
    }
    return ERR_OK;
}

enum err_code ws_connect(struct loop *l, const struct ws_target *target,
                         const struct ws_options *options, struct ws **ret, struct err *e)
{
    enum err_code code = check_target(target, e);
    if (code != ERR_OK) {
        return code;
    }
    struct ws *w = NULL;
    code = ws_new(l, options, true, &w);
    if (code == ERR_OK) {
        code = opening_new(target, w);
    }
    if (code != ERR_OK) {
        ws_free(w);
        return err_set(e, code, "a WebSocket: %s", err_text(code));
    }
    int64_t timeout =
        target->open_timeout_ms != 0 ? target->open_timeout_ms : OPEN_TIMEOUT_DEFAULT_MS;
    struct conn_options conn_options = {
        .tls = target->tls,
        .connect_timeout_ms = timeout,
        .handshake_timeout_ms = timeout,
    };
    struct conn *conn;
    code = conn_connect(l, target->url->host, target->url->port, &conn_options, &conn, e);
    if (code != ERR_OK) {
        ws_free(w);
        return code;
    }
    ws_take_conn(w, conn);
    conn_set_deadline(conn, loop_now_ms(l) + timeout);
    *ret = w;
    return ERR_OK;
}

void ws_opening_send(struct ws *w)
{
    enum err_code code = conn_write(w->conn, buf_str(&w->opening->request));
    buf_fini(&w->opening->request);
    if (code != ERR_OK) {
        give_up(w, code, err_text(code));
    }
}

static void explain_redirect(const struct ws_opening *o, int status, struct err *ret)
{
    err_set(ret, ERR_NETWORK,
            "answered with a redirect (%d) to \"%.120s\" instead of a WebSocket: a captive portal"
            " or a proxy stands in between",
            status, o->values[FIELD_LOCATION]);
}

// What came instead of 101.
static void explain_status(const struct ws_opening *o, int status, struct err *ret)
{
    if (status >= 300 && status < 400) {
        explain_redirect(o, status, ret);
    } else if (status == 401) {
        err_set(ret, ERR_UNAUTHENTICATED, "the server does not know this device or token (401)");
    } else if (status == 403) {
        err_set(ret, ERR_DENIED, "the server refuses this device or token (403)");
    } else if (status == 404) {
        err_set(ret, ERR_NOT_FOUND, "the server has no WebSocket at this path (404)");
    } else if (status == 429 || status >= 500) {
        err_set(ret, ERR_BUSY, "the server cannot take the connection now (%d)", status);
    } else if (strncasecmp(o->values[FIELD_TYPE], "text/html", 9) == 0) {
        err_set(ret, ERR_NETWORK,
                "answered with a web page (%d) instead of a WebSocket: a captive"
                " portal or a proxy stands in between",
                status);
    } else {
        err_set(ret, ERR_PROTOCOL, "answered with status %d instead of a WebSocket", status);
    }
}

static enum err_code check_answer(struct ws_opening *o, struct err *ret)
{
    int status = o->parser.status_code;
    if (status != 101) {
        explain_status(o, status, ret);
        return ret->code;
    }
    if (strcasecmp(o->values[FIELD_UPGRADE], "websocket") != 0 ||
        strcmp(o->values[FIELD_ACCEPT], o->accept) != 0) {
        return err_set(ret, ERR_PROTOCOL, "the server's 101 does not answer this client's key");
    }
    if (strcmp(o->values[FIELD_PROTOCOL], o->subprotocol) != 0) {
        return err_set(ret, ERR_PROTOCOL, "the server chose subprotocol \"%.60s\", not \"%s\"",
                       o->values[FIELD_PROTOCOL], o->subprotocol);
    }
    if (o->values[FIELD_EXTENSIONS][0] != '\0') {
        return err_set(ret, ERR_PROTOCOL, "the server chose an extension that was not offered");
    }
    return ERR_OK;
}

void ws_opening_data(struct ws *w, struct str bytes)
{
    struct ws_opening *o = w->opening;
    llhttp_errno_t error = llhttp_execute(&o->parser, bytes.p, bytes.n);
    o->received += bytes.n;
    if (error == HPE_OK) {
        if (o->received > HEAD_MAX) {
            give_up(w, ERR_PROTOCOL, "the head of the server's answer is too long");
        }
        return;
    }
    if (error != HPE_PAUSED_UPGRADE) {
        give_up(w, ERR_PROTOCOL, "what answers on this port does not speak HTTP");
        return;
    }
    const char *stop = llhttp_get_error_pos(&o->parser);
    struct err why;
    if (check_answer(o, &why) != ERR_OK) {
        ws_give_up(w, &why);
        return;
    }
    ws_opening_free(o);
    w->opening = NULL;
    ws_become_open(w);
    size_t n = bytes.n - (size_t)(stop - bytes.p);
    if (n > 0) {
        ws_pump(w, str_make(stop, n));
    }
}
