// SPDX-License-Identifier: Apache-2.0
// Reading INI files (by inih) into a list of (section, key, value, line).
//
// Limits: 64 KiB a file, 1,000 keys, 199 bytes a line (what inih takes). Unknown keys are for the
// caller to refuse: ini_file_refuse_unused.
#ifndef WASL_BASE_INI_FILE_H
#define WASL_BASE_INI_FILE_H

#include "base/err.h"
#include "base/str.h"

struct ini_entry {
    char *section;
    char *key;
    char *value;
    int line;
    bool used;
};
struct ini_file {
    struct ini_entry *entries;
    size_t count;
};

// ERR_NOT_FOUND, ERR_PARSE (naming file and line), ERR_LIMIT, ERR_EXISTS on a key given twice.
enum err_code ini_file_read(const char *path, struct ini_file *ret, struct err *e) MUST_CHECK;
enum err_code ini_file_parse(const char *name, struct str text, struct ini_file *ret,
                             struct err *e) MUST_CHECK;
void ini_file_fini(struct ini_file *f);
// The value, marked as used; NULL where the key is absent.
const char *ini_file_find(struct ini_file *f, const char *section, const char *key);
// ERR_INVALID naming the first key nobody asked for, and where a person reads about the known ones
// (help: "docs/CONFIG.md"); ERR_OK when all were used.
enum err_code ini_file_refuse_unused(const struct ini_file *f, const char *name, const char *help,
                                     struct err *e) MUST_CHECK;

#endif
