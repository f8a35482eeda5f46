// SPDX-License-Identifier: Apache-2.0
// Versions of the catalog: what is published at the centre, how it comes to a till, and that a till
// never shows anything but one whole version.
#include "base/rng.h"
#include "test/unit/store/chain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct chain c;
static struct err e;

static void shows(const struct fixture *f, const char *wanted)
{
    char *items = fixture_text(f, "SELECT sku, name, price FROM catalog_items ORDER BY sku");
    assert_string_equal(items, wanted);
    free(items);
}

static void till_shows(const char *wanted)
{
    shows(&c.till, wanted);
}

static struct store_verdict verdict_of(struct fixture *f)
{
    struct store_verdict verdict;
    if (fixture_verify(f->store, &f->arena, &verdict, &e))
        fail_msg("%s", e.text);
    return verdict;
}

// ---- publishing -------------------------------------------------------------------------------

TEST(catalog__nothing_is_shown_before_it_is_published)
{
    chain_open(&c);
    chain_item(&c, "COFFEE", "Coffee", "2.5");
    shows(&c.centre, "");
    chain_pull_all(&c);
    till_shows("");
    struct catalog_version version = chain_publish(&c);
    assert_int_equal(version.number, 1);
    assert_int_equal(version.count, 1);
    shows(&c.centre, "COFFEE|Coffee|25000\n");
    till_shows("");
    assert_int_equal(chain_pull_all(&c), FEED_CATALOG_SHOWN);
    till_shows("COFFEE|Coffee|25000\n");
    chain_assert_same(&c);
    fixture_assert_verified(&c.centre);
    fixture_assert_verified(&c.till);
    chain_close(&c);
}

TEST(catalog__drafts_stay_at_the_centre)
{
    chain_open(&c);
    chain_item(&c, "COFFEE", "Coffee", "2.5");
    chain_publish(&c);
    chain_write(&c, "price_set", "COFFEE",
                "{\"sku\":\"COFFEE\",\"price\":\"9\",\"currency\":\"USD\",\"places\":2}");
    chain_pull_all(&c);
    assert_int_equal(fixture_number(&c.till, "SELECT count(*) FROM told_events"), 0);
    assert_int_equal(fixture_number(&c.till, "SELECT count(*) FROM prices"), 0);
    assert_int_equal(
        fixture_number(&c.centre, "SELECT count(*) FROM feed_rows WHERE type = 'event'"), 0);
    till_shows("COFFEE|Coffee|25000\n");
    chain_close(&c);
}

// Which types of records stay at the centre is said by their reducers; a feed that is made later,
// or afresh by a rebuild, must leave out the same.
TEST(catalog__drafts_stay_at_the_centre_when_the_feed_is_made_later)
{
    chain_open(&c);
    for (size_t i = 0; i < reducer_count; i++) {
        static const char *const known[] = {"item", "price", "tax", "promotion", "recipe"};
        bool listed = false;
        for (size_t k = 0; k < COUNT_OF(known); k++)
            listed = listed || strcmp(known[k], reducers[i]->record_type) == 0;
        assert_int_equal(reducers[i]->stays, listed);
    }
    chain_item(&c, "COFFEE", "Coffee", "2.5");
    chain_write(&c, "recipe_set", "COFFEE", "{\"uses\":[]}");
    chain_write(&c, "tax_set", "VAT", "{\"percent\":\"11\"}");
    chain_write(&c, "promotion_set", "HAPPY", "{\"kind\":\"percent\",\"value\":\"20\"}");
    chain_publish(&c);
    if (store_rebuild(c.centre.store, NULL, NULL, &e))
        fail_msg("%s", e.text);
    assert_int_equal(
        fixture_number(&c.centre, "SELECT count(*) FROM feed_rows WHERE type = 'event'"), 0);
    chain_pull_all(&c);
    chain_assert_same(&c);
    assert_int_equal(fixture_number(&c.till, "SELECT count(*) FROM told_events"), 0);
    chain_close(&c);
}

