// SPDX-License-Identifier: Apache-2.0
//
// A running node knows whether it is online; a store alone does not. Both give the same object, and
// the text for people is made from that.
#include "base/clock.h"
#include "cli/access.h"
#include "cli/arguments.h"
#include "cli/command.h"
#include "cli/time_text.h"
#include "node/capacity.h"
#include "node/catalog_json.h"
#include "node/restored.h"

#include <stdio.h>

enum { STATUS_BYTES = 64 * 1024, STATUS_DEPTH = 8 };

static const struct argp_option options[] = {{"json", 'j', NULL, 0, "as one JSON object", 0}, {0}};
static const struct arguments_spec spec = {
    .options = options,
    .positionals = "DIR",
    .low = 1,
    .high = 1,
    .doc = "Says how a node is: its role and upstream, what waits to be synced, what needs a "
           "person.",
};

static void add_lanes(struct json_out *o, const struct store_counts *counts)
{
    yyjson_mut_val *lanes = json_out_object(o, o->root, "lanes");
    for (int i = 0; i < LANE_COUNT; i++) {
        yyjson_mut_val *lane = yyjson_mut_obj(o->doc);
        json_out_count(o, lane, "pending", counts->pending[i]);
        json_out_count(o, lane, "held", counts->held[i]);
        json_out_count(o, lane, "settled", counts->settled[i]);
        o->failed =
            o->failed || !yyjson_mut_obj_add_val(o->doc, lanes, lane_name((enum lane)i), lane);
    }
}

static void add_counts(struct json_out *o, const struct store_counts *counts)
{
    int64_t age = clock_wall_ms() - counts->oldest_pending_at;
    json_out_integer(o, o->root, "oldest_pending_ms",
                     counts->oldest_pending_at == 0 || age < 0 ? 0 : age);
    if (counts->last_sync_at == 0) {
        json_out_null(o, o->root, "last_sync_at");
    } else {
        json_out_integer(o, o->root, "last_sync_at", counts->last_sync_at);
    }
    json_out_count(o, o->root, "conflicts", counts->conflicts);
    json_out_count(o, o->root, "reviews", counts->reviews);
    json_out_count(o, o->root, "dead_letters", counts->dead_letters);
}

static void add_recovery(struct json_out *o, const struct restored *r)
{
    if (!r->open) {
        json_out_null(o, o->root, "recovery");
        return;
    }
    yyjson_mut_val *object = json_out_object(o, o->root, "recovery");
    json_out_integer(o, object, "since", r->since_ms);
    json_out_integer(o, object, "backup", r->backup_ms);
    json_out_uuid(o, object, "device", &r->device);
    json_out_text(o, object, "why", str_of(r->why));
}

struct known {
    struct identity id;
    struct store_counts counts;
    struct store_room room;
    struct store_catalog catalog;
    struct restored restored;
};

static enum err_code read_known(struct access *a, struct known *ret, struct err *e)
{
    enum err_code code = identity_read(&a->config, a->store, &ret->id, e);
    if (code == ERR_OK) {
        code = store_counts(a->store, &ret->counts, e);
    }
    if (code == ERR_OK) {
        code = store_room(a->store, &ret->room, e);
    }
    if (code == ERR_OK) {
        code = store_catalog(a->store, &ret->catalog, e);
    }
    return code == ERR_OK ? restored_read(a->store, &ret->restored, e) : code;
}

static enum err_code read_store(struct access *a, struct buf *to, struct err *e)
{
    struct known k;
    struct json_out o;
    enum err_code code = read_known(a, &k, e);
    if (code != ERR_OK) {
        return code;
    }
    json_out_begin(&o);
    json_out_text(&o, o.root, "role", str_of(node_role_name(k.id.role)));
    json_out_uuid(&o, o.root, "device", &k.id.device);
    json_out_text(&o, o.root, "location", str_of(k.id.location));
    if (a->config.upstream_count > 0) {
        json_out_text(&o, o.root, "upstream", str_of(a->config.upstreams[0]));
    } else {
        json_out_null(&o, o.root, "upstream");
    }
    json_out_flag(&o, o.root, "online", false);
    add_lanes(&o, &k.counts);
    add_counts(&o, &k.counts);
    json_out_integer(&o, o.root, "disk_free_bytes", k.room.free_bytes);
    json_out_integer(&o, o.root, "clock_offset_ms", 0);
    json_out_text(&o, o.root, "version", str_of(WASL_VERSION));
    struct capacity full = capacity_of(&a->config, &k.room, k.counts.unsettled);
    o.failed =
        o.failed || !yyjson_mut_obj_add_val(o.doc, o.root, "room", capacity_json(&full, o.doc));
    json_out_flag(&o, o.root, "revoked", k.id.revoked);
    o.failed = o.failed || !yyjson_mut_obj_add_val(o.doc, o.root, "catalog",
                                                   catalog_json_status(&k.catalog, o.doc));
    add_recovery(&o, &k.restored);
    code = json_out_append(&o, to);
    json_out_fini(&o);
    return code == ERR_OK ? ERR_OK : err_set(e, code, "%s", err_text(code));
}

