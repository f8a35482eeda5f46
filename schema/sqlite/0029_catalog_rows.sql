-- SPDX-License-Identifier: Apache-2.0
-- Rows of the catalog stand in the order in which they came, and a narrow index finds them. Kept in
-- the order of their ids, 500 changes of 50,000 items lay on 500 pages, each of which went to the
-- log and to the disk as a whole: now on six for the rows, and some tens for the index.

CREATE TEMP TABLE moved AS SELECT * FROM main.catalog_item_rows ORDER BY edition, id;
DROP TABLE main.catalog_item_rows;
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
) STRICT;
INSERT INTO main.catalog_item_rows SELECT * FROM temp.moved;
DROP TABLE temp.moved;
CREATE TEMP TABLE moved AS SELECT * FROM main.catalog_price_rows ORDER BY edition, id;
DROP TABLE main.catalog_price_rows;
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
) STRICT;
INSERT INTO main.catalog_price_rows SELECT * FROM temp.moved;
DROP TABLE temp.moved;
