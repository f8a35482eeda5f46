// SPDX-License-Identifier: Apache-2.0
#include "net/url.h"
#include "test/unit/unit.h"

#include <string.h>

TEST(url__takes_what_a_node_is_configured_with)
{
    static const struct {
        const char *text;
        bool tls;
        bool websocket;
        uint16_t port;
        const char *host;
        const char *path;
    } CASES[] = {
        {"ws://hub", false, true, 80, "hub", "/"},
        {"wss://hub.example:7400/sync?x=1", true, true, 7400, "hub.example", "/sync?x=1"},
        {"http://127.0.0.1:7400/", false, false, 7400, "127.0.0.1", "/"},
        {"https://[::1]:443/a", true, false, 443, "::1", "/a"},
        {"https://[fe80::1]", true, false, 443, "fe80::1", "/"},
        {"ws://h?q", false, true, 80, "h", "/?q"},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct url u;
        assert_int_equal(url_parse(str_of(CASES[i].text), &u, NULL), ERR_OK);
        assert_int_equal(u.tls, CASES[i].tls);
        assert_int_equal(u.websocket, CASES[i].websocket);
        assert_int_equal(u.port, CASES[i].port);
        assert_string_equal(u.host, CASES[i].host);
        assert_string_equal(u.path, CASES[i].path);
    }
}

TEST(url__refuses_what_is_not_a_url_and_says_why)
{
    static const char *const CASES[] = {
        "",
        "hub",
        "ftp://hub",
        "ws://",
        "ws://:80",
        "ws://hub:",
        "ws://hub:0",
        "ws://hub:65536",
        "ws://hub:8o",
        "ws://user@hub",
        "ws://hub/#x",
        "ws://hub/a b",
        "ws://[::1",
        "ws://[::1]x",
        "ws://h\nost",
        "ws:///path",
        "ws://hub/a\tb",
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct url u;
        struct err e = {0};
        assert_int_equal(url_parse(str_of(CASES[i]), &u, &e), ERR_PARSE);
        assert_true(strlen(e.text) > 0);
    }
}

TEST(url__refuses_parts_that_are_too_long)
{
    char text[2000] = "ws://";
    struct url u;
    memset(text + 5, 'h', URL_HOST_MAX);
    assert_int_equal(url_parse(str_of(text), &u, NULL), ERR_LIMIT);
    memcpy(text, "ws://h/", 7);
    memset(text + 7, 'p', URL_PATH_MAX);
    assert_int_equal(url_parse(str_of(text), &u, NULL), ERR_LIMIT);
}

TEST(url__splits_a_listen_address)
{
    char host[64];
    uint16_t port = 1;
    assert_int_equal(url_split_address(STR("0.0.0.0:7400"), host, sizeof host, &port, NULL),
                     ERR_OK);
    assert_string_equal(host, "0.0.0.0");
    assert_int_equal(port, 7400);
    assert_int_equal(url_split_address(STR("[::]:0"), host, sizeof host, &port, NULL), ERR_OK);
    assert_string_equal(host, "::");
    assert_int_equal(port, 0);
    assert_int_equal(url_split_address(STR("0.0.0.0"), host, sizeof host, &port, NULL), ERR_PARSE);
    assert_int_equal(url_split_address(STR("0.0.0.0:1"), host, 4, &port, NULL), ERR_LIMIT);
}
