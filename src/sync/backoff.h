// SPDX-License-Identifier: Apache-2.0
// When to try the upstream again.
//
// A link that is down costs nobody anything when it is tried often, and the first byte after it
// returns should leave within a second: so attempts come at most RETRY_MAX_MS apart, with jitter.
// What an upstream itself asks for (busy, a refusal that may pass) is honoured.
#ifndef WASL_SYNC_BACKOFF_H
#define WASL_SYNC_BACKOFF_H

#include "base/rng.h"

enum { RETRY_FIRST_MS = 50, RETRY_MAX_MS = 600, REFUSED_RETRY_MS = 30 * 1000 };

struct backoff {
    int64_t next_ms; // length of the next pause before jitter
    int64_t told_ms; // the upstream's own wish, 0 when none
};

void backoff_reset(struct backoff *b);
void backoff_told(struct backoff *b, int64_t ms); // at most a minute is honoured
// The pause before the next attempt: between half and all of the current length.
int64_t backoff_next(struct backoff *b, struct rng *rng);

#endif
