// SPDX-License-Identifier: Apache-2.0
// Feeds libcsv one physical line at a time, from a window over the decompressed bytes.
//
//   in:  [ ... | start ........ pos | pos ........ len | free ... cap )
//               the record so far     not yet looked at
//
// Why line by line: libcsv does not say where in its input a record ended, but a record can only
// end with a line. After each line either the record's callback has fired, or the line was blank,
// or a quoted field goes on. The record's verbatim bytes are then in[start, pos).
//
// Why lines can be given back: a quote that never closes would make one record of the rest of the
// file. A record that cannot be right (too long, unterminated, or the caller finds the number of
// fields wrong) loses its first line only; reading resumes behind it (pos moves back). From a
// record's second line on libcsv is strict: the next field that opens with a quote then shows that
// the first quote was a stray one.
#include "cli/csv_source.h"

#include "base/buf.h"

#include <csv.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
    READ_SIZE = 256 * 1024,
    // The record so far, the line being looked for, and room to read into.
    WINDOW_SIZE = 2 * CSV_RECORD_MAX + READ_SIZE,
};

struct csv_source {
    char *path;
    gzFile gz;
    int64_t size_bytes; // on disk
    int64_t max_bytes;
    int64_t total_bytes; // decompressed so far
    struct csv_parser parser;
    char delimiter;
    char *in;
    size_t start;
    size_t pos;
    size_t len;
    bool eof;
    size_t first_line; // bytes of the record's first line
    uint64_t line;     // physical line at start
    uint64_t lines;    // of the record so far
    struct hash_state hashing;
    struct hash hash;
    struct buf text; // the fields, one behind the other
    size_t ends[CSV_FIELDS_MAX];
    struct str fields[CSV_FIELDS_MAX];
    size_t count;
    bool row_done;
    bool too_many;
    bool misquoted;
    enum err_code failed;
    struct csv_record record;
};

static const char stray_quote[] = "a quote is opened and never closed";

static void on_field(void *p, size_t n, void *context)
{
    struct csv_source *s = context;
    if (s->count == CSV_FIELDS_MAX) {
        s->too_many = true;
        return;
    }
    enum err_code code = buf_append(&s->text, p, n);
    if (code != ERR_OK) {
        s->failed = code;
        return;
    }
    s->ends[s->count++] = s->text.len;
}

static void on_row(int terminator, void *context)
{
    struct csv_source *s = context;
    (void)terminator;
    s->row_done = true;
}

static enum err_code reset_parser(struct csv_source *s, struct err *e)
{
    csv_free(&s->parser);
    if (csv_init(&s->parser, 0) != 0) {
        return err_set(e, ERR_NO_MEMORY, "%s: out of memory", s->path);
    }
    csv_set_delim(&s->parser, (unsigned char)s->delimiter);
    return ERR_OK;
}

static enum err_code read_failed(struct csv_source *s, int zlib_error, struct err *e)
{
    if (zlib_error == Z_ERRNO) {
        return err_set(e, ERR_IO, "%s: %s", s->path, strerror(errno));
    }
    if (zlib_error == Z_MEM_ERROR) {
        return err_set(e, ERR_NO_MEMORY, "%s: out of memory", s->path);
    }
    return err_set(e, ERR_PARSE, "%s: the gzip data is damaged or cut short", s->path);
}

// Moves the window to the front of its memory and reads more behind it; sets eof at the end.
static enum err_code fill(struct csv_source *s, struct err *e)
{
    if (s->start > 0) {
        memmove(s->in, s->in + s->start, s->len - s->start);
        s->pos -= s->start;
        s->len -= s->start;
        s->start = 0;
    }
    MUST(s->len < WINDOW_SIZE);
    size_t room = WINDOW_SIZE - s->len;
    int n = gzread(s->gz, s->in + s->len, room < READ_SIZE ? (unsigned)room : READ_SIZE);
    int zlib_error = Z_OK;
    if (n <= 0) {
        (void)gzerror(s->gz, &zlib_error);
        if (n < 0 || zlib_error == Z_BUF_ERROR) {
            return read_failed(s, zlib_error, e);
        }
        s->eof = true;
        return ERR_OK;
    }
    if (n > s->max_bytes - s->total_bytes) {
        return err_set(e, ERR_LIMIT, "%s: more than %lld bytes of content; split the file", s->path,
                       (long long)s->max_bytes);
    }
    s->total_bytes += n;
    hash_update(&s->hashing, str_make(s->in + s->len, (size_t)n));
    s->len += (size_t)n;
    return ERR_OK;
}

