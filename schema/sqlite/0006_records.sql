-- SPDX-License-Identifier: Apache-2.0
-- Records that are folded from all of their events (src/model/record.h), and the rows of orders.

CREATE TABLE records (
    number INTEGER PRIMARY KEY,
    type TEXT NOT NULL,
    location TEXT NOT NULL,
    id TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX records_key ON records (location, type, id);

-- Which events a record is made of. lsn: of the journal; below zero: -number of a told event.
CREATE TABLE record_events (
    record INTEGER NOT NULL,
    lsn INTEGER NOT NULL,
    PRIMARY KEY (record, lsn)
) STRICT, WITHOUT ROWID;

-- Events of other devices of this place, as the feed told them, byte for byte.
CREATE TABLE told_events (
    number INTEGER PRIMARY KEY,
    location TEXT NOT NULL,
    id BLOB NOT NULL,
    generation INTEGER NOT NULL,
    bytes TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX told_events_id ON told_events (id, location);

CREATE TABLE order_heads (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    status TEXT NOT NULL,
    kind TEXT,
    table_name TEXT,
    covers TEXT,
    waiter TEXT,
    customer TEXT,
    discount TEXT,
    note TEXT,
    currency TEXT,
    places INTEGER,
    opened_at INTEGER,
    merged_into TEXT,
    total INTEGER NOT NULL,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE order_bills (
    location TEXT NOT NULL,
    order_id TEXT NOT NULL,
    bill TEXT NOT NULL,
    status TEXT NOT NULL,
    total INTEGER NOT NULL,
    paid INTEGER NOT NULL,
    refunded INTEGER NOT NULL,
    receipt TEXT,
    completed_by BLOB,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, order_id, bill)
) STRICT, WITHOUT ROWID;
CREATE TABLE order_lines (
    location TEXT NOT NULL,
    order_id TEXT NOT NULL,
    line BLOB NOT NULL,
    bill TEXT NOT NULL,
    sku TEXT,
    name TEXT,
    quantity INTEGER NOT NULL,
    unit_price INTEGER NOT NULL,
    amount INTEGER,
    modifiers TEXT,
    note TEXT,
    flagged INTEGER NOT NULL,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, order_id, line, bill)
) STRICT, WITHOUT ROWID;
CREATE TABLE order_payments (
    location TEXT NOT NULL,
    order_id TEXT NOT NULL,
    payment BLOB NOT NULL,
    event BLOB NOT NULL,
    bill TEXT NOT NULL,
    method TEXT NOT NULL,
    currency TEXT NOT NULL,
    amount INTEGER NOT NULL,
    value INTEGER NOT NULL,
    refund_of BLOB,
    at INTEGER NOT NULL,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, order_id, payment, event)
) STRICT, WITHOUT ROWID;

-- Questions that folding a record raised. part: '' for the whole record.
CREATE TABLE record_reviews (
    location TEXT NOT NULL,
    record TEXT NOT NULL,
    kind TEXT NOT NULL,
    part TEXT NOT NULL,
    triggers TEXT NOT NULL,
    open INTEGER NOT NULL,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, record, kind, part)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_reviews_open ON record_reviews (location) WHERE open = 1;

-- What people look at is one list: a record's questions stand in it as long as it asks them.
CREATE TABLE review_texts (
    kind TEXT PRIMARY KEY,
    text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO review_texts (kind, text) VALUES
    ('line', 'Two tills changed one line without having seen each other; both changes count.'),
    ('split', 'More of a line was moved to other bills than it had.'),
    ('void_lost', 'An order was voided beside a payment; the payment stands.'),
    ('completed_twice', 'One bill was completed twice; the first completion counts.'),
    ('payment', 'What was paid is not what was to be paid.'),
    ('after_payment', 'A line was changed beside the payment of its bill.'),
    ('opened_twice', 'One order was opened twice; the first opening counts.'),
    ('merged_twice', 'One order was merged into two others; the later one has it.');
CREATE TRIGGER record_reviews_asked AFTER INSERT ON record_reviews BEGIN
    INSERT INTO reviews (kind, location, record, text, detail, opened_at, open)
    VALUES ('order_' || NEW.kind, NEW.location,
        NEW.record || CASE NEW.part WHEN '' THEN '' ELSE ' ' || NEW.part END,
        coalesce((SELECT text FROM review_texts WHERE kind = NEW.kind), NEW.kind),
        json_object('order', NEW.record, 'part', NEW.part, 'triggers', NEW.triggers),
        CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER), NEW.open)
    ON CONFLICT DO UPDATE SET detail = excluded.detail, open = excluded.open;
END;
CREATE TRIGGER record_reviews_changed AFTER UPDATE ON record_reviews BEGIN
    UPDATE reviews SET open = NEW.open,
        detail = json_object('order', NEW.record, 'part', NEW.part, 'triggers', NEW.triggers)
    WHERE kind = 'order_' || NEW.kind AND location = NEW.location
        AND record = NEW.record || CASE NEW.part WHEN '' THEN '' ELSE ' ' || NEW.part END;
END;
CREATE TRIGGER record_reviews_gone AFTER DELETE ON record_reviews BEGIN
    DELETE FROM reviews WHERE kind = 'order_' || OLD.kind AND location = OLD.location
        AND record = OLD.record || CASE OLD.part WHEN '' THEN '' ELSE ' ' || OLD.part END;
END;

-- sync_status: the least of its events'; what was told by the feed is settled.
CREATE VIEW orders AS
SELECT o.*,
       (SELECT CASE max(CASE WHEN e.state = 2 THEN 2 WHEN e.state = 1 THEN 1 ELSE 0 END)
            WHEN 2 THEN 'pending' WHEN 1 THEN 'held' ELSE 'settled' END
        FROM records AS r JOIN record_events AS m ON m.record = r.number
        JOIN events AS e ON e.lsn = m.lsn
        WHERE r.location = o.location AND r.type = 'order' AND r.id = o.id) AS sync_status
FROM order_heads AS o;

-- Money taken, whether by a whole ticket or by an order.
ALTER TABLE payments RENAME TO ticket_payments;
CREATE VIEW payments AS
SELECT t.location AS location, t.id AS record, NULL AS payment, p.ticket AS ticket,
       p.number AS number, p.method AS method, p.currency AS currency, p.amount AS amount,
       t.sync_status AS sync_status, t.local_version AS local_version
FROM ticket_payments AS p JOIN tickets AS t ON t.lsn = p.ticket
UNION ALL
SELECT p.location, p.order_id, p.payment, NULL, NULL, p.method, p.currency, p.amount,
       (SELECT o.sync_status FROM orders AS o WHERE o.location = p.location
           AND o.id = p.order_id),
       p.local_version
FROM order_payments AS p;
