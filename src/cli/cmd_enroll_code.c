// SPDX-License-Identifier: Apache-2.0
#include "cli/access.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/enroll_code.h"

#include <stdio.h>
#include <string.h>

static const struct argp_option options[] = {
    {"location", 'l', "ID", 0, "the place where the device will stand (needed)", 0},
    {"role", 'r', "terminal|branch", 0, "what it will be (needed)", 0},
    {0}};
static const struct arguments_spec spec = {
    .options = options,
    .positionals = "DIR",
    .low = 1,
    .high = 1,
    .doc = "At the centre: makes a code with which one device may join, once, within 24 hours. "
           "Only the code goes to standard output.",
};

struct request {
    const char *location;
    const char *role_name;
    enum node_role role;
};

static enum err_code read_request(const struct arguments *a, struct request *ret)
{
    *ret =
        (struct request){.location = arguments_find(a, 'l'), .role_name = arguments_find(a, 'r')};
    if (ret->location == NULL || !event_location_valid(str_of(ret->location))) {
        return err_set(a->e, ERR_USAGE, "--location ID is needed: at most %d bytes, and not *",
                       LIMIT_NAME);
    }
    if (ret->role_name == NULL || node_role_parse(str_of(ret->role_name), &ret->role) != ERR_OK ||
        ret->role == ROLE_CENTRAL) {
        return err_set(a->e, ERR_USAGE, "--role must be terminal or branch");
    }
    return ERR_OK;
}

// At a centre that nobody serves.
static enum err_code make_here(struct access *access, const struct request *r,
                               struct enroll_code *ret, struct err *e)
{
    struct admission_code made;
    enum err_code code = journal_begin(access->journal, e);
    if (code != ERR_OK) {
        return code;
    }
    code = admission_make_code(access->journal, &access->config, str_of(r->location), r->role,
                               &made, e);
    if (code != ERR_OK) {
        journal_rollback(access->journal);
        return code;
    }
    memcpy(ret->secret, made.secret, sizeof ret->secret);
    memcpy(ret->pin, made.ca.b, sizeof ret->pin);
    return journal_commit(access->journal, e);
}

// At a centre that is running.
static enum err_code ask_node(struct access *access, const struct request *r,
                              struct enroll_code *ret, struct err *e)
{
    struct json_out o;
    struct json json = {0};
    uint8_t ca[TLS_FINGERPRINT_SIZE];
    json_out_begin(&o);
    json_out_text(&o, o.root, "location", str_of(r->location));
    json_out_text(&o, o.root, "role", str_of(r->role_name));
    enum err_code code = access_ask(access, "/api/v1/enroll/codes", &o, &json, e);
    if (code != ERR_OK) {
        return code;
    }
    if (json_get_hex(json.root, "secret", ret->secret, sizeof ret->secret, e) != ERR_OK ||
        json_get_hex(json.root, "ca_fingerprint", ca, sizeof ca, e) != ERR_OK) {
        code = access_senseless(e);
    } else {
        memcpy(ret->pin, ca, sizeof ret->pin);
    }
    json_close(&json);
    return code;
}

static enum err_code run(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct request request;
    struct access access;
    struct enroll_code made;
    char text[ENROLL_CODE_SIZE];
    enum err_code code = arguments_parse(&spec, argc, argv, &a, e);
    if (code == ERR_OK) {
        code = read_request(&a, &request);
    }
    if (code == ERR_OK) {
        code = access_open(a.positional[0], ACCESS_JOURNAL, &access, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    code = access_need_centre(&access, "codes are made", e);
    if (code == ERR_OK) {
        code = access.remote ? ask_node(&access, &request, &made, e)
                             : make_here(&access, &request, &made, e);
    }
    access_close(&access);
    if (code != ERR_OK) {
        return code;
    }
    enroll_code_format(&made, text);
    (void)printf("%s\n", text);
    (void)fprintf(stderr, "Good once, for 24 hours. At the device: wasl enroll join DIR CODE\n");
    return ERR_OK;
}

const struct command command_enroll_code = {"enroll code", "at the centre: a one-time code", run};
