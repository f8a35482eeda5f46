// SPDX-License-Identifier: Apache-2.0
// What the author of an event had seen: per stream of a record, the last seq.
//
// Why: a table's record lives for years and gets a stream with each run of each till. A plain array
//   for each of its events grows with the square of its age; but what an author saw is nearly what
//   the one before saw, so vectors share all that is the same.
// Invariants: a node is never changed once it is in a vector; streams that were not seen have 0.
// Ownership: nodes live in the caller's arena. A vector is two words, copied by value.
//
// A radix tree of VECTOR_FAN children a node, copied along the path that changes (Driscoll, Sarnak,
// Sleator and Tarjan 1989, "Making data structures persistent").
#ifndef WASL_MODEL_VECTOR_H
#define WASL_MODEL_VECTOR_H

#include "base/arena.h"
#include "base/err.h"

enum { VECTOR_FAN = 8 };

struct vector_node;

struct vector { // zeroed: nothing was seen
    const struct vector_node *root;
    int height; // levels above the leaves
};

uint64_t vector_at(const struct vector *v, size_t stream);
// Makes it at least 'seq' there. ERR_NO_MEMORY: it is as it was.
enum err_code vector_raise(struct vector *v, size_t stream, uint64_t seq,
                           struct arena *a) MUST_CHECK;
// Makes it at least the other one everywhere; they may share nodes. ERR_NO_MEMORY: as it was.
enum err_code vector_join(struct vector *v, const struct vector *other, struct arena *a) MUST_CHECK;

#endif
