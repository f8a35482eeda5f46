// SPDX-License-Identifier: Apache-2.0
// The rows that carry one id at one place: which of them counts.
//
// The first in the total order does; the others are 'duplicate' (same content) or 'conflict' (other
// content, with a review). What a revoked device sent too late takes no part: else it could take an
// id away from an event that counts.
#ifndef WASL_STORE_SQLITE_CARRIERS_H
#define WASL_STORE_SQLITE_CARRIERS_H

#include "store/sqlite/fold.h"

// A row that takes part from now on, among the others that carry its id: row->ret_state.
enum err_code carriers_settle(struct fold *f, struct fold_row *row, const struct ids_carriers *from,
                              struct err *e) MUST_CHECK;
// A row of the journal takes no part any more (revoke_is_beyond says so): what it did is undone,
// the next in the order counts, and it gets the state given.
enum err_code carriers_withhold(struct fold *f, struct fold_row *row, enum row_state state,
                                struct err *e) MUST_CHECK;
// A row of the journal takes part again.
enum err_code carriers_rejoin(struct fold *f, struct fold_row *row, struct err *e) MUST_CHECK;

#endif
