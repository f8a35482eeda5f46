// SPDX-License-Identifier: Apache-2.0
// The table of routes, the table of event types and the description of the API say the same.
#include "base/json.h"
#include "model/event_type.h"
#include "node/embedded.h"
#include "node/server_private.h"
#include "test/unit/unit.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static const struct embedded *get_embedded(const char *name)
{
    for (size_t i = 0; i < embedded_count; i++) {
        if (strcmp(embedded_files[i].name, name) == 0)
            return &embedded_files[i];
    }
    err_bug(name, __FILE__, __LINE__);
}

static yyjson_val *open_description(struct json *json)
{
    struct err e = {0};
    const struct embedded *file = get_embedded("openapi.json");
    if (json_parse(str_make(file->bytes, file->size_bytes), JSON_DEPTH_MAX, json, &e) != ERR_OK)
        fail_msg("docs/openapi.json: %s", err_message(&e));
    return json->root;
}

static yyjson_val *find_in(yyjson_val *value, const char *a, const char *b)
{
    return yyjson_obj_get(yyjson_obj_get(value, a), b);
}

static void lower(const char *from, char *to)
{
    for (; *from; from++)
        *to++ = (char)tolower((unsigned char)*from);
    *to = '\0';
}

// The right that a description's "security" stands for: none asked, optional, or a token.
static const char *security_of(yyjson_val *operation)
{
    yyjson_val *list = yyjson_obj_get(operation, "security");
    if (!yyjson_is_arr(list))
        return "missing";
    if (yyjson_arr_size(list) == 0)
        return "public";
    return yyjson_obj_size(yyjson_arr_get_first(list)) == 0 ? "local" : "token";
}

static const char *security_wanted(enum right right)
{
    return right == RIGHT_NOBODY_ASKED ? "public" : right == RIGHT_LOCAL_READ ? "local" : "token";
}

static unsigned roles_of(yyjson_val *operation)
{
    unsigned roles = 0;
    size_t i, n;
    yyjson_val *name;
    yyjson_arr_foreach(yyjson_obj_get(operation, "x-roles"), i, n, name)
    {
        enum node_role role = ROLE_TERMINAL;
        assert_int_equal(node_role_parse(str_of(yyjson_get_str(name)), &role), ERR_OK);
        roles |= 1u << role;
    }
    return roles;
}

TEST(api__every_route_is_described)
{
    struct json json = {0};
    yyjson_val *paths = yyjson_obj_get(open_description(&json), "paths");
    for (size_t i = 0; i < server_route_count; i++) {
        const struct route *route = &server_routes[i];
        char method[16];
        if (route->method[0] == '*')
            continue; // 501: a later part describes it
        lower(route->method, method);
        yyjson_val *operation = find_in(paths, route->path, method);
        if (operation == NULL)
            fail_msg("%s %s is not described", route->method, route->path);
        assert_string_equal(security_of(operation), security_wanted(route->right));
        if (roles_of(operation) != route->roles)
            fail_msg("%s %s: x-roles", route->method, route->path);
        if (yyjson_obj_get(operation, "requestBody") && route->body_max == 0)
            fail_msg("%s %s takes no body", route->method, route->path);
        assert_non_null(route->why);
    }
    json_close(&json);
}

static bool is_routed(const char *path, const char *method)
{
    for (size_t i = 0; i < server_route_count; i++) {
        char own[16];
        lower(server_routes[i].method, own);
        if (strcmp(server_routes[i].path, path) == 0 && strcmp(own, method) == 0)
            return true;
    }
    return false;
}

TEST(api__nothing_is_described_that_is_not_served)
{
    struct json json = {0};
    yyjson_val *paths = yyjson_obj_get(open_description(&json), "paths");
    size_t i, n, k, m;
    yyjson_val *path, *item, *method, *operation;
    yyjson_obj_foreach(paths, i, n, path, item)
    {
        yyjson_obj_foreach(item, k, m, method, operation)
        {
            if (!is_routed(yyjson_get_str(path), yyjson_get_str(method)))
                fail_msg("%s %s is not served", yyjson_get_str(method), yyjson_get_str(path));
        }
    }
    json_close(&json);
}

// "#/components/schemas/X" gives X.
static yyjson_val *schema_named_by(yyjson_val *root, yyjson_val *reference)
{
    static const char before[] = "#/components/schemas/";
    const char *text = yyjson_get_str(yyjson_obj_get(reference, "$ref"));
    assert_non_null(text);
    assert_memory_equal(text, before, sizeof(before) - 1);
    return yyjson_obj_get(find_in(root, "components", "schemas"), text + sizeof(before) - 1);
}

