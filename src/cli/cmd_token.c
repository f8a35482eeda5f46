// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "cli/access.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "model/role.h"

#include <stdio.h>
#include <string.h>

enum { TOKEN_SIZE = 32, TOKEN_TEXT_SIZE = 2 * TOKEN_SIZE + 1 };

static const struct argp_option options[] = {
    {"name", 'n', "N", 0, "whose token it is, for people (needed)", 0},
    {"role", 'r', "R", 0,
     "cashier, waiter, kitchen, manager, supervisor, owner or auditor (needed)", 0},
    {0}};
static const struct arguments_spec spec = {
    .options = options,
    .positionals = "DIR",
    .low = 1,
    .high = 1,
    .doc =
        "Makes an API token and prints it. It is shown this once: only its hash is kept."
        "\vAn auditor reads; the others also append what their role may; an owner also makes codes "
        "and tokens. A token is good at this node only.",
};

struct request {
    const char *name;
    const char *role;
};

static enum err_code read_request(const struct arguments *a, struct request *ret)
{
    char list[ROLE_LIST_MAX];
    *ret = (struct request){.name = arguments_find(a, 'n'), .role = arguments_find(a, 'r')};
    if (ret->name == NULL || !event_name_valid(str_of(ret->name))) {
        return err_set(a->e, ERR_USAGE, "--name N is needed, at most %d bytes", LIMIT_NAME);
    }
    if (ret->role != NULL && role_find(str_of(ret->role)) != NULL) {
        return ERR_OK;
    }
    role_list(list);
    return err_set(a->e, ERR_USAGE, "--role must be %s", list);
}

static enum err_code make_here(struct access *access, const struct request *r,
                               char to[TOKEN_TEXT_SIZE], struct err *e)
{
    uint8_t secret[TOKEN_SIZE];
    clock_random(secret, sizeof secret);
    str_to_hex(to, secret, sizeof secret);
    explicit_bzero(secret, sizeof secret);
    struct hash hash = hash_of(str_of(to));
    enum err_code code = store_begin(access->store, e);
    if (code != ERR_OK) {
        return code;
    }
    code =
        store_token_put(access->store, &hash, str_of(r->name), str_of(r->role), clock_wall_ms(), e);
    if (code != ERR_OK) {
        store_rollback(access->store);
        return code;
    }
    return store_commit(access->store, e);
}

static enum err_code ask_node(struct access *access, const struct request *r,
                              char to[TOKEN_TEXT_SIZE], struct err *e)
{
    struct json_out o;
    struct json json = {0};
    struct str token;
    json_out_begin(&o);
    json_out_text(&o, o.root, "name", str_of(r->name));
    json_out_text(&o, o.root, "role", str_of(r->role));
    enum err_code code = access_ask(access, "/api/v1/tokens", &o, &json, e);
    if (code != ERR_OK) {
        return code;
    }
    if (json_get_str(json.root, "token", &token, e) != ERR_OK ||
        str_copy(to, TOKEN_TEXT_SIZE, token) != ERR_OK) {
        code = access_senseless(e);
    }
    json_close(&json);
    return code;
}

static enum err_code run(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct request request;
    struct access access;
    char token[TOKEN_TEXT_SIZE] = "";
    enum err_code code = arguments_parse(&spec, argc, argv, &a, e);
    if (code == ERR_OK) {
        code = read_request(&a, &request);
    }
    if (code == ERR_OK) {
        code = access_open(a.positional[0], ACCESS_STORE, &access, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    code = access.remote ? ask_node(&access, &request, token, e)
                         : make_here(&access, &request, token, e);
    if (code == ERR_OK) {
        (void)printf("%s\n", token);
    }
    access_close(&access);
    return code;
}

const struct command command_token = {"token", "make an API token", run};
