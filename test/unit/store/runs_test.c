// SPDX-License-Identifier: Apache-2.0
// Restored and copied devices are found; restarts, however many and however late, are not.
#include "base/clock.h"
#include "base/rng.h"
#include "test/unit/store/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct uuid shared_device(void)
{
    return fixture_uuid(2, 77);
}

// A run of the device that continues 'before' (NULL: the first) at its event 'at'.
static void begin(struct line *l, unsigned n, const char *location, const struct line *before,
                  size_t at)
{
    char device[UUID_TEXT_SIZE], run[UUID_TEXT_SIZE], body[512], previous[256] = "";
    struct uuid id = shared_device();
    line_init(l, n, location);
    l->device = id;
    uuid_format(&id, device);
    uuid_format(&l->key.origin, run);
    if (before != NULL) {
        char origin[UUID_TEXT_SIZE], hash[HASH_TEXT_SIZE];
        uuid_format(&before->key.origin, origin);
        hash_format(&before->marks[at - 1].hash, hash);
        (void)snprintf(previous, sizeof previous,
                       "{\"origin\":\"%s\",\"lane\":\"critical\",\"seq\":%zu,\"hash\":\"%s\"}",
                       origin, at, hash);
    }
    (void)snprintf(body, sizeof body,
                   "{\"device\":\"%s\",\"run\":\"%s\",\"software\":\"1\",\"previous\":[%s]}",
                   device, run, previous);
    line_add(l, &(struct draft){500 + n, 100 * n, "run_started", device, body});
    line_sell(l, 600 + 2 * n, 100 * n + 1, "rice", "1");
    line_sell(l, 601 + 2 * n, 100 * n + 2, "rice", "1");
}

static void assert_verified(struct fixture *f)
{
    struct store_verdict v;
    struct err e = {ERR_OK, ""};
    if (fixture_verify(f->store, &f->arena, &v, &e) || !v.refold_equal)
        fail_msg("%s %.*s", e.text, STR_ARG(v.first_problem));
}

static void reviews_in_all_orders(struct line *lines, size_t count, const char *wanted)
{
    struct rng r;
    rng_init(&r, 3);
    for (int i = 0; i < 40; i++) {
        struct fixture f;
        size_t next[8] = {0}, left = 0;
        fixture_open(&f, ROLE_CENTRAL);
        for (size_t n = 0; n < count; n++)
            left += lines[n].count;
        while (left > 0) {
            size_t n = (size_t)rng_below(&r, count);
            if (next[n] == lines[n].count)
                continue;
            (void)fixture_append(&f, &lines[n], next[n]++, STATUS_SETTLED);
            left--;
        }
        fixture_assert_text(&f, "SELECT kind, location FROM reviews ORDER BY 1, 2", wanted);
        assert_verified(&f);
        fixture_close(&f);
    }
    for (size_t n = 0; n < count; n++)
        line_fini(&lines[n]);
}

TEST(runs__restarts_give_no_alarm_in_any_order)
{
    struct line lines[4];
    begin(&lines[0], 1, "BR1", NULL, 0);
    for (unsigned i = 1; i < 4; i++)
        begin(&lines[i], i + 1, "BR1", &lines[i - 1], 3);
    reviews_in_all_orders(lines, 4, "");
}

TEST(runs__of_several_places_on_one_device_give_no_alarm)
{
    struct line lines[4];
    begin(&lines[0], 1, "BR1", NULL, 0);
    begin(&lines[1], 2, "BR2", NULL, 0);
    begin(&lines[2], 3, "BR1", &lines[0], 3);
    begin(&lines[3], 4, "BR2", &lines[1], 3);
    reviews_in_all_orders(lines, 4, "");
}

TEST(runs__a_device_restored_from_a_backup_is_a_fork_in_any_order)
{
    struct line lines[2];
    begin(&lines[0], 1, "BR1", NULL, 0);
    begin(&lines[1], 2, "BR1", &lines[0], 2);
    reviews_in_all_orders(lines, 2, "fork|BR1\n");
}

