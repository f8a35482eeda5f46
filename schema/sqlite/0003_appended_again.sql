-- SPDX-License-Identifier: Apache-2.0
-- Events of a run that the upstream disputes are appended again under another one. The rows stay
-- where they were: what became of them is said here.

-- Own streams that go on elsewhere: what stands behind seq was appended again, or never goes up.
CREATE TABLE ended (
    origin BLOB NOT NULL,
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (origin, lane)
) STRICT, WITHOUT ROWID;

-- Own events that were appended again: another carrier of their id counts, and no fold counts them.
CREATE TABLE withdrawn (
    lsn INTEGER PRIMARY KEY
) STRICT;
