-- SPDX-License-Identifier: Apache-2.0
-- What stock places kept before kept_stock (0021) was there: whatever else than a sale moved a SKU.
INSERT OR IGNORE INTO kept_stock
SELECT location, json_extract(bytes, '$.body.sku')
FROM journal
WHERE lsn IN (SELECT lsn FROM events WHERE instr(rest, 'inventory_') > 0
              OR instr(rest, 'transfer_received') > 0)
    AND type IN ('inventory_received', 'inventory_transferred', 'transfer_received',
                 'inventory_wasted', 'inventory_adjusted', 'inventory_counted')
    AND location IS NOT NULL AND coalesce(json_extract(bytes, '$.body.sku'), '') <> ''
    AND typeof(json_extract(bytes, '$.body.sku')) = 'text';

-- Whether any SKU may be oversold is asked for at each transaction.
CREATE INDEX settings_set ON settings (id) WHERE value IS NOT NULL;
