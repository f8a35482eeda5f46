-- SPDX-License-Identifier: Apache-2.0
-- What a device knows of events that it no longer keeps: they were settled, the feed had counted
-- them, and they were old.

-- From here on a stream's rows are there; its device signed the mark, and with it what is left of
-- each event up to it (past: the chain over its rows in 'past').
CREATE TABLE bases (
    stream INTEGER PRIMARY KEY,
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    past BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;

-- One row for each such event, so that its id is never taken again. content: of event_content.
-- counts: it was the carrier of its id that counted.
CREATE TABLE past (
    lsn INTEGER PRIMARY KEY,
    stream INTEGER NOT NULL,
    id BLOB NOT NULL,
    content INTEGER NOT NULL,
    counts INTEGER NOT NULL
) STRICT;
