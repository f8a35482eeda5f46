// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "cli/access.h"
#include "cli/arguments.h"
#include "cli/command.h"

#include <stdio.h>
#include <string.h>

enum { TOKEN_SIZE = 32, TOKEN_TEXT_SIZE = 2 * TOKEN_SIZE + 1, REQUEST_BYTES = 4096, DEPTH = 4 };

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
    .doc = "Makes an API token and prints it. It is shown this once: only its hash is kept.",
};

struct request {
    const char *name;
    const char *role;
};

static enum err_code read_request(const struct arguments *a, struct request *ret)
{
    static const char *const roles[] = {"cashier",    "waiter", "kitchen", "manager",
                                        "supervisor", "owner",  "auditor"};
    *ret = (struct request){.name = arguments_find(a, 'n'), .role = arguments_find(a, 'r')};
    if (ret->name == NULL || !event_name_valid(str_of(ret->name))) {
        return err_set(a->e, ERR_USAGE, "--name N is needed, at most %d bytes", LIMIT_NAME);
    }
    for (size_t i = 0; ret->role != NULL && i < sizeof roles / sizeof roles[0]; i++) {
        if (strcmp(ret->role, roles[i]) == 0) {
            return ERR_OK;
        }
    }
    return err_set(
        a->e, ERR_USAGE,
        "--role must be cashier, waiter, kitchen, manager, supervisor, owner or auditor");
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

static enum err_code read_answer(struct str text, char to[TOKEN_TEXT_SIZE], struct err *e)
{
    struct json json = {0};
    struct str token;
    enum err_code code = json_parse(text, DEPTH, &json, e);
    if (code == ERR_OK) {
        code = json_get_str(json.root, "token", &token, e);
    }
    if (code == ERR_OK) {
        code = str_copy(to, TOKEN_TEXT_SIZE, token);
    }
    json_close(&json);
    return code == ERR_OK ? ERR_OK
                          : err_set(e, ERR_PROTOCOL, "the running node's answer makes no sense");
}

static enum err_code ask_node(struct access *access, const struct request *r,
                              char to[TOKEN_TEXT_SIZE], struct err *e)
{
    struct json_out o;
    struct buf body, answer;
    buf_init(&body, REQUEST_BYTES);
    json_out_begin(&o);
    json_out_text(&o, o.root, "name", str_of(r->name));
    json_out_text(&o, o.root, "role", str_of(r->role));
    enum err_code code = json_out_append(&o, &body);
    json_out_fini(&o);
    if (code == ERR_OK) {
        code = access_call(access, "POST", "/api/v1/tokens", buf_str(&body), &answer, e);
    } else {
        err_set(e, code, "%s", err_text(code));
    }
    buf_fini(&body);
    if (code == ERR_OK) {
        code = read_answer(buf_str(&answer), to, e);
        buf_fini(&answer);
    }
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
