// SPDX-License-Identifier: Apache-2.0
// The rules of the catalog's drafts, one worked example each.
#include "model/draft.h"

#include "test/unit/model/history.h"
#include "test/unit/unit.h"

#include <string.h>

static struct history h;
static struct err e;

static void begin(const char *type)
{
    history_init(&h, reducer_find(str_of(type)));
}

static void end(void)
{
    history_fini(&h);
}

static void is(const char *table, const char *column, const char *wanted)
{
    history_assert(&h, table, column, wanted);
}

static size_t item(int device, const char *body)
{
    return history_write(&h, device, "item_set", "%s", body);
}

static size_t price(int device, const char *amount)
{
    return history_write(&h, device, "price_set",
                         "{\"sku\":\"R1\",\"price\":\"%s\",\"currency\":\"USD\",\"places\":2}",
                         amount);
}

static void answer(int device, const size_t *triggers, size_t count, const char *rest)
{
    char list[400] = "", id[UUID_TEXT_SIZE];
    for (size_t i = 0; i < count; i++) {
        uuid_format(&h.events[triggers[i]].id, id);
        strcat(list, i ? ",{\"event\":\"" : "{\"event\":\"");
        strcat(list, id);
        strcat(list, "\"}");
    }
    history_write(&h, device, "review_resolved",
                  "{\"review\":\"same_rank\",\"part\":\"price\",\"triggers\":[%s],%s}", list, rest);
}

// ---- items ------------------------------------------------------------------------------------

TEST(draft__fields_of_an_item_merge_one_by_one)
{
    begin("item");
    item(0, "{\"name\":\"Coffee\",\"category\":\"hot\",\"active\":true}");
    for (int i = 1; i < DEVICES_MAX; i++)
        history_tell_all(&h, i);
    item(1, "{\"name_ar\":\"قهوة\"}");
    item(2, "{\"category\":\"drinks\"}");
    item(3, "{\"name\":\"Kaffee\"}"); // had not seen the others: they said nothing of the name
    is("items", "name", "Kaffee");
    is("items", "name_ar", "قهوة");
    is("items", "category", "drinks");
    is("items", "active", "1");
    is("record_reviews", "open", "(none)");
    end();
}

TEST(draft__null_clears_a_field_and_absence_does_not)
{
    begin("item");
    item(0, "{\"name\":\"Coffee\",\"category\":\"hot\"}");
    item(0, "{\"category\":null,\"active\":false}");
    is("items", "name", "Coffee");
    is("items", "category", "(none)");
    is("items", "active", "0");
    end();
}

// ---- prices -----------------------------------------------------------------------------------

static void two_prices(size_t to[2])
{
    begin("price");
    size_t first = price(0, "2.5");
    history_tell(&h, 1, first);
    history_tell(&h, 2, first);
    to[0] = price(1, "3");
    to[1] = price(2, "4"); // later, and had not seen 3
}

TEST(draft__two_prices_of_one_rank_are_asked_about_and_the_later_stands)
{
    size_t two[2];
    two_prices(two);
    is("prices", "price", "4");
    is("record_reviews", "kind", "same_rank");
    is("record_reviews", "part", "price");
    is("record_reviews", "open", "1");
    struct record *all = history_all(&h);
    const char *detail = history_column(all, "record_reviews", "", "detail");
    assert_non_null(strstr(detail, "\"base\":\"2.5\""));
    assert_non_null(strstr(detail, "\"value\":\"3\""));
    assert_non_null(strstr(detail, "\"value\":\"4\""));
    assert_non_null(strstr(detail, "\"suggested\":{\"decision\":\"accept\",\"value\":\"4\""));
    record_free(all);
    end();
}

TEST(draft__prices_that_saw_each_other_or_are_alike_are_not_asked_about)
{
    begin("price");
    size_t first = price(0, "2.5");
    history_tell(&h, 1, first);
    size_t second = price(1, "3");
    history_tell(&h, 2, second);
    price(2, "4");
    is("prices", "price", "4");
    is("record_reviews", "open", "(none)");
    end();
    begin("price");
    price(0, "2.5");
    price(1, "2.50");
    is("record_reviews", "open", "(none)");
    end();
}

// Two consoles of the head office write through one node: what each had seen is what it names.
TEST(draft__two_prices_in_one_stream_are_asked_about_where_neither_names_the_other)
{
    begin("price");
    price(0, "2.5");
    price(0, "3");
    price(0, "4");
    h.events[2].base[0] = h.events[0].id; // had the first before it, not the second
    is("record_reviews", "open", "1");
    is("prices", "price", "4");
    h.events[2].base[0] = h.events[1].id;
    is("record_reviews", "open", "(none)");
    h.events[2].base_count = 0; // who names nothing has seen the stream
    is("record_reviews", "open", "(none)");
    end();
}

