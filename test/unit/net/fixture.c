// SPDX-License-Identifier: Apache-2.0
#include "test/unit/net/fixture.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct loop *fixture_loop(void)
{
    struct loop *l = NULL;
    assert_int_equal(loop_new(&l, NULL), ERR_OK);
    return l;
}

void fixture_run_ms(struct loop *l, int64_t ms)
{
    int64_t end = clock_mono_ms() + ms;
    for (int64_t now = clock_mono_ms(); now < end; now = clock_mono_ms()) {
        loop_run_once(l, end - now);
    }
}

// --- Certificates ----------------------------------------------------------------------------

static struct fixture_pki pki;

static void remove_folder(void)
{
    char command[FIXTURE_PATH + 16];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", pki.folder);
    if (system(command) != 0) {
        (void)fprintf(stderr, "%s stays\n", pki.folder);
    }
}

void fixture_path(char to[FIXTURE_PATH], const char *name)
{
    (void)fixture_pki();
    (void)snprintf(to, FIXTURE_PATH, "%.200s/%.50s", pki.folder, name);
}

static void make_ca(char *cert, char *key, const char *name)
{
    char file[64];
    (void)snprintf(file, sizeof file, "%s.pem", name);
    fixture_path(cert, file);
    (void)snprintf(file, sizeof file, "%s.key", name);
    fixture_path(key, file);
    int64_t now = clock_wall_ms() / 1000;
    struct tls_subject subject = {"Wasl test CA", TLS_KEY_P256, now - 864000, now + 86400, NULL, 0};
    struct tls_files to = {cert, key};
    struct err e = {0};
    assert_int_equal(tls_make_ca(&subject, &to, &e), ERR_OK);
}

static void make_leaf(char *cert, char *key, const char *name, const struct tls_subject *subject)
{
    char file[64];
    (void)snprintf(file, sizeof file, "%s.pem", name);
    fixture_path(cert, file);
    (void)snprintf(file, sizeof file, "%s.key", name);
    fixture_path(key, file);
    struct tls_files ca = {pki.ca, pki.ca_key};
    struct tls_files to = {cert, key};
    assert_int_equal(tls_make_certificate(subject, &ca, &to, NULL), ERR_OK);
}

const struct fixture_pki *fixture_pki(void)
{
    static const char *const GOOD[] = {"localhost", "127.0.0.1"};
    static const char *const FOREIGN[] = {"till.example", "192.0.2.1"};
    if (pki.folder[0] != '\0') {
        return &pki;
    }
    (void)snprintf(pki.folder, sizeof pki.folder, "/tmp/wasl-net-XXXXXX");
    assert_non_null(mkdtemp(pki.folder));
    assert_int_equal(atexit(remove_folder), 0);
    make_ca(pki.ca, pki.ca_key, "ca");
    make_ca(pki.other_ca, pki.other_ca_key, "other-ca");
    int64_t now = clock_wall_ms() / 1000;
    struct tls_subject s = {"hub", TLS_KEY_P256, now - 3600, now + 3600, GOOD, COUNT_OF(GOOD)};
    make_leaf(pki.good, pki.good_key, "good", &s);
    s.not_before_s = now - 2 * 86400;
    s.not_after_s = now - 86400;
    make_leaf(pki.expired, pki.expired_key, "expired", &s);
    s = (struct tls_subject){"far", TLS_KEY_ED25519, now - 3600, now + 3600, FOREIGN, 2};
    make_leaf(pki.foreign, pki.foreign_key, "foreign", &s);
    return &pki;
}

struct tls_context *fixture_server_tls(const char *chain, const char *key)
{
    struct tls_context *t = NULL;
    assert_int_equal(tls_server_new(chain, key, &t, NULL), ERR_OK);
    return t;
}

struct tls_context *fixture_client_tls(const char *ca)
{
    struct tls_context *t = NULL;
    assert_int_equal(tls_client_new(ca, &t, NULL), ERR_OK);
    return t;
}

// --- Raw clients -----------------------------------------------------------------------------

static void raw_opened(struct conn *c, void *context)
{
    (void)c;
    ((struct raw *)context)->opened++;
}

static void raw_data(struct conn *c, struct str bytes, void *context)
{
    struct raw *r = context;
    assert_int_equal(buf_append_str(&r->got, bytes), ERR_OK);
    if (r->answer != NULL) {
        assert_int_equal(conn_write(c, str_of(r->answer)), ERR_OK);
        r->answer = NULL;
    }
}

