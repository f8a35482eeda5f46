// SPDX-License-Identifier: Apache-2.0
#include "test/crash/power/power_vfs.h"

#include "base/err.h"

#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HALF_SECTOR = 256, PIECE = 4096 };

// One write or truncation since the file's last sync, and how to take it back.
struct change {
    bool truncates;
    int64_t at; // or the new size
    size_t n;
    char *bytes; // written; NULL with a truncation
    size_t old_n;
    char *old; // what stood there and behind it
    int64_t old_size;
};

// One path, for as long as the program runs: handles come and go.
struct file {
    struct file *next;
    char path[PATH_MAX];
    struct change *changes;
    size_t count, capacity;
    bool fresh;  // made and never synced
    bool gone;   // deleted, which no sync has made certain
    char *ghost; // what it held before that
    size_t ghost_n;
};

struct handle {
    sqlite3_file base;
    struct file *file; // NULL: passes through (temporary files)
    sqlite3_file *real;
};

static struct {
    sqlite3_vfs vfs;
    sqlite3_vfs *real;
    struct file *files;
    char dir[PATH_MAX]; // whose power is cut
    unsigned countdown; // 0: no cut is due
    bool off;
    bool ignore_syncs;
    struct power_counts counts;
    sqlite3 *opened; // the last one
} power;

static bool is_under(const struct file *f)
{
    size_t n = strlen(power.dir);
    return n > 0 && strncmp(f->path, power.dir, n) == 0 && f->path[n] == '/';
}

// False when this change must not happen any more.
static bool has_power(const struct file *f)
{
    if (!is_under(f))
        return true;
    if (!power.off && power.countdown > 0 && --power.countdown == 0)
        power.off = true;
    return !power.off;
}

static void *must_alloc(size_t n)
{
    void *p = malloc(n ? n : 1);
    MUST(p != NULL);
    return p;
}

static struct file *find_file(const char *path)
{
    struct file *f = power.files;
    while (f && strcmp(f->path, path) != 0)
        f = f->next;
    if (f == NULL) {
        f = must_alloc(sizeof *f);
        *f = (struct file){.next = power.files};
        MUST(strlen(path) < sizeof f->path);
        memcpy(f->path, path, strlen(path) + 1);
        power.files = f;
    }
    return f;
}

static void forget_changes(struct file *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free(f->changes[i].bytes);
        free(f->changes[i].old);
    }
    f->count = 0;
}

static void forget_ghost(struct file *f)
{
    free(f->ghost);
    f->ghost = NULL;
    f->gone = false;
}

static struct change *add_change(struct file *f)
{
    if (f->count == f->capacity) {
        f->capacity = f->capacity ? f->capacity * 2 : 64;
        f->changes = realloc(f->changes, f->capacity * sizeof *f->changes);
        MUST(f->changes != NULL);
    }
    return &f->changes[f->count++];
}

// Notes what [at, at + n) and the file's end are before they change.
static int note_old(struct handle *h, int64_t at, size_t n, struct change *c)
{
    sqlite3_int64 size = 0;
    int result = h->real->pMethods->xFileSize(h->real, &size);
    c->old_size = size;
    c->old_n = at >= size ? 0 : (size_t)(size - at) < n ? (size_t)(size - at) : n;
    c->old = must_alloc(c->old_n);
    if (result == SQLITE_OK && c->old_n)
        result = h->real->pMethods->xRead(h->real, c->old, (int)c->old_n, at);
    return result;
}

// ---- a file's methods -------------------------------------------------------------------------

static struct handle *of(sqlite3_file *file)
{
    return (struct handle *)file;
}

static int file_close(sqlite3_file *file)
{
    return of(file)->real->pMethods->xClose(of(file)->real);
}

static int file_read(sqlite3_file *file, void *to, int n, sqlite3_int64 at)
{
    struct handle *h = of(file);
    if (power.off && is_under(h->file))
        return SQLITE_IOERR_READ;
    return h->real->pMethods->xRead(h->real, to, n, at);
}

