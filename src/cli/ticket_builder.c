// SPDX-License-Identifier: Apache-2.0
// Texts are kept as offsets into one buffer, since it moves while it grows.
#include "cli/ticket_builder.h"

#include "base/buf.h"
#include "base/hash.h"

#include <stdlib.h>

enum {
    TEXT_BYTES_MAX = TICKET_LINES_MAX * (LIMIT_TEXT + LIMIT_NAME) + IMPORT_FIELD_COUNT * LIMIT_NAME
};

struct span {
    size_t at;
    size_t n;
};

struct kept_line {
    uint64_t row;
    uint64_t line;
    struct span sku;
    struct span name;
    int64_t quantity;
    int64_t unit_price;
};

struct ticket_builder {
    struct buf text;
    struct span texts[IMPORT_FIELD_COUNT]; // of the ticket as a whole
    struct kept_line *lines;
    size_t count;
    size_t room;
    size_t rejected_rows;
    struct hash_state rows; // as they stand, of the lines
    int64_t at_ms;
    bool cancelled;
};

enum err_code ticket_builder_new(struct ticket_builder **ret)
{
    struct ticket_builder *b = calloc(1, sizeof(*b));
    if (b == NULL) {
        return ERR_NO_MEMORY;
    }
    buf_init(&b->text, TEXT_BYTES_MAX);
    hash_begin(&b->rows);
    *ret = b;
    return ERR_OK;
}

void ticket_builder_free(struct ticket_builder *b)
{
    if (b == NULL) {
        return;
    }
    buf_fini(&b->text);
    free(b->lines);
    free(b);
}

void ticket_builder_count_rejected(struct ticket_builder *b)
{
    b->rejected_rows++;
}

size_t ticket_builder_line_count(const struct ticket_builder *b)
{
    return b->count;
}

static struct str text_at(const struct ticket_builder *b, struct span span)
{
    return span.n == 0 ? str_of("") : str_make(b->text.data + span.at, span.n);
}

static enum err_code keep(struct ticket_builder *b, struct str text, struct span *ret)
{
    *ret = (struct span){.at = b->text.len, .n = text.n};
    return text.n == 0 ? ERR_OK : buf_append_str(&b->text, text);
}

// What the ticket has once: the first row that says it wins.
static enum err_code keep_header(struct ticket_builder *b, const struct row *row)
{
    static const enum import_field fields[] = {IMPORT_TICKET,  IMPORT_LOCATION, IMPORT_TILL,
                                               IMPORT_PAYMENT, IMPORT_CURRENCY, IMPORT_CUSTOMER};
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        if (b->texts[fields[i]].n > 0 || row->texts[fields[i]].n == 0) {
            continue;
        }
        enum err_code code = keep(b, row->texts[fields[i]], &b->texts[fields[i]]);
        if (code != ERR_OK) {
            return code;
        }
    }
    if (b->count == 0) {
        b->at_ms = row->at_ms;
        b->cancelled = row->cancelled;
    }
    return ERR_OK;
}

static enum err_code make_room(struct ticket_builder *b)
{
    if (b->count < b->room) {
        return ERR_OK;
    }
    size_t room = b->room == 0 ? 8 : b->room * 2;
    struct kept_line *lines = realloc(b->lines, room * sizeof(*lines));
    if (lines == NULL) {
        return ERR_NO_MEMORY;
    }
    b->lines = lines;
    b->room = room;
    return ERR_OK;
}

static void hash_row(struct hash_state *rows, struct str raw)
{
    while (raw.n > 0 && (raw.p[raw.n - 1] == '\n' || raw.p[raw.n - 1] == '\r')) {
        raw.n--; // the last row of a file may have no line ending
    }
    hash_update(rows, raw);
    hash_update(rows, STR("\n"));
}

enum err_code ticket_builder_add(struct ticket_builder *b, const struct row *row, struct str raw,
                                 uint64_t number, struct err *e)
{
    MUST(b->count < TICKET_LINES_MAX);
    struct str currency = text_at(b, b->texts[IMPORT_CURRENCY]);
    if (b->count > 0 && !str_equal(currency, row->texts[IMPORT_CURRENCY])) {
        return err_set(e, ERR_INVALID, "currency %.*s differs from the ticket's first line, %.*s",
                       STR_ARG(row->texts[IMPORT_CURRENCY]), STR_ARG(currency));
    }
    struct kept_line line = {
        .row = number, .line = row->line, .quantity = row->quantity, .unit_price = row->unit_price};
    enum err_code code = make_room(b);
    if (code == ERR_OK) {
        code = keep_header(b, row);
    }
    if (code == ERR_OK) {
        code = keep(b, row->texts[IMPORT_SKU], &line.sku);
    }
    if (code == ERR_OK) {
        code = keep(b, row->texts[IMPORT_NAME], &line.name);
    }
    if (code != ERR_OK) {
        return err_set(e, code, "out of memory");
    }
    hash_row(&b->rows, raw);
    b->lines[b->count++] = line;
    return ERR_OK;
}

static enum ticket_kind kind_of(const struct ticket_builder *b, const struct import_map *map)
{
    if (b->cancelled) {
        return TICKET_CANCELLATION;
    }
    if (!map->sign_negative) {
        return TICKET_SALE;
    }
    for (size_t i = 0; i < b->count; i++) {
        if (b->lines[i].quantity >= 0) {
            return TICKET_SALE;
        }
    }
    return TICKET_RETURN;
}

void ticket_builder_finish(const struct ticket_builder *b, const struct import_map *map,
                           struct ticket_line *lines, struct ticket *ret)
{
    struct hash_state rows = b->rows;
    struct hash identity = hash_end(&rows);
    for (size_t i = 0; i < b->count; i++) {
        const struct kept_line *from = &b->lines[i];
        lines[i] = (struct ticket_line){
            .row = from->row,
            .line = from->line,
            .sku = text_at(b, from->sku),
            .name = text_at(b, from->name),
            .quantity = from->quantity,
            .unit_price = from->unit_price,
        };
    }
    *ret = (struct ticket){
        .event_id = uuid_make_v8(&identity, 0),
        .no = text_at(b, b->texts[IMPORT_TICKET]),
        .kind = kind_of(b, map),
        .at_ms = b->at_ms,
        .location = text_at(b, b->texts[IMPORT_LOCATION]),
        .till = text_at(b, b->texts[IMPORT_TILL]),
        .payment = text_at(b, b->texts[IMPORT_PAYMENT]),
        .currency = text_at(b, b->texts[IMPORT_CURRENCY]),
        .places = map->currency_places,
        .customer = text_at(b, b->texts[IMPORT_CUSTOMER]),
        .lines = lines,
        .line_count = b->count,
        .rejected_rows = b->rejected_rows,
    };
}
