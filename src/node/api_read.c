// SPDX-License-Identifier: Apache-2.0
#include "node/capacity.h"
#include "node/catalog_json.h"
#include "node/server_private.h"

#include "base/clock.h"
#include "base/decimal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { READ_ARENA = 64 * 1024 * 1024, LIST_MAX = 1000, STOCK_MAX = 50000 };

static void add_str(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, struct str text)
{
    yyjson_mut_obj_add_strncpy(doc, object, key, text.p ? text.p : "", text.n);
}

// A moment that may never have come.
static void add_time(yyjson_mut_doc *doc, yyjson_mut_val *object, const char *key, int64_t ms)
{
    if (ms)
        yyjson_mut_obj_add_sint(doc, object, key, ms);
    else
        yyjson_mut_obj_add_null(doc, object, key);
}

void api_health_get(struct server *s, const struct http_request *request)
{
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = server_doc(&root);
    if (doc)
        yyjson_mut_obj_add_str(doc, root, "status", "ok");
    server_answer(s, request->id, 200, doc);
}

// ---- status -----------------------------------------------------------------------------------

static void add_lanes(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct store_counts *counts)
{
    yyjson_mut_val *lanes = yyjson_mut_obj_add_obj(doc, root, "lanes");
    for (int i = 0; i < LANE_COUNT; i++) {
        yyjson_mut_val *lane = yyjson_mut_obj_add_obj(doc, lanes, lane_name((enum lane)i));
        yyjson_mut_obj_add_uint(doc, lane, "pending", counts->pending[i]);
        yyjson_mut_obj_add_uint(doc, lane, "held", counts->held[i]);
        yyjson_mut_obj_add_uint(doc, lane, "settled", counts->settled[i]);
    }
}

static void add_identity(yyjson_mut_doc *doc, yyjson_mut_val *root, const struct server *s,
                         const struct server_live *live)
{
    const struct identity *who = journal_identity(s->options.journal);
    char device[UUID_TEXT_SIZE];
    uuid_format(&who->device, device);
    yyjson_mut_obj_add_str(doc, root, "role", node_role_name(who->role));
    yyjson_mut_obj_add_strcpy(doc, root, "device", device);
    yyjson_mut_obj_add_strcpy(doc, root, "location", who->location);
    if (live->upstream[0])
        yyjson_mut_obj_add_strcpy(doc, root, "upstream", live->upstream);
    else
        yyjson_mut_obj_add_null(doc, root, "upstream");
    yyjson_mut_obj_add_bool(doc, root, "online", live->online);
    yyjson_mut_obj_add_bool(doc, root, "revoked", live->revoked);
}

static yyjson_mut_doc *status_doc(struct server *s, const struct store_counts *counts,
                                  const struct store_room *room,
                                  const struct store_catalog *catalog,
                                  const struct restored *restored)
{
    struct server_live live = {0};
    s->options.live(s->options.context, &live);
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = server_doc(&root);
    if (doc == NULL)
        return NULL;
    int64_t last_sync =
        live.last_sync_at > counts->last_sync_at ? live.last_sync_at : counts->last_sync_at;
    int64_t oldest = counts->oldest_pending_at ? clock_wall_ms() - counts->oldest_pending_at : 0;
    add_identity(doc, root, s, &live);
    add_lanes(doc, root, counts);
    yyjson_mut_obj_add_sint(doc, root, "oldest_pending_ms", oldest > 0 ? oldest : 0);
    add_time(doc, root, "last_sync_at", last_sync);
    yyjson_mut_obj_add_uint(doc, root, "conflicts", counts->conflicts);
    yyjson_mut_obj_add_uint(doc, root, "reviews", counts->reviews);
    yyjson_mut_obj_add_uint(doc, root, "dead_letters", counts->dead_letters);
    yyjson_mut_obj_add_sint(doc, root, "disk_free_bytes", room->free_bytes);
    yyjson_mut_obj_add_sint(doc, root, "clock_offset_ms", live.clock_offset_ms);
    yyjson_mut_obj_add_str(doc, root, "version", WASL_VERSION);
    yyjson_mut_obj_add_sint(doc, root, "fsync_us", live.fsync_us);
    yyjson_mut_obj_add_uint(doc, root, "sessions", live.sessions);
    yyjson_mut_obj_add_sint(doc, root, "memory_bytes", api_memory_bytes());
    struct capacity full = capacity_of(s->options.config, room, counts->unsettled);
    yyjson_mut_obj_add_val(doc, root, "room", capacity_json(&full, doc));
    yyjson_mut_obj_add_val(doc, root, "catalog", catalog_json_status(catalog, doc));
    api_add_recovery(doc, root, restored);
    return doc;
}

