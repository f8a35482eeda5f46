-- SPDX-License-Identifier: Apache-2.0
-- What was judged of single events (src/model/judgement.h): lsn is of the judgement.
CREATE TABLE judgements (
    location TEXT NOT NULL,
    target BLOB NOT NULL,
    lsn INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    term INTEGER NOT NULL,
    answer BLOB,
    batch TEXT,
    hlc INTEGER NOT NULL,
    origin BLOB NOT NULL,
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    id BLOB NOT NULL,
    PRIMARY KEY (location, target, lsn)
) STRICT, WITHOUT ROWID;
CREATE INDEX judgements_batch ON judgements (location, batch) WHERE batch IS NOT NULL;