TEST(draft__a_rejected_price_gives_way_to_the_other)
{
    size_t two[2];
    two_prices(two);
    history_tell_all(&h, 3);
    answer(3, &two[1], 1, "\"decision\":\"reject\"");
    is("prices", "price", "3");
    is("record_reviews", "open", "1"); // the other side was not settled
    answer(3, &two[0], 1, "\"decision\":\"accept\"");
    is("record_reviews", "open", "0");
    is("prices", "price", "3");
    end();
}

TEST(draft__a_third_price_may_be_the_answer)
{
    size_t two[2];
    two_prices(two);
    history_tell_all(&h, 3);
    answer(3, two, 2, "\"decision\":\"edit\",\"value\":\"3.75\"");
    is("prices", "price", "3.75");
    is("prices", "currency", "USD");
    is("record_reviews", "open", "0");
    end();
}

TEST(draft__an_edit_that_saw_both_settles_it)
{
    size_t two[2];
    two_prices(two);
    history_tell_all(&h, 3);
    price(3, "5");
    is("prices", "price", "5");
    is("record_reviews", "open", "0");
    end();
}

TEST(draft__who_saw_one_side_settles_that_side_alone)
{
    size_t two[2];
    char other[UUID_TEXT_SIZE];
    two_prices(two);
    uuid_format(&h.events[two[1]].id, other);
    history_tell(&h, 3, 0);
    history_tell(&h, 3, two[0]);
    price(3, "4"); // as the other side, which it had not seen
    is("record_reviews", "open", "1");
    is("record_reviews", "triggers", other);
    end();
}

// Its author names the judgement alone: that had seen the price before.
TEST(draft__what_was_seen_before_a_judgement_is_seen_behind_it)
{
    begin("price");
    size_t first = price(0, "2.5");
    history_tell(&h, 5, first);
    size_t judged = history_write(&h, 5, "event_judged",
                                  "{\"target\":\"%s\",\"outcome\":\"applied\",\"reason\":"
                                  "\"stock\",\"term\":1}",
                                  history_id_text(0x100000 + first));
    history_tell(&h, 0, judged);
    price(0, "3");
    assert_int_equal(h.events[2].base_count, 1);
    is("prices", "price", "3");
    is("record_reviews", "open", "(none)");
    end();
}

// One by one, and in any order, the write of a field is held against what says something else.
TEST(draft__of_many_prices_those_are_named_that_another_one_contradicts)
{
    char one[UUID_TEXT_SIZE], all[3 * UUID_TEXT_SIZE];
    begin("price");
    price(0, "3");
    price(1, "3");
    is("record_reviews", "open", "(none)");
    price(2, "4");
    struct record *r = history_all(&h);
    all[0] = '\0';
    for (size_t i = 0; i < 3; i++) {
        uuid_format(&h.events[i].id, one);
        strcat(strcat(all, i ? " " : ""), one);
    }
    assert_string_equal(history_column(r, "record_reviews", "", "triggers"), all);
    record_free(r);
    end();
}

TEST(draft__a_price_that_comes_later_opens_the_question_again)
{
    size_t two[2];
    two_prices(two);
    history_tell_all(&h, 3);
    answer(3, two, 2, "\"decision\":\"accept\"");
    is("record_reviews", "open", "0");
    price(4, "6"); // saw nothing
    is("record_reviews", "open", "1");
    end();
}

TEST(draft__a_price_is_named_by_its_sku_and_list)
{
    static const struct {
        const char *body;
        enum err_code code;
    } cases[] = {
        {"{\"sku\":\"R1\",\"price\":\"1\",\"currency\":\"USD\",\"places\":2}", ERR_OK},
        {"{\"sku\":\"R\",\"price\":\"1\",\"currency\":\"USD\",\"places\":2}", ERR_INVALID},
        {"{\"sku\":\"R1\",\"list\":\"take\",\"price\":\"1\",\"currency\":\"USD\",\"places\":2}",
         ERR_INVALID},
        {"{\"sku\":\"R1\",\"price\":\"-1\",\"currency\":\"USD\",\"places\":2}", ERR_INVALID},
        {"{\"sku\":\"R1\",\"price\":\"0\",\"currency\":\"USD\",\"places\":2}", ERR_OK},
    };
    begin("price");
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(history_try(&h, "price_set", cases[i].body, &e), cases[i].code);
    end();
}

