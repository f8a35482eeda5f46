-- SPDX-License-Identifier: Apache-2.0
-- Up to this row event_ids is whole; the few ids behind it may be in the journal only (see ids.h).
INSERT INTO meta (name, value) SELECT 'ids_until', coalesce(max(lsn), 0) FROM events;
