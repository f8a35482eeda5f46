// SPDX-License-Identifier: Apache-2.0
// The rules of users and roles, one worked example each.
#include "model/people.h"

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

static const char *value(const char *table, const char *where, const char *column)
{
    struct record *all = history_all(&h);
    const char *is = history_column(all, table, where, column);
    record_free(all);
    return is ? is : "(none)";
}

static size_t rows_of(const char *table)
{
    struct record *all = history_all(&h);
    size_t count = 0, n = strlen(table);
    for (const char *at = history_rows(all); *at != '\0'; at = strchr(at, '\n') + 1)
        count += strncmp(at, table, n) == 0 && at[n] == '|';
    record_free(all);
    return count;
}

static void refused(const char *type, const char *body, const char *why)
{
    struct err e = {0};
    assert_int_equal(history_try(&h, type, body, &e), ERR_INVALID);
    if (strstr(e.text, why) == NULL)
        fail_msg("'%s' does not say '%s'", e.text, why);
}

TEST(people__a_user_has_a_role_and_places_and_works_unless_it_is_said)
{
    begin("user");
    history_write(&h, 0, "user_set",
                  "{\"role\":\"cashier\",\"code\":\"07\",\"places\":[{\"location\":\"B2\"},"
                  "{\"location\":\"B1\"},{\"location\":\"B2\"}]}");
    assert_string_equal(value("users", "", "role"), "cashier");
    assert_string_equal(value("users", "", "code"), "07");
    assert_string_equal(value("users", "", "active"), "1");
    assert_int_equal(rows_of("user_places"), 2);
    history_write(&h, 0, "user_set", "{\"active\":false}");
    assert_string_equal(value("users", "", "active"), "0");
    assert_string_equal(value("users", "", "role"), "cashier");
    assert_int_equal(rows_of("user_places"), 2);
    end();
}

TEST(people__the_newest_word_counts_for_each_member_by_itself)
{
    begin("user");
    history_write(&h, 0, "user_set", "{\"role\":\"manager\",\"places\":[{\"location\":\"*\"}]}");
    history_write(&h, 1, "user_set", "{\"role\":\"cashier\"}");
    history_write(&h, 2, "user_set", "{\"places\":[]}");
    assert_string_equal(value("users", "", "role"), "cashier");
    assert_int_equal(rows_of("user_places"), 0);
    end();
}

TEST(people__a_row_says_what_an_author_relies_on)
{
    char id[UUID_TEXT_SIZE], clock[HLC_TEXT_SIZE];
    begin("user");
    size_t first = history_write(&h, 0, "user_set", "{\"role\":\"cashier\"}");
    history_tell_all(&h, 1);
    size_t last = history_write(&h, 1, "user_set", "{\"active\":false}");
    uuid_format(&h.events[last].id, id);
    assert_string_equal(value("users", "", "changed_in"), id);
    assert_string_equal(value("users", "", "changed_by"), "A1");
    hlc_format(h.events[first].hlc, clock);
    assert_string_equal(value("users", "", "since"), clock);
    hlc_format(h.events[last].hlc, clock);
    assert_string_equal(value("users", "", "changed_hlc"), clock);
    end();
}

TEST(people__what_is_denied_leaves_no_trace)
{
    char id[UUID_TEXT_SIZE];
    begin("user");
    size_t event = history_write(&h, 0, "user_set", "{\"role\":\"owner\"}");
    uuid_format(&h.events[event].id, id);
    history_write(
        &h, 1, "event_judged",
        "{\"target\":\"%s\",\"outcome\":\"denied\",\"reason\":\"unauthorised\",\"term\":1}", id);
    assert_int_equal(rows_of("users"), 0);
    end();
}

TEST(people__a_role_keeps_its_rights_until_some_are_given)
{
    begin("role");
    history_write(&h, 0, "role_set", "{\"name\":\"Barista\"}");
    assert_string_equal(value("roles", "", "given"), "0");
    history_write(&h, 0, "role_set", "{\"rights\":[{\"right\":\"sell\"},{\"right\":\"order\"}]}");
    assert_string_equal(value("roles", "", "given"), "1");
    assert_string_equal(value("roles", "", "name"), "Barista");
    assert_int_equal(rows_of("role_rights"), 2);
    history_write(&h, 0, "role_set", "{\"rights\":[]}");
    assert_string_equal(value("roles", "", "given"), "1");
    assert_int_equal(rows_of("role_rights"), 0);
    end();
}

TEST(people__what_makes_no_sense_is_refused)
{
    begin("user");
    refused("user_set", "{\"places\":[{\"location\":\"*all\"}]}", "no place");
    refused("review_resolved",
            "{\"review\":\"x\",\"triggers\":[],\"decision\":\"edit\",\"value\":\"v\"}", "no value");
    end();
    begin("role");
    refused("role_set", "{\"rights\":[{\"right\":\"fly\"}]}", "no right is called 'fly'");
    refused("role_set", "{\"rights\":[{\"right\":\"node\"}]}", "no right is called 'node'");
    end();
}

TEST(people__nobody_takes_rights_from_an_owner)
{
    struct arena arena;
    struct json json = {0};
    struct err e = {0};
    arena_init(&arena, 1 << 20);
    assert_int_equal(json_parse(STR("{\"rights\":[]}"), LIMIT_EVENT_DEPTH, &json, &e), ERR_OK);
    struct event event = {.type_name = STR("role_set"),
                          .type = event_type_find(STR("role_set")),
                          .record_type = STR("role"),
                          .record_id = STR("owner"),
                          .body = json.root};
    assert_int_equal(record_check(&event, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "owner"));
    event.record_id = STR("cashier");
    assert_int_equal(record_check(&event, &e), ERR_OK);
    json_close(&json);
    arena_fini(&arena);
}
