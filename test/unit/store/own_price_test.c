// SPDX-License-Identifier: Apache-2.0
// A branch's own prices in the store: since which version a published price is so, which of the two
// counts, and which sold prices that explains.
#include "base/rng.h"
#include "model/price.h"

#include "test/unit/store/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct chain c;
static struct line branch;
static struct err e;
static unsigned events;

static void begin(void)
{
    chain_open(&c);
    line_init(&branch, 3, "BR1");
    events = 900;
}

static void end(void)
{
    fixture_assert_verified(&c.centre);
    line_fini(&branch);
    chain_close(&c);
}

// What the branch says, having seen that version (0: it does not say).
static void says(const char *id, const char *amount, int catalog)
{
    char body[300], seen[32] = "", list[80] = "", sku[40];
    const char *slash = strchr(id, '/');
    (void)snprintf(sku, sizeof sku, "%.*s", slash ? (int)(slash - id) : (int)strlen(id), id);
    if (slash != NULL)
        (void)snprintf(list, sizeof list, ",\"list\":\"%s\"", slash + 1);
    if (catalog != 0)
        (void)snprintf(seen, sizeof seen, ",\"catalog\":%d", catalog);
    (void)snprintf(body, sizeof body,
                   "{\"sku\":\"%s\"%s,\"price\":\"%s\",\"currency\":\"USD\",\"places\":2%s}", sku,
                   list, amount, seen);
    events++;
    line_add(&branch, &(struct draft){events, events, "price_set", id, body});
    assert_int_equal(fixture_append(&c.centre, &branch, branch.count - 1, STATUS_SETTLED),
                     STATUS_SETTLED);
}

static enum price_standing standing(enum price_authority authority, const char *sku)
{
    struct store_own_price own;
    struct price published;
    struct price_name name = {str_of(sku), STR("")};
    if (store_own_price(c.centre.store, STR("BR1"), str_of(sku), &c.centre.arena, &own, &e) ||
        store_catalog_price(c.centre.store, INT64_MAX, &name, &c.centre.arena, &published, &e))
        fail_msg("%s", e.text);
    return price_stands(authority, &published, &own.own);
}

// What becomes of a line that names this version.
static enum price_finding sold(const char *sku, const char *amount, uint64_t version,
                               const struct price_doubt *doubted)
{
    enum price_finding finding;
    struct price published;
    struct price_line line = {.location = STR("BR1"),
                              .record_type = STR("ticket"),
                              .record = STR("T"),
                              .sku = str_of(sku),
                              .version = version,
                              .doubted = doubted,
                              .sold = {.currency = STR("USD")}};
    assert_int_equal(decimal_parse(str_of(amount), &line.sold.amount), ERR_OK);
    if (store_price_check(c.centre.store, &line, &c.centre.arena, &finding, &published, &e))
        fail_msg("%s", e.text);
    return finding;
}

static void list_price(const char *amount)
{
    chain_write(&c, "price_set", "A/take",
                "{\"sku\":\"A\",\"list\":\"take\",\"price\":\"%s\",\"currency\":\"USD\","
                "\"places\":2}",
                amount);
}

TEST(own_price__a_published_price_says_since_which_version_it_is_so)
{
    begin();
    chain_item(&c, "A", "a", "1");
    list_price("0.9");
    chain_write(&c, "item_set", "BARE", "{\"name\":\"without a price\"}");
    chain_publish(&c);
    chain_item(&c, "A", "A", "1.00"); // another name
    chain_item(&c, "B", "b", "2");
    chain_publish(&c);
    chain_item(&c, "A", "A", "1.5");
    chain_publish(&c);
    list_price("0.8");
    chain_item(&c, "A", "A", "1"); // as it once was, and yet new
    chain_publish(&c);
    static const char rows[] = "A|1|1\nA|2|1\nA|3|3\nA|4|4\nB|2|2\nBARE|1|NULL\n";
    static const char sql[] = "SELECT id, edition, priced FROM catalog_item_rows ORDER BY 1, 2";
    fixture_assert_text(&c.centre, sql, rows);
    fixture_assert_text(&c.centre, "SELECT edition, priced FROM catalog_price_rows ORDER BY 1",
                        "1|1\n4|4\n");
    assert_int_equal(fixture_number(&c.centre, "SELECT count(*) FROM own_prices"), 0);
    chain_pull_all(&c);
    chain_assert_same(&c);
    fixture_assert_text(&c.till, "SELECT id, priced FROM catalog_item_rows ORDER BY 1",
                        "A|4\nB|2\nBARE|NULL\n");
    assert_int_equal(store_rebuild(c.centre.store, NULL, NULL, &e), ERR_OK);
    fixture_assert_text(&c.centre, sql, rows);
    end();
}

