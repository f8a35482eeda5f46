// SPDX-License-Identifier: Apache-2.0
#include "node/server_private.h"

#include "base/clock.h"
#include "base/zip.h"
#include "model/event_type.h"

#include <stdlib.h>
#include <string.h>

enum {
    SECRET_SIZE = 10, // 80 random bits, good once, for a day
    TOKEN_SIZE = 32,
    CODE_HOURS = 24,
    JOB_ARENA = 1024 * 1024,
    CA_MAX = 64 * 1024,
};

// A request that needs the writer: what was asked, and what to answer.
struct enroll_job {
    struct job job;
    struct server *server;
    struct http_id id;
    struct arena arena;
    struct uuid device;
    struct hash secret;
    char key[HASH_TEXT_SIZE];
    char role[16];
    char name[LIMIT_NAME + 1];
    char location[LIMIT_NAME + 1];
    char peer[SERVER_PEER_SIZE]; // whose wrong codes are counted
    const char *denied;          // why the code is no good; nothing was written
    uint8_t drawn[TOKEN_SIZE];   // a code's secret or a token
    int64_t expires_at;
};

static struct enroll_job *new_job(struct server *s, const struct http_request *request)
{
    struct enroll_job *job = calloc(1, sizeof(*job));
    if (job == NULL) {
        server_problem(s, request->id, 503, "out of memory");
        return NULL;
    }
    job->server = s;
    job->id = request->id;
    arena_init(&job->arena, JOB_ARENA);
    return job;
}

static void free_job(struct enroll_job *job)
{
    arena_fini(&job->arena);
    free(job);
}

static void post_job(struct enroll_job *job)
{
    enum err_code code = writer_post(job->server->options.writer, &job->job);
    if (code == ERR_OK)
        return;
    server_not_taken(job->server, job->id, code);
    free_job(job);
}

// A required short string of the body; answers 400 itself.
static bool take(struct enroll_job *job, yyjson_val *body, const char *key, char *to, size_t size)
{
    struct str text;
    struct err e = {0};
    if (json_get_str(body, key, &text, &e) != ERR_OK)
        server_problem(job->server, job->id, 400, "%s", err_message(&e));
    else if (!event_name_valid(text) || str_copy(to, size, text) != ERR_OK)
        server_problem(job->server, job->id, 400, "%s: not a valid name", key);
    else
        return true;
    return false;
}

static bool take_location(struct enroll_job *job, yyjson_val *body)
{
    if (!take(job, body, "location", job->location, sizeof(job->location)))
        return false;
    if (event_location_valid(str_of(job->location)))
        return true;
    server_problem(job->server, job->id, 400, "location: * is the whole chain, not a place");
    return false;
}

static yyjson_mut_doc *new_doc(yyjson_mut_val **ret_root)
{
    yyjson_mut_doc *doc = yyjson_mut_doc_new(NULL);
    if (doc == NULL)
        return NULL;
    *ret_root = yyjson_mut_obj(doc);
    yyjson_mut_doc_set_root(doc, *ret_root);
    return doc;
}

static struct uuid draw_id(void)
{
    static struct uuid_maker maker; // the writer's thread alone draws ids here
    uint8_t random[10];
    clock_random(random, sizeof(random));
    return uuid_make_v7(&maker, (uint64_t)clock_wall_ms(), random);
}

// ---- own events of the centre
// --------------------------------------------------------------------

