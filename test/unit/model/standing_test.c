// SPDX-License-Identifier: Apache-2.0
// Without the events that no longer matter a long record has the same rows, now and later.
#include "model/standing.h"

#include "test/unit/model/generate.h"
#include "test/unit/unit.h"

#include <stdio.h>
#include <string.h>

enum { SEEDS = 1500, LAST = 4 };

static struct history h;

static struct record *fresh(void)
{
    struct record *r = NULL;
    const struct event *first = &h.events[0];
    assert_int_equal(record_new(h.reducer, first->record_id, RECORD_BYTES, &r), ERR_OK);
    return r;
}

static void add(struct record *r, const struct record_note *note)
{
    struct err e = {0};
    enum err_code code = record_add(r, &h.events[note->number], &e);
    assert_true(code == ERR_OK || code == ERR_EXISTS);
    if (code == ERR_OK)
        record_note(r, note);
}

static void fold(struct record *r)
{
    assert_int_equal(record_fold(r), ERR_OK);
}

// What is left of it; NULL where all matter.
static struct record *shortened(const struct record *r, size_t *dropped)
{
    struct arena a;
    struct standing standing;
    struct record *left = NULL;
    uint32_t rank = 0;
    arena_init(&a, RECORD_BYTES);
    assert_int_equal(standing_find(r, LAST, &a, &standing), ERR_OK);
    for (size_t i = 0; standing.matters != NULL && i < record_count(r); i++) {
        left = left ? left : fresh();
        *dropped += !standing.matters[i];
        struct record_note note = {record_entry_at(r, i)->note.number, rank + 1, i == standing.cut};
        rank += standing.matters[i];
        if (standing.matters[i])
            add(left, &note);
    }
    arena_fini(&a);
    return left;
}

static bool same_frontier(const struct record *a, const struct record *b)
{
    struct uuid of_a[LIMIT_BASE], of_b[LIMIT_BASE];
    size_t n = record_frontier(a, of_a);
    return record_frontier(b, of_b) == n && memcmp(of_a, of_b, n * sizeof *of_a) == 0;
}

static void assert_same(const struct record *whole, const struct record *left, uint64_t seed)
{
    if (!same_frontier(whole, left))
        fail_msg("%s, seed %llu: the frontiers differ", h.reducer->record_type,
                 (unsigned long long)seed);
    if (strcmp(history_rows(whole), history_rows(left)) == 0)
        return;
    printf("%s\nBUT\n%s\n", history_rows(whole), history_rows(left));
    fail_msg("%s, seed %llu: the rows differ", h.reducer->record_type, (unsigned long long)seed);
}

// As the store does: shortened after some events, whole again when one reaches back.
static size_t goes_on(struct rng *rng, uint64_t seed)
{
    struct record *whole = fresh(), *left = fresh();
    size_t dropped = 0;
    for (size_t i = 0; i < h.count; i++) {
        if (standing_reaches_back(left, &h.events[i])) {
            record_free(left);
            left = fresh();
            for (size_t k = 0; k < i; k++)
                add(left, &(struct record_note){.number = (int64_t)k});
            fold(left);
        }
        struct record_note note = {.number = (int64_t)i};
        add(whole, &note);
        add(left, &note);
        fold(whole);
        fold(left);
        assert_same(whole, left, seed);
        struct record *less = rng_chance(rng, 1, 3) ? shortened(left, &dropped) : NULL;
        if (less == NULL)
            continue;
        record_free(left);
        left = less;
        fold(left);
        assert_same(whole, left, seed);
    }
    record_free(whole);
    record_free(left);
    return dropped;
}

TEST(standing__a_record_without_what_no_longer_matters_has_the_same_rows)
{
    size_t types = 0;
    for (size_t i = 0; i < reducer_count; i++) {
        size_t dropped = 0, events = 0;
        for (uint64_t seed = 1; seed <= SEEDS && reducers[i]->stands != NULL; seed++) {
            struct rng rng;
            rng_init(&rng, seed);
            history_init(&h, reducers[i]);
            generate_history(&h, &rng);
            dropped += h.count ? goes_on(&rng, seed) : 0;
            events += h.count;
            history_fini(&h);
        }
        types += reducers[i]->stands != NULL;
        if (reducers[i]->stands != NULL && dropped * 10 < events)
            fail_msg("of a %s hardly any event was dropped: %zu of %zu", reducers[i]->record_type,
                     dropped, events);
    }
    assert_true(types >= 4);
}

// Other types ask about what was concurrent, however long ago.
TEST(standing__of_a_type_without_a_rule_all_events_matter)
{
    for (size_t i = 0; i < reducer_count; i++) {
        struct rng rng;
        size_t dropped = 0;
        if (reducers[i]->stands != NULL)
            continue;
        rng_init(&rng, 1);
        history_init(&h, reducers[i]);
        generate_history(&h, &rng);
        struct record *whole = history_all(&h);
        assert_null(shortened(whole, &dropped));
        record_free(whole);
        history_fini(&h);
    }
}
