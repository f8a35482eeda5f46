// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct json j;
static struct err e;

static void accepted(struct str text)
{
    memset(&e, 0, sizeof e);
    enum err_code rc = json_parse(text, 16, &j, &e);
    if (rc != ERR_OK) {
        fail_msg("%.*s: %s", STR_ARG(text), e.text);
    }
    json_close(&j);
}

// Refused by both ways of parsing, with a message, and nothing is written.
static void refused(struct str text, enum err_code wanted)
{
    struct json untouched = {0};
    memset(&e, 0, sizeof e);
    enum err_code rc = json_parse(text, 16, &untouched, &e);
    if (rc != wanted || e.code != wanted || e.text[0] == '\0') {
        fail_msg("%.*s: %s, '%s'", STR_ARG(text), err_name(rc), e.text);
    }
    struct arena a;
    arena_init(&a, 64 << 20);
    assert_int_equal(json_parse_in(&a, text, 16, &untouched, NULL), wanted);
    assert_null(untouched.doc);
    arena_fini(&a);
}

TEST(json__reads_every_kind_of_value)
{
    accepted(STR("{}"));
    accepted(STR("[]"));
    accepted(STR("0"));
    accepted(STR("\"\""));
    accepted(STR(" {\"a\":[1,-2,3.5,true,false,null,\"x\",{}]} \n"));
}

TEST(json__refuses_what_is_not_one_json_value)
{
    static const char *const bad[] = {"",           " ",
                                      "{",          "[1,]",
                                      "{\"a\":1,}", "{a:1}",
                                      "{'a':1}",    "1 2",
                                      "{}{}",       "[1] x",
                                      "nul",        "01",
                                      "+1",         ".5",
                                      "1.",         "0x1",
                                      "NaN",        "Infinity",
                                      "-",          "\"abc",
                                      "\"\\x\"",    "/*c*/1",
                                      "[1 2]",      "tru",
                                      "\"a\nb\"",   "\xEF\xBB\xBF{}"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        refused(str_of(bad[i]), ERR_PARSE);
    }
    refused((struct str){NULL, 0}, ERR_PARSE);
}

TEST(json__refuses_a_number_too_large_for_a_double)
{
    refused(STR("1e999"), ERR_PARSE);
    refused(STR("[-1e999]"), ERR_PARSE);
}

TEST(json__refuses_invalid_utf8)
{
    refused(STR("\"\xFF\""), ERR_PARSE);
    refused(STR("\"\xC0\x80\""), ERR_PARSE);     // U+0000, overlong
    refused(STR("\"\xED\xA0\x80\""), ERR_PARSE); // a surrogate
    refused(STR("\"\xF4\x90\x80\x80\""), ERR_PARSE);
    refused(STR("{\"\xE2\x82\":1}"), ERR_PARSE);
    accepted(STR("\"\xD9\x88\xD8\xB5\xD9\x84 \xF0\x9F\x8D\x95\""));
}

TEST(json__refuses_lone_surrogates)
{
    refused(STR("\"\\ud800\""), ERR_PARSE);
    refused(STR("\"\\udc00\""), ERR_PARSE);
    refused(STR("\"\\udc00\\ud800\""), ERR_PARSE);
    refused(STR("\"\\ud800x\""), ERR_PARSE);
    accepted(STR("\"\\ud83c\\udf55\""));
}

TEST(json__refuses_u0000_in_values_and_keys_at_any_depth)
{
    refused(STR("\"\\u0000\""), ERR_PARSE);
    refused(STR("\"a\\u0000b\""), ERR_PARSE);
    refused(STR("{\"a\\u0000\":1}"), ERR_PARSE);
    refused(STR("[[{\"a\":[\"\\\\\\u0000\"]}]]"), ERR_PARSE); // a backslash, then U+0000
    refused(STR("[\"\\\\u0000\",\"\\u0000\"]"), ERR_PARSE);   // harmless, then not
    refused(STR("\"\\\\u0000\\u0000\""), ERR_PARSE);          // the same without a gap
    refused(STR("\"a\0b\""), ERR_PARSE);
    refused(STR("{}\0"), ERR_PARSE);
}

