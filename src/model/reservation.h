// SPDX-License-Identifier: Apache-2.0
// Reservations: goods that are kept for somebody, if the authority finds that they are there.
//
// Rules:
//   pending ──judged: applied, stock──► confirmed ──┐
//    │ │ ├────judged: denied, stock───► denied      ├─reservation_released─► released
//    │ │ └────judged: denied, deadline─► expired    │
//    │ └─held: a person is asked about the author's right; then as above
//    └──────────────────────────────────────────────┘
//   Only a judgement confirms or denies, and there is one (model/verdict.h says which of several):
//   a reservation has never two outcomes. One that was denied stays so, whoever releases it.
//   The authority judges in the order of arrival, once, against what is there (reservation_judge):
//   stock, less what is kept for others, plus what the chain tolerates to be oversold. It is denied
//   when it comes after it would have ended. It is never late otherwise. One that is over already,
//   for a till sold while it was alone, is not denied: stock itself says what was not there.
//
//   Where its author's clock is off by more than the skew limit, its end is told by the clock that
//   counts: a wrong clock must not keep goods, nor refuse them.
//
//   Of two requests in one record the first in the order is the reservation; a person is asked.
//   Of a denied one kitchen and waiter are told: a question that names both.
// Invariant: no state follows from a clock. A hold that has run out is one whose until_at is past;
//   whoever counts what is free sees to it.
#ifndef WASL_MODEL_RESERVATION_H
#define WASL_MODEL_RESERVATION_H

#include "model/record.h"

extern const struct reducer reservation_reducer;

struct reservation_claim {
    struct str sku;
    int64_t quantity; // decimal, above zero
    int64_t until_ms; // since 1970: its end
};
// Of a request that event_type_check found sound; 'clock' is the one that counts, its own or the
// effective one. False: it is no request.
bool reservation_claim_of(const struct event *event, hlc clock, struct reservation_claim *ret);

struct reservation_view {
    int64_t now_ms;    // the authority's clock
    int64_t stock;     // decimal: there is so much
    int64_t kept;      // ... and of that is kept for others
    int64_t tolerance; // decimal, >= 0: so much more may be promised
    bool over;         // it was released, or what it was for is sold: nobody must be told
};
// Sets outcome and reason: applied or denied for the stock, denied for the deadline.
void reservation_judge(const struct reservation_claim *claim, const struct reservation_view *view,
                       struct verdict *verdict);

#endif
