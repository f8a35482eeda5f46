// SPDX-License-Identifier: Apache-2.0
//
// inih splits lines; this file feeds it one line at a time, so that it knows the number of the line
// that an entry came from, and so that neither a long line (inih would cut it in two) nor an
// indented one (inih would take it for the previous value's next line) is misread.
#include "base/ini_file.h"

#include <errno.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 64 * 1024, KEYS_MAX = 1000, ENTRIES_STEP = 32 };

struct reading {
    const char *name;
    struct str rest;
    int line;
    size_t capacity;
    struct ini_file file;
    enum err_code rc; // the first failure; later lines are only skipped
    struct err *e;
};

static void fail(struct reading *r, enum err_code code, const char *what)
{
    if (r->rc == ERR_OK) {
        r->rc = err_set(r->e, code, "%s: line %d: %s", r->name, r->line, what);
    }
}

// As fgets, which is what inih asks for.
static char *next_line(char *to, int size, void *ctx)
{
    struct reading *r = ctx;
    struct str line;
    if (r->rc != ERR_OK || !str_cut(&r->rest, '\n', &line)) {
        return NULL;
    }
    r->line++;
    line = str_trim(line);
    if (str_copy(to, (size_t)size, line) != ERR_OK) {
        char what[64];
        (void)snprintf(what, sizeof what, "longer than %d bytes", size - 1);
        fail(r, ERR_LIMIT, what);
        return NULL;
    }
    return to;
}

static bool make_room(struct reading *r)
{
    if (r->file.count < r->capacity) {
        return true;
    }
    size_t capacity = r->capacity + ENTRIES_STEP;
    struct ini_entry *entries = realloc(r->file.entries, capacity * sizeof *entries);
    if (entries == NULL) {
        return false;
    }
    r->file.entries = entries;
    r->capacity = capacity;
    return true;
}

static struct ini_entry *find(const struct ini_file *f, const char *section, const char *key)
{
    for (size_t i = 0; i < f->count; i++) {
        struct ini_entry *entry = &f->entries[i];
        if (strcmp(entry->section, section) == 0 && strcmp(entry->key, key) == 0) {
            return entry;
        }
    }
    return NULL;
}

static void free_entry(struct ini_entry *entry)
{
    free(entry->section);
    free(entry->key);
    free(entry->value);
}

static int take_entry(void *ctx, const char *section, const char *key, const char *value)
{
    struct reading *r = ctx;
    if (r->rc != ERR_OK) {
        return 0;
    }
    if (key[0] == '\0') {
        fail(r, ERR_PARSE, "a value without a key");
        return 0;
    }
    const struct ini_entry *earlier = find(&r->file, section, key);
    if (earlier != NULL) {
        char what[ERR_TEXT_MAX];
        (void)snprintf(what, sizeof what, "key '%s' was given in line %d already", key,
                       earlier->line);
        fail(r, ERR_EXISTS, what);
        return 0;
    }
    if (r->file.count == KEYS_MAX) {
        fail(r, ERR_LIMIT, "more than 1000 keys");
        return 0;
    }
    struct ini_entry entry = {
        .section = strdup(section), .key = strdup(key), .value = strdup(value), .line = r->line};
    if (entry.section == NULL || entry.key == NULL || entry.value == NULL || !make_room(r)) {
        free_entry(&entry);
        fail(r, ERR_NO_MEMORY, "out of memory");
        return 0;
    }
    r->file.entries[r->file.count++] = entry;
    return 1;
}

enum err_code ini_file_parse(const char *name, struct str text, struct ini_file *ret, struct err *e)
{
    if (text.n > FILE_MAX) {
        return err_set(e, ERR_LIMIT, "%s: larger than %d KiB", name, FILE_MAX / 1024);
    }
    if (!str_is_utf8(text)) {
        return err_set(e, ERR_PARSE, "%s: not valid UTF-8 text", name);
    }
    struct reading r = {.name = name, .rest = text, .e = e};
    int bad_line = ini_parse_stream(next_line, &r, take_entry, &r);
    if (r.rc == ERR_OK && bad_line != 0) {
        r.line = bad_line;
        fail(&r, ERR_PARSE, "neither '[section]' nor 'key = value'");
    }
    if (r.rc != ERR_OK) {
        ini_file_fini(&r.file);
        return r.rc;
    }
    *ret = r.file;
    return ERR_OK;
}

static enum err_code read_error(const char *path, struct err *e)
{
    switch (errno) {
    case ENOENT:
        return err_set(e, ERR_NOT_FOUND, "%s: no such file", path);
    case EACCES:
        return err_set(e, ERR_DENIED, "%s: may not be read", path);
    default:
        return err_set(e, ERR_IO, "%s: %s", path, strerror(errno));
    }
}

enum err_code ini_file_read(const char *path, struct ini_file *ret, struct err *e)
{
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        return read_error(path, e);
    }
    enum err_code rc = ERR_OK;
    char *text = malloc(FILE_MAX + 1); // one byte more, to see that there is more
    if (text == NULL) {
        rc = err_set(e, ERR_NO_MEMORY, "%s: out of memory", path);
        goto out;
    }
    size_t n = fread(text, 1, FILE_MAX + 1, f);
    if (ferror(f)) {
        rc = read_error(path, e);
        goto out;
    }
    rc = ini_file_parse(path, str_make(text, n), ret, e);
out:
    free(text);
    (void)fclose(f);
    return rc;
}

void ini_file_fini(struct ini_file *f)
{
    for (size_t i = 0; i < f->count; i++) {
        free_entry(&f->entries[i]);
    }
    free(f->entries);
    *f = (struct ini_file){0};
}

const char *ini_file_find(struct ini_file *f, const char *section, const char *key)
{
    struct ini_entry *entry = find(f, section, key);
    if (entry == NULL) {
        return NULL;
    }
    entry->used = true;
    return entry->value;
}

enum err_code ini_file_refuse_unused(const struct ini_file *f, const char *name, const char *help,
                                     struct err *e)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct ini_entry *entry = &f->entries[i];
        if (!entry->used) {
            return err_set(e, ERR_INVALID, "%s: line %d: unknown key '%s' in section [%s] (see %s)",
                           name, entry->line, entry->key, entry->section, help);
        }
    }
    return ERR_OK;
}
