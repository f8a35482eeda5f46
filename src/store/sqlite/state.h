// SPDX-License-Identifier: Apache-2.0
// What an open store holds, and the state of a journal row as it is stored.
#ifndef WASL_STORE_SQLITE_STATE_H
#define WASL_STORE_SQLITE_STATE_H

#include "store/sqlite/fold.h"
#include "store/sqlite/room.h"
#include "store/sqlite/stream_cache.h"
#include "store/store.h"

struct store {
    struct db db;
    char *dir;
    enum node_role role;
    bool read_only;
    bool whole; // it was opened to the end
    int lock_fd;
    bool in_transaction;
    bool passing;         // the commits of this moment do not sync
    int64_t passed_pages; // written to the log since the last one that did
    struct room room;
    struct sign_public key; // this node's own
    bool key_known;
    int64_t last_lsn;
    struct stream_cache streams;
    struct fold fold;
};

// Joins the transaction that is open, or opens one of its own for the calls in between.
struct scope {
    struct store *s;
    bool mine;
};
enum err_code scope_enter(struct scope *scope, struct store *s, struct err *e) MUST_CHECK;
// Commits a scope's own transaction when code is ERR_OK, else rolls it back; returns what became.
enum err_code scope_leave(struct scope *scope, enum err_code code, struct err *e) MUST_CHECK;

// Heads of streams and ids that were not written back yet; after it the tables are whole.
enum err_code scope_write_late(struct store *s, struct err *e) MUST_CHECK;

// Creates folder files, opens the database and brings its schema up to date (open.c).
enum event_status state_status(enum row_state state);

#endif