TEST(json__accepts_text_that_only_looks_like_an_escaped_u0000)
{
    accepted(STR("\"\\\\u0000\""));     // backslash, u0000
    accepted(STR("\"\\\\\\\\u0000\"")); // two backslashes, u0000
    accepted(STR("\"u0000\""));
    accepted(STR("\"\\u0001\""));
}

static struct str nested(char *text, char open, int levels)
{
    size_t n = 0;
    for (int i = 0; i < levels; i++) {
        n += (size_t)sprintf(text + n, "%s", open == '[' ? "[" : "{\"k\":");
    }
    text[n++] = '1';
    for (int i = 0; i < levels; i++) {
        text[n++] = open == '[' ? ']' : '}';
    }
    return str_make(text, n);
}

TEST(json__reads_to_the_depth_allowed_and_no_further)
{
    char text[1000];
    accepted(nested(text, '[', 16));
    refused(nested(text, '[', 17), ERR_LIMIT);
    accepted(nested(text, '{', 16));
    refused(nested(text, '{', 17), ERR_LIMIT);
}

TEST(json__counts_depth_not_siblings)
{
    accepted(STR("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"));
    assert_int_equal(json_parse(STR("[[1],{\"a\":2},[[]]]"), 3, &j, &e), ERR_OK);
    json_close(&j);
    assert_int_equal(json_parse(STR("[[1],{\"a\":2},[[]]]"), 2, &j, &e), ERR_LIMIT);
    assert_int_equal(json_parse(STR("[[[]],[1],[[[]]]]"), 3, &j, &e), ERR_LIMIT);
    assert_int_equal(json_parse(STR("7"), 0, &j, &e), ERR_OK);
    json_close(&j);
    assert_int_equal(json_parse(STR("[]"), 0, &j, &e), ERR_LIMIT);
}

TEST(json__survives_a_hundred_thousand_levels)
{
    char *text = malloc(200000 + 1);
    assert_non_null(text);
    refused(nested(text, '[', 100000), ERR_LIMIT);
    memset(text, '[', 200000);
    refused(str_make(text, 200000), ERR_PARSE);
    free(text);
}

TEST(json__refuses_a_member_given_twice)
{
    refused(STR("{\"a\":1,\"a\":1}"), ERR_PARSE);
    refused(STR("{\"a\":1,\"b\":2,\"\\u0061\":3}"), ERR_PARSE);
    refused(STR("[{\"x\":{\"\":1,\"k\":2,\"\":3}}]"), ERR_PARSE);
    accepted(STR("{\"a\":{\"a\":1},\"b\":{\"a\":2},\"A\":3,\"\":4,\"aa\":5}"));
    assert_int_equal(json_parse(STR("{\"price\":1,\"price\":2}"), 16, &j, &e), ERR_PARSE);
    assert_non_null(strstr(e.text, "'price'"));
    char text[400];
    char key[101];
    memset(key, 'k', sizeof key - 1);
    for (size_t n = 64; n <= 100; n += 36) {
        key[n] = '\0';
        (void)snprintf(text, sizeof text, "{\"%s\":1,\"%s\":2}", key, key);
        assert_int_equal(json_parse(str_of(text), 16, &j, &e), ERR_PARSE);
        assert_true((strstr(e.text, key) != NULL) == (n == 64));
        key[n] = 'k';
    }
}

static struct str object_of(struct buf *b, int members, int repeated)
{
    buf_reset(b);
    for (int i = 0; i < members; i++) {
        assert_int_equal(buf_append_format(b, "%s\"key%d\":%d", i == 0 ? "{" : ",", i, i), ERR_OK);
    }
    if (repeated >= 0) {
        assert_int_equal(buf_append_format(b, ",\"key%d\":0", repeated), ERR_OK);
    }
    assert_int_equal(buf_append_str(b, STR("}")), ERR_OK);
    return buf_str(b);
}

