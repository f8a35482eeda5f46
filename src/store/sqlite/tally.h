// SPDX-License-Identifier: Apache-2.0
// What tables hold, as one number: the sum of a keyed hash of each row.
//
// Why: 'wasl verify' asks whether tables hold the rows that the journal gives. Sums answer that
//   without an order, without the rows of both sides beside each other, and without writing any.
// Invariants: two collections of rows, a row that is there twice counted twice, have the same sum
//   exactly when they are the same, but for a chance of about 2^-128: the key is random, and leaves
//   the process neither before nor after (MSet-Add-Hash, Clarke and others 2003).
// Ownership: a buffer for the row at hand. Threads: one at a time; sums of one key may be added up.
#ifndef WASL_STORE_SQLITE_TALLY_H
#define WASL_STORE_SQLITE_TALLY_H

#include "model/row.h"
#include "store/sqlite/db.h"

struct tally {
    struct hash_key key;
    unsigned __int128 sum;
    unsigned char *row; // the one at hand, encoded
    size_t n, room;
    bool failed; // out of memory: the sum says nothing
};
void tally_init(struct tally *t, const struct hash_key *key);
void tally_fini(struct tally *t);

// A row: its table, its values in order, and whether it comes (1) or goes (-1).
void tally_begin(struct tally *t, const char *table);
void tally_int(struct tally *t, int64_t value);
void tally_text(struct tally *t, struct str value);
void tally_text_or_null(struct tally *t, struct str value); // empty: null
void tally_blob(struct tally *t, const void *p, size_t n);
void tally_null(struct tally *t);
void tally_end(struct tally *t, int sign);

// The row of a declared table, as row_store_put writes it.
void tally_row(struct tally *t, struct str location, const struct row *row);
// The row that a statement is at.
void tally_statement(struct tally *t, const char *table, sqlite3_stmt *statement);

// ---- a set of keys -------------------------------------------------------------------------

// Not zero. Bounded: beyond KEYS_MOST it says of every key that it is in it.
enum { KEYS_MOST = 1 << 22 };
struct keys {
    uint64_t *slots;
    size_t count, capacity;
    bool all;
};
enum err_code keys_add(struct keys *k, uint64_t key) MUST_CHECK;
bool keys_has(const struct keys *k, uint64_t key);
void keys_fini(struct keys *k);

#endif