TEST(catalog__every_kind_of_row_is_published_and_follows_its_draft)
{
    chain_open(&c);
    chain_item(&c, "LATTE", "Latte", "4");
    chain_write(&c, "item_set", "LATTE",
                "{\"name_ar\":\"لاتيه\",\"category\":\"hot\",\"unit\":\"cup\",\"tax\":\"VAT\","
                "\"shelf_life_days\":1,\"barcode\":\"528\"}");
    chain_write(&c, "recipe_set", "LATTE",
                "{\"uses\":[{\"sku\":\"BEANS\",\"quantity\":\"0.018\"},"
                "{\"sku\":\"MILK\",\"quantity\":\"0.2\"}]}");
    chain_write(&c, "price_set", "LATTE/take",
                "{\"sku\":\"LATTE\",\"list\":\"take\",\"price\":\"3.5\",\"currency\":\"USD\","
                "\"places\":2}");
    chain_write(&c, "tax_set", "VAT", "{\"percent\":\"11\",\"included\":true}");
    chain_write(&c, "promotion_set", "HAPPY", "{\"kind\":\"percent\",\"value\":\"20\"}");
    assert_int_equal(chain_publish(&c).count, 4);
    chain_pull_all(&c);
    chain_assert_same(&c);
    fixture_assert_text(&c.till,
                        "SELECT sku, name_ar, category, unit, tax, shelf_life_days, barcode,"
                        " active, price, recipe FROM catalog_items",
                        "LATTE|لاتيه|hot|cup|VAT|1|528|1|40000|[{\"sku\":\"BEANS\","
                        "\"quantity\":\"0.018\"},{\"sku\":\"MILK\",\"quantity\":\"0.2\"}]\n");
    fixture_assert_text(&c.till, "SELECT sku, list, price FROM catalog_prices",
                        "LATTE|take|35000\n");
    chain_write(&c, "promotion_set", "HAPPY", "{\"active\":false}");
    chain_write(&c, "recipe_set", "LATTE", "{\"uses\":[]}");
    chain_publish(&c);
    chain_pull_all(&c);
    chain_assert_same(&c);
    fixture_assert_text(&c.till, "SELECT id, active FROM catalog_promotions", "HAPPY|0\n");
    fixture_assert_verified(&c.centre);
    fixture_assert_verified(&c.till);
    chain_close(&c);
}

TEST(catalog__a_diff_costs_what_changed)
{
    struct chain_pull how = {1 << 20, 64, 0, false};
    unsigned pieces;
    size_t rows;
    char sku[8];
    chain_open(&c);
    for (int i = 0; i < 20; i++) {
        (void)snprintf(sku, sizeof sku, "S%02d", i);
        chain_item(&c, sku, "x", "1");
    }
    chain_publish(&c);
    chain_pull(&c, &how, &pieces, &rows);
    assert_int_equal(rows, 20 + 1); // and the version
    chain_write(&c, "item_set", "S07", "{\"name\":\"y\"}");
    chain_write(&c, "item_set", "S08", "{\"name\":\"y\"}");
    chain_write(&c, "item_set", "S08", "{\"name\":\"x\"}"); // as it was
    chain_publish(&c);
    assert_int_equal(
        fixture_number(&c.centre, "SELECT changed FROM catalog_versions WHERE version = 2"), 1);
    chain_pull(&c, &how, &pieces, &rows);
    assert_int_equal(rows, 1 + 1);
    chain_assert_same(&c);
    assert_int_equal(fixture_number(&c.centre, "SELECT count(*) FROM catalog_item_rows"), 21);
    chain_close(&c);
}

TEST(catalog__the_hash_does_not_tell_by_which_way_a_version_came)
{
    struct chain other;
    chain_open(&c);
    chain_item(&c, "A", "a", "1");
    chain_publish(&c);
    chain_item(&c, "B", "b", "2");
    chain_item(&c, "A", "A", "1");
    struct catalog_version by_diff = chain_publish(&c);
    chain_open(&other);
    chain_item(&other, "A", "A", "1");
    chain_publish(&other);
    chain_item(&other, "B", "b", "2"); // since version 2 in both
    struct catalog_version by_another = chain_publish(&other);
    assert_true(hash_equal(&by_diff.hash, &by_another.hash));
    chain_item(&other, "B", "b", "2.01");
    struct catalog_version differs = chain_publish(&other);
    assert_false(hash_equal(&by_diff.hash, &differs.hash));
    chain_close(&other);
    chain_close(&c);
}

