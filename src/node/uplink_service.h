// SPDX-License-Identifier: Apache-2.0
// The uplink in the daemon: performs what sync/uplink.h decides, on a loop, with a WebSocket above
// and the writer below.
//
// Threads: the loop's. Ownership: the service owns its socket and jobs; close waits for none: jobs
// under way finish on their own and find the service gone.
#ifndef WASL_NODE_UPLINK_SERVICE_H
#define WASL_NODE_UPLINK_SERVICE_H

#include "net/websocket.h"
#include "node/writer.h"

struct uplink_service;

struct uplink_service_options {
    struct loop *loop;
    struct writer *writer;
    struct journal *journal; // identity and the first state; the writer owns it afterwards
    const struct config *config;
};
// ERR_INVALID for a malformed URL. A node without upstream or enrolment gets a service that waits.
enum err_code uplink_service_open(const struct uplink_service_options *options,
                                  struct uplink_service **ret, struct err *e) MUST_CHECK;
// From the writer's hook.
void uplink_service_committed(struct uplink_service *s, const struct outbox_head *moved,
                              size_t count);
// By hand: what may wait goes now, or with the next session.
void uplink_service_push_deferred(struct uplink_service *s);
// What this device shows of the catalog is not what was published: told to the upstream, which
// sends a full copy.
void uplink_service_doubt(struct uplink_service *s, const struct message_catalog *shown,
                          const struct message_catalog *refused);
struct uplink_view {
    bool online;
    bool revoked;         // as the upstream said last
    const char *upstream; // the one in use, "" when none
    const char *state;
    const char *last_error; // why the last session ended, "" when none
    int64_t clock_offset_ms;
    int64_t last_sync_at;
    uint64_t pending[LANE_COUNT];
};
void uplink_service_view(const struct uplink_service *s, struct uplink_view *ret);
void uplink_service_close(struct uplink_service *s); // accepts NULL

#endif
