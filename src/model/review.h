// SPDX-License-Identifier: Apache-2.0
// Answers to questions that no record asks: forks, clones, ids with two contents, damage.
//
// Why: an answer is an event, so that it reaches everybody, stays, and says who gave it; and no
//   question is answered twice.
// Record: type "review", id as review_id says, at the place of the question. Its events are the
//   answers; the first one counts.
#ifndef WASL_MODEL_REVIEW_H
#define WASL_MODEL_REVIEW_H

#include "model/record.h"

#define REVIEW "review"

// The record of a question of this kind about 'record': both texts where they fit LIMIT_NAME, else
// a hash of them.
void review_id(struct str kind, struct str record, char to[LIMIT_NAME + 1]);

extern const struct reducer review_reducer;

#endif
