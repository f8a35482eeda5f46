// SPDX-License-Identifier: Apache-2.0
#include "sync/overlay.h"
#include "test/unit/sync/sample.h"
#include "test/unit/unit.h"

#include <malloc.h>
#include <stdio.h>
#include <string.h>

static struct overlay *overlay;
static struct arena arena;
static char changed[256]; // the SKUs that were named, in order

static void begin(void)
{
    overlay_free(overlay);
    overlay = NULL;
    assert_int_equal(overlay_new(&overlay), ERR_OK);
    arena_fini(&arena);
    arena_init(&arena, 16 << 20);
    changed[0] = '\0';
}

static void finish(void)
{
    overlay_free(overlay);
    overlay = NULL;
}

static enum err_code note_change(void *context, struct str sku)
{
    assert_ptr_equal(context, changed);
    size_t n = strlen(changed);
    (void)snprintf(changed + n, sizeof changed - n, "%.*s ", STR_ARG(sku));
    return ERR_OK;
}

// Event i of the sample: a ticket of two coffees, then a wasted cake.
static enum err_code apply(int i, int turn)
{
    struct event event;
    struct overlay_change change = {turn, note_change, changed};
    assert_int_equal(event_parse(sample()->events[i], &arena, &event, NULL), ERR_OK);
    return overlay_apply(overlay, &event, &change, &arena);
}

static int64_t sum(const char *sku)
{
    return overlay_sum(overlay, str_of(sku));
}

TEST(overlay__sums_what_own_events_do_beside_the_feed)
{
    begin();
    assert_int_equal(overlay_move(overlay, STR("COFFEE"), -50000), ERR_OK); // as it was stored
    assert_int_equal(apply(1, 1), ERR_OK);
    assert_int_equal(apply(2, 1), ERR_OK);
    assert_int_equal(sum("COFFEE"), -70000);
    assert_int_equal(sum("CAKE"), -10000);
    assert_int_equal(sum("TEA"), 0);
    assert_string_equal(changed, "COFFEE CAKE ");
    assert_int_equal(apply(1, 0), ERR_OK); // stays where it is
    assert_int_equal(sum("COFFEE"), -70000);
    assert_int_equal(apply(1, -1), ERR_OK);
    assert_int_equal(sum("COFFEE"), -50000);
    assert_int_equal(apply(0, 1), ERR_OK); // run_started moves nothing
    assert_string_equal(changed, "COFFEE CAKE COFFEE ");
    finish();
}

TEST(overlay__an_event_that_no_reducer_can_read_moves_nothing)
{
    begin();
    struct event event;
    struct overlay_change change = {1, note_change, changed};
    assert_int_equal(event_parse(sample()->events[2], &arena, &event, NULL), ERR_OK);
    event.version = 99;
    assert_int_equal(overlay_apply(overlay, &event, &change, &arena), ERR_OK);
    event.type = NULL;
    assert_int_equal(overlay_apply(overlay, &event, &change, &arena), ERR_OK);
    assert_string_equal(changed, "");
    finish();
}

TEST(overlay__shows_an_event_until_it_is_included_and_not_set_apart)
{
    // What is included and whether it is set apart, before and after, of the event with seq 5.
    static const struct {
        struct overlay_mark before, after;
        int turn;
    } cases[] = {
        {{4, false}, {5, false}, -1}, // included
        {{0, false}, {9, false}, -1}, {{4, false}, {4, false}, 0},
        {{5, false}, {6, false}, 0},  {{4, false}, {5, true}, 0},  // ... but not folded there
        {{5, true}, {7, true}, 0},    {{5, true}, {5, false}, -1}, // folded after all
        {{5, false}, {5, true}, 1},                                // taken back there
        {{4, true}, {5, false}, -1},  {{5, false}, {4, false}, 1}, // another copy has less
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_int_equal(overlay_turn(5, cases[i].before, cases[i].after), cases[i].turn);
}

TEST(overlay__finds_skus_among_thousands)
{
    begin();
    char sku[32];
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(sku, sizeof sku, "SKU-%d", i);
        assert_int_equal(overlay_move(overlay, str_of(sku), i), ERR_OK);
    }
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(sku, sizeof sku, "SKU-%d", i);
        assert_int_equal(sum(sku), i);
    }
    finish();
}

static void move_thousands(int64_t delta)
{
    char sku[32];
    for (int i = 0; i < 5000; i++) {
        (void)snprintf(sku, sizeof sku, "SKU-%d", i);
        assert_int_equal(overlay_move(overlay, str_of(sku), delta), ERR_OK);
    }
}

// glibc counts what it has handed out; under a sanitizer that is always 0.
TEST(overlay__gives_back_what_thousands_needed)
{
    enum { A_FEW = 16 * 1024 };
    begin();
    assert_int_equal(overlay_move(overlay, STR("SKU-7"), 2), ERR_OK);
    size_t before = mallinfo2().uordblks;
    move_thousands(3);
    assert_true(mallinfo2().uordblks >= before);
    assert_int_equal(sum("SKU-7"), 5);
    assert_int_equal(overlay_move(overlay, STR("SKU-7"), -2), ERR_OK);
    unit_alloc_fail(0); // no memory for a narrower table: the wide one does as well
    move_thousands(-3);
    assert_true(unit_alloc_end());
    assert_int_equal(sum("SKU-4999"), 0);
    move_thousands(1);
    move_thousands(-1);
    assert_int_equal(sum("SKU-7"), 0);
    assert_true(mallinfo2().uordblks <= before + A_FEW);
    assert_int_equal(overlay_move(overlay, STR("SKU-7"), 4), ERR_OK);
    assert_int_equal(sum("SKU-7"), 4);
    finish();
}

TEST(overlay__never_overflows_and_comes_back)
{
    begin();
    for (int i = 0; i < 3; i++)
        assert_int_equal(overlay_move(overlay, STR("A"), INT64_MAX), ERR_OK);
    for (int i = 0; i < 2; i++)
        assert_int_equal(overlay_move(overlay, STR("A"), -INT64_MAX), ERR_OK);
    assert_int_equal(sum("A"), INT64_MAX);
    finish();
}

TEST(overlay__survives_every_failing_allocation)
{
    for (unsigned n = 0;; n++) {
        struct overlay *o = NULL;
        unit_alloc_fail(n);
        enum err_code code = overlay_new(&o);
        if (code == ERR_OK) {
            code = overlay_move(o, STR("A"), 5);
        }
        bool failed = unit_alloc_end();
        assert_int_equal(code, failed ? ERR_NO_MEMORY : ERR_OK);
        if (o) {
            assert_int_equal(overlay_sum(o, STR("A")), failed ? 0 : 5);
        }
        overlay_free(o);
        if (!failed) {
            break;
        }
    }
}