static int write_piece(struct handle *h, const void *bytes, int n, sqlite3_int64 at)
{
    if (!has_power(h->file))
        return SQLITE_IOERR_WRITE;
    struct change *c = add_change(h->file);
    *c = (struct change){.at = at, .n = (size_t)n, .bytes = must_alloc((size_t)n)};
    memcpy(c->bytes, bytes, (size_t)n);
    power.counts.writes++;
    int result = note_old(h, at, (size_t)n, c);
    return result ? result : h->real->pMethods->xWrite(h->real, bytes, n, at);
}

// However much is written in one call, a disk may keep any part of it.
static int file_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    const char *p = bytes;
    int result = SQLITE_OK;
    for (int done = 0; done < n && result == SQLITE_OK; done += PIECE)
        result = write_piece(of(file), p + done, n - done < PIECE ? n - done : PIECE, at + done);
    return result;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct handle *h = of(file);
    if (!has_power(h->file))
        return SQLITE_IOERR_TRUNCATE;
    struct change *c = add_change(h->file);
    *c = (struct change){.truncates = true, .at = size};
    int result = note_old(h, size, SIZE_MAX, c);
    return result ? result : h->real->pMethods->xTruncate(h->real, size);
}

// The first sync of a new file syncs its folder too, and so every earlier deletion there.
static void settle_folder(const struct file *synced)
{
    size_t n = (size_t)(strrchr(synced->path, '/') + 1 - synced->path);
    for (struct file *f = power.files; f; f = f->next) {
        if (strncmp(f->path, synced->path, n) == 0 && strchr(f->path + n, '/') == NULL)
            forget_ghost(f);
    }
}

// The real disk need not be waited for: nobody cuts its power.
static int file_sync(sqlite3_file *file, int flags)
{
    struct handle *h = of(file);
    (void)flags;
    if (!has_power(h->file))
        return SQLITE_IOERR_FSYNC;
    power.counts.syncs++;
    if (power.ignore_syncs)
        return SQLITE_OK;
    forget_changes(h->file);
    if (h->file->fresh)
        settle_folder(h->file);
    h->file->fresh = false;
    return SQLITE_OK;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *ret)
{
    return of(file)->real->pMethods->xFileSize(of(file)->real, ret);
}

static int file_lock(sqlite3_file *file, int level)
{
    return of(file)->real->pMethods->xLock(of(file)->real, level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return of(file)->real->pMethods->xUnlock(of(file)->real, level);
}

static int file_is_reserved(sqlite3_file *file, int *ret)
{
    return of(file)->real->pMethods->xCheckReservedLock(of(file)->real, ret);
}

static int file_control(sqlite3_file *file, int what, void *argument)
{
    return of(file)->real->pMethods->xFileControl(of(file)->real, what, argument);
}

static int file_sector(sqlite3_file *file)
{
    return of(file)->real->pMethods->xSectorSize(of(file)->real);
}

static int file_traits(sqlite3_file *file)
{
    return of(file)->real->pMethods->xDeviceCharacteristics(of(file)->real);
}

static int file_shm_map(sqlite3_file *file, int region, int n, int extend, void volatile **ret)
{
    return of(file)->real->pMethods->xShmMap(of(file)->real, region, n, extend, ret);
}

static int file_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
    return of(file)->real->pMethods->xShmLock(of(file)->real, offset, n, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
    of(file)->real->pMethods->xShmBarrier(of(file)->real);
}

static int file_shm_unmap(sqlite3_file *file, int delete_it)
{
    return of(file)->real->pMethods->xShmUnmap(of(file)->real, delete_it);
}

static int file_fetch(sqlite3_file *file, sqlite3_int64 at, int n, void **ret)
{
    return of(file)->real->pMethods->xFetch(of(file)->real, at, n, ret);
}

static int file_unfetch(sqlite3_file *file, sqlite3_int64 at, void *p)
{
    return of(file)->real->pMethods->xUnfetch(of(file)->real, at, p);
}

static const sqlite3_io_methods methods = {
    .iVersion = 3,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_is_reserved,
    .xFileControl = file_control,
    .xSectorSize = file_sector,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
    .xFetch = file_fetch,
    .xUnfetch = file_unfetch,
};

// ---- the file system --------------------------------------------------------------------------

static int vfs_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *ret)
{
    (void)vfs;
    enum { NOTED = SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_MAIN_JOURNAL | SQLITE_OPEN_WAL };
    struct handle *h = of(file);
    if (path == NULL || (flags & NOTED) == 0) // a temporary one: takes the whole place
        return power.real->xOpen(power.real, path, file, flags, ret);
    *h = (struct handle){.file = find_file(path), .real = (sqlite3_file *)(h + 1)};
    if (power.off && is_under(h->file))
        return SQLITE_CANTOPEN;
    struct stat st;
    bool was_there = stat(path, &st) == 0;
    int result = power.real->xOpen(power.real, path, h->real, flags, ret);
    h->base.pMethods = h->real->pMethods ? &methods : NULL;
    if (result == SQLITE_OK && !was_there)
        h->file->fresh = true;
    return result;
}

