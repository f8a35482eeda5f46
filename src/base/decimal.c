// SPDX-License-Identifier: Apache-2.0
#include "base/decimal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PLACES = 4 };

static const int64_t powers[] = {1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000};

struct digits {
    uint64_t value;
    uint64_t max;
    bool over; // passed max; syntax is still read to the end, so that it is told first
};

static void add_digit(struct digits *d, int digit)
{
    if (d->over || d->value > (d->max - (uint64_t)digit) / 10) {
        d->over = true;
        return;
    }
    d->value = d->value * 10 + (uint64_t)digit;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

enum err_code decimal_parse(struct str text, int64_t *ret)
{
    size_t i = 0;
    bool negative = text.n > 0 && text.p[0] == '-';
    i += negative;
    struct digits d = {.max = (uint64_t)INT64_MAX + negative};
    size_t start = i;
    for (; i < text.n && is_digit(text.p[i]); i++) {
        add_digit(&d, text.p[i] - '0');
    }
    if (i == start) {
        return ERR_PARSE;
    }
    size_t places = 0;
    if (i < text.n && text.p[i] == '.') {
        i++;
        for (; i < text.n && is_digit(text.p[i]); i++, places++) {
            if (places < PLACES) {
                add_digit(&d, text.p[i] - '0');
            } else if (text.p[i] != '0') {
                return ERR_PARSE;
            }
        }
        if (places == 0) {
            return ERR_PARSE;
        }
    }
    if (i != text.n) {
        return ERR_PARSE;
    }
    for (; places < PLACES; places++) {
        add_digit(&d, 0);
    }
    if (d.over) {
        return ERR_LIMIT;
    }
    *ret = negative ? (int64_t)(0 - d.value) : (int64_t)d.value;
    return ERR_OK;
}

// The digits of a whole number, which may be too long for one conversion.
static void format_whole(unsigned __int128 whole, const char *sign, char *to)
{
    static const uint64_t chunk = UINT64_C(1000000000000000000);
    MUST(whole / chunk < chunk);
    if (whole < chunk) {
        (void)snprintf(to, DECIMAL_TEXT_MAX, "%s%" PRIu64, sign, (uint64_t)whole);
    } else {
        (void)snprintf(to, DECIMAL_TEXT_MAX, "%s%" PRIu64 "%018" PRIu64, sign,
                       (uint64_t)(whole / chunk), (uint64_t)(whole % chunk));
    }
}

static void format_places(__int128 value, int places, char *to)
{
    unsigned __int128 all = value < 0 ? 0 - (unsigned __int128)value : (unsigned __int128)value;
    unsigned __int128 one = (unsigned __int128)powers[places];
    format_whole(all / one, value < 0 ? "-" : "", to);
    if (places == 0) {
        return;
    }
    int64_t rest = (int64_t)(all % one);
    char *end = to + strlen(to);
    *end++ = '.';
    while (places-- > 0) {
        *end++ = (char)('0' + rest / powers[places] % 10);
    }
    *end = '\0';
}

void decimal_format(__int128 value, char *to)
{
    int places = PLACES;
    while (places > 0 && value % 10 == 0) {
        value /= 10;
        places--;
    }
    format_places(value, places, to);
}

// A product in units of which 'unit' make one minor unit.
static enum err_code round_amount(__int128 product, __int128 unit, int64_t *ret)
{
    __int128 half = product < 0 ? -(unit / 2) : unit / 2;
    __int128 amount = (product + half) / unit; // division cuts towards zero
    if (amount > MONEY_MAX || amount < -(__int128)MONEY_MAX) {
        return ERR_LIMIT;
    }
    *ret = (int64_t)amount;
    return ERR_OK;
}

enum err_code decimal_amount(int64_t price, int64_t quantity, int places, int64_t *ret)
{
    if (places < 0 || places > PLACES) {
        return ERR_INVALID;
    }
    return round_amount((__int128)price * quantity, powers[2 * PLACES - places], ret);
}

enum err_code decimal_percent(int64_t amount, int64_t percent, int64_t *ret)
{
    return round_amount((__int128)amount * percent, 100 * powers[PLACES], ret);
}

enum err_code decimal_add(int64_t a, int64_t b, int64_t *ret)
{
    int64_t sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) {
        return ERR_LIMIT;
    }
    *ret = sum;
    return ERR_OK;
}

void money_format(__int128 amount, int places, char *to)
{
    MUST(places >= 0 && places <= PLACES);
    format_places(amount, places, to);
}