int64_t api_memory_bytes(void)
{
    char line[128] = "";
    int64_t resident = 0; // in pages: the second number
    struct str piece;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f == NULL)
        return 0;
    struct str rest = str_of(fgets(line, sizeof(line), f));
    (void)fclose(f);
    if (!str_cut(&rest, ' ', &piece) || !str_cut(&rest, ' ', &piece) ||
        str_to_i64(piece, &resident) != ERR_OK)
        return 0;
    return resident * sysconf(_SC_PAGESIZE);
}

void api_status_get(struct server *s, const struct http_request *request)
{
    struct err e = {0};
    struct store_counts counts;
    struct store_room room;
    struct store_catalog catalog;
    struct restored restored;
    enum err_code code = store_counts(s->reader, &counts, &e);
    if (code == ERR_OK)
        code = server_room(s, &room, &e);
    if (code == ERR_OK)
        code = store_catalog(s->reader, &catalog, &e);
    if (code == ERR_OK)
        code = restored_read(s->reader, &restored, &e);
    if (code)
        server_problem_of(s, request->id, code, &e);
    else
        server_answer(s, request->id, 200, status_doc(s, &counts, &room, &catalog, &restored));
}

// ---- branches ---------------------------------------------------------------------------------

static void add_branch(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct branch_row *row,
                       int64_t offline_ms)
{
    int64_t now = clock_wall_ms();
    yyjson_mut_val *branch = yyjson_mut_arr_add_obj(doc, list);
    int64_t silent = row->last_seen_at ? now - row->last_seen_at : 0;
    bool online = row->devices_online > 0;
    add_str(doc, branch, "branch_id", row->id);
    add_str(doc, branch, "branch_name", row->name);
    add_str(doc, branch, "region", row->region);
    add_time(doc, branch, "last_synced_at", row->last_synced_at);
    yyjson_mut_obj_add_uint(doc, branch, "pending_events", row->pending);
    yyjson_mut_obj_add_uint(doc, branch, "conflict_count", row->conflicts);
    if (row->last_synced_at)
        yyjson_mut_obj_add_sint(doc, branch, "minutes_since_sync",
                                (now - row->last_synced_at) / 60000);
    else
        yyjson_mut_obj_add_null(doc, branch, "minutes_since_sync");
    int64_t oldest = row->oldest_pending_at ? now - row->oldest_pending_at : 0;
    oldest = oldest > 0 ? oldest : 0; // its clock may be ahead
    yyjson_mut_obj_add_sint(doc, branch, "behind_seconds", oldest / 1000);
    yyjson_mut_obj_add_bool(doc, branch, "online", online);
    yyjson_mut_obj_add_uint(doc, branch, "dead_letters", row->dead_letters);
    yyjson_mut_obj_add_sint(doc, branch, "oldest_pending_ms", oldest);
    add_time(doc, branch, "last_seen_at", row->last_seen_at);
    yyjson_mut_obj_add_uint(doc, branch, "devices", row->devices);
    yyjson_mut_obj_add_uint(doc, branch, "devices_online", row->devices_online);
    if (row->catalog_version)
        yyjson_mut_obj_add_uint(doc, branch, "catalog_version", row->catalog_version);
    else
        yyjson_mut_obj_add_null(doc, branch, "catalog_version");
    yyjson_mut_obj_add_bool(doc, branch, "offline",
                            row->devices > 0 && !online && silent > offline_ms);
}

