// SPDX-License-Identifier: Apache-2.0
// Records of fields that the last writer wins, as the simulator writes and checks them.
#ifndef WASL_SIM_SHOP_CARD_H
#define WASL_SIM_SHOP_CARD_H

#include "sim/shop.h"

enum { SHOP_CHOICES = 4 };

struct shop_card_field {
    const char *name; // of the body's member and of the column; NULL ends the list
    enum column_kind kind;
    bool always;                       // each event says it
    const char *choices[SHOP_CHOICES]; // NULL: numbers
};
struct shop_card {
    const char *event_type;
    bool whole; // what an event does not say is nothing any more
    struct shop_card_field fields[SHOP_FIELDS + 1];
    const char *ids[SHOP_CHOICES]; // NULL: SKUs
    const char *asks;              // the kind of question about two writes; NULL: never
    const char *policy;            // of two whose authors had not seen each other
};
extern const struct shop_card shop_cards[SHOP_KINDS];

#endif
