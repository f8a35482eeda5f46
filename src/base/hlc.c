// SPDX-License-Identifier: Apache-2.0
#include "base/hlc.h"

#include <inttypes.h>
#include <stdio.h>

enum { COUNTER_BITS = 16 };
#define MS_MAX ((INT64_C(1) << 48) - 1)

static int64_t clamp_ms(int64_t ms)
{
    return ms < 0 ? 0 : ms > MS_MAX ? MS_MAX : ms;
}

hlc hlc_next(hlc last, int64_t corrected_ms)
{
    hlc now = (hlc)clamp_ms(corrected_ms) << COUNTER_BITS;
    hlc latest = last > now ? last : now;
    return latest == UINT64_MAX ? latest : latest + 1; // the end of time does not wrap
}

int64_t hlc_ms(hlc value)
{
    return (int64_t)(value >> COUNTER_BITS);
}

void hlc_format(hlc value, char to[HLC_TEXT_SIZE])
{
    (void)snprintf(to, HLC_TEXT_SIZE, "%016" PRIx64, value);
}

enum err_code hlc_parse(struct str text, hlc *ret)
{
    uint8_t b[8];
    enum err_code rc = str_from_hex(text, b, sizeof b);
    if (rc != ERR_OK) {
        return rc;
    }
    hlc value = 0;
    for (size_t i = 0; i < sizeof b; i++) {
        value = value << 8 | b[i];
    }
    *ret = value;
    return ERR_OK;
}
