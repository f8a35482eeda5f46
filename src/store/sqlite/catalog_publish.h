// SPDX-License-Identifier: Apache-2.0
// Publishing at the centre: the rows of a version are made from the drafts as they are folded when
// its catalog_published event is, in the same transaction.
//
// Invariants: a version holds what the drafts were at its event's place in the centre's journal,
//   which nothing but the centre writes at "*"; so a fresh fold of the journal makes the same rows.
//   What a version costs is what changed since the one before.
#ifndef WASL_STORE_SQLITE_CATALOG_PUBLISH_H
#define WASL_STORE_SQLITE_CATALOG_PUBLISH_H

#include "store/sqlite/fold.h"

// What the event's version would be if it were published now.
// The number that the next version may have.
enum err_code catalog_publish_next(struct db *db, uint64_t *ret, struct err *e) MUST_CHECK;
// What would be published now as version ret->number.
enum err_code catalog_publish_prepare(struct fold *f, struct catalog_version *ret,
                                      uint64_t *ret_changed, struct err *e) MUST_CHECK;
// The event published a version.
enum err_code catalog_publish_event(struct fold *f, const struct fold_row *row,
                                    const struct effect_publish *effect, struct err *e) MUST_CHECK;
// Puts the version and its rows into a feed that is being made.
enum err_code catalog_publish_fill(struct db *db, struct feed_writer *feed,
                                   struct err *e) MUST_CHECK;

#endif
