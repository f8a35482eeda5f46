// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/room.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    BALLAST_ROOM = 3, // it is made where this many times its size is free: most stays free
    QUOTA_PART = 8,   // the reserve of a quota is at most this part of it
    LOOK_AGAIN_MS = 2000,
    RESERVE_CHECKPOINT_PAGES = 64, // the reserve is for rows, not for a long log
};

static enum err_code path_of_ballast(const char *dir, char to[PATH_MAX], struct err *e)
{
    int n = snprintf(to, PATH_MAX, "%s/wasl.ballast", dir);
    if (n < 0 || n >= PATH_MAX)
        return err_set(e, ERR_LIMIT, "%s: the path is too long", dir);
    return ERR_OK;
}

enum err_code room_free_bytes(const char *dir, int64_t *ret_free, int64_t *ret_all, struct err *e)
{
    struct statvfs fs;
    if (statvfs(dir, &fs) != 0)
        return err_set(e, ERR_IO, "%s: %s", dir, strerror(errno));
    *ret_free = (int64_t)fs.f_bavail * (int64_t)fs.f_frsize;
    *ret_all = (int64_t)(fs.f_blocks - fs.f_bfree + fs.f_bavail) * (int64_t)fs.f_frsize;
    return ERR_OK;
}

// ---- the ballast --------------------------------------------------------------------------------

static bool is_whole(const struct room *r, const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_size == r->ballast_bytes;
}

// False when it cannot be: that is no error, only less room than one would wish.
static bool make_ballast(const struct room *r, const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return false;
    int failed = posix_fallocate(fd, 0, r->ballast_bytes);
    close(fd);
    if (failed)
        (void)unlink(path);
    return !failed;
}

static bool has_room_for_ballast(const struct room *r)
{
    int64_t free_bytes = 0, all = 0;
    return room_free_bytes(r->dir, &free_bytes, &all, NULL) == ERR_OK &&
           free_bytes / BALLAST_ROOM >= r->ballast_bytes;
}

static bool keep_ballast(const struct room *r)
{
    char path[PATH_MAX];
    if (path_of_ballast(r->dir, path, NULL))
        return false;
    return is_whole(r, path) || (has_room_for_ballast(r) && make_ballast(r, path));
}

void room_drop_ballast(const struct room *r)
{
    char path[PATH_MAX];
    if (path_of_ballast(r->dir, path, NULL) == ERR_OK)
        (void)unlink(path);
}

