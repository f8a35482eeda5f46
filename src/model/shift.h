// SPDX-License-Identifier: Apache-2.0
// Shifts: a drawer from its opening to its Z.
//
// Rules: everything in a shift is a fact. The first opening and the first closing in the order
// count;
//   of a second one a person is asked, and may reject the first. A closing freezes what it counted:
//   streams up to a seq, or single events (model/shift_money.h). It does not touch orders: what is
//   still open belongs to whoever goes on with it. The difference between what was counted and what
//   should be there is shown (view shift_cash), and not judged.
#ifndef WASL_MODEL_SHIFT_H
#define WASL_MODEL_SHIFT_H

#include "model/record.h"

extern const struct reducer shift_reducer;

#endif