// Adds an event whose body is written as a document; frees the document.
static enum err_code add_event(struct journal *j, struct enroll_job *job, const char *type,
                               const char *record_id, yyjson_mut_doc *body, struct err *e)
{
    struct buf text;
    buf_init(&text, LIMIT_EVENT_BYTES);
    enum err_code code = body ? json_append_doc(&text, body) : ERR_NO_MEMORY;
    yyjson_mut_doc_free(body);
    struct json json = {0};
    if (code == ERR_OK)
        code = json_parse_in(&job->arena, buf_str(&text), LIMIT_EVENT_DEPTH, &json, e);
    buf_fini(&text);
    if (code)
        return err_set(e, code, "a %s event cannot be made", type);
    const struct event_type *known = event_type_find(str_of(type));
    struct event event = {.version = known->version,
                          .id = draw_id(),
                          .lane = known->lane,
                          .location = str_of(job->location),
                          .type_name = str_of(type),
                          .type = known,
                          .record_type = str_of(known->record_type),
                          .record_id = str_of(record_id),
                          .at = clock_wall_ms(),
                          .body = json.root};
    struct journal_added added;
    code = journal_add(j, &event, &added, e);
    if (code == ERR_OK && added.verdict == VERDICT_REJECTED)
        code = err_set(e, ERR_INVALID, "%s", added.reason);
    return code;
}

static enum err_code ensure_location(struct journal *j, struct enroll_job *job, struct err *e)
{
    struct branch_list list;
    enum err_code code = store_branches(journal_store(j), &job->arena, &list, e);
    if (code)
        return code;
    for (size_t i = 0; i < list.count; i++) {
        if (str_is(list.items[i].id, job->location))
            return ERR_OK;
    }
    yyjson_mut_val *root;
    yyjson_mut_doc *body = new_doc(&root);
    if (body)
        yyjson_mut_obj_add_str(body, root, "name", job->location);
    return add_event(j, job, "location_set", job->location, body, e);
}

// ---- POST /api/v1/enroll/codes
// -------------------------------------------------------------------

static enum err_code run_code(struct job *base, struct journal *j, struct err *e)
{
    struct enroll_job *job = (struct enroll_job *)base;
    enum node_role role;
    enum err_code code = node_role_parse(str_of(job->role), &role);
    if (code == ERR_OK)
        code = ensure_location(j, job, e);
    if (code)
        return code;
    return store_code_put(journal_store(j), &job->secret, str_of(job->location), role,
                          job->expires_at, e);
}

static bool ca_fingerprint(const struct server *s, char to[TLS_FINGERPRINT_TEXT_SIZE])
{
    char path[CONFIG_PATH_MAX];
    struct tls_fingerprint fingerprint;
    identity_path(s->options.config, "ca.pem", path);
    if (tls_fingerprint_of_file(path, &fingerprint, NULL) != ERR_OK)
        return false;
    tls_fingerprint_format(&fingerprint, to);
    return true;
}

static void done_code(struct job *base)
{
    struct enroll_job *job = (struct enroll_job *)base;
    char secret[2 * SECRET_SIZE + 1];
    char fingerprint[TLS_FINGERPRINT_TEXT_SIZE];
    yyjson_mut_val *root;
    if (base->code) {
        server_problem_of(job->server, job->id, base->code, &base->error);
    } else if (!ca_fingerprint(job->server, fingerprint)) {
        server_problem(job->server, job->id, 500, "the chain's CA cannot be read");
    } else {
        yyjson_mut_doc *doc = new_doc(&root);
        str_to_hex(secret, job->drawn, SECRET_SIZE);
        if (doc) {
            yyjson_mut_obj_add_str(doc, root, "secret", secret);
            yyjson_mut_obj_add_str(doc, root, "ca_fingerprint", fingerprint);
            yyjson_mut_obj_add_sint(doc, root, "expires_at", job->expires_at);
        }
        server_answer(job->server, job->id, 200, doc);
    }
    free_job(job);
}

static bool device_role(struct enroll_job *job)
{
    enum node_role role;
    if (node_role_parse(str_of(job->role), &role) == ERR_OK && role != ROLE_CENTRAL)
        return true;
    server_problem(job->server, job->id, 400, "role: must be terminal or branch");
    return false;
}

void api_enroll_code_post(struct server *s, const struct http_request *request)
{
    struct enroll_job *job = new_job(s, request);
    yyjson_val *body = job ? server_body(s, request, &job->arena) : NULL;
    if (body && take_location(job, body) && take(job, body, "role", job->role, sizeof(job->role)) &&
        device_role(job)) {
        clock_random(job->drawn, SECRET_SIZE);
        job->secret = hash_of(str_make(job->drawn, SECRET_SIZE));
        job->expires_at = clock_wall_ms() + INT64_C(3600000) * CODE_HOURS;
        job->job = (struct job){.run = run_code, .done = done_code};
        post_job(job);
        return;
    }
    if (job)
        free_job(job);
}

