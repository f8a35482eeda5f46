-- SPDX-License-Identifier: Apache-2.0
-- The floor and the kitchen: sold-out dishes, unmet demand, customers, reservations, bumped lines.

CREATE TABLE availability_cards (
    location TEXT NOT NULL,
    sku TEXT NOT NULL,
    state TEXT,
    until_at INTEGER,
    reason TEXT,
    changed_at INTEGER,
    changed_by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, sku)
) STRICT, WITHOUT ROWID;
CREATE VIEW availability AS
SELECT c.*, s.sync_status FROM availability_cards AS c JOIN record_status AS s
    ON s.location = c.location AND s.type = 'availability' AND s.id = c.sku;

-- Demand that could not be served. It is not in 'stock', nor in any flow: nothing moved.
CREATE TABLE unmet_cards (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    sku TEXT,
    quantity INTEGER,
    reason TEXT,
    order_id TEXT,
    changed_at INTEGER,
    changed_by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;
CREATE VIEW unmet_demand AS
SELECT c.*, s.sync_status FROM unmet_cards AS c JOIN record_status AS s
    ON s.location = c.location AND s.type = 'unmet' AND s.id = c.id;

CREATE TABLE customer_cards (
    location TEXT NOT NULL,
    code TEXT NOT NULL,
    tier TEXT,
    points_rule TEXT,
    price_list TEXT,
    locale TEXT,
    changed_at INTEGER,
    changed_by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, code)
) STRICT, WITHOUT ROWID;
CREATE VIEW customers AS
SELECT c.*, s.sync_status FROM customer_cards AS c JOIN record_status AS s
    ON s.location = c.location AND s.type = 'customer' AND s.id = c.code;

CREATE TABLE reservation_heads (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    state TEXT NOT NULL,
    sku TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    order_id TEXT,
    station TEXT,
    requested_at INTEGER NOT NULL,
    requested_by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;
-- Goods that are kept, or may be: what is not free.
CREATE INDEX reservation_heads_held ON reservation_heads (location, sku)
    WHERE state IN ('pending', 'confirmed');
CREATE VIEW reservations AS
SELECT h.*, s.sync_status FROM reservation_heads AS h JOIN record_status AS s
    ON s.location = h.location AND s.type = 'reservation' AND s.id = h.id;

CREATE TABLE order_bumps (
    location TEXT NOT NULL,
    order_id TEXT NOT NULL,
    line TEXT NOT NULL,
    station TEXT NOT NULL,
    event BLOB NOT NULL,
    at INTEGER NOT NULL,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, order_id, line, station)
) STRICT, WITHOUT ROWID;

-- Events of these types that came before this program knew them are folded now.
INSERT INTO meta (name, value) VALUES ('refold', '1')
    ON CONFLICT DO UPDATE SET value = excluded.value;
