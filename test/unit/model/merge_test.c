// SPDX-License-Identifier: Apache-2.0
// What must hold of every record that is folded, whatever its rules: its rows, and their canonical
// encoding, depend on the set of its events and judgements alone.
#include "model/policy.h"
#include "model/question.h"
#include "test/unit/model/generate.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS = 1200, WAYS = 6 };

static struct history h;

static void begin(const struct reducer *reducer, struct rng *rng, uint64_t seed)
{
    rng_init(rng, seed);
    history_init(&h, reducer);
    generate_history(&h, rng);
    if (rng_chance(rng, 1, 3))
        generate_forgery(&h, rng);
}

static void shuffle(struct rng *rng, size_t *turn, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t j = rng_below(rng, i), was = turn[i - 1];
        turn[i - 1] = turn[j];
        turn[j] = was;
    }
}

static struct buf encoded(const struct record *r)
{
    struct arena arena;
    struct row_list list;
    struct buf to;
    arena_init(&arena, RECORD_BYTES);
    buf_init(&to, RECORD_BYTES);
    assert_int_equal(record_rows(r, &arena, &list), ERR_OK);
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(row_encode(&list.items[i], &to), ERR_OK);
    arena_fini(&arena);
    return to;
}

static void assert_same(const struct record *a, const struct record *b, uint64_t seed)
{
    struct buf x = encoded(a), y = encoded(b);
    if (strcmp(history_rows(a), history_rows(b)) != 0) {
        printf("%s\nBUT\n%s", history_rows(a), history_rows(b));
        fail_msg("%s, seed %llu: the rows differ", h.reducer->record_type,
                 (unsigned long long)seed);
    }
    assert_int_equal(x.len, y.len);
    assert_true(x.len == 0 || memcmp(x.data, y.data, x.len) == 0);
    buf_fini(&x);
    buf_fini(&y);
}

// ---- any order, any number of times, by any way -----------------------------------------------

static void same_however_it_comes(struct rng *rng, uint64_t seed)
{
    size_t turn[2 * HISTORY_MAX], n = 0;
    struct record *whole = history_all(&h);
    for (size_t i = 0; i < h.count; i++)
        turn[n++] = i;
    for (size_t i = 0; i < h.count / 4; i++)
        turn[n++] = rng_below(rng, h.count); // some come twice
    for (unsigned way = 0; way < WAYS; way++) {
        shuffle(rng, turn, n);
        struct record *r = history_fold(&h, turn, n, way, seed + way);
        assert_same(whole, r, seed);
        record_free(r);
    }
    record_free(whole);
}

TEST(merge__any_order_and_repetition_of_the_same_events_gives_the_same_rows)
{
    for (size_t i = 0; i < reducer_count; i++) {
        size_t refolds = 0, events = 0;
        for (uint64_t seed = 1; seed <= SEEDS; seed++) {
            struct rng rng;
            begin(reducers[i], &rng, seed);
            same_however_it_comes(&rng, seed);
            for (int d = 0; d < DEVICES_MAX; d++)
                refolds += record_refolds(h.devices[d].record);
            events += h.count;
            history_fini(&h);
        }
        assert_true(refolds > SEEDS); // the histories are not all of the easy kind
        assert_true(events > 15 * SEEDS);
    }
}

// Two nodes that had a part of the events each, and then hear the other's by its own way.
TEST(merge__nodes_that_were_told_everything_agree)
{
    for (size_t i = 0; i < reducer_count; i++) {
        for (uint64_t seed = 5000; seed < 5300; seed++) {
            struct rng rng;
            rng_init(&rng, seed);
            history_init(&h, reducers[i]);
            generate_history(&h, &rng);
            struct record *whole = history_all(&h);
            for (int d = 0; d < 2; d++) {
                for (size_t n = 0; n < h.count; n++)
                    history_tell(&h, d, rng_below(&rng, h.count));
                history_tell_all(&h, d);
                assert_same(whole, h.devices[d].record, seed);
            }
            record_free(whole);
            history_fini(&h);
        }
    }
}