// ---- POST /api/v1/enroll
// -------------------------------------------------------------------------

// A code is for a new device, or for one that joins again: with another key its holder would take
// a device over.
static bool has_another_key(struct journal *j, const struct enroll_job *job)
{
    struct device_record known;
    char key[2 * SIGN_PUBLIC_SIZE + 1];
    if (store_device_find(journal_store(j), &job->device, &known) != ERR_OK)
        return false;
    str_to_hex(key, known.key.b, sizeof(known.key.b));
    return strcmp(key, job->key) != 0;
}

static enum err_code run_enroll(struct job *base, struct journal *j, struct err *e)
{
    struct enroll_job *job = (struct enroll_job *)base;
    enum node_role role;
    enum err_code code =
        store_code_take(journal_store(j), &job->secret, clock_wall_ms(), job->location, &role, e);
    job->denied = code == ERR_NOT_FOUND ? "the code is wrong or was used already"
                  : code == ERR_TIMEOUT ? "the code has expired: make a new one at the centre"
                                        : NULL;
    if (code == ERR_OK && has_another_key(j, job))
        job->denied = "this device is enrolled already, with another key";
    if (job->denied) // no failure of the job: whoever guesses must not undo others' batch
        return ERR_OK;
    if (code)
        return code;
    if (!str_is(str_of(job->role), node_role_name(role)))
        return err_set(e, ERR_DENIED, "the code was made for a %s", node_role_name(role));
    char device[UUID_TEXT_SIZE];
    uuid_format(&job->device, device);
    yyjson_mut_val *root;
    yyjson_mut_doc *body = new_doc(&root);
    if (body) {
        yyjson_mut_obj_add_str(body, root, "role", node_role_name(role));
        yyjson_mut_obj_add_str(body, root, "location", job->location);
        yyjson_mut_obj_add_str(body, root, "key", job->key);
        yyjson_mut_obj_add_str(body, root, "name", job->name);
    }
    return add_event(j, job, "device_enrolled", device, body, e);
}

static enum err_code read_ca(const struct server *s, struct buf *to, struct err *e)
{
    char path[CONFIG_PATH_MAX];
    identity_path(s->options.config, "ca.pem", path);
    return zip_read_file(path, CA_MAX, to, e);
}

static void answer_enrolled(struct enroll_job *job, struct str ca)
{
    const struct identity *who = journal_identity(job->server->options.journal);
    char chain[UUID_TEXT_SIZE];
    char device[UUID_TEXT_SIZE];
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = new_doc(&root);
    uuid_format(&who->chain, chain);
    uuid_format(&job->device, device);
    if (doc) {
        yyjson_mut_obj_add_str(doc, root, "chain", chain);
        yyjson_mut_obj_add_str(doc, root, "device", device);
        yyjson_mut_obj_add_str(doc, root, "location", job->location);
        yyjson_mut_obj_add_strncpy(doc, root, "ca", ca.p, ca.n);
    }
    server_answer(job->server, job->id, 200, doc);
}

static void done_enroll(struct job *base)
{
    struct enroll_job *job = (struct enroll_job *)base;
    struct err e = base->error;
    if (base->code == ERR_OK && job->denied) {
        server_peer_failed(job->server, job->peer);
        server_problem(job->server, job->id, 403, "%s", job->denied);
        free_job(job);
        return;
    }
    struct buf ca;
    buf_init(&ca, CA_MAX);
    enum err_code code = base->code ? base->code : read_ca(job->server, &ca, &e);
    if (code == ERR_OK)
        answer_enrolled(job, buf_str(&ca));
    else
        server_problem_of(job->server, job->id, code, &e);
    buf_fini(&ca);
    free_job(job);
}

