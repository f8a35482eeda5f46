// SPDX-License-Identifier: Apache-2.0
// Hybrid logical clock: 48 bits of milliseconds since 1970, 16 bits of counter.
//
// Source: Kulkarni et al., "Logical Physical Clocks" (2014). PURE: the clock is given.
#ifndef WASL_BASE_HLC_H
#define WASL_BASE_HLC_H

#include "base/str.h"

typedef uint64_t hlc;

enum { HLC_TEXT_SIZE = 17 }; // 16 hex digits and a NUL

// max(last, corrected clock) + 1 tick; corrected_ms is clamped to 0 .. 2^48 - 1.
hlc hlc_next(hlc last, int64_t corrected_ms);

int64_t hlc_ms(hlc value);
void hlc_format(hlc value, char to[HLC_TEXT_SIZE]);
enum err_code hlc_parse(struct str text, hlc *ret) MUST_CHECK; // exactly 16 lower-case hex digits

#endif