TEST(catalog__a_rebuild_makes_every_version_again)
{
    chain_open(&c);
    chain_item(&c, "A", "a", "1");
    chain_publish(&c);
    chain_item(&c, "A", "a", "2");
    chain_item(&c, "B", "b", "3");
    chain_publish(&c);
    chain_item(&c, "B", "b", "4");
    char *before = fixture_text(&c.centre, "SELECT * FROM catalog_price_history ORDER BY 1, 3");
    if (store_rebuild(c.centre.store, NULL, NULL, &e))
        fail_msg("%s", e.text);
    char *after = fixture_text(&c.centre, "SELECT * FROM catalog_price_history ORDER BY 1, 3");
    assert_string_equal(after, before);
    fixture_assert_verified(&c.centre);
    assert_int_equal(chain_publish(&c).number, 3); // what was drafted is still to be published
    chain_pull_all(&c);
    chain_assert_same(&c);
    free(before);
    free(after);
    chain_close(&c);
}

TEST(catalog__a_version_that_is_not_what_its_drafts_give_is_found)
{
    static const char *const edits[] = {
        "UPDATE catalog_item_rows SET price = 1 WHERE id = 'A' AND edition = 1",
        "UPDATE catalog_versions SET hash = zeroblob(32) WHERE version = 1",
        "UPDATE catalog_state SET version = 1",
        "DELETE FROM catalog_item_rows WHERE id = 'B'",
    };
    for (size_t i = 0; i < COUNT_OF(edits); i++) {
        chain_open(&c);
        chain_item(&c, "A", "a", "1");
        chain_publish(&c);
        chain_item(&c, "B", "b", "2");
        chain_publish(&c);
        fixture_assert_verified(&c.centre);
        fixture_sql(&c.centre, edits[i]);
        struct store_verdict verdict = verdict_of(&c.centre);
        assert_false(verdict.refold_equal);
        assert_non_null(strstr(verdict.first_problem.p, "catalog"));
        chain_close(&c);
    }
}

// ---- prices of the past -----------------------------------------------------------------------

static void price_is(uint64_t version, const char *sku, const char *list, int64_t wanted)
{
    struct price price;
    struct price_name name = {str_of(sku), str_of(list)};
    assert_int_equal(
        store_catalog_price(c.centre.store, version, &name, &c.centre.arena, &price, &e), ERR_OK);
    assert_int_equal(price.there, wanted >= 0);
    if (wanted >= 0) {
        assert_int_equal(price.amount, wanted);
        assert_true(str_is(price.currency, "USD"));
        assert_int_equal(price.places, 2);
    }
}

TEST(catalog__each_version_keeps_its_prices)
{
    chain_open(&c);
    chain_item(&c, "A", "a", "1");
    chain_publish(&c);
    chain_item(&c, "B", "b", "2");
    chain_write(&c, "price_set", "A/take",
                "{\"sku\":\"A\",\"list\":\"take\",\"price\":\"0.9\",\"currency\":\"USD\","
                "\"places\":2}");
    chain_publish(&c);
    chain_item(&c, "A", "a", "1.25");
    chain_publish(&c);
    price_is(1, "A", "", 10000);
    price_is(2, "A", "", 10000);
    price_is(3, "A", "", 12500);
    price_is(9, "A", "", 12500); // the newest there is
    price_is(1, "B", "", -1);
    price_is(2, "B", "", 20000);
    price_is(3, "B", "", 20000);
    price_is(1, "A", "take", -1);
    price_is(2, "A", "take", 9000);
    price_is(3, "A", "other", -1);
    price_is(0, "A", "", -1);
    chain_close(&c);
}

// ---- sold prices ------------------------------------------------------------------------------

static void sell_ticket(struct line *till, unsigned id, const char *sku, const char *price,
                        int amount, int version)
{
    char body[600], ticket[16];
    (void)snprintf(ticket, sizeof ticket, "T%u", id);
    (void)snprintf(body, sizeof body,
                   "{\"ticket\":\"%s\",\"kind\":\"sale\",\"currency\":\"USD\",\"places\":2,"
                   "\"lines\":[{\"n\":1,\"sku\":\"%s\",\"quantity\":\"1\",\"unit_price\":\"%s\","
                   "\"amount\":%d,\"catalog\":%d}],\"total\":%d,"
                   "\"payments\":[{\"method\":\"cash\",\"currency\":\"USD\",\"amount\":%d}]}",
                   ticket, sku, price, amount, version, amount, amount);
    line_add(till, &(struct draft){900 + id, 900 + id, "ticket_recorded", ticket, body});
    (void)fixture_append(&c.centre, till, till->count - 1, STATUS_SETTLED);
}

enum { FOUND_SIZE = 1024 };

