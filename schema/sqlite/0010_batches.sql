-- SPDX-License-Identifier: Apache-2.0
-- Events of one stream that a person is asked about as one (src/model/batch.h).
CREATE TABLE batches (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    from_seq INTEGER NOT NULL,
    to_seq INTEGER NOT NULL,
    events INTEGER NOT NULL,
    held INTEGER NOT NULL,
    oldest_at INTEGER NOT NULL,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;
