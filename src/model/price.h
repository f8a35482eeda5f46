// SPDX-License-Identifier: Apache-2.0
// Which price counts, and whether a sold one is the price it should be.
//
// Why: what a till shows, what the authority judges and what the centre finds afterwards must be
//   one rule.
// Invariants: a sale is never refused for its price. It keeps the price it was made at; a price
//   that nothing explains is asked about.
#ifndef WASL_MODEL_PRICE_H
#define WASL_MODEL_PRICE_H

#include "base/decimal.h"

// The chain's setting: what a branch's own price is worth.
enum price_authority {
    PRICE_CENTRE,         // nothing: the head office's counts
    PRICE_BRANCH_IF_NONE, // where the head office has set none
    PRICE_BRANCH,         // it counts before the head office's
};
#define PRICE_SETTING "price_authority"                           // its name
const char *price_authority_name(enum price_authority authority); // "centre", "branch_if_none", ...
enum err_code price_authority_parse(struct str text, enum price_authority *ret) MUST_CHECK;

struct price {
    bool there;
    int64_t amount; // decimal, of one unit in major units
    struct str currency;
    int places;
};
enum price_source { PRICE_FROM_NOBODY, PRICE_FROM_CENTRE, PRICE_FROM_BRANCH };

// Which of the two counts at a branch. A branch's price whose event is held or denied is none.
enum price_source price_counts(enum price_authority authority, const struct price *centre,
                               const struct price *branch);

// A promotion of one item, as far as it changes the price of a unit.
struct price_promotion {
    struct str kind; // percent, amount, price; any other changes no unit's price
    int64_t value;   // decimal: percent, or major units
    struct str currency;
};
// What a unit costs with it: half away from zero at the currency's places, never below zero. False
// where it does not change the price of a unit in this currency.
bool price_promoted(const struct price *price, const struct price_promotion *promotion,
                    int64_t *ret_amount);

enum price_finding {
    PRICE_SAME,       // the one that counts
    PRICE_OTHER_LIST, // of another list of that version
    PRICE_PROMOTED,   // what a promotion of that version gives
    PRICE_OVERRIDDEN, // somebody allowed another one, with their name
    PRICE_UNKNOWN,    // nothing to compare with: no version named, no price, or another currency
    PRICE_NO_ITEM,    // that version has no such item
    PRICE_DIFFERS,    // nothing explains it
};
struct price_sold {
    int64_t amount; // decimal
    struct str currency;
    bool overridden;
};
struct price_facts { // of the version that its author had before him
    struct price price;
    bool no_item;               // it has no such item
    const struct price *others; // of other lists, and of the branch where it may set its own
    size_t other_count;
    const struct price_promotion *promotions;
    size_t promotion_count;
};
enum price_finding price_check(const struct price_sold *sold, const struct price_facts *facts);
const char *price_finding_name(enum price_finding finding);
bool price_is_asked(enum price_finding finding); // nothing explains it

#endif