static bool note_line(void *context, const struct price_line *line, const struct price *published)
{
    char *to = context;
    size_t n = strlen(to);
    (void)snprintf(to + n, FOUND_SIZE - n, "%.*s %.*s %.*s v%d %d is %d\n",
                   (int)line->record_type.n, line->record_type.p, (int)line->record.n,
                   line->record.p, (int)line->sku.n, line->sku.p, (int)line->version,
                   (int)line->sold.amount, published->there ? (int)published->amount : -1);
    return true;
}

TEST(catalog__sold_prices_that_nothing_explains_are_found)
{
    struct line till;
    char found[FOUND_SIZE] = "";
    chain_open(&c);
    line_init(&till, 3, "BR1");
    chain_item(&c, "A", "a", "1");
    chain_item(&c, "B", "b", "2");
    chain_write(&c, "item_set", "B", "{\"category\":\"hot\"}");
    chain_write(&c, "price_set", "A/take",
                "{\"sku\":\"A\",\"list\":\"take\",\"price\":\"0.9\",\"currency\":\"USD\","
                "\"places\":2}");
    chain_publish(&c);
    chain_item(&c, "A", "a", "1.5");
    chain_write(&c, "price_set", "A/late",
                "{\"sku\":\"A\",\"list\":\"late\",\"price\":\"0.8\",\"currency\":\"USD\","
                "\"places\":2}");
    chain_write(&c, "promotion_set", "HOT",
                "{\"kind\":\"percent\",\"value\":\"50\",\"category\":\"hot\"}");
    chain_publish(&c);
    sell_ticket(&till, 1, "A", "1", 100, 1);   // as it was
    sell_ticket(&till, 2, "A", "1", 100, 2);   // not any more
    sell_ticket(&till, 3, "A", "1.5", 150, 2); // as it is
    sell_ticket(&till, 4, "A", "0.9", 90, 1);  // of another list
    sell_ticket(&till, 5, "B", "1", 100, 2);   // half of it: what is hot is cheap
    sell_ticket(&till, 6, "B", "1", 100, 1);   // but was not yet
    sell_ticket(&till, 7, "C", "1", 100, 2);   // it has no such item
    sell_ticket(&till, 8, "A", "0.01", 1, 2);  // by hand
    sell_ticket(&till, 9, "A", "0.01", 1, 0);  // no version was said
    line_add(&till, &(struct draft){950, 950, "price_set", "A",
                                    "{\"sku\":\"A\",\"price\":\"7\",\"currency\":\"USD\","
                                    "\"places\":2,\"catalog\":2}"});
    (void)fixture_append(&c.centre, &till, till.count - 1, STATUS_SETTLED);
    sell_ticket(&till, 10, "A", "7", 700, 2);  // the place's own
    sell_ticket(&till, 11, "A", "0.8", 80, 2); // of a list that is new
    sell_ticket(&till, 12, "A", "0.8", 80, 1); // and was not there yet
    struct price_look look = {.published = 2};
    if (store_prices_differ(c.centre.store, &look, note_line, found, &e))
        fail_msg("%s", e.text);
    assert_string_equal(found, "ticket T2 A v2 10000 is 15000\n"
                               "ticket T6 B v1 10000 is 20000\n"
                               "ticket T7 C v2 10000 is -1\n"
                               "ticket T8 A v2 100 is 15000\n"
                               "ticket T12 A v1 8000 is 10000\n");
    found[0] = '\0';
    look = (struct price_look){.from_version = 2, .published = 1};
    assert_int_equal(store_prices_differ(c.centre.store, &look, note_line, found, &e), ERR_OK);
    assert_string_equal(found, "");
    assert_int_equal(look.ret_unknown, 2);
    line_fini(&till);
    chain_close(&c);
}

