-- SPDX-License-Identifier: Apache-2.0
-- Shifts, the money that names them, and in which Z it is counted (src/model/shift_money.h).

CREATE TABLE shift_heads (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    till TEXT,
    z INTEGER,
    opened_at INTEGER,
    opened_by TEXT,
    opening_notes TEXT,
    closed_at INTEGER,
    closed_by TEXT,
    closing BLOB,
    closing_notes TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX shift_heads_z ON shift_heads (location, till, z) WHERE state = 'closed';
CREATE VIEW shifts AS
SELECT h.*, s.sync_status FROM shift_heads AS h JOIN record_status AS s
    ON s.location = h.location AND s.type = 'shift' AND s.id = h.id;

-- What a Z counted: streams up to a seq, and single events.
CREATE TABLE shift_frozen (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    origin BLOB NOT NULL,
    lane INTEGER NOT NULL,
    upto INTEGER NOT NULL,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id, origin, lane)
) STRICT, WITHOUT ROWID;
CREATE TABLE shift_frozen_events (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    event BLOB NOT NULL,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id, event)
) STRICT, WITHOUT ROWID;
CREATE TABLE shift_counts (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    method TEXT NOT NULL,
    currency TEXT NOT NULL,
    said INTEGER,
    counted INTEGER,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id, method, currency)
) STRICT, WITHOUT ROWID;
CREATE TABLE shift_drawer (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    event BLOB NOT NULL,
    reason TEXT,
    at INTEGER NOT NULL,
    by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id, event)
) STRICT, WITHOUT ROWID;

