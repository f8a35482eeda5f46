// SPDX-License-Identifier: Apache-2.0
//
// Tokens are 256 random bits, so nobody guesses one; what is counted per address keeps a client
// that tries anyway from keeping this node busy, and never locks out one with a right token.
#include "node/server_private.h"

#include "base/clock.h"
#include "model/role.h"

#include <string.h>

enum { WINDOW_MS = 10 * 1000, FAILURES_MAX = 20, TOKEN_ARENA = 64 * 1024 };

// ---- where a request comes from ----------------------------------------------------------------

// "127.0.0.1:7400" and "[::1]:7400" without the port.
static struct str host_of(struct str address)
{
    for (size_t n = address.n; n > 0; n--) {
        char c = address.p[n - 1];
        if (c == ':')
            return str_make(address.p, n - 1);
        if (c == ']')
            break;
    }
    return address;
}

static bool is_loopback_host(struct str host)
{
    char text[SERVER_PEER_SIZE];
    return str_is(host, "[::1]") ||
           (str_copy(text, sizeof(text), host) == ERR_OK && config_is_loopback(text));
}

// From this machine, asked for by a name of this machine, and not passed on by a proxy on it: a
// page elsewhere can point its own name here, but then the Host field shows it.
static bool is_local(const struct http_request *request)
{
    if (http_find_header(request, "x-forwarded-for").p || http_find_header(request, "forwarded").p)
        return false;
    return is_loopback_host(host_of(str_of(request->peer))) &&
           is_loopback_host(host_of(http_find_header(request, "host")));
}

bool server_origin_ours(const struct http_request *request)
{
    struct str origin = http_find_header(request, "origin");
    struct str host = http_find_header(request, "host");
    struct str scheme = request->tls ? STR("https://") : STR("http://");
    if (origin.p == NULL)
        return true;
    return str_starts(origin, scheme) &&
           str_equal(str_make(origin.p + scheme.n, origin.n - scheme.n), host);
}

// ---- failures by address -----------------------------------------------------------------------

static size_t slot_of(struct str host)
{
    struct hash hash = hash_of(host);
    return (size_t)hash.b[0] % SERVER_PEERS_MAX;
}

static bool peer_is(const struct server_peer *peer, struct str host)
{
    return str_is(host, peer->address) && clock_mono_ms() - peer->window_ms < WINDOW_MS;
}

bool server_peer_refused(const struct server *s, const struct http_request *request)
{
    struct str host = host_of(str_of(request->peer));
    const struct server_peer *peer = &s->peers[slot_of(host)];
    return peer_is(peer, host) && peer->failures >= FAILURES_MAX;
}

void server_peer_failed(struct server *s, const char *address)
{
    struct str host = host_of(str_of(address));
    struct server_peer *peer = &s->peers[slot_of(host)];
    if (!peer_is(peer, host)) {
        *peer = (struct server_peer){.window_ms = clock_mono_ms()};
        if (str_copy(peer->address, sizeof(peer->address), host))
            peer->address[0] = '\0'; // an address of no known kind is not counted
    }
    peer->failures++;
}

// ---- tokens ------------------------------------------------------------------------------------

static bool is_admin(const struct server *s, const struct hash *token)
{
    struct hash admin = hash_of(str_of(s->admin_token)); // by hash: no time tells what was right
    return hash_equal(token, &admin);
}

static bool rights_open(enum right right, uint32_t rights)
{
    if (right == RIGHT_ADMIN)
        return rights_have(rights, MAY_CHAIN);
    return right != RIGHT_WRITE || rights != 0;
}

// 200, and whose token it is with the rights of its role; 401, 503.
static int find_token(struct server *s, struct str token, struct server_caller *ret)
{
    struct arena arena;
    struct str name, role_name;
    struct hash hash = hash_of(token);
    *ret = (struct server_caller){.rights = RIGHTS_ALL, .name = "administrator"};
    if (is_admin(s, &hash))
        return 200;
    arena_init(&arena, TOKEN_ARENA);
    enum err_code code = store_token_find(s->reader, &hash, &arena, &name, &role_name);
    ret->rights = 0;
    if (code == ERR_OK && store_role_rights(s->reader, role_name, &ret->rights, NULL))
        code = ERR_BUSY;
    if (code == ERR_OK && str_copy(ret->name, sizeof ret->name, name))
        ret->name[0] = '\0';
    arena_fini(&arena);
    return code == ERR_OK ? 200 : code == ERR_NOT_FOUND ? 401 : 503;
}

static int judge_token(struct server *s, struct str token, enum right right)
{
    struct server_caller caller;
    int status = find_token(s, token, &caller);
    return status == 200 && !rights_open(right, caller.rights) ? 403 : status;
}

uint32_t server_rights(struct server *s, const struct http_request *request)
{
    struct server_caller caller;
    server_caller(s, request, &caller);
    return caller.rights;
}

void server_caller(struct server *s, const struct http_request *request, struct server_caller *ret)
{
    if (find_token(s, http_bearer(request), ret) != 200)
        *ret = (struct server_caller){.rights = 0};
}

int server_authorize(struct server *s, const struct http_request *request, enum right right)
{
    if (right == RIGHT_NOBODY_ASKED)
        return 200;
    struct str token = http_bearer(request);
    if (token.n == 0)
        return right == RIGHT_LOCAL_READ && is_local(request) ? 200 : 401;
    int status = judge_token(s, token, right);
    if (status != 401)
        return status;
    if (server_peer_refused(s, request))
        return 429;
    server_peer_failed(s, request->peer);
    return 401;
}
