// SPDX-License-Identifier: Apache-2.0
#include "cli/row_reader.h"

#include "base/buf.h"
#include "base/decimal.h"
#include "model/event.h"
#include "model/limits.h"

#include <stdio.h>
#include <string.h>

enum {
    ARENA_MAX = 1024 * 1024,
    FIELD_BYTES_MAX = 4 * LIMIT_TEXT, // before decoding
};

enum err_code row_reader_open(const struct import_map *map, struct row_reader *ret, struct err *e)
{
    *ret = (struct row_reader){.map = map};
    ret->time.utc = true;
    arena_init(&ret->arena, ARENA_MAX);
    enum err_code code = text_decoder_open(map->encoding, &ret->decoder, e);
    if (code == ERR_OK) {
        code = local_time_open(map->timezone, &ret->time, e);
    }
    if (code != ERR_OK) {
        row_reader_close(ret);
        return err_wrap(e, code, "%s", map->name);
    }
    return ERR_OK;
}

void row_reader_close(struct row_reader *r)
{
    if (r->map == NULL) {
        return;
    }
    local_time_close(&r->time);
    text_decoder_close(&r->decoder);
    arena_fini(&r->arena);
    *r = (struct row_reader){0};
}

// ---- columns ---------------------------------------------------------------------------------

static enum err_code not_there(const struct row_reader *r, enum import_field field,
                               const char *file, struct str column, struct err *e)
{
    return err_set(e, ERR_INVALID, "%s: there is no column '%.*s', which %s names as %s", file,
                   STR_ARG(column), r->map->name, import_map_field_name(field));
}

// The column of that header text.
static enum err_code find_named(struct row_reader *r, const struct csv_record *header,
                                struct str column, size_t *ret)
{
    bool found = false;
    for (size_t i = 0; i < header->count; i++) {
        struct str text = {0};
        enum err_code code = text_decoder_read(&r->decoder, &r->arena, header->fields[i], &text);
        if (code == ERR_NO_MEMORY) {
            return code;
        }
        if (code != ERR_OK || !str_equal(str_trim(text), column)) {
            continue;
        }
        if (found) {
            return ERR_EXISTS;
        }
        found = true;
        *ret = i;
    }
    return found ? ERR_OK : ERR_NOT_FOUND;
}

static enum err_code find_column(struct row_reader *r, enum import_field field, const char *file,
                                 const struct csv_record *first, struct str column, struct err *e)
{
    size_t at = 0;
    if (r->map->header) {
        enum err_code code = find_named(r, first, column, &at);
        if (code == ERR_EXISTS) {
            return err_set(e, ERR_INVALID, "%s: the column '%.*s' is there twice", file,
                           STR_ARG(column));
        }
        if (code == ERR_NOT_FOUND) {
            return not_there(r, field, file, column, e);
        }
        if (code != ERR_OK) {
            return err_set(e, code, "out of memory");
        }
    } else {
        uint64_t number = 0;
        if (str_to_u64(column, &number) != ERR_OK || number == 0) {
            return err_set(e, ERR_INVALID,
                           "%s: columns.%s must be a number from 1 (header = no), not '%.*s'",
                           r->map->name, import_map_field_name(field), STR_ARG(column));
        }
        if (number > first->count) {
            return not_there(r, field, file, column, e);
        }
        at = (size_t)number - 1;
    }
    struct row_columns *columns = &r->columns[field];
    if (columns->count == ROW_PARTS_MAX) {
        return err_set(e, ERR_INVALID, "%s: columns.%s names more than %d columns", r->map->name,
                       import_map_field_name(field), ROW_PARTS_MAX);
    }
    columns->at[columns->count++] = (uint16_t)at;
    return ERR_OK;
}