// The hash that the drafts give without saying since when.
static void undated_hash(char to[HASH_TEXT_SIZE])
{
    begin();
    chain_item(&c, "A", "a", "1");
    chain_item(&c, "B", "b", "2");
    line_add(&c.hq, &(struct draft){.id = 500,
                                    .ms = 500,
                                    .type = "catalog_published",
                                    .record = "1",
                                    .version = 1,
                                    .body = "{\"version\":1,\"count\":2,\"hash\":"
                                            "\"00000000000000000000000000000000000000000000000000"
                                            "00000000000000\"}"});
    (void)fixture_append(&c.centre, &c.hq, c.hq.count - 1, STATUS_SETTLED);
    char *computed = fixture_text(&c.centre, "SELECT lower(hex(computed)) FROM catalog_versions");
    (void)snprintf(to, HASH_TEXT_SIZE, "%.*s", HASH_TEXT_SIZE - 1, computed);
    free(computed);
    line_fini(&branch);
    chain_close(&c);
}

TEST(own_price__what_was_published_before_prices_said_so_stays_as_it_was)
{
    char hash[HASH_TEXT_SIZE], body[200];
    undated_hash(hash);
    begin();
    chain_item(&c, "A", "a", "1");
    chain_item(&c, "B", "b", "2");
    (void)snprintf(body, sizeof body, "{\"version\":1,\"count\":2,\"hash\":\"%s\"}", hash);
    line_add(&c.hq, &(struct draft){.id = 500,
                                    .ms = 500,
                                    .type = "catalog_published",
                                    .record = "1",
                                    .version = 1,
                                    .body = body});
    (void)fixture_append(&c.centre, &c.hq, c.hq.count - 1, STATUS_SETTLED);
    c.events = 600;
    says("A", "3", 0);
    says("B", "3", 0);
    assert_int_equal(standing(PRICE_BRANCH, "A"), PRICE_OWN_COUNTS);
    chain_item(&c, "A", "another name", "1");
    chain_item(&c, "B", "b", "2.5");
    chain_publish(&c);
    fixture_assert_text(&c.centre,
                        "SELECT id, edition, priced FROM catalog_item_rows ORDER BY 1, 2",
                        "A|1|NULL\nA|2|NULL\nB|1|NULL\nB|2|2\n");
    assert_int_equal(standing(PRICE_BRANCH, "A"), PRICE_OWN_COUNTS);
    assert_int_equal(standing(PRICE_BRANCH, "B"), PRICE_OWN_YIELDS);
    fixture_assert_verified(&c.centre);
    assert_int_equal(store_rebuild(c.centre.store, NULL, NULL, &e), ERR_OK);
    end();
}

TEST(own_price__a_sale_at_it_is_explained_where_it_counted_in_the_version_that_was_shown)
{
    begin();
    chain_item(&c, "A", "a", "1");
    chain_publish(&c); // 1
    says("A", "3", 1);
    chain_item(&c, "B", "b", "2");
    chain_publish(&c); // 2: nothing new of A
    assert_int_equal(sold("A", "3", 1, NULL), PRICE_OTHER_LIST);
    assert_int_equal(sold("A", "3", 2, NULL), PRICE_OTHER_LIST);
    assert_int_equal(sold("A", "1", 2, NULL), PRICE_SAME); // by who had not heard of it
    assert_int_equal(sold("A", "4", 2, NULL), PRICE_DIFFERS);
    says("A", "3.50", 2);
    assert_int_equal(sold("A", "3.50", 2, NULL), PRICE_OTHER_LIST);
    assert_int_equal(sold("A", "3", 2, NULL), PRICE_OTHER_LIST); // by who had not heard of that
    chain_item(&c, "A", "a", "1.25");
    chain_publish(&c); // 3: both yield
    assert_int_equal(standing(PRICE_BRANCH, "A"), PRICE_OWN_YIELDS);
    assert_int_equal(sold("A", "3.50", 3, NULL), PRICE_DIFFERS);
    assert_int_equal(sold("A", "3.50", 2, NULL), PRICE_OTHER_LIST); // was on its way
    assert_int_equal(sold("A", "1.25", 3, NULL), PRICE_SAME);
    says("A", "4", 3); // the branch has seen it, and says its own again
    assert_int_equal(standing(PRICE_BRANCH, "A"), PRICE_OWN_COUNTS);
    assert_int_equal(sold("A", "4", 3, NULL), PRICE_OTHER_LIST);
    end();
}

