// SPDX-License-Identifier: Apache-2.0
// The conversion asks localtime_r for the offset a day before and a day after, and keeps the one
// that the zone really has at the resulting moment: no answer depends on an earlier question.
#include "cli/local_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DAY_S = 24 * 60 * 60 };

// setenv accepts any name and then means UTC, so the zone's file is looked at first.
static bool zone_exists(const char *zone)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
                                  "_+-/";
    size_t n = strlen(zone);
    if (n == 0 || n > 100 || zone[0] == '/' || strspn(zone, allowed) != n) {
        return false;
    }
    const char *folder = getenv("TZDIR");
    char path[512];
    int written = snprintf(path, sizeof(path), "%s/%s",
                           folder != NULL ? folder : "/usr/share/zoneinfo", zone);
    if (written < 0 || (size_t)written >= sizeof(path)) {
        return false;
    }
    FILE *f = fopen(path, "rbe");
    if (f == NULL) {
        return false;
    }
    char magic[4] = {0};
    bool found =
        fread(magic, 1, sizeof(magic), f) == sizeof(magic) && memcmp(magic, "TZif", 4) == 0;
    (void)fclose(f);
    return found;
}

enum err_code local_time_open(const char *zone, struct local_time *ret, struct err *e)
{
    *ret = (struct local_time){.utc = true};
    if (strcmp(zone, "UTC") == 0) {
        return ERR_OK;
    }
    if (!zone_exists(zone)) {
        return err_set(e, ERR_INVALID, "unknown time zone '%s'", zone);
    }
    const char *previous = getenv("TZ");
    char *kept = previous != NULL ? strdup(previous) : NULL;
    if ((previous != NULL && kept == NULL) || setenv("TZ", zone, 1) != 0) {
        free(kept);
        return err_set(e, ERR_NO_MEMORY, "out of memory");
    }
    tzset();
    *ret = (struct local_time){.utc = false, .previous_tz = kept};
    return ERR_OK;
}

void local_time_close(struct local_time *t)
{
    if (t->utc) {
        return;
    }
    if (t->previous_tz != NULL) {
        (void)setenv("TZ", t->previous_tz, 1);
    } else {
        (void)unsetenv("TZ");
    }
    tzset();
    free(t->previous_tz);
    *t = (struct local_time){.utc = true};
}

static int64_t offset_at(time_t moment)
{
    struct tm tm;
    return localtime_r(&moment, &tm) != NULL ? tm.tm_gmtoff : 0;
}

// wall: seconds since 1970 as if the wall clock were UTC.
static int64_t resolve(time_t wall)
{
    int64_t before = offset_at(wall - DAY_S);
    int64_t after = offset_at(wall + DAY_S);
    if (before == after || offset_at(wall - before) == before) {
        return wall - before;
    }
    if (offset_at(wall - after) == after) {
        return wall - after;
    }
    return wall - before; // an hour that the clocks skipped
}

// True when the format has the conversion: '%' and the letter, '%%' being a percent sign.
static bool has_conversion(const char *format, char letter)
{
    for (const char *p = format; *p != '\0'; p++) {
        if (p[0] != '%') {
            continue;
        }
        p++;
        if (*p == letter) {
            return true;
        }
        if (*p == '\0') {
            return false;
        }
    }
    return false;
}

enum err_code local_time_parse(const struct local_time *t, const char *text, const char *format,
                               int64_t *ret_ms)
{
    struct tm tm = {.tm_mday = 1, .tm_year = 70};
    const char *end = strptime(text, format, &tm);
    if (end == NULL || *end != '\0') {
        return ERR_PARSE;
    }
    bool own_offset = has_conversion(format, 'z') || has_conversion(format, 's');
    struct tm copy = tm;
    // timegm makes 1 May of a 31 April; a till that prints that is wrong.
    time_t wall = timegm(&copy);
    if (copy.tm_mday != tm.tm_mday || copy.tm_mon != tm.tm_mon || copy.tm_hour != tm.tm_hour) {
        return ERR_PARSE;
    }
    int64_t seconds = wall;
    if (own_offset) {
        seconds = wall - tm.tm_gmtoff;
    } else if (!t->utc) {
        seconds = resolve(wall);
    }
    *ret_ms = seconds * 1000;
    return ERR_OK;
}
