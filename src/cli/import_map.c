// SPDX-License-Identifier: Apache-2.0
#include "cli/import_map.h"

#include "base/decimal.h"
#include "base/ini_file.h"
#include "model/event.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    const char *default_key; // in [rules], that makes the column dispensable
    bool needed;
} fields[IMPORT_FIELD_COUNT] = {
    [IMPORT_TICKET] = {"ticket", NULL, true},
    [IMPORT_TIME] = {"time", NULL, true},
    [IMPORT_SKU] = {"sku", NULL, true},
    [IMPORT_NAME] = {"name", NULL, false},
    [IMPORT_QUANTITY] = {"quantity", "default_quantity", true},
    [IMPORT_UNIT_PRICE] = {"unit_price", "default_unit_price", true},
    [IMPORT_LOCATION] = {"location", NULL, false},
    [IMPORT_TILL] = {"till", NULL, false},
    [IMPORT_PAYMENT] = {"payment", NULL, false},
    [IMPORT_CURRENCY] = {"currency", NULL, false},
    [IMPORT_CUSTOMER] = {"customer", NULL, false},
};

static const struct {
    const char *word;
    char delimiter;
} delimiters[] = {
    {"tab", '\t'},
    {"comma", ','},
    {"semicolon", ';'}, // a bare ';' begins a comment in an INI file
    {"pipe", '|'},
};

const char *import_map_field_name(enum import_field field)
{
    return fields[field].name;
}

// Copies a text value, or the given default where the key is absent.
static enum err_code read_text(struct import_map *map, struct ini_file *ini, const char *section,
                               const char *key, char to[IMPORT_VALUE_MAX], struct err *e)
{
    const char *value = ini_file_find(ini, section, key);
    if (value == NULL) {
        return ERR_OK;
    }
    if (value[0] == '\0') {
        return err_set(e, ERR_INVALID, "%s: %s.%s is empty", map->name, section, key);
    }
    if (str_copy(to, IMPORT_VALUE_MAX, str_of(value)) != ERR_OK) {
        return err_set(e, ERR_INVALID, "%s: %s.%s is longer than %d bytes", map->name, section, key,
                       IMPORT_VALUE_MAX - 1);
    }
    return ERR_OK;
}

static enum err_code read_columns(struct import_map *map, struct ini_file *ini, struct err *e)
{
    for (size_t i = 0; i < IMPORT_FIELD_COUNT; i++) {
        enum err_code code = read_text(map, ini, "columns", fields[i].name, map->columns[i], e);
        if (code != ERR_OK) {
            return code;
        }
    }
    return ERR_OK;
}

static enum err_code read_delimiter(struct import_map *map, struct ini_file *ini, struct err *e)
{
    const char *value = ini_file_find(ini, "format", "delimiter");
    if (value == NULL) {
        return ERR_OK;
    }
    for (size_t i = 0; i < sizeof(delimiters) / sizeof(delimiters[0]); i++) {
        if (strcmp(value, delimiters[i].word) == 0) {
            map->delimiter = delimiters[i].delimiter;
            return ERR_OK;
        }
    }
    if (strlen(value) != 1 || strchr("\"\r\n", value[0]) != NULL || (value[0] & 0x80) != 0) {
        return err_set(e, ERR_INVALID,
                       "%s: format.delimiter must be one ASCII character, or comma, semicolon, "
                       "pipe or tab, not '%s'",
                       map->name, value);
    }
    map->delimiter = value[0];
    return ERR_OK;
}

static enum err_code read_format(struct import_map *map, struct ini_file *ini, struct err *e)
{
    const struct {
        const char *key;
        char *to;
    } texts[] = {
        {"time", map->time_format},
        {"timezone", map->timezone},
        {"encoding", map->encoding},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        enum err_code code = read_text(map, ini, "format", texts[i].key, texts[i].to, e);
        if (code != ERR_OK) {
            return code;
        }
    }
    const char *decimal = ini_file_find(ini, "format", "decimal");
    if (decimal != NULL) {
        if (strcmp(decimal, ".") != 0 && strcmp(decimal, ",") != 0) {
            return err_set(e, ERR_INVALID, "%s: format.decimal must be '.' or ',', not '%s'",
                           map->name, decimal);
        }
        map->decimal = decimal[0];
    }
    const char *header = ini_file_find(ini, "format", "header");
    if (header != NULL) {
        map->header = strcmp(header, "yes") == 0;
        if (!map->header && strcmp(header, "no") != 0) {
            return err_set(e, ERR_INVALID, "%s: format.header must be yes or no, not '%s'",
                           map->name, header);
        }
    }
    return read_delimiter(map, ini, e);
}

static enum err_code read_default(struct import_map *map, struct ini_file *ini, const char *key,
                                  int64_t *to, bool *ret_given, struct err *e)
{
    const char *value = ini_file_find(ini, "rules", key);
    *ret_given = value != NULL;
    if (value != NULL && decimal_parse(str_of(value), to) != ERR_OK) {
        return err_set(e, ERR_INVALID, "%s: rules.%s must be a decimal like 1 or 2.5, not '%s'",
                       map->name, key, value);
    }
    return ERR_OK;
}

static enum err_code read_kind(struct import_map *map, struct ini_file *ini, struct err *e)
{
    const char *kind = ini_file_find(ini, "rules", "kind");
    if (kind == NULL || strcmp(kind, "tickets") == 0) {
        return ERR_OK;
    }
    if (strcmp(kind, "deliveries") == 0 || strcmp(kind, "counts") == 0) {
        return err_set(e, ERR_UNSUPPORTED, "%s: rules.kind = %s is not built yet, only tickets",
                       map->name, kind);
    }
    return err_set(e, ERR_INVALID, "%s: rules.kind must be tickets, deliveries or counts, not '%s'",
                   map->name, kind);
}

