// SPDX-License-Identifier: Apache-2.0
#include "model/event.h"
#include "model/event_type.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A good event, member by member in the order of event_write: each test changes one of them.
struct member {
    const char *key;
    const char *value;
    bool optional;
    bool node; // assigned by the node: not for a draft
};
static const struct member members[] = {
    {"v", "1", false, true},
    {"id", "\"01890a5d-ac96-774b-bcce-b302099a8057\"", false, false},
    {"origin", "\"01890a5d-0000-7000-8000-000000000001\"", false, true},
    {"lane", "\"critical\"", false, true},
    {"seq", "7", false, true},
    {"location", "\"Beirut 1\"", false, false},
    {"type", "\"inventory_sold\"", false, false},
    {"record", "{\"type\":\"stock\",\"id\":\"COFFEE\"}", false, false},
    {"base", "[\"01890a5d-0000-7000-8000-000000000002\"]", true, false},
    {"seen", "{\"feed\":\"01890a5d-0000-7000-8000-000000000005\",\"position\":9}", true, false},
    {"cause", "\"01890a5d-0000-7000-8000-000000000003\"", true, false},
    {"at", "1700000000000", false, false},
    {"hlc", "\"018bcfe568000001\"", false, true},
    {"actor", "\"rana\"", true, false},
    {"grant", "\"01890a5d-0000-7000-8000-000000000004\"", true, false},
    {"body", "{\"sku\":\"COFFEE\",\"quantity\":\"2\"}", false, false}};
enum { MEMBERS = COUNT_OF(members), NONE = -1 };

static struct arena arena;
static struct event event;
static struct err e;

static int member_index(const char *key)
{
    for (int i = 0; i < MEMBERS; i++) {
        if (strcmp(members[i].key, key) == 0) {
            return i;
        }
    }
    fail_msg("no member %s", key);
    return NONE;
}

// The text of the event without member 'left_out', with 'value' in place of member 'changed', and
// with 'more' behind the last one.
static struct str compose(int left_out, int changed, const char *value, const char *more)
{
    static char text[2 * LIMIT_EVENT_BYTES];
    size_t n = 0;
    text[n++] = '{';
    for (int i = 0; i < MEMBERS; i++) {
        if (i == left_out) {
            continue;
        }
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\"%s\":%s", n > 1 ? "," : "",
                              members[i].key, i == changed ? value : members[i].value);
    }
    n += (size_t)snprintf(text + n, sizeof text - n, "%s}", more);
    assert_true(n < sizeof text);
    return str_make(text, n);
}

static enum err_code parse(struct str text)
{
    arena_fini(&arena);
    arena_init(&arena, 64 << 20);
    memset(&e, 0, sizeof e);
    return event_parse(text, &arena, &event, &e);
}

static enum err_code parse_with(const char *key, const char *value)
{
    return parse(compose(NONE, member_index(key), value, ""));
}

static void refused_with(const char *key, const char *value, enum err_code wanted)
{
    enum err_code code = parse_with(key, value);
    if (code != wanted || e.code != wanted || e.text[0] == '\0') {
        fail_msg("%s = %.80s: %s, '%s'", key, value, err_name(code), e.text);
    }
}

static void accepted_with(const char *key, const char *value)
{
    enum err_code code = parse_with(key, value);
    if (code != ERR_OK) {
        fail_msg("%s = %.80s: %s, '%s'", key, value, err_name(code), e.text);
    }
}

// ---- the envelope ----------------------------------------------------------------------------

TEST(event__reads_every_member)
{
    struct uuid id;
    assert_int_equal(parse(compose(NONE, NONE, NULL, "")), ERR_OK);
    assert_int_equal(event.version, 1);
    assert_int_equal(uuid_parse(STR("01890a5d-ac96-774b-bcce-b302099a8057"), &id), ERR_OK);
    assert_true(uuid_equal(&event.id, &id));
    assert_int_equal(event.origin.b[15], 1);
    assert_int_equal(event.lane, LANE_CRITICAL);
    assert_int_equal(event.seq, 7);
    assert_true(str_is(event.location, "Beirut 1"));
    assert_true(str_is(event.type_name, "inventory_sold"));
    assert_ptr_equal(event.type, event_type_find(STR("inventory_sold")));
    assert_true(str_is(event.record_type, "stock"));
    assert_true(str_is(event.record_id, "COFFEE"));
    assert_int_equal(event.base_count, 1);
    assert_int_equal(event.base[0].b[15], 2);
    assert_int_equal(event.cause.b[15], 3);
    assert_int_equal(event.at, 1700000000000);
    assert_int_equal(event.hlc, UINT64_C(0x018bcfe568000001));
    assert_true(str_is(event.actor, "rana"));
    assert_int_equal(event.grant.b[15], 4);
    assert_int_equal(yyjson_obj_size(event.body), 2);
    assert_int_equal(event.bytes.n, compose(NONE, NONE, NULL, "").n);
}

