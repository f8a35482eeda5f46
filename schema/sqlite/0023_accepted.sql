-- SPDX-License-Identifier: Apache-2.0
-- 1: up to its heads events of a revoked device count, whatever its revocations say: a person has
-- looked at them.
ALTER TABLE revocations ADD COLUMN accepts INTEGER NOT NULL DEFAULT 0;
