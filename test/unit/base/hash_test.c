// SPDX-License-Identifier: Apache-2.0
#include "base/hash.h"
#include "test/unit/unit.h"

#include <string.h>

static void hash_is(struct hash h, const char *wanted)
{
    char text[HASH_TEXT_SIZE];
    hash_format(&h, text);
    assert_string_equal(text, wanted);
}

// The known answers were computed with another implementation (Python's hashlib.blake2b).

TEST(hash__gives_the_known_answers_of_blake2b_256)
{
    hash_is(hash_of((struct str){NULL, 0}),
            "0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8");
    hash_is(hash_of(STR("abc")),
            "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
    unsigned char bytes[1000];
    for (size_t i = 0; i < sizeof bytes; i++) {
        bytes[i] = (unsigned char)(i & 255);
    }
    hash_is(hash_of(str_make(bytes, sizeof bytes)),
            "c636324d47d89f2b2434dc2c994100663fbbaea880ff020fc5de89dd0f77a1ec");
}

TEST(hash__chains_from_32_zero_bytes)
{
    struct hash h = {0};
    h = hash_chain(&h, STR("{\"seq\":1}"));
    hash_is(h, "61f8334817fe69c538f6e594a95dedd2fbe28c05eaeefdcde4d10c2483e64802");
    h = hash_chain(&h, STR("{\"seq\":2}"));
    hash_is(h, "4325ab85e3fd22edfee94c22c8cfc0effbb812a4501d506ba1cc6857926be956");
}

TEST(hash__of_parts_is_the_hash_of_their_concatenation)
{
    struct str parts[] = {STR("a"), {NULL, 0}, STR("bc")};
    struct hash whole = hash_of(STR("abc"));
    struct hash pieces = hash_of_parts(parts, 3);
    assert_true(hash_equal(&whole, &pieces));
    struct hash nothing = hash_of_parts(NULL, 0);
    struct hash empty = hash_of(STR(""));
    assert_true(hash_equal(&nothing, &empty));
}

TEST(hash__may_be_computed_piece_by_piece)
{
    struct hash_state state;
    hash_begin(&state);
    for (int i = 0; i < 1000; i++) {
        unsigned char byte = (unsigned char)(i & 255);
        hash_update(&state, str_make(&byte, 1));
    }
    hash_is(hash_end(&state), "c636324d47d89f2b2434dc2c994100663fbbaea880ff020fc5de89dd0f77a1ec");
}

TEST(hash__reads_back_what_it_formatted)
{
    struct hash h = hash_of(STR("x"));
    char text[HASH_TEXT_SIZE];
    hash_format(&h, text);
    struct hash back = {0};
    assert_int_equal(hash_parse(str_of(text), &back), ERR_OK);
    assert_true(hash_equal(&h, &back));
}

TEST(hash__refuses_text_of_another_length_case_or_alphabet)
{
    static const char good[] = "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319";
    struct hash h = {{1}};
    struct hash before = h;
    assert_int_equal(hash_parse(str_make(good, 63), &h), ERR_PARSE);
    assert_int_equal(hash_parse(str_make(good, 62), &h), ERR_PARSE);
    assert_int_equal(hash_parse(str_make(good, 65), &h), ERR_PARSE);
    assert_int_equal(hash_parse(STR(""), &h), ERR_PARSE);
    char text[HASH_TEXT_SIZE];
    memcpy(text, good, sizeof text);
    text[63] = 'g';
    assert_int_equal(hash_parse(str_of(text), &h), ERR_PARSE);
    text[63] = 'A';
    assert_int_equal(hash_parse(str_of(text), &h), ERR_PARSE);
    assert_true(hash_equal(&h, &before));
}

TEST(hash__knows_zero_and_sees_a_difference_in_any_byte)
{
    struct hash zero = {0};
    assert_true(hash_is_zero(&zero));
    for (size_t i = 0; i < HASH_SIZE; i++) {
        struct hash h = {0};
        h.b[i] = 1;
        assert_false(hash_is_zero(&h));
        assert_false(hash_equal(&h, &zero));
    }
}

// The first two vectors of its authors' reference code.
TEST(hash__short_ones_are_siphash_of_128_bits)
{
    static const uint8_t wanted[][16] = {{0xa3, 0x81, 0x7f, 0x04, 0xba, 0x25, 0xa8, 0xe6, 0x6d,
                                          0xf6, 0x72, 0x14, 0xc7, 0x55, 0x02, 0x93},
                                         {0xda, 0x87, 0xc1, 0xd8, 0x6b, 0x99, 0xaf, 0x44, 0x34,
                                          0x76, 0x59, 0x11, 0x9b, 0x22, 0xfc, 0x45}};
    struct hash_key key;
    for (int i = 0; i < HASH_KEY_SIZE; i++)
        key.b[i] = (uint8_t)i;
    unsigned __int128 none = hash_short(&key, (struct str){NULL, 0});
    unsigned __int128 zero = hash_short(&key, str_make("\0", 1));
    assert_memory_equal(&none, wanted[0], sizeof none);
    assert_memory_equal(&zero, wanted[1], sizeof zero);
}
