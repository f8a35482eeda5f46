// SPDX-License-Identifier: Apache-2.0
#include "model/event_type.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>

static struct err e;

static enum err_code check(const struct event_type *type, int version, const char *body)
{
    struct json json = {0};
    memset(&e, 0, sizeof e);
    if (json_parse(str_of(body), LIMIT_EVENT_DEPTH, &json, &e) != ERR_OK) {
        fail_msg("%.100s: %s", body, e.text);
    }
    enum err_code code = event_type_check(type, version, json.root, &e);
    json_close(&json);
    return code;
}

// A type whose body has one member, of the kind under test.
static enum err_code check_field(enum field_kind kind, const char *value)
{
    const struct field fields[] = {{"x", kind, true, NULL, "under test"},
                                   {NULL, FIELD_TEXT, false, NULL, NULL}};
    struct event_type type = {.name = "t", .version = 1, .fields = fields};
    static char body[8192];
    (void)snprintf(body, sizeof body, "{\"x\":%s}", value);
    return check(&type, 1, body);
}

static void accepts(enum field_kind kind, const char *const *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (check_field(kind, values[i]) != ERR_OK) {
            fail_msg("%s %s: %s", field_kind_name(kind), values[i], e.text);
        }
    }
}

static void refuses(enum field_kind kind, const char *const *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        enum err_code code = check_field(kind, values[i]);
        if (code != ERR_INVALID || strstr(e.text, "x") == NULL) {
            fail_msg("%s %s: %s", field_kind_name(kind), values[i], err_name(code));
        }
    }
}

#define ACCEPTS(kind, ...)                                                                         \
    do {                                                                                           \
        static const char *const values_[] = {__VA_ARGS__};                                        \
        accepts(kind, values_, COUNT_OF(values_));                                                 \
    } while (false)
#define REFUSES(kind, ...)                                                                         \
    do {                                                                                           \
        static const char *const values_[] = {__VA_ARGS__};                                        \
        refuses(kind, values_, COUNT_OF(values_));                                                 \
    } while (false)

// ---- one kind of field after the other -------------------------------------------------------

TEST(event_type__takes_text_of_1_to_1024_bytes)
{
    char text[1100];
    ACCEPTS(FIELD_TEXT, "\"a\"", "\" \"", "\"a\\nb\"", "\"\xd8\xa8\"");
    REFUSES(FIELD_TEXT, "\"\"", "1", "true", "{}", "[]", "null");
    (void)snprintf(text, sizeof text, "\"%01024d\"", 0);
    assert_int_equal(check_field(FIELD_TEXT, text), ERR_OK);
    (void)snprintf(text, sizeof text, "\"%01025d\"", 0);
    assert_int_equal(check_field(FIELD_TEXT, text), ERR_INVALID);
}

TEST(event_type__takes_names)
{
    ACCEPTS(FIELD_NAME, "\"a\"", "\"a b\"", "\"*\"");
    REFUSES(FIELD_NAME, "\"\"", "\" a\"", "\"a \"", "\"a\\tb\"", "7", "null");
    ACCEPTS(FIELD_LOCATION, "\"a\"", "\"a b\"");
    REFUSES(FIELD_LOCATION, "\"*\"", "\"\"", "\" a\"", "7", "null");
}

TEST(event_type__takes_decimals_of_four_places_in_strings)
{
    ACCEPTS(FIELD_DECIMAL, "\"0\"", "\"-1.5\"", "\"3.1416\"", "\"2.50000\"");
    REFUSES(FIELD_DECIMAL, "1", "1.5", "\"1e3\"", "\"1.23456\"", "\"+1\"", "\".\"", "\"\"",
            "\" 1\"", "\"0x1\"", "null");
}

TEST(event_type__bounds_decimals_so_that_sums_cannot_overflow)
{
    ACCEPTS(FIELD_DECIMAL, "\"100000000000\"", "\"-100000000000\"");
    REFUSES(FIELD_DECIMAL, "\"100000000000.0001\"", "\"-100000000000.0001\"", "\"900000000000000\"",
            "\"99999999999999999999\"");
}

TEST(event_type__takes_amounts_up_to_10_to_the_15)
{
    ACCEPTS(FIELD_AMOUNT, "0", "-1", "1000000000000000", "-1000000000000000");
    REFUSES(FIELD_AMOUNT, "1000000000000001", "-1000000000000001", "1.0", "\"1\"", "1e2",
            "18446744073709551615", "null");
}

TEST(event_type__takes_integers_of_64_bits)
{
    ACCEPTS(FIELD_INTEGER, "0", "9223372036854775807", "-9223372036854775808");
    REFUSES(FIELD_INTEGER, "9223372036854775808", "1.0", "\"1\"", "true");
}

TEST(event_type__takes_currency_codes_of_three_capitals)
{
    ACCEPTS(FIELD_CURRENCY, "\"LBP\"", "\"USD\"");
    REFUSES(FIELD_CURRENCY, "\"lbp\"", "\"US\"", "\"USDT\"", "\"U1D\"", "\"\"", "422");
}