// ---- the generators are worth something -------------------------------------------------------

TEST(merge__each_reducer_has_a_generator)
{
    for (size_t i = 0; i < reducer_count; i++) {
        if (generator_of(reducers[i]) == NULL)
            fail_msg("nothing generates histories of a %s", reducers[i]->record_type);
    }
    assert_int_equal(generator_count, reducer_count);
}

// Where the table is missing, the store would not find the rows of a record that it reads again.
TEST(merge__each_reducer_has_the_table_of_questions)
{
    for (size_t i = 0; i < reducer_count; i++) {
        const struct row_table *const *table = reducers[i]->tables;
        while (*table != NULL && *table != &question_table)
            table++;
        assert_ptr_equal(*table, &question_table);
    }
}

static bool is_asked(const struct record *r, const char *kind)
{
    char where[80];
    snprintf(where, sizeof where, "|kind=%s|", kind);
    return history_column(r, "record_reviews", where, "open") != NULL;
}

// What takes more events than a random history has: rivals_test.c folds those in other orders.
static bool takes_more(const struct reducer *r, const char *kind)
{
    return strcmp(r->record_type, "order") == 0 && strcmp(kind, "lines") == 0;
}

TEST(merge__each_kind_of_question_comes_up_in_random_histories)
{
    for (size_t i = 0; i < reducer_count; i++) {
        for (const struct question_kind *k = reducers[i]->questions; k->kind != NULL; k++) {
            bool seen = takes_more(reducers[i], k->kind);
            for (uint64_t seed = 1; seed <= SEEDS && !seen; seed++) {
                struct rng rng;
                begin(reducers[i], &rng, seed);
                struct record *whole = history_all(&h);
                seen = is_asked(whole, k->kind);
                record_free(whole);
                history_fini(&h);
            }
            if (!seen)
                fail_msg("no history of a %s asks '%s'", reducers[i]->record_type, k->kind);
        }
    }
}

TEST(merge__each_kind_of_question_is_in_the_table_of_policies)
{
    for (size_t i = 0; i < reducer_count; i++) {
        for (const struct question_kind *k = reducers[i]->questions; k->kind != NULL; k++) {
            char name[80];
            size_t n = 0;
            snprintf(name, sizeof name, "`%s_%s`", reducers[i]->record_type, k->kind);
            while (n < policy_count && strstr(policies[n].asked, name) == NULL)
                n++;
            if (n == policy_count)
                fail_msg("no policy says when %s is asked", name);
        }
    }
}

// ---- memory -----------------------------------------------------------------------------------

static enum err_code fold_backwards(void)
{
    struct record *r = NULL;
    struct err e;
    enum err_code code = record_new(h.reducer, STR("R1"), RECORD_BYTES, &r);
    for (size_t i = h.count; i-- > 0 && code == ERR_OK;) {
        code = record_add(r, &h.events[i], &e);
        if (code == ERR_OK)
            code = record_fold(r);
    }
    if (code == ERR_OK) {
        struct arena arena;
        struct row_list list;
        arena_init(&arena, RECORD_BYTES);
        code = record_rows(r, &arena, &list);
        arena_fini(&arena);
    }
    record_free(r);
    return code;
}

TEST(merge__runs_out_of_memory_without_harm)
{
    for (size_t i = 0; i < reducer_count; i++) {
        struct rng rng;
        bool failed = true;
        rng_init(&rng, 7);
        history_init(&h, reducers[i]);
        generate_history(&h, &rng);
        for (unsigned n = 0; failed; n++) {
            unit_alloc_fail(n);
            enum err_code code = fold_backwards();
            failed = unit_alloc_end();
            assert_int_equal(code, failed ? ERR_NO_MEMORY : ERR_OK);
        }
        history_fini(&h);
    }
}
