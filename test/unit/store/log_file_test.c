// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/log_file.h"

#include "test/unit/unit.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

struct place {
    char dir[64];
    char file[80];
};

static void place_make(struct place *p)
{
    bool memory = access("/dev/shm", W_OK) == 0;
    *p = (struct place){.dir = ""};
    (void)snprintf(p->dir, sizeof p->dir, "%s/wasl_log_XXXXXX", memory ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(p->dir));
    (void)snprintf(p->file, sizeof p->file, "%s/wasl.db", p->dir);
}

static void place_remove(struct place *p)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char path[96];
    for (size_t i = 0; i < COUNT_OF(ends); i++) {
        (void)snprintf(path, sizeof path, "%s%s", p->file, ends[i]);
        (void)unlink(path);
    }
    assert_int_equal(rmdir(p->dir), 0);
}

static void run(sqlite3 *db, const char *sql)
{
    if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
        fail_msg("%s: %s", sql, sqlite3_errmsg(db));
}

static sqlite3 *open_with(const struct place *p, const char *system)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    assert_int_equal(sqlite3_open_v2(p->file, &db, flags, system), SQLITE_OK);
    run(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
            "CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, of TEXT, x BLOB)");
    return db;
}

static int64_t number(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static void assert_sound(sqlite3 *db)
{
    assert_int_equal(number(db, "SELECT count(*) FROM pragma_integrity_check"
                                " WHERE integrity_check <> 'ok'"),
                     0);
}

// Calls that write, of this process until now.
static int64_t written_calls(void)
{
    long long calls = -1;
    char line[128];
    FILE *f = fopen("/proc/self/io", "re");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL && sscanf(line, "syscw: %lld", &calls) != 1) {
    }
    (void)fclose(f);
    return calls;
}

TEST(log_file__writes_a_commit_in_one_call)
{
    enum { COMMITS = 50 };
    struct place p;
    place_make(&p);
    sqlite3 *db = open_with(&p, log_file_system());
    run(db, "INSERT INTO t (of, x) VALUES ('first', zeroblob(9000))");
    int64_t before = written_calls();
    for (int i = 0; i < COMMITS; i++)
        run(db, "INSERT INTO t (of, x) VALUES ('sale', zeroblob(9000))"); // three pages and more
    assert_int_equal(written_calls() - before, COMMITS);
    sqlite3_close(db);
    place_remove(&p);
}

// Others see each commit at once, and so does whoever starts after the process was killed: here,
// one who looks at copies of the files.
TEST(log_file__keeps_nothing_of_a_commit_to_itself)
{
    struct place p, copy;
    char command[256];
    place_make(&p);
    place_make(&copy);
    sqlite3 *db = open_with(&p, log_file_system());
    sqlite3 *other = open_with(&p, NULL);
    for (int i = 1; i <= 20; i++) {
        run(db, "INSERT INTO t (of, x) VALUES ('sale', randomblob(9000))");
        assert_int_equal(number(other, "SELECT count(*) FROM t"), i);
    }
    (void)snprintf(command, sizeof command, "cp %s %s-wal %s", p.file, p.file, copy.dir);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): the test's own words
    sqlite3 *after = open_with(&copy, NULL);
    assert_int_equal(number(after, "SELECT count(*) FROM t"), 20);
    assert_sound(after);
    sqlite3_close(after);
    sqlite3_close(other);
    sqlite3_close(db);
    place_remove(&copy);
    place_remove(&p);
}

// A transaction too large for the cache gives pages to the log before it ends. When it is rolled
// back, another program may write there.
TEST(log_file__drops_what_was_rolled_back)
{
    struct place p;
    place_make(&p);
    sqlite3 *db = open_with(&p, log_file_system());
    sqlite3 *other = open_with(&p, NULL);
    run(db, "PRAGMA cache_size = 4");
    for (int i = 0; i < 40; i++)
        run(db, "INSERT INTO t (of, x) VALUES ('first', randomblob(3000))");
    for (int round = 1; round <= 8; round++) {
        char sql[128];
        (void)snprintf(sql, sizeof sql,
                       "PRAGMA wal_checkpoint; BEGIN IMMEDIATE;"
                       "UPDATE t SET of = 'loser' WHERE n <= %d; ROLLBACK",
                       4 + 4 * round); // reads nothing from the log, neither then nor to undo it
        run(db, sql);
        run(other, "UPDATE t SET of = 'other', x = randomblob(3000) WHERE n > 30");
        run(db, "UPDATE t SET of = 'sales', x = randomblob(3000) WHERE n < 10");
        assert_int_equal(number(other, "SELECT count(*) FROM t WHERE of = 'sales'"), 9);
    }
    sqlite3_close(db);
    sqlite3_close(other);
    db = open_with(&p, NULL);
    assert_sound(db);
    assert_int_equal(number(db, "SELECT count(*) FROM t WHERE of = 'sales'"), 9);
    assert_int_equal(number(db, "SELECT count(*) FROM t WHERE of = 'other'"), 10);
    sqlite3_close(db);
    place_remove(&p);
}

