// SPDX-License-Identifier: Apache-2.0
#include "node/metrics.h"

#include <string.h>

enum { MS = 1000, US = 1000000 };

#define AT(field) offsetof(struct metrics_sample, field)

#define ROW(name_, type_, label_, field_, divisor_, help_, why_)                                   \
    {                                                                                              \
        .name = name_, .type = METRIC_##type_, .label = label_, .at = AT(field_),                  \
        .divisor = divisor_, .help = help_, .why = why_                                            \
    }

const struct metric metrics[] = {
    ROW("wasl_node_info", GAUGE, "role, version", role, 0, "1, with the node's role and version",
        "shows which nodes still run an old version"),
    ROW("wasl_events_pending", GAUGE, "lane", pending, 1,
        "events that are durable here and nowhere else",
        "what would be lost with this disk: alert when it grows for an hour"),
    ROW("wasl_events_held", GAUGE, "lane", held, 1,
        "events that the next hop holds and the centre has not settled",
        "stays above zero while a hub is cut off from the centre"),
    ROW("wasl_events_settled", GAUGE, "lane", settled, 1, "events that the centre has settled",
        "its rate is the chain's throughput"),
    ROW("wasl_oldest_pending_seconds", GAUGE, NULL, oldest_pending_ms, MS,
        "age of the oldest pending event", "the true lag: a count says nothing about how late"),
    ROW("wasl_last_sync_timestamp_seconds", GAUGE, NULL, last_sync_ms, MS,
        "when something was last acknowledged, seconds since 1970; 0 when never",
        "time() minus this is how long a node has been alone"),
    ROW("wasl_online", GAUGE, NULL, online, 1,
        "1 while the session with the node above is live; always 1 at the centre",
        "tells a cut line from a quiet shop"),
    ROW("wasl_clock_offset_seconds", GAUGE, NULL, clock_offset_ms, MS,
        "what the clock above is ahead of this one",
        "beyond 300 the clock is not followed, and people should look"),
    ROW("wasl_sessions", GAUGE, NULL, sessions, 1, "devices connected here",
        "a drop means a cut line or an expired certificate"),
    ROW("wasl_live_pages", GAUGE, NULL, pages, 1, "pages that listen at /api/v1/live",
        "at most 256; beyond it pages poll"),
    ROW("wasl_http_connections", GAUGE, NULL, connections, 1, "open HTTP connections",
        "finds clients that never close"),
    ROW("wasl_http_requests_total", COUNTER, NULL, requests, 1, "complete requests received",
        "the load by people and integrators"),
    ROW("wasl_http_refused_total", COUNTER, NULL, refused, 1,
        "requests answered with a problem; malformed ones that never became a request are not "
        "counted",
        "a jump is a broken client or somebody who guesses"),
    ROW("wasl_dead_letters", GAUGE, NULL, dead_letters, 1,
        "events with an unknown type or a bad body, kept and not folded",
        "above zero: a node below is newer than this one, or has a bug"),
    ROW("wasl_reviews_open", GAUGE, NULL, reviews, 1, "questions that wait for a person",
        "people forget what nobody shows them"),
    ROW("wasl_conflicts", GAUGE, NULL, conflicts, 1,
        "open questions about two contents for one id or record",
        "each is a sale or a count that somebody must decide"),
    ROW("wasl_writer_queue_jobs", GAUGE, NULL, writer_queue, 1, "jobs that wait for the writer",
        "near 65536 clients get 429: the disk is too slow for the load"),
    {.name = "wasl_commit_seconds",
     .type = METRIC_SUMMARY,
     .label = "quantile",
     .at = AT(commit_us),
     .sum = AT(commit_sum_us),
     .count = AT(commit_count),
     .divisor = US,
     .help = "time of one group commit; quantiles over the last one to two minutes",
     .why = "every acknowledged sale waits for one"},
    ROW("wasl_fsync_seconds", GAUGE, NULL, fsync_us, US, "one fsync, measured at the start",
        "the floor under every commit: tells a slow disk from a slow program"),
    ROW("wasl_memory_bytes", GAUGE, NULL, memory_bytes, 1, "resident memory of the process",
        "a till has little; growth over days is a leak"),
    ROW("wasl_disk_free_bytes", GAUGE, NULL, disk_free_bytes, 1,
        "free bytes of the file system that holds the store", "alert while there is time to act"),
    ROW("wasl_disk_used_ratio", GAUGE, NULL, disk_used, MS,
        "share of that file system that is used", "people are warned from [store] warn_percent on"),
    ROW("wasl_quota_used_ratio", GAUGE, NULL, quota_used, MS,
        "share of [store] max_bytes that holds something; 0 without a quota",
        "what was pruned counts as free again"),
    ROW("wasl_outbox_used_ratio", GAUGE, NULL, outbox_used, MS,
        "events that the centre has not settled, of [store] outbox_events",
        "a till that has been alone for too long"),
    ROW("wasl_reserve", GAUGE, NULL, reserve, 1,
        "1 while only what finishes sales is taken: disk, quota or outbox is full",
        "stock cannot be received or counted there: somebody must make room"),
};
const size_t metric_count = sizeof(metrics) / sizeof(metrics[0]);