TEST(event_type__takes_flags)
{
    ACCEPTS(FIELD_BOOL, "true", "false");
    REFUSES(FIELD_BOOL, "0", "1", "\"true\"", "[]");
}

TEST(event_type__takes_0_to_4_places)
{
    ACCEPTS(FIELD_PLACES, "0", "4");
    REFUSES(FIELD_PLACES, "-1", "5", "\"2\"", "2.0");
}

TEST(event_type__takes_dates_that_exist)
{
    ACCEPTS(FIELD_DATE, "\"2024-02-29\"", "\"2000-02-29\"", "\"2023-12-31\"", "\"2023-04-30\"");
    REFUSES(FIELD_DATE, "\"2023-02-29\"", "\"1900-02-29\"", "\"2023-04-31\"", "\"2023-00-01\"",
            "\"2023-13-01\"", "\"2023-01-00\"", "\"2023-1-01\"", "\"2023/01/01\"", "\"23-01-001\"",
            "\"2023-01-01T\"", "\"-023-01-01\"", "20230101");
}

TEST(event_type__takes_uuids_and_keys)
{
    ACCEPTS(FIELD_UUID, "\"01890a5d-ac96-774b-bcce-b302099a8057\"");
    REFUSES(FIELD_UUID, "\"01890a5d-ac96-774b-bcce-b302099a805\"", "\"\"", "1",
            "\"00000000-0000-0000-0000-000000000000\"");
    ACCEPTS(FIELD_KEY, "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\"");
    REFUSES(FIELD_KEY, "\"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde\"",
            "\"0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef\"", "\"\"", "1");
}

TEST(event_type__takes_codes_and_no_names_or_telephone_numbers)
{
    ACCEPTS(FIELD_CODE, "\"gold\"", "\"ar-LB\"", "\"C_17.b\"", "\"123456\"",
            "\"01890a5d-ac96-774b-bcce-b302099a8057\"");
    REFUSES(FIELD_CODE, "\"Rima Haddad\"", "\"\xd8\xb1\xd9\x8a\xd9\x85\xd8\xa7\"", "\"03123456\"",
            "\"03-123-456\"", "\"+9613\"", "\"a@b.c\"", "\"\"", "7",
            "\"a123456789012345678901234567890123456\"");
}

static const struct field choices[] = {{"red", FIELD_TEXT, false, NULL, "as blood"},
                                       {"green", FIELD_TEXT, false, NULL, "as grass"},
                                       {NULL, FIELD_TEXT, false, NULL, NULL}};
static const struct field choice_fields[] = {{"colour", FIELD_CHOICE, true, choices, "one of them"},
                                             {NULL, FIELD_TEXT, true, NULL, NULL}};
static const struct event_type choice_type = {.name = "t", .version = 1, .fields = choice_fields};

TEST(event_type__takes_one_of_the_words_of_a_choice)
{
    assert_int_equal(check(&choice_type, 1, "{\"colour\":\"red\"}"), ERR_OK);
    assert_int_equal(check(&choice_type, 1, "{\"colour\":\"blue\"}"), ERR_INVALID);
    assert_int_equal(check(&choice_type, 1, "{\"colour\":1}"), ERR_INVALID);
}

TEST(event_type__refuses_further_members_where_its_fields_are_all)
{
    assert_int_equal(check(&choice_type, 1, "{\"colour\":\"red\",\"shade\":1}"), ERR_INVALID);
    assert_non_null(strstr(e.text, "shade"));
    assert_int_equal(check(&choice_type, 1, "{\"shade\":null,\"colour\":\"red\"}"), ERR_INVALID);
}

// ---- lists and members -----------------------------------------------------------------------

static const struct field item_fields[] = {{"a", FIELD_INTEGER, true, NULL, "first"},
                                           {"b", FIELD_TEXT, false, NULL, "second"},
                                           {NULL, FIELD_TEXT, false, NULL, NULL}};
static const struct field list_fields[] = {{"list", FIELD_LIST, true, item_fields, "items"},
                                           {NULL, FIELD_TEXT, false, NULL, NULL}};
static const struct event_type list_type = {.name = "t", .version = 2, .fields = list_fields};

TEST(event_type__checks_every_entry_of_a_list)
{
    assert_int_equal(check(&list_type, 1, "{\"list\":[]}"), ERR_OK);
    assert_int_equal(check(&list_type, 1, "{\"list\":[{\"a\":1},{\"a\":2,\"b\":\"x\"}]}"), ERR_OK);
    assert_int_equal(check(&list_type, 1, "{\"list\":[{\"a\":1},{\"b\":\"x\"}]}"), ERR_INVALID);
    assert_non_null(strstr(e.text, "list"));
    assert_non_null(strstr(e.text, "a: missing"));
    assert_int_equal(check(&list_type, 1, "{\"list\":[{\"a\":1,\"b\":7}]}"), ERR_INVALID);
    assert_int_equal(check(&list_type, 1, "{\"list\":[1]}"), ERR_INVALID);
    assert_int_equal(check(&list_type, 1, "{\"list\":{\"a\":1}}"), ERR_INVALID);
}