static bool list_has(yyjson_val *list, const char *text)
{
    size_t i, n;
    yyjson_val *item;
    yyjson_arr_foreach(list, i, n, item)
    {
        if (yyjson_equals_str(item, text))
            return true;
    }
    return false;
}

static void check_body(const struct event_type *type, yyjson_val *schema)
{
    yyjson_val *properties = yyjson_obj_get(schema, "properties");
    size_t count = 0;
    const struct field *field = type->fields;
    for (; field->key; field++) {
        count++;
        if (!yyjson_obj_get(properties, field->key))
            fail_msg("%s: %s is not described", type->name, field->key);
        if (list_has(yyjson_obj_get(schema, "required"), field->key) != field->required)
            fail_msg("%s: %s: required", type->name, field->key);
    }
    if (yyjson_obj_size(properties) != count)
        fail_msg("%s: a field is described that does not exist", type->name);
    bool closed = yyjson_is_false(yyjson_obj_get(schema, "additionalProperties"));
    if (closed != field->required)
        fail_msg("%s: whether further members are allowed", type->name);
}

TEST(api__bodies_of_events_are_described_as_they_are_checked)
{
    struct json json = {0};
    yyjson_val *root = open_description(&json);
    yyjson_val *event = yyjson_obj_get(find_in(root, "components", "schemas"), "Event");
    yyjson_val *rules = yyjson_obj_get(event, "allOf");
    if (yyjson_arr_size(rules) != event_type_count)
        fail_msg("Event.allOf of docs/openapi.json describes %zu types of %zu",
                 yyjson_arr_size(rules), event_type_count);
    for (size_t i = 0; i < event_type_count; i++) {
        yyjson_val *rule = yyjson_arr_get(rules, i);
        yyjson_val *type = find_in(yyjson_obj_get(rule, "if"), "properties", "type");
        yyjson_val *then = yyjson_obj_get(yyjson_obj_get(rule, "then"), "properties");
        yyjson_val *record = find_in(yyjson_obj_get(then, "record"), "properties", "type");
        assert_string_equal(yyjson_get_str(yyjson_obj_get(type, "const")), event_types[i].name);
        if (strcmp(event_types[i].record_type, RECORD_ANY) == 0)
            assert_null(record);
        else
            assert_string_equal(yyjson_get_str(yyjson_obj_get(record, "const")),
                                event_types[i].record_type);
        check_body(&event_types[i], schema_named_by(root, yyjson_obj_get(then, "body")));
    }
    json_close(&json);
}

TEST(api__limits_and_version_are_described_as_they_are)
{
    struct json json = {0};
    yyjson_val *root = open_description(&json);
    yyjson_val *schemas = find_in(root, "components", "schemas");
    yyjson_val *batch = find_in(yyjson_obj_get(schemas, "EventBatch"), "properties", "events");
    yyjson_val *base = find_in(yyjson_obj_get(schemas, "EventDraft"), "properties", "base");
    yyjson_val *amount = yyjson_obj_get(schemas, "Amount");
    assert_int_equal(yyjson_get_int(yyjson_obj_get(batch, "maxItems")), LIMIT_BATCH_EVENTS);
    assert_int_equal(yyjson_get_int(yyjson_obj_get(base, "maxItems")), LIMIT_BASE);
    assert_int_equal(yyjson_get_sint(yyjson_obj_get(amount, "maximum")), 1000000000000000);
    assert_string_equal(yyjson_get_str(find_in(root, "info", "version")), WASL_VERSION);
    json_close(&json);
}

TEST(api__pages_hold_no_script_and_no_style_inside)
{
    static const char *const pages[] = {"console.html", "till.html"};
    static const char *const forbidden[] = {"<style",      "style=",  "onclick",
                                            "javascript:", "http://", "https://"};
    for (size_t i = 0; i < COUNT_OF(pages); i++) {
        char text[16 * 1024] = "";
        const struct embedded *file = get_embedded(pages[i]);
        assert_true(file->size_bytes < sizeof(text));
        memcpy(text, file->bytes, file->size_bytes);
        for (size_t k = 0; k < COUNT_OF(forbidden); k++)
            assert_null(strstr(text, forbidden[k]));
        for (const char *at = text; (at = strstr(at, "<script")) != NULL; at++)
            assert_memory_equal(at, "<script type=\"module\" src=\"/", 27);
    }
}

TEST(api__a_text_cut_inside_a_character_becomes_whole)
{
    char cut[] = "caf\xc3";
    char whole[] = "caf\xc3\xa9";
    char wild[] = "a\xff\xff\xff\xff\xffz";
    server_clean_text(cut);
    server_clean_text(whole);
    server_clean_text(wild);
    assert_string_equal(cut, "caf");
    assert_string_equal(whole, "caf\xc3\xa9");
    assert_string_equal(wild, "a?????z");
}
