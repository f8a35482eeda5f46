// SPDX-License-Identifier: Apache-2.0
// Who decides for a place: its authority, and the number of its reign.
//
// Rules: of several the highest term stands; of one term the first in the order, and if they name
//   two holders a person is asked. A reign is over when its holder released it, with the heads of
//   what it had decided on: until then nobody else may begin the next.
// How a holder is replaced (voters, a node that is declared dead) is not built: until then the
//   centre decides for every place, with term 0 (ADR 0018).
#ifndef WASL_MODEL_AUTHORITY_H
#define WASL_MODEL_AUTHORITY_H

#include "model/question.h"

extern const struct reducer authority_reducer;

#endif
