// SPDX-License-Identifier: Apache-2.0
#include "model/catalog.h"

#include "base/decimal.h"

#include <string.h>

#define BIT(column) (UINT32_C(1) << (column))
#define EXTRA                                                                                      \
    {"extra", COLUMN_TEXT, "JSON: what this program does not know of the row"},                    \
    {                                                                                              \
        NULL, COLUMN_TEXT, NULL                                                                    \
    }

#define PRICED                                                                                     \
    {                                                                                              \
        CATALOG_PRICED, COLUMN_INTEGER, "the version since which it has this price"                \
    }

// ---- tables -----------------------------------------------------------------------------------

static const struct column item_columns[] = {
    {"id", COLUMN_TEXT, "the stock-keeping unit"},
    {"name", COLUMN_TEXT, "as printed"},
    {"name_ar", COLUMN_TEXT, "in Arabic"},
    {"name_en", COLUMN_TEXT, "in English"},
    {"name_fr", COLUMN_TEXT, "in French"},
    {"category", COLUMN_TEXT, "a code"},
    {"unit", COLUMN_TEXT, "piece, kg, ..."},
    {"barcode", COLUMN_TEXT, "as scanned"},
    {"shelf_life_days", COLUMN_INTEGER, "from receipt to expiry"},
    {"tax", COLUMN_TEXT, "the tax's code"},
    {"active", COLUMN_INTEGER, "0: not sold any more"},
    {"price", COLUMN_DECIMAL, "of one unit in major units; null: none was set"},
    {"currency", COLUMN_TEXT, "of the price"},
    {"places", COLUMN_INTEGER, "decimal places of the currency"},
    {"recipe", COLUMN_TEXT, "JSON: what one unit takes from stock, [{sku, quantity}]"},
    PRICED,
    EXTRA};
enum { I_ACTIVE = 10, I_RECIPE = 14 };
static const struct column price_columns[] = {
    {"id", COLUMN_TEXT, "sku/list"},
    {"sku", COLUMN_TEXT, "the stock-keeping unit"},
    {"list", COLUMN_TEXT, "the price list"},
    {"price", COLUMN_DECIMAL, "of one unit in major units"},
    {"currency", COLUMN_TEXT, "of the price"},
    {"places", COLUMN_INTEGER, "decimal places of the currency"},
    PRICED,
    EXTRA};
static const struct column promotion_columns[] = {
    {"id", COLUMN_TEXT, "the promotion"},
    {"name", COLUMN_TEXT, "as printed"},
    {"kind", COLUMN_TEXT, "percent or amount off, another price, or units free"},
    {"value", COLUMN_DECIMAL, "percent, or major units"},
    {"currency", COLUMN_TEXT, "of an amount or price"},
    {"sku", COLUMN_TEXT, "of this item"},
    {"category", COLUMN_TEXT, "of every item in it; null beside no item: of the order"},
    {"buy", COLUMN_DECIMAL, "units to be bought"},
    {"free", COLUMN_DECIMAL, "units that are then free"},
    {"weekdays", COLUMN_TEXT, "digits, 1 is Monday; null: every day"},
    {"since", COLUMN_TEXT, "the first day"},
    {"until", COLUMN_TEXT, "the last day"},
    {"from_time", COLUMN_TEXT, "HH:MM, the place's time"},
    {"until_time", COLUMN_TEXT, "HH:MM"},
    {"place", COLUMN_TEXT, "the one location; null: everywhere"},
    {"priority", COLUMN_INTEGER, "the higher goes first"},
    {"active", COLUMN_INTEGER, "0: over"},
    EXTRA};
enum { M_ACTIVE = 16 };
static const struct column tax_columns[] = {
    {"id", COLUMN_TEXT, "its code"},
    {"name", COLUMN_TEXT, "as printed"},
    {"percent", COLUMN_DECIMAL, "of the net price"},
    {"included", COLUMN_INTEGER, "1: prices contain it"},
    {"since", COLUMN_TEXT, "the first day of this percentage"},
    {"before", COLUMN_DECIMAL, "the percentage until then"},
    EXTRA};
enum { T_INCLUDED = 3 };

static const struct row_table items = {"catalog_item_rows", 1, item_columns};
static const struct row_table prices = {"catalog_price_rows", 1, price_columns};
static const struct row_table promotions = {"catalog_promotion_rows", 1, promotion_columns};
static const struct row_table taxes = {"catalog_tax_rows", 1, tax_columns};

const struct catalog_kind catalog_kinds[] = {
    [CATALOG_ITEM] = {"catalog_item", &items, BIT(I_RECIPE), BIT(I_ACTIVE)},
    [CATALOG_PRICE] = {"catalog_price", &prices, 0, 0},
    [CATALOG_PROMOTION] = {"catalog_promotion", &promotions, 0, BIT(M_ACTIVE)},
    [CATALOG_TAX] = {"catalog_tax", &taxes, 0, BIT(T_INCLUDED)},
};
_Static_assert(sizeof catalog_kinds / sizeof catalog_kinds[0] == CATALOG_KIND_COUNT, "all kinds");

