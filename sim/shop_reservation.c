// SPDX-License-Identifier: Apache-2.0
#include "base/decimal.h"
#include "model/limits.h"
#include "sim/shop.h"
#include "sim/shop_end.h"
#include "sim/till.h"

#include <inttypes.h>
#include <string.h>

const char *shop_reservation_draw(struct shop_view *v)
{
    struct shop_item *s = v->item->shop;
    if (v->of->count) {
        s->verb = SHOP_RELEASE;
        shop_text(v, "{}");
        return "reservation_released";
    }
    s->verb = SHOP_REQUEST;
    s->sku = (int)rng_below(&v->w->rng, v->w->knobs.skus < 2 ? 1 : 2);
    int64_t units = rng_between(&v->w->rng, 1, 40);
    s->quantity = units * DECIMAL_ONE;
    s->until_at = till_wall_ms(v->w, v->till) + LIMIT_RESERVATION_MS;
    shop_text(v, "{\"sku\":\"%s\",\"quantity\":\"%" PRId64 "\",\"until_at\":%" PRId64 "}",
              world_sku(s->sku), units, s->until_at);
    return "reservation_requested";
}

static const char *state_of(const struct shop_end *end)
{
    const struct shop_item *judged = end->verdict[0];
    if (judged && judged->verdict.outcome == JUDGED_DENIED)
        return judged->verdict.reason == REASON_DEADLINE ? "expired" : "denied";
    for (int i = 0; i < end->of->count; i++) {
        const struct shop_item *item = shop_end_item(end, i);
        if (item && item->verb == SHOP_RELEASE)
            return "released";
    }
    if (judged && judged->verdict.outcome == JUDGED_HELD)
        return "held";
    bool there = judged && judged->verdict.outcome == JUDGED_APPLIED &&
                 judged->verdict.reason == REASON_STOCK;
    return there ? "confirmed" : "pending";
}

// Confirmed or denied, once, by nobody but the authority.
void shop_reservation_check(const struct shop_end *end)
{
    size_t at = 0;
    const struct row *row = shop_next_row(end, "reservation_heads", &at);
    bool requested = end->of->count && end->counted[0];
    if (requested != (row != NULL)) {
        shop_end_wrong(end, 0, "it is there and was not requested, or the other way round");
        return;
    }
    if (row && !shop_text_is(row, "state", state_of(end)))
        shop_end_wrong(end, 0, "its state is not what was decided");
    const struct shop_item *judged = end->verdict[0];
    if (requested && judged == NULL)
        shop_end_wrong(end, 0, "nobody decided about it");
    if (row && judged && judged->verdict.outcome == JUDGED_DENIED &&
        !shop_is_asked(end, "denied", 0, 0))
        shop_end_wrong(end, 0, "it was denied, and kitchen and waiter are not told");
}
