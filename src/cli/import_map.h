// SPDX-License-Identifier: Apache-2.0
// The map file: which column of a till's CSV means what.
//
// Why: every till exports other columns; a short INI file says once how to read them.
//
//   [columns]  ticket, time, sku, quantity, unit_price (needed; the last two may have a default),
//              name, location, till, payment, currency, customer. A value is a header's text, or a
//              number from 1 where header = no. ticket and time may be several columns
//              ("time = date, clock"): a time is joined by a blank, a ticket by '/'.
//   [format]   time (strptime; "%Y-%m-%d %H:%M:%S"), timezone (IANA name; UTC), delimiter (one
//              character, or comma, semicolon, pipe, tab), decimal ('.' or ','), encoding (iconv
//              name; UTF-8), header (yes or no; yes)
//   [rules]    kind (tickets), cancel_prefix, sign (negative), currency, currency_places (2),
//              default_quantity, default_unit_price, location
//
// Invariants: a map that was read is complete: every needed column is named or has a default.
// Ownership: by value; nothing to free. Limits: those of base/ini_file.h; a value of 255 bytes.
#ifndef WASL_CLI_IMPORT_MAP_H
#define WASL_CLI_IMPORT_MAP_H

#include "base/err.h"
#include "base/str.h"

enum import_field {
    IMPORT_TICKET,
    IMPORT_TIME,
    IMPORT_SKU,
    IMPORT_NAME,
    IMPORT_QUANTITY,
    IMPORT_UNIT_PRICE,
    IMPORT_LOCATION,
    IMPORT_TILL,
    IMPORT_PAYMENT,
    IMPORT_CURRENCY,
    IMPORT_CUSTOMER,
    IMPORT_FIELD_COUNT,
};

enum { IMPORT_VALUE_MAX = 256 };

struct import_map {
    char name[IMPORT_VALUE_MAX];                        // of the map file, for messages
    char columns[IMPORT_FIELD_COUNT][IMPORT_VALUE_MAX]; // empty: not mapped
    char time_format[IMPORT_VALUE_MAX];
    char timezone[IMPORT_VALUE_MAX];
    char encoding[IMPORT_VALUE_MAX];
    char delimiter;
    char decimal;
    bool header;
    bool sign_negative; // a ticket whose quantities are all negative is a return
    char cancel_prefix[IMPORT_VALUE_MAX];
    char currency[IMPORT_VALUE_MAX];
    int currency_places;
    bool has_default_quantity;
    bool has_default_unit_price;
    int64_t default_quantity;   // decimal
    int64_t default_unit_price; // decimal
    char location[IMPORT_VALUE_MAX];
};

// Reads a map file. ERR_NOT_FOUND, ERR_PARSE; ERR_INVALID for an unknown key, a bad value or a
// needed column that is neither mapped nor given a default; ERR_UNSUPPORTED for a kind of file that
// is not built. e names the file and the key.
enum err_code import_map_read(const char *path, struct import_map *ret, struct err *e) MUST_CHECK;

// The same from text; name stands for the file in messages.
enum err_code import_map_parse(const char *name, struct str text, struct import_map *ret,
                               struct err *e) MUST_CHECK;

// The key of a field in [columns] ("unit_price").
const char *import_map_field_name(enum import_field field);

// Three capital letters, as ISO 4217 codes are.
bool import_map_is_currency(struct str text);

#endif
