// SPDX-License-Identifier: Apache-2.0
// Reservations: goods that are kept for somebody, if the authority finds that they are there.
//
// Rules:
//   pending ──judged: applied, stock──► confirmed ──┐
//      │ ├────judged: denied, stock───► denied      ├─reservation_released─► released
//      │ └────judged: denied, deadline─► expired    │
//      └────────────────────────────────────────────┘
//   Only a judgement confirms or denies, and there is one (model/verdict.h says which of several):
//   a reservation has never two outcomes. One that was denied stays so, whoever releases it.
//   Of two requests in one record the first in the order is the reservation; a person is asked.
//   Of a denied one kitchen and waiter are told: a question that names both.
// Invariant: no state follows from a clock. A hold that has run out is one whose until_at is past;
//   whoever counts what is free sees to it.
#ifndef WASL_MODEL_RESERVATION_H
#define WASL_MODEL_RESERVATION_H

#include "model/record.h"

extern const struct reducer reservation_reducer;

#endif
