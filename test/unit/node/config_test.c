// SPDX-License-Identifier: Apache-2.0
#include "node/config.h"
#include "test/unit/node/node_fixture.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct config c;
static struct err e;
static char dir[CONFIG_PATH_MAX];

static enum err_code read_text(const char *text)
{
    memset(&e, 0, sizeof e);
    fixture_write(dir, "wasl.ini", text);
    return config_read(dir, &c, &e);
}

// Fails with ERR_INVALID, leaves *ret alone, and says all of this.
static void refused(const char *text, const char *saying)
{
    struct config untouched = {.listen = "untouched"};
    memset(&e, 0, sizeof e);
    fixture_write(dir, "wasl.ini", text);
    assert_int_equal(config_read(dir, &untouched, &e), ERR_INVALID);
    assert_string_equal(untouched.listen, "untouched");
    if (strstr(e.text, saying) == NULL || strstr(e.text, "wasl.ini") == NULL) {
        fail_msg("'%s' does not say '%s'", e.text, saying);
    }
}

TEST(config__presets_follow_the_role)
{
    static const char *const listen[] = {"127.0.0.1:7402", "127.0.0.1:7401", "127.0.0.1:7400"};
    for (int role = ROLE_TERMINAL; role <= ROLE_CENTRAL; role++) {
        config_defaults((enum node_role)role, &c);
        assert_int_equal(c.role, role);
        assert_string_equal(c.listen, listen[role]);
        assert_string_equal(c.location, role == ROLE_CENTRAL ? "hq" : "");
        assert_int_equal(c.upstream_count, 0);
        assert_true(c.zstd);
        assert_false(c.log_debug);
        assert_int_equal(c.offline_ms, 300000);
        assert_int_equal(c.drop_acks_every, 0);
        assert_true(c.window_bytes >= LIMIT_EVENT_BYTES);
        assert_true(c.window_events >= LIMIT_BATCH_EVENTS);
    }
}

TEST(config__every_key_has_a_meaning_a_reason_and_a_preset_in_range)
{
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *k = &config_keys[i];
        int64_t value = 0;
        assert_true(strlen(k->section) > 0 && strlen(k->key) > 0);
        assert_true(strlen(k->meaning) > 10 && strlen(k->why) > 10);
        for (size_t other = 0; other < i; other++) {
            assert_false(strcmp(k->section, config_keys[other].section) == 0 &&
                         strcmp(k->key, config_keys[other].key) == 0);
        }
        if (k->kind == CONFIG_NUMBER) {
            assert_int_equal(str_to_i64(str_of(k->preset), &value), ERR_OK);
            assert_true(value >= k->low && value <= k->high);
        }
    }
}

TEST(config__reads_every_key)
{
    fixture_make(dir);
    assert_int_equal(
        read_text("[node]\nrole = terminal\nlocation = BR01\nregion = east\n"
                  "listen = [::1]:9\nupstream = wss://hub:7401, ws://127.0.0.1:7400 ,\n"
                  "[sync]\nwindow_events = 500\nwindow_bytes = 262144\njitter_ms = 0\nzstd = no\n"
                  "[store]\nmax_bytes = 1000\n[branch]\noffline_ms = 1000\n[log]\ndebug = yes\n"
                  "[fault]\ndrop_acks_every = 3\n"),
        ERR_OK);
    assert_string_equal(c.dir, dir);
    assert_int_equal(c.role, ROLE_TERMINAL);
    assert_string_equal(c.location, "BR01");
    assert_string_equal(c.region, "east");
    assert_string_equal(c.listen, "[::1]:9");
    assert_int_equal(c.upstream_count, 2);
    assert_string_equal(c.upstreams[0], "wss://hub:7401");
    assert_string_equal(c.upstreams[1], "ws://127.0.0.1:7400");
    assert_int_equal(c.window_events, 500);
    assert_int_equal(c.window_bytes, 262144);
    assert_int_equal(c.jitter_ms, 0);
    assert_false(c.zstd);
    assert_int_equal(c.store_max_bytes, 1000);
    assert_int_equal(c.offline_ms, 1000);
    assert_true(c.log_debug);
    assert_int_equal(c.drop_acks_every, 3);
    fixture_drop(dir);
}

