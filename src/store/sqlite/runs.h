// SPDX-License-Identifier: Apache-2.0
// Runs of devices: finds those that were restored from a backup (fork) or copied (clone).
//
// How: run_started names where the run before it ended. A stream that goes on past that place, or
//   has another hash there, was continued elsewhere: a fork. Two runs of one device at one place
//   that name the same last run before them: a clone. Both are judged anew whenever something that
//   bears on them arrives, so the order of arrival does not matter.
// No alarm: restarts (each names the run before it), however many happened without a network and
//   whichever arrives first; several places served by one device (each place has its own runs);
//   imports (origins of their own, each named by the next one only).
#ifndef WASL_STORE_SQLITE_RUNS_H
#define WASL_STORE_SQLITE_RUNS_H

#include "store/sqlite/fold.h"
#include "store/sqlite/stream_cache.h"

enum err_code runs_put(struct fold *f, const struct fold_row *row, const struct effect_run *run,
                       struct err *e) MUST_CHECK;
enum err_code runs_take_back(struct fold *f, const struct fold_row *row,
                             const struct effect_run *run, struct err *e) MUST_CHECK;
// An event was appended at or past the place where a later run said that this stream ends.
enum err_code runs_check_stream(struct fold *f, const struct stream_slot *slot, int64_t now_ms,
                                struct err *e) MUST_CHECK;

#endif
