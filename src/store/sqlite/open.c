// SPDX-License-Identifier: Apache-2.0
//
// A new store is made under another name without a log, and renamed when it is whole: a power cut
// in between leaves no half store behind.
#include "base/clock.h"
#include "store/sqlite/lock.h"
#include "store/sqlite/log_file.h"
#include "store/sqlite/migrate.h"
#include "store/sqlite/questions.h"
#include "store/sqlite/state.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    FRAME_HEAD_BYTES = 24, // in the log, before each page
    LOG_ROOM = 8,          // it is made longer where this many times that is free
};

struct shape {
    int cache_kib;
    int map_mib;
    int checkpoint_pages; // after how many pages in the log a commit also writes them home
};
static const struct shape shapes[] = {
    [ROLE_TERMINAL] = {2048, 0, 2000},
    [ROLE_BRANCH] = {16384, 64, 2000},
    [ROLE_CENTRAL] = {65536, 256, 4000},
};

static enum err_code path_of(const char *dir, const char *name, char to[PATH_MAX], struct err *e)
{
    int n = snprintf(to, PATH_MAX, "%s/%s", dir, name);
    if (n < 0 || n >= PATH_MAX)
        return err_set(e, ERR_LIMIT, "%s: the path is too long", dir);
    return ERR_OK;
}

static enum err_code pragma(struct db *db, const char *name, int64_t value, struct err *e)
{
    char sql[96];
    (void)snprintf(sql, sizeof sql, "PRAGMA %s = %lld", name, (long long)value);
    return db_exec(db, sql, e);
}

// ---- making ------------------------------------------------------------------------------------

static enum err_code meta_put(struct db *db, struct str name, struct str value, struct err *e)
{
    struct query q;
    query_begin(&q, db, Q_META_SET);
    query_text(&q, name);
    query_text(&q, value);
    return query_run(&q, e);
}

static enum err_code meta_drop(struct db *db, struct str name, struct err *e)
{
    struct query q;
    query_begin(&q, db, Q_META_DROP);
    query_text(&q, name);
    return query_run(&q, e);
}

static enum err_code fill(struct db *db, enum node_role role, struct err *e)
{
    uint8_t random[HASH_SIZE];
    char text[HASH_TEXT_SIZE];
    enum err_code code = migrate_fresh(db, e);
    if (code == ERR_OK)
        code = questions_texts(db, e);
    if (code == ERR_OK)
        code = meta_drop(db, STR("refold"), e); // there is nothing yet
    if (code == ERR_OK)
        code = meta_put(db, STR("role"), str_of(node_role_name(role)), e);
    clock_random(random, sizeof random);
    str_to_hex(text, random, sizeof random);
    return code ? code : meta_put(db, STR("salt"), str_of(text), e);
}

static enum err_code sync_path(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    int failed = fsync(fd);
    close(fd);
    return failed ? err_set(e, ERR_IO, "%s: %s", path, strerror(errno)) : ERR_OK;
}

static enum err_code make(const char *dir, const char *path, enum node_role role, struct err *e)
{
    char fresh[PATH_MAX];
    struct db db;
    if (access(path, F_OK) == 0)
        return err_set(e, ERR_EXISTS, "%s is there already", path);
    enum err_code code = path_of(dir, "wasl.db.new", fresh, e);
    if (code)
        return code;
    (void)unlink(fresh);
    code = db_open(&db, fresh, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, e);
    if (code)
        return code;
    code = fill(&db, role, e);
    db_close(&db);
    if (code == ERR_OK)
        code = sync_path(fresh, e);
    if (code == ERR_OK && rename(fresh, path) != 0)
        code = err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    if (code == ERR_OK)
        code = sync_path(dir, e);
    if (code)
        (void)unlink(fresh);
    return code;
}

// ---- opening -----------------------------------------------------------------------------------

static enum err_code read_meta(struct store *s, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_META_GET);
    query_text(&q, STR("role"));
    bool known = query_row(&q) && node_role_parse(query_get_text(&q, 0), &s->role) == ERR_OK;
    enum err_code code = query_end(&q, e);
    if (code || !known)
        return code ? code : err_set(e, ERR_DAMAGED, "%s: the store does not say its role", s->dir);
    query_begin(&q, &s->db, Q_META_GET);
    query_text(&q, STR("salt"));
    known = query_row(&q) && hash_parse(query_get_text(&q, 0), &s->fold.ids.salt) == ERR_OK;
    code = query_end(&q, e);
    if (code == ERR_OK && !known)
        code = err_set(e, ERR_DAMAGED, "%s: the store has no salt", s->dir);
    return code;
}

static enum err_code read_last(struct store *s, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_LAST_LSN);
    if (query_row(&q))
        s->last_lsn = query_get_int(&q, 0);
    return query_end(&q, e);
}

