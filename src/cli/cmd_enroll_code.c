// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "cli/access.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/enroll_code.h"

#include <stdio.h>
#include <string.h>

enum { ARENA_BYTES = 16 * 1024 * 1024, REQUEST_BYTES = 4096, DEPTH = 4 };
#define VALID_MS (INT64_C(24) * 60 * 60 * 1000)

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

// ---- at a centre that nobody serves -----------------------------------------------------------

static enum err_code is_known(struct access *access, const char *location, struct arena *arena,
                              bool *ret, struct err *e)
{
    struct branch_list list;
    enum err_code code = store_branches(access->store, arena, &list, e);
    *ret = false;
    for (size_t i = 0; code == ERR_OK && i < list.count; i++) {
        *ret = *ret || str_is(list.items[i].id, location);
    }
    return code;
}

static enum err_code write_location(const char *location, struct buf *to)
{
    struct uuid_maker maker = {0};
    uint8_t random[10];
    struct json_out o;
    clock_random(random, sizeof random);
    struct uuid id = uuid_make_v7(&maker, (uint64_t)clock_wall_ms(), random);
    json_out_begin(&o);
    json_out_uuid(&o, o.root, "id", &id);
    json_out_text(&o, o.root, "type", STR("location_set"));
    json_out_text(&o, o.root, "location", str_of(location));
    yyjson_mut_val *record = json_out_object(&o, o.root, "record");
    json_out_text(&o, record, "type", STR("location"));
    json_out_text(&o, record, "id", str_of(location));
    json_out_integer(&o, o.root, "at", clock_wall_ms());
    yyjson_mut_val *body = json_out_object(&o, o.root, "body");
    json_out_text(&o, body, "name", str_of(location));
    enum err_code code = json_out_append(&o, to);
    json_out_fini(&o);
    return code;
}

static enum err_code add_location(struct access *access, const char *location, struct arena *arena,
                                  struct err *e)
{
    struct buf text;
    struct json json;
    struct event draft;
    struct journal_added added;
    buf_init(&text, REQUEST_BYTES);
    enum err_code code = write_location(location, &text);
    if (code == ERR_OK) {
        code = json_parse_in(arena, buf_str(&text), LIMIT_EVENT_DEPTH, &json, e);
    }
    if (code == ERR_OK) {
        code = event_parse_draft(json.root, arena, &draft, e);
    }
    if (code == ERR_OK) {
        code = journal_add(access->journal, &draft, &added, e);
    }
    if (code == ERR_OK && added.verdict == VERDICT_REJECTED) {
        code = err_set(e, ERR_INVALID, "%s", added.reason);
    }
    buf_fini(&text);
    return code;
}

static enum err_code put_code(struct access *access, const struct request *r,
                              const struct enroll_code *code_made, struct arena *arena,
                              struct err *e)
{
    bool known = false;
    struct hash secret = hash_of(str_make(code_made->secret, ENROLL_SECRET_SIZE));
    enum err_code code = is_known(access, r->location, arena, &known, e);
    if (code == ERR_OK && !known) {
        code = add_location(access, r->location, arena, e);
    }
    return code == ERR_OK ? store_code_put(access->store, &secret, str_of(r->location), r->role,
                                           clock_wall_ms() + VALID_MS, e)
                          : code;
}

static enum err_code make_here(struct access *access, const struct request *r,
                               struct enroll_code *ret, struct err *e)
{
    char path[CONFIG_PATH_MAX];
    struct tls_fingerprint ca;
    struct arena arena;
    identity_path(&access->config, "ca.pem", path);
    enum err_code code = tls_fingerprint_of_file(path, &ca, e);
    if (code == ERR_OK) {
        code = journal_begin(access->journal, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    clock_random(ret->secret, sizeof ret->secret);
    memcpy(ret->pin, ca.b, sizeof ret->pin);
    arena_init(&arena, ARENA_BYTES);
    code = put_code(access, r, ret, &arena, e);
    if (code == ERR_OK) {
        code = journal_commit(access->journal, e);
    } else {
        journal_rollback(access->journal);
    }
    arena_fini(&arena);
    return code;
}

// ---- at a centre that is running ----------------------------------------------------------------

static enum err_code read_answer(struct str text, struct enroll_code *ret, struct err *e)
{
    struct json json = {0};
    uint8_t ca[TLS_FINGERPRINT_SIZE];
    enum err_code code = json_parse(text, DEPTH, &json, e);
    if (code == ERR_OK) {
        code = json_get_hex(json.root, "secret", ret->secret, sizeof ret->secret, e);
    }
    if (code == ERR_OK) {
        code = json_get_hex(json.root, "ca_fingerprint", ca, sizeof ca, e);
    }
    if (code == ERR_OK) {
        memcpy(ret->pin, ca, sizeof ret->pin);
    }
    json_close(&json);
    return code == ERR_OK ? ERR_OK
                          : err_set(e, ERR_PROTOCOL, "the running node's answer makes no sense");
}

static enum err_code ask_node(struct access *access, const struct request *r,
                              struct enroll_code *ret, struct err *e)
{
    struct json_out o;
    struct buf body, answer;
    buf_init(&body, REQUEST_BYTES);
    json_out_begin(&o);
    json_out_text(&o, o.root, "location", str_of(r->location));
    json_out_text(&o, o.root, "role", str_of(r->role_name));
    enum err_code code = json_out_append(&o, &body);
    json_out_fini(&o);
    if (code == ERR_OK) {
        code = access_call(access, "POST", "/api/v1/enroll/codes", buf_str(&body), &answer, e);
    } else {
        err_set(e, code, "%s", err_text(code));
    }
    buf_fini(&body);
    if (code == ERR_OK) {
        code = read_answer(buf_str(&answer), ret, e);
        buf_fini(&answer);
    }
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
    if (access.config.role != ROLE_CENTRAL) {
        code = err_set(e, ERR_INVALID, "codes are made at the centre; this is a %s node",
                       node_role_name(access.config.role));
    } else {
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