TEST(event_type__bounds_a_list_to_2000_entries)
{
    static char body[2100 * 8];
    for (int count = 2000; count <= 2001; count++) {
        size_t n = (size_t)snprintf(body, sizeof body, "{\"list\":[");
        for (int i = 0; i < count; i++) {
            n += (size_t)snprintf(body + n, sizeof body - n, "%s{\"a\":1}", i ? "," : "");
        }
        (void)snprintf(body + n, sizeof body - n, "]}");
        assert_int_equal(check(&list_type, 1, body), count == 2000 ? ERR_OK : ERR_LIMIT);
    }
}

TEST(event_type__allows_members_that_a_newer_till_adds)
{
    assert_int_equal(check(&list_type, 1, "{\"list\":[{\"a\":1,\"z\":{}}],\"tip\":1}"), ERR_OK);
    assert_int_equal(check(&list_type, 1, "{\"list\":[{\"a\":1,\"b\":null}]}"), ERR_OK);
    assert_int_equal(check(&list_type, 1, "{\"list\":null}"), ERR_INVALID);
}

TEST(event_type__refuses_a_version_above_the_one_it_knows)
{
    assert_int_equal(check(&list_type, 2, "{\"list\":[]}"), ERR_OK);
    assert_int_equal(check(&list_type, 3, "{\"list\":[]}"), ERR_NEWER);
}

// ---- the table -------------------------------------------------------------------------------

static void complete_fields(const struct field *fields)
{
    for (const struct field *f = fields; f->key; f++) {
        assert_true(f->meaning != NULL && f->meaning[0] != '\0');
        bool has_items = f->kind == FIELD_LIST || f->kind == FIELD_CHOICE;
        assert_true(has_items == (f->items != NULL));
        for (const struct field *g = fields; g < f; g++) {
            assert_string_not_equal(f->key, g->key);
        }
        if (f->items) {
            complete_fields(f->items);
        }
    }
}

TEST(event_type__has_a_complete_row_for_each_type)
{
    for (size_t i = 0; i < event_type_count; i++) {
        const struct event_type *t = &event_types[i];
        assert_true(event_name_valid(str_of(t->name)));
        assert_true(event_name_valid(str_of(t->record_type)));
        assert_true(t->version >= 1 && t->pending_hours > 0);
        assert_true(t->right < RIGHT_COUNT && t->why[0] != '\0');
        assert_string_equal(t->late, t->nature == NATURE_FACT ? "apply and review" : "hold");
        assert_ptr_equal(event_type_find(str_of(t->name)), t);
        complete_fields(t->fields);
    }
    assert_null(event_type_find(STR("inventory")));
    assert_null(event_type_find(STR("")));
}

TEST(event_type__is_of_a_place_or_of_the_whole_chain)
{
    static const struct {
        enum event_where where;
        bool place, chain;
    } cases[] = {{AT_PLACE, true, false}, {AT_CHAIN, false, true}, {AT_EITHER, true, true}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct event_type type = {.name = "t", .where = cases[i].where};
        assert_int_equal(event_type_check_place(&type, STR("BR01"), &e),
                         cases[i].place ? ERR_OK : ERR_INVALID);
        assert_int_equal(event_type_check_place(&type, STR("*"), &e),
                         cases[i].chain ? ERR_OK : ERR_INVALID);
    }
}

TEST(event_type__keeps_corrections_and_losses_out_of_demand)
{
    assert_int_equal(event_type_find(STR("inventory_adjusted"))->flow, FLOW_CORRECTION);
    assert_int_equal(event_type_find(STR("inventory_wasted"))->flow, FLOW_LOSS);
    assert_int_equal(event_type_find(STR("inventory_transferred"))->flow, FLOW_MOVE);
    assert_int_equal(event_type_find(STR("transfer_received"))->flow, FLOW_MOVE);
    assert_int_equal(event_type_find(STR("inventory_received"))->flow, FLOW_SUPPLY);
    assert_int_equal(event_type_find(STR("inventory_sold"))->flow, FLOW_DEMAND);
}

TEST(event_type__names_every_value_of_its_columns)
{
    for (int i = 0; i <= FIELD_BOOL; i++) {
        assert_non_null(field_kind_name((enum field_kind)i));
    }
    for (int i = 0; i <= FLOW_CORRECTION; i++) {
        assert_non_null(event_flow_name((enum event_flow)i));
    }
    for (int i = 0; i <= AT_EITHER; i++) {
        assert_non_null(event_where_name((enum event_where)i));
    }
    for (int i = 0; i <= AUDIENCE_CHAIN; i++) {
        assert_non_null(event_audience_name((enum event_audience)i));
    }
    assert_string_equal(event_nature_name(NATURE_FACT), "fact");
    assert_string_equal(event_nature_name(NATURE_INTENT), "intent");
    assert_string_equal(field_kind_name(FIELD_LIST), "list");
    assert_string_equal(field_kind_name(FIELD_CHOICE), "choice");
    assert_string_equal(field_kind_name(FIELD_KEY), "hex key");
    assert_string_equal(event_flow_name(FLOW_CORRECTION), "correction");
    assert_string_equal(event_audience_name(AUDIENCE_CHAIN), "the whole chain");
}
