-- SPDX-License-Identifier: Apache-2.0
-- Settings (src/model/setting.h) and authorities of places (src/model/authority.h).

CREATE TABLE settings (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    value TEXT,
    changed_at INTEGER,
    changed_by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE authorities (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    term INTEGER NOT NULL,
    holder BLOB NOT NULL,
    set_in BLOB NOT NULL,
    released INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE authority_voters (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    device BLOB NOT NULL,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE authority_heads (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    origin BLOB NOT NULL,
    lane TEXT NOT NULL,
    seq INTEGER NOT NULL,
    hash TEXT NOT NULL,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id, origin, lane)
) STRICT, WITHOUT ROWID;
