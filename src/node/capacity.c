// SPDX-License-Identifier: Apache-2.0
#include "node/capacity.h"

const char *capacity_name(enum capacity_kind kind)
{
    static const char *const names[] = {"disk", "quota", "outbox"};
    return names[kind];
}

static int64_t permille(int64_t used, int64_t all)
{
    if (all <= 0 || used <= 0)
        return 0;
    return used < INT64_MAX / 1000 ? used * 1000 / all : used / (all / 1000 + 1);
}

struct capacity capacity_of(const struct config *config, const struct store_room *room,
                            uint64_t unsettled)
{
    bool sends = config->upstream_count > 0;
    int64_t waiting = sends && unsettled <= INT64_MAX ? (int64_t)unsettled : 0;
    struct capacity c = {.reserve = room->reserve || (sends && waiting >= config->outbox_events)};
    c.used_permille[CAPACITY_DISK] =
        permille(room->disk_bytes - room->free_bytes, room->disk_bytes);
    c.used_permille[CAPACITY_QUOTA] = permille(room->used_bytes, room->max_bytes);
    c.used_permille[CAPACITY_OUTBOX] = permille(waiting, config->outbox_events);
    for (int i = 0; i < CAPACITY_KINDS; i++)
        c.warns[i] = c.used_permille[i] >= config->warn_percent * 10;
    return c;
}

yyjson_mut_val *capacity_json(const struct capacity *c, yyjson_mut_doc *doc)
{
    static const char *const keys[] = {"disk_percent", "quota_percent", "outbox_percent"};
    yyjson_mut_val *room = yyjson_mut_obj(doc);
    yyjson_mut_val *warnings = yyjson_mut_arr(doc);
    bool ok = yyjson_mut_obj_add_bool(doc, room, "reserve", c->reserve) &&
              yyjson_mut_obj_add_val(doc, room, "warnings", warnings);
    for (int i = 0; i < CAPACITY_KINDS; i++) {
        ok = ok && yyjson_mut_obj_add_sint(doc, room, keys[i], c->used_permille[i] / 10);
        if (c->warns[i])
            ok = ok && yyjson_mut_arr_add_str(doc, warnings, capacity_name((enum capacity_kind)i));
    }
    return ok ? room : NULL;
}