static enum err_code bind_field(struct row_reader *r, enum import_field field, const char *file,
                                const struct csv_record *first, struct err *e)
{
    struct str rest = str_of(r->map->columns[field]);
    bool several = field == IMPORT_TIME || field == IMPORT_TICKET;
    if (rest.n == 0) {
        return ERR_OK;
    }
    if (several && r->map->header) { // a header may hold a comma itself
        size_t ignored = 0;
        enum err_code code = find_named(r, first, rest, &ignored);
        if (code == ERR_NO_MEMORY) {
            return err_set(e, code, "out of memory");
        }
        several = code == ERR_NOT_FOUND;
    }
    if (!several) {
        return find_column(r, field, file, first, rest, e);
    }
    struct str column = {0};
    while (str_cut(&rest, ',', &column)) {
        enum err_code code = find_column(r, field, file, first, str_trim(column), e);
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

enum err_code row_reader_bind(struct row_reader *r, const char *file,
                              const struct csv_record *first, struct err *e)
{
    if (first->problem != NULL) {
        return err_set(e, ERR_PARSE, "%s: line %llu: %s", file, (unsigned long long)first->line,
                       first->problem);
    }
    r->expected = first->count;
    for (size_t i = 0; i < IMPORT_FIELD_COUNT; i++) {
        arena_reset(&r->arena);
        enum err_code code = bind_field(r, (enum import_field)i, file, first, e);
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

// ---- fields ----------------------------------------------------------------------------------

// One column, decoded and trimmed.
static enum err_code read_part(struct row_reader *r, enum import_field field, struct str raw,
                               struct str *ret, struct err *e)
{
    const char *name = import_map_field_name(field);
    if (raw.n > FIELD_BYTES_MAX) {
        return err_set(e, ERR_INVALID, "%s is too long", name);
    }
    struct str text = {0};
    enum err_code code = text_decoder_read(&r->decoder, &r->arena, raw, &text);
    if (code == ERR_PARSE) {
        return err_set(e, ERR_INVALID, "%s is not valid %s", name, r->map->encoding);
    }
    if (code != ERR_OK) {
        return err_set(e, code, "out of memory");
    }
    *ret = str_trim(text);
    return ERR_OK;
}

// Several columns, joined; each must hold something.
static enum err_code read_joined(struct row_reader *r, const struct csv_record *record,
                                 enum import_field field, struct str *ret, struct err *e)
{
    const struct row_columns *columns = &r->columns[field];
    char *to = arena_alloc(&r->arena, (size_t)columns->count * (FIELD_BYTES_MAX + 1));
    if (to == NULL) {
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    }
    size_t n = 0;
    for (size_t i = 0; i < columns->count; i++) {
        struct str part = {0};
        enum err_code code = read_part(r, field, record->fields[columns->at[i]], &part, e);
        if (code != ERR_OK) {
            return code;
        }
        if (part.n == 0 || part.n > FIELD_BYTES_MAX) {
            return err_set(e, ERR_INVALID, "%s is incomplete", import_map_field_name(field));
        }
        if (i > 0) {
            to[n++] = field == IMPORT_TIME ? ' ' : '/';
        }
        memcpy(to + n, part.p, part.n);
        n += part.n;
    }
    *ret = str_make(to, n);
    return ERR_OK;
}

static enum err_code read_field(struct row_reader *r, const struct csv_record *record,
                                enum import_field field, struct str *ret, struct err *e)
{
    const struct row_columns *columns = &r->columns[field];
    if (columns->count == 0) {
        *ret = str_of("");
        return ERR_OK;
    }
    if (columns->count > 1) {
        return read_joined(r, record, field, ret, e);
    }
    return read_part(r, field, record->fields[columns->at[0]], ret, e);
}

// Texts that become names in an event; empty is for the caller to judge.
static enum err_code read_name(struct row_reader *r, const struct csv_record *record,
                               enum import_field field, struct row *row, struct err *e)
{
    enum err_code code = read_field(r, record, field, &row->texts[field], e);
    if (code == ERR_OK && row->texts[field].n > 0 && !event_name_valid(row->texts[field])) {
        return err_set(e, ERR_INVALID, "%s is longer than %d bytes or holds a control character",
                       import_map_field_name(field), LIMIT_NAME);
    }
    return code;
}

static enum err_code make_key(struct row_reader *r, struct row *row, struct err *e)
{
    struct str location = row->texts[IMPORT_LOCATION];
    char *key = arena_alloc(&r->arena, location.n + 1 + row->no.n);
    if (key == NULL) {
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    }
    if (location.n > 0) {
        memcpy(key, location.p, location.n);
    }
    key[location.n] = '\0';
    memcpy(key + location.n + 1, row->no.p, row->no.n);
    row->key = str_make(key, location.n + 1 + row->no.n);
    return ERR_OK;
}

// The prefix is looked for in the last of a ticket's columns: the number proper.
static enum err_code read_cancelled(struct row_reader *r, const struct csv_record *record,
                                    struct row *row, struct err *e)
{
    struct str prefix = str_of(r->map->cancel_prefix);
    const struct row_columns *columns = &r->columns[IMPORT_TICKET];
    struct str number = row->no;
    if (prefix.n == 0) {
        return ERR_OK;
    }
    if (columns->count > 1) {
        struct str raw = record->fields[columns->at[columns->count - 1]];
        enum err_code code = read_part(r, IMPORT_TICKET, raw, &number, e);
        if (code != ERR_OK) {
            return code;
        }
    }
    row->cancelled = str_starts(number, prefix);
    return ERR_OK;
}

enum err_code row_reader_key(struct row_reader *r, const struct csv_record *record, struct row *ret,
                             struct err *e)
{
    arena_reset(&r->arena);
    *ret = (struct row){.line = record->line};
    if (record->problem != NULL) {
        return err_set(e, ERR_INVALID, "%s", record->problem);
    }
    if (record->count != r->expected) {
        return err_set(e, ERR_INVALID, "%zu fields instead of %zu", record->count, r->expected);
    }
    enum err_code code = read_name(r, record, IMPORT_TICKET, ret, e);
    if (code == ERR_OK && ret->texts[IMPORT_TICKET].n == 0) {
        code = err_set(e, ERR_INVALID, "ticket is empty");
    }
    if (code == ERR_OK) {
        code = read_name(r, record, IMPORT_LOCATION, ret, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    if (ret->texts[IMPORT_LOCATION].n == 0) {
        ret->texts[IMPORT_LOCATION] = str_of(r->map->location);
    }
    ret->no = ret->texts[IMPORT_TICKET];
    code = read_cancelled(r, record, ret, e);
    return code == ERR_OK ? make_key(r, ret, e) : code;
}

// ---- values ----------------------------------------------------------------------------------

static enum err_code read_time(struct row_reader *r, const struct csv_record *record,
                               struct row *row, struct err *e)
{
    struct str text = {0};
    enum err_code code = read_field(r, record, IMPORT_TIME, &text, e);
    if (code != ERR_OK) {
        return code;
    }
    if (text.n > 0 && str_is(text, r->time_text)) {
        row->at_ms = r->time_ms;
        return ERR_OK;
    }
    char copy[ROW_TIME_MAX];
    int64_t at_ms = 0;
    if (text.n == 0 || str_copy(copy, sizeof(copy), text) != ERR_OK ||
        local_time_parse(&r->time, copy, r->map->time_format, &at_ms) != ERR_OK) {
        return err_set(e, ERR_INVALID, "time '%.*s' does not match '%s'",
                       (int)(text.n < 60 ? text.n : 60), text.n > 0 ? text.p : "",
                       r->map->time_format);
    }
    memcpy(r->time_text, copy, text.n + 1);
    r->time_ms = row->at_ms = at_ms;
    return ERR_OK;
}

// fallback: NULL, or the value of an empty or unmapped column.
static enum err_code read_decimal(struct row_reader *r, const struct csv_record *record,
                                  enum import_field field, const int64_t *fallback, int64_t *ret,
                                  struct err *e)
{
    struct str text = {0};
    enum err_code code = read_field(r, record, field, &text, e);
    if (code != ERR_OK) {
        return code;
    }
    if (text.n == 0 && fallback != NULL) {
        *ret = *fallback;
        return ERR_OK;
    }
    char copy[64];
    code = str_copy(copy, sizeof(copy), text);
    if (code == ERR_OK && r->map->decimal == ',') {
        char *comma = strchr(copy, ',');
        if (strchr(copy, '.') != NULL) {
            code = ERR_PARSE;
        } else if (comma != NULL) {
            *comma = '.';
        }
    }
    if (code != ERR_OK || decimal_parse(str_of(copy), ret) != ERR_OK) {
        return err_set(e, ERR_INVALID, "%s '%.*s' is not a decimal of at most 4 places",
                       import_map_field_name(field), (int)(text.n < 60 ? text.n : 60),
                       text.n > 0 ? text.p : "");
    }
    return ERR_OK;
}

static enum err_code read_texts(struct row_reader *r, const struct csv_record *record,
                                struct row *row, struct err *e)
{
    static const enum import_field names[] = {IMPORT_SKU, IMPORT_TILL, IMPORT_PAYMENT,
                                              IMPORT_CURRENCY, IMPORT_CUSTOMER};
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        enum err_code code = read_name(r, record, names[i], row, e);
        if (code != ERR_OK) {
            return code;
        }
    }
    if (row->texts[IMPORT_SKU].n == 0) {
        return err_set(e, ERR_INVALID, "sku is empty");
    }
    if (row->texts[IMPORT_CURRENCY].n == 0) {
        row->texts[IMPORT_CURRENCY] = str_of(r->map->currency);
    }
    if (!import_map_is_currency(row->texts[IMPORT_CURRENCY])) {
        return err_set(e, ERR_INVALID, "currency '%.*s' is not three capital letters",
                       STR_ARG(row->texts[IMPORT_CURRENCY]));
    }
    enum err_code code = read_field(r, record, IMPORT_NAME, &row->texts[IMPORT_NAME], e);
    if (code == ERR_OK && row->texts[IMPORT_NAME].n > LIMIT_TEXT) {
        code = err_set(e, ERR_INVALID, "name is longer than %d bytes", LIMIT_TEXT);
    }
    return code;
}

enum err_code row_reader_rest(struct row_reader *r, const struct csv_record *record,
                              struct row *row, struct err *e)
{
    const struct import_map *map = r->map;
    enum err_code code = read_texts(r, record, row, e);
    if (code == ERR_OK) {
        code = read_time(r, record, row, e);
    }
    if (code == ERR_OK) {
        code = read_decimal(r, record, IMPORT_QUANTITY,
                            map->has_default_quantity ? &map->default_quantity : NULL,
                            &row->quantity, e);
    }
    if (code == ERR_OK) {
        code = read_decimal(r, record, IMPORT_UNIT_PRICE,
                            map->has_default_unit_price ? &map->default_unit_price : NULL,
                            &row->unit_price, e);
    }
    int64_t amount = 0;
    if (code == ERR_OK &&
        decimal_amount(row->unit_price, row->quantity, map->currency_places, &amount) != ERR_OK) {
        code = err_set(e, ERR_INVALID, "quantity x unit_price is too large");
    }
    return code;
}
