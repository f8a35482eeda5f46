// SPDX-License-Identifier: Apache-2.0
#include "node/server_private.h"

#include "base/clock.h"
#include "base/zip.h"
#include "model/role.h"
#include "node/admission.h"

#include <stdlib.h>
#include <string.h>

enum {
    TOKEN_SIZE = 32,
    JOB_ARENA = 1024 * 1024,
    CA_MAX = 64 * 1024,
};

// A request that needs the writer: what was asked, and what to answer.
struct enroll_job {
    struct job job;
    struct server *server;
    struct http_id id;
    struct arena arena; // the request's body
    union {
        struct { // for codes
            char location[LIMIT_NAME + 1];
            enum node_role role;
            struct admission_code made;
        } code;
        struct { // for devices
            struct admission_request request;
            struct admission_answer answer;
            char peer[SERVER_PEER_SIZE]; // whose wrong codes are counted
        } device;
        struct { // for revocations
            struct uuid id;
            char reason[LIMIT_TEXT + 1];
            char location[LIMIT_NAME + 1];
        } revoked;
        struct { // for tokens
            char name[LIMIT_NAME + 1];
            char role[LIMIT_NAME + 1];
            char text[2 * TOKEN_SIZE + 1];
        } token;
    };
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

static void post_job(struct enroll_job *job,
                     enum err_code (*run)(struct job *job, struct journal *j, struct err *e),
                     void (*done)(struct job *job))
{
    job->job = (struct job){.run = run, .done = done};
    enum err_code code = writer_post(job->server->options.writer, &job->job);
    if (code == ERR_OK)
        return;
    server_not_taken(job->server, job->id, code);
    free_job(job);
}

// ---- what a request says ----------------------------------------------------------------------

// Each of these answers 400 itself.
static bool bad(struct enroll_job *job, const char *key, const char *what)
{
    server_problem(job->server, job->id, 400, "%s: %s", key, what);
    return false;
}

// A required name.
static bool take(struct enroll_job *job, yyjson_val *body, const char *key, char to[LIMIT_NAME + 1])
{
    struct str text;
    struct err e = {0};
    if (json_get_str(body, key, &text, &e) != ERR_OK) {
        server_problem(job->server, job->id, 400, "%s", err_message(&e));
        return false;
    }
    if (!event_name_valid(text) || str_copy(to, LIMIT_NAME + 1, text) != ERR_OK)
        return bad(job, key, "not a valid name");
    return true;
}

static bool take_location(struct enroll_job *job, yyjson_val *body, char to[LIMIT_NAME + 1])
{
    if (!take(job, body, "location", to))
        return false;
    return event_location_valid(str_of(to)) ||
           bad(job, "location", "* is the whole chain, not a place");
}

// What a device or a code may be.
static bool take_role(struct enroll_job *job, yyjson_val *body, enum node_role *to)
{
    char text[LIMIT_NAME + 1];
    if (!take(job, body, "role", text))
        return false;
    return (node_role_parse(str_of(text), to) == ERR_OK && *to != ROLE_CENTRAL) ||
           bad(job, "role", "must be terminal or branch");
}

// ---- POST /api/v1/enroll/codes ----------------------------------------------------------------

static enum err_code run_code(struct job *base, struct journal *j, struct err *e)
{
    struct enroll_job *job = (struct enroll_job *)base;
    return admission_make_code(j, job->server->options.config, str_of(job->code.location),
                               job->code.role, &job->code.made, e);
}

static void done_code(struct job *base)
{
    struct enroll_job *job = (struct enroll_job *)base;
    char secret[2 * ADMISSION_SECRET_SIZE + 1];
    char fingerprint[TLS_FINGERPRINT_TEXT_SIZE];
    yyjson_mut_val *root;
    if (base->code) {
        server_problem_of(job->server, job->id, base->code, &base->error);
    } else {
        yyjson_mut_doc *doc = server_doc(&root);
        str_to_hex(secret, job->code.made.secret, ADMISSION_SECRET_SIZE);
        tls_fingerprint_format(&job->code.made.ca, fingerprint);
        if (doc) {
            yyjson_mut_obj_add_str(doc, root, "secret", secret);
            yyjson_mut_obj_add_str(doc, root, "ca_fingerprint", fingerprint);
            yyjson_mut_obj_add_sint(doc, root, "expires_at", job->code.made.expires_at);
        }
        server_answer(job->server, job->id, 200, doc);
    }
    free_job(job);
}

void api_enroll_code_post(struct server *s, const struct http_request *request)
{
    struct enroll_job *job = new_job(s, request);
    yyjson_val *body = job ? server_body(s, request, &job->arena) : NULL;
    if (body && take_location(job, body, job->code.location) &&
        take_role(job, body, &job->code.role)) {
        post_job(job, run_code, done_code);
        return;
    }
    if (job)
        free_job(job);
}

// ---- POST /api/v1/enroll ----------------------------------------------------------------------

static enum err_code run_enroll(struct job *base, struct journal *j, struct err *e)
{
    struct enroll_job *job = (struct enroll_job *)base;
    return admission_let_in(j, &job->device.request, &job->device.answer, e);
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
    yyjson_mut_doc *doc = server_doc(&root);
    uuid_format(&who->chain, chain);
    uuid_format(&job->device.request.device, device);
    if (doc) {
        yyjson_mut_obj_add_str(doc, root, "chain", chain);
        yyjson_mut_obj_add_str(doc, root, "device", device);
        yyjson_mut_obj_add_str(doc, root, "location", job->device.answer.location);
        yyjson_mut_obj_add_strncpy(doc, root, "ca", ca.p, ca.n);
    }
    server_answer(job->server, job->id, 200, doc);
}

static void done_enroll(struct job *base)
{
    struct enroll_job *job = (struct enroll_job *)base;
    struct err e = base->error;
    const char *denied = job->device.answer.denied;
    if (base->code == ERR_OK && denied[0] != '\0') {
        server_peer_failed(job->server, job->device.peer);
        server_problem(job->server, job->id, 403, "%s", denied);
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

// The device's own words, and its signature under them.
static bool take_device(struct enroll_job *job, yyjson_val *body)
{
    struct admission_request *r = &job->device.request;
    struct err e = {0};
    uint8_t secret[ADMISSION_SECRET_SIZE];
    struct signature proof;
    enum err_code code = json_get_hex(body, "code_secret", secret, sizeof(secret), &e);
    if (code == ERR_OK)
        code = json_get_uuid(body, "device", &r->device, &e);
    if (code == ERR_OK)
        code = json_get_hex(body, "key", r->key.b, sizeof(r->key.b), &e);
    if (code == ERR_OK)
        code = json_get_hex(body, "proof", proof.b, sizeof(proof.b), &e);
    if (code) {
        server_problem(job->server, job->id, 400, "%s", err_message(&e));
        return false;
    }
    bool placed = json_find(body, "location") != NULL;
    if (!take(job, body, "name", r->name) || !take_role(job, body, &r->role) ||
        (placed && !take_location(job, body, r->location)))
        return false;
    r->code = hash_of(str_make(secret, sizeof(secret)));
    if (stream_join_verify(&proof, &r->code, &r->device, str_of(r->location), &r->key))
        return true;
    server_peer_failed(job->server, job->device.peer);
    server_problem(job->server, job->id, 403, "the proof does not fit the device's key");
    return false;
}

void api_enroll_post(struct server *s, const struct http_request *request)
{
    if (server_peer_refused(s, request)) {
        server_problem(s, request->id, 429, "too many wrong codes: wait ten seconds");
        return;
    }
    struct enroll_job *job = new_job(s, request);
    yyjson_val *body = job ? server_body(s, request, &job->arena) : NULL;
    if (body) {
        if (str_copy(job->device.peer, SERVER_PEER_SIZE, str_of(request->peer)))
            job->device.peer[0] = '\0';
        if (take_device(job, body)) {
            post_job(job, run_enroll, done_enroll);
            return;
        }
    }
    if (job)
        free_job(job);
}

// ---- POST /api/v1/enroll/revoke ---------------------------------------------------------------

static enum err_code run_revoke(struct job *base, struct journal *j, struct err *e)
{
    struct enroll_job *job = (struct enroll_job *)base;
    return admission_revoke(j, &job->revoked.id, str_of(job->revoked.reason), job->revoked.location,
                            e);
}

static void done_revoke(struct job *base)
{
    struct enroll_job *job = (struct enroll_job *)base;
    char device[UUID_TEXT_SIZE];
    yyjson_mut_val *root;
    if (base->code) {
        server_problem_of(job->server, job->id, base->code, &base->error);
    } else {
        yyjson_mut_doc *doc = server_doc(&root);
        uuid_format(&job->revoked.id, device);
        if (doc) {
            yyjson_mut_obj_add_str(doc, root, "device", device);
            yyjson_mut_obj_add_str(doc, root, "location", job->revoked.location);
        }
        server_answer(job->server, job->id, 200, doc);
    }
    free_job(job);
}

static bool take_revoked(struct enroll_job *job, yyjson_val *body)
{
    struct err e = {0};
    struct str reason = STR("");
    enum err_code code = json_get_uuid(body, "device", &job->revoked.id, &e);
    if (code == ERR_OK && json_find(body, "reason") != NULL)
        code = json_get_str(body, "reason", &reason, &e);
    if (code) {
        server_problem(job->server, job->id, 400, "%s", err_message(&e));
        return false;
    }
    return str_copy(job->revoked.reason, sizeof(job->revoked.reason), reason) == ERR_OK ||
           bad(job, "reason", "over 1,024 bytes");
}

void api_enroll_revoke_post(struct server *s, const struct http_request *request)
{
    struct enroll_job *job = new_job(s, request);
    yyjson_val *body = job ? server_body(s, request, &job->arena) : NULL;
    if (body && take_revoked(job, body)) {
        post_job(job, run_revoke, done_revoke);
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

// ---- POST /api/v1/tokens ----------------------------------------------------------------------

static enum err_code run_token(struct job *base, struct journal *j, struct err *e)
{
    struct enroll_job *job = (struct enroll_job *)base;
    struct hash hash = hash_of(str_of(job->token.text));
    return store_token_put(journal_store(j), &hash, str_of(job->token.name),
                           str_of(job->token.role), clock_wall_ms(), e);
}

static void done_token(struct job *base)
{
    struct enroll_job *job = (struct enroll_job *)base;
    yyjson_mut_val *root;
    if (base->code) {
        server_problem_of(job->server, job->id, base->code, &base->error);
    } else {
        yyjson_mut_doc *doc = server_doc(&root);
        if (doc)
            yyjson_mut_obj_add_str(doc, root, "token", job->token.text);
        server_answer(job->server, job->id, 200, doc);
    }
    free_job(job);
}

static bool take_token_role(struct enroll_job *job, yyjson_val *body)
{
    char list[ROLE_LIST_MAX];
    if (!take(job, body, "role", job->token.role))
        return false;
    if (role_find(str_of(job->token.role)))
        return true;
    role_list(list);
    server_problem(job->server, job->id, 400, "role: must be %s", list);
    return false;
}

void api_token_post(struct server *s, const struct http_request *request)
{
    struct enroll_job *job = new_job(s, request);
    yyjson_val *body = job ? server_body(s, request, &job->arena) : NULL;
    if (body && take(job, body, "name", job->token.name) && take_token_role(job, body)) {
        uint8_t secret[TOKEN_SIZE];
        clock_random(secret, sizeof(secret));
        str_to_hex(job->token.text, secret, sizeof(secret));
        explicit_bzero(secret, sizeof(secret));
        post_job(job, run_token, done_token);
        return;
    }
    if (job)
        free_job(job);
}
