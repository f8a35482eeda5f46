-- SPDX-License-Identifier: Apache-2.0
-- Up to where of the feed is shown here: while rows are kept aside it stays behind the cursor.
-- NULL: nothing was shown yet.
ALTER TABLE feed_cursors ADD COLUMN shown_feed BLOB;
ALTER TABLE feed_cursors ADD COLUMN shown INTEGER;
UPDATE feed_cursors SET shown_feed = feed, shown = position WHERE fresh = 0
    AND NOT EXISTS (SELECT 1 FROM feed_staged AS s WHERE s.location = feed_cursors.location);