TEST(catalog__a_line_of_an_order_at_another_price_is_found_unless_somebody_allowed_it)
{
    struct line till;
    char found[FOUND_SIZE] = "";
    chain_open(&c);
    line_init(&till, 3, "BR1");
    chain_item(&c, "A", "a", "1");
    chain_publish(&c);
    static const char *const events[][2] = {
        {"order_opened", "{\"kind\":\"dine_in\",\"currency\":\"USD\",\"places\":2}"},
        {"line_added", "{\"line\":\"0199f0c2-5d7e-7c1a-9b1e-000000000001\",\"sku\":\"A\","
                       "\"quantity\":\"1\",\"unit_price\":\"0.5\",\"catalog\":1}"},
        {"line_added", "{\"line\":\"0199f0c2-5d7e-7c1a-9b1e-000000000002\",\"sku\":\"A\","
                       "\"quantity\":\"1\",\"unit_price\":\"1\",\"catalog\":1}"},
        {"price_overridden", "{\"line\":\"0199f0c2-5d7e-7c1a-9b1e-000000000002\","
                             "\"unit_price\":\"0.25\",\"by\":\"rana\"}"},
        {"sale_completed", "{\"total\":75,\"uses\":[]}"},
    };
    struct record_name order = {STR("BR1"), STR("order"), STR("O1")};
    struct price_look look = {.order = &order, .published = 1};
    for (size_t i = 0; i < COUNT_OF(events); i++) {
        if (store_prices_differ(c.centre.store, &look, note_line, found, &e))
            fail_msg("%s", e.text);
        assert_string_equal(found, ""); // nothing is sold yet
        line_add(&till, &(struct draft){900 + (unsigned)i, 900 + (unsigned)i, events[i][0], "O1",
                                        events[i][1]});
        (void)fixture_append(&c.centre, &till, i, STATUS_SETTLED);
    }
    if (store_prices_differ(c.centre.store, &look, note_line, found, &e))
        fail_msg("%s", e.text);
    assert_string_equal(found, "order O1 A v1 5000 is 10000\n");
    line_fini(&till);
    chain_close(&c);
}

// ---- the way to a till ------------------------------------------------------------------------

// However a version is cut into pieces, and wherever a till dies, it shows the old or the new one.
TEST(catalog__a_till_shows_one_whole_version_or_the_one_before)
{
    for (unsigned pieces = 1; pieces < 40; pieces++) {
        struct chain_pull how = {600, 2, pieces, false};
        struct fixture killed;
        unsigned applied;
        size_t rows;
        char sku[8];
        chain_open(&c);
        for (int i = 0; i < 9; i++) {
            (void)snprintf(sku, sizeof sku, "S%d", i);
            chain_item(&c, sku, "old", "1");
        }
        chain_publish(&c);
        chain_pull_all(&c);
        char *old = chain_items(&c.till);
        for (int i = 0; i < 9; i++) {
            (void)snprintf(sku, sizeof sku, "S%d", i);
            chain_write(&c, "item_set", sku, "{\"name\":\"new\"}");
        }
        chain_publish(&c);
        char *new = chain_items(&c.centre);
        enum feed_catalog what = chain_pull(&c, &how, &applied, &rows);
        fixture_kill(&c.till, &killed);
        char *shown = chain_items(&killed);
        assert_string_equal(shown, what == FEED_CATALOG_SHOWN ? new : old);
        struct fixture till = c.till; // goes on with what was left behind
        c.till = killed;
        fixture_reopen(&c.till);
        fixture_assert_verified(&c.till);
        chain_pull_all(&c);
        chain_assert_same(&c);
        fixture_close(&till);
        free(old);
        free(new);
        free(shown);
        chain_close(&c);
        if (what == FEED_CATALOG_SHOWN)
            return;
    }
    fail_msg("the version was never shown");
}

// Its rows come again from where the last whole page ended, beside those that are there already.
TEST(catalog__a_first_copy_that_is_broken_off_goes_on_from_its_last_page)
{
    for (unsigned pieces = 1; pieces < 8; pieces++) {
        struct chain_pull how = {600, 2, pieces, false};
        unsigned applied;
        size_t rows;
        char sku[8];
        chain_open(&c);
        for (int i = 0; i < 12; i++) {
            (void)snprintf(sku, sizeof sku, "S%d", i);
            chain_item(&c, sku, "new", "1");
        }
        chain_publish(&c);
        assert_int_equal(chain_pull(&c, &how, &applied, &rows), FEED_CATALOG_SAME);
        assert_int_equal(applied, pieces);
        assert_int_equal(chain_pull_all(&c), FEED_CATALOG_SHOWN);
        chain_assert_same(&c);
        chain_close(&c);
    }
}

TEST(catalog__a_till_far_behind_gets_a_copy_that_is_smaller_than_the_diffs)
{
    struct chain_pull how = {1 << 20, 64, 0, false};
    unsigned pieces;
    size_t rows;
    chain_open(&c);
    chain_item(&c, "A", "a", "1");
    chain_publish(&c);
    chain_pull_all(&c);
    for (int i = 0; i < 12; i++) { // twelve versions later
        chain_write(&c, "item_set", "A", "{\"name\":\"v%d\"}", i);
        chain_write(&c, "item_set", "B", "{\"name\":\"v%d\"}", i);
        chain_publish(&c);
    }
    assert_int_equal(chain_pull(&c, &how, &pieces, &rows), FEED_CATALOG_SHOWN);
    assert_int_equal(rows, 3); // not 12 times as many
    chain_assert_same(&c);
    chain_close(&c);
}

