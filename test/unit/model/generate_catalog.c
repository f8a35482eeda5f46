// SPDX-License-Identifier: Apache-2.0
#include "test/unit/model/generate.h"

#include <stdio.h>

void generate_item(struct history *h, struct rng *rng, int device)
{
    static const char *const bodies[] = {"{\"name\":\"Coffee\"}",
                                         "{\"name\":\"Kaffee\",\"active\":true}",
                                         "{\"name_ar\":\"قهوة\"}",
                                         "{\"category\":\"hot\",\"unit\":\"cup\"}",
                                         "{\"category\":null}",
                                         "{\"active\":false}",
                                         "{\"shelf_life_days\":3}",
                                         "{\"tax\":\"VAT\",\"shelf_life_days\":null}",
                                         "{\"barcode\":\"7\",\"name\":null}"};
    history_write(h, device, "item_set", "%s",
                  bodies[rng_below(rng, sizeof bodies / sizeof bodies[0])]);
}

void generate_price(struct history *h, struct rng *rng, int device)
{
    char catalog[32] = "";
    if (rng_chance(rng, 3, 4))
        (void)snprintf(catalog, sizeof catalog, ",\"catalog\":%d", (int)rng_below(rng, 5));
    history_write(h, device, "price_set",
                  "{\"sku\":\"R1\",\"price\":\"%d.5\",\"currency\":\"%s\",\"places\":2%s}",
                  (int)rng_below(rng, 3), rng_chance(rng, 1, 8) ? "EUR" : "USD", catalog);
}

void generate_tax(struct history *h, struct rng *rng, int device)
{
    static const char *const bodies[] = {
        "{\"percent\":\"11\"}", "{\"percent\":\"12\",\"since\":\"2026-01-01\"}",
        "{\"included\":true}", "{\"included\":false}", "{\"since\":null,\"before\":\"10\"}"};
    history_write(h, device, "tax_set", "%s",
                  bodies[rng_below(rng, sizeof bodies / sizeof bodies[0])]);
}

void generate_promotion(struct history *h, struct rng *rng, int device)
{
    static const char *const bodies[] = {
        "{\"kind\":\"percent\",\"value\":\"20\",\"category\":\"hot\"}",
        "{\"kind\":\"amount\",\"value\":\"1\",\"currency\":\"USD\"}",
        "{\"value\":\"30\"}",
        "{\"weekdays\":\"12345\",\"from_time\":\"16:00\",\"until_time\":\"18:00\"}",
        "{\"active\":false}",
        "{\"active\":true,\"priority\":2}"};
    history_write(h, device, "promotion_set", "%s",
                  bodies[rng_below(rng, sizeof bodies / sizeof bodies[0])]);
}

void generate_recipe(struct history *h, struct rng *rng, int device)
{
    history_write(h, device, "recipe_set",
                  "{\"uses\":[{\"sku\":\"BEANS\",\"quantity\":\"0.0%d\"}]}",
                  1 + (int)rng_below(rng, 4));
}