static char *read_whole(const char *path, size_t *ret_n)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    MUST(fd >= 0 && fstat(fd, &st) == 0);
    char *bytes = must_alloc((size_t)st.st_size);
    MUST(pread(fd, bytes, (size_t)st.st_size, 0) == st.st_size);
    close(fd);
    *ret_n = (size_t)st.st_size;
    return bytes;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    (void)vfs;
    struct file *f = find_file(path);
    if (!has_power(f))
        return SQLITE_IOERR_DELETE;
    if (access(path, F_OK) == 0 && !f->fresh && !f->gone) {
        forget_changes(f); // a deleted file's last writes matter to nobody
        f->ghost = read_whole(path, &f->ghost_n);
        f->gone = true;
    }
    forget_changes(f);
    f->fresh = false;
    if (sync_folder && !power.ignore_syncs)
        forget_ghost(f);
    return power.real->xDelete(power.real, path, 0);
}

static int vfs_access(sqlite3_vfs *vfs, const char *path, int flags, int *ret)
{
    (void)vfs;
    return power.real->xAccess(power.real, path, flags, ret);
}

static int vfs_full_path(sqlite3_vfs *vfs, const char *path, int n, char *ret)
{
    (void)vfs;
    return power.real->xFullPathname(power.real, path, n, ret);
}

// Called by SQLite with each connection that is opened.
static int note_opened(sqlite3 *db, char **ret_error, const struct sqlite3_api_routines *api)
{
    (void)ret_error;
    (void)api;
    power.opened = db;
    return SQLITE_OK;
}

void power_install(void)
{
    power.real = sqlite3_vfs_find(NULL);
    MUST(power.real != NULL);
    power.vfs = *power.real;
    power.vfs.pNext = NULL;
    power.vfs.zName = "power";
    power.vfs.szOsFile = (int)sizeof(struct handle) + power.real->szOsFile;
    power.vfs.xOpen = vfs_open;
    power.vfs.xDelete = vfs_delete;
    power.vfs.xAccess = vfs_access;
    power.vfs.xFullPathname = vfs_full_path;
    MUST(sqlite3_vfs_register(&power.vfs, 1) == SQLITE_OK);
    MUST(sqlite3_auto_extension((void (*)(void))note_opened) == SQLITE_OK);
}

void power_checkpoint_after(int pages)
{
    MUST(power.opened && sqlite3_wal_autocheckpoint(power.opened, pages) == SQLITE_OK);
}

void power_cut_after(const char *dir, unsigned n)
{
    MUST(!power.off && n > 0 && strlen(dir) < sizeof power.dir);
    memcpy(power.dir, dir, strlen(dir) + 1);
    power.countdown = n;
}

void power_leave_on(void)
{
    MUST(!power.off);
    power.countdown = 0;
}

bool power_is_off(void)
{
    return power.off;
}