TEST(catalog__a_cursor_at_any_version_is_known_however_old_it_is)
{
    chain_open(&c);
    chain_item(&c, "A", "a", "1");
    chain_publish(&c);
    chain_pull_all(&c);
    // Ten thousand positions later the feed forgets what it was, but not where versions ended.
    fixture_sql(&c.centre, "UPDATE feeds SET head = head + 20000 WHERE location = '*'");
    chain_item(&c, "B", "b", "2");
    chain_publish(&c);
    struct feed_cursor cursor;
    bool knows = false;
    assert_int_equal(store_feed_cursor(c.till.store, STR("*"), &cursor), ERR_OK);
    assert_int_equal(store_feed_knows(c.centre.store, STR("*"), &cursor, &knows, &e), ERR_OK);
    assert_true(knows);
    chain_pull_all(&c);
    chain_assert_same(&c);
    chain_close(&c);
}

TEST(catalog__a_fresh_copy_drops_what_the_centre_does_not_have)
{
    chain_open(&c);
    chain_item(&c, "A", "a", "1");
    chain_item(&c, "B", "b", "2");
    chain_publish(&c);
    chain_pull_all(&c);
    struct chain other; // another centre's journal, as after a restore: B was never there
    chain_open(&other);
    chain_item(&other, "A", "a", "1");
    chain_publish(&other);
    struct fixture till = other.till;
    other.till = c.till;
    c.till = till;
    assert_int_equal(chain_pull_all(&other), FEED_CATALOG_SHOWN);
    shows(&other.till, "A|a|10000\n");
    chain_assert_same(&other);
    fixture_assert_verified(&other.till);
    chain_close(&other);
    chain_close(&c);
}

TEST(catalog__rows_that_do_not_give_the_hash_are_not_shown_and_asked_for_again)
{
    chain_open(&c);
    chain_item(&c, "A", "a", "1");
    chain_publish(&c);
    chain_pull_all(&c);
    chain_item(&c, "A", "a", "2");
    chain_publish(&c);
    // On the way, or at a faulty centre, a price became another.
    fixture_sql(&c.centre, "UPDATE feed_rows SET bytes = replace(bytes, '\"price\":\"2\"',"
                           " '\"price\":\"1.5\"') WHERE type = 'catalog_item'");
    assert_int_equal(chain_pull_all(&c), FEED_CATALOG_AFRESH);
    till_shows("A|a|10000\n");
    struct store_catalog catalog;
    assert_int_equal(store_catalog(c.till.store, &catalog, &e), ERR_OK);
    assert_int_equal(catalog.version.number, 1);
    assert_int_equal(catalog.refused.number, 2);
    // A copy that is wrong too is not asked for without end.
    assert_int_equal(chain_pull_all(&c), FEED_CATALOG_REFUSED);
    assert_int_equal(chain_pull_all(&c), FEED_CATALOG_REFUSED);
    till_shows("A|a|10000\n");
    // The next version is right again.
    fixture_sql(&c.centre, "UPDATE feed_rows SET bytes = replace(bytes, '\"price\":\"1.5\"',"
                           " '\"price\":\"2\"') WHERE type = 'catalog_item'");
    chain_item(&c, "B", "b", "3");
    chain_publish(&c);
    if (chain_pull_all(&c) == FEED_CATALOG_AFRESH)
        assert_int_equal(chain_pull_all(&c), FEED_CATALOG_SHOWN);
    chain_assert_same(&c);
    fixture_assert_verified(&c.till);
    chain_close(&c);
}

TEST(catalog__a_row_that_cannot_be_read_leaves_everything_as_it_was)
{
    struct str row = STR("{\"type\":\"catalog_item\",\"id\":\"A\",\"row\":{\"price\":2}}");
    struct feed_apply page = {
        .location = STR("*"), .reset = true, .complete = true, .rows = &row, .count = 1};
    chain_open(&c);
    chain_item(&c, "A", "a", "1");
    chain_publish(&c);
    chain_pull_all(&c);
    assert_int_equal(store_feed_apply(c.till.store, &page, &e), ERR_INVALID);
    till_shows("A|a|10000\n");
    fixture_assert_verified(&c.till);
    chain_close(&c);
}

