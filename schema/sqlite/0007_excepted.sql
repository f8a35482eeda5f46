-- SPDX-License-Identifier: Apache-2.0
-- A notice is what keeps an event out of what the feed includes: as long as it stands, the event
-- counts beside the feed here, however far the feed includes its stream.

-- own: what the row was by this node's own fold (0: as far as its stream's marks say). generation:
-- of the copy that said so; a fresh copy that does not repeat a notice takes it back.
ALTER TABLE notices ADD COLUMN own INTEGER NOT NULL DEFAULT 0;
ALTER TABLE notices ADD COLUMN generation INTEGER NOT NULL DEFAULT 0;
-- What this node says itself, no copy takes back.
UPDATE notices SET generation = 9223372036854775807
WHERE lsn IN (SELECT e.lsn FROM events AS e JOIN streams AS s ON s.number = e.stream
              JOIN ended AS n ON n.origin = s.origin AND n.lane = s.lane AND e.seq > n.seq);

-- told: what pages that are kept aside include; it holds when the page at the feed's head comes.
ALTER TABLE includes ADD COLUMN told INTEGER;
CREATE INDEX includes_told ON includes (told) WHERE told IS NOT NULL;