TEST(event__misses_each_required_member_by_name)
{
    for (int i = 0; i < MEMBERS; i++) {
        enum err_code code = parse(compose(i, NONE, NULL, ""));
        if (members[i].optional) {
            assert_int_equal(code, ERR_OK);
            continue;
        }
        char wanted[64];
        (void)snprintf(wanted, sizeof wanted, "event: %s: missing", members[i].key);
        assert_int_equal(code, ERR_INVALID);
        assert_string_equal(e.text, wanted);
    }
}

TEST(event__refuses_each_member_given_twice)
{
    for (int i = 0; i < MEMBERS; i++) {
        char again[256];
        (void)snprintf(again, sizeof again, ",\"%s\":%s", members[i].key, members[i].value);
        assert_int_equal(parse(compose(NONE, NONE, NULL, again)), ERR_PARSE);
        assert_non_null(strstr(e.text, members[i].key));
    }
}

TEST(event__refuses_each_member_of_a_wrong_type)
{
    static const char *const wrong[] = {"true", "1.5", "\"\"", "{}", "[1]", "-1", "\"x y z\""};
    for (int i = 0; i < MEMBERS; i++) {
        for (size_t j = 0; j < COUNT_OF(wrong); j++) {
            bool fits = (strcmp(members[i].key, "body") == 0 && strcmp(wrong[j], "{}") == 0) ||
                        (strcmp(wrong[j], "\"x y z\"") == 0 && members[i].value[0] == '"');
            if (fits) {
                continue; // a name may hold blanks; ids have a test of their own
            }
            refused_with(members[i].key, wrong[j], ERR_INVALID);
            assert_non_null(strstr(e.text, members[i].key));
        }
    }
}

TEST(event__takes_null_only_where_a_member_may_be_absent)
{
    for (int i = 0; i < MEMBERS; i++) {
        bool may = members[i].optional && strcmp(members[i].key, "base") != 0;
        assert_int_equal(parse_with(members[i].key, "null"), may ? ERR_OK : ERR_INVALID);
    }
}

TEST(event__refuses_an_unknown_member)
{
    assert_int_equal(parse(compose(NONE, NONE, NULL, ",\"price\":1")), ERR_INVALID);
    assert_non_null(strstr(e.text, "price"));
    assert_int_equal(parse(compose(NONE, NONE, NULL, ",\"\":1")), ERR_INVALID);
}

TEST(event__refuses_what_is_no_object)
{
    static const char *const texts[] = {"", "[]", "1", "\"v\"", "null", "{", "{}x"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_int_not_equal(parse(str_of(texts[i])), ERR_OK);
    }
    assert_int_equal(parse(STR("{}")), ERR_INVALID);
}

TEST(event__keeps_an_unknown_type_for_later)
{
    accepted_with("type", "\"table_folded\"");
    assert_null(event.type);
    assert_true(str_is(event.type_name, "table_folded"));
}

TEST(event__bounds_numbers)
{
    accepted_with("v", "1000");
    refused_with("v", "1001", ERR_INVALID);
    refused_with("v", "0", ERR_INVALID);
    accepted_with("seq", "9223372036854775807");
    refused_with("seq", "9223372036854775808", ERR_INVALID);
    refused_with("seq", "18446744073709551615", ERR_INVALID);
    refused_with("seq", "0", ERR_INVALID);
    accepted_with("at", "0");
    accepted_with("at", "281474976710655");
    refused_with("at", "1e3", ERR_INVALID);
    refused_with("at", "1.0", ERR_INVALID);
}