// ---- changed by hand --------------------------------------------------------------------------

static struct catalog_check check_till(void)
{
    struct catalog_check check = {.rows = 0};
    while (!check.at.done) {
        if (store_catalog_check(c.till.store, &check, &e))
            fail_msg("%s", e.text);
    }
    return check;
}

TEST(catalog__a_price_changed_by_hand_is_found_and_put_right)
{
    static const char *const edits[] = {
        "UPDATE catalog_items SET price = 100 WHERE sku = 'A'",
        "UPDATE catalog_item_rows SET price = 100 WHERE id = 'A'",
        "UPDATE catalog_item_rows SET name = 'x' WHERE id = 'B'",
        "DELETE FROM catalog_item_rows WHERE id = 'B'",
        "UPDATE catalog_item_rows SET gone = 1 WHERE id = 'B'",
        "INSERT INTO catalog_tax_rows (id,edition,gone) SELECT 'V',edition,0 FROM catalog_state",
    };
    for (size_t i = 0; i < COUNT_OF(edits); i++) {
        chain_open(&c);
        chain_item(&c, "A", "a", "1");
        chain_item(&c, "B", "b", "2");
        chain_publish(&c);
        chain_pull_all(&c);
        assert_true(check_till().sound);
        fixture_sql(&c.till, edits[i]);
        struct catalog_check check = check_till();
        assert_false(check.sound);
        assert_false(verdict_of(&c.till).refold_equal);
        if (store_catalog_doubt(c.till.store, &check.found, &e))
            fail_msg("%s", e.text);
        struct store_catalog catalog;
        assert_int_equal(store_catalog(c.till.store, &catalog, &e), ERR_OK);
        assert_int_equal(catalog.refused.number, 1);
        assert_int_equal(chain_pull_all(&c), FEED_CATALOG_SHOWN); // a copy
        assert_true(check_till().sound);
        chain_assert_same(&c);
        fixture_assert_verified(&c.till);
        chain_close(&c);
    }
}

TEST(catalog__what_a_device_says_it_holds_is_compared_and_asked_about)
{
    struct device_status status = {.device = fixture_uuid(5, 1), .location = "BR1"};
    chain_open(&c);
    chain_item(&c, "A", "a", "1");
    status.catalog = chain_publish(&c);
    assert_int_equal(store_device_status_put(c.centre.store, &status, &e), ERR_OK);
    assert_int_equal(fixture_number(&c.centre, "SELECT count(*) FROM reviews"), 0);
    status.refused = (struct catalog_version){1, hash_of(STR("x")), 0};
    assert_int_equal(store_device_status_put(c.centre.store, &status, &e), ERR_OK);
    assert_int_equal(store_device_status_put(c.centre.store, &status, &e), ERR_OK);
    fixture_assert_text(&c.centre, "SELECT kind, location, open FROM reviews",
                        "catalog_hash|BR1|1\n");
    status.catalog.number = 77; // a version that nobody published: of before a restore
    assert_int_equal(store_device_status_put(c.centre.store, &status, &e), ERR_OK);
    assert_int_equal(chain_publish(&c).number, 78); // no number is used twice
    chain_close(&c);
}

// ---- what need not be kept --------------------------------------------------------------------

static void sweep(void)
{
    struct catalog_walk at = {.kind = 0};
    do {
        if (store_catalog_sweep(c.till.store, &at, &e))
            fail_msg("%s", e.text);
    } while (!at.done);
}

TEST(catalog__a_till_drops_what_nobody_is_shown_any_more)
{
    struct chain_pull how = {300, 2, 2, false};
    unsigned pieces;
    size_t rows;
    chain_open(&c);
    chain_item(&c, "A", "a", "1");
    chain_item(&c, "B", "b", "2");
    chain_publish(&c);
    chain_pull_all(&c);
    for (int i = 0; i < 5; i++) {
        chain_write(&c, "item_set", "A", "{\"name\":\"v%d\"}", i);
        chain_publish(&c);
        chain_pull_all(&c);
    }
    assert_int_equal(fixture_number(&c.till, "SELECT count(*) FROM catalog_item_rows"), 7);
    sweep();
    assert_int_equal(fixture_number(&c.till, "SELECT count(*) FROM catalog_item_rows"), 2);
    chain_assert_same(&c);
    chain_item(&c, "A", "new", "1"); // half brought in
    chain_item(&c, "C", "c", "1");
    chain_publish(&c);
    chain_pull(&c, &how, &pieces, &rows);
    sweep();
    fixture_assert_verified(&c.till);
    chain_pull_all(&c);
    chain_assert_same(&c);
    sweep();
    assert_int_equal(fixture_number(&c.till, "SELECT count(*) FROM catalog_item_rows"), 3);
    fixture_assert_verified(&c.till);
    chain_close(&c);
}

