// SPDX-License-Identifier: Apache-2.0
#include "model/feed_reader.h"

#include "model/mutant.h"

#include <stddef.h>

bool feed_reader_heard(struct feed_reader *r, uint64_t trimmed, const struct feed_heard *says)
{
    bool behind = says->position < trimmed && !MUTANT(half_told);
    bool copies = r->copied >= 0 && (uint64_t)r->copied == trimmed && says->head >= trimmed;
    bool goes_on = says->known && (says->position == 0 || !behind || copies);
    if (!goes_on || says->position == 0)
        *r = (struct feed_reader){0, (int64_t)trimmed};
    else
        *r = (struct feed_reader){says->position, behind ? r->copied : FEED_READER_WHOLE};
    return goes_on;
}

uint64_t feed_reader_limit(uint64_t head, uint64_t memory, const uint64_t *least)
{
    uint64_t limit = head > memory ? head - memory : 0;
    if (MUTANT(trimmed_unread))
        return limit;
    return least && *least < limit ? *least : limit;
}