TEST(event__bounds_the_clock_to_what_can_be_subtracted)
{
    refused_with("at", "-1", ERR_INVALID);
    refused_with("at", "281474976710656", ERR_INVALID);
    refused_with("at", "-9223372036854775808", ERR_INVALID);
}

TEST(event__bounds_names_to_64_bytes)
{
    char name[80];
    (void)snprintf(name, sizeof name, "\"%064d\"", 0);
    accepted_with("location", name);
    accepted_with("actor", name);
    (void)snprintf(name, sizeof name, "\"%065d\"", 0);
    refused_with("location", name, ERR_INVALID);
    refused_with("actor", name, ERR_INVALID);
    refused_with("type", name, ERR_INVALID);
    refused_with("location", "\" x\"", ERR_INVALID);
    refused_with("location", "\"x \"", ERR_INVALID);
    refused_with("location", "\"a\\nb\"", ERR_INVALID);
    refused_with("location", "\"a\\u007f\"", ERR_INVALID);
    accepted_with("location", "\"\\u0628\\u064a\\u0631\\u0648\\u062a\"");
}

TEST(event__counts_a_name_in_bytes_of_utf8)
{
    char name[2 * 33 + 3] = "\"";
    for (int i = 0; i < 33; i++) {
        memcpy(name + 1 + 2 * i, "\xd8\xa8", 2);
    }
    memcpy(name + 1 + 64, "\"", 2); // 32 letters: 64 bytes
    accepted_with("location", name);
    memcpy(name + 1 + 64, "\xd8\xa8\"", 4);
    refused_with("location", name, ERR_INVALID);
}

TEST(event__wants_a_record_of_exactly_type_and_id)
{
    refused_with("record", "{\"type\":\"stock\"}", ERR_INVALID);
    refused_with("record", "{\"id\":\"COFFEE\"}", ERR_INVALID);
    refused_with("record", "{\"type\":\"stock\",\"id\":\"COFFEE\",\"x\":1}", ERR_INVALID);
    refused_with("record", "{\"type\":\"stock\",\"id\":7}", ERR_INVALID);
    refused_with("record", "{\"type\":\"stock\",\"id\":\"\"}", ERR_INVALID);
    refused_with("record", "{\"type\":\"stock\",\"id\":\"a\",\"id\":\"b\"}", ERR_PARSE);
}

TEST(event__bounds_base_to_16_ids)
{
    char text[17 * 40 + 2] = "[";
    for (int i = 0; i < 17; i++) {
        if (i == 16) {
            strcat(text, "]");
            accepted_with("base", text);
            assert_int_equal(event.base_count, 16);
            text[strlen(text) - 1] = '\0';
        }
        strcat(text, i ? ",\"01890a5d-0000-7000-8000-000000000001\""
                       : "\"01890a5d-0000-7000-8000-000000000001\"");
    }
    strcat(text, "]");
    refused_with("base", text, ERR_LIMIT);
    refused_with("base", "[null]", ERR_INVALID);
    accepted_with("base", "[]");
}

TEST(event__reads_up_to_where_its_author_had_seen_the_feed)
{
    accepted_with("seen", "{\"position\":0,\"feed\":\"01890a5d-0000-7000-8000-000000000006\"}");
    assert_int_equal(event.seen.feed.b[15], 6);
    assert_int_equal(event.seen.position, 0);
    static const char *const wrong[] = {
        "{\"feed\":\"01890a5d-0000-7000-8000-000000000006\"}",
        "{\"position\":1}",
        "{\"feed\":\"01890a5d-0000-7000-8000-000000000006\",\"position\":-1}",
        "{\"feed\":\"01890a5d-0000-7000-8000-000000000006\",\"position\":\"1\"}",
        "{\"feed\":\"x\",\"position\":1}",
        "{\"feed\":\"01890a5d-0000-7000-8000-000000000006\",\"position\":1,\"more\":1}"};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        refused_with("seen", wrong[i], ERR_INVALID);
}

