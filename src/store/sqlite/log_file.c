// SPDX-License-Identifier: Apache-2.0
//
//   log_write --> waits --+-- log_sync, log_read, log_size, log_truncate --> written
//                         +-- the next piece lies elsewhere or is too much --> written
//                         +-- database_shm_lock gives back the write lock --> dropped
//                         +-- log_close --> dropped
//
// An open file is the base's own, with our part behind it and some methods replaced: all others run
// as they are.
#include "store/sqlite/log_file.h"

#include "base/err.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { WRITE_LOCK = 0, ALIGN = 16 }; // of the locks in the shared memory (SQLite's wal.c)

// Our part of an open file.
struct beside {
    sqlite3_file *log;      // of a database whose log is open
    sqlite3_file *database; // of a log
    char *waiting;
    int n;
    sqlite3_int64 at; // where it belongs
    bool passing;     // of a database: nothing waits in its log
};

struct methods {
    const sqlite3_io_methods *base; // NULL before the first such file
    sqlite3_io_methods ours;
};

static pthread_once_t started = PTHREAD_ONCE_INIT;
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER; // of both, until they are set
static struct methods databases, logs;
static sqlite3_vfs system_here, *base;

static size_t base_size(void)
{
    return ((size_t)base->szOsFile + ALIGN - 1) / ALIGN * ALIGN;
}

static struct beside *beside(sqlite3_file *file)
{
    return (struct beside *)(void *)((char *)file + base_size());
}

// ---- a log -------------------------------------------------------------------------------------

// What cannot be written is not kept for another try: the transaction ends with this error.
static int write_waiting(sqlite3_file *file)
{
    struct beside *b = beside(file);
    int n = b->n;
    b->n = 0;
    return n == 0 ? SQLITE_OK : logs.base->xWrite(file, b->waiting, n, b->at);
}

static int log_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    struct beside *b = beside(file);
    if (b->n > 0 && (at != b->at + b->n || n > LOG_FILE_WAITING_BYTES - b->n)) {
        int result = write_waiting(file);
        if (result != SQLITE_OK)
            return result;
    }
    if (n > LOG_FILE_WAITING_BYTES || beside(b->database)->passing)
        return logs.base->xWrite(file, bytes, n, at);
    if (b->n == 0)
        b->at = at;
    memcpy(b->waiting + b->n, bytes, (size_t)n);
    b->n += n;
    return SQLITE_OK;
}

static int log_sync(sqlite3_file *file, int flags)
{
    int result = write_waiting(file);
    return result != SQLITE_OK ? result : logs.base->xSync(file, flags);
}

static int log_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
    int result = write_waiting(file);
    return result != SQLITE_OK ? result : logs.base->xRead(file, to, n, at);
}

static int log_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    int result = write_waiting(file);
    return result != SQLITE_OK ? result : logs.base->xFileSize(file, ret);
}

static int log_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int result = write_waiting(file);
    return result != SQLITE_OK ? result : logs.base->xTruncate(file, size);
}

static int log_close(sqlite3_file *file)
{
    struct beside *b = beside(file);
    beside(b->database)->log = NULL;
    free(b->waiting);
    return logs.base->xClose(file);
}

static void change_log(sqlite3_io_methods *m)
{
    m->xClose = log_close;
    m->xRead = log_read;
    m->xWrite = log_write;
    m->xTruncate = log_truncate;
    m->xSync = log_sync;
    m->xFileSize = log_size;
}

// ---- ahead of what is written ------------------------------------------------------------------

enum { PIECE = 64 * 1024 };

static int write_zeros(sqlite3_file *file, sqlite3_int64 from, sqlite3_int64 to)
{
    char *zeros = calloc(1, PIECE);
    int result = zeros == NULL ? SQLITE_NOMEM : SQLITE_OK;
    while (result == SQLITE_OK && from < to) {
        int n = to - from < PIECE ? (int)(to - from) : PIECE;
        result = logs.base->xWrite(file, zeros, n, from);
        from += n;
    }
    free(zeros);
    return result;
}

void log_file_lengthen(sqlite3 *db, int64_t bytes)
{
    sqlite3_file *file = NULL;
    sqlite3_int64 size = 0;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &file) != SQLITE_OK ||
        file == NULL || file->pMethods != &logs.ours)
        return;
    if (log_size(file, &size) != SQLITE_OK || size >= bytes)
        return;
    if (write_zeros(file, size, bytes) != SQLITE_OK)
        (void)logs.base->xTruncate(file, size);
    else
        (void)logs.base->xSync(file, SQLITE_SYNC_NORMAL);
}

// ---- its database ------------------------------------------------------------------------------

static int database_shm_lock(sqlite3_file *file, int first, int n, int flags)
{
    sqlite3_file *log = beside(file)->log;
    if (first == WRITE_LOCK && (flags & SQLITE_SHM_UNLOCK) != 0 && log != NULL)
        beside(log)->n = 0;
    return databases.base->xShmLock(file, first, n, flags);
}

static void change_database(sqlite3_io_methods *m)
{
    m->xShmLock = database_shm_lock;
}

void log_file_pass(sqlite3 *db, bool passing)
{
    sqlite3_file *file = NULL;
    if (sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file) == SQLITE_OK &&
        file != NULL && file->pMethods == &databases.ours)
        beside(file)->passing = passing;
}

// ---- opening -----------------------------------------------------------------------------------

// False, and the file is left as it is, where its methods are not those of the first of its kind.
static bool take_over(sqlite3_file *file, struct methods *m, void (*change)(sqlite3_io_methods *))
{
    MUST(pthread_mutex_lock(&guard) == 0);
    if (m->base == NULL) {
        m->ours = *file->pMethods;
        change(&m->ours);
        m->base = file->pMethods;
    }
    bool same = m->base == file->pMethods;
    MUST(pthread_mutex_unlock(&guard) == 0);
    if (same)
        file->pMethods = &m->ours;
    return same;
}

// A log waits only where its database is watched too; else it stays SQLite's.
static void open_log(sqlite3_file *file, const char *path)
{
    sqlite3_file *database = sqlite3_database_file_object(path);
    char *waiting = database->pMethods == &databases.ours ? malloc(LOG_FILE_WAITING_BYTES) : NULL;
    if (waiting == NULL || !take_over(file, &logs, change_log)) {
        free(waiting);
        return;
    }
    *beside(file) = (struct beside){.database = database, .waiting = waiting};
    beside(database)->log = file;
}

static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *ret)
{
    (void)vfs;
    int result = base->xOpen(base, path, file, flags, ret);
    if (result != SQLITE_OK)
        return result;
    *beside(file) = (struct beside){.log = NULL};
    if ((flags & SQLITE_OPEN_MAIN_DB) != 0)
        (void)take_over(file, &databases, change_database);
    else if ((flags & SQLITE_OPEN_WAL) != 0)
        open_log(file, path);
    return SQLITE_OK;
}

static void start(void)
{
    base = sqlite3_vfs_find(NULL);
    if (base == NULL)
        return;
    system_here = *base;
    system_here.pNext = NULL;
    system_here.zName = "wasl-log";
    system_here.szOsFile = (int)(base_size() + sizeof(struct beside));
    system_here.xOpen = open_file;
    if (sqlite3_vfs_register(&system_here, 0) != SQLITE_OK)
        base = NULL;
}

const char *log_file_system(void)
{
    MUST(pthread_once(&started, start) == 0);
    return base == NULL ? NULL : system_here.zName;
}