-- Money that names a shift, of orders and of shifts themselves.
CREATE TABLE shift_facts (
    location TEXT NOT NULL,
    record TEXT NOT NULL,
    type TEXT NOT NULL,
    event BLOB NOT NULL,
    number INTEGER NOT NULL,
    shift TEXT NOT NULL,
    kind TEXT NOT NULL,
    method TEXT,
    currency TEXT,
    amount INTEGER NOT NULL,
    at INTEGER NOT NULL,
    origin BLOB NOT NULL,
    lane INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, record, type, event, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX shift_facts_shift ON shift_facts (location, shift);

-- Whole tickets may name one too.
ALTER TABLE tickets ADD COLUMN shift TEXT;
CREATE INDEX tickets_shift ON tickets (location, shift) WHERE shift IS NOT NULL;

CREATE VIEW shift_money AS
SELECT location, shift, type, record, event, kind, method, currency, amount, at, origin, lane, seq
FROM shift_facts
UNION ALL
SELECT t.location, t.shift, 'ticket', t.id, t.event_id, 'sale', NULL, t.currency, t.total, t.at,
       s.origin, s.lane, e.seq
FROM tickets AS t JOIN events AS e ON e.lsn = t.lsn JOIN streams AS s ON s.number = e.stream
WHERE t.shift IS NOT NULL
UNION ALL
SELECT t.location, t.shift, 'ticket', t.id, t.event_id,
       CASE WHEN p.amount < 0 THEN 'refund' ELSE 'payment' END, p.method, p.currency, p.amount,
       t.at, s.origin, s.lane, e.seq
FROM tickets AS t JOIN ticket_payments AS p ON p.ticket = t.lsn
JOIN events AS e ON e.lsn = t.lsn JOIN streams AS s ON s.number = e.stream
WHERE t.shift IS NOT NULL;

-- In which section of which Z it is counted: own (the shift's own, or it is still open), late (a
-- later Z of the till knew it first), waiting (no Z did; counted_in is null).
CREATE VIEW shift_sections AS
WITH placed AS (
    SELECT m.*, h.state IS NULL OR h.state <> 'closed'
               OR EXISTS (SELECT 1 FROM shift_frozen AS f WHERE f.location = m.location
                   AND f.id = m.shift AND f.origin = m.origin AND f.lane = m.lane
                   AND f.upto >= m.seq)
               OR EXISTS (SELECT 1 FROM shift_frozen_events AS f WHERE f.location = m.location
                   AND f.id = m.shift AND f.event = m.event) AS own,
           (SELECT n.id FROM shift_heads AS n WHERE n.location = m.location AND n.till IS h.till
                AND n.state = 'closed' AND n.z > h.z
                AND (EXISTS (SELECT 1 FROM shift_frozen AS f WHERE f.location = n.location
                        AND f.id = n.id AND f.origin = m.origin AND f.lane = m.lane
                        AND f.upto >= m.seq)
                    OR EXISTS (SELECT 1 FROM shift_frozen_events AS f
                        WHERE f.location = n.location AND f.id = n.id AND f.event = m.event))
            ORDER BY n.z, n.id LIMIT 1) AS later
    FROM shift_money AS m LEFT JOIN shift_heads AS h
        ON h.location = m.location AND h.id = m.shift
)
SELECT location, CASE WHEN own THEN shift ELSE later END AS counted_in,
       CASE WHEN own THEN 'own' WHEN later IS NULL THEN 'waiting' ELSE 'late' END AS section,
       shift, type, record, event, kind, method, currency, amount, at, origin, lane, seq
FROM placed;

-- By section, kind, method and currency. of_shift: of what is late, in which shift it happened.
CREATE VIEW shift_totals AS
SELECT location, counted_in AS shift, section, shift AS of_shift, kind, method, currency,
       sum(amount) AS amount, count(*) AS facts, min(at) AS first_at, max(at) AS last_at
FROM shift_sections GROUP BY location, counted_in, section, shift, kind, method, currency;

-- What should be in the drawer, what was found, and what came too late to be counted there.
CREATE VIEW shift_cash AS
WITH sums AS (
    SELECT location, shift, currency,
           sum(CASE WHEN section = 'own' THEN amount ELSE 0 END) AS expected,
           sum(CASE WHEN section = 'own' THEN 0 ELSE amount END) AS late
    FROM shift_sections WHERE kind <> 'sale' AND method = 'cash'
    GROUP BY location, shift, currency
), found AS (
    SELECT location, id AS shift, currency, counted FROM shift_counts
    WHERE method = 'cash' AND counted IS NOT NULL
), names AS (
    SELECT location, shift, currency FROM sums UNION SELECT location, shift, currency FROM found
)
SELECT n.location, n.shift, n.currency, coalesce(s.expected, 0) AS expected, f.counted,
       f.counted - coalesce(s.expected, 0) AS difference, coalesce(s.late, 0) AS late
FROM names AS n
LEFT JOIN sums AS s ON s.location = n.location AND s.shift = n.shift AND s.currency = n.currency
LEFT JOIN found AS f ON f.location = n.location AND f.shift = n.shift AND f.currency = n.currency;

-- What a Z of this shift freezes if this node closes it now: its own money, and what waits for a
-- Z of its till. Streams that this node holds as a whole go by their seq; of others it knows only
-- what it was told, so that events of those are frozen one by one.
CREATE VIEW shift_unfrozen AS
SELECT h.location AS location, h.id AS shift, m.event AS event, m.origin AS origin,
       m.lane AS lane, m.seq AS seq,
       EXISTS (SELECT 1 FROM streams AS s WHERE s.origin = m.origin AND s.lane = m.lane) AS whole
FROM shift_heads AS h JOIN shift_sections AS m ON m.location = h.location
    AND (m.shift = h.id OR (m.section = 'waiting' AND EXISTS (SELECT 1 FROM shift_heads AS o
        WHERE o.location = m.location AND o.id = m.shift AND o.till IS h.till)))
WHERE h.state <> 'closed';
CREATE VIEW shift_frontier AS
SELECT location, shift, origin, lane, max(seq) AS upto FROM shift_unfrozen WHERE whole
GROUP BY location, shift, origin, lane;
CREATE VIEW shift_frontier_events AS
SELECT DISTINCT location, shift, event FROM shift_unfrozen WHERE NOT whole;

-- What a Z says was taken beside what its frozen events say.
CREATE VIEW shift_checks AS
WITH sums AS (
    SELECT location, shift, method, currency, sum(amount) AS taken FROM shift_sections
    WHERE section = 'own' AND kind IN ('payment', 'refund')
    GROUP BY location, shift, method, currency
)
SELECT h.location, h.id AS shift, n.method, n.currency, c.said, s.taken
FROM shift_heads AS h JOIN (SELECT location, id AS shift, method, currency FROM shift_counts
        WHERE said IS NOT NULL
    UNION SELECT location, shift, method, currency FROM sums) AS n
    ON n.location = h.location AND n.shift = h.id
LEFT JOIN shift_counts AS c ON c.location = n.location AND c.id = n.shift
    AND c.method = n.method AND c.currency = n.currency
LEFT JOIN sums AS s ON s.location = n.location AND s.shift = n.shift AND s.method = n.method
    AND s.currency = n.currency
WHERE h.state = 'closed';

-- Events of these types that came before this program knew them are folded now.
INSERT INTO meta (name, value) VALUES ('refold', '1')
    ON CONFLICT DO UPDATE SET value = excluded.value;
