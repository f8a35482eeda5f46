// SPDX-License-Identifier: Apache-2.0
#include "model/paid.h"

#include "base/decimal.h"
#include "model/body.h"

bool paid_differs(const struct event *ticket, struct paid *ret)
{
    yyjson_val *body = ticket->body, *payments = yyjson_obj_get(body, "payments"), *payment;
    *ret = (struct paid){.total = body_integer(body, "total"),
                         .currency = body_text(body, "currency"),
                         .places = (int)body_integer(body, "places")};
    yyjson_arr_iter iter = yyjson_arr_iter_with(payments);
    while ((payment = yyjson_arr_iter_next(&iter)) != NULL) {
        if (!str_equal(body_text(payment, "currency"), ret->currency))
            return false;
        ret->paid += body_integer(payment, "amount"); // 2,000 times 10^15 at most
    }
    return yyjson_arr_size(payments) > 0 && ret->paid != ret->total;
}
