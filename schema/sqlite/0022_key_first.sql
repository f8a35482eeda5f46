-- SPDX-License-Identifier: Apache-2.0
-- run_heads with the columns of its key first. SQLite 3.40 takes a value for NULL in a table
-- WITHOUT ROWID that declares a column of its key last: 'PRAGMA integrity_check' told of damage in
-- every store, and there was none.
ALTER TABLE run_heads RENAME TO run_heads_before;
CREATE TABLE run_heads (
    origin BLOB NOT NULL,
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    lsn INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (origin, lane, seq, lsn)
) STRICT, WITHOUT ROWID;
INSERT INTO run_heads (origin, lane, seq, lsn, hash)
    SELECT origin, lane, seq, lsn, hash FROM run_heads_before;
DROP TABLE run_heads_before;