TEST(json__finds_a_repeated_member_in_objects_of_any_size)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    static const int sizes[] = {1, 2, 14, 31, 32, 33, 64, 1000, 20000};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        accepted(object_of(&b, sizes[i], -1));
        refused(object_of(&b, sizes[i], 0), ERR_PARSE);
        refused(object_of(&b, sizes[i], sizes[i] - 1), ERR_PARSE);
        refused(object_of(&b, sizes[i], sizes[i] / 2), ERR_PARSE);
    }
    buf_fini(&b);
}

TEST(json__document_outlives_its_text)
{
    char text[] = "{\"name\":\"till 7\"}";
    assert_int_equal(json_parse(str_of(text), 4, &j, &e), ERR_OK);
    memset(text, 'x', sizeof text);
    struct str name;
    assert_int_equal(json_get_str(j.root, "name", &name, &e), ERR_OK);
    assert_true(str_is(name, "till 7"));
    json_close(&j);
    json_close(&j);
}

TEST(json__in_an_arena_outlives_its_text_and_needs_no_close)
{
    struct arena a;
    arena_init(&a, 1 << 16);
    char text[] = "{\"name\":\"till 7\"}";
    assert_int_equal(json_parse_in(&a, str_of(text), 4, &j, &e), ERR_OK);
    memset(text, 'x', sizeof text);
    assert_non_null(arena_alloc(&a, 100));
    struct str name;
    assert_int_equal(json_get_str(j.root, "name", &name, &e), ERR_OK);
    assert_true(str_is(name, "till 7"));
    arena_fini(&a);
}

TEST(json__in_an_arena_reads_more_values_than_first_guessed)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 10000; i++) {
        assert_int_equal(buf_append_str(&b, i == 0 ? STR("[0") : STR(",0")), ERR_OK);
    }
    assert_int_equal(buf_append_str(&b, STR("]")), ERR_OK);
    struct arena a;
    arena_init(&a, 4 << 20);
    assert_int_equal(json_parse_in(&a, buf_str(&b), 4, &j, &e), ERR_OK);
    assert_int_equal(yyjson_arr_size(j.root), 10000);
    arena_fini(&a);
    for (size_t max = 20000; max < 160000; max += 10000) { // less than the values take
        arena_init(&a, max);
        assert_int_equal(json_parse_in(&a, buf_str(&b), 4, &j, &e), ERR_LIMIT);
        arena_fini(&a);
    }
    buf_fini(&b);
}

TEST(json__tells_a_full_arena_from_a_machine_without_memory)
{
    struct arena a;
    for (size_t max = 0; max < 400; max += 8) {
        arena_init(&a, max);
        enum err_code rc = json_parse_in(&a, STR("{\"name\":\"till 7\"}"), 4, &j, &e);
        assert_true(rc == ERR_LIMIT || (rc == ERR_OK && max > 100));
        arena_fini(&a);
    }
    arena_init(&a, 1 << 16);
    unit_alloc_fail(0);
    enum err_code rc = json_parse_in(&a, STR("{\"name\":\"till 7\"}"), 4, &j, &e);
    assert_true(unit_alloc_end());
    assert_int_equal(rc, ERR_NO_MEMORY);
    arena_fini(&a);
}

TEST(json__fails_cleanly_at_every_allocation)
{
    struct buf b;
    buf_init(&b, 1 << 20);
    struct str text = object_of(&b, 100, -1);
    unsigned n = 0;
    for (;; n++) {
        struct json got = {0};
        unit_alloc_fail(n);
        enum err_code rc = json_parse(text, 4, &got, &e);
        if (!unit_alloc_end()) {
            assert_int_equal(rc, ERR_OK);
            json_close(&got);
            break;
        }
        assert_null(got.doc);
        assert_int_equal(rc, ERR_NO_MEMORY);
    }
    assert_true(n >= 3); // the text, the values, the sorted keys
    buf_fini(&b);
}

