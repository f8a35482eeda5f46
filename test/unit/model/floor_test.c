// SPDX-License-Identifier: Apache-2.0
// The rules of cards, one worked example each, with tables as the record.
#include "model/floor.h"

#include "test/unit/model/history.h"
#include "test/unit/unit.h"

#include <string.h>

static struct history h;

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

static size_t table(int device, const char *status)
{
    return history_write(&h, device, "table_set", "{\"status\":\"%s\"}", status);
}

static void answer(int device, size_t event, const char *rest)
{
    char id[UUID_TEXT_SIZE];
    uuid_format(&h.events[event].id, id);
    history_write(&h, device, "review_resolved",
                  "{\"review\":\"judged\",\"triggers\":[{\"event\":\"%s\"}],%s}", id, rest);
}

// ---- cards ------------------------------------------------------------------------------------

TEST(card__the_newest_write_counts_even_when_it_comes_first)
{
    begin("table");
    table(0, "occupied");
    table(1, "dirty");
    size_t turn[] = {1, 0};
    struct record *r = history_fold(&h, turn, 2, 1, 1);
    assert_string_equal(history_column(r, "table_cards", "", "status"), "dirty");
    assert_string_equal(history_column(r, "table_cards", "", "changed_by"), "A1");
    record_free(r);
    end();
}

TEST(card__what_an_author_had_seen_is_older_whatever_the_clocks_say)
{
    begin("table");
    h.devices[0].clock_off_ms = 86400000; // a day ahead
    history_tell(&h, 1, table(0, "reserved"));
    table(1, "occupied");
    is("table_cards", "status", "occupied");
    is("table_cards", "changed_by", "A1");
    end();
}

TEST(card__what_a_person_rejected_is_passed_over)
{
    begin("table");
    table(0, "reserved");
    size_t wrong = table(0, "dirty");
    answer(1, wrong, "\"decision\":\"reject\"");
    is("table_cards", "status", "reserved");
    end();
}

TEST(card__a_decision_of_another_value_writes_it)
{
    begin("table");
    size_t wrong = table(0, "dirty");
    history_tell_all(&h, 1);
    answer(1, wrong, "\"decision\":\"edit\",\"part\":\"status\",\"value\":\"available\"");
    is("table_cards", "status", "available");
    is("table_cards", "changed_by", "A1");
    end();
}

TEST(card__a_decision_of_a_field_that_is_not_there_is_refused)
{
    struct err e = {0};
    begin("table");
    assert_int_equal(history_try(&h, "review_resolved",
                                 "{\"review\":\"x\",\"triggers\":[],\"decision\":\"edit\","
                                 "\"part\":\"colour\",\"value\":\"red\"}",
                                 &e),
                     ERR_INVALID);
    assert_non_null(strstr(e.text, "part"));
    end();
}

TEST(card__fields_that_were_not_named_stay_as_they_were)
{
    begin("customer");
    history_write(&h, 0, "customer_set", "{\"tier\":\"gold\",\"locale\":\"ar-LB\"}");
    history_write(&h, 1, "customer_set", "{\"points_rule\":\"double\"}");
    history_write(&h, 2, "customer_set", "{\"tier\":\"silver\"}");
    is("customer_cards", "tier", "silver");
    is("customer_cards", "points_rule", "double");
    is("customer_cards", "locale", "ar-LB");
    end();
}

TEST(card__null_clears_a_field)
{
    begin("customer");
    history_write(&h, 0, "customer_set", "{\"tier\":\"gold\",\"locale\":\"ar-LB\"}");
    history_write(&h, 0, "customer_set", "{\"tier\":null}");
    is("customer_cards", "tier", "(none)");
    is("customer_cards", "locale", "ar-LB");
    end();
}

TEST(card__of_a_whole_statement_what_is_absent_is_cleared)
{
    begin("availability");
    history_write(&h, 0, "item_unavailable",
                  "{\"state\":\"sold_out\",\"until_at\":1700000099000,\"reason\":\"no lamb\"}");
    is("availability_cards", "until_at", "1700000099000");
    history_write(&h, 0, "item_unavailable", "{\"state\":\"available\"}");
    is("availability_cards", "state", "available");
    is("availability_cards", "until_at", "(none)");
    is("availability_cards", "reason", "(none)");
    end();
}

TEST(card__a_held_fact_counts_and_one_judged_a_duplicate_does_not)
{
    char id[UUID_TEXT_SIZE];
    begin("availability");
    history_write(&h, 0, "item_unavailable", "{\"state\":\"available\"}");
    size_t event = history_write(&h, 0, "item_unavailable", "{\"state\":\"sold_out\"}");
    uuid_format(&h.events[event].id, id);
    history_write(&h, 1, "event_judged",
                  "{\"target\":\"%s\",\"outcome\":\"held\",\"reason\":\"late\",\"term\":1}", id);
    is("availability_cards", "state", "sold_out");
    history_write(&h, 1, "event_judged",
                  "{\"target\":\"%s\",\"outcome\":\"duplicate\",\"reason\":\"late\",\"term\":2}",
                  id);
    is("availability_cards", "state", "available");
    end();
}

TEST(floor__what_could_not_be_served_is_told_as_it_was)
{
    begin("unmet");
    history_write(
        &h, 0, "demand_unmet",
        "{\"sku\":\"LAMB\",\"quantity\":\"2.5\",\"reason\":\"sold_out\",\"order_id\":\"O1\"}");
    is("unmet_cards", "sku", "LAMB");
    is("unmet_cards", "quantity", "2.5");
    is("unmet_cards", "order_id", "O1");
    end();
}

// A column that no event writes, or a member that no column takes, would be a slip.
TEST(card__each_column_is_a_member_of_a_body)
{
    for (size_t i = 0; i < event_type_count; i++) {
        const struct reducer *reducer = reducer_find(str_of(event_types[i].record_type));
        if (reducer == NULL || reducer->apply != card_apply)
            continue;
        const struct row_table *card = reducer->tables[0];
        int end_of_fields = row_column_count(card) - 2;
        assert_string_equal(card->columns[end_of_fields].name, "changed_at");
        for (const struct field *f = event_types[i].fields; f->key != NULL; f++) {
            int column = card->key_count;
            while (column < end_of_fields && strcmp(card->columns[column].name, f->key) != 0)
                column++;
            if (column == end_of_fields)
                fail_msg("%s: %s has no column", event_types[i].name, f->key);
        }
    }
}
