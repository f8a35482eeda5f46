// SPDX-License-Identifier: Apache-2.0
// Records that one event holds: which record an event claims, and who waits behind its holder.
#ifndef WASL_STORE_SQLITE_CLAIM_H
#define WASL_STORE_SQLITE_CLAIM_H

#include "model/effect.h"
#include "store/sqlite/db.h"

enum claim_kind { CLAIM_NONE, CLAIM_TICKET, CLAIM_LOCATION, CLAIM_DEVICE, CLAIM_REVOKE };

struct claim {
    enum claim_kind kind;
    enum effect_owner rule;
    struct str location; // empty for what is chain-wide
    struct str record;   // a device's id is put in text
    struct uuid device;
    char text[UUID_TEXT_SIZE];
};
// ret->record may point into ret: it must not be moved.
void claim_of(const struct event *event, const struct effect_list *list, struct claim *ret);
enum err_code claim_add(struct db *db, const struct claim *claim, const struct event *event,
                        int64_t lsn, struct err *e) MUST_CHECK;
// ret_there: whether there was one.
enum err_code claim_drop(struct db *db, const struct claim *claim, const struct event *event,
                         bool *ret_there, struct err *e) MUST_CHECK;
// The event that waits first in line, 0 when none does.
enum err_code claim_next(struct db *db, const struct claim *claim, int64_t *ret_lsn,
                         struct err *e) MUST_CHECK;
// The event that holds the record, 0 when none does.
enum err_code claim_holder(struct db *db, const struct claim *claim, int64_t *ret_lsn,
                           struct err *e) MUST_CHECK;

#endif
