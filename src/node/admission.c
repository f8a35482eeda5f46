// SPDX-License-Identifier: Apache-2.0
#include "node/admission.h"

#include "base/clock.h"
#include "model/event_type.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { ARENA_MAX = 1024 * 1024 };
#define CODE_MS (INT64_C(24) * 3600 * 1000)

// ---- events of the centre ---------------------------------------------------------------------

static struct uuid draw_id(void)
{
    struct uuid_maker maker = {0};
    uint8_t random[10];
    clock_random(random, sizeof random);
    return uuid_make_v7(&maker, (uint64_t)clock_wall_ms(), random);
}

struct note {
    const char *type;
    struct str location;
    const char *record;
};

static enum err_code add(struct journal *j, const struct note *note, yyjson_val *body,
                         struct err *e)
{
    const struct event_type *type = event_type_find(str_of(note->type));
    struct event event = {.version = type->version,
                          .id = draw_id(),
                          .lane = type->lane,
                          .location = note->location,
                          .type_name = str_of(note->type),
                          .type = type,
                          .record_type = str_of(type->record_type),
                          .record_id = str_of(note->record),
                          .at = clock_wall_ms(),
                          .body = body};
    struct journal_added added;
    enum err_code code = journal_add(j, &event, &added, e);
    if (code == ERR_OK && added.verdict == VERDICT_REJECTED)
        code = err_set(e, ERR_INVALID, "%s", added.reason);
    return code;
}

// Adds an event with what was written as its body, and ends the writer.
static enum err_code add_written(struct journal *j, const struct note *note, struct json_writer *w,
                                 struct err *e)
{
    struct buf text;
    struct arena arena;
    struct json body = {0};
    buf_init(&text, LIMIT_EVENT_BYTES);
    arena_init(&arena, ARENA_MAX);
    enum err_code code = json_writer_end(w, &text);
    if (code == ERR_OK)
        code = json_parse_in(&arena, buf_str(&text), LIMIT_EVENT_DEPTH, &body, e);
    buf_fini(&text);
    code = code ? err_set(e, code, "a %s event cannot be made", note->type)
                : add(j, note, body.root, e);
    arena_fini(&arena);
    return code;
}

static enum err_code ensure_location(struct journal *j, struct str location, struct err *e)
{
    bool known = false;
    struct json_writer w;
    char record[LIMIT_NAME + 1];
    enum err_code code = store_location_known(journal_store(j), location, &known, e);
    if (code || known)
        return code;
    if (!event_location_valid(location) || str_copy(record, sizeof record, location))
        return err_set(e, ERR_INVALID, "location: not a valid name");
    json_writer_begin(&w);
    yyjson_mut_obj_add_strncpy(w.doc, w.root, "name", location.p, location.n);
    return add_written(j, &(struct note){"location_set", location, record}, &w, e);
}

// ---- codes ------------------------------------------------------------------------------------

enum err_code admission_make_code(struct journal *j, const struct config *config,
                                  struct str location, enum node_role role,
                                  struct admission_code *ret, struct err *e)
{
    char path[CONFIG_PATH_MAX];
    struct admission_code made = {.expires_at = clock_wall_ms() + CODE_MS};
    if (role == ROLE_CENTRAL)
        return err_set(e, ERR_INVALID, "role: must be terminal or branch");
    enum err_code code = journal_may_decide(j, e);
    if (code)
        return code;
    identity_path(config, "ca.pem", path);
    code = tls_fingerprint_of_file(path, &made.ca, e);
    if (code)
        return err_wrap(e, code, "the chain's CA cannot be read");
    code = ensure_location(j, location, e);
    if (code)
        return code;
    clock_random(made.secret, sizeof made.secret);
    struct hash hash = hash_of(str_make(made.secret, sizeof made.secret));
    code = store_code_put(journal_store(j), &hash, location, role, made.expires_at, e);
    if (code == ERR_OK)
        *ret = made;
    return code;
}

// ---- joining ----------------------------------------------------------------------------------

static void PRINTF_LIKE(2, 3) deny(struct admission_answer *to, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)vsnprintf(to->denied, sizeof to->denied, format, args);
    va_end(args);
}