static bool take_device(struct enroll_job *job, yyjson_val *body)
{
    struct err e = {0};
    uint8_t secret[SECRET_SIZE];
    struct hash key;
    enum err_code code = json_get_hex(body, "code_secret", secret, sizeof(secret), &e);
    if (code == ERR_OK)
        code = json_get_uuid(body, "device", &job->device, &e);
    if (code == ERR_OK)
        code = json_get_hash(body, "key", &key, &e);
    if (code) {
        server_problem(job->server, job->id, 400, "%s", err_message(&e));
        return false;
    }
    job->secret = hash_of(str_make(secret, sizeof(secret)));
    hash_format(&key, job->key);
    return true;
}

void api_enroll_post(struct server *s, const struct http_request *request)
{
    if (server_peer_refused(s, request)) {
        server_problem(s, request->id, 429, "too many wrong codes: wait ten seconds");
        return;
    }
    struct enroll_job *job = new_job(s, request);
    yyjson_val *body = job ? server_body(s, request, &job->arena) : NULL;
    if (body && take_device(job, body) && take(job, body, "role", job->role, sizeof(job->role)) &&
        take(job, body, "name", job->name, sizeof(job->name))) {
        if (str_copy(job->peer, sizeof(job->peer), str_of(request->peer)))
            job->peer[0] = '\0';
        job->job = (struct job){.run = run_enroll, .done = done_enroll};
        post_job(job);
        return;
    }
    if (job)
        free_job(job);
}

void api_ca_get(struct server *s, const struct http_request *request)
{
    struct err e = {0};
    struct buf ca;
    buf_init(&ca, CA_MAX);
    if (read_ca(s, &ca, &e) == ERR_OK)
        server_answer_text(s, request->id, "application/x-pem-file", buf_str(&ca));
    else
        server_problem(s, request->id, 404, "this node has no CA");
    buf_fini(&ca);
}

// ---- POST /api/v1/tokens
// -------------------------------------------------------------------------

static enum err_code run_token(struct job *base, struct journal *j, struct err *e)
{
    struct enroll_job *job = (struct enroll_job *)base;
    return store_token_put(journal_store(j), &job->secret, str_of(job->name), str_of(job->role),
                           clock_wall_ms(), e);
}

static void done_token(struct job *base)
{
    struct enroll_job *job = (struct enroll_job *)base;
    char token[2 * TOKEN_SIZE + 1];
    yyjson_mut_val *root;
    if (base->code) {
        server_problem_of(job->server, job->id, base->code, &base->error);
    } else {
        yyjson_mut_doc *doc = new_doc(&root);
        str_to_hex(token, job->drawn, TOKEN_SIZE);
        if (doc)
            yyjson_mut_obj_add_str(doc, root, "token", token);
        server_answer(job->server, job->id, 200, doc);
    }
    free_job(job);
}

static bool role_known(struct server *s, struct http_id id, const char *role)
{
    static const char *const roles[] = {"cashier",    "waiter", "kitchen", "manager",
                                        "supervisor", "owner",  "auditor"};
    for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++) {
        if (strcmp(role, roles[i]) == 0)
            return true;
    }
    server_problem(s, id, 400,
                   "role: must be cashier, waiter, kitchen, manager, supervisor, "
                   "owner or auditor");
    return false;
}

void api_token_post(struct server *s, const struct http_request *request)
{
    struct enroll_job *job = new_job(s, request);
    yyjson_val *body = job ? server_body(s, request, &job->arena) : NULL;
    if (body && take(job, body, "name", job->name, sizeof(job->name)) &&
        take(job, body, "role", job->role, sizeof(job->role)) &&
        role_known(s, request->id, job->role)) {
        char token[2 * TOKEN_SIZE + 1];
        clock_random(job->drawn, TOKEN_SIZE);
        str_to_hex(token, job->drawn, TOKEN_SIZE);
        job->secret = hash_of(str_of(token));
        job->job = (struct job){.run = run_token, .done = done_token};
        post_job(job);
        return;
    }
    if (job)
        free_job(job);
}
