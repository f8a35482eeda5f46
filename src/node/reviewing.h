// SPDX-License-Identifier: Apache-2.0
// Answering questions: what a person decided becomes an event, and what follows from it.
//
// Why: the command line at a resting node and the HTTP API of a serving one answer alike.
// Invariants:
//   1. An answer is a review_resolved, of the record that asked or, where none did, of the question
//      itself (model/review.h). It settles the triggers that the question has now; a later one asks
//      again. A question that is settled is not answered again: ERR_CONFLICT.
//   2. What was held for the question is judged by the answer in the same transaction: accepted
//      intents apply, others are denied for good.
//   3. Only the authority of the place answers: the centre, until a place has a hub.
// Threads: the journal's; calls belong inside its transaction.
#ifndef WASL_NODE_REVIEWING_H
#define WASL_NODE_REVIEWING_H

#include "model/question.h"
#include "node/journal.h"

struct reviewing_answer {
    int64_t review; // its number at this node
    enum decision decision;
    struct str value;   // with DECISION_EDIT
    struct str outcome; // of a quantity; may be empty
    struct str note;    // why; may be empty
    struct str by;      // who: a token's name, or "cli"
};
// Why an answer was not taken: ERR_NOT_FOUND, ERR_CONFLICT (settled already, or this centre
// was restored and nobody confirmed it), ERR_INVALID (an answer that does not fit, or a node that
// may not answer). Nothing was written then.
struct reviewing_refusal {
    enum err_code code; // ERR_OK: it was taken
    struct err why;
};
// A refusal is no error, since it must not undo the batch of others.
enum err_code reviewing_answer(struct journal *j, const struct reviewing_answer *answer,
                               struct reviewing_refusal *ret, struct err *e) MUST_CHECK;
// "accept", "reject" or "edit". ERR_INVALID.
enum err_code reviewing_parse(struct str text, enum decision *ret, struct err *e) MUST_CHECK;

#endif
