// SPDX-License-Identifier: Apache-2.0
// A run: one start of a writing process. It gives events their place: origin, seq, hlc, chain.
//
// Why: a fresh origin for each start means that a till restored from a backup can never use a
//   position again. What a crash forgets is a run, never a number.
// Invariants: seq grows by one per lane; hlc never steps back within a run; nothing is durable
//   until the caller's store says so: on a failed commit the caller puts back its copy of the run.
// Limits: one location per run; a node that writes for several places has a run for each.
#ifndef WASL_SYNC_RUN_H
#define WASL_SYNC_RUN_H

#include "model/stream.h"

struct run {
    struct uuid id;
    struct uuid chain;
    struct uuid device;
    struct uuid origin;
    char location[LIMIT_NAME + 1];
    struct certificate certificate;
    struct mark heads[LANE_COUNT];
    hlc last;
    int64_t clock_offset_ms; // what the upstream's clock is ahead of ours
    bool resumed;
};

struct run_identity {
    const struct sign_key *key;
    struct uuid chain;
    struct uuid device;
    struct str location;
};

// Where an earlier run of this device ended.
struct run_previous {
    struct stream_key key;
    struct mark head;
};

// A new run. 'id' and 'origin' are fresh ids; 'last' is the highest hlc that is durable here
// (0 at the first start). A last that lies further ahead of the corrected clock than the skew limit
// was made by a clock that was off: it is dropped, and the new run begins at the corrected clock.
void run_begin(struct run *run, const struct run_identity *who, const struct uuid *id,
               const struct uuid *origin, hlc last, int64_t corrected_ms);

// Gives the draft its origin, seq and hlc, and appends its bytes to 'to'. ret_mark is the
// stream's head after it. ERR_LIMIT when the event is over LIMIT_DRAFT_BYTES, or LIMIT_EVENT_BYTES
// where it had a place (a seq) before: then nothing is used up.
enum err_code run_stamp(struct run *run, struct event *draft, int64_t now_ms, struct buf *to,
                        struct mark *ret_mark, struct err *e) MUST_CHECK;

// Whether an event that had a place before, as it was read, fits the next place of its lane here.
bool run_has_room(const struct run *run, const struct event *event);

// The first event of a run, as a draft: its body is built in memory of the arena.
struct run_first {
    struct uuid event_id;
    const struct run_previous *previous; // heads of the device's last run for this place
    size_t previous_count;
    struct str software;
    int64_t now_ms;
};
enum err_code run_first_event(const struct run *run, const struct run_first *first,
                              struct arena *arena, struct event *ret) MUST_CHECK;

// True when the run's hlc lies so far ahead of the corrected clock that a new run is due.
bool run_clock_was_off(const struct run *run, int64_t corrected_ms);

#endif
