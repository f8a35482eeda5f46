// SPDX-License-Identifier: Apache-2.0
// Which price counts, and whether a sold one is the price it should be.
//
// Why: what a till shows, what the authority judges and what the centre finds afterwards must be
//   one rule.
// Invariants: a sale is never refused for its price. It keeps the price it was made at; a price
//   that nothing explains is asked about.
//
// The rule, for an item at a place (docs/adr/0024-a-branchs-own-price.md):
//   1. A published price is of the version since which it is so; a place's own price names the
//      version that its author had before him. An own price of an older version than that of the
//      published one yields to it: its author had not seen it. Nobody's leave changes that.
//   2. Else an own price counts that the authority let stand, as it came or by a person.
//   3. One that the authority has not seen counts, pending, where the chain's setting lets it.
//   Both versions travel with the prices, so who holds both rows says the same, and what a till
//   shows changes in the very transaction that shows it another version.
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
    uint64_t since; // of a published one: the version since which it is so; 0: of an early one
};
// What a branch says, as it stands in its record: one whose event is held or denied is not there.
struct price_own {
    struct price price;
    uint64_t saw; // the version that its author had before him; 0: none
    bool judged;  // the authority has had its say
};
enum price_standing {
    PRICE_OWN_NONE,
    PRICE_OWN_COUNTS,
    PRICE_OWN_PENDING, // counts until the authority hears of it
    PRICE_OWN_YIELDS,  // to a price that the head office published since
    PRICE_OWN_REFUSED, // the chain does not let the branch, and nobody has
};
const char *price_standing_name(enum price_standing standing); // "none", "counts", ...
// Whether a branch may set a price where the head office has that one.
bool price_may(enum price_authority authority, const struct price *centre);
enum price_standing price_stands(enum price_authority authority, const struct price *centre,
                                 const struct price_own *own);
// The one that counts of the two; it may not be there.
const struct price *price_counts(enum price_authority authority, const struct price *centre,
                                 const struct price_own *own);

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
