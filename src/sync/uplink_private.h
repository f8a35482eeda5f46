// SPDX-License-Identifier: Apache-2.0
// What the parts of the uplink share. Nobody else includes this.
//
// uplink.c holds the states, the link and the clock; uplink_hello.c opens a session; uplink_push.c
// brings events up and takes marks; uplink_feed.c takes pages in; uplink_deferred.c knows when what
// may wait goes; uplink_recovery.c tells an upstream that was restored what it lost.
#ifndef WASL_SYNC_UPLINK_PRIVATE_H
#define WASL_SYNC_UPLINK_PRIVATE_H

#include "sync/uplink.h"

enum uplink_state { IDLE, CONNECTING, GREETING, HELLO, LIVE, STATE_COUNT };
enum uplink_input { IN_PAUSE_OVER, IN_CONNECTED, IN_CHALLENGE, IN_WELCOME, IN_DISCONNECTED };

// uplink.c
bool uplink_in(const struct uplink *u, enum uplink_state state);
void uplink_enter(struct uplink *u, enum uplink_input input, struct moment now);
void uplink_wake_at(struct uplink *u, int64_t mono_ms);
void uplink_wake_for_waiting(struct uplink *u, struct moment now);
void uplink_drop(struct uplink *u, struct moment now, struct steps *out, const char *why);

// uplink_recovery.c
bool uplink_is_offering(const struct uplink *u); // there are streams that no hello has named yet
void uplink_doubt(struct uplink *u, const struct message_welcome *m, struct steps *out);
void uplink_take_recovery(struct uplink *u, const struct uuid *id, struct steps *out);
void uplink_ask_offer(struct uplink *u, struct moment now, struct steps *out);

// uplink_hello.c
void uplink_on_challenge(struct uplink *u, const struct message_challenge *m, struct moment now,
                         struct steps *out);
void uplink_say_hello(struct uplink *u, struct moment now, struct steps *out); // if it is due
void uplink_on_welcome(struct uplink *u, const struct message_welcome *m, struct moment now,
                       struct steps *out);

// uplink_push.c
void uplink_clear_flight(struct uplink *u);
void uplink_measure(struct uplink *u, int64_t took_ms); // a round trip
bool uplink_backlog_held(const struct uplink *u, struct moment now);
bool uplink_is_starved(const struct uplink *u);
void uplink_pump(struct uplink *u, struct moment now, struct steps *out);
void uplink_take_mark(struct uplink *u, const struct message_mark *mark, struct moment now,
                      struct steps *out);
void uplink_on_ack(struct uplink *u, const struct message_ack *m, struct moment now,
                   struct steps *out);
void uplink_send_probe(struct uplink *u, struct moment now, struct steps *out);

// uplink_deferred.c
void uplink_deferred_welcome(struct uplink *u, struct moment now);
void uplink_deferred_tick(struct uplink *u, struct moment now, struct steps *out);
// A page of the deferred feed was taken.
void uplink_deferred_page(struct uplink *u, const struct message_feed *m, struct moment now);
// Before a stream is chosen: whether it may be a deferred one.
void uplink_deferred_look(struct uplink *u);

// uplink_feed.c
enum { FEED_OF_PLACE, FEED_OF_CHAIN, FEED_THAT_WAITS }; // in uplink.feeds
struct uplink_feed *uplink_find_feed(struct uplink *u, struct str location);
void uplink_ask_feed(struct uplink_feed *f, struct steps *out); // for what is behind 'received'
bool uplink_expects_pages(const struct uplink *u);
int64_t uplink_includes_due(const struct uplink *u);
void uplink_ask_includes(struct uplink *u, struct moment now, struct steps *out);
void uplink_check_pulled(struct uplink *u, struct moment now);
void uplink_on_feed(struct uplink *u, const struct message_feed *m, size_t bytes, struct moment now,
                    struct steps *out);

#endif
