// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

static struct timespec read_clock(clockid_t id)
{
    struct timespec t = {0};
    MUST(clock_gettime(id, &t) == 0);
    return t;
}

int64_t clock_wall_ms(void)
{
    struct timespec t = read_clock(CLOCK_REALTIME);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_mono_ms(void)
{
    struct timespec t = read_clock(CLOCK_MONOTONIC);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_mono_us(void)
{
    struct timespec t = read_clock(CLOCK_MONOTONIC);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_boot_ms(void)
{
    struct timespec t = read_clock(CLOCK_BOOTTIME);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

void clock_boot_id(char to[CLOCK_BOOT_ID_SIZE])
{
    FILE *f = fopen("/proc/sys/kernel/random/boot_id", "re");
    to[0] = '\0';
    if (f == NULL)
        return;
    if (fgets(to, CLOCK_BOOT_ID_SIZE, f) == NULL)
        to[0] = '\0';
    (void)fclose(f);
    to[strcspn(to, "\n")] = '\0';
}

void clock_random(void *to, size_t n)
{
    unsigned char *p = to;
    while (n > 0) {
        ssize_t got = getrandom(p, n, 0);
        if (got < 0) {
            MUST(errno == EINTR); // a system without randomness can make no key and no id
            continue;
        }
        p += got;
        n -= (size_t)got;
    }
}

int clock_local_minute(int64_t wall_ms)
{
    struct tm tm = {.tm_hour = 0};
    time_t moment = (time_t)(wall_ms / 1000);
    (void)localtime_r(&moment, &tm);
    return tm.tm_hour * 60 + tm.tm_min;
}

void clock_sleep_ms(int64_t ms)
{
    if (ms <= 0) {
        return;
    }
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}
