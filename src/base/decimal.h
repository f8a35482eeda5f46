// SPDX-License-Identifier: Apache-2.0
// Fixed-point decimals of four places, and money in minor units. No float touches either.
//
// A decimal is an int64_t count of ten-thousandths: "2.55" is 25500. Money is an int64_t count of
// the currency's minor unit (LBP 0 places, USD 2, KWD 3); the exponent comes from configuration.
// Limits: a decimal is any int64_t, so that a sum of many is read back as it was written; what an
// event may hold is less (LIMIT_DECIMAL). |amount| <= MONEY_MAX (10^15); products are computed in
// 128 bits and checked. Rounding, everywhere: half away from zero.
#ifndef WASL_BASE_DECIMAL_H
#define WASL_BASE_DECIMAL_H

#include "base/str.h"

#define DECIMAL_ONE INT64_C(10000)
#define MONEY_MAX   INT64_C(1000000000000000)
enum { DECIMAL_TEXT_MAX = 48 };

// "-12", "0.5", "3.1400". No exponent, no blanks, no sign but '-', at most four places (further
// zeros are accepted); ERR_PARSE, or ERR_LIMIT beyond an int64_t.
enum err_code decimal_parse(struct str text, int64_t *ret) MUST_CHECK;

// Shortest form without trailing zeros ("12", "0.5", "-3.14"); to holds DECIMAL_TEXT_MAX bytes.
// A sum may have more than 64 bits, but fewer than 36 digits.
void decimal_format(__int128 value, char *to);

// price x quantity (both decimals) in minor units of a currency with 'places' (0..4) places.
// ERR_LIMIT when the product passes MONEY_MAX.
enum err_code decimal_amount(int64_t price, int64_t quantity, int places, int64_t *ret) MUST_CHECK;

// 'percent' (a decimal: "12.5" is 125000) of an amount in minor units. ERR_LIMIT past MONEY_MAX.
enum err_code decimal_percent(int64_t amount, int64_t percent, int64_t *ret) MUST_CHECK;

// Checked addition: ERR_LIMIT on overflow.
enum err_code decimal_add(int64_t a, int64_t b, int64_t *ret) MUST_CHECK;

// Minor units as a decimal string with exactly 'places' places ("748957.02"); as decimal_format.
void money_format(__int128 amount, int places, char *to);

#endif
