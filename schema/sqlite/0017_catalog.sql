-- SPDX-License-Identifier: Apache-2.0
-- Catalog: what people edit (drafts), and the versions that were published of it.

-- ---- drafts -----------------------------------------------------------------------------------
-- Folded records (src/model/draft.c). At "*": the centre's; prices elsewhere: of that place.

CREATE TABLE items (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    name_ar TEXT,
    name_en TEXT,
    name_fr TEXT,
    category TEXT,
    unit TEXT,
    barcode TEXT,
    shelf_life_days INTEGER,
    tax TEXT,
    active INTEGER,
    changed_at INTEGER,
    changed_by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE prices (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    sku TEXT,
    list TEXT,
    price INTEGER,
    currency TEXT,
    places INTEGER,
    changed_at INTEGER,
    changed_by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE taxes (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    percent INTEGER,
    included INTEGER,
    since TEXT,
    before INTEGER,
    changed_at INTEGER,
    changed_by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE promotions (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    name TEXT,
    kind TEXT,
    value INTEGER,
    currency TEXT,
    sku TEXT,
    category TEXT,
    buy INTEGER,
    free INTEGER,
    weekdays TEXT,
    since TEXT,
    until TEXT,
    from_time TEXT,
    until_time TEXT,
    place TEXT,
    priority INTEGER,
    active INTEGER,
    changed_at INTEGER,
    changed_by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE recipes (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    uses TEXT,
    changed_at INTEGER,
    changed_by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;

-- Which published rows may differ from their drafts: what publishing has to look at.
-- kind: 0 item, 1 price of a list, 2 promotion, 3 tax.
CREATE TABLE catalog_changed (
    kind INTEGER NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER items_added AFTER INSERT ON items WHEN NEW.location = '*' BEGIN
    INSERT INTO catalog_changed VALUES (0, NEW.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER items_changed AFTER UPDATE ON items WHEN NEW.location = '*' BEGIN
    INSERT INTO catalog_changed VALUES (0, NEW.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER items_gone AFTER DELETE ON items WHEN OLD.location = '*' BEGIN
    INSERT INTO catalog_changed VALUES (0, OLD.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER recipes_added AFTER INSERT ON recipes WHEN NEW.location = '*' BEGIN
    INSERT INTO catalog_changed VALUES (0, NEW.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER recipes_changed AFTER UPDATE ON recipes WHEN NEW.location = '*' BEGIN
    INSERT INTO catalog_changed VALUES (0, NEW.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER recipes_gone AFTER DELETE ON recipes WHEN OLD.location = '*' BEGIN
    INSERT INTO catalog_changed VALUES (0, OLD.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER prices_added AFTER INSERT ON prices WHEN NEW.location = '*' BEGIN
    INSERT INTO catalog_changed VALUES (NEW.list IS NOT NULL, NEW.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER prices_changed AFTER UPDATE ON prices WHEN NEW.location = '*' BEGIN
    INSERT INTO catalog_changed VALUES (OLD.list IS NOT NULL, NEW.id) ON CONFLICT DO NOTHING;
    INSERT INTO catalog_changed VALUES (NEW.list IS NOT NULL, NEW.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER prices_gone AFTER DELETE ON prices WHEN OLD.location = '*' BEGIN
    INSERT INTO catalog_changed VALUES (OLD.list IS NOT NULL, OLD.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER promotions_added AFTER INSERT ON promotions WHEN NEW.location = '*' BEGIN
    INSERT INTO catalog_changed VALUES (2, NEW.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER promotions_changed AFTER UPDATE ON promotions WHEN NEW.location = '*' BEGIN
    INSERT INTO catalog_changed VALUES (2, NEW.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER promotions_gone AFTER DELETE ON promotions WHEN OLD.location = '*' BEGIN
    INSERT INTO catalog_changed VALUES (2, OLD.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER taxes_added AFTER INSERT ON taxes WHEN NEW.location = '*' BEGIN
    INSERT INTO catalog_changed VALUES (3, NEW.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER taxes_changed AFTER UPDATE ON taxes WHEN NEW.location = '*' BEGIN
    INSERT INTO catalog_changed VALUES (3, NEW.id) ON CONFLICT DO NOTHING;
END;
CREATE TRIGGER taxes_gone AFTER DELETE ON taxes WHEN OLD.location = '*' BEGIN
    INSERT INTO catalog_changed VALUES (3, OLD.id) ON CONFLICT DO NOTHING;
END;

-- ---- versions -----------------------------------------------------------------------------------

-- What catalog_published events said. 'computed' is what the drafts gave.
CREATE TABLE catalog_versions (
    version INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    computed BLOB NOT NULL,
    count INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    note TEXT,
    published_at INTEGER NOT NULL,
    published_by TEXT,
    event_id BLOB NOT NULL,
    lsn INTEGER NOT NULL
) STRICT;

-- Rows of all editions. At the centre an edition is a version; at a till it counts what came down.
-- Of a row the newest edition within [floor, edition] of catalog_state is shown; what is newer is
-- being brought in, in small transactions, until one that moves 'edition' shows all of it.
-- gone: from that edition on there is no such row.
CREATE TABLE catalog_item_rows (
    id TEXT NOT NULL,
    edition INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    name TEXT,
    name_ar TEXT,
    name_en TEXT,
    name_fr TEXT,
    category TEXT,
    unit TEXT,
    barcode TEXT,
    shelf_life_days INTEGER,
    tax TEXT,
    active INTEGER,
    price INTEGER,
    currency TEXT,
    places INTEGER,
    recipe TEXT,
    extra TEXT,
    PRIMARY KEY (id, edition)
) STRICT, WITHOUT ROWID;
CREATE TABLE catalog_price_rows (
    id TEXT NOT NULL,
    edition INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    sku TEXT,
    list TEXT,
    price INTEGER,
    currency TEXT,
    places INTEGER,
    extra TEXT,
    PRIMARY KEY (id, edition)
) STRICT, WITHOUT ROWID;
CREATE TABLE catalog_promotion_rows (
    id TEXT NOT NULL,
    edition INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    name TEXT,
    kind TEXT,
    value INTEGER,
    currency TEXT,
    sku TEXT,
    category TEXT,
    buy INTEGER,
    free INTEGER,
    weekdays TEXT,
    since TEXT,
    until TEXT,
    from_time TEXT,
    until_time TEXT,
    place TEXT,
    priority INTEGER,
    active INTEGER,
    extra TEXT,
    PRIMARY KEY (id, edition)
) STRICT, WITHOUT ROWID;
CREATE TABLE catalog_tax_rows (
    id TEXT NOT NULL,
    edition INTEGER NOT NULL,
    gone INTEGER NOT NULL,
    name TEXT,
    percent INTEGER,
    included INTEGER,
    since TEXT,
    before INTEGER,
    extra TEXT,
    PRIMARY KEY (id, edition)
) STRICT, WITHOUT ROWID;

-- One row. version, hash, count: of what is shown. next_*: of what is being brought in, whose set
-- hash is 'sum' over 'rows' rows, and of which 'staged' were written so far. swept: up to this
-- edition nothing old is left. refused_*: a version whose rows did not give its hash, and the hash
-- that they gave.
CREATE TABLE catalog_state (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    edition INTEGER NOT NULL,
    floor INTEGER NOT NULL,
    version INTEGER NOT NULL,
    hash BLOB NOT NULL,
    count INTEGER NOT NULL,
    next_edition INTEGER NOT NULL,
    next_floor INTEGER NOT NULL,
    next_version INTEGER NOT NULL,
    next_hash BLOB NOT NULL,
    next_count INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    staged INTEGER NOT NULL,
    swept INTEGER NOT NULL,
    refused_version INTEGER NOT NULL,
    refused_hash BLOB NOT NULL,
    sum BLOB NOT NULL
) STRICT;
INSERT INTO catalog_state VALUES (1, 0, 0, 0, zeroblob(32), 0, 1, 0, 0, zeroblob(32), 0, 0, 0, 0, 0,
    zeroblob(32), zeroblob(2048));

CREATE VIEW catalog_items AS
SELECT r.id AS sku, r.name AS name, r.name_ar AS name_ar, r.name_en AS name_en,
       r.name_fr AS name_fr, r.category AS category, r.unit AS unit, r.barcode AS barcode,
       r.shelf_life_days AS shelf_life_days, r.tax AS tax, r.active AS active, r.price AS price,
       r.currency AS currency, r.places AS places, r.recipe AS recipe, s.version AS version,
       'settled' AS sync_status, r.edition AS local_version
FROM catalog_state AS s JOIN catalog_item_rows AS r
WHERE r.edition BETWEEN s.floor AND s.edition AND r.gone = 0 AND NOT EXISTS
    (SELECT 1 FROM catalog_item_rows AS n WHERE n.id = r.id AND n.edition > r.edition
        AND n.edition <= s.edition);
CREATE VIEW catalog_prices AS
SELECT r.sku AS sku, r.list AS list, r.price AS price, r.currency AS currency, r.places AS places,
       s.version AS version, 'settled' AS sync_status, r.edition AS local_version
FROM catalog_state AS s JOIN catalog_price_rows AS r
WHERE r.edition BETWEEN s.floor AND s.edition AND r.gone = 0 AND NOT EXISTS
    (SELECT 1 FROM catalog_price_rows AS n WHERE n.id = r.id AND n.edition > r.edition
        AND n.edition <= s.edition);
CREATE VIEW catalog_promotions AS
SELECT r.id AS id, r.name AS name, r.kind AS kind, r.value AS value, r.currency AS currency,
       r.sku AS sku, r.category AS category, r.buy AS buy, r.free AS free,
       r.weekdays AS weekdays, r.since AS since, r.until AS until, r.from_time AS from_time,
       r.until_time AS until_time, r.place AS place, r.priority AS priority, r.active AS active,
       s.version AS version, 'settled' AS sync_status, r.edition AS local_version
FROM catalog_state AS s JOIN catalog_promotion_rows AS r
WHERE r.edition BETWEEN s.floor AND s.edition AND r.gone = 0 AND NOT EXISTS
    (SELECT 1 FROM catalog_promotion_rows AS n WHERE n.id = r.id AND n.edition > r.edition
        AND n.edition <= s.edition);
CREATE VIEW catalog_taxes AS
SELECT r.id AS id, r.name AS name, r.percent AS percent, r.included AS included,
       r.since AS since, r.before AS before, s.version AS version, 'settled' AS sync_status,
       r.edition AS local_version
FROM catalog_state AS s JOIN catalog_tax_rows AS r
WHERE r.edition BETWEEN s.floor AND s.edition AND r.gone = 0 AND NOT EXISTS
    (SELECT 1 FROM catalog_tax_rows AS n WHERE n.id = r.id AND n.edition > r.edition
        AND n.edition <= s.edition);

-- At the centre: what each price was from which version on. price NULL: none.
CREATE VIEW catalog_price_history AS
SELECT id AS sku, NULL AS list, edition AS from_version,
       CASE gone WHEN 0 THEN price END AS price, currency AS currency, places AS places
FROM catalog_item_rows
UNION ALL
SELECT coalesce(sku, id), list, edition, CASE gone WHEN 0 THEN price END, currency, places
FROM catalog_price_rows;

-- Which version the author of a sold line had before him; NULL: he did not say.
ALTER TABLE ticket_lines ADD COLUMN catalog INTEGER;
ALTER TABLE order_lines ADD COLUMN catalog INTEGER;
-- Who allowed another price than the line was added at.
ALTER TABLE order_lines ADD COLUMN overridden_by TEXT;

-- What a device holds of the catalog, as it says.
ALTER TABLE device_status ADD COLUMN catalog_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device_status ADD COLUMN catalog_hash BLOB;

-- Somebody with SQL and the file at hand may change a price of what is shown; it is found
-- (catalog_check). A view that refused it would only hide where it is done.
CREATE TRIGGER catalog_items_edited INSTEAD OF UPDATE ON catalog_items BEGIN
    UPDATE catalog_item_rows
    SET name = NEW.name, category = NEW.category, unit = NEW.unit, tax = NEW.tax,
        active = NEW.active, price = NEW.price, currency = NEW.currency, places = NEW.places
    WHERE id = OLD.sku AND edition = OLD.local_version;
END;
