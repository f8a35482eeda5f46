// SPDX-License-Identifier: Apache-2.0
#include "cli/reject_file.h"

#include "cli/csv_out.h"

#include <string.h>
#include <unistd.h>

#define HEADER "line,reason,record\n"

void reject_file_open(struct reject_file *r, const char *source)
{
    *r = (struct reject_file){0};
    int n = snprintf(r->path, sizeof r->path, "%s.rejected.csv", source);
    r->failed = n < 0 || n >= (int)sizeof r->path;
}

enum found { FOUND_NOTHING, FOUND_OURS, FOUND_FOREIGN };

// What stands there: an import begins its file with the header, or had no room for it.
static enum found look_at(const char *path)
{
    char head[sizeof HEADER] = "";
    FILE *f = fopen(path, "re");
    if (f == NULL) {
        return FOUND_NOTHING;
    }
    size_t n = fread(head, 1, sizeof HEADER - 1, f);
    (void)fclose(f);
    return n == 0 || strcmp(head, HEADER) == 0 ? FOUND_OURS : FOUND_FOREIGN;
}

static struct str without_line_end(struct str record)
{
    while (record.n > 0 && (record.p[record.n - 1] == '\n' || record.p[record.n - 1] == '\r')) {
        record.n--;
    }
    return record;
}

void reject_file_add(struct reject_file *r, uint64_t line, const char *reason, struct str record)
{
    r->rows++;
    if (r->file == NULL && !r->failed) {
        r->file = look_at(r->path) == FOUND_FOREIGN ? NULL : fopen(r->path, "we");
        r->failed = r->file == NULL || fputs(HEADER, r->file) < 0;
    }
    if (r->file == NULL) {
        return;
    }
    csv_out_integer(r->file, (int64_t)line);
    csv_out_next(r->file);
    csv_out_text(r->file, str_of(reason));
    csv_out_next(r->file);
    csv_out_text(r->file, without_line_end(record));
    csv_out_end(r->file);
}

void reject_file_close(struct reject_file *r)
{
    if (r->file != NULL && fclose(r->file) != 0) {
        r->failed = true;
    }
    r->file = NULL;
    if (r->rows == 0) {
        if (look_at(r->path) == FOUND_OURS) {
            (void)unlink(r->path);
        }
        return;
    }
    (void)fprintf(stderr, "rejected rows: %llu; %s %s\n", (unsigned long long)r->rows,
                  r->failed ? "they could not be written to" : "see", r->path);
}
