// SPDX-License-Identifier: Apache-2.0
#include "model/stream.h"
#include "test/unit/unit.h"

#include <string.h>

static struct uuid id_of(uint8_t n)
{
    return (struct uuid){{n, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, n}};
}

static struct sign_key key_of(uint8_t n)
{
    struct sign_key key;
    uint8_t seed[SIGN_SEED_SIZE] = {n};
    sign_key_from_seed(seed, &key);
    return key;
}

static struct uuid chain, origin, device, run;
static struct sign_key key, other;

static void begin(void)
{
    chain = id_of(1);
    origin = id_of(2);
    device = id_of(3);
    run = id_of(4);
    key = key_of(1);
    other = key_of(2);
}

TEST(stream__chains_from_an_empty_mark)
{
    struct mark m = {0};
    struct mark one = mark_next(&m, STR("a"));
    struct mark two = mark_next(&one, STR("b"));
    assert_int_equal(two.seq, 2);
    struct str parts[2] = {str_make(one.hash.b, HASH_SIZE), STR("b")};
    struct hash hash = hash_of_parts(parts, 2);
    assert_true(hash_equal(&two.hash, &hash));
    struct mark same_seq = {2, one.hash};
    assert_false(mark_equal(&two, &same_seq));
    struct mark same_hash = {1, two.hash};
    assert_false(mark_equal(&two, &same_hash));
    assert_true(mark_equal(&two, &two));
}

TEST(stream__is_ordered_by_lane_then_origin)
{
    struct stream_key a = {id_of(9), LANE_CRITICAL};
    struct stream_key b = {id_of(1), LANE_NORMAL};
    struct stream_key c = {id_of(2), LANE_NORMAL};
    assert_true(stream_key_compare(&a, &b) < 0);
    assert_true(stream_key_compare(&b, &c) < 0);
    assert_true(stream_key_compare(&c, &a) > 0);
    assert_int_equal(stream_key_compare(&c, &c), 0);
    assert_true(stream_key_equal(&a, &a));
    assert_false(stream_key_equal(&b, &c));
    struct stream_key d = {id_of(9), LANE_NORMAL};
    assert_false(stream_key_equal(&a, &d));
}

TEST(certificate__holds_for_its_key_and_every_field)
{
    begin();
    struct certificate good = certificate_make(&key, &chain, &origin, &device, STR("Beirut 1"));
    assert_true(certificate_verify(&good, &chain, &key.public_key));
    assert_false(certificate_verify(&good, &chain, &other.public_key));
    assert_false(certificate_verify(&good, &device, &key.public_key));
    struct certificate c = good;
    c.origin = device;
    assert_false(certificate_verify(&c, &chain, &key.public_key));
    c = good;
    c.device = origin;
    assert_false(certificate_verify(&c, &chain, &key.public_key));
    c = good;
    c.location[7] = '2';
    assert_false(certificate_verify(&c, &chain, &key.public_key));
    c = good;
    c.location[7] = '\0';
    assert_false(certificate_verify(&c, &chain, &key.public_key));
    c = good;
    c.signature.b[0] ^= 1;
    assert_false(certificate_verify(&c, &chain, &key.public_key));
}

TEST(certificate__covers_a_location_of_64_bytes_whole)
{
    begin();
    char name[LIMIT_NAME + 1];
    memset(name, 'x', LIMIT_NAME);
    name[LIMIT_NAME] = '\0';
    struct certificate c = certificate_make(&key, &chain, &origin, &device, str_of(name));
    assert_true(certificate_verify(&c, &chain, &key.public_key));
    c.location[LIMIT_NAME - 1] = 'y';
    assert_false(certificate_verify(&c, &chain, &key.public_key));
}

