// SPDX-License-Identifier: Apache-2.0
// The room that is left for the store, and a reserve kept of it for what finishes sales.
//
// Why: a disk that fills up at lunch must not stop the till. So DIR/wasl.ballast takes up room that
//   is given back when the disk is full, and the last part of a quota is not used before.
//
//            room_met_full: SQLite found the disk or the quota full
//   enough ────────────────────────────────────────────────────────► reserve (one bit for each)
//          ◄──────────────────────────────────────────────────────── the caller refuses the rest
//            room_look: the ballast could be made again, or the quota has room again
//
// Invariants: the reserve of the disk is in use exactly while the ballast is not whole; a file of
//   another size is a making or a releasing that was cut short, and counts as none.
// Threads: the store's.
#ifndef WASL_STORE_SQLITE_ROOM_H
#define WASL_STORE_SQLITE_ROOM_H

#include "store/sqlite/db.h"
#include "store/store.h"

struct room {
    const char *dir;
    struct db *db;
    int64_t max_bytes;     // quota of wasl.db, 0: none
    int64_t ballast_bytes; // 0: no reserve
    int64_t page_bytes;
    int checkpoint_pages; // while there is enough
    int64_t look_ms;      // mono: not to be looked at again before
    unsigned reserve;     // enum store_reserve; atomic for those who only look
    uint64_t entered;
};

// Sets the quota, and makes the ballast where there is room for it.
enum err_code room_open(struct room *r, struct err *e) MUST_CHECK;
// Between transactions: ends the reserve when there is room again.
void room_look(struct room *r);
// After a transaction that met a full disk or quota was rolled back.
void room_met_full(struct room *r);
enum err_code room_measure(struct room *r, bool read_only, struct store_room *ret,
                           struct err *e) MUST_CHECK;
void room_drop_ballast(const struct room *r);

// Free bytes of the file system that holds dir, and how much of it there is for us in all.
enum err_code room_free_bytes(const char *dir, int64_t *ret_free, int64_t *ret_all,
                              struct err *e) MUST_CHECK;

#endif
