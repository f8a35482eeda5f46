-- SPDX-License-Identifier: Apache-2.0
-- A branch's own prices, and since which version a published price is so (src/model/price.h).

-- Folded records (src/model/draft.c): what a place says of an item, the newest first.
CREATE TABLE own_prices (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    event BLOB NOT NULL,
    nth INTEGER NOT NULL,
    sku TEXT,
    list TEXT,
    price INTEGER,
    currency TEXT,
    places INTEGER,
    catalog INTEGER NOT NULL,
    set_at INTEGER NOT NULL,
    set_by TEXT,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id, event)
) STRICT, WITHOUT ROWID;
CREATE INDEX own_prices_sku ON own_prices (location, sku);

-- A centre that is ahead of this device may have said so already: then it lies among what was not
-- known. The row's bytes, and so the version's hash, stay as they are.
ALTER TABLE catalog_item_rows ADD COLUMN priced INTEGER;
ALTER TABLE catalog_price_rows ADD COLUMN priced INTEGER;
UPDATE catalog_item_rows
SET priced = json_extract(extra, '$.priced'), extra = nullif(json_remove(extra, '$.priced'), '{}')
WHERE json_type(extra, '$.priced') = 'integer';
UPDATE catalog_price_rows
SET priced = json_extract(extra, '$.priced'), extra = nullif(json_remove(extra, '$.priced'), '{}')
WHERE json_type(extra, '$.priced') = 'integer';

INSERT INTO meta (name, value) VALUES ('refold', '1')
    ON CONFLICT DO UPDATE SET value = excluded.value;
