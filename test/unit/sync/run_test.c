// SPDX-License-Identifier: Apache-2.0
#include "sync/run.h"
#include "model/effect.h"
#include "test/unit/sync/sample.h"
#include "test/unit/unit.h"

#include <stdlib.h>
#include <string.h>

enum { NOW = 1700000000 };

static struct run run;
static struct arena arena;
static struct buf text;
static struct err e;

static void begin(hlc last, int64_t corrected_ms)
{
    const struct sample *s = sample();
    struct run_identity who = {&s->key, s->chain, s->device, STR("Hamra")};
    struct uuid id = sample_id(3, 9);
    struct uuid origin = sample_id(4, 9);
    arena_fini(&arena);
    arena_init(&arena, 64 << 20);
    buf_fini(&text);
    buf_init(&text, 4 * LIMIT_EVENT_BYTES);
    run_begin(&run, &who, &id, &origin, last, corrected_ms);
}

// A draft with a reason of n letters.
static struct event draft(size_t n)
{
    struct event d;
    struct json json = {0};
    static char body[LIMIT_EVENT_BYTES + 64];
    memset(body, 0, sizeof body);
    memcpy(body, "{\"r\":\"", 6);
    memset(body + 6, 'x', n);
    memcpy(body + 6 + n, "\"}", 2);
    assert_int_equal(json_parse_in(&arena, str_of(body), LIMIT_EVENT_DEPTH, &json, &e), ERR_OK);
    assert_int_equal(event_parse(sample()->events[2], &arena, &d, &e), ERR_OK);
    d.body = json.root;
    return d;
}

static struct event stamped(int64_t now_ms, struct mark *mark)
{
    struct event d = draft(1);
    struct event read;
    buf_reset(&text);
    assert_int_equal(run_stamp(&run, &d, now_ms, &text, mark, &e), ERR_OK);
    struct str copy = arena_copy(&arena, buf_str(&text));
    assert_int_equal(event_parse(copy, &arena, &read, &e), ERR_OK);
    return read;
}

TEST(run__numbers_and_chains_events_per_lane)
{
    begin(0, NOW);
    struct mark first, second, other;
    struct event one = stamped(NOW, &first);
    struct event two = stamped(NOW, &second);
    assert_int_equal(one.seq, 1);
    assert_int_equal(two.seq, 2);
    assert_true(uuid_equal(&one.origin, &run.origin));
    struct mark empty = {0};
    struct mark chained = mark_next(&empty, one.bytes);
    assert_true(mark_equal(&first, &chained));
    chained = mark_next(&first, two.bytes);
    assert_true(mark_equal(&second, &chained));
    struct event d = draft(1);
    d.lane = LANE_NORMAL;
    buf_reset(&text);
    assert_int_equal(run_stamp(&run, &d, NOW, &text, &other, &e), ERR_OK);
    assert_int_equal(other.seq, 1);
    assert_true(mark_equal(&run.heads[LANE_CRITICAL], &second));
    assert_true(mark_equal(&run.heads[LANE_NORMAL], &other));
}

TEST(run__certifies_its_origin_for_its_place)
{
    begin(0, NOW);
    const struct sample *s = sample();
    assert_true(uuid_equal(&run.certificate.origin, &run.origin));
    assert_true(uuid_equal(&run.certificate.device, &s->device));
    assert_string_equal(run.certificate.location, "Hamra");
    assert_true(certificate_verify(&run.certificate, &s->chain, &s->key.public_key));
}

TEST(run__never_steps_back_in_time)
{
    begin(0, NOW);
    struct mark mark;
    hlc last = 0;
    static const int64_t clocks[] = {NOW, NOW, NOW - 100000, NOW + 5, NOW + 4, 0};
    for (size_t i = 0; i < COUNT_OF(clocks); i++) {
        struct event ev = stamped(clocks[i], &mark);
        assert_true(ev.hlc > last);
        last = ev.hlc;
    }
    assert_int_equal(hlc_ms(last), NOW + 5);
}

TEST(run__counts_on_from_what_is_durable)
{
    hlc last = hlc_next(0, NOW + 1000);
    begin(last, NOW);
    struct mark mark;
    assert_true(stamped(NOW, &mark).hlc > last);
}

TEST(run__corrects_its_clock_by_the_upstreams)
{
    begin(0, NOW);
    run.clock_offset_ms = 60000;
    struct mark mark;
    struct event ev = stamped(NOW, &mark);
    assert_int_equal(hlc_ms(ev.hlc), NOW + 60000);
}

TEST(run__drops_an_hlc_that_a_wrong_clock_made)
{
    hlc allowed = hlc_next(0, NOW + LIMIT_CLOCK_SKEW_MS);
    begin(allowed, NOW);
    assert_int_equal(run.last, allowed);
    hlc off = hlc_next(0, NOW + LIMIT_CLOCK_SKEW_MS + 1);
    begin(off, NOW);
    assert_int_equal(run.last, 0);
    struct mark mark;
    assert_int_equal(hlc_ms(stamped(NOW, &mark).hlc), NOW);
}

TEST(run__says_when_its_clock_was_off)
{
    begin(0, NOW);
    struct mark mark;
    (void)stamped(NOW + LIMIT_CLOCK_SKEW_MS + 1, &mark);
    assert_true(run_clock_was_off(&run, NOW));
    assert_false(run_clock_was_off(&run, NOW + 1));
}

