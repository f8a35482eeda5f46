// SPDX-License-Identifier: Apache-2.0
#include "base/rng.h"
#include "base/uuid.h"
#include "test/unit/unit.h"

#include <string.h>

#define NOW UINT64_C(0x017F22E279B0) // the time of RFC 9562, appendix A.6

static void is_id(struct uuid id, const char *wanted)
{
    char text[UUID_TEXT_SIZE];
    uuid_format(&id, text);
    assert_string_equal(text, wanted);
}

TEST(uuid__version_7_has_time_counter_version_variant_and_random)
{
    static const uint8_t random[10] = {0x0C, 0xC3, 0x98, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F};
    struct uuid_maker maker = {0};
    // As in RFC 9562, A.6, but for the top bit of the counter, which begins free.
    is_id(uuid_make_v7(&maker, NOW, random), "017f22e2-79b0-74c3-98c4-dc0c0c07398f");
}

TEST(uuid__version_7_keeps_version_and_variant_whatever_the_random_bytes)
{
    struct uuid_maker maker = {0};
    uint8_t random[10];
    memset(random, 0xFF, sizeof random);
    is_id(uuid_make_v7(&maker, 1, random), "00000000-0001-77ff-bfff-ffffffffffff");
    memset(random, 0, sizeof random);
    is_id(uuid_make_v7(&maker, 2, random), "00000000-0002-7000-8000-000000000000");
}

TEST(uuid__version_7_increases_within_a_millisecond_and_when_the_clock_steps_back)
{
    struct rng r;
    rng_init(&r, 1);
    struct uuid_maker maker = {0};
    struct uuid last = {{0}};
    for (int i = 0; i < 100000; i++) {
        uint8_t random[10];
        rng_fill(&r, random, sizeof random);
        uint64_t now = i == 50000 ? 5 : NOW + (uint64_t)i / 20000 - rng_below(&r, 50);
        struct uuid id = uuid_make_v7(&maker, now, random);
        assert_true(uuid_compare(&id, &last) > 0);
        assert_int_equal(uuid_version(&id), 7);
        last = id;
    }
}

TEST(uuid__version_7_counts_on_in_the_kept_millisecond)
{
    static const uint8_t random[10] = {0};
    struct uuid_maker maker = {.last_ms = NOW, .counter = 0x123};
    is_id(uuid_make_v7(&maker, NOW, random), "017f22e2-79b0-7124-8000-000000000000");
    is_id(uuid_make_v7(&maker, NOW - 7, random), "017f22e2-79b0-7125-8000-000000000000");
}

TEST(uuid__version_7_borrows_a_millisecond_when_the_counter_is_full)
{
    static const uint8_t random[10] = {0x00, 0x05};
    struct uuid_maker maker = {.last_ms = NOW, .counter = 0xFFF};
    is_id(uuid_make_v7(&maker, NOW, random), "017f22e2-79b1-7005-8000-000000000000");
}

TEST(uuid__version_7_has_room_for_2048_ids_before_it_borrows)
{
    uint8_t random[10];
    memset(random, 0xFF, sizeof random);
    struct uuid_maker maker = {0};
    for (int i = 0; i <= 2048; i++) {
        (void)uuid_make_v7(&maker, NOW, random);
        assert_true(maker.last_ms == NOW);
    }
    (void)uuid_make_v7(&maker, NOW, random);
    assert_true(maker.last_ms == NOW + 1);
}

TEST(uuid__version_7_stays_at_the_last_millisecond_of_48_bits)
{
    static const uint8_t random[10] = {0};
    struct uuid_maker maker = {0};
    is_id(uuid_make_v7(&maker, UINT64_MAX, random), "ffffffff-ffff-7000-8000-000000000000");
    maker.counter = 0xFFF;
    is_id(uuid_make_v7(&maker, UINT64_MAX, random), "ffffffff-ffff-7fff-8000-000000000000");
}

TEST(uuid__version_8_is_the_hash_of_file_and_row)
{
    struct hash file = hash_of(STR("file"));
    // Known answer from another implementation of BLAKE2b: the row is 8 bytes, highest first.
    is_id(uuid_make_v8(&file, 7), "4c515771-46d4-80d8-8c8c-9ac635ca3d42");
}

TEST(uuid__version_8_is_the_same_for_the_same_row_only)
{
    struct hash file = hash_of(STR("file"));
    struct hash other = hash_of(STR("other"));
    struct uuid a = uuid_make_v8(&file, 7);
    struct uuid b = uuid_make_v8(&file, 7);
    assert_true(uuid_equal(&a, &b));
    b = uuid_make_v8(&file, 8);
    assert_false(uuid_equal(&a, &b));
    b = uuid_make_v8(&file, UINT64_C(7) << 32);
    assert_false(uuid_equal(&a, &b));
    b = uuid_make_v8(&other, 7);
    assert_false(uuid_equal(&a, &b));
}

TEST(uuid__reads_either_case_and_writes_lower_case)
{
    struct uuid id;
    assert_int_equal(uuid_parse(STR("017F22E2-79B0-7cc3-98C4-DC0C0C07398F"), &id), ERR_OK);
    is_id(id, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    assert_int_equal(uuid_version(&id), 7);
    assert_int_equal(uuid_parse(STR("ffffffff-ffff-ffff-ffff-ffffffffffff"), &id), ERR_OK);
    is_id(id, "ffffffff-ffff-ffff-ffff-ffffffffffff");
}

TEST(uuid__refuses_any_other_form)
{
    static const char *const bad[] = {"",
                                      "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
                                      "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
                                      "017f22e279b07cc398c4dc0c0c07398f",
                                      "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
                                      "017f22e2 79b0-7cc3-98c4-dc0c0c07398f",
                                      "017f22e-279b0-7cc3-98c4-dc0c0c07398f",
                                      "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
                                      "017f22e2-79b0-7cc3-98c4--c0c0c07398f",
                                      " 17f22e2-79b0-7cc3-98c4-dc0c0c07398f",
                                      "017f22e2-79b0-7cc3-98c4-dc0c0c07398\xC3"};
    struct uuid id = {{9}};
    struct uuid before = id;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        if (uuid_parse(str_of(bad[i]), &id) != ERR_PARSE) {
            fail_msg("'%s' was taken", bad[i]);
        }
    }
    assert_true(uuid_equal(&id, &before));
}

TEST(uuid__orders_by_its_bytes)
{
    struct uuid a = {{0, 0x7F}};
    struct uuid b = {{0, 0x80}};
    struct uuid zero = {{0}};
    assert_true(uuid_compare(&a, &b) < 0);
    assert_true(uuid_compare(&b, &a) > 0);
    assert_int_equal(uuid_compare(&a, &a), 0);
    assert_true(uuid_is_zero(&zero));
    assert_false(uuid_is_zero(&a));
}

// Ids that count up in one of their bytes, as tests and imports make them, spread over a table.
TEST(uuid__hashes_spread_whatever_part_of_the_id_differs)
{
    enum { SLOTS = 256 };
    for (int byte = 0; byte < 16; byte++) {
        bool used[SLOTS] = {false};
        int count = 0;
        for (int i = 0; i < SLOTS; i++) {
            struct uuid id = {{1, 2, 3}};
            id.b[byte] = (uint8_t)i;
            size_t slot = (size_t)uuid_hash(&id) & (SLOTS - 1);
            count += !used[slot];
            used[slot] = true;
        }
        assert_true(count > SLOTS / 2); // of random ones 63 % are
    }
}
