// SPDX-License-Identifier: Apache-2.0
//
// A passing transaction commits with synchronous = NORMAL, any other with FULL. Both go into one
// log, in order, and an intact beginning of it is what SQLite finds after a power cut. So
//   1. a FULL commit syncs the log's file, and with its own frames all that stand before them;
//   2. a checkpoint syncs the log before it writes a page home, and the database before the log
//      begins anew (with NORMAL as with FULL; with OFF it would not): what is home was synced;
//   3. what a cut takes is therefore an end of the history that holds passing transactions alone.
#include "store/sqlite/log_file.h"
#include "store/sqlite/state.h"

enum {
    PASSING_PAGES = 64
}; // after so many unsynced ones the next commit syncs: a sale that comes
   // waits for them too

static enum err_code run(struct store *s, enum db_statement statement, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, statement);
    return query_run(&q, e);
}

// Cannot be changed inside of a transaction.
static enum err_code set_passing(struct store *s, bool passing, struct err *e)
{
    if (s->passing == passing)
        return ERR_OK;
    log_file_pass(s->db.handle, true);
    enum err_code code =
        db_exec(&s->db, passing ? "PRAGMA synchronous = NORMAL" : "PRAGMA synchronous = FULL", e);
    if (code == ERR_OK)
        s->passing = passing;
    log_file_pass(s->db.handle, s->passing);
    return code;
}

// How many pages the log got since the last call.
static int64_t pages_written(struct store *s)
{
    int count = 0, highest = 0;
    (void)sqlite3_db_status(s->db.handle, SQLITE_DBSTATUS_CACHE_WRITE, &count, &highest, 1);
    return count;
}

static enum err_code begin(struct store *s, struct err *e)
{
    MUST(!s->in_transaction);
    if (s->read_only)
        return err_set(e, ERR_READ_ONLY, "the store was opened for reading only");
    stream_cache_bound(&s->streams);
    if (s->db.full) // met outside of any transaction
        room_met_full(&s->room);
    room_look(&s->room);
    enum err_code code = run(s, Q_BEGIN, e);
    s->in_transaction = code == ERR_OK;
    turns_clear(&s->fold.turns);
    if (code == ERR_OK && s->fold.asks)
        code = turns_begin(&s->fold.turns, &s->db, e);
    if (code == ERR_OK)
        code = stream_cache_level(&s->streams, e);
    if (code)
        store_rollback(s);
    return code;
}

enum err_code store_begin(struct store *s, struct err *e)
{
    enum err_code code = s->read_only ? ERR_OK : set_passing(s, false, e);
    return code ? code : begin(s, e);
}

enum err_code store_begin_passing(struct store *s, struct err *e)
{
    if (s->read_only || s->passed_pages >= PASSING_PAGES)
        return store_begin(s, e);
    enum err_code code = set_passing(s, true, e);
    if (code == ERR_OK)
        code = begin(s, e);
    return code;
}

// Nothing that follows by itself may pass: statements outside of a transaction, or the close.
static void end_passing(struct store *s)
{
    (void)!set_passing(s, false, NULL); // else store_begin tries again, and says so
}

static void count_passed(struct store *s)
{
    int64_t pages = pages_written(s);
    if (s->passing)
        s->passed_pages += pages;
    else if (pages > 0) // one that wrote nothing synced nothing
        s->passed_pages = 0;
}

// A full disk rolls back inside SQLite; whatever came after would be a half transaction.
static enum err_code still_open(struct store *s, struct err *e)
{
    if (sqlite3_get_autocommit(s->db.handle) == 0)
        return ERR_OK;
    return s->db.full ? err_set(e, ERR_DISK_FULL, "the disk or the store's quota is full")
                      : err_set(e, ERR_IO, "the transaction was rolled back");
}

enum err_code store_commit(struct store *s, struct err *e)
{
    MUST(s->in_transaction);
    enum err_code code = still_open(s, e);
    if (code == ERR_OK)
        code = fold_flush(&s->fold, e);
    if (code == ERR_OK)
        code = stream_cache_settle(&s->streams, e);
    if (code == ERR_OK)
        code = ids_settle(&s->fold.ids, s->last_lsn, e);
    if (code == ERR_OK)
        code = run(s, Q_COMMIT, e);
    if (code) {
        store_rollback(s);
        return code;
    }
    s->in_transaction = false;
    count_passed(s);
    end_passing(s);
    return ERR_OK;
}

void store_rollback(struct store *s)
{
    if (!s->in_transaction)
        return;
    db_undo(&s->db);
    s->in_transaction = false;
    end_passing(s);
    fold_forget(&s->fold);
    revoke_forget(&s->fold);
    ids_forget(&s->fold.ids);
    stream_cache_clear(&s->streams);
    s->streams.stale = true;
    struct query q;
    query_begin(&q, &s->db, Q_LAST_LSN);
    int64_t last = query_row(&q) ? query_get_int(&q, 0) : s->last_lsn;
    if (query_end(&q, NULL) == ERR_OK) // else the next insert refuses a wrong one
        s->last_lsn = last;
    if (s->db.full)
        room_met_full(&s->room); // the next try finds room for what must go on
}

enum err_code scope_enter(struct scope *scope, struct store *s, struct err *e)
{
    *scope = (struct scope){.s = s, .mine = !s->in_transaction};
    return scope->mine ? store_begin(s, e) : still_open(s, e);
}

enum err_code scope_leave(struct scope *scope, enum err_code code, struct err *e)
{
    if (!scope->mine)
        return code;
    if (code == ERR_OK)
        return store_commit(scope->s, e);
    store_rollback(scope->s);
    return code;
}

enum err_code scope_write_late(struct store *s, struct err *e)
{
    struct scope scope;
    if (s->read_only)
        return ERR_OK; // its readers know how far behind the tables may be
    enum err_code code = scope_enter(&scope, s, e);
    if (code)
        return code;
    code = stream_cache_flush(&s->streams, e);
    if (code == ERR_OK)
        code = ids_flush(&s->fold.ids, s->last_lsn, e);
    return scope_leave(&scope, code, e);
}