TEST(runs__a_tail_written_anew_is_a_fork_in_any_order)
{
    struct line lines[2];
    begin(&lines[0], 1, "BR1", NULL, 0);
    lines[0].marks[2].hash.b[0] ^= 1;
    begin(&lines[1], 2, "BR1", &lines[0], 3);
    lines[0].marks[2].hash.b[0] ^= 1;
    reviews_in_all_orders(lines, 2, "fork|BR1\n");
}

TEST(runs__a_copied_device_is_a_clone_in_any_order)
{
    struct line lines[3];
    begin(&lines[0], 1, "BR1", NULL, 0);
    begin(&lines[1], 2, "BR1", &lines[0], 3);
    begin(&lines[2], 3, "BR1", &lines[0], 3);
    reviews_in_all_orders(lines, 3, "clone|BR1\n");
}

// A device that names one run over and over must not hold up the others, whose events wait behind
// this one. Looking at each head again for each head took most of a minute.
TEST(runs__many_heads_of_one_run_take_no_time)
{
    enum { HEADS = 1500, PATIENCE_MS = 5000 };
    struct fixture f;
    struct line l;
    struct buf body;
    char id[UUID_TEXT_SIZE];
    struct uuid device = shared_device();
    uuid_format(&device, id);
    buf_init(&body, LIMIT_EVENT_BYTES);
    assert_int_equal(buf_append_format(&body,
                                       "{\"device\":\"%s\",\"run\":\"%s\",\"software\":\"1\","
                                       "\"previous\":[",
                                       id, id),
                     ERR_OK);
    for (int i = 1; i <= HEADS; i++)
        assert_int_equal(buf_append_format(&body,
                                           "%s{\"origin\":\"%s\",\"lane\":\"critical\","
                                           "\"seq\":%d,\"hash\":\"%064d\"}",
                                           i > 1 ? "," : "", id, i, i),
                         ERR_OK);
    assert_int_equal(buf_append_format(&body, "]}"), ERR_OK);
    line_init(&l, 1, "BR1");
    l.device = device;
    line_add(&l, &(struct draft){501, 100, "run_started", id, body.data});
    fixture_open(&f, ROLE_CENTRAL);
    int64_t start_ms = clock_mono_ms();
    (void)fixture_append(&f, &l, 0, STATUS_SETTLED);
    assert_true(clock_mono_ms() - start_ms < PATIENCE_MS);
    assert_int_equal(fixture_number(&f, "SELECT count(*) FROM run_heads"), HEADS);
    fixture_close(&f);
    line_fini(&l);
    buf_fini(&body);
}

static bool behind(struct fixture *f, const struct line *of)
{
    bool ret = false;
    struct err e = {ERR_OK, ""};
    if (store_begin(f->store, &e) || store_flush(f->store, &e) ||
        store_run_is_behind(f->store, &of->key.origin, &ret, &e))
        fail_msg("%s", e.text);
    store_rollback(f->store);
    return ret;
}

TEST(runs__one_is_behind_as_long_as_events_of_those_before_it_are_missing)
{
    struct fixture f;
    struct line lines[3];
    begin(&lines[0], 1, "BR1", NULL, 0);
    begin(&lines[1], 2, "BR1", &lines[0], 3);
    begin(&lines[2], 3, "BR1", &lines[1], 3);
    fixture_open(&f, ROLE_CENTRAL);
    assert_false(behind(&f, &lines[2])); // nothing is known of it
    for (size_t i = 0; i < 3; i++)
        (void)fixture_append(&f, &lines[2], i, STATUS_SETTLED);
    assert_true(behind(&f, &lines[2])); // of the one before it nothing came
    for (size_t i = 0; i < 3; i++)
        (void)fixture_append(&f, &lines[1], i, STATUS_SETTLED);
    assert_true(behind(&f, &lines[2])); // nor of the one before that
    for (size_t i = 0; i < 3; i++) {
        assert_true(behind(&f, &lines[2]));
        (void)fixture_append(&f, &lines[0], i, STATUS_SETTLED);
    }
    assert_false(behind(&f, &lines[2]));
    assert_false(behind(&f, &lines[0]));
    fixture_close(&f);
    for (size_t i = 0; i < 3; i++)
        line_fini(&lines[i]);
}