// The end of the first line ending ("\n", "\r\n" or "\r") in in[from, len); SIZE_MAX when there is
// none, or when what follows a "\r" is not known yet.
static size_t find_line_end(const struct csv_source *s, size_t from)
{
    if (from >= s->len) {
        return SIZE_MAX;
    }
    const char *p = s->in + from;
    size_t n = s->len - from;
    const char *lf = memchr(p, '\n', n);
    const char *cr = memchr(p, '\r', lf != NULL ? (size_t)(lf - p) : n);
    if (cr != NULL) {
        size_t next = (size_t)(cr - s->in) + 1;
        if (next == s->len) {
            return s->eof ? next : SIZE_MAX;
        }
        return s->in[next] == '\n' ? next + 1 : next;
    }
    return lf != NULL ? (size_t)(lf - s->in) + 1 : SIZE_MAX;
}

// Makes in[pos, *ret_end) the next physical line; empty at the end of the file.
static enum err_code find_line(struct csv_source *s, size_t *ret_end, struct err *e)
{
    size_t looked = s->pos; // nothing before it ends a line
    for (;;) {
        size_t end = find_line_end(s, looked);
        if (end != SIZE_MAX || s->eof) {
            *ret_end = end != SIZE_MAX ? end : s->len;
            return ERR_OK;
        }
        if (s->len - s->pos > CSV_RECORD_MAX) {
            return err_set(e, ERR_LIMIT, "%s: line %" PRIu64 " is longer than %d bytes", s->path,
                           s->line + s->lines, CSV_RECORD_MAX);
        }
        // The last byte may be a "\r" whose "\n" is still to come.
        size_t back = s->len > s->pos ? 1 : 0;
        size_t offset = s->len - back - s->start;
        enum err_code code = fill(s, e);
        if (code != ERR_OK) {
            return code;
        }
        looked = s->start + offset;
    }
}

static enum err_code feed(struct csv_source *s, size_t end, struct err *e)
{
    size_t n = end - s->pos;
    const char *p = s->in + s->pos;
    bool ended = p[n - 1] == '\n' || p[n - 1] == '\r';
    (void)csv_set_opts(&s->parser, s->lines > 0 ? CSV_STRICT : 0);
    size_t fed = csv_parse(&s->parser, p, n, on_field, on_row, s);
    if (fed == n && !ended) { // the file's last line
        fed += csv_parse(&s->parser, "\n", 1, on_field, on_row, s) - 1;
    }
    s->misquoted = fed != n && csv_error(&s->parser) == CSV_EPARSE;
    if ((fed != n && !s->misquoted) || s->failed != ERR_OK) {
        return err_set(e, ERR_NO_MEMORY, "%s: out of memory", s->path);
    }
    if (s->lines == 0) {
        s->first_line = end - s->start;
    }
    s->pos = end;
    s->lines++;
    return ERR_OK;
}

static void begin_record(struct csv_source *s)
{
    s->line += s->lines;
    s->lines = 0;
    s->start = s->pos;
    s->count = 0;
    s->row_done = false;
    s->too_many = false;
    s->misquoted = false;
    s->failed = ERR_OK;
    buf_reset(&s->text);
}

static void end_record(struct csv_source *s, const char *problem)
{
    const char *text = s->text.data != NULL ? s->text.data : ""; // all fields are empty
    size_t at = 0;
    for (size_t i = 0; i < s->count; i++) {
        s->fields[i] = str_make(text + at, s->ends[i] - at);
        at = s->ends[i];
    }
    s->record = (struct csv_record){
        .line = s->line,
        .raw = str_make(s->in + s->start, s->pos - s->start),
        .fields = s->fields,
        .count = problem == NULL ? s->count : 0,
        .problem = problem,
    };
}

static enum err_code give_up(struct csv_source *s, const char *problem, struct err *e)
{
    s->pos = s->start + s->first_line;
    s->lines = 1;
    end_record(s, problem);
    return reset_parser(s, e);
}

static bool is_blank(struct str raw)
{
    for (size_t i = 0; i < raw.n; i++) {
        if (strchr(" \t\r\n", raw.p[i]) == NULL || raw.p[i] == '\0') {
            return false;
        }
    }
    return true;
}

