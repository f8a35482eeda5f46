// SPDX-License-Identifier: Apache-2.0
// Whether what was paid with a whole ticket is what it comes to.
//
// Why: money taken is a fact and so is what was sold; where the two disagree a person is asked.
// An order asks this of itself, since its events say all of it (model/order_rows.c).
#ifndef WASL_MODEL_PAID_H
#define WASL_MODEL_PAID_H

#include "model/event.h"

struct paid {
    int64_t total, paid; // minor units of the ticket's currency
    struct str currency;
    int places;
};
// Of a ticket_recorded whose body was checked. False where it says nothing of payments, or where
// one was made in another currency: what it is worth in the ticket's nobody has said.
bool paid_differs(const struct event *ticket, struct paid *ret);

#endif
