// SPDX-License-Identifier: Apache-2.0
// event_judged: what the authority of a place decided about an event.
//
// A judgement is an event of the record that it is about, so it travels, is kept and is folded with
// that record. One about a whole backlog (events of one stream that came late) is of a record of
// its own, of the type "backlog", named by the stream's origin and lane.
// Ownership: texts point into the event.
#ifndef WASL_MODEL_JUDGEMENT_H
#define WASL_MODEL_JUDGEMENT_H

#include "model/verdict.h"

struct judgement {
    struct uuid target;     // the event it is about; zero: a whole backlog
    struct verdict verdict; // without 'by'
    struct str batch;       // the backlog that it is a part of: asked about there; may be empty
    struct uuid origin;     // of a backlog
    uint64_t from, to;      // of a backlog: seq, both included
    int64_t held;           // of a backlog: how many of them wait
    int64_t oldest_at;      // of a backlog: ms since 1970
};

bool judgement_is(const struct event *event); // by its type
// Of a body that event_type_check found sound. ERR_INVALID: its members do not fit together.
enum err_code judgement_decode(const struct event *event, struct judgement *ret,
                               struct err *e) MUST_CHECK;
// Adds the members of its body.
void judgement_write(const struct judgement *judgement, struct json_writer *w);

#endif
