// SPDX-License-Identifier: Apache-2.0
// The other side of a check: what the tables hold, summed up as the census sums up the journal; and
// whether the rows of folded records are what the events listed for them give.
//
// Why: it needs nothing of the fold, so it runs beside it, on a connection of its own.
// Invariants: both connections see the same commits, or there is one only.
// Threads: its own between start and end, where the store is large enough and a second connection
//   can be had; else it is done in the caller's by verify_tables_end.
//
//   start ──► thread: tables, ids, records, indexes, totals; chains ahead of the fold ──► end
#ifndef WASL_STORE_SQLITE_VERIFY_TABLES_H
#define WASL_STORE_SQLITE_VERIFY_TABLES_H

#include "store/sqlite/census.h"
#include "store/sqlite/refold.h"

#include <pthread.h>

struct verify_tables {
    struct store *s;
    struct db *db;               // what is read: that of the store, or 'own'
    struct db own;               // .handle NULL: there is none
    struct refold *refold;       // what goes on beside it; helped where there is time left
    const struct census *census; // whose keys do not stand alone, which does not change
    int64_t lsn_max;
    struct arena *arena; // for the totals
    pthread_t thread;
    bool running;
    bool beside;                  // it has a thread, or had
    void (*noted)(void *context); // called now and then, unless it has a thread
    void *context;
    unsigned parts;       // what was done, in thousandths; atomic
    bool done;            // atomic
    struct tally tally;   // as census->tally
    uint64_t looked_up;   // as census->looked_up
    struct tally records; // rows that the events give, less those of the tables: zero
    bool wrong;           // something that no sum says
    struct store_verdict totals;
    enum err_code code;
    struct err err;
};
// Opens the second connection, at the same commit as the store's, which begins a transaction here.
enum err_code verify_tables_open(struct verify_tables *t, struct store *s, struct arena *arena,
                                 struct err *e) MUST_CHECK;
// r has a census, and both stay until verify_tables_fini.
enum err_code verify_tables_start(struct verify_tables *t, struct refold *r,
                                  struct err *e) MUST_CHECK;
// How much of it is done, of 1000. Any thread.
unsigned verify_tables_part(const struct verify_tables *t);
bool verify_tables_is_done(const struct verify_tables *t);
// Waits for it, or does it now.
enum err_code verify_tables_end(struct verify_tables *t, struct err *e) MUST_CHECK;
void verify_tables_fini(struct verify_tables *t); // accepts a zeroed struct; stops it first

// How much was sold.
enum err_code verify_tables_totals(struct db *db, struct arena *a, struct store_verdict *to,
                                   struct err *e) MUST_CHECK;

#endif
