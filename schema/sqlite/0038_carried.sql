-- SPDX-License-Identifier: Apache-2.0
-- Streams that this node carries up for other devices have own = 2: their marks say what is above,
-- as those of its own streams do. Each push of theirs ended at a seal, where one of this node's
-- must end too.
CREATE TABLE carried_seals (
    stream INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    signature BLOB NOT NULL,
    PRIMARY KEY (stream, seq)
) STRICT, WITHOUT ROWID;
-- Feeds of places tell the keys of their devices, so that a hub knows them: they are made anew.
INSERT INTO meta (name, value) VALUES ('refold', '1')
    ON CONFLICT DO UPDATE SET value = excluded.value;
