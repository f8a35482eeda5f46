// SPDX-License-Identifier: Apache-2.0
#include "model/feed_reader.h"
#include "test/unit/unit.h"

#include <stddef.h>

// Amid the feed.
static bool hears(struct feed_reader *r, uint64_t trimmed, uint64_t position, bool known)
{
    struct feed_heard says = {position, 20, known};
    return feed_reader_heard(r, trimmed, &says);
}

TEST(feed_reader__goes_on_from_behind_what_was_dropped)
{
    struct feed_reader r = {7, FEED_READER_WHOLE};
    assert_true(hears(&r, 10, 10, true));
    assert_true(r.position == 10 && r.copied == FEED_READER_WHOLE);
    assert_false(hears(&r, 10, 9, true)); // restored from a backup
    assert_true(r.position == 0 && r.copied == 10);
    assert_true(hears(&r, 10, 9, true)); // of the copy that it makes
    assert_true(r.position == 9 && r.copied == 10);
    assert_false(hears(&r, 11, 9, true)); // more went meanwhile
    assert_false(hears(&r, 11, 12, false));
    assert_true(hears(&r, 11, 0, true));
    assert_true(hears(&r, 11, 11, true));
    assert_int_equal(r.copied, FEED_READER_WHOLE);
}

// What a copy shows was read when those rows were gone already.
TEST(feed_reader__an_older_disk_is_no_copy_that_goes_on)
{
    struct feed_reader r = {0, 10};
    struct feed_heard at_rest = {9, 9, true}, amid = {9, 10, true};
    assert_true(feed_reader_heard(&r, 10, &amid));
    assert_false(feed_reader_heard(&r, 10, &at_rest));
}

TEST(feed_reader__nothing_goes_that_somebody_has_to_read)
{
    uint64_t least = 40;
    assert_int_equal(feed_reader_limit(100, 10, NULL), 90);
    assert_int_equal(feed_reader_limit(100, 10, &least), 40);
    least = 95;
    assert_int_equal(feed_reader_limit(100, 10, &least), 90);
    assert_int_equal(feed_reader_limit(10, 10, NULL), 0);
    assert_int_equal(feed_reader_limit(9, 10, NULL), 0);
}
