-- SPDX-License-Identifier: Apache-2.0
-- What the feed of a place need not repeat any more (src/store/sqlite/feed_trim.h).

-- Of positions below it rows are gone that were never superseded; 0: of none.
ALTER TABLE feeds ADD COLUMN trimmed INTEGER NOT NULL DEFAULT 0;

-- How far devices had come in the feed of their place, as they said last. copied: "trimmed" as it
-- was when the copy began that the device is making; NULL: it makes none.
CREATE TABLE feed_readers (
    device BLOB PRIMARY KEY,
    feed INTEGER NOT NULL,
    position INTEGER NOT NULL,
    copied INTEGER
) STRICT, WITHOUT ROWID;
