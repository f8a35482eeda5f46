// SPDX-License-Identifier: Apache-2.0
#include "node/true_time.h"

#include <stdio.h>
#include <string.h>

void true_time_set(struct true_time *t, const struct machine_time *now, int64_t offset_ms)
{
    *t = (struct true_time){.known = true};
    if (str_copy(t->boot, sizeof t->boot, str_of(now->boot)))
        t->boot[0] = '\0';
    t->ahead_ms = now->wall_ms + offset_ms - now->boot_ms;
}

int64_t true_time_offset(const struct true_time *t, const struct machine_time *now)
{
    return t->known ? t->ahead_ms + now->boot_ms - now->wall_ms : 0;
}

void true_time_write(const struct true_time *t, char to[TRUE_TIME_TEXT_SIZE])
{
    (void)snprintf(to, TRUE_TIME_TEXT_SIZE, "%lld %s", (long long)t->ahead_ms, t->boot);
}

void true_time_read(struct str text, const struct machine_time *now, struct true_time *ret)
{
    struct true_time t = {.known = true};
    struct str number, rest = text;
    *ret = (struct true_time){.known = false};
    if (now->boot[0] == '\0' || !str_cut(&rest, ' ', &number) || !str_is(rest, now->boot) ||
        str_to_i64(number, &t.ahead_ms) || str_copy(t.boot, sizeof t.boot, rest))
        return;
    *ret = t;
}