TEST(event__wants_ids_of_36_characters)
{
    static const char *const ids[] = {
        "\"01890a5d-ac96-774b-bcce-b302099a805\"", "\"01890a5d-ac96-774b-bcce-b302099a80570\"",
        "\"01890a5dac96774bbcceb302099a8057\"", "\"01890a5d-ac96-774b-bcce-b302099a805g\"",
        "\"{01890a5d-ac96-774b-bcce-b302099a8057}\""};
    for (size_t i = 0; i < COUNT_OF(ids); i++) {
        refused_with("id", ids[i], ERR_INVALID);
        refused_with("origin", ids[i], ERR_INVALID);
        refused_with("cause", ids[i], ERR_INVALID);
        refused_with("grant", ids[i], ERR_INVALID);
    }
}

TEST(event__is_of_a_place_unless_its_type_is_of_the_whole_chain)
{
    struct arena a;
    struct json json = {0};
    accepted_with("location", "\"*\""); // its type says whether it may be
    accepted_with("location", "\"**\"");
    accepted_with("actor", "\"*\"");
    assert_false(event_location_valid(STR("*")));
    assert_true(event_location_valid(STR("Beirut 1")));
    assert_false(event_location_valid(STR("")));
    arena_init(&a, 1 << 20);
    assert_int_equal(
        json_parse_in(&a,
                      STR("{\"id\":\"01890a5d-ac96-774b-bcce-b302099a8057\",\"location\":\"*\","
                          "\"type\":\"inventory_sold\",\"record\":{\"type\":\"stock\",\"id\":"
                          "\"A\"},\"at\":1,\"body\":{\"sku\":\"A\",\"quantity\":\"1\"}}"),
                      LIMIT_EVENT_DEPTH, &json, &e),
        ERR_OK);
    assert_int_equal(event_parse_draft(json.root, &a, &event, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "whole chain"));
    arena_fini(&a);
}

TEST(event__wants_an_id_of_version_7_4_or_8)
{
    static const char *const good[] = {
        "\"01890a5d-ac96-774b-bcce-b302099a8057\"", "\"01890a5d-ac96-474b-8cce-b302099a8057\"",
        "\"01890a5d-ac96-874b-9cce-b302099a8057\"", "\"01890A5D-AC96-774B-ACCE-B302099A8057\""};
    static const char *const bad[] = {
        "\"00000000-0000-0000-0000-000000000000\"", "\"ffffffff-ffff-ffff-ffff-ffffffffffff\"",
        "\"01890a5d-ac96-174b-bcce-b302099a8057\"", "\"01890a5d-ac96-574b-bcce-b302099a8057\"",
        "\"01890a5d-ac96-674b-bcce-b302099a8057\"", "\"01890a5d-ac96-974b-bcce-b302099a8057\"",
        "\"01890a5d-ac96-774b-7cce-b302099a8057\"", "\"01890a5d-ac96-774b-ccce-b302099a8057\"",
        "\"01890a5d-ac96-474b-0cce-b302099a8057\""};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        accepted_with("id", good[i]);
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        refused_with("id", bad[i], ERR_INVALID);
        assert_non_null(strstr(e.text, "event: id: must be a UUID of version 7, 4 or 8"));
        accepted_with("cause", bad[i]); // what it points at is another's to judge
    }
}

TEST(event__wants_an_hlc_of_16_hex_digits)
{
    refused_with("hlc", "\"018bcfe56800000\"", ERR_INVALID);
    refused_with("hlc", "\"018bcfe5680000011\"", ERR_INVALID);
    refused_with("hlc", "\"018BCFE568000001\"", ERR_INVALID);
    refused_with("hlc", "\"018bcfe56800000g\"", ERR_INVALID);
    refused_with("hlc", "1", ERR_INVALID);
}

TEST(event__refuses_an_unknown_lane)
{
    accepted_with("lane", "\"deferred\"");
    refused_with("lane", "\"Critical\"", ERR_INVALID);
    refused_with("lane", "\"urgent\"", ERR_INVALID);
}

TEST(event__refuses_strings_that_others_read_differently)
{
    refused_with("body", "{\"sku\":\"a\\u0000b\"}", ERR_PARSE);
    refused_with("body", "{\"sku\":\"\\ud800\"}", ERR_PARSE);
    refused_with("body", "{\"sku\":\"\\udc00\\ud800\"}", ERR_PARSE);
    refused_with("body", "{\"sku\":\"\xed\xa0\x80\"}", ERR_PARSE);
    refused_with("body", "{\"sku\":\"\xc0\x80\"}", ERR_PARSE);
    refused_with("body", "{\"sku\":\"\xff\"}", ERR_PARSE);
    accepted_with("body", "{\"sku\":\"\\ud83d\\ude00\"}");
    accepted_with("body", "{\"sku\":\"\\\\u0000\"}");
}

