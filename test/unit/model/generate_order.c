// SPDX-License-Identifier: Apache-2.0
#include "test/unit/model/generate.h"

#include <stdio.h>

static const char *any_line(struct rng *rng)
{
    return history_id_text(1 + rng_below(rng, 5));
}

static const char *any_bill(struct rng *rng, char to[64], const char *key)
{
    to[0] = '\0';
    if (rng_chance(rng, 1, 2))
        snprintf(to, 64, "\"%s\":\"%s\",", key, history_id_text(50 + rng_below(rng, 2)));
    return to;
}

static void write_line(struct history *h, struct rng *rng, int device)
{
    char bill[64];
    switch (rng_below(rng, 5)) {
    case 4:
        history_write(h, device, "price_overridden",
                      "{\"line\":\"%s\",\"unit_price\":\"%d\",\"by\":\"M%d\"}", any_line(rng),
                      (int)rng_below(rng, 3), device);
        break;
    case 0:
        history_write(h, device, "line_added",
                      "{%s\"line\":\"%s\",\"sku\":\"S%d\",\"quantity\":\"%d\","
                      "\"unit_price\":\"2.5\",\"catalog\":%d}",
                      any_bill(rng, bill, "bill"), any_line(rng), (int)rng_below(rng, 3),
                      1 + (int)rng_below(rng, 5), (int)rng_below(rng, 3));
        break;
    case 1:
        history_write(h, device, "line_changed", "{\"line\":\"%s\",\"quantity\":\"%d\"}",
                      any_line(rng), (int)rng_below(rng, 5) - 2);
        break;
    case 2:
        history_write(h, device, "line_removed", "{\"line\":\"%s\"}", any_line(rng));
        break;
    default:
        history_write(h, device, "order_split",
                      "{\"bill\":\"%s\",\"lines\":[{\"line\":\"%s\",\"quantity\":\"1\"}]}",
                      history_id_text(50 + rng_below(rng, 2)), any_line(rng));
    }
}

static void write_money(struct history *h, struct rng *rng, int device)
{
    char bill[64];
    any_bill(rng, bill, "bill");
    switch (rng_below(rng, 4)) {
    case 0:
        history_write(h, device, "sale_completed", "{%s\"total\":%d,\"uses\":[],\"shift\":\"Z\"}",
                      bill, (int)rng_below(rng, 9) * 250);
        break;
    case 1:
        history_write(h, device, "order_voided", "{%s\"reason\":\"r\"}", bill);
        break;
    case 2:
        history_write(h, device, "payment_refunded",
                      "{%s\"refund\":\"%s\",\"payment\":\"%s\",\"method\":\"cash\","
                      "\"currency\":\"USD\",\"amount\":250,\"shift\":\"Z\"}",
                      bill, history_id_text(900 + h->count), history_id_text(800));
        break;
    default:
        history_write(h, device, "payment_taken",
                      "{%s\"payment\":\"%s\",\"method\":\"cash\",\"currency\":\"USD\","
                      "\"amount\":%d}",
                      bill, history_id_text(900 + h->count), 250 + (int)rng_below(rng, 9) * 250);
    }
}

static void write_header(struct history *h, struct rng *rng, int device)
{
    switch (rng_below(rng, 6)) {
    case 0:
        history_write(h, device, "order_opened",
                      "{\"kind\":\"dine_in\",\"currency\":\"USD\",\"places\":2,\"table\":\"T%d\"}",
                      (int)rng_below(rng, 4));
        break;
    case 1:
        history_write(h, device, "order_merged", "{\"into\":\"R%d\"}", 2 + (int)rng_below(rng, 2));
        break;
    case 2:
        history_write(h, device, "ticket_fired", "{}");
        break;
    case 3:
        history_write(h, device, "ticket_bumped", "{\"station\":\"%s\",\"line\":\"%s\"}",
                      rng_chance(rng, 1, 2) ? "grill" : "bar", any_line(rng));
        break;
    default:
        history_write(h, device, "order_set", "{\"field\":\"%s\",\"value\":\"%d\"}",
                      rng_chance(rng, 1, 2) ? "note" : "discount", (int)rng_below(rng, 100));
    }
}

void generate_order(struct history *h, struct rng *rng, int device)
{
    uint64_t what = rng_below(rng, 6);
    if (what < 3)
        write_line(h, rng, device);
    else if (what < 4)
        write_money(h, rng, device);
    else
        write_header(h, rng, device);
}