TEST(catalog__the_centre_keeps_every_version)
{
    struct catalog_walk at = {.kind = 0};
    chain_open(&c);
    chain_item(&c, "A", "a", "1");
    chain_publish(&c);
    chain_item(&c, "A", "a", "2");
    chain_publish(&c);
    assert_int_equal(store_catalog_sweep(c.centre.store, &at, &e), ERR_OK);
    assert_true(at.done);
    price_is(1, "A", "", 10000);
    chain_close(&c);
}

// ---- whatever happens -------------------------------------------------------------------------

static void edit_something(struct rng *rng)
{
    char sku[8];
    (void)snprintf(sku, sizeof sku, "S%d", (int)rng_below(rng, 6));
    switch (rng_below(rng, 4)) {
    case 0:
        chain_write(&c, "item_set", sku, "{\"name\":\"n%d\",\"active\":%s}", (int)rng_below(rng, 3),
                    rng_chance(rng, 1, 4) ? "false" : "true");
        break;
    case 1:
        chain_write(&c, "price_set", sku,
                    "{\"sku\":\"%s\",\"price\":\"%d\",\"currency\":\"USD\",\"places\":2}", sku,
                    (int)rng_below(rng, 4));
        break;
    case 2:
        chain_write(&c, "recipe_set", sku, "{\"uses\":[{\"sku\":\"X\",\"quantity\":\"%d\"}]}",
                    1 + (int)rng_below(rng, 2));
        break;
    default:
        chain_write(&c, "tax_set", "VAT", "{\"percent\":\"%d\"}", (int)rng_below(rng, 3));
    }
}

// Edits, publications, pieces of pages, sweeps, deaths and rebuilds in any order: whenever a till
// shows something, it is a version that was published, whole.
TEST(catalog__a_till_shows_only_what_was_published_whatever_happens)
{
    enum { SEEDS = 10, SEEDS_FULL = 200, STEPS = 45 };
    const char *mode = getenv("WASL_CHECK");
    unsigned seeds = mode != NULL && strcmp(mode, "full") == 0 ? SEEDS_FULL : SEEDS;
    for (unsigned seed = 0; seed < seeds; seed++) {
        struct rng rng;
        char *published[STEPS + 1] = {NULL};
        size_t versions = 0;
        rng_init(&rng, seed);
        chain_open(&c);
        for (int step = 0; step < STEPS; step++) {
            struct chain_pull how = {200 + rng_below(&rng, 900), 1 + rng_below(&rng, 4),
                                     1 + (unsigned)rng_below(&rng, 4), false};
            struct fixture killed;
            unsigned pieces;
            size_t rows;
            switch (rng_below(&rng, 8)) {
            case 0:
                chain_publish(&c);
                published[versions++] = chain_items(&c.centre);
                break;
            case 1:
            case 2:
                (void)chain_pull(&c, &how, &pieces, &rows);
                break;
            case 3:
                sweep();
                break;
            case 4:
                fixture_kill(&c.till, &killed);
                fixture_close(&c.till);
                c.till = killed;
                fixture_reopen(&c.till);
                break;
            case 5:
                if (rng_chance(&rng, 1, 4) && store_rebuild(c.centre.store, NULL, NULL, &e))
                    fail_msg("%s", e.text);
                break;
            default:
                edit_something(&rng);
            }
            char *shown = chain_items(&c.till);
            bool whole = shown[0] == '\0';
            for (size_t i = 0; i < versions; i++)
                whole = whole || strcmp(shown, published[i]) == 0;
            if (!whole)
                fail_msg("seed %u, step %d: %s", seed, step, shown);
            free(shown);
        }
        (void)chain_pull_all(&c);
        chain_assert_same(&c);
        fixture_assert_verified(&c.centre);
        fixture_assert_verified(&c.till);
        for (size_t i = 0; i < versions; i++)
            free(published[i]);
        chain_close(&c);
    }
}
