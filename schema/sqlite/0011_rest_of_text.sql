-- SPDX-License-Identifier: Apache-2.0
-- What an event's text begins with is in its row and its stream as well, and is not stored twice:
-- 'rest' begins behind {"v":1,"id":..,"origin":..,"lane":..,"seq":..,"location":.., where the text
-- begins exactly so, and is the whole text where it does not. No whole text begins with a quote.
-- Rows that are there already stay whole. The view says every text in full.
ALTER TABLE events RENAME COLUMN bytes TO rest;

DROP VIEW journal;
CREATE VIEW journal AS
WITH rows AS (
    SELECT e.*, s.origin AS origin, s.location AS location, s.since AS since,
           CASE s.lane WHEN 0 THEN 'critical' WHEN 1 THEN 'normal' ELSE 'deferred' END AS lane,
           e.id IS NOT NULL AND s.number IS NOT NULL AND substr(e.rest, 1, 1) = '"' AS cut
    FROM events AS e LEFT JOIN streams AS s ON s.number = e.stream
)
SELECT lsn, id, origin, lane, seq, location,
       CASE WHEN json_valid(iif(cut, '{', '') || rest)
           THEN json_extract(iif(cut, '{', '') || rest, '$.type') END AS type,
       CASE WHEN json_valid(iif(cut, '{', '') || rest)
           THEN json_extract(iif(cut, '{', '') || rest, '$.at') END AS at,
       CASE WHEN json_valid(iif(cut, '{', '') || rest)
           THEN json_extract(iif(cut, '{', '') || rest, '$.hlc') END AS hlc,
       since + received AS received_at,
       CASE state WHEN 0 THEN 'settled' WHEN 1 THEN 'held' WHEN 2 THEN 'pending'
           WHEN 3 THEN 'conflict' WHEN 4 THEN 'review' WHEN 5 THEN 'dead_letter'
           WHEN 6 THEN 'duplicate' WHEN 8 THEN 'review' ELSE 'conflict' END AS status,
       CASE WHEN synced <> -2147483648 THEN since + synced END AS synced_at,
       chain,
       CASE WHEN cut THEN '{"v":1,"id":"' || lower(hex(substr(id, 1, 4)) || '-'
           || hex(substr(id, 5, 2)) || '-' || hex(substr(id, 7, 2)) || '-'
           || hex(substr(id, 9, 2)) || '-' || hex(substr(id, 11, 6))) || '","origin":"'
           || lower(hex(substr(origin, 1, 4)) || '-' || hex(substr(origin, 5, 2)) || '-'
           || hex(substr(origin, 7, 2)) || '-' || hex(substr(origin, 9, 2)) || '-'
           || hex(substr(origin, 11, 6))) || '","lane":"' || lane || '","seq":' || seq
           || ',"location":"' || location || '",' || rest
           ELSE rest END AS bytes
FROM rows;

CREATE TRIGGER journal_delete INSTEAD OF DELETE ON journal BEGIN
    DELETE FROM events WHERE lsn = OLD.lsn;
END;
CREATE TRIGGER journal_update INSTEAD OF UPDATE ON journal BEGIN
    UPDATE events
    SET lsn = NEW.lsn, id = NEW.id, seq = NEW.seq, chain = NEW.chain, rest = NEW.bytes,
        state = CASE WHEN NEW.status IS OLD.status THEN state ELSE
            (SELECT min(state) FROM journal_status WHERE status = NEW.status) END
    WHERE lsn = OLD.lsn;
END;