static void parse_too_deep_a_wish(void *arg)
{
    (void)arg;
    MUST(json_parse(STR("1"), JSON_DEPTH_MAX + 1, &j, &e) == ERR_OK);
}

TEST(json__aborts_when_asked_for_more_depth_than_it_has)
{
    char text[256];
    assert_true(unit_aborts(parse_too_deep_a_wish, NULL, text, sizeof text));
    char deep[1000];
    assert_int_equal(json_parse(nested(deep, '[', 64), JSON_DEPTH_MAX, &j, &e), ERR_OK);
    json_close(&j);
    assert_int_equal(json_parse(nested(deep, '[', 65), JSON_DEPTH_MAX, &j, &e), ERR_LIMIT);
}

static void parse_members(void)
{
    assert_int_equal(
        json_parse(STR("{\"text\":\"abc\",\"empty\":\"\",\"one\":1,\"minus\":-1,\"half\":0.5,"
                       "\"whole\":1.0,\"max\":9223372036854775807,\"min\":-9223372036854775808,"
                       "\"over\":9223372036854775808,\"under\":-9223372036854775809,"
                       "\"huge\":99999999999999999999,\"null\":null,\"hex\":\"00ff\","
                       "\"id\":\"017F22E2-79B0-7CC3-98C4-DC0C0C07398F\",\"decimal\":\"2.55\","
                       "\"large\":\"922337203685478\",\"hash\":\"00000000000000000000000000000000"
                       "00000000000000000000000000000001\"}"),
                   4, &j, &e),
        ERR_OK);
}

// What each accessor must refuse: the key is named in the message.
static void names(enum err_code rc, const char *key)
{
    assert_int_equal(rc, ERR_INVALID);
    if (strstr(e.text, key) == NULL) {
        fail_msg("'%s' does not name '%s'", e.text, key);
    }
}

TEST(json__gets_strings)
{
    parse_members();
    struct str s = STR("before");
    assert_int_equal(json_get_str(j.root, "text", &s, &e), ERR_OK);
    assert_true(str_is(s, "abc"));
    names(json_get_str(j.root, "one", &s, &e), "'one'");
    names(json_get_str(j.root, "null", &s, &e), "'null'");
    names(json_get_str(j.root, "absent", &s, &e), "'absent'");
    assert_non_null(strstr(e.text, "missing"));
    assert_true(str_is(s, "abc"));
    assert_int_equal(json_get_str(j.root, "empty", &s, &e), ERR_OK);
    assert_int_equal(s.n, 0);
    json_close(&j);
}

TEST(json__gets_integers_of_64_bits_and_never_a_float)
{
    parse_members();
    int64_t value = 77;
    names(json_get_i64(j.root, "half", &value, &e), "'half'");
    names(json_get_i64(j.root, "whole", &value, &e), "'whole'");
    names(json_get_i64(j.root, "over", &value, &e), "'over'");
    names(json_get_i64(j.root, "under", &value, &e), "'under'");
    names(json_get_i64(j.root, "huge", &value, &e), "'huge'");
    names(json_get_i64(j.root, "text", &value, &e), "'text'");
    names(json_get_i64(j.root, "absent", &value, &e), "'absent'");
    assert_int_equal(value, 77);
    assert_int_equal(json_get_i64(j.root, "one", &value, &e), ERR_OK);
    assert_int_equal(value, 1);
    assert_int_equal(json_get_i64(j.root, "minus", &value, &e), ERR_OK);
    assert_true(value == -1);
    assert_int_equal(json_get_i64(j.root, "max", &value, &e), ERR_OK);
    assert_true(value == INT64_MAX);
    assert_int_equal(json_get_i64(j.root, "min", &value, &e), ERR_OK);
    assert_true(value == INT64_MIN);
    json_close(&j);
}

