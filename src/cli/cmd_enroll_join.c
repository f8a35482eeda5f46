// SPDX-License-Identifier: Apache-2.0
//
// A first contact: nothing is known of the centre but what the code says, which is enough. The CA
// that the centre offers is fetched unverified, compared with the code's fingerprint, and from then
// on the only one trusted; the code's secret is sent only after that.
#include "cli/access.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/enroll_code.h"
#include "net/url.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { REQUEST_BYTES = 4096, DEPTH = 4, BASE_MAX = URL_HOST_MAX + 32 };

static const struct argp_option options[] = {
    {"upstream", 'u', "URL", 0, "the centre, over the upstream in wasl.ini", 0}, {0}};
static const struct arguments_spec spec = {
    .options = options,
    .positionals = "DIR CODE",
    .low = 2,
    .high = 2,
    .doc = "At the device: joins the chain with a one-time code from the centre. The node must not "
           "be running.",
};

struct joining {
    struct access *access;
    struct identity id;
    struct enroll_code code;
    struct http_client client;
    char base[BASE_MAX]; // "https://centre:7400"
    struct buf ca;
    struct uuid chain;
    char location[LIMIT_NAME + 1];
    struct err *e;
};

// ---- talking ----------------------------------------------------------------------------------

static enum err_code set_base(struct joining *j, const char *upstream)
{
    struct url url;
    enum err_code code = url_parse(str_of(upstream), &url, j->e);
    if (code != ERR_OK) {
        return code;
    }
    bool six = strchr(url.host, ':') != NULL;
    (void)snprintf(j->base, sizeof j->base, "%s://%s%s%s:%u", url.tls ? "https" : "http",
                   six ? "[" : "", url.host, six ? "]" : "", url.port);
    return ERR_OK;
}

static enum err_code call(struct joining *j, const char *method, const char *path, struct str body,
                          struct buf *ret_body)
{
    char url[BASE_MAX + 64];
    struct http_answer answer = {0};
    (void)snprintf(url, sizeof url, "%s%s", j->base, path);
    const struct http_call call = {
        .method = method, .url = url, .ca_pem = buf_str(&j->ca), .body = body};
    enum err_code code = http_client_call(&j->client, &call, &answer, j->e);
    if (code != ERR_OK) {
        return code;
    }
    code = http_client_judge(&answer, j->e);
    if (code != ERR_OK) {
        buf_fini(&answer.body);
        return err_wrap(j->e, code, "%s refuses", j->base);
    }
    *ret_body = answer.body;
    return ERR_OK;
}

static enum err_code fetch_ca(struct joining *j)
{
    struct buf pem;
    struct tls_fingerprint fingerprint;
    enum err_code code = call(j, "GET", "/api/v1/ca", STR(""), &pem);
    if (code != ERR_OK) {
        return code;
    }
    code = tls_fingerprint_of_pem(buf_str(&pem), &fingerprint, j->e);
    if (code == ERR_OK && !enroll_code_pins(&j->code, &fingerprint)) {
        code = err_set(j->e, ERR_TLS, "the centre at %s is not the one that this code is from",
                       j->base);
    }
    if (code == ERR_OK) {
        code = buf_append_str(&j->ca, buf_str(&pem));
    }
    buf_fini(&pem);
    return code;
}

// Signed with the key that the device wants to be known by; the place is what it was made for.
static enum err_code write_request(struct joining *j, struct buf *to)
{
    struct json_out o;
    char secret[2 * ENROLL_SECRET_SIZE + 1], key[2 * SIGN_PUBLIC_SIZE + 1];
    char name[LIMIT_NAME + 1] = "", proof[2 * SIGN_SIZE + 1];
    struct hash code_hash = hash_of(str_make(j->code.secret, sizeof j->code.secret));
    struct signature signature =
        stream_join_make(&j->id.key, &code_hash, &j->id.device, str_of(j->id.location));
    if (gethostname(name, sizeof name - 1) != 0 || !event_name_valid(str_of(name))) {
        (void)snprintf(name, sizeof name, "device");
    }
    str_to_hex(secret, j->code.secret, sizeof j->code.secret);
    str_to_hex(key, j->id.key.public_key.b, sizeof j->id.key.public_key.b);
    str_to_hex(proof, signature.b, sizeof signature.b);
    json_out_begin(&o);
    json_out_text(&o, o.root, "code_secret", str_of(secret));
    json_out_uuid(&o, o.root, "device", &j->id.device);
    json_out_text(&o, o.root, "key", str_of(key));
    json_out_text(&o, o.root, "role", str_of(node_role_name(j->id.role)));
    if (j->id.location[0] != '\0') {
        json_out_text(&o, o.root, "location", str_of(j->id.location));
    }
    json_out_text(&o, o.root, "proof", str_of(proof));
    json_out_text(&o, o.root, "name", str_of(name));
    enum err_code code = json_out_append(&o, to);
    json_out_fini(&o);
    return code == ERR_OK ? ERR_OK : err_set(j->e, code, "%s", err_text(code));
}