TEST(seal__holds_for_its_key_and_every_field)
{
    begin();
    struct stream_key stream = {origin, LANE_NORMAL};
    struct mark empty = {0};
    struct mark mark = mark_next(&empty, STR("x"));
    struct seal good = seal_make(&key, &chain, &stream, &mark);
    assert_true(seal_verify(&good, &chain, &key.public_key));
    assert_false(seal_verify(&good, &chain, &other.public_key));
    assert_false(seal_verify(&good, &device, &key.public_key));
    struct seal s = good;
    s.key.origin = device;
    assert_false(seal_verify(&s, &chain, &key.public_key));
    s = good;
    s.key.lane = LANE_CRITICAL;
    assert_false(seal_verify(&s, &chain, &key.public_key));
    for (int bit = 0; bit < 64; bit++) {
        s = good;
        s.mark.seq ^= UINT64_C(1) << bit;
        assert_false(seal_verify(&s, &chain, &key.public_key));
    }
    s = good;
    s.mark.hash.b[31] ^= 1;
    assert_false(seal_verify(&s, &chain, &key.public_key));
    s = good;
    s.signature.b[63] ^= 1;
    assert_false(seal_verify(&s, &chain, &key.public_key));
}

TEST(stream__a_request_to_join_holds_for_one_code_key_and_place_only)
{
    begin();
    struct hash code = {{1, 2, 3}}, another = {{1, 2, 4}};
    struct signature good = stream_join_make(&key, &code, &device, STR("Hamra"));
    assert_true(stream_join_verify(&good, &code, &device, STR("Hamra"), &key.public_key));
    assert_false(stream_join_verify(&good, &another, &device, STR("Hamra"), &key.public_key));
    assert_false(stream_join_verify(&good, &code, &run, STR("Hamra"), &key.public_key));
    assert_false(stream_join_verify(&good, &code, &device, STR(""), &key.public_key));
    assert_false(stream_join_verify(&good, &code, &device, STR("Hamra"), &other.public_key));
    good = stream_join_make(&key, &code, &device, STR(""));
    assert_true(stream_join_verify(&good, &code, &device, STR(""), &key.public_key));
}

TEST(stream__proof_holds_for_one_challenge_only)
{
    begin();
    uint8_t challenge[CHALLENGE_SIZE] = {1, 2, 3};
    struct signature good = stream_proof_make(&key, &chain, &device, &run, challenge);
    assert_true(stream_proof_verify(&good, &chain, &device, &run, challenge, &key.public_key));
    assert_false(stream_proof_verify(&good, &chain, &device, &run, challenge, &other.public_key));
    assert_false(stream_proof_verify(&good, &device, &device, &run, challenge, &key.public_key));
    assert_false(stream_proof_verify(&good, &chain, &chain, &run, challenge, &key.public_key));
    assert_false(stream_proof_verify(&good, &chain, &device, &device, challenge, &key.public_key));
    challenge[CHALLENGE_SIZE - 1] ^= 1;
    assert_false(stream_proof_verify(&good, &chain, &device, &run, challenge, &key.public_key));
}

// A signature for one purpose must not serve another, even where the same fields are signed.
TEST(stream__keeps_purposes_apart)
{
    begin();
    // Of the same length behind the purpose: origin, device | location = device, run | challenge.
    char location[CHALLENGE_SIZE + 1] = "12345678901234567890123456789012";
    struct certificate c = certificate_make(&key, &chain, &origin, &device, str_of(location));
    uint8_t challenge[CHALLENGE_SIZE];
    memcpy(challenge, location, CHALLENGE_SIZE);
    assert_false(
        stream_proof_verify(&c.signature, &chain, &origin, &device, challenge, &key.public_key));
    struct signature proof = stream_proof_make(&key, &chain, &origin, &device, challenge);
    c.signature = proof;
    assert_false(certificate_verify(&c, &chain, &key.public_key));
    struct stream_key stream = {origin, LANE_CRITICAL};
    struct mark mark = {5, {{7}}};
    struct seal seal = {stream, mark, proof};
    assert_false(seal_verify(&seal, &chain, &key.public_key));
}