TEST(json__gets_ids_hashes_bytes_and_decimals)
{
    parse_members();
    struct uuid id = {{0}};
    assert_int_equal(json_get_uuid(j.root, "id", &id, &e), ERR_OK);
    assert_int_equal(id.b[15], 0x8F);
    names(json_get_uuid(j.root, "text", &id, &e), "'text'");
    names(json_get_uuid(j.root, "one", &id, &e), "'one'");
    struct hash h = {{0}};
    assert_int_equal(json_get_hash(j.root, "hash", &h, &e), ERR_OK);
    assert_int_equal(h.b[31], 1);
    names(json_get_hash(j.root, "hex", &h, &e), "'hex'");
    unsigned char bytes[2] = {7, 7};
    assert_int_equal(json_get_hex(j.root, "hex", bytes, 2, &e), ERR_OK);
    assert_int_equal(bytes[0], 0);
    assert_int_equal(bytes[1], 255);
    names(json_get_hex(j.root, "hex", bytes, 1, &e), "'hex'");
    int64_t value = 77;
    names(json_get_decimal(j.root, "one", &value, &e), "'one'");
    names(json_get_decimal(j.root, "text", &value, &e), "'text'");
    names(json_get_decimal(j.root, "large", &value, &e), "'large'");
    assert_non_null(strstr(e.text, "too large"));
    assert_int_equal(value, 77);
    assert_int_equal(json_get_decimal(j.root, "decimal", &value, &e), ERR_OK);
    assert_int_equal(value, 25500);
    json_close(&j);
}

TEST(json__finds_nothing_in_what_is_no_object)
{
    assert_int_equal(json_parse(STR("[1,2]"), 4, &j, &e), ERR_OK);
    int64_t value = 77;
    assert_null(json_find(j.root, "a"));
    assert_null(json_find(NULL, "a"));
    names(json_get_i64(j.root, "a", &value, &e), "'a'");
    names(json_get_i64(NULL, "a", &value, NULL), "'a'");
    json_close(&j);
}

static void written(struct str text, const char *wanted)
{
    struct buf b;
    buf_init(&b, 1000);
    assert_int_equal(json_append_string(&b, text), ERR_OK);
    assert_int_equal(b.len, strlen(wanted));
    assert_memory_equal(b.data, wanted, b.len);
    buf_fini(&b);
}

TEST(json__writes_strings_quoted_and_escaped)
{
    written(STR("abc"), "\"abc\"");
    written((struct str){NULL, 0}, "\"\"");
    written(STR("a\"b\\c/\n\t\x01\x7F"), "\"a\\\"b\\\\c/\\n\\t\\u0001\x7F\"");
    written(STR("\xD9\x88"), "\"\xD9\x88\"");
    written(STR("\\u0000"), "\"\\\\u0000\"");
}

TEST(json__writes_no_string_that_it_would_not_read)
{
    struct buf b;
    buf_init(&b, 1000);
    assert_int_equal(json_append_string(&b, STR("a\0b")), ERR_INVALID);
    assert_int_equal(json_append_string(&b, STR("\xFF")), ERR_INVALID);
    assert_int_equal(json_append_string(&b, STR("\xED\xA0\x80")), ERR_INVALID);
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    yyjson_mut_doc_set_root(doc, yyjson_mut_strn(doc, "\0", 1));
    assert_int_equal(json_append_doc(&b, doc), ERR_INVALID);
    yyjson_mut_doc_set_root(doc, yyjson_mut_real(doc, 1.0 / 0.0));
    assert_int_equal(json_append_doc(&b, doc), ERR_INVALID);
    yyjson_mut_doc_free(doc);
    assert_int_equal(b.len, 0);
    buf_fini(&b);
}

TEST(json__writes_values_and_documents_minified_and_reads_them_back)
{
    static const char text[] = "{\"a\":[1,-2,true,null,\"x\\ny\"],\"b\":{}}";
    struct buf b;
    buf_init(&b, 1000);
    assert_int_equal(
        json_parse(STR(" { \"a\" : [1, -2, true, null, \"x\\ny\"], \"b\" : {} } "), 4, &j, &e),
        ERR_OK);
    assert_int_equal(json_append_value(&b, j.root), ERR_OK);
    assert_true(str_is(buf_str(&b), text));
    yyjson_mut_doc *doc = yyjson_doc_mut_copy(j.doc, NULL);
    buf_reset(&b);
    assert_int_equal(json_append_doc(&b, doc), ERR_OK);
    assert_true(str_is(buf_str(&b), text));
    yyjson_mut_doc_free(doc);
    json_close(&j);
    accepted(buf_str(&b));
    buf_fini(&b);
}