TEST(event__refuses_a_line_break_in_its_bytes)
{
    accepted_with("body", "{\"reason\":\"a\\nb\"}");
    refused_with("body", "{\"sku\":\n\"a\"}", ERR_INVALID);
    refused_with("body", "{}\n", ERR_INVALID);
}

TEST(event__nests_16_levels_deep)
{
    static char body[256];
    for (int depth = 15; depth <= 16; depth++) { // the event itself is one level
        size_t n = (size_t)snprintf(body, sizeof body, "{\"a\":");
        for (int i = 1; i < depth; i++) {
            body[n++] = '[';
        }
        for (int i = 1; i < depth; i++) {
            body[n++] = ']';
        }
        memcpy(body + n, "}", 2);
        if (depth == 15) {
            accepted_with("body", body);
        } else {
            refused_with("body", body, ERR_LIMIT);
        }
    }
}

TEST(event__is_at_most_256_kib)
{
    static char body[LIMIT_EVENT_BYTES + 64];
    struct str without = compose(NONE, member_index("body"), "{\"a\":\"\"}", "");
    size_t room = LIMIT_EVENT_BYTES - without.n;
    size_t n = (size_t)snprintf(body, sizeof body, "{\"a\":\"");
    memset(body + n, 'x', room);
    memcpy(body + n + room, "\"}", 3);
    accepted_with("body", body);
    memcpy(body + n + room, "x\"}", 4);
    refused_with("body", body, ERR_LIMIT);
}

TEST(event__writes_nothing_on_failure)
{
    memset(&event, 0x5a, sizeof event);
    struct event before = event;
    arena_fini(&arena);
    arena_init(&arena, 64 << 20);
    struct str text = compose(member_index("body"), NONE, NULL, "");
    assert_int_equal(event_parse(text, &arena, &event, &e), ERR_INVALID);
    assert_memory_equal(&event, &before, sizeof event);
}

// ---- drafts ----------------------------------------------------------------------------------

static enum err_code parse_draft(const char *text)
{
    struct json json = {0};
    arena_fini(&arena);
    arena_init(&arena, 64 << 20);
    memset(&e, 0, sizeof e);
    assert_int_equal(json_parse_in(&arena, str_of(text), JSON_DEPTH_MAX, &json, &e), ERR_OK);
    return event_parse_draft(json.root, &arena, &event, &e);
}

// The members of a draft; 'left_out' and 'changed' as in compose.
static const char *compose_draft(int left_out, int changed, const char *value)
{
    static char text[8192];
    size_t n = 0;
    text[n++] = '{';
    for (int i = 0; i < MEMBERS; i++) {
        if (members[i].node || i == left_out) {
            continue;
        }
        n += (size_t)snprintf(text + n, sizeof text - n, "%s\"%s\":%s", n > 1 ? "," : "",
                              members[i].key, i == changed ? value : members[i].value);
    }
    (void)snprintf(text + n, sizeof text - n, "}");
    return text;
}

static enum err_code draft_with(const char *key, const char *value)
{
    return parse_draft(compose_draft(NONE, member_index(key), value));
}

TEST(event__takes_version_and_lane_of_a_draft_from_its_type)
{
    assert_int_equal(parse_draft(compose_draft(NONE, NONE, NULL)), ERR_OK);
    assert_int_equal(event.version, event.type->version);
    assert_int_equal(event.lane, event.type->lane);
    assert_int_equal(event.seq, 0);
    assert_true(uuid_is_zero(&event.origin));
}

TEST(event__refuses_in_a_draft_what_the_node_assigns)
{
    for (int i = 0; i < MEMBERS; i++) {
        if (!members[i].node) {
            continue;
        }
        char text[8192];
        (void)snprintf(text, sizeof text, "%.*s,\"%s\":%s}",
                       (int)strlen(compose_draft(NONE, NONE, NULL)) - 1,
                       compose_draft(NONE, NONE, NULL), members[i].key, members[i].value);
        assert_int_equal(parse_draft(text), ERR_INVALID);
        assert_non_null(strstr(e.text, "assigned by the node"));
    }
}

