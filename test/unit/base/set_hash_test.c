// SPDX-License-Identifier: Apache-2.0
#include "base/set_hash.h"
#include "test/unit/unit.h"

#include <string.h>

static void digest_is(const struct set_hash *h, const char *wanted)
{
    char text[HASH_TEXT_SIZE];
    struct hash digest = set_hash_digest(h);
    hash_format(&digest, text);
    assert_string_equal(text, wanted);
}

// The known answers were computed with another implementation (Python).

TEST(set_hash__gives_the_known_answers)
{
    struct set_hash h = {{0}};
    digest_is(&h, "200823e5158b3774c11b5c61850ada762f8264144a9bebec3ebac5a2adde67b8");
    set_hash_add(&h, STR("a"));
    digest_is(&h, "15b284d79173154e01e00040460fcb7ce26ef6067e77bacafe32e8ec264c6989");
    set_hash_add(&h, STR("b"));
    set_hash_add(&h, STR("c"));
    digest_is(&h, "5dc9538fdbed76f65872dfacce5c87eabdb96381f5172ca5fbd957f0ac2bf7d9");
}

TEST(set_hash__does_not_depend_on_the_order)
{
    struct set_hash a = {{0}}, b = {{0}};
    set_hash_add(&a, STR("one"));
    set_hash_add(&a, STR("two"));
    set_hash_add(&b, STR("two"));
    set_hash_add(&b, STR("one"));
    assert_memory_equal(&a, &b, sizeof a);
}

TEST(set_hash__removing_undoes_adding)
{
    struct set_hash a = {{0}}, b = {{0}};
    set_hash_add(&a, STR("one"));
    set_hash_add(&b, STR("two"));
    set_hash_add(&b, STR("one"));
    set_hash_remove(&b, STR("two"));
    assert_memory_equal(&a, &b, sizeof a);
}

TEST(set_hash__tells_sets_apart)
{
    struct set_hash a = {{0}}, b = {{0}};
    set_hash_add(&a, STR("ab"));
    set_hash_add(&a, STR("c"));
    set_hash_add(&b, STR("a"));
    set_hash_add(&b, STR("bc"));
    struct hash x = set_hash_digest(&a), y = set_hash_digest(&b);
    assert_false(hash_equal(&x, &y));
    set_hash_add(&b, STR("bc")); // twice is not once
    x = set_hash_digest(&b);
    assert_false(hash_equal(&x, &y));
}

TEST(set_hash__is_kept_with_the_low_bytes_first)
{
    struct set_hash h = {{0}}, again = {{0}};
    uint8_t bytes[SET_HASH_SIZE];
    set_hash_add(&h, STR("a"));
    h.lanes[0] = 0x1234;
    set_hash_write(&h, bytes);
    assert_int_equal(bytes[0], 0x34);
    assert_int_equal(bytes[1], 0x12);
    set_hash_read(&again, bytes);
    assert_memory_equal(&h, &again, sizeof h);
}