static void raw_drained(struct conn *c, void *context)
{
    (void)c;
    ((struct raw *)context)->drained++;
}

static void raw_closed(struct conn *c, const struct err *why, void *context)
{
    (void)c;
    struct raw *r = context;
    r->conn = NULL;
    r->closed++;
    r->why = *why;
}

static const struct conn_callbacks RAW_CALLBACKS = {
    .opened = raw_opened,
    .data = raw_data,
    .drained = raw_drained,
    .closed = raw_closed,
};

void raw_connect(struct raw *r, struct loop *l, uint16_t port, struct tls_context *tls)
{
    *r = (struct raw){0};
    buf_init(&r->got, 64U << 20);
    struct conn_options options = {.tls = tls};
    assert_int_equal(conn_connect(l, "127.0.0.1", port, &options, &r->conn, NULL), ERR_OK);
    conn_set_owner(r->conn, &RAW_CALLBACKS, r);
}

void raw_send(struct raw *r, const char *text)
{
    assert_non_null(r->conn);
    assert_int_equal(conn_write(r->conn, str_of(text)), ERR_OK);
}

size_t raw_count(const struct raw *r, const char *text)
{
    size_t count = 0;
    size_t n = strlen(text);
    const char *p = r->got.data; // NULL until something came
    const char *end = p ? p + r->got.len : NULL;
    while (p != NULL && (p = memmem(p, (size_t)(end - p), text, n)) != NULL) {
        count++;
        p += n;
    }
    return count;
}

bool raw_has(const struct raw *r, const char *text)
{
    return raw_count(r, text) > 0;
}

void raw_end(struct raw *r, struct loop *l)
{
    if (r->conn != NULL) {
        conn_close(r->conn);
    }
    WAIT_FOR(l, r->closed == 1);
    buf_fini(&r->got);
}

static void canned_accepted(struct conn *c, void *context)
{
    struct canned *s = context;
    assert_true(s->count < s->room);
    struct raw *r = &s->conns[s->count++];
    *r = (struct raw){.conn = c, .answer = s->answer};
    buf_init(&r->got, 64U << 20);
    conn_set_owner(c, &RAW_CALLBACKS, r);
}

static void canned_refused(const struct err *why, void *context)
{
    struct canned *s = context;
    s->refused++;
    s->refusal = *why;
}

static void canned_closed(void *context)
{
    ((struct canned *)context)->closed++;
}

static const struct listener_callbacks CANNED_CALLBACKS = {
    .accepted = canned_accepted,
    .refused = canned_refused,
    .closed = canned_closed,
};

void canned_open(struct canned *s, struct loop *l, const struct listener_options *options,
                 size_t room)
{
    struct listener_options mine = *options;
    mine.address = "127.0.0.1:0";
    s->room = room;
    s->conns = calloc(room + 1, sizeof *s->conns);
    assert_non_null(s->conns);
    assert_int_equal(listener_open(l, &mine, &CANNED_CALLBACKS, s, &s->listener, NULL), ERR_OK);
}

void canned_close(struct canned *s, struct loop *l)
{
    listener_close(s->listener);
    WAIT_FOR(l, s->closed == 1);
    for (size_t i = 0; i < s->count; i++) {
        raw_end(&s->conns[i], l);
    }
    free(s->conns);
}

// --- WebSockets ------------------------------------------------------------------------------

static void peer_opened(struct ws *w, void *context)
{
    (void)w;
    ((struct peer *)context)->opened++;
}

static void peer_message(struct ws *w, enum ws_type type, struct str bytes, void *context)
{
    struct peer *p = context;
    buf_reset(&p->last);
    if (buf_append_str(&p->last, bytes) != ERR_OK) {
        return; // a test lets allocations fail
    }
    p->messages++;
    p->bytes += bytes.n;
    if (p->echo) {
        enum err_code code = ws_send(w, type, bytes);
        assert_true(code == ERR_OK || code == ERR_BUSY || code == ERR_NO_MEMORY);
    }
}

static void peer_drained(struct ws *w, void *context)
{
    (void)w;
    ((struct peer *)context)->drained++;
}

