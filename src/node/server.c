// SPDX-License-Identifier: Apache-2.0
#include "node/server_private.h"

#include "base/clock.h"
#include "net/url.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SMALL_BODY = 16 * 1024, ALLOW_MAX = 64 };

#define EVERY (1u << ROLE_TERMINAL | 1u << ROLE_BRANCH | 1u << ROLE_CENTRAL)
#define ABOVE (1u << ROLE_BRANCH | 1u << ROLE_CENTRAL)
#define TOP   (1u << ROLE_CENTRAL)

static void sync_get(struct server *s, const struct http_request *request);
static void later(struct server *s, const struct http_request *request);

const struct route server_routes[] = {
    {"GET", "/", EVERY, RIGHT_NOBODY_ASKED, 0, api_page_get, "the page of this node's role"},
    {"GET", "/page.css", EVERY, RIGHT_NOBODY_ASKED, 0, api_page_get, "how every page looks"},
    {"GET", "/page.js", EVERY, RIGHT_NOBODY_ASKED, 0, api_page_get, "what every page shares"},
    {"GET", "/icon.svg", EVERY, RIGHT_NOBODY_ASKED, 0, api_page_get, "the pages' icon"},
    {"GET", "/console.js", TOP, RIGHT_NOBODY_ASKED, 0, api_page_get, "the centre's page"},
    {"GET", "/till.js", EVERY & ~TOP, RIGHT_NOBODY_ASKED, 0, api_page_get, "the till's page"},
    {"GET", "/openapi.json", EVERY, RIGHT_NOBODY_ASKED, 0, api_page_get, "this API, described"},
    {"GET", "/healthz", EVERY, RIGHT_NOBODY_ASKED, 0, api_health_get, "is it up"},
    {"GET", "/metrics", EVERY, RIGHT_LOCAL_READ, 0, api_metrics_get, "for Prometheus"},
    {"GET", "/api/v1/live", EVERY, RIGHT_LOCAL_READ, 0, api_live_get,
     "pages learn at once that something changed"},
    {"GET", "/api/v1/status", EVERY, RIGHT_LOCAL_READ, 0, api_status_get, "one node's health"},
    {"POST", "/api/v1/events", EVERY, RIGHT_WRITE, LIMIT_BATCH_BYTES, api_events_post,
     "integrators append events"},
    {"GET", "/api/v1/events", EVERY, RIGHT_READ, 0, api_events_get, "read the journal"},
    {"GET", "/api/v1/sync", ABOVE, RIGHT_NOBODY_ASKED, 0, sync_get,
     "devices prove their key inside the session"},
    {"POST", "/api/v1/sync", EVERY & ~TOP, RIGHT_WRITE, SMALL_BODY, api_sync_post,
     "what may wait goes now"},
    {"GET", "/api/v1/branches", TOP, RIGHT_LOCAL_READ, 0, api_branches_get,
     "the chain at a glance"},
    {"GET", "/api/v1/stock", EVERY, RIGHT_LOCAL_READ, 0, api_stock_get, "stock by place and SKU"},
    {"GET", "/api/v1/catalog", EVERY, RIGHT_LOCAL_READ, 0, api_catalog_get,
     "what is sold, at what price"},
    {"POST", "/api/v1/catalog/publish", TOP, RIGHT_WRITE, SMALL_BODY, api_catalog_publish_post,
     "drafts become a version"},
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
    {"POST", "/api/v1/enroll/revoke", TOP, RIGHT_ADMIN, SMALL_BODY, api_enroll_revoke_post,
     "a stolen or retired device"},
    {"POST", "/api/v1/recovered", TOP, RIGHT_ADMIN, SMALL_BODY, api_recovered_post,
     "a restored centre has back what it lost"},
    {"POST", "/api/v1/tokens", EVERY, RIGHT_ADMIN, SMALL_BODY, api_token_post, "make an API token"},
    {"*", "/api/v1/orders*", EVERY, RIGHT_NOBODY_ASKED, LIMIT_BATCH_BYTES, later, "a later part"},
    {"*", "/api/v1/tables*", EVERY, RIGHT_NOBODY_ASKED, LIMIT_BATCH_BYTES, later, "a later part"},
    {"*", "/api/v1/shifts*", EVERY, RIGHT_NOBODY_ASKED, LIMIT_BATCH_BYTES, later, "a later part"},
    {"*", "/api/v1/reports/*", EVERY, RIGHT_NOBODY_ASKED, LIMIT_BATCH_BYTES, later, "a later part"},
    {"*", "/api/v1/receipts/*", EVERY, RIGHT_NOBODY_ASKED, LIMIT_BATCH_BYTES, later,
     "a later part"},
    {"POST", "/api/v1/reviews/{id}/resolve", ABOVE, RIGHT_WRITE, SMALL_BODY,
     api_review_resolve_post, "a person's answer; the right to review is checked by the handler"},
    {"*", "/api/v1/availability*", EVERY, RIGHT_NOBODY_ASKED, 0, later, "a later part"},
    {"*", "/api/v1/trends*", EVERY, RIGHT_NOBODY_ASKED, 0, later, "a later part"},
    {"*", "/api/v1/transfers*", EVERY, RIGHT_NOBODY_ASKED, 0, later, "a later part"},
    {"*", "/api/v1/reorders*", EVERY, RIGHT_NOBODY_ASKED, 0, later, "a later part"},
    {"*", "/api/v1/forecasts*", EVERY, RIGHT_NOBODY_ASKED, 0, later, "a later part"},
};
const size_t server_route_count = sizeof(server_routes) / sizeof(server_routes[0]);

// ---- routing -----------------------------------------------------------------------------------

