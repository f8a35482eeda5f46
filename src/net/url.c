// SPDX-License-Identifier: Apache-2.0
#include "net/url.h"

#include <string.h>

struct scheme {
    const char *prefix;
    bool tls;
    bool websocket;
    uint16_t port;
};

static const struct scheme SCHEMES[] = {
    {"ws://", false, true, 80},
    {"wss://", true, true, 443},
    {"http://", false, false, 80},
    {"https://", true, false, 443},
};

static const struct scheme *find_scheme(struct str *text)
{
    for (size_t i = 0; i < sizeof(SCHEMES) / sizeof(SCHEMES[0]); i++) {
        struct str prefix = str_of(SCHEMES[i].prefix);
        if (str_starts(*text, prefix)) {
            text->p += prefix.n;
            text->n -= prefix.n;
            return &SCHEMES[i];
        }
    }
    return NULL;
}

static bool is_host_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
}

static bool is_host(struct str host, bool bracketed)
{
    for (size_t i = 0; i < host.n; i++) {
        bool fine = bracketed ? (is_host_char(host.p[i]) || host.p[i] == ':' || host.p[i] == '%')
                              : is_host_char(host.p[i]);
        if (!fine) {
            return false;
        }
    }
    return host.n > 0;
}

static enum err_code parse_port(struct str text, bool allow_zero, uint16_t *ret, struct err *e)
{
    uint64_t port;
    if (str_to_u64(text, &port) != ERR_OK || port > 65535 || (port == 0 && !allow_zero)) {
        return err_set(e, ERR_PARSE, "\"%.*s\" is not a port number", STR_ARG(text));
    }
    *ret = (uint16_t)port;
    return ERR_OK;
}

// Cuts "host", "host:port" or "[v6]:port" in two; port is empty when there is none.
static enum err_code split_authority(struct str text, struct str *ret_host, struct str *ret_port,
                                     struct err *e)
{
    bool bracketed = text.n > 0 && text.p[0] == '[';
    const char *end = text.p + text.n;
    const char *host_end =
        bracketed ? memchr(text.p, ']', text.n) : (text.n > 0 ? memchr(text.p, ':', text.n) : NULL);
    if (bracketed && host_end == NULL) {
        return err_set(e, ERR_PARSE, "the '[' in \"%.*s\" has no ']'", STR_ARG(text));
    }
    if (host_end == NULL) {
        host_end = end;
    }
    const char *host = bracketed ? text.p + 1 : text.p;
    const char *after = bracketed ? host_end + 1 : host_end;
    *ret_host = str_make(host, (size_t)(host_end - host));
    *ret_port = str_make(after, 0);
    if (!is_host(*ret_host, bracketed)) {
        return err_set(e, ERR_PARSE, "\"%.*s\" does not begin with a host", STR_ARG(text));
    }
    if (after == end) {
        return ERR_OK;
    }
    if (*after != ':' || after + 1 == end) {
        return err_set(e, ERR_PARSE, "\"%.*s\" does not end with a port number", STR_ARG(text));
    }
    *ret_port = str_make(after + 1, (size_t)(end - after - 1));
    return ERR_OK;
}

static enum err_code copy_path(struct str rest, struct url *to, struct err *e)
{
    for (size_t i = 0; i < rest.n; i++) {
        if (rest.p[i] <= ' ' || rest.p[i] == 127 || rest.p[i] == '#') {
            return err_set(e, ERR_PARSE,
                           "the path of a URL has a blank, a '#' or a raw non-ASCII"
                           " byte in it");
        }
    }
    size_t lead = rest.n > 0 && rest.p[0] == '/' ? 0 : 1;
    to->path[0] = '/';
    if (str_copy(to->path + lead, sizeof(to->path) - lead, rest) != ERR_OK) {
        return err_set(e, ERR_LIMIT, "the path of a URL is longer than %d bytes", URL_PATH_MAX);
    }
    return ERR_OK;
}

enum err_code url_parse(struct str text, struct url *ret, struct err *e)
{
    struct url u = {0};
    struct str rest = text;
    const struct scheme *scheme = find_scheme(&rest);
    if (scheme == NULL) {
        return err_set(e, ERR_PARSE,
                       "\"%.*s\" does not begin with ws://, wss://, http:// or"
                       " https://",
                       text.n > 100 ? 100 : (int)text.n, text.n > 0 ? text.p : "");
    }
    size_t n = 0;
    while (n < rest.n && rest.p[n] != '/' && rest.p[n] != '?' && rest.p[n] != '#') {
        n++;
    }
    struct str authority = str_make(rest.p, n);
    if (n > 0 && memchr(authority.p, '@', n) != NULL) {
        return err_set(e, ERR_PARSE, "a URL with a user name is refused");
    }
    struct str host;
    struct str port;
    enum err_code code = split_authority(authority, &host, &port, e);
    if (code != ERR_OK) {
        return code;
    }
    if (str_copy(u.host, sizeof(u.host), host) != ERR_OK) {
        return err_set(e, ERR_LIMIT, "the host of a URL is longer than %d bytes", URL_HOST_MAX - 1);
    }
    u.tls = scheme->tls;
    u.websocket = scheme->websocket;
    u.port = scheme->port;
    if (port.n > 0 && (code = parse_port(port, false, &u.port, e)) != ERR_OK) {
        return code;
    }
    code = copy_path(str_make(rest.p + n, rest.n - n), &u, e);
    if (code == ERR_OK) {
        *ret = u;
    }
    return code;
}

enum err_code url_split_address(struct str text, char *host, size_t host_size, uint16_t *ret_port,
                                struct err *e)
{
    struct str name;
    struct str port;
    enum err_code code = split_authority(text, &name, &port, e);
    if (code != ERR_OK) {
        return code;
    }
    if (port.n == 0) {
        return err_set(e, ERR_PARSE, "\"%.*s\" has no port: write ADDRESS:PORT", STR_ARG(text));
    }
    uint16_t number = 0;
    code = parse_port(port, true, &number, e);
    if (code != ERR_OK) {
        return code;
    }
    if (str_copy(host, host_size, name) != ERR_OK) {
        return err_set(e, ERR_LIMIT, "the address \"%.*s\" is too long", STR_ARG(text));
    }
    *ret_port = number;
    return ERR_OK;
}