TEST(event__misses_each_required_member_of_a_draft)
{
    for (int i = 0; i < MEMBERS; i++) {
        if (!members[i].node) {
            assert_int_equal(parse_draft(compose_draft(i, NONE, NULL)),
                             members[i].optional ? ERR_OK : ERR_INVALID);
        }
    }
}

TEST(event__refuses_a_draft_of_unknown_type_or_other_record)
{
    assert_int_equal(draft_with("type", "\"table_folded\""), ERR_NOT_FOUND);
    assert_int_equal(draft_with("record", "{\"type\":\"ticket\",\"id\":\"1\"}"), ERR_INVALID);
    assert_int_equal(draft_with("body", "{\"sku\":\"COFFEE\"}"), ERR_INVALID);
    assert_non_null(strstr(e.text, "quantity"));
}

TEST(event__refuses_in_a_draft_what_steers_a_terminal)
{
    assert_int_equal(draft_with("actor", "\"\xc2\x9bJ\""), ERR_INVALID);
    assert_int_equal(draft_with("location", "\"BR\xe2\x80\xaeR\""), ERR_INVALID);
    assert_int_equal(
        draft_with("body", "{\"sku\":\"A\",\"quantity\":\"1\",\"x\":[\"\\u001b[2J\"]}"),
        ERR_INVALID);
    assert_non_null(strstr(e.text, "control"));
    assert_int_equal(draft_with("actor", "\"\xd8\xb4\xd8\xa7\xd9\x8a\xe2\x80\x8f\""), ERR_OK);
}

TEST(event__refuses_a_draft_that_no_reader_would_take)
{
    char body[256];
    size_t n = (size_t)snprintf(body, sizeof body, "{\"sku\":\"A\",\"quantity\":\"1\",\"x\":");
    for (int i = 1; i < 16; i++) {
        body[n++] = '[';
    }
    for (int i = 1; i < 16; i++) {
        body[n++] = ']';
    }
    memcpy(body + n, "}", 2);
    assert_int_equal(draft_with("body", body), ERR_LIMIT);
}

// ---- writing ---------------------------------------------------------------------------------

TEST(event__writes_the_bytes_it_was_read_from)
{
    struct buf out;
    buf_init(&out, LIMIT_EVENT_BYTES);
    struct str text = compose(NONE, NONE, NULL, "");
    assert_int_equal(parse(text), ERR_OK);
    assert_int_equal(event_write(&event, &out), ERR_OK);
    assert_int_equal(out.len, text.n);
    assert_memory_equal(out.data, text.p, text.n);
    for (int i = 0; i < MEMBERS; i++) { // and without each optional one
        if (!members[i].optional) {
            continue;
        }
        text = compose(i, NONE, NULL, "");
        assert_int_equal(parse(text), ERR_OK);
        buf_reset(&out);
        assert_int_equal(event_write(&event, &out), ERR_OK);
        assert_int_equal(out.len, text.n);
        assert_memory_equal(out.data, text.p, text.n);
    }
    buf_fini(&out);
}

TEST(event__writes_every_kind_of_value_as_it_was)
{
    static const char body[] =
        "{\"a\":null,\"b\":true,\"c\":-9223372036854775808,\"d\":18446744073709551615,"
        "\"e\":\"\xd8\xa8\\n\\\"\\\\/\",\"f\":[],\"g\":{},\"h\":[{\"i\":\"\xf0\x9f\x98\x80\"}]}";
    struct buf out;
    buf_init(&out, LIMIT_EVENT_BYTES);
    struct str text = compose(NONE, member_index("body"), body, "");
    assert_int_equal(parse(text), ERR_OK);
    assert_int_equal(event_write(&event, &out), ERR_OK);
    assert_int_equal(out.len, text.n);
    assert_memory_equal(out.data, text.p, text.n);
    buf_fini(&out);
}

