// SPDX-License-Identifier: Apache-2.0
#include "node/identity.h"
#include "base/zip.h"
#include "net/tls.h"
#include "test/unit/node/node_fixture.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct config c;
static struct err e;
static char dir[CONFIG_PATH_MAX];

static struct store *open_store(const struct config *config)
{
    struct store *s = NULL;
    const struct store_options options = {.dir = config->dir};
    assert_int_equal(store_open(&options, &s, &e), ERR_OK);
    return s;
}

static void read_identity(const struct config *config, struct identity *ret)
{
    struct store *s = open_store(config);
    if (identity_read(config, s, ret, &e) != ERR_OK) {
        fail_msg("%s", e.text);
    }
    store_close(s);
}

TEST(identity__a_centre_gets_chain_authority_and_certificate)
{
    struct identity id;
    struct tls_context *tls = NULL;
    char pem[CONFIG_PATH_MAX], key[CONFIG_PATH_MAX];
    fixture_make(dir);
    fixture_config(dir, "c", ROLE_CENTRAL, &c);
    assert_int_equal(identity_create(&c, &e), ERR_OK);
    read_identity(&c, &id);
    assert_int_equal(id.role, ROLE_CENTRAL);
    assert_string_equal(id.location, "hq");
    assert_int_equal(uuid_version(&id.chain), 7);
    assert_int_equal(uuid_version(&id.device), 7);
    assert_false(uuid_equal(&id.chain, &id.device));
    identity_path(&c, "server.pem", pem);
    identity_path(&c, "server.key", key);
    assert_int_equal(tls_server_new(pem, key, &tls, &e), ERR_OK);
    tls_context_drop(tls);
    fixture_drop(dir);
}

TEST(identity__keys_are_private)
{
    static const char *const secrets[] = {"keys/device.seed", "keys/ca.key", "keys/server.key"};
    fixture_make(dir);
    fixture_config(dir, "c", ROLE_CENTRAL, &c);
    mode_t before = umask(0); // whatever the caller's mask
    assert_int_equal(identity_create(&c, &e), ERR_OK);
    (void)umask(before);
    assert_int_equal(fixture_mode(c.dir, "keys"), 0700);
    for (size_t i = 0; i < COUNT_OF(secrets); i++) {
        assert_int_equal(fixture_mode(c.dir, secrets[i]), 0600);
    }
    fixture_drop(dir);
}

TEST(identity__a_terminal_has_a_device_and_no_chain_yet)
{
    struct identity id, again;
    fixture_make(dir);
    fixture_config(dir, "t", ROLE_TERMINAL, &c);
    strcpy(c.location, "BR01");
    assert_int_equal(identity_create(&c, &e), ERR_OK);
    read_identity(&c, &id);
    read_identity(&c, &again);
    assert_memory_equal(&id, &again, sizeof id);
    assert_true(uuid_is_zero(&id.chain));
    assert_string_equal(id.location, "BR01");
    assert_false(fixture_exists(c.dir, "keys/ca.pem"));
    fixture_drop(dir);
}

TEST(identity__two_devices_differ)
{
    struct identity a, b;
    fixture_make(dir);
    fixture_config(dir, "a", ROLE_TERMINAL, &c);
    assert_int_equal(identity_create(&c, &e), ERR_OK);
    read_identity(&c, &a);
    fixture_config(dir, "b", ROLE_TERMINAL, &c);
    assert_int_equal(identity_create(&c, &e), ERR_OK);
    read_identity(&c, &b);
    assert_false(uuid_equal(&a.device, &b.device));
    assert_memory_not_equal(&a.key.public_key, &b.key.public_key, sizeof a.key.public_key);
    fixture_drop(dir);
}

TEST(identity__never_makes_a_node_over_another)
{
    struct identity before, after;
    fixture_make(dir);
    fixture_config(dir, "c", ROLE_CENTRAL, &c);
    assert_int_equal(identity_create(&c, &e), ERR_OK);
    read_identity(&c, &before);
    assert_int_equal(identity_create(&c, &e), ERR_EXISTS);
    read_identity(&c, &after);
    assert_memory_equal(&before, &after, sizeof before);
    fixture_drop(dir);
}

TEST(identity__leaves_nothing_of_a_new_folder_behind)
{
    fixture_make(dir);
    fixture_config(dir, "t", ROLE_TERMINAL, &c);
    strcpy(c.location, "left ; right"); // wasl.ini, the last step, cannot hold it
    assert_int_equal(identity_create(&c, &e), ERR_INVALID);
    assert_int_equal(fixture_count(dir), 0);
    fixture_drop(dir);
}