static enum err_code read_answer(struct joining *j, struct str text)
{
    struct json json = {0};
    struct str location;
    struct uuid device = {.b = {0}};
    enum err_code code = json_parse(text, DEPTH, &json, j->e);
    if (code == ERR_OK) {
        code = json_get_uuid(json.root, "chain", &j->chain, j->e);
    }
    if (code == ERR_OK) {
        code = json_get_uuid(json.root, "device", &device, j->e);
    }
    if (code == ERR_OK) {
        code = json_get_str(json.root, "location", &location, j->e);
    }
    if (code == ERR_OK &&
        (!event_location_valid(location) || !uuid_equal(&device, &j->id.device))) {
        code = ERR_PROTOCOL;
    }
    if (code == ERR_OK) {
        code = str_copy(j->location, sizeof j->location, location);
    }
    json_close(&json);
    return code == ERR_OK ? ERR_OK
                          : err_set(j->e, ERR_PROTOCOL, "the answer of %s makes no sense", j->base);
}

static enum err_code ask(struct joining *j)
{
    struct buf request, answer;
    buf_init(&request, REQUEST_BYTES);
    enum err_code code = fetch_ca(j);
    if (code == ERR_OK) {
        code = write_request(j, &request);
    }
    if (code == ERR_OK) {
        code = call(j, "POST", "/api/v1/enroll", buf_str(&request), &answer);
    }
    buf_fini(&request);
    if (code == ERR_OK) {
        code = read_answer(j, buf_str(&answer));
        buf_fini(&answer);
    }
    return code;
}

// ---- keeping ----------------------------------------------------------------------------------

static enum err_code choose_upstream(struct config *config, const char *given, struct err *e)
{
    if (given != NULL) {
        config->upstream_count = 1;
        return str_copy(config->upstreams[0], CONFIG_URL_MAX, str_of(given)) == ERR_OK
                   ? ERR_OK
                   : err_set(e, ERR_USAGE, "--upstream is too long");
    }
    return config->upstream_count > 0
               ? ERR_OK
               : err_set(e, ERR_USAGE, "no upstream is known: give --upstream URL");
}

static enum err_code keep(struct joining *j)
{
    struct config *config = &j->access->config;
    if (j->id.location[0] != '\0' && strcmp(j->id.location, j->location) != 0) {
        return err_set(j->e, ERR_CONFLICT,
                       "the code is for location %s, but this node was made for %s", j->location,
                       j->id.location);
    }
    memcpy(config->location, j->location, sizeof config->location);
    enum err_code code = identity_join(config, j->access->store, &j->chain, buf_str(&j->ca), j->e);
    return code == ERR_OK ? config_write(config, j->e) : code;
}

// Each upstream in turn; only one that nobody answers at makes the next one be tried.
static enum err_code join(struct joining *j)
{
    const struct config *config = &j->access->config;
    enum err_code code = ERR_NETWORK;
    for (size_t i = 0; i < config->upstream_count; i++) {
        code = set_base(j, config->upstreams[i]);
        if (code == ERR_OK) {
            code = ask(j);
        }
        if (code != ERR_NETWORK && code != ERR_TIMEOUT) {
            break;
        }
    }
    return code == ERR_OK ? keep(j) : code;
}

static enum err_code check_role(const struct joining *j)
{
    return j->id.role == ROLE_CENTRAL
               ? err_set(j->e, ERR_INVALID, "a centre has its own chain and joins no other")
               : ERR_OK;
}

static enum err_code run_with(const struct arguments *a, struct joining *j)
{
    enum err_code code = identity_read(&j->access->config, j->access->store, &j->id, j->e);
    if (code == ERR_OK) {
        code = check_role(j);
    }
    if (code == ERR_OK) {
        code = choose_upstream(&j->access->config, arguments_find(a, 'u'), j->e);
    }
    if (code == ERR_OK) {
        code = http_client_open(&j->client, j->e);
    }
    if (code == ERR_OK) {
        buf_init(&j->ca, ACCESS_CA_MAX);
        code = join(j);
        buf_fini(&j->ca);
        http_client_close(&j->client);
    }
    return code;
}

static enum err_code run(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct access access;
    struct joining j = {.access = &access, .e = e};
    enum err_code code = arguments_parse(&spec, argc, argv, &a, e);
    if (code == ERR_OK) {
        code = enroll_code_parse(str_of(a.positional[1]), &j.code, e);
    }
    if (code == ERR_OK) {
        code = access_open(a.positional[0], ACCESS_ALONE, &access, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    code = run_with(&a, &j);
    access_close(&access);
    if (code == ERR_OK) {
        (void)printf("Joined the chain at location %s. Next: wasl serve %s\n", j.location,
                     a.positional[0]);
    }
    return code;
}

const struct command command_enroll_join = {"enroll join", "at the device: join with a code", run};
