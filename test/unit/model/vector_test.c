// SPDX-License-Identifier: Apache-2.0
#include "model/vector.h"
#include "base/rng.h"
#include "test/unit/unit.h"

#include <string.h>

enum { STREAMS = 700, VECTORS = 40, TURNS = 4000 };

static void expect(const struct vector *v, const uint64_t *seqs)
{
    for (size_t i = 0; i < STREAMS; i++)
        assert_int_equal(vector_at(v, i), seqs[i]);
    assert_int_equal(vector_at(v, 1000000), 0);
}

TEST(vector__is_what_an_array_would_be)
{
    static uint64_t model[VECTORS][STREAMS];
    struct vector v[VECTORS] = {{.root = NULL}};
    struct arena a;
    struct rng rng;
    arena_init(&a, (size_t)64 << 20);
    rng_init(&rng, 7);
    memset(model, 0, sizeof model);
    for (int turn = 0; turn < TURNS; turn++) {
        size_t x = rng_below(&rng, VECTORS), y = rng_below(&rng, VECTORS);
        size_t reach = rng_chance(&rng, 1, 2) ? 10 : STREAMS, stream = rng_below(&rng, reach);
        uint64_t seq = rng_below(&rng, 1000);
        if (rng_chance(&rng, 1, 3)) {
            v[x] = v[y]; // by value: they share all nodes
            memcpy(model[x], model[y], sizeof model[x]);
        } else if (rng_chance(&rng, 1, 2)) {
            assert_int_equal(vector_join(&v[x], &v[y], &a), ERR_OK);
            for (size_t i = 0; i < STREAMS; i++)
                model[x][i] = model[x][i] > model[y][i] ? model[x][i] : model[y][i];
        } else {
            assert_int_equal(vector_raise(&v[x], stream, seq, &a), ERR_OK);
            model[x][stream] = model[x][stream] > seq ? model[x][stream] : seq;
        }
        expect(&v[x], model[x]);
        expect(&v[y], model[y]);
    }
    for (size_t i = 0; i < VECTORS; i++)
        expect(&v[i], model[i]);
    arena_fini(&a);
}

TEST(vector__costs_little_where_it_differs_little)
{
    struct vector v = {.root = NULL}, before;
    struct arena a;
    arena_init(&a, (size_t)4 << 20);
    for (size_t i = 0; i < 4096; i++)
        assert_int_equal(vector_raise(&v, i, 1, &a), ERR_OK);
    size_t used = a.used;
    for (uint64_t seq = 2; seq < 1002; seq++) {
        before = v;
        assert_int_equal(vector_raise(&v, 77, seq, &a), ERR_OK);
        assert_int_equal(vector_join(&v, &before, &a), ERR_OK);
        assert_int_equal(vector_at(&before, 77), seq - 1);
    }
    assert_in_range(a.used - used, 1, 1000 * 4 * 64);
    arena_fini(&a);
}

TEST(vector__stays_as_it_was_where_memory_ends)
{
    struct vector v = {.root = NULL}, other = {.root = NULL}, kept;
    struct arena a, none;
    arena_init(&a, 1 << 20);
    arena_init(&none, 0);
    assert_int_equal(vector_raise(&v, 3, 9, &a), ERR_OK);
    assert_int_equal(vector_raise(&other, 500, 4, &a), ERR_OK);
    kept = v;
    assert_int_equal(vector_raise(&v, 500, 1, &none), ERR_NO_MEMORY);
    assert_int_equal(vector_join(&v, &other, &none), ERR_NO_MEMORY);
    assert_memory_equal(&v, &kept, sizeof v);
    arena_fini(&none);
    arena_fini(&a);
}