const struct catalog_kind *catalog_kind_find(struct str type)
{
    for (int i = 0; i < CATALOG_KIND_COUNT; i++) {
        if (str_is(type, catalog_kinds[i].type))
            return &catalog_kinds[i];
    }
    return NULL;
}

int catalog_column(const struct catalog_kind *kind, const char *name)
{
    int column = 0;
    while (kind->table->columns[column].name != NULL &&
           strcmp(kind->table->columns[column].name, name) != 0)
        column++;
    MUST(kind->table->columns[column].name != NULL);
    return column;
}

// ---- writing ----------------------------------------------------------------------------------

static enum err_code write_decimal(int64_t number, struct buf *to)
{
    char text[DECIMAL_TEXT_MAX];
    decimal_format(number, text);
    return buf_append_format(to, "\"%s\"", text);
}

static enum err_code write_value(const struct catalog_kind *kind, int column,
                                 const struct value *value, struct buf *to)
{
    switch (kind->table->columns[column].kind) {
    case COLUMN_TEXT:
        return kind->json & BIT(column) ? buf_append_str(to, value->text)
                                        : json_append_string(to, value->text);
    case COLUMN_INTEGER:
        if (kind->flags & BIT(column))
            return buf_append_str(to, value->number ? STR("true") : STR("false"));
        return buf_append_format(to, "%lld", (long long)value->number);
    case COLUMN_DECIMAL:
        return write_decimal(value->number, to);
    case COLUMN_UUID:
        break;
    }
    MUST(false); // no column of the catalog is one
    return ERR_INVALID;
}

// 'extra' is an object: its members go behind the others, as they came.
static enum err_code write_extra(struct str extra, bool first, struct buf *to)
{
    if (extra.n <= 2)
        return ERR_OK;
    enum err_code code = first ? ERR_OK : buf_append(to, ",", 1);
    return code ? code : buf_append(to, extra.p + 1, extra.n - 2);
}

enum err_code catalog_row_write(const struct catalog_kind *kind, const struct row *row,
                                struct buf *to)
{
    int last = row_column_count(kind->table) - 1;
    bool first = true;
    enum err_code code = buf_append(to, "{", 1);
    for (int i = 1; i < last && code == ERR_OK; i++) {
        if (row->values[i].null)
            continue;
        code = buf_append_format(to, "%s\"%s\":", first ? "" : ",", kind->table->columns[i].name);
        if (code == ERR_OK)
            code = write_value(kind, i, &row->values[i], to);
        first = false;
    }
    if (code == ERR_OK && !row->values[last].null)
        code = write_extra(row->values[last].text, first, to);
    return code ? code : buf_append(to, "}", 1);
}

enum err_code catalog_row_encode(const struct catalog_kind *kind, const struct row *row,
                                 struct buf *to)
{
    enum err_code code = buf_append_format(to, "{\"type\":\"%s\",\"id\":", kind->type);
    if (code == ERR_OK)
        code = json_append_string(to, row->values[0].text);
    if (code == ERR_OK)
        code = buf_append_str(to, STR(",\"row\":"));
    if (code == ERR_OK)
        code = catalog_row_write(kind, row, to);
    return code ? code : buf_append(to, "}", 1);
}

enum err_code catalog_version_write(const struct catalog_version *version, struct buf *to)
{
    char hash[HASH_TEXT_SIZE];
    hash_format(&version->hash, hash);
    return buf_append_format(to, "{\"version\":%llu,\"hash\":\"%s\",\"count\":%llu}",
                             (unsigned long long)version->number, hash,
                             (unsigned long long)version->count);
}

// ---- reading ----------------------------------------------------------------------------------

static enum err_code read_json(yyjson_val *from, struct arena *a, struct value *to)
{
    struct buf text;
    buf_init(&text, LIMIT_EVENT_BYTES);
    enum err_code code = json_append_value(&text, from);
    if (code == ERR_OK)
        to->text = arena_copy(a, buf_str(&text));
    buf_fini(&text);
    return code == ERR_OK && to->text.p == NULL ? ERR_NO_MEMORY : code;
}

static bool read_integer(yyjson_val *from, bool flag, struct value *to)
{
    if (flag) {
        to->number = yyjson_is_true(from);
        return yyjson_is_bool(from);
    }
    to->number = yyjson_get_sint(from);
    return yyjson_is_int(from) && !(yyjson_is_uint(from) && yyjson_get_uint(from) > INT64_MAX);
}

