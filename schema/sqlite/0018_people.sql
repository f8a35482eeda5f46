-- SPDX-License-Identifier: Apache-2.0
-- People and what roles may do (src/model/people.h); location is '*', the whole chain.

CREATE TABLE users (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    code TEXT,
    role TEXT,
    active INTEGER NOT NULL,
    since TEXT NOT NULL,
    changed_hlc TEXT NOT NULL,
    changed_in BLOB NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE user_places (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    place TEXT NOT NULL,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id, place)
) STRICT, WITHOUT ROWID;
CREATE TABLE roles (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    given INTEGER NOT NULL,
    since TEXT NOT NULL,
    changed_hlc TEXT NOT NULL,
    changed_in BLOB NOT NULL,
    changed_at INTEGER NOT NULL,
    changed_by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE role_rights (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    granted TEXT NOT NULL,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id, granted)
) STRICT, WITHOUT ROWID;
