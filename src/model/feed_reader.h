// SPDX-License-Identifier: Apache-2.0
// Who has read how much of a place's feed, and so which of its rows may go.
//
// Why: rows of records that are over are dropped as a whole; a device that read the first half of a
//   record must not miss the other, and shows an order as open that was paid.
// Invariants:
//   1. No row goes that a device still has to read, while it is waited for.
//   2. Who comes from before dropped rows all the same makes a copy from the start. A copy under
//      way goes on unless rows were dropped since it began; all of it is read under a head that is
//      not before those, which a disk that was copied back earlier most often is.
#ifndef WASL_MODEL_FEED_READER_H
#define WASL_MODEL_FEED_READER_H

#include <stdbool.h>
#include <stdint.h>

enum { FEED_READER_WHOLE = -1 };

struct feed_reader {
    uint64_t position; // as it said last
    int64_t copied;    // the copy that it makes began when rows up to here were dropped, or
                       // FEED_READER_WHOLE: it makes none
};
struct feed_heard { // what a device says
    uint64_t position;
    uint64_t head; // of the feed, as it read up to there
    bool known;    // the feed really had that position
};
// True when it goes on from there.
bool feed_reader_heard(struct feed_reader *r, uint64_t trimmed, const struct feed_heard *says);

// Rows up to here may go: more than 'memory' rows ago, and read by all devices that are waited for,
// of which 'least' (NULL: there is none) has read the least.
uint64_t feed_reader_limit(uint64_t head, uint64_t memory, const uint64_t *least);

#endif
