// SPDX-License-Identifier: Apache-2.0
#include "sync/step.h"
#include "test/unit/sync/sample.h"
#include "test/unit/unit.h"

#include <string.h>

TEST(step__keeps_effects_in_order_until_reset)
{
    struct steps s;
    steps_init(&s);
    for (uint64_t i = 0; i < 100; i++) {
        steps_add(&s, STEP_LOAD)->after = i;
    }
    assert_int_equal(s.count, 100);
    for (uint64_t i = 0; i < 100; i++) {
        assert_int_equal(s.items[i].kind, STEP_LOAD);
        assert_int_equal(s.items[i].after, i);
        assert_null(s.items[i].text.p);
    }
    steps_reset(&s);
    assert_int_equal(s.count, 0);
    steps_fini(&s);
    assert_null(s.items);
}

TEST(step__fails_beyond_its_maximum_without_losing_what_is_there)
{
    struct steps s;
    steps_init(&s);
    for (size_t i = 0; i < STEPS_MAX; i++) {
        steps_add(&s, STEP_ACKED);
    }
    assert_false(s.failed);
    steps_add(&s, STEP_CLOSE)->after = 7; // may be written to
    assert_true(s.failed);
    assert_int_equal(s.count, STEPS_MAX);
    assert_int_equal(s.items[STEPS_MAX - 1].kind, STEP_ACKED);
    steps_reset(&s);
    assert_false(s.failed);
    steps_fini(&s);
}

TEST(step__sends_the_text_of_a_message)
{
    struct steps s;
    steps_init(&s);
    steps_send(&s, &sample()->messages[MESSAGE_PROBE]);
    steps_send(&s, &sample()->messages[MESSAGE_BUSY]);
    assert_int_equal(s.count, 2);
    assert_true(str_equal(s.items[0].text, sample_text(&sample()->messages[MESSAGE_PROBE])));
    assert_true(str_equal(s.items[1].text, sample_text(&sample()->messages[MESSAGE_BUSY])));
    steps_fini(&s);
}

TEST(step__says_why_a_link_is_closed)
{
    struct steps s;
    steps_init(&s);
    steps_close(&s, "the %s was %d bytes", "message", 5);
    assert_int_equal(s.items[0].kind, STEP_CLOSE);
    assert_true(str_is(s.items[0].text, "the message was 5 bytes"));
    steps_fini(&s);
}

TEST(step__fails_on_every_failing_allocation)
{
    for (unsigned n = 0;; n++) {
        struct steps s;
        steps_init(&s);
        unit_alloc_fail(n);
        steps_send(&s, &sample()->messages[MESSAGE_HELLO]);
        bool failed = unit_alloc_end();
        assert_int_equal(s.failed, failed);
        assert_int_equal(s.count, failed ? 0 : 1);
        steps_fini(&s);
        if (!failed) {
            break;
        }
    }
}
