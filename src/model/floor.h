// SPDX-License-Identifier: Apache-2.0
// What a place knows of its floor: tables, sold-out dishes, customers by their codes.
#ifndef WASL_MODEL_FLOOR_H
#define WASL_MODEL_FLOOR_H

#include "model/card.h"

extern const struct reducer table_reducer;

#endif
