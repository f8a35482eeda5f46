// SPDX-License-Identifier: Apache-2.0
#include "test/unit/model/generate.h"

#include <stdio.h>

void generate_user(struct history *h, struct rng *rng, int device)
{
    static const char *const roles[] = {"cashier", "manager", "barista"};
    static const char *const places[] = {"", "{\"location\":\"B1\"}",
                                         "{\"location\":\"B2\"},{\"location\":\"B1\"}",
                                         "{\"location\":\"*\"},{\"location\":\"*\"}"};
    switch (rng_below(rng, 4)) {
    case 0:
        history_write(h, device, "user_set", "{\"role\":\"%s\",\"code\":\"C%d\"}",
                      roles[rng_below(rng, 3)], (int)rng_below(rng, 3));
        break;
    case 1:
        history_write(h, device, "user_set", "{\"active\":%s}",
                      rng_chance(rng, 1, 2) ? "true" : "false");
        break;
    case 2:
        history_write(h, device, "user_set", "{\"places\":[%s]}", places[rng_below(rng, 4)]);
        break;
    default:
        history_write(h, device, "user_set", "{\"role\":null}");
        break;
    }
}

void generate_role(struct history *h, struct rng *rng, int device)
{
    static const char *const rights[] = {"", "{\"right\":\"sell\"}",
                                         "{\"right\":\"void\"},{\"right\":\"order\"}"};
    if (rng_chance(rng, 1, 3))
        history_write(h, device, "role_set", "{\"name\":\"N%d\"}", (int)rng_below(rng, 3));
    else
        history_write(h, device, "role_set", "{\"rights\":[%s]}", rights[rng_below(rng, 3)]);
}

void generate_setting(struct history *h, struct rng *rng, int device)
{
    if (rng_chance(rng, 1, 4))
        history_write(h, device, "setting_set", "{\"value\":null}");
    else
        history_write(h, device, "setting_set", "{\"value\":\"%d\"}", (int)rng_below(rng, 5));
}

void generate_authority(struct history *h, struct rng *rng, int device)
{
    int term = 1 + (int)rng_below(rng, 3), seq = 1 + (int)rng_below(rng, 9);
    if (rng_chance(rng, 1, 3))
        history_write(h, device, "authority_released",
                      "{\"term\":%d,\"heads\":[{\"origin\":\"%s\",\"lane\":\"normal\","
                      "\"seq\":%d,\"hash\":\"%064d\"}]}",
                      term, history_id_text(rng_below(rng, 3)), seq, seq);
    else
        history_write(h, device, "authority_set",
                      "{\"term\":%d,\"holder\":\"%s\",\"voters\":[{\"device\":\"%s\"},"
                      "{\"device\":\"%s\"}]}",
                      term, history_id_text(rng_below(rng, 3)), history_id_text(rng_below(rng, 4)),
                      history_id_text(rng_below(rng, 4)));
}