void api_branches_get(struct server *s, const struct http_request *request)
{
    struct arena arena;
    struct err e = {0};
    struct branch_list list;
    arena_init(&arena, READ_ARENA);
    enum err_code code = store_branches(s->reader, &arena, &list, &e);
    if (code) {
        server_problem_of(s, request->id, code, &e);
    } else {
        yyjson_mut_val *root;
        yyjson_mut_doc *doc = server_doc(&root);
        yyjson_mut_val *branches = doc ? yyjson_mut_obj_add_arr(doc, root, "branches") : NULL;
        for (size_t i = 0; doc && i < list.count; i++)
            add_branch(doc, branches, &list.items[i], s->options.config->offline_ms);
        if (doc)
            yyjson_mut_obj_add_sint(doc, root, "as_of", clock_wall_ms());
        server_answer(s, request->id, 200, doc);
    }
    arena_fini(&arena);
}

// ---- stock ------------------------------------------------------------------------------------

// What is looked up for a row is of the same moment as the row: its query is open meanwhile.
struct stock_list {
    struct store *store;
    int64_t now_ms;
    yyjson_mut_doc *doc;
    yyjson_mut_val *list, *seen;
    char location[LIMIT_NAME + 1]; // of the last row
    size_t count;
    bool complete;
    enum err_code code;
};

// Up to where this node has seen the feed of a place, for events about what is shown here.
static void add_seen(struct stock_list *to, struct str location)
{
    struct event_seen seen;
    char feed[UUID_TEXT_SIZE];
    if (str_is(location, to->location) || str_copy(to->location, sizeof to->location, location))
        return;
    to->code = store_feed_seen(to->store, location, &seen, NULL);
    if (to->code || uuid_is_zero(&seen.feed))
        return;
    uuid_format(&seen.feed, feed);
    yyjson_mut_val *item = yyjson_mut_arr_add_obj(to->doc, to->seen);
    add_str(to->doc, item, "location", location);
    yyjson_mut_obj_add_strcpy(to->doc, item, "feed", feed);
    yyjson_mut_obj_add_uint(to->doc, item, "position", seen.position);
}

static bool add_stock(void *context, const struct stock_row *row)
{
    struct stock_list *to = context;
    char quantity[DECIMAL_TEXT_MAX], kept[DECIMAL_TEXT_MAX];
    int64_t kept_now = 0;
    to->complete = to->count++ < STOCK_MAX;
    if (!to->complete)
        return false;
    add_seen(to, row->location);
    if (to->code == ERR_OK)
        to->code = store_kept_of(to->store, row->location, row->sku, to->now_ms, &kept_now, NULL);
    yyjson_mut_val *item = yyjson_mut_arr_add_obj(to->doc, to->list);
    decimal_format(row->quantity, quantity);
    decimal_format(kept_now, kept);
    add_str(to->doc, item, "location", row->location);
    add_str(to->doc, item, "sku", row->sku);
    yyjson_mut_obj_add_strcpy(to->doc, item, "quantity", quantity);
    yyjson_mut_obj_add_strcpy(to->doc, item, "kept", kept);
    return to->code == ERR_OK;
}

void api_stock_get(struct server *s, const struct http_request *request)
{
    char location[4 * LIMIT_NAME];
    char sku[4 * LIMIT_NAME];
    if (!server_query(s, request, "location", location, sizeof(location)) ||
        !server_query(s, request, "sku", sku, sizeof(sku)))
        return;
    struct err e = {0};
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = server_doc(&root);
    struct stock_list to = {.store = s->reader,
                            .now_ms = clock_wall_ms(),
                            .doc = doc,
                            .list = doc ? yyjson_mut_obj_add_arr(doc, root, "stock") : NULL,
                            .seen = doc ? yyjson_mut_obj_add_arr(doc, root, "seen") : NULL,
                            .complete = true};
    enum err_code code =
        doc ? store_stock_each(s->reader, str_of(location), str_of(sku), add_stock, &to, &e)
            : ERR_NO_MEMORY;
    if (code == ERR_OK)
        code = to.code;
    if (code == ERR_OK) {
        yyjson_mut_obj_add_bool(doc, root, "complete", to.complete);
        server_answer(s, request->id, 200, doc);
        return;
    }
    yyjson_mut_doc_free(doc);
    server_problem_of(s, request->id, code, &e);
}

// ---- questions --------------------------------------------------------------------------------