// ---- a place's own prices ---------------------------------------------------------------------
// Of what a history writes all is of a place.

static size_t own_price(int device, const char *amount, int catalog)
{
    return history_write(&h, device, "price_set",
                         "{\"sku\":\"R1\",\"price\":\"%s\",\"currency\":\"USD\",\"places\":2,"
                         "\"catalog\":%d}",
                         amount, catalog);
}

// "price/catalog" of each, the one that stands first.
static void own_are(const char *wanted)
{
    char found[400] = "", where[32];
    struct record *r = history_all(&h);
    for (int nth = 0;; nth++) {
        (void)snprintf(where, sizeof where, "|nth=%d|", nth);
        const char *price = history_column(r, "own_prices", where, "price");
        if (price == NULL)
            break;
        strcat(strcat(found, nth ? " " : ""), price);
        strcat(strcat(found, "/"), history_column(r, "own_prices", where, "catalog"));
    }
    record_free(r);
    assert_string_equal(found, wanted);
}

static size_t judge(int device, size_t target, const char *outcome, const char *reason)
{
    return history_write(&h, device, "event_judged",
                         "{\"target\":\"%s\",\"outcome\":\"%s\",\"reason\":\"%s\",\"term\":1}",
                         history_id_text(0x100000 + target), outcome, reason);
}

TEST(draft__a_places_own_prices_are_kept_the_newest_first)
{
    begin("price");
    own_price(0, "2.5", 1);
    own_price(0, "3", 4);
    own_are("3/4 2.5/1");
    price(0, "3.5"); // says nothing of a version, and not that of the one before
    own_are("3.5/0 3/4 2.5/1");
    is("own_prices", "currency", "USD");
    is("own_prices", "set_by", "A0");
    assert_int_equal(history_try(&h, "price_set",
                                 "{\"sku\":\"R1\",\"price\":\"1\",\"currency\":\"USD\","
                                 "\"places\":2,\"catalog\":-1}",
                                 &e),
                     ERR_INVALID);
    end();
}

TEST(draft__a_price_that_is_held_is_none_of_a_places)
{
    begin("price");
    own_price(0, "2.5", 1);
    size_t held = own_price(0, "3", 4);
    judge(5, held, "held", "outranked");
    own_are("2.5/1");
    end();
}

// Who lets it stand has seen what the head office says by then.
TEST(draft__a_price_that_a_person_let_stand_is_of_the_version_that_he_saw)
{
    for (int with = 0; with < 2; with++) {
        begin("price");
        size_t held = own_price(0, "3", 4);
        history_tell(&h, 5, held);
        judge(5, held, "held", "outranked");
        history_write(&h, 5, "review_resolved",
                      "{\"review\":\"outranked\",\"decision\":\"accept\","
                      "\"triggers\":[{\"event\":\"%s\"}]%s}",
                      history_id_text(0x100000 + held), with ? ",\"catalog\":7" : "");
        history_write(&h, 5, "event_judged",
                      "{\"target\":\"%s\",\"outcome\":\"applied\",\"reason\":\"answered\","
                      "\"answer\":\"%s\",\"term\":1}",
                      history_id_text(0x100000 + held), history_id_text(0x100000 + h.count - 1));
        own_are(with ? "3/7" : "3/4");
        end();
    }
}

TEST(draft__a_price_that_a_person_put_in_the_stead_of_two_is_a_places_own)
{
    size_t two[2];
    two_prices(two);
    history_tell_all(&h, 3);
    answer(3, two, 2, "\"decision\":\"edit\",\"value\":\"3.5\",\"catalog\":6");
    own_are("3.5/6 2.5/0");
    is("own_prices", "currency", "USD");
    is("own_prices", "sku", "R1");
    end();
}

// ---- taxes, promotions, recipes ---------------------------------------------------------------

TEST(draft__taxes_and_promotions_are_asked_about_field_by_field)
{
    begin("tax");
    history_write(&h, 0, "tax_set", "{\"percent\":\"11\",\"name\":\"VAT\"}");
    history_write(&h, 1, "tax_set", "{\"percent\":\"12\",\"included\":true}");
    is("taxes", "percent", "12");
    is("taxes", "name", "VAT");
    is("taxes", "included", "1");
    is("record_reviews", "part", "percent");
    is("record_reviews", "type", "tax");
    end();
    begin("promotion");
    history_write(&h, 0, "promotion_set", "{\"kind\":\"percent\",\"value\":\"20\"}");
    history_write(&h, 1, "promotion_set", "{\"kind\":\"percent\",\"value\":\"30\"}");
    is("promotions", "value", "30");
    is("record_reviews", "part", "value");
    is("record_reviews", "type", "promotion");
    end();
}

