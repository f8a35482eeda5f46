// SPDX-License-Identifier: Apache-2.0
// Writing the effects of one event into the records' tables, and taking them back.
#ifndef WASL_STORE_SQLITE_EFFECTS_H
#define WASL_STORE_SQLITE_EFFECTS_H

#include "store/sqlite/fold.h"

// ret_taken: the event's ticket is another's; nothing was written then.
enum err_code effects_put(struct fold *f, const struct fold_row *row,
                          const struct effect_list *list, bool *ret_taken,
                          struct err *e) MUST_CHECK;
enum err_code effects_take_back(struct fold *f, const struct fold_row *row,
                                const struct effect_list *list, struct err *e) MUST_CHECK;
// What the event does to stock alone: once (1) or taken back (-1).
enum err_code effects_move_stock(struct fold *f, const struct fold_row *row,
                                 const struct effect_list *list, int sign,
                                 struct err *e) MUST_CHECK;

#endif