TEST(event__survives_every_failing_allocation_while_writing)
{
    struct buf out;
    buf_init(&out, LIMIT_EVENT_BYTES);
    assert_int_equal(parse(compose(NONE, NONE, NULL, "")), ERR_OK);
    assert_int_equal(event_write(&event, &out), ERR_OK);
    struct str whole = arena_copy(&arena, buf_str(&out));
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        buf_fini(&out);
        buf_init(&out, LIMIT_EVENT_BYTES);
        unit_alloc_fail(n);
        enum err_code code = event_write(&event, &out);
        failed = unit_alloc_end();
        if (failed) {
            assert_int_equal(code, ERR_NO_MEMORY);
            assert_int_equal(out.len, 0);
        } else {
            assert_int_equal(code, ERR_OK);
            assert_true(str_equal(buf_str(&out), whole));
        }
    }
    buf_fini(&out);
}

// ---- comparing -------------------------------------------------------------------------------

static struct event parsed(struct str text, struct arena *into)
{
    struct event ev;
    struct str copy = arena_copy(into, text);
    assert_int_equal(event_parse(copy, into, &ev, &e), ERR_OK);
    return ev;
}

static bool same_content_hash(const struct event *a, const struct event *b, struct arena *in)
{
    struct hash x, y;
    assert_int_equal(event_content(a, in, &x), ERR_OK);
    assert_int_equal(event_content(b, in, &y), ERR_OK);
    return hash_equal(&x, &y);
}

TEST(event__has_the_same_content_under_another_carrier)
{
    static const struct {
        const char *key;
        const char *value;
        bool same;
    } rows[] = {
        {"v", "2", true},
        {"origin", "\"01890a5d-0000-7000-8000-0000000000ff\"", true},
        {"lane", "\"normal\"", true},
        {"seq", "8", true},
        {"hlc", "\"018bcfe568000002\"", true},
        {"id", "\"01890a5d-ac96-774b-bcce-b302099a8058\"", false},
        {"location", "\"Beirut 2\"", false},
        {"type", "\"inventory_wasted\"", false},
        {"record", "{\"type\":\"stock\",\"id\":\"TEA\"}", false},
        {"record", "{\"id\":\"COFFEE\",\"type\":\"stock\"}", true},
        {"base", "[]", true},
        {"base", "[\"01890a5d-0000-7000-8000-000000000009\"]", true},
        {"seen", "null", true},
        {"seen", "{\"feed\":\"01890a5d-0000-7000-8000-000000000005\",\"position\":8}", true},
        {"cause", "null", false},
        {"at", "1700000000001", false},
        {"actor", "\"sami\"", false},
        {"grant", "null", true},
        {"body", "{\"sku\":\"COFFEE\",\"quantity\":\"3\"}", false},
        {"body", "{\"quantity\":\"2\",\"sku\":\"COFFEE\"}", true},
        {"body", "{\"sku\":\"COFFEE\",\"quantity\":\"2\",\"x\":1}", false},
    };
    struct arena a;
    arena_init(&a, 64 << 20);
    struct event left = parsed(compose(NONE, NONE, NULL, ""), &a);
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct event right =
            parsed(compose(NONE, member_index(rows[i].key), rows[i].value, ""), &a);
        if (event_same_content(&left, &right) != rows[i].same ||
            event_same_content(&right, &left) != rows[i].same) {
            fail_msg("%s = %s", rows[i].key, rows[i].value);
        }
        if (same_content_hash(&left, &right, &a) != rows[i].same)
            fail_msg("the hash of %s = %s", rows[i].key, rows[i].value);
    }
    arena_fini(&a);
}