static enum err_code read_value(const struct catalog_kind *kind, int column, yyjson_val *from,
                                struct arena *a, struct value *to)
{
    bool ok = false;
    *to = (struct value){.null = yyjson_is_null(from)};
    if (to->null)
        return ERR_OK;
    if (kind->json & BIT(column))
        return read_json(from, a, to);
    switch (kind->table->columns[column].kind) {
    case COLUMN_TEXT:
        to->text = str_make(yyjson_get_str(from), yyjson_get_len(from));
        ok = yyjson_is_str(from);
        break;
    case COLUMN_INTEGER:
        ok = read_integer(from, kind->flags & BIT(column), to);
        break;
    case COLUMN_DECIMAL:
        ok = yyjson_is_str(from) &&
             decimal_parse(str_make(yyjson_get_str(from), yyjson_get_len(from)), &to->number) ==
                 ERR_OK;
        break;
    case COLUMN_UUID:
        break;
    }
    return ok ? ERR_OK : ERR_INVALID;
}

static int find_column(const struct catalog_kind *kind, int count, struct str key, int from)
{
    for (int i = 0; i < count; i++) { // members come in the columns' order
        int column = 1 + (from - 1 + i) % count;
        if (str_is(key, kind->table->columns[column].name))
            return column;
    }
    return 0;
}

static enum err_code keep_unknown(yyjson_val *key, yyjson_val *value, struct buf *extra)
{
    enum err_code code = buf_append(extra, extra->len ? "," : "{", 1);
    if (code == ERR_OK)
        code = json_append_value(extra, key);
    if (code == ERR_OK)
        code = buf_append(extra, ":", 1);
    return code ? code : json_append_value(extra, value);
}

static enum err_code end_extra(struct buf *extra, struct arena *a, struct value *to)
{
    if (extra->len == 0)
        return ERR_OK;
    enum err_code code = buf_append(extra, "}", 1);
    if (code)
        return code;
    *to = (struct value){.text = arena_copy(a, buf_str(extra))};
    return to->text.p ? ERR_OK : ERR_NO_MEMORY;
}

static enum err_code read_members(const struct catalog_kind *kind, yyjson_val *object,
                                  struct arena *a, struct row *row, struct buf *extra,
                                  struct err *e)
{
    int count = row_column_count(kind->table) - 2, next = 1; // not the key, not 'extra'
    yyjson_obj_iter iter = yyjson_obj_iter_with(object);
    yyjson_val *key;
    enum err_code code = ERR_OK;
    while (code == ERR_OK && (key = yyjson_obj_iter_next(&iter)) != NULL) {
        struct str name = str_make(yyjson_get_str(key), yyjson_get_len(key));
        yyjson_val *value = yyjson_obj_iter_get_val(key);
        int column = find_column(kind, count, name, next);
        if (column == 0)
            code = keep_unknown(key, value, extra);
        else
            code = read_value(kind, column, value, a, &row->values[column]);
        if (code == ERR_INVALID)
            return err_set(e, code, "%s: %.*s: not a valid value", kind->type, STR_ARG(name));
        next = column == 0 || column == count ? 1 : column + 1;
    }
    return code ? err_set(e, code, "out of memory for the catalog") : ERR_OK;
}

enum err_code catalog_row_read(const struct catalog_kind *kind, struct str id, yyjson_val *object,
                               struct arena *a, struct row *ret, struct err *e)
{
    int columns = row_column_count(kind->table);
    struct buf extra;
    struct row row = {kind->table, arena_alloc(a, (size_t)columns * sizeof(struct value))};
    if (!yyjson_is_obj(object) || id.n == 0 || id.n > LIMIT_NAME)
        return err_set(e, ERR_INVALID, "%s: not a row", kind->type);
    if (row.values == NULL)
        return err_set(e, ERR_NO_MEMORY, "out of memory for the catalog");
    for (int i = 0; i < columns; i++)
        row.values[i] = (struct value){.null = true};
    row_set_text(&row, 0, id);
    buf_init(&extra, LIMIT_EVENT_BYTES);
    enum err_code code = read_members(kind, object, a, &row, &extra, e);
    if (code == ERR_OK && end_extra(&extra, a, &row.values[columns - 1]))
        code = err_set(e, ERR_NO_MEMORY, "out of memory for the catalog");
    buf_fini(&extra);
    if (code == ERR_OK)
        *ret = row;
    return code;
}

enum err_code catalog_version_read(yyjson_val *row, struct catalog_version *ret, struct err *e)
{
    int64_t number = 0, count = 0;
    struct catalog_version version;
    enum err_code code = json_get_i64(row, "version", &number, e);
    if (code == ERR_OK)
        code = json_get_i64(row, "count", &count, e);
    if (code == ERR_OK)
        code = json_get_hash(row, "hash", &version.hash, e);
    if (code)
        return err_wrap(e, code, CATALOG_VERSION_TYPE);
    if (number < 1 || count < 0)
        return err_set(e, ERR_INVALID,
                       CATALOG_VERSION_TYPE ": there is no version %lld of %lld rows",
                       (long long)number, (long long)count);
    version.number = (uint64_t)number;
    version.count = (uint64_t)count;
    *ret = version;
    return ERR_OK;
}
