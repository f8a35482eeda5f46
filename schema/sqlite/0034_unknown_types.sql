-- SPDX-License-Identifier: Apache-2.0
-- Of an unknown type the fold says so itself, and folds the event when it knows the type.
UPDATE dead SET given = 0, reason = 'unknown type' WHERE reason = 'its type is unknown here';
