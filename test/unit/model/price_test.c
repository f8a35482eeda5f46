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

TEST(price__the_chain_says_whether_a_branch_may)
{
    static const struct {
        enum price_authority authority;
        const char *centre;
        bool may;
    } cases[] = {
        {PRICE_CENTRE, "2.5", false},         {PRICE_CENTRE, NULL, false},
        {PRICE_BRANCH_IF_NONE, "2.5", false}, {PRICE_BRANCH_IF_NONE, NULL, true},
        {PRICE_BRANCH, "2.5", true},          {PRICE_BRANCH, NULL, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct price centre = usd(cases[i].centre);
        assert_int_equal(price_may(cases[i].authority, &centre), cases[i].may);
    }
}

// The head office's 2.50 is of version 'since'; the branch said 3 before version 'saw'.
TEST(price__a_branchs_own_counts_until_the_head_office_publishes_what_it_had_not_seen)
{
    static const struct {
        enum price_authority authority;
        uint64_t since, saw;
        bool judged;
        enum price_standing standing;
    } cases[] = {
        {PRICE_BRANCH, 4, 4, true, PRICE_OWN_COUNTS},  // set beside the version that it is of
        {PRICE_BRANCH, 4, 9, true, PRICE_OWN_COUNTS},  // later versions left the price as it was
        {PRICE_BRANCH, 4, 3, true, PRICE_OWN_YIELDS},  // newer than what its author had seen
        {PRICE_BRANCH, 4, 3, false, PRICE_OWN_YIELDS}, // whoever is asked or not
        {PRICE_BRANCH, 4, 4, false, PRICE_OWN_PENDING},
        {PRICE_BRANCH, 0, 0, true, PRICE_OWN_COUNTS}, // neither says a version: as it always was
        {PRICE_BRANCH, 1, 0, true, PRICE_OWN_YIELDS},
        {PRICE_CENTRE, 4, 4, true, PRICE_OWN_COUNTS}, // a person let it
        {PRICE_CENTRE, 5, 4, true, PRICE_OWN_YIELDS}, // and nobody let it beside a newer one
        {PRICE_CENTRE, 4, 4, false, PRICE_OWN_REFUSED},
        {PRICE_BRANCH_IF_NONE, 4, 4, true, PRICE_OWN_COUNTS},
        {PRICE_BRANCH_IF_NONE, 4, 4, false, PRICE_OWN_REFUSED},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct price centre = usd("2.5");
        struct price_own own = {usd("3"), cases[i].saw, cases[i].judged};
        centre.since = cases[i].since;
        bool counts =
            cases[i].standing == PRICE_OWN_COUNTS || cases[i].standing == PRICE_OWN_PENDING;
        assert_int_equal(price_stands(cases[i].authority, &centre, &own), cases[i].standing);
        assert_ptr_equal(price_counts(cases[i].authority, &centre, &own),
                         counts ? &own.price : &centre);
    }
}

TEST(price__where_the_head_office_has_none_a_branchs_counts_as_it_may)
{
    static const struct {
        enum price_authority authority;
        bool judged;
        enum price_standing standing;
    } cases[] = {
        {PRICE_CENTRE, false, PRICE_OWN_REFUSED},
        {PRICE_CENTRE, true, PRICE_OWN_COUNTS},
        {PRICE_BRANCH_IF_NONE, false, PRICE_OWN_PENDING},
        {PRICE_BRANCH_IF_NONE, true, PRICE_OWN_COUNTS},
        {PRICE_BRANCH, false, PRICE_OWN_PENDING},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct price centre = usd(NULL);
        struct price_own own = {usd("3"), 0, cases[i].judged};
        centre.since = 7; // of an item that is gone
        assert_int_equal(price_stands(cases[i].authority, &centre, &own), cases[i].standing);
    }
    struct price centre = usd("2.5");
    struct price_own nothing = {usd(NULL), 9, true};
    assert_int_equal(price_stands(PRICE_BRANCH, &centre, &nothing), PRICE_OWN_NONE);
    assert_ptr_equal(price_counts(PRICE_BRANCH, &centre, &nothing), &centre);
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
