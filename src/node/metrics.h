// SPDX-License-Identifier: Apache-2.0
// The table of metrics and their text form for Prometheus (exposition format 0.0.4).
//
// Why: name, meaning and reason of each number stand in one row; docs/METRICS.md is generated from
//   it. Numbers stay integers until they are written: seconds are written from ms or us exactly.
#ifndef WASL_NODE_METRICS_H
#define WASL_NODE_METRICS_H

#include "base/buf.h"
#include "model/event.h"

enum { METRICS_QUANTILES = 3 }; // 0.5, 0.9, 0.99

// One reading of everything; integers only, in the units that the table divides.
struct metrics_sample {
    const char *role;
    int64_t pending[LANE_COUNT], held[LANE_COUNT], settled[LANE_COUNT];
    int64_t oldest_pending_ms;
    int64_t last_sync_ms; // since 1970, 0: never
    int64_t online;
    int64_t clock_offset_ms;
    int64_t sessions;
    int64_t pages;
    int64_t connections;
    int64_t requests, refused;
    int64_t dead_letters, reviews, conflicts;
    int64_t writer_queue;
    int64_t commit_us[METRICS_QUANTILES]; // of the last one to two minutes
    int64_t commit_sum_us, commit_count;  // since the start
    int64_t fsync_us;
    int64_t memory_bytes, disk_free_bytes;
    int64_t disk_used, quota_used, outbox_used; // permille
    int64_t reserve;
};

enum metric_type { METRIC_GAUGE, METRIC_COUNTER, METRIC_SUMMARY };

struct metric {
    const char *name;
    enum metric_type type;
    const char *label; // "lane", "quantile", "role, version"; NULL: none
    size_t at;         // offset in struct metrics_sample
    size_t sum, count; // METRIC_SUMMARY: offsets of its sum and count
    int64_t divisor;   // what the reading is divided by to give the unit in the name
    const char *help;
    const char *why;
};
extern const struct metric metrics[];
extern const size_t metric_count;

const char *metric_type_name(enum metric_type type);
// Appends the whole text: HELP, TYPE and samples of each.
enum err_code metrics_write(const struct metrics_sample *sample, struct buf *to) MUST_CHECK;

#endif