TEST(json__writes_nothing_where_the_buffer_or_memory_ends)
{
    struct buf b;
    buf_init(&b, 5);
    assert_int_equal(json_append_string(&b, STR("abcd")), ERR_LIMIT);
    assert_int_equal(b.len, 0);
    for (unsigned n = 0;; n++) {
        unit_alloc_fail(n);
        enum err_code rc = json_append_string(&b, STR("abc"));
        if (!unit_alloc_end()) {
            assert_int_equal(rc, ERR_OK);
            assert_true(n >= 2);
            break;
        }
        assert_int_equal(rc, ERR_NO_MEMORY);
        assert_int_equal(b.len, 0);
    }
    buf_fini(&b);
}

static enum err_code write_list(struct buf *to)
{
    struct json_writer w;
    json_writer_begin(&w);
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(w.doc, w.root, "list");
    for (int i = 0; i < 500; i++) { // beyond the first pools of yyjson
        yyjson_mut_arr_add_strcpy(w.doc, list, "a text that is copied");
    }
    yyjson_mut_obj_add_int(w.doc, w.root, "last", 7);
    return json_writer_end(&w, to);
}

TEST(json__writes_no_object_that_lacks_a_member)
{
    struct buf b;
    buf_init(&b, 100000);
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        buf_reset(&b);
        unit_alloc_fail(n);
        enum err_code rc = write_list(&b);
        failed = unit_alloc_end();
        assert_int_equal(rc, failed ? ERR_NO_MEMORY : ERR_OK);
        assert_true(failed ? b.len == 0 : n > 5);
    }
    assert_int_equal(b.len, 500 * (sizeof "\"a text that is copied\"") + 9 + 10);
    buf_fini(&b);
}

static const char member[] =
    "{\"name\":\"a\\\"\\n\xD9\x88\",\"list\":[1,-2,18446744073709551615,0.5,true,null,{}]}";

static enum err_code write_member(struct buf *to)
{
    struct json_writer w;
    json_writer_begin(&w);
    yyjson_mut_obj_add_int(w.doc, w.root, "first", 1);
    json_writer_add(&w, "of", j.root);
    yyjson_mut_obj_add_int(w.doc, w.root, "last", 7);
    return json_writer_end(&w, to);
}

TEST(json__writes_a_value_within_an_object_as_it_writes_it_alone)
{
    struct buf b;
    char wanted[256];
    buf_init(&b, 1000);
    assert_int_equal(json_parse(str_of(member), 4, &j, &e), ERR_OK);
    (void)snprintf(wanted, sizeof wanted, "{\"first\":1,\"of\":%s,\"last\":7}", member);
    bool failed = true;
    for (unsigned n = 0; failed; n++) {
        buf_reset(&b);
        unit_alloc_fail(n);
        enum err_code rc = write_member(&b);
        failed = unit_alloc_end();
        assert_int_equal(rc, failed ? ERR_NO_MEMORY : ERR_OK);
        assert_true(str_is(buf_str(&b), failed ? "" : wanted));
    }
    json_close(&j);
    buf_fini(&b);
}

TEST(json__writes_no_object_with_a_value_that_cannot_be)
{
    struct buf b;
    struct json_writer w;
    buf_init(&b, 1000);
    yyjson_val value = {0};
    unsafe_yyjson_set_real(&value, 1.0 / 0.0);
    json_writer_begin(&w);
    json_writer_add(&w, "of", &value);
    assert_int_equal(json_writer_end(&w, &b), ERR_INVALID);
    assert_int_equal(b.len, 0);
    buf_fini(&b);
}
