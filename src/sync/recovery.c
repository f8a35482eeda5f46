// SPDX-License-Identifier: Apache-2.0
#include "sync/recovery.h"

static uint64_t time_of(const struct uuid *id)
{
    uint64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id->b[i];
    return ms;
}

static bool knows_later(const struct recovery_view *server, const struct message_hello *hello)
{
    return uuid_compare(&hello->recovery, server->recovery) > 0 &&
           time_of(&hello->recovery) <= server->now_ms + RECOVERY_AHEAD_MS;
}

const char *recovery_found(const struct recovery_view *server, const struct message_hello *hello)
{
    if (knows_later(server, hello))
        return "a device knows of a later recovery";
    if (!uuid_equal(&hello->recovery, server->recovery))
        return NULL; // it is told, and then names everything
    for (size_t i = 0; i < server->feed_count; i++) {
        if (server->feeds[i] == FEED_LOST)
            return "a device was fed what its feed has not any more";
    }
    for (size_t i = 0; i < hello->count; i++) {
        if (hello->streams[i].settled > server->marks[i].settled)
            return "more was settled of a device than is here";
    }
    return NULL;
}

struct uuid recovery_next(const struct recovery_view *server, const struct message_hello *hello,
                          const uint8_t random[10])
{
    struct uuid_maker maker = {.last_ms = time_of(server->recovery)};
    if (knows_later(server, hello))
        maker.last_ms = time_of(&hello->recovery);
    maker.last_ms += !uuid_is_zero(server->recovery) || knows_later(server, hello);
    return uuid_make_v7(&maker, server->now_ms, random);
}