TEST(identity__leaves_a_folder_as_it_was)
{
    fixture_make(dir);
    fixture_config(dir, "t", ROLE_TERMINAL, &c);
    assert_int_equal(mkdir(c.dir, 0755), 0);
    fixture_write(c.dir, "notes.txt", "mine");
    strcpy(c.location, "left ; right");
    assert_int_equal(identity_create(&c, &e), ERR_INVALID);
    assert_int_equal(fixture_count(c.dir), 1);
    assert_true(fixture_exists(c.dir, "notes.txt"));
    c.location[0] = '\0';
    assert_int_equal(identity_create(&c, &e), ERR_OK);
    fixture_drop(dir);
}

TEST(identity__a_folder_that_cannot_be_made_is_named)
{
    fixture_make(dir);
    fixture_config(dir, "no/such/parent", ROLE_TERMINAL, &c);
    assert_int_equal(identity_create(&c, &e), ERR_NOT_FOUND);
    assert_non_null(strstr(e.text, "no/such/parent"));
    fixture_drop(dir);
}

TEST(identity__notices_a_place_or_role_changed_by_hand)
{
    struct identity id;
    struct config other;
    fixture_make(dir);
    fixture_config(dir, "t", ROLE_TERMINAL, &c);
    strcpy(c.location, "BR01");
    assert_int_equal(identity_create(&c, &e), ERR_OK);
    struct store *s = open_store(&c);
    other = c;
    strcpy(other.location, "BR02");
    assert_int_equal(identity_read(&other, s, &id, &e), ERR_INVALID);
    assert_non_null(strstr(e.text, "BR02"));
    other = c;
    other.role = ROLE_BRANCH;
    assert_int_equal(identity_read(&other, s, &id, &e), ERR_INVALID);
    store_close(s);
    fixture_drop(dir);
}

TEST(identity__a_broken_key_is_told)
{
    struct identity id;
    fixture_make(dir);
    fixture_config(dir, "t", ROLE_TERMINAL, &c);
    assert_int_equal(identity_create(&c, &e), ERR_OK);
    struct store *s = open_store(&c);
    fixture_write(c.dir, "keys/device.seed", "0123\n");
    assert_int_equal(identity_read(&c, s, &id, &e), ERR_DAMAGED);
    assert_non_null(strstr(e.text, "device.seed"));
    store_close(s);
    fixture_drop(dir);
}

// ---- joining ------------------------------------------------------------------------------------

static void make_centre(struct config *ret, struct buf *ret_ca)
{
    char path[CONFIG_PATH_MAX];
    fixture_config(dir, "c", ROLE_CENTRAL, ret);
    assert_int_equal(identity_create(ret, &e), ERR_OK);
    identity_path(ret, "ca.pem", path);
    buf_init(ret_ca, 64 * 1024);
    assert_int_equal(zip_read_file(path, 64 * 1024, ret_ca, &e), ERR_OK);
}

TEST(identity__joins_one_chain_and_no_other)
{
    struct config centre;
    struct identity head, id;
    struct buf ca;
    fixture_make(dir);
    make_centre(&centre, &ca);
    read_identity(&centre, &head);
    fixture_config(dir, "t", ROLE_TERMINAL, &c);
    assert_int_equal(identity_create(&c, &e), ERR_OK);
    struct store *s = open_store(&c);
    assert_int_equal(identity_join(&c, s, &head.chain, buf_str(&ca), &e), ERR_INVALID); // no place
    strcpy(c.location, "BR01");
    assert_int_equal(identity_join(&c, s, &head.chain, STR("no PEM"), &e), ERR_PARSE);
    assert_false(fixture_exists(c.dir, "keys/ca.pem"));
    assert_int_equal(identity_join(&c, s, &head.chain, buf_str(&ca), &e), ERR_OK);
    assert_int_equal(identity_join(&c, s, &head.chain, buf_str(&ca), &e), ERR_OK); // again
    assert_int_equal(identity_read(&c, s, &id, &e), ERR_OK);
    assert_true(uuid_equal(&id.chain, &head.chain));
    assert_string_equal(id.location, "BR01");
    assert_int_equal(identity_join(&c, s, &id.device, buf_str(&ca), &e), ERR_EXISTS);
    assert_int_equal(fixture_mode(c.dir, "keys/ca.pem"), 0600);
    store_close(s);
    s = open_store(&centre);
    assert_int_equal(identity_join(&centre, s, &head.chain, buf_str(&ca), &e), ERR_INVALID);
    store_close(s);
    buf_fini(&ca);
    fixture_drop(dir);
}
