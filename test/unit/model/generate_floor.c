// SPDX-License-Identifier: Apache-2.0
#include "test/unit/model/generate.h"

#include <stdio.h>

void generate_table(struct history *h, struct rng *rng, int device)
{
    static const char *const states[] = {"available", "occupied", "reserved", "dirty"};
    history_write(h, device, "table_set", "{\"status\":\"%s\"}", states[rng_below(rng, 4)]);
}

void generate_availability(struct history *h, struct rng *rng, int device)
{
    char until[40] = "";
    if (rng_chance(rng, 1, 2))
        snprintf(until, sizeof until, ",\"until_at\":%d", (int)rng_below(rng, 9));
    history_write(h, device, "item_unavailable", "{\"state\":\"%s\"%s}",
                  rng_chance(rng, 1, 2) ? "sold_out" : "available", until);
}

void generate_unmet(struct history *h, struct rng *rng, int device)
{
    history_write(h, device, "demand_unmet",
                  "{\"sku\":\"S%d\",\"quantity\":\"%d\",\"reason\":\"sold_out\"}",
                  (int)rng_below(rng, 3), 1 + (int)rng_below(rng, 5));
}

// One or two of the fields; null clears one.
void generate_customer(struct history *h, struct rng *rng, int device)
{
    static const char *const fields[] = {"tier", "points_rule", "price_list", "locale"};
    size_t first = rng_below(rng, 4), second = (first + 1 + rng_below(rng, 3)) % 4;
    if (rng_chance(rng, 1, 2))
        history_write(h, device, "customer_set", "{\"%s\":\"c%d\",\"%s\":null}", fields[first],
                      (int)rng_below(rng, 9), fields[second]);
    else
        history_write(h, device, "customer_set", "{\"%s\":\"c%d\"}", fields[first],
                      (int)rng_below(rng, 9));
}

void generate_reservation(struct history *h, struct rng *rng, int device)
{
    if (rng_chance(rng, 1, 3))
        history_write(h, device, "reservation_released", "{}");
    else
        history_write(h, device, "reservation_requested",
                      "{\"sku\":\"S%d\",\"quantity\":\"%d\",\"station\":\"grill\"}",
                      (int)rng_below(rng, 3), 1 + (int)rng_below(rng, 5));
}