TEST(config__refuses_what_it_does_not_understand_and_names_it)
{
    fixture_make(dir);
    refused("[node]\nrole = terminal\ncolour = red\n", "colour");
    refused("[node]\nrole = terminal\n[sync]\nlisten = 127.0.0.1:1\n", "[sync]");
    refused("[node]\n", "role");
    refused("[node]\nrole = king\n", "role");
    refused("[node]\nrole = terminal\nlisten = here\n", "listen");
    refused("[node]\nrole = terminal\nlisten = 127.0.0.1:99999\n", "listen");
    refused("[node]\nrole = terminal\nupstream = ftp://a\n", "upstream");
    refused("[node]\nrole = terminal\nupstream = "
            "ws://a,ws://a,ws://a,ws://a,ws://a,ws://a,ws://a,ws://a,ws://a\n",
            "upstream");
    refused("[node]\nrole = terminal\n[sync]\nwindow_events = 499\n", "window_events");
    refused("[node]\nrole = terminal\n[sync]\nwindow_bytes = many\n", "window_bytes");
    refused("[node]\nrole = terminal\n[sync]\njitter_ms = -1\n", "jitter_ms");
    refused("[node]\nrole = terminal\n[sync]\nzstd = maybe\n", "zstd");
    refused("[node]\nrole = terminal\nlocation = *\n", "location");
    refused("[node]\nrole = terminal\nlocation = "
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n",
            "location");
    fixture_drop(dir);
}

TEST(config__a_folder_without_a_node_is_not_found)
{
    fixture_make(dir);
    assert_int_equal(config_read(dir, &c, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, dir));
    assert_int_equal(config_read("/nowhere/at/all", &c, &e), ERR_NOT_FOUND);
    fixture_drop(dir);
}

TEST(config__reads_back_what_it_wrote)
{
    struct config back;
    fixture_make(dir);
    config_defaults(ROLE_TERMINAL, &c);
    assert_int_equal(str_copy(c.dir, sizeof c.dir, str_of(dir)), ERR_OK);
    strcpy(c.location, "BR01");
    strcpy(c.listen, "127.0.0.1:7412");
    strcpy(c.upstreams[0], "wss://hub:7401");
    strcpy(c.upstreams[1], "ws://127.0.0.1:7400");
    c.upstream_count = 2;
    c.zstd = false;
    c.jitter_ms = 77;
    assert_int_equal(config_write(&c, &e), ERR_OK);
    assert_int_equal(config_read(dir, &back, &e), ERR_OK);
    assert_memory_equal(&back, &c, sizeof c);
    assert_int_equal(fixture_count(dir), 1); // no half-written file beside it
    fixture_drop(dir);
}

TEST(config__refuses_to_write_what_an_ini_file_cannot_hold)
{
    fixture_make(dir);
    config_defaults(ROLE_TERMINAL, &c);
    assert_int_equal(str_copy(c.dir, sizeof c.dir, str_of(dir)), ERR_OK);
    strcpy(c.location, "left ; right"); // what follows would be a comment
    assert_int_equal(config_write(&c, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "location"));
    strcpy(c.location, "BR01");
    memset(c.upstreams[0], 'a', 300); // longer than a line may be
    memcpy(c.upstreams[0], "ws://", 5);
    c.upstream_count = 1;
    assert_int_not_equal(config_write(&c, &e), ERR_OK);
    assert_int_equal(fixture_count(dir), 0);
    fixture_drop(dir);
}

TEST(config__knows_what_only_this_machine_can_reach)
{
    static const char *const here[] = {"127.0.0.1:7400", "127.9.9.9:1", "localhost:7400",
                                       "[::1]:7400",     "127.0.0.1",   "::1"};
    static const char *const elsewhere[] = {
        "0.0.0.0:7400",     "[::]:7400", "10.0.0.1:7400", "127.evil.net:80", "128.0.0.1:1",
        "localhost.net:80", "",          "nonsense"};
    for (size_t i = 0; i < COUNT_OF(here); i++) {
        assert_true(config_is_loopback(here[i]));
    }
    for (size_t i = 0; i < COUNT_OF(elsewhere); i++) {
        assert_false(config_is_loopback(elsewhere[i]));
    }
}
