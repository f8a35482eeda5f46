// SPDX-License-Identifier: Apache-2.0
//
// A till syncs by itself; only what may wait for the night can be asked to go now.
#include "node/server_private.h"

enum { SYNC_ARENA = 64 * 1024 };

// False where it is not {"lanes":[...]} with names of lanes.
static bool read_lanes(yyjson_val *body, bool *ret_deferred)
{
    yyjson_val *list = json_find(body, "lanes");
    yyjson_arr_iter iter = yyjson_arr_iter_with(list);
    yyjson_val *item;
    *ret_deferred = false;
    if (!yyjson_is_arr(list) || yyjson_arr_size(list) == 0)
        return false;
    while ((item = yyjson_arr_iter_next(&iter)) != NULL) {
        enum lane lane;
        if (!yyjson_is_str(item) ||
            lane_parse(str_make(yyjson_get_str(item), yyjson_get_len(item)), &lane))
            return false;
        *ret_deferred = *ret_deferred || lane == LANE_DEFERRED;
    }
    return true;
}

static void answer(struct server *s, const struct http_request *request)
{
    struct server_live live;
    yyjson_mut_val *root;
    yyjson_mut_doc *doc = server_doc(&root);
    s->options.live(s->options.context, &live);
    if (doc)
        yyjson_mut_obj_add_bool(doc, root, "online", live.online);
    server_answer(s, request->id, 200, doc);
}

void api_sync_post(struct server *s, const struct http_request *request)
{
    struct arena arena;
    bool deferred = false;
    arena_init(&arena, SYNC_ARENA);
    yyjson_val *body = server_body(s, request, &arena);
    if (body && !read_lanes(body, &deferred)) {
        server_problem(s, request->id, 400,
                       "the body must be {\"lanes\": [...]} with critical, normal or deferred");
    } else if (body) {
        if (deferred)
            s->options.push(s->options.context);
        answer(s, request);
    }
    arena_fini(&arena);
}