static enum err_code set_shape(struct store *s, struct err *e)
{
    const struct shape *shape = &shapes[s->role];
    enum err_code code = pragma(&s->db, "cache_size", -shape->cache_kib, e);
    if (code == ERR_OK)
        code = pragma(&s->db, "mmap_size", (int64_t)shape->map_mib * 1024 * 1024, e);
    if (code == ERR_OK && !s->read_only)
        code = pragma(&s->db, "wal_autocheckpoint", shape->checkpoint_pages, e);
    return code;
}

static enum err_code set_room(struct store *s, struct err *e)
{
    struct query q;
    s->room.dir = s->dir;
    s->room.db = &s->db;
    s->room.checkpoint_pages = shapes[s->role].checkpoint_pages;
    query_begin(&q, &s->db, Q_PAGE_SIZE);
    s->room.page_bytes = query_row(&q) ? query_get_int(&q, 0) : 0;
    enum err_code code = query_end(&q, e);
    if (code == ERR_OK && s->room.page_bytes <= 0)
        code = err_set(e, ERR_DAMAGED, "%s: the store does not say its page size", s->dir);
    return code || s->read_only ? code : room_open(&s->room, e);
}

static enum err_code upgrade(struct store *s, struct err *e)
{
    int version = 0;
    enum err_code code = s->read_only ? migrate_version(&s->db, &version, e)
                                      : migrate_run(&s->db, migration_count, e);
    if (code)
        return code;
    if (!s->read_only)
        return questions_texts(&s->db, e);
    if (version > migration_count)
        return err_set(e, ERR_NEWER, "%s: made by a newer version of this program", s->dir);
    if (version < migration_count)
        return err_set(e, ERR_INVALID, "%s: must be opened for writing once to be upgraded",
                       s->dir);
    return ERR_OK;
}

static bool nobody_can_write(const char *dir)
{
    struct statvfs fs;
    return statvfs(dir, &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0;
}

static enum err_code open_file(struct store *s, const char *path, struct err *e)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return err_set(e, ERR_NOT_FOUND, "%s: no store there", s->dir);
    if (st.st_size == 0) // SQLite would begin a new one, and throw away the log beside it
        return err_set(e, ERR_DAMAGED, "%s: the store's file is empty", s->dir);
    if (!s->read_only)
        return db_open(&s->db, path, SQLITE_OPEN_READWRITE, e);
    if (nobody_can_write(s->dir))
        return db_open_still(&s->db, path, e);
    return db_open(&s->db, path, SQLITE_OPEN_READONLY, e);
}

// After a kill heads are behind and are written back: here, where a full disk can be met. Where it
// cannot be helped they stay behind, and every transaction finds them by their rows.
static enum err_code write_heads(struct store *s, struct err *e)
{
    enum err_code code = stream_cache_flush(&s->streams, e);
    if (code != ERR_DISK_FULL || !(s->room.reserve & RESERVE_DISK))
        return code;
    stream_cache_clear(&s->streams);
    s->streams.stale = true;
    return ERR_OK;
}

static enum err_code set_up(struct store *s, const char *path, struct err *e)
{
    enum err_code code = open_file(s, path, e);
    if (code == ERR_OK && !s->read_only)
        code = db_exec(&s->db,
                       "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                       "PRAGMA secure_delete = OFF; PRAGMA journal_size_limit = 67108864",
                       e);
    if (code == ERR_OK)
        code = upgrade(s, e);
    if (code == ERR_NOT_FOUND && s->read_only && s->db.handle != NULL) // the log, not the store
        code = err_set(e, ERR_READ_ONLY, "%s: its log cannot be read without writing", s->dir);
    if (code == ERR_OK)
        code = read_meta(s, e);
    if (code == ERR_OK)
        code = set_shape(s, e);
    if (code == ERR_OK)
        code = read_last(s, e);
    s->streams.stale = !s->read_only;
    s->fold.ids.shared = s->read_only;
    s->fold.confirms = s->role != ROLE_CENTRAL;
    s->fold.asks = s->role == ROLE_CENTRAL;
    if (code == ERR_OK)
        code = set_room(s, e);
    return code || s->read_only ? code : write_heads(s, e);
}

static enum err_code open_in(struct store *s, const struct store_options *options, struct err *e)
{
    char path[PATH_MAX];
    enum err_code code = path_of(options->dir, "wasl.db", path, e);
    if (code == ERR_OK && options->create && mkdir(options->dir, 0755) != 0 && errno != EEXIST)
        code = err_set(e, errno == ENOSPC ? ERR_DISK_FULL : ERR_IO, "%s: %s", options->dir,
                       strerror(errno));
    if (code == ERR_OK && !options->create && access(path, F_OK) != 0)
        code = err_set(e, ERR_NOT_FOUND, "%s: no store there", options->dir);
    if (code == ERR_OK && !options->read_only)
        code = lock_take(options->dir, &s->lock_fd, e);
    if (code == ERR_OK && options->create)
        code = make(options->dir, path, options->role, e);
    if (code == ERR_OK)
        code = set_up(s, path, e);
    if (code != ERR_DISK_FULL || options->read_only)
        return code;
    stream_cache_clear(&s->streams);
    db_close(&s->db); // the last piece of the disk is taken: a node must start all the same
    room_drop_ballast(&(struct room){.dir = s->dir});
    return set_up(s, path, e);
}

