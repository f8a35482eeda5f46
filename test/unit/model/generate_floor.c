// SPDX-License-Identifier: Apache-2.0
#include "test/unit/model/generate.h"

void generate_table(struct history *h, struct rng *rng, int device)
{
    static const char *const states[] = {"available", "occupied", "reserved", "dirty"};
    history_write(h, device, "table_set", "{\"status\":\"%s\"}", states[rng_below(rng, 4)]);
}
