// SPDX-License-Identifier: Apache-2.0
// How far the feed includes own streams: told by any page, shown with the one at the feed's head.
#ifndef WASL_STORE_SQLITE_INCLUDE_H
#define WASL_STORE_SQLITE_INCLUDE_H

#include "store/sqlite/state.h"

enum err_code include_tell(struct db *db, const struct feed_include *include,
                           struct err *e) MUST_CHECK;
enum err_code include_forget(struct db *db, struct err *e) MUST_CHECK; // what was only told
// Shows what was told. The list of what moved lies in the arena.
enum err_code include_show(struct db *db, struct arena *a, struct feed_moved **ret,
                           size_t *ret_count, struct err *e) MUST_CHECK;

#endif