// A migration that changed how events are folded asks for all of it to be done again.
static enum err_code refold_if_asked(struct store *s, struct err *e)
{
    struct query q;
    struct scope scope;
    query_begin(&q, &s->db, Q_META_GET);
    query_text(&q, STR("refold"));
    bool asked = query_row(&q);
    enum err_code code = query_end(&q, e);
    if (code || !asked)
        return code;
    code = scope_enter(&scope, s, e);
    if (code)
        return code;
    code = store_rebuild(s, NULL, NULL, e);
    if (code == ERR_OK)
        code = meta_drop(&s->db, STR("refold"), e);
    return scope_leave(&scope, code, e);
}

enum err_code store_open(const struct store_options *options, struct store **ret, struct err *e)
{
    struct store *s = calloc(1, sizeof *s);
    if (s == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for a store");
    s->lock_fd = -1;
    s->read_only = options->read_only;
    s->room.max_bytes = options->max_bytes;
    s->room.ballast_bytes = options->ballast_bytes;
    s->dir = strdup(options->dir);
    stream_cache_init(&s->streams, &s->db);
    fold_init(&s->fold, &s->db, &s->db);
    s->fold.store = s;
    enum err_code code = s->dir == NULL ? err_set(e, ERR_NO_MEMORY, "out of memory for a store")
                                        : open_in(s, options, e);
    s->whole = code == ERR_OK;
    if (code == ERR_OK && !s->read_only)
        code = refold_if_asked(s, e);
    if (code) {
        store_close(s);
        return code;
    }
    *ret = s;
    return ERR_OK;
}

void store_close(struct store *s)
{
    if (s == NULL)
        return;
    store_rollback(s);
    if (s->whole && scope_write_late(s, NULL))
        stream_cache_clear(&s->streams); // the next one to open finds them by their rows
    fold_fini(&s->fold);
    stream_cache_fini(&s->streams);
    db_close(&s->db);
    lock_release(s->lock_fd);
    free(s->dir);
    free(s);
}

void store_lengthen_log(struct store *s)
{
    int64_t free_bytes = 0, all = 0;
    int64_t bytes = shapes[s->role].checkpoint_pages * (s->room.page_bytes + FRAME_HEAD_BYTES);
    bool may = !s->read_only && s->role != ROLE_CENTRAL && s->room.reserve == 0 &&
               room_free_bytes(s->dir, &free_bytes, &all, NULL) == ERR_OK &&
               free_bytes / LOG_ROOM >= bytes;
    if (!may || store_begin(s, NULL))
        return;
    log_file_lengthen(s->db.handle, bytes);
    store_rollback(s);
}

void store_set_key(struct store *s, const struct sign_public *key)
{
    s->key = *key;
    s->key_known = true;
}

enum node_role store_role(const struct store *s)
{
    return s->role;
}

enum err_code store_meta_get(struct store *s, const char *name, struct arena *a, struct str *ret,
                             struct err *e)
{
    struct query q;
    struct str value = STR("");
    query_begin(&q, &s->db, Q_META_GET);
    query_text(&q, str_of(name));
    bool found = query_row(&q);
    if (found)
        value = arena_copy(a, query_get_text(&q, 0));
    enum err_code code = query_end(&q, e);
    if (code)
        return code;
    if (!found)
        return err_set(e, ERR_NOT_FOUND, "the store has no '%s'", name);
    if (value.p == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    *ret = value;
    return ERR_OK;
}

enum err_code store_meta_set(struct store *s, const char *name, struct str value, struct err *e)
{
    return meta_put(&s->db, str_of(name), value, e);
}

unsigned store_reserve(const struct store *s)
{
    return __atomic_load_n(&s->room.reserve, __ATOMIC_RELAXED);
}

enum err_code store_room(struct store *s, struct store_room *ret, struct err *e)
{
    return room_measure(&s->room, s->read_only, ret, e);
}

enum err_code store_fsync_us(struct store *s, int64_t *ret, struct err *e)
{
    *ret = 0;
    enum err_code code = s->read_only ? ERR_OK : lock_fsync_us(s->dir, ret, e);
    if (code == ERR_DISK_FULL)
        *ret = 0;
    return code == ERR_DISK_FULL ? ERR_OK : code;
}
