// SPDX-License-Identifier: Apache-2.0
#include "base/sign.h"
#include "test/unit/unit.h"

#include <string.h>

// RFC 8032, section 7.1, tests 1 to 3.
static const struct {
    const char *seed;
    const char *public_key;
    struct str message;
    const char *signature;
} vectors[] = {
    {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
     "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
     {"", 0},
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9"
     "b46bd25bf5f0595bbe24655141438e7a100b"},
    {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
     "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
     {"\x72", 1},
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f1"
     "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
    {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
     "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
     {"\xAF\x82", 2},
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984d"
     "c6594a7c15e9716ed28dc027beceea1ec40a"},
};

static struct sign_key key_of(size_t i)
{
    uint8_t seed[SIGN_SEED_SIZE];
    assert_int_equal(str_from_hex(str_of(vectors[i].seed), seed, sizeof seed), ERR_OK);
    struct sign_key key;
    sign_key_from_seed(seed, &key);
    return key;
}

TEST(sign__gives_the_known_answers_of_rfc_8032)
{
    for (size_t i = 0; i < COUNT_OF(vectors); i++) {
        struct sign_key key = key_of(i);
        char text[2 * SIGN_SIZE + 1];
        str_to_hex(text, key.public_key.b, sizeof key.public_key.b);
        assert_string_equal(text, vectors[i].public_key);
        struct signature s = sign_make(&key, vectors[i].message);
        str_to_hex(text, s.b, sizeof s.b);
        assert_string_equal(text, vectors[i].signature);
        assert_true(sign_verify(&key.public_key, vectors[i].message, &s));
    }
}

TEST(sign__refuses_a_signature_with_any_bit_changed)
{
    struct sign_key key = key_of(0);
    struct signature s = sign_make(&key, STR("seal"));
    for (size_t bit = 0; bit < 8 * sizeof s.b; bit++) {
        struct signature changed = s;
        changed.b[bit / 8] = (uint8_t)(changed.b[bit / 8] ^ (1U << (bit % 8)));
        assert_false(sign_verify(&key.public_key, STR("seal"), &changed));
    }
}

TEST(sign__refuses_another_message_another_key_and_zeros)
{
    struct sign_key key = key_of(0);
    struct sign_key other = key_of(1);
    struct signature s = sign_make(&key, STR("seal"));
    assert_true(sign_verify(&key.public_key, STR("seal"), &s));
    assert_false(sign_verify(&key.public_key, STR("seal "), &s));
    assert_false(sign_verify(&key.public_key, STR(""), &s));
    assert_false(sign_verify(&other.public_key, STR("seal"), &s));
    struct sign_public zero_key = {0};
    struct signature zero = {0};
    assert_false(sign_verify(&key.public_key, STR("seal"), &zero));
    assert_false(sign_verify(&zero_key, STR("seal"), &zero)); // a key of small order
}