// "{id}" in the middle of a route stands for one segment that is not empty.
static bool path_fits_around(const char *route, const char *brace, struct str path)
{
    struct str before = str_make(route, (size_t)(brace - route));
    struct str behind = str_of(strchr(brace, '}') + 1);
    if (!str_starts(path, before) || path.n <= before.n + behind.n)
        return false;
    struct str segment = str_make(path.p + before.n, path.n - before.n - behind.n);
    return str_equal(str_make(segment.p + segment.n, behind.n), behind) &&
           memchr(segment.p, '/', segment.n) == NULL;
}

static bool path_fits(const struct route *route, struct str path)
{
    size_t n = strlen(route->path);
    const char *brace = strchr(route->path, '{');
    if (brace != NULL)
        return path_fits_around(route->path, brace, path);
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

static void refuse_method(struct server *s, const struct http_request *request)
{
    char allow[ALLOW_MAX] = "";
    size_t n = 0;
    for (size_t i = 0; i < server_route_count; i++) {
        const struct route *route = &server_routes[i];
        if (!(route->roles & 1u << s->options.config->role) || !path_fits(route, request->path) ||
            strstr(allow, route->method))
            continue;
        n += (size_t)snprintf(allow + n, sizeof(allow) - n, "%s%s", n ? ", " : "", route->method);
        MUST(n < sizeof(allow));
    }
    struct http_header header = {STR("Allow"), str_of(allow)};
    server_problem_with(s, request->id, 405, &header, "this path takes another method");
}

static void refuse_path(struct server *s, const struct http_request *request)
{
    struct str path = request->path;
    server_problem(s, request->id, 404, "nothing is at %.*s", (int)(path.n < 100 ? path.n : 100),
                   path.p);
}

static void on_request(struct http_server *http, const struct http_request *request, void *context)
{
    (void)http;
    struct server *s = context;
    int status;
    s->requests++;
    if (s->closing) {
        server_not_taken(s, request->id, ERR_CLOSED);
        return;
    }
    const struct route *route = find_route(s, request, &status);
    if (route == NULL) {
        (status == 405 ? refuse_method : refuse_path)(s, request);
        return;
    }
    status = server_authorize(s, request, route->right);
    if (status == 200)
        route->handle(s, request);
    else
        server_problem(s, request->id, status,
                       status == 403   ? "this token's role may not do that"
                       : status == 429 ? "too many wrong tokens: wait ten seconds"
                       : status == 503 ? "the node cannot check tokens now"
                                       : "a valid bearer token is needed");
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

// Where a client on this machine reaches a listener: what listens everywhere is also on loopback.
static void local_host(const char *listen, char *host, size_t size)
{
    uint16_t port;
    if (url_split_address(str_of(listen), host, size, &port, NULL) != ERR_OK ||
        strcmp(host, "0.0.0.0") == 0 || strcmp(host, "localhost") == 0)
        snprintf(host, size, "127.0.0.1");
    else if (strcmp(host, "::") == 0)
        snprintf(host, size, "::1");
}

// DIR/run tells the command line of this machine where the node is, and lets its owner in.
static enum err_code publish(struct server *s, struct err *e)
{
    uint8_t secret[ADMIN_TOKEN_SIZE];
    char host[URL_HOST_MAX];
    clock_random(secret, sizeof(secret));
    str_to_hex(s->admin_token, secret, sizeof(secret));
    local_host(s->options.config->listen, host, sizeof(host));
    snprintf(s->url, sizeof(s->url), strchr(host, ':') ? "%s://[%s]:%u" : "%s://%s:%u",
             s->tls ? "https" : "http", host, http_server_port(s->http));
    enum err_code code =
        write_secret_file(s->options.config->dir, "admin.token", s->admin_token, e);
    return code ? code : write_secret_file(s->options.config->dir, "address", s->url, e);
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

static void on_http_closed(void *context)
{
    free(context);
}

static const struct http_callbacks http_callbacks = {
    .body_max = on_body_max, .request = on_request, .closed = on_http_closed};

enum err_code server_room(struct server *s, struct store_room *ret, struct err *e)
{
    enum err_code code = store_room(s->reader, ret, e);
    ret->reserve = store_reserve(journal_store(s->options.journal));
    return code;
}

enum err_code server_open(const struct server_options *options, struct server **ret, struct err *e)
{
    struct server *s = calloc(1, sizeof(*s));
    if (s == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    s->options = *options;
    struct store_options reader = {.dir = options->config->dir,
                                   .read_only = true,
                                   .max_bytes = options->config->store_max_bytes,
                                   .ballast_bytes = options->config->ballast_bytes};
    enum err_code code = store_open(&reader, &s->reader, e);
    if (code == ERR_OK)
        code = open_tls(s, e);
    struct http_options http = {
        .listener = {.address = options->config->listen, .conn.tls = s->tls}};
    if (code == ERR_OK)
        code = http_server_open(options->loop, &http, &http_callbacks, s, &s->http, e);
    if (code == ERR_BUSY)
        code = err_wrap(e, code, "[node] listen in wasl.ini");
    if (code == ERR_OK)
        code = api_live_open(s, e);
    if (code == ERR_OK)
        code = publish(s, e);
    if (code) {
        server_close(s);
        return code;
    }
    *ret = s;
    return ERR_OK;
}

const char *server_url(const struct server *s)
{
    return s->url;
}

void server_committed(struct server *s)
{
    api_live_changed(s->live);
}

void server_close(struct server *s)
{
    if (s == NULL)
        return;
    s->closing = true;
    api_live_close(s->live);
    s->live = NULL;
    if (s->http)
        unpublish(s);
    tls_context_drop(s->tls);
    store_close(s->reader);
    if (s->http)
        http_server_close(s->http); // its last callback frees s
    else
        free(s);
}
