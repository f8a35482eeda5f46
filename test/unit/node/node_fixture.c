// SPDX-License-Identifier: Apache-2.0
#include "test/unit/node/node_fixture.h"
#include "test/unit/unit.h"

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void fixture_make(char path[CONFIG_PATH_MAX])
{
    (void)snprintf(path, CONFIG_PATH_MAX, "/tmp/wasl-node-XXXXXX");
    assert_non_null(mkdtemp(path));
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *walk)
{
    (void)st;
    (void)type;
    (void)walk;
    return remove(path);
}

void fixture_drop(const char *path)
{
    assert_int_equal(nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS), 0);
}

static void join(const char *dir, const char *name, char to[CONFIG_PATH_MAX])
{
    assert_true(snprintf(to, CONFIG_PATH_MAX, "%s/%s", dir, name) < CONFIG_PATH_MAX);
}

void fixture_write(const char *dir, const char *name, const char *text)
{
    char path[CONFIG_PATH_MAX];
    join(dir, name, path);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

size_t fixture_count(const char *dir)
{
    size_t count = 0;
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (const struct dirent *entry = readdir(d); entry != NULL; entry = readdir(d)) {
        count += entry->d_name[0] != '.';
    }
    (void)closedir(d);
    return count;
}

bool fixture_exists(const char *dir, const char *name)
{
    char path[CONFIG_PATH_MAX];
    join(dir, name, path);
    return access(path, F_OK) == 0;
}

unsigned fixture_mode(const char *dir, const char *name)
{
    char path[CONFIG_PATH_MAX];
    struct stat st;
    join(dir, name, path);
    assert_int_equal(stat(path, &st), 0);
    return st.st_mode & 07777;
}

void fixture_config(const char *dir, const char *name, enum node_role role, struct config *ret)
{
    config_defaults(role, ret);
    join(dir, name, ret->dir);
}