TEST(own_price__of_a_list_is_weighed_against_that_list)
{
    begin();
    chain_item(&c, "A", "a", "1");
    list_price("0.9");
    chain_publish(&c);
    says("A/take", "0.7", 1);
    assert_int_equal(sold("A", "0.7", 1, NULL), PRICE_OTHER_LIST);
    chain_item(&c, "A", "a", "1.5"); // the main one changes, that list does not
    chain_publish(&c);
    assert_int_equal(sold("A", "0.7", 2, NULL), PRICE_OTHER_LIST);
    list_price("0.8");
    chain_publish(&c);
    assert_int_equal(sold("A", "0.7", 3, NULL), PRICE_DIFFERS);
    end();
}

TEST(own_price__one_that_will_be_held_explains_nothing)
{
    begin();
    chain_item(&c, "A", "a", "1");
    chain_publish(&c);
    says("A", "3", 1);
    struct price_doubt other = {fixture_uuid(3, 1), NULL};
    struct price_doubt doubt = {fixture_uuid(3, events), &other};
    assert_int_equal(sold("A", "3", 1, &doubt), PRICE_DIFFERS);
    assert_int_equal(sold("A", "3", 1, &other), PRICE_OTHER_LIST);
    end();
}

TEST(own_price__the_newest_are_kept)
{
    begin();
    chain_item(&c, "A", "a", "1");
    chain_publish(&c);
    for (int i = 0; i < LIMIT_OWN_PRICES + 3; i++) {
        char amount[16];
        (void)snprintf(amount, sizeof amount, "%d", 10 + i);
        says("A", amount, 1);
    }
    assert_int_equal(fixture_number(&c.centre, "SELECT count(*) FROM own_prices"),
                     LIMIT_OWN_PRICES);
    assert_int_equal(fixture_number(&c.centre, "SELECT price FROM own_prices WHERE nth = 0"),
                     (10 + LIMIT_OWN_PRICES + 2) * DECIMAL_ONE);
    end();
}

// ---- any history ------------------------------------------------------------------------------

enum { STEPS = 24, AMOUNTS = 3 };

// What a person would say who kept a diary of all that happened.
struct diary {
    int version, amount, changed; // published: the last version, the price, and since when it is so
    int drafted;
    int own, saw; // 0: nothing was said
};

// The item has another name each time, and perhaps another price.
static void note_published(struct diary *d)
{
    char name[16], amount[16];
    (void)snprintf(name, sizeof name, "n%d", d->version);
    (void)snprintf(amount, sizeof amount, "%d", d->drafted);
    chain_item(&c, "A", name, amount);
    d->version = (int)chain_publish(&c).number;
    d->changed = d->drafted == d->amount ? d->changed : d->version;
    d->amount = d->drafted;
}

static void agree(const struct diary *d)
{
    enum price_standing wanted = d->saw >= d->changed ? PRICE_OWN_COUNTS : PRICE_OWN_YIELDS;
    assert_int_equal(standing(PRICE_BRANCH, "A"), d->own == 0 ? PRICE_OWN_NONE : wanted);
    if (d->own == 0)
        return;
    char own[16];
    (void)snprintf(own, sizeof own, "%d", d->own);
    assert_int_equal(sold("A", own, (uint64_t)d->version, NULL),
                     wanted == PRICE_OWN_COUNTS ? PRICE_OTHER_LIST : PRICE_DIFFERS);
}

// The head office publishes, the branch says its own price from the version that it shows, which
// may be an older one: what holds is what the diary says.
TEST(own_price__whatever_happens_the_newer_of_what_was_seen_holds)
{
    for (uint64_t seed = 1; seed <= 12; seed++) {
        struct rng rng;
        struct diary d = {.drafted = 1};
        rng_init(&rng, seed);
        begin();
        note_published(&d);
        for (int i = 0; i < STEPS; i++) {
            if (rng_chance(&rng, 1, 2)) {
                d.drafted = 1 + (int)rng_below(&rng, AMOUNTS);
                note_published(&d);
            } else {
                char text[16];
                int behind = (int)rng_below(&rng, 3);
                d.own = 100 + i; // each but once
                d.saw = d.version > behind ? d.version - behind : 1;
                (void)snprintf(text, sizeof text, "%d", d.own);
                says("A", text, d.saw);
            }
            agree(&d);
        }
        end();
    }
}