void power_ignore_syncs(bool ignore)
{
    power.ignore_syncs = ignore;
}

struct power_counts power_count(void)
{
    return power.counts;
}

// ---- the damage -------------------------------------------------------------------------------

static void put(int fd, const char *bytes, size_t n, int64_t at)
{
    MUST(pwrite(fd, bytes, n, at) == (ssize_t)n);
}

static void take_back(int fd, const struct change *c)
{
    put(fd, c->old, c->old_n, c->at);
    MUST(ftruncate(fd, c->old_size) == 0);
}

static void make_whole(int fd, const struct change *c)
{
    power.counts.kept++;
    if (c->truncates) {
        MUST(ftruncate(fd, c->at) == 0);
    } else {
        put(fd, c->bytes, c->n, c->at);
    }
}

// Its head or its tail, cut in the middle of a sector.
static void make_torn(int fd, const struct change *c, struct rng *rng)
{
    if (c->truncates || c->n <= HALF_SECTOR) {
        make_whole(fd, c);
        return;
    }
    size_t halves = (c->n - 1) / HALF_SECTOR;
    size_t cut = (rng_below(rng, halves) + 1) * HALF_SECTOR;
    power.counts.torn++;
    if (rng_chance(rng, 3, 4))
        put(fd, c->bytes, cut, c->at);
    else
        put(fd, c->bytes + cut, c->n - cut, c->at + (int64_t)cut);
}

static void make_beginning(int fd, const struct file *f, struct rng *rng)
{
    size_t whole = rng_below(rng, f->count);
    for (size_t i = 0; i < whole; i++)
        make_whole(fd, &f->changes[i]);
    make_torn(fd, &f->changes[whole], rng);
    power.counts.lost += f->count - whole - 1;
}

static void make_mixture(int fd, const struct file *f, struct rng *rng)
{
    size_t *order = must_alloc(f->count * sizeof *order);
    for (size_t i = 0; i < f->count; i++) {
        size_t other = rng_below(rng, i + 1);
        order[i] = order[other];
        order[other] = i;
    }
    for (size_t i = 0; i < f->count; i++) {
        const struct change *c = &f->changes[order[i]];
        if (rng_chance(rng, 1, 2))
            power.counts.lost++;
        else if (rng_chance(rng, 1, 4))
            make_torn(fd, c, rng);
        else
            make_whole(fd, c);
    }
    free(order);
}

static void damage(struct file *f, struct rng *rng)
{
    int fd = open(f->path, O_RDWR | O_CLOEXEC);
    MUST(fd >= 0);
    for (size_t i = f->count; i > 0; i--)
        take_back(fd, &f->changes[i - 1]);
    switch (rng_below(rng, 4)) {
    case 0:
        power.counts.lost += f->count;
        break;
    case 1:
        for (size_t i = 0; i < f->count; i++)
            make_whole(fd, &f->changes[i]);
        break;
    case 2:
        make_beginning(fd, f, rng);
        break;
    default:
        make_mixture(fd, f, rng);
    }
    close(fd);
}

static void bring_back(const struct file *f)
{
    int fd = open(f->path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    MUST(fd >= 0);
    put(fd, f->ghost, f->ghost_n, 0);
    close(fd);
    power.counts.files_back++;
}

static void restore_file(struct file *f, struct rng *rng)
{
    bool there = access(f->path, F_OK) == 0;
    if (there && f->count)
        damage(f, rng);
    if (there && f->fresh && rng_chance(rng, 1, 2)) {
        MUST(unlink(f->path) == 0);
        power.counts.files_gone++;
        there = false;
    }
    if (f->gone && !there && rng_chance(rng, 1, 2))
        bring_back(f);
    forget_changes(f);
    forget_ghost(f);
    f->fresh = false;
}

void power_restore(struct rng *rng)
{
    for (struct file *f = power.files; f; f = f->next) {
        if (is_under(f))
            restore_file(f, rng);
    }
    power.off = false;
    power.countdown = 0;
}
