// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/lock.h"

#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static enum err_code path_in(const char *dir, const char *name, char to[PATH_MAX], struct err *e)
{
    int n = snprintf(to, PATH_MAX, "%s/%s", dir, name);
    if (n < 0 || n >= PATH_MAX)
        return err_set(e, ERR_LIMIT, "%s: the path is too long", dir);
    return ERR_OK;
}

static enum err_code io_error(const char *path, struct err *e)
{
    enum err_code code = errno == ENOSPC || errno == EDQUOT ? ERR_DISK_FULL : ERR_IO;
    if (errno == ENOENT)
        code = ERR_NOT_FOUND;
    else if (errno == EROFS || errno == EACCES || errno == EPERM)
        code = ERR_READ_ONLY;
    return err_set(e, code, "%s: %s", path, strerror(errno));
}

static long holder_of(int fd)
{
    char text[32] = "";
    ssize_t n = pread(fd, text, sizeof text - 1, 0);
    return n > 0 ? strtol(text, NULL, 10) : 0;
}

enum err_code lock_take(const char *dir, int *ret_fd, struct err *e)
{
    char path[PATH_MAX], text[32];
    enum err_code code = path_in(dir, "wasl.lock", path, e);
    if (code)
        return code;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return io_error(path, e);
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        long pid = holder_of(fd);
        close(fd);
        return err_set(e, ERR_LOCKED, "%s is in use by process %ld", dir, pid);
    }
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
    // A full disk must not keep the node from starting: the lock holds without its text too.
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)n, 0) != n)
        (void)ftruncate(fd, 0);
    *ret_fd = fd;
    return ERR_OK;
}

void lock_release(int fd)
{
    if (fd >= 0)
        close(fd);
}

enum err_code lock_fsync_us(const char *dir, int64_t *ret, struct err *e)
{
    char path[PATH_MAX], block[512] = "";
    enum err_code code = path_in(dir, "wasl.probe", path, e);
    if (code)
        return code;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return io_error(path, e);
    int64_t start = clock_mono_us();
    if (write(fd, block, sizeof block) != (ssize_t)sizeof block || fdatasync(fd) != 0)
        code = io_error(path, e);
    *ret = clock_mono_us() - start;
    close(fd);
    (void)unlink(path);
    return code;
}
