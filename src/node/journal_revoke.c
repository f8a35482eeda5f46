// SPDX-License-Identifier: Apache-2.0
//
// A revocation says what counts: the heads of the device's streams that this centre held under a
// seal when it was written. So the centre completes the draft that a person gave; a device with
// more streams than one event may name takes several, which work together.
#include "node/journal_private.h"

#include <string.h>

enum { HEADS_EACH = 1000 };

static const char *const completed[] = {"heads", "revocation", "part", "parts", "accepts"};
enum { COMPLETED = sizeof completed / sizeof completed[0] };

static bool is_completed(yyjson_val *key)
{
    for (size_t i = 0; i < COMPLETED; i++) {
        if (yyjson_equals_str(key, completed[i]))
            return true;
    }
    return false;
}

// A person's part of a body.
static void copy_given(struct json_writer *w, yyjson_val *body)
{
    size_t i, n;
    yyjson_val *key, *value;
    yyjson_obj_foreach(body, i, n, key, value)
    {
        if (!is_completed(key))
            yyjson_mut_obj_add(w->root, yyjson_val_mut_copy(w->doc, key),
                               yyjson_val_mut_copy(w->doc, value));
    }
}

// ---- a repeat ---------------------------------------------------------------------------------

// An event that was completed says the same as its draft when all but that is alike.
enum err_code journal_given_content(struct journal *j, const struct event *stored,
                                    struct event *ret, struct err *e)
{
    struct json_writer w;
    *ret = *stored;
    if (!str_is(stored->type_name, "device_revoked"))
        return ERR_OK;
    json_writer_begin(&w);
    copy_given(&w, stored->body);
    return journal_read_back(j, &w, &ret->body, e);
}

// ---- the parts --------------------------------------------------------------------------------

static void add_head(struct json_writer *w, yyjson_mut_val *list, const struct stream_head *head)
{
    char origin[UUID_TEXT_SIZE], hash[HASH_TEXT_SIZE];
    yyjson_mut_val *item = yyjson_mut_arr_add_obj(w->doc, list);
    uuid_format(&head->key.origin, origin);
    hash_format(&head->mark.hash, hash);
    yyjson_mut_obj_add_strcpy(w->doc, item, "origin", origin);
    yyjson_mut_obj_add_str(w->doc, item, "lane", lane_name(head->key.lane));
    yyjson_mut_obj_add_uint(w->doc, item, "seq", head->mark.seq);
    yyjson_mut_obj_add_strcpy(w->doc, item, "hash", hash);
}

struct part {
    const struct event *draft;
    bool accepts;
    struct stream_head_list heads;
    size_t number, count; // from 0
};

static enum err_code write_body(struct journal *j, const struct part *part, yyjson_val **ret,
                                struct err *e)
{
    struct json_writer w;
    char first[UUID_TEXT_SIZE];
    size_t from = part->number * HEADS_EACH;
    size_t to = from + HEADS_EACH < part->heads.count ? from + HEADS_EACH : part->heads.count;
    json_writer_begin(&w);
    if (part->number == 0)
        copy_given(&w, part->draft->body);
    if (part->accepts)
        yyjson_mut_obj_add_true(w.doc, w.root, "accepts");
    yyjson_mut_val *list = yyjson_mut_obj_add_arr(w.doc, w.root, "heads");
    for (size_t i = from; i < to; i++)
        add_head(&w, list, &part->heads.items[i]);
    uuid_format(&part->draft->id, first);
    if (part->count > 1) {
        yyjson_mut_obj_add_strcpy(w.doc, w.root, "revocation", first);
        yyjson_mut_obj_add_uint(w.doc, w.root, "part", part->number + 1);
        yyjson_mut_obj_add_uint(w.doc, w.root, "parts", part->count);
    }
    return journal_read_back(j, &w, ret, e);
}

static enum err_code check(struct journal *j, const struct event *draft, struct uuid *ret_device,
                           struct err *why)
{
    struct device_record known;
    for (size_t i = 0; i < COMPLETED; i++) {
        if (yyjson_obj_get(draft->body, completed[i]))
            return err_set(why, ERR_INVALID, "body: %s: is written by the centre", completed[i]);
    }
    if (uuid_parse(draft->record_id, ret_device))
        return err_set(why, ERR_INVALID, "record: a device's id is a UUID");
    if (uuid_equal(ret_device, &j->identity.device))
        return err_set(why, ERR_INVALID, "record: this is the centre itself");
    if (store_device_find(j->store, ret_device, &known) != ERR_OK)
        return err_set(why, ERR_NOT_FOUND, "record: no device with this id is enrolled");
    return ERR_OK;
}

static enum err_code write_parts(struct journal *j, struct part *part, const struct uuid *device,
                                 struct journal_added *ret, struct err *e)
{
    enum err_code code = store_device_heads(j->store, device, &j->arena, &part->heads, e);
    size_t count = code ? 0 : part->heads.count;
    part->count = count == 0 ? 1 : (count + HEADS_EACH - 1) / HEADS_EACH;
    if (code == ERR_OK && part->count > LIMIT_REVOCATION_PARTS)
        code = err_set(e, ERR_LIMIT, "the device has more streams than a revocation can name");
    for (; code == ERR_OK && ret->verdict == VERDICT_ACCEPTED && part->number < part->count;
         part->number++) {
        struct event event = *part->draft;
        if (part->number > 0)
            event.id = journal_fresh_id(j);
        code = write_body(j, part, &event.body, e);
        if (code == ERR_OK)
            code = journal_write(j, &event, ret, e);
    }
    return code;
}

enum err_code journal_add_revocation(struct journal *j, const struct event *draft,
                                     struct journal_added *ret, struct err *e)
{
    struct err why = {0};
    struct uuid device;
    struct part part = {.draft = draft};
    if (check(j, draft, &device, &why))
        return journal_refuse(ret, err_message(&why));
    enum err_code code = write_parts(j, &part, &device, ret, e);
    return code ? code : store_device_status_drop(j->store, &device, e);
}

enum err_code journal_accept_revoked(struct journal *j, struct event *draft,
                                     struct journal_added *ret, struct err *e)
{
    struct uuid device;
    const struct event_type *type = event_type_find(STR("device_revoked"));
    struct part part = {.draft = draft, .accepts = true};
    draft->type = type;
    draft->type_name = str_of(type->name);
    draft->version = type->version;
    draft->lane = type->lane;
    draft->record_type = str_of(type->record_type);
    *ret = (struct journal_added){.verdict = VERDICT_ACCEPTED};
    if (uuid_parse(draft->record_id, &device))
        return err_set(e, ERR_DAMAGED, "a review of a revoked device does not name it");
    return write_parts(j, &part, &device, ret, e);
}
