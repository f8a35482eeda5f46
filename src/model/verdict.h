// SPDX-License-Identifier: Apache-2.0
// What the authority decided about one event, wherever that event has effects.
//
// Silence is acceptance: an event without a judgement applies.
#ifndef WASL_MODEL_VERDICT_H
#define WASL_MODEL_VERDICT_H

#include "model/event.h"

enum verdict_outcome {
    JUDGED_NOT,       // nothing was said
    JUDGED_APPLIED,   // it counts; perhaps with another effective hlc
    JUDGED_HELD,      // an intent that waits for a person
    JUDGED_DENIED,    // final: a reservation without stock, a price without the right
    JUDGED_DUPLICATE, // the same thing was done already: a second completion of a bill
};

enum verdict_reason {
    REASON_NONE,
    REASON_LATE,            // it came later than its type may wait
    REASON_CLOCK,           // its author's clock was off
    REASON_UNAUTHORISED,    // its author had no right to it
    REASON_PRICE,           // sold at another price than its catalog's
    REASON_STOCK,           // there was enough, or not
    REASON_DEADLINE,        // a reservation that nobody confirmed in time
    REASON_COMPLETED_TWICE, // the bill was completed before
    REASON_ANSWERED,        // a person answered
    REASON_DIFFERENCE,      // its author saw a quantity that no event explains
    REASON_OVERLAP,         // a count that could not know of what had left or come before it
    REASON_BELOW_ZERO,      // it took stock that is not there by the account
    REASON_EXPLAINED,       // what was asked about it has its answer in what came since
    REASON_OUTRANKED,       // a branch's price, where the head office's counts
    REASON_PAYMENTS,        // a ticket's payments are not its total
    REASON_UNCHECKED,       // a count whose difference nobody can tell from what was not seen
    REASON_ODD,             // what it says cannot be so (model/odd.h)
    REASON_COUNT
};

struct verdict {
    enum verdict_outcome outcome;
    enum verdict_reason reason;
    hlc effective;         // 0: the event's own
    uint64_t term;         // the reign that decided
    bool batched;          // a person is asked about its batch, not about it alone
    struct uuid answer;    // the review_resolved that it follows from; zero: nobody was asked
    struct event_order by; // the judgement's own place in the order
    struct uuid id;        // its own
};

// True where the event's effects are in.
bool verdict_applies(enum verdict_outcome outcome);
// True where an event so judged asks a person, as long as none has answered.
bool verdict_asks(const struct verdict *verdict);
// Of two judgements on one event: a person's before any other, then the higher term, then
// 'duplicate' (that something else was the matter with it too changes nothing), then the first in
// the order.
bool verdict_supersedes(const struct verdict *a, const struct verdict *b);

const char *verdict_name(enum verdict_outcome outcome); // "none", "applied", ...
enum err_code verdict_parse(struct str text, enum verdict_outcome *ret) MUST_CHECK; // but "none"
const char *verdict_reason_name(enum verdict_reason reason); // "none", "late", ...
enum err_code verdict_reason_parse(struct str text, enum verdict_reason *ret) MUST_CHECK; // as well
// For people: one sentence.
const char *verdict_reason_text(enum verdict_reason reason);

#endif