// A node may tell more than this command promises.
static bool keep_members(yyjson_val *from, struct buf *to)
{
    static const char *const keys[] = {"role",
                                       "device",
                                       "location",
                                       "upstream",
                                       "online",
                                       "lanes",
                                       "oldest_pending_ms",
                                       "last_sync_at",
                                       "conflicts",
                                       "reviews",
                                       "dead_letters",
                                       "disk_free_bytes",
                                       "clock_offset_ms",
                                       "version",
                                       "room",
                                       "revoked",
                                       "catalog",
                                       "recovery"};
    struct json_out o;
    json_out_begin(&o);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        yyjson_val *value = json_find(from, keys[i]);
        if (value != NULL) {
            json_out_copy(&o, o.root, keys[i], value);
        } else {
            json_out_null(&o, o.root, keys[i]);
        }
    }
    enum err_code code = json_out_append(&o, to);
    json_out_fini(&o);
    return code == ERR_OK;
}

// False where no node answers, or not as this program understands it.
static bool ask_node(struct access *a, struct buf *to)
{
    struct err ignored;
    struct buf answer;
    struct json json = {0};
    if (access_connect(a, &ignored) != ERR_OK ||
        access_call(a, "GET", "/api/v1/status", STR(""), &answer, &ignored) != ERR_OK) {
        return false;
    }
    bool good = json_parse(buf_str(&answer), STATUS_DEPTH, &json, &ignored) == ERR_OK &&
                yyjson_is_obj(json_find(json.root, "lanes")) && keep_members(json.root, to);
    json_close(&json);
    buf_fini(&answer);
    return good;
}

static void print_text(yyjson_val *root, const char *key, const char *label)
{
    yyjson_val *value = json_find(root, key);
    if (yyjson_is_str(value) && yyjson_get_len(value) > 0) {
        (void)printf("%-16s %s\n", label, yyjson_get_str(value));
    }
}

static void print_number(yyjson_val *root, const char *key, const char *label)
{
    (void)printf("%-16s %lld\n", label, (long long)yyjson_get_sint(json_find(root, key)));
}

static void print_catalog(yyjson_val *catalog)
{
    yyjson_val *refused = json_find(catalog, "refused");
    if (catalog == NULL || yyjson_is_null(catalog)) {
        return;
    }
    (void)printf("%-12s version %lld, %lld rows\n", "catalog",
                 (long long)yyjson_get_sint(json_find(catalog, "version")),
                 (long long)yyjson_get_sint(json_find(catalog, "rows")));
    if (yyjson_is_int(refused)) {
        (void)printf("%-12s version %lld of the catalog is not what was published; it is asked for"
                     " again\n",
                     "warning", (long long)yyjson_get_sint(refused));
    }
}

static void print_room(yyjson_val *room)
{
    size_t i, n;
    yyjson_val *kind;
    yyjson_arr_foreach(json_find(room, "warnings"), i, n, kind)
    {
        char key[32];
        const char *what = yyjson_is_str(kind) ? yyjson_get_str(kind) : "";
        (void)snprintf(key, sizeof key, "%.16s_percent", what);
        (void)printf("%-16s the %s is %lld %% used: when it is full, only sales are taken\n",
                     "warning", what, (long long)yyjson_get_sint(json_find(room, key)));
    }
    if (yyjson_is_true(json_find(room, "reserve"))) {
        (void)printf("%-16s the reserve is in use: only what finishes sales is taken\n", "warning");
    }
}