// The log gives back what it holds, and stays short: its room is part of the reserve.
static void shorten_log(struct room *r)
{
    (void)sqlite3_wal_autocheckpoint(r->db->handle, RESERVE_CHECKPOINT_PAGES);
    (void)sqlite3_wal_checkpoint_v2(r->db->handle, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
}

// ---- the quota ----------------------------------------------------------------------------------

static int64_t quota_reserve(const struct room *r)
{
    int64_t part = r->max_bytes / QUOTA_PART;
    return r->ballast_bytes < part ? r->ballast_bytes : part;
}

// What may be used before the reserve.
static int64_t quota_soft(const struct room *r)
{
    return r->max_bytes - quota_reserve(r);
}

static enum err_code limit_pages(struct room *r, int64_t bytes, struct err *e)
{
    char sql[64];
    (void)snprintf(sql, sizeof sql, "PRAGMA max_page_count = %lld",
                   (long long)(bytes / r->page_bytes));
    return db_exec(r->db, sql, e);
}

static enum err_code read_number(struct room *r, enum db_statement statement, int64_t *ret,
                                 struct err *e)
{
    struct query q;
    query_begin(&q, r->db, statement);
    *ret = query_row(&q) ? query_get_int(&q, 0) : 0;
    return query_end(&q, e);
}

static enum err_code used_bytes(struct room *r, int64_t *ret, struct err *e)
{
    int64_t pages = 0, unused = 0;
    enum err_code code = read_number(r, Q_PAGE_COUNT, &pages, e);
    if (code == ERR_OK)
        code = read_number(r, Q_FREE_PAGES, &unused, e);
    *ret = (pages - unused) * r->page_bytes;
    return code;
}

static bool quota_has_room(struct room *r)
{
    int64_t used = 0, soft = quota_soft(r);
    return used_bytes(r, &used, NULL) == ERR_OK && used < soft - soft / 64;
}

// ---- in and out of the reserve ------------------------------------------------------------------

static void enter(struct room *r, enum store_reserve which)
{
    __atomic_fetch_or(&r->reserve, which, __ATOMIC_RELAXED);
    r->entered++;
    r->look_ms = clock_mono_ms() + LOOK_AGAIN_MS;
    if (which == RESERVE_QUOTA) {
        (void)!limit_pages(r, r->max_bytes, NULL);
        return;
    }
    room_drop_ballast(r);
    shorten_log(r);
}

static void leave(struct room *r, enum store_reserve which)
{
    __atomic_fetch_and(&r->reserve, ~(unsigned)which, __ATOMIC_RELAXED);
    if (which == RESERVE_QUOTA)
        (void)!limit_pages(r, quota_soft(r), NULL);
    else
        (void)sqlite3_wal_autocheckpoint(r->db->handle, r->checkpoint_pages);
}

enum err_code room_open(struct room *r, struct err *e)
{
    enum err_code code = ERR_OK;
    if (r->max_bytes > 0)
        code = limit_pages(r, quota_soft(r), e);
    if (code)
        return code;
    if (r->ballast_bytes == 0) {
        room_drop_ballast(r);
        return ERR_OK;
    }
    if (r->max_bytes > 0 && !quota_has_room(r))
        enter(r, RESERVE_QUOTA);
    if (!keep_ballast(r))
        enter(r, RESERVE_DISK);
    return ERR_OK;
}

void room_look(struct room *r)
{
    if (r->reserve == 0 || clock_mono_ms() < r->look_ms)
        return;
    r->look_ms = clock_mono_ms() + LOOK_AGAIN_MS;
    if ((r->reserve & RESERVE_QUOTA) && quota_has_room(r))
        leave(r, RESERVE_QUOTA);
    if ((r->reserve & RESERVE_DISK) && keep_ballast(r))
        leave(r, RESERVE_DISK);
}

// SQLite says "full" of its own limit and of a disk alike; a user's quota has an errno.
void room_met_full(struct room *r)
{
    int64_t free_bytes = 0, all = 0;
    bool disk = r->db->full == DB_FULL_DISK || r->max_bytes == 0 ||
                (room_free_bytes(r->dir, &free_bytes, &all, NULL) == ERR_OK &&
                 free_bytes < r->ballast_bytes);
    enum store_reserve which = disk ? RESERVE_DISK : RESERVE_QUOTA;
    r->db->full = DB_FULL_NOT;
    if (r->ballast_bytes > 0 && !(r->reserve & which))
        enter(r, which);
}

enum err_code room_measure(struct room *r, bool read_only, struct store_room *ret, struct err *e)
{
    char path[PATH_MAX];
    struct store_room room = {
        .max_bytes = r->max_bytes, .reserve = r->reserve, .entered = r->entered};
    enum err_code code = room_free_bytes(r->dir, &room.free_bytes, &room.disk_bytes, e);
    if (code == ERR_OK)
        code = used_bytes(r, &room.used_bytes, e);
    if (code == ERR_OK)
        code = path_of_ballast(r->dir, path, e);
    if (code)
        return code;
    if (read_only && r->ballast_bytes > 0) { // the writer's own state is not seen here
        bool short_of_disk = !is_whole(r, path) && !has_room_for_ballast(r);
        bool short_of_quota = r->max_bytes > 0 && room.used_bytes >= quota_soft(r);
        room.reserve = (short_of_disk ? RESERVE_DISK : 0u) | (short_of_quota ? RESERVE_QUOTA : 0u);
    }
    *ret = room;
    return ERR_OK;
}