static enum err_code read_signs(struct import_map *map, struct ini_file *ini, struct err *e)
{
    const char *sign = ini_file_find(ini, "rules", "sign");
    if (sign != NULL && strcmp(sign, "negative") != 0) {
        return err_set(e, ERR_INVALID, "%s: rules.sign must be negative, not '%s'", map->name,
                       sign);
    }
    map->sign_negative = sign != NULL;
    const char *places = ini_file_find(ini, "rules", "currency_places");
    int64_t count = 2;
    if (places != NULL &&
        (str_to_i64(str_of(places), &count) != ERR_OK || count < 0 || count > 4)) {
        return err_set(e, ERR_INVALID, "%s: rules.currency_places must be 0 to 4, not '%s'",
                       map->name, places);
    }
    map->currency_places = (int)count;
    return ERR_OK;
}

bool import_map_is_currency(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < 'A' || text.p[i] > 'Z') {
            return false;
        }
    }
    return text.n == 3;
}

static enum err_code read_names(struct import_map *map, struct ini_file *ini, struct err *e)
{
    enum err_code code = read_text(map, ini, "rules", "cancel_prefix", map->cancel_prefix, e);
    if (code == ERR_OK) {
        code = read_text(map, ini, "rules", "currency", map->currency, e);
    }
    if (code == ERR_OK) {
        code = read_text(map, ini, "rules", "location", map->location, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    if (!import_map_is_currency(str_of(map->currency))) {
        return err_set(e, ERR_INVALID, "%s: rules.currency must be three capital letters, not '%s'",
                       map->name, map->currency);
    }
    if (map->location[0] != '\0' && !event_location_valid(str_of(map->location))) {
        return err_set(e, ERR_INVALID, "%s: rules.location is not a valid id", map->name);
    }
    return ERR_OK;
}

static enum err_code read_rules(struct import_map *map, struct ini_file *ini, struct err *e)
{
    enum err_code code = read_kind(map, ini, e);
    if (code == ERR_OK) {
        code = read_names(map, ini, e);
    }
    if (code == ERR_OK) {
        code = read_default(map, ini, "default_quantity", &map->default_quantity,
                            &map->has_default_quantity, e);
    }
    if (code == ERR_OK) {
        code = read_default(map, ini, "default_unit_price", &map->default_unit_price,
                            &map->has_default_unit_price, e);
    }
    return code == ERR_OK ? read_signs(map, ini, e) : code;
}

static bool has_default(const struct import_map *map, size_t field)
{
    return (field == IMPORT_QUANTITY && map->has_default_quantity) ||
           (field == IMPORT_UNIT_PRICE && map->has_default_unit_price);
}

static enum err_code check_needed(const struct import_map *map, struct err *e)
{
    for (size_t i = 0; i < IMPORT_FIELD_COUNT; i++) {
        if (!fields[i].needed || map->columns[i][0] != '\0' || has_default(map, i)) {
            continue;
        }
        if (fields[i].default_key != NULL) {
            return err_set(e, ERR_INVALID, "%s: columns.%s is missing, and rules.%s too", map->name,
                           fields[i].name, fields[i].default_key);
        }
        return err_set(e, ERR_INVALID, "%s: columns.%s is missing", map->name, fields[i].name);
    }
    return ERR_OK;
}

// A decimal comma between commas is told from them by quotes, as files in such countries have it.
static enum err_code check_signs_differ(const struct import_map *map, struct err *e)
{
    if (map->delimiter != map->decimal || map->decimal == ',') {
        return ERR_OK;
    }
    return err_set(e, ERR_INVALID,
                   "%s: format.delimiter and format.decimal are both '%c': a price would be cut "
                   "in two",
                   map->name, map->decimal);
}

static enum err_code read_all(struct import_map *map, struct ini_file *ini, struct err *e)
{
    enum err_code code = read_columns(map, ini, e);
    if (code == ERR_OK) {
        code = read_format(map, ini, e);
    }
    if (code == ERR_OK) {
        code = read_rules(map, ini, e);
    }
    if (code == ERR_OK) {
        code = ini_file_refuse_unused(ini, map->name, "wasl import --help", e);
    }
    if (code == ERR_OK) {
        code = check_signs_differ(map, e);
    }
    return code == ERR_OK ? check_needed(map, e) : code;
}

static enum err_code from_ini(const char *name, struct ini_file *ini, struct import_map *ret,
                              struct err *e)
{
    struct import_map map = {
        .time_format = "%Y-%m-%d %H:%M:%S",
        .timezone = "UTC",
        .encoding = "UTF-8",
        .currency = "XXX",
        .delimiter = ',',
        .decimal = '.',
        .header = true,
    };
    (void)snprintf(map.name, sizeof(map.name), "%s", name);
    enum err_code code = read_all(&map, ini, e);
    if (code == ERR_OK) {
        *ret = map;
    }
    return code;
}

enum err_code import_map_read(const char *path, struct import_map *ret, struct err *e)
{
    struct ini_file ini = {0};
    enum err_code code = ini_file_read(path, &ini, e);
    if (code == ERR_OK) {
        code = from_ini(path, &ini, ret, e);
        ini_file_fini(&ini);
    }
    return code;
}

enum err_code import_map_parse(const char *name, struct str text, struct import_map *ret,
                               struct err *e)
{
    struct ini_file ini = {0};
    enum err_code code = ini_file_parse(name, text, &ini, e);
    if (code == ERR_OK) {
        code = from_ini(name, &ini, ret, e);
        ini_file_fini(&ini);
    }
    return code;
}