void api_add_review(yyjson_mut_doc *doc, yyjson_mut_val *list, const struct review *review,
                    struct arena *arena)
{
    yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
    struct json detail = {0};
    yyjson_mut_obj_add_sint(doc, item, "id", review->number);
    add_str(doc, item, "kind", review->kind);
    add_str(doc, item, "record", review->record);
    add_str(doc, item, "location", review->location);
    add_str(doc, item, "text", review->text);
    if (json_parse_in(arena, review->detail, LIMIT_EVENT_DEPTH, &detail, NULL) == ERR_OK)
        yyjson_mut_obj_add_val(doc, item, "detail", yyjson_val_mut_copy(doc, detail.root));
    yyjson_mut_obj_add_sint(doc, item, "opened_at", review->opened_at);
    yyjson_mut_obj_add_bool(doc, item, "open", review->open);
}

void api_reviews_get(struct server *s, const struct http_request *request)
{
    struct arena arena;
    struct err e = {0};
    struct review_list list;
    arena_init(&arena, READ_ARENA);
    enum err_code code = store_reviews(s->reader, true, LIST_MAX, &arena, &list, &e);
    if (code) {
        server_problem_of(s, request->id, code, &e);
    } else {
        yyjson_mut_val *root;
        yyjson_mut_doc *doc = server_doc(&root);
        yyjson_mut_val *reviews = doc ? yyjson_mut_obj_add_arr(doc, root, "reviews") : NULL;
        for (size_t i = 0; doc && i < list.count; i++)
            api_add_review(doc, reviews, &list.items[i], &arena);
        server_answer(s, request->id, 200, doc);
    }
    arena_fini(&arena);
}

static void add_dead_letter(yyjson_mut_doc *doc, yyjson_mut_val *list,
                            const struct dead_letter *letter)
{
    yyjson_mut_val *item = yyjson_mut_arr_add_obj(doc, list);
    char id[UUID_TEXT_SIZE];
    uuid_format(&letter->id, id);
    yyjson_mut_obj_add_sint(doc, item, "lsn", letter->lsn);
    yyjson_mut_obj_add_strcpy(doc, item, "id", id);
    add_str(doc, item, "type", letter->type);
    add_str(doc, item, "location", letter->location);
    add_str(doc, item, "reason", letter->reason);
    yyjson_mut_obj_add_sint(doc, item, "since", letter->since);
}

void api_dead_letters_get(struct server *s, const struct http_request *request)
{
    struct arena arena;
    struct err e = {0};
    struct dead_letter_list list;
    arena_init(&arena, READ_ARENA);
    enum err_code code = store_dead_letters(s->reader, LIST_MAX, &arena, &list, &e);
    if (code) {
        server_problem_of(s, request->id, code, &e);
    } else {
        yyjson_mut_val *root;
        yyjson_mut_doc *doc = server_doc(&root);
        yyjson_mut_val *letters = doc ? yyjson_mut_obj_add_arr(doc, root, "dead_letters") : NULL;
        for (size_t i = 0; doc && i < list.count; i++)
            add_dead_letter(doc, letters, &list.items[i]);
        server_answer(s, request->id, 200, doc);
    }
    arena_fini(&arena);
}

struct retry_job {
    struct job job;
    struct server *server;
    struct http_id id;
    uint64_t folded, left;
};

static enum err_code run_retry(struct job *base, struct journal *j, struct err *e)
{
    struct retry_job *job = (struct retry_job *)base;
    return store_dead_letters_retry(journal_store(j), &job->folded, &job->left, e);
}

static void done_retry(struct job *base)
{
    struct retry_job *job = (struct retry_job *)base;
    if (base->code) {
        server_problem_of(job->server, job->id, base->code, &base->error);
    } else {
        yyjson_mut_val *root;
        yyjson_mut_doc *doc = server_doc(&root);
        if (doc) {
            yyjson_mut_obj_add_uint(doc, root, "folded", job->folded);
            yyjson_mut_obj_add_uint(doc, root, "left", job->left);
        }
        server_answer(job->server, job->id, 200, doc);
    }
    free(job);
}

void api_dead_letters_retry_post(struct server *s, const struct http_request *request)
{
    struct retry_job *job = calloc(1, sizeof(*job));
    enum err_code code = ERR_NO_MEMORY;
    if (job) {
        *job = (struct retry_job){
            .job = {.run = run_retry, .done = done_retry}, .server = s, .id = request->id};
        code = writer_post(s->options.writer, &job->job);
    }
    if (code == ERR_OK)
        return;
    free(job);
    server_not_taken(s, request->id, code);
}
