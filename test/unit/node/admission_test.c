// SPDX-License-Identifier: Apache-2.0
#include "node/admission.h"

#include "base/clock.h"
#include "test/unit/node/chain_fixture.h"

#include <string.h>

static struct err e;

static void must(enum err_code code)
{
    if (code) {
        fail_msg("%s: %s", err_name(code), err_message(&e));
    }
}

// ---- a chain, its codes, and who comes with one -------------------------------------------------

static struct hash make_code(struct chain *c, const char *location, enum node_role role)
{
    struct admission_code made;
    must(journal_begin(c->centre, &e));
    must(admission_make_code(c->centre, &c->centre_config, str_of(location), role, &made, &e));
    must(journal_commit(c->centre, &e));
    return hash_of(str_make(made.secret, sizeof made.secret));
}

static struct admission_request stranger(const struct hash *code, uint8_t number)
{
    struct admission_request r = {.code = *code, .role = ROLE_TERMINAL, .name = "till"};
    memset(r.device.b, number, sizeof r.device.b);
    memset(r.key.b, number, sizeof r.key.b);
    return r;
}

static struct admission_answer ask(struct chain *c, const struct admission_request *r)
{
    struct admission_answer answer;
    must(journal_begin(c->centre, &e));
    must(admission_let_in(c->centre, r, &answer, &e));
    must(journal_commit(c->centre, &e));
    return answer;
}

static void is_let_in(struct chain *c, const struct admission_request *r, const char *location)
{
    struct device_record device;
    struct admission_answer answer = ask(c, r);
    assert_string_equal(answer.denied, "");
    assert_string_equal(answer.location, location);
    assert_int_equal(store_device_find(journal_store(c->centre), &r->device, &device), ERR_OK);
    assert_string_equal(device.location, location);
    assert_memory_equal(device.key.b, r->key.b, sizeof device.key.b);
}

static void is_denied(struct chain *c, const struct admission_request *r, const char *saying)
{
    struct admission_answer answer = ask(c, r);
    if (strstr(answer.denied, saying) == NULL) {
        fail_msg("\"%s\" is not said: \"%s\"", saying, answer.denied);
    }
}

// ---- codes --------------------------------------------------------------------------------------

TEST(admission__a_code_lets_one_device_in)
{
    struct chain c;
    chain_open(&c);
    struct hash code = make_code(&c, "BR02", ROLE_TERMINAL);
    struct admission_request first = stranger(&code, 1), second = stranger(&code, 2);
    is_let_in(&c, &first, "BR02");
    is_denied(&c, &second, "used");
    chain_close(&c);
}

TEST(admission__a_code_is_for_one_role_and_stays_good_for_it)
{
    struct chain c;
    chain_open(&c);
    struct hash code = make_code(&c, "BR02", ROLE_BRANCH);
    struct admission_request r = stranger(&code, 1);
    is_denied(&c, &r, "made for a branch");
    r.role = ROLE_BRANCH;
    is_let_in(&c, &r, "BR02");
    chain_close(&c);
}

TEST(admission__a_code_is_for_one_place_and_stays_good_for_it)
{
    struct chain c;
    struct device_record device;
    chain_open(&c);
    struct hash code = make_code(&c, "BR02", ROLE_TERMINAL);
    struct admission_request there = stranger(&code, 1), here = stranger(&code, 2);
    strcpy(there.location, "BR03");
    strcpy(here.location, "BR02");
    is_denied(&c, &there, "BR02");
    assert_int_equal(store_device_find(journal_store(c.centre), &there.device, &device),
                     ERR_NOT_FOUND);
    is_let_in(&c, &here, "BR02");
    chain_close(&c);
}

TEST(admission__a_code_ends_with_its_day)
{
    struct chain c;
    chain_open(&c);
    struct hash code = hash_of(STR("secret"));
    must(store_begin(journal_store(c.centre), &e));
    must(store_code_put(journal_store(c.centre), &code, STR("BR02"), ROLE_TERMINAL,
                        clock_wall_ms() - 1, &e));
    must(store_commit(journal_store(c.centre), &e));
    struct admission_request r = stranger(&code, 1);
    is_denied(&c, &r, "expired");
    chain_close(&c);
}

TEST(admission__makes_codes_for_tills_and_hubs_and_their_place)
{
    struct chain c;
    struct admission_code made;
    bool known = true;
    chain_open(&c);
    must(store_location_known(journal_store(c.centre), STR("BR02"), &known, &e));
    assert_false(known);
    (void)make_code(&c, "BR02", ROLE_BRANCH);
    must(store_location_known(journal_store(c.centre), STR("BR02"), &known, &e));
    assert_true(known);
    must(journal_begin(c.centre, &e));
    assert_int_equal(
        admission_make_code(c.centre, &c.centre_config, STR("BR02"), ROLE_CENTRAL, &made, &e),
        ERR_INVALID);
    assert_int_equal(
        admission_make_code(c.centre, &c.centre_config, STR("*"), ROLE_TERMINAL, &made, &e),
        ERR_INVALID);
    journal_rollback(c.centre);
    chain_close(&c);
}

// ---- devices that are known ---------------------------------------------------------------------

static struct admission_request till_again(struct chain *c, const struct hash *code)
{
    const struct identity *who = journal_identity(c->till);
    return (struct admission_request){.code = *code,
                                      .device = who->device,
                                      .key = who->key.public_key,
                                      .role = ROLE_TERMINAL,
                                      .name = "till"};
}

TEST(admission__a_device_joins_again_as_what_it_was)
{
    struct chain c;
    chain_open(&c);
    struct hash code = make_code(&c, "BR01", ROLE_TERMINAL);
    struct admission_request r = till_again(&c, &code);
    r.key.b[0] ^= 1;
    is_denied(&c, &r, "another key");
    r.key.b[0] ^= 1;
    is_let_in(&c, &r, "BR01"); // nobody had used the code up
    chain_close(&c);
}

TEST(admission__no_code_moves_a_device_to_another_place)
{
    struct chain c;
    struct device_record device;
    chain_open(&c);
    struct hash code = make_code(&c, "BR02", ROLE_TERMINAL);
    struct admission_request r = till_again(&c, &code), fresh = stranger(&code, 1);
    is_denied(&c, &r, "enrolled at BR01");
    assert_int_equal(store_device_find(journal_store(c.centre), &r.device, &device), ERR_OK);
    assert_string_equal(device.location, "BR01");
    is_let_in(&c, &fresh, "BR02");
    chain_close(&c);
}

TEST(admission__a_revoked_device_does_not_come_back_by_a_code)
{
    struct chain c;
    char device[UUID_TEXT_SIZE];
    chain_open(&c);
    uuid_format(&journal_identity(c.till)->device, device);
    chain_add_alone(c.centre, "device_revoked", device, "{\"reason\":\"stolen\"}");
    struct hash code = make_code(&c, "BR01", ROLE_TERMINAL);
    struct admission_request r = till_again(&c, &code), fresh = stranger(&code, 1);
    is_denied(&c, &r, "revoked");
    is_let_in(&c, &fresh, "BR01");
    chain_close(&c);
}
