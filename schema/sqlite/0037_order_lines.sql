-- SPDX-License-Identifier: Apache-2.0
-- An order of too many lines asks a person. Lines that were removed count too, so that what is near
-- is folded again as well.
INSERT INTO meta (name, value)
SELECT 'refold', '1'
WHERE EXISTS (SELECT 1 FROM order_lines GROUP BY location, order_id HAVING count(*) > 1000)
ON CONFLICT DO UPDATE SET value = excluded.value;
