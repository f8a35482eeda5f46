-- SPDX-License-Identifier: Apache-2.0
-- Journal, streams, folded records, feeds. Numbered files are applied once, one transaction each,
-- and never edited after they landed.
--
-- Ids are BLOB(16), hashes BLOB(32), times ms since 1970, money minor units, quantities 10^-4.

-- Small facts about the node itself.
CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- One row for each (origin, lane). since: received_at and synced_at of its events count from here,
-- which makes them 3 or 4 bytes instead of 6. seal_*: the newest verified or own signature.
CREATE TABLE streams (
    number INTEGER PRIMARY KEY,
    origin BLOB NOT NULL,
    lane INTEGER NOT NULL,
    device BLOB NOT NULL,
    location TEXT NOT NULL,
    own INTEGER NOT NULL,
    since INTEGER NOT NULL,
    starts_run INTEGER NOT NULL,
    head_seq INTEGER NOT NULL,
    head_hash BLOB NOT NULL,
    held_seq INTEGER NOT NULL,
    held_hash BLOB NOT NULL,
    settled_seq INTEGER NOT NULL,
    settled_hash BLOB NOT NULL,
    acked_at INTEGER NOT NULL,
    seal_seq INTEGER NOT NULL DEFAULT 0,
    seal_hash BLOB,
    seal_signature BLOB,
    certificate BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX streams_key ON streams (origin, lane);
CREATE INDEX streams_unsettled ON streams (number) WHERE own = 1 AND settled_seq < head_seq;

-- The journal's rows as they are stored; the view "journal" shows them in full. What every row of
-- a stream shares (origin, lane, location) is in streams, and what the bytes say is read from
-- them: virtual columns would be computed on each insert, at several times its cost.
-- state: see journal_status. Numbered so that a row never grows when it moves on from pending:
-- 0 and 1 take no byte, and a row that grows splits its page.
CREATE TABLE events (
    lsn INTEGER PRIMARY KEY,
    id BLOB,
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    state INTEGER NOT NULL,
    received INTEGER NOT NULL,
    synced INTEGER,
    chain BLOB NOT NULL,
    bytes TEXT NOT NULL
) STRICT;
CREATE INDEX events_apart ON events (stream, seq) WHERE state > 2;

CREATE TABLE journal_status (
    state INTEGER PRIMARY KEY,
    status TEXT NOT NULL
) STRICT;
INSERT INTO journal_status (state, status) VALUES
    (0, 'settled'), (1, 'held'), (2, 'pending'), (3, 'conflict'), (4, 'review'),
    (5, 'dead_letter'), (6, 'duplicate'), (7, 'conflict');

-- Where a stream's rows lie: from seq on, lsn + (n - seq), up to the stream's next extent. A run
-- of events without others in between costs one row, however long it is.
CREATE TABLE extents (
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    lsn INTEGER NOT NULL,
    PRIMARY KEY (stream, seq)
) STRICT, WITHOUT ROWID;

-- Every carrier of an id. key is made from the id (its time first, so that new ones come last);
-- the few that meet on one key are told apart by the id in events, and probe further keys.
CREATE TABLE event_ids (
    key INTEGER PRIMARY KEY,
    lsn INTEGER NOT NULL
) STRICT;

CREATE VIEW journal AS
SELECT e.lsn AS lsn,
       e.id AS id,
       s.origin AS origin,
       CASE s.lane WHEN 0 THEN 'critical' WHEN 1 THEN 'normal' ELSE 'deferred' END AS lane,
       e.seq AS seq,
       s.location AS location,
       CASE WHEN json_valid(e.bytes) THEN json_extract(e.bytes, '$.type') END AS type,
       CASE WHEN json_valid(e.bytes) THEN json_extract(e.bytes, '$.at') END AS at,
       CASE WHEN json_valid(e.bytes) THEN json_extract(e.bytes, '$.hlc') END AS hlc,
       s.since + e.received AS received_at,
       CASE e.state WHEN 0 THEN 'settled' WHEN 1 THEN 'held' WHEN 2 THEN 'pending'
           WHEN 3 THEN 'conflict' WHEN 4 THEN 'review' WHEN 5 THEN 'dead_letter'
           WHEN 6 THEN 'duplicate' ELSE 'conflict' END AS status,
       CASE WHEN e.synced <> -2147483648 THEN s.since + e.synced END AS synced_at,
       e.chain AS chain,
       e.bytes AS bytes
FROM events AS e LEFT JOIN streams AS s ON s.number = e.stream;

-- The journal is append only for the program. Whoever edits it by hand is not kept out by a
-- refused statement; 'wasl verify' finds it. So the view takes edits like a table would.
CREATE TRIGGER journal_delete INSTEAD OF DELETE ON journal BEGIN
    DELETE FROM events WHERE lsn = OLD.lsn;
END;
CREATE TRIGGER journal_update INSTEAD OF UPDATE ON journal BEGIN
    UPDATE events
    SET lsn = NEW.lsn, id = NEW.id, seq = NEW.seq, chain = NEW.chain, bytes = NEW.bytes,
        state = CASE WHEN NEW.status IS OLD.status THEN state ELSE
            (SELECT min(state) FROM journal_status WHERE status = NEW.status) END
    WHERE lsn = OLD.lsn;
END;

-- Why an event was not folded. given: the reason is the caller's, a new fold cannot find it.
CREATE TABLE dead (
    lsn INTEGER PRIMARY KEY,
    reason TEXT NOT NULL,
    since INTEGER NOT NULL,
    given INTEGER NOT NULL
) STRICT;
CREATE VIEW dead_letters AS
SELECT d.lsn AS lsn, j.id AS id, j.type AS type, j.location AS location, d.reason AS reason,
       d.since AS since
FROM dead AS d JOIN journal AS j ON j.lsn = d.lsn;

-- What the upstream said about own events: their state here no longer follows from the fold.
CREATE TABLE notices (
    lsn INTEGER PRIMARY KEY,
    state INTEGER NOT NULL
) STRICT;

-- ---- records --------------------------------------------------------------------------------
-- lsn: the event that holds the record. sync_status follows that event.

CREATE TABLE tickets (
    lsn INTEGER PRIMARY KEY,
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    event_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    number TEXT NOT NULL,
    till TEXT,
    customer TEXT,
    currency TEXT NOT NULL,
    places INTEGER NOT NULL,
    total INTEGER NOT NULL,
    at INTEGER NOT NULL,
    line_count INTEGER NOT NULL,
    state INTEGER NOT NULL,
    local_version INTEGER NOT NULL,
    sync_status TEXT AS (CASE state WHEN 0 THEN 'settled' WHEN 1 THEN 'held' WHEN 2 THEN 'pending'
        WHEN 3 THEN 'conflict' WHEN 4 THEN 'review' WHEN 5 THEN 'dead_letter'
        ELSE 'conflict' END) VIRTUAL
) STRICT;
CREATE UNIQUE INDEX tickets_key ON tickets (location, id);

-- ticket: tickets.lsn
CREATE TABLE ticket_lines (
    ticket INTEGER NOT NULL,
    number INTEGER NOT NULL,
    sku TEXT NOT NULL,
    name TEXT,
    quantity INTEGER NOT NULL,
    unit_price INTEGER NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (ticket, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE payments (
    ticket INTEGER NOT NULL,
    number INTEGER NOT NULL,
    method TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (ticket, number)
) STRICT, WITHOUT ROWID;

-- confirmed: what the feed from above said last; NULL where this node's own fold is the account.
-- moves: how many deltas of own events are in; a row that none is in any more is taken out, so
-- that an event which came and was taken back leaves no trace.
CREATE TABLE stock (
    location TEXT NOT NULL,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    moves INTEGER NOT NULL DEFAULT 0,
    confirmed INTEGER,
    generation INTEGER NOT NULL DEFAULT 0,
    local_version INTEGER NOT NULL DEFAULT 1,
    sync_status TEXT AS (CASE WHEN confirmed IS NULL OR confirmed = quantity THEN 'settled'
        ELSE 'pending' END) VIRTUAL,
    PRIMARY KEY (location, sku)
) STRICT, WITHOUT ROWID;

CREATE TABLE locations (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    region TEXT,
    lsn INTEGER,
    generation INTEGER NOT NULL DEFAULT 0,
    local_version INTEGER NOT NULL DEFAULT 1,
    sync_status TEXT NOT NULL DEFAULT 'settled'
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
    id BLOB PRIMARY KEY,
    location TEXT NOT NULL,
    role TEXT NOT NULL,
    name TEXT,
    key BLOB NOT NULL,
    revoked INTEGER NOT NULL DEFAULT 0,
    lsn INTEGER,
    generation INTEGER NOT NULL DEFAULT 0,
    local_version INTEGER NOT NULL DEFAULT 1,
    sync_status TEXT NOT NULL DEFAULT 'settled'
) STRICT, WITHOUT ROWID;
CREATE INDEX devices_location ON devices (location);

-- Events that claim a record which another event holds; rank is the total order (hlc, origin,
-- lane, seq) as bytes. Should the holder be taken back, the next in order takes over.
CREATE TABLE claims (
    kind INTEGER NOT NULL,
    location TEXT NOT NULL,
    record TEXT NOT NULL,
    rank BLOB NOT NULL,
    lsn INTEGER NOT NULL,
    PRIMARY KEY (kind, location, record, rank)
) STRICT, WITHOUT ROWID;

-- Runs of devices, and where each said that the run before it had ended.
CREATE TABLE runs (
    origin BLOB PRIMARY KEY,
    device BLOB NOT NULL,
    location TEXT NOT NULL,
    predecessor BLOB,
    lsn INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_predecessor ON runs (predecessor) WHERE predecessor IS NOT NULL;
CREATE TABLE run_heads (
    origin BLOB NOT NULL,
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    lsn INTEGER NOT NULL,
    PRIMARY KEY (origin, lane, seq, lsn)
) STRICT, WITHOUT ROWID;

-- ---- people -----------------------------------------------------------------------------------

CREATE TABLE reviews (
    number INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,
    location TEXT NOT NULL,
    record TEXT NOT NULL,
    text TEXT NOT NULL,
    detail TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    open INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX reviews_key ON reviews (kind, record, location);
CREATE INDEX reviews_open ON reviews (location) WHERE open = 1;

CREATE TABLE quarantine (
    number INTEGER PRIMARY KEY,
    origin BLOB NOT NULL,
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    reason TEXT NOT NULL,
    at INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;

CREATE TABLE codes (
    secret BLOB PRIMARY KEY,
    location TEXT NOT NULL,
    role TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE tokens (
    token BLOB PRIMARY KEY,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE device_status (
    device BLOB PRIMARY KEY,
    location TEXT NOT NULL,
    pending INTEGER NOT NULL,
    oldest_pending_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    last_sync_at INTEGER NOT NULL,
    clock_offset_ms INTEGER NOT NULL,
    disk_free_bytes INTEGER NOT NULL,
    version TEXT NOT NULL,
    online INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- ---- feeds ------------------------------------------------------------------------------------

CREATE TABLE feeds (
    number INTEGER PRIMARY KEY,
    location TEXT NOT NULL UNIQUE,
    id BLOB NOT NULL,
    head INTEGER NOT NULL,
    head_hash BLOB NOT NULL
) STRICT;

-- bytes NULL: a tombstone, so that a cursor's hash can still be checked.
CREATE TABLE feed_rows (
    feed INTEGER NOT NULL,
    position INTEGER NOT NULL,
    type TEXT NOT NULL,
    id TEXT NOT NULL,
    hash BLOB NOT NULL,
    bytes TEXT,
    PRIMARY KEY (feed, position)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX feed_rows_live ON feed_rows (feed, type, id) WHERE bytes IS NOT NULL;

-- Downstream: how far this node has taken in each feed. generation: of the copy being made or held;
-- fresh: it is being made.
CREATE TABLE feed_cursors (
    location TEXT PRIMARY KEY,
    feed BLOB NOT NULL,
    position INTEGER NOT NULL,
    hash BLOB NOT NULL,
    generation INTEGER NOT NULL,
    fresh INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Rows of pages that did not reach the feed's head, until one does: they may count own events of
-- which only that page says so.
CREATE TABLE feed_staged (
    number INTEGER PRIMARY KEY,
    location TEXT NOT NULL,
    bytes TEXT NOT NULL
) STRICT;

CREATE TABLE includes (
    origin BLOB NOT NULL,
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (origin, lane)
) STRICT, WITHOUT ROWID;

-- ---- views ------------------------------------------------------------------------------------

-- One row for each place known here. A device that reports its own backlog counts with that; a
-- place without a report counts with what this node itself has not yet passed on.
CREATE VIEW branch_sync_status AS
WITH places (id) AS (
    SELECT id FROM locations UNION SELECT location FROM devices WHERE location <> '*'
    UNION SELECT location FROM streams WHERE location <> '*'
),
reported AS (
    SELECT location, sum(pending) AS pending, max(last_sync_at) AS last_sync_at
    FROM device_status GROUP BY location
),
own AS (
    SELECT location, sum(head_seq - settled_seq) AS pending, max(acked_at) AS last_sync_at
    FROM streams WHERE own = 1 GROUP BY location
),
asked AS (SELECT location, count(*) AS n FROM reviews WHERE open = 1 GROUP BY location)
SELECT p.id AS branch_id,
       coalesce(l.name, p.id) AS branch_name,
       coalesce(r.pending, o.pending, 0) AS pending_events,
       coalesce(a.n, 0) AS conflict_count,
       nullif(coalesce(r.last_sync_at, o.last_sync_at), 0) AS last_synced_at,
       CAST((CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
           - nullif(coalesce(r.last_sync_at, o.last_sync_at), 0)) / 60000 AS INTEGER)
           AS minutes_since_sync
FROM places AS p
LEFT JOIN locations AS l ON l.id = p.id
LEFT JOIN reported AS r ON r.location = p.id
LEFT JOIN own AS o ON o.location = p.id
LEFT JOIN asked AS a ON a.location = p.id;