static void peer_closed(struct ws *w, int code, const struct err *why, void *context)
{
    (void)w;
    struct peer *p = context;
    p->ws = NULL;
    p->closed++;
    p->code = code;
    p->why = *why;
    buf_fini(&p->last);
}

const struct ws_callbacks PEER_CALLBACKS = {
    .opened = peer_opened,
    .message = peer_message,
    .drained = peer_drained,
    .closed = peer_closed,
};

void peer_connect(struct peer *p, struct loop *l, const char *url, struct tls_context *tls)
{
    struct url u;
    struct err e = {0};
    *p = (struct peer){0};
    buf_init(&p->last, 16U << 20);
    assert_int_equal(url_parse(str_of(url), &u, &e), ERR_OK);
    struct ws_target target = {.url = &u, .tls = tls, .subprotocol = "wasl.v1", .bearer = "token"};
    struct ws_options options = {0};
    assert_int_equal(ws_connect(l, &target, &options, &p->ws, &e), ERR_OK);
    ws_set_owner(p->ws, &PEER_CALLBACKS, p);
}

void peer_end(struct peer *p, struct loop *l)
{
    if (p->ws != NULL) {
        ws_abort(p->ws);
    }
    WAIT_FOR(l, p->closed == 1);
}

// --- The server ------------------------------------------------------------------------------

static size_t site_body_max(const struct http_request *request, void *context)
{
    (void)request;
    return ((struct site *)context)->body_max;
}

static void site_upgrade(struct site *s, const struct http_request *request)
{
    assert_true(s->peer_count < s->peer_room);
    struct peer *p = &s->peers[s->peer_count];
    struct err e = {0};
    if (ws_accept(s->server, request, "wasl.v1", &s->ws_options, &p->ws, &e) == ERR_OK) {
        s->peer_count++;
        p->echo = true;
        buf_init(&p->last, 16U << 20);
        ws_set_owner(p->ws, &PEER_CALLBACKS, p);
    }
}

static void site_request(struct http_server *server, const struct http_request *r, void *context)
{
    struct site *s = context;
    s->requests++;
    s->held = r->id;
    (void)snprintf(s->seen, sizeof s->seen, "%.*s %.*s ? %.*s : %.*s", STR_ARG(r->method),
                   STR_ARG(r->path), STR_ARG(r->query), (int)(r->body.n < 100 ? r->body.n : 100),
                   r->body.p == NULL ? "" : r->body.p);
    if (s->hold) {
        return;
    }
    if (str_is(r->path, "/ws")) {
        site_upgrade(s, r);
        return;
    }
    char *body = NULL;
    size_t n = str_is(r->path, "/big") ? s->big : r->path.n;
    body = malloc(n + 1);
    assert_non_null(body);
    memset(body, 'x', n);
    if (n == r->path.n) {
        memcpy(body, r->path.p, n);
    }
    struct http_response answer = {
        .status = 200, .content_type = "text/plain", .body = str_make(body, n)};
    enum err_code code = http_respond(server, r->id, &answer);
    assert_true(code == ERR_OK || code == ERR_LIMIT);
    free(body);
}

static void site_gone(struct http_server *server, struct http_id id, void *context)
{
    (void)server;
    (void)id;
    ((struct site *)context)->gone++;
}

static void site_closed(void *context)
{
    ((struct site *)context)->closed++;
}

static const struct http_callbacks SITE_CALLBACKS = {
    .body_max = site_body_max,
    .request = site_request,
    .gone = site_gone,
    .closed = site_closed,
};

// What the caller set in options, ws_options, body_max and so on stays.
void site_open(struct site *s, struct loop *l, struct tls_context *tls, size_t peers)
{
    s->loop = l;
    s->options.listener.address = "127.0.0.1:0";
    s->options.listener.conn.tls = tls;
    s->peer_room = peers;
    s->peers = calloc(peers + 1, sizeof *s->peers);
    assert_non_null(s->peers);
    struct err e = {0};
    assert_int_equal(http_server_open(l, &s->options, &SITE_CALLBACKS, s, &s->server, &e), ERR_OK);
}

uint16_t site_port(const struct site *s)
{
    return http_server_port(s->server);
}

void site_close(struct site *s)
{
    for (size_t i = 0; i < s->peer_count; i++) {
        peer_end(&s->peers[i], s->loop);
    }
    http_server_close(s->server);
    WAIT_FOR(s->loop, s->closed == 1);
    free(s->peers);
}
