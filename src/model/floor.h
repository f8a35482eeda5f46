// SPDX-License-Identifier: Apache-2.0
// What a place knows of its floor: tables, sold-out dishes, what could not be served, and customers
// by their codes.
//
// Rules: all are cards (model/card.h). Of a table and a sold-out dish the newest statement counts
// as
//   a whole; a customer's fields merge one by one. What could not be served is a record of its own,
//   and never reaches stock: nothing was there.
#ifndef WASL_MODEL_FLOOR_H
#define WASL_MODEL_FLOOR_H

#include "model/card.h"

extern const struct reducer table_reducer;
extern const struct reducer availability_reducer; // of a SKU: its id
extern const struct reducer unmet_reducer;
extern const struct reducer customer_reducer;

#endif
