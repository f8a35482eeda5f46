// SPDX-License-Identifier: Apache-2.0
// Two passes over the file.
//
//   open:  for each record: its ticket -> index (rows += 1); at the end: the file's hash
//   next:  for each record: parse -> the ticket's builder, or reject;
//          the oldest ticket not given out yet is complete when rows_seen == rows
//
// Both passes cut the file into the same records (csv_source depends on the bytes alone), so a
// record's number means the same in both. The hash of the second pass is compared with the first's.
#include "cli/ticket_reader.h"

#include "cli/csv_source.h"
#include "cli/row_reader.h"
#include "cli/ticket_builder.h"
#include "cli/ticket_index.h"

#include <stdlib.h>
#include <string.h>

enum { PROGRESS_EVERY_ROWS = 4096 };

struct ticket_reader {
    char *path;
    struct import_map map;
    struct ticket_reader_watch watch;
    struct csv_source *source;
    struct row_reader rows;
    struct ticket_index index;
    size_t next; // the oldest entry not given out
    uint64_t row;
    int64_t earlier_bytes; // of the passes before this one
    struct hash hash;
    struct ticket_counts counts;
    char *header; // verbatim
    size_t header_n;
    struct ticket_builder *given; // behind the ticket given out last
    struct ticket ticket;
    struct ticket_line lines[TICKET_LINES_MAX];
};

static void tell_progress(struct ticket_reader *r, bool always)
{
    if (r->watch.on_progress == NULL || (!always && r->row % PROGRESS_EVERY_ROWS != 0)) {
        return;
    }
    int64_t done = 0;
    int64_t total = 0;
    csv_source_progress(r->source, &done, &total);
    r->watch.on_progress(r->watch.context, r->earlier_bytes + done, 2 * total);
}

static enum err_code keep_header(struct ticket_reader *r, struct str raw, struct err *e)
{
    r->header = malloc(raw.n + 1);
    if (r->header == NULL) {
        return err_set(e, ERR_NO_MEMORY, "%s: out of memory", r->path);
    }
    memcpy(r->header, raw.p, raw.n);
    r->header_n = raw.n;
    return ERR_OK;
}

// The next record and which ticket it belongs to; *ret is NULL at the end. A bad record has its
// reason in row_error, whose code is then not ERR_OK.
static enum err_code next_row(struct ticket_reader *r, const struct csv_record **ret,
                              struct row *row, struct err *row_error, struct err *e)
{
    enum err_code code = csv_source_next(r->source, ret, e);
    if (code != ERR_OK || *ret == NULL) {
        return code;
    }
    r->row++;
    tell_progress(r, false);
    row_error->code = ERR_OK;
    code = row_reader_key(&r->rows, *ret, row, row_error);
    if (code == ERR_NO_MEMORY) {
        return err_set(e, code, "%s: out of memory", r->path);
    }
    if (code != ERR_OK && (*ret)->problem == NULL && (*ret)->count != r->rows.expected) {
        struct str first_line;
        (void)csv_source_split(r->source, &first_line);
    }
    row_error->code = code;
    return ERR_OK;
}

// ---- first pass ------------------------------------------------------------------------------

static enum err_code bind_columns(struct ticket_reader *r, struct err *e)
{
    const struct csv_record *first = NULL;
    enum err_code code = csv_source_next(r->source, &first, e);
    if (code != ERR_OK) {
        return code;
    }
    if (first == NULL) {
        return err_set(e, ERR_PARSE, "%s: is empty", r->path);
    }
    code = row_reader_bind(&r->rows, r->path, first, e);
    if (code == ERR_OK && r->map.header) {
        return keep_header(r, first->raw, e);
    }
    return code == ERR_OK ? csv_source_rewind(r->source, e) : code;
}

static enum err_code count_rows(struct ticket_reader *r, struct err *e)
{
    for (;;) {
        const struct csv_record *record = NULL;
        struct row row;
        struct err row_error;
        enum err_code code = next_row(r, &record, &row, &row_error, e);
        if (code != ERR_OK || record == NULL) {
            return code;
        }
        if (row_error.code != ERR_OK) {
            continue;
        }
        code = ticket_index_add(&r->index, row.key);
        if (code != ERR_OK) {
            return err_set(e, code, "%s: %s", r->path,
                           code == ERR_LIMIT ? "too many tickets; split the file"
                                             : "out of memory");
        }
    }
}

static enum err_code begin_second_pass(struct ticket_reader *r, struct err *e)
{
    int64_t done = 0;
    r->hash = csv_source_hash(r->source);
    tell_progress(r, true);
    csv_source_progress(r->source, &done, &r->earlier_bytes);
    r->row = 0;
    enum err_code code = csv_source_rewind(r->source, e);
    const struct csv_record *header = NULL;
    if (code == ERR_OK && r->map.header) {
        code = csv_source_next(r->source, &header, e);
    }
    return code;
}

static enum err_code first_pass(struct ticket_reader *r, struct err *e)
{
    enum err_code code = csv_source_open(r->path, r->map.delimiter, &r->source, e);
    if (code == ERR_OK) {
        code = row_reader_open(&r->map, &r->rows, e);
    }
    if (code == ERR_OK) {
        code = bind_columns(r, e);
    }
    if (code == ERR_OK) {
        code = count_rows(r, e);
    }
    return code == ERR_OK ? begin_second_pass(r, e) : code;
}

