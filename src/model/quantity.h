// SPDX-License-Identifier: Apache-2.0
// What an event says of a quantity that its author saw, held against what that author could know.
//
// Why: a difference that no event explains is a loss, a mistake or an event that is missing, and a
//   count that could not know of an earlier sale takes it out twice. Both are asked about, neither
//   is settled silently. PURE: what is known is given.
// Rules:
//   difference  the author says it saw something else than all that counted, but for what it had
//               not seen, gives
//   overlap     it saw that, and counted; but others had moved stock before, by the order of all
//               events, and it did not know of it
//   unchecked   somebody counted, what it was shown is not what there was by the account, and what
//   it
//               had not seen is not known: too old, or too much, or its author does not say
//   below zero  more was taken than there is by the account of a place that keeps one: one question
//               for each SKU, which is closed when there is enough again
//   None changes stock: every delta counts. The correction is what an adjustment would be.
#ifndef WASL_MODEL_QUANTITY_H
#define WASL_MODEL_QUANTITY_H

#include "model/question.h"

struct quantity_claim {
    struct str sku;
    int64_t shown; // decimal: what was there before, as its author saw it
    int64_t delta; // decimal: what it does to stock itself
    bool counted;  // its author looked at the shelf, and not only at what was shown
};
// False: the event claims nothing of the kind. Its body has been checked.
bool quantity_claim_of(const struct event *event, struct quantity_claim *ret);
// Whether events of a type may claim, so that what its author has seen is written into them.
bool quantity_may_claim(const struct event_type *type);

// One event's delta on the SKU at the place.
struct quantity_move {
    struct event_order order;
    struct uuid device;
    int64_t delta;
};
struct quantity_view {
    int64_t stock; // what counts there now, the event itself and all moves included
    struct event_order order;
    struct uuid device;                // of the author
    const struct quantity_move *moves; // that the feed at the author's position did not include
    size_t count;
};
// False: nothing is to be said, or it cannot be told (numbers out of range).
bool quantity_judge(const struct quantity_claim *claim, const struct quantity_view *view,
                    struct judgement *ret);

// Of a count whose author's knowledge is not known: moves are none. False as above.
bool quantity_judge_unseen(const struct quantity_claim *claim, const struct quantity_view *view,
                           struct judgement *ret);

// ---- below zero -------------------------------------------------------------------------------

// What there is of a SKU that a place keeps, as a transaction ends.
struct quantity_turn {
    int64_t before, now; // decimals: as it began, and as it ends
    int64_t tolerance;   // decimal: what may be taken beyond what is there
    bool brought;        // goods came
    bool asked;          // and nobody has answered
};
enum quantity_below { BELOW_AS_IT_WAS, BELOW_ASK, BELOW_EXPLAINED };
// Once somebody answered it is asked again when there was enough in between, or goods that came
// leave it below. Explained: there is enough, and the question closes.
enum quantity_below quantity_below(const struct quantity_turn *turn);

// ---- asking -----------------------------------------------------------------------------------

bool quantity_is_asked(enum verdict_reason reason);
// Fills in what a question says of the judgement: its side, and the correction as a suggestion (0:
// there is none). An answer that edits is the adjustment to be made. ERR_NO_MEMORY.
enum err_code quantity_ask(const struct judgement *judgement, __int128 correction, struct arena *a,
                           struct question *ret) MUST_CHECK;

#endif
