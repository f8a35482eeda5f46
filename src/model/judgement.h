// SPDX-License-Identifier: Apache-2.0
// event_judged: what the authority of a place decided about an event.
//
// A judgement is an event of the record that it is about, so it travels, is kept and is folded with
// that record. One about many events of a stream is of a record of its own, a batch (batch.h).
// Ownership: texts point into the event.
#ifndef WASL_MODEL_JUDGEMENT_H
#define WASL_MODEL_JUDGEMENT_H

#include "model/verdict.h"

// With REASON_DIFFERENCE and REASON_OVERLAP, all decimals (model/quantity.h); with
// REASON_BELOW_ZERO what there is by the account is 'shown'. Else zero.
struct judged_quantity {
    int64_t shown, expected, correction;
};

struct judgement {
    struct uuid target; // the event it is about; zero: a part of a batch
    struct verdict verdict;
    struct str batch;  // the batch that a person is asked about instead; may be empty
    uint64_t from, to; // of a part: seq, both included
    int64_t held;      // of a part: how many of them wait
    int64_t oldest_at; // of a part: ms since 1970
    struct judged_quantity quantity;
    struct str sold,
        published;     // with REASON_PRICE, REASON_PAYMENTS, for people: what was, what should be;
                       // with REASON_ODD what is odd is 'sold'
    struct str review; // with REASON_EXPLAINED: the kind of the question that it closes
};

bool judgement_is(const struct event *event); // by its type
// Of a body that event_type_check found sound. ERR_INVALID: its members do not fit together.
enum err_code judgement_decode(const struct event *event, struct judgement *ret,
                               struct err *e) MUST_CHECK;
// Adds the members of its body.
void judgement_write(const struct judgement *judgement, struct json_writer *w);

#endif
