// SPDX-License-Identifier: Apache-2.0
#include "node/server_private.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AUTH_WINDOW_MS = 10 * 1000, AUTH_FAILURES_MAX = 20, SMALL_BODY = 16 * 1024 };

#define EVERY (1u << ROLE_TERMINAL | 1u << ROLE_BRANCH | 1u << ROLE_CENTRAL)
#define ABOVE (1u << ROLE_BRANCH | 1u << ROLE_CENTRAL)
#define TOP   (1u << ROLE_CENTRAL)

static void sync_get(struct server *s, const struct http_request *request);
static void later(struct server *s, const struct http_request *request);

const struct route server_routes[] = {
    {"GET", "/healthz", EVERY, RIGHT_NOBODY_ASKED, 0, api_health_get, "is it up"},
    {"GET", "/api/v1/status", EVERY, RIGHT_LOCAL_READ, 0, api_status_get, "one node's health"},
    {"POST", "/api/v1/events", EVERY, RIGHT_WRITE, LIMIT_BATCH_BYTES, api_events_post,
     "integrators append events"},
    {"GET", "/api/v1/events", EVERY, RIGHT_READ, 0, api_events_get, "read the journal"},
    {"GET", "/api/v1/sync", ABOVE, RIGHT_NOBODY_ASKED, 0, sync_get,
     "devices prove their key inside the session"},
    {"GET", "/api/v1/branches", TOP, RIGHT_LOCAL_READ, 0, api_branches_get,
     "the chain at a glance"},
    {"GET", "/api/v1/stock", EVERY, RIGHT_LOCAL_READ, 0, api_stock_get, "stock by place and SKU"},
    {"GET", "/api/v1/reviews", EVERY, RIGHT_READ, 0, api_reviews_get, "questions for people"},
    {"GET", "/api/v1/dead-letters", EVERY, RIGHT_READ, 0, api_dead_letters_get,
     "events that could not be folded"},
    {"POST", "/api/v1/dead-letters/retry", EVERY, RIGHT_ADMIN, SMALL_BODY,
     api_dead_letters_retry_post, "after an upgrade or a fix"},
    {"GET", "/api/v1/ca", ABOVE, RIGHT_NOBODY_ASKED, 0, api_ca_get,
     "public; a device checks it against its code"},
    {"POST", "/api/v1/enroll", TOP, RIGHT_NOBODY_ASKED, SMALL_BODY, api_enroll_post,
     "the one-time code in the body is the right"},
    {"POST", "/api/v1/enroll/codes", TOP, RIGHT_ADMIN, SMALL_BODY, api_enroll_code_post,
     "make a one-time code"},
    {"POST", "/api/v1/tokens", EVERY, RIGHT_ADMIN, SMALL_BODY, api_token_post, "make an API token"},
    {"*", "/api/v1/orders*", EVERY, RIGHT_NOBODY_ASKED, LIMIT_BATCH_BYTES, later, "a later part"},
    {"*", "/api/v1/tables*", EVERY, RIGHT_NOBODY_ASKED, LIMIT_BATCH_BYTES, later, "a later part"},
    {"*", "/api/v1/shifts*", EVERY, RIGHT_NOBODY_ASKED, LIMIT_BATCH_BYTES, later, "a later part"},
    {"*", "/api/v1/reports/*", EVERY, RIGHT_NOBODY_ASKED, LIMIT_BATCH_BYTES, later, "a later part"},
    {"*", "/api/v1/receipts/*", EVERY, RIGHT_NOBODY_ASKED, LIMIT_BATCH_BYTES, later,
     "a later part"},
    {"*", "/api/v1/reviews/*", EVERY, RIGHT_NOBODY_ASKED, LIMIT_BATCH_BYTES, later, "a later part"},
    {"*", "/api/v1/catalog*", EVERY, RIGHT_NOBODY_ASKED, LIMIT_BATCH_BYTES, later, "a later part"},
    {"*", "/api/v1/availability*", EVERY, RIGHT_NOBODY_ASKED, 0, later, "a later part"},
    {"*", "/api/v1/trends*", EVERY, RIGHT_NOBODY_ASKED, 0, later, "a later part"},
    {"*", "/api/v1/transfers*", EVERY, RIGHT_NOBODY_ASKED, 0, later, "a later part"},
    {"*", "/api/v1/reorders*", EVERY, RIGHT_NOBODY_ASKED, 0, later, "a later part"},
    {"*", "/api/v1/forecasts*", EVERY, RIGHT_NOBODY_ASKED, 0, later, "a later part"},
};
const size_t server_route_count = sizeof(server_routes) / sizeof(server_routes[0]);

// ---- answers -----------------------------------------------------------------------------------

