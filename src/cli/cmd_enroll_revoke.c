// SPDX-License-Identifier: Apache-2.0
#include "cli/access.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "node/admission.h"

#include <stdio.h>

static const struct argp_option options[] = {
    {"reason", 'r', "TEXT", 0, "why, for those who read it later", 0}, {0}};
static const struct arguments_spec spec = {
    .options = options,
    .positionals = "DIR DEVICE",
    .low = 2,
    .high = 2,
    .doc = "At the centre: revokes a device, for good. What the centre holds of it counts; what it "
           "delivers from now on is kept and waits for a person, and it is sent nothing any more. "
           "DEVICE is the id that wasl status shows at the device; at the centre the table "
           "devices has them all.",
};

struct request {
    struct uuid device;
    const char *reason;
};

// At a centre that nobody serves.
static enum err_code revoke_here(struct access *access, const struct request *r,
                                 char ret_location[LIMIT_NAME + 1], struct err *e)
{
    enum err_code code = journal_begin(access->journal, e);
    if (code != ERR_OK) {
        return code;
    }
    code = admission_revoke(access->journal, &r->device, str_of(r->reason), ret_location, e);
    if (code != ERR_OK) {
        journal_rollback(access->journal);
        return code;
    }
    return journal_commit(access->journal, e);
}

// At a centre that is running.
static enum err_code ask_node(struct access *access, const struct request *r,
                              char ret_location[LIMIT_NAME + 1], struct err *e)
{
    struct json_out o;
    struct json json = {0};
    struct str location;
    json_out_begin(&o);
    json_out_uuid(&o, o.root, "device", &r->device);
    if (r->reason != NULL) {
        json_out_text(&o, o.root, "reason", str_of(r->reason));
    }
    enum err_code code = access_ask(access, "/api/v1/enroll/revoke", &o, &json, e);
    if (code != ERR_OK) {
        return code;
    }
    if (json_get_str(json.root, "location", &location, e) != ERR_OK ||
        str_copy(ret_location, LIMIT_NAME + 1, location) != ERR_OK) {
        code = access_senseless(e);
    }
    json_close(&json);
    return code;
}

static enum err_code run(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct access access;
    struct request request;
    char location[LIMIT_NAME + 1] = "";
    enum err_code code = arguments_parse(&spec, argc, argv, &a, e);
    if (code == ERR_OK && uuid_parse(str_of(a.positional[1]), &request.device) != ERR_OK) {
        code = err_set(e, ERR_USAGE, "\"%.60s\" is not a device's id", a.positional[1]);
    }
    if (code == ERR_OK) {
        request.reason = arguments_find(&a, 'r');
        code = access_open(a.positional[0], ACCESS_JOURNAL, &access, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    code = access_need_centre(&access, "devices are revoked", e);
    if (code == ERR_OK) {
        code = access.remote ? ask_node(&access, &request, location, e)
                             : revoke_here(&access, &request, location, e);
    }
    access_close(&access);
    if (code == ERR_OK) {
        (void)printf("Revoked %s of location %s. What it delivers from now on waits for a person "
                     "(wasl review list).\n",
                     a.positional[1], location);
    }
    return code;
}

const struct command command_enroll_revoke = {"enroll revoke",
                                              "at the centre: a device is stolen or retired", run};