enum err_code csv_source_next(struct csv_source *s, const struct csv_record **ret, struct err *e)
{
    begin_record(s);
    *ret = &s->record;
    for (;;) {
        size_t end = 0;
        enum err_code code = find_line(s, &end, e);
        if (code != ERR_OK) {
            return code;
        }
        if (end == s->pos && s->lines == 0) {
            struct hash_state finished = s->hashing;
            s->hash = hash_end(&finished);
            *ret = NULL;
            return ERR_OK;
        }
        if (end == s->pos) {
            return give_up(s, stray_quote, e);
        }
        code = feed(s, end, e);
        if (code != ERR_OK) {
            return code;
        }
        if (s->too_many || s->misquoted) {
            return give_up(s, s->too_many ? "too many fields" : stray_quote, e);
        }
        if (s->row_done) {
            end_record(s, NULL);
            return ERR_OK;
        }
        if (is_blank(str_make(s->in + s->start, s->pos - s->start))) {
            begin_record(s);
        } else if (s->pos - s->start > CSV_RECORD_MAX) {
            return give_up(s, stray_quote, e);
        }
    }
}

bool csv_source_split(struct csv_source *s, struct str *ret_first_line)
{
    if (s->lines < 2) {
        return false;
    }
    s->pos = s->start + s->first_line;
    s->lines = 1;
    s->record.raw = str_make(s->in + s->start, s->first_line);
    *ret_first_line = s->record.raw;
    return true;
}

// Skips a byte order mark.
static enum err_code begin_file(struct csv_source *s, struct err *e)
{
    s->start = s->pos = s->len = 0;
    s->eof = false;
    s->line = 1;
    s->lines = 0;
    s->total_bytes = 0;
    hash_begin(&s->hashing);
    enum err_code code = reset_parser(s, e);
    while (code == ERR_OK && s->len < 3 && !s->eof) {
        code = fill(s, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    if (s->len >= 2 && (memcmp(s->in, "\xff\xfe", 2) == 0 || memcmp(s->in, "\xfe\xff", 2) == 0)) {
        return err_set(e, ERR_UNSUPPORTED, "%s: is UTF-16; export it as UTF-8", s->path);
    }
    if (s->len >= 3 && memcmp(s->in, "\xef\xbb\xbf", 3) == 0) {
        s->start = s->pos = 3;
    }
    return ERR_OK;
}

static enum err_code open_file(struct csv_source *s, struct err *e)
{
    int fd = open(s->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        enum err_code code = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
        return err_set(e, code, "%s: %s", s->path, strerror(errno));
    }
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        (void)close(fd);
        return err_set(e, ERR_UNSUPPORTED, "%s: not a regular file (it is read twice)", s->path);
    }
    s->size_bytes = st.st_size;
    s->gz = gzdopen(fd, "rb");
    if (s->gz == NULL) {
        (void)close(fd);
        return err_set(e, ERR_NO_MEMORY, "%s: out of memory", s->path);
    }
    (void)gzbuffer(s->gz, READ_SIZE);
    return begin_file(s, e);
}

enum err_code csv_source_open(const char *path, char delimiter, struct csv_source **ret,
                              struct err *e)
{
    struct csv_source *s = calloc(1, sizeof(*s));
    if (s == NULL) {
        return err_set(e, ERR_NO_MEMORY, "%s: out of memory", path);
    }
    s->path = strdup(path);
    s->in = malloc(WINDOW_SIZE);
    s->delimiter = delimiter;
    s->max_bytes = CSV_FILE_MAX;
    buf_init(&s->text, WINDOW_SIZE);
    enum err_code code = ERR_OK;
    if (s->path == NULL || s->in == NULL) {
        code = err_set(e, ERR_NO_MEMORY, "%s: out of memory", path);
    } else {
        code = open_file(s, e);
    }
    if (code != ERR_OK) {
        csv_source_close(s);
        return code;
    }
    *ret = s;
    return ERR_OK;
}

void csv_source_close(struct csv_source *s)
{
    if (s == NULL) {
        return;
    }
    if (s->gz != NULL) {
        (void)gzclose(s->gz);
    }
    csv_free(&s->parser);
    buf_fini(&s->text);
    free(s->in);
    free(s->path);
    free(s);
}

void csv_source_set_max(struct csv_source *s, int64_t max_bytes)
{
    MUST(max_bytes > 0 && max_bytes <= CSV_FILE_MAX);
    s->max_bytes = max_bytes;
}

enum err_code csv_source_rewind(struct csv_source *s, struct err *e)
{
    if (gzrewind(s->gz) != 0) {
        return err_set(e, ERR_IO, "%s: cannot be read a second time", s->path);
    }
    return begin_file(s, e);
}

struct hash csv_source_hash(const struct csv_source *s)
{
    return s->hash;
}

void csv_source_progress(const struct csv_source *s, int64_t *ret_done, int64_t *ret_total)
{
    int64_t done = gzoffset(s->gz);
    *ret_done = done < 0 || done > s->size_bytes ? s->size_bytes : done;
    *ret_total = s->size_bytes;
}
