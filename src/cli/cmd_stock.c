// SPDX-License-Identifier: Apache-2.0
#include "base/decimal.h"
#include "cli/access.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/shown_text.h"

#include <stdio.h>

static const struct argp_option options[] = {
    {"location", 'l', "ID", 0, "this place only", 0},
    {"sku", 's', "S", 0, "this SKU only", 0},
    {"json", 'j', NULL, 0, "as a JSON array of objects", 0},
    {0}};
static const struct arguments_spec spec = {
    .options = options,
    .positionals = "DIR",
    .low = 1,
    .high = 1,
    .doc = "Lists stock by location and SKU.",
};

enum { NAMES_BYTES = 64 * 1024 };

struct listing {
    bool json;
    uint64_t rows;
    struct buf row;
    struct arena names; // of one row
    enum err_code code;
};

static enum err_code row_json(struct buf *to, const struct stock_row *row)
{
    struct json_out o;
    json_out_begin(&o);
    json_out_text(&o, o.root, "location", row->location);
    json_out_text(&o, o.root, "sku", row->sku);
    json_out_decimal(&o, o.root, "quantity", row->quantity);
    enum err_code code = json_out_append(&o, to);
    json_out_fini(&o);
    return code;
}

static bool print_row(void *context, const struct stock_row *row)
{
    struct listing *l = context;
    char quantity[DECIMAL_TEXT_MAX];
    if (!l->json) {
        decimal_format(row->quantity, quantity);
        arena_reset(&l->names);
        (void)printf("%-20.*s %-20.*s %12s\n", STR_ARG(shown_text_of(row->location, &l->names)),
                     STR_ARG(shown_text_of(row->sku, &l->names)), quantity);
        l->rows++;
        return true;
    }
    buf_reset(&l->row);
    l->code = row_json(&l->row, row);
    if (l->code == ERR_OK) {
        (void)printf("%s\n%.*s", l->rows > 0 ? "," : "", STR_ARG(buf_str(&l->row)));
        l->rows++;
    }
    return l->code == ERR_OK;
}

static enum err_code run(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct access access;
    struct listing l = {0};
    enum err_code code = arguments_parse(&spec, argc, argv, &a, e);
    if (code == ERR_OK) {
        code = access_open(a.positional[0], ACCESS_READ, &access, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    l.json = arguments_has(&a, 'j');
    buf_init(&l.row, LIMIT_EVENT_BYTES);
    arena_init(&l.names, NAMES_BYTES);
    (void)printf("%s", l.json ? "[" : "");
    code = store_stock_each(access.store, str_of(arguments_find(&a, 'l')),
                            str_of(arguments_find(&a, 's')), print_row, &l, e);
    if (code == ERR_OK && l.code != ERR_OK) {
        code = err_set(e, l.code, "%s", err_text(l.code));
    }
    const char *last = code == ERR_OK && l.rows == 0 ? "No stock.\n" : "";
    if (l.json) {
        last = l.rows > 0 ? "\n]\n" : "]\n";
    }
    (void)printf("%s", last);
    buf_fini(&l.row);
    arena_fini(&l.names);
    access_close(&access);
    return code;
}

const struct command command_stock = {"stock", "list stock", run};
