-- SPDX-License-Identifier: Apache-2.0
-- What the author of a count or a sale had seen: a position of its feed is a place in the journal.

-- lsn: the journal's last row when the row of the feed was written; NULL: written before this.
ALTER TABLE feed_rows ADD COLUMN lsn INTEGER;

-- To find what happened at one place behind a row of the journal.
CREATE INDEX streams_location ON streams (location);

-- The newest count of each SKU that an authority knows of, by the order of all events: what comes
-- later and stands before it, the count could not know.
CREATE TABLE counted (
    location TEXT NOT NULL,
    sku TEXT NOT NULL,
    event BLOB NOT NULL,
    record_id TEXT NOT NULL,
    device BLOB NOT NULL,
    hlc INTEGER NOT NULL,
    origin BLOB NOT NULL,
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    shown INTEGER NOT NULL,
    PRIMARY KEY (location, sku)
) STRICT, WITHOUT ROWID;
CREATE INDEX counted_newest ON counted (location, hlc);