TEST(log_file__reads_back_pages_of_a_transaction_that_did_not_fit)
{
    struct place p;
    place_make(&p);
    sqlite3 *db = open_with(&p, log_file_system());
    run(db, "PRAGMA cache_size = 4; BEGIN IMMEDIATE");
    for (int i = 0; i < 60; i++)
        run(db, "INSERT INTO t (of, x) VALUES ('sale', randomblob(9000))");
    run(db, "UPDATE t SET of = 'again' WHERE n % 2 = 0; COMMIT");
    assert_int_equal(number(db, "SELECT count(*) FROM t WHERE of = 'again'"), 30);
    assert_int_equal(number(db, "SELECT sum(length(x)) FROM t"), 60 * 9000);
    assert_sound(db);
    run(db, "PRAGMA wal_checkpoint(TRUNCATE)");
    assert_sound(db);
    sqlite3_close(db);
    place_remove(&p);
}

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

// The log cannot grow: the commit that meets it fails, and the next one that fits is as good as
// any.
TEST(log_file__tells_a_commit_that_it_was_not_written)
{
    struct place p;
    int done = 0;
    place_make(&p);
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    sqlite3 *db = open_with(&p, log_file_system());
    limit_files((rlim_t)256 * 1024);
    while (done < 100 && sqlite3_exec(db, "INSERT INTO t (of, x) VALUES ('sale', randomblob(9000))",
                                      NULL, NULL, NULL) == SQLITE_OK)
        done++;
    limit_files(RLIM_INFINITY);
    assert_in_range(done, 2, 30);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), done);
    run(db, "INSERT INTO t (of, x) VALUES ('sale', randomblob(9000))");
    sqlite3_close(db);
    db = open_with(&p, NULL);
    assert_int_equal(number(db, "SELECT count(*) FROM t"), done + 1);
    assert_sound(db);
    sqlite3_close(db);
    (void)signal(SIGXFSZ, before);
    place_remove(&p);
}

static int64_t log_bytes(const struct place *p)
{
    char path[96];
    struct stat st;
    (void)snprintf(path, sizeof path, "%s-wal", p->file);
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void lengthen(sqlite3 *db, int64_t bytes)
{
    run(db, "BEGIN IMMEDIATE");
    log_file_lengthen(db, bytes);
    run(db, "ROLLBACK");
}

// As many commits as do not fill it; what is behind them is nothing to whoever reads the log.
TEST(log_file__of_greater_length_ends_where_its_frames_do)
{
    enum { BYTES = 1024 * 1024, COMMITS = 20 };
    struct place p, copy;
    char command[256];
    place_make(&p);
    place_make(&copy);
    sqlite3 *db = open_with(&p, log_file_system());
    run(db, "INSERT INTO t (of, x) VALUES ('sale', randomblob(9000))");
    lengthen(db, BYTES);
    assert_int_equal(log_bytes(&p), BYTES);
    sqlite3 *other = open_with(&p, NULL);
    for (int i = 2; i <= COMMITS; i++) {
        run(db, "INSERT INTO t (of, x) VALUES ('sale', randomblob(9000))");
        assert_int_equal(number(other, "SELECT count(*) FROM t"), i);
    }
    assert_int_equal(log_bytes(&p), BYTES);
    (void)snprintf(command, sizeof command, "cp %s %s-wal %s", p.file, p.file, copy.dir);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): the test's own words
    sqlite3 *after = open_with(&copy, NULL);
    assert_int_equal(number(after, "SELECT count(*) FROM t"), COMMITS);
    assert_sound(after);
    sqlite3_close(after);
    sqlite3_close(other);
    sqlite3_close(db);
    place_remove(&p);
    place_remove(&copy);
}

TEST(log_file__is_never_made_shorter_and_another_one_is_left_alone)
{
    struct place p;
    place_make(&p);
    sqlite3 *db = open_with(&p, log_file_system());
    lengthen(db, 100 * 1024);
    lengthen(db, 50 * 1024);
    assert_int_equal(log_bytes(&p), 100 * 1024);
    sqlite3_close(db);
    db = open_with(&p, NULL); // SQLite's own
    int64_t before = log_bytes(&p);
    lengthen(db, 100 * 1024);
    assert_int_equal(log_bytes(&p), before);
    sqlite3_close(db);
    place_remove(&p);
}

TEST(log_file__gives_back_what_does_not_fit)
{
    struct place p;
    place_make(&p);
    void (*before)(int) = signal(SIGXFSZ, SIG_IGN);
    sqlite3 *db = open_with(&p, log_file_system());
    int64_t bytes = log_bytes(&p);
    limit_files((rlim_t)256 * 1024);
    lengthen(db, 1024 * 1024);
    limit_files(RLIM_INFINITY);
    assert_int_equal(log_bytes(&p), bytes);
    run(db, "INSERT INTO t (of, x) VALUES ('sale', randomblob(9000))");
    assert_int_equal(number(db, "SELECT count(*) FROM t"), 1);
    assert_sound(db);
    sqlite3_close(db);
    (void)signal(SIGXFSZ, before);
    place_remove(&p);
}
