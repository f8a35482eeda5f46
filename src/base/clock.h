// SPDX-License-Identifier: Apache-2.0
// The machine's clocks and randomness: what PURE layers must not include.
#ifndef WASL_BASE_CLOCK_H
#define WASL_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t clock_wall_ms(void); // ms since 1970, may jump
int64_t clock_mono_ms(void); // never steps back; for intervals
int64_t clock_mono_us(void);
int64_t clock_boot_ms(void); // since the machine started, its sleep included; nobody can set it
enum { CLOCK_BOOT_ID_SIZE = 64 };
void clock_boot_id(char to[CLOCK_BOOT_ID_SIZE]); // of that start; "" where the system has none
void clock_random(void *to, size_t n);           // from the system, fit for keys
int clock_local_minute(int64_t wall_ms); // of the day, 0 to 1439, in this machine's time zone
void clock_sleep_ms(int64_t ms);

#endif
