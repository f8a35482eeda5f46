// SPDX-License-Identifier: Apache-2.0
#include "cli/time_text.h"

#include <stdio.h>
#include <time.h>

struct fields {
    int64_t year, month, day, hour, minute, second, ms, offset_minutes;
};

// Takes exactly n digits off the front.
static bool take_digits(struct str *rest, size_t n, int64_t *ret)
{
    if (rest->n < n || str_to_i64(str_make(rest->p, n), ret) != ERR_OK || rest->p[0] == '-') {
        return false;
    }
    *rest = str_make(rest->p + n, rest->n - n);
    return true;
}

static bool take_char(struct str *rest, char c)
{
    if (rest->n == 0 || rest->p[0] != c) {
        return false;
    }
    *rest = str_make(rest->p + 1, rest->n - 1);
    return true;
}

static bool take_date(struct str *rest, struct fields *f)
{
    return take_digits(rest, 4, &f->year) && take_char(rest, '-') &&
           take_digits(rest, 2, &f->month) && take_char(rest, '-') &&
           take_digits(rest, 2, &f->day) && f->month >= 1 && f->month <= 12 && f->day >= 1 &&
           f->day <= 31;
}

static bool take_fraction(struct str *rest, struct fields *f)
{
    int64_t digit = 0;
    int64_t weight = 100;
    if (!take_char(rest, '.')) {
        return true;
    }
    bool any = false;
    while (rest->n > 0 && rest->p[0] >= '0' && rest->p[0] <= '9') {
        (void)take_digits(rest, 1, &digit);
        f->ms += digit * weight;
        weight /= 10;
        any = true;
    }
    return any;
}

static bool take_clock(struct str *rest, struct fields *f)
{
    if (!take_digits(rest, 2, &f->hour) || !take_char(rest, ':') ||
        !take_digits(rest, 2, &f->minute)) {
        return false;
    }
    if (take_char(rest, ':') && (!take_digits(rest, 2, &f->second) || !take_fraction(rest, f))) {
        return false;
    }
    return f->hour <= 23 && f->minute <= 59 && f->second <= 60;
}

static bool take_offset(struct str *rest, struct fields *f)
{
    int64_t hours = 0, minutes = 0;
    if (rest->n == 0 || take_char(rest, 'Z')) {
        return true;
    }
    int sign = take_char(rest, '+') ? 1 : take_char(rest, '-') ? -1 : 0;
    if (sign == 0 || !take_digits(rest, 2, &hours)) {
        return false;
    }
    (void)take_char(rest, ':');
    if (!take_digits(rest, 2, &minutes) || hours > 23 || minutes > 59) {
        return false;
    }
    f->offset_minutes = sign * (hours * 60 + minutes);
    return true;
}

enum err_code time_text_parse(struct str text, int64_t *ret_ms)
{
    struct fields f = {0};
    struct str rest = text;
    if (text.n != 4 && text.n != 8 && str_to_i64(text, ret_ms) == ERR_OK) {
        return ERR_OK;
    }
    if (!take_date(&rest, &f)) {
        return ERR_PARSE;
    }
    if (rest.n > 0 && (!(take_char(&rest, 'T') || take_char(&rest, ' ')) ||
                       !take_clock(&rest, &f) || !take_offset(&rest, &f) || rest.n > 0)) {
        return ERR_PARSE;
    }
    struct tm tm = {.tm_year = (int)f.year - 1900,
                    .tm_mon = (int)f.month - 1,
                    .tm_mday = (int)f.day,
                    .tm_hour = (int)f.hour,
                    .tm_min = (int)f.minute,
                    .tm_sec = (int)f.second};
    int64_t seconds = (int64_t)timegm(&tm);
    if (tm.tm_mday != (int)f.day && f.second < 60) { // 31 April became 1 May
        return ERR_PARSE;
    }
    *ret_ms = (seconds - f.offset_minutes * 60) * 1000 + f.ms;
    return ERR_OK;
}

void time_text_format(int64_t ms, char to[TIME_TEXT_SIZE])
{
    bool before = ms % 1000 < 0; // division cuts towards zero, not towards the past
    int64_t rest = ms % 1000 + (before ? 1000 : 0);
    time_t seconds = (time_t)(ms / 1000 - before);
    struct tm tm;
    char text[TIME_TEXT_SIZE - 8] = "";
    if (gmtime_r(&seconds, &tm) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
        (void)snprintf(to, TIME_TEXT_SIZE, "%lld", (long long)ms);
        return;
    }
    (void)snprintf(to, TIME_TEXT_SIZE, "%s.%03dZ", text, (int)rest);
}
