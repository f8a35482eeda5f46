// SPDX-License-Identifier: Apache-2.0
#include "store/sqlite/questions.h"
#include "store/sqlite/rows.h"
#include "store/sqlite/state.h"

#include <stdio.h>
#include <string.h>

enum err_code store_device_find(struct store *s, const struct uuid *id, struct device_record *ret)
{
    struct query q;
    struct device_record device = {.id = *id};
    query_begin(&q, &s->db, Q_DEVICE_FIND);
    query_uuid(&q, id);
    bool found = query_row(&q);
    if (found) {
        found =
            str_copy(device.location, sizeof device.location, query_get_text(&q, 1)) == ERR_OK &&
            node_role_parse(query_get_text(&q, 2), &device.role) == ERR_OK;
        struct str key = query_get_text(&q, 3);
        if (key.n == sizeof device.key.b)
            memcpy(device.key.b, key.p, key.n);
        device.revoked = query_get_int(&q, 4) != 0;
    }
    enum err_code code = query_end(&q, NULL);
    if (code || !found)
        return code ? code : ERR_NOT_FOUND;
    *ret = device;
    return ERR_OK;
}

enum err_code store_device_heads(struct store *s, const struct uuid *device, struct arena *a,
                                 struct stream_head_list *ret, struct err *e)
{
    struct query q;
    struct stream_head_list list = {.count = 0};
    size_t room = 0;
    bool full = false;
    enum err_code code = stream_cache_flush(&s->streams, e);
    if (code)
        return code;
    query_begin(&q, &s->db, Q_DEVICE_HEADS);
    query_uuid(&q, device);
    while (!full && query_row(&q)) {
        struct stream_head *wider = rows_grow(a, list.items, list.count, &room, sizeof *wider);
        full = wider == NULL;
        if (full)
            continue;
        list.items = wider;
        struct stream_head *head = &list.items[list.count++];
        (void)query_get_uuid(&q, 0, &head->key.origin);
        head->key.lane = query_get_lane(&q, 1);
        head->mark.seq = query_get_u64(&q, 2);
        (void)query_get_hash(&q, 3, &head->mark.hash);
    }
    code = query_end(&q, e);
    *ret = list;
    return code == ERR_OK && full ? err_set(e, ERR_NO_MEMORY, "out of memory for streams") : code;
}

enum err_code store_device_withheld(struct store *s, const struct uuid *device, uint64_t *ret,
                                    struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_WITHHELD_FIND);
    query_uuid(&q, device);
    *ret = query_row(&q) ? query_get_u64(&q, 0) : 0;
    return query_end(&q, e);
}

enum err_code store_location_known(struct store *s, struct str location, bool *ret, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_LOCATION_HOLDER);
    query_text(&q, location);
    *ret = query_row(&q);
    return query_end(&q, e);
}

// ---- codes and tokens -------------------------------------------------------------------------

enum err_code store_code_put(struct store *s, const struct hash *secret, struct str location,
                             enum node_role role, int64_t expires_at, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_CODE_PUT);
    query_hash(&q, secret);
    query_text(&q, location);
    query_text(&q, str_of(node_role_name(role)));
    query_int(&q, expires_at);
    return query_run(&q, e);
}

enum err_code store_code_find(struct store *s, const struct hash *secret, struct store_code *ret,
                              struct err *e)
{
    struct query q;
    struct store_code found;
    query_begin(&q, &s->db, Q_CODE_FIND);
    query_hash(&q, secret);
    bool there = query_row(&q);
    if (there) {
        there = str_copy(found.location, sizeof found.location, query_get_text(&q, 0)) == ERR_OK &&
                node_role_parse(query_get_text(&q, 1), &found.role) == ERR_OK;
        found.expires_at = query_get_int(&q, 2);
    }
    enum err_code code = query_end(&q, e);
    if (code)
        return code;
    if (!there)
        return err_set(e, ERR_NOT_FOUND, "the enrolment code is wrong or was used already");
    *ret = found;
    return ERR_OK;
}

enum err_code store_code_drop(struct store *s, const struct hash *secret, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_CODE_DROP);
    query_hash(&q, secret);
    return query_run(&q, e);
}

