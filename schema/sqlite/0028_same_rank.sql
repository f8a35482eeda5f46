-- SPDX-License-Identifier: Apache-2.0
-- What an author of a price, a tax or a promotion had seen reaches through judgements too, and who
-- saw one side of a question and set something else has settled that side.
INSERT INTO meta (name, value) VALUES ('refold', '1')
    ON CONFLICT DO UPDATE SET value = excluded.value;
