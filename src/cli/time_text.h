// SPDX-License-Identifier: Apache-2.0
// Times as a person writes them (ISO 8601), to milliseconds since 1970 and back.
#ifndef WASL_CLI_TIME_TEXT_H
#define WASL_CLI_TIME_TEXT_H

#include "base/str.h"

enum { TIME_TEXT_SIZE = 32 };

// "2026-11-21", "2026-11-21T08:15", "2026-11-21 08:15:02.123", with "Z" or "+02:00" behind; without
// one it is UTC. Digits alone are milliseconds since 1970, but for four or eight of them, which
// somebody meant as a year or a date. ERR_PARSE.
enum err_code time_text_parse(struct str text, int64_t *ret_ms) MUST_CHECK;

// "2026-11-21T08:15:02.123Z"
void time_text_format(int64_t ms, char to[TIME_TEXT_SIZE]);

#endif