// What a person has to know of it before all else.
static void print_recovery(yyjson_val *recovery)
{
    char since[TIME_TEXT_SIZE];
    if (!yyjson_is_obj(recovery)) {
        return;
    }
    time_text_format(yyjson_get_sint(json_find(recovery, "since")), since);
    (void)printf("%-16s since %s: %s\n", "restored", since, RESTORED_TEXT);
    print_text(recovery, "why", "found because");
}

// How long events have waited here, and when something last reached the node above.
static void print_times(yyjson_val *root)
{
    int64_t oldest_ms = yyjson_get_sint(json_find(root, "oldest_pending_ms"));
    int64_t synced_at = yyjson_get_sint(json_find(root, "last_sync_at"));
    char synced[TIME_TEXT_SIZE] = "never";
    if (oldest_ms > 0) {
        (void)printf("%-16s for %.1f s\n", "oldest pending", (double)oldest_ms / 1000);
    } else {
        (void)printf("%-16s none\n", "oldest pending");
    }
    if (synced_at > 0) {
        time_text_format(synced_at, synced);
    }
    if (!yyjson_is_null(json_find(root, "upstream"))) {
        (void)printf("%-16s %s\n", "last sync", synced);
    }
}

static void print_people(yyjson_val *root, bool running)
{
    size_t i, n;
    yyjson_val *name, *lane;
    print_text(root, "role", "role");
    print_text(root, "device", "device");
    print_text(root, "location", "location");
    print_text(root, "upstream", "upstream");
    (void)printf("%-16s %s\n", "state",
                 !running                                     ? "not running"
                 : yyjson_get_bool(json_find(root, "online")) ? "online"
                                                              : "offline");
    if (yyjson_get_bool(json_find(root, "revoked"))) {
        (void)printf(
            "%-16s %s\n", "revoked",
            "by the centre: what it sells is kept, delivered, and waits there for a person");
    }
    print_recovery(json_find(root, "recovery"));
    yyjson_obj_foreach(json_find(root, "lanes"), i, n, name, lane)
    {
        (void)printf("%-16s pending %llu, held %llu, settled %llu\n", yyjson_get_str(name),
                     (unsigned long long)yyjson_get_uint(json_find(lane, "pending")),
                     (unsigned long long)yyjson_get_uint(json_find(lane, "held")),
                     (unsigned long long)yyjson_get_uint(json_find(lane, "settled")));
    }
    print_times(root);
    print_number(root, "conflicts", "conflicts");
    print_number(root, "reviews", "reviews");
    print_number(root, "dead_letters", "dead letters");
    (void)printf("%-16s %lld MiB\n", "disk free",
                 (long long)yyjson_get_sint(json_find(root, "disk_free_bytes")) / (1024 * 1024));
    print_room(json_find(root, "room"));
    print_catalog(json_find(root, "catalog"));
    (void)printf("%-16s %lld ms\n", "clock offset",
                 (long long)yyjson_get_sint(json_find(root, "clock_offset_ms")));
    print_text(root, "version", "version");
}

static enum err_code print(struct str text, bool as_json, bool running, struct err *e)
{
    struct json json = {0};
    if (as_json) {
        (void)printf("%.*s\n", STR_ARG(text));
        return ERR_OK;
    }
    enum err_code code = json_parse(text, STATUS_DEPTH, &json, e);
    if (code == ERR_OK) {
        print_people(json.root, running);
        json_close(&json);
    }
    return code;
}

static enum err_code run(int argc, char **argv, struct err *e)
{
    struct arguments a;
    struct access access;
    struct buf text;
    enum err_code code = arguments_parse(&spec, argc, argv, &a, e);
    if (code == ERR_OK) {
        code = access_open(a.positional[0], ACCESS_READ, &access, e);
    }
    if (code != ERR_OK) {
        return code;
    }
    buf_init(&text, STATUS_BYTES);
    bool running = ask_node(&access, &text);
    if (!running) {
        buf_reset(&text);
        code = read_store(&access, &text, e);
    }
    if (code == ERR_OK) {
        code = print(buf_str(&text), arguments_has(&a, 'j'), running, e);
    }
    buf_fini(&text);
    access_close(&access);
    return code;
}

const struct command command_status = {"status", "how a node is", run};
