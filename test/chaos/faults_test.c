// SPDX-License-Identifier: Apache-2.0
#include "faults.h"

#include "test/unit/unit.h"

#include <string.h>

static void command(struct faults *f, const char *line)
{
    assert_int_equal(faults_command(f, str_of(line), NULL), ERR_OK);
}

TEST(faults__pass_until_told_otherwise_and_again_once_healed)
{
    static const char *const modes[] = {"cut", "stall", "garbage"};
    struct faults f;
    faults_init(&f, 1);
    for (size_t i = 0; i < 3; i++) {
        assert_true(faults_passes(&f, FAULTS_UP) && faults_passes(&f, FAULTS_DOWN));
        command(&f, modes[i]);
        assert_false(faults_passes(&f, FAULTS_UP) || faults_passes(&f, FAULTS_DOWN));
        command(&f, "heal");
    }
}

TEST(faults__asymmetric_names_the_way_that_stays_open)
{
    struct faults f;
    faults_init(&f, 1);
    command(&f, "asymmetric up");
    assert_true(faults_passes(&f, FAULTS_UP));
    assert_false(faults_passes(&f, FAULTS_DOWN));
    command(&f, "asymmetric down");
    assert_false(faults_passes(&f, FAULTS_UP));
    assert_true(faults_passes(&f, FAULTS_DOWN));
}

TEST(faults__refuse_what_they_do_not_know)
{
    static const char *const lines[] = {
        "",        "melt",     "delay",        "delay x",         "delay -1", "asymmetric left",
        "melt 10", "heal now", "delay 1 more", "rate 99999999999"};
    struct faults f;
    faults_init(&f, 1);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct err e = {0};
        assert_int_equal(faults_command(&f, str_of(lines[i]), &e), ERR_PARSE);
        assert_true(strlen(err_message(&e)) > 0);
    }
    assert_true(f.mode == FAULTS_OPEN && f.delay_ms == 0 && f.rate == 0);
}

TEST(faults__a_rate_is_shared_and_a_delay_is_not)
{
    struct faults f;
    int64_t one = 0, two = 0;
    faults_init(&f, 1);
    command(&f, "rate 1000");
    assert_int_equal(faults_due_us(&f, FAULTS_UP, 500, 0, &one), 500 * 1000);
    assert_int_equal(faults_due_us(&f, FAULTS_UP, 500, 0, &two), 1000 * 1000);
    assert_int_equal(faults_due_us(&f, FAULTS_DOWN, 500, 0, &two), 1000 * 1000); // in order
    command(&f, "heal");
    command(&f, "delay 30");
    one = two = 0;
    assert_int_equal(faults_due_us(&f, FAULTS_UP, 500, 0, &one), 30 * 1000);
    assert_int_equal(faults_due_us(&f, FAULTS_UP, 500, 0, &two), 30 * 1000);
}

TEST(faults__jitter_never_turns_the_order_round)
{
    struct faults f;
    int64_t last = 0, before = 0;
    bool moved = false;
    faults_init(&f, 1);
    command(&f, "jitter 50");
    for (int64_t at = 0; at < 100 * 1000; at += 1000) {
        int64_t due = faults_due_us(&f, FAULTS_UP, 10, at, &last);
        assert_true(due >= before && due >= at && due <= at + 50 * 1000 + 50 * 1000);
        moved = moved || due > at + 1000;
        before = due;
    }
    assert_true(moved);
}

TEST(faults__flip_about_one_bit_in_so_many_bytes)
{
    struct faults f;
    char bytes[1000];
    int set = 0;
    faults_init(&f, 7);
    command(&f, "flip 100");
    for (size_t pieces = 0; pieces < 100; pieces++) {
        memset(bytes, 0, sizeof bytes);
        faults_flip(&f, FAULTS_UP, bytes, sizeof bytes - pieces);
        for (size_t i = 0; i < sizeof bytes; i++)
            set += __builtin_popcount((unsigned char)bytes[i]);
        assert_int_equal(bytes[sizeof bytes - 1] != 0 && pieces > 0, 0); // not behind the end
    }
    assert_int_equal(set, f.flipped);
    assert_in_range(set, 800, 1100);
}
