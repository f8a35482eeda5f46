// SPDX-License-Identifier: Apache-2.0
#include "test/unit/store/orders.h"

#include "base/rng.h"

#include <stdlib.h>

enum { ORDERS = 60, VERIFIED = 3, REBUILT = 6, LINES_MAX = 8 };

// Appends the lines' events in a random interleaving, in transactions of random size.
static void deliver(struct fixture *f, struct line *lines, size_t count, struct rng *r)
{
    size_t next[LINES_MAX] = {0};
    size_t left = 0;
    struct err e = {ERR_OK, ""};
    bool open = false;
    for (size_t i = 0; i < count; i++)
        left += lines[i].count;
    while (left > 0) {
        size_t i = (size_t)rng_below(r, count);
        enum event_status status;
        if (next[i] == lines[i].count)
            continue;
        if (!open && store_begin(f->store, &e))
            fail_msg("%s", e.text);
        if (fixture_try(f, &lines[i], next[i]++, STATUS_SETTLED, &status, &e))
            fail_msg("%s", e.text);
        left--;
        open = rng_chance(r, 2, 3) && left > 0;
        if (!open && store_commit(f->store, &e))
            fail_msg("%s", e.text);
    }
}

static void check_rebuild(struct fixture *f, const char *wanted)
{
    struct err e = {ERR_OK, ""};
    if (store_rebuild(f->store, NULL, NULL, &e))
        fail_msg("%s", e.text);
    char *text = fixture_canonical(f);
    assert_string_equal(text, wanted);
    free(text);
}

static void check_verified(struct fixture *f)
{
    struct store_verdict verdict;
    struct err e = {ERR_OK, ""};
    if (fixture_verify(f->store, &f->arena, &verdict, &e))
        fail_msg("%s", e.text);
    if (verdict.first_problem.n > 0)
        fail_msg("%s", verdict.first_problem.p);
    assert_true(verdict.refold_equal);
    assert_int_equal(verdict.chain_errors, 0);
}

void orders_all_alike(struct line *lines, size_t count)
{
    struct rng r;
    char *first = NULL;
    rng_init(&r, 7);
    for (int i = 0; i < ORDERS; i++) {
        struct fixture f;
        fixture_open(&f, ROLE_CENTRAL);
        deliver(&f, lines, count, &r);
        char *text = fixture_canonical(&f);
        if (first != NULL)
            assert_string_equal(text, first);
        if (i % VERIFIED == 0)
            check_verified(&f);
        if (i % REBUILT == 0)
            check_rebuild(&f, text);
        free(first);
        first = text;
        fixture_close(&f);
    }
    free(first);
    for (size_t i = 0; i < count; i++)
        line_fini(&lines[i]);
}
