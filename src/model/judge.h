// SPDX-License-Identifier: Apache-2.0
// What an authority says about an event that reached it, as far as the event and its way decide.
//
// Why: lateness, clocks and rights depend on more than the record, so that they are decided once,
//   here, and said to everybody (model/judgement.h). PURE: what is known is given.
// Rules (DESIGN: facts are applied and asked about, intents are held):
//   right  an author without the right
//   rank   a branch's price, where the chain's setting lets the head office's count
//   late   its author's clock, corrected, says that it waited longer than its type may
//   clock  it comes from the future, by more than the skew limit: its place in the order is that of
//          its coming
//   The first that holds is the reason; the clamped clock counts whatever the reason. A clock that
//   is behind cannot be told from lateness: a device that has ever heard its upstream corrects its
//   own (ADR 0014).
//   Only the hybrid clock is looked at, which the node gave that took the event. What its client
//   chose (`at`, the version of its id, the time in it) moves nothing. An import is stamped when it
//   is imported, however old its tickets are.
#ifndef WASL_MODEL_JUDGE_H
#define WASL_MODEL_JUDGE_H

#include "model/verdict.h"

struct judge_view {
    int64_t now_ms;        // the authority's clock
    int64_t pending_ms;    // how long an event of the type may wait
    int64_t skew_limit_ms; // what a clock may be ahead
    bool without_right;    // its author had no right to it
    bool outranked;        // the head office decides this, and its author is of a branch
    uint64_t term;
};

// False: nothing is to be said, which is acceptance.
bool judge_arrival(const struct event *event, const struct judge_view *view, struct verdict *ret);

#endif
