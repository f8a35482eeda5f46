-- SPDX-License-Identifier: Apache-2.0
-- What is kept for somebody is counted, and who was not heard yet is found, without a walk.
ALTER TABLE reservation_heads ADD COLUMN request BLOB;
CREATE INDEX reservation_kept
    ON reservation_heads (location, sku, until_at) WHERE state = 'confirmed';
CREATE INDEX reservation_pending ON reservation_heads (location, id) WHERE state = 'pending';
INSERT INTO meta VALUES ('refold', '1') ON CONFLICT DO UPDATE SET value = excluded.value;
