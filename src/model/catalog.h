// SPDX-License-Identifier: Apache-2.0
// Published rows of the catalog: items, further price lists, taxes, promotions.
//
// Why: a version is the set of its rows. One declaration of their columns serves the tables, the
//   feed, the API, and the version's hash, at the centre and at the till.
// Invariants:
//   1. A row's bytes in the feed are its canonical encoding: type, id, and the columns that are not
//      null, in the declared order, then what this version of the program does not know. So a node
//      that knows fewer columns gives back the same bytes, and holds the same hash.
//   2. A version's hash is the set hash (base/set_hash.h) of these bytes.
//   3. New columns are added before the last one, 'extra', and never elsewhere.
// Ownership: texts point into what the row was read from, or the arena given.
// Limits: LIMIT_CATALOG_ROWS rows; LIMIT_EVENT_BYTES a row.
#ifndef WASL_MODEL_CATALOG_H
#define WASL_MODEL_CATALOG_H

#include "base/json.h"
#include "base/set_hash.h"
#include "model/limits.h"
#include "model/row.h"

// A kind of row. Its table has one column in the key, "id", and "extra" as the last one: a JSON
// object of members that this program does not know.
struct catalog_kind {
    const char *type; // of its rows in the feed
    const struct row_table *table;
    uint32_t json;  // bits of columns whose text is JSON
    uint32_t flags; // bits of columns that are true or false
};
extern const struct catalog_kind catalog_kinds[];
enum { CATALOG_ITEM, CATALOG_PRICE, CATALOG_PROMOTION, CATALOG_TAX, CATALOG_KIND_COUNT };

#define CATALOG_PRICED                                                                             \
    "priced" // column of items and prices: the version since which it is the price

// By the type of a feed row; NULL: it is none of the catalog's.
const struct catalog_kind *catalog_kind_find(struct str type);
int catalog_column(const struct catalog_kind *kind, const char *name); // must be there

// What a version is known by.
struct catalog_version {
    uint64_t number; // from 1; 0: none yet
    struct hash hash;
    uint64_t count; // rows
};
// Its row in the feed, beside the version's rows: type "catalog_version", id "current".
#define CATALOG_VERSION_TYPE "catalog_version"
#define CATALOG_VERSION_ID   "current"
enum err_code catalog_version_write(const struct catalog_version *version,
                                    struct buf *to) MUST_CHECK;
enum err_code catalog_version_read(yyjson_val *row, struct catalog_version *ret,
                                   struct err *e) MUST_CHECK;

// Appends the "row" member of the feed: {"name":"Coffee",...}. ERR_LIMIT, ERR_NO_MEMORY.
enum err_code catalog_row_write(const struct catalog_kind *kind, const struct row *row,
                                struct buf *to) MUST_CHECK;
// Appends all of the feed row: what is hashed.
enum err_code catalog_row_encode(const struct catalog_kind *kind, const struct row *row,
                                 struct buf *to) MUST_CHECK;
// Reads the "row" member. ERR_INVALID naming the member; ERR_NO_MEMORY.
enum err_code catalog_row_read(const struct catalog_kind *kind, struct str id, yyjson_val *object,
                               struct arena *a, struct row *ret, struct err *e) MUST_CHECK;

#endif
