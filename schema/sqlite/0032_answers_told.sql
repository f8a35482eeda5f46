-- SPDX-License-Identifier: Apache-2.0
-- A question tells what was answered.
INSERT INTO meta (name, value) VALUES ('refold', '1')
    ON CONFLICT DO UPDATE SET value = excluded.value;
