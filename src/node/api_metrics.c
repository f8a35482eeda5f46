// SPDX-License-Identifier: Apache-2.0
#include "node/capacity.h"
#include "node/metrics.h"
#include "node/server_private.h"

#include "base/clock.h"
#include "base/hist.h"

enum { METRICS_MAX = 64 * 1024 };

static void read_store(const struct store_counts *counts, struct metrics_sample *to)
{
    for (int i = 0; i < LANE_COUNT; i++) {
        to->pending[i] = (int64_t)counts->pending[i];
        to->held[i] = (int64_t)counts->held[i];
        to->settled[i] = (int64_t)counts->settled[i];
    }
    int64_t oldest = counts->oldest_pending_at ? clock_wall_ms() - counts->oldest_pending_at : 0;
    to->oldest_pending_ms = oldest > 0 ? oldest : 0;
    to->last_sync_ms = counts->last_sync_at;
    to->dead_letters = (int64_t)counts->dead_letters;
    to->reviews = (int64_t)counts->reviews;
    to->conflicts = (int64_t)counts->conflicts;
}

static void read_live(const struct server *s, struct metrics_sample *to)
{
    struct server_live live = {0};
    s->options.live(s->options.context, &live);
    if (live.last_sync_at > to->last_sync_ms)
        to->last_sync_ms = live.last_sync_at;
    to->online = live.online;
    to->clock_offset_ms = live.clock_offset_ms;
    to->sessions = (int64_t)live.sessions;
    to->fsync_us = live.fsync_us;
}

static void read_writer(const struct server *s, struct metrics_sample *to)
{
    static const double quantiles[METRICS_QUANTILES] = {0.5, 0.9, 0.99};
    struct writer_stats stats;
    writer_read_stats(s->options.writer, &stats);
    for (size_t i = 0; i < METRICS_QUANTILES; i++)
        to->commit_us[i] = (int64_t)hist_quantile(&stats.recent, quantiles[i]);
    to->commit_sum_us = (int64_t)stats.sum_us;
    to->commit_count = (int64_t)stats.count;
    to->writer_queue = (int64_t)writer_queued(s->options.writer);
}

static void read_room(const struct server *s, const struct store_counts *counts,
                      const struct store_room *room, struct metrics_sample *to)
{
    struct capacity c = capacity_of(s->options.config, room, counts->unsettled);
    to->disk_free_bytes = room->free_bytes;
    to->disk_used = c.used_permille[CAPACITY_DISK];
    to->quota_used = c.used_permille[CAPACITY_QUOTA];
    to->outbox_used = c.used_permille[CAPACITY_OUTBOX];
    to->reserve = c.reserve;
}

static enum err_code read_all(struct server *s, struct metrics_sample *to, struct err *e)
{
    struct store_counts counts;
    struct store_room room;
    enum err_code code = store_counts(s->reader, &counts, e);
    if (code == ERR_OK)
        code = server_room(s, &room, e);
    if (code)
        return code;
    to->role = node_role_name(s->options.config->role);
    read_store(&counts, to);
    read_room(s, &counts, &room, to);
    read_live(s, to);
    read_writer(s, to);
    to->pages = (int64_t)api_live_count(s->live);
    to->connections = (int64_t)http_server_conns(s->http);
    to->requests = (int64_t)s->requests;
    to->refused = (int64_t)s->refused;
    to->memory_bytes = api_memory_bytes();
    return ERR_OK;
}

void api_metrics_get(struct server *s, const struct http_request *request)
{
    struct metrics_sample sample = {.role = NULL};
    struct err e = {0};
    struct buf text;
    buf_init(&text, METRICS_MAX);
    enum err_code code = read_all(s, &sample, &e);
    if (code == ERR_OK)
        code = metrics_write(&sample, &text);
    if (code)
        server_problem_of(s, request->id, code, &e);
    else
        server_answer_text(s, request->id, "text/plain; version=0.0.4; charset=utf-8",
                           buf_str(&text));
    buf_fini(&text);
}
