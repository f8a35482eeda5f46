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

static void write_closing(struct history *h, struct rng *rng, int device)
{
    char streams[512] = "";
    size_t used = 0;
    for (uint64_t n = rng_below(rng, 3); n > 0; n--)
        used += (size_t)snprintf(
            streams + used, sizeof streams - used,
            "%s{\"origin\":\"01890a5d-0000-7000-8000-00000000000%d\",\"lane\":\"critical\","
            "\"upto\":%d}",
            used ? "," : "", (int)rng_below(rng, 3), 1 + (int)rng_below(rng, 9));
    history_write(h, device, "shift_closed",
                  "{\"z\":%d,\"streams\":[%s],\"events\":[{\"event\":\"%s\"}],\"totals\":[],"
                  "\"counted\":[{\"currency\":\"USD\",\"amount\":%d}]}",
                  1 + (int)rng_below(rng, 9), streams, history_id_text(rng_below(rng, 5)),
                  (int)rng_below(rng, 900));
}

void generate_shift(struct history *h, struct rng *rng, int device)
{
    static const char *const kinds[] = {"in", "out", "drop"};
    switch (rng_below(rng, 6)) {
    case 0:
        write_closing(h, rng, device);
        break;
    case 1:
        history_write(h, device, "shift_opened",
                      "{\"till\":\"T%d\",\"float\":[{\"currency\":\"USD\",\"amount\":%d},"
                      "{\"currency\":\"LBP\",\"amount\":5000}]}",
                      (int)rng_below(rng, 2), (int)rng_below(rng, 900));
        break;
    case 2:
        history_write(h, device, "drawer_opened", "{\"reason\":\"change\"}");
        break;
    default:
        history_write(h, device, "cash_moved",
                      "{\"kind\":\"%s\",\"currency\":\"USD\",\"amount\":%d}",
                      kinds[rng_below(rng, 3)], 1 + (int)rng_below(rng, 99));
    }
}
