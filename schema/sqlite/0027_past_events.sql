-- SPDX-License-Identifier: Apache-2.0
-- Of a long record only what still matters is read (src/store/sqlite/record_past.h).

-- Events of a record that are no longer read; lsn as in record_events.
CREATE TABLE record_past (
    record INTEGER NOT NULL,
    lsn INTEGER NOT NULL,
    PRIMARY KEY (record, lsn)
) STRICT, WITHOUT ROWID;
-- Of such a record: twice the rank among what is left, and one more for the cut. 0: it came later.
ALTER TABLE record_events ADD COLUMN rank INTEGER NOT NULL DEFAULT 0;
