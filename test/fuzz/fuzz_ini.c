// SPDX-License-Identifier: Apache-2.0
// INI files: every entry of an accepted file is found under its own section and key.
#include "fuzz.h"

#include "base/ini_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ini_file f = {0};
    struct err e = {0};
    if (ini_file_parse("fuzz.ini", str_make(data, size), &f, &e) != ERR_OK)
        return 0;
    for (size_t i = 0; i < f.count; i++) {
        const char *value = ini_file_find(&f, f.entries[i].section, f.entries[i].key);
        MUST(value != NULL && str_is(str_of(value), f.entries[i].value));
    }
    enum err_code code = ini_file_refuse_unused(&f, "fuzz.ini", "the book", &e);
    MUST(code == ERR_OK);
    ini_file_fini(&f);
    return 0;
}