enum err_code store_token_put(struct store *s, const struct hash *token, struct str name,
                              struct str role, int64_t now_ms, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_TOKEN_PUT);
    query_hash(&q, token);
    query_text(&q, name);
    query_text(&q, role);
    query_int(&q, now_ms);
    return query_run(&q, e);
}

enum err_code store_token_find(struct store *s, const struct hash *token, struct arena *a,
                               struct str *ret_name, struct str *ret_role)
{
    struct query q;
    struct str name = STR(""), role = STR("");
    query_begin(&q, &s->db, Q_TOKEN_FIND);
    query_hash(&q, token);
    bool found = query_row(&q);
    if (found) {
        name = arena_copy(a, query_get_text(&q, 0));
        role = arena_copy(a, query_get_text(&q, 1));
    }
    enum err_code code = query_end(&q, NULL);
    if (code || !found)
        return code ? code : ERR_NOT_FOUND;
    if (name.p == NULL || role.p == NULL)
        return ERR_NO_MEMORY;
    *ret_name = name;
    *ret_role = role;
    return ERR_OK;
}

enum err_code store_device_status_drop(struct store *s, const struct uuid *device, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_DEVICE_STATUS_DROP);
    query_uuid(&q, device);
    return query_run(&q, e);
}

enum err_code store_devices_offline(struct store *s, struct err *e)
{
    struct query q;
    query_begin(&q, &s->db, Q_DEVICES_OFFLINE);
    return query_run(&q, e);
}

static enum err_code ask_catalog(struct store *s, const struct device_status *status,
                                 const struct catalog_version *said,
                                 const struct catalog_version *right, struct err *e)
{
    char device[UUID_TEXT_SIZE], theirs[HASH_TEXT_SIZE], ours[HASH_TEXT_SIZE], detail[512];
    uuid_format(&status->device, device);
    hash_format(&said->hash, theirs);
    hash_format(&right->hash, ours);
    (void)snprintf(detail, sizeof detail,
                   "{\"device\":\"%s\",\"version\":%llu,\"published\":\"%s\",\"found\":\"%s\"}",
                   device, (unsigned long long)said->number, ours, theirs);
    struct review review = {
        .kind = STR("catalog_hash"),
        .record = str_of(device),
        .location = str_of(status->location),
        .text = STR("A till's catalog is not what was published; it was sent afresh."),
        .detail = str_of(detail),
        .opened_at = status->last_seen_at};
    return questions_ask(&s->db, &review, e);
}

// What a device says it holds of a version, against what was published.
static enum err_code judge_catalog(struct store *s, const struct device_status *status,
                                   const struct catalog_version *said, struct err *e)
{
    struct catalog_version right;
    if (said->number == 0 || said->number > INT64_MAX)
        return ERR_OK;
    enum err_code code = store_catalog_known(s, said->number, &right, e);
    if (code == ERR_NOT_FOUND || (code == ERR_OK && hash_equal(&right.hash, &said->hash)))
        return ERR_OK;
    return code ? code : ask_catalog(s, status, said, &right, e);
}

enum err_code store_device_status_put(struct store *s, const struct device_status *status,
                                      struct err *e)
{
    // What a device says of itself is its word only; the sums over all of a place must hold it.
    static const uint64_t pending_max = UINT32_MAX;
    struct query q;
    query_begin(&q, &s->db, Q_DEVICE_STATUS_PUT);
    query_uuid(&q, &status->device);
    query_text(&q, str_of(status->location));
    query_u64(&q, status->pending < pending_max ? status->pending : pending_max);
    query_int(&q, status->oldest_pending_at);
    query_int(&q, status->last_seen_at);
    query_int(&q, status->last_sync_at);
    query_int(&q, status->clock_offset_ms);
    query_int(&q, status->disk_free_bytes);
    query_text(&q, str_of(status->version));
    query_int(&q, status->online);
    query_u64(&q, status->catalog.number);
    query_hash(&q, &status->catalog.hash);
    enum err_code code = query_run(&q, e);
    if (code == ERR_OK)
        code = judge_catalog(s, status, &status->catalog, e);
    return code ? code : judge_catalog(s, status, &status->refused, e);
}
