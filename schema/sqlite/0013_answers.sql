-- SPDX-License-Identifier: Apache-2.0
-- Answers to questions that no record asks (src/model/review.h). A question that was answered stays
-- closed, whichever of the two comes first here.
CREATE TABLE review_answers (
    location TEXT NOT NULL,
    id TEXT NOT NULL,
    kind TEXT NOT NULL,
    record TEXT,
    decision TEXT NOT NULL,
    outcome TEXT,
    note TEXT,
    answered_by TEXT,
    event BLOB NOT NULL,
    at INTEGER NOT NULL,
    local_version INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (location, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX review_answers_of ON review_answers (kind, record, location);

CREATE TRIGGER review_answers_given AFTER INSERT ON review_answers BEGIN
    UPDATE reviews SET open = 0
    WHERE kind = NEW.kind AND record = NEW.record AND location = NEW.location;
END;
CREATE TRIGGER review_answers_gone AFTER DELETE ON review_answers BEGIN
    UPDATE reviews SET open = 1
    WHERE kind = OLD.kind AND record = OLD.record AND location = OLD.location;
END;
CREATE TRIGGER reviews_answered AFTER INSERT ON reviews
WHEN EXISTS (SELECT 1 FROM review_answers AS a WHERE a.kind = NEW.kind
    AND a.record = NEW.record AND a.location = NEW.location) BEGIN
    UPDATE reviews SET open = 0 WHERE number = NEW.number;
END;
