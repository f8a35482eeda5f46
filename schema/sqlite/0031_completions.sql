-- SPDX-License-Identifier: Apache-2.0
-- A second completion of a bill is asked about though it was judged a duplicate.
INSERT INTO meta (name, value) VALUES ('refold', '1')
    ON CONFLICT DO UPDATE SET value = excluded.value;
