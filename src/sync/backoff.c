// SPDX-License-Identifier: Apache-2.0
#include "sync/backoff.h"

enum { TOLD_MAX_MS = 60 * 1000 };

void backoff_reset(struct backoff *b)
{
    *b = (struct backoff){.next_ms = RETRY_FIRST_MS};
}

void backoff_told(struct backoff *b, int64_t ms)
{
    if (ms > b->told_ms)
        b->told_ms = ms < TOLD_MAX_MS ? ms : TOLD_MAX_MS;
}

int64_t backoff_next(struct backoff *b, struct rng *rng)
{
    int64_t length = b->next_ms ? b->next_ms : RETRY_FIRST_MS;
    b->next_ms = length * 2 < RETRY_MAX_MS ? length * 2 : RETRY_MAX_MS;
    if (b->told_ms > length)
        length = b->told_ms;
    b->told_ms = 0;
    return rng_between(rng, length / 2, length);
}
