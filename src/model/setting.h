// SPDX-License-Identifier: Apache-2.0
// Settings: what the chain has decided and its nodes go by, as records of the lane deferred.
//
// Rules: last writer wins. What has no value here has that of the table below. A place may have its
//   own word where the table says so, which goes before the chain's. docs/SETTINGS.md is generated
//   from the table.
// Invariants: a value that is folded is one of its key's: what is not, or is of a key nobody knows,
//   is refused where it is made and a dead letter everywhere else. A record is named by its key;
//   where the key has items, perhaps with one behind a slash: "pending_hours/price_set".
#ifndef WASL_MODEL_SETTING_H
#define WASL_MODEL_SETTING_H

#include "base/decimal.h"
#include "model/card.h"
#include "model/window.h"

enum setting_kind {
    SETTING_NUMBER,  // whole, low to high
    SETTING_DECIMAL, // up to 4 places, low to high in ten-thousandths
    SETTING_CHOICE,  // one of 'choices'
    SETTING_WINDOW,  // HH:MM-HH:MM (window.h)
};
enum setting_items {
    ITEMS_NONE,
    ITEMS_TYPES, // event types
    ITEMS_SKUS,
};
struct setting_row {
    const char *key;
    enum setting_kind kind;
    enum setting_items items;
    bool place;         // a place may have its own
    const char *preset; // NULL: what the item has by itself
    int64_t low, high;
    const char *choices; // by '|'
    const char *meaning, *why;
    const char *reader; // what goes by it; NULL: nothing yet
};
extern const struct setting_row setting_table[];
extern const size_t setting_count;

// Of a record's id; *ret_item is empty where it names none. NULL: no such key, or no such item.
const struct setting_row *setting_find(struct str record_id, struct str *ret_item);
// ERR_INVALID with the reason where a value is none of the key's.
enum err_code setting_check(const struct setting_row *row, struct str value,
                            struct err *e) MUST_CHECK;
// The value of one that nobody has set; empty where even its item has none.
struct str setting_preset(const struct setting_row *row, struct str item,
                          char scratch[DECIMAL_TEXT_MAX]);
const char *setting_kind_name(enum setting_kind kind);

extern const struct reducer setting_reducer;

#endif
