// SPDX-License-Identifier: Apache-2.0
// What an event says that cannot be so, though each of its members is well formed.
//
// Why: who makes an event can be told and correct it, so it is refused there. One that comes from
//   elsewhere (an import, another vendor's till, an older version) says what happened: it counts,
//   on every node alike, and a person is asked.
#ifndef WASL_MODEL_ODD_H
#define WASL_MODEL_ODD_H

#include "model/event.h"

// A sentence that names the member; NULL: nothing is odd. The type is known, the body was checked.
const char *odd_of(const struct event *event);
// Whether a person is to be asked about it alone: what else is odd its record asks of itself.
bool odd_asks(const struct event *event);

#endif
