// SPDX-License-Identifier: Apache-2.0
//
// Loaded before the C library (LD_PRELOAD), it kills its process before the n-th call from now that
// changes the disk or sends something, where n is written into the file KILL_AT_FILE (8 bytes, as
// the machine stores them). 0 lets it live. So every step of a piece of work can be its last.
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static int64_t *left;

__attribute__((constructor)) static void map_file(void)
{
    const char *path = getenv("KILL_AT_FILE");
    int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    left = mmap(NULL, sizeof *left, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (left == MAP_FAILED)
        left = NULL;
    (void)close(fd);
}

static void step(void)
{
    if (left != NULL && __atomic_load_n(left, __ATOMIC_SEQ_CST) > 0 &&
        __atomic_sub_fetch(left, 1, __ATOMIC_SEQ_CST) == 0)
        (void)kill(getpid(), SIGKILL);
}

// The C library's own function of this name.
#define REAL(name) __extension__((__typeof__(&(name)))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *bytes, size_t n)
{
    step();
    return REAL(write)(fd, bytes, n);
}

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    step();
    return REAL(writev)(fd, parts, count);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    step();
    return REAL(sendmsg)(fd, message, flags);
}

// With offsets of 64 bits this is pwrite64, which SQLite calls.
ssize_t pwrite(int fd, const void *bytes, size_t n, off_t at)
{
    step();
    return REAL(pwrite)(fd, bytes, n, at);
}

int fsync(int fd)
{
    step();
    return REAL(fsync)(fd);
}

int fdatasync(int fd)
{
    step();
    return REAL(fdatasync)(fd);
}
