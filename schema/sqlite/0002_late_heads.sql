-- SPDX-License-Identifier: Apache-2.0
-- Heads of streams may be some rows behind the journal (see stream_cache.h): who sums them up looks
-- at the last rows too.
CREATE VIEW late AS
SELECT stream, seq FROM events WHERE lsn > (SELECT max(lsn) FROM events) - 128;

DROP VIEW branch_sync_status;
CREATE VIEW branch_sync_status AS
WITH places (id) AS (
    SELECT id FROM locations UNION SELECT location FROM devices WHERE location <> '*'
    UNION SELECT location FROM streams WHERE location <> '*'
),
reported AS (
    SELECT location, sum(pending) AS pending, max(last_sync_at) AS last_sync_at
    FROM device_status GROUP BY location
),
own AS (
    SELECT location, sum(max(head_seq, coalesce((SELECT max(seq) FROM late WHERE stream = number),
        0)) - settled_seq) AS pending, max(acked_at) AS last_sync_at
    FROM streams WHERE own = 1 GROUP BY location
),
asked AS (SELECT location, count(*) AS n FROM reviews WHERE open = 1 GROUP BY location)
SELECT p.id AS branch_id,
       coalesce(l.name, p.id) AS branch_name,
       coalesce(r.pending, o.pending, 0) AS pending_events,
       coalesce(a.n, 0) AS conflict_count,
       nullif(coalesce(r.last_sync_at, o.last_sync_at), 0) AS last_synced_at,
       CAST((CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)
           - nullif(coalesce(r.last_sync_at, o.last_sync_at), 0)) / 60000 AS INTEGER)
           AS minutes_since_sync
FROM places AS p
LEFT JOIN locations AS l ON l.id = p.id
LEFT JOIN reported AS r ON r.location = p.id
LEFT JOIN own AS o ON o.location = p.id
LEFT JOIN asked AS a ON a.location = p.id;
