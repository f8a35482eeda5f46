-- SPDX-License-Identifier: Apache-2.0
-- What follows from answers changed: the triggers of an open question are those that are not
-- settled, and what was answered keeps the clock it was given before.
INSERT INTO meta (name, value) VALUES ('refold', '1')
    ON CONFLICT DO UPDATE SET value = excluded.value;
