// SPDX-License-Identifier: Apache-2.0
#include "model/price.h"

static const char *const authorities[] = {"centre", "branch_if_none", "branch"};
static const char *const findings[] = {"same",    "other_list", "promoted",     "overridden",
                                       "unknown", "no_item",    "price_differs"};

const char *price_authority_name(enum price_authority authority)
{
    return authorities[authority];
}

enum err_code price_authority_parse(struct str text, enum price_authority *ret)
{
    for (int i = PRICE_CENTRE; i <= PRICE_BRANCH; i++) {
        if (str_is(text, authorities[i])) {
            *ret = (enum price_authority)i;
            return ERR_OK;
        }
    }
    return ERR_INVALID;
}

const char *price_finding_name(enum price_finding finding)
{
    return findings[finding];
}

bool price_is_asked(enum price_finding finding)
{
    return finding == PRICE_NO_ITEM || finding == PRICE_DIFFERS;
}

const char *price_standing_name(enum price_standing standing)
{
    static const char *const names[] = {"none", "counts", "pending", "yields", "refused"};
    return names[standing];
}

bool price_may(enum price_authority authority, const struct price *centre)
{
    return authority == PRICE_BRANCH || (authority == PRICE_BRANCH_IF_NONE && !centre->there);
}

enum price_standing price_stands(enum price_authority authority, const struct price *centre,
                                 const struct price_own *own)
{
    if (!own->price.there)
        return PRICE_OWN_NONE;
    if (centre->there && own->saw < centre->since)
        return PRICE_OWN_YIELDS;
    if (own->judged)
        return PRICE_OWN_COUNTS;
    return price_may(authority, centre) ? PRICE_OWN_PENDING : PRICE_OWN_REFUSED;
}

const struct price *price_counts(enum price_authority authority, const struct price *centre,
                                 const struct price_own *own)
{
    enum price_standing standing = price_stands(authority, centre, own);
    bool counts = standing == PRICE_OWN_COUNTS || standing == PRICE_OWN_PENDING;
    return counts ? &own->price : centre;
}

// To the currency's places, half away from zero; an amount below zero is none.
static int64_t rounded(int64_t amount, int places)
{
    int64_t step = DECIMAL_ONE;
    for (int i = 0; i < places; i++)
        step /= 10;
    return amount <= 0 ? 0 : (amount + step / 2) / step * step;
}

bool price_promoted(const struct price *price, const struct price_promotion *promotion,
                    int64_t *ret_amount)
{
    const int64_t hundred = 100 * DECIMAL_ONE;
    bool off = str_is(promotion->kind, "amount"), instead = str_is(promotion->kind, "price");
    if (!price->there)
        return false;
    if (str_is(promotion->kind, "percent")) {
        __int128 kept = (__int128)price->amount * (hundred - promotion->value);
        *ret_amount = rounded((int64_t)((kept + hundred / 2) / hundred), price->places);
        return promotion->value >= 0 && promotion->value <= hundred;
    }
    if ((!off && !instead) || !str_equal(promotion->currency, price->currency))
        return false;
    *ret_amount = rounded(off ? price->amount - promotion->value : promotion->value, price->places);
    return promotion->value >= 0;
}

static bool is_promoted(const struct price_sold *sold, const struct price *price,
                        const struct price_facts *facts)
{
    int64_t amount = 0;
    for (size_t i = 0; i < facts->promotion_count; i++) {
        if (price_promoted(price, &facts->promotions[i], &amount) && amount == sold->amount)
            return true;
    }
    return false;
}

static bool is_price(const struct price_sold *sold, const struct price *price)
{
    return price->there && price->amount == sold->amount &&
           str_equal(price->currency, sold->currency);
}

enum price_finding price_check(const struct price_sold *sold, const struct price_facts *facts)
{
    bool comparable = facts->price.there && str_equal(facts->price.currency, sold->currency);
    if (is_price(sold, &facts->price))
        return PRICE_SAME;
    for (size_t i = 0; i < facts->other_count; i++) {
        const struct price *other = &facts->others[i];
        if (is_price(sold, other))
            return PRICE_OTHER_LIST;
        comparable = comparable || (other->there && str_equal(other->currency, sold->currency));
    }
    if (sold->overridden)
        return PRICE_OVERRIDDEN;
    if (facts->no_item)
        return PRICE_NO_ITEM;
    if (!comparable)
        return PRICE_UNKNOWN;
    if (is_promoted(sold, &facts->price, facts))
        return PRICE_PROMOTED;
    for (size_t i = 0; i < facts->other_count; i++) {
        if (is_promoted(sold, &facts->others[i], facts))
            return PRICE_PROMOTED;
    }
    return PRICE_DIFFERS;
}
