// SPDX-License-Identifier: Apache-2.0
// Which price counts, and which sold price is asked about: tables of worked examples.
#include "model/price.h"

#include "test/unit/unit.h"

#include <string.h>

static struct price usd(const char *amount)
{
    struct price price = {.there = amount != NULL, .currency = STR("USD"), .places = 2};
    if (amount != NULL)
        assert_int_equal(decimal_parse(str_of(amount), &price.amount), ERR_OK);
    return price;
}

TEST(price__the_head_office_wins_unless_the_chain_says_otherwise)
{
    static const struct {
        enum price_authority authority;
        const char *centre, *branch;
        enum price_source counts;
    } cases[] = {
        {PRICE_CENTRE, "2.5", NULL, PRICE_FROM_CENTRE},
        {PRICE_CENTRE, "2.5", "3", PRICE_FROM_CENTRE},
        {PRICE_CENTRE, NULL, "3", PRICE_FROM_NOBODY},
        {PRICE_CENTRE, NULL, NULL, PRICE_FROM_NOBODY},
        {PRICE_BRANCH_IF_NONE, "2.5", NULL, PRICE_FROM_CENTRE},
        {PRICE_BRANCH_IF_NONE, "2.5", "3", PRICE_FROM_CENTRE},
        {PRICE_BRANCH_IF_NONE, NULL, "3", PRICE_FROM_BRANCH},
        {PRICE_BRANCH_IF_NONE, NULL, NULL, PRICE_FROM_NOBODY},
        {PRICE_BRANCH, "2.5", NULL, PRICE_FROM_CENTRE},
        {PRICE_BRANCH, "2.5", "3", PRICE_FROM_BRANCH},
        {PRICE_BRANCH, NULL, "3", PRICE_FROM_BRANCH},
        {PRICE_BRANCH, NULL, NULL, PRICE_FROM_NOBODY},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct price centre = usd(cases[i].centre), branch = usd(cases[i].branch);
        assert_int_equal(price_counts(cases[i].authority, &centre, &branch), cases[i].counts);
    }
}

TEST(price__the_settings_have_names)
{
    for (int i = PRICE_CENTRE; i <= PRICE_BRANCH; i++) {
        enum price_authority read;
        const char *name = price_authority_name((enum price_authority)i);
        assert_int_equal(price_authority_parse(str_of(name), &read), ERR_OK);
        assert_int_equal(read, i);
    }
    enum price_authority none;
    assert_int_equal(price_authority_parse(STR("somebody"), &none), ERR_INVALID);
}

TEST(price__a_promotion_gives_a_price)
{
    static const struct {
        const char *price, *kind, *value, *currency, *gives;
    } cases[] = {
        {"10", "percent", "20", "", "8"},      {"9.99", "percent", "33.3", "", "6.66"},
        {"0.05", "percent", "50", "", "0.03"}, // half away from zero
        {"10", "percent", "100", "", "0"},     {"10", "percent", "101", "", NULL},
        {"10", "percent", "-5", "", NULL},     {"10", "amount", "2.5", "USD", "7.5"},
        {"2", "amount", "2.5", "USD", "0"},    {"10", "amount", "2.5", "LBP", NULL},
        {"10", "price", "4", "USD", "4"},      {"10", "price", "4", "EUR", NULL},
        {"10", "free", "1", "USD", NULL},      {NULL, "percent", "20", "", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct price price = usd(cases[i].price);
        struct price_promotion promotion = {.kind = str_of(cases[i].kind),
                                            .currency = str_of(cases[i].currency)};
        int64_t amount = -1;
        assert_int_equal(decimal_parse(str_of(cases[i].value), &promotion.value), ERR_OK);
        bool applies = price_promoted(&price, &promotion, &amount);
        assert_int_equal(applies, cases[i].gives != NULL);
        if (cases[i].gives != NULL)
            assert_int_equal(amount, usd(cases[i].gives).amount);
    }
}

TEST(price__a_sold_price_that_nothing_explains_is_found)
{
    static const struct {
        const char *catalog, *other, *promotion, *sold, *currency;
        bool overridden;
        const char *finding;
        bool no_item;
    } cases[] = {
        {"2.5", NULL, NULL, "2.5", "USD", false, "same"},
        {"2.5", NULL, NULL, "2.5", "USD", true, "same"},
        {"2.5", NULL, NULL, "0.5", "USD", false, "price_differs"},
        {"2.5", NULL, NULL, "2.5001", "USD", false, "price_differs"},
        {"2.5", NULL, NULL, "0.5", "USD", true, "overridden"},
        {"2.5", "3", NULL, "3", "USD", false, "other_list"},
        {"2.5", "3", NULL, "4", "USD", false, "price_differs"},
        {NULL, "3", NULL, "3", "USD", false, "other_list"},
        {NULL, "3", NULL, "2.5", "USD", false, "price_differs"},
        {NULL, NULL, NULL, "2.5", "USD", false, "unknown"},
        {"2.5", NULL, NULL, "225000", "LBP", false, "unknown"},
        {"2.5", NULL, "20", "2", "USD", false, "promoted"},
        {"2.5", "5", "20", "4", "USD", false, "promoted"},
        {"2.5", NULL, "20", "1", "USD", false, "price_differs"},
        {NULL, NULL, NULL, "2.5", "USD", false, "no_item", true},
        {NULL, NULL, NULL, "2.5", "LBP", false, "no_item", true},
        {NULL, NULL, NULL, "2.5", "USD", true, "overridden", true},
        {NULL, "3", NULL, "3", "USD", false, "other_list", true}, // the place's own
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct price other = usd(cases[i].other);
        struct price_promotion promotion = {.kind = STR("percent")};
        struct price_facts facts = {.price = usd(cases[i].catalog),
                                    .no_item = cases[i].no_item,
                                    .others = &other,
                                    .other_count = cases[i].other != NULL,
                                    .promotions = &promotion,
                                    .promotion_count = cases[i].promotion != NULL};
        struct price_sold sold = {usd(cases[i].sold).amount, str_of(cases[i].currency),
                                  cases[i].overridden};
        if (cases[i].promotion != NULL)
            assert_int_equal(decimal_parse(str_of(cases[i].promotion), &promotion.value), ERR_OK);
        enum price_finding finding = price_check(&sold, &facts);
        assert_string_equal(price_finding_name(finding), cases[i].finding);
        assert_int_equal(price_is_asked(finding),
                         strcmp(cases[i].finding, "no_item") == 0 ||
                             strcmp(cases[i].finding, "price_differs") == 0);
    }
}
