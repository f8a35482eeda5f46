-- SPDX-License-Identifier: Apache-2.0
-- Questions of any type of folded record, each with both sides, what both had seen, and what is
-- suggested; and the first records of the floor.

DROP TRIGGER record_reviews_asked;
DROP TRIGGER record_reviews_changed;
DROP TRIGGER record_reviews_gone;
DROP INDEX record_reviews_open;
DROP TABLE record_reviews;

-- part: '' for the whole record. detail: a JSON object.
CREATE TABLE record_reviews (
    location TEXT NOT NULL,
    record TEXT NOT NULL,
    type TEXT NOT NULL,
    kind TEXT NOT NULL,
    part TEXT NOT NULL,
    triggers TEXT NOT NULL,
    open INTEGER NOT NULL,
    detail TEXT NOT NULL,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, record, type, kind, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_reviews_open ON record_reviews (location) WHERE open = 1;

-- The sentences are written from the reducers' own when a store is opened: (type_kind, text).
DELETE FROM review_texts;

CREATE TRIGGER record_reviews_asked AFTER INSERT ON record_reviews BEGIN
    INSERT INTO reviews (kind, location, record, text, detail, opened_at, open)
    VALUES (NEW.type || '_' || NEW.kind, NEW.location,
        NEW.record || CASE NEW.part WHEN '' THEN '' ELSE ' ' || NEW.part END,
        coalesce((SELECT text FROM review_texts WHERE kind = NEW.type || '_' || NEW.kind),
            NEW.kind),
        json_patch(json_object('type', NEW.type, 'record', NEW.record, 'part', NEW.part,
            'triggers', NEW.triggers), NEW.detail),
        CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.open)
    ON CONFLICT DO UPDATE SET detail = excluded.detail, open = excluded.open;
END;
CREATE TRIGGER record_reviews_changed AFTER UPDATE ON record_reviews BEGIN
    UPDATE reviews SET open = NEW.open,
        detail = json_patch(json_object('type', NEW.type, 'record', NEW.record, 'part', NEW.part,
            'triggers', NEW.triggers), NEW.detail)
    WHERE kind = NEW.type || '_' || NEW.kind AND location = NEW.location
        AND record = NEW.record || CASE NEW.part WHEN '' THEN '' ELSE ' ' || NEW.part END;
END;
CREATE TRIGGER record_reviews_gone AFTER DELETE ON record_reviews BEGIN
    DELETE FROM reviews WHERE kind = OLD.type || '_' || OLD.kind AND location = OLD.location
        AND record = OLD.record || CASE OLD.part WHEN '' THEN '' ELSE ' ' || OLD.part END;
END;

-- How far the events of a record have come: the least of them; what the feed told is settled.
CREATE VIEW record_status AS
SELECT r.location AS location, r.type AS type, r.id AS id,
       (SELECT CASE max(CASE WHEN e.state = 2 THEN 2 WHEN e.state = 1 THEN 1 ELSE 0 END)
            WHEN 2 THEN 'pending' WHEN 1 THEN 'held' ELSE 'settled' END
        FROM record_events AS m JOIN events AS e ON e.lsn = m.lsn
        WHERE m.record = r.number) AS sync_status
FROM records AS r;

CREATE TABLE table_cards (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    status TEXT,
    changed_at INTEGER,
    changed_by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;
CREATE VIEW floor_tables AS
SELECT c.*, s.sync_status FROM table_cards AS c JOIN record_status AS s
    ON s.location = c.location AND s.type = 'table' AND s.id = c.id;

-- What is stored was folded by other rules: it is folded afresh when the store is opened.
INSERT INTO meta (name, value) VALUES ('refold', '1')
    ON CONFLICT DO UPDATE SET value = excluded.value;
