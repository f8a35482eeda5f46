// SPDX-License-Identifier: Apache-2.0
#include "model/feed_mark.h"
#include "test/unit/unit.h"

TEST(feed_mark__is_the_hash_of_the_feed_at_its_head)
{
    struct feed_mark head = {7, hash_of(STR("seven"))};
    struct hash mark = feed_mark_of(&head, &head);
    assert_true(hash_equal(&mark, &head.hash));
}

TEST(feed_mark__binds_the_head_that_a_page_was_read_under)
{
    struct feed_mark at = {3, hash_of(STR("three"))}, head = {70000, hash_of(STR("seven"))};
    struct hash mark = feed_mark_of(&at, &head), other;
    assert_false(hash_equal(&mark, &at.hash));
    assert_int_equal(feed_mark_head(&mark), 70000);
    head.hash.b[31] ^= 1; // another history of the feed
    other = feed_mark_of(&at, &head);
    assert_false(hash_equal(&mark, &other));
    at.hash.b[31] ^= 1;
    head.hash.b[31] ^= 1;
    other = feed_mark_of(&at, &head);
    assert_false(hash_equal(&mark, &other));
}
