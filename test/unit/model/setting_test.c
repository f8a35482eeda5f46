// SPDX-License-Identifier: Apache-2.0
// The table of settings, and the rules of one, one worked example each.
#include "model/setting.h"

#include "test/unit/model/history.h"
#include "test/unit/unit.h"

#include <string.h>

static struct err e;

static enum err_code check(const char *id, const char *value)
{
    struct str item;
    const struct setting_row *row = setting_find(str_of(id), &item);
    memset(&e, 0, sizeof e);
    return row ? setting_check(row, str_of(value), &e) : ERR_NOT_FOUND;
}

// ---- the table --------------------------------------------------------------------------------

TEST(setting__has_a_complete_row_for_each_key)
{
    char scratch[DECIMAL_TEXT_MAX];
    for (size_t i = 0; i < setting_count; i++) {
        const struct setting_row *row = &setting_table[i];
        struct str item, preset = setting_preset(row, STR(""), scratch);
        assert_ptr_equal(setting_find(str_of(row->key), &item), row);
        assert_int_equal(item.n, 0);
        assert_true(row->meaning[0] != '\0' && row->why[0] != '\0');
        assert_true((row->kind == SETTING_CHOICE) == (row->choices != NULL));
        assert_true(row->low <= row->high);
        assert_true(preset.n > 0 || row->items == ITEMS_TYPES);
        if (preset.n > 0)
            assert_int_equal(setting_check(row, preset, &e), ERR_OK);
    }
}

TEST(setting__has_the_pending_hours_of_each_type_as_its_preset)
{
    char scratch[DECIMAL_TEXT_MAX], id[128];
    for (size_t i = 0; i < event_type_count; i++) {
        struct str item;
        snprintf(id, sizeof id, "pending_hours/%s", event_types[i].name);
        const struct setting_row *row = setting_find(str_of(id), &item);
        assert_non_null(row);
        assert_true(str_is(item, event_types[i].name));
        struct str preset = setting_preset(row, item, scratch);
        assert_int_equal(setting_check(row, preset, &e), ERR_OK);
        int64_t hours = 0;
        assert_int_equal(str_to_i64(preset, &hours), ERR_OK);
        assert_int_equal(hours, event_types[i].pending_hours);
    }
}

TEST(setting__is_found_by_its_key_and_an_item_where_it_has_any)
{
    static const char *const none[] = {"",
                                       "colour",
                                       "pending_hours/",
                                       "pending_hours/flying",
                                       "deferred_window/BR01",
                                       "oversell/",
                                       "oversell/ x",
                                       "/oversell"};
    struct str item;
    for (size_t i = 0; i < COUNT_OF(none); i++)
        assert_null(setting_find(str_of(none[i]), &item));
    assert_non_null(setting_find(STR("oversell/RICE"), &item));
    assert_true(str_is(item, "RICE"));
    assert_non_null(setting_find(STR("oversell/a/b"), &item));
    assert_true(str_is(item, "a/b"));
}

TEST(setting__takes_values_of_its_kind_and_range)
{
    static const struct {
        const char *id, *value;
        bool good;
    } cases[] = {
        {"pending_hours", "1", true},
        {"pending_hours", "8760", true},
        {"pending_hours", "0", false},
        {"pending_hours", "8761", false},
        {"pending_hours", "1.5", false},
        {"pending_hours", "", false},
        {"oversell", "0", true},
        {"oversell", "2.5", true},
        {"oversell/RICE", "1000000", true},
        {"oversell", "-1", false},
        {"oversell", "1000000.0001", false},
        {"oversell", "two", false},
        {"price_authority", "branch", true},
        {"price_authority", "centre", true},
        {"price_authority", "head", false},
        {"price_authority", "", false},
        {"deferred_window", "22:00-04:00", true},
        {"deferred_window", "2-5", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if ((check(cases[i].id, cases[i].value) == ERR_OK) != cases[i].good)
            fail_msg("%s = '%s': %s", cases[i].id, cases[i].value, e.text);
    }
    assert_int_equal(check("clock_skew_seconds", "0"), ERR_INVALID);
    assert_string_equal(e.text,
                        "body: value: clock_skew_seconds is a whole number from 1 to 86400");
}

// ---- the record -------------------------------------------------------------------------------

// What a node says to a setting of this record at this place.
static enum err_code try(const char *location, const char *record, const char *type,
                         const char *body)
{
    struct json json = {0};
    memset(&e, 0, sizeof e);
    assert_int_equal(json_parse(str_of(body), LIMIT_EVENT_DEPTH, &json, &e), ERR_OK);
    struct event event = {.location = str_of(location),
                          .type_name = str_of(type),
                          .type = event_type_find(str_of(type)),
                          .record_type = STR("setting"),
                          .record_id = str_of(record),
                          .body = json.root};
    enum err_code code = record_check(&event, &e);
    json_close(&json);
    return code;
}

TEST(setting__of_an_unknown_key_or_a_bad_value_is_refused)
{
    assert_int_equal(try("*", "oversell", "setting_set", "{\"value\":\"3\"}"), ERR_OK);
    assert_int_equal(try("*", "oversell", "setting_set", "{\"value\":null}"), ERR_OK);
    assert_int_equal(try("*", "colour", "setting_set", "{\"value\":\"3\"}"), ERR_INVALID);
    assert_non_null(strstr(e.text, "no setting 'colour'"));
    assert_int_equal(try("*", "oversell", "setting_set", "{\"value\":\"-3\"}"), ERR_INVALID);
    assert_int_equal(try("*", "oversell", "review_resolved",
                         "{\"review\":\"x\",\"triggers\":[],\"decision\":\"edit\","
                         "\"part\":\"value\",\"value\":\"-3\"}"),
                     ERR_INVALID);
}

TEST(setting__of_a_place_is_one_that_places_may_have)
{
    assert_int_equal(try("BR01", "oversell/RICE", "setting_set", "{\"value\":\"3\"}"), ERR_OK);
    assert_int_equal(try("BR01", "price_authority", "setting_set", "{\"value\":\"branch\"}"),
                     ERR_INVALID);
    assert_non_null(strstr(e.text, "no place has its own"));
}

TEST(setting__goes_up_and_comes_down_when_it_can_wait)
{
    const struct event_type *type = event_type_find(STR("setting_set"));
    assert_int_equal(type->lane, LANE_DEFERRED);
    assert_int_equal(type->where, AT_EITHER);
}
