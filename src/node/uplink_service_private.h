// SPDX-License-Identifier: Apache-2.0
// What the parts of the uplink service share. Nobody else includes this.
//
// uplink_service.c performs the steps and owns the parts; uplink_service_link.c is the socket
// above, with its choice of upstream and its TLS; uplink_service_jobs.c is the writer below.
#ifndef WASL_NODE_UPLINK_SERVICE_PRIVATE_H
#define WASL_NODE_UPLINK_SERVICE_PRIVATE_H

#include "model/window.h"
#include "node/uplink_service.h"

enum { UPLINK_ACKS_MAX = 256 };

// The service outlives its jobs: each holds a count.
struct uplink_service {
    struct uplink_service_options options;
    struct uplink uplink;
    struct steps steps;
    struct zip *zip;
    struct buf pack;
    struct loop_timer *timer;
    struct loop_timer *ack_timer;
    struct tls_context *tls;
    struct ws *ws;
    struct url url;
    size_t upstream; // index of the one in use
    unsigned attempts;
    bool acting; // inside perform: inputs that come meanwhile wait for the loop
    bool closing;
    unsigned jobs;
    struct message_mark acks[UPLINK_ACKS_MAX];
    bool ack_lost[UPLINK_ACKS_MAX];
    size_t ack_count;
    unsigned ack_jobs;    // under way
    bool acks_dropped;    // some could not even wait
    bool told;            // 'recovery' waits for what it follows from to be durable
    struct uuid recovery; // of the upstream, which was told everything
    char last_error[ERR_TEXT_MAX];
    int64_t clock_offset_ms;
    int64_t health_ms; // when it was asked for
    bool asking;       // for its health
    bool refilling;
    struct window deferred; // when what may wait goes, by the machine's clock on the wall
    struct feed_job *pages; // of the chain's feed: the first is with the writer
};

// uplink_service.c
struct moment uplink_service_now(void);
void uplink_service_perform(struct uplink_service *s);
void uplink_service_release(struct uplink_service *s); // one job is back

// uplink_service_link.c
enum err_code uplink_service_open_tls(struct uplink_service *s, struct err *e) MUST_CHECK;
void uplink_service_open_link(struct uplink_service *s);
void uplink_service_send_text(struct uplink_service *s, struct str text);
void uplink_service_drop_link(struct uplink_service *s);
void uplink_service_note_attempt(struct uplink_service *s);
void uplink_service_link_lost(struct uplink_service *s, const char *why);

// uplink_service_jobs.c
void uplink_service_start_load(struct uplink_service *s, const struct step *step);
void uplink_service_start_refill(struct uplink_service *s);
void uplink_service_start_rehome(struct uplink_service *s, const struct step *step);
void uplink_service_note_ack(struct uplink_service *s, const struct message_mark *mark, bool lost);
void uplink_service_store_acks(void *service); // a timer's callback
void uplink_service_start_feed(struct uplink_service *s, const struct message_feed *feed);
void uplink_service_start_offer(struct uplink_service *s, uint64_t after);
void uplink_service_tell_recovery(struct uplink_service *s, const struct uuid *id);
void uplink_service_tell_recovery_behind(struct uplink_service *s,
                                         const struct uuid *id); // of acks
void uplink_service_set_revoked(struct uplink_service *s, bool revoked);
void uplink_service_set_clock(struct uplink_service *s, int64_t offset_ms,
                              const struct uuid *recovery);
struct uplink_health { // what a hello and a beat say of this till beside its streams
    int64_t oldest_at;
    int64_t disk_free;
    struct window deferred;
};
enum err_code uplink_service_read_health(struct journal *j, struct uplink_health *ret,
                                         struct err *e) MUST_CHECK;
void uplink_service_take_health(struct uplink_service *s, const struct uplink_health *health);
void uplink_service_ask_health(struct uplink_service *s);

#endif
