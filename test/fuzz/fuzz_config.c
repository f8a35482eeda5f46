// SPDX-License-Identifier: Apache-2.0
// A node's wasl.ini: one that is accepted can be written, and read again it says the same.
#include "fuzz.h"

#include "node/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/dev/shm/wasl_fuzz_XXXXXX";

static void remove_folder(void)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/wasl.ini", folder);
    (void)unlink(path);
    (void)rmdir(folder);
}

static bool put(const uint8_t *data, size_t size)
{
    char path[64];
    (void)snprintf(path, sizeof path, "%s/wasl.ini", folder);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool written = fd >= 0 && write(fd, data, size) == (ssize_t)size;
    if (fd >= 0)
        (void)close(fd);
    return written;
}

static bool same(const struct config *a, const struct config *b)
{
    bool alike = a->upstream_count == b->upstream_count;
    for (size_t i = 0; alike && i < a->upstream_count; i++)
        alike = strcmp(a->upstreams[i], b->upstreams[i]) == 0;
    return alike && a->role == b->role && strcmp(a->location, b->location) == 0 &&
           strcmp(a->region, b->region) == 0 && strcmp(a->listen, b->listen) == 0 &&
           a->store_max_bytes == b->store_max_bytes && a->zstd == b->zstd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool made;
    struct config first, second;
    struct err e = {0};
    if (!made) {
        MUST(mkdtemp(folder) != NULL && atexit(remove_folder) == 0);
        made = true;
    }
    if (!put(data, size) || config_read(folder, &first, &e) != ERR_OK)
        return 0;
    if (config_write(&first, &e) != ERR_OK) {
        MUST(e.code == ERR_INVALID || e.code == ERR_LIMIT || e.code == ERR_PARSE);
        return 0;
    }
    MUST(config_read(folder, &second, &e) == ERR_OK && same(&first, &second));
    return 0;
}
