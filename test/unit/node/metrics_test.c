// SPDX-License-Identifier: Apache-2.0
#include "node/metrics.h"
#include "test/unit/unit.h"

#include <string.h>

enum { TEXT_MAX = 64 * 1024 };

static const char *text_of(struct buf *text)
{
    assert_int_equal(buf_append(text, "", 1), ERR_OK);
    return text->data;
}

static void assert_has(const char *text, const char *line)
{
    if (strstr(text, line) == NULL)
        fail_msg("not there: %s", line);
}

TEST(metrics__are_written_exactly)
{
    struct metrics_sample sample = {.role = "terminal",
                                    .pending = {7, 0, 1},
                                    .oldest_pending_ms = 61005,
                                    .clock_offset_ms = -1250,
                                    .commit_us = {900, 1500, 1000001},
                                    .commit_sum_us = 2500000,
                                    .commit_count = 3};
    struct buf text;
    buf_init(&text, TEXT_MAX);
    assert_int_equal(metrics_write(&sample, &text), ERR_OK);
    const char *written = text_of(&text);
    assert_has(written, "wasl_node_info{role=\"terminal\",version=\"" WASL_VERSION "\"} 1\n");
    assert_has(written, "\nwasl_events_pending{lane=\"critical\"} 7\n");
    assert_has(written, "\nwasl_events_pending{lane=\"deferred\"} 1\n");
    assert_has(written, "\nwasl_oldest_pending_seconds 61.005\n");
    assert_has(written, "\nwasl_clock_offset_seconds -1.250\n");
    assert_has(written, "\nwasl_commit_seconds{quantile=\"0.99\"} 1.000001\n");
    assert_has(written, "\nwasl_commit_seconds_sum 2.500000\nwasl_commit_seconds_count 3\n");
    buf_fini(&text);
}

TEST(metrics__say_a_full_buffer)
{
    struct metrics_sample sample = {.role = "terminal"};
    struct buf text;
    buf_init(&text, 100);
    assert_int_equal(metrics_write(&sample, &text), ERR_LIMIT);
    buf_fini(&text);
}

TEST(metrics__have_a_name_a_type_and_a_reason_once)
{
    for (size_t i = 0; i < metric_count; i++) {
        bool total = strstr(metrics[i].name, "_total") != NULL;
        assert_memory_equal(metrics[i].name, "wasl_", 5);
        if (total != (metrics[i].type == METRIC_COUNTER))
            fail_msg("%s: counters, and no others, are named _total", metrics[i].name);
        assert_true(strlen(metrics[i].help) > 1 && strlen(metrics[i].why) > 1);
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(metrics[k].name, metrics[i].name);
    }
}
