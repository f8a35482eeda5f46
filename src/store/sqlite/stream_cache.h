// SPDX-License-Identifier: Apache-2.0
// Streams by (origin, lane), read from their table when first asked for and written back once a
// transaction.
//
// Why late: writing the head of a stream with each sale would cost a page of the log each time. So
//   while nothing but heads has moved, they are written back only every STREAM_CACHE_LATE rows; a
//   head read from the table is brought up to date by the rows behind it.
// Invariants: a slot stays where it is until stream_cache_clear, which only happens between
//   transactions; after a rollback the cache is cleared, never mended. A head in the table is at
//   most STREAM_CACHE_LATE rows of the journal behind; marks are never.
// Limits: STREAM_CACHE_MAX slots; a full cache is cleared before the next transaction.
#ifndef WASL_STORE_SQLITE_STREAM_CACHE_H
#define WASL_STORE_SQLITE_STREAM_CACHE_H

#include "store/sqlite/db.h"
#include "store/store.h"

// streams.own
enum { STREAM_RECEIVED, STREAM_OWN, STREAM_CARRIED };
enum { STREAM_CACHE_MAX = 65536, STREAM_CACHE_LATE = 128 };
#define STREAM_NAMED_NONE INT64_MAX

struct stream_slot {
    struct stream_info info;
    int64_t number;
    int64_t since;
    int64_t named;  // lowest seq at which a later run said that this stream ends
    int64_t offset; // lsn - seq in the newest extent
    bool has_extent;
    bool starts_run; // its first event is run_started
    bool dirty;
    struct stream_slot *next_dirty;
};
struct stream_cache {
    struct db *db;
    struct stream_slot **slots;
    size_t capacity; // a power of two, 0 before the first use
    size_t count;
    struct stream_slot *dirty;
    bool urgent;      // more than heads has moved
    size_t late_rows; // appended since the last writing back
    bool stale;       // heads in the table may be behind, and no slot knows of it
};

void stream_cache_init(struct stream_cache *c, struct db *db);
void stream_cache_fini(struct stream_cache *c);
void stream_cache_clear(struct stream_cache *c);
void stream_cache_bound(struct stream_cache *c); // between transactions: clears a full cache
// ERR_NOT_FOUND when there is no such stream.
enum err_code stream_cache_find(struct stream_cache *c, const struct stream_key *key,
                                struct stream_slot **ret, struct err *e) MUST_CHECK;
// To be written back: at the next commit when urgent, else soon.
void stream_cache_touch(struct stream_cache *c, struct stream_slot *slot, bool urgent);
// At a commit: writes back what must not wait.
enum err_code stream_cache_settle(struct stream_cache *c, struct err *e) MUST_CHECK;
// Brings a slot as it was read from the table up to the rows behind it.
enum err_code stream_cache_catch_up(struct stream_cache *c, struct stream_slot *slot,
                                    struct err *e) MUST_CHECK;
// After a start or a rollback, before rows are appended: finds the heads that are behind.
enum err_code stream_cache_level(struct stream_cache *c, struct err *e) MUST_CHECK;
enum err_code stream_cache_flush(struct stream_cache *c, struct err *e) MUST_CHECK;
// Reads a row of STREAM_COLUMNS.
void stream_slot_read(struct query *q, struct stream_slot *ret);

// The rows of a stream from 'from' to 'to' as pieces that lie together in the journal.
struct stream_piece {
    int64_t first_lsn;
    int64_t last_lsn;
    uint64_t last_seq;
};
// The piece that begins at seq 'from' and ends at 'to' or before; ERR_NOT_FOUND past the head.
enum err_code stream_slot_piece(struct stream_cache *c, const struct stream_slot *slot,
                                uint64_t from, uint64_t to, struct stream_piece *ret,
                                struct err *e) MUST_CHECK;
enum err_code stream_slot_chain_at(struct stream_cache *c, const struct stream_slot *slot,
                                   uint64_t seq, struct hash *ret, struct err *e) MUST_CHECK;

#endif
