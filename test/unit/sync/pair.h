// SPDX-License-Identifier: Apache-2.0
// One device and one server, connected by a pipe with faults, in a world of their own.
//
// Why: both ends of the protocol converse in a test as they do over a network, message by message,
//   with the steps they ask for performed on tables in memory, and time moving as the test says.
// Ownership: pair_begin makes it, pair_end frees it; texts live in its arena.
#ifndef WASL_UNIT_SYNC_PAIR_H
#define WASL_UNIT_SYNC_PAIR_H

#include "sync/downlink.h"
#include "sync/uplink.h"
#include "test/unit/sync/sample.h"

enum { PAIR_RUNS = 3, PAIR_EVENTS = 3000, PAIR_ROWS = 600, PAIR_QUEUE = 4096, PAIR_TRACE = 16384 };
enum pair_way { TO_SERVER, TO_DEVICE };

struct pair_stream { // one run's critical lane, at one of the ends
    struct str *events;
    struct hash *chain; // by seq; chain[0] is zero
    uint64_t count;
    uint64_t settled;
};
struct pair_text {
    struct str text;
    int64_t due_ms;
};
struct pair_queue {
    struct pair_text items[PAIR_QUEUE];
    size_t first, count;
};

struct pair {
    struct uplink up;
    struct downlink down;
    struct steps up_steps, down_steps;
    struct arena arena;
    struct moment now;
    bool reachable; // a server answers
    bool linked;
    struct pair_queue queues[2];
    char trace[PAIR_TRACE]; // what was sent: ">hello <welcome ..."

    // what to do wrong
    enum message_kind lose_kind;
    int lose; // messages of that kind to be lost on the way
    enum message_kind flip_kind;
    int flip;            // messages of that kind to be damaged on the way
    int64_t delay_ms;    // one way
    int64_t bytes_per_s; // 0: no limit
    int64_t free_ms[2];  // when the wire of a way is free again
    bool slow_store;     // the server's store answers only to pair_store
    bool failing_store;
    bool unknown; // the device is refused
    bool revoked;
    bool no_includes;
    size_t offer_page; // streams that the device names at once when the server was restored

    // the device
    struct run runs[PAIR_RUNS];
    size_t run_count;
    struct pair_stream own[PAIR_RUNS];
    uint64_t rehomed;
    uint64_t rows_taken, includes_taken, later_taken;
    struct uuid own_feed;
    uint64_t own_position;
    struct hash own_hash;
    char refused[ERR_TEXT_MAX], closed[ERR_TEXT_MAX];
    size_t loads, connects;
    int64_t told_revoked; // last
    size_t told_revoked_count;
    struct uuid told_recovery, doubted; // durable
    size_t marks_lost;                  // STEP_LOST
    size_t offers;

    // the server
    struct pair_stream held[PAIR_RUNS];
    size_t waiting_pushes;
    struct str waiting[64];
    struct uuid feed;
    struct str rows[PAIR_ROWS];
    struct hash row_hash[PAIR_ROWS + 1];
    uint64_t row_count;
    uint64_t later_count; // rows of the deferred feed: the first of those of the place's
    int64_t jitter_ms;
    uint64_t window_events, window_bytes;
    size_t evidence, reports, feed_reads;
    struct uuid recovery;
    bool restored; // and finds out
    bool recovering;
    size_t recoveries;
    bool over; // the session
    char why[64];
};

struct pair *pair_begin(void); // not linked yet; one run with its first event
void pair_end(struct pair *p);
void pair_start(struct pair *p);       // and says hello, until both are live
void pair_sell(struct pair *p, int n); // n events of the newest run
void pair_sell_large(struct pair *p, size_t bytes);
void pair_new_run(struct pair *p);              // of the same device, with its first event
void pair_publish(struct pair *p, int n);       // n rows of the place's feed
void pair_publish_later(struct pair *p, int n); // rows of the deferred one, published before
void pair_pass(struct pair *p, int64_t ms);     // time passes; messages arrive; timers go off
void pair_cut(struct pair *p);                  // the link breaks; what was on its way is lost
void pair_store(struct pair *p);                // a slow store takes one push
// Its disk is what it was when it held only so much of each run, and had only so many rows.
void pair_restore_server(struct pair *p, uint64_t held, uint64_t rows);
void pair_say(struct pair *p, enum pair_way way, const struct message *m);
void pair_down(struct pair *p); // performs what the server's end asked for
void pair_up(struct pair *p);
bool pair_agree(const struct pair *p); // the server holds what the device has, and settled it
size_t pair_said(const struct pair *p, const char *what); // how often in the trace
void pair_forget(struct pair *p);                         // empties the trace

#endif
