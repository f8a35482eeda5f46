// SPDX-License-Identifier: Apache-2.0
// Writing a feed: one live row per record, each change gets the next position.
//
// Invariants: a position is used once; h(p) = BLAKE2b(h(p-1) || bytes of the row at p). A position
//   that was superseded keeps its hash as a tombstone while it is among the last FEED_MEMORY. Rows
//   of events go when their record is over (feed_trim.h).
#ifndef WASL_STORE_SQLITE_FEED_H
#define WASL_STORE_SQLITE_FEED_H

#include "base/arena.h"
#include "base/buf.h"
#include "model/stream.h"
#include "store/sqlite/db.h"

enum { FEED_MEMORY = 10000 };

// ---- one feed at a time -------------------------------------------------------------------

struct feed_writer {
    struct db *db;
    struct buf bytes; // of the row being written
    struct buf location;
    bool open;  // location was looked up
    bool there; // and has a feed
    bool moved;
    int64_t number;
    uint64_t head;
    uint64_t head_before;
    struct hash hash;
};
void feed_writer_init(struct feed_writer *w, struct db *db);
void feed_writer_fini(struct feed_writer *w);
// Turns to the feed of a location, writing back the head of the one before.
enum err_code feed_writer_turn(struct feed_writer *w, struct str location, bool *ret_there,
                               struct err *e) MUST_CHECK;
struct feed_change {
    struct str location;
    struct str type;
    struct str id;
    struct str row; // JSON; empty: the record is gone
};
enum err_code feed_writer_put(struct feed_writer *w, const struct feed_change *change,
                              struct err *e) MUST_CHECK;
enum err_code feed_writer_stock(struct feed_writer *w, struct str location, struct str sku,
                                int64_t quantity, struct err *e) MUST_CHECK;
enum err_code feed_writer_end(struct feed_writer *w, struct err *e) MUST_CHECK;

// ---- changes of one transaction --------------------------------------------------------------

struct feed_queue {
    struct arena arena;
    struct feed_change *items;
    size_t count;
    size_t room;
};
void feed_queue_init(struct feed_queue *q);
void feed_queue_fini(struct feed_queue *q);
void feed_queue_clear(struct feed_queue *q);
enum err_code feed_queue_add(struct feed_queue *q, const struct feed_change *change) MUST_CHECK;
// Writes the last change of each record to the feeds that are there.
enum err_code feed_queue_flush(struct feed_queue *q, struct db *db, struct err *e) MUST_CHECK;

// Rows of the feed, as they are also written when a feed is made for what is there already.
enum err_code feed_row_location(struct arena *a, struct str name, struct str region,
                                struct str *ret) MUST_CHECK;
struct feed_device {
    struct str location, role;
    struct str key; // its 32 bytes
    bool revoked;
};
enum err_code feed_row_device(struct arena *a, const struct feed_device *device,
                              struct str *ret) MUST_CHECK;
enum err_code feed_row_notice(struct arena *a, struct str status, struct str reason,
                              struct str *ret) MUST_CHECK;

// A carrier that lost its id to another one: the row is named by its place in its stream.
#define FEED_CARRIER "carrier"
enum { FEED_CARRIER_SIZE = UUID_TEXT_SIZE + 32 };
void feed_carrier_id(const struct stream_key *key, uint64_t seq, char to[FEED_CARRIER_SIZE]);
bool feed_carrier_parse(struct str text, struct stream_key *ret, uint64_t *ret_seq);
enum err_code feed_row_carrier(struct arena *a, const struct uuid *event,
                               struct str *ret) MUST_CHECK;
enum err_code feed_row_event(struct arena *a, struct str bytes, struct str *ret) MUST_CHECK;

// Makes the feed of a location with all that is known of it, unless it is there.
enum err_code feed_ensure(struct db *db, struct str location, struct err *e) MUST_CHECK;

struct feed_cursor;
struct store;
// The head that a cursor which the feed knows was read under.
enum err_code feed_head_of(struct store *s, struct str location, const struct feed_cursor *cursor,
                           uint64_t *ret, struct err *e) MUST_CHECK;

#endif