void server_problem(struct server *s, struct http_id id, int status, const char *format, ...)
{
    char text[ERR_TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    s->refused++;
    (void)!http_problem(s->http, id, status, text);
}

void server_problem_of(struct server *s, struct http_id id, enum err_code code, const struct err *e)
{
    server_problem(s, id, http_status_of(code), "%s", err_message(e));
}

void server_answer(struct server *s, struct http_id id, int status, yyjson_mut_doc *doc)
{
    struct buf text;
    buf_init(&text, 64 * 1024 * 1024);
    enum err_code code = doc ? json_append_doc(&text, doc) : ERR_NO_MEMORY;
    yyjson_mut_doc_free(doc);
    struct http_response response = {
        .status = status, .content_type = "application/json", .body = buf_str(&text)};
    if (code)
        server_problem(s, id, 500, "the answer could not be written: %s", err_text(code));
    else
        (void)!http_respond(s->http, id, &response);
    buf_fini(&text);
}

void server_answer_text(struct server *s, struct http_id id, const char *type, struct str body)
{
    struct http_response response = {.status = 200, .content_type = type, .body = body};
    (void)!http_respond(s->http, id, &response);
}

yyjson_val *server_body(struct server *s, const struct http_request *request, struct arena *arena)
{
    struct json json = {0};
    struct err e = {0};
    enum err_code code = json_parse_in(arena, request->body, LIMIT_EVENT_DEPTH + 2, &json, &e);
    if (code == ERR_OK && yyjson_is_obj(json.root))
        return json.root;
    server_problem(s, request->id, code == ERR_NO_MEMORY ? 503 : 400, "%s",
                   code ? err_message(&e) : "the body is not a JSON object");
    return NULL;
}

bool server_query(struct server *s, const struct http_request *request, const char *key, char *to,
                  size_t size)
{
    enum err_code code = http_query_get(request->query, key, to, size);
    if (code == ERR_NOT_FOUND)
        to[0] = '\0';
    else if (code)
        server_problem(s, request->id, 400, "the query parameter '%s' is malformed", key);
    return code == ERR_OK || code == ERR_NOT_FOUND;
}

// ---- who may -----------------------------------------------------------------------------------

static bool is_local(const struct http_request *request)
{
    return strncmp(request->peer, "127.", 4) == 0 || strncmp(request->peer, "[::1]", 5) == 0;
}

static bool is_admin(const struct server *s, struct str token)
{
    struct hash given = hash_of(token); // compared by hash: no time tells how much was right
    struct hash admin = hash_of(str_of(s->admin_token));
    return hash_equal(&given, &admin);
}

static bool role_may(enum right right, struct str role)
{
    if (right == RIGHT_READ || right == RIGHT_LOCAL_READ)
        return true;
    if (right == RIGHT_ADMIN)
        return str_is(role, "owner");
    return !str_is(role, "auditor") && !str_is(role, "kitchen");
}

// 200: go on. Failures are counted: guessing tokens is slow.
static int authorize(struct server *s, const struct http_request *request, enum right right)
{
    struct str token = http_bearer(request);
    if (right == RIGHT_NOBODY_ASKED)
        return 200;
    if (token.n == 0)
        return right == RIGHT_LOCAL_READ && is_local(request) ? 200 : 401;
    if (s->auth_failures >= AUTH_FAILURES_MAX &&
        clock_mono_ms() - s->auth_window_ms < AUTH_WINDOW_MS)
        return 429;
    if (is_admin(s, token))
        return 200;
    struct arena arena;
    arena_init(&arena, 64 * 1024);
    struct str name, role;
    struct hash hash = hash_of(token);
    int status = 401;
    if (store_token_find(s->reader, &hash, &arena, &name, &role) == ERR_OK)
        status = role_may(right, role) ? 200 : 403;
    arena_fini(&arena);
    if (status == 401) {
        if (clock_mono_ms() - s->auth_window_ms >= AUTH_WINDOW_MS) {
            s->auth_window_ms = clock_mono_ms();
            s->auth_failures = 0;
        }
        s->auth_failures++;
    }
    return status;
}

// ---- routing -----------------------------------------------------------------------------------

static bool path_fits(const struct route *route, struct str path)
{
    size_t n = strlen(route->path);
    if (route->path[n - 1] == '*')
        return str_starts(path, str_make(route->path, n - 1));
    return str_is(path, route->path);
}

static bool method_fits(const struct route *route, struct str method)
{
    return route->method[0] == '*' || str_is(method, route->method) ||
           (str_is(method, "HEAD") && strcmp(route->method, "GET") == 0);
}

// ret_status: 404 (no such path here), 405 (another method), 200.
static const struct route *find_route(const struct server *s, const struct http_request *request,
                                      int *ret_status)
{
    *ret_status = 404;
    for (size_t i = 0; i < server_route_count; i++) {
        const struct route *route = &server_routes[i];
        if (!(route->roles & 1u << s->options.config->role) || !path_fits(route, request->path))
            continue;
        if (method_fits(route, request->method)) {
            *ret_status = 200;
            return route;
        }
        *ret_status = 405;
    }
    return NULL;
}

static size_t on_body_max(const struct http_request *request, void *context)
{
    int status;
    const struct route *route = find_route(context, request, &status);
    return route ? route->body_max : 0;
}

static void on_request(struct http_server *http, const struct http_request *request, void *context)
{
    (void)http;
    struct server *s = context;
    int status;
    const struct route *route = find_route(s, request, &status);
    s->requests++;
    if (route == NULL) {
        server_problem(s, request->id, status, "%.*s %.200s is not here", STR_ARG(request->method),
                       str_is_utf8(request->path) ? request->path.p : "?");
        return;
    }
    status = authorize(s, request, route->right);
    if (status != 200) {
        server_problem(s, request->id, status,
                       status == 403   ? "this token's role may not do that"
                       : status == 429 ? "too many wrong tokens: wait ten seconds"
                                       : "a valid bearer token is needed");
        return;
    }
    route->handle(s, request);
}

static void sync_get(struct server *s, const struct http_request *request)
{
    if (!request->upgrade)
        server_problem(s, request->id, 426, "devices connect here by WebSocket (wasl.v1)");
    else
        s->options.sync(s->options.context, s->http, request);
}

static void later(struct server *s, const struct http_request *request)
{
    server_problem(s, request->id, 501, "not built yet: it comes with a later part");
}

// ---- opening -----------------------------------------------------------------------------------

static enum err_code write_secret_file(const char *dir, const char *name, const char *text,
                                       struct err *e)
{
    char path[CONFIG_PATH_MAX + 64];
    snprintf(path, sizeof(path), "%s/run", dir);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    snprintf(path, sizeof(path), "%s/run/%s", dir, name);
    (void)unlink(path);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    size_t n = strlen(text);
    bool ok = fd >= 0 && write(fd, text, n) == (ssize_t)n;
    if (fd >= 0)
        close(fd);
    return ok ? ERR_OK : err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
}

// DIR/run tells the command line of this machine where the node is, and lets its owner in.
static enum err_code publish(struct server *s, struct err *e)
{
    uint8_t secret[ADMIN_TOKEN_SIZE];
    char address[128];
    clock_random(secret, sizeof(secret));
    str_to_hex(s->admin_token, secret, sizeof(secret));
    snprintf(address, sizeof(address), "%s://127.0.0.1:%u", s->tls ? "https" : "http",
             http_server_port(s->http));
    enum err_code code =
        write_secret_file(s->options.config->dir, "admin.token", s->admin_token, e);
    return code ? code : write_secret_file(s->options.config->dir, "address", address, e);
}

static void unpublish(const struct server *s)
{
    static const char *const names[] = {"admin.token", "address"};
    for (size_t i = 0; i < 2; i++) {
        char path[CONFIG_PATH_MAX + 64];
        snprintf(path, sizeof(path), "%s/run/%s", s->options.config->dir, names[i]);
        (void)unlink(path);
    }
}

static enum err_code open_tls(struct server *s, struct err *e)
{
    char chain[CONFIG_PATH_MAX];
    char key[CONFIG_PATH_MAX];
    if (config_is_loopback(s->options.config->listen))
        return ERR_OK;
    identity_path(s->options.config, "server.pem", chain);
    identity_path(s->options.config, "server.key", key);
    enum err_code code = tls_server_new(chain, key, &s->tls, e);
    return code ? err_wrap(e, code, "off this machine only TLS is spoken") : ERR_OK;
}

static const struct http_callbacks http_callbacks = {.body_max = on_body_max,
                                                     .request = on_request};

enum err_code server_open(const struct server_options *options, struct server **ret, struct err *e)
{
    struct server *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    s->options = *options;
    struct store_options reader = {.dir = options->config->dir, .read_only = true};
    enum err_code code = store_open(&reader, &s->reader, e);
    if (code == ERR_OK)
        code = open_tls(s, e);
    struct http_options http = {
        .listener = {.address = options->config->listen, .conn.tls = s->tls}};
    if (code == ERR_OK)
        code = http_server_open(options->loop, &http, &http_callbacks, s, &s->http, e);
    if (code == ERR_OK)
        code = publish(s, e);
    if (code) {
        server_close(s);
        return code;
    }
    *ret = s;
    return ERR_OK;
}

uint16_t server_port(const struct server *s)
{
    return http_server_port(s->http);
}

void server_committed(struct server *s)
{
    (void)s;
}

void server_close(struct server *s)
{
    if (s == NULL)
        return;
    if (s->http)
        unpublish(s);
    http_server_close(s->http);
    store_close(s->reader);
    tls_context_drop(s->tls);
    free(s);
}
