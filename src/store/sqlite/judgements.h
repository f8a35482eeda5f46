// SPDX-License-Identifier: Apache-2.0
// What was judged of single events, as far as it reaches beyond their records.
//
// Why: a record folds its judgements by itself (model/record.h). What an event does besides being a
//   part of its record, the stock that a completed sale took, follows the same verdict here.
// Invariants: stock holds what an event took exactly while the event counts and its verdict is not
//   'duplicate', whichever of the two came first.
#ifndef WASL_STORE_SQLITE_JUDGEMENTS_H
#define WASL_STORE_SQLITE_JUDGEMENTS_H

#include "store/sqlite/fold.h"

// A judgement that counts is in (on), or not any more.
enum err_code judgements_turn(struct fold *f, const struct fold_row *row, bool on,
                              struct err *e) MUST_CHECK;
// Whether what the event did beside its record is taken out again.
enum err_code judgements_drop_effects(struct fold *f, const struct event *event, bool *ret,
                                      struct err *e) MUST_CHECK;

#endif