static void judge_code(const struct admission_request *r, const struct store_code *code,
                       struct admission_answer *to)
{
    if (code->expires_at <= clock_wall_ms())
        deny(to, "the code has expired: make a new one at the centre");
    else if (code->role != r->role)
        deny(to, "the code was made for a %s", node_role_name(code->role));
    else if (r->location[0] != '\0' && strcmp(r->location, code->location) != 0)
        deny(to, "the code is for location %s, but this node was made for %s", code->location,
             r->location);
}

// A code is for a new device, or for one that joins again as what it was: with another key its
// holder would take a device over, and at another place a stream would go on in two.
static enum err_code judge_device(struct journal *j, const struct admission_request *r,
                                  struct admission_answer *to)
{
    struct device_record known;
    enum err_code code = store_device_find(journal_store(j), &r->device, &known);
    if (code)
        return code == ERR_NOT_FOUND ? ERR_OK : code;
    if (known.revoked)
        deny(to, "this device was revoked: make a new node");
    else if (memcmp(known.key.b, r->key.b, sizeof known.key.b) != 0)
        deny(to, "this device is enrolled already, with another key");
    else if (strcmp(known.location, to->location) != 0)
        deny(to, "this device is enrolled at %s and stays there: make a new node for %s",
             known.location, to->location);
    return ERR_OK;
}

static enum err_code add_device(struct journal *j, const struct admission_request *r,
                                const char *location, struct err *e)
{
    char device[UUID_TEXT_SIZE], key[2 * SIGN_PUBLIC_SIZE + 1];
    struct json_writer w;
    uuid_format(&r->device, device);
    str_to_hex(key, r->key.b, sizeof r->key.b);
    json_writer_begin(&w);
    yyjson_mut_obj_add_str(w.doc, w.root, "role", node_role_name(r->role));
    yyjson_mut_obj_add_str(w.doc, w.root, "location", location);
    yyjson_mut_obj_add_str(w.doc, w.root, "key", key);
    yyjson_mut_obj_add_str(w.doc, w.root, "name", r->name);
    return add_written(j, &(struct note){"device_enrolled", str_of(location), device}, &w, e);
}

enum err_code admission_let_in(struct journal *j, const struct admission_request *request,
                               struct admission_answer *ret, struct err *e)
{
    struct store_code found;
    *ret = (struct admission_answer){.denied = ""};
    if (journal_restored(j)->open) {
        deny(ret, "%s", RESTORED_TEXT);
        return ERR_OK;
    }
    enum err_code code = store_code_find(journal_store(j), &request->code, &found, e);
    if (code == ERR_NOT_FOUND) {
        deny(ret, "the code is wrong or was used already");
        return ERR_OK;
    }
    if (code)
        return code;
    memcpy(ret->location, found.location, sizeof ret->location);
    judge_code(request, &found, ret);
    if (ret->denied[0] == '\0')
        code = judge_device(j, request, ret);
    if (code)
        return err_set(e, code, "the device cannot be looked up");
    if (ret->denied[0] != '\0')
        return ERR_OK;
    code = store_code_drop(journal_store(j), &request->code, e);
    return code ? code : add_device(j, request, ret->location, e);
}

// ---- revoking ---------------------------------------------------------------------------------

enum err_code admission_revoke(struct journal *j, const struct uuid *device, struct str reason,
                               char ret_location[LIMIT_NAME + 1], struct err *e)
{
    struct device_record known;
    struct json_writer w;
    char record[UUID_TEXT_SIZE];
    enum err_code code = journal_may_revoke(j, device) ? ERR_OK : journal_may_decide(j, e);
    if (code)
        return code;
    code = store_device_find(journal_store(j), device, &known);
    if (code)
        return code == ERR_NOT_FOUND ? err_set(e, code, "no device with this id is enrolled")
                                     : err_set(e, code, "the device cannot be looked up");
    if (known.revoked)
        return err_set(e, ERR_EXISTS, "the device was revoked already");
    uuid_format(device, record);
    json_writer_begin(&w);
    if (reason.n > 0)
        yyjson_mut_obj_add_strncpy(w.doc, w.root, "reason", reason.p, reason.n);
    struct str place = str_of(journal_identity(j)->location);
    code = add_written(j, &(struct note){"device_revoked", place, record}, &w, e);
    if (code == ERR_OK)
        memcpy(ret_location, known.location, sizeof known.location);
    return code;
}