static const char *const quantile_names[METRICS_QUANTILES] = {"0.5", "0.9", "0.99"};

const char *metric_type_name(enum metric_type type)
{
    static const char *const names[] = {"gauge", "counter", "summary"};
    return names[type];
}

// ---- writing -----------------------------------------------------------------------------------

static int64_t read_at(const struct metrics_sample *sample, size_t at, size_t i)
{
    int64_t value;
    memcpy(&value, (const char *)sample + at + i * sizeof(value), sizeof(value));
    return value;
}

// Exact: 1234 ms is 1.234.
static enum err_code write_value(struct buf *to, int64_t value, int64_t divisor)
{
    if (divisor == 1)
        return buf_append_format(to, " %lld\n", (long long)value);
    uint64_t part = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    return buf_append_format(to, " %s%llu.%0*llu\n", value < 0 ? "-" : "",
                             (unsigned long long)(part / (uint64_t)divisor), divisor == MS ? 3 : 6,
                             (unsigned long long)(part % (uint64_t)divisor));
}

static enum err_code write_row(struct buf *to, const struct metric *metric, const char *label,
                               int64_t value)
{
    enum err_code code = buf_append_str(to, str_of(metric->name));
    if (code == ERR_OK && label)
        code = buf_append_format(to, "{%s=\"%s\"}", metric->label, label);
    return code ? code : write_value(to, value, metric->divisor);
}

static enum err_code write_summary(struct buf *to, const struct metric *metric,
                                   const struct metrics_sample *sample)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < METRICS_QUANTILES; i++)
        code = write_row(to, metric, quantile_names[i], read_at(sample, metric->at, i));
    if (code == ERR_OK)
        code = buf_append_format(to, "%s_sum", metric->name);
    if (code == ERR_OK)
        code = write_value(to, read_at(sample, metric->sum, 0), metric->divisor);
    if (code == ERR_OK)
        code = buf_append_format(to, "%s_count", metric->name);
    return code ? code : write_value(to, read_at(sample, metric->count, 0), 1);
}

static enum err_code write_samples(struct buf *to, const struct metric *metric,
                                   const struct metrics_sample *sample)
{
    enum err_code code = ERR_OK;
    if (metric->type == METRIC_SUMMARY)
        return write_summary(to, metric, sample);
    if (metric->divisor == 0)
        return buf_append_format(to, "%s{role=\"%s\",version=\"%s\"} 1\n", metric->name,
                                 sample->role, WASL_VERSION);
    if (metric->label == NULL)
        return write_row(to, metric, NULL, read_at(sample, metric->at, 0));
    for (size_t i = 0; code == ERR_OK && i < LANE_COUNT; i++)
        code = write_row(to, metric, lane_name((enum lane)i), read_at(sample, metric->at, i));
    return code;
}

enum err_code metrics_write(const struct metrics_sample *sample, struct buf *to)
{
    enum err_code code = ERR_OK;
    for (size_t i = 0; code == ERR_OK && i < metric_count; i++) {
        const struct metric *metric = &metrics[i];
        code = buf_append_format(to, "# HELP %s %s\n# TYPE %s %s\n", metric->name, metric->help,
                                 metric->name, metric_type_name(metric->type));
        if (code == ERR_OK)
            code = write_samples(to, metric, sample);
    }
    return code;
}
