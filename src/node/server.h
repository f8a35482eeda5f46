// SPDX-License-Identifier: Apache-2.0
// A node's HTTP surface: the API for integrators, the page for people, the door for devices.
//
// docs/openapi.json describes it and is served at /openapi.json; a test holds the routes and the
// description together. Errors are RFC 9457 problem details.
// Why one table of routes: method, path, roles, rights, body limit and handler stand in one row.
// Threads: the loop's. Writes go through the writer; reads use a read-only store of its own.
#ifndef WASL_NODE_SERVER_H
#define WASL_NODE_SERVER_H

#include "net/http.h"
#include "node/writer.h"

// What the sync services know and the store does not.
struct server_live {
    bool online;                   // the uplink's session is live (a centre: always)
    bool revoked;                  // this device was, as its upstream said
    char upstream[CONFIG_URL_MAX]; // the one in use; empty: none
    int64_t clock_offset_ms;
    int64_t last_sync_at; // ms since 1970, 0: never
    uint64_t sessions;    // devices connected here
    int64_t fsync_us;     // measured at start
};

struct server_options {
    struct loop *loop;
    struct writer *writer;
    struct journal *journal; // only for its identity
    const struct config *config;
    void *context;
    void (*live)(void *context, struct server_live *ret);
    // GET /api/v1/sync with Upgrade: hands the request over (downlink service). NULL on terminals.
    void (*sync)(void *context, struct http_server *http, const struct http_request *request);
    // POST /api/v1/sync: what may wait goes now, up and down.
    void (*push)(void *context);
};

struct server;
enum err_code server_open(const struct server_options *options, struct server **ret,
                          struct err *e) MUST_CHECK;
// Where a client on this machine reaches it: "http://127.0.0.1:7400".
const char *server_url(const struct server *s);
// New events or feed rows were committed: wakes what listens at /api/v1/live.
void server_committed(struct server *s);
void server_close(struct server *s); // accepts NULL

#endif
