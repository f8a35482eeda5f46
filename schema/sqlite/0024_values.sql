-- SPDX-License-Identifier: Apache-2.0
-- Orders are folded anew: money of another currency without a value counted one to one, and money
-- of an order that was read anew could stay in its shift.
INSERT INTO meta VALUES ('refold', '1') ON CONFLICT DO UPDATE SET value = excluded.value;