TEST(draft__a_promotion_that_cannot_be_is_refused)
{
    static const char *const bodies[] = {"{\"kind\":\"percent\",\"value\":\"101\"}",
                                         "{\"kind\":\"amount\",\"value\":\"-1\"}",
                                         "{\"from_time\":\"24:00\"}",
                                         "{\"until_time\":\"1800\"}",
                                         "{\"weekdays\":\"128\"}",
                                         "{\"buy\":\"-2\"}"};
    begin("promotion");
    for (size_t i = 0; i < COUNT_OF(bodies); i++)
        assert_int_equal(history_try(&h, "promotion_set", bodies[i], &e), ERR_INVALID);
    assert_int_equal(history_try(&h, "promotion_set",
                                 "{\"from_time\":\"16:00\",\"until_time\":\"23:59\","
                                 "\"weekdays\":\"1234567\",\"kind\":\"free\",\"buy\":\"2\","
                                 "\"free\":\"1\"}",
                                 &e),
                     ERR_OK);
    end();
    begin("tax");
    assert_int_equal(history_try(&h, "tax_set", "{\"percent\":\"100.5\"}", &e), ERR_INVALID);
    end();
}

TEST(draft__a_recipe_is_kept_as_its_list)
{
    begin("recipe");
    history_write(&h, 0, "recipe_set",
                  "{\"uses\":[{\"quantity\":\"0.0180\",\"sku\":\"BEANS\",\"unit\":\"kg\"},"
                  "{\"sku\":\"MI\\\"LK\",\"quantity\":\"0.2\"}]}");
    is("recipes", "uses",
       "[{\"sku\":\"BEANS\",\"quantity\":\"0.018\"},{\"sku\":\"MI\\\"LK\",\"quantity\":\"0.2\"}]");
    history_write(&h, 0, "recipe_set", "{\"uses\":[]}");
    is("recipes", "uses", "[]");
    assert_int_equal(
        history_try(&h, "recipe_set", "{\"uses\":[{\"sku\":\"BEANS\",\"quantity\":\"0\"}]}", &e),
        ERR_INVALID);
    end();
}

// ---- an order's line --------------------------------------------------------------------------

static void order_line(void)
{
    begin("order");
    history_write(&h, 0, "order_opened",
                  "{\"kind\":\"dine_in\",\"currency\":\"USD\",\"places\":2}");
    history_write(&h, 0, "line_added",
                  "{\"line\":\"%s\",\"sku\":\"COFFEE\",\"quantity\":\"2\",\"unit_price\":\"2.5\","
                  "\"catalog\":7}",
                  history_id_text(1));
    for (int i = 1; i < DEVICES_MAX; i++)
        history_tell_all(&h, i);
}

static size_t override_price(int device, const char *amount)
{
    return history_write(&h, device, "price_overridden",
                         "{\"line\":\"%s\",\"unit_price\":\"%s\",\"was\":\"2.5\",\"by\":\"rana\"}",
                         history_id_text(1), amount);
}

TEST(draft__an_overridden_price_counts_and_bears_a_name)
{
    order_line();
    is("order_lines", "catalog", "7");
    is("order_lines", "overridden_by", "(none)");
    override_price(1, "2");
    is("order_lines", "unit_price", "2");
    is("order_lines", "amount", "400");
    is("order_lines", "overridden_by", "rana");
    is("order_bills", "total", "400");
    is("record_reviews", "open", "(none)");
    end();
}

TEST(draft__an_overridden_price_beside_another_edit_is_asked_about)
{
    order_line();
    override_price(1, "2");
    override_price(2, "1");
    is("order_lines", "unit_price", "1");
    is("record_reviews", "kind", "line");
    end();
}

TEST(draft__an_overridden_price_may_be_rejected)
{
    order_line();
    size_t one = override_price(1, "2");
    char id[UUID_TEXT_SIZE];
    uuid_format(&h.events[one].id, id);
    history_tell_all(&h, 3);
    history_write(&h, 3, "review_resolved",
                  "{\"review\":\"line\",\"part\":\"%s\",\"decision\":\"reject\","
                  "\"triggers\":[{\"event\":\"%s\"}]}",
                  history_id_text(1), id);
    is("order_lines", "unit_price", "2.5");
    is("order_lines", "overridden_by", "(none)");
    end();
}
