// SPDX-License-Identifier: Apache-2.0
// What the upstream's clock says, as far as this machine can tell since it last heard it.
//
// Why: a till with a clock that is off is told so by its upstream. Alone again, or started again,
//   it must not forget it: what it stamps would be hours ahead of everybody's. And when somebody
//   puts the clock right meanwhile, the old correction must not be applied to the new clock.
// How: the correction is kept against the time since the machine started (CLOCK_BOOTTIME), which
//   nobody can set: upstream = boot + ahead. As long as the machine runs that holds, whatever is
//   done to the wall clock. Of an earlier start nothing is known: its battery may have run out, or
//   the network may have put the clock right. Then the wall clock is all there is.
// PURE but for who reads the clocks: the caller does.
#ifndef WASL_NODE_TRUE_TIME_H
#define WASL_NODE_TRUE_TIME_H

#include "base/str.h"

#include <stdint.h>

enum { TRUE_TIME_BOOT_MAX = 63, TRUE_TIME_TEXT_SIZE = TRUE_TIME_BOOT_MAX + 32 };

struct true_time {
    bool known;
    char boot[TRUE_TIME_BOOT_MAX + 1]; // the start of the machine that it holds for
    int64_t ahead_ms;                  // upstream's clock - time since then
};

// The machine's clocks at one moment.
struct machine_time {
    const char *boot; // id of this start, "" when the system does not tell
    int64_t wall_ms;  // since 1970, as somebody set it
    int64_t boot_ms;  // since the start
};

// The upstream's clock was found to be offset_ms ahead of the wall clock.
void true_time_set(struct true_time *t, const struct machine_time *now, int64_t offset_ms);
// What it is ahead now; 0 when that is not known.
int64_t true_time_offset(const struct true_time *t, const struct machine_time *now);

void true_time_write(const struct true_time *t, char to[TRUE_TIME_TEXT_SIZE]);
// Not known where the text is of another start of the machine, or none of ours.
void true_time_read(struct str text, const struct machine_time *now, struct true_time *ret);

#endif
