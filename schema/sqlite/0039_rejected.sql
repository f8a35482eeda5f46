-- SPDX-License-Identifier: Apache-2.0
-- A split or a merge that a person rejected is taken back, and of a term that was rejected as a
-- whole the first holder stands. Of what was split over and over a question names other events.
INSERT INTO meta (name, value)
SELECT 'refold', '1'
WHERE EXISTS (SELECT 1 FROM record_reviews WHERE kind IN ('split', 'merged_twice', 'same_term'))
ON CONFLICT DO UPDATE SET value = excluded.value;
