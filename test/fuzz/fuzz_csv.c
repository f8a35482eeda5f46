// SPDX-License-Identifier: Apache-2.0
// CSV files, plain or gzip: a second pass sees the same records and the same hash as the first, and
// the verbatim bytes of the records are never more than the file holds.
//
// The first byte of an input chooses the delimiter.
#include "fuzz.h"

#include "cli/csv_source.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_BYTES = 1 << 20 };

struct pass {
    uint64_t records;
    uint64_t fields;
    uint64_t raw_bytes;
    uint64_t last_line;
    struct hash hash;
};

static enum err_code read_all(struct csv_source *s, struct pass *ret)
{
    struct err e = {0};
    const struct csv_record *record = NULL;
    *ret = (struct pass){0};
    for (;;) {
        enum err_code code = csv_source_next(s, &record, &e);
        if (code != ERR_OK)
            return code;
        if (record == NULL)
            break;
        MUST(record->line > ret->last_line && record->count <= CSV_FIELDS_MAX);
        MUST(record->problem == NULL || record->count == 0);
        ret->records++;
        ret->fields += record->count;
        ret->raw_bytes += record->raw.n;
        ret->last_line = record->line;
    }
    ret->hash = csv_source_hash(s);
    MUST(ret->raw_bytes <= MAX_BYTES);
    return ERR_OK;
}

static void read_twice(const char *path, char delimiter)
{
    struct csv_source *s = NULL;
    struct err e = {0};
    struct pass first, second;
    if (csv_source_open(path, delimiter, &s, &e) != ERR_OK)
        return;
    csv_source_set_max(s, MAX_BYTES);
    enum err_code code = read_all(s, &first);
    enum err_code rewound = csv_source_rewind(s, &e);
    MUST(rewound == ERR_OK);
    enum err_code again = read_all(s, &second);
    MUST(again == code);
    if (code == ERR_OK) {
        MUST(first.records == second.records && first.fields == second.fields);
        MUST(first.raw_bytes == second.raw_bytes && hash_equal(&first.hash, &second.hash));
    }
    csv_source_close(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = ",;|\t";
    if (size == 0)
        return 0;
    int fd = memfd_create("csv", 0);
    if (fd < 0)
        return 0;
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (write(fd, data + 1, size - 1) == (ssize_t)(size - 1))
        read_twice(path, delimiters[data[0] % 4]);
    (void)close(fd);
    return 0;
}
