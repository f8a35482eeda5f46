// SPDX-License-Identifier: Apache-2.0
// The body of a `ticket_recorded` event from a ticket.
//
//   {"ticket":"536365","kind":"sale|cancellation|return","till":…?,"table":…?,"currency":"USD",
//    "places":2,"lines":[{"n":1,"sku":…,"name":…,"quantity":"6","unit_price":"2.55",
//    "amount":1530}],"total":1530,"payments":[{"method":"cash","amount":1530,"currency":"USD"}],
//    "customer":…?}
//
// Invariants: amounts are integer minor units; total is the sum of the lines' amounts and of the
//   payments' amounts. A payment in another currency also says what was handed over:
//   "tendered":{"currency","places","amount","rate"}.
// Limits: TICKET_BODY_MAX.
#ifndef WASL_CLI_TICKET_EVENT_H
#define WASL_CLI_TICKET_EVENT_H

#include "base/buf.h"
#include "cli/ticket.h"

enum { TICKET_BODY_MAX = 240 * 1024 };

// Appends the body as JSON to a buffer. ERR_LIMIT when it passes TICKET_BODY_MAX or an amount is
// too large, ERR_INVALID when the payments do not add up to the total; e says why, for a reject.
enum err_code ticket_event_write(const struct ticket *t, struct buf *to, struct err *e) MUST_CHECK;

// The total in minor units. ERR_LIMIT.
enum err_code ticket_event_total(const struct ticket *t, int64_t *ret) MUST_CHECK;

#endif