// Every two of these bodies: the hashes are equal exactly where the contents are.
TEST(event__has_a_content_hash_as_sharp_as_the_comparison)
{
    static const char *const bodies[] = {
        "{}",
        "{\"a\":1}",
        "{\"a\":1.0}",
        "{\"a\":-1}",
        "{\"a\":18446744073709551615}",
        "{\"a\":\"1\"}",
        "{\"a\":[1]}",
        "{\"a\":[]}",
        "{\"a\":{}}",
        "{\"a\":null}",
        "{\"a\":true}",
        "{\"a\":false}",
        "{\"a\":\"\",\"b\":\"\"}",
        "{\"b\":\"\",\"a\":\"\"}",
        "{\"ab\":\"\"}",
        "{\"a\":\"b\"}",
        "{\"a\":[\"b\",\"c\"]}",
        "{\"a\":[\"c\",\"b\"]}",
        "{\"a\":[[\"b\"],\"c\"]}",
        "{\"a\":[[\"b\",\"c\"]]}",
        "{\"a\":[],\"b\":[]}",
        "{\"a\":[{\"b\":[]}]}",
        "{\"a\":{\"x\":1,\"y\":2}}",
        "{\"a\":{\"y\":2,\"x\":1}}",
        "{\"a\":{\"y\":1,\"x\":2}}",
    };
    struct arena a;
    arena_init(&a, 64 << 20);
    size_t equal = 0;
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        for (size_t j = 0; j < COUNT_OF(bodies); j++) {
            struct event x = parsed(compose(NONE, member_index("body"), bodies[i], ""), &a);
            struct event y = parsed(compose(NONE, member_index("body"), bodies[j], ""), &a);
            bool same = event_same_content(&x, &y);
            if (same_content_hash(&x, &y, &a) != same)
                fail_msg("%s and %s", bodies[i], bodies[j]);
            equal += same;
        }
    }
    assert_int_equal(equal, COUNT_OF(bodies) + 4); // two pairs that differ in their order only
    arena_fini(&a);
}

// Which version of the catalog a node shows is no content of what a client says twice, at two.
TEST(event__has_the_same_content_whatever_version_its_node_shows)
{
    static const char *const bodies[] = {
        "{\"sku\":\"A\",\"price\":\"1\"}",
        "{\"sku\":\"A\",\"catalog\":7,\"price\":\"1\"}",
        "{\"price\":\"1\",\"catalog\":8,\"sku\":\"A\"}",
        "{\"sku\":\"A\",\"price\":\"2\",\"catalog\":7}",
        "{\"sku\":\"A\",\"catalog\":7}",
        "{\"sku\":\"A\",\"catalog\":7,\"x\":\"1\"}",
    };
    struct arena a;
    arena_init(&a, 64 << 20);
    for (size_t i = 0; i < COUNT_OF(bodies); i++) {
        for (size_t j = 0; j < COUNT_OF(bodies); j++) {
            struct event x = parsed(compose(NONE, member_index("body"), bodies[i], ""), &a);
            struct event y = parsed(compose(NONE, member_index("body"), bodies[j], ""), &a);
            assert_false(event_is_stamped(&x));
            assert_int_equal(event_same_content(&x, &y), i == j); // of a sale it is
            x.type_name = y.type_name = STR("price_set");
            assert_true(event_is_stamped(&x));
            assert_int_equal(event_same_content(&x, &y), i == j || (i < 3 && j < 3));
            assert_int_equal(same_content_hash(&x, &y, &a), i == j || (i < 3 && j < 3));
        }
    }
    arena_fini(&a);
}

TEST(event__is_ordered_by_hlc_then_origin_then_lane_then_seq)
{
    static const struct event_order rows[] = {
        {1, {{0}}, LANE_CRITICAL, 1},         {1, {{0}}, LANE_CRITICAL, 2},
        {1, {{0}}, LANE_DEFERRED, 1},         {1, {{0, 1}}, LANE_CRITICAL, 1},
        {1, {{1}}, LANE_CRITICAL, 1},         {2, {{0}}, LANE_CRITICAL, 1},
        {UINT64_MAX, {{0}}, LANE_CRITICAL, 1}};
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        for (size_t j = 0; j < COUNT_OF(rows); j++) {
            int order = event_order_compare(&rows[i], &rows[j]);
            assert_int_equal((order > 0) - (order < 0), (i > j) - (i < j));
        }
    }
    assert_int_equal(parse(compose(NONE, NONE, NULL, "")), ERR_OK);
    struct event_order order = event_order_of(&event);
    assert_int_equal(order.hlc, event.hlc);
    assert_true(uuid_equal(&order.origin, &event.origin));
    assert_int_equal(order.lane, event.lane);
    assert_int_equal(order.seq, event.seq);
}

TEST(event__names_lanes_both_ways)
{
    for (int i = 0; i < LANE_COUNT; i++) {
        enum lane lane = LANE_COUNT;
        assert_int_equal(lane_parse(str_of(lane_name((enum lane)i)), &lane), ERR_OK);
        assert_int_equal(lane, i);
    }
}
