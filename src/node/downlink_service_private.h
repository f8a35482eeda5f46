// SPDX-License-Identifier: Apache-2.0
// What the parts of the downlink service share. Nobody else includes this.
//
// downlink_service.c owns the sessions and performs their steps; downlink_service_jobs.c is the
// writer below; downlink_service_report.c writes down what a device says of itself.
#ifndef WASL_NODE_DOWNLINK_SERVICE_PRIVATE_H
#define WASL_NODE_DOWNLINK_SERVICE_PRIVATE_H

#include "base/rng.h"
#include "node/downlink_service.h"

// A session outlives its socket until its jobs are back: each job holds a count.
struct session {
    struct session *next, **at; // in the service's list
    struct downlink_service *service;
    struct downlink link;
    struct ws *ws;
    struct device_status status;
    int64_t reported_ms;
    bool live; // it said who it is, and was believed
    bool gone;
    bool report_under_way;
    bool report_due; // there is news since the last one
    unsigned holds;
    unsigned bulk; // of its pushes that are with the writer
};

struct downlink_service {
    struct downlink_service_options options;
    struct session *sessions;
    size_t count;
    size_t alive;       // also those that are gone but have jobs or a socket
    struct steps steps; // shared: one session acts at a time
    struct session *acting;
    struct zip *zip;
    struct buf pack;
    struct loop_timer *timer;
    struct rng rng;
    uint64_t acks;
    bool closing;
};

// downlink_service.c
void session_hold(struct session *session);
void session_drop(struct session *session);
void session_end(struct session *session);
void session_perform(struct session *session);

// downlink_service_jobs.c
void session_start_identify(struct session *session, const struct message_hello *hello);
void session_start_push(struct session *session, struct str text);
void session_start_page(struct session *session, const struct step *step);
void session_keep_evidence(struct session *session, struct str text);

// downlink_service_report.c
void session_report(struct session *session, bool now);
void session_note_beat(struct session *session, const struct message_beat *beat);
void session_note_hello(struct session *session, const struct message_hello *hello);

#endif
