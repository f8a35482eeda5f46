// SPDX-License-Identifier: Apache-2.0
// Delivers the events of some streams in many orders.
#ifndef WASL_UNIT_STORE_ORDERS_H
#define WASL_UNIT_STORE_ORDERS_H

#include "test/unit/store/fixture.h"

// Fails unless a centre's tables are alike after every order, and as 'wasl verify' and 'wasl
// rebuild' make them from the journal. Frees the lines.
void orders_all_alike(struct line *lines, size_t count);

#endif