enum err_code ticket_reader_open(const char *path, const struct import_map *map,
                                 const struct ticket_reader_watch *watch,
                                 struct ticket_reader **ret, struct err *e)
{
    struct ticket_reader *r = calloc(1, sizeof(*r));
    if (r == NULL) {
        return err_set(e, ERR_NO_MEMORY, "%s: out of memory", path);
    }
    r->path = strdup(path);
    r->map = *map;
    ticket_index_init(&r->index);
    if (watch != NULL) {
        r->watch = *watch;
    }
    enum err_code code =
        r->path == NULL ? err_set(e, ERR_NO_MEMORY, "%s: out of memory", path) : first_pass(r, e);
    if (code != ERR_OK) {
        ticket_reader_close(r);
        return code;
    }
    *ret = r;
    return ERR_OK;
}

void ticket_reader_close(struct ticket_reader *r)
{
    if (r == NULL) {
        return;
    }
    for (size_t i = 0; i < r->index.count; i++) {
        ticket_builder_free(r->index.entries[i].builder);
    }
    ticket_builder_free(r->given);
    ticket_index_fini(&r->index);
    row_reader_close(&r->rows);
    csv_source_close(r->source);
    free(r->header);
    free(r->path);
    free(r);
}

// ---- second pass -----------------------------------------------------------------------------

static void reject(struct ticket_reader *r, const struct csv_record *record, const char *reason)
{
    r->counts.rejected_rows++;
    if (r->watch.on_reject != NULL) {
        struct ticket_reject told = {
            .line = record->line, .row = r->row, .raw = record->raw, .reason = reason};
        r->watch.on_reject(r->watch.context, &told);
    }
}

static enum err_code changed(const struct ticket_reader *r, struct err *e)
{
    return err_set(e, ERR_DAMAGED, "%s: changed while it was read", r->path);
}

// Adds a row to its ticket. The reason of a bad row is in row_error.
static enum err_code add_row(struct ticket_reader *r, struct ticket_entry *entry,
                             const struct csv_record *record, struct row *row,
                             struct err *row_error)
{
    if (entry->rows > TICKET_LINES_MAX) {
        return err_set(row_error, ERR_INVALID, "ticket %.*s has %u lines, more than %d",
                       STR_ARG(row->no), (unsigned)entry->rows, (int)TICKET_LINES_MAX);
    }
    if (entry->builder == NULL) {
        enum err_code code = ticket_builder_new(&entry->builder);
        if (code != ERR_OK) {
            return err_set(row_error, code, "out of memory");
        }
    }
    enum err_code code = row_reader_rest(&r->rows, record, row, row_error);
    if (code == ERR_OK) {
        code = ticket_builder_add(entry->builder, row, record->raw, r->row, row_error);
    }
    if (code != ERR_OK) {
        ticket_builder_count_rejected(entry->builder);
    }
    return code;
}

// Reads one record into the ticket in the making; *ret_end at the end of the file.
static enum err_code read_record(struct ticket_reader *r, bool *ret_end, struct err *e)
{
    const struct csv_record *record = NULL;
    struct row row;
    struct err row_error;
    enum err_code code = next_row(r, &record, &row, &row_error, e);
    *ret_end = record == NULL;
    if (code != ERR_OK || record == NULL) {
        return code;
    }
    r->counts.rows++;
    code = row_error.code;
    if (code == ERR_OK) {
        struct ticket_entry *entry = ticket_index_find(&r->index, row.key);
        if (entry == NULL || entry->rows_seen == entry->rows) {
            return changed(r, e);
        }
        entry->rows_seen++;
        code = add_row(r, entry, record, &row, &row_error);
    }
    if (code == ERR_NO_MEMORY) {
        return err_set(e, code, "%s: out of memory", r->path);
    }
    if (code != ERR_OK) {
        reject(r, record, row_error.text);
    }
    return ERR_OK;
}

// Gives out the oldest ticket if it is complete; *ret is NULL where it is not.
static void take_complete(struct ticket_reader *r, const struct ticket **ret)
{
    *ret = NULL;
    while (r->next < r->index.count) {
        struct ticket_entry *entry = &r->index.entries[r->next];
        if (entry->rows_seen < entry->rows) {
            return;
        }
        r->next++;
        r->given = entry->builder;
        entry->builder = NULL;
        if (r->given != NULL && ticket_builder_line_count(r->given) > 0) {
            ticket_builder_finish(r->given, &r->map, r->lines, &r->ticket);
            *ret = &r->ticket;
            return;
        }
        ticket_builder_free(r->given); // every row of it was rejected
        r->given = NULL;
    }
}

static void count(struct ticket_reader *r, const struct ticket *t)
{
    r->counts.tickets++;
    r->counts.cancellations += t->kind == TICKET_CANCELLATION;
    r->counts.returns += t->kind == TICKET_RETURN;
    r->counts.lines += t->line_count;
}

enum err_code ticket_reader_next(struct ticket_reader *r, const struct ticket **ret, struct err *e)
{
    ticket_builder_free(r->given);
    r->given = NULL;
    for (;;) {
        take_complete(r, ret);
        if (*ret != NULL) {
            count(r, *ret);
            return ERR_OK;
        }
        bool end = false;
        enum err_code code = read_record(r, &end, e);
        if (code != ERR_OK) {
            return code;
        }
        if (end) {
            break;
        }
    }
    tell_progress(r, true);
    struct hash again = csv_source_hash(r->source);
    if (!hash_equal(&again, &r->hash) || r->next < r->index.count) {
        return changed(r, e);
    }
    return ERR_OK;
}

struct hash ticket_reader_file_hash(const struct ticket_reader *r)
{
    return r->hash;
}

struct ticket_counts ticket_reader_counts(const struct ticket_reader *r)
{
    return r->counts;
}

uint64_t ticket_reader_ticket_total(const struct ticket_reader *r)
{
    return r->index.count;
}

struct str ticket_reader_header(const struct ticket_reader *r)
{
    return r->header == NULL ? str_of("") : str_make(r->header, r->header_n);
}
