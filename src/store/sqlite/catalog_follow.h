// SPDX-License-Identifier: Apache-2.0
// The catalog's rows as the feed of the chain brings them.
//
// Invariants:
//   1. What is shown is one whole version, or none. Rows are written beside it, page by page, and
//      one change of catalog_state shows all of them, once they give the version's hash.
//   2. Rows that do not give it are never shown: the old version stands, and a full copy is asked
//      for, once for each version.
//   3. Whatever a power cut left half brought in goes on where the cursor of the feed stands.
#ifndef WASL_STORE_SQLITE_CATALOG_FOLLOW_H
#define WASL_STORE_SQLITE_CATALOG_FOLLOW_H

#include "store/sqlite/catalog_rows.h"
#include "store/store.h"

struct catalog_follow { // zeroed but for the first two: nothing was looked at
    struct catalog_rows *rows;
    struct db *db;
    struct catalog_state state;
    bool loaded, changed;
};
// A copy begins from the first row: nothing that was brought in so far is part of it.
enum err_code catalog_follow_reset(struct catalog_follow *f, struct err *e) MUST_CHECK;
// One row of the feed. bytes: the row as it came; object NULL: there is none any more.
enum err_code catalog_follow_row(struct catalog_follow *f, const struct catalog_place *place,
                                 struct str bytes, yyjson_val *object, struct arena *a,
                                 struct err *e) MUST_CHECK;
enum err_code catalog_follow_version(struct catalog_follow *f, yyjson_val *object,
                                     struct err *e) MUST_CHECK;
// The rows reach the feed's head: shows them, if there are any.
enum err_code catalog_follow_complete(struct catalog_follow *f, bool fresh, enum feed_catalog *ret,
                                      struct err *e) MUST_CHECK;
enum err_code catalog_follow_end(struct catalog_follow *f, struct err *e) MUST_CHECK;

#endif
