// SPDX-License-Identifier: Apache-2.0
#include "sync/overlay.h"
#include "test/unit/sync/sample.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>

static struct overlay *overlay;
static struct stream_key one, two;
static char changed[256]; // the SKUs that were named, in order

static void begin(void)
{
    overlay_free(overlay);
    overlay = NULL;
    assert_int_equal(overlay_new(&overlay), ERR_OK);
    one = (struct stream_key){sample_id(4, 1), LANE_CRITICAL};
    two = (struct stream_key){sample_id(4, 2), LANE_CRITICAL};
    changed[0] = '\0';
}

static void finish(void)
{
    overlay_free(overlay);
    overlay = NULL;
}

static void add(const struct stream_key *key, uint64_t seq, const char *sku, int64_t delta)
{
    struct uuid id = sample_id(5, (uint32_t)seq);
    assert_int_equal(overlay_add(overlay, key, seq, &id, str_of(sku), delta), ERR_OK);
}

static void note_change(void *context, struct str sku)
{
    assert_ptr_equal(context, changed);
    size_t n = strlen(changed);
    (void)snprintf(changed + n, sizeof changed - n, "%.*s ", STR_ARG(sku));
}

static void include(const struct stream_key *key, uint64_t seq, struct uuid *except, size_t count)
{
    struct message_include i = {*key, seq, except, count};
    changed[0] = '\0';
    overlay_include(overlay, &i, note_change, changed);
}

static int64_t sum(const char *sku)
{
    return overlay_sum(overlay, str_of(sku));
}

TEST(overlay__sums_what_the_feed_does_not_include)
{
    begin();
    add(&one, 1, "A", -5);
    add(&one, 2, "A", -3);
    add(&one, 2, "B", 7);
    add(&two, 1, "A", 100);
    assert_int_equal(sum("A"), 92);
    assert_int_equal(sum("B"), 7);
    assert_int_equal(sum("C"), 0);
    assert_int_equal(overlay_count(overlay), 4);
    include(&one, 1, NULL, 0);
    assert_int_equal(sum("A"), 97);
    assert_string_equal(changed, "A ");
    include(&one, 1, NULL, 0); // the same again changes nothing
    assert_int_equal(sum("A"), 97);
    assert_string_equal(changed, "");
    include(&one, 9, NULL, 0);
    assert_string_equal(changed, "A B ");
    assert_int_equal(sum("A"), 100);
    assert_int_equal(sum("B"), 0);
    assert_int_equal(overlay_count(overlay), 1);
    finish();
}

TEST(overlay__keeps_what_was_not_folded)
{
    begin();
    struct uuid except[2] = {sample_id(5, 2), sample_id(5, 4)};
    for (uint64_t seq = 1; seq <= 4; seq++) {
        add(&one, seq, "A", 1);
    }
    include(&one, 4, except, 2);
    assert_int_equal(sum("A"), 2);
    add(&one, 5, "A", 1);
    include(&one, 5, except, 1); // 4 was folded meanwhile
    assert_int_equal(sum("A"), 1);
    include(&one, 5, NULL, 0);
    assert_int_equal(sum("A"), 0);
    assert_int_equal(overlay_count(overlay), 0);
    add(&one, 6, "A", 3); // the queue's end is still right
    assert_int_equal(sum("A"), 3);
    finish();
}

TEST(overlay__knows_streams_and_lanes_apart)
{
    begin();
    struct stream_key normal = {one.origin, LANE_NORMAL};
    add(&one, 1, "A", 1);
    add(&normal, 1, "A", 10);
    include(&normal, 1, NULL, 0);
    assert_int_equal(sum("A"), 1);
    include(&two, 1, NULL, 0); // never seen
    assert_int_equal(sum("A"), 1);
    finish();
}

TEST(overlay__finds_skus_among_thousands)
{
    begin();
    char sku[32];
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(sku, sizeof sku, "SKU-%d", i);
        add(&one, (uint64_t)i + 1, sku, i);
    }
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(sku, sizeof sku, "SKU-%d", i);
        assert_int_equal(sum(sku), i);
    }
    include(&one, 2500, NULL, 0);
    assert_int_equal(sum("SKU-2499"), 0);
    assert_int_equal(sum("SKU-2500"), 2500);
    assert_int_equal(overlay_count(overlay), 2500);
    finish();
}

TEST(overlay__never_overflows_and_comes_back)
{
    begin();
    for (uint64_t seq = 1; seq <= 3; seq++) {
        add(&one, seq, "A", INT64_MAX);
    }
    include(&one, 2, NULL, 0);
    assert_int_equal(sum("A"), INT64_MAX);
    finish();
}

TEST(overlay__survives_every_failing_allocation)
{
    for (unsigned n = 0;; n++) {
        struct overlay *o = NULL;
        struct uuid id = sample_id(5, 1);
        struct stream_key key = {sample_id(4, 1), LANE_CRITICAL};
        unit_alloc_fail(n);
        enum err_code code = overlay_new(&o);
        if (code == ERR_OK) {
            code = overlay_add(o, &key, 1, &id, STR("A"), 5);
        }
        bool failed = unit_alloc_end();
        assert_int_equal(code, failed ? ERR_NO_MEMORY : ERR_OK);
        if (o) {
            assert_int_equal(overlay_sum(o, STR("A")), failed ? 0 : 5);
            assert_int_equal(overlay_count(o), failed ? 0 : 1);
        }
        overlay_free(o);
        if (!failed) {
            break;
        }
    }
}