TEST(run__uses_nothing_up_for_an_event_that_is_too_large)
{
    begin(0, NOW);
    struct mark mark;
    (void)stamped(NOW, &mark);
    struct event d = draft(1);
    buf_reset(&text);
    assert_int_equal(event_write(&d, &text), ERR_OK);
    size_t rest = text.len; // of an event with a reason of one letter and seq 3
    struct run before = run;
    d = draft(LIMIT_EVENT_BYTES - rest + 2);
    assert_int_equal(buf_append(&text, "kept", 4), ERR_OK);
    memset(&e, 0, sizeof e);
    assert_int_equal(run_stamp(&run, &d, NOW + 5, &text, &mark, &e), ERR_LIMIT);
    assert_non_null(strstr(e.text, "262144"));
    assert_memory_equal(&run, &before, sizeof run);
    assert_int_equal(text.len, rest + 4);
    d = draft(LIMIT_EVENT_BYTES - rest + 1);
    buf_reset(&text);
    assert_int_equal(run_stamp(&run, &d, NOW + 5, &text, &mark, &e), ERR_OK);
    assert_int_equal(text.len, LIMIT_EVENT_BYTES);
    assert_int_equal(mark.seq, 2);
}

TEST(run__a_draft_leaves_room_for_a_later_place)
{
    begin(0, NOW);
    struct mark mark;
    struct event d = draft(1);
    d.seq = 0;
    buf_reset(&text);
    assert_int_equal(run_stamp(&run, &d, NOW, &text, &mark, &e), ERR_OK);
    size_t rest = text.len;
    begin(0, NOW);
    d = draft(LIMIT_DRAFT_BYTES - rest + 2);
    d.seq = 0;
    assert_int_equal(run_stamp(&run, &d, NOW, &text, &mark, &e), ERR_LIMIT);
    d = draft(LIMIT_DRAFT_BYTES - rest + 1);
    d.seq = 0;
    assert_int_equal(run_stamp(&run, &d, NOW, &text, &mark, &e), ERR_OK);
    assert_int_equal(text.len, LIMIT_DRAFT_BYTES);
    run.heads[LANE_CRITICAL].seq = UINT64_C(1) << 62; // appended again far behind
    buf_reset(&text);
    assert_int_equal(run_stamp(&run, &d, NOW, &text, &mark, &e), ERR_OK);
    assert_int_equal(text.len, LIMIT_DRAFT_BYTES + 18);
}

TEST(run__uses_nothing_up_when_memory_is_short)
{
    begin(0, NOW);
    struct event d = draft(1);
    struct mark mark;
    struct run before = run;
    for (unsigned n = 0;; n++) {
        unit_alloc_fail(n);
        enum err_code code = run_stamp(&run, &d, NOW, &text, &mark, &e);
        if (!unit_alloc_end()) {
            assert_int_equal(code, ERR_OK);
            break;
        }
        assert_int_equal(code, ERR_NO_MEMORY);
        assert_null(strstr(e.text, "262144")); // the reason is not its size
        assert_memory_equal(&run, &before, sizeof run);
        assert_int_equal(text.len, 0);
    }
}

static struct event first_event(const struct run_previous *previous, size_t count)
{
    struct run_first first = {sample_id(5, 77), previous, count, STR("wasl 0.1.0"), NOW};
    struct event d;
    struct event read;
    struct mark mark;
    assert_int_equal(run_first_event(&run, &first, &arena, &d), ERR_OK);
    buf_reset(&text);
    assert_int_equal(run_stamp(&run, &d, NOW, &text, &mark, &e), ERR_OK);
    struct str copy = arena_copy(&arena, buf_str(&text));
    assert_int_equal(event_parse(copy, &arena, &read, &e), ERR_OK);
    assert_int_equal(mark.seq, 1);
    return read;
}

TEST(run__begins_with_an_event_that_names_the_heads_before_it)
{
    begin(0, NOW);
    struct run_previous previous[2] = {{{sample_id(4, 1), LANE_CRITICAL}, {9, {{1}}}},
                                       {{sample_id(4, 1), LANE_NORMAL}, {2, {{2}}}}};
    struct event ev = first_event(previous, 2);
    struct effect_list list;
    assert_true(str_is(ev.type_name, "run_started"));
    assert_true(str_is(ev.location, "Hamra"));
    assert_int_equal(effect_list_of(&ev, &arena, &list, &e), ERR_OK);
    assert_true(uuid_equal(&list.items[0].run.device, &sample()->device));
    yyjson_val *second = yyjson_arr_get(list.items[0].run.previous, 1);
    int64_t seq = 0;
    struct hash hash;
    struct str lane;
    assert_int_equal(json_get_i64(second, "seq", &seq, &e), ERR_OK);
    assert_int_equal(seq, 2);
    assert_int_equal(json_get_hash(second, "hash", &hash, &e), ERR_OK);
    assert_int_equal(hash.b[0], 2);
    assert_int_equal(json_get_str(second, "lane", &lane, &e), ERR_OK);
    assert_true(str_is(lane, "normal"));
}

TEST(run__can_name_as_many_heads_as_a_hello_may)
{
    begin(0, NOW);
    struct run_previous *previous = calloc(LIMIT_STREAMS_HELLO, sizeof *previous);
    assert_non_null(previous);
    for (uint32_t i = 0; i < LIMIT_STREAMS_HELLO; i++) {
        previous[i] = (struct run_previous){{sample_id(4, i), LANE_CRITICAL}, {UINT32_MAX, {{9}}}};
    }
    struct event ev = first_event(previous, LIMIT_STREAMS_HELLO);
    struct effect_list list;
    assert_int_equal(effect_list_of(&ev, &arena, &list, &e), ERR_OK);
    free(previous);
}
