// SPDX-License-Identifier: Apache-2.0
// Revoked devices: which of their events count.
//
// Why: what a device had sealed before it was revoked happened; what comes after may be a thief's.
//   It is kept, as everything is, and waits for a person ('review', ROW_WITHHELD).
// Rule: an event counts when each revocation of its device names a head of its stream at or behind
//   it, or one that accepts does, by which a person let in what they had looked at. A revocation of
//   several parts says something once all are here. One without heads says nothing of events.
// Invariants:
//   1. So it depends on the events alone: rows that were folded before a revocation came are taken
//      back (revoke_settle), by the walk that also lets them in again should it be taken back.
//   2. Table 'withheld' counts the rows by device; while there are any, a review of the kind
//      'revoked' is open, one for each device.
// Cost: nothing while no device is revoked: the list of them is in memory.
#ifndef WASL_STORE_SQLITE_REVOKE_H
#define WASL_STORE_SQLITE_REVOKE_H

#include "model/effect.h"

struct fold;
struct fold_row;

struct revoked_change {
    struct uuid device;
    bool all; // a revocation went, or accepts: rows may count again
};
struct revoked {
    struct uuid *devices; // with a revocation that names heads; sorted
    size_t count, room;
    bool known;                     // the list is that of the table
    struct revoked_change *changes; // what revoke_settle has to look at
    size_t change_count, change_room;
};
void revoke_fini(struct fold *f);
void revoke_forget(struct fold *f); // after a rollback

// The effect of device_revoked on the tables 'revocations' and 'revoked_heads'.
enum err_code revoke_put(struct fold *f, const struct fold_row *row,
                         const struct effect_revoke *revoke, struct err *e) MUST_CHECK;
enum err_code revoke_take_back(struct fold *f, const struct fold_row *row,
                               const struct effect_revoke *revoke, struct err *e) MUST_CHECK;
// Whether an event of the journal is from after a revocation of its device.
enum err_code revoke_is_beyond(struct fold *f, const struct event *event, bool *ret,
                               struct err *e) MUST_CHECK;
// One row more (or less, -1) is withheld: counts it, and asks a person.
enum err_code revoke_count(struct fold *f, const struct event *event, int by, int64_t now_ms,
                           struct err *e) MUST_CHECK;
// Brings the rows of devices whose revocations changed in line.
enum err_code revoke_settle(struct fold *f, int64_t now_ms, struct err *e) MUST_CHECK;

#endif
