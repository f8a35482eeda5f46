-- SPDX-License-Identifier: Apache-2.0
-- A node holds a stream as a whole up to its head, and no further. A device that was restored from
-- an older copy is told of events that it wrote and forgot, at seqs behind that head; what else
-- stood between them it does not know, so that its Z may not freeze the stream up to there.
--
-- What is late a Z names one by one. A stream up to a seq freezes what is of the Z's own shift: of
-- another one it says nothing, for that may have been open when this Z was made, and been closed
-- by another till without what stands in the stream. A Z that named late money by its stream alone
-- (of a program before this one) leaves it to the next.
DROP VIEW shift_frontier;
DROP VIEW shift_frontier_events;
DROP VIEW shift_unfrozen;
DROP VIEW shift_sections;
CREATE VIEW shift_sections AS
WITH placed AS (
    SELECT m.*, h.state IS NULL OR h.state <> 'closed'
               OR EXISTS (SELECT 1 FROM shift_frozen AS f WHERE f.location = m.location
                   AND f.id = m.shift AND f.origin = m.origin AND f.lane = m.lane
                   AND f.upto >= m.seq)
               OR EXISTS (SELECT 1 FROM shift_frozen_events AS f WHERE f.location = m.location
                   AND f.id = m.shift AND f.event = m.event) AS own,
           (SELECT n.id FROM shift_heads AS n WHERE n.location = m.location AND n.till IS h.till
                AND n.state = 'closed' AND n.z > h.z
                AND EXISTS (SELECT 1 FROM shift_frozen_events AS f
                    WHERE f.location = n.location AND f.id = n.id AND f.event = m.event)
            ORDER BY n.z, n.id LIMIT 1) AS later
    FROM shift_money AS m LEFT JOIN shift_heads AS h
        ON h.location = m.location AND h.id = m.shift
)
SELECT location, CASE WHEN own THEN shift ELSE later END AS counted_in,
       CASE WHEN own THEN 'own' WHEN later IS NULL THEN 'waiting' ELSE 'late' END AS section,
       shift, type, record, event, kind, method, currency, amount, at, origin, lane, seq
FROM placed;
CREATE VIEW shift_unfrozen AS
SELECT h.location AS location, h.id AS shift, m.event AS event, m.origin AS origin,
       m.lane AS lane, m.seq AS seq,
       m.shift = h.id AND EXISTS (SELECT 1 FROM streams AS s
           WHERE s.origin = m.origin AND s.lane = m.lane
           AND max(s.head_seq, coalesce((SELECT max(l.seq) FROM late AS l
               WHERE l.stream = s.number), 0)) >= m.seq) AS whole
FROM shift_heads AS h JOIN shift_sections AS m ON m.location = h.location
    AND (m.shift = h.id OR (m.section = 'waiting' AND EXISTS (SELECT 1 FROM shift_heads AS o
        WHERE o.location = m.location AND o.id = m.shift AND o.till IS h.till)))
WHERE h.state <> 'closed';
CREATE VIEW shift_frontier AS
SELECT location, shift, origin, lane, max(seq) AS upto FROM shift_unfrozen WHERE whole
GROUP BY location, shift, origin, lane;
CREATE VIEW shift_frontier_events AS
SELECT DISTINCT location, shift, event FROM shift_unfrozen WHERE NOT whole;
