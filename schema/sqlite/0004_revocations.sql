-- SPDX-License-Identifier: Apache-2.0
-- What counts of a device that was revoked: each revocation (of one event, or of several parts)
-- names heads of its streams. Events behind them are kept and not folded: state 8.
CREATE TABLE revocations (
    device BLOB NOT NULL,
    lsn INTEGER NOT NULL,
    revocation BLOB NOT NULL,
    part INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    PRIMARY KEY (device, lsn)
) STRICT, WITHOUT ROWID;

-- lsn: the event that names it.
CREATE TABLE revoked_heads (
    lsn INTEGER NOT NULL,
    origin BLOB NOT NULL,
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (lsn, origin, lane)
) STRICT, WITHOUT ROWID;

-- How many events of a device are in state 8.
CREATE TABLE withheld (
    device BLOB PRIMARY KEY,
    events INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO journal_status (state, status) VALUES (8, 'review');

DROP VIEW journal;
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
           WHEN 6 THEN 'duplicate' WHEN 8 THEN 'review' ELSE 'conflict' END AS status,
       CASE WHEN e.synced <> -2147483648 THEN s.since + e.synced END AS synced_at,
       e.chain AS chain,
       e.bytes AS bytes
FROM events AS e LEFT JOIN streams AS s ON s.number = e.stream;

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
