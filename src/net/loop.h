// SPDX-License-Identifier: Apache-2.0
// One event loop for one thread (libuv): run, stop, timers, signals, and work handed over by
// others.
//
// Why: everything that waits for a socket or a time on a thread waits here, and nowhere else.
// Invariants:
//   1. All callbacks of a loop run on the thread that is inside loop_run.
//   2. Only loop_post and loop_stop may be called from another thread.
//   3. Posted closures run in the order in which they were posted, each exactly once: what is still
//      queued when the loop is freed runs inside loop_free.
//   4. Before-sleep hooks run after all that was ready has been handled and before the thread
//      blocks: the place for group commit and for flushing what was queued meanwhile.
// Ownership: loop_new gives, loop_free takes. Timers, connections, listeners and servers are closed
//   by their owners first; loop_free waits for their close callbacks, and a handle still open then
//   is a bug of ours (MUST).
// Threads: see 1 and 2. The thread that runs a loop has SIGPIPE blocked from then on.
// Limits: LOOP_POST_MAX closures wait at once, LOOP_SIGNAL_MAX signals.
#ifndef WASL_NET_LOOP_H
#define WASL_NET_LOOP_H

#include "base/err.h"

#include <stdint.h>

enum { LOOP_POST_MAX = 65536, LOOP_SIGNAL_MAX = 8 };

struct loop;
struct loop_timer;
struct uv_loop_s;

typedef void (*loop_fn)(void *context);
typedef void (*loop_signal_fn)(int signal_number, void *context);

enum err_code loop_new(struct loop **ret, struct err *e) MUST_CHECK;
void loop_free(struct loop *l); // accepts NULL; not from inside a callback

// Runs until loop_stop. May be called again afterwards.
void loop_run(struct loop *l);
// Handles what is ready, waiting at most timeout_ms for something to become so. For tests and
// tools.
void loop_run_once(struct loop *l, int64_t timeout_ms);
void loop_stop(struct loop *l); // any thread

// Any thread: fn(context) will run on the loop's thread. ERR_BUSY when LOOP_POST_MAX wait,
// ERR_NO_MEMORY; fn does not run then.
enum err_code loop_post(struct loop *l, loop_fn fn, void *context) MUST_CHECK;

// The loop's idea of now (monotonic), read once per turn: cheap, and good enough for timeouts.
int64_t loop_now_ms(const struct loop *l);

// A timer, not started. It never runs after loop_timer_free.
enum err_code loop_timer_new(struct loop *l, loop_fn fn, void *context,
                             struct loop_timer **ret) MUST_CHECK;
// After after_ms (0: in the next turn), then every repeat_ms (0: once). Restarts a running timer.
void loop_timer_start(struct loop_timer *t, int64_t after_ms, int64_t repeat_ms);
void loop_timer_stop(struct loop_timer *t);
void loop_timer_free(struct loop_timer *t); // accepts NULL; fine inside its own callback

// Calls fn on the loop's thread for each signal_number received, until loop_free.
enum err_code loop_on_signal(struct loop *l, int signal_number, loop_signal_fn fn, void *context,
                             struct err *e) MUST_CHECK;

// For what this header does not offer (child processes): the libuv loop inside.
struct uv_loop_s *loop_uv(struct loop *l);

#endif
