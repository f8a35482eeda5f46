// SPDX-License-Identifier: Apache-2.0
// What the authority decided about one event, wherever that event has effects.
//
// Silence is acceptance: an event without a judgement applies.
#ifndef WASL_MODEL_JUDGED_H
#define WASL_MODEL_JUDGED_H

#include "model/event.h"

enum verdict_outcome {
    JUDGED_NOT,       // nothing was said
    JUDGED_APPLIED,   // it counts; perhaps with another effective hlc
    JUDGED_HELD,      // an intent that waits for a person
    JUDGED_DENIED,    // final: a reservation without stock, a price without the right
    JUDGED_DUPLICATE, // the same thing was done already: a second completion of a bill
};

struct verdict {
    enum verdict_outcome outcome;
    hlc effective;         // 0: the event's own
    uint64_t term;         // the reign that decided
    struct event_order by; // the judgement's own place in the order
};

// True where the event's effects are in.
bool verdict_applies(enum verdict_outcome outcome);
// Of two judgements on one event: the higher term counts, then the first in the order.
bool verdict_supersedes(const struct verdict *a, const struct verdict *b);

const char *verdict_name(enum verdict_outcome outcome); // "none", "applied", ...
enum err_code verdict_parse(struct str text, enum verdict_outcome *ret) MUST_CHECK; // but "none"

#endif
