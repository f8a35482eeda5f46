// SPDX-License-Identifier: Apache-2.0
// Records whose events have effects of their own (stock, tickets): what of them is folded is what
// was judged of single events, and what people answered.
//
// Why: stock is a sum and a ticket is one event, so neither needs a fold; yet one fact among a
//   million must be asked about alone.
#ifndef WASL_MODEL_ASKED_H
#define WASL_MODEL_ASKED_H

#include "model/record.h"

extern const struct reducer stock_reducer, ticket_reducer;

#endif
