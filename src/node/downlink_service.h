// SPDX-License-Identifier: Apache-2.0
// The sessions of a server with its devices: performs what sync/downlink.h decides.
//
// Threads: the loop's. Ownership: owns its sessions. A device that comes again replaces its older
// session.
#ifndef WASL_NODE_DOWNLINK_SERVICE_H
#define WASL_NODE_DOWNLINK_SERVICE_H

#include "net/websocket.h"
#include "node/writer.h"

struct downlink_service;

struct downlink_service_options {
    struct loop *loop;
    struct writer *writer;
    struct journal *journal; // identity only
    const struct config *config;
};
enum err_code downlink_service_open(const struct downlink_service_options *options,
                                    struct downlink_service **ret, struct err *e) MUST_CHECK;
// A request for /api/v1/sync with Upgrade.
void downlink_service_accept(struct downlink_service *s, struct http_server *http,
                             const struct http_request *request);
// From the writer's hook: feeds that may have moved.
void downlink_service_moved(struct downlink_service *s, const struct writer_feed *feeds,
                            size_t count);
// From the writer's hook: what every session was told of this node is of the past. They come again.
void downlink_service_end_sessions(struct downlink_service *s);
size_t downlink_service_sessions(const struct downlink_service *s); // live ones
void downlink_service_close(struct downlink_service *s);            // accepts NULL

#endif
