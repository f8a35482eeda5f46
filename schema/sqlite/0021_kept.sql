-- SPDX-License-Identifier: Apache-2.0
-- SKUs whose stock a place keeps: something else than a sale has moved them there. Of others nobody
-- is asked why more was sold than there is.
CREATE TABLE kept_stock (
    location TEXT NOT NULL,
    sku TEXT NOT NULL,
    PRIMARY KEY (location, sku)
) STRICT, WITHOUT ROWID;
